//! A mail server that is down for longer, or that never takes a mail to one of the recipients.

use chrono::TimeDelta;
use serde_json::json;

use crate::memory::story::{Story, moment};
use crate::scene::{FIRST, SECOND, THIRD};
use crate::support::{Fault, Stage};

const DOWN: Fault = Fault::Reply {
    stage: Stage::Connect,
    code: 421,
    text: "4.3.2 down for maintenance",
};

/// Runs each minute from 12:05 on, so many; the minutes after it in which the server was called.
fn attempts(story: &Story, minutes: u32) -> Vec<u32> {
    let mut attempts = Vec::new();
    for minute in 0..minutes {
        let before = story.server.connections();
        let at = format!("{:02}:{:02}", 12 + (5 + minute) / 60, (5 + minute) % 60);
        story.run(&at);
        if story.server.connections() > before {
            attempts.push(minute);
        }
    }
    attempts
}

#[test]
fn an_outage_of_twenty_minutes_delays_an_alert_that_comes_once() {
    let mut story = Story::new();
    story.metric = "stale_after = \"2h\"\n".into();
    story.run_well("12:00");
    story.sell("12:00", 500.0);
    story.server.strike(&[DOWN]);
    // At ever longer intervals, of up to five minutes.
    assert_eq!(attempts(&story, 20), [0, 1, 3, 7, 12, 17]);
    let outbox = &story.status("12:25")["outbox"];
    assert_eq!(outbox[1]["to"], SECOND);
    assert_eq!(outbox[1]["attempts"], 6);
    assert_eq!(outbox[1]["created"], "2026-11-22T12:05:00+00:00");
    let why = outbox[1]["why"].as_str().expect("a reason");
    assert!(why.contains("421 4.3.2 down for maintenance"), "{why}");
    assert_eq!(
        story.status("12:25")["last_good_run"],
        "2026-11-22T12:00:00+00:00"
    );
    story.assert_told(&[]);
    story.server.heal();
    for minute in 25..=35 {
        story.run(&format!("12:{minute}")).assert_status(0);
    }
    story.assert_told(&["High"]);
    let mail = &story.mails(FIRST)[0];
    assert_eq!(mail.header("Date"), Some("Sun, 22 Nov 2026 12:05:00 +0000"));
    assert_eq!(story.status("12:36")["outbox"], json!([]));
}

#[test]
fn an_incident_that_is_over_before_the_mail_server_is_back_is_told_in_order() {
    let story = Story::new();
    story.run_well("12:00");
    story.server.strike(&[DOWN]);
    for (at, more, run) in [
        ("12:00", 200.0, "12:05"),
        ("12:05", 900.0, "12:10"),
        ("12:10", 0.0, "12:15"),
        ("12:15", 0.0, "12:20"),
    ] {
        story.sell(at, more);
        story.run(run);
    }
    let waiting = story.status("12:21")["outbox"][0]["subject"].clone();
    story.server.heal();
    story.sell("12:20", 0.0);
    story.run_well("12:25");
    // That it got worse is no news any more.
    story.assert_told(&["High", "Over"]);
    let mails = story.mails(FIRST);
    assert_eq!(waiting, mails[0].subject.as_str());
    assert_eq!(
        mails[1].header("In-Reply-To"),
        mails[0].header("Message-ID")
    );
}

#[test]
fn what_was_made_up_for_in_an_outage_is_told_in_order() {
    let mut story = Story::new();
    story.smtp = "digest_over = 100\n".into();
    story.run_well("12:00");
    story.server.strike(&[DOWN]);
    for (step, more) in (0..).zip([500.0, 500.0, 500.0, 0.0, 0.0].repeat(5)) {
        story.sell_at(moment("12:00") + TimeDelta::minutes(5 * step), more);
    }
    story.run("14:05");
    story.server.heal();
    story.run_well("14:06");
    story.assert_told(&["High", "Over"].repeat(5));
    for pair in story.mails(FIRST).chunks(2) {
        assert_eq!(pair[1].header("In-Reply-To"), pair[0].header("Message-ID"));
    }
}

#[test]
fn an_alert_that_was_given_up_is_reported_and_its_end_is_not() {
    let mut story = Story::new();
    story.smtp = "give_up_after = \"20m\"\n".into();
    story.run_well("12:00");
    story.sell("12:00", 500.0);
    story.server.strike(&[DOWN]);
    attempts(&story, 12);
    for (at, more, run) in [
        ("12:05", 500.0, "12:19"),
        ("12:20", 0.0, "12:25"),
        ("12:25", 0.0, "12:30"),
    ] {
        story.sell(at, more);
        story.run(run);
    }
    let status = story.status("12:31");
    assert_eq!(status["metrics"][0]["state"], "ok");
    let lost = status["lost"].as_array().expect("a list");
    assert_eq!(lost.len(), 2, "{status}");
    assert!(
        lost[0]["subject"]
            .as_str()
            .is_some_and(|subject| subject.starts_with("[High] Sales"))
    );
    assert_eq!(lost[0]["told"], false);
    let page = story.run_with("12:31", &["status"]).stdout;
    assert!(page.contains("lost      \"[High] Sales"), "{page}");
    story.server.heal();
    story.sell("12:30", 0.0);
    story.sell("12:35", 0.0);
    for minute in ["12:35", "12:36", "12:40"] {
        story.run(minute);
    }
    story.assert_told(&["bandwatch"]);
    let mail = &story.mails(FIRST)[0];
    let text = mail.text.as_ref().expect("a text");
    for told in ["[High] Sales", FIRST, SECOND, "421"] {
        assert!(text.contains(told), "no {told} in {text}");
    }
    let lost = story.status("12:41")["lost"].clone();
    assert_eq!(lost[0]["told"], true);
    story.play("12:40", &[0.0]);
    story.assert_told(&["bandwatch"]);
}

#[test]
fn a_recipient_who_is_always_refused_keeps_nothing_from_the_others() {
    let mut story = Story::new();
    story.recipients = vec![FIRST, SECOND, THIRD];
    story.server.strike(&[Fault::RejectRecipient {
        address: SECOND,
        code: 550,
    }]);
    story.run_well("12:00");
    story.sell("12:00", 500.0);
    let run = story.run("12:05");
    run.assert_status(1);
    assert_eq!(run.stderr.lines().count(), 1, "{run:?}");
    let mut at = moment("12:05");
    for _ in 0..16 {
        story.sell_at(at, 500.0);
        at += TimeDelta::minutes(5);
        story.run_at(at, &[]);
    }
    let inboxes = [FIRST, SECOND, THIRD].map(|recipient| story.inbox(recipient));
    assert_eq!(inboxes[0], ["High", "bandwatch"]);
    assert_eq!(inboxes[1], [""; 0]);
    assert_eq!(inboxes[2], inboxes[0]);
    let status = story.status("13:26");
    assert_eq!(status["lost"][0]["to"], SECOND);
    assert_eq!(status["lost"][0]["told"], true);
    assert_eq!(status["lost"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_clock_that_leaps_ahead_gives_up_no_mail_that_was_hardly_tried() {
    let story = Story::new();
    story.run_well("12:00");
    story.sell("12:00", 500.0);
    story.server.strike(&[DOWN]);
    story.run("12:05");
    story.run("2027-02-01 12:05");
    assert_eq!(story.status("12:06")["lost"], json!([]));
    story.server.heal();
    story.run("12:07");
    assert_eq!(story.inbox(FIRST).first().map(String::as_str), Some("High"));
}

#[test]
fn a_mail_to_somebody_who_is_not_configured_any_more_is_not_waited_for() {
    let mut story = Story::new();
    story.server.strike(&[Fault::RejectRecipient {
        address: SECOND,
        code: 550,
    }]);
    story.run_well("12:00");
    story.sell("12:00", 500.0);
    story.run("12:05").assert_status(1);
    story.recipients = vec![FIRST];
    story.run_well("12:06");
    let status = story.status("12:07");
    assert_eq!(status["outbox"], json!([]));
    assert_eq!(status["lost"], json!([]));
    assert_eq!(status["last_good_run"], "2026-11-22T12:06:00+00:00");
    story.assert_told(&["High"]);
}

#[test]
fn a_mail_that_waits_is_held_back_by_a_silence_and_told_after_it() {
    let mut story = Story::new();
    story.metric = "stale_after = \"2h\"\n".into();
    story.run_well("12:00");
    story.sell("12:00", 500.0);
    story.server.strike(&[DOWN]);
    story.run("12:05").assert_status(1);
    story.server.heal();
    let silence = ["silence", "sales", "--until", "2026-11-22 12:30"];
    story.run_with("12:05", &silence).assert_status(0);
    story.run_well("12:06");
    let status = story.status("12:07");
    assert_eq!(status["outbox"], json!([]));
    assert_eq!(status["last_good_run"], "2026-11-22T12:06:00+00:00");
    story.assert_told(&[]);
    story.run_well("12:31");
    story.assert_told(&["High"]);
}
