//! The status as one JSON object.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{MetricStatus, Status};
use crate::commands::report::{acknowledgement_object, answer_objects, event_objects, stamp};
use crate::detect::Evaluation;
use crate::incident::{Alert, Condition};
use crate::notify::{Route, key_object};

/// `src/commands/README.md` explains the fields.
pub fn object(status: &Status) -> Value {
    let (state, context) = (status.state, status.context);
    let stamped = |time: DateTime<Utc>| stamp(status.zoned(time));
    let metrics = status.metrics();
    let metrics = metrics.map(|metric| metric_object(status, &metric));
    let outbox = status.outbox().into_iter().map(|waiting| {
        json!({
            "subject": waiting.subject,
            "channel": Route::to(waiting.to).name(),
            "to": waiting.to,
            "created": stamped(waiting.pending.since),
            "attempts": waiting.pending.attempts,
            "not_before": stamped(waiting.pending.not_before),
            "why": waiting.pending.error,
        })
    });
    let lost = state.contents().log.lost.iter().map(|lost| {
        json!({
            "subject": lost.subject,
            "channel": Route::to(&lost.to).name(),
            "to": lost.to,
            "created": stamped(lost.since),
            "why": lost.why,
            "told": lost.told,
        })
    });
    let unreadable = state.unreadable().into_iter().map(|file| {
        let (path, why) = (file.path.display().to_string(), file.error.to_string());
        json!({ "path": path, "why": why })
    });
    json!({
        "state_dir": state.place(),
        "user": state.owner(),
        "as_of": stamp(context.now),
        "last_run": state.runs.last.map(stamped),
        "last_good_run": state.runs.last_good.map(stamped),
        "metrics": metrics.collect::<Vec<_>>(),
        "outbox": outbox.collect::<Vec<_>>(),
        "lost": lost.collect::<Vec<_>>(),
        "unreadable": unreadable.collect::<Vec<_>>(),
        "complaint": state.complaint(),
    })
}

fn metric_object(status: &Status, of: &MetricStatus) -> Value {
    let (metric, known) = (of.metric, &of.known);
    let stamped = |time: DateTime<Utc>| stamp(status.zoned(time));
    let told_at = |alert: &Alert| status.told_at(metric, alert).map(stamped);
    let now = status.context.now;
    let acknowledged = |alert: &Alert| {
        let answer = status.acknowledgement(metric, alert);
        answer.map(|answer| acknowledgement_object(answer, now.timezone()))
    };
    let obstacle = |condition| {
        known.open_alert(condition).map(|alert| {
            let since = stamped(alert.since);
            let told_at = told_at(alert);
            let acknowledged = acknowledged(alert);
            json!({ "since": since, "why": alert.reason, "told_at": told_at, "acknowledged": acknowledged })
        })
    };
    let last = |latest: &Evaluation| {
        json!({
            "time": stamped(latest.bucket.start),
            "value": latest.value,
            "expected": latest.band.map(|band| band.expected),
            "lower": latest.band.map(|band| band.lower),
            "upper": latest.band.map(|band| band.upper),
            "deviation": latest.deviation,
        })
    };
    let silences_to_come = of.silences_to_come.iter().map(|silence| {
        json!({
            "from": silence.from.map(stamped),
            "until": stamped(silence.until),
            "because": silence.because,
        })
    });
    let levels = known.new_levels(status.context.now.to_utc()).map(|level| {
        json!({
            "since": level.since.map(stamped),
            "ratio": level.ratio,
            "until": stamped(level.until),
            "asked_at": level.asked_at.map(stamped),
        })
    });
    let looked_at = status.state.runs.metrics.get(metric.metric_name());
    json!({
        "metric": metric.name,
        "key": key_object(metric),
        "state": of.word,
        "since": of.since.map(stamped),
        "told_at": known.incident().and_then(told_at),
        "acknowledged": known.incident().and_then(acknowledged),
        "answers": answer_objects(known.answers(), now.timezone()),
        "looked_at": looked_at.copied().map(stamped),
        "silent_until": of.silence.map(|silence| stamped(silence.until)),
        "silent_because": of.silence.and_then(|silence| silence.because.as_deref()),
        "silences_to_come": silences_to_come.collect::<Vec<_>>(),
        "quiet": of.is_quiet,
        "new_levels": levels.collect::<Vec<_>>(),
        "kept": known.is_kept(),
        "events": event_objects(metric, status.context.now),
        "no_data": obstacle(Condition::NoData),
        "frozen": obstacle(Condition::Frozen),
        "unwell": obstacle(Condition::CheckFailed),
        "undecided": obstacle(Condition::Undecided),
        "last": known.latest().map(last),
    })
}
