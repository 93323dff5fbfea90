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
use crate::incident::{Alert, Condition, MetricState};

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
        // Of a new series that is too young to be judged nobody needs to hear.
        let is_young = |alert: &Alert| {
            self.metric.series.is_some()
                && alert.condition == Condition::Undecided
                && alert.released.is_none()
        };
        let first = open.find(|alert| !is_young(alert));
        first.map(|alert| alert.reason.as_str())
    }

    /// Whether it is to be told of its own: of a metric with many series, those are, once they were looked at.
    fn is_told(&self) -> bool {
        let is_looked_at = self.known.is_some_and(|known| known.evaluated().is_some());
        let is_judged = self.evaluation().is_some() || self.incident().is_some();
        let stands_for_series = self.metric.group.is_some() && is_looked_at;
        let is_young = self.metric.series.is_some() && !is_judged;
        self.obstacle().is_some() || is_judged || !(stands_for_series || is_young)
    }
}
