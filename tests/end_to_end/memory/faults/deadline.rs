//! A run that would take too long: what it reached is told, and what it did not.

use std::net::TcpListener;

use crate::memory::story::{Story, metric};
use crate::support::workspace::LONG;

const SLOW: &str = "where = \"SLEEP(1) = 0\"\n";

/// Nothing but the deadline would end a wait before the harness does.
fn in_a_hurry() -> Story {
    let mut story = Story::new();
    story.top = "deadline = \"4s\"\n".into();
    story.mysql = format!("connect_timeout = {LONG:?}\nquery_timeout = {LONG:?}\n");
    story.smtp = format!("connect_timeout = {LONG:?}\nreply_timeout = {LONG:?}\n");
    story
}

#[test]
fn a_metric_that_takes_too_long_holds_up_no_alert_of_the_others() {
    let mut story = in_a_hurry();
    story.more_metrics = metric("slow", "sales", SLOW) + &metric("last", "sales", "");
    story.run("12:00").assert_status(1);
    story.sell("12:00", 500.0);
    let run = story.run("12:05");
    run.assert_status(1);
    let lines: Vec<&str> = run.stderr.lines().collect();
    assert_eq!(lines.len(), 1, "{run:?}");
    assert!(lines[0].starts_with("bandwatch: slow: "), "{run:?}");
    assert!(lines[0].contains("deadline"), "{run:?}");
    story.assert_told(&["High", "High"]);
}

#[test]
fn mail_that_waits_goes_out_though_the_database_never_answers() {
    let mut story = in_a_hurry();
    story.run_well("12:00");
    story.sell("12:00", 500.0);
    story.run_without_mail("12:05");
    let black_hole = TcpListener::bind("127.0.0.1:0").expect("a free TCP port");
    story.mysql_port = black_hole.local_addr().expect("a bound port").port();
    let run = story.run("12:06");
    run.assert_status(1);
    story.assert_told(&["High"]);
}

#[test]
fn a_mail_server_that_never_answers_keeps_nothing_from_being_remembered() {
    let mut story = in_a_hurry();
    story.run_well("12:00");
    story.sell("12:00", 500.0);
    let mail = story.smtp_port;
    let black_hole = TcpListener::bind("127.0.0.1:0").expect("a free TCP port");
    story.smtp_port = black_hole.local_addr().expect("a bound port").port();
    let run = story.run("12:05");
    run.assert_status(1);
    assert_eq!(story.state("12:05")["state"], "high");
    story.smtp_port = mail;
    story.run_well("12:06");
    story.assert_told(&["High"]);
}
