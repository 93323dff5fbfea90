//! The prior against scipy, and the seam between quantiles and tail.

use super::*;

// import numpy as np; from scipy.stats import logistic                   numpy 2.4.6, scipy 1.17.1
// q = logistic.ppf((np.arange(200) + .5)/200, scale=1/(2*np.log(2)))
// print(q[[0, 50, 194]], np.abs(q).mean())
#[test]
fn the_prior_is_scipys_logistic_distribution_of_mean_size_one() {
    let ratios: Vec<f64> = prior_ratios().collect();
    for (place, expected) in [
        (0, -4.320_122_468_111),
        (50, -0.782_895_095_723),
        (194, 2.572_097_363_174),
    ] {
        let found = ratios[place];
        assert!((found - expected).abs() < 1e-9, "{place}: {found}");
    }
    let sizes: f64 = ratios.iter().map(|ratio| ratio.abs()).sum();
    assert!((sizes / 200.0 - 1.0).abs() < 0.01, "{sizes}");
}

#[test]
fn the_tail_takes_over_where_the_ratios_end_without_a_step() {
    let ratios = (-500..=500).map(|n| f64::from(n) / 1000.0);
    let quantiles = ResidualQuantiles::before_tail(ratios.collect());
    let [before, after] = [TAIL_SHARE * (1.0 + 1e-9), TAIL_SHARE * (1.0 - 1e-9)]
        .map(|probability| quantiles.margins(probability));
    for (before, after) in [
        (before.below, after.below),
        (before.above, after.above),
        (before.tail, after.tail),
    ] {
        assert!((before - after).abs() < 1e-6, "{before}, {after}");
    }
}
