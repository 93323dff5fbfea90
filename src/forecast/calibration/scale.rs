//! The scale of an error, known before the error is. Its logarithm is linear in the variance features
//! (Harvey, *Estimating Regression Models with Multiplicative Heteroscedasticity*, 1976). Each side has
//! a scale of its own, half of it fitted to both sides.

use super::variance_features::{FEATURES, variance_features};
use super::variance_fit::{VarianceFit, product};
use crate::forecast::error_profile::ErrorProfile;
use crate::forecast::fitted::Fitted;
use crate::forecast::quantile::median;
use crate::forecast::timeline::Timeline;

/// The scales of the errors of one slot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    pub below: f64,
    pub above: f64,
    /// Of excesses in the tail: an incident is large as compared with the series' own spread, not with
    /// how calm the last hour was. It is the geometric mean of the spread, which is the timeline's unit,
    /// and a scale that follows time of day and volatility alone.
    pub tail: f64,
}

impl Scale {
    /// The one on an error's side.
    pub fn on_side_of(&self, error: f64) -> f64 {
        if error < 0.0 { self.below } else { self.above }
    }

    pub fn times(self, size: f64) -> Self {
        Self {
            below: self.below * size,
            above: self.above * size,
            tail: self.tail * size,
        }
    }
}

/// The scale of every slot from the first that is forecast on.
#[derive(Debug, Clone)]
pub struct Scales(Vec<Scale>);

impl Scales {
    /// The number of fitted weights, of either side.
    pub const PARAMETERS: usize = 2 * FEATURES;

    /// `None` if no error differs from zero.
    pub fn fit(fitted: &Fitted, timeline: &Timeline) -> Option<Self> {
        /// The scale of the tail follows the first features alone, by this power.
        const TAIL_FEATURES: usize = 4;
        const TAIL_POWER: f64 = 0.5;
        /// The share of a side's scale that is its own.
        const OWN_SHARE: f64 = 0.5;
        /// With fewer errors a side has no scale of its own.
        const FEWEST_OF_A_SIDE: f64 = 40.0;
        let errors = fitted.errors.iter().zip(&fitted.growth);
        let errors: Vec<Option<f64>> = errors
            .map(|(error, growth)| error.map(|error| error / growth))
            .collect();
        let phases = &timeline.phases[fitted.first..];
        let profile = ErrorProfile::new(&errors, phases, timeline.phase_count);
        let floor = floor(&errors)?;
        let phases = 0..timeline.phase_count;
        let usual: Vec<f64> = phases.map(|phase| profile.at(phase).max(floor)).collect();
        let features = variance_features(fitted, timeline, &errors, &usual);
        let side = |side: fn(f64) -> bool| VarianceFit::new(&features, &errors, side);
        let sides = [side(|error| error < 0.0), side(|error| error >= 0.0)];
        let both = VarianceFit::of_both(&sides);
        let logarithms = both.logarithms(floor);
        let start = both.solve(&logarithms)?;
        let tail = both.solve(&logarithms[..TAIL_FEATURES])?;
        let shared = both.fit(&start)?;
        let [below, above] = sides.each_ref().map(|side| {
            let is_own = side.count() >= FEWEST_OF_A_SIDE;
            let own = side.fit(&start).filter(|_| is_own).unwrap_or(shared);
            std::array::from_fn(|index| own[index] * OWN_SHARE + shared[index] * (1.0 - OWN_SHARE))
        });
        let rows = features.iter().zip(&fitted.growth);
        let scales = rows.map(|(row, growth)| Scale {
            below: product(&below, row).exp() * growth,
            above: product(&above, row).exp() * growth,
            tail: (TAIL_POWER * product(&tail, row)).exp() * growth.powf(TAIL_POWER),
        });
        let is_usable =
            |scale: &Scale| scale.below.is_finite() && scale.above.is_finite() && scale.tail > 0.0;
        let scales: Vec<Scale> = scales.collect();
        scales.iter().all(is_usable).then_some(Self(scales))
    }

    pub fn at(&self, index: usize) -> Scale {
        self.0[index]
    }

    /// The medians over all slots.
    pub fn median(&self) -> Scale {
        let median = |pick: fn(&Scale) -> f64| {
            let mut scales: Vec<f64> = self.0.iter().map(pick).collect();
            median(&mut scales).unwrap_or_default()
        };
        Scale {
            below: median(|scale| scale.below),
            above: median(|scale| scale.above),
            tail: median(|scale| scale.tail),
        }
    }
}

/// The least usual error, so that a series that repeats itself is not infinitely certain.
fn floor(errors: &[Option<f64>]) -> Option<f64> {
    let mut sizes: Vec<f64> = errors.iter().flatten().map(|error| error.abs()).collect();
    #[expect(clippy::cast_precision_loss, reason = "a window has few slots")]
    let mean = sizes.iter().sum::<f64>() / sizes.len() as f64;
    let floor = (0.1 * mean).max(0.05 * median(&mut sizes)?);
    (floor > 1e-12).then_some(floor)
}
