//! Dates on which the metric is not as it usually is.

use crate::memory::story::Story;

fn story(event: &str) -> Story {
    let mut story = Story::new();
    story.more_metrics = format!("[[event]]\nname = \"Sale\"\n{event}\n");
    story
}

#[test]
fn an_event_that_is_muted_is_told_of_when_it_is_over_and_still_so() {
    let story = story(
        "effect = \"mute\"\nfrom = \"2026-11-22 12:00\"\nto = \"2026-11-22 12:30\"\nmetrics = [\"sales\"]",
    );
    story.run_well("11:59");
    story.play("12:00", &[500.0; 5]);
    story.assert_told(&[]);
    let state = story.state("12:25");
    assert_eq!(state["state"], "high");
    assert_eq!(state["quiet"], true);
    assert_eq!(state["events"][0]["name"], "Sale");
    assert_eq!(state["events"][0]["until"], "2026-11-22T12:30:00+00:00");
    let status = story.run_with("12:25", &["status"]);
    let line = "event     Sale: muted until 2026-11-22 12:30 UTC";
    assert!(status.stdout.contains(line), "{status:?}");
    story.play("12:25", &[500.0]);
    story.assert_told(&["High"]);
}

#[test]
fn an_event_that_is_ignored_opens_nothing_and_ends_nothing_and_lacks_nothing() {
    let story =
        story("effect = \"ignore\"\nfrom = \"2026-11-22 12:10\"\nto = \"2026-11-22 13:00\"");
    story.run_well("12:00");
    story.play("12:00", &[500.0; 2]);
    story.assert_told(&["High"]);
    // Neither the end of the incident, nor one on the other side.
    story.play("12:10", &[0.0, 0.0, 0.0, -900.0]);
    // And then no rows at all.
    for minute in ["12:45", "12:59", "13:00", "13:09"] {
        let run = story.run_with(minute, &["-v"]);
        run.assert_status(0);
    }
    story.assert_told(&["High"]);
    assert_eq!(story.state("12:59")["state"], "high");
    let told = story.run_with("12:59", &["-v"]);
    assert!(
        told.stdout
            .contains("Sale: ignored until 2026-11-22 13:00 UTC"),
        "{told:?}"
    );
    story.play("13:10", &[0.0; 4]);
    story.assert_told(&["High", "Over"]);
}

#[test]
fn a_silence_may_be_asked_for_ahead_of_time() {
    let story = Story::new();
    story.run_well("12:00");
    let ahead = [
        "silence",
        "sales",
        "--from",
        "2026-11-22 12:10",
        "--for",
        "20m",
    ];
    let told = story.run_with("12:00", &ahead);
    told.assert_status(0);
    assert_eq!(
        told.stdout,
        "sales will be silent from 12:10 UTC until 12:30 UTC\n"
    );
    let state = story.state("12:05");
    assert!(state["silent_until"].is_null());
    assert_eq!(
        state["silences_to_come"][0]["from"],
        "2026-11-22T12:10:00+00:00"
    );
    story.play("12:00", &[0.0]);
    story.play("12:05", &[500.0; 4]);
    story.assert_told(&[]);
    assert_eq!(
        story.state("12:25")["silent_until"],
        "2026-11-22T12:30:00+00:00"
    );
    story.play("12:25", &[500.0]);
    story.assert_told(&["High"]);
    let backwards = [
        "silence",
        "sales",
        "--from",
        "2026-11-22 14:00",
        "--until",
        "2026-11-22 13:00",
    ];
    let refused = story.run_with("12:30", &backwards);
    refused.assert_status(2);
    assert!(refused.stderr.contains("not after --from"), "{refused:?}");
}
