//! The scale of an error, known before the error is: what it follows are its [`mod@traits`]. Its logarithm
//! is linear in them (Harvey, *Estimating Regression Models with Multiplicative Heteroscedasticity*,
//! 1976); [`rows`] fits the weights. Each side has a scale of its own, half of it learnt from both sides.

mod rows;
mod traits;

use crate::forecast::Fitted;
use crate::forecast::profile::Profile;
use crate::forecast::timeline::Timeline;
use rows::{Rows, array, product};
use traits::{Base, TRAITS, traits};

/// The scales of one slot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    pub below: f64,
    pub above: f64,
    /// Of what lies beyond the usual: an incident is large as compared with the series' own spread, not
    /// with how calm the last hour was. It is the geometric mean of the spread, which is the timeline's
    /// unit, and a scale that follows time of day and volatility alone.
    pub far: f64,
}

impl Scale {
    /// The one on an error's side.
    pub fn on(&self, error: f64) -> f64 {
        if error < 0.0 { self.below } else { self.above }
    }
}

/// The scale of every slot from the first that is forecast on.
#[derive(Debug, Clone)]
pub struct Scales(Vec<Scale>);

/// The traits that the scale of rare events follows: the first ones.
const SOBER_TRAITS: usize = 4;
/// And the power by which it does.
const SOBER_POWER: f64 = 0.5;
/// How much of a side's scale is its own.
const OWN_SHARE: f64 = 0.5;
/// With fewer errors a side has no scale of its own.
const FEWEST_OF_A_SIDE: usize = 40;

impl Scales {
    /// How many weights are fitted, of either side.
    pub const PARAMETERS: usize = 2 * TRAITS;

    /// `None` if no error differs from zero.
    pub fn learn(fitted: &Fitted, timeline: &Timeline) -> Option<Self> {
        let sizes: Vec<Option<f64>> = fitted
            .errors
            .iter()
            .zip(&fitted.growth)
            .map(|(error, growth)| error.map(|error| error / growth))
            .collect();
        let phases = &timeline.phases[fitted.first..];
        let profile = Profile::of(&sizes, phases, timeline.phase_count);
        let floor = floor(&sizes)?;
        let bases: Vec<Base> = (0..timeline.phase_count)
            .map(|phase| Base::of(profile.at(phase).max(floor)))
            .collect();
        let traits = traits(fitted, timeline, &sizes, &bases);
        let rows = |side: fn(f64) -> bool| Rows::of(&traits, &sizes, side);
        let of_sides = [rows(|error| error < 0.0), rows(|error| error >= 0.0)];
        let both = Rows::of_both(&of_sides);
        let logarithms = both.logarithms(floor);
        let start = both.solve(&logarithms)?;
        let sober = both.solve(&logarithms[..SOBER_TRAITS])?;
        let shared = both.fit(&start)?;
        let own = |rows: &Rows| {
            let own = rows.fit(&start).filter(|_| rows.len() >= FEWEST_OF_A_SIDE);
            own.map_or_else(
                || shared.clone(),
                |own| own * OWN_SHARE + &shared * (1.0 - OWN_SHARE),
            )
        };
        let [below, above] = of_sides.each_ref().map(own);
        let [below, above, sober] = [below, above, sober].map(|weights| array(&weights));
        let scales = traits.iter().zip(&fitted.growth).map(|(row, growth)| {
            let far = SOBER_POWER * product(&sober, row);
            Scale {
                below: product(&below, row).exp() * growth,
                above: product(&above, row).exp() * growth,
                far: far.exp() * growth.powf(SOBER_POWER),
            }
        });
        let scales: Vec<Scale> = scales.collect();
        scales
            .iter()
            .all(|scale| scale.below.is_finite() && scale.above.is_finite() && scale.far > 0.0)
            .then_some(Self(scales))
    }

    pub fn at(&self, index: usize) -> Scale {
        self.0[index]
    }

    /// The median over all slots of one of their scales.
    pub fn median(&self, pick: impl Fn(&Scale) -> f64) -> f64 {
        let mut scales: Vec<f64> = self.0.iter().map(pick).collect();
        let middle = scales.len() / 2;
        *scales.select_nth_unstable_by(middle, f64::total_cmp).1
    }
}

#[expect(clippy::cast_precision_loss, reason = "a window has few slots")]
fn count(len: usize) -> f64 {
    len as f64
}

/// The least a scale's base may be, so that a series that repeats itself is not infinitely sure.
fn floor(sizes: &[Option<f64>]) -> Option<f64> {
    let known = sizes.iter().flatten().map(|size| size.abs());
    let mut sizes = Vec::with_capacity(sizes.len());
    sizes.extend(known);
    let mean = sizes.iter().sum::<f64>() / count(sizes.len());
    let middle = sizes.len() / 2;
    let median = *sizes.select_nth_unstable_by(middle, f64::total_cmp).1;
    let floor = (0.1 * mean).max(0.05 * median);
    (floor > 1e-12).then_some(floor)
}
