//! What people answer to an alert: that they know of it, or what it was.

use std::process::Stdio;
use std::time::{Duration, Instant};

use chrono::TimeDelta;

use crate::memory::story::{Story, moment};
use crate::scene::FIRST;
use crate::support::clock;

#[test]
fn what_is_acknowledged_is_not_repeated_and_that_it_is_over_is_told() {
    let mut story = Story::new();
    story.metric = "renotify = \"10m\"\n".into();
    story.run_well("12:00");
    story.play("12:00", &[500.0; 3]);
    story.assert_told(&["High", "Still high"]);
    let told = story.run_with(
        "12:16",
        &[
            "ack",
            "sales",
            "--for",
            "2h",
            "--because",
            "the\nsale is on",
        ],
    );
    told.assert_status(0);
    assert_eq!(
        told.stdout,
        "sales HIGH since 12:00 UTC: no repeats until 14:16 UTC, unless it is worse, or over, before\n"
    );
    story.play("12:15", &[500.0; 9]);
    story.assert_told(&["High", "Still high"]);
    let state = story.state("13:00");
    let known = &state["acknowledged"];
    assert_eq!(known["at"], "2026-11-22T12:16:00+00:00");
    assert_eq!(known["until"], "2026-11-22T14:16:00+00:00");
    assert_eq!(known["because"], "the sale is on");
    let status = story.run_with("13:00", &["status"]).stdout;
    let line = status.lines().find(|line| line.starts_with("  known     "));
    let line = line.expect("a line of who knows of it");
    assert!(
        line.contains("acknowledged by ") && line.ends_with(": the sale is on"),
        "{line}"
    );
    // That it is worse is told, and who knows of what was before.
    story.play("13:00", &[2500.0]);
    story.assert_told(&["High", "Still high", "High, worse"]);
    let text = story.mails(FIRST)[2].text.clone().expect("a text");
    assert!(
        text.contains("Acknowledged by ") && text.contains(", because: the sale is on."),
        "{text}"
    );
    story.play("13:05", &[0.0; 4]);
    story.assert_told(&["High", "Still high", "High, worse", "Over"]);
    assert_eq!(
        story.state("13:30")["acknowledged"],
        serde_json::Value::Null
    );
    let told = story.run_with("13:30", &["ack", "sales"]);
    told.assert_status(0);
    assert_eq!(
        told.stdout,
        "sales has no open alert that could be acknowledged\n"
    );
}

#[test]
fn a_mail_names_the_commands_that_answer_it() {
    let story = Story::new();
    story.run_well("12:00");
    story.play("12:00", &[500.0]);
    let text = story.mails(FIRST)[0].text.clone().expect("a text");
    for command in [
        " ack sales\n",
        " was sales fine --at 2026-11-22T12:00:00+00:00\n",
    ] {
        assert!(text.contains(command), "{text}");
    }
}

#[test]
fn a_lack_of_data_can_be_acknowledged() {
    let mut story = Story::new();
    story.metric = "renotify = \"10m\"\nmissing = \"gap\"\nstale_after = \"15m\"\n".into();
    story.run_well("12:00");
    story.run_well("12:30");
    story.assert_told(&["No data"]);
    let told = story.run_with("12:31", &["ack", "sales"]);
    assert!(
        told.stdout
            .starts_with("sales NO DATA since 12:00 UTC: no repeats until it is worse, or over"),
        "{told:?}"
    );
    story.run_well("12:50");
    story.assert_told(&["No data"]);
    let lack = &story.state("12:50")["no_data"];
    assert_eq!(lack["acknowledged"]["at"], "2026-11-22T12:31:00+00:00");
}

#[test]
fn an_incident_that_was_fine_ends_untold_and_one_that_was_real_is_not_learnt_from() {
    let story = Story::new();
    story.run_well("12:00");
    story.play("12:00", &[500.0; 3]);
    story.assert_told(&["High"]);
    let told = story.run_with("12:15", &["was", "sales", "fine"]);
    told.assert_status(0);
    let begin = "sales HIGH since 12:00 UTC was fine: its values are learnt as usual ones";
    assert!(told.stdout.starts_with(begin), "{told:?}");
    assert!(told.stdout.contains("its end is not"), "{told:?}");
    story.play("12:15", &[0.0; 4]);
    story.assert_told(&["High"]);
    let state = story.state("12:40");
    assert_eq!(state["state"], "ok");
    assert_eq!(state["answers"][0]["was"], "fine");
    assert_eq!(state["answers"][0]["since"], "2026-11-22T12:00:00+00:00");
    let explained = story.run_with("12:40", &["explain", "--at", "2026-11-22 12:40"]);
    explained.assert_status(0);
    assert!(
        explained
            .stdout
            .contains("answer      fine: HIGH from 12:00 to 12:15 UTC, says "),
        "{explained:?}"
    );
    // On second thoughts.
    let told = story.run_with(
        "12:40",
        &["was", "sales", "real", "--at", "2026-11-22 12:05"],
    );
    assert_eq!(
        told.stdout,
        "sales HIGH from 12:00 to 12:15 UTC was real: its values are not learnt from\n"
    );
    let explained = story.run_with(
        "12:40",
        &["explain", "--at", "2026-11-22 12:40", "--format", "json"],
    );
    let explained: serde_json::Value = serde_json::from_str(&explained.stdout).expect("JSON");
    assert_eq!(explained["answers"][0]["was"], "real");
    assert_eq!(explained["answers"].as_array().map(Vec::len), Some(1));
}

#[test]
fn what_there_is_nothing_to_say_of_is_told() {
    let story = Story::new();
    let told = story.run_with("12:00", &["was", "sales", "fine"]);
    told.assert_status(2);
    assert!(
        told.stderr
            .contains("not there, so no run has anything to be told"),
        "{told:?}"
    );
    story.run_well("12:00");
    let told = story.run_with("12:00", &["was", "sales", "fine"]);
    assert_eq!(told.stdout, "no incident of sales is remembered\n");
    story.play("12:00", &[500.0, 0.0, 0.0]);
    let told = story.run_with(
        "12:15",
        &["was", "sales", "fine", "--at", "2026-11-21 09:00"],
    );
    assert_eq!(
        told.stdout,
        "no incident of sales at that time; the latest: HIGH from 12:00 to 12:05 UTC\n"
    );
    for (arguments, word) in [
        (
            ["was", "sales", "odd", "--at", "9"],
            "possible values: fine, real",
        ),
        (["was", "sales", "fine", "--at", "soon"], "--at"),
        (
            ["was", "sails", "fine", "--at", "2026-11-21 09:00"],
            "there are: sales",
        ),
        (
            ["ack", "sales", "--for", "never", "--because=x"],
            "is not a length of time",
        ),
    ] {
        let told = story.run_with("12:15", &arguments);
        told.assert_status(2);
        assert!(told.stderr.contains(word), "{told:?}");
    }
}

/// An answer is in the state whole or not at all, whenever its command is killed; and no run is lost to it.
#[test]
fn an_answer_that_is_killed_leaves_a_whole_state() {
    let story = Story::new();
    story.run_well("12:00");
    story.play("12:00", &[500.0]);
    let words = ["ack", "sales", "--because", "killed"];
    let begun = Instant::now();
    story
        .run_with("12:06", &["ack", "sales", "--because", "calm"])
        .assert_status(0);
    let duration = begun.elapsed();
    let kills = 40;
    let (mut killed, mut changed) = (0, 0);
    for number in 0..kills {
        let reason = format!("number {number}");
        let mut arguments = words;
        arguments[3] = &reason;
        let at = moment("12:06") + TimeDelta::seconds(number.into());
        let mut command = story.begin_with(at, &arguments);
        let mut child = command.stdout(Stdio::null()).spawn().expect("it starts");
        let begun = Instant::now();
        let delay = duration * number / kills;
        std::thread::sleep(delay.saturating_sub(begun.elapsed()).max(Duration::ZERO));
        child.kill().expect("a child can be killed");
        let process = child.id();
        let ended = child.wait().expect("it ends");
        clock::forget(process);
        killed += usize::from(!ended.success());
        let status = story.status("12:07");
        assert_eq!(status["unreadable"], serde_json::json!([]));
        let because = &status["metrics"][0]["acknowledged"]["because"];
        let because = because.as_str().expect("a reason");
        changed += usize::from(because == reason);
    }
    assert!(killed > 0, "no answer was killed");
    assert!(changed < 40, "each was told before it was killed");
    // The next run is as any other.
    story.play("12:05", &[0.0, 0.0]);
    story.assert_told(&["High", "Over"]);
}
