//! The scale of an error, known before the error is: it follows the time of day, the level, how
//! steeply the forecast moves, how volatile the last values were and those around the same time of
//! earlier days and weeks, and how far apart the forecasts are that were averaged. Its logarithm is linear in what
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
const TRAITS: usize = 12;
/// The traits that the scale of rare events follows: the first ones.
const SOBER_TRAITS: usize = 4;
/// And the power by which it does.
const SOBER_POWER: f64 = 0.5;
/// What the logarithm of the scale is made of, before any data.
const PRIOR: [f64; TRAITS] = [0.0, 1.0, 0.3, 0.3, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
/// How much of the rows' weight the prior has.
const PRIOR_SHARE: f64 = 0.01;
const ROUNDS: usize = 3;
/// An error counts as at most this many times its scale, so that one incident does not widen the band.
const CAP: f64 = 6.0;
/// How much of a side's scale is its own.
const OWN_SHARE: f64 = 0.5;
/// With fewer errors a side has no scale of its own.
const FEWEST_OF_A_SIDE: usize = 40;
/// With more errors than this, only every other or third... teaches the weights: so many are plenty.
const MOST_ROWS: usize = 4096;
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
            let own = rows
                .fit(&start)
                .filter(|_| rows.sizes.len() >= FEWEST_OF_A_SIDE);
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

/// What is usual at a place of the season.
#[derive(Debug, Clone, Copy)]
struct Base {
    logarithm: f64,
    inverse: f64,
}

impl Base {
    fn of(size: f64) -> Self {
        Self {
            logarithm: size.ln(),
            inverse: size.recip(),
        }
    }
}

/// What the logarithm of each slot's scale is linear in. Each grows as a logarithm does, so that a
/// spike ten times as high as any before has a scale some times as large, and not one beyond all bounds.
fn traits(
    fitted: &Fitted,
    timeline: &Timeline,
    sizes: &[Option<f64>],
    bases: &[Base],
) -> Vec<[f64; TRAITS]> {
    /// No volatility is taken to be below this share of the usual.
    const CALM: f64 = 0.02;
    /// No error counts for more than this many times the volatility before it.
    const CAP: f64 = 4.0;
    /// Forecasts this near to each other, in usual errors, agree.
    const AGREED: f64 = 0.1;
    let keep = |half_life: f64| 0.5_f64.powf(1.0 / half_life);
    let turn = count(timeline.phase_count.max(24));
    let keeps = [keep(HALF_LIVES[0]), keep(HALF_LIVES[1]), keep(turn)];
    let mut volatility = [1.0_f64; 3];
    let season = timeline.cycles.first();
    let level_of = |expected: f64| (1.0 + (expected * expected + 0.01).sqrt()).ln();
    let level_at_centre = level_of(0.0);
    let memory = |season: usize, reach: usize| Memory {
        timeline,
        first: fitted.first,
        season,
        reach,
    };
    let (of_days, of_weeks) = (memory(0, 1), memory(1, 2));
    let mut ratios: Vec<Option<f64>> = Vec::with_capacity(sizes.len());
    let mut traits = Vec::with_capacity(fitted.expected.len());
    for (index, expected) in fitted.expected.iter().enumerate() {
        let slot = fitted.first + index;
        let base = bases[timeline.phases[slot]];
        let before = season
            .and_then(|season| season.counterpart(slot))
            .map_or(*expected, |slot| fitted.fed[slot]);
        let log = |volatility: f64| volatility.max(CALM).ln();
        let level = level_of(*expected);
        let distance = |from: f64| ((expected - from).abs() * base.inverse + 0.3).ln();
        traits.push([
            1.0,
            base.logarithm,
            log(volatility[1]),
            log(volatility[2]),
            level,
            log(volatility[0]),
            (level - level_at_centre).copysign(*expected),
            distance(fitted.fed[slot - 1]),
            distance(before),
            (fitted.disagreement[index] * base.inverse + AGREED).ln(),
            of_days.of(slot, &ratios),
            of_weeks.of(slot, &ratios),
        ]);
        let ratio = sizes[index].map(|size| size.abs() * base.inverse);
        ratios.push(ratio);
        if let Some(ratio) = ratio {
            let most = CAP * volatility[2].max(0.2).max(volatility[1]);
            let size = ratio.min(most);
            for (volatility, keep) in volatility.iter_mut().zip(keeps) {
                *volatility = keep * *volatility + (1.0 - keep) * size;
            }
        }
    }
    traits
}

/// How large errors were around the same place of earlier turns of a season: of a week, say, in which
/// Saturdays are wild.
struct Memory<'a> {
    timeline: &'a Timeline,
    /// The slot of the first ratio.
    first: usize,
    season: usize,
    /// How many slots on either side of the place.
    reach: usize,
}

impl Memory<'_> {
    /// The logarithm of their mean, from the ratios up to the slot; 0 without that season.
    fn of(&self, slot: usize, ratios: &[Option<f64>]) -> f64 {
        /// None counts for more than so many usual errors.
        const CAP: f64 = 3.0;
        /// Before any is known, a usual one counts as so many of them.
        const PRIOR: f64 = 0.3;
        const CALM: f64 = 0.1;
        let Some(cycle) = self.timeline.cycles.get(self.season) else {
            return 0.0;
        };
        let (mut sum, mut count) = (PRIOR, PRIOR);
        for counterpart in cycle.counterparts(slot) {
            let Some(end) = (counterpart + self.reach + 1).checked_sub(self.first) else {
                break;
            };
            let end = end.min(ratios.len());
            let start = end.saturating_sub(2 * self.reach + 1);
            for ratio in ratios[start..end].iter().flatten() {
                sum += ratio.min(CAP);
                count += 1.0;
            }
        }
        (sum / count + CALM).ln()
    }
}

/// Weights as an array, zero where there are none.
fn array(weights: &DVector<f64>) -> [f64; TRAITS] {
    let mut array = [0.0; TRAITS];
    for (place, weight) in array.iter_mut().zip(weights.iter()) {
        *place = *weight;
    }
    array
}

fn product(weights: &[f64; TRAITS], row: &[f64; TRAITS]) -> f64 {
    let mut sums = [0.0; 3];
    for (weights, row) in weights.chunks_exact(3).zip(row.chunks_exact(3)) {
        for (sum, (weight, value)) in sums.iter_mut().zip(weights.iter().zip(row)) {
            *sum += weight * value;
        }
    }
    sums[0] + sums[1] + sums[2]
}

/// The slots whose error is known, of one side or of both.
struct Rows<'a> {
    traits: Vec<&'a [f64; TRAITS]>,
    sizes: Vec<f64>,
    /// Sums of the products of any two traits.
    products: [[f64; TRAITS]; TRAITS],
}

impl<'a> Rows<'a> {
    fn of(traits: &'a [[f64; TRAITS]], sizes: &[Option<f64>], side: impl Fn(f64) -> bool) -> Self {
        let mut rows = Self {
            traits: Vec::with_capacity(sizes.len()),
            sizes: Vec::with_capacity(sizes.len()),
            products: [[0.0; TRAITS]; TRAITS],
        };
        let every = sizes.len().div_ceil(MOST_ROWS).max(1);
        for (row, size) in traits.iter().zip(sizes).step_by(every) {
            if let Some(size) = size.filter(|size| side(*size)) {
                rows.traits.push(row);
                rows.sizes.push(size.abs());
            }
        }
        // A few rows at a time, so that a sum is read and written once for all of them.
        let mut blocks = rows.traits.chunks_exact(4);
        for block in &mut blocks {
            let [one, two, three, four] = [block[0], block[1], block[2], block[3]];
            for (left, products) in rows.products.iter_mut().enumerate() {
                for (right, product) in products.iter_mut().enumerate() {
                    *product += (one[left] * one[right] + two[left] * two[right])
                        + (three[left] * three[right] + four[left] * four[right]);
                }
            }
        }
        for row in blocks.remainder() {
            for (left, products) in rows.products.iter_mut().enumerate() {
                add(products, row, row[left]);
            }
        }
        rows
    }

    /// Those of two sides together.
    fn of_both(sides: &[Self; 2]) -> Self {
        let [below, above] = sides;
        let mut products = below.products;
        for (products, others) in products.iter_mut().zip(&above.products) {
            add(products, others, 1.0);
        }
        Self {
            traits: [&below.traits[..], &above.traits[..]].concat(),
            sizes: [&below.sizes[..], &above.sizes[..]].concat(),
            products,
        }
    }

    /// The moments for least squares of the logarithms: a first guess that no large error sways.
    fn logarithms(&self, floor: f64) -> [f64; TRAITS] {
        let mut moments = [0.0; TRAITS];
        for (row, size) in self.traits.iter().zip(&self.sizes) {
            add(&mut moments, row, (size + floor).ln());
        }
        let strength = PRIOR_SHARE * count(self.sizes.len());
        for (moment, prior) in moments.iter_mut().zip(PRIOR).skip(1) {
            *moment += strength * prior;
        }
        moments
    }

    /// The weights of as many of the first traits as there are moments.
    fn solve(&self, moments: &[f64]) -> Option<DVector<f64>> {
        let factor = self.factor(moments.len())?;
        Some(factor.solve(&DVector::from_column_slice(moments)))
    }

    /// Gamma quasi-likelihood with a logarithmic link, from a first guess.
    fn fit(&self, start: &DVector<f64>) -> Option<DVector<f64>> {
        /// No weight moves farther than this in a round.
        const STRIDE: f64 = 0.5;
        let factor = self.factor(TRAITS)?;
        let strength = PRIOR_SHARE * count(self.sizes.len());
        let mut weights = array(start);
        let mut ratios = self.ratios(&weights);
        let ratio_sum: f64 = ratios.iter().map(|ratio| ratio.min(2.0 * CAP)).sum();
        let mean = (ratio_sum / count(self.sizes.len())).max(1e-9);
        weights[0] += mean.ln();
        for ratio in &mut ratios {
            *ratio /= mean;
        }
        for round in 0..ROUNDS {
            if round > 0 {
                ratios = self.ratios(&weights);
            }
            let mut moments = [0.0; TRAITS];
            for (row, ratio) in self.traits.iter().zip(&ratios) {
                add(&mut moments, row, ratio.min(CAP) - 1.0);
            }
            for index in 1..TRAITS {
                moments[index] += strength * (PRIOR[index] - weights[index]);
            }
            let steps = factor.solve(&DVector::from_column_slice(&moments));
            for (weight, step) in weights.iter_mut().zip(steps.iter()) {
                *weight += step.clamp(-STRIDE, STRIDE);
            }
        }
        weights
            .iter()
            .all(|weight| weight.is_finite())
            .then(|| DVector::from_column_slice(&weights))
    }

    /// Each error over the scale that the weights make of its traits.
    fn ratios(&self, weights: &[f64; TRAITS]) -> Vec<f64> {
        let rows = self.traits.iter().zip(&self.sizes);
        rows.map(|(row, size)| size / product(weights, row).exp())
            .collect()
    }

    fn factor(&self, used: usize) -> Option<Cholesky<f64, Dyn>> {
        let strength = PRIOR_SHARE * count(self.sizes.len());
        let products = DMatrix::from_fn(used, used, |row, column| {
            let ridge = match row {
                _ if row != column => 0.0,
                0 => 1e-9,
                _ => strength,
            };
            self.products[row][column] + ridge
        });
        products.cholesky()
    }
}

/// Adds a row times a number.
fn add(moments: &mut [f64; TRAITS], row: &[f64; TRAITS], times: f64) {
    for (moment, value) in moments.iter_mut().zip(row) {
        *moment += value * times;
    }
}

#[cfg(test)]
mod tests;
