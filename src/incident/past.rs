//! What is remembered of alerts that ended, and of what the bands held: the facts of a report. Bounded in
//! time and in number.

use std::collections::VecDeque;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::alert::{Alert, Condition, End};
use super::answer::Acknowledgement;
use super::day_counts::{DayCounts, REMEMBERED};
use super::worst::Worst;
use crate::output::{second, second_option};

/// So many alerts of a metric are remembered at most.
pub const MOST_ALERTS: usize = 100;

/// How an alert ended.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Over,
    /// Its level is the new normal, as a multiple of what earlier weeks had.
    Accepted {
        ratio: f32,
    },
    /// An incident on the other side took its place.
    Turned,
}

impl Outcome {
    /// As JSON says it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Over => "over",
            Self::Accepted { .. } => "accepted",
            Self::Turned => "turned",
        }
    }

    /// Of an accepted level what it is of the one before.
    pub fn ratio(self) -> Option<f32> {
        match self {
            Self::Accepted { ratio } => Some(ratio),
            Self::Over | Self::Turned => None,
        }
    }
}

/// An alert that ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PastAlert {
    pub id: String,
    pub condition: Condition,
    #[serde(with = "second")]
    pub since: DateTime<Utc>,
    /// The end of its last bucket outside; of anything else when a run saw that it was over.
    #[serde(with = "second")]
    pub until: DateTime<Utc>,
    pub outcome: Outcome,
    /// Since when people were to be told; `None`: never, as it was silent, or short.
    #[serde(
        default,
        with = "second_option",
        skip_serializing_if = "Option::is_none"
    )]
    pub released: Option<DateTime<Utc>>,
    /// How many notifications of it were accepted.
    #[serde(default, skip_serializing_if = "is_none")]
    pub notifications: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worst: Option<Worst>,
    /// What was usual less what was seen, in the metric's unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<f32>,
    /// The buckets that were judged while it was open.
    #[serde(default, skip_serializing_if = "DayCounts::is_empty")]
    pub days: DayCounts,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<Acknowledgement>,
}

impl PastAlert {
    /// `None` while it is open.
    pub fn new(alert: &Alert) -> Option<Self> {
        let last = alert.evaluation.as_ref().map(|last| last.bucket.end);
        let (until, outcome) = match &alert.end {
            None => return None,
            Some(End::Over { until, .. }) => (*until, Outcome::Over),
            Some(End::Accepted { until, ratio, .. }) => {
                (*until, Outcome::Accepted { ratio: *ratio })
            }
            Some(End::Turned) => (last.unwrap_or(alert.since), Outcome::Turned),
        };
        Some(Self {
            id: alert.id.clone(),
            condition: alert.condition,
            since: alert.since,
            until,
            outcome,
            released: alert.released,
            notifications: 0,
            worst: alert.worst,
            missing: alert.course.as_ref().map(|course| course.shortfall.missing),
            days: alert.days.clone(),
            acknowledged: alert.acknowledged.clone(),
        })
    }
}

/// What is remembered of a metric.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Past {
    /// Oldest first, by when they ended.
    #[serde(skip_serializing_if = "VecDeque::is_empty")]
    pub alerts: VecDeque<PastAlert>,
    #[serde(skip_serializing_if = "DayCounts::is_empty")]
    pub days: DayCounts,
}

impl Past {
    pub fn is_empty(&self) -> bool {
        self.alerts.is_empty() && self.days.is_empty()
    }

    /// Remembers the alerts that ended, and forgets what is old.
    pub fn remember(&mut self, alerts: &[Alert], now: DateTime<Utc>) {
        // What was too short to be told is no news, unless it is about the values.
        let is_notable = |alert: &&Alert| alert.released.is_some() || alert.side().is_some();
        let alerts = alerts.iter().filter(is_notable);
        for past in alerts.filter_map(PastAlert::new) {
            if !self.alerts.iter().any(|known| known.id == past.id) {
                self.alerts.push_back(past);
            }
        }
        // What took a month is seen to be over a month later, and is to be answered then.
        let kept = |past: &PastAlert| REMEMBERED + (past.until - past.since).max(TimeDelta::zero());
        self.alerts.retain(|past| now - past.until < kept(past));
        self.days.forget(now);
        let surplus = self.alerts.len().saturating_sub(MOST_ALERTS);
        self.alerts.drain(..surplus);
    }

    /// So many notifications of an alert were accepted so far.
    pub fn note_notifications(&mut self, alert: &str, count: u32) {
        let past = self.alerts.iter_mut().find(|past| past.id == alert);
        if let Some(past) = past {
            past.notifications = count;
        }
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
fn is_none(count: &u32) -> bool {
    *count == 0
}
