//! How a metric would have fared in the last of its history, for whoever is about to watch it.

use std::num::NonZeroUsize;
use std::time::Duration;

use anyhow::{Result, ensure};
use chrono::TimeDelta;

use super::excess::Excess;
use super::replay::Replay;
use super::summary::Summary;
use super::too_short;
use crate::commands::coverage::float;
use crate::commands::report::write_outage;
use crate::config::Metric;
use crate::incident::Said;
use crate::source::History;

/// The figures of a backtest.
#[derive(Debug, Clone, PartialEq)]
pub struct Outlook {
    /// The judged time.
    pub length: TimeDelta,
    pub mails: usize,
    pub mails_per_week: f64,
    pub incidents: usize,
    /// The share of values inside their band; `None` where nothing could be judged.
    pub coverage: Option<f64>,
    /// Where the budget of false alerts would not have been kept.
    pub excess: Option<Excess>,
    /// How soon a total outage is told.
    pub outage: Option<String>,
}

impl Outlook {
    /// Fails where the history is too short to judge any of it.
    pub fn new(metric: &Metric, history: &History, last: Duration) -> Result<Self> {
        let points = history.points(metric, Some(last));
        ensure!(!points.is_empty(), "{}", too_short(metric, history));
        let replay = Replay::new(history, &points, metric, Said::default(), NonZeroUsize::MIN)?;
        let summary = Summary::new(&replay, metric);
        let (length, mails) = (replay.span(), summary.told.mails.len());
        let weeks = length.as_seconds_f64() / TimeDelta::weeks(1).as_seconds_f64();
        let newest = replay.points.last();
        Ok(Self {
            length,
            mails,
            mails_per_week: if weeks > 0.0 {
                float(mails) / weeks
            } else {
                0.0
            },
            incidents: summary.told.incidents.len(),
            coverage: summary.coverage.map(|coverage| coverage.share),
            excess: summary.excess.clone(),
            outage: newest.and_then(|newest| write_outage(metric, newest)),
        })
    }
}
