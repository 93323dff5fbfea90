//! Many series of one metric, read in one go.

use std::ops::ControlFlow;

use anyhow::{Result, bail};
use chrono::DateTime;
use chrono_tz::Tz;

use super::Source;
use super::history::{Fetched, History, Lookback, step_of, time_missed, unseen};
use crate::calendar::Period;
use crate::config::{Metric, time_delta};
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

impl SeriesRequest {
    /// Enough for those that were looked at longest ago.
    pub fn new(as_of: DateTime<Tz>, oldest: Option<Bucket>) -> Self {
        let missed = oldest.and_then(|oldest| time_missed(oldest, as_of));
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

    /// The end of the newest bucket that has data.
    pub fn newest_end(&self) -> Option<DateTime<Tz>> {
        self.history.newest_end()
    }
}

impl Source {
    /// Whether anything can be new of the series of a metric, all of which were looked at up to the end of a
    /// bucket: then another one has closed. If none has, one row is asked for, so that a table that is gone is
    /// noticed.
    pub fn has_news_of_series(
        &mut self,
        metric: &Metric,
        last: Bucket,
        now: DateTime<Tz>,
    ) -> Result<bool> {
        let Self::Mysql(database) = self else {
            return Ok(true);
        };
        let Some(step) = step_of(last, metric, now.timezone()) else {
            return Ok(true);
        };
        let unseen = unseen(last, step, metric, now);
        let time = Period {
            start: unseen.start.to_utc(),
            end: unseen.end.to_utc(),
        };
        let is_left_out = metric
            .events
            .leave_out_all(time, time_delta(metric.window(step)));
        if !unseen.is_empty() && !is_left_out {
            return Ok(true);
        }
        database.read(metric, now, |reader| reader.holds_rows(&unseen))?;
        Ok(false)
    }

    /// Hands over one series after the other, until one is the last that is wanted. What is read of none is
    /// returned, to tell why there may be none.
    pub fn each_series(
        &mut self,
        metric: &Metric,
        request: &SeriesRequest,
        now: DateTime<Tz>,
        take: impl FnMut(SeriesHistory) -> Result<ControlFlow<()>>,
    ) -> Result<History> {
        match self {
            Self::Mysql(database) => {
                database.read(metric, now, |reader| reader.each_series(request, take))
            }
            Self::File(_) => bail!("group_by: a file has one series"),
        }
    }
}
