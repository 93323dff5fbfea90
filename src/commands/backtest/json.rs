//! A backtest as one JSON object: the figures, and every judged point.

use anyhow::{Context, Result};
use serde::Serialize;

use super::coverage::Basis;
use super::hint::Hint;
use super::mails::Mail;
use super::replay::Replay;
use super::summary::Summary;
use crate::commands::report::{stamp, write_json};
use crate::config::Metric;
use crate::forecast::Sensitivity;

/// `src/commands/README.md` explains the fields.
#[derive(Debug, Serialize)]
struct BacktestObject<'a> {
    metric: &'a str,
    level: f64,
    max_false_alerts: Option<String>,
    window_seconds: u64,
    step_seconds: i64,
    stride: usize,
    from: Option<String>,
    to: Option<String>,
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
    by_hour: Option<[usize; 24]>,
    by_weekday: Option<[usize; 7]>,
    low_impossible: usize,
    high_impossible: usize,
    hints: &'a [Hint],
    mails: &'a [Mail],
    points: Vec<PointObject<'a>>,
}

#[derive(Debug, Serialize)]
struct PointObject<'a> {
    time: String,
    value: Option<f64>,
    expected: Option<f64>,
    lower: Option<f64>,
    upper: Option<f64>,
    score: Option<f64>,
    verdict: &'static str,
    reason: Option<&'a str>,
}

/// The object on a line of its own.
pub fn write(replay: &Replay, summary: &Summary, metric: &Metric) -> Result<String> {
    let coverage = summary.coverage;
    let ends = replay.points.first().zip(replay.points.last());
    let points = replay.points.iter().map(|point| PointObject {
        time: stamp(replay.time(point)),
        value: point.value,
        expected: point.band.map(|band| band.expected),
        lower: point.band.map(|band| band.lower),
        upper: point.band.map(|band| band.upper),
        score: point.score,
        verdict: point.verdict.word(),
        reason: point.reason(),
    });
    let object = BacktestObject {
        metric: &metric.name,
        level: replay.level.share(),
        max_false_alerts: match metric.method.sensitivity {
            Sensitivity::Level(_) => None,
            Sensitivity::Budget(budget) => Some(budget.to_string()),
        },
        window_seconds: metric.window.as_secs(),
        step_seconds: replay.step.seconds(),
        stride: replay.stride,
        from: ends.map(|(first, _)| stamp(replay.time(first))),
        to: ends.map(|(_, last)| stamp(replay.time(last) + replay.step.delta())),
        judged: summary.judged,
        decided: summary.decided,
        coverage: coverage.map(|coverage| coverage.share),
        coverage_lower: coverage.map(|coverage| coverage.lower),
        coverage_upper: coverage.map(|coverage| coverage.upper),
        coverage_blocks: coverage.and_then(|coverage| match coverage.basis {
            Basis::Blocks(blocks) => Some(blocks),
            Basis::Points => None,
        }),
        high: summary.high,
        low: summary.low,
        incidents: summary.told.incidents.len(),
        incidents_per_week: summary.incidents_per_week,
        by_hour: summary.by_hour,
        by_weekday: summary.by_weekday,
        low_impossible: summary.low_impossible,
        high_impossible: summary.high_impossible,
        hints: &summary.hints,
        mails: &summary.told.mails,
        points: points.collect(),
    };
    let text = write_json(&object).context("write the backtest as JSON")?;
    Ok(text + "\n")
}
