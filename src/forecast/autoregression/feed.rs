//! What each forecast feeds on. A forecast that leans on the last values follows an incident: the
//! second bad bucket looks normal. So the history is replayed, and a value too odd to be news is kept
//! from the forecasts after it: they feed on what was expected there, until the values are back among
//! those that their place in the season saw, or the new level has lasted long enough to be the new one.
//! Meanwhile the forecast is that of the regression that knows the season the series belongs by, and
//! as uncertain as one of so many steps ahead (see [`Drift`]). The idea is that of robust filters
//! (Gelper, Fried and Croux, *Robust Forecasting with Exponential and Holt-Winters Smoothing*, 2010),
//! with a gap in place of a clipped value.

use std::cell::OnceCell;
use std::ops::Range;

use super::echo::Echo;
use super::habit::Habit;
use super::run::Run;
use super::{Blend, Drift, Horizon};
use crate::forecast::Fitted;
use crate::forecast::profile::Profile;
use crate::forecast::timeline::Timeline;

/// The rest of an error beyond so many usual ones is left out: of a single jump, where the season says
/// nothing, and of what is let in while a series is held.
const JUMP: f64 = 10.0;
/// A held series is back when so many values in a row are where they belong, or as many as were held:
/// noise brings one back by chance.
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

/// Values that are held to be an incident.
#[derive(Debug, Clone, Copy)]
struct Hold {
    since: usize,
    /// How many values in a row are back.
    back: usize,
}

impl Hold {
    fn from(since: usize) -> Self {
        Self { since, back: 0 }
    }

    /// With the value of the next slot, by its departure from its place in the season. `None` once the
    /// series is back.
    fn followed_by(self, slot: usize, departure: f64) -> Option<Self> {
        if departure.abs() > OFF {
            return Some(Self { back: 0, ..self });
        }
        let back = self.back + 1;
        let held = slot - self.since - self.back;
        (back < BACK_TIMES.min(held)).then_some(Self { back, ..self })
    }
}

#[derive(Debug)]
pub struct Feed<'a> {
    timeline: &'a Timeline,
    habit: Option<&'a Habit<'a>>,
    first: usize,
    /// Of the latest forecast.
    pub horizon: Horizon,
    fed: Vec<f64>,
    expected: Vec<f64>,
    errors: Vec<Option<f64>>,
    growth: Vec<f64>,
    disagreement: Vec<f64>,
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
        let mut echo = Echo::learn(&blend.errors, blend.first, &profile, timeline);
        let drift = OnceCell::new();
        let count = timeline.len() + 1 - blend.first;
        let mut feed = Self {
            timeline,
            habit,
            first: blend.first,
            horizon: Horizon::Next,
            fed: timeline.filled.clone(),
            expected: Vec::with_capacity(count),
            errors: Vec::with_capacity(count),
            growth: Vec::with_capacity(count),
            disagreement: Vec::with_capacity(count),
            held_since: Vec::with_capacity(count),
        };
        let keep = 0.5_f64.powf(1.0 / VOLATILITY_HALF_LIFE);
        #[expect(clippy::cast_precision_loss, reason = "a window has few slots")]
        let let_in = (LET_IN / patience as f64).min(MOST_LET_IN);
        let (mut volatility, mut ahead, mut jumped) = (1.0_f64, 1, false);
        let mut hold: Option<Hold> = None;
        let mut run = Run::none(blend.first);
        // A level that was accepted is not an incident again before it is learnt.
        let mut settled = blend.first;
        let mut row = Vec::new();
        for slot in blend.first..=timeline.len() {
            feed.horizon = Horizon::of(ahead);
            let expectation = blend.expect(slot, feed.horizon, &feed.fed, timeline, &mut row);
            let expected = expectation.value + echo.expect(slot);
            let growth = if ahead == 1 {
                1.0
            } else {
                drift
                    .get_or_init(|| Drift::measure(blend, timeline, &profile, patience))
                    .at(ahead)
            };
            feed.expected.push(expected);
            feed.growth.push(growth);
            feed.disagreement.push(expectation.disagreement);
            let value = timeline.values.get(slot).copied().flatten();
            let Some(value) = value else {
                feed.errors.push(None);
                feed.held_since.push(hold.map(|hold| hold.since));
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
                Some(hold) => hold.followed_by(slot, feed.departure(slot, value)),
                None if slot >= settled
                    && run.is_a_jump(slot)
                    && feed.has_left_its_habit(run.since, slot, value) =>
                {
                    feed.hold_back(run.since..slot);
                    echo.forget(run.since);
                    Some(Hold::from(run.since))
                }
                None => None,
            };
            feed.held_since.push(hold.map(|hold| hold.since));
            if let Some(Hold { since, .. }) = hold {
                feed.errors.push(None);
                feed.fed[slot] = expected + let_in * (value - expected) * (JUMP / oddity).min(1.0);
                ahead += 1;
                if slot + 1 - since >= patience {
                    feed.accept(since, slot);
                    (hold, ahead, settled) = (None, 1, slot + 1 + patience);
                }
                continue;
            }
            ahead = 1;
            let unseen = |expected: f64| (value - expected) / (1.0 - expectation.leverage);
            feed.errors.push(Some(unseen(expected)));
            echo.hear(slot, unseen(expectation.value));
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
            disagreement: self.disagreement,
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
mod tests {
    use super::*;

    /// How many slots a hold from slot 10 lasts, by the departures of the values after it.
    fn lasts(departures: &[f64]) -> usize {
        let mut hold = Some(Hold::from(10));
        let slots = (11..).zip(departures);
        slots
            .take_while(|(slot, departure)| {
                hold = hold.and_then(|hold| hold.followed_by(*slot, **departure));
                hold.is_some()
            })
            .count()
    }

    #[test]
    fn a_hold_ends_with_the_third_value_in_a_row_that_is_back() {
        let off = 2.0 * OFF;
        assert_eq!(lasts(&[off, off, off, 0.0, 0.0, 0.0, off]), 5);
        assert_eq!(lasts(&[off, off, -off, 0.0, 0.0, off, 0.0, 0.0, 0.0]), 8);
    }

    #[test]
    fn a_single_spike_is_held_no_longer_than_it_lasted() {
        assert_eq!(lasts(&[0.0, 0.0]), 0);
        assert_eq!(lasts(&[2.0 * OFF, 0.0, 0.0, 0.0]), 2);
    }
}
