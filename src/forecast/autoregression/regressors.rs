//! What the next value is regressed on: the last values, and for each season its counterparts one
//! turn back and around. The idea is that of seasonal autoregressions since Box and Jenkins (*Time
//! Series Analysis: Forecasting and Control*, 1970); the means over many turns stand in for the
//! seasonal moving average part.

use crate::forecast::Role;
use crate::forecast::timeline::{Cycle, Timeline};

/// The last values that count, where history is long enough to tell their weights apart.
pub const RECENT: usize = 8;
/// No more slots than this, the last ones, are learnt from: a week of minutes, five of five minutes.
/// Those before are what the regressors of the first of them draw on. What longer windows would add is
/// within the noise of the measurements, and the cost of a check no longer grows with them.
const MOST_LEARNT: usize = 10_080;
/// Values of history for each recent value regressed on.
const HISTORY_EACH: usize = 40;

/// Which regressors a slot has.
#[derive(Debug, Clone)]
pub struct Regressors {
    pub recent: usize,
    /// How many seasons, shortest first.
    pub seasons: usize,
}

impl Regressors {
    pub fn of(timeline: &Timeline, seasons: usize) -> Self {
        Self {
            recent: (timeline.len() / HISTORY_EACH).clamp(1, RECENT),
            seasons,
        }
    }

    /// The same of fewer seasons, the shortest ones.
    pub fn with_seasons(&self, seasons: usize) -> Self {
        Self {
            recent: self.recent,
            seasons,
        }
    }

    /// The first slot that is learnt from: all its regressors lie in the history.
    pub fn first_slot(&self, timeline: &Timeline) -> usize {
        let has_turn = |slot: usize| {
            let cycles = timeline.cycles[..self.seasons].iter();
            cycles
                .map(|cycle| cycle.counterpart(slot))
                .all(|counterpart| counterpart.is_some_and(|slot| slot > 0))
        };
        let first = timeline.len().saturating_sub(MOST_LEARNT).max(self.recent);
        (first..=timeline.len())
            .find(|slot| has_turn(*slot))
            .unwrap_or(timeline.len())
    }

    /// What each regressor stands for, in the order they are written.
    pub fn roles(&self) -> Vec<Role> {
        let mut roles = vec![Role::Level];
        roles.resize(1 + self.recent, Role::Recent(self.recent));
        for season in 0..self.seasons {
            roles.resize(roles.len() + count_of_season(season), Role::Season(season));
        }
        roles
    }

    pub fn count(&self) -> usize {
        let seasonal = (0..self.seasons).map(count_of_season);
        1 + self.recent + seasonal.sum::<usize>()
    }

    /// Adds the regressors of a slot to a row, drawn from the values `fed` before it. Those of fewer
    /// seasons come first.
    pub fn write(&self, slot: usize, fed: &[f64], timeline: &Timeline, row: &mut Vec<f64>) {
        row.push(1.0);
        row.extend(fed[slot - self.recent..slot].iter().rev());
        for (season, cycle) in timeline.cycles[..self.seasons].iter().enumerate() {
            // A place that was never open before borrows the value before it.
            let counterpart = cycle.counterpart(slot).unwrap_or(slot - 1).max(1);
            let following = (counterpart + 1).min(slot - 1);
            row.extend_from_slice(&[fed[counterpart], fed[counterpart - 1], fed[following]]);
            if season == 0 {
                let two_back = cycle.counterparts(slot).nth(1).unwrap_or(counterpart);
                let mean = Mean::over_turns(cycle, slot, fed);
                row.extend_from_slice(&[fed[two_back], mean.here, mean.just_before]);
            }
        }
    }
}

/// How many regressors a season has.
fn count_of_season(season: usize) -> usize {
    if season == 0 { 6 } else { 3 }
}

/// The mean over all turns remembered, at the same place and at the one before.
struct Mean {
    here: f64,
    just_before: f64,
}

impl Mean {
    fn over_turns(cycle: &Cycle, slot: usize, fed: &[f64]) -> Self {
        let (mut here, mut just_before, mut count) = (0.0, 0.0, 0.0);
        for counterpart in cycle.counterparts(slot).filter(|slot| *slot > 0) {
            here += fed[counterpart];
            just_before += fed[counterpart - 1];
            count += 1.0;
        }
        if count > 0.0 {
            Self {
                here: here / count,
                just_before: just_before / count,
            }
        } else {
            let last = fed[slot - 1];
            Self {
                here: last,
                just_before: last,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forecast::clean::Cleaned;
    use crate::forecast::seasons::Seasons;
    use crate::series::sample::series;

    /// So many hours with a season of a day.
    fn first_slot(hours: u32) -> usize {
        let values: Vec<f64> = (0..hours).map(|hour| f64::from(hour % 24)).collect();
        let history = series("1h", &values);
        let cleaned = Cleaned::untouched(&history);
        let seasons = Seasons(vec![24]);
        let timeline = Timeline::lay_out(&history, &cleaned, &seasons).expect("values that differ");
        Regressors::of(&timeline, 1).first_slot(&timeline)
    }

    #[test]
    fn learning_begins_once_a_turn_of_the_season_lies_before_the_slot() {
        assert_eq!(first_slot(24 * 60), 25);
    }

    #[test]
    fn no_more_than_the_last_slots_are_learnt_from() {
        assert_eq!(first_slot(24 * 420 + 24), 25);
        assert_eq!(first_slot(24 * 500), 24 * 500 - MOST_LEARNT);
    }
}
