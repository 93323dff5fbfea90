//! A backtest as one JSON object: the figures, the mails, and every judged point.

use schemars::JsonSchema;
use serde::Serialize;

use super::excess::Excess;
use super::hint::Hint;
use super::mails::Mail;
use super::summary::Summary;
use crate::commands::report::{
    AnswerObject, EventObject, Stamp, answer_objects, event_object, stamp,
};
use crate::notify::{VerdictWord, step_seconds};

/// `src/commands/README.md` explains the fields.
#[derive(Debug, Serialize, JsonSchema)]
pub struct BacktestObject {
    metric: String,
    level: f64,
    max_false_alerts: Option<String>,
    window_seconds: u64,
    step: String,
    step_seconds: Option<i64>,
    stride: usize,
    from: Option<Stamp>,
    to: Option<Stamp>,
    events: Vec<EventObject>,
    answers: Vec<AnswerObject>,
    judged: usize,
    decided: usize,
    coverage: Option<f64>,
    coverage_lower: Option<f64>,
    coverage_upper: Option<f64>,
    coverage_blocks: Option<usize>,
    high: usize,
    low: usize,
    incidents: usize,
    incidents_per_week: f64,
    excess: Option<Excess>,
    by_hour: Option<[usize; 24]>,
    by_weekday: Option<[usize; 7]>,
    low_impossible: usize,
    high_impossible: usize,
    hints: Vec<Hint>,
    mails: Vec<Mail>,
    points: Vec<PointObject>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct PointObject {
    time: Stamp,
    value: Option<f64>,
    expected: Option<f64>,
    lower: Option<f64>,
    upper: Option<f64>,
    score: Option<f64>,
    verdict: VerdictWord,
    reason: Option<String>,
}

pub fn object(summary: &Summary) -> BacktestObject {
    let (replay, metric, coverage) = (summary.replay, summary.metric, summary.coverage);
    let ends = replay.points.first().zip(replay.points.last());
    let points = replay.points.iter().map(|point| PointObject {
        time: stamp(replay.time(point)),
        value: point.value,
        expected: point.band.map(|band| band.expected),
        lower: point.band.map(|band| band.lower),
        upper: point.band.map(|band| band.upper),
        score: point.score,
        verdict: (&point.verdict).into(),
        reason: point.reason().map(str::to_string),
    });
    let events = summary.occurrences().into_iter();
    let events = events.map(|occurrence| event_object(&occurrence, replay.zone));
    BacktestObject {
        metric: metric.name.clone(),
        level: replay.level.share(),
        max_false_alerts: metric.policy.budget.map(|budget| budget.to_string()),
        window_seconds: metric.window(replay.step).as_secs(),
        step: replay.step.to_string(),
        step_seconds: step_seconds(replay.step),
        stride: replay.stride,
        from: ends.map(|(first, _)| stamp(replay.time(first))),
        to: ends.map(|(_, last)| stamp(last.bucket.end.with_timezone(&replay.zone))),
        events: events.collect(),
        answers: answer_objects(&replay.said.answers, replay.zone),
        judged: summary.judged,
        decided: summary.decided,
        coverage: coverage.map(|coverage| coverage.share),
        coverage_lower: coverage.map(|coverage| coverage.lower),
        coverage_upper: coverage.map(|coverage| coverage.upper),
        coverage_blocks: coverage.and_then(|coverage| coverage.blocks),
        high: summary.high,
        low: summary.low,
        incidents: summary.told.incidents.len(),
        incidents_per_week: summary.incidents_per_week,
        excess: summary.excess.clone(),
        by_hour: summary.by_hour,
        by_weekday: summary.by_weekday,
        low_impossible: summary.low_impossible,
        high_impossible: summary.high_impossible,
        hints: summary.hints.clone(),
        mails: summary.told.mails.clone(),
        points: points.collect(),
    }
}
