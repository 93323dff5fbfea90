//! What is known of a metric between runs, and how one more result of a check changes it.

use std::collections::VecDeque;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::alert::{Alert, Condition, End};
use super::policy::Policy;
use crate::detect::{Evaluation, Verdict};
use crate::forecast::Side;
use crate::series::Bucket;

/// What is known of a metric between runs.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct MetricState {
    /// The bucket that was evaluated last.
    pub evaluated: Option<Bucket>,
    /// The newest bucket that rows were seen for, if that is another: where an empty bucket counts as
    /// zero, it may lie before the one evaluated last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) newest_data: Option<Bucket>,
    /// The bucket since which there is no incident.
    #[serde(skip_serializing_if = "Option::is_none")]
    calm_since: Option<DateTime<Utc>>,
    /// See [`MetricState::latest`]; `None` where the open incident has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    latest: Option<Evaluation>,
    /// The evaluated buckets that may confirm an incident, oldest first.
    recent: VecDeque<Recent>,
    /// Buckets inside the band since the latest one outside, while an incident is open.
    #[serde(skip_serializing_if = "is_zero")]
    inside: u32,
    /// Those that are open, at most one of each kind; and those that ended and that somebody is still
    /// to be told of.
    pub alerts: Vec<Alert>,
}

/// A bucket, as far as it matters for confirming.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Recent {
    start: DateTime<Utc>,
    side: Option<Side>,
}

/// What a run found of a metric.
#[derive(Debug, Clone)]
pub enum CheckResult {
    Evaluated(Evaluation),
    /// Nothing closed since the bucket evaluated last. The newest window again, if it was asked for.
    NothingNew(Option<Evaluation>),
    /// The check failed.
    Failed(String),
}

impl CheckResult {
    pub fn evaluation(&self) -> Option<&Evaluation> {
        match self {
            Self::Evaluated(evaluation) | Self::NothingNew(Some(evaluation)) => Some(evaluation),
            Self::NothingNew(None) | Self::Failed(_) => None,
        }
    }
}

/// What is so of a metric's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// `None`: nothing was evaluated yet.
    Ok {
        since: Option<DateTime<Utc>>,
    },
    /// Breaches were seen that are too few yet to make an incident.
    Pending {
        since: DateTime<Utc>,
    },
    Firing {
        side: Side,
        since: DateTime<Utc>,
    },
}

impl MetricState {
    /// Takes in a result as of `now`. Where the metric is `muted`, nothing is released.
    pub fn update(
        &mut self,
        result: &CheckResult,
        now: DateTime<Utc>,
        policy: &Policy,
        muted: Muted,
    ) {
        if !matches!(result, CheckResult::Failed(_)) {
            self.end(Condition::CheckFailed, now);
        }
        match result {
            CheckResult::Evaluated(evaluation) => self.evaluate(evaluation, now, policy),
            CheckResult::NothingNew(_) => {}
            CheckResult::Failed(why) => self.open(Condition::CheckFailed, now, why, now),
        }
        self.release(now, policy, muted);
    }

    /// Before a check looks: what a silence that just ended held back of an incident. Of anything else
    /// nobody knows whether it still is so.
    pub fn release_incident(&mut self, now: DateTime<Utc>, muted: Muted) {
        let side = self.latest().and_then(Evaluation::side);
        let mut open = self.alerts.iter_mut().filter(|alert| alert.is_open());
        let incident = open.find(|alert| side.is_some() && alert.side() == side);
        if let (Some(incident), Muted::No) = (incident, muted) {
            incident.released.get_or_insert(now);
        }
    }

    /// Releases what people may be told from now on, and forgets what ended before it was released.
    fn release(&mut self, now: DateTime<Utc>, policy: &Policy, muted: Muted) {
        let latest_side = self.latest().and_then(Evaluation::side);
        let is_due = |alert: &Alert| match alert.condition {
            // While an incident may be recovering, there is nothing to add.
            Condition::Breach(side) => latest_side == Some(side),
            Condition::CheckFailed | Condition::Undecided => {
                now - alert.seen_at >= policy.unwell_after
            }
            // `stale_after` was patience enough.
            _ => true,
        };
        for alert in &mut self.alerts {
            if alert.released.is_none() && alert.is_open() && muted == Muted::No && is_due(alert) {
                alert.released = Some(now);
            }
        }
        self.alerts
            .retain(|alert| alert.is_open() || alert.released.is_some());
    }

    /// Where to look on: after the bucket that was evaluated last. A clock that was ahead and was set
    /// back leaves buckets behind it that were evaluated before they were over: those without data are
    /// looked at again.
    pub fn evaluated_at(&self, now: DateTime<Utc>) -> Option<Bucket> {
        let evaluated = self.evaluated?;
        if evaluated.end <= now {
            return Some(evaluated);
        }
        self.newest_data.or(Some(evaluated))
    }

    /// The newest bucket that rows were seen for.
    pub fn newest_data(&self) -> Option<Bucket> {
        self.newest_data.or(self.evaluated)
    }

    /// The last evaluation with a verdict of high, low or normal.
    pub fn latest(&self) -> Option<&Evaluation> {
        let of_incident = || self.incident()?.evaluation.as_ref();
        self.latest.as_ref().or_else(of_incident)
    }

    /// The open incident.
    pub fn incident(&self) -> Option<&Alert> {
        let mut open = self.alerts.iter().filter(|alert| alert.is_open());
        open.find(|alert| alert.side().is_some())
    }

    /// The open alert about something else than the values.
    pub fn open_alert(&self, condition: Condition) -> Option<&Alert> {
        let mut open = self.alerts.iter().filter(|alert| alert.is_open());
        open.find(|alert| alert.condition == condition)
    }

    pub fn status(&self) -> Status {
        let mut breaches = self.recent.iter().filter(|recent| recent.side.is_some());
        let incident = self.incident();
        let incident = incident.and_then(|alert| Some((alert.side()?, alert.since)));
        match (incident, breaches.next()) {
            (Some((side, since)), _) => Status::Firing { side, since },
            (None, Some(first)) => Status::Pending { since: first.start },
            (None, None) => Status::Ok {
                since: self.calm_since,
            },
        }
    }

    fn evaluate(&mut self, evaluation: &Evaluation, now: DateTime<Utc>, policy: &Policy) {
        let newest = evaluation
            .window()
            .and_then(|window| Some(window.bucket(window.newest?)));
        if let Some(newest) = newest {
            self.newest_data = (newest != evaluation.bucket).then_some(newest);
        }
        match &evaluation.verdict {
            Verdict::NoData { since, reason } => {
                self.open(Condition::NoData, *since, reason, now);
            }
            Verdict::Undecided(reason) => {
                self.end(Condition::NoData, now);
                self.evaluated = Some(evaluation.bucket);
                self.open(Condition::Undecided, now, reason, now);
            }
            Verdict::Breach(_) | Verdict::Normal => {
                self.end(Condition::NoData, now);
                self.end(Condition::Undecided, now);
                self.take_verdict(evaluation, now, policy);
            }
        }
    }

    fn take_verdict(&mut self, evaluation: &Evaluation, now: DateTime<Utc>, policy: &Policy) {
        let side = evaluation.side();
        self.evaluated = Some(evaluation.bucket);
        self.latest = Some(evaluation.clone());
        self.recent.push_back(Recent {
            start: evaluation.bucket.start,
            side,
        });
        while self.recent.len() > policy.confirm.of as usize {
            self.recent.pop_front();
        }
        let is_incident = |alert: &Alert| alert.is_open() && alert.side().is_some();
        let open = self.alerts.iter().position(is_incident);
        match (open.map(|index| &mut self.alerts[index]), side) {
            (Some(incident), None) => {
                self.inside += 1;
                if self.inside >= policy.recover.get() {
                    let last = incident.evaluation.as_ref();
                    let until = last.map_or(incident.since, |last| last.bucket.end);
                    incident.end = Some(End::Over {
                        until,
                        evaluation: Some(Box::new(evaluation.clone())),
                    });
                    self.calm_since = Some(until);
                }
            }
            (Some(incident), Some(side)) if incident.side() == Some(side) => {
                let last = incident.evaluation.replace(evaluation.clone());
                if incident.released.is_some() && incident.opening.is_none() {
                    incident.opening = last;
                }
                self.inside = 0;
            }
            (Some(incident), Some(side)) => {
                // A breach on the other side is no recovery, nor yet an incident of its own.
                self.inside = 0;
                let turned_from = Some(incident.since);
                self.confirm(side, turned_from, evaluation, now, policy);
            }
            (None, Some(side)) => self.confirm(side, None, evaluation, now, policy),
            (None, None) => {}
        }
        let open_side = self.incident().and_then(Alert::side);
        if open_side.is_some() && open_side == side {
            self.latest = None;
        }
        match open_side {
            Some(side) => {
                // The breaches that made an incident make no other.
                for recent in &mut self.recent {
                    recent.side = recent.side.filter(|breach| *breach != side);
                }
                self.calm_since = None;
            }
            None => self.calm_since = self.calm_since.or(Some(evaluation.bucket.start)),
        }
    }

    /// Opens an incident if enough of the recent buckets confirm it.
    fn confirm(
        &mut self,
        side: Side,
        turned_from: Option<DateTime<Utc>>,
        evaluation: &Evaluation,
        now: DateTime<Utc>,
        policy: &Policy,
    ) {
        let breaches = self
            .recent
            .iter()
            .filter(|recent| recent.side == Some(side));
        if breaches.clone().count() < policy.confirm.breaches as usize {
            return;
        }
        let since = breaches.map(|recent| recent.start).next();
        for alert in &mut self.alerts {
            if alert.is_open() && alert.side().is_some() {
                alert.end = Some(End::Turned);
            }
        }
        self.inside = 0;
        self.alerts.push(Alert {
            evaluation: Some(evaluation.clone()),
            turned_from,
            ..Alert::new(
                Condition::Breach(side),
                since.unwrap_or(evaluation.bucket.start),
                now,
            )
        });
    }

    /// Opens an alert, or brings the open one's reason up to date.
    fn open(&mut self, condition: Condition, since: DateTime<Utc>, why: &str, now: DateTime<Utc>) {
        let mut open = self.alerts.iter_mut().filter(|alert| alert.is_open());
        match open.find(|alert| alert.condition == condition) {
            Some(alert) => alert.reason = why.to_string(),
            None => self.alerts.push(Alert {
                reason: why.to_string(),
                ..Alert::new(condition, since, now)
            }),
        }
    }

    fn end(&mut self, condition: Condition, now: DateTime<Utc>) {
        for alert in &mut self.alerts {
            if alert.is_open() && alert.condition == condition {
                alert.end = Some(End::Over {
                    until: now,
                    evaluation: None,
                });
            }
        }
    }
}

/// Whether a metric is not to be told of now, by a silence or a quiet window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Muted {
    Yes,
    No,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
fn is_zero(count: &u32) -> bool {
    *count == 0
}
