//! What each forecast feeds on. A forecast that leans on the last values follows an incident: the
//! second bad bucket looks normal. So the history is replayed, and a value too odd to be news is kept
//! from the forecasts after it: they feed on what was expected there, until the values are back where
//! they usually are, or the new level has lasted long enough to be the new one. Meanwhile the
//! forecast is as uncertain as one of so many steps ahead (see [`Drift`]); a series that wanders is
//! accepted again soon, by itself. The idea is that of robust filters (Gelper, Fried and Croux,
//! *Robust Forecasting with Exponential and Holt-Winters Smoothing*, 2010), with a gap in place of a
//! clipped value.

use std::cell::OnceCell;

use super::{Blend, Drift};
use crate::forecast::Fitted;
use crate::forecast::profile::Profile;
use crate::forecast::timeline::Timeline;

/// All of these in usual sizes of an error for the time of day and the recent volatility.
mod threshold {
    /// Beyond this, and far outside of what its place in the season saw before, a value opens a hold.
    pub const ODD: f64 = 6.0;
    /// Within this a held series is back.
    pub const BACK: f64 = 3.0;
    /// The rest of a single jump beyond this is left out, where the season says nothing.
    pub const JUMP: f64 = 10.0;
}
/// Far outside is this share of the spread of the season's earlier turns beyond them.
const OUTSIDE_SHARE: f64 = 1.0;
/// A hold needs a season that explains this share of the values' distance from their median:
/// otherwise nothing says where the series belongs.
const STRONG_SEASON: f64 = 0.5;
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

impl<'a> Feed<'a> {
    /// Replays the history with the weights the blend learnt; `patience` is how many slots a hold
    /// lasts at most.
    pub fn replay(timeline: &'a Timeline, filled: &[f64], blend: &Blend, patience: usize) -> Self {
        let phases = &timeline.phases[blend.first..timeline.len()];
        let profile = Profile::of(&blend.errors, phases, timeline.phase_count);
        let drift = OnceCell::new();
        let may_hold = timeline
            .cycles
            .iter()
            .any(|cycle| cycle.strength(timeline, filled) > STRONG_SEASON);
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
            hold = match hold {
                Some(since) if oddity > threshold::BACK && feed.is_outside(slot, value, 0.0) => {
                    Some(since)
                }
                None if may_hold
                    && oddity > threshold::ODD
                    && feed.is_outside(slot, value, OUTSIDE_SHARE) =>
                {
                    Some(slot)
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
                    (hold, ahead) = (None, 1);
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

    /// Whether a value lies outside of what the forecasts fed on around its place in earlier turns of
    /// the seasons, by more than a share of their spread.
    fn is_outside(&self, slot: usize, value: f64, share: f64) -> bool {
        let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
        for cycle in &self.timeline.cycles {
            for counterpart in cycle.counterparts(slot) {
                for near in counterpart.saturating_sub(1)..=(counterpart + 1).min(slot - 1) {
                    least = least.min(self.fed[near]);
                    most = most.max(self.fed[near]);
                }
            }
        }
        let margin = share * (most - least).max(0.0);
        value < least - margin || value > most + margin
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
