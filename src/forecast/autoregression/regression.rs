//! Least squares with a ridge (Hoerl and Kennard, *Ridge Regression: Biased Estimation for
//! Nonorthogonal Problems*, 1970): neighbouring values are nearly the same regressor, and the ridge
//! keeps their weights from running off in opposite directions. How strong it is, generalised
//! cross-validation says (Golub, Heath and Wahba 1979).
//!
//! Outliers are clipped on the scale where they are outliers: Tukey's fences are drawn around the
//! errors, each divided by what is usual at its time of day, and a row beyond counts as if its error
//! lay on the fence (Huber, *Robust Estimation of a Location Parameter*, 1964, by reweighting: Holland
//! and Welsch 1977). A narrow daily peak is no outlier there, and neither is a new level.
//!
//! The errors are those of leaving each row out: for least squares they follow from the fit in closed
//! form, `e / (1 - h)` with `h` the row's leverage (Allen's PRESS, 1974). So they are errors on
//! values the fit had not seen.

use anyhow::{Context, Result, ensure};
use nalgebra::{Cholesky, DMatrix, DMatrixView, DVector, Dyn};

use super::products::{self, Block};
use crate::forecast::clean::{FenceFactor, Fences};
use crate::forecast::profile::Profile;

/// The rows of a regression.
#[derive(Debug, Clone)]
pub struct Design<'a> {
    /// The regressors, row after row; of each `stride` the first `width` count.
    pub regressors: &'a [f64],
    pub stride: usize,
    pub width: usize,
    pub targets: &'a [Option<f64>],
    /// How much each row counts before any outlier is known; 0 without a target.
    pub weights: Vec<f64>,
    /// Of each row, its place in the season: what is usual for an error depends on it.
    pub phases: &'a [usize],
    pub phase_count: usize,
    pub fence_factor: FenceFactor,
}

#[derive(Debug, Clone)]
pub struct Regression {
    pub weights: DVector<f64>,
    /// Of each row, how much of its own value is in its fitted value: 0 to 1.
    pub leverages: Vec<f64>,
    /// The rows that were clipped.
    pub outliers: Vec<Outlier>,
    /// Where errors are clipped, as multiples of what is usual; `None` where they have no spread.
    pub fences: Option<Fences>,
    pub profile: Profile,
}

/// A row whose value was clipped.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outlier {
    pub row: usize,
    /// The nearest value that would have been none.
    pub clipped_to: f64,
}

/// Candidate strengths of the ridge, as shares of the rows' weight.
const RIDGES: [f64; 10] = [1e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0];
/// The strength until the last round chooses its own.
const FIRST_RIDGE: f64 = 2e-3;
const ROUNDS: usize = 3;
const UNSOLVED: &str = "the normal equations have no solution in numbers";
/// A row's leverage is held below this, so that no error is blown up without end.
const MOST_LEVERAGE: f64 = 0.5;

impl Design<'_> {
    fn rows(&self) -> impl Iterator<Item = &[f64]> {
        self.regressors
            .chunks_exact(self.stride)
            .map(|row| &row[..self.width])
    }

    fn row(&self, number: usize) -> &[f64] {
        &self.regressors[number * self.stride..][..self.width]
    }

    /// What the weights make of each row.
    pub fn fitted(&self, weights: &DVector<f64>) -> Vec<f64> {
        self.rows()
            .map(|row| products::sum(row, weights.as_slice()))
            .collect()
    }
}

impl Regression {
    /// # Errors
    ///
    /// If the numbers leave what a float can hold.
    pub fn fit(design: &Design) -> Result<Self> {
        let mut row_weights = design.weights.clone();
        let mut normal = Normal::of(design, &row_weights);
        let mut review = None;
        for _ in 1..ROUNDS {
            let cholesky = normal.solve(FIRST_RIDGE).context(UNSOLVED)?;
            let reviewed = Review::of(design, &cholesky.solve(&normal.moments))?;
            // Outliers are few, and all products anew would be the most of a fit's time.
            let mut changes = Vec::new();
            for (row, weight) in row_weights.iter_mut().enumerate() {
                let wanted = design.weights[row] * reviewed.share(row);
                if (wanted - *weight).abs() > 0.0 {
                    changes.push((row, wanted - *weight));
                    *weight = wanted;
                }
            }
            normal.add(design, changes);
            review = Some(reviewed);
        }
        let review = review.context(UNSOLVED)?;
        let cholesky = normal.solve(normal.choose_ridge()).context(UNSOLVED)?;
        let weights = cholesky.solve(&normal.moments);
        ensure!(weights.iter().all(|weight| weight.is_finite()), UNSOLVED);
        Ok(Self {
            leverages: leverages(design, &cholesky, &row_weights),
            outliers: review.outliers(),
            fences: review.fences,
            profile: review.profile,
            weights,
        })
    }
}

/// The normal equations of weighted least squares.
struct Normal {
    products: DMatrix<f64>,
    moments: DVector<f64>,
    square_sum: f64,
    weight_sum: f64,
    rows: f64,
}

impl Normal {
    fn of(design: &Design, row_weights: &[f64]) -> Self {
        let targets = design.targets.iter().flatten();
        #[expect(clippy::cast_precision_loss, reason = "a window has few slots")]
        let mut normal = Self {
            products: DMatrix::zeros(design.width, design.width),
            moments: DVector::zeros(design.width),
            square_sum: 0.0,
            weight_sum: 0.0,
            rows: targets.count() as f64,
        };
        normal.add(design, row_weights.iter().copied().enumerate());
        normal
    }

    /// Lets rows, each with a target, count for so much more, or less. A block of them at a time, which
    /// the processor's nearest memory holds.
    fn add(&mut self, design: &Design, changes: impl IntoIterator<Item = (usize, f64)>) {
        const BLOCK: usize = 128;
        let mut block = Block::of(design.width, BLOCK);
        for (row, by) in changes {
            let Some(target) = design.targets[row] else {
                continue;
            };
            let regressors = design.row(row);
            let weighted = by * target;
            for (moment, regressor) in self.moments.as_mut_slice().iter_mut().zip(regressors) {
                *moment += weighted * regressor;
            }
            self.square_sum += by * target * target;
            self.weight_sum += by;
            block.push(regressors, by);
            if block.len() == BLOCK {
                block.add_to(&mut self.products);
            }
        }
        block.add_to(&mut self.products);
    }

    /// With the ridge added, except to the constant.
    fn solve(&self, ridge: f64) -> Option<Cholesky<f64, Dyn>> {
        /// Keeps the factorisation from failing where a regressor never moves.
        const TINY: f64 = 1e-9;
        let mut products = self.products.clone();
        for index in 0..products.nrows() {
            products[(index, index)] += match index {
                0 => TINY,
                _ => ridge * self.weight_sum + TINY,
            };
        }
        products.cholesky()
    }

    /// The ridge with the least generalised cross-validation score, `RSS / (1 - tr H / n)^2`.
    fn choose_ridge(&self) -> f64 {
        let score = |ridge: f64| {
            let cholesky = self.solve(ridge)?;
            let weights = cholesky.solve(&self.moments);
            let left = self.square_sum - 2.0 * weights.dot(&self.moments)
                + (&self.products * &weights).dot(&weights);
            let freedom = cholesky.solve(&self.products).trace();
            Some(left / (1.0 - freedom / self.rows).powi(2))
        };
        let scored = RIDGES.map(|ridge| (score(ridge).unwrap_or(f64::INFINITY), ridge));
        let best = scored
            .into_iter()
            .min_by(|one, other| one.0.total_cmp(&other.0));
        best.map_or(FIRST_RIDGE, |(_, ridge)| ridge)
    }
}

/// What a fit leaves of each row, held against what is usual.
struct Review {
    fitted: Vec<f64>,
    /// Of each row its error over the usual size; `None` without a target.
    ratios: Vec<Option<f64>>,
    usual: Vec<f64>,
    fences: Option<Fences>,
    profile: Profile,
}

impl Review {
    fn of(design: &Design, weights: &DVector<f64>) -> Result<Self> {
        let fitted = design.fitted(weights);
        let targets = design.targets.iter().zip(fitted.iter());
        let errors: Vec<Option<f64>> = targets
            .map(|(target, fitted)| target.map(|target| target - fitted))
            .collect();
        let profile = Profile::of(&errors, design.phases, design.phase_count);
        let usual: Vec<f64> = design
            .phases
            .iter()
            .map(|phase| profile.at(*phase))
            .collect();
        let ratios: Vec<Option<f64>> = errors
            .iter()
            .zip(&usual)
            .map(|(error, usual)| error.map(|error| error / usual))
            .collect();
        Ok(Self {
            fitted,
            fences: Fences::around(ratios.iter().flatten().copied(), design.fence_factor)?,
            ratios,
            usual,
            profile,
        })
    }

    /// An outlier counts as if its error lay on the fence: for this share of what it would.
    fn share(&self, row: usize) -> f64 {
        match (self.ratios[row], self.fences) {
            (Some(ratio), Some(fences)) if !fences.contain(ratio) => {
                (fences.clip(ratio) / ratio).clamp(0.0, 1.0)
            }
            _ => 1.0,
        }
    }

    fn outliers(&self) -> Vec<Outlier> {
        let Some(fences) = self.fences else {
            return Vec::new();
        };
        let rows = self.ratios.iter().enumerate();
        rows.filter_map(|(row, ratio)| {
            let ratio = (*ratio)?;
            (!fences.contain(ratio)).then(|| Outlier {
                row,
                clipped_to: self.fitted[row] + fences.clip(ratio) * self.usual[row],
            })
        })
        .collect()
    }
}

fn leverages(design: &Design, cholesky: &Cholesky<f64, Dyn>, row_weights: &[f64]) -> Vec<f64> {
    const BLOCK: usize = 128;
    let inverse = cholesky.inverse();
    let mut spread = DMatrix::zeros(design.width, BLOCK);
    let mut leverages = Vec::with_capacity(row_weights.len());
    let blocks = design.regressors.chunks(BLOCK * design.stride);
    for (rows, row_weights) in blocks.zip(row_weights.chunks(BLOCK)) {
        let count = row_weights.len();
        let columns =
            DMatrixView::from_slice_with_strides(rows, design.width, count, 1, design.stride);
        spread
            .columns_mut(0, count)
            .gemm(1.0, &inverse, &columns, 0.0);
        let rows = rows.chunks_exact(design.stride);
        let spread = spread.as_slice().chunks_exact(design.width);
        leverages.extend(
            rows.zip(spread)
                .zip(row_weights)
                .map(|((row, spread), weight)| {
                    (products::sum(&row[..design.width], spread) * weight).clamp(0.0, MOST_LEVERAGE)
                }),
        );
    }
    leverages
}

#[cfg(test)]
mod tests;
