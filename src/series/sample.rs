//! Small series for the tests of the rooms that take one.

use chrono::DateTime;
use chrono_tz::Tz;

use super::{Grid, TimeSeries, parse_time};

/// Values in Europe/Paris that start on Monday 2026-06-01 at midnight.
pub fn series(step: &str, values: &[f64]) -> TimeSeries {
    let values: Vec<_> = values.iter().copied().map(Some).collect();
    series_with_gaps(step, &values)
}

pub fn series_with_gaps(step: &str, values: &[Option<f64>]) -> TimeSeries {
    series_from("2026-06-01 00:00", step, values)
}

/// Values in Europe/Paris that start at a time.
pub fn series_from(start: &str, step: &str, values: &[Option<f64>]) -> TimeSeries {
    series_at(
        parse_time(start, chrono_tz::Europe::Paris).expect("a time"),
        step,
        values,
    )
}

/// Values that start at a time, in its time zone.
pub fn series_at(start: DateTime<Tz>, step: &str, values: &[Option<f64>]) -> TimeSeries {
    let grid = Grid::new(step.parse().expect("a step"), start);
    TimeSeries {
        first_slot: grid.slot(start),
        grid,
        values: values.to_vec(),
    }
}
