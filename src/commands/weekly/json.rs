//! A report as one JSON object.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::review::{Review, ReviewedAlert, ReviewedMetric};
use crate::commands::report::{acknowledgement_object, stamp};
use crate::incident::{Nature, Outcome};

/// `src/commands/README.md` explains the fields.
pub fn object(review: &Review) -> Value {
    let stamped = |time: DateTime<Utc>| stamp(review.zoned(time));
    let metrics = review.metrics.iter();
    let metrics = metrics.map(|metric| metric_object(review, metric));
    let lost = review.state.contents().log.lost.iter();
    let lost = lost.filter(|lost| lost.since >= review.from).map(|lost| {
        json!({
            "subject": lost.subject,
            "to": lost.to,
            "created": stamped(lost.since),
            "why": lost.why,
        })
    });
    json!({
        "from": stamped(review.from),
        "to": stamped(review.now()),
        "state_dir": review.state.place(),
        "metrics": metrics.collect::<Vec<_>>(),
        "lost": lost.collect::<Vec<_>>(),
    })
}

fn metric_object(review: &Review, of: &ReviewedMetric) -> Value {
    let stamped = |time: DateTime<Utc>| stamp(review.zoned(time));
    let kept = of.kept;
    let coverage = kept.and_then(|kept| kept.coverage);
    let silences = of.silences.iter().map(|silence| {
        json!({
            "from": silence.from.map(stamped),
            "until": stamped(silence.until),
            "because": silence.because,
        })
    });
    let alerts = of.alerts.iter();
    let alerts = alerts.map(|alert| alert_object(review, alert));
    json!({
        "metric": of.name,
        "title": of.title(),
        "configured": of.metric.is_some(),
        "alerts": alerts.collect::<Vec<_>>(),
        "opened": of.opened.all,
        "called_fine": of.opened.fine,
        "called_real": of.opened.real,
        "max_false_alerts": of.metric.and_then(|metric| metric.policy.budget).map(|budget| budget.to_string()),
        "allowed": of.allowed,
        "level": of.metric.map(|metric| metric.method.level.share()),
        "counted_from": kept.map(|kept| stamped(kept.from)),
        "judged": kept.map(|kept| kept.judged),
        "inside": kept.map(|kept| kept.inside),
        "left_out": kept.map(|kept| kept.left_out),
        "coverage": coverage.map(|coverage| coverage.share),
        "coverage_lower": coverage.map(|coverage| coverage.lower),
        "coverage_upper": coverage.map(|coverage| coverage.upper),
        "silences": silences.collect::<Vec<_>>(),
    })
}

fn alert_object(review: &Review, alert: &ReviewedAlert) -> Value {
    let stamped = |time: DateTime<Utc>| stamp(review.zoned(time));
    let acknowledged = alert.acknowledged.as_ref();
    let worst = alert.worst.map(|worst| {
        json!({
            "time": stamped(worst.time),
            "value": worst.value,
            "expected": worst.expected,
            "deviation": worst.deviation,
        })
    });
    json!({
        "kind": alert.condition.word(),
        "since": stamped(alert.since),
        "until": alert.until.map(stamped),
        "seconds": alert.length(review.now()).num_seconds(),
        "outcome": alert.outcome.map(Outcome::word),
        "ratio": alert.outcome.and_then(Outcome::ratio),
        "told_from": alert.released.map(stamped),
        "notifications": alert.notifications,
        "worst": worst,
        "missing": alert.missing,
        "acknowledged": acknowledged.map(|answer| acknowledgement_object(answer, review.context.zone())),
        "was": alert.was.map(Nature::word),
    })
}
