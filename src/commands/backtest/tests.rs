//! A replay against the check it repeats, and what is summed up from it.

use std::fmt::Write as _;
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use chrono_tz::Tz;

use super::mails::{Told, replay_mails, replay_mails_at};
use super::*;
use crate::commands::report::tests::assert_documented;
use crate::config::Metric;
use crate::detect::{Evaluation, Reference, Verdict, evaluate};
use crate::forecast::{Band, Direction, Level, Side};
use crate::incident::Policy;
use crate::series::{Bucket, Observation, parse_time};
use crate::source::Source;

mod answers;
mod events;
mod stories;

const PARIS: Tz = chrono_tz::Europe::Paris;

fn time(text: &str) -> DateTime<Tz> {
    parse_time(text, PARIS).expect("a time")
}

/// Ten days of hourly values, with a gap, some zeros and two breaches, across the end of summer time.
fn rows() -> Vec<(DateTime<Tz>, f64)> {
    let begin = time("2026-10-18 00:00");
    let value = |hour: i32| match hour {
        150 => 5000.0,
        180 => -900.0,
        _ => 1000.0 + 300.0 * (f64::from(hour % 24) / 3.8).sin() + f64::from(hour * 7919 % 97),
    };
    (0..240)
        .filter(|hour| !(200..203).contains(hour))
        .map(|hour| (begin + TimeDelta::hours(hour.into()), value(hour)))
        .collect()
}

fn metric() -> Metric {
    let mut metric = Metric::of_file("sales");
    metric.window = Some(Duration::from_hours(4 * 24));
    metric
}

fn args(last: Option<Duration>) -> BacktestArgs {
    BacktestArgs {
        metric: None,
        input: None,
        window: None,
        every: None,
        last,
        stride: NonZeroUsize::MIN,
        level: None,
        model: None,
        format: BacktestFormat::Text,
        plot: None,
    }
}

fn now() -> DateTime<Tz> {
    time("2026-11-22 14:05")
}

/// What `read` makes of a file with these rows.
fn with_file<T>(rows: &[(DateTime<Tz>, f64)], read: impl FnOnce(&Path) -> T) -> T {
    let mut text = "time,value\n".to_string();
    for (time, value) in rows {
        writeln!(text, "{},{value}", time.to_rfc3339()).expect("a String takes any text");
    }
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), text).expect("written");
    read(file.path())
}

fn history(rows: &[(DateTime<Tz>, f64)], metric: &Metric) -> History {
    with_file(rows, |path| {
        Source::File(path.to_path_buf())
            .history(metric, None, now())
            .expect("a history")
    })
}

fn points(rows: &[(DateTime<Tz>, f64)], metric: &Metric) -> Vec<Observation> {
    choose_points(metric, &args(None), &history(rows, metric)).expect("points to judge")
}

fn replay_of(rows: &[(DateTime<Tz>, f64)], metric: &Metric, stride: usize) -> Replay {
    let stride = NonZeroUsize::new(stride).expect("a stride");
    let points = points(rows, metric);
    Replay::new(
        &history(rows, metric),
        &points,
        metric,
        Said::default(),
        stride,
    )
    .expect("a replay")
}

#[test]
fn each_point_is_judged_as_a_check_at_its_time_judges_it() {
    let (rows, metric) = (rows(), metric());
    let replay = replay_of(&rows, &metric, 1);
    with_file(&rows, |path| {
        for point in &replay.points {
            let closed = Some(replay.time(point) + TimeDelta::hours(1));
            let window = Source::File(path.to_path_buf())
                .latest(&metric, closed, now())
                .expect("a window");
            let evaluation = evaluate(window, &metric.method, &crate::detect::Answers::default())
                .expect("an evaluation");
            let [one, other] = [&evaluation, point]
                .map(|evaluation| serde_json::to_string(evaluation).expect("text"));
            assert_eq!(one, other);
        }
    });
    let breaches: Vec<Side> = replay.points.iter().filter_map(Evaluation::side).collect();
    assert!(breaches.contains(&Side::High) && breaches.contains(&Side::Low));
}

#[test]
fn judging_starts_after_the_first_full_window_and_leaves_gaps_out() {
    let times: Vec<_> = points(&rows(), &metric())
        .iter()
        .map(|point| point.time)
        .collect();
    assert_eq!(times.first(), Some(&time("2026-10-22 00:00")));
    assert_eq!(times.len(), 240 - 4 * 24 - 3);
    assert!(times.is_sorted());
}

#[test]
fn neither_the_judged_point_nor_what_came_later_is_in_its_window() {
    let metric = metric();
    let before = replay_of(&rows(), &metric, 1);
    for changed in [100, 150, 220] {
        let mut rows = rows();
        rows[changed].1 += 10_000.0;
        let after = replay_of(&rows, &metric, 1);
        for (one, other) in before.points.iter().zip(&after.points) {
            if one.bucket.start <= rows[changed].0 {
                assert_eq!(one.band, other.band, "{changed} {:?}", one.bucket);
            }
        }
    }
    let history = history(&rows(), &metric);
    for point in &before.points {
        let window = history.window_at(before.time(point), &metric);
        let split = window.series.split_latest().expect("two halves");
        assert_eq!(split.latest.time, before.time(point));
        assert!(split.history.next_time() <= split.latest.time);
        assert_eq!(window.series.len(), 4 * 24 + 1);
    }
}

#[test]
fn a_stride_judges_every_kth_point_all_the_same() {
    let buckets = |stride| -> Vec<(Bucket, Option<Band>)> {
        let points = replay_of(&rows(), &metric(), stride).points;
        points
            .iter()
            .map(|point| (point.bucket, point.band))
            .collect()
    };
    let expected: Vec<_> = buckets(1).into_iter().step_by(7).collect();
    assert_eq!(buckets(7), expected);
}

#[test]
fn only_the_last_stretch_is_judged_if_asked() {
    let (metric, rows) = (metric(), rows());
    let args = args(Some(Duration::from_hours(24)));
    let points = choose_points(&metric, &args, &history(&rows, &metric)).expect("points");
    assert_eq!(points.len(), 24);
    assert_eq!(points[0].time, time("2026-10-26 23:00"));
}

#[test]
fn a_history_without_a_full_window_says_what_to_do() {
    let metric = metric();
    let error = choose_points(&metric, &args(None), &history(&rows()[..50], &metric))
        .expect_err("nothing to judge")
        .to_string();
    assert_eq!(
        error,
        "2 d 2 h of history, from 2026-10-18 00:00 CEST: nothing to judge, as judging starts after the first full window of 4 d; set a shorter --window"
    );
}

#[test]
fn where_an_empty_bucket_is_zero_the_past_is_filled_as_the_check_filled_it() {
    let mut metric = metric();
    metric.missing = crate::series::Missing::Zero;
    metric.step = Some("1h".parse().expect("a step"));
    let replay = replay_of(&rows(), &metric, 1);
    assert_eq!(replay.points.len(), 240 - 4 * 24);
    let in_gap = &replay.points[201 - 4 * 24];
    assert_eq!((in_gap.value, in_gap.side()), (Some(0.0), Some(Side::Low)));
}

/// Hourly evaluations with a score each, above what was expected; below it where that is negative. A
/// score below 0.05 is a breach.
fn scored(scores: &[f64]) -> Replay {
    let begin = time("2026-11-02 00:00").to_utc();
    let point = |(hour, score): (i64, &f64)| Evaluation {
        bucket: Bucket {
            start: begin + TimeDelta::hours(hour),
            end: begin + TimeDelta::hours(hour + 1),
        },
        value: Some(10.0 * score.signum()),
        band: Band::new(-5.0, 0.0, 5.0),
        level: Level::default(),
        deviation: Some(2.0 * score.signum()),
        score: Some(score.abs()),
        verdict: match score {
            _ if score.abs() >= 0.05 => Verdict::Normal,
            _ if *score > 0.0 => Verdict::Breach(Side::High),
            _ => Verdict::Breach(Side::Low),
        },
        low_possible: Some(true),
        high_possible: Some(true),
        is_whole: false,
        reference: Reference::default(),
        workings: None,
    };
    Replay {
        points: (0..).zip(scores).map(point).collect(),
        missed: Vec::new(),
        step: "1h".parse().expect("a step"),
        stride: 1,
        delay: TimeDelta::zero(),
        level: Level::default(),
        zone: PARIS,
        said: Said::default(),
    }
}

fn under(policy: Policy) -> Metric {
    let mut metric = metric();
    metric.policy = policy;
    metric
}

fn kinds(told: &Told) -> Vec<String> {
    let mails = told.mails.iter();
    mails
        .map(|mail| format!("{} {}", &mail.time[11..16], mail.kind))
        .collect()
}

#[test]
fn mails_follow_the_rules_of_the_metric() {
    let mut scores = vec![0.5; 48];
    for hour in [3, 10, 11, 20] {
        scores[hour] = 0.01;
    }
    let replay = scored(&scores);
    assert!(replay.points.iter().any(Evaluation::is_breach));
    let told = replay_mails(&replay, &under(Policy::default()));
    assert_eq!(
        kinds(&told),
        [
            "03:00 high",
            "05:00 over",
            "10:00 high",
            "13:00 over",
            "20:00 high",
            "22:00 over"
        ]
    );
    let incidents = told.incidents.iter();
    let lengths: Vec<i64> = incidents
        .map(|(since, until)| (*until - *since).num_hours())
        .collect();
    assert_eq!(lengths, [1, 2, 1]);
    let strict = Policy {
        confirm: "3 of 5".parse().expect("a rule"),
        recover: std::num::NonZeroU32::new(6),
        ..Policy::default()
    };
    let told = replay_mails(&replay, &under(strict));
    assert_eq!(told, Told::default());
    let quiet = Policy {
        quiet: vec!["00:00-12:30".parse().expect("a window")],
        ..Policy::default()
    };
    let told = replay_mails(&replay, &under(quiet));
    // At 12:30 the newest bucket, 11:00, is still outside.
    assert_eq!(
        kinds(&told),
        ["11:00 high", "13:00 over", "20:00 high", "22:00 over"]
    );
}

#[test]
fn what_lasts_is_mailed_again_and_so_is_what_turns() {
    let mut scores = vec![0.5; 24];
    scores[2..16].fill(0.01);
    scores[16] = -0.01;
    let told = replay_mails(&scored(&scores), &under(Policy::default()));
    assert_eq!(
        kinds(&told),
        [
            "02:00 high",
            "06:00 still",
            "14:00 still",
            "16:00 low",
            "18:00 over"
        ]
    );
    let low = &told.mails[3];
    assert_eq!(
        (low.side, low.value, low.upper),
        (Some("low"), Some(-10.0), Some(5.0))
    );
}

#[test]
fn missing_data_is_mailed_as_a_check_at_its_time_would_have_mailed_it() {
    let (mut rows, metric) = (rows(), metric());
    // The night of the change of clocks is among the hours without data.
    rows.retain(|(time, _)| {
        let day = time.format("%m-%d %H").to_string();
        !("10-24 20".."10-25 09").contains(&day.as_str())
    });
    let replay = replay_of(&rows, &metric, 1);
    let told = replay_mails(&replay, &metric);
    let mails: Vec<_> = told
        .mails
        .iter()
        .filter(|mail| mail.side.is_none())
        .map(|mail| format!("{} {}", mail.time, mail.kind))
        .collect();
    let last = "2026-10-24T19:00:00+02:00";
    assert_eq!(
        mails,
        [
            format!("{last} no_data"),
            format!("{last} still"),
            "2026-10-25T09:00:00+01:00 data_again".to_string(),
        ]
    );
    let no_data = told.mails.iter().find(|mail| mail.kind == "no_data");
    assert_eq!(no_data.map(|mail| mail.value), Some(None));
    // Three steps are allowed: the check of 23:01 is the first to find it.
    let first = replay.missed.first().expect("a run without data");
    assert_eq!(first.at, time("2026-10-24 23:01").to_utc());
}

#[test]
fn data_that_is_too_old_between_two_steps_is_missed_too() {
    let (mut rows, metric) = (rows(), metric());
    // Three hours without data: a step that is late by four is noticed in the fourth.
    rows.retain(|(time, _)| {
        let hour = time.format("%m-%d %H").to_string();
        !["10-24 07", "10-24 08", "10-24 09"].contains(&hour.as_str())
    });
    let replay = replay_of(&rows, &metric, 1);
    let missed: Vec<_> = replay.missed.iter().map(|missed| missed.at).collect();
    assert_eq!(missed.first(), Some(&time("2026-10-24 10:01").to_utc()));
}

#[test]
fn a_breach_that_still_stands_when_quiet_ends_is_mailed_as_a_check_mails_it() {
    let mut scores = vec![0.5; 24];
    scores[5] = 0.01;
    let quiet = Policy {
        quiet: vec!["00:00-07:00".parse().expect("a window")],
        ..Policy::default()
    };
    let told = replay_mails(&scored(&scores), &under(quiet));
    assert_eq!(kinds(&told), ["05:00 high", "07:00 over"]);
}

#[test]
fn a_hint_counts_the_incidents_of_the_level_it_names() {
    let mut scores = vec![0.5; 14 * 24];
    for day in 0..14 {
        scores[day * 24 + 3] = 0.03;
        scores[day * 24 + 4] = 0.04;
        scores[day * 24 + 20] = -0.03;
    }
    scores[106] = 0.0004;
    let (replay, mut metric) = (scored(&scores), metric());
    let told: Vec<_> = hint::hints(&replay, &metric, 2.0)
        .iter()
        .map(|hint| (hint.level, hint.incidents_per_week))
        .collect();
    assert_eq!(told, [(0.98, 0.5)]);
    let at = |share| Level::new(share).expect("a level");
    let count = |share, metric| replay_mails_at(at(share), &replay, metric).incidents.len();
    assert_eq!((count(0.95, &metric), count(0.98, &metric)), (29, 1));
    // Of the high side alone there is one a day at 0.95, but for the one more.
    metric.method.direction = Direction::High;
    let hints = hint::hints(&replay, &metric, 2.0);
    assert_eq!(hints.first().map(|hint| hint.level), Some(0.98));
}

#[test]
fn no_level_is_proposed_for_more_alerts_than_the_lowest_makes() {
    // One a week, whatever the level: a level for one a day is nothing to propose.
    let mut scores = vec![0.9; 28 * 24];
    for week in 0..4 {
        scores[week * 168 + 3] = 0.1;
    }
    let hints = hint::hints(&scored(&scores), &metric(), 4.0);
    let told: Vec<_> = hints
        .iter()
        .map(|hint| (hint.level, hint.incidents_per_week))
        .collect();
    assert_eq!(told, [(0.8, 1.0)]);
}

#[test]
fn a_score_says_what_the_verdict_says() {
    let replay = replay_of(&rows(), &metric(), 1);
    for point in &replay.points {
        let score = point.score.expect("a score");
        assert!(score > 0.0 && score <= 1.0, "{point:?}");
        assert_eq!(score < 1.0 - replay.level.share(), point.is_breach());
    }
}

#[test]
fn breaches_are_counted_by_their_wall_clock() {
    let (rows, metric) = (rows(), metric());
    let replay = replay_of(&rows, &metric, 1);
    let summary = Summary::new(&replay, &metric);
    let by_hour = summary.by_hour.expect("hours");
    assert_eq!(by_hour.iter().sum::<usize>(), summary.high + summary.low);
    let hour = rows[150].0.format("%H").to_string();
    let hour: usize = hour.parse().expect("an hour");
    assert!(by_hour[hour] > 0, "{by_hour:?}");
    assert_eq!(summary.judged, summary.decided);
    assert!(summary.told.incidents.len() <= summary.high + summary.low);
}

#[test]
fn a_table_reads_back_as_the_same_numbers() {
    let mut replay = scored(&[1e-300, 0.1 + 0.2, -1.0 / 3.0, 0.5]);
    let last = replay.points.last_mut().expect("a point");
    last.value = Some(1e300);
    last.band = None;
    last.verdict = Verdict::Undecided("no model".into());
    let table = table::write(&replay);
    let rows: Vec<&str> = table.lines().collect();
    assert_eq!(rows[0], "time,value,expected,lower,upper,score,verdict");
    assert_eq!(rows[4], "2026-11-02T03:00:00+01:00,1e300,,,,,undecided");
    for (row, point) in rows[1..4].iter().zip(&replay.points) {
        let fields: Vec<&str> = row.split(',').collect();
        assert_eq!(fields[5].parse().ok(), point.score);
        assert_eq!(fields[1].parse().ok(), point.value);
    }
}

#[test]
fn the_fields_of_the_object_are_those_that_are_documented() {
    let metric = metric();
    let replay = replay_of(&rows(), &metric, 40);
    let summary = Summary::new(&replay, &metric);
    let object = serde_json::to_value(json::object(&summary)).expect("JSON");
    let fields = object.as_object().expect("an object").keys();
    assert_documented(fields.map(String::as_str), "backtest field");
}
