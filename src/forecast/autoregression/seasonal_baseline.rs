//! The values that a series usually has at its place in the season: those that its strongest season
//! brought around the same place before, and the usual size of deviations from them. A value far off is
//! an incident or a new level; only time can show which.
//!
//! Where weekends are quiet the week is the strongest season, and a Wednesday is compared with
//! Wednesdays: a drop that makes it like a Saturday is none for the day, but one for the week.

use crate::forecast::error_profile::ErrorProfile;
use crate::forecast::timeline::{Cycle, Timeline};

#[derive(Debug)]
pub struct SeasonalBaseline<'a> {
    /// The number of the season.
    pub season: usize,
    timeline: &'a Timeline,
    cycle: &'a Cycle,
    usual: ErrorProfile,
}

impl<'a> SeasonalBaseline<'a> {
    /// `None` where no season is strong.
    pub fn new(timeline: &'a Timeline) -> Option<Self> {
        /// A season must explain this share of the values' distance from their median.
        const STRONG: f64 = 0.5;
        let cycles = timeline.cycles.iter().enumerate();
        let (season, cycle) = cycles
            .filter(|(_, cycle)| cycle.strength > STRONG)
            .max_by(|(_, one), (_, other)| one.strength.total_cmp(&other.strength))?;
        let values = timeline.values.iter().enumerate();
        let deviation = |(slot, value): (usize, &Option<f64>)| {
            Some((*value)? - PastValues::around(cycle, slot, &timeline.filled)?.mean)
        };
        let deviations: Vec<Option<f64>> = values.map(deviation).collect();
        Some(Self {
            season,
            usual: ErrorProfile::new(&deviations, &timeline.phases, timeline.phase_count),
            timeline,
            cycle,
        })
    }

    /// The distance of a value from the mean of the past values at its place, as a multiple of the usual
    /// one; 0 within their range and a margin around it.
    pub fn deviation(&self, slot: usize, value: f64, filtered: &[f64]) -> f64 {
        /// As a share of the range.
        const MARGIN: f64 = 0.25;
        let Some(past) = PastValues::around(self.cycle, slot, filtered) else {
            return 0.0;
        };
        let margin = MARGIN * (past.most - past.least);
        if past.least - margin <= value && value <= past.most + margin {
            return 0.0;
        }
        (value - past.mean) / self.usual.at(self.timeline.phases[slot])
    }

    /// The slots of the last `longest_hold` that are no training targets yet. A day at a new level would
    /// teach a regression to lean on the last values, and it would then follow the next incident. None
    /// once so many values deviated that they are the new level.
    pub fn excluded_slots(&self, longest_hold: usize) -> Vec<usize> {
        if self.long_deviations(2 * longest_hold).len() >= longest_hold {
            return Vec::new();
        }
        self.long_deviations(longest_hold)
    }

    /// Among the last slots, so many, those of long runs that deviate far to one side.
    fn long_deviations(&self, count: usize) -> Vec<usize> {
        const LONG: usize = 6;
        const FAR: f64 = 2.0;
        let values = &self.timeline.filled;
        let sign = |slot: &usize| match self.deviation(*slot, values[*slot], values) {
            far if far > FAR => 1,
            far if far < -FAR => -1,
            _ => 0,
        };
        let len = self.timeline.len();
        let slots: Vec<usize> = (len - count.min(len / 2)..len).collect();
        let signs: Vec<i8> = slots.iter().map(sign).collect();
        let mut long = Vec::new();
        let mut start = 0;
        for run in signs.chunk_by(|one, other| one == other) {
            if run[0] != 0 && run.len() >= LONG {
                long.extend(&slots[start..start + run.len()]);
            }
            start += run.len();
        }
        long
    }
}

/// The values in earlier turns of a season at a slot's place and beside it.
#[derive(Debug, Clone, Copy)]
struct PastValues {
    least: f64,
    mean: f64,
    most: f64,
}

impl PastValues {
    /// `None` in the first turn.
    fn around(cycle: &Cycle, slot: usize, values: &[f64]) -> Option<Self> {
        let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
        let (mut sum, mut count) = (0.0, 0.0);
        for counterpart in cycle.counterparts(slot) {
            let beside = (counterpart + 1).min(slot - 1);
            for value in &values[counterpart.saturating_sub(1)..=beside] {
                least = least.min(*value);
                most = most.max(*value);
                sum += value;
                count += 1.0;
            }
        }
        (count > 0.0).then(|| Self {
            least,
            mean: sum / count,
            most,
        })
    }
}
