//! Many series of one metric, read in one go.

use std::fmt;

use chrono::DateTime;
use chrono_tz::Tz;

use super::history::{Fetched, History, Lookback, time_to_catch_up};
use crate::config::{MOST_SERIES, Metric};
use crate::output::nearest;
use crate::series::Bucket;
use crate::series::key::SeriesKey;

/// What is to be read of the series of a metric.
#[derive(Debug, Clone)]
pub struct SeriesRequest {
    pub as_of: DateTime<Tz>,
    pub lookback: Lookback,
    /// Those after it come first.
    pub after: Option<SeriesKey>,
    /// Whether none of them is known yet, so that nobody knows how many there are.
    pub are_new: bool,
}

/// The history of one of many series.
#[derive(Debug)]
pub struct SeriesHistory {
    pub key: SeriesKey,
    /// What the title column calls it.
    pub title: Option<String>,
    pub history: History,
}

/// What there is since all series were looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeriesNews {
    /// No bucket closed.
    Nothing,
    /// One did, and no series has a row in it.
    NoRows,
    /// One did that is to be judged.
    Closed,
}

/// There are more series than anybody means to watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooManySeries;

impl fmt::Display for TooManySeries {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        write!(
            formatter,
            "group_by makes more than {MOST_SERIES} series, which are too many to watch; set top = 500 for those with the largest volume, or include"
        )
    }
}

impl std::error::Error for TooManySeries {}

/// Somebody named a series that nobody knows of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownSeries {
    name: String,
    why: &'static str,
    /// Those that look like it.
    near: Vec<String>,
}

impl UnknownSeries {
    /// Of what was read nothing is of it.
    pub fn without_rows(name: &str) -> Self {
        Self {
            name: name.to_string(),
            why: "no row that was read has its key",
            near: Vec::new(),
        }
    }

    /// The state has others.
    pub fn never_seen(name: &str) -> Self {
        Self {
            why: "no run has seen it",
            ..Self::without_rows(name)
        }
    }

    /// The same with those of the known series that look like it, if none were found yet.
    #[must_use]
    pub fn among(self, known: impl IntoIterator<Item = String>) -> Self {
        if self.near.is_empty() {
            let near = nearest(&self.name, known);
            return Self { near, ..self };
        }
        self
    }
}

impl fmt::Display for UnknownSeries {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        let Self { name, why, near } = self;
        write!(formatter, "there is no series {name}: {why}")?;
        match near.as_slice() {
            [] => Ok(()),
            near => write!(formatter, "; near it: {}", near.join(", ")),
        }
    }
}

impl std::error::Error for UnknownSeries {}

impl SeriesRequest {
    /// Enough for the series that was looked at longest ago.
    pub fn new(metric: &Metric, as_of: DateTime<Tz>, oldest: Option<Bucket>) -> Self {
        let missed = oldest.and_then(|oldest| time_to_catch_up(oldest, metric, as_of));
        Self {
            as_of,
            lookback: Lookback::Beyond(missed.unwrap_or_default()),
            after: None,
            are_new: false,
        }
    }
}

impl SeriesHistory {
    /// What of it closed after the bucket judged last; the newest bucket alone if there is none.
    pub fn fetched(self, metric: &Metric, last: Option<Bucket>) -> Fetched {
        self.history.into_fetched(metric, last)
    }

    /// How many rows there are.
    pub fn rows(&self) -> u64 {
        self.history.buckets.row_counts.rows
    }

    /// The time that it is read as of.
    pub fn as_of(&self) -> DateTime<Tz> {
        self.history.as_of()
    }

    /// The end of the newest bucket that has data.
    pub fn newest_end(&self) -> Option<DateTime<Tz>> {
        self.history.newest_end()
    }
}
