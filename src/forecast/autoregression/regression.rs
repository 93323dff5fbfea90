//! Least squares with a ridge (Hoerl and Kennard, *Ridge Regression: Biased Estimation for
//! Nonorthogonal Problems*, 1970): neighbouring values are nearly the same regressor, and the ridge
//! keeps their weights from running off in opposite directions. Generalised cross-validation chooses
//! its strength (Golub, Heath and Wahba 1979).
//!
//! A row beyond Tukey's fences counts as if its error lay on the fence (Huber, *Robust Estimation of a
//! Location Parameter*, 1964, by reweighting: Holland and Welsch 1977).
//!
//! The error of a row that the fit had not seen follows in closed form: `e / (1 - h)` with `h` its
//! leverage (Allen's PRESS, 1974).

use anyhow::{Context, Result, ensure};
use nalgebra::{Cholesky, DMatrix, DMatrixView, DVector, Dyn};

use crate::forecast::clean::{FenceFactor, Fences};
use crate::forecast::error_profile::ErrorProfile;
use crate::forecast::fitted::Clipped;

/// The rows of a regression.
#[derive(Debug, Clone)]
pub struct Design<'a> {
    /// The slot of the first row.
    pub first: usize,
    /// The regressors, row after row; of each `stride` the first `width` count.
    pub regressors: &'a [f64],
    pub stride: usize,
    pub width: usize,
    pub targets: &'a [Option<f64>],
    /// The weight of each row before any outlier is known; 0 without a target.
    pub weights: Vec<f64>,
    /// Of each row, whether it counts in full however far out it is.
    pub healthy: &'a [bool],
    /// Of each row, its place in the season, on which the usual error depends.
    pub phases: &'a [usize],
    pub phase_count: usize,
    pub fence_factor: FenceFactor,
}

#[derive(Debug, Clone)]
pub struct Regression {
    pub weights: DVector<f64>,
    /// Of each row, the weight of its own value in its fitted value: 0 to 1.
    pub leverages: Vec<f64>,
    pub clipped: Vec<Clipped>,
    /// Where errors are clipped, as multiples of the usual one; `None` where they have no spread.
    pub fences: Option<Fences>,
    pub profile: ErrorProfile,
}

/// Candidate strengths of the ridge, as shares of the rows' weight.
const RIDGES: [f64; 10] = [1e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0];
/// The strength while the rows are reweighted.
const FIRST_RIDGE: f64 = 2e-3;
/// How many rows are multiplied at a time: a block that the processor's nearest memory holds.
const BLOCK: usize = 128;
const UNSOLVED: &str = "the normal equations have no solution in numbers";

impl Design<'_> {
    fn row(&self, number: usize) -> &[f64] {
        &self.regressors[number * self.stride..][..self.width]
    }

    pub fn fitted(&self, weights: &DVector<f64>) -> Vec<f64> {
        let rows = self.regressors.chunks_exact(self.stride);
        let fitted = rows.map(|row| dot(&row[..self.width], weights.as_slice()));
        fitted.collect()
    }
}

impl Regression {
    pub fn fit(design: &Design) -> Result<Self> {
        let mut row_weights = design.weights.clone();
        let mut normal = Normal::new(design, &row_weights);
        let mut reweight = || -> Result<Residuals> {
            let cholesky = normal.solve(FIRST_RIDGE).context(UNSOLVED)?;
            let residuals = Residuals::new(design, &cholesky.solve(&normal.moments))?;
            // Outliers are few, and all products anew would be the most of a fit's time.
            let mut changes = Vec::new();
            for (row, weight) in row_weights.iter_mut().enumerate() {
                let share = if design.healthy[row] {
                    1.0
                } else {
                    residuals.huber_weight(row)
                };
                let wanted = design.weights[row] * share;
                if (wanted - *weight).abs() > 0.0 {
                    changes.push((row, wanted - *weight));
                    *weight = wanted;
                }
            }
            normal.add(design, changes.into_iter());
            Ok(residuals)
        };
        reweight()?;
        let residuals = reweight()?;
        let ridge = normal.choose_ridge().max(normal.least_ridge());
        let cholesky = normal.solve(ridge).context(UNSOLVED)?;
        let weights = cholesky.solve(&normal.moments);
        ensure!(weights.iter().all(|weight| weight.is_finite()), UNSOLVED);
        Ok(Self {
            leverages: leverages(design, &cholesky, &row_weights),
            clipped: residuals.clipped(design),
            fences: residuals.fences,
            profile: residuals.profile,
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
    fn new(design: &Design, row_weights: &[f64]) -> Self {
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

    /// Changes the weights of rows.
    fn add(&mut self, design: &Design, changes: impl Iterator<Item = (usize, f64)>) {
        let width = design.width;
        let with_target = changes.filter_map(|(row, by)| Some((row, by, design.targets[row]?)));
        let changes: Vec<(usize, f64, f64)> = with_target.collect();
        let mut rows = Vec::with_capacity(width * BLOCK);
        let mut weighted = Vec::with_capacity(width * BLOCK);
        for block in changes.chunks(BLOCK) {
            rows.clear();
            weighted.clear();
            for (row, by, target) in block {
                let row = design.row(*row);
                let moment = by * target;
                for (sum, regressor) in self.moments.as_mut_slice().iter_mut().zip(row) {
                    *sum += moment * regressor;
                }
                self.square_sum += by * target * target;
                self.weight_sum += by;
                rows.extend_from_slice(row);
                weighted.extend(row.iter().map(|regressor| regressor * by));
            }
            let count = block.len();
            let rows = DMatrixView::from_slice(&rows, width, count);
            let weighted = DMatrixView::from_slice_with_strides(&weighted, count, width, width, 1);
            self.products.gemm(1.0, &rows, &weighted, 1.0);
        }
    }

    /// With the ridge added, except to the constant.
    fn solve(&self, ridge: f64) -> Option<Cholesky<f64, Dyn>> {
        /// Keeps the factorisation from failing where a regressor is constant.
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

    /// The score of a dozen rows is chance: the fewer there are, the less is left to it.
    fn least_ridge(&self) -> f64 {
        const FEW_ROWS: f64 = 4.0;
        (FEW_ROWS / self.rows.max(FEW_ROWS)).powi(2)
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
        let scored = scored.into_iter();
        let best = scored.min_by(|one, other| one.0.total_cmp(&other.0));
        best.map_or(FIRST_RIDGE, |(_, ridge)| ridge)
    }
}

/// The residuals of a fit, compared with the usual ones.
struct Residuals {
    fitted: Vec<f64>,
    /// Of each row its error over the usual one; `None` without a target.
    ratios: Vec<Option<f64>>,
    fences: Option<Fences>,
    profile: ErrorProfile,
}

impl Residuals {
    fn new(design: &Design, weights: &DVector<f64>) -> Result<Self> {
        let fitted = design.fitted(weights);
        let errors = design.targets.iter().zip(&fitted);
        let errors = errors.map(|(target, fitted)| target.map(|target| target - fitted));
        let errors: Vec<Option<f64>> = errors.collect();
        let profile = ErrorProfile::new(&errors, design.phases, design.phase_count);
        let ratios = errors.iter().zip(design.phases);
        let ratios = ratios.map(|(error, phase)| error.map(|error| error / profile.at(*phase)));
        let ratios: Vec<Option<f64>> = ratios.collect();
        Ok(Self {
            fitted,
            fences: Fences::around(ratios.iter().flatten().copied(), design.fence_factor)?,
            ratios,
            profile,
        })
    }

    /// An outlier counts as if its error lay on the fence: for this share of its weight.
    fn huber_weight(&self, row: usize) -> f64 {
        match (self.ratios[row], self.fences) {
            (Some(ratio), Some(fences)) if !fences.contain(ratio) => {
                (fences.clip(ratio) / ratio).clamp(0.0, 1.0)
            }
            _ => 1.0,
        }
    }

    fn clipped(&self, design: &Design) -> Vec<Clipped> {
        let rows = self.ratios.iter().zip(design.phases).enumerate();
        rows.filter_map(|(row, (ratio, phase))| {
            let (ratio, fences) = (*ratio).zip(self.fences)?;
            let to = self.fitted[row] + fences.clip(ratio) * self.profile.at(*phase);
            let slot = design.first + row;
            let is_clipped = !fences.contain(ratio) && !design.healthy[row];
            is_clipped.then_some(Clipped { slot, to })
        })
        .collect()
    }
}

fn leverages(design: &Design, cholesky: &Cholesky<f64, Dyn>, row_weights: &[f64]) -> Vec<f64> {
    /// Keeps errors from being blown up without end.
    const MOST: f64 = 0.5;
    let (width, stride) = (design.width, design.stride);
    let inverse = cholesky.inverse();
    let mut spread = DMatrix::zeros(width, BLOCK);
    let mut leverages = Vec::with_capacity(row_weights.len());
    let blocks = design.regressors.chunks(BLOCK * stride);
    for (rows, row_weights) in blocks.zip(row_weights.chunks(BLOCK)) {
        let count = row_weights.len();
        let columns = DMatrixView::from_slice_with_strides(rows, width, count, 1, stride);
        spread
            .columns_mut(0, count)
            .gemm(1.0, &inverse, &columns, 0.0);
        let rows = rows.chunks_exact(stride).map(|row| &row[..width]);
        let rows = rows.zip(spread.as_slice().chunks_exact(width));
        let leverage = |((row, spread), weight): ((&[f64], &[f64]), &f64)| {
            (dot(row, spread) * weight).clamp(0.0, MOST)
        };
        leverages.extend(rows.zip(row_weights).map(leverage));
    }
    leverages
}

/// The dot product, over the shorter of both. Four sums at a time: a processor need not wait for one
/// product before it begins the next.
#[inline]
pub fn dot(left: &[f64], right: &[f64]) -> f64 {
    let len = left.len().min(right.len());
    let (left, right) = (left[..len].chunks_exact(4), right[..len].chunks_exact(4));
    let rest = left.remainder().iter().zip(right.remainder());
    let rest: f64 = rest.map(|(left, right)| left * right).sum();
    let mut sums = [0.0; 4];
    for (left, right) in left.zip(right) {
        for (sum, (left, right)) in sums.iter_mut().zip(left.iter().zip(right)) {
            *sum += left * right;
        }
    }
    (sums[0] + sums[2]) + (sums[1] + sums[3]) + rest
}

#[cfg(test)]
mod tests;
