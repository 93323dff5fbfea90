//! What lies outside of all that the seasons saw at a place: an incident, or a new level. Which of the
//! two, only time tells, so until then no weight is learnt from it.

use crate::forecast::timeline::Timeline;

/// A hold needs a season that explains this share of the values' distance from their median:
/// otherwise nothing says where the series belongs.
const STRONG_SEASON: f64 = 0.5;
/// A value this share of the spread of the season's earlier turns beyond them is not learnt from at
/// first.
const UNLEARNT_SHARE: f64 = 0.25;

/// Whether a season says where the values belong.
pub fn has_strong_season(timeline: &Timeline, filled: &[f64]) -> bool {
    let mut cycles = timeline.cycles.iter();
    cycles.any(|cycle| cycle.strength(timeline, filled) > STRONG_SEASON)
}

/// Whether a value lies outside of what was fed around its place in earlier turns of the seasons, by
/// more than a share of their spread.
pub fn is_outside(timeline: &Timeline, fed: &[f64], slot: usize, value: f64, share: f64) -> bool {
    let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
    for cycle in &timeline.cycles {
        for counterpart in cycle.counterparts(slot) {
            for near in &fed[counterpart.saturating_sub(1)..=(counterpart + 1).min(slot - 1)] {
                least = least.min(*near);
                most = most.max(*near);
            }
        }
    }
    let margin = share * (most - least).max(0.0);
    value < least - margin || value > most + margin
}

/// The slots of the last `patience` whose values are not learnt from yet. A day at a new level would
/// teach a regression to lean on the last values, and then no forecast holds against the incident it
/// learnt from. None once so many values were outside that they are the new level.
pub fn unlearnt(timeline: &Timeline, filled: &[f64], patience: usize) -> Vec<usize> {
    let len = timeline.len();
    let outside = |slots: std::ops::Range<usize>| -> Vec<usize> {
        slots
            .filter(|slot| is_outside(timeline, filled, *slot, filled[*slot], UNLEARNT_SHARE))
            .collect()
    };
    let last = |count: usize| outside(len - count.min(len / 2)..len);
    if !has_strong_season(timeline, filled) || last(2 * patience).len() >= patience {
        return Vec::new();
    }
    last(patience)
}
