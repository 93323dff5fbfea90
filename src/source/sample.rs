//! The series that comes with bandwatch: 5-minute sales of four weeks, with a breach at their end. A test
//! mail shows it where there is no database.

use anyhow::{Context, Result};
use chrono_tz::Tz;

use super::history::{History, Lookback};
use crate::config::Metric;
use crate::series::{LocalClock, Step, Window, parse_local_time};

const ROWS: &str = include_str!("../../tests/data/sales.csv");

/// Its latest window, as a metric of this name would see it.
pub fn sample_window(metric: &Metric, zone: Tz) -> Result<Window> {
    let mut clock = LocalClock::InOrder(zone, None);
    let rows = ROWS.lines().skip(1).filter_map(|line| {
        let (time, value) = line.split_once(',')?;
        let time = clock.instant(parse_local_time(time).ok()?);
        Some((time, value.parse().ok()))
    });
    let rows: Vec<_> = rows.collect();
    let step = Step::from_seconds(300).context("a step of five minutes")?;
    let newest = rows.iter().rev().find_map(|(time, _)| *time);
    let as_of = newest.context("the sample holds no rows")? + step.delta();
    let mut history = History::new(metric, None, step, as_of, Lookback::Everything, None)?;
    for (time, value) in rows {
        history.add(time, value);
    }
    Ok(history.latest(metric))
}
