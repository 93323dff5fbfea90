//! What monitoring systems read of a run: the lines of a Nagios plugin, and a file of metrics for Prometheus.

mod nagios;
mod openmetrics;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};

pub use nagios::write_plugin_output;
pub use openmetrics::{Runs, write_metrics};

use crate::config::Metric;
use crate::detect::Evaluation;
use crate::forecast::Side;
use crate::incident::{Condition, MetricState};

/// A metric, and what is known of it after a run.
#[derive(Debug, Clone, Copy)]
pub struct Standing<'a> {
    pub metric: &'a Metric,
    pub known: Option<&'a MetricState>,
}

/// What keeps a metric from being watched, the gravest first.
const OBSTACLES: [Condition; 4] = [
    Condition::CheckFailed,
    Condition::NoData,
    Condition::Undecided,
    Condition::Frozen,
];

impl<'a> Standing<'a> {
    /// The one judged last.
    fn evaluation(&self) -> Option<&'a Evaluation> {
        self.known?.latest()
    }

    /// The open incident: its side, and when it began.
    fn incident(&self) -> Option<(Side, DateTime<Utc>)> {
        let incident = self.known?.incident()?;
        Some((incident.side()?, incident.since))
    }

    /// Why it is not watched, if so.
    fn obstacle(&self) -> Option<&'a str> {
        let known = self.known?;
        let mut open = OBSTACLES
            .iter()
            .filter_map(|condition| known.open_alert(*condition));
        open.next().map(|alert| alert.reason.as_str())
    }
}
