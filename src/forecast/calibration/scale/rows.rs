//! The weights of a scale's traits, fitted by gamma quasi-likelihood, whose weights are constant so that
//! one factorisation serves all rounds (McCullagh and Nelder, *Generalized Linear Models*, 1989,
//! chapter 8).

use nalgebra::{Cholesky, DMatrix, DVector, Dyn};

use super::count;
use super::traits::TRAITS;

/// What the logarithm of the scale is made of, before any data.
const PRIOR: [f64; TRAITS] = [0.0, 1.0, 0.3, 0.3, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
/// How much of the rows' weight the prior has.
const PRIOR_SHARE: f64 = 0.01;
const ROUNDS: usize = 3;
/// An error counts as at most this many times its scale, so that one incident does not widen the band.
const CAP: f64 = 6.0;
/// With more errors than this, only every other or third... teaches the weights: so many are plenty.
const MOST_ROWS: usize = 4096;

/// Weights as an array, zero where there are none.
pub fn array(weights: &DVector<f64>) -> [f64; TRAITS] {
    let mut array = [0.0; TRAITS];
    for (place, weight) in array.iter_mut().zip(weights.iter()) {
        *place = *weight;
    }
    array
}

pub fn product(weights: &[f64; TRAITS], row: &[f64; TRAITS]) -> f64 {
    let mut sums = [0.0; 3];
    for (weights, row) in weights.chunks_exact(3).zip(row.chunks_exact(3)) {
        for (sum, (weight, value)) in sums.iter_mut().zip(weights.iter().zip(row)) {
            *sum += weight * value;
        }
    }
    sums[0] + sums[1] + sums[2]
}

/// The slots whose error is known, of one side or of both.
pub struct Rows<'a> {
    traits: Vec<&'a [f64; TRAITS]>,
    sizes: Vec<f64>,
    /// Sums of the products of any two traits.
    products: [[f64; TRAITS]; TRAITS],
}

impl<'a> Rows<'a> {
    pub fn of(
        traits: &'a [[f64; TRAITS]],
        sizes: &[Option<f64>],
        side: impl Fn(f64) -> bool,
    ) -> Self {
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

    pub fn len(&self) -> usize {
        self.sizes.len()
    }

    /// Those of two sides together.
    pub fn of_both(sides: &[Self; 2]) -> Self {
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
    pub fn logarithms(&self, floor: f64) -> [f64; TRAITS] {
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
    pub fn solve(&self, moments: &[f64]) -> Option<DVector<f64>> {
        let factor = self.factor(moments.len())?;
        Some(factor.solve(&DVector::from_column_slice(moments)))
    }

    /// Gamma quasi-likelihood with a logarithmic link, from a first guess.
    pub fn fit(&self, start: &DVector<f64>) -> Option<DVector<f64>> {
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
