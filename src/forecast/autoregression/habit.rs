//! Where a series belongs: what its strongest season brought around the same place before, and how far
//! values usually are from that. A value far off is an incident, or a new level; which of the two, only
//! time tells.
//!
//! Where weekends are quiet the week is the strongest season, and a Wednesday is held against
//! Wednesdays: a drop that makes it like a Saturday is none for the day, but one for the week.

use crate::forecast::profile::Profile;
use crate::forecast::timeline::{Cycle, Timeline};

/// A season that explains less than this share of the values' distance from their median does not say
/// where the series belongs.
const STRONG_SEASON: f64 = 0.5;
/// What lies within the values that the place saw, or this share of their spread beyond them, is as
/// usual.
const MARGIN: f64 = 0.25;
/// So many slots in a row that depart to one side by more than so much are not learnt from at first.
const UNLEARNT_RUN: usize = 6;
const UNLEARNT: f64 = 2.0;

#[derive(Debug)]
pub struct Habit<'a> {
    /// The number of the season that says where the series belongs.
    pub season: usize,
    timeline: &'a Timeline,
    cycle: &'a Cycle,
    usual: Profile,
}

impl<'a> Habit<'a> {
    /// `None` where no season is strong.
    pub fn of(timeline: &'a Timeline) -> Option<Self> {
        let cycles = timeline.cycles.iter().enumerate();
        let (season, cycle) = cycles
            .filter(|(_, cycle)| cycle.strength > STRONG_SEASON)
            .max_by(|(_, one), (_, other)| one.strength.total_cmp(&other.strength))?;
        let values = timeline.values.iter().enumerate();
        let departures: Vec<Option<f64>> = values
            .map(|(slot, value)| {
                Some((*value)? - Seen::around(cycle, slot, &timeline.filled)?.mean)
            })
            .collect();
        Some(Self {
            season,
            usual: Profile::of(&departures, &timeline.phases, timeline.phase_count),
            timeline,
            cycle,
        })
    }

    /// How far a value is from the mean of what its place saw, as a multiple of what is usual; 0 if the
    /// place saw the like.
    pub fn departure(&self, slot: usize, value: f64, fed: &[f64]) -> f64 {
        match Seen::around(self.cycle, slot, fed) {
            Some(seen) if !seen.holds(value) => {
                (value - seen.mean) / self.usual.at(self.timeline.phases[slot])
            }
            _ => 0.0,
        }
    }

    /// The slots of the last `patience` whose values are not learnt from yet. A day at a new level would
    /// teach a regression to lean on the last values, and then no forecast holds against the incident it
    /// learnt from. None once so many values departed that they are the new level.
    pub fn unlearnt(&self, filled: &[f64], patience: usize) -> Vec<usize> {
        let last = |count: usize| {
            let len = self.timeline.len();
            let slots = len - count.min(len / 2)..len;
            let sides: Vec<i8> = slots
                .clone()
                .map(|slot| side(self.departure(slot, filled[slot], filled)))
                .collect();
            let runs = sides.chunk_by(|one, other| one == other);
            let kept = runs.flat_map(|run| {
                let is_long = run[0] != 0 && run.len() >= UNLEARNT_RUN;
                std::iter::repeat_n(is_long, run.len())
            });
            slots
                .zip(kept)
                .filter_map(|(slot, is_long)| is_long.then_some(slot))
                .collect::<Vec<usize>>()
        };
        if last(2 * patience).len() >= patience {
            return Vec::new();
        }
        last(patience)
    }
}

/// To which side a departure is too large to be learnt from; 0 if it is not.
fn side(departure: f64) -> i8 {
    match departure {
        far if far > UNLEARNT => 1,
        far if far < -UNLEARNT => -1,
        _ => 0,
    }
}

/// What a place of the season saw.
#[derive(Debug, Clone, Copy)]
struct Seen {
    least: f64,
    mean: f64,
    most: f64,
}

impl Seen {
    /// The values in earlier turns at a slot's place and beside it. `None` in the first turn.
    fn around(cycle: &Cycle, slot: usize, values: &[f64]) -> Option<Self> {
        let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
        let (mut sum, mut count) = (0.0, 0.0);
        for counterpart in cycle.counterparts(slot) {
            let beside = (counterpart + 1).min(slot - 1);
            for near in &values[counterpart.saturating_sub(1)..=beside] {
                least = least.min(*near);
                most = most.max(*near);
                sum += near;
                count += 1.0;
            }
        }
        (count > 0.0).then(|| Self {
            least,
            mean: sum / count,
            most,
        })
    }

    fn holds(self, value: f64) -> bool {
        let room = MARGIN * (self.most - self.least);
        self.least - room <= value && value <= self.most + room
    }
}
