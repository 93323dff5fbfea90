//! The regression against numpy, on rows that either language writes down in a line.

use super::*;

const ROWS: u32 = 24;

/// Pseudo-random regressors, and targets of a linear rule with a noise of so much.
struct Sample {
    regressors: Vec<f64>,
    targets: Vec<Option<f64>>,
}

impl Sample {
    fn design(&self) -> Design<'_> {
        Design {
            first: 0,
            regressors: &self.regressors,
            stride: 5,
            width: 4,
            targets: &self.targets,
            weights: vec![1.0; self.targets.len()],
            healthy: &[false; 24],
            phases: &[0; 24],
            phase_count: 1,
            fence_factor: FenceFactor::default(),
        }
    }
}

fn sample(noise: f64) -> Sample {
    let regressor = |row: u32, number: u32| {
        let residue = (row * row * (number + 2) + 5 * row * number) % 17;
        f64::from(residue) / 17.0
    };
    // The fifth is another regression's.
    let row = |row: u32| {
        let regressor = |number| regressor(row, number);
        [1.0, regressor(1), regressor(2), regressor(3), 9.0]
    };
    let target = |number: u32| {
        let [_, first, second, third, _] = row(number);
        let noise = noise * (f64::from(7 * number % 5) - 2.0);
        1.0 + 2.0 * first - second + 0.5 * third + noise
    };
    Sample {
        regressors: (0..ROWS).flat_map(row).collect(),
        targets: (0..ROWS).map(|number| Some(target(number))).collect(),
    }
}

fn assert_close(found: f64, expected: f64, tolerance: f64) {
    assert!(
        (found - expected).abs() <= tolerance,
        "{found}, expected {expected}"
    );
}

/// 1, 1.5, 2 and again.
fn uneven_weights() -> Vec<f64> {
    (0..ROWS)
        .map(|row| 1.0 + f64::from(row % 3) / 2.0)
        .collect()
}

// import numpy as np                                                             numpy 2.4.6
// i, j = np.arange(24), np.arange(1, 4)
// X = np.c_[np.ones(24), (i[:,None]**2*(j+2) + 5*i[:,None]*j) % 17/17]
// y = X @ [1, 2, -1, .5] + .3*(7*i % 5 - 2); w = 1 + i % 3/2
// P = np.diag([1e-9] + 3*[.01*w.sum() + 1e-9])
// fit = lambda k: np.linalg.solve((X[k].T*w[k]) @ X[k] + P, (X[k].T*w[k]) @ y[k])
// print(fit(i), [y[r] - X[r] @ fit(i[i != r]) for r in (0, 7, 23)])
const RIDGE_SOLUTION: [f64; 4] = [1.064_304_61, 1.921_159_96, -1.197_382_29, 0.638_596_41];
const LEFT_OUT: [(usize, f64); 3] = [
    (0, -0.768_307_811_494_714),
    (7, 0.680_921_324_227_837_8),
    (23, -0.639_529_232_023_013_7),
];

#[test]
fn the_ridge_solution_of_weighted_rows_is_that_of_numpy() {
    let normal = Normal::new(&sample(0.3).design(), &uneven_weights());
    let solution = normal
        .solve(0.01)
        .expect("a factorisation")
        .solve(&normal.moments);
    for (found, expected) in solution.iter().zip(RIDGE_SOLUTION) {
        assert_close(*found, expected, 1e-8);
    }
}

#[test]
fn an_error_over_one_less_its_leverage_is_that_of_numpy_refitted_without_the_row() {
    let (sample, row_weights) = (sample(0.3), uneven_weights());
    let design = sample.design();
    let normal = Normal::new(&design, &row_weights);
    let cholesky = normal.solve(0.01).expect("a factorisation");
    let fitted = design.fitted(&cholesky.solve(&normal.moments));
    let leverages = leverages(&design, &cholesky, &row_weights);
    for (row, expected) in LEFT_OUT {
        let error = design.targets[row].expect("a target") - fitted[row];
        assert!(
            error.abs() < 0.95 * expected.abs(),
            "row {row} has leverage"
        );
        assert_close(error / (1.0 - leverages[row]), expected, 1e-9);
    }
}

/// The candidates are a factor of about three apart, so the one chosen is that near to the least score
/// of all strengths.
#[test]
fn the_chosen_ridge_is_next_to_the_one_that_generalised_cross_validation_has_in_numpy() {
    // X and i as above; G = np.geomspace(1e-6, 10, 2001)
    // def gcv(r, y):
    //   H = X @ np.linalg.solve(X.T @ X + np.diag([0] + 3*[24*r]), X.T)
    //   return ((y - H @ y)**2).sum() / (1 - np.trace(H)/24)**2
    // for s in (.05, .5, 1, 3):
    //   y = X @ [1, 2, -1, .5] + s*(7*i % 5 - 2); print(s, G[np.argmin([gcv(r, y) for r in G])])
    for (noise, least) in [
        (0.05, 6.554e-5),
        (0.5, 3.455e-3),
        (1.0, 9.016e-3),
        (3.0, 3.491e-2),
    ] {
        let sample = sample(noise);
        let design = sample.design();
        let even = design.weights.clone();
        let chosen = Normal::new(&design, &even).choose_ridge();
        assert!(
            (least / 3.0..=least * 3.0).contains(&chosen),
            "noise {noise}: {chosen}, not near {least}"
        );
    }
}

/// Huber's weight is the share of an error that lies within the fence: the row counts as if its error
/// were no larger.
#[test]
fn an_outlier_counts_as_if_its_error_lay_on_the_fence() {
    let mut sample = sample(0.3);
    sample.targets[11] = Some(40.0);
    let design = sample.design();
    let even = design.weights.clone();
    let normal = Normal::new(&design, &even);
    let weights = normal
        .solve(0.01)
        .expect("a factorisation")
        .solve(&normal.moments);
    let residuals = Residuals::new(&design, &weights).expect("residuals");
    let fences = residuals.fences.expect("fences");
    let clipped = residuals.clipped(&design);
    assert_eq!(clipped.len(), 1);
    let error = 40.0 - residuals.fitted[11];
    // statsmodels.robust.norms.HuberT(t).weights(z) is min(1, t / |z|).
    let huber = fences.upper * residuals.profile.at(0) / error;
    assert_close(
        residuals.huber_weight(11) / residuals.huber_weight(10),
        huber,
        1e-12,
    );
    assert_close(clipped[0].to, residuals.fitted[11] + huber * error, 1e-9);
}

#[test]
fn a_row_without_a_value_does_not_count() {
    let whole = sample(0.3);
    let mut holed = sample(0.3);
    holed.targets[5] = None;
    let mut row_weights = uneven_weights();
    row_weights[5] = 0.0;
    let [without, zero] =
        [&holed, &whole].map(|sample| Normal::new(&sample.design(), &row_weights));
    let difference =
        (&without.products - &zero.products).norm() + (&without.moments - &zero.moments).norm();
    assert_close(difference, 0.0, 1e-12);
}

#[test]
fn a_dot_product_is_over_the_shorter_row() {
    let row: Vec<f64> = (1..=11_u32).map(f64::from).collect();
    // 1 * 2 + 2 * 3 + ... is n (n + 1) (n + 2) / 3.
    for (len, expected) in [(0, 0.0), (3, 20.0), (4, 40.0), (9, 330.0), (10, 440.0)] {
        assert_close(dot(&row, &row[1..=len]), expected, 1e-9);
    }
}
