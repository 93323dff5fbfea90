//! What each forecast feeds on. A forecast that leans on the last values follows an incident: the
//! second bad bucket looks normal. So the history is replayed, and a value too odd to be news is kept
//! from the forecasts after it: they feed on what was expected there, until the values are back where
//! they usually are, or the new level has lasted long enough to be the new one. Meanwhile the
//! forecast is as uncertain as one of so many steps ahead (see [`Drift`]); a series that wanders is
//! accepted again soon, by itself. The idea is that of robust filters (Gelper, Fried and Croux,
//! *Robust Forecasting with Exponential and Holt-Winters Smoothing*, 2010), with a gap in place of a
//! clipped value.

use std::cell::OnceCell;
use std::ops::Range;

use super::outside::{has_strong_season, is_outside};
use super::{Blend, Drift};
use crate::forecast::Fitted;
use crate::forecast::profile::Profile;
use crate::forecast::timeline::Timeline;

/// All of these in usual sizes of an error for the time of day and the recent volatility.
mod threshold {
    /// What each value of a run on one side may be off without counting as evidence.
    pub const ALLOWANCE: f64 = 1.5;
    /// A run with more evidence, that is now far outside of what its place in the season saw before,
    /// opens a hold: one value beyond 6, or several that are less odd each.
    pub const EVIDENCE: f64 = 4.5;
    /// Within this a held series is back.
    pub const BACK: f64 = 2.5;
    /// The rest of a single jump beyond this is left out, where the season says nothing.
    pub const JUMP: f64 = 10.0;
}
/// A held series is back when so many values in a row are: noise brings one back by chance.
const BACK_TIMES: usize = 2;
/// Far outside is this share of the spread of the season's earlier turns beyond them.
const OUTSIDE_SHARE: f64 = 0.75;
/// The volatility is that of the last few dozen values: half of it is from this many.
const VOLATILITY_HALF_LIFE: f64 = 36.0;

#[derive(Debug)]
pub struct Feed<'a> {
    timeline: &'a Timeline,
    first: usize,
    fed: Vec<f64>,
    expected: Vec<f64>,
    errors: Vec<Option<f64>>,
    growth: Vec<f64>,
    held_since: Vec<Option<usize>>,
}

/// Values on one side of their forecasts: the evidence is a cumulative sum of how far (Page, *Continuous
/// Inspection Schemes*, 1954). An incident that noise hides bucket by bucket shows in several.
#[derive(Debug, Clone, Copy)]
struct Run {
    since: usize,
    is_above: bool,
    evidence: f64,
}

impl Run {
    fn none(since: usize) -> Self {
        Self {
            since,
            is_above: false,
            evidence: 0.0,
        }
    }

    fn followed_by(self, slot: usize, is_above: bool, oddity: f64) -> Self {
        let goes_on = self.evidence > 0.0 && self.is_above == is_above;
        let run = if goes_on { self } else { Self::none(slot) };
        Self {
            is_above,
            evidence: (run.evidence + oddity - threshold::ALLOWANCE).max(0.0),
            ..run
        }
    }
}

impl<'a> Feed<'a> {
    /// Replays the history with the weights the blend learnt; `patience` is how many slots a hold
    /// lasts at most.
    pub fn replay(timeline: &'a Timeline, filled: &[f64], blend: &Blend, patience: usize) -> Self {
        let phases = &timeline.phases[blend.first..timeline.len()];
        let profile = Profile::of(&blend.errors, phases, timeline.phase_count);
        let drift = OnceCell::new();
        let may_hold = has_strong_season(timeline, filled);
        let mut feed = Self {
            timeline,
            first: blend.first,
            fed: filled.to_vec(),
            expected: Vec::new(),
            errors: Vec::new(),
            growth: Vec::new(),
            held_since: Vec::new(),
        };
        let keep = 0.5_f64.powf(1.0 / VOLATILITY_HALF_LIFE);
        let (mut volatility, mut ahead, mut jumped) = (1.0_f64, 1, false);
        let mut hold: Option<usize> = None;
        let (mut run, mut back) = (Run::none(blend.first), 0);
        // A level that was accepted is not an incident again before it is learnt.
        let mut settled = blend.first;
        let mut row = Vec::new();
        for slot in blend.first..=timeline.len() {
            let expectation = blend.expect(slot, &feed.fed, timeline, &mut row);
            let expected = expectation.value;
            let growth = if ahead == 1 {
                1.0
            } else {
                drift
                    .get_or_init(|| Drift::measure(blend, timeline, filled, &profile, patience))
                    .at(ahead)
            };
            feed.expected.push(expected);
            feed.growth.push(growth);
            let value = timeline.values.get(slot).copied().flatten();
            let Some(value) = value else {
                feed.errors.push(None);
                feed.held_since.push(hold);
                if let Some(fed) = feed.fed.get_mut(slot) {
                    *fed = expected;
                }
                ahead += 1;
                continue;
            };
            let usual = profile.at(timeline.phases[slot]);
            let oddity = (value - expected).abs() / (usual * volatility.max(0.3) * growth);
            run = match hold {
                Some(_) => Run::none(slot + 1),
                None => run.followed_by(slot, value > expected, oddity),
            };
            hold = match hold {
                Some(since) if oddity > threshold::BACK && feed.is_outside(slot, value, 0.0) => {
                    back = 0;
                    Some(since)
                }
                Some(since) if back + 1 < BACK_TIMES => {
                    back += 1;
                    Some(since)
                }
                None if may_hold
                    && slot >= settled
                    && run.evidence > threshold::EVIDENCE
                    && feed.is_outside(slot, value, OUTSIDE_SHARE) =>
                {
                    feed.hold_back(run.since..slot);
                    back = 0;
                    Some(run.since)
                }
                _ => None,
            };
            feed.held_since.push(hold);
            if let Some(since) = hold {
                feed.errors.push(None);
                feed.fed[slot] = expected;
                ahead += 1;
                if slot + 1 - since >= patience {
                    feed.accept(since, slot);
                    (hold, ahead, settled) = (None, 1, slot + 1 + patience);
                }
                continue;
            }
            ahead = 1;
            let error = (value - expected) / (1.0 - expectation.leverage);
            feed.errors.push(Some(error));
            volatility = keep * volatility
                + (1.0 - keep) * ((value - expected).abs() / usual).min(5.0 * volatility.max(0.5));
            jumped = !jumped && oddity > threshold::JUMP;
            feed.fed[slot] = if jumped {
                expected + (value - expected) * threshold::JUMP / oddity
            } else {
                value
            };
        }
        feed
    }

    /// The values since are the new level.
    fn accept(&mut self, since: usize, last: usize) {
        for slot in since..=last {
            if let Some(value) = self.timeline.values[slot] {
                self.fed[slot] = value;
            }
        }
    }

    /// A run that turned out to be an incident: nothing after it is to feed on it.
    fn hold_back(&mut self, run: Range<usize>) {
        for slot in run.clone() {
            let index = slot - self.first;
            self.fed[slot] = self.expected[index];
            self.errors[index] = None;
            self.held_since[index] = Some(run.start);
        }
    }

    fn is_outside(&self, slot: usize, value: f64, share: f64) -> bool {
        is_outside(self.timeline, &self.fed, slot, value, share)
    }

    pub fn into_fitted(self) -> Fitted {
        Fitted {
            first: self.first,
            expected: self.expected,
            errors: self.errors,
            growth: self.growth,
            held_since: self.held_since,
            fed: self.fed,
            parameters: 0,
            contributions: Vec::new(),
            clipped: Vec::new(),
            fences: None,
        }
    }
}

#[cfg(test)]
mod tests;
