//! The fit of the scales against numpy and scipy.

use super::*;

/// So much larger than usual are the features that the prior has no influence.
const MUCH: f64 = 1e5;
const ROWS: u32 = 200;

fn features() -> Vec<Row> {
    let make = |row: u32| {
        let mut features = [0.0; FEATURES];
        features[0] = 1.0;
        features[1] = MUCH * f64::from(7 * row % 13) / 13.0;
        features[2] = MUCH * f64::from(11 * row % 17) / 17.0;
        features
    };
    (0..ROWS).map(make).collect()
}

/// Sizes whose logarithm is linear in the features, times one of five factors.
fn sizes() -> Vec<Option<f64>> {
    let make = |(row, features): (u32, Row)| {
        let place = usize::try_from(3 * row % 5).expect("few");
        let factor = [0.2, 0.6, 1.0, 1.5, 3.0][place];
        (0.3 + (features[1] - 0.5 * features[2]) / MUCH).exp() * factor
    };
    (0..ROWS)
        .zip(features())
        .map(|row| Some(make(row)))
        .collect()
}

// import numpy as np                                              numpy 2.4.6, scipy 1.17.1
// from scipy.optimize import minimize
// i = np.arange(200); x = np.c_[np.ones(200), 7*i % 13/13, 11*i % 17/17]
// y = np.exp(x @ [.3, 1, -.5]) * np.array([.2, .6, 1, 1.5, 3])[3*i % 5]
// b = np.zeros(3)                       # Fisher's scoring of a gamma GLM with a log link
// for _ in range(50): m = np.exp(x @ b); b = b + np.linalg.lstsq(x, (y - m)/m, rcond=None)[0]
// print(b, minimize(lambda b: (y/np.exp(x @ b) + x @ b).sum(), [0, 0, 0], method='BFGS').x)
const MOST_LIKELY: [f64; 3] = [0.474_673_34, 1.055_352_39, -0.434_690_21];
// print(np.linalg.lstsq(x, np.log(y + .1), rcond=None)[0])
const OF_LOGARITHMS: [f64; 3] = [0.233_675_09, 0.969_019_22, -0.383_173_35];

fn assert_weights(found: &Row, expected: [f64; 3], tolerance: f64) {
    let found = [found[0], MUCH * found[1], MUCH * found[2]];
    for (found, expected) in found.into_iter().zip(expected) {
        assert!(
            (found - expected).abs() < tolerance,
            "{found}, expected {expected}"
        );
    }
}

#[test]
fn the_first_guess_is_numpys_least_squares_of_the_logarithms() {
    let (features, sizes) = (features(), sizes());
    let rows = VarianceFit::new(&features, &sizes, |_| true);
    let guess = rows.solve(&rows.logarithms(0.1)).expect("weights");
    assert_weights(&guess, OF_LOGARITHMS, 1e-4);
}

#[test]
fn the_fit_converges_to_the_gamma_maximum_of_scipy() {
    let (features, sizes) = (features(), sizes());
    let rows = VarianceFit::new(&features, &sizes, |_| true);
    let mut weights = rows.solve(&rows.logarithms(0.1)).expect("weights");
    for _ in 0..10 {
        weights = rows.fit(&weights).expect("weights");
    }
    assert_weights(&weights, MOST_LIKELY, 1e-4);
}

#[test]
fn a_single_fit_comes_within_a_hundredth_of_it() {
    let (features, sizes) = (features(), sizes());
    let rows = VarianceFit::new(&features, &sizes, |_| true);
    let guess = rows.solve(&rows.logarithms(0.1)).expect("weights");
    assert_weights(&rows.fit(&guess).expect("weights"), MOST_LIKELY, 0.01);
}

#[test]
fn the_error_of_a_lifetime_does_not_widen_the_scales() {
    let (features, sizes) = (features(), sizes());
    let usual = VarianceFit::new(&features, &sizes, |_| true);
    let guess = usual.solve(&usual.logarithms(0.1)).expect("weights");
    let before = usual.fit(&guess).expect("weights");
    let mut wild = sizes.clone();
    wild[77] = Some(1e9);
    let rows = VarianceFit::new(&features, &wild, |_| true);
    let guess = rows.solve(&rows.logarithms(0.1)).expect("weights");
    let after = rows.fit(&guess).expect("weights");
    for row in &features {
        let log = |weights: &Row| -> f64 {
            weights
                .iter()
                .zip(row)
                .map(|(weight, feature)| weight * feature)
                .sum()
        };
        let growth = (log(&after) - log(&before)).exp();
        assert!((0.85..=1.15).contains(&growth), "{growth}");
    }
}

#[test]
fn each_side_is_fitted_to_its_own_errors_alone() {
    let features = features();
    let sizes: Vec<Option<f64>> = (0..ROWS)
        .map(|row| match row % 3 {
            0 => None,
            1 => Some(-1.0),
            _ => Some(3.0),
        })
        .collect();
    for (below, count, size) in [(true, 67, 1.0), (false, 66, 3.0)] {
        let rows = VarianceFit::new(&features, &sizes, |error| (error < 0.0) == below);
        assert_eq!(rows.sizes, vec![size; count]);
        assert_eq!(rows.features.len(), count);
    }
}

#[test]
fn more_rows_than_enough_are_thinned_out() {
    let features = vec![[1.0; FEATURES]; 3 * MOST_ROWS];
    let sizes: Vec<Option<f64>> = (0..3 * MOST_ROWS).map(|_| Some(2.0)).collect();
    assert_eq!(
        VarianceFit::new(&features, &sizes, |_| true).sizes.len(),
        MOST_ROWS
    );
    assert_eq!(
        VarianceFit::new(&features[..MOST_ROWS], &sizes[..MOST_ROWS], |_| true)
            .sizes
            .len(),
        MOST_ROWS
    );
}

#[test]
fn two_sides_together_are_all_rows() {
    let (features, mut sizes) = (features(), sizes());
    for size in sizes.iter_mut().step_by(3) {
        *size = size.map(|size| -size);
    }
    let all = VarianceFit::new(&features, &sizes, |_| true);
    let of_sides = [
        VarianceFit::new(&features, &sizes, |error| error < 0.0),
        VarianceFit::new(&features, &sizes, |error| error >= 0.0),
    ];
    let both = VarianceFit::of_both(&of_sides);
    assert_eq!(both.sizes.len(), all.sizes.len());
    let guesses = [both, all].map(|rows| rows.solve(&rows.logarithms(0.1)).expect("weights"));
    for (one, other) in guesses[0].iter().zip(guesses[1]) {
        assert!((one - other).abs() < 1e-9, "{guesses:?}");
    }
}
