//! What is due to one recipient of one alert: a pure function of the alert, of what that recipient was
//! notified of before, and of the time.

use chrono::{DateTime, TimeDelta, Utc};

use super::log::Record;
use super::notification::AlertKind;
use crate::incident::{Alert, Condition, End, Policy};

/// So long an alert that is over already is firing to an Alertmanager, which would tell nobody of it
/// otherwise: it waits a while (`group_wait`) before it tells anything.
const LEAST_FIRING: TimeDelta = TimeDelta::seconds(50);

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
    // An answer stands until the recipient was told that it is worse.
    let stands = |at: DateTime<Utc>| last.at <= at || last.kind == AlertKind::Firing;
    let is_fine = alert.fine_since.is_some_and(stands);
    match &alert.end {
        Some(End::Turned) => None,
        Some(End::Over { .. } | End::Accepted { .. }) => {
            let is_news = was_told && last.kind != AlertKind::Resolved && !is_fine;
            (is_news && policy.notify_recovery).then_some(AlertKind::Resolved)
        }
        None => {
            let bucket = alert.evaluation.as_ref().map(|out| out.bucket.start);
            if bucket.is_some() && bucket <= last.bucket {
                return None;
            }
            let (then, latest): (Option<f64>, _) = match last.share {
                Some(share) => (Some(share.into()), alert.share().map(f64::from)),
                None => (last.deviation, alert.deviation_outwards()),
            };
            let is_worse = then
                .zip(latest)
                .is_some_and(|(then, latest)| latest >= policy.worse.factor() * then.abs());
            let acknowledged = alert.acknowledged.as_ref();
            let acknowledged = acknowledged.filter(|answer| answer.holds(now));
            let is_known = is_fine || acknowledged.is_some_and(|answer| stands(answer.at));
            let is_repeated = match alert.condition {
                _ if is_known => false,
                // A history that is too short grows by itself, and the others are told by a list that is
                // complete at once.
                Condition::Undecided
                | Condition::StateUnreadable
                | Condition::NotificationsLost => false,
                _ => policy.renotify.is_due(now - last.at, last.repeats),
            };
            if is_worse {
                Some(AlertKind::Escalated)
            } else {
                is_repeated.then_some(AlertKind::Repeat)
            }
        }
    }
}

/// The same for an Alertmanager, which repeats, groups and escalates by itself, and is to know of each end.
pub fn due_to_alertmanager(
    alert: &Alert,
    record: Option<&Record>,
    now: DateTime<Utc>,
) -> Option<AlertKind> {
    alert.released?;
    let Some(last) = record.and_then(|record| record.last.as_ref()) else {
        return Some(AlertKind::Firing);
    };
    let is_over = alert.end.is_some() && now - last.at >= LEAST_FIRING;
    (is_over && last.kind != AlertKind::Resolved).then_some(AlertKind::Resolved)
}
