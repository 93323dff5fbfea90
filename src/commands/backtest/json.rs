//! A backtest as one JSON object: the figures, and every judged point.

use anyhow::{Context, Result};
use serde::Serialize;

use super::coverage::{Basis, Coverage};
use super::plan::BacktestPlan;
use super::point::{Finding, JudgedPoint};
use super::replay::Replay;
use super::summary::Summary;
use crate::commands::report::{stamp, write_json};
use crate::forecast::Sensitivity;

/// The object; what is not known is null.
#[derive(Debug, Serialize)]
pub struct Object {
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
    /// Every how manieth point was judged.
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
    /// Runs of breaches.
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
    hints: Vec<HintObject>,
    /// Each judged point.
    points: Vec<PointObject>,
}

#[derive(Debug, Serialize)]
struct HintObject {
    level: f64,
    incidents_per_week: f64,
}

#[derive(Debug, Serialize)]
struct PointObject {
    time: String,
    value: f64,
    expected: Option<f64>,
    lower: Option<f64>,
    upper: Option<f64>,
    score: Option<f64>,
    verdict: &'static str,
    reason: Option<String>,
}

/// The object on a line of its own.
///
/// # Errors
///
/// If it cannot be written as JSON, which no data is known to cause.
pub fn write(replay: &Replay, summary: &Summary, plan: &BacktestPlan) -> Result<String> {
    let object = object(replay, summary, plan);
    let text = write_json(&object).context("write the backtest as JSON")?;
    Ok(text + "\n")
}

pub fn object(replay: &Replay, summary: &Summary, plan: &BacktestPlan) -> Object {
    let coverage = summary.coverage;
    let share = |pick: fn(&Coverage) -> f64| coverage.as_ref().map(pick);
    Object {
        metric: plan.metric.name.clone(),
        level: replay.level.share(),
        max_false_alerts: match plan.metric.method.sensitivity {
            Sensitivity::Level(_) => None,
            Sensitivity::Budget(budget) => Some(budget.to_string()),
        },
        window_seconds: plan.metric.window.as_secs(),
        step_seconds: replay.step.seconds(),
        stride: replay.stride,
        from: replay.points.first().map(|point| stamp(point.time)),
        to: replay
            .points
            .last()
            .map(|point| stamp(point.time + replay.step.delta())),
        judged: summary.judged,
        decided: summary.decided,
        coverage: share(|coverage| coverage.share),
        coverage_lower: share(|coverage| coverage.lower),
        coverage_upper: share(|coverage| coverage.upper),
        coverage_blocks: coverage.and_then(|coverage| match coverage.basis {
            Basis::Blocks(blocks) => Some(blocks),
            Basis::Points => None,
        }),
        high: summary.high,
        low: summary.low,
        incidents: summary.incidents.len(),
        incidents_per_week: summary.incidents_per_week,
        by_hour: summary.by_hour.map(|counts| counts.to_vec()),
        by_weekday: summary.by_weekday.map(|counts| counts.to_vec()),
        low_impossible: summary.low_impossible,
        high_impossible: summary.high_impossible,
        hints: summary
            .hints
            .iter()
            .map(|hint| HintObject {
                level: hint.level,
                incidents_per_week: hint.incidents_per_week,
            })
            .collect(),
        points: replay.points.iter().map(point).collect(),
    }
}

fn point(point: &JudgedPoint) -> PointObject {
    let decision = point.decision();
    PointObject {
        time: stamp(point.time),
        value: point.value,
        expected: decision.map(|decision| decision.band.expected),
        lower: decision.map(|decision| decision.band.lower),
        upper: decision.map(|decision| decision.band.upper),
        score: decision.map(|decision| decision.score),
        verdict: point.word(),
        reason: match &point.finding {
            Finding::Undecided(reason) => Some(reason.clone()),
            Finding::Decided(_) => None,
        },
    }
}
