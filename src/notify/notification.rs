//! Something to tell somebody: an alert, what of it is news, and what there is to show.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::config::Metric;
use crate::detect::Evaluation;
use crate::incident::{Alert, Condition, End};

#[derive(Debug, Clone, Copy)]
pub struct Notification<'a> {
    /// `None`: bandwatch itself.
    pub metric: Option<&'a Metric>,
    pub alert: &'a Alert,
    pub kind: AlertKind,
    /// When its recipient was last told of the alert.
    pub told_at: Option<DateTime<Utc>>,
    /// The metric's newest evaluation of this run, with its workings: what pictures show.
    pub newest: Option<&'a Evaluation>,
}

/// What a notification says of its alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertKind {
    /// It is new to the recipient.
    Firing,
    Repeat,
    /// It is much worse than the recipient was told.
    Escalated,
    Resolved,
}

impl Notification<'_> {
    /// What it is about: of an incident the latest bucket outside, or the one that ended it; of everything
    /// else the newest.
    pub fn evaluation(&self) -> Option<&Evaluation> {
        if self.alert.side().is_none() {
            return self.newest;
        }
        let stored = match (self.kind, &self.alert.end) {
            (AlertKind::Resolved, Some(End::Over { evaluation, .. })) => evaluation.as_deref()?,
            (AlertKind::Resolved, Some(End::Accepted { evaluation, .. })) => evaluation,
            _ => self.alert.evaluation.as_ref()?,
        };
        // The newest evaluation of this run still knows what it was made from.
        let is_same =
            |newest: &&Evaluation| newest.bucket == stored.bucket && newest.band.is_some();
        Some(self.newest.filter(is_same).unwrap_or(stored))
    }

    pub fn is_resolved(&self) -> bool {
        self.kind == AlertKind::Resolved
    }
}

impl AlertKind {
    /// What a notification of this kind tells of: an opening, however late, what was released.
    pub fn shown(self, alert: &Alert) -> Alert {
        match self {
            Self::Firing => alert.as_released(),
            _ => alert.clone(),
        }
    }

    /// How backtest and JSON call a notification of this kind.
    pub fn word(self, alert: &Alert) -> &'static str {
        match (self, alert.condition) {
            (Self::Firing, condition) => condition.word(),
            (Self::Repeat, _) => "still",
            (Self::Escalated, _) => "worse",
            (Self::Resolved, Condition::Breach(_)) => match alert.end {
                Some(End::Accepted { .. }) => "accepted",
                _ => "over",
            },
            (Self::Resolved, Condition::Frozen) => "over",
            (Self::Resolved, Condition::NoData) => "data_again",
            (Self::Resolved, Condition::CheckFailed) => "checked_again",
            (Self::Resolved, Condition::Undecided) => "judged_again",
            (Self::Resolved, _) => "written_again",
        }
    }
}
