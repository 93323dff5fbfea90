//! The scale of an error, known before the error is: it follows the time of day, the level, how
//! steeply the forecast moves, and how volatile the last values were. Its logarithm is linear in what
//! it follows (Harvey, *Estimating Regression Models with Multiplicative Heteroscedasticity*, 1976),
//! fitted by gamma quasi-likelihood, whose weights are constant so that one factorisation serves all
//! rounds (McCullagh and Nelder, *Generalized Linear Models*, 1989, chapter 8). Each side has a scale
//! of its own, half of it learnt from both sides.

use nalgebra::{Cholesky, DMatrix, DVector, Dyn};

use crate::forecast::Fitted;
use crate::forecast::profile::Profile;
use crate::forecast::timeline::Timeline;

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

/// What the logarithm of a scale is linear in, the constant included.
const TRAITS: usize = 9;
/// The traits that the scale of rare events follows: the first ones.
const SOBER_TRAITS: usize = 4;
/// And the power by which it does.
const SOBER_POWER: f64 = 0.5;
/// What the logarithm of the scale is made of, before any data.
const PRIOR: [f64; TRAITS] = [0.0, 1.0, 0.3, 0.3, 0.0, 0.0, 0.0, 0.0, 0.0];
/// How much of the rows' weight the prior has.
const PRIOR_SHARE: f64 = 0.01;
const ROUNDS: usize = 3;
/// An error counts as at most this many times its scale, so that one incident does not widen the band.
const CAP: f64 = 6.0;
/// How much of a side's scale is its own.
const OWN_SHARE: f64 = 0.5;
/// With fewer errors a side has no scale of its own.
const FEWEST_OF_A_SIDE: usize = 40;
/// Half of a volatility is from the last so many values: the very last one, and a few.
const HALF_LIVES: [f64; 2] = [1.0, 8.0];

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
        let traits = traits(fitted, timeline, &sizes, |phase| {
            profile.at(phase).max(floor)
        });
        let rows = |side: fn(f64) -> bool| Rows::of(&traits, &sizes, side);
        let both = rows(|_| true);
        let start = both.fit_logarithms(TRAITS, floor)?;
        let sober = both.fit_logarithms(SOBER_TRAITS, floor)?;
        let shared = both.fit(&start)?;
        let own = |side: fn(f64) -> bool| {
            let rows = rows(side);
            let own = rows
                .fit(&start)
                .filter(|_| rows.sizes.len() >= FEWEST_OF_A_SIDE);
            own.map_or(shared.clone(), |own| {
                own * OWN_SHARE + &shared * (1.0 - OWN_SHARE)
            })
        };
        let (below, above) = (own(|error| error < 0.0), own(|error| error >= 0.0));
        let log_scale = |weights: &DVector<f64>, row: &[f64; TRAITS]| {
            let products = weights.iter().zip(row);
            products.map(|(weight, value)| weight * value).sum::<f64>()
        };
        let scales = traits.iter().zip(&fitted.growth).map(|(row, growth)| {
            let far = SOBER_POWER * log_scale(&sober, row);
            Scale {
                below: log_scale(&below, row).exp() * growth,
                above: log_scale(&above, row).exp() * growth,
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
    let mut sizes: Vec<f64> = sizes.iter().flatten().map(|size| size.abs()).collect();
    let mean = sizes.iter().sum::<f64>() / count(sizes.len());
    let middle = sizes.len() / 2;
    let median = *sizes.select_nth_unstable_by(middle, f64::total_cmp).1;
    let floor = (0.1 * mean).max(0.05 * median);
    (floor > 1e-12).then_some(floor)
}

/// What the logarithm of each slot's scale is linear in. Each grows as a logarithm does, so that a
/// spike ten times as high as any before has a scale some times as large, and not one beyond all bounds.
fn traits(
    fitted: &Fitted,
    timeline: &Timeline,
    sizes: &[Option<f64>],
    base: impl Fn(usize) -> f64,
) -> Vec<[f64; TRAITS]> {
    /// No volatility is taken to be below this share of the usual.
    const CALM: f64 = 0.02;
    /// No error counts for more than this many times the volatility before it.
    const CAP: f64 = 4.0;
    let keep = |half_life: f64| 0.5_f64.powf(1.0 / half_life);
    let turn = count(timeline.phase_count.max(24));
    let keeps = [keep(HALF_LIVES[0]), keep(HALF_LIVES[1]), keep(turn)];
    let mut volatility = [1.0_f64; 3];
    let season = timeline.cycles.first();
    let mut traits = Vec::with_capacity(fitted.expected.len());
    for (index, expected) in fitted.expected.iter().enumerate() {
        let slot = fitted.first + index;
        let base = base(timeline.phases[slot]);
        let before = season
            .and_then(|season| season.counterpart(slot))
            .map_or(*expected, |slot| fitted.fed[slot]);
        let log = |volatility: f64| volatility.max(CALM).ln();
        let distance = |from: f64| ((expected - from).abs() / base + 0.3).ln();
        traits.push([
            1.0,
            base.ln(),
            log(volatility[1]),
            log(volatility[2]),
            (1.0 + (expected * expected + 0.01).sqrt()).ln(),
            log(volatility[0]),
            expected.asinh(),
            distance(fitted.fed[slot - 1]),
            distance(before),
        ]);
        if let Some(size) = sizes[index] {
            let most = CAP * volatility[2].max(0.2).max(volatility[1]);
            let size = (size.abs() / base).min(most);
            for (volatility, keep) in volatility.iter_mut().zip(keeps) {
                *volatility = keep * *volatility + (1.0 - keep) * size;
            }
        }
    }
    traits
}

/// The slots whose error is known, of one side or of both.
struct Rows<'a> {
    traits: Vec<&'a [f64; TRAITS]>,
    sizes: Vec<f64>,
}

impl<'a> Rows<'a> {
    fn of(traits: &'a [[f64; TRAITS]], sizes: &[Option<f64>], side: impl Fn(f64) -> bool) -> Self {
        let known = traits.iter().zip(sizes);
        let known = known.filter_map(|(row, size)| Some((row, size.filter(|size| side(*size))?)));
        let (traits, sizes) = known.map(|(row, size)| (row, size.abs())).unzip();
        Self { traits, sizes }
    }

    /// Least squares of the logarithms: a first guess that no large error sways.
    fn fit_logarithms(&self, used: usize, floor: f64) -> Option<DVector<f64>> {
        let logarithms = self.sizes.iter().map(|size| (size + floor).ln());
        let mut moments = self.moments(logarithms, used);
        let strength = PRIOR_SHARE * count(self.sizes.len());
        for index in 1..used {
            moments[index] += strength * PRIOR[index];
        }
        Some(self.factor(used)?.solve(&moments))
    }

    /// Gamma quasi-likelihood with a logarithmic link, from a first guess.
    fn fit(&self, start: &DVector<f64>) -> Option<DVector<f64>> {
        /// No weight moves farther than this in a round.
        const STRIDE: f64 = 0.5;
        let factor = self.factor(TRAITS)?;
        let strength = PRIOR_SHARE * count(self.sizes.len());
        let mut weights = start.clone();
        let ratio = |weights: &DVector<f64>, index: usize| {
            let products = weights.iter().zip(self.traits[index]);
            self.sizes[index]
                / products
                    .map(|(weight, value)| weight * value)
                    .sum::<f64>()
                    .exp()
        };
        let mean = (0..self.sizes.len())
            .map(|index| ratio(&weights, index).min(2.0 * CAP))
            .sum::<f64>()
            / count(self.sizes.len());
        weights[0] += mean.max(1e-9).ln();
        for _ in 0..ROUNDS {
            let surprises =
                (0..self.sizes.len()).map(|index| ratio(&weights, index).min(CAP) - 1.0);
            let mut moments = self.moments(surprises, TRAITS);
            for index in 1..TRAITS {
                moments[index] += strength * (PRIOR[index] - weights[index]);
            }
            weights += factor
                .solve(&moments)
                .map(|step| step.clamp(-STRIDE, STRIDE));
        }
        weights
            .iter()
            .all(|weight| weight.is_finite())
            .then_some(weights)
    }

    fn moments(&self, targets: impl Iterator<Item = f64>, used: usize) -> DVector<f64> {
        let mut moments = DVector::zeros(used);
        for (row, target) in self.traits.iter().zip(targets) {
            for (moment, value) in moments.iter_mut().zip(row.iter()) {
                *moment += value * target;
            }
        }
        moments
    }

    fn factor(&self, used: usize) -> Option<Cholesky<f64, Dyn>> {
        let mut products = DMatrix::zeros(used, used);
        for row in &self.traits {
            for left in 0..used {
                for right in 0..=left {
                    products[(left, right)] += row[left] * row[right];
                }
            }
        }
        let strength = PRIOR_SHARE * count(self.sizes.len());
        for index in 0..used {
            products[(index, index)] += if index == 0 { 1e-9 } else { strength };
        }
        products.cholesky()
    }
}

#[cfg(test)]
mod tests;
