//! Totals against earlier weeks.

use super::*;
use crate::series::sample::{series, series_with_gaps};

/// Hours of 29 days: a day of its own shape, each day of the week a little different, and a ripple.
fn hours(change: impl Fn(usize, f64) -> f64) -> Vec<f64> {
    let hour = |number: usize| {
        let (hour, day) = (number % 24, number / 24 % 7);
        let ripple = [-3.0, 1.0, 4.0, -2.0, 0.0][number * 7 % 5];
        let shape = 100.0 + 10.0 * f64::from(u8::try_from(hour).expect("an hour"));
        shape + 20.0 * f64::from(u8::try_from(day).expect("a day")) + ripple
    };
    (0..29 * 24)
        .map(|number| change(number, hour(number)))
        .collect()
}

fn reference(values: &[f64]) -> Reference {
    Reference::new(&series("1h", values), None)
}

fn total(reference: &Reference, hours: i64) -> SpanTotal {
    let mut spans = reference.spans.iter();
    let span = spans.find(|total| total.length == TimeDelta::hours(hours));
    *span.expect("a span")
}

#[test]
fn busy_hours_that_are_missing_are_no_loss() {
    // Of the last day, of the day a week before, and of both.
    for days in [vec![27], vec![20], vec![20, 27]] {
        let is_missing = |number: usize| {
            let (day, hour) = (number / 24, number % 24);
            days.contains(&day) && (12..20).contains(&hour)
        };
        let values = hours(|_, value| value).into_iter().enumerate();
        let values: Vec<Option<f64>> = values
            .map(|(number, value)| (!is_missing(number)).then_some(value))
            .take(28 * 24)
            .collect();
        let reference = Reference::new(&series_with_gaps("1h", &values), None);
        let day = total(&reference, 24);
        let of_day = reference
            .spans
            .iter()
            .filter(|total| total.length >= day.length);
        for total in of_day {
            let sigmas = total.departure(&[1.0]).sigmas;
            assert!(sigmas.abs() < 2.0, "{days:?}, {}: {sigmas}", total.length);
        }
    }
}

#[test]
fn a_loss_in_the_hours_that_are_there_shows_beside_a_gap() {
    let values = hours(|number, value| {
        if number >= 28 * 24 + 12 {
            0.7 * value
        } else {
            value
        }
    });
    let mut values: Vec<Option<f64>> = values.into_iter().map(Some).collect();
    let end = values.len();
    values[end - 5..end - 3].fill(None);
    let reference = Reference::new(&series_with_gaps("1h", &values), None);
    let six = total(&reference, 6);
    let departure = six.departure(&[1.0]);
    assert!((departure.share + 0.3).abs() < 0.02, "{departure:?}");
    let seen: f64 = values[end - 6..].iter().flatten().sum();
    assert!((six.seen - seen).abs() < 1e-6, "{six:?}");
}

#[test]
fn what_was_called_healthy_is_that_of_the_buckets_that_are_there() {
    let mut values: Vec<Option<f64>> = hours(|_, value| value).into_iter().map(Some).collect();
    let end = values.len();
    values[end - 5..end - 3].fill(None);
    let series = series_with_gaps("1h", &values);
    let six = total(
        &Reference::new(&series, None).with_healthy(&series, &[1]),
        6,
    );
    let is_there = |hour: &usize| values[*hour].is_some();
    let week_before = (end - 6..end)
        .filter(is_there)
        .map(|hour| values[hour - 7 * 24]);
    let healthy: f64 = week_before.flatten().sum();
    let found = six.healthy.expect("a healthy week");
    assert!((found - healthy).abs() < 1e-6, "{found}, {healthy}");
}

#[test]
fn a_huge_value_takes_nothing_away_from_the_totals_of_other_hours() {
    let usual = total(&reference(&hours(|_, value| value)), 6);
    for huge in [1e20, -1e300, f64::MAX] {
        let values = hours(|number, value| if number == 300 { huge } else { value });
        let total = total(&reference(&values), 6);
        for ratio in [total.seen / usual.seen, total.usual / usual.usual] {
            assert!((0.99..1.01).contains(&ratio), "{huge}: {ratio}");
        }
    }
}

#[test]
fn totals_that_are_no_numbers_are_none() {
    let values = hours(|_, value| value * 1e306);
    assert_eq!(reference(&values).spans, []);
}

#[test]
fn a_total_is_compared_with_the_same_hours_of_earlier_weeks() {
    let values = hours(|_, value| value);
    let reference = reference(&values);
    let lengths: Vec<i64> = reference
        .spans
        .iter()
        .map(|total| total.length.num_hours())
        .collect();
    assert_eq!(lengths, [1, 3, 6, 24, 72]);
    let six = total(&reference, 6);
    let end = values.len();
    let sum = |weeks: usize| -> f64 {
        let end = end - weeks * 168;
        values[end - 6..end].iter().sum()
    };
    assert!((six.seen - sum(0)).abs() < 1e-9);
    let mut earlier = [sum(1), sum(2), sum(3), sum(4)];
    earlier.sort_by(f64::total_cmp);
    let median = f64::midpoint(earlier[1], earlier[2]);
    assert!(
        (six.usual / median - 1.0).abs() < 0.01,
        "{} {median}",
        six.usual
    );
    assert!(six.departure(&[1.0]).sigmas.abs() < 3.0);
}

#[test]
fn a_week_with_an_outage_changes_neither_what_is_usual_nor_how_far_off_is_far() {
    let healthy = total(&reference(&hours(|_, value| value)), 6);
    let out = |number: usize| (500..540).contains(&number);
    let marred = hours(|number, value| if out(number) { 0.0 } else { value });
    let marred = total(&reference(&marred), 6);
    assert!((marred.usual / healthy.usual - 1.0).abs() < 0.01);
    let [one, other] = [healthy, marred].map(|total| total.with_seen(0.0).departure(&[1.0]).sigmas);
    assert!((one / other - 1.0).abs() < 0.2, "{one} {other}");
}

#[test]
fn a_level_between_two_that_are_usual_is_far_from_neither() {
    let last = 29 * 24 - 1;
    let at = |share: f64| {
        let values = hours(|number, value| {
            if number > last - 6 {
                share * value
            } else {
                value
            }
        });
        total(&reference(&values), 6)
    };
    assert!(at(0.5).departure(&[1.0]).sigmas < -5.0);
    assert!(at(0.5).departure(&[1.0, 0.5]).sigmas.abs() < 1.0);
    assert!(at(0.7).departure(&[1.0, 0.5]).sigmas.abs() < 1e-9);
    assert!(at(0.2).departure(&[1.0, 0.5]).sigmas < -3.0);
}

#[test]
fn growth_over_the_weeks_is_usual() {
    let grown =
        |number: usize| 1.1_f64.powf(f64::from(u16::try_from(number).expect("few")) / 168.0);
    let values = hours(|number, value| value * grown(number));
    let day = total(&reference(&values), 24);
    assert!(day.departure(&[1.0]).share.abs() < 0.01, "{day:?}");
}

#[test]
fn a_total_of_nothing_is_as_far_out_as_the_deviance_of_a_poisson_count() {
    // Of a count with mean 9 nothing is sqrt(2 * 9) = 4.24 standard deviations out, not 9 / 3 = 3:
    // python3 -c 'from math import *; print(sqrt(2 * 9), copysign(sqrt(2 * (4 * log(4 / 9) - 4 + 9)), 4 - 9))'
    let sigmas = |seen: f64| {
        let mut total = total(&reference(&hours(|_, value| value)), 1);
        (total.seen, total.usual, total.typical) = (seen, 9.0, 0.0);
        (total.local_spread, total.overall_spread, total.scaling) = (1.0, 1.0, Scaling::Root);
        total.departure(&[1.0]).sigmas
    };
    assert!(
        (sigmas(0.0) + 4.242_640_687).abs() < 1e-6,
        "{}",
        sigmas(0.0)
    );
    assert!((sigmas(4.0) + 1.874_182_0).abs() < 1e-6, "{}", sigmas(4.0));
}

#[test]
fn a_run_of_one_value_is_counted_and_held_against_the_longest_before() {
    let mut values = hours(|_, value| value);
    let end = values.len();
    values[100..104].fill(7.0);
    values[end - 9..].fill(150.0);
    let unchanged = reference(&values).unchanged;
    assert_eq!((unchanged.buckets, unchanged.longest_before), (9, 4));
    values[end - 9..].fill(0.0);
    assert_eq!(
        reference(&values).unchanged.buckets,
        0,
        "closed is not frozen"
    );
}
