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
use crate::detect::Evaluation;
use crate::forecast::Sensitivity;

/// The object; what is not known is null.
#[derive(Debug, Serialize)]
struct BacktestObject<'a> {
    /// The metric's name.
    metric: String,
    /// The share of healthy values the band should hold.
    level: f64,
    /// What the level follows from; null if it was set itself.
    max_false_alerts: Option<String>,
    /// The history each point was judged from, in seconds.
    window_seconds: u64,
    /// The length of a bucket, in seconds.
    step_seconds: i64,
    /// One point in so many was judged.
    stride: usize,
    /// The start of the first judged bucket.
    from: Option<String>,
    /// The end of the last one.
    to: Option<String>,
    /// Points judged.
    judged: usize,
    /// Those with a verdict.
    decided: usize,
    /// The share of the decided that were inside their band.
    coverage: Option<f64>,
    /// The lower end of its 95 % confidence interval.
    coverage_lower: Option<f64>,
    /// The upper end.
    coverage_upper: Option<f64>,
    /// How many blocks of time the interval takes to be independent; null if it takes all points so.
    coverage_blocks: Option<usize>,
    /// Breaches above.
    high: usize,
    /// Breaches below.
    low: usize,
    /// Incidents that would have been mailed.
    incidents: usize,
    /// The same by the week.
    incidents_per_week: f64,
    /// Breaches by the hour of the wall clock, 0 to 23.
    by_hour: Option<Vec<usize>>,
    /// Breaches from Monday to Sunday.
    by_weekday: Option<Vec<usize>>,
    /// Decided points at which Low could not fire.
    low_impossible: usize,
    /// Decided points at which High could not fire.
    high_impossible: usize,
    /// What other levels would have meant.
    hints: &'a [Hint],
    /// What would have been mailed, under the metric's own rules.
    mails: &'a [Mail],
    /// Each judged point.
    points: Vec<PointObject>,
}

#[derive(Debug, Serialize)]
struct PointObject {
    time: String,
    value: Option<f64>,
    expected: Option<f64>,
    lower: Option<f64>,
    upper: Option<f64>,
    score: Option<f64>,
    verdict: &'static str,
    reason: Option<String>,
}

/// The object on a line of its own.
pub fn write(replay: &Replay, summary: &Summary, metric: &Metric) -> Result<String> {
    let coverage = summary.coverage;
    let ends = replay.points.first().zip(replay.points.last());
    let object = BacktestObject {
        metric: metric.name.clone(),
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
        by_hour: summary.by_hour.map(|counts| counts.to_vec()),
        by_weekday: summary.by_weekday.map(|counts| counts.to_vec()),
        low_impossible: summary.low_impossible,
        high_impossible: summary.high_impossible,
        hints: &summary.hints,
        mails: &summary.told.mails,
        points: replay
            .points
            .iter()
            .map(|point| PointObject::new(point, replay))
            .collect(),
    };
    let text = write_json(&object).context("write the backtest as JSON")?;
    Ok(text + "\n")
}

impl PointObject {
    fn new(point: &Evaluation, replay: &Replay) -> Self {
        Self {
            time: stamp(replay.time(point)),
            value: point.value,
            expected: point.band.map(|band| band.expected),
            lower: point.band.map(|band| band.lower),
            upper: point.band.map(|band| band.upper),
            score: point.score,
            verdict: point.verdict.word(),
            reason: point.reason().map(str::to_string),
        }
    }
}
