//! Evaluates points of the past, on all cores, each from what a check would have read when its bucket was
//! closed; and notes when data would have been missed. Workings are dropped at once, so that memory grows
//! with the points alone.

use std::num::NonZeroUsize;

use anyhow::{Error, Result};
use chrono::{DateTime, TimeDelta};
use chrono_tz::Tz;
use indicatif::{ProgressBar, ProgressStyle};
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use crate::config::Metric;
use crate::detect::{Evaluation, Verdict, evaluate, no_data};
use crate::forecast::Level;
use crate::output::one_line;
use crate::series::{Observation, Step, Window};
use crate::source::History;

/// The evaluated points and the gaps between them.
#[derive(Debug, Clone)]
pub struct Replay {
    /// The judged points, oldest first.
    pub points: Vec<Evaluation>,
    /// Runs of a check that found no data for too long, oldest first.
    pub missed: Vec<Evaluation>,
    pub step: Step,
    /// One point in so many was judged.
    pub stride: usize,
    /// How long after its end a bucket is judged.
    pub delay: TimeDelta,
    /// The share of healthy values each band should hold.
    pub level: Level,
    pub zone: Tz,
}

impl Replay {
    /// Fails if the method or the window does not go with the step, so that no point could be judged.
    pub fn new(
        history: &History,
        observations: &[Observation],
        metric: &Metric,
        stride: NonZeroUsize,
    ) -> Result<Self> {
        let step = history.step();
        let level = metric.method.level(step)?;
        metric.method.seasons.in_steps(step)?;
        // A step that was found is as good a reason to refuse a window as one that was set.
        let suited = metric.clone().revised(None, Some(step));
        suited.map_err(Error::msg)?;
        let judged: Vec<&Observation> = observations.iter().step_by(stride.get()).collect();
        let progress = progress_bar(judged.len());
        let judge = |observation: &&Observation| {
            let window = history.window_at(observation.time, metric);
            let point = evaluate_past(window, metric, level);
            progress.inc(1);
            point
        };
        let points = judged.par_iter().map(judge).collect();
        progress.finish_and_clear();
        let zone = observations.first().map(|first| first.time.timezone());
        Ok(Self {
            points,
            missed: missed(history, observations, metric, level),
            step,
            stride: stride.get(),
            delay: metric.delay(step),
            level,
            zone: zone.unwrap_or(Tz::UTC),
        })
    }

    /// When a point's bucket began.
    pub fn time(&self, point: &Evaluation) -> DateTime<Tz> {
        point.start(self.zone)
    }

    /// The points with a verdict.
    pub fn decided(&self) -> impl Iterator<Item = &Evaluation> + Clone {
        self.points.iter().filter(|point| point.band.is_some())
    }

    /// The time between two judged points that follow each other without a gap.
    pub fn spacing(&self) -> TimeDelta {
        self.step.times(self.stride)
    }

    /// The time from the first judged bucket to the end of the last one.
    pub fn span(&self) -> TimeDelta {
        match (self.points.first(), self.points.last()) {
            (Some(first), Some(last)) => last.bucket.start - first.bucket.start + self.step.delta(),
            _ => TimeDelta::zero(),
        }
    }
}

/// A model that fails on a window decides nothing.
fn evaluate_past(window: Window, metric: &Metric, level: Level) -> Evaluation {
    evaluate(window.clone(), &metric.method)
        .unwrap_or_else(|error| {
            let verdict = Verdict::Undecided(one_line(&format!("{error:#}")));
            Evaluation::without_forecast(window, level, verdict, None)
        })
        .without_workings()
}

/// What a check would have found in the gaps between values: nothing worth telling, or, from some step
/// on, that there is no data. Each evaluation's bucket is the step at whose end it would have run.
fn missed(
    history: &History,
    observations: &[Observation],
    metric: &Metric,
    level: Level,
) -> Vec<Evaluation> {
    let step = history.step();
    let end = history.ends().map(|(_, end)| end);
    let ends = observations.iter().skip(1).map(|next| next.time).chain(end);
    let gaps = observations.iter().zip(ends).filter_map(|(last, next)| {
        let steps: Vec<DateTime<Tz>> = history.steps_between(last.time, next);
        let window = history.window_at(*steps.last()?, metric);
        no_data(&window).map(|_| steps)
    });
    gaps.flat_map(|steps| {
        let is_missed = |time: &DateTime<Tz>| no_data(&history.window_at(*time, metric)).is_some();
        let first = steps.iter().position(is_missed).unwrap_or(steps.len());
        let found = steps.get(first).and_then(|time| {
            let window = history.window_at(*time, metric);
            let verdict = no_data(&window)?;
            Some(Evaluation::without_forecast(window, level, verdict, None).without_workings())
        });
        // A check goes on to find it so in every run until there is data again.
        let times = steps.into_iter().skip(first);
        let times = found.into_iter().flat_map(move |found| {
            times.clone().map(move |time| Evaluation {
                bucket: crate::series::Bucket {
                    start: time.to_utc(),
                    end: time.to_utc() + step.delta(),
                },
                ..found.clone()
            })
        });
        times.collect::<Vec<_>>()
    })
    .collect()
}

/// On standard error, where that is a terminal; else it draws nothing.
fn progress_bar(len: usize) -> ProgressBar {
    let bar = ProgressBar::new(len as u64);
    match ProgressStyle::with_template("{wide_bar} {pos}/{len}, {eta} left") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
