//! Quantiles and the widening of small groups against numpy.

use super::*;

#[test]
fn quartiles_are_those_of_numpys_default() {
    // import numpy as np; v = np.arange(1, 15)**2 % 23/4                         numpy 2.4.6
    // for n in (1, 2, 13, 14): print(np.quantile(v[:n], [.25, .5, .75]))
    let value = |n: u32| f64::from(n * n % 23) / 4.0;
    for (count, expected) in [
        (1, [0.25, 0.25, 0.25]),
        (2, [0.4375, 0.625, 0.8125]),
        (13, [1.0, 2.0, 3.0]),
        (14, [1.125, 2.0, 3.0]),
    ] {
        let mut values: Vec<f64> = (1..=count).map(value).collect();
        values.sort_unstable_by(f64::total_cmp);
        let found = [0.25, 0.5, 0.75].map(|share| quantile(&values, share).expect("a value"));
        for (found, expected) in found.into_iter().zip(expected) {
            assert!((found - expected).abs() < 1e-12, "{count}: {found}");
        }
    }
    assert_eq!(quantile(&[], 0.5), None);
}

#[test]
fn the_widening_of_four_values_or_more_is_what_normal_ones_need() {
    // import numpy as np; r = np.random.default_rng(1)                           numpy 2.4.6
    // for n in (4, 5, 6, 8, 12, 28):
    //   z = r.standard_normal((400000, n)); d = z - np.median(z, axis=1, keepdims=True)
    //   a, b = np.quantile(d, [.25, .75]); print(n, 1.349/(b - a))
    for (each, needed) in [
        (4, 1.387),
        (5, 1.375),
        (6, 1.280),
        (8, 1.197),
        (12, 1.117),
        (28, 1.043),
    ] {
        let found = widening(each * 100, 100);
        assert!((found / needed - 1.0).abs() < 1.0 / 15.0, "{each}: {found}");
    }
    // The same for n = 3 prints 2.148.
    assert!((0.8..0.82).contains(&(widening(300, 100) / 2.148)));
}

#[test]
fn integers_in_the_order_of_numbers_sort_as_the_numbers_do() {
    let numbers = [
        f64::NEG_INFINITY,
        f64::MIN,
        -2.5,
        -5e-324,
        -0.0,
        0.0,
        5e-324,
        1.0,
        f64::MAX,
        f64::INFINITY,
    ];
    let ordered = numbers.map(to_ordered);
    assert!(
        ordered.is_sorted_by(|one, other| one < other),
        "{ordered:?}"
    );
    let back = ordered.map(from_ordered);
    assert_eq!(back.map(f64::to_bits), numbers.map(f64::to_bits));
}
