//! What `bandwatch status` tells along a story.

use serde_json::Value;

use crate::memory::story::Story;
use crate::support::clock;

#[test]
fn before_the_first_run_nothing_is_known() {
    let story = Story::new();
    let status = story.status("12:00");
    assert_eq!(status["metrics"][0]["state"], "unknown");
    assert_eq!(status["last_run"], Value::Null);
    assert!(!story.memory().exists(), "a look makes no folder");
}

#[test]
fn the_status_follows_an_incident() {
    let story = Story::new();
    story.run_well("12:00");
    let status = story.status("12:01");
    assert_eq!(status["metrics"][0]["state"], "ok");
    assert_eq!(status["metrics"][0]["since"], "2026-11-22T11:55:00+00:00");
    assert_eq!(status["last_good_run"], "2026-11-22T12:00:00+00:00");
    story.play("12:00", &[500.0, 500.0]);
    let status = story.status("12:11");
    let state = &status["metrics"][0];
    assert_eq!(state["state"], "high");
    assert_eq!(state["since"], "2026-11-22T12:00:00+00:00");
    assert_eq!(state["told_at"], "2026-11-22T12:05:00+00:00");
    assert_eq!(state["last"]["time"], "2026-11-22T12:05:00+00:00");
    assert!(state["last"]["value"].as_f64() > state["last"]["upper"].as_f64());
    assert_eq!(status["outbox"], Value::Array(Vec::new()));
    story.play("12:10", &[0.0, 0.0]);
    let state = story.state("12:21");
    assert_eq!(state["state"], "ok");
    assert_eq!(state["told_at"], Value::Null);
}

#[test]
fn the_status_for_people_says_the_same() {
    let mut story = Story::new();
    story.run_well("12:00");
    story.play("12:00", &[500.0]);
    story.smtp_port = 1;
    story.sell("12:05", 1500.0);
    story.run("12:10").assert_status(1);
    let run = story.run_with("12:11", &["status"]);
    run.assert_status(0);
    let folder = story.memory().display().to_string();
    for told in [
        &format!("state     {folder}"),
        "last run  12:10 UTC, the last good one 12:05 UTC",
        "sales  HIGH since 12:00 UTC; ",
        // What was refused at 12:10 was not told.
        "  told      12:05 UTC",
        "waiting   \"[High, worse] Sales",
        "to first@example.com, written 12:10 UTC, tried once, again from 12:10 UTC: mail to first@example.com by smtp.host 127.0.0.1:1: cannot be talked to: ",
    ] {
        assert!(
            run.stdout.contains(told),
            "{told:?} is not in\n{}",
            run.stdout
        );
    }
}

#[test]
fn the_status_is_told_while_a_run_is_at_work() {
    let mut story = Story::new();
    story.run_well("12:00");
    let black_hole = std::net::TcpListener::bind("127.0.0.1:0").expect("a free TCP port");
    story.mysql_port = black_hole.local_addr().expect("a bound port").port();
    let begun = story.begin(crate::memory::story::moment("12:05")).spawn();
    let mut begun = begun.expect("it starts");
    let (_caller, _) = black_hole.accept().expect("a caller");
    assert_eq!(story.state("12:05")["state"], "ok");
    begun.kill().expect("a child can be killed");
    begun.wait().expect("it ends");
    clock::forget(begun.id());
}
