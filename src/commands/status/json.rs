//! The status as one JSON object.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{MetricStatus, Status};
use crate::commands::report::{
    AcknowledgementObject, AnswerObject, EventObject, SilenceObject, Stamp, acknowledgement_object,
    answer_objects, event_objects, silence_objects, stamp,
};
use crate::detect::Evaluation;
use crate::incident::{Alert, Condition};
use crate::notify::{Route, key_object};

/// `src/commands/README.md` explains the fields.
#[derive(Debug, Serialize, JsonSchema)]
pub struct StatusObject {
    state_dir: String,
    user: Option<String>,
    as_of: Stamp,
    last_run: Option<Stamp>,
    last_good_run: Option<Stamp>,
    metrics: Vec<MetricObject>,
    outbox: Vec<WaitingObject>,
    lost: Vec<LostObject>,
    unreadable: Vec<UnreadableObject>,
    complaint: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct MetricObject {
    metric: String,
    #[schemars(with = "Option<BTreeMap<String, Option<String>>>")]
    key: Option<Map<String, Value>>,
    state: &'static str,
    since: Option<Stamp>,
    told_at: Option<Stamp>,
    acknowledged: Option<AcknowledgementObject>,
    answers: Vec<AnswerObject>,
    looked_at: Option<Stamp>,
    silent_until: Option<Stamp>,
    silent_because: Option<String>,
    silences_to_come: Vec<SilenceObject>,
    quiet: bool,
    new_levels: Vec<LevelObject>,
    kept: bool,
    events: Vec<EventObject>,
    no_data: Option<ObstacleObject>,
    frozen: Option<ObstacleObject>,
    unwell: Option<ObstacleObject>,
    undecided: Option<ObstacleObject>,
    last: Option<LastObject>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct LevelObject {
    since: Option<Stamp>,
    ratio: f64,
    until: Stamp,
    asked_at: Option<Stamp>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ObstacleObject {
    since: Stamp,
    why: String,
    told_at: Option<Stamp>,
    acknowledged: Option<AcknowledgementObject>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct LastObject {
    time: Stamp,
    value: Option<f64>,
    expected: Option<f64>,
    lower: Option<f64>,
    upper: Option<f64>,
    deviation: Option<f64>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct WaitingObject {
    subject: String,
    channel: String,
    to: String,
    created: Stamp,
    attempts: u32,
    not_before: Stamp,
    why: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct LostObject {
    subject: String,
    channel: String,
    to: String,
    created: Stamp,
    why: String,
    told: bool,
}

#[derive(Debug, Serialize, JsonSchema)]
struct UnreadableObject {
    path: String,
    why: String,
}

pub fn object(status: &Status) -> StatusObject {
    let (state, context) = (status.state, status.context);
    let stamped = |time: DateTime<Utc>| stamp(status.zoned(time));
    let metrics = status.metrics();
    let outbox = status.outbox().into_iter().map(|waiting| WaitingObject {
        channel: Route::to(waiting.to).name().to_string(),
        to: waiting.to.to_string(),
        created: stamped(waiting.pending.since),
        attempts: waiting.pending.attempts,
        not_before: stamped(waiting.pending.not_before),
        why: waiting.pending.error.clone(),
        subject: waiting.subject,
    });
    let lost = state.contents().log.lost.iter().map(|lost| LostObject {
        subject: lost.subject.clone(),
        channel: Route::to(&lost.to).name().to_string(),
        to: lost.to.clone(),
        created: stamped(lost.since),
        why: lost.why.clone(),
        told: lost.told,
    });
    let unreadable = state.unreadable().into_iter().map(|file| UnreadableObject {
        path: file.path.display().to_string(),
        why: file.error.to_string(),
    });
    StatusObject {
        state_dir: state.place().to_string(),
        user: state.owner(),
        as_of: stamp(context.now),
        last_run: state.runs.last.map(stamped),
        last_good_run: state.runs.last_good.map(stamped),
        metrics: metrics
            .map(|metric| metric_object(status, &metric))
            .collect(),
        outbox: outbox.collect(),
        lost: lost.collect(),
        unreadable: unreadable.collect(),
        complaint: state.complaint().map(str::to_string),
    }
}

fn metric_object(status: &Status, of: &MetricStatus) -> MetricObject {
    let (metric, known) = (of.metric, &of.known);
    let stamped = |time: DateTime<Utc>| stamp(status.zoned(time));
    let told_at = |alert: &Alert| status.told_at(metric, alert).map(stamped);
    let now = status.context.now;
    let acknowledged = |alert: &Alert| {
        let answer = status.acknowledgement(metric, alert);
        answer.map(|answer| acknowledgement_object(answer, now.timezone()))
    };
    let obstacle = |condition| {
        known.open_alert(condition).map(|alert| ObstacleObject {
            since: stamped(alert.since),
            why: alert.reason.clone(),
            told_at: told_at(alert),
            acknowledged: acknowledged(alert),
        })
    };
    let last = |latest: &Evaluation| LastObject {
        time: stamped(latest.bucket.start),
        value: latest.value,
        expected: latest.band.map(|band| band.expected),
        lower: latest.band.map(|band| band.lower),
        upper: latest.band.map(|band| band.upper),
        deviation: latest.deviation,
    };
    let levels = known.new_levels(now.to_utc()).map(|level| LevelObject {
        since: level.since.map(stamped),
        ratio: level.ratio.into(),
        until: stamped(level.until),
        asked_at: level.asked_at.map(stamped),
    });
    let looked_at = status.state.runs.metrics.get(metric.metric_name());
    MetricObject {
        metric: metric.name.clone(),
        key: key_object(metric),
        state: of.word,
        since: of.since.map(stamped),
        told_at: known.incident().and_then(told_at),
        acknowledged: known.incident().and_then(acknowledged),
        answers: answer_objects(known.answers(), now.timezone()),
        looked_at: looked_at.copied().map(stamped),
        silent_until: of.silence.map(|silence| stamped(silence.until)),
        silent_because: of.silence.and_then(|silence| silence.because.clone()),
        silences_to_come: silence_objects(of.silences_to_come.iter().copied(), now.timezone()),
        quiet: of.is_quiet,
        new_levels: levels.collect(),
        kept: known.is_kept(),
        events: event_objects(metric, now),
        no_data: obstacle(Condition::NoData),
        frozen: obstacle(Condition::Frozen),
        unwell: obstacle(Condition::CheckFailed),
        undecided: obstacle(Condition::Undecided),
        last: known.latest().map(last),
    }
}
