//! The 95 % band holds about 95 % of healthy values, whatever kind of values they are.

use super::*;

pub const HISTORY: usize = 28 * 24;
pub const JUDGED: usize = 400;

/// Hourly values by the number of the hour, its time and seeded random.
pub fn hourly(
    seed: u64,
    value: impl Fn(usize, DateTime<Tz>, &mut Random) -> Option<f64>,
) -> Simulated {
    let start = start("2026-05-04 00:00", chrono_tz::Europe::Paris);
    let mut random = Random::new(seed);
    let values = (0..HISTORY + JUDGED).map(|hour| {
        let time = start + TimeDelta::hours(1) * i32::try_from(hour).expect("few");
        value(hour, time, &mut random)
    });
    Simulated {
        start,
        step: "1h",
        values: values.collect(),
        window: HISTORY,
    }
}

/// The coverage of the 95 % band over the last points.
pub fn covered(made: &Simulated) -> f64 {
    let judged = made.judge(HISTORY..HISTORY + JUDGED, &method(0.95));
    coverage(&judged)
}

pub fn assert_honest(what: &str, made: &Simulated) {
    let covered = covered(made);
    assert!((0.90..=0.99).contains(&covered), "{what}: {covered}");
}

#[test]
fn normal_noise_of_any_size_is_covered() {
    for size in [1e-9, 1.0, 1e9] {
        let made = hourly(1, |_, time, random| {
            let cents = |value: f64| {
                if size > 1.0 {
                    (value * 100.0).round() / 100.0
                } else {
                    value
                }
            };
            Some(cents(size * (1.0 + by_day(time) + 0.05 * random.normal())))
        });
        assert_honest(&format!("values around {size}"), &made);
    }
}

#[test]
fn heavy_tails_are_covered() {
    // Student's with three degrees of freedom.
    let made = hourly(2, |_, time, random| {
        let squares: f64 = (0..3).map(|_| random.normal().powi(2)).sum();
        Some(100.0 * by_day(time) + 5.0 * random.normal() / (squares / 3.0).sqrt())
    });
    assert_honest("Student's t", &made);
}

#[test]
fn noise_that_grows_with_the_level_is_covered() {
    let made = hourly(3, |_, time, random| {
        Some(100.0 * (0.2 + by_day(time)) * (0.2 * random.normal()).exp())
    });
    assert_honest("multiplied noise", &made);
}

#[test]
fn a_trend_is_covered() {
    let made = hourly(4, |hour, time, random| {
        #[expect(clippy::cast_precision_loss, reason = "a few hundred hours")]
        let trend = hour as f64 / 10.0;
        Some(trend + 100.0 * by_day(time) + 4.0 * random.normal())
    });
    assert_honest("a trend", &made);
}

#[test]
fn a_random_walk_is_covered() {
    let level = std::cell::Cell::new(0.0);
    let made = hourly(5, |_, _, random| {
        level.set(level.get() + random.normal());
        Some(level.get())
    });
    assert_honest("a random walk", &made);
}

#[test]
fn a_level_that_shifted_within_the_window_is_covered() {
    let made = hourly(6, |hour, time, random| {
        let level = if hour > HISTORY - 100 { 150.0 } else { 100.0 };
        Some(level + 50.0 * by_day(time) + 4.0 * random.normal())
    });
    assert_honest("a level shift", &made);
}

#[test]
fn missing_values_are_covered() {
    let made = hourly(7, |_, time, random| {
        let value = 100.0 * by_day(time) + 4.0 * random.normal();
        (random.uniform() > 0.2).then_some(value)
    });
    assert_honest("a fifth missing", &made);
}

/// By the inverse of the cumulative distribution.
pub fn poisson(mean: f64, random: &mut Random) -> f64 {
    let (mut left, mut count, mut share) = (random.uniform(), 0.0, (-mean).exp());
    while left > share && count < 1000.0 {
        left -= share;
        count += 1.0;
        share *= mean / count;
    }
    count
}

/// Whole numbers hold more than their share: a limit between two counts takes in the nearer one.
#[test]
fn counts_are_covered() {
    for mean in [3.0, 30.0] {
        let made = hourly(8, |_, time, random| {
            Some(poisson(mean * (0.3 + by_day(time)), random))
        });
        let covered = covered(&made);
        assert!((0.90..=1.0).contains(&covered), "mean {mean}: {covered}");
    }
}

/// Values that are zero half of the time or more are covered at least as often as the level says, less
/// what chance allows, and are judged at all.
#[test]
fn mostly_zeros_are_covered() {
    for zeros in [0.5, 0.65, 0.8] {
        let made = hourly(9, |_, _, random| {
            let value = 20.0 * random.uniform();
            Some(if random.uniform() < zeros { 0.0 } else { value })
        });
        let covered = covered(&made);
        assert!((0.90..=1.0).contains(&covered), "{zeros}: {covered}");
    }
}

#[test]
fn nights_that_never_change_are_covered() {
    let made = hourly(10, |_, time, random| {
        let open = (8..20).contains(&time.hour());
        let value = 100.0 * by_day(time) + 5.0 * random.normal();
        Some(if open { value.max(0.0) } else { 0.0 })
    });
    let covered = covered(&made);
    assert!((0.92..=1.0).contains(&covered), "{covered}");
}
