//! What a check is to look at, and what it finds: of a metric, or of the many series of one.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Error;
use chrono::DateTime;
use chrono_tz::Tz;

use super::share::Share;
use crate::config::Metric;
use crate::detect::{Answers, Evaluation};
use crate::incident::CheckResult;
use crate::series::Bucket;
use crate::series::key::SeriesKey;
use crate::source::UnknownSeries;

/// One metric to check, and where to go on from.
#[derive(Debug, Clone)]
pub struct Task {
    pub metric: Metric,
    /// Which of its series are looked at.
    pub share: Share,
    pub standing: Standing,
    /// Of a metric with many series, where to go on with them.
    pub series: Option<SeriesTask>,
    /// The time to judge at, if it is not now.
    pub as_of: Option<DateTime<Tz>>,
    pub now: DateTime<Tz>,
}

/// What is known of a series as a check looks at it.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    /// Whether any run has seen it.
    pub is_known: bool,
    /// The bucket that was evaluated last.
    pub evaluated: Option<Bucket>,
    pub newest_data: Option<Bucket>,
    /// Whether it is known that its data ended too long ago.
    pub lacks_data: bool,
    /// What people said of it.
    pub answers: Answers,
    /// Whether its newest window is wanted even if nothing closed since: somebody is to be shown it.
    pub shows_window: bool,
}

/// What comes of a task.
#[derive(Debug)]
pub enum Found {
    Result(Box<CheckResult>),
    /// There is no such series.
    Unknown(UnknownSeries),
    /// One of many series.
    Series(Box<SeriesFound>),
    /// How the look at all series ended.
    Look(Box<SeriesLook>),
    /// The task is done, after so long.
    Done(Duration),
}

/// Where to go on with the series of a metric.
#[derive(Debug, Clone)]
pub struct SeriesTask {
    /// What is known of each, by its key.
    pub known: Arc<HashMap<SeriesKey, Standing>>,
    /// The bucket up to which all of them were looked at.
    pub looked_at: Option<Bucket>,
    /// The one after which a look was cut short.
    pub after: Option<SeriesKey>,
}

/// What was found of one of many series.
#[derive(Debug)]
pub struct SeriesFound {
    /// How many were read before it, in the order in which they come.
    pub place: usize,
    pub key: SeriesKey,
    pub title: Option<String>,
    pub outcome: SeriesOutcome,
}

#[derive(Debug)]
pub enum SeriesOutcome {
    /// Of each bucket that closed, oldest first.
    Judged(Vec<CheckResult>),
    /// Its last data is older than `forget_after`: it is none any more.
    Gone(Box<Evaluation>),
    /// It could not be judged.
    Failed(String),
}

/// How many series there are that are not for this run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Others {
    pub of_other_shards: usize,
    /// Another run is at work on them, which may not come to an end.
    pub busy: usize,
}

/// How the look at all series of a metric ended.
#[derive(Debug)]
pub enum SeriesLook {
    /// No bucket closed since the last one.
    NothingNew,
    /// All were read.
    Whole {
        /// Up to the end of this bucket.
        last: Bucket,
        /// What is to be said if there is none.
        of_none: Box<CheckResult>,
        others: Others,
    },
    /// It was cut short, and why.
    Cut(Error),
}
