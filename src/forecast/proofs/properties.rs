//! What holds for any history and any level.

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, RngSeed};

use super::*;
use crate::forecast::clean::{FenceFactor, clip_outliers};
use crate::series::sample::series_from;

/// The same cases in every run, and no files of failed ones in the tree.
fn cases(count: u32) -> Config {
    Config {
        cases: count,
        failure_persistence: None,
        rng_algorithm: RngAlgorithm::ChaCha,
        rng_seed: RngSeed::Fixed(20_261_122),
        ..Config::default()
    }
}

/// Nine days of hours with a daily shape, outliers, gaps and a level shift.
fn eventful(seed: u64) -> Vec<Option<f64>> {
    let mut random = Random::new(seed);
    let shift = 60.0 + 200.0 * random.uniform();
    (0..9 * 24)
        .map(|hour| {
            let place = f64::from(hour % 24) / 24.0 * std::f64::consts::TAU;
            let level =
                100.0 + 40.0 * place.sin() + if f64::from(hour) > shift { 30.0 } else { 0.0 };
            let outlier = if random.uniform() < 0.02 { 150.0 } else { 0.0 };
            let value = level + outlier + 5.0 * random.normal();
            (random.uniform() > 0.03).then_some(value)
        })
        .collect()
}

fn predicted(values: &[Option<f64>], step: &str, level: f64) -> Result<Result<Forecast, String>> {
    let history = series_at(
        start("2026-06-01 00:00", chrono_tz::Europe::Paris),
        step,
        values,
    );
    predict(&history, &[], &method(level))
}

fn certain(values: &[Option<f64>]) -> Forecast {
    predicted(values, "1h", 0.95)
        .expect("a model")
        .expect("a forecast")
}

/// How far two bands are apart, in widths of the first.
fn apart(one: &Band, other: &Band) -> f64 {
    let distances = [
        one.lower - other.lower,
        one.expected - other.expected,
        one.upper - other.upper,
    ];
    let farthest = distances
        .iter()
        .map(|distance| distance.abs())
        .fold(0.0, f64::max);
    farthest / (one.upper - one.lower)
}

fn check_scores(distribution: &Distribution) -> Result<(), TestCaseError> {
    for sign in [-1.0, 1.0] {
        let mut before = 1.0;
        for step in 1..200 {
            let distance =
                distribution.scale.above.max(distribution.scale.below) * f64::from(step) / 10.0;
            let score = distribution.score(distribution.expected + sign * distance);
            prop_assert!(score > 0.0 && score <= 1.0, "{score}");
            prop_assert!(score <= before * (1.0 + 1e-9), "{before} then {score}");
            before = score;
        }
        let end = distribution.score(sign * f64::MAX);
        prop_assert!(end > 0.0 && end <= before);
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases(24))]

    /// To a ten thousandth of the band's width: only the rounding of the input differs.
    #[test]
    fn other_units_and_another_zero_move_the_band_along(
        seed in any::<u64>(),
        shift in -1e6..1e6,
        factor in prop::sample::select(vec![1e-9, 0.01, 3.7, 100.0, 1e9]),
    ) {
        let values = eventful(seed);
        let moved: Vec<_> = values.iter().map(|value| value.map(|value| factor * value + factor * shift)).collect();
        let (band, other) = (certain(&values).band, certain(&moved).band);
        let back = Band::new(
            other.lower / factor - shift,
            other.expected / factor - shift,
            other.upper / factor - shift,
        );
        let back = back.expect("a band");
        prop_assert!(apart(&band, &back) < 1e-4, "{band:?} and {back:?}");
    }

    /// A value in the band of one has its mirror image in the band of the other.
    #[test]
    fn a_mirrored_history_has_a_mirrored_band(seed in any::<u64>()) {
        let values = eventful(seed);
        let mirrored: Vec<_> = values.iter().map(|value| value.map(|value| -value)).collect();
        let (band, other) = (certain(&values).band, certain(&mirrored).band);
        let back = Band::new(-other.upper, -other.expected, -other.lower).expect("a band");
        prop_assert!(apart(&band, &back) < 1e-4, "{band:?} and {back:?}");
    }

    #[test]
    fn a_score_falls_with_the_distance_and_is_the_tail_on_the_limits(
        seed in any::<u64>(),
        level in prop_oneof![0.5..0.999_999, Just(0.5), Just(0.95), Just(0.950_1), Just(0.949_9), Just(0.999_999)],
    ) {
        let distribution = certain(&eventful(seed)).distribution;
        let band = distribution.band_at(Level::new(level).expect("a level")).expect("a band");
        for limit in [band.lower, band.upper] {
            let score = distribution.score(limit);
            prop_assert!((score / (1.0 - level) - 1.0).abs() < 1e-6, "{score} at {level}");
        }
        check_scores(&distribution)?;
    }

    #[test]
    fn a_higher_level_is_never_narrower(seed in any::<u64>(), mut levels in prop::collection::vec(0.5..0.999_999, 2..12)) {
        levels.extend([0.5, 0.95, 0.999_999]);
        levels.sort_by(f64::total_cmp);
        let distribution = certain(&eventful(seed)).distribution;
        let bands = levels.iter().map(|level| distribution.band_at(Level::new(*level).expect("a level")).expect("a band"));
        let bands: Vec<Band> = bands.collect();
        for pair in bands.windows(2) {
            prop_assert!(pair[1].lower <= pair[0].lower && pair[0].upper <= pair[1].upper, "{pair:?}");
        }
    }

    #[test]
    fn a_longer_history_makes_a_prediction_or_a_reason(seed in any::<u64>(), len in 1_usize..216) {
        let values = eventful(seed);
        let predicted = predicted(&values[..len], "1h", 0.95).expect("a model");
        if let Err(reason) = predicted {
            prop_assert!(!reason.starts_with("every value") || len < 3, "{reason}");
        }
    }
}

fn any_value() -> impl Strategy<Value = Option<f64>> {
    let extremes = vec![
        f64::MAX,
        f64::MIN,
        1e300,
        -1e300,
        1e-300,
        f64::MIN_POSITIVE,
        5e-324,
        1e150,
    ];
    prop_oneof![
        4 => (-1e3..1e3).prop_map(Some),
        4 => Just(Some(0.0)),
        1 => prop::num::f64::NORMAL.prop_map(Some),
        1 => prop::sample::select(extremes).prop_map(Some),
        1 => Just(None),
    ]
}

proptest! {
    #![proptest_config(cases(128))]

    #[test]
    fn whatever_the_values_a_band_is_finite_and_in_order(
        values in prop_oneof![
            prop::collection::vec(any_value(), 1..400),
            prop::collection::vec(prop::num::f64::NORMAL.prop_map(Some), 60..200),
            prop::collection::vec(prop_oneof![60 => Just(Some(0.0)), 1 => any_value()], 100..600),
        ],
        step in prop::sample::select(vec!["30m", "1h", "6h", "1d"]),
        level in prop::sample::select(vec![0.5, 0.95, 0.999_999]),
    ) {
        if let Ok(Ok(forecast)) = predicted(&values, step, level) {
            for band in forecast.past.iter().flatten().chain([&forecast.band]) {
                prop_assert!(band.lower.is_finite() && band.upper.is_finite(), "{band:?}");
                prop_assert!(band.lower <= band.expected && band.expected <= band.upper, "{band:?}");
            }
            for value in [f64::MIN, -1.0, 0.0, forecast.band.expected, 5e-324, f64::MAX] {
                let score = forecast.distribution.score(value);
                prop_assert!(score > 0.0 && score <= 1.0, "{score} of {value}");
            }
        }
    }

    #[test]
    fn only_outliers_change_and_all_values_stay_finite(
        values in prop::collection::vec(any_value(), 0..200),
    ) {
        let history = series_from("2026-03-20 00:00", "1h", &values);
        let cleaned = clip_outliers(&history, FenceFactor::default()).expect("a cleaned history");
        let changed: Vec<usize> = (0..values.len())
            .filter(|index| cleaned.history.values()[*index] != values[*index])
            .collect();
        prop_assert_eq!(changed, cleaned.clipped);
        prop_assert!(cleaned.history.observed().all(f64::is_finite));
    }
}
