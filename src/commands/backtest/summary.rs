//! What came of the judged points, in figures.

use chrono::TimeDelta;

use super::coverage::{Block, Coverage, measure};
use super::hint::{Hint, hints};
use super::incident::{Incident, Standing, incidents};
use super::point::{Finding, JudgedPoint};
use super::replay::Replay;
use crate::forecast::Direction;
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
    pub incidents: Vec<Incident>,
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
    pub fn of(replay: &Replay, direction: Direction) -> Self {
        let points = &replay.points;
        let weeks = replay.span().as_seconds_f64() / TimeDelta::weeks(1).as_seconds_f64();
        let incidents = incidents(points.iter().map(|point| (point.time, standing(point))));
        let block = block_length(replay);
        let count = |side| {
            let breaches = points.iter().filter(|point| point.breach() == Some(side));
            breaches.count()
        };
        let decisions = points.iter().filter_map(JudgedPoint::decision);
        let of_a_day = replay.step.delta() <= TimeDelta::days(1);
        Self {
            judged: points.len(),
            decided: decisions.clone().count(),
            coverage: measure(&blocks(points, block)),
            block,
            high: count(Side::High),
            low: count(Side::Low),
            incidents_per_week: rate(incidents.len(), weeks),
            incidents,
            by_hour: replay
                .step
                .per_day()
                .map(|_| tally(points, JudgedPoint::hour)),
            by_weekday: of_a_day.then(|| tally(points, JudgedPoint::weekday)),
            low_impossible: decisions
                .clone()
                .filter(|decision| decision.low_is_possible == Some(false))
                .count(),
            high_impossible: decisions
                .filter(|decision| decision.high_is_possible == Some(false))
                .count(),
            hints: hints(points, direction, weeks),
        }
    }

    /// The incident that lasted longest, the first of several.
    pub fn longest_incident(&self) -> Option<&Incident> {
        let length = |incident: &&Incident| incident.last - incident.first;
        self.incidents.iter().rev().max_by_key(length)
    }
}

fn standing(point: &JudgedPoint) -> Standing {
    match (&point.finding, point.breach()) {
        (Finding::Undecided(_), _) => Standing::Unknown,
        (_, Some(side)) => Standing::Breach(side),
        (_, None) => Standing::Normal,
    }
}

/// A day; of daily values and longer ones, seven.
fn block_length(replay: &Replay) -> TimeDelta {
    match replay.step.per_day() {
        Some(_) => TimeDelta::days(1),
        None => replay.step.times(7),
    }
}

fn blocks(points: &[JudgedPoint], length: TimeDelta) -> Vec<Block> {
    let Some(first) = points.first() else {
        return Vec::new();
    };
    let number = |point: &JudgedPoint| point.since(first).num_seconds() / length.num_seconds();
    points
        .chunk_by(|one, other| number(one) == number(other))
        .map(|points| {
            let decided = points.iter().filter_map(|point| {
                let decision = point.decision()?;
                Some(decision.is_inside(point.value))
            });
            Block {
                inside: decided.clone().filter(|inside| *inside).count(),
                of: decided.count(),
            }
        })
        .collect()
}

fn tally<const N: usize>(
    points: &[JudgedPoint],
    place: impl Fn(&JudgedPoint) -> usize,
) -> [usize; N] {
    let mut counts = [0; N];
    for point in points.iter().filter(|point| point.breach().is_some()) {
        if let Some(count) = counts.get_mut(place(point)) {
            *count += 1;
        }
    }
    counts
}

#[expect(
    clippy::cast_precision_loss,
    reason = "far fewer than 2^53 can have been judged"
)]
fn rate(count: usize, weeks: f64) -> f64 {
    if weeks > 0.0 {
        count as f64 / weeks
    } else {
        0.0
    }
}
