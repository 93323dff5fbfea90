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
