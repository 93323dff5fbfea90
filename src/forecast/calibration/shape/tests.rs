//! Quantiles and ranks against numpy.

use super::*;

/// 41 different ratios.
fn ratios() -> Vec<f64> {
    let mut ratios: Vec<f64> = (1..=41)
        .map(|n: u32| f64::from(n * n % 97) / 10.0)
        .collect();
    ratios.sort_unstable_by(f64::total_cmp);
    ratios
}

#[test]
fn quantiles_are_those_that_numpy_calls_weibulls() {
    // import numpy as np; v = np.arange(1, 42)**2 % 97/10                        numpy 2.4.6
    // print(np.quantile(v, [.03, .1, .25, .5, .77, .9, .97], method='weibull'))
    for (share, expected) in [
        (0.03, 0.126),
        (0.1, 0.48),
        (0.25, 2.3),
        (0.5, 4.7),
        (0.77, 7.068),
        (0.9, 9.06),
        (0.97, 9.574),
    ] {
        let found = quantile(&ratios(), share);
        assert!((found - expected).abs() < 1e-9, "{share}: {found}");
    }
}

#[test]
fn ranks_are_those_numpy_interpolates_between_weibulls_places() {
    // v as above; print(np.interp([.3, 1, 5, 7.77, 9], np.sort(v), np.arange(1, 42)/42))
    for (ratio, expected) in [
        (0.3, 0.071_428_571_428_571_42),
        (1.0, 0.154_761_904_761_904_77),
        (5.0, 0.571_428_571_428_571_4),
        (7.77, 0.800_793_650_793_650_7),
        (9.0, 0.892_857_142_857_142_9),
    ] {
        let found = rank(&ratios(), ratio);
        assert!((found - expected).abs() < 1e-9, "{ratio}: {found}");
    }
}

#[test]
fn a_rank_leads_back_to_its_quantile() {
    for place in 2..=80 {
        let share = f64::from(place) / 84.0;
        let found = rank(&ratios(), quantile(&ratios(), share));
        assert!((found - share).abs() < 1e-9, "{share}: {found}");
    }
}

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

/// What makes type 6 the conformal one: of values in random order, the next is as likely to fall
/// between any two of those before it.
#[test]
fn the_next_of_any_values_is_below_a_quantile_as_often_as_the_quantile_says() {
    let values = ratios();
    for share in [0.25, 0.5, 0.75] {
        let below = (0..values.len()).filter(|left_out| {
            let mut others = values.clone();
            let next = others.remove(*left_out);
            next <= quantile(&others, share)
        });
        #[expect(clippy::cast_precision_loss, reason = "few values")]
        let found = below.count() as f64 / values.len() as f64;
        assert!((found - share).abs() <= 1.0 / 41.0, "{share}: {found}");
    }
}

#[test]
fn the_tail_takes_over_where_the_ratios_end_without_a_step() {
    let shape = Shape::sample();
    let [before, after] = [TAIL_SHARE * (1.0 + 1e-9), TAIL_SHARE * (1.0 - 1e-9)]
        .map(|probability| shape.reach(probability));
    for (before, after) in [
        (before.below, after.below),
        (before.above, after.above),
        (before.beyond, after.beyond),
    ] {
        assert!((before - after).abs() < 1e-6, "{before}, {after}");
    }
}
