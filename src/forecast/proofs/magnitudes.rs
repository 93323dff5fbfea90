//! Large numbers and small ones, far from zero and near it, growing and falling: the band knows no
//! unit.

use super::coverage::{HISTORY, JUDGED, assert_honest, covered, hourly, poisson};
use super::*;

#[test]
fn values_far_from_zero_for_their_spread_are_covered() {
    for (centre, size) in [(1e9, 1.0), (-1e9, 1.0), (1e-9, 1e-15)] {
        let made = hourly(41, |_, time, random| {
            Some(centre + size * (20.0 * by_day(time) + random.normal()))
        });
        assert_honest(&format!("{size} around {centre}"), &made);
    }
}

#[test]
fn heavy_tails_of_any_size_are_covered() {
    for size in [1e-9, 1e9] {
        let made = hourly(42, |_, time, random| {
            let squares: f64 = (0..3).map(|_| random.normal().powi(2)).sum();
            Some(size * (20.0 * by_day(time) + random.normal() / (squares / 3.0).sqrt()))
        });
        assert_honest(&format!("Student's t times {size}"), &made);
    }
}

/// Doubles or halves within the window, noise and all.
#[test]
fn growth_and_decay_are_covered() {
    for rate in [1.0, -1.0] {
        let made = hourly(43, |hour, time, random| {
            #[expect(clippy::cast_precision_loss, reason = "a few hundred hours")]
            let doublings = rate * hour as f64 / HISTORY as f64;
            let level = 100.0 * doublings.exp2();
            Some(level * (0.3 + by_day(time)) * (1.0 + 0.05 * random.normal()))
        });
        assert_honest(&format!("two to the {rate} a window"), &made);
    }
}

#[test]
fn levels_that_shifted_up_or_down_or_both_are_covered() {
    for (what, levels) in [
        ("up", [100.0, 180.0, 180.0]),
        ("down", [100.0, 60.0, 60.0]),
        ("up and back", [100.0, 180.0, 100.0]),
        ("up twice", [100.0, 150.0, 220.0]),
    ] {
        let made = hourly(44, |hour, time, random| {
            let level = levels[(hour / 240).min(2)];
            Some(level * (0.3 + by_day(time)) * (1.0 + 0.05 * random.normal()))
        });
        assert_honest(what, &made);
    }
}

/// Noise that grew threefold a week ago: the band follows.
#[test]
fn a_series_that_became_volatile_is_covered() {
    let made = hourly(45, |hour, time, random| {
        let noise = if hour > HISTORY - 168 { 9.0 } else { 3.0 };
        Some(100.0 * by_day(time) + noise * random.normal())
    });
    let covered = covered(&made);
    assert!((0.90..=0.99).contains(&covered), "{covered}");
}

/// Rare sales every five minutes, from none at night to two at noon: about seven in ten buckets are
/// zero.
#[test]
fn rare_counts_of_short_buckets_are_covered() {
    let start = start("2026-05-04 00:00", chrono_tz::Europe::Paris);
    let mut random = Random::new(46);
    let window = 14 * 288;
    let values: Vec<Option<f64>> = (0..window + 2 * 288)
        .map(|index| {
            let time = start + TimeDelta::minutes(5) * i32::try_from(index).expect("few");
            Some(poisson(1.5 * by_day(time), &mut random))
        })
        .collect();
    #[expect(clippy::cast_precision_loss, reason = "a few thousand values")]
    let zeros =
        values.iter().filter(|value| **value == Some(0.0)).count() as f64 / values.len() as f64;
    assert!((0.65..0.8).contains(&zeros), "{zeros}");
    let made = Simulated {
        start,
        step: "5m",
        values,
        window,
    };
    let judged = made.judge((window..made.values.len()).step_by(2), &method(0.95));
    let covered = coverage(&judged);
    assert!((0.90..=1.0).contains(&covered), "{covered}");
}

#[test]
fn a_rush_is_outside_of_a_band_of_rare_counts() {
    let made = hourly(47, |_, _, random| Some(poisson(0.5, random)));
    let judged = made.judge(HISTORY..HISTORY + JUDGED, &method(0.999));
    assert!(coverage(&judged) >= 0.99);
    for (.., forecast) in judged {
        assert!(forecast.band.upper < 12.0, "{:?}", forecast.band);
    }
}
