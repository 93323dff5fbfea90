//! Months: of different lengths, and like those of earlier years.

use super::*;
use crate::series::Aggregate;
use crate::series::sample::{series_from, window};

/// The sums of five years and a month, the last one that of a time, by the month's days and its place in the
/// year.
fn sums(last: &str, of: impl Fn(DateTime<Tz>, f64) -> f64) -> Window {
    let last = time(last);
    let grid = crate::series::sample::grid("1mo", last);
    let first = grid.slot(last) - 60;
    let values = (first..=grid.slot(last)).map(|slot| {
        let length = grid.length(slot) + TimeDelta::hours(12);
        let days = f64::from(i32::try_from(length.num_days()).expect("a month"));
        let ripple = [-0.003, 0.0015, 0.0045, -0.0015, 0.0, 0.002, -0.004];
        let ripple = ripple[usize::try_from(slot * 3 % 7).expect("a place")];
        Some(of(grid.instant(slot), days * (1.0 + ripple)))
    });
    let values: Vec<Option<f64>> = values.collect();
    let start = grid.instant(first).format("%Y-%m-%d").to_string();
    Window {
        aggregate: Some(Aggregate::Sum),
        ..window(series_from(&start, "1mo", &values), Some(last))
    }
}

fn evaluated(window: Window, answers: &Answers) -> Evaluation {
    evaluate(window, &Method::default(), answers).expect("an evaluation")
}

/// Three times as much in December.
fn with_december(time: DateTime<Tz>, days: f64) -> f64 {
    use chrono::Datelike;
    let times = if time.month() == 12 { 3.0 } else { 1.0 };
    1000.0 * days * times
}

#[test]
fn the_sum_of_a_month_is_held_against_as_many_days() {
    for (month, days) in [
        ("2027-02-01", 28.0),
        ("2028-02-01", 29.0),
        ("2027-08-01", 31.0),
    ] {
        let window = sums(month, |_, days| 1000.0 * days);
        let evaluation = evaluated(window, &Answers::default());
        let expected = evaluation.band.expect("a band").expected;
        let share = expected / (1000.0 * days);
        assert!((0.988..1.012).contains(&share), "{month}: {expected}");
        assert_eq!(evaluation.verdict, Verdict::Normal, "{month}");
        // What is drawn of the past are the months as they were.
        let workings = evaluation.workings.as_deref().expect("workings");
        let values: Vec<BandedValue> = workings.banded_values().collect();
        let last_year = values[values.len() - 13];
        assert!(last_year.band.lower < last_year.value && last_year.value < last_year.band.upper);
    }
}

#[test]
fn totals_of_months_are_as_long_as_they_were_and_compared_with_earlier_years() {
    let evaluation = evaluated(sums("2026-12-01", with_december), &Answers::default());
    assert_eq!(evaluation.verdict, Verdict::Normal);
    let spans = &evaluation.reference.spans;
    let days: Vec<i64> = spans.iter().map(|total| total.length.num_days()).collect();
    // December; from October, when the clocks changed, and from June.
    assert_eq!(days, [31, 92, 214]);
    for total in spans {
        let share = total.seen / total.usual;
        assert!((0.9..1.1).contains(&share), "{total:?}");
    }
}

#[test]
fn what_was_fine_in_a_month_is_fine_a_year_later_and_in_no_other_month() {
    let december = |year: &str| time(&format!("{year}-12-01")).to_utc();
    let fine = Answers {
        judged: vec![AnsweredTime {
            start: december("2025"),
            end: time("2026-01-01").to_utc(),
            counts_from: time("2026-01-05").to_utc(),
            healthy: Some(HealthyDeviation {
                side: Side::High,
                size: 50_000.0,
            }),
        }],
        ..Answers::default()
    };
    let tolerances = |last: &str| {
        let window = sums(last, with_december);
        fine.tolerances(&window, time(last).to_utc()).len()
    };
    assert_eq!(tolerances("2026-12-01"), 1);
    assert_eq!(tolerances("2026-11-01"), 0);
    assert_eq!(tolerances("2027-01-01"), 0);
}
