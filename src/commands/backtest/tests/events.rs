//! Events in a replay: what is left out, and what is judged and not told.

use super::*;
use crate::calendar::{Effect, Event, Period};
use crate::commands::backtest::mails::Mail;

/// Three weeks of hourly values.
fn shop() -> Vec<(DateTime<Tz>, f64)> {
    let begin = time("2026-06-01 00:00");
    let value = |hour: i32| {
        1000.0 + 300.0 * (f64::from(hour % 24) / 3.8).sin() + f64::from(hour * 7919 % 97)
    };
    let hours = (0..21 * 24).map(|hour| (begin + TimeDelta::hours(hour.into()), value(hour)));
    hours.collect()
}

/// A sale of a day, at three times the usual values.
fn with_sale() -> Vec<(DateTime<Tz>, f64)> {
    let mut rows = shop();
    for (at, value) in &mut rows {
        if sale().holds(at.to_utc()) {
            *value *= 3.0;
        }
    }
    rows
}

fn sale() -> Period {
    Period {
        start: time("2026-06-16 00:00").to_utc(),
        end: time("2026-06-17 00:00").to_utc(),
    }
}

fn metric_with(effect: Effect) -> Metric {
    let mut metric = metric();
    metric.window = Some(Duration::from_hours(14 * 24));
    metric.events.add(Event {
        name: "Sale".into(),
        effect,
        periods: vec![sale()],
    });
    metric
}

#[test]
fn what_is_ignored_is_neither_judged_nor_learnt() {
    let metric = metric_with(Effect::Ignore);
    let replay = replay_of(&with_sale(), &metric, 1);
    let is_in_sale = |point: &&Evaluation| sale().holds(point.bucket.start);
    assert_eq!(replay.points.iter().filter(is_in_sale).count(), 0);
    // The values within make no difference to any other.
    let other = replay_of(&shop(), &metric, 1);
    let bands = |replay: &Replay| {
        replay
            .points
            .iter()
            .map(|point| point.band)
            .collect::<Vec<_>>()
    };
    assert_eq!(bands(&replay), bands(&other));
    assert_eq!(
        replay_mails(&replay, &metric),
        replay_mails(&other, &metric)
    );
}

#[test]
fn rows_that_stop_while_an_event_is_ignored_are_not_missed() {
    let mut rows = shop();
    rows.retain(|(at, _)| !sale().holds(at.to_utc()));
    let missed = |metric: &Metric| replay_of(&rows, metric, 1).missed.len();
    let mut plain = metric_with(Effect::Ignore);
    plain.events = crate::calendar::Events::default();
    assert!(missed(&plain) > 10);
    assert_eq!(missed(&metric_with(Effect::Ignore)), 0);
}

#[test]
fn what_is_muted_is_judged_and_only_told_if_it_lasts() {
    let metric = metric_with(Effect::Mute);
    let rows = with_sale();
    let replay = replay_of(&rows, &metric, 1);
    let mut plain = metric.clone();
    plain.events = crate::calendar::Events::default();
    let in_sale = |told: &Told| {
        let mails = told.mails.iter();
        // What still holds when the sale is over is told then, by the hour it was seen last.
        let is_told_then = |mail: &Mail| {
            ["22", "23"]
                .iter()
                .any(|hour| mail.time[11..].starts_with(hour))
        };
        mails
            .filter(|mail| mail.time.starts_with("2026-06-16") && !is_told_then(mail))
            .count()
    };
    assert!(in_sale(&replay_mails(&replay, &plain)) > 0);
    assert_eq!(in_sale(&replay_mails(&replay, &metric)), 0);
}

#[test]
fn a_muted_day_of_daily_values_is_that_day_and_not_the_one_before() {
    let metric = metric_with(Effect::Mute);
    let day = |date: &str| Bucket {
        start: time(&format!("{date} 00:00")).to_utc(),
        end: time(&format!("{date} 00:00")).to_utc() + TimeDelta::days(1),
    };
    let is_quiet = |now: &str, date: &str| metric.is_quiet(time(now), Some(day(date)));
    assert!(!is_quiet("2026-06-16 00:05", "2026-06-15"));
    assert!(is_quiet("2026-06-17 00:05", "2026-06-16"));
    assert!(!is_quiet("2026-06-18 00:05", "2026-06-17"));
    assert!(
        is_quiet("2026-06-16 12:00", "2026-06-10"),
        "no data for days"
    );
    assert!(!is_quiet("2026-06-18 00:05", "2026-06-16"), "no data since");
}

#[test]
fn the_events_of_the_period_are_named() {
    let metric = metric_with(Effect::Mute);
    let replay = replay_of(&shop(), &metric, 1);
    let summary = Summary::new(&replay, &metric);
    let line = "events      Sale muted from 2026-06-16 00:00 CEST to 2026-06-17 00:00 CEST";
    let text = text::write(&summary, None);
    assert!(text.contains(line), "{text}");
    let object = serde_json::to_value(json::object(&summary)).expect("JSON");
    assert_eq!(object["events"][0]["effect"], "mute");
}

/// Five weeks, with a sale each second Friday that has three times the usual values; of the last one so
/// many times as many.
fn with_sales(last: f64) -> (Vec<(DateTime<Tz>, f64)>, Metric) {
    let begin = time("2026-06-01 00:00");
    let day = |day: i64| (begin + TimeDelta::days(day)).to_utc();
    let sales = [4, 18, 32].map(|first| Period {
        start: day(first),
        end: day(first + 1),
    });
    let value = |hour: i32| {
        1000.0 + 300.0 * (f64::from(hour % 24) / 3.8).sin() + f64::from(hour * 7919 % 97)
    };
    let factor = |at: DateTime<Tz>| match sales.iter().rposition(|sale| sale.holds(at.to_utc())) {
        Some(2) => last,
        Some(_) => 3.0,
        None => 1.0,
    };
    let rows = (0..35 * 24).map(|hour| {
        let at = begin + TimeDelta::hours(hour.into());
        (at, factor(at) * value(hour))
    });
    let rows = rows.collect();
    let mut metric = metric();
    metric.window = Some(Duration::from_hours(28 * 24));
    metric.events.add(Event {
        name: "Sale".into(),
        effect: Effect::Learn,
        periods: sales.to_vec(),
    });
    (rows, metric)
}

#[test]
fn what_is_learnt_is_held_against_its_earlier_occurrences() {
    let verdicts = |last: f64| {
        let (rows, metric) = with_sales(last);
        let replay = replay_of(&rows, &metric, 1);
        let points = replay.points.iter();
        let in_sale =
            points.filter(|point| replay.time(point).to_rfc3339().starts_with("2026-07-03"));
        in_sale.map(Evaluation::side).collect::<Vec<_>>()
    };
    assert_eq!(verdicts(3.0), [None; 24]);
    // Fewer than on a usual day are few, and three times as many as at the last sales are many, in nearly
    // every hour.
    let count = |last: f64, side: Side| {
        let verdicts = verdicts(last).into_iter();
        verdicts.filter(|verdict| *verdict == Some(side)).count()
    };
    assert!(count(0.3, Side::Low) >= 20);
    assert!(count(9.0, Side::High) >= 20);
}

#[test]
fn what_is_learnt_is_ignored_where_the_window_holds_no_earlier_one() {
    let (rows, mut metric) = with_sales(3.0);
    metric.window = Some(Duration::from_hours(14 * 24));
    let replay = replay_of(&rows, &metric, 1);
    let days = replay
        .points
        .iter()
        .map(|point| replay.time(point).date_naive().to_string());
    let days: std::collections::BTreeSet<String> = days.collect();
    assert!(days.contains("2026-07-02") && days.contains("2026-07-04"));
    assert!(!days.contains("2026-07-03"));
}
