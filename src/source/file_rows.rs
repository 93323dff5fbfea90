//! The rows of a file, whatever its format, and the history that they make.

use anyhow::{Context, Result};
use chrono::{DateTime, NaiveDateTime};
use chrono_tz::Tz;

use super::history::{History, Lookback};
use crate::config::{Metric, Rows};
use crate::output::shorten;
use crate::series::{Grid, LocalClock, infer_step};

/// How a Parquet file begins, and ends.
pub const PARQUET_MAGIC: &[u8] = b"PAR1";

/// All rows of a file.
#[derive(Debug)]
pub struct FileRows {
    pub rows: Vec<Row>,
    /// What is to be said of the columns.
    pub hint: Option<String>,
}

#[derive(Debug, Clone, Copy)]
pub struct Row {
    pub time: RowTime,
    pub value: Option<f64>,
}

/// What a row says of its time.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub enum RowTime {
    Local(NaiveDateTime),
    Instant(DateTime<Tz>),
}

pub fn history_of_rows(
    rows: FileRows,
    metric: &Metric,
    as_of: Option<DateTime<Tz>>,
    lookback: Lookback,
    zone: Tz,
) -> Result<History> {
    let FileRows { rows, hint } = rows;
    let rows = instants(rows, zone);
    let times: Vec<DateTime<Tz>> = rows.iter().filter_map(|(time, _)| *time).collect();
    let last_row = times.iter().max().copied().context("it holds no rows")?;
    let step = metric.step.or_else(|| infer_step(&times)).context(
        "its times do not tell a step; name one with `every` in the metric's configuration",
    )?;
    let as_of = match as_of {
        Some(time) => time,
        // A raw row says only that time has come so far; a ready-made one speaks for its whole bucket,
        // so the last one is closed by being there.
        None if metric.aggregate.is_some() => last_row,
        None => {
            let grid = Grid::new(step, last_row);
            grid.instant(grid.slot(last_row) + 1) + metric.delay(step)
        }
    };
    let oldest = times.iter().min().copied();
    let mut history = History::new(metric, metric.aggregate, step, as_of, lookback, oldest)?;
    for (time, value) in rows {
        history.add(time, value);
    }
    history.hint = hint;
    Ok(history)
}

/// Each row's instant, if it can be told, and its value.
fn instants(mut rows: Vec<Row>, zone: Tz) -> Vec<(Option<DateTime<Tz>>, Option<f64>)> {
    let descents = rows.windows(2).filter(|pair| pair[1].time < pair[0].time);
    if 2 * descents.count() > rows.len() {
        // Newest first: time runs forward only from the other end.
        rows.reverse();
    }
    let mut clock = LocalClock::InOrder(zone, None);
    let instant = |row: Row| match row.time {
        RowTime::Local(local) => (clock.instant(local), row.value),
        RowTime::Instant(time) => (Some(time), row.value),
    };
    rows.into_iter().map(instant).collect()
}

/// What to say of a metric of the database whose file has two columns, neither of which has a name of the
/// configuration: that names the table's columns, and these two can only be their likes.
pub fn other_names(names: &[&str], metric: &Metric) -> Option<String> {
    let [first, second] = names else {
        return None;
    };
    let (Some(time), Some(value)) = metric.rows.columns() else {
        return None;
    };
    let has = |name: &str| {
        let mut names = names.iter();
        names.any(|other| other.to_lowercase() == name.to_lowercase())
    };
    let is_of_database = !matches!(metric.rows, Rows::File { .. });
    let [first, second] = [first, second].map(|name| shown(name));
    (is_of_database && !has(time) && !has(value)).then(|| {
        format!(
            "the file has no columns {time:?} and {value:?}; its only two, {first}, {second}, are taken for them"
        )
    })
}

/// A cell in a message.
pub fn shown(text: &str) -> String {
    format!("{:?}", shorten(text, 60))
}
