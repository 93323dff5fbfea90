//! A backtest as one JSON object: the figures, the mails, and every judged point.

use serde_json::{Value, json};

use super::summary::Summary;
use crate::commands::report::{answer_objects, event_object, stamp};
use crate::notify::step_seconds;

/// `src/commands/README.md` explains the fields.
pub fn object(summary: &Summary) -> Value {
    let (replay, metric, coverage) = (summary.replay, summary.metric, summary.coverage);
    let ends = replay.points.first().zip(replay.points.last());
    let points = replay.points.iter().map(|point| {
        json!({
            "time": stamp(replay.time(point)),
            "value": point.value,
            "expected": point.band.map(|band| band.expected),
            "lower": point.band.map(|band| band.lower),
            "upper": point.band.map(|band| band.upper),
            "score": point.score,
            "verdict": point.verdict.word(),
            "reason": point.reason(),
        })
    });
    let events = summary.occurrences().into_iter();
    let events = events.map(|occurrence| event_object(&occurrence, replay.zone));
    json!({
        "metric": metric.name,
        "level": replay.level.share(),
        "max_false_alerts": metric.policy.budget.map(|budget| budget.to_string()),
        "window_seconds": metric.window(replay.step).as_secs(),
        "step": replay.step.to_string(),
        "step_seconds": step_seconds(replay.step),
        "stride": replay.stride,
        "from": ends.map(|(first, _)| stamp(replay.time(first))),
        "to": ends.map(|(_, last)| stamp(last.bucket.end.with_timezone(&replay.zone))),
        "events": events.collect::<Vec<_>>(),
        "answers": answer_objects(&replay.said.answers, replay.zone),
        "judged": summary.judged,
        "decided": summary.decided,
        "coverage": coverage.map(|coverage| coverage.share),
        "coverage_lower": coverage.map(|coverage| coverage.lower),
        "coverage_upper": coverage.map(|coverage| coverage.upper),
        "coverage_blocks": coverage.and_then(|coverage| coverage.blocks),
        "high": summary.high,
        "low": summary.low,
        "incidents": summary.told.incidents.len(),
        "incidents_per_week": summary.incidents_per_week,
        "excess": summary.excess,
        "by_hour": summary.by_hour,
        "by_weekday": summary.by_weekday,
        "low_impossible": summary.low_impossible,
        "high_impossible": summary.high_impossible,
        "hints": summary.hints,
        "mails": summary.told.mails,
        "points": points.collect::<Vec<_>>(),
    })
}
