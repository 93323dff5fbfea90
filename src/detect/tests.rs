//! The whole core on made series: what it decides, and what must never decide it.

use chrono::{DateTime, TimeDelta};
use chrono_tz::Tz;

use super::*;
use crate::forecast::Range;
use crate::series::sample::window;
use crate::series::{Buckets, Grid, Missing, Step, parse_time};

impl Evaluation {
    pub fn forecast(&self) -> Option<&Forecast> {
        self.workings.as_ref()?.forecast.as_ref()
    }
}

mod answers;
mod months;

const STEP_MINUTES: i32 = 30;

fn time(text: &str) -> DateTime<Tz> {
    parse_time(text, chrono_tz::Europe::Paris).expect("a time")
}

/// A wave a day long with a ripple, by the wall clock.
fn healthy(time: DateTime<Tz>) -> f64 {
    let minute = f64::from(
        u32::try_from(time.naive_local().and_utc().timestamp() / 60 % 1440)
            .expect("a minute of the day"),
    );
    // Hashed (Steele, Lea and Flood 2014): a sequence with a pattern would be forecast exactly.
    let mixed = u64::from_ne_bytes((time.timestamp() / 1800).to_ne_bytes())
        .wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let noise = u16::try_from((mixed ^ (mixed >> 31)) % 1000).expect("below 1000");
    let ripple = f64::from(noise) / 1000.0 - 0.5;
    1000.0 + 600.0 * (minute / 1440.0 * std::f64::consts::TAU).sin() + 60.0 * ripple
}

/// Rows each half hour for `days` up to and with the one at `end`.
pub fn rows(end: &str, days: i32) -> Vec<(DateTime<Tz>, f64)> {
    let end = time(end);
    (0..=days * 48)
        .rev()
        .map(|steps| end - TimeDelta::minutes((steps * STEP_MINUTES).into()))
        .map(|time| (time, healthy(time)))
        .collect()
}

fn reading(rows: &[(DateTime<Tz>, f64)], now: DateTime<Tz>) -> Window {
    let step: Step = "30m".parse().expect("a step");
    let grid = Grid::new(step, now);
    let mut buckets = Buckets::new(grid.clone(), None);
    for (time, value) in rows {
        buckets.add(*time, Some(*value));
    }
    let last = grid.last_closed(now, TimeDelta::zero());
    let series = buckets.series(last - 28 * 48, last, Missing::Gap);
    let newest = buckets.slots(i64::MIN, i64::MAX).next_back();
    Window {
        row_counts: buckets.row_counts,
        as_of: now,
        ..window(series, newest.map(|slot| grid.instant(slot)))
    }
}

pub fn judged(rows: &[(DateTime<Tz>, f64)]) -> Evaluation {
    let now = rows.last().map_or(time("2026-11-22 14:30"), |(time, _)| {
        *time + TimeDelta::minutes(STEP_MINUTES.into())
    });
    evaluate(reading(rows, now), &Method::default(), &Answers::default()).expect("an evaluation")
}

fn with_last(value: f64) -> Vec<(DateTime<Tz>, f64)> {
    let mut rows = rows("2026-11-22 14:00", 27);
    rows.last_mut().expect("a row").1 = value;
    rows
}

#[test]
fn a_spike_is_high_a_drop_is_low_and_the_usual_is_normal() {
    let usual = healthy(time("2026-11-22 14:00"));
    assert_eq!(judged(&with_last(usual)).verdict, Verdict::Normal);
    assert_eq!(
        judged(&with_last(usual * 2.0)).verdict,
        Verdict::Breach(Side::High)
    );
    assert_eq!(judged(&with_last(0.0)).verdict, Verdict::Breach(Side::Low));
}

#[test]
fn a_pattern_that_repeats_exactly_is_normal_to_the_last_digit() {
    let half_day = |time: DateTime<Tz>| time.naive_local().and_utc().timestamp() / 1800 % 48 < 24;
    for hour in 0..24 {
        let end = format!("2026-11-22 {hour:02}:00");
        let pattern = |time| if half_day(time) { 0.0 } else { 60.0 };
        let rows: Vec<_> = rows(&end, 27)
            .into_iter()
            .map(|(time, _)| (time, pattern(time)))
            .collect();
        assert_eq!(judged(&rows).verdict, Verdict::Normal, "{end}");
    }
}

#[test]
fn values_that_are_whole_are_known_as_such_wherever_they_came_from() {
    let mut rows = rows("2026-11-22 14:00", 27);
    assert!(!judged(&rows).is_whole);
    for (_, value) in &mut rows {
        *value = value.round();
    }
    assert!(judged(&rows).is_whole);
}

#[test]
fn the_judged_value_never_changes_its_own_band() {
    let bands = [0.0, 800.0, 1e12].map(|value| {
        judged(&with_last(value))
            .forecast()
            .expect("a forecast")
            .band
    });
    assert_eq!(bands[0], bands[1]);
    assert_eq!(bands[0], bands[2]);
}

#[test]
fn a_spike_in_the_last_point_is_never_clipped() {
    let evaluation = judged(&with_last(1e12));
    assert_eq!(evaluation.value, Some(1e12));
    assert_eq!(
        evaluation.cleaned().map(|cleaned| cleaned.clipped.len()),
        Some(0)
    );
}

#[test]
fn the_prediction_is_for_the_judged_point_also_after_a_gap() {
    let mut rows = with_last(900.0);
    let last = rows.pop().expect("a row");
    rows.truncate(rows.len() - 5);
    rows.push(last);
    let evaluation = judged(&rows);
    let forecast = evaluation.forecast().expect("a forecast");
    assert_eq!(forecast.time.to_utc(), evaluation.bucket.start);
    assert_eq!(
        forecast.past.len(),
        evaluation.cleaned().expect("a history").history.len()
    );
}

#[test]
fn old_data_is_undecided_and_says_since_when() {
    let rows = with_last(0.0);
    let judge_at = |text| {
        evaluate(
            reading(&rows, time(text)),
            &Method::default(),
            &Answers::default(),
        )
        .expect("an evaluation")
        .verdict
    };
    assert_eq!(
        judge_at("2026-11-22 16:00"),
        Verdict::Breach(Side::Low),
        "its bucket ended at 14:30, and three steps are allowed"
    );
    assert_eq!(
        judge_at("2026-11-22 16:01"),
        Verdict::NoData {
            since: time("2026-11-22 14:30").to_utc(),
            reason: "no data since 2026-11-22 14:30 CET, and stale_after is 1 h 30 min".into(),
        }
    );
}

#[test]
fn too_little_history_is_undecided_and_says_what_would_do() {
    let short = rows("2026-11-22 14:00", 1);
    let advice =
        "1 d of history; at least 2 d are needed; if the table holds more, set a longer window";
    assert_eq!(judged(&short).reason(), Some(advice));
    assert_eq!(
        judged(&rows("2026-11-22 14:00", 2)).verdict,
        Verdict::Normal
    );
    assert!(matches!(judged(&[]).verdict, Verdict::NoData { .. }));
    let one = judged(&short[..1]);
    assert!(matches!(one.verdict, Verdict::Undecided(_)), "{one:?}");
}

#[test]
fn too_many_gaps_are_undecided() {
    let all = rows("2026-11-22 14:00", 27);
    let every_eleventh: Vec<_> = all.iter().rev().step_by(11).rev().copied().collect();
    let reason = judged(&every_eleventh).reason().map(str::to_string);
    assert!(reason.is_some_and(|reason| reason.contains("buckets of history are empty")));
    let most: Vec<_> = all
        .iter()
        .enumerate()
        .filter(|(index, _)| index % 5 != 0)
        .map(|(_, row)| *row)
        .collect();
    assert!(judged(&most).forecast().is_some());
}

#[test]
fn a_history_that_never_changed_has_no_band_whatever_the_value() {
    for (constant, last) in [(0.0, 0.0), (0.0, 5.0), (7.5, 7.6)] {
        let mut rows = with_last(last);
        let len = rows.len();
        rows[..len - 1].iter_mut().for_each(|row| row.1 = constant);
        let told = format!(
            "every value of the history is {constant}, so nothing says how much change is usual; some variation is needed"
        );
        assert_eq!(judged(&rows).verdict, Verdict::Undecided(told));
    }
}

#[test]
fn a_history_that_differs_too_much_is_no_history_that_never_changed() {
    let rows: Vec<_> = with_last(5.0)
        .into_iter()
        .enumerate()
        .map(|(index, (time, _))| (time, if index % 3 == 0 { 1.7e308 } else { -1.7e308 }))
        .collect();
    let verdict = judged(&rows).verdict;
    let Verdict::Undecided(told) = &verdict else {
        panic!("{verdict:?}");
    };
    let begin = "the values of the history, from -1.7e308 to 1.7e308, differ by more or by less";
    assert!(told.starts_with(begin), "{told}");
}

#[test]
fn extreme_values_make_a_verdict_or_none_but_no_crash() {
    for scale in [1e-300, 1e-9, 1e9, 1e300] {
        let rows: Vec<_> = with_last(healthy(time("2026-11-22 14:00")))
            .into_iter()
            .map(|(time, value)| (time, value * scale))
            .collect();
        let evaluation = judged(&rows);
        assert_eq!(evaluation.verdict, Verdict::Normal, "{scale}");
    }
    let mut wild = with_last(900.0);
    wild.iter_mut().step_by(2).for_each(|row| row.1 = f64::MAX);
    wild.iter_mut()
        .skip(1)
        .step_by(2)
        .for_each(|row| row.1 = f64::MIN);
    let now = time("2026-11-22 14:30");
    // An error that says so is an answer too; a panic is not.
    if let Ok(evaluation) = evaluate(reading(&wild, now), &Method::default(), &Answers::default()) {
        assert!(evaluation.band.is_none_or(|band| band.lower.is_finite()));
    }
}

#[test]
fn a_drop_to_zero_that_the_band_allows_is_told() {
    let mut rows = with_last(900.0);
    let len = rows.len();
    for (index, row) in rows[..len - 1].iter_mut().enumerate() {
        row.1 = if index % 3 == 0 { 0.0 } else { 5.0 };
    }
    let method = Method::default();
    assert_eq!(judged(&rows).low_possible, Some(false));
    assert_eq!(judged(&with_last(900.0)).low_possible, Some(true));
    let nobody_asked = Method {
        direction: Direction::High,
        ..method
    };
    let now = rows.last().expect("a row").0 + TimeDelta::minutes(30);
    let evaluation =
        evaluate(reading(&rows, now), &nobody_asked, &Answers::default()).expect("an evaluation");
    assert_eq!(evaluation.low_possible, None);
}

#[test]
fn a_band_stays_within_the_values_there_can_be() {
    let rows = with_last(900.0);
    let now = rows.last().expect("a row").0 + TimeDelta::minutes(30);
    let judged = |min: f64, max: f64| {
        let method = Method {
            range: Range::new(Some(min), Some(max)).expect("a range"),
            ..Method::default()
        };
        let evaluation =
            evaluate(reading(&rows, now), &method, &Answers::default()).expect("an evaluation");
        let possible = (evaluation.low_possible, evaluation.high_possible);
        (evaluation, possible)
    };
    let free = judged(-1e9, 1e9);
    assert_eq!(free.1, (Some(true), Some(true)));
    let expected = free.0.forecast().expect("a forecast").band.expected;
    let (evaluation, possible) = judged(expected - 1e-3, expected + 1e-3);
    let forecast = evaluation.forecast().expect("a forecast");
    for band in forecast.past.iter().flatten().chain([&forecast.band]) {
        assert!(expected - 1e-3 <= band.lower && band.lower <= band.expected);
        assert!(band.expected <= band.upper && band.upper <= expected + 1e-3);
    }
    assert!(possible.0 == Some(false) || possible.1 == Some(false));
}

#[test]
fn a_value_beyond_the_configured_range_is_a_breach_and_no_error() {
    let rows = with_last(-5.0);
    let now = rows.last().expect("a row").0 + TimeDelta::minutes(30);
    let method = Method {
        range: Range::new(Some(0.0), None).expect("a range"),
        ..Method::default()
    };
    let evaluation =
        evaluate(reading(&rows, now), &method, &Answers::default()).expect("an evaluation");
    assert_eq!(evaluation.verdict, Verdict::Breach(Side::Low));
    assert_eq!(evaluation.low_possible, Some(true));
}

#[test]
fn the_season_keeps_to_the_wall_clock_over_both_changes() {
    for (day, end) in [
        ("autumn", "2026-10-28 14:00"),
        ("spring", "2026-04-01 14:00"),
    ] {
        let rows = rows(end, 27);
        let evaluation = judged(&rows);
        let band = evaluation.forecast().expect("a forecast").band;
        let usual = healthy(time(end));
        assert!(
            (band.expected - usual).abs() < 60.0,
            "{day}: {} is expected where {usual} is usual",
            band.expected
        );
    }
}

#[test]
fn each_half_hour_of_a_change_over_day_is_normal() {
    for day in ["2026-10-25", "2026-03-29"] {
        let (mut now, end) = (
            time(&format!("{day} 00:30")),
            time(&format!("{day} 23:30")) + TimeDelta::hours(1),
        );
        let mut breaches = 0;
        while now <= end {
            let last = now - TimeDelta::minutes(30);
            let rows: Vec<_> = (0..=27 * 48)
                .rev()
                .map(|steps| last - TimeDelta::minutes(steps * 30))
                .map(|time| (time, healthy(time)))
                .collect();
            let evaluation = evaluate(reading(&rows, now), &Method::default(), &Answers::default())
                .expect("an evaluation");
            assert_eq!(evaluation.bucket.start, last.to_utc());
            let band = evaluation.forecast().expect("a forecast").band;
            assert!(
                (band.expected - healthy(last)).abs() < 100.0,
                "{last}: {} is expected where {} is usual",
                band.expected,
                healthy(last)
            );
            breaches += i32::from(evaluation.is_breach());
            now += TimeDelta::minutes(30);
        }
        assert!(breaches <= 8, "{breaches} breaches on {day}");
    }
}

#[test]
fn a_level_that_was_accepted_is_expected_at_once_and_the_one_before_no_more() {
    let since = time("2026-11-22 11:00");
    let verdict = |last: f64, new_levels: &[NewLevel]| {
        let mut rows = rows("2026-11-22 14:00", 27);
        for (at, value) in &mut rows {
            if *at >= since {
                *value /= 2.0;
            }
        }
        let newest = rows.last_mut().expect("a row");
        newest.1 = healthy(newest.0) * last;
        let now = newest.0 + TimeDelta::minutes(30);
        let method = Method::default();
        let answers = Answers {
            new_levels: new_levels.to_vec(),
            ..Answers::default()
        };
        let evaluation = evaluate(reading(&rows, now), &method, &answers).expect("an evaluation");
        let past = evaluation.forecast().expect("a forecast").past[24 * 48].expect("a band");
        // The past is shown as it was.
        assert!(past.expected > 300.0, "{past:?}");
        evaluation.verdict
    };
    let half = [NewLevel {
        since: since.to_utc(),
        accepted_at: time("2026-11-22 13:00").to_utc(),
        ratio: 0.5,
    }];
    assert_eq!(verdict(0.5, &[]), Verdict::Breach(Side::Low));
    assert_eq!(verdict(0.5, &half), Verdict::Normal);
    assert_eq!(verdict(1.0, &half), Verdict::Breach(Side::High));
}
