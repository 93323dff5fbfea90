//! The series that comes with bandwatch: 5-minute sales of four weeks, with a breach at their end. A test
//! mail shows it where there is no database.

use std::time::Duration;

use anyhow::Result;
use chrono_tz::Tz;

use super::csv;
use super::history::Lookback;
use crate::config::Metric;
use crate::series::Window;

const ROWS: &str = include_str!("../../tests/data/sales.csv");

/// Its latest window, as a metric of this name would see it.
pub fn sample_window(metric: &Metric, zone: Tz) -> Result<Window> {
    let lookback = Lookback::Beyond(Duration::ZERO);
    let history = csv::history_of_text(ROWS, metric, None, lookback, zone)?;
    Ok(history.latest(metric))
}
