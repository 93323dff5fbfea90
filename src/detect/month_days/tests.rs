//! What is found in made series, and what the whole of an evaluation makes of it.

use chrono::{DateTime, Datelike, Timelike};
use chrono_tz::Tz;

use super::*;
use crate::detect::{Answers, Evaluation, Verdict, Workings, evaluate};
use crate::forecast::{Method, Role, SeasonChoice, Side};
use crate::series::Grid;
use crate::series::sample::{series_from, time, window};

const START: &str = "2024-01-03 00:00";
const TWO_YEARS: usize = 731;

fn named(name: &str) -> MonthDay {
    let mut days = MonthDay::all();
    let found = days.find(|day| day.to_string() == name);
    found.expect("a day of the month")
}

fn pay_day() -> MonthDay {
    named("the 25th, on weekends the working day before")
}

fn last_working_day() -> MonthDay {
    named("the last day of the month, on weekends the working day before")
}

/// From a seed and a place, evenly from 0 to 1 (Steele, Lea and Flood, 2014).
fn uniform(seed: u64, place: usize) -> f64 {
    let place = u64::try_from(place).expect("a place");
    let mixed = (seed << 32 | place).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    f64::from(u32::try_from((mixed ^ (mixed >> 31)) >> 32).expect("32 bits")) / f64::from(u32::MAX)
}

/// About normal, with a standard deviation of 1; one in twenty is four times as far out.
fn noise(seed: u64, place: usize) -> f64 {
    let sum: f64 = (0..12).map(|part| uniform(seed, 12 * place + part)).sum();
    let is_far = uniform(!seed, place) < 0.05;
    (sum - 6.0) * if is_far { 4.0 } else { 1.0 }
}

/// Sales with a trend, a week, 5 % of noise and what `effect` multiplies them by.
fn sales(step: &str, count: usize, seed: u64, effect: impl Fn(DateTime<Tz>) -> f64) -> TimeSeries {
    let blank = series_from(START, step, &vec![Some(1.0); count]);
    blank.map(|index, _| {
        let at = blank.time(index);
        let week = [1.0, 0.95, 0.97, 1.02, 1.2, 1.4, 0.8];
        let weekday = week[at.weekday().num_days_from_monday() as usize];
        #[expect(clippy::cast_precision_loss, reason = "a series is short")]
        let trend = 1.0 + 0.3 * index as f64 / count as f64;
        5000.0 * trend * weekday * (0.05 * noise(seed, index)).exp() * effect(at)
    })
}

fn is_on(day: MonthDay, at: DateTime<Tz>) -> bool {
    let number = (at.date_naive() - Grid::EPOCH.date_naive()).num_days();
    let months = Month::around(number, number).into_iter();
    months
        .map(|month| day.in_month(month))
        .any(|day| day == number)
}

/// So many times as much on a day of the month.
fn on(day: MonthDay, ratio: f64) -> impl Fn(DateTime<Tz>) -> f64 {
    move |at| if is_on(day, at) { ratio } else { 1.0 }
}

fn none(_: DateTime<Tz>) -> f64 {
    1.0
}

fn found(series: &TimeSeries) -> Vec<MonthDay> {
    let effects = MonthDays::find(series).effects;
    effects.iter().map(|effect| effect.day).collect()
}

#[test]
fn a_pay_day_that_moves_off_weekends_is_found_with_its_size() {
    for seed in 0..10 {
        let series = sales("1d", TWO_YEARS, seed, on(pay_day(), 1.2));
        let month_days = MonthDays::find(&series);
        let [effect] = &month_days.effects[..] else {
            panic!("{seed}: {:?}", month_days.effects);
        };
        assert_eq!((effect.day, effect.occurrences), (pay_day(), 24), "{seed}");
        let Factor { ratio, uncertainty } = effect.factor;
        assert!((ratio - 1.2).abs() < 0.04, "{seed}: {ratio}");
        assert!(
            (0.005..0.06).contains(&uncertainty),
            "{seed}: {uncertainty}"
        );
    }
}

#[test]
fn two_days_of_the_month_are_found_and_a_fall_too() {
    let both = |at| on(pay_day(), 1.25)(at) * on(last_working_day(), 0.7)(at);
    let series = sales("1d", TWO_YEARS, 3, both);
    assert_eq!(found(&series), [last_working_day(), pay_day()]);
}

#[test]
fn a_series_without_such_a_day_never_gets_one() {
    for seed in 0..200 {
        for days in [185, 270, TWO_YEARS] {
            let series = sales("1d", days, seed, none);
            assert_eq!(found(&series), [], "{seed}, {days} d");
        }
    }
}

#[test]
fn less_than_six_months_show_nothing() {
    for (days, is_long_enough) in [(178, false), (179, true)] {
        let month_days = MonthDays::find(&sales("1d", days, 1, on(pay_day(), 2.0)));
        assert_eq!(month_days.is_long_enough, is_long_enough);
        assert_eq!(month_days.effects.is_empty(), !is_long_enough);
    }
}

#[test]
fn what_happens_in_some_months_only_or_in_both_directions_is_no_effect() {
    let every_other = |at: DateTime<Tz>| {
        if at.month().is_multiple_of(2) {
            1.3
        } else {
            1.0
        }
    };
    let up_and_down = |at: DateTime<Tz>| {
        if at.month().is_multiple_of(2) {
            1.3
        } else {
            0.7
        }
    };
    for change in [every_other, up_and_down] {
        let effect = |at| {
            if is_on(pay_day(), at) {
                change(at)
            } else {
                1.0
            }
        };
        assert_eq!(found(&sales("1d", TWO_YEARS, 5, effect)), []);
    }
}

#[test]
fn values_below_zero_and_buckets_of_a_week_have_no_such_days() {
    let series = sales("1d", TWO_YEARS, 1, on(pay_day(), 1.3));
    assert_eq!(found(&series), [pay_day()]);
    assert_eq!(found(&series.map(|_, value| value - 5000.0)), []);
    assert_eq!(found(&sales("7d", 200, 1, none)), []);
}

#[test]
fn a_day_that_is_more_than_a_million_times_another_is_left_alone() {
    let series = |ratio| sales("1h", 230 * 24, 1, on(pay_day(), ratio));
    assert_eq!(found(&series(1e3)), [pay_day()]);
    assert_eq!(found(&series(1e9)), []);
}

#[test]
fn each_hour_of_a_pay_day_has_its_own_share() {
    let effect = |at: DateTime<Tz>| {
        let is_day = (7..24).contains(&at.hour());
        if is_day { on(pay_day(), 1.25)(at) } else { 1.0 }
    };
    let series = sales("1h", 240 * 24, 2, effect);
    let month_days = MonthDays::find(&series);
    assert_eq!(month_days.effects.len(), 1);
    for index in 0..series.len() {
        let (at, Factor { ratio, .. }) = (series.time(index), month_days.at(index));
        let expected = match at.hour() {
            _ if !is_on(pay_day(), at) => {
                assert_eq!(month_days.at(index), NO_EFFECT);
                continue;
            }
            // Hours beside each other are learnt together.
            6 | 7 => continue,
            hour if hour < 6 => 1.0,
            _ => 1.25,
        };
        assert!((ratio - expected).abs() < 0.06, "{at}: {ratio}");
    }
}

/// The last bucket against those before it.
fn judged(series: &TimeSeries, method: &Method) -> Evaluation {
    let last = series.time(series.len() - 1);
    let window = window(series.clone(), Some(last));
    evaluate(window, method, &Answers::default()).expect("an evaluation")
}

fn workings(evaluation: &Evaluation) -> &Workings {
    evaluation.workings.as_deref().expect("workings")
}

/// Sales up to and with the pay day of November 2025.
fn up_to_a_pay_day(last: f64) -> TimeSeries {
    let end = time("2025-11-26 00:00");
    let days = usize::try_from((end - time(START)).num_days()).expect("days");
    let series = sales("1d", days, 4, on(pay_day(), 1.5));
    series.map(|index, value| {
        if index + 1 == days {
            value * last
        } else {
            value
        }
    })
}

#[test]
fn a_pay_day_is_expected_and_one_that_does_not_come_is_low() {
    let method = Method::default();
    let blind = Method {
        seasons: SeasonChoice::Given(vec![chrono::TimeDelta::days(7)]),
        ..Method::default()
    };
    let usual = up_to_a_pay_day(1.0);
    assert_eq!(judged(&usual, &blind).verdict, Verdict::Breach(Side::High));
    assert_eq!(judged(&usual, &method).verdict, Verdict::Normal);
    let missed = up_to_a_pay_day(1.0 / 1.5);
    assert_eq!(judged(&missed, &blind).verdict, Verdict::Normal);
    assert_eq!(judged(&missed, &method).verdict, Verdict::Breach(Side::Low));
}

#[test]
fn pay_days_of_the_past_are_neither_clipped_nor_held_and_keep_their_figures() {
    let series = up_to_a_pay_day(1.0);
    let evaluation = judged(&series, &Method::default());
    let Workings {
        forecast, cleaned, ..
    } = workings(&evaluation);
    let (forecast, cleaned) = (
        forecast.as_ref().expect("one"),
        cleaned.as_ref().expect("one"),
    );
    let (mut pay_days, mut inside) = (0, 0);
    for (index, value) in series.values()[..series.len() - 1].iter().enumerate() {
        let (value, band) = (value.expect("a value"), forecast.past[index]);
        if let Some(band) = band.filter(|_| is_on(pay_day(), series.time(index))) {
            pay_days += 1;
            inside += usize::from((band.lower..=band.upper).contains(&value));
            assert!(!cleaned.clipped.contains(&index));
        }
        if !cleaned.clipped.contains(&index) {
            let counted = cleaned.history.values()[index].expect("a value");
            assert!(
                (counted - value).abs() < 1e-6,
                "{index}: {counted} and {value}"
            );
        }
    }
    assert!(
        pay_days >= 20 && 10 * inside >= 9 * pay_days,
        "{inside} of {pay_days}"
    );
    let parts = forecast.contributions.iter();
    let added = parts.clone().find(|part| part.role == Role::MonthDay);
    let sum: f64 = parts.map(|part| part.value).sum();
    assert!(added.is_some_and(|part| part.value > 0.15 * sum));
    assert!((sum - forecast.band.expected).abs() < 1e-6 * sum);
}

#[test]
fn totals_on_a_pay_day_are_compared_with_what_is_usual_for_it() {
    let series = up_to_a_pay_day(1.0);
    let value = series.values()[series.len() - 1].expect("a value");
    let reference = judged(&series, &Method::default()).reference;
    let day = reference.bucket.expect("a total");
    assert!((day.seen - value).abs() < 1e-6 * value, "{}", day.seen);
    assert!(day.departure(&[1.0]).sigmas.abs() < 3.0);
    let missed = judged(&up_to_a_pay_day(1.0 / 1.5), &Method::default());
    let day = missed.reference.bucket.expect("a total");
    let departure = day.departure(&[1.0]);
    assert!((-0.45..-0.2).contains(&departure.share), "{departure:?}");
    assert!(departure.sigmas < -2.0, "{departure:?}");
}
