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

use super::habit::Habit;
use super::run::Run;
use super::{Blend, Drift};
use crate::forecast::Fitted;
use crate::forecast::profile::Profile;
use crate::forecast::timeline::Timeline;

/// Within this many usual errors, for the time of day and the recent volatility, a held series is back.
const BACK: f64 = 2.0;
/// The rest of a single jump beyond so many is left out, where the season says nothing.
const JUMP: f64 = 10.0;
/// A held series is back when so many values in a row are, or as many as were held: noise brings one
/// back by chance.
const BACK_TIMES: usize = 3;
/// While a series is held, a share of each error is let in, so much that it comes to this over the slots
/// that a hold may last. A forecast that keeps to its season hardly heeds it; one that leans on the
/// last values nears what is there, and not all hours of a holiday are odd.
const LET_IN: f64 = 5.0;
/// And never more than this at a time, where a hold lasts a few slots.
const MOST_LET_IN: f64 = 0.5;
/// By how many usual departures from its place in the season a value has to be off to be held, and to
/// stay held.
const FAR: f64 = 3.0;
const OFF: f64 = 1.5;
/// An incident comes at once: this much of a departure is new against the values just before.
const NEW_SHARE: f64 = 0.6;
const JUST_BEFORE: usize = 6;
/// The volatility is that of the last few dozen values: half of it is from this many.
const VOLATILITY_HALF_LIFE: f64 = 36.0;

#[derive(Debug)]
pub struct Feed<'a> {
    timeline: &'a Timeline,
    habit: Option<&'a Habit<'a>>,
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
    pub fn replay(
        timeline: &'a Timeline,
        blend: &Blend,
        habit: Option<&'a Habit<'a>>,
        patience: usize,
    ) -> Self {
        let phases = &timeline.phases[blend.first..timeline.len()];
        let profile = Profile::of(&blend.errors, phases, timeline.phase_count);
        let drift = OnceCell::new();
        let count = timeline.len() + 1 - blend.first;
        let mut feed = Self {
            timeline,
            habit,
            first: blend.first,
            fed: timeline.filled.clone(),
            expected: Vec::with_capacity(count),
            errors: Vec::with_capacity(count),
            growth: Vec::with_capacity(count),
            held_since: Vec::with_capacity(count),
        };
        let keep = 0.5_f64.powf(1.0 / VOLATILITY_HALF_LIFE);
        #[expect(clippy::cast_precision_loss, reason = "a window has few slots")]
        let let_in = (LET_IN / patience as f64).min(MOST_LET_IN);
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
                    .get_or_init(|| Drift::measure(blend, timeline, &profile, patience))
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
                Some(since) if oddity > BACK && feed.departure(slot, value).abs() > OFF => {
                    back = 0;
                    Some(since)
                }
                Some(since) if back + 1 < BACK_TIMES.min(slot - since - back) => {
                    back += 1;
                    Some(since)
                }
                None if slot >= settled
                    && run.is_a_jump(slot)
                    && feed.has_left_its_habit(run.since, slot, value) =>
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
                feed.fed[slot] = expected + let_in * (value - expected);
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
            jumped = !jumped && oddity > JUMP;
            feed.fed[slot] = if jumped {
                expected + (value - expected) * JUMP / oddity
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

    /// Whether a value is far off from what its place in the season saw, and was not already before.
    fn has_left_its_habit(&self, since: usize, slot: usize, value: f64) -> bool {
        let departure = self.departure(slot, value);
        if departure.abs() <= FAR {
            return false;
        }
        let slots = since.saturating_sub(JUST_BEFORE)..since;
        #[expect(clippy::cast_precision_loss, reason = "a few")]
        let count = slots.len().max(1) as f64;
        let before: f64 = slots.map(|slot| self.departure(slot, self.fed[slot])).sum();
        (departure - before / count) * departure.signum() > NEW_SHARE * departure.abs()
    }

    /// In usual departures from the slot's place in the season; 0 where there is no strong one.
    fn departure(&self, slot: usize, value: f64) -> f64 {
        self.habit
            .map_or(0.0, |habit| habit.departure(slot, value, &self.fed))
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
