//! What a run prints where nobody looks on: cron would mail it, beside the mails of the run itself.

use crate::memory::story::Story;
use crate::scene::FIRST;

/// A run with `-q`, as in the crontab of README.md.
#[track_caller]
fn assert_prints_nothing(story: &Story, at: &str, status: i32) {
    let run = story.run_with(at, &["-q"]);
    run.assert_status(status);
    assert_eq!(
        (run.stdout.as_str(), run.stderr.as_str()),
        ("", ""),
        "at {at}"
    );
}

#[test]
fn an_incident_that_is_mailed_is_not_printed() {
    let story = Story::new();
    assert_prints_nothing(&story, "12:00", 0);
    for (bucket, more, at) in [("12:00", 500.0, "12:05"), ("12:05", 500.0, "12:10")] {
        story.sell(bucket, more);
        assert_prints_nothing(&story, at, 0);
    }
    story.sell("12:10", 500.0);
    assert_eq!(story.run_well("12:15").stdout, "", "without -q neither");
    story.assert_told(&["High"]);
    story.sell("12:15", 500.0);
    let run = story.run_with("12:20", &["-v"]);
    assert!(run.stdout.starts_with("sales  HIGH  "), "{run:?}");
}

#[test]
fn an_outage_of_the_database_is_mailed_and_not_printed() {
    let mut story = Story::new();
    assert_prints_nothing(&story, "12:00", 0);
    let port = std::mem::replace(&mut story.mysql_port, 1);
    for at in ["12:01", "12:05", "12:10", "12:11", "12:12"] {
        assert_prints_nothing(&story, at, 1);
    }
    story.assert_told(&["Cannot check"]);
    let run = story.run_with("12:13", &["-v"]);
    assert!(
        run.stderr.starts_with("bandwatch: sales: connect to "),
        "{run:?}"
    );
    story.mysql_port = port;
    assert_prints_nothing(&story, "12:14", 0);
    story.assert_told(&["Cannot check", "Checked again"]);
}

#[test]
fn without_a_flag_an_outage_is_printed_until_it_is_mailed() {
    let mut story = Story::new();
    story.run_well("12:00");
    story.mysql_port = 1;
    for (at, lines) in [("12:01", 1), ("12:11", 1), ("12:12", 0), ("12:13", 0)] {
        let run = story.run(at);
        run.assert_status(1);
        assert_eq!(run.stderr.lines().count(), lines, "at {at}: {run:?}");
    }
    story.assert_told(&["Cannot check"]);
}

#[test]
fn an_alert_that_cannot_be_mailed_is_printed_with_the_reason() {
    let mut story = Story::new();
    assert_prints_nothing(&story, "12:00", 0);
    story.sell("12:00", 500.0);
    let port = std::mem::replace(&mut story.smtp_port, 1);
    let run = story.run_with("12:05", &["-q"]);
    run.assert_status(1);
    assert!(run.stdout.starts_with("sales  HIGH  "), "{run:?}");
    assert!(run.stderr.contains(FIRST), "{run:?}");
    story.smtp_port = port;
    assert_prints_nothing(&story, "12:06", 0);
    story.assert_told(&["High"]);
}

#[test]
fn a_file_that_was_set_aside_is_mailed_and_not_printed() {
    let story = Story::new();
    assert_prints_nothing(&story, "12:00", 0);
    std::fs::write(story.memory().join("state.json"), "garbage").expect("a file");
    assert_prints_nothing(&story, "12:01", 1);
    story.assert_told(&["bandwatch"]);
}
