//! What keeps a metric from being watched is told by itself, and is neither a
//! breach nor the end of one.

use chrono::Timelike as _;

use crate::memory::story::{Story, usual};
use crate::scene::FIRST;
use crate::source::shop::{noise, times};
use crate::support::MailServerSetup;

/// The port of a service that nobody has (tcpmux).
const NOBODYS_PORT: u16 = 1;

#[test]
fn rows_that_stop_are_told_once_and_that_they_are_back() {
    let story = Story::new();
    story.run_well("12:00");
    story.run_well("12:14");
    story.assert_told(&[]);
    // The last bucket ended at 12:00, and stale_after is three steps.
    for minute in ["12:15", "12:16", "12:30"] {
        story.run_well(minute);
    }
    story.assert_told(&["No data"]);
    assert!(story.state("12:30")["no_data"]["told_at"].is_string());
    story.play("12:30", &[0.0, 0.0]);
    story.assert_told(&["No data", "Data again"]);
    let mails = story.mails(FIRST);
    assert_eq!(
        mails[1].header("In-Reply-To"),
        mails[0].header("Message-ID")
    );
    assert!(story.state("12:40")["no_data"].is_null());
}

#[test]
fn empty_buckets_that_count_as_zero_do_not_end_a_lack_of_data() {
    let mut story = Story::new();
    story.metric = "aggregate = \"sum\"\nmissing = \"zero\"\ndirection = \"high\"\n".into();
    story.run_well("12:00");
    for minute in ["12:05", "12:10", "12:15", "12:20", "12:25", "12:30"] {
        story.run_well(minute);
    }
    story.assert_told(&["No data"]);
    story.play("12:30", &[0.0, 0.0]);
    story.assert_told(&["No data", "Data again"]);
}

#[test]
fn a_database_that_is_down_is_told_after_unwell_after_and_that_it_is_back() {
    let mut story = Story::new();
    story.run_well("12:00");
    let port = story.mysql_port;
    story.mysql_port = NOBODYS_PORT;
    for minute in 1..=9 {
        let run = story.run(&format!("12:0{minute}"));
        run.assert_status(1);
        assert_eq!(run.stderr.lines().count(), 1, "{run:?}");
        assert!(
            run.stderr
                .starts_with("bandwatch: sales: connect to 127.0.0.1:1: ")
        );
    }
    story.run("12:10").assert_status(1);
    story.assert_told(&[]);
    for minute in ["12:11", "12:12", "12:13"] {
        story.run(minute).assert_status(1);
    }
    story.assert_told(&["Cannot check"]);
    let unwell = story.state("12:13")["unwell"].clone();
    assert_eq!(unwell["since"], "2026-11-22T12:01:00+00:00");
    story.mysql_port = port;
    for (at, more) in [("12:00", 0.0), ("12:05", 500.0), ("12:10", 0.0)] {
        story.sell(at, more);
    }
    story.run_well("12:16");
    story.run_well("12:17");
    // What happened meanwhile is not lost.
    story.assert_told(&["Cannot check", "Checked again", "High"]);
    assert!(story.state("12:17")["unwell"].is_null());
}

#[test]
fn an_incident_outlives_a_failure_of_the_check() {
    let mut story = Story::new();
    story.run_well("12:00");
    story.play("12:00", &[500.0]);
    let port = story.mysql_port;
    story.mysql_port = NOBODYS_PORT;
    for minute in ["12:06", "12:16"] {
        story.run(minute).assert_status(1);
        assert_eq!(story.state(minute)["state"], "high");
    }
    story.mysql_port = port;
    story.sell("12:05", 500.0);
    story.sell("12:10", 0.0);
    story.play("12:15", &[0.0]);
    story.assert_told(&["High", "Cannot check", "Checked again", "Over"]);
}

#[test]
fn a_history_that_is_too_short_is_told_once_and_that_it_suffices() {
    let mut story = Story::without_rows(MailServerSetup::default());
    story.create_table("sales");
    let rows = |last, count| -> Vec<_> {
        let times = times(last, 5, count);
        times.map(|time| (time, usual(time))).collect()
    };
    let database = &story.database;
    database.insert_rows("sales", "at", "amount", &rows("2026-11-22 11:55:00", 288));
    story.metric = "renotify = \"30m\"\n".into();
    story.play("12:00", &[0.0, 0.0]);
    story.assert_told(&[]);
    let undecided = &story.state("12:10")["undecided"];
    let why = undecided["why"].as_str().expect("a reason");
    assert!(why.contains("at least 2 d are needed"), "{why}");
    story.play("12:10", &[0.0; 12]);
    // It grows by itself: once is enough.
    story.assert_told(&["Cannot judge"]);
    let database = &story.database;
    database.insert_rows("sales", "at", "amount", &rows("2026-11-21 11:55:00", 288));
    story.play("13:10", &[0.0]);
    story.assert_told(&["Cannot judge", "Judged again"]);
}

/// A shop that is open from 8 to 20, and the time is half past seven in the evening.
fn shop_in_the_evening(metric: &str) -> Story {
    let mut story = Story::without_rows(MailServerSetup::default());
    story.metric = format!("level = 0.9999\n{metric}");
    story.create_table("sales");
    let rows: Vec<_> = times("2026-11-22 19:30:00", 5, 5 * 288)
        .filter(|time| (8..20).contains(&time.hour()))
        .map(|time| (time, usual(time) + (20.0 * noise(time)).round()))
        .collect();
    story.database.insert_rows("sales", "at", "amount", &rows);
    story.run_well("19:35");
    story
}

#[test]
fn closing_hours_are_no_news() {
    for metric in ["", "aggregate = \"sum\"\ndelay = \"0s\"\n"] {
        let story = shop_in_the_evening(metric);
        story.play("19:35", &[0.0; 5]);
        for minute in (0..60).step_by(3) {
            story.run_well(&format!("20:{minute:02}"));
        }
        for hour in ["21:31", "22:02", "23:03", "23:59"] {
            story.run_well(hour);
        }
        story.assert_told(&[]);
    }
}

#[test]
fn a_shop_whose_rows_stop_while_it_is_open_is_told() {
    let mut story = Story::without_rows(MailServerSetup::default());
    story.create_table("sales");
    let rows: Vec<_> = times("2026-11-22 14:00:00", 5, 5 * 288)
        .filter(|time| (8..20).contains(&time.hour()))
        .map(|time| (time, usual(time) + (20.0 * noise(time)).round()))
        .collect();
    story.database.insert_rows("sales", "at", "amount", &rows);
    story.metric = "level = 0.9999\n".into();
    story.run_well("14:05");
    story.run_well("14:19");
    story.assert_told(&[]);
    // A run knows the time to the second, and 15 minutes are just not too long.
    story.run_well("14:20:01");
    story.assert_told(&["No data"]);
}
