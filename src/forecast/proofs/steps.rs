//! A level that drops and stays: every bucket of it must breach until `adapt_after`; then it is the new
//! level.

use super::*;

const DAY: usize = 288;
const WINDOW: usize = 28 * DAY;
/// 10:00 on the first Wednesday that is judged.
const WEDNESDAY: usize = WINDOW + 2 * DAY + 120;
/// 03:00 on the Monday before, and 20:00 on the Friday after.
const MONDAY: usize = WINDOW + 36;
const FRIDAY: usize = WINDOW + 4 * DAY + 240;

/// How large the sales of a day are.
type Week = fn(DateTime<Tz>) -> f64;

/// Weekends are 30 % below the other days.
fn quiet_weekends(time: DateTime<Tz>) -> f64 {
    if time.weekday().num_days_from_monday() < 5 {
        1.0
    } else {
        0.7
    }
}

/// Sales every five minutes, with a noise of so large a share, and 40 % less from `drop` on.
fn sales(week: Week, noise: f64, drop: usize) -> Simulated {
    let start = start("2026-06-01 00:00", chrono_tz::Europe::Paris);
    let mut random = Random::new(7);
    let value = |index: usize| {
        let time = start + TimeDelta::minutes(5) * i32::try_from(index).expect("few");
        let level = 1000.0 * (0.2 + by_day(time)) * week(time);
        let rest = if index < drop { 1.0 } else { 0.6 };
        Some(level * rest * (1.0 + noise * random.normal()))
    };
    Simulated {
        start,
        step: "5m",
        values: (0..FRIDAY + 3 * DAY).map(value).collect(),
        window: WINDOW,
    }
}

/// Of the buckets until `adapt_after`, or a part of them that is spread evenly.
struct Breaches {
    /// Those below the band of the same series without the drop.
    possible: usize,
    /// Those of them that breached.
    breached: usize,
    judged: usize,
}

fn breaches(
    sales: impl Fn(usize) -> Simulated,
    drop: usize,
    adapt_after: TimeDelta,
    every: usize,
) -> Breaches {
    let method = Method {
        adapt_after,
        ..Method::default()
    };
    let indices = || (drop..drop + steps_of_five_minutes(adapt_after)).step_by(every);
    let healthy = sales(usize::MAX).judge(indices(), &method);
    let dropped = sales(drop).judge(indices(), &method);
    let mut breaches = Breaches {
        possible: 0,
        breached: 0,
        judged: dropped.len(),
    };
    for ((_, _, before), (_, value, now)) in healthy.iter().zip(&dropped) {
        if *value < before.band.lower {
            breaches.possible += 1;
            breaches.breached += usize::from(*value < now.band.lower);
        }
    }
    breaches
}

/// The first hour after `adapt_after` from which on, for two hours, no more than a quarter of the
/// buckets breach.
fn hours_until_normal(
    sales: impl Fn(usize) -> Simulated,
    drop: usize,
    adapt_after: TimeDelta,
) -> Option<usize> {
    let method = Method {
        adapt_after,
        ..Method::default()
    };
    let from = drop + steps_of_five_minutes(adapt_after);
    let judged = sales(drop).judge((from..from + 8 * 12).step_by(2), &method);
    (0..=6).find(|hour| coverage(&judged[6 * hour..6 * hour + 12]) >= 0.75)
}

/// What a drop of a series of so much noise comes to: see [`Breaches`].
fn breaches_of_sales(week: Week, noise: f64, drop: usize, adapt_after: TimeDelta) -> Breaches {
    let every = steps_of_five_minutes(adapt_after) / 72;
    let breaches = breaches(|drop| sales(week, noise, drop), drop, adapt_after, every);
    assert!(
        20 * breaches.possible >= 19 * breaches.judged,
        "noise {noise}"
    );
    breaches
}

/// Nearly all buckets of `adapt_after` breach, and a few hours later hardly any.
fn assert_breaches_and_then_is_normal(
    week: Week,
    noises: &[f64],
    drop: usize,
    adapt_after: TimeDelta,
) {
    for noise in noises {
        let breaches = breaches_of_sales(week, *noise, drop, adapt_after);
        let text = format!(
            "slot {drop}, noise {noise}: {} of {}",
            breaches.breached, breaches.possible
        );
        assert!(20 * breaches.breached >= 19 * breaches.possible, "{text}");
        let hours = hours_until_normal(|drop| sales(week, *noise, drop), drop, adapt_after);
        assert!(hours.is_some_and(|hours| hours <= 4), "{text}, {hours:?}");
    }
}

#[test]
fn a_drop_by_two_fifths_breaches_all_day_and_then_is_the_new_level() {
    let day = TimeDelta::days(1);
    assert_breaches_and_then_is_normal(by_weekday, &[0.03, 0.05, 0.08], MONDAY, day);
    assert_breaches_and_then_is_normal(by_weekday, &[0.03, 0.05, 0.08], WEDNESDAY, day);
    assert_breaches_and_then_is_normal(by_weekday, &[0.03, 0.05], FRIDAY, day);
}

/// The Saturday that follows is the best day of the week: in so much noise, it is after the drop no less
/// than the night of a Tuesday may be.
#[test]
fn a_drop_before_the_best_day_of_a_noisy_week_breaches_most_of_the_day() {
    let breaches = breaches_of_sales(by_weekday, 0.08, FRIDAY, TimeDelta::days(1));
    let text = format!("{} of {}", breaches.breached, breaches.possible);
    assert!(3 * breaches.breached >= 2 * breaches.possible, "{text}");
}

#[test]
fn a_shorter_adapt_after_accepts_the_new_level_sooner() {
    let hours = TimeDelta::hours(6);
    assert_breaches_and_then_is_normal(by_weekday, &[0.03, 0.05, 0.08], WEDNESDAY, hours);
}

/// A drop on a Wednesday to less than a Saturday's does not make it a Saturday.
#[test]
fn where_weekends_are_quiet_a_drop_breaches_all_day_too() {
    let day = TimeDelta::days(1);
    for drop in [MONDAY, WEDNESDAY, FRIDAY] {
        assert_breaches_and_then_is_normal(quiet_weekends, &[0.03, 0.05, 0.08], drop, day);
    }
}
