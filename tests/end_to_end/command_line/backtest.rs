//! `bandwatch backtest`: history replayed, and told in every form.

use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use chrono::{NaiveDate, TimeDelta};
use serde_json::Value;

use crate::scene::{csv, read, wave, write};
use crate::support::{Run, Workspace};

const HEADER: &str = "time,value,expected,lower,upper,score,verdict";
/// A window of the history below.
const WINDOW: [&str; 2] = ["--window", "6d"];

/// Nine days of hourly sales up to 14:00 on 22 November 2026, with a spike and a drop among the last.
fn history() -> String {
    let begin = NaiveDate::from_ymd_opt(2026, 11, 13)
        .and_then(|day| day.and_hms_opt(15, 0, 0))
        .expect("a time");
    let value = |hour| match hour {
        180 | 181 => 2500.0,
        200 => 12.5,
        _ => wave(hour),
    };
    let rows: Vec<_> = (0..9 * 24)
        .map(|hour| (begin + TimeDelta::hours(hour.into()), value(hour)))
        .collect();
    csv(&rows)
}

fn workspace() -> Workspace {
    let workspace = Workspace::new();
    write(&workspace, "sales.csv", &history());
    workspace
}

#[track_caller]
fn backtest(workspace: &Workspace, flags: &[&str]) -> Run {
    let arguments = [&["backtest", "--input", "sales.csv"], &WINDOW[..], flags].concat();
    let run = workspace.run(&arguments);
    run.assert_status(0);
    assert_eq!(run.stderr, "");
    run
}

#[test]
fn as_csv_each_judged_point_is_a_row() {
    let run = backtest(&workspace(), &["--format", "csv"]);
    let rows: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(rows[0], HEADER);
    assert_eq!(rows.len() - 1, 3 * 24);
    assert!(
        rows[1].starts_with("2026-11-19T15:00:00+00:00,"),
        "{rows:?}"
    );
    assert!(
        rows.iter().all(|row| row.split(',').count() == 7),
        "{rows:?}"
    );
    let of = |time: &str| {
        rows.iter()
            .find(|row| row.starts_with(time))
            .expect("a row")
    };
    let spike = of("2026-11-21T03:00:00");
    assert!(
        spike.contains(",2500.0,") && spike.ends_with(",high"),
        "{spike}"
    );
    let drop = of("2026-11-21T23:00:00");
    assert!(drop.contains(",12.5,") && drop.ends_with(",low"), "{drop}");
}

#[test]
fn a_row_says_what_a_check_at_that_time_said() {
    let workspace = workspace();
    workspace
        .config("timezone = \"Europe/Paris\"\n[[metric]]\nname = \"sales\"\nwindow = \"6d\"\n");
    let run = backtest(&workspace, &["--format", "json", "--stride", "11"]);
    let told: Value = serde_json::from_str(&run.stdout).expect("JSON");
    let points = told["points"].as_array().expect("points");
    assert_eq!(points.len(), 7);
    for point in points {
        let begin = point["time"].as_str().expect("a time");
        let closed =
            chrono::DateTime::parse_from_rfc3339(begin).expect("a time") + TimeDelta::hours(1);
        let flags = ["--input", "sales.csv", "--format", "json", "--at"];
        let run = workspace.run(&[&flags[..], &[&closed.to_rfc3339()]].concat());
        let checked: Value = serde_json::from_str(&run.stdout).expect("JSON");
        for field in ["time", "value", "expected", "lower", "upper", "verdict"] {
            assert_eq!(point[field], checked[field], "{field} at {begin}");
        }
    }
}

#[test]
fn as_text_it_says_what_alerting_would_have_been_like() {
    let run = backtest(&workspace(), &[]);
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(lines[0], "sales");
    let judged = "  judged      72 points of 1 h from 2026-11-19 15:00 UTC to 2026-11-22 14:00 UTC, each from the 6 d before it";
    assert_eq!(lines[1], judged);
    for (line, begin) in lines[2..].iter().zip([
        "  coverage    ",
        "  breaches    ",
        "  incidents   ",
        "  mails       ",
        "  by hour     ",
        "  by weekday  Mon 0, Tue 0, Wed 0, Thu ",
    ]) {
        assert!(line.starts_with(begin), "{line}");
    }
    assert!(lines[2].contains(" % inside a band of 95 %; "), "{run:?}");
    assert!(lines[4].contains(" mailed, "), "{run:?}");
}

#[test]
fn as_json_figures_and_points_agree() {
    let run = backtest(
        &workspace(),
        &["--format", "json", "--level", "0.99", "--last", "2d"],
    );
    assert_eq!(run.stdout.lines().count(), 1);
    let told: Value = serde_json::from_str(&run.stdout).expect("JSON");
    let points = told["points"].as_array().expect("points");
    assert_eq!(points.len(), 48);
    assert_eq!(told["judged"], 48);
    assert_eq!(told["level"], 0.99);
    assert_eq!(told["step_seconds"], 3600);
    for side in ["high", "low"] {
        let count = points.iter().filter(|point| point["verdict"] == side);
        assert_eq!(told[side], count.count(), "{side}");
    }
    let inside = |point: &&Value| {
        let number = |field: &str| point[field].as_f64().expect("a number");
        (number("lower")..=number("upper")).contains(&number("value"))
    };
    let count = u32::try_from(points.iter().filter(inside).count()).expect("few");
    assert_eq!(told["coverage"], f64::from(count) / 48.0);
}

#[test]
fn the_picture_is_written_whole_and_nothing_beside_it() {
    let workspace = workspace();
    let run = backtest(&workspace, &["--plot", "period.png"]);
    assert!(
        run.stdout.ends_with("  picture     period.png\n"),
        "{run:?}"
    );
    let bytes = read(&workspace, "period.png");
    assert!(bytes.starts_with(b"\x89PNG\r\n\x1a\n") && bytes.ends_with(b"IEND\xaeB`\x82"));
    assert_eq!(files(&workspace), ["period.png", "sales.csv"]);
}

#[test]
fn one_that_is_interrupted_prints_and_leaves_nothing() {
    let workspace = Workspace::new();
    // Minutes of two months: more than can be judged before it is interrupted.
    let begin = NaiveDate::from_ymd_opt(2026, 9, 1)
        .and_then(|day| day.and_hms_opt(0, 0, 0))
        .expect("a time");
    let rows: Vec<_> = (0..60 * 1440)
        .map(|minute| (begin + TimeDelta::minutes(minute.into()), wave(minute / 60)))
        .collect();
    write(&workspace, "minutes.csv", &csv(&rows));
    let child = Command::new(env!("CARGO_BIN_EXE_bandwatch"))
        .args(["backtest", "--input", "minutes.csv", "--window", "7d"])
        .args(["--format", "csv", "--plot", "period.png"])
        .current_dir(workspace.path())
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("bandwatch starts");
    // Enough to have begun, and whatever it is at then, nothing may be left.
    sleep(Duration::from_millis(300));
    // Not INT, which whatever a shell starts in the background ignores; and the shell's own kill, as a
    // bare Debian has no other.
    let interrupt = Command::new("sh")
        .args(["-c", "kill -TERM \"$0\"", &child.id().to_string()])
        .status()
        .expect("sh starts");
    assert!(interrupt.success());
    let output = child.wait_with_output().expect("an end");
    assert_eq!(output.status.code(), None, "a signal ended it");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
    assert_eq!(files(&workspace), ["minutes.csv"]);
}

#[test]
fn a_history_that_is_too_short_is_told_with_what_to_do() {
    let run = workspace().run(&["backtest", "--input", "sales.csv"]);
    run.assert_status(1);
    assert_eq!(run.stdout, "");
    let told = "bandwatch: sales: 9 d of history, from 2026-11-13 15:00 UTC: nothing to judge, as judging starts after the first full window of 28 d; set a shorter --window\n";
    assert_eq!(run.stderr, told);
}

#[test]
fn what_cannot_be_meant_is_wrong_usage() {
    let workspace = workspace();
    for (flags, told) in [
        (&["--stride", "0"][..], "a whole number from 1 up"),
        (&["--level", "95"], "a number from 0.5 to 0.999999"),
        (&["--every", "7m"], "whole seconds that divide a day"),
        (&["--window", "soon"], "is not a length of time"),
        (
            &["--window", "1d", "--every", "1h"],
            "allowed: at least \"2d\"",
        ),
        (&["--last", "0s"], "is not a length of time"),
        (&["--format", "xml"], "[possible values: text, csv, json]"),
        (&["--plot", "absent/x.png"], "there is no directory absent"),
        (
            &["--plot", "x.jpg"],
            "--plot x.jpg: allowed: a name that ends in .png",
        ),
        (&["--plot", "."], "a directory"),
        (&["--metric", "other"], "no such metric"),
        (&["--dry-run"], "'--dry-run'"),
    ] {
        let run = workspace.run(&[&["backtest", "--input", "sales.csv"], flags].concat());
        run.assert_status(2);
        assert!(run.stderr.contains(told), "{told} is not in {run:?}");
        assert_eq!(run.stdout, "");
    }
}

#[test]
fn a_side_that_cannot_fire_is_told_in_the_words_of_a_check() {
    let workspace = workspace();
    workspace.config("[[metric]]\nname = \"sales\"\nwindow = \"6d\"\nmin = 681\nmax = 1319\n");
    // The values just keep within the range; so wide a band reaches its ends for hours of each day.
    let run = backtest(&workspace, &["--level", "0.999999"]);
    let remedies = "aggregate longer (every), set a lower level, or watch the other side alone";
    for (side, limit, other) in [
        ("Low", "the lower limit is at min = 681", "high"),
        ("High", "the upper limit is at max = 1319", "low"),
    ] {
        let begin = format!("  blind       {side} cannot fire at ");
        let end = format!(" % of the points: {limit}; {remedies} (direction = \"{other}\")");
        assert!(
            run.stdout
                .lines()
                .any(|line| line.starts_with(&begin) && line.ends_with(&end)),
            "{run:?}"
        );
    }
}

#[test]
fn a_budget_of_false_alerts_is_told_beside_what_was_measured() {
    let workspace = workspace();
    workspace
        .config("[[metric]]\nname = \"sales\"\nwindow = \"6d\"\nmax_false_alerts = \"1/week\"\n");
    let told = backtest(&workspace, &[]).stdout;
    assert!(told.contains(" % inside a band of 95 %; "), "{told}");
    let incidents = told.split_once("  incidents   ").expect("incidents").1;
    let rate = incidents
        .split_once("mailed, ")
        .and_then(|(_, rest)| rest.split_once(" a week"))
        .expect("a rate")
        .0;
    let budget =
        format!("\n  budget      max_false_alerts = 1/week; measured: {rate} incidents a week, ");
    assert!(told.contains(&budget), "{told}");
    let object = |flags: &[&str]| -> Value {
        let run = backtest(&workspace, &[&["--format", "json"], flags].concat());
        serde_json::from_str(&run.stdout).expect("JSON")
    };
    let told = object(&[]);
    assert_eq!(told["level"], 0.95);
    assert_eq!(told["max_false_alerts"], "1/week");
    let told = object(&["--level", "0.9"]);
    assert_eq!(told["level"], 0.9);
    assert_eq!(told["max_false_alerts"], Value::Null);
}

#[test]
fn what_the_method_does_not_go_with_is_refused_before_anything_is_judged() {
    let workspace = workspace();
    workspace.config(
        "[[metric]]\nname = \"sales\"\nwindow = \"6d\"\nseasons = [\"1d\", \"3d\"]\nmax_false_alerts = \"12/day\"\n",
    );
    let flags = ["backtest", "--input", "sales.csv"];
    for (more, status, told) in [
        (
            &["--window", "5d"][..],
            2,
            "seasons = [\"1d\", \"3d\"]: allowed: at most half the window",
        ),
        (&["--every", "2d"], 2, "allowed: a whole number of steps"),
        (&["--every", "6h"], 2, "allowed: at most \"0.8/day\""),
        // The step is found in the file.
        (&[], 1, "with every = \"1h\", allowed: at most \"4.8/day\""),
    ] {
        let run = workspace.run(&[&flags[..], more].concat());
        run.assert_status(status);
        assert!(run.stderr.contains(told), "{told} is not in {run:?}");
        assert_eq!(run.stdout, "");
    }
}

#[test]
fn a_budget_that_the_step_found_in_the_data_does_not_allow_is_no_budget_for_a_check_either() {
    let workspace = workspace();
    workspace
        .config("[[metric]]\nname = \"sales\"\nwindow = \"6d\"\nmax_false_alerts = \"12/day\"\n");
    for flags in [&["--dry-run"][..], &["explain"]] {
        let run = workspace.run(&[flags, &["--input", "sales.csv"]].concat());
        run.assert_status(1);
        let told = "with every = \"1h\", allowed: at most \"4.8/day\"";
        assert!(run.stderr.contains(told), "{run:?}");
    }
}

#[test]
fn a_window_that_never_holds_what_a_verdict_needs_is_refused_before_anything_is_judged() {
    let workspace = workspace();
    let run = workspace.run(&["backtest", "--input", "sales.csv", "--window", "1d"]);
    run.assert_status(1);
    let told = "window = \"1d\": with every = \"1h\", allowed: at least \"2d\"";
    assert!(run.stderr.contains(told), "{run:?}");
    assert_eq!(run.stdout, "");
}

#[test]
fn of_several_metrics_one_must_be_named() {
    let workspace = workspace();
    workspace.config("[[metric]]\nname = \"one\"\nwindow = \"6d\"\n[[metric]]\nname = \"two\"\n");
    let flags = ["backtest", "--input", "sales.csv"];
    let run = workspace.run(&flags);
    run.assert_status(2);
    assert!(
        run.stderr.contains("one, two; choose one with --metric"),
        "{run:?}"
    );
    let run = workspace.run(&[&flags[..], &["--metric", "one"]].concat());
    run.assert_status(0);
    assert!(
        run.stdout.starts_with("one\n  judged      72 points"),
        "{run:?}"
    );
}

fn files(workspace: &Workspace) -> Vec<String> {
    let entries = std::fs::read_dir(workspace.path()).expect("a directory");
    let mut names: Vec<String> = entries
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort_unstable();
    names
}
