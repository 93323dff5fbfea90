//! A check reads what is new of a window, and keeps the rest from the check before.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use chrono::TimeDelta;
use serde_json::Value;

use crate::memory::story::{Story, moment, usual};
use crate::source::shop::times;
use crate::support::Run;

/// The buckets of four days and the judged one.
const ALL: u64 = 4 * 288 + 1;

/// A shop that is looked at for the first time at 12:00, and whose next sales are in.
fn looked_at(lines: &str) -> Story {
    let mut story = Story::new();
    story.metric = format!("reread = \"6h\"\n{lines}");
    let (first, sent) = sent_by(&story, || story.run_well("12:00"));
    assert!(sent >= ALL, "{sent} rows: {}", first.printed());
    story.sell("12:00", 3.0);
    story.sell("12:05", 4.0);
    story
}

/// A run, and how many rows the server sent to it.
fn sent_by(story: &Story, run: impl FnOnce() -> Run) -> (Run, u64) {
    let before = story.database.read_by_reader().sent;
    let run = run();
    (run, story.database.read_by_reader().sent - before)
}

/// What was told, but for the part of the second in which it was.
fn told(run: &Run) -> Value {
    let mut told: Value = serde_json::from_str(&run.stdout).expect("one JSON object");
    told["as_of"].take();
    told
}

fn rows(run: &Run) -> u64 {
    told(run)["rows"].as_u64().expect("a number of rows")
}

/// Runs again on the memory as it was before.
pub fn again(story: &Story, at: &str, arguments: &[&str]) -> Run {
    let (memory, kept) = (story.memory(), story.workspace.path().join("kept"));
    let copy = |from, to| {
        let _ = fs::remove_dir_all(to);
        let mut command = std::process::Command::new("cp");
        let done = command.arg("-a").args([from, to]).status();
        assert!(done.expect("cp").success());
    };
    copy(&memory, &kept);
    let run = story.run_with(at, arguments);
    run.assert_status(0);
    assert_eq!(run.stderr, "", "nothing went wrong");
    copy(&kept, &memory);
    run
}

#[test]
fn a_check_reads_what_is_new_and_tells_what_one_that_reads_all_tells() {
    for lines in ["", "aggregate = \"sum\"\ndelay = \"0s\"\n"] {
        let story = looked_at(lines);
        let json = ["--format", "json"];
        let (warm, few) = sent_by(&story, || again(&story, "12:05", &json));
        // Six hours, the new bucket, and a few questions.
        assert!((73..80).contains(&few), "{few} rows");
        let all = ["--format", "json", "--no-cache"];
        let (cold, many) = sent_by(&story, || again(&story, "12:05", &all));
        assert!(many >= ALL, "{many} rows");
        assert_eq!(told(&warm), told(&cold));
        assert_eq!(told(&warm)["verdict"], "normal");
        let file = story.memory().join("windows/sales.window");
        let rights = fs::metadata(file).expect("a file").permissions().mode();
        assert_eq!(rights & 0o777, 0o600);
    }
}

#[test]
fn rows_corrected_in_the_last_hours_are_seen_at_once_and_older_ones_with_all_others() {
    let story = looked_at("");
    let at = |hours| moment("12:00") - TimeDelta::hours(hours);
    let json = ["--format", "json"];
    let before = rows(&again(&story, "12:05", &json));
    story
        .database
        .execute(&format!("DELETE FROM sales WHERE at = '{}'", at(1)));
    assert_eq!(rows(&again(&story, "12:05", &json)), before - 1);
    story
        .database
        .execute(&format!("DELETE FROM sales WHERE at = '{}'", at(48)));
    assert_eq!(rows(&again(&story, "12:05", &json)), before - 1);
    let all = ["--format", "json", "--no-cache"];
    assert_eq!(rows(&again(&story, "12:05", &all)), before - 2);
    // A day later all is read.
    story.run_well("12:05");
    let sales: Vec<_> = times("2026-11-23 12:00:00", 5, 288)
        .map(|time| (time, usual(time)))
        .collect();
    story
        .database
        .insert_rows("sales", "at", "amount", &sales[1..]);
    let (next, sent) = sent_by(&story, || again(&story, "2026-11-23 12:05", &json));
    assert!(sent >= ALL - 2, "{sent} rows");
    let all = again(&story, "2026-11-23 12:05", &all);
    assert_eq!(told(&next), told(&all));
}

#[test]
fn a_file_that_is_damaged_or_of_another_definition_costs_a_read_and_nothing_else() {
    let mut story = looked_at("");
    let file = story.memory().join("windows/sales.window");
    let json = ["--format", "json"];
    let expected = told(&again(&story, "12:05", &json));
    let bytes = fs::read(&file).expect("a file");
    for damaged in [&bytes[..bytes.len() / 2], &[0; 1000], b""] {
        fs::write(&file, damaged).expect("written");
        let (run, sent) = sent_by(&story, || again(&story, "12:05", &json));
        assert_eq!(told(&run), expected);
        assert!(sent >= ALL, "{sent} rows");
    }
    fs::write(&file, &bytes).expect("written");
    story.metric += "missing = \"zero\"\n";
    let (_, sent) = sent_by(&story, || again(&story, "12:05", &json));
    assert!(sent >= ALL, "{sent} rows");
}

#[test]
fn a_run_that_remembers_nothing_keeps_no_windows() {
    let story = Story::new();
    story.run_with("12:00", &["--dry-run"]).assert_status(0);
    assert!(!story.memory().join("windows").exists());
}
