//! The weights of the variance features, fitted by gamma quasi-likelihood, whose weights are constant so
//! that one factorisation serves all rounds (McCullagh and Nelder, *Generalized Linear Models*, 1989,
//! chapter 8).

use nalgebra::{Cholesky, DMatrix, DVector, Dyn};

use super::variance_features::FEATURES;

/// A row of features, or their weights.
type Row = [f64; FEATURES];

/// The weights before any data.
const PRIOR: Row = [0.0, 1.0, 0.3, 0.3, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
/// The weight of the prior, as a share of the rows'.
const PRIOR_SHARE: f64 = 0.01;
/// Of no rows at all it counts as that of so many; each row takes six from them.
const ROWS_OF_PRIOR: f64 = 400.0;
/// An error counts as at most this many times its scale, so that one incident does not widen the band.
const CAP: f64 = 6.0;
/// With more errors than this, only every second or third... is a row.
const MOST_ROWS: usize = 4096;

pub fn product(weights: &Row, row: &Row) -> f64 {
    let mut sums = [0.0; 3];
    for (weights, row) in weights.chunks_exact(3).zip(row.chunks_exact(3)) {
        for (sum, (weight, value)) in sums.iter_mut().zip(weights.iter().zip(row)) {
            *sum += weight * value;
        }
    }
    sums[0] + sums[1] + sums[2]
}

/// The slots whose error is known, of one side or of both, as rows of a regression.
pub struct VarianceFit<'a> {
    features: Vec<&'a Row>,
    sizes: Vec<f64>,
    /// Sums of the products of any two features.
    products: [Row; FEATURES],
}

impl<'a> VarianceFit<'a> {
    pub fn new(
        features: &'a [Row],
        errors: &[Option<f64>],
        is_on_side: impl Fn(f64) -> bool,
    ) -> Self {
        let mut fit = Self {
            features: Vec::with_capacity(errors.len()),
            sizes: Vec::with_capacity(errors.len()),
            products: [[0.0; FEATURES]; FEATURES],
        };
        let every = errors.len().div_ceil(MOST_ROWS).max(1);
        for (row, error) in features.iter().zip(errors).step_by(every) {
            if let Some(error) = error.filter(|error| is_on_side(*error)) {
                fit.features.push(row);
                fit.sizes.push(error.abs());
            }
        }
        // A few rows at a time, so that a sum is read and written once for all of them.
        let mut blocks = fit.features.chunks_exact(4);
        for block in &mut blocks {
            let [one, two, three, four] = [block[0], block[1], block[2], block[3]];
            for (left, products) in fit.products.iter_mut().enumerate() {
                for (right, product) in products.iter_mut().enumerate() {
                    *product += (one[left] * one[right] + two[left] * two[right])
                        + (three[left] * three[right] + four[left] * four[right]);
                }
            }
        }
        for row in blocks.remainder() {
            for (left, products) in fit.products.iter_mut().enumerate() {
                add(products, row, row[left]);
            }
        }
        fit
    }

    #[expect(clippy::cast_precision_loss, reason = "a window has few slots")]
    pub fn count(&self) -> f64 {
        self.sizes.len() as f64
    }

    fn prior_strength(&self) -> f64 {
        let count = self.count();
        PRIOR_SHARE * count.max(ROWS_OF_PRIOR - 6.0 * count)
    }

    /// The rows of two sides together.
    pub fn of_both(sides: &[Self; 2]) -> Self {
        let [below, above] = sides;
        let mut products = below.products;
        for (products, others) in products.iter_mut().zip(&above.products) {
            add(products, others, 1.0);
        }
        Self {
            features: [&below.features[..], &above.features[..]].concat(),
            sizes: [&below.sizes[..], &above.sizes[..]].concat(),
            products,
        }
    }

    /// The moments for least squares of the logarithms: a first guess that is robust to large errors.
    pub fn logarithms(&self, floor: f64) -> Row {
        let mut moments = [0.0; FEATURES];
        for (row, size) in self.features.iter().zip(&self.sizes) {
            add(&mut moments, row, (size + floor).ln());
        }
        let strength = self.prior_strength();
        for (moment, prior) in moments.iter_mut().zip(PRIOR).skip(1) {
            *moment += strength * prior;
        }
        moments
    }

    /// The weights of as many of the first features as there are moments; zero of the others.
    pub fn solve(&self, moments: &[f64]) -> Option<Row> {
        let factor = self.factor(moments.len())?;
        let solution = factor.solve(&DVector::from_column_slice(moments));
        Some(std::array::from_fn(|index| {
            solution.get(index).copied().unwrap_or_default()
        }))
    }

    /// Gamma quasi-likelihood with a logarithmic link, from a first guess.
    pub fn fit(&self, start: &Row) -> Option<Row> {
        const ROUNDS: usize = 3;
        /// No weight moves farther than this in a round.
        const STRIDE: f64 = 0.5;
        let factor = self.factor(FEATURES)?;
        let strength = self.prior_strength();
        let mut weights = *start;
        let mut ratios = self.ratios(&weights);
        let ratio_sum: f64 = ratios.iter().map(|ratio| ratio.min(2.0 * CAP)).sum();
        let mean = (ratio_sum / self.count()).max(1e-9);
        weights[0] += mean.ln();
        for ratio in &mut ratios {
            *ratio /= mean;
        }
        for round in 0..ROUNDS {
            if round > 0 {
                ratios = self.ratios(&weights);
            }
            let mut moments = [0.0; FEATURES];
            for (row, ratio) in self.features.iter().zip(&ratios) {
                add(&mut moments, row, ratio.min(CAP) - 1.0);
            }
            for index in 1..FEATURES {
                moments[index] += strength * (PRIOR[index] - weights[index]);
            }
            let steps = factor.solve(&DVector::from_column_slice(&moments));
            for (weight, step) in weights.iter_mut().zip(steps.iter()) {
                *weight += step.clamp(-STRIDE, STRIDE);
            }
        }
        let is_finite = weights.iter().all(|weight| weight.is_finite());
        is_finite.then_some(weights)
    }

    /// Each error over the scale that the weights give it.
    fn ratios(&self, weights: &Row) -> Vec<f64> {
        let rows = self.features.iter().zip(&self.sizes);
        rows.map(|(row, size)| size / product(weights, row).exp())
            .collect()
    }

    fn factor(&self, used: usize) -> Option<Cholesky<f64, Dyn>> {
        let strength = self.prior_strength();
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
fn add(moments: &mut Row, row: &Row, times: f64) {
    for (moment, value) in moments.iter_mut().zip(row) {
        *moment += value * times;
    }
}

#[cfg(test)]
mod tests;
