//! A report as one JSON object.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use super::review::{Review, ReviewedAlert, ReviewedMetric};
use crate::commands::report::{
    AcknowledgementObject, SilenceObject, Stamp, acknowledgement_object, silence_objects, stamp,
};
use crate::incident::{Nature, Outcome};

/// `src/commands/README.md` explains the fields.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ReportObject {
    from: Stamp,
    to: Stamp,
    state_dir: String,
    metrics: Vec<MetricObject>,
    lost: Vec<LostObject>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct MetricObject {
    metric: String,
    title: String,
    configured: bool,
    alerts: Vec<AlertObject>,
    opened: usize,
    called_fine: usize,
    called_real: usize,
    max_false_alerts: Option<String>,
    allowed: Option<f64>,
    level: Option<f64>,
    counted_from: Option<Stamp>,
    judged: Option<usize>,
    inside: Option<usize>,
    left_out: Option<usize>,
    coverage: Option<f64>,
    coverage_lower: Option<f64>,
    coverage_upper: Option<f64>,
    silences: Vec<SilenceObject>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct AlertObject {
    kind: &'static str,
    since: Stamp,
    until: Option<Stamp>,
    seconds: i64,
    outcome: Option<&'static str>,
    ratio: Option<f64>,
    told_from: Option<Stamp>,
    notifications: u32,
    worst: Option<WorstObject>,
    missing: Option<f64>,
    acknowledged: Option<AcknowledgementObject>,
    was: Option<&'static str>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct WorstObject {
    time: Stamp,
    value: f64,
    expected: f64,
    deviation: f64,
}

#[derive(Debug, Serialize, JsonSchema)]
struct LostObject {
    subject: String,
    to: String,
    created: Stamp,
    why: String,
}

pub fn object(review: &Review) -> ReportObject {
    let stamped = |time: DateTime<Utc>| stamp(review.zoned(time));
    let metrics = review.metrics.iter();
    let lost = review.state.contents().log.lost.iter();
    let lost = lost.filter(|lost| lost.since >= review.from);
    let lost = lost.map(|lost| LostObject {
        subject: lost.subject.clone(),
        to: lost.to.clone(),
        created: stamped(lost.since),
        why: lost.why.clone(),
    });
    ReportObject {
        from: stamped(review.from),
        to: stamped(review.now()),
        state_dir: review.state.place().to_string(),
        metrics: metrics
            .map(|metric| metric_object(review, metric))
            .collect(),
        lost: lost.collect(),
    }
}

fn metric_object(review: &Review, of: &ReviewedMetric) -> MetricObject {
    let stamped = |time: DateTime<Utc>| stamp(review.zoned(time));
    let kept = of.kept;
    let coverage = kept.and_then(|kept| kept.coverage);
    let alerts = of.alerts.iter();
    let budget = of.metric.and_then(|metric| metric.policy.budget);
    MetricObject {
        metric: of.name.clone(),
        title: of.title().to_string(),
        configured: of.metric.is_some(),
        alerts: alerts.map(|alert| alert_object(review, alert)).collect(),
        opened: of.opened.all,
        called_fine: of.opened.fine,
        called_real: of.opened.real,
        max_false_alerts: budget.map(|budget| budget.to_string()),
        allowed: of.allowed,
        level: of.metric.map(|metric| metric.method.level.share()),
        counted_from: kept.map(|kept| stamped(kept.from)),
        judged: kept.map(|kept| kept.judged),
        inside: kept.map(|kept| kept.inside),
        left_out: kept.map(|kept| kept.left_out),
        coverage: coverage.map(|coverage| coverage.share),
        coverage_lower: coverage.map(|coverage| coverage.lower),
        coverage_upper: coverage.map(|coverage| coverage.upper),
        silences: silence_objects(&of.silences, review.context.zone()),
    }
}

fn alert_object(review: &Review, alert: &ReviewedAlert) -> AlertObject {
    let stamped = |time: DateTime<Utc>| stamp(review.zoned(time));
    let acknowledged = alert.acknowledged.as_ref();
    let zone = review.context.zone();
    AlertObject {
        kind: alert.condition.word(),
        since: stamped(alert.since),
        until: alert.until.map(stamped),
        seconds: alert.length(review.now()).num_seconds(),
        outcome: alert.outcome.map(Outcome::word),
        ratio: alert.outcome.and_then(Outcome::ratio).map(f64::from),
        told_from: alert.released.map(stamped),
        notifications: alert.notifications,
        worst: alert.worst.map(|worst| WorstObject {
            time: stamped(worst.time),
            value: worst.value.into(),
            expected: worst.expected.into(),
            deviation: worst.deviation.into(),
        }),
        missing: alert.missing.map(f64::from),
        acknowledged: acknowledged.map(|answer| acknowledgement_object(answer, zone)),
        was: alert.was.map(Nature::word),
    }
}
