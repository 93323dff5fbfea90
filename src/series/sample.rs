//! Times, grids and small series for tests, in Europe/Paris where nothing else is said.

use chrono::DateTime;
use chrono_tz::Tz;

use super::{Grid, Ignored, RowCounts, TimeSeries, Window, parse_time};

pub const PARIS: Tz = chrono_tz::Europe::Paris;

pub fn time(text: &str) -> DateTime<Tz> {
    time_in(text, PARIS)
}

pub fn time_in(text: &str, zone: Tz) -> DateTime<Tz> {
    parse_time(text, zone).expect("a time")
}

/// A grid in the zone of a time.
pub fn grid(step: &str, time: DateTime<Tz>) -> Grid {
    Grid::new(step.parse().expect("a step"), time)
}

/// Values that start on Monday 2026-06-01 at midnight.
pub fn series(step: &str, values: &[f64]) -> TimeSeries {
    let values: Vec<_> = values.iter().copied().map(Some).collect();
    series_with_gaps(step, &values)
}

pub fn series_with_gaps(step: &str, values: &[Option<f64>]) -> TimeSeries {
    series_from("2026-06-01 00:00", step, values)
}

pub fn series_from(start: &str, step: &str, values: &[Option<f64>]) -> TimeSeries {
    series_at(time(start), step, values)
}

/// Values that start at a time, in its time zone.
pub fn series_at(start: DateTime<Tz>, step: &str, values: &[Option<f64>]) -> TimeSeries {
    let grid = grid(step, start);
    TimeSeries {
        first_slot: grid.slot(start),
        grid,
        values: values.to_vec(),
    }
}

/// A window as of its end, with nothing left out and nothing to say of it.
pub fn window(series: TimeSeries, newest: Option<DateTime<Tz>>) -> Window {
    Window {
        row_counts: RowCounts::default(),
        as_of: series.next_time(),
        newest,
        stale_after: series.grid().step().times(3),
        ignored: Ignored::default(),
        recurring: Vec::new(),
        aggregate: None,
        total_since: None,
        hint: None,
        series,
    }
}
