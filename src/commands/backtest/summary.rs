//! What came of the judged points, in figures.

use chrono::{Datelike, TimeDelta, Timelike};

use super::excess::Excess;
use super::hint::{Hint, hints};
use super::mails::{Told, replay_mails};
use super::replay::Replay;
use crate::calendar::{Occurrence, Period};
use crate::commands::coverage::{Block, Coverage, measure};
use crate::config::Metric;
use crate::detect::Evaluation;
use crate::forecast::Side;
use crate::series::Steps;

/// The figures of a replay.
#[derive(Debug)]
pub struct Summary<'a> {
    pub replay: &'a Replay,
    pub metric: &'a Metric,
    pub judged: usize,
    pub decided: usize,
    /// Of all decided points, whichever side anybody asked about; None without any.
    pub coverage: Option<Coverage>,
    /// The length of a block of the coverage's interval: a day; of daily values and longer ones, seven.
    pub block: Steps,
    pub high: usize,
    pub low: usize,
    /// What would have been mailed.
    pub told: Told,
    pub incidents_per_week: f64,
    /// None if the budget of false alerts is kept.
    pub excess: Option<Excess>,
    /// Breaches by the hour of the wall clock; none where buckets are a day or longer.
    pub by_hour: Option<[usize; 24]>,
    /// Breaches from Monday to Sunday; none where buckets are longer than a day.
    pub by_weekday: Option<[usize; 7]>,
    /// Decided points at which Low could not have fired, whatever the value.
    pub low_impossible: usize,
    /// The same of High.
    pub high_impossible: usize,
    pub hints: Vec<Hint>,
}

impl<'a> Summary<'a> {
    pub fn new(replay: &'a Replay, metric: &'a Metric) -> Self {
        let weeks = replay.span().as_seconds_f64() / TimeDelta::weeks(1).as_seconds_f64();
        let told = replay_mails(replay, metric);
        let block = Steps {
            step: replay.step,
            count: replay.step.per_day().unwrap_or(7),
        };
        let decided = replay.points.iter().filter(|point| point.band.is_some());
        let count = |is: fn(&Evaluation) -> bool| decided.clone().filter(|point| is(point)).count();
        let hour = |point: &Evaluation| replay.time(point).hour();
        let weekday = |point: &Evaluation| replay.time(point).weekday().num_days_from_monday();
        let has_hours = replay.step.per_day().is_some();
        let has_days = replay.step.mean_length() <= TimeDelta::days(1);
        Self {
            replay,
            metric,
            judged: replay.points.len(),
            decided: count(|_| true),
            coverage: measure(&blocks(replay, block.length())),
            block,
            high: count(|point| point.side() == Some(Side::High)),
            low: count(|point| point.side() == Some(Side::Low)),
            incidents_per_week: told.rate(weeks),
            excess: Excess::new(replay, metric, &told, weeks),
            told,
            by_hour: has_hours.then(|| tally(replay, hour)),
            by_weekday: has_days.then(|| tally(replay, weekday)),
            low_impossible: count(|point| point.low_possible == Some(false)),
            high_impossible: count(|point| point.high_possible == Some(false)),
            hints: hints(replay, metric, weeks),
        }
    }
}

impl Summary<'_> {
    /// The events of the replayed time.
    pub fn occurrences(&self) -> Vec<Occurrence<'_>> {
        let ends = self.replay.points.first().zip(self.replay.points.last());
        let period = ends.map(|(first, last)| Period {
            start: first.bucket.start,
            end: last.bucket.end,
        });
        let events = &self.metric.events;
        period.map_or(Vec::new(), |period| events.within(period).collect())
    }
}

fn blocks(replay: &Replay, length: TimeDelta) -> Vec<Block> {
    let Some(first) = replay.points.first() else {
        return Vec::new();
    };
    let number = |point: &Evaluation| {
        (point.bucket.start - first.bucket.start).num_seconds() / length.num_seconds()
    };
    let is_same = |one: &Evaluation, other: &Evaluation| number(one) == number(other);
    let block = |points: &[Evaluation]| {
        // Whichever side anybody asked about.
        let inside = points.iter().filter_map(|point| {
            let (band, value) = (point.band?, point.value?);
            Some((band.lower..=band.upper).contains(&value))
        });
        Block {
            inside: inside.clone().filter(|inside| *inside).count(),
            of: inside.count(),
        }
    };
    replay.points.chunk_by(is_same).map(block).collect()
}

fn tally<const N: usize>(replay: &Replay, place: impl Fn(&Evaluation) -> u32) -> [usize; N] {
    let mut counts = [0; N];
    for point in replay.points.iter().filter(|point| point.is_breach()) {
        if let Some(count) = counts.get_mut(place(point) as usize) {
            *count += 1;
        }
    }
    counts
}
