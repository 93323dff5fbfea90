//! Judges points of the past, on all cores, each by what a check would have read when its bucket was
//! closed. An evaluation is reduced to its point at once, so that memory grows with the points alone.

use anyhow::Result;
use chrono::TimeDelta;
use indicatif::{ProgressBar, ProgressStyle};
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use super::plan::BacktestPlan;
use super::point::JudgedPoint;
use crate::detect::{Evaluation, evaluate};
use crate::forecast::Level;
use crate::series::{Observation, Step};
use crate::source::History;

/// The judged points, oldest first.
#[derive(Debug, Clone)]
pub struct Replay {
    pub points: Vec<JudgedPoint>,
    pub step: Step,
    /// Every how manieth bucket was judged.
    pub stride: usize,
    /// The share of healthy values each band should hold; that of each evaluation.
    pub level: Level,
}

impl Replay {
    /// Judges each of the observations, which are buckets of the history.
    ///
    /// # Errors
    ///
    /// If the method or the window does not go with the step, so that no point could be judged.
    pub fn of(
        history: &History,
        observations: &[Observation],
        plan: &BacktestPlan,
    ) -> Result<Self> {
        let (metric, step) = (&plan.metric, history.step());
        let level = metric.method.level(step)?;
        metric.method.seasons.in_steps(step)?;
        // A step that was found is as good a reason to refuse a window as one that was set.
        let suited = metric.clone().revised(None, Some(step));
        suited.map_err(anyhow::Error::msg)?;
        let progress = progress_bar(observations.len());
        let judge = |observation: &Observation| {
            let reading = history.window_at(observation.time, metric);
            let point = JudgedPoint::of(*observation, evaluate(reading, &metric.method));
            progress.inc(1);
            point
        };
        let points = observations.par_iter().map(judge).collect();
        progress.finish_and_clear();
        Ok(Self {
            points,
            step,
            stride: plan.stride.get(),
            level,
        })
    }

    /// The time between two judged points that follow each other without a gap.
    pub fn spacing(&self) -> TimeDelta {
        self.step.times(self.stride)
    }

    /// The time from the first judged bucket to the end of the last one.
    pub fn span(&self) -> TimeDelta {
        match (self.points.first(), self.points.last()) {
            (Some(first), Some(last)) => last.since(first) + self.step.delta(),
            _ => TimeDelta::zero(),
        }
    }
}

/// On standard error, where that is a terminal; else it draws nothing.
fn progress_bar(len: usize) -> ProgressBar {
    let bar = ProgressBar::new(len as u64);
    match ProgressStyle::with_template("{wide_bar} {pos}/{len}, {eta} left") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
