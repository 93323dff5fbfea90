//! Several metrics at once, and several runs.

use std::net::TcpListener;
use std::process::Stdio;

use chrono::TimeDelta;

use crate::memory::story::{Story, metric, moment};
use crate::scene::FIRST;
use crate::support::clock;
use crate::support::proxy::Proxy;
use crate::support::workspace::say;

/// So many more metrics that see the same rows.
fn with_as_many_more(count: usize) -> Story {
    let mut story = Story::new();
    story.more_metrics = (1..=count)
        .map(|number| metric(&format!("copy{number}"), "sales", ""))
        .collect();
    story.run_well("12:00");
    story
}

#[test]
fn up_to_five_metrics_that_open_at_once_are_mailed_one_by_one() {
    let story = with_as_many_more(4);
    story.play("12:00", &[500.0]);
    story.assert_told(&["High"; 5]);
}

#[test]
fn more_than_five_metrics_that_open_at_once_are_one_mail() {
    let story = with_as_many_more(7);
    story.play("12:00", &[500.0]);
    story.assert_told(&["8 alerts"]);
    let opened = story.mails(FIRST).remove(0);
    for number in 1..=7 {
        assert!(
            opened
                .text
                .as_ref()
                .is_some_and(|text| text.contains(&format!("Copy{number}")))
        );
    }
    story.play("12:05", &[0.0, 0.0]);
    story.assert_told(&["8 alerts", "8 over"]);
    let over = story.mails(FIRST).remove(1);
    assert_eq!(over.header("In-Reply-To"), opened.header("Message-ID"));
}

#[test]
fn each_metric_has_recipients_of_its_own() {
    let mut story = Story::new();
    let own = "recipients = [\"shop@example.com\"]\n";
    story.more_metrics = metric("shop", "sales", own);
    story.run_well("12:00");
    story.play("12:00", &[500.0]);
    for recipient in story.recipients.clone() {
        assert_eq!(story.inbox(recipient), ["High"]);
    }
    assert_eq!(story.inbox("shop@example.com"), ["High"]);
    assert_eq!(story.server.received().len(), 3);
}

#[test]
fn a_run_of_one_metric_leaves_what_is_remembered_of_the_others() {
    let story = with_as_many_more(1);
    story.play("12:00", &[500.0]);
    story.sell("12:05", 500.0);
    story
        .run_with("12:10", &["--metric", "copy1"])
        .assert_status(0);
    let status = story.status("12:10");
    assert_eq!(
        status["metrics"][0]["last"]["time"],
        "2026-11-22T12:00:00+00:00"
    );
    assert_eq!(
        status["metrics"][1]["last"]["time"],
        "2026-11-22T12:05:00+00:00"
    );
    assert_eq!(status["metrics"][0]["state"], "high");
    story.assert_told(&["High", "High"]);
}

#[test]
fn a_second_run_says_so_and_exits_well_while_another_is_held_up() {
    let mut story = Story::new();
    story.run_well("12:00");
    let black_hole = TcpListener::bind("127.0.0.1:0").expect("a free TCP port");
    let port = story.mysql_port;
    story.mysql_port = black_hole.local_addr().expect("a bound port").port();
    story.top = "deadline = \"30s\"\n".into();
    let mut held_up = story.begin(moment("12:05")).spawn().expect("it starts");
    // Somebody has called: that run has the lock.
    let (_caller, _) = black_hole.accept().expect("a caller");
    story.mysql_port = port;
    story.sell("12:00", 500.0);
    let second = story.run_well("12:06");
    assert_eq!(
        second.stdout,
        "bandwatch: another run is still at work; this one checked nothing\n"
    );
    story.assert_told(&[]);
    // However it ends, it leaves nothing in the way.
    held_up.kill().expect("a child can be killed");
    held_up.wait().expect("it ends");
    clock::forget(held_up.id());
    story.run_well("12:07");
    story.assert_told(&["High"]);
}

#[test]
fn many_runs_at_once_tell_a_breach_once() {
    let story = Story::new();
    story.run_well("12:00");
    for step in 0..4 {
        let at = moment("12:00") + TimeDelta::minutes(25 * step);
        for (number, more) in (0..).zip([500.0, 500.0, 500.0, 0.0, 0.0]) {
            story.sell_at(at + TimeDelta::minutes(5 * number), more);
        }
        let runs: Vec<_> = (0..6)
            .map(|_| {
                let mut run = story.begin(at + TimeDelta::minutes(25));
                run.stderr(Stdio::piped()).spawn().expect("it starts")
            })
            .collect();
        for run in runs {
            let output = run.wait_with_output().expect("it ends");
            let complaints = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{complaints}");
        }
    }
    story.assert_told(&[
        "High", "Over", "High", "Over", "High", "Over", "High", "Over",
    ]);
}

#[test]
fn the_first_runs_ever_at_once_tell_a_breach_once() {
    let story = Story::new();
    story.sell("11:55", 500.0);
    let runs: Vec<_> = (0..6)
        .map(|_| story.begin(moment("12:00")).spawn().expect("it starts"))
        .collect();
    for mut run in runs {
        assert!(run.wait().expect("it ends").success());
    }
    story.assert_told(&["High"]);
}

#[test]
fn many_metrics_are_asked_for_one_after_the_other_over_one_connection() {
    let mut story = Story::new();
    let proxy = Proxy::to(story.mysql_port);
    story.mysql_port = proxy.port();
    story.mysql = "connections = 1\n".into();
    story.more_metrics = (1..20)
        .map(|number| metric(&format!("copy{number}"), "sales", ""))
        .collect();
    story.run_well("12:00");
    assert_eq!(proxy.connections(), 1);
    story.play("12:00", &[500.0]);
    assert_eq!(proxy.connections(), 2);
    story.assert_told(&["20 alerts"]);
}

#[test]
fn a_metric_of_any_name_has_a_life_like_another() {
    let mut story = Story::new();
    let names = [
        "käse/1.high",
        "<b>&\"x",
        "../../etc",
        "a.b.c",
        &"籠".repeat(200),
    ];
    story.more_metrics = names.iter().map(|name| metric(name, "sales", "")).collect();
    story.smtp = "digest_over = 100\n".into();
    story.run_well("12:00");
    story.play("12:00", &[500.0]);
    story.assert_told(&["High"; 6]);
    for name in names {
        let arguments = ["silence", name, "--for", "1m"];
        story.run_with("12:05", &arguments).assert_status(0);
    }
    story.play("12:05", &[0.0, 0.0]);
    story.assert_told(&[["High"; 6], ["Over"; 6]].concat());
    let mails = story.mails(FIRST);
    for (first, last) in mails.iter().zip(&mails[6..]) {
        assert_eq!(last.header("In-Reply-To"), first.header("Message-ID"));
    }
    assert_eq!(story.files().len(), 6, "{:?}", story.files());
}

#[test]
fn the_state_is_about_a_kilobyte_a_metric() {
    for digest_over in [5, 100] {
        let mut story = with_as_many_more(19);
        story.smtp = format!("digest_over = {digest_over}\n");
        story.play("12:00", &[500.0, 500.0]);
        assert_eq!(story.state("12:10")["state"], "high");
        assert!(story.state("12:10")["told_at"].is_string());
        let size = |name| {
            let path = story.memory().join(name);
            path.metadata().expect("a file of the state").len()
        };
        let (state, notifications) = (size("state.json"), size("notifications.json"));
        say(&format!(
            "20 metrics, each with an incident that two people know of: {state} B and {notifications} B"
        ));
        // The worst bucket of the incident, and what a report counts, are some 100 B of it, and the subject of
        // the opening 70 B.
        assert!(state + notifications < 20 * 1050);
    }
}
