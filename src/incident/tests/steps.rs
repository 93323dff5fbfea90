//! Rules of incidents in steps of a minute, a day and a month.

use super::*;
use crate::series::sample::{series_from, time, window};

/// The bucket that starts at a time, of a metric with so many before it.
fn evaluation_at(start: &str, step: &str, first: &str, buckets: usize) -> Evaluation {
    let series = series_from(first, step, &vec![Some(7.0); buckets]);
    let window = window(series, Some(time(start)));
    let verdict = Verdict::Normal;
    Evaluation::without_forecast(window, Level::default(), verdict, None)
}

#[test]
fn a_new_level_is_an_incident_for_a_week_of_days_and_a_quarter_of_months() {
    let policy = Policy::default();
    for (start, step, first, buckets, opened, adapted) in [
        (
            "2026-10-20",
            "1d",
            "2026-10-01",
            20,
            "2026-10-21",
            "2026-10-28",
        ),
        (
            "2026-11-01",
            "1mo",
            "2026-01-01",
            11,
            "2026-12-01",
            "2027-03-01",
        ),
        (
            "2026-11-16",
            "1w",
            "2026-10-05",
            7,
            "2026-11-23",
            "2026-12-21",
        ),
    ] {
        let evaluation = evaluation_at(start, step, first, buckets);
        let opened = time(opened).to_utc();
        assert_eq!(evaluation.bucket.end, opened, "{step}");
        let found = policy.adapted_at(&evaluation, opened, 1);
        assert_eq!(found, time(adapted).to_utc(), "{step}");
        // What is stored knows no calendar.
        let stored = policy.adapted_at(&evaluation.without_workings(), opened, 1);
        let off = stored - time(adapted).to_utc();
        assert!(off.abs() <= TimeDelta::days(2), "{step}: {off}");
    }
}

#[test]
fn a_day_of_25_hours_has_the_budget_of_a_day() {
    let policy = Policy {
        budget: Some("1/month".parse().expect("a budget")),
        ..Policy::default()
    };
    let limit = |day: &str, buckets| {
        let evaluation = evaluation_at(day, "1d", "2026-10-01", buckets);
        policy.limits(evaluation.bucket).expect("limits").bucket()
    };
    let share = limit("2026-10-25", 25) / limit("2026-10-24", 24);
    assert!((share - 25.0 / 24.0).abs() < 1e-9, "{share}");
}

#[test]
fn one_month_that_is_back_ends_an_incident_and_two_days() {
    let recover_after = |policy: &Policy, step, first, buckets| {
        policy.recover_after(evaluation_at("2026-11-01", step, first, buckets).bucket)
    };
    let usual = Policy::default();
    assert_eq!(recover_after(&usual, "1d", "2026-10-01", 32), 2);
    assert_eq!(recover_after(&usual, "1mo", "2026-01-01", 11), 1);
    let set = Policy {
        recover: NonZeroU32::new(3),
        ..Policy::default()
    };
    assert_eq!(recover_after(&set, "1mo", "2026-01-01", 11), 3);
}

/// What is mailed of months with a December of a third more and a ripple of 4 %, the newest 24 of which come in
/// one after the other, changed by their number.
fn told_of_months(change: impl Fn(usize) -> f64) -> Vec<&'static str> {
    const HISTORY: usize = 60;
    let value = |number: usize| {
        let hashed = (number as u64 + 7).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let hashed = (hashed ^ (hashed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let ripple = f64::from(u16::try_from((hashed >> 20) % 1000).expect("small")) / 1000.0 - 0.5;
        let season = if number % 12 == 11 { 1.33 } else { 1.0 };
        1000.0 * season * (1.0 + 0.08 * ripple)
    };
    let policy = Policy {
        budget: Some("1/year".parse().expect("a budget")),
        ..Policy::default()
    };
    let mut state = MetricState::default();
    let mut told = Vec::new();
    for newest in 0..24 {
        let numbers = newest..=newest + HISTORY;
        let values = numbers.map(|number| {
            let factor = number.checked_sub(HISTORY).map_or(1.0, &change);
            Some(value(number) * factor)
        });
        let (year, month) = (2016 + newest / 12, newest % 12 + 1);
        let first = format!("{year}-{month:02}-01");
        let series = series_from(&first, "1mo", &values.collect::<Vec<_>>());
        let last = series.time(series.len() - 1);
        let window = window(series, Some(last));
        let (method, answers) = (
            crate::forecast::Method::default(),
            crate::detect::Answers::default(),
        );
        let evaluation = crate::detect::evaluate(window, &method, &answers).expect("an evaluation");
        let now = evaluation.bucket.end;
        state.update(&CheckResult::Evaluated(evaluation), now, &policy, Muted::No);
        let open = state.alerts.iter().find(|alert| alert.is_open());
        told.push(open.map_or("none", |alert| alert.condition.word()));
    }
    told
}

#[test]
fn half_of_a_month_is_an_incident_until_a_month_is_back() {
    assert_eq!(told_of_months(|_| 1.0), ["none"; 24]);
    let told = told_of_months(|number| if number == 5 { 0.5 } else { 1.0 });
    let expected = [["none"; 5].as_slice(), &["low"], &["none"; 18]].concat();
    assert_eq!(told, expected);
    let told = told_of_months(|number| if (5..8).contains(&number) { 0.7 } else { 1.0 });
    let expected = [["none"; 5].as_slice(), &["low"; 3], &["none"; 16]].concat();
    assert_eq!(told, expected);
}

#[test]
fn a_value_is_frozen_after_an_hour_of_minutes() {
    let policy = Policy::default();
    let is_frozen = |unchanged| {
        let mut state = MetricState::default();
        let mut evaluation = evaluation(0, 0.2);
        evaluation.bucket.end = evaluation.bucket.start + TimeDelta::minutes(1);
        evaluation.reference.unchanged.buckets = unchanged;
        let result = CheckResult::Evaluated(evaluation);
        state.update(&result, at(1), &policy, Muted::No);
        state.alerts.iter().any(Alert::is_open)
    };
    assert!(!is_frozen(60));
    assert!(is_frozen(61));
}
