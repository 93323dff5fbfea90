//! Evaluates points of the past, on all cores, each from what a check would have read when its bucket was
//! closed; and notes when data would have been missed. Workings are dropped at once, so that memory grows
//! with the points alone.

use std::num::NonZeroUsize;
use std::ops::Range;

use anyhow::{Error, Result};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use indicatif::{ProgressBar, ProgressStyle};
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use crate::commands::evaluate_past;
use crate::config::Metric;
use crate::detect::{Answers, Evaluation, no_data};
use crate::forecast::Level;
use crate::incident::{Answer, Said};
use crate::series::{Observation, Step, Window};
use crate::source::History;

/// A run of a check that found no data for too long.
#[derive(Debug, Clone)]
pub struct Missed {
    pub at: DateTime<Utc>,
    /// Its bucket is the newest with data.
    pub evaluation: Evaluation,
}

/// The evaluated points and the gaps between them.
#[derive(Debug, Clone)]
pub struct Replay {
    /// The judged points, oldest first.
    pub points: Vec<Evaluation>,
    /// Runs of a check that found no data for too long, oldest first.
    pub missed: Vec<Missed>,
    pub step: Step,
    /// One point in so many was judged.
    pub stride: usize,
    /// How long after its end a bucket is judged.
    pub delay: TimeDelta,
    /// The share of healthy values each band should hold.
    pub level: Level,
    pub zone: Tz,
    /// What people answered in that time.
    pub said: Said,
}

impl Replay {
    /// Fails if the method or the window does not go with the step, so that no point could be judged.
    pub fn new(
        history: &History,
        observations: &[Observation],
        metric: &Metric,
        said: Said,
        stride: NonZeroUsize,
    ) -> Result<Self> {
        let step = history.step();
        let level = metric.method.level;
        metric.method.seasons.in_steps(step)?;
        // A step that was found is as good a reason to refuse a window as one that was set.
        let suited = metric.clone().revised(None, Some(step));
        suited.map_err(Error::msg)?;
        let judged: Vec<&Observation> = observations.iter().step_by(stride.get()).collect();
        // On standard error, where that is a terminal; else it draws nothing.
        let style = ProgressStyle::with_template("{wide_bar} {pos}/{len}, {eta} left")?;
        let progress = ProgressBar::new(judged.len() as u64).with_style(style);
        let answers = Answers {
            judged: said.answers.iter().map(Answer::for_forecast).collect(),
            ..Answers::default()
        };
        let judge = |observation: &&Observation| {
            let window = history.window_at(observation.time, metric);
            let point = evaluate_past(window, metric, &answers).without_workings();
            progress.inc(1);
            point
        };
        let points = judged.par_iter().map(judge).collect();
        progress.finish_and_clear();
        let zone = observations.first().map(|first| first.time.timezone());
        Ok(Self {
            points,
            missed: missed(history, observations, metric),
            step,
            stride: stride.get(),
            delay: metric.delay(step),
            level,
            zone: zone.unwrap_or(Tz::UTC),
            said,
        })
    }

    /// When a point's bucket began.
    pub fn time(&self, point: &Evaluation) -> DateTime<Tz> {
        point.start(self.zone)
    }

    /// The time from the first judged bucket to the end of the last one.
    pub fn span(&self) -> TimeDelta {
        match (self.points.first(), self.points.last()) {
            (Some(first), Some(last)) => last.bucket.end - first.bucket.start,
            _ => TimeDelta::zero(),
        }
    }
}

/// The runs of a check that would have found no data: in each gap from the first minute on at which the
/// newest data was too old, and then once a step until there was data again.
fn missed(history: &History, observations: &[Observation], metric: &Metric) -> Vec<Missed> {
    let next = observations.iter().skip(1).map(|next| Some(next.time));
    let gaps: Vec<(&Observation, Option<DateTime<Tz>>)> =
        observations.iter().zip(next.chain([None])).collect();
    gaps.par_iter()
        .flat_map_iter(|(last, next)| {
            let end = history.ends().map_or(last.time, |(_, end)| end);
            let empty = history.steps_between(last.time, next.unwrap_or(end));
            // Nobody looks beyond the end of the history.
            let steps = std::iter::once(last.time).chain(empty).chain(*next);
            missed_in_gap(history, &steps.collect::<Vec<_>>(), metric)
        })
        .collect()
}

/// Those of one gap: from the last step with data to the next one, both included.
fn missed_in_gap(history: &History, steps: &[DateTime<Tz>], metric: &Metric) -> Vec<Missed> {
    let closed_at = |time| history.closed_at(time, metric);
    let mut missed: Vec<Missed> = Vec::new();
    for pair in steps.windows(2) {
        let runs = closed_at(pair[0])..closed_at(pair[1]);
        let run = if let Some(first) = missed.first() {
            Some(Missed {
                at: runs.start.to_utc(),
                evaluation: first.evaluation.clone(),
            })
        } else {
            let age = runs.end - closed_at(steps[0]) + metric.delay(history.step());
            metric
                .may_be_stale(age, history.step().mean_length())
                .then(|| history.window_at(pair[0], metric))
                .and_then(|window| first_missed(window, &runs, metric))
        };
        missed.extend(run);
    }
    missed
}

/// The first run, by the minute, that finds the data of a window too old.
fn first_missed(mut window: Window, runs: &Range<DateTime<Tz>>, metric: &Metric) -> Option<Missed> {
    let limit = window.bucket(window.newest?).end + window.stale_after;
    let after_limit = limit.with_timezone(&window.zone()) + TimeDelta::minutes(1);
    window.as_of = if limit < runs.start.to_utc() {
        runs.start
    } else {
        after_limit
    };
    let finds_none = runs.contains(&window.as_of) && no_data(&window).is_some();
    finds_none.then(|| Missed {
        at: window.as_of.to_utc(),
        evaluation: evaluate_past(window, metric, &Answers::default()).without_workings(),
    })
}
