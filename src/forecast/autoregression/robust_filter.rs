//! The values that each forecast is computed from: values that jump away from their forecasts are
//! replaced by expectations in the forecasts after them, until the values are back among those of the
//! seasonal baseline, or the new level has lasted long enough to be accepted. The idea is that of robust
//! filters (Gelper, Fried and Croux, *Robust Forecasting with Exponential and Holt-Winters Smoothing*,
//! 2010), with a gap in place of a clipped value.

use super::Combination;
use super::cusum::Cusum;
use super::error_correction::ErrorCorrection;
use super::seasonal_baseline::SeasonalBaseline;
use crate::forecast::error_profile::ErrorProfile;
use crate::forecast::fitted::Fitted;
use crate::forecast::timeline::Timeline;

/// Errors count as no larger than this many usual ones: that of a single jump where there is no
/// baseline, and that of which a share is let in while values are held.
const CAP: f64 = 10.0;

/// Values that are held to be an incident.
#[derive(Debug, Clone, Copy)]
struct Hold {
    since: usize,
    /// How many values in a row are back at the baseline.
    back: usize,
}

impl Hold {
    /// In usual deviations.
    const OFF_BASELINE: f64 = 1.5;

    fn new(since: usize) -> Self {
        Self { since, back: 0 }
    }

    /// With the value of the next slot, by its deviation from the baseline. `None` once the series is
    /// back: so many values in a row, or as many as were held; noise brings one back by chance.
    fn followed_by(self, slot: usize, deviation: f64) -> Option<Self> {
        const BACK: usize = 3;
        if deviation.abs() > Self::OFF_BASELINE {
            return Some(Self { back: 0, ..self });
        }
        let back = self.back + 1;
        let held = slot - self.since - self.back;
        (back < BACK.min(held)).then_some(Self { back, ..self })
    }
}

struct RobustFilter<'a> {
    timeline: &'a Timeline,
    baseline: Option<&'a SeasonalBaseline<'a>>,
    correction: ErrorCorrection<'a>,
    /// How far the next slot is from the last value that was known and not held.
    steps_ahead: usize,
    /// As far as the history was filtered.
    fitted: Fitted,
}

/// Forecasts each slot of the history, and the one after it. A hold lasts no more than `longest_hold`
/// slots.
pub fn run(
    timeline: &Timeline,
    combination: &Combination,
    baseline: Option<&SeasonalBaseline>,
    longest_hold: usize,
) -> Fitted {
    /// While values are held, a share of each error is let in, so that all shares of the longest hold
    /// add up to this. A forecast that keeps to its season hardly follows; one that leans on the last
    /// values approaches what is there, and not all hours of a holiday are unusual.
    const LET_IN: f64 = 5.0;
    /// The largest share, where the longest hold is a few slots.
    const MOST_LET_IN: f64 = 0.5;
    /// Half of the volatility is from so many values.
    const VOLATILITY_HALF_LIFE: f64 = 36.0;
    let first = combination.first;
    let phases = &timeline.phases[first..timeline.len()];
    let profile = ErrorProfile::new(&combination.errors, phases, timeline.phase_count);
    let horizon_growth = combination.horizon_growth(longest_hold);
    let mut filter = RobustFilter {
        timeline,
        baseline,
        correction: ErrorCorrection::fit(&combination.errors, first, &profile, timeline),
        steps_ahead: 1,
        fitted: Fitted {
            first,
            filtered: timeline.filled.clone(),
            parameters: combination.regressors.count(),
            ..Fitted::default()
        },
    };
    let keep = 0.5_f64.powf(1.0 / VOLATILITY_HALF_LIFE);
    #[expect(clippy::cast_precision_loss, reason = "a window has few slots")]
    let let_in = (LET_IN / longest_hold as f64).min(MOST_LET_IN);
    let (mut volatility, mut was_capped) = (1.0_f64, false);
    let mut hold: Option<Hold> = None;
    let mut cusum = Cusum::new(first);
    // A level that was accepted is not an incident again before it is learnt.
    let mut accepted_until = first;
    let mut row = Vec::new();
    for slot in first..=timeline.len() {
        let (ahead, filtered) = (filter.steps_ahead, &filter.fitted.filtered);
        let expectation = combination.expect(slot, ahead, filtered, timeline, &mut row);
        let expected = expectation.value + filter.correction.expect(slot);
        let growth = horizon_growth[ahead.min(longest_hold) - 1];
        filter.fitted.expected.push(expected);
        filter.fitted.growth.push(growth);
        filter.fitted.disagreement.push(expectation.disagreement);
        if slot == timeline.len() {
            let fitted = &mut filter.fitted;
            fitted.contributions =
                combination.contributions(ahead, expected, &fitted.filtered, timeline);
            (fitted.clipped, fitted.fences) = combination.outliers(expected, timeline);
        }
        let Some(value) = timeline.values.get(slot).copied().flatten() else {
            filter.push_unknown(slot, expected, hold);
            continue;
        };
        let usual = profile.at(timeline.phases[slot]);
        let error = value - expected;
        let standardized = error.abs() / (usual * volatility.max(0.3) * growth);
        cusum = match hold {
            Some(_) => Cusum::new(slot + 1),
            None => cusum.followed_by(slot, value > expected, standardized),
        };
        let is_healthy = timeline.healthy[slot];
        if is_healthy {
            cusum = Cusum::new(slot + 1);
        }
        hold = match hold {
            _ if is_healthy => None,
            Some(hold) => hold.followed_by(slot, filter.deviation(slot, value)),
            None if slot >= accepted_until
                && cusum.is_a_jump(slot)
                && filter.has_left_baseline(cusum.since, slot, value) =>
            {
                filter.reject(cusum.since, slot);
                Some(Hold::new(cusum.since))
            }
            None => None,
        };
        if let Some(Hold { since, .. }) = hold {
            let part = let_in * error * (CAP / standardized).min(1.0);
            filter.push_unknown(slot, expected + part, hold);
            if slot + 1 - since >= longest_hold {
                filter.accept(since, slot);
                (hold, accepted_until) = (None, slot + 1 + longest_hold);
            }
            continue;
        }
        filter.steps_ahead = 1;
        let unseen = 1.0 - expectation.leverage;
        filter.fitted.errors.push(Some(error / unseen));
        filter.fitted.held_since.push(None);
        let of_regressions = (value - expectation.value) / unseen;
        filter.correction.push(Some(of_regressions));
        let capped = (error.abs() / usual).min(5.0 * volatility.max(0.5));
        volatility = keep * volatility + (1.0 - keep) * capped;
        was_capped = !was_capped && standardized > CAP && !is_healthy;
        filter.fitted.filtered[slot] = if was_capped {
            expected + error * CAP / standardized
        } else {
            value
        };
    }
    filter.fitted
}

impl RobustFilter<'_> {
    /// A slot without an error, for want of a value or because it is held.
    fn push_unknown(&mut self, slot: usize, filtered: f64, hold: Option<Hold>) {
        self.fitted.errors.push(None);
        self.fitted.held_since.push(hold.map(|hold| hold.since));
        if let Some(value) = self.fitted.filtered.get_mut(slot) {
            *value = filtered;
        }
        self.correction.push(None);
        self.steps_ahead += 1;
    }

    /// The values from a slot to another are the new level.
    fn accept(&mut self, since: usize, last: usize) {
        for slot in since..=last {
            if let Some(value) = self.timeline.values[slot] {
                self.fitted.filtered[slot] = value;
            }
        }
        self.steps_ahead = 1;
    }

    /// The values from a slot to before another are an incident: no forecast after it is computed from
    /// them.
    fn reject(&mut self, since: usize, end: usize) {
        for slot in since..end {
            let index = slot - self.fitted.first;
            self.fitted.filtered[slot] = self.fitted.expected[index];
            self.fitted.errors[index] = None;
            self.fitted.held_since[index] = Some(since);
        }
        self.correction.forget(since);
    }

    /// Whether a value is far from the baseline, and the values just before were not.
    fn has_left_baseline(&self, since: usize, slot: usize, value: f64) -> bool {
        /// In usual deviations.
        const FAR: f64 = 3.0;
        /// The share of the deviation that must be new against the values just before.
        const NEW_SHARE: f64 = 0.6;
        const JUST_BEFORE: usize = 6;
        let deviation = self.deviation(slot, value);
        if deviation.abs() <= FAR {
            return false;
        }
        let slots = since.saturating_sub(JUST_BEFORE)..since;
        #[expect(clippy::cast_precision_loss, reason = "a few")]
        let count = slots.len().max(1) as f64;
        let before = slots.map(|slot| self.deviation(slot, self.fitted.filtered[slot]));
        let new = deviation - before.sum::<f64>() / count;
        new * deviation.signum() > NEW_SHARE * deviation.abs()
    }

    /// From the baseline, in usual deviations; 0 where there is none.
    fn deviation(&self, slot: usize, value: f64) -> f64 {
        self.baseline.map_or(0.0, |baseline| {
            baseline.deviation(slot, value, &self.fitted.filtered)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many slots a hold from slot 10 lasts, by the deviations of the values after it.
    fn lasts(deviations: &[f64]) -> usize {
        let mut hold = Some(Hold::new(10));
        let slots = (11..).zip(deviations);
        slots
            .take_while(|(slot, deviation)| {
                hold = hold.and_then(|hold| hold.followed_by(*slot, **deviation));
                hold.is_some()
            })
            .count()
    }

    #[test]
    fn a_hold_ends_with_the_third_value_in_a_row_that_is_back() {
        let off = 2.0 * Hold::OFF_BASELINE;
        assert_eq!(lasts(&[off, off, off, 0.0, 0.0, 0.0, off]), 5);
        assert_eq!(lasts(&[off, off, -off, 0.0, 0.0, off, 0.0, 0.0, 0.0]), 8);
    }

    #[test]
    fn a_single_spike_is_held_no_longer_than_it_lasted() {
        let off = 2.0 * Hold::OFF_BASELINE;
        assert_eq!(lasts(&[0.0, 0.0]), 0);
        assert_eq!(lasts(&[off, 0.0, 0.0, 0.0]), 2);
    }
}
