//! What came of the judged points, in figures.

use chrono::{Datelike, TimeDelta, Timelike};

use super::coverage::{Block, Coverage, float, measure};
use super::hint::{Hint, hints};
use super::mails::{Incident, Told, replay_mails};
use super::replay::Replay;
use crate::config::Metric;
use crate::detect::Evaluation;
use crate::forecast::Side;

/// The figures of a replay.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    pub judged: usize,
    pub decided: usize,
    /// Of all decided points, whichever side anybody asked about; None without any.
    pub coverage: Option<Coverage>,
    /// How much time the blocks of the coverage's interval are long.
    pub block: TimeDelta,
    pub high: usize,
    pub low: usize,
    /// What would have been mailed.
    pub told: Told,
    pub incidents_per_week: f64,
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

impl Summary {
    pub fn new(replay: &Replay, metric: &Metric) -> Self {
        let weeks = replay.span().as_seconds_f64() / TimeDelta::weeks(1).as_seconds_f64();
        let told = replay_mails(replay, metric);
        let block = block_length(replay);
        let decided = replay.decided();
        let count = |is: &dyn Fn(&Evaluation) -> bool| {
            let points = decided.clone().filter(|point| is(point));
            points.count()
        };
        let of_a_day = replay.step.delta() <= TimeDelta::days(1);
        Self {
            judged: replay.points.len(),
            decided: count(&|_| true),
            coverage: measure(&blocks(replay, block)),
            block,
            high: count(&|point| point.side() == Some(Side::High)),
            low: count(&|point| point.side() == Some(Side::Low)),
            incidents_per_week: rate(told.incidents.len(), weeks),
            told,
            by_hour: replay
                .step
                .per_day()
                .map(|_| tally(replay, |point| replay.time(point).hour() as usize)),
            by_weekday: of_a_day.then(|| {
                tally(replay, |point| {
                    replay.time(point).weekday().num_days_from_monday() as usize
                })
            }),
            low_impossible: count(&|point| point.low_possible == Some(false)),
            high_impossible: count(&|point| point.high_possible == Some(false)),
            hints: hints(replay, metric, weeks),
        }
    }

    /// The incident that lasted longest, the first of several.
    pub fn longest_incident(&self) -> Option<&Incident> {
        let incidents = self.told.incidents.iter();
        incidents.rev().max_by_key(|incident| incident.length())
    }
}

/// A day; of daily values and longer ones, seven.
fn block_length(replay: &Replay) -> TimeDelta {
    match replay.step.per_day() {
        Some(_) => TimeDelta::days(1),
        None => replay.step.times(7),
    }
}

fn blocks(replay: &Replay, length: TimeDelta) -> Vec<Block> {
    let Some(first) = replay.points.first() else {
        return Vec::new();
    };
    let number = |point: &Evaluation| {
        (point.bucket.start - first.bucket.start).num_seconds() / length.num_seconds()
    };
    let blocks = replay
        .points
        .chunk_by(|one, other| number(one) == number(other));
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
    blocks.map(block).collect()
}

fn tally<const N: usize>(replay: &Replay, place: impl Fn(&Evaluation) -> usize) -> [usize; N] {
    let mut counts = [0; N];
    for point in replay.points.iter().filter(|point| point.is_breach()) {
        if let Some(count) = counts.get_mut(place(point)) {
            *count += 1;
        }
    }
    counts
}

fn rate(count: usize, weeks: f64) -> f64 {
    if weeks > 0.0 {
        float(count) / weeks
    } else {
        0.0
    }
}
