//! What an Alertmanager is posted: its alerts of version 2 (<https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml>,
//! `postableAlerts`). An alert is known by its labels, so the same one once more is no other; it holds until
//! `endsAt`, so each run repeats what goes on, as Prometheus does.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};

use super::email::{self, Advice, Email, Letterhead};
use super::notification::{AlertKind, Notification};
use crate::config::Metric;
use crate::incident::{Alert, Condition, End};
use crate::output::without_isolates;

/// An alert that no run repeats is over after so long. It is longer than runs are apart, as an end that is
/// only made up is worse than one that is late.
const HELD: TimeDelta = TimeDelta::hours(1);
/// The same for a test.
const TEST_HELD: TimeDelta = TimeDelta::minutes(1);
const SEVERITY: &str = "warning";

/// Where alerts are posted, below the address of the server, which may have a path before it.
pub fn endpoint(address: &str) -> String {
    let address = address.trim_end_matches('/');
    let address = address.strip_suffix("/api/v2/alerts").unwrap_or(address);
    format!("{address}/api/v2/alerts")
}

/// As of the letterhead's time.
pub fn alerts(
    notifications: &[Notification],
    labels: &BTreeMap<String, String>,
    letterhead: &Letterhead,
) -> Value {
    let alerts = notifications.iter();
    alerts.map(|one| alert(one, labels, letterhead)).collect()
}

fn alert(
    notification: &Notification,
    labels: &BTreeMap<String, String>,
    letterhead: &Letterhead,
) -> Value {
    let (alert, now) = (notification.alert, letterhead.now.to_utc());
    let told = match alert.end {
        // The incident on the other side tells of it; this one is as it was last.
        Some(End::Turned) => Notification {
            kind: AlertKind::Repeat,
            ..*notification
        },
        _ => *notification,
    };
    let email = email::compose(&told, &[], letterhead);
    let end = match notification.kind {
        AlertKind::Resolved => end(alert, now),
        _ => now + HELD,
    };
    let begin = alert.since.min(end - TimeDelta::seconds(1));
    let mut all = name(alert_name(alert.condition), notification.metric, labels);
    if let Some(side) = alert.side() {
        all.insert("side", side.word());
    }
    postable(&all, &email, [begin, end])
}

/// One that shows that alerts arrive, and is over soon.
pub fn test(
    metric: &Metric,
    email: &Email,
    labels: &BTreeMap<String, String>,
    now: DateTime<Utc>,
) -> Value {
    let labels = name("BandwatchTest", Some(metric), labels);
    json!([postable(&labels, email, [now, now + TEST_HELD])])
}

fn name<'a>(
    name: &'a str,
    metric: Option<&'a Metric>,
    labels: &'a BTreeMap<String, String>,
) -> BTreeMap<&'a str, &'a str> {
    let mut all = BTreeMap::from([("alertname", name), ("severity", SEVERITY)]);
    all.extend(
        labels
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_str())),
    );
    all.extend(metric.map(|metric| ("metric", metric.name.as_str())));
    all
}

fn postable(
    labels: &BTreeMap<&str, &str>,
    email: &Email,
    [begin, end]: [DateTime<Utc>; 2],
) -> Value {
    let words = email.words();
    let facts = words.facts.iter();
    let facts = facts.map(|fact| format!("{}: {}", fact.name, fact.value));
    let lines = [words.summary.clone()].into_iter().chain(facts);
    let advice = words.advice.as_ref();
    let lines = lines.chain(advice.map_or(Vec::new(), Advice::lines));
    let lines: Vec<String> = lines.chain(words.notes.iter().cloned()).collect();
    let [summary, description] = [email.subject(), &lines.join("\n")].map(without_isolates);
    let mut annotations = json!({ "summary": summary, "description": description });
    // As the rules of Prometheus name it.
    if let Some(link) = advice.and_then(|advice| advice.link.as_ref()) {
        annotations["runbook_url"] = json!(link);
    }
    json!({
        "labels": labels,
        "annotations": annotations,
        "startsAt": stamp(begin),
        "endsAt": stamp(end),
    })
}

/// When it ended, which cannot be to come.
fn end(alert: &Alert, now: DateTime<Utc>) -> DateTime<Utc> {
    let until = match alert.end {
        Some(End::Over { until, .. } | End::Accepted { until, .. }) => Some(until),
        Some(End::Turned) => alert.evaluation.as_ref().map(|last| last.bucket.end),
        None => None,
    };
    until.map_or(now, |until| until.min(now))
}

fn alert_name(condition: Condition) -> &'static str {
    match condition {
        Condition::Breach(_) => "BandwatchIncident",
        Condition::NoData => "BandwatchNoData",
        Condition::Frozen => "BandwatchFrozen",
        Condition::CheckFailed => "BandwatchCheckFailed",
        Condition::Undecided => "BandwatchUndecided",
        Condition::StateUnreadable => "BandwatchStateUnreadable",
        Condition::StateUnwritable => "BandwatchStateUnwritable",
        Condition::NotificationsLost => "BandwatchNotificationsLost",
    }
}

fn stamp(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}
