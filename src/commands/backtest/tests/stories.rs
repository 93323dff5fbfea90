//! Whole alerts over days with a known truth, as people would get them under a budget of one false alert
//! a week: told in time, over when it is over and not before, and calm while nothing is wrong.

use std::f64::consts::TAU;

use super::*;
use crate::incident::Budget;

/// Quarters of an hour, from a Monday on, of this many days; the last few are judged.
const DAYS: i32 = 31;
const JUDGED_FROM: u64 = 28;

/// Sums of twelve uniform numbers are nearly normal.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f64 {
        let uniform = |state: &mut u64| {
            *state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            f64::from(u32::try_from(*state >> 32).expect("32 bits")) / f64::from(u32::MAX)
        };
        (0..12).map(|_| uniform(&mut self.0)).sum::<f64>() - 6.0
    }

    /// A count with this mean (Knuth).
    fn poisson(&mut self, mean: f64) -> f64 {
        let (limit, mut product, mut count) = ((-mean).exp(), 1.0, -1.0);
        while product >= limit || count < 0.0 {
            self.next();
            let uniform = f64::from(u32::try_from(self.0 >> 32).expect("32 bits"));
            product *= uniform / f64::from(u32::MAX);
            count += 1.0;
        }
        count
    }
}

/// A quarter of an hour, by its day and its hour of the day.
#[derive(Clone, Copy)]
struct Quarter {
    day: i32,
    hour: f64,
}

impl Quarter {
    fn is_within(self, day: i32, from: f64, to: f64) -> bool {
        self.day == day && (from..to).contains(&self.hour)
    }

    /// Hours after an hour of a day.
    fn since(self, day: i32, hour: f64) -> f64 {
        f64::from(self.day - day) * 24.0 + self.hour - hour
    }
}

/// A shop that sells most in the afternoon, and on Saturdays.
fn shop(quarter: Quarter) -> f64 {
    let weekday = match quarter.day % 7 {
        1 => 0.95,
        4 => 1.1,
        5 => 1.2,
        6 => 0.9,
        _ => 1.0,
    };
    weekday * (1000.0 - 700.0 * ((quarter.hour - 3.0) / 24.0 * TAU).cos())
}

/// What happens to a shop with four per cent of noise.
fn noisy(change: impl Fn(Quarter, f64) -> f64) -> impl FnMut(Quarter) -> f64 {
    let mut noise = Noise(7);
    move |quarter| change(quarter, shop(quarter) * (1.0 + 0.04 * noise.next()))
}

/// The mails about the judged days: day, hour and kind of each.
fn mails(mut value: impl FnMut(Quarter) -> f64) -> Vec<(String, &'static str)> {
    let begin = parse_time("2026-06-01 00:00", Tz::UTC).expect("a Monday");
    let rows: Vec<_> = (0..DAYS * 96)
        .map(|number| {
            let quarter = Quarter {
                day: number / 96,
                hour: f64::from(number % 96) / 4.0,
            };
            let time = begin + TimeDelta::minutes(15) * number;
            (time, value(quarter))
        })
        .collect();
    let mut metric = Metric::of_file("sales");
    metric.window = Some(Duration::from_hours(24 * JUDGED_FROM));
    metric.policy.budget = Some("1/week".parse::<Budget>().expect("a budget"));
    let replay = replay_of(&rows, &metric, 1);
    let told = replay_mails(&replay, &metric).mails.into_iter();
    // As in "29 14:15".
    let at = |time: &str| {
        let time = parse_time(time, Tz::UTC).expect("a time").to_utc();
        format!(
            "{} {}",
            (time - begin.to_utc()).num_days(),
            time.format("%H:%M")
        )
    };
    told.map(|mail| (at(&mail.time), mail.kind)).collect()
}

/// That the first mail is of this kind and comes within the time, and that the end is told within its
/// time, with nothing but reminders between.
fn assert_told(
    mails: &[(String, &'static str)],
    kind: &str,
    opened: std::ops::Range<&str>,
    ended: std::ops::Range<&str>,
) {
    let kinds: Vec<_> = mails.iter().map(|(_, kind)| *kind).collect();
    let is_reminder = |kind: &&&str| matches!(**kind, "still" | "worse");
    assert!(
        kinds.first() == Some(&kind)
            && kinds.len() == 2 + kinds.iter().filter(is_reminder).count()
            && opened.contains(&mails[0].0.as_str())
            && mails.last().is_some_and(|(at, kind)| {
                matches!(*kind, "over" | "accepted") && ended.contains(&at.as_str())
            }),
        "{mails:?}"
    );
}

#[test]
fn three_healthy_days_are_calm() {
    assert_eq!(mails(noisy(|_, value| value)), []);
}

#[test]
fn an_outage_is_told_within_half_an_hour_and_its_end_within_two_hours() {
    let told = mails(noisy(|quarter, value| {
        if quarter.is_within(29, 14.0, 18.0) {
            0.0
        } else {
            value
        }
    }));
    assert_told(&told, "low", "29 14:00".."29 14:30", "29 18:00".."29 20:00");
}

#[test]
fn a_fifth_that_is_missing_for_hours_is_told_within_the_hour() {
    let told = mails(noisy(|quarter, value| {
        if quarter.is_within(29, 10.0, 20.0) {
            0.8 * value
        } else {
            value
        }
    }));
    assert_told(&told, "low", "29 10:00".."29 11:00", "29 20:00".."29 23:00");
}

#[test]
fn a_slide_of_two_per_cent_an_hour_is_told_within_the_day() {
    let told = mails(noisy(|quarter, value| {
        let hours = quarter.since(29, 4.0);
        if (0.0..40.0).contains(&hours) {
            value * 0.98_f64.powf(hours)
        } else {
            value
        }
    }));
    let opening = told.first().expect("a mail");
    assert_eq!(opening.1, "low", "{told:?}");
    assert!(
        ("29 06:00".."29 16:00").contains(&opening.0.as_str()),
        "{told:?}"
    );
    assert!(
        told.iter()
            .all(|(at, kind)| *kind != "over" || at.as_str() > "30 20:00"),
        "{told:?}"
    );
}

#[test]
fn a_new_level_is_accepted_after_a_day_and_not_called_over() {
    let told = mails(noisy(|quarter, value| {
        if quarter.since(29, 9.0) >= 0.0 {
            1.6 * value
        } else {
            value
        }
    }));
    assert_told(
        &told,
        "high",
        "29 09:00".."29 09:30",
        "30 09:00".."30 11:00",
    );
    assert_eq!(told.last().map(|(_, kind)| *kind), Some("accepted"));
}

#[test]
fn after_a_new_level_the_next_one_must_hold_for_longer_than_a_day() {
    let told = mails(noisy(|quarter, value| {
        let level = match quarter {
            _ if quarter.since(29, 6.0) >= 0.0 => 0.42,
            _ if quarter.since(28, 1.0) >= 0.0 => 0.6,
            _ => 1.0,
        };
        level * value
    }));
    let kinds: Vec<_> = told.iter().map(|(_, kind)| *kind).collect();
    let rest = kinds.iter().skip_while(|kind| **kind != "accepted").skip(1);
    let is_reminder = |kind: &&str| matches!(*kind, "still" | "worse");
    let rest: Vec<_> = rest.filter(|kind| !is_reminder(kind)).collect();
    assert_eq!(rest, [&"low"], "{told:?}");
}

#[test]
fn a_shop_that_is_closed_at_night_and_on_sundays_is_calm_and_told_of_when_it_opens_late() {
    let hours = |late: f64| {
        noisy(move |quarter, value| {
            let opens = if quarter.day == 29 { late } else { 9.0 };
            let is_open = quarter.day % 7 != 6 && (opens..20.0).contains(&quarter.hour);
            if is_open { value } else { 0.0 }
        })
    };
    assert_eq!(mails(hours(9.0)), []);
    let told = mails(hours(12.0));
    assert_told(&told, "low", "29 09:00".."29 09:30", "29 12:00".."29 14:00");
}

#[test]
fn an_outage_of_a_handful_of_orders_is_told_once_it_can_be_seen() {
    let orders = |is_out: bool| {
        let mut noise = Noise(11);
        move |quarter: Quarter| {
            if is_out && quarter.is_within(29, 12.0, 20.0) {
                0.0
            } else {
                noise.poisson(shop(quarter) / 200.0)
            }
        }
    };
    assert_eq!(mails(orders(false)), []);
    let told = mails(orders(true));
    assert_told(&told, "low", "29 12:00".."29 14:00", "29 20:00".."30 02:00");
}

#[test]
fn a_value_that_stands_still_is_told_as_frozen() {
    let mut noise = Noise(13);
    let told = mails(move |quarter| {
        let value = 20.0 + 0.5 * noise.next() + shop(quarter) / 1000.0;
        if quarter.is_within(29, 9.0, 18.0) {
            21.5
        } else {
            value
        }
    });
    assert_told(
        &told,
        "frozen",
        "29 11:00".."29 13:00",
        "29 18:00".."29 18:30",
    );
}

#[test]
fn a_running_total_is_judged_by_what_it_gains() {
    let total = |is_out: bool| {
        let mut gain = noisy(move |quarter, value| {
            if is_out && quarter.is_within(29, 10.0, 13.0) {
                0.0
            } else {
                value
            }
        });
        let mut total = 0.0;
        move |quarter: Quarter| {
            total = if quarter.hour == 0.0 { 0.0 } else { total } + gain(quarter);
            total
        }
    };
    assert_eq!(mails(total(false)), []);
    let told = mails(total(true));
    assert_told(&told, "low", "29 10:00".."29 10:30", "30 00:00".."30 06:00");
}
