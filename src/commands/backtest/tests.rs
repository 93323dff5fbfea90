//! A replay against the check it repeats, and what is summed up from it.

use std::fmt::Write as _;
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use chrono_tz::Tz;

use super::point::{Decision, Finding, JudgedPoint};
use super::*;
use crate::config::Metric;
use crate::detect::{Evaluation, evaluate};
use crate::forecast::{Band, Level, Method};
use crate::forecast::{Direction, Side};
use crate::series::{Observation, parse_time};
use crate::source::{AsOf, History};

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

fn plan(stride: usize) -> BacktestPlan {
    let mut metric = Metric::of_file("sales");
    metric.window = Duration::from_hours(4 * 24);
    BacktestPlan {
        metric,
        last: None,
        stride: NonZeroUsize::new(stride).expect("a stride"),
        format: BacktestFormat::Text,
        plot: None,
        now: time("2026-11-22 14:05"),
    }
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

fn archive(rows: &[(DateTime<Tz>, f64)], plan: &BacktestPlan) -> History {
    let source = |path: &Path| Source::file(path.to_path_buf());
    with_file(rows, |path| {
        source(path)
            .history(&plan.metric, plan.last, plan.now)
            .expect("an archive")
    })
}

fn replay(rows: &[(DateTime<Tz>, f64)], plan: &BacktestPlan) -> Replay {
    let archive = archive(rows, plan);
    let observations = plan.choose(&archive).expect("points to judge");
    Replay::of(&archive, &observations, plan).expect("a replay")
}

#[test]
fn each_point_is_judged_as_a_check_at_its_time_judges_it() {
    let (rows, plan) = (rows(), plan(1));
    let replay = replay(&rows, &plan);
    with_file(&rows, |path| {
        for point in &replay.points {
            let closed = AsOf::Time(point.time + TimeDelta::hours(1));
            let reading = Source::file(path.to_path_buf())
                .latest(&plan.metric, closed, plan.now)
                .expect("a reading");
            let evaluation = evaluate(reading, &plan.metric.method).expect("an evaluation");
            let observation = evaluation
                .latest(plan.now.timezone())
                .expect("a judged point");
            assert_eq!(JudgedPoint::of(observation, Ok(evaluation)), *point);
        }
    });
    let breaches = replay.points.iter().filter_map(JudgedPoint::breach);
    let breaches: Vec<Side> = breaches.collect();
    assert!(breaches.contains(&Side::High) && breaches.contains(&Side::Low));
}

#[test]
fn judging_starts_after_the_first_full_window_and_leaves_gaps_out() {
    let replay = replay(&rows(), &plan(1));
    let times: Vec<_> = replay.points.iter().map(|point| point.time).collect();
    assert_eq!(times.first(), Some(&time("2026-10-22 00:00")));
    assert_eq!(times.len(), 240 - 4 * 24 - 3);
    assert!(times.is_sorted());
}

#[test]
fn neither_the_judged_point_nor_what_came_later_is_in_its_window() {
    let plan = plan(1);
    let before = replay(&rows(), &plan);
    for changed in [100, 150, 220] {
        let mut rows = rows();
        rows[changed].1 += 10_000.0;
        let after = replay(&rows, &plan);
        for (one, other) in before.points.iter().zip(&after.points) {
            let bands = [one, other].map(|point| point.decision().map(|decision| decision.band));
            if one.time <= rows[changed].0 {
                assert_eq!(bands[0], bands[1], "{changed} {}", one.time);
            }
        }
    }
    let archive = archive(&rows(), &plan);
    for point in &before.points {
        let reading = archive.window_at(point.time, &plan.metric);
        let split = reading.series.split_latest().expect("two halves");
        assert_eq!(split.latest.time, point.time);
        assert!(split.history.next_time() <= point.time);
        assert_eq!(reading.series.len(), 4 * 24 + 1);
    }
}

#[test]
fn a_stride_judges_every_kth_point_all_the_same() {
    let all = replay(&rows(), &plan(1)).points;
    let some = replay(&rows(), &plan(7)).points;
    let expected: Vec<JudgedPoint> = all.into_iter().step_by(7).collect();
    assert_eq!(some, expected);
}

#[test]
fn only_the_last_stretch_is_judged_if_asked() {
    let plan = BacktestPlan {
        last: Some(Duration::from_hours(24)),
        ..plan(1)
    };
    let points = replay(&rows(), &plan).points;
    assert_eq!(points.len(), 24);
    assert_eq!(points[0].time, time("2026-10-26 23:00"));
}

#[test]
fn a_history_without_a_full_window_says_what_to_do() {
    let plan = plan(1);
    let error = plan
        .choose(&archive(&rows()[..50], &plan))
        .expect_err("nothing to judge")
        .to_string();
    assert_eq!(
        error,
        "2 d 2 h of history, from 2026-10-18 00:00 CEST: nothing to judge, as judging starts after the first full window of 4 d; set a shorter --window"
    );
}

#[test]
fn where_an_empty_bucket_is_zero_the_past_is_filled_as_the_check_filled_it() {
    let mut plan = plan(1);
    plan.metric.missing = crate::series::Missing::Zero;
    plan.metric.step = Some("1h".parse().expect("a step"));
    let replay = replay(&rows(), &plan);
    assert_eq!(replay.points.len(), 240 - 4 * 24);
    let in_gap = &replay.points[201 - 4 * 24];
    assert_eq!((in_gap.value, in_gap.breach()), (0.0, Some(Side::Low)));
}

/// Hourly points with a score each, above what was expected; below it where that is negative.
fn scored(scores: &[f64]) -> Vec<JudgedPoint> {
    let begin = time("2026-11-02 00:00");
    (0..)
        .zip(scores)
        .map(|(hour, score)| JudgedPoint {
            time: begin + TimeDelta::hours(hour),
            value: 10.0 * score.signum(),
            finding: Finding::Decided(Decision {
                breach: None,
                band: Band::new(-5.0, 0.0, 5.0).expect("a band"),
                score: score.abs(),
                low_is_possible: Some(true),
                high_is_possible: Some(true),
            }),
        })
        .collect()
}

#[test]
fn a_hint_counts_runs_at_the_level_it_names() {
    let mut scores = vec![0.5; 14 * 24];
    for day in 0..14 {
        scores[day * 24 + 3] = 0.03;
        scores[day * 24 + 4] = 0.04;
        scores[day * 24 + 20] = -0.03;
    }
    scores[106] = 0.0004;
    let points = scored(&scores);
    let hints = hint::hints(&points, Direction::Both, 2.0);
    let told: Vec<_> = hints
        .iter()
        .map(|hint| (hint.level, hint.incidents_per_week))
        .collect();
    assert_eq!(told, [(0.98, 0.5)]);
    // Of the high side alone there is one a day at 0.95, but for the one more.
    let hints = hint::hints(&points, Direction::High, 2.0);
    assert_eq!(hints.first().map(|hint| hint.level), Some(0.98));
    let hints = hint::hints(&scored(&scores[..96]), Direction::High, 4.0 / 7.0);
    assert_eq!((hints[0].level, hints[0].incidents_per_week), (0.8, 7.0));
}

#[test]
fn no_level_is_proposed_for_more_alerts_than_the_lowest_makes() {
    // One a week, whatever the level: a level for one a day is nothing to propose.
    let mut scores = vec![0.9; 28 * 24];
    for week in 0..4 {
        scores[week * 168 + 3] = 0.1;
    }
    let hints = hint::hints(&scored(&scores), Direction::Both, 4.0);
    let told: Vec<_> = hints
        .iter()
        .map(|hint| (hint.level, hint.incidents_per_week))
        .collect();
    assert_eq!(told, [(0.8, 1.0)]);
}

#[test]
fn a_score_says_what_the_verdict_says() {
    let replay = replay(&rows(), &plan(1));
    for point in replay.points {
        let decision = point.decision().expect("a decision");
        let beyond = decision.score < 1.0 - replay.level.share();
        assert!(decision.score > 0.0 && decision.score <= 1.0, "{point:?}");
        assert_eq!(beyond, decision.breach.is_some(), "{point:?}");
    }
}

#[test]
fn breaches_are_counted_by_their_wall_clock() {
    let (rows, plan) = (rows(), plan(1));
    let summary = Summary::of(&replay(&rows, &plan), Direction::Both);
    let by_hour = summary.by_hour.expect("hours");
    assert_eq!(by_hour.iter().sum::<usize>(), summary.high + summary.low);
    let hour: usize = rows[150]
        .0
        .format("%H")
        .to_string()
        .parse()
        .expect("an hour");
    assert!(by_hour[hour] > 0, "{by_hour:?}");
    assert_eq!(summary.judged, summary.decided);
    assert!(summary.incidents.len() <= summary.high + summary.low);
}

#[test]
fn a_table_reads_back_as_the_same_numbers() {
    let mut points = scored(&[1e-300, 0.1 + 0.2, -1.0 / 3.0]);
    points.push(JudgedPoint::of(
        Observation {
            time: time("2026-11-02 03:00"),
            value: 1e300,
        },
        Err(anyhow::anyhow!("no model")),
    ));
    let table = table::write(&Replay {
        points: points.clone(),
        step: "1h".parse().expect("a step"),
        stride: 1,
        level: Level::default(),
    });
    let rows: Vec<&str> = table.lines().collect();
    assert_eq!(rows[0], "time,value,expected,lower,upper,score,verdict");
    assert_eq!(rows[4], "2026-11-02T03:00:00+01:00,1e300,,,,,undecided");
    for (row, point) in rows[1..4].iter().zip(&points) {
        let fields: Vec<&str> = row.split(',').collect();
        let decision = point.decision().expect("a decision");
        assert_eq!(fields[5].parse(), Ok(decision.score));
        assert_eq!(fields[1].parse(), Ok(point.value));
    }
}

#[test]
fn the_fields_of_the_object_are_those_the_readme_explains() {
    let plan = plan(40);
    let replay = replay(&rows(), &plan);
    let summary = Summary::of(&replay, Direction::Both);
    let text = json::write(&replay, &summary, &plan).expect("JSON");
    let object: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let mut fields: Vec<&str> = object
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect();
    fields.sort_unstable();
    let readme = include_str!("../../../README.md");
    let table = readme
        .split("| backtest field | meaning |")
        .nth(1)
        .and_then(|text| text.split("\n\n").next())
        .expect("a table");
    let mut documented: Vec<&str> = table
        .lines()
        .filter_map(|row| row.strip_prefix("| `")?.split(" | ").next())
        .flat_map(|names| names.split(", "))
        .map(|name| name.trim_matches('`'))
        .collect();
    documented.sort_unstable();
    assert_eq!(documented, fields);
}
