//! Judges points of the past, on all cores, each by what a check would have read when its bucket was
//! closed. A judgement is reduced to its point at once, so that memory grows with the points alone.

use chrono::TimeDelta;
use indicatif::{ProgressBar, ProgressStyle};
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use super::plan::BacktestPlan;
use super::point::JudgedPoint;
use crate::judgement::Judgement;
use crate::series::{Observation, Step};
use crate::source::Archive;

/// The judged points, oldest first.
#[derive(Debug, Clone)]
pub struct Replay {
    pub points: Vec<JudgedPoint>,
    pub step: Step,
    /// Every how manieth bucket was judged.
    pub stride: usize,
}

impl Replay {
    /// Judges each of the observations, which are buckets of the archive.
    pub fn of(archive: &Archive, observations: &[Observation], plan: &BacktestPlan) -> Self {
        let progress = progress_bar(observations.len());
        let metric = &plan.metric;
        let judge = |observation: &Observation| {
            let reading = archive.reading_at(observation.time, metric);
            let point = JudgedPoint::of(*observation, Judgement::of(reading, metric), metric);
            progress.inc(1);
            point
        };
        let points = observations.par_iter().map(judge).collect();
        progress.finish_and_clear();
        Self {
            points,
            step: archive.step(),
            stride: plan.stride.get(),
        }
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
