//! A level that drops and stays: the band must tell every bucket of it until `adapt_after`, then take
//! it for the new level.

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
fn sales(week: Week, noise: f64, drop: usize) -> Made {
    let start = start("2026-06-01 00:00", chrono_tz::Europe::Paris);
    let mut dice = Dice::new(7);
    let value = |index: usize| {
        let time = start + TimeDelta::minutes(5) * i32::try_from(index).expect("few");
        let level = 1000.0 * (0.2 + by_day(time)) * week(time);
        let left = if index < drop { 1.0 } else { 0.6 };
        Some(level * left * (1.0 + noise * dice.normal()))
    };
    Made {
        start,
        step: "5m",
        values: (0..FRIDAY + 3 * DAY).map(value).collect(),
        window: WINDOW,
    }
}

/// Of every so manieth bucket until `adapt_after`: how many the band of the series that did not drop
/// tells from it, and how many of those breached.
struct Told {
    possible: usize,
    breached: usize,
    judged: usize,
}

fn told(sales: impl Fn(usize) -> Made, drop: usize, adapt_after: TimeDelta, every: usize) -> Told {
    let method = Method {
        adapt_after,
        ..Method::default()
    };
    let indices = || (drop..drop + steps_of_five_minutes(adapt_after)).step_by(every);
    let healthy = sales(usize::MAX).judge(indices(), &method);
    let dropped = sales(drop).judge(indices(), &method);
    let mut told = Told {
        possible: 0,
        breached: 0,
        judged: dropped.len(),
    };
    for ((_, _, before), (_, value, now)) in healthy.iter().zip(&dropped) {
        if *value < before.band.lower {
            told.possible += 1;
            told.breached += usize::from(*value < now.band.lower);
        }
    }
    told
}

/// The first hour after `adapt_after` from which on, for two hours, no more than a quarter of the
/// buckets breach.
fn hours_until_normal(
    sales: impl Fn(usize) -> Made,
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

/// What a drop of a series of so much noise comes to: see [`Told`].
fn told_of(week: Week, noise: f64, drop: usize, adapt_after: TimeDelta) -> Told {
    let every = steps_of_five_minutes(adapt_after) / 72;
    let told = told(|drop| sales(week, noise, drop), drop, adapt_after, every);
    assert!(20 * told.possible >= 19 * told.judged, "noise {noise}");
    told
}

/// Nearly all buckets of `adapt_after` breach, and a few hours later hardly any.
fn assert_breaches_and_then_is_normal(
    week: Week,
    noises: &[f64],
    drop: usize,
    adapt_after: TimeDelta,
) {
    for noise in noises {
        let told = told_of(week, *noise, drop, adapt_after);
        let text = format!(
            "slot {drop}, noise {noise}: {} of {}",
            told.breached, told.possible
        );
        assert!(20 * told.breached >= 19 * told.possible, "{text}");
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

/// The Saturday that follows is the best day of the week: in so much noise, what a drop leaves of it is
/// what the night of a Tuesday may be.
#[test]
fn a_drop_before_the_best_day_of_a_noisy_week_breaches_most_of_the_day() {
    let told = told_of(by_weekday, 0.08, FRIDAY, TimeDelta::days(1));
    let text = format!("{} of {}", told.breached, told.possible);
    assert!(3 * told.breached >= 2 * told.possible, "{text}");
}

#[test]
fn a_shorter_patience_accepts_the_new_level_sooner() {
    let hours = TimeDelta::hours(6);
    assert_breaches_and_then_is_normal(by_weekday, &[0.03, 0.05, 0.08], WEDNESDAY, hours);
}

/// A drop on a Wednesday to less than a Saturday's is no such thing as a Saturday.
#[test]
fn where_weekends_are_quiet_a_drop_breaches_all_day_too() {
    let day = TimeDelta::days(1);
    for drop in [MONDAY, WEDNESDAY, FRIDAY] {
        assert_breaches_and_then_is_normal(quiet_weekends, &[0.03, 0.05, 0.08], drop, day);
    }
}
