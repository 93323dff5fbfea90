//! The regressors of the next value: the last values, and for each season its counterparts one turn
//! back and around. The means over many turns stand in for the seasonal moving average part of Box and
//! Jenkins.

use crate::forecast::derivation::Role;
use crate::forecast::timeline::{Cycle, Timeline};

/// The last values that count, where history is long enough to tell their weights apart.
pub const RECENT: usize = 8;
/// No more slots than this, the last ones, are trained on: a week of minutes, five of five minutes. Longer
/// windows would add less than the noise of the measurements, and the cost of a check would grow.
const MOST_TRAINED: usize = 10_080;
/// Values of history for each recent value regressed on.
const HISTORY_EACH: usize = 40;

/// Which regressors a slot has.
#[derive(Debug, Clone, Copy)]
pub struct Regressors {
    pub recent: usize,
    /// How many seasons, shortest first.
    pub seasons: usize,
}

impl Regressors {
    pub fn new(timeline: &Timeline, seasons: usize) -> Self {
        Self {
            recent: (timeline.len() / HISTORY_EACH).clamp(1, RECENT),
            seasons,
        }
    }

    /// The first slot that is trained on: all its regressors lie in the history.
    pub fn first_slot(&self, timeline: &Timeline) -> usize {
        let has_turn = |slot: &usize| {
            let mut cycles = timeline.cycles[..self.seasons].iter();
            cycles.all(|cycle| cycle.counterpart(*slot).is_some_and(|slot| slot > 0))
        };
        let first = timeline.len().saturating_sub(MOST_TRAINED).max(self.recent);
        let first = (first..=timeline.len()).find(has_turn);
        first.unwrap_or(timeline.len())
    }

    /// What each regressor stands for, in the order they are written.
    pub fn roles(&self) -> Vec<Role> {
        let mut roles = vec![Role::Level];
        roles.resize(1 + self.recent, Role::Recent(self.recent));
        for season in 0..self.seasons {
            let count = if season == 0 { 6 } else { 3 };
            roles.resize(roles.len() + count, Role::Season(season));
        }
        roles
    }

    pub fn count(&self) -> usize {
        self.roles().len()
    }

    /// Adds the regressors of a slot to a row, from the filtered values before it. Those of fewer
    /// seasons come first.
    pub fn write(&self, slot: usize, filtered: &[f64], timeline: &Timeline, row: &mut Vec<f64>) {
        row.push(1.0);
        row.extend(filtered[slot - self.recent..slot].iter().rev());
        for (season, cycle) in timeline.cycles[..self.seasons].iter().enumerate() {
            // A place that was never open before borrows the value before it.
            let counterpart = cycle.counterpart(slot).unwrap_or(slot - 1).max(1);
            let following = (counterpart + 1).min(slot - 1);
            row.extend_from_slice(&[
                filtered[counterpart],
                filtered[counterpart - 1],
                filtered[following],
            ]);
            if season == 0 {
                let two_back = cycle.counterparts(slot).nth(1).unwrap_or(counterpart);
                row.push(filtered[two_back]);
                row.extend(means_over_turns(cycle, slot, filtered));
            }
        }
    }
}

/// The means over all turns that a slot has counterparts in: at its place, and at the one before.
fn means_over_turns(cycle: &Cycle, slot: usize, filtered: &[f64]) -> [f64; 2] {
    let (mut here, mut before, mut count) = (0.0, 0.0, 0.0);
    for counterpart in cycle.counterparts(slot).filter(|slot| *slot > 0) {
        here += filtered[counterpart];
        before += filtered[counterpart - 1];
        count += 1.0;
    }
    if count > 0.0 {
        [here / count, before / count]
    } else {
        [filtered[slot - 1]; 2]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many hours with a season of a day.
    fn first_slot(hours: u32) -> usize {
        let values: Vec<f64> = (0..hours).map(|hour| f64::from(hour % 24)).collect();
        let timeline = Timeline::sample("1h", &values, &[24]);
        Regressors::new(&timeline, 1).first_slot(&timeline)
    }

    #[test]
    fn training_begins_once_a_turn_of_the_season_lies_before_the_slot() {
        assert_eq!(first_slot(24 * 60), 25);
    }

    #[test]
    fn no_more_than_the_last_slots_are_trained_on() {
        assert_eq!(first_slot(24 * 420 + 24), 25);
        assert_eq!(first_slot(24 * 500), 24 * 500 - MOST_TRAINED);
    }
}
