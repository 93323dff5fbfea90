//! Order statistics against numpy.

use super::*;

/// 41 different values, ascending.
fn values() -> Vec<f64> {
    let mut values: Vec<f64> = (1..=41)
        .map(|n: u32| f64::from(n * n % 97) / 10.0)
        .collect();
    values.sort_unstable_by(f64::total_cmp);
    values
}

fn found(share: f64) -> f64 {
    quantile(&values(), share).expect("values")
}

#[test]
fn quantiles_are_those_that_numpy_calls_weibulls() {
    // import numpy as np; v = np.arange(1, 42)**2 % 97/10                        numpy 2.4.6
    // print(np.quantile(v, [.001, .03, .1, .25, .5, .77, .9, .97, .999], method='weibull'))
    for (share, expected) in [
        (0.001, 0.1),
        (0.03, 0.126),
        (0.1, 0.48),
        (0.25, 2.3),
        (0.5, 4.7),
        (0.77, 7.068),
        (0.9, 9.06),
        (0.97, 9.574),
        (0.999, 9.6),
    ] {
        assert!((found(share) - expected).abs() < 1e-9, "{share}");
    }
}

#[test]
fn ranks_are_those_numpy_interpolates_between_weibulls_places() {
    // v as above; print(np.interp([.3, 1, 5, 7.77, 9], np.sort(v), np.arange(1, 42)/42))
    for (value, expected) in [
        (0.3, 0.071_428_571_428_571_42),
        (1.0, 0.154_761_904_761_904_77),
        (5.0, 0.571_428_571_428_571_4),
        (7.77, 0.800_793_650_793_650_7),
        (9.0, 0.892_857_142_857_142_9),
    ] {
        assert!((rank(&values(), value) - expected).abs() < 1e-9, "{value}");
    }
}

#[test]
fn a_rank_leads_back_to_its_quantile() {
    for place in 2..=80 {
        let share = f64::from(place) / 84.0;
        let rank = rank(&values(), found(share));
        assert!((rank - share).abs() < 1e-9, "{share}: {rank}");
    }
}

#[test]
fn the_next_value_is_below_a_quantile_as_often_as_the_quantile_says() {
    for share in [0.25, 0.5, 0.75] {
        let below = (0..41).filter(|left_out| {
            let mut others = values();
            let next = others.remove(*left_out);
            quantile(&others, share).is_some_and(|limit| next <= limit)
        });
        #[expect(clippy::cast_precision_loss, reason = "few values")]
        let found = below.count() as f64 / 41.0;
        assert!((found - share).abs() <= 1.0 / 41.0, "{share}: {found}");
    }
}

#[test]
fn a_median_is_the_quantile_of_one_half() {
    for count in [1, 2, 9, 40, 41] {
        let mut values = values()[..count].to_vec();
        let expected = quantile(&values, 0.5).expect("values");
        values.reverse();
        let found = median(&mut values).expect("values");
        assert!((found - expected).abs() < 1e-12, "{count}: {found}");
    }
}

#[test]
fn no_values_have_no_quantile() {
    assert_eq!((quantile(&[], 0.5), median(&mut [])), (None, None));
}
