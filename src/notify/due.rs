//! What is due to one recipient of one alert: a pure function of the alert, of what that recipient was
//! notified of before, and of the time.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::log::Record;
use crate::incident::{Alert, Condition, End, Policy};

/// What a notification says of its alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertKind {
    /// It is new to the recipient.
    Firing,
    /// It lasts.
    Repeat,
    /// It is much worse than the recipient was told.
    Escalated,
    Resolved,
}

impl AlertKind {
    /// How backtest and JSON call a notification of this kind.
    pub fn word(self, condition: Condition) -> &'static str {
        match (self, condition) {
            (Self::Firing, condition) => condition.word(),
            (Self::Repeat, _) => "still",
            (Self::Escalated, _) => "worse",
            (Self::Resolved, Condition::Breach(_)) => "over",
            (Self::Resolved, Condition::NoData) => "data_again",
            (Self::Resolved, Condition::CheckFailed) => "checked_again",
            (Self::Resolved, Condition::Undecided) => "judged_again",
            (Self::Resolved, _) => "written_again",
        }
    }
}

/// What the recipient whose record this is should be notified of now.
pub fn due(
    alert: &Alert,
    record: Option<&Record>,
    now: DateTime<Utc>,
    policy: &Policy,
) -> Option<AlertKind> {
    alert.released?;
    let Some(last) = record.and_then(|record| record.last.as_ref()) else {
        return Some(AlertKind::Firing);
    };
    let was_told = record.is_some_and(|record| record.thread.is_some());
    match &alert.end {
        Some(End::Turned) => None,
        Some(End::Over { .. }) => {
            let is_news = was_told && last.kind != AlertKind::Resolved;
            (is_news && policy.notify_recovery).then_some(AlertKind::Resolved)
        }
        None => {
            let bucket = alert
                .evaluation
                .as_ref()
                .map(|outside| outside.bucket.start);
            if bucket.is_some() && bucket <= last.bucket {
                return None;
            }
            let is_worse = match (alert.deviation(), last.deviation) {
                (Some(now), Some(then)) => now.abs() >= policy.worse.factor() * then.abs(),
                _ => false,
            };
            let is_repeated = match alert.condition {
                // A history that is too short grows by itself, and the others are told by a list that is
                // complete at once.
                Condition::Undecided
                | Condition::StateUnreadable
                | Condition::NotificationsLost => false,
                _ => policy.renotify.is_due(now - last.at),
            };
            match (is_worse, is_repeated) {
                (true, _) => Some(AlertKind::Escalated),
                (false, true) => Some(AlertKind::Repeat),
                (false, false) => None,
            }
        }
    }
}
