//! Times in which nothing is mailed.

use crate::memory::story::Story;

#[test]
fn what_opens_in_a_silence_and_still_is_so_is_told_when_it_ends() {
    let story = Story::new();
    story.run_well("12:00");
    let told = story.run_with(
        "12:00",
        &["silence", "sales", "--for", "30m", "--because", "a sale"],
    );
    told.assert_status(0);
    assert_eq!(told.stdout, "sales is silent until 12:30 UTC: a sale\n");
    story.play("12:00", &[500.0; 5]);
    story.assert_told(&[]);
    let state = story.state("12:25");
    assert_eq!(state["state"], "high");
    assert_eq!(state["silent_until"], "2026-11-22T12:30:00+00:00");
    assert_eq!(state["silent_because"], "a sale");
    story.run_well("12:31");
    story.assert_told(&["High"]);
    story.run_well("12:32");
    story.assert_told(&["High"]);
}

#[test]
fn a_reason_for_a_silence_colours_no_terminal_and_turns_no_writing_around() {
    let story = Story::new();
    story.run_well("12:00");
    let because = "\u{1b}[31mred\u{202e}gpj";
    let silence = ["silence", "sales", "--for", "30m", "--because", because];
    for arguments in [&silence[..], &["status"]] {
        let run = story.run_with("12:00", arguments);
        run.assert_status(0);
        assert!(run.stdout.contains("\\u001b[31mred\\u202egpj"), "{run:?}");
    }
    // In JSON the escapes are those of JSON.
    assert_eq!(story.state("12:00")["silent_because"], because);
}

#[test]
fn a_silence_that_is_taken_back_is_over() {
    let story = Story::new();
    story.run_well("12:00");
    story
        .run_with("12:00", &["silence", "sales", "--for", "2h"])
        .assert_status(0);
    story.play("12:00", &[500.0]);
    story.assert_told(&[]);
    let told = story.run_with("12:06", &["unsilence", "sales"]);
    told.assert_status(0);
    assert_eq!(told.stdout, "sales is heard again\n");
    story.run_well("12:06");
    story.assert_told(&["High"]);
    let told = story.run_with("12:07", &["unsilence", "sales"]);
    assert_eq!(told.stdout, "sales was not silent\n");
}

#[test]
fn a_quiet_window_is_a_silence_by_the_wall_clock() {
    let mut story = Story::new();
    story.metric = "quiet = [\"Sun 12:00-12:30\"]\n".into();
    story.run_well("11:59");
    story.play("12:00", &[500.0; 5]);
    story.assert_told(&[]);
    assert_eq!(story.state("12:25")["quiet"], true);
    story.play("12:25", &[500.0]);
    story.assert_told(&["High"]);
    assert_eq!(story.state("12:30")["quiet"], false);
}

#[test]
fn a_silence_of_what_is_not_there_or_over_is_refused() {
    let story = Story::new();
    for (arguments, why) in [
        (&["silence", "sails", "--for", "1h"][..], "sails"),
        (
            &["silence", "sales", "--until", "2026-11-22 11:00"],
            "that is over",
        ),
        (&["silence", "sales"], "--for"),
        (
            &[
                "silence",
                "sales",
                "--for",
                "1h",
                "--until",
                "2026-11-22 13:00",
            ],
            "--until",
        ),
        (&["unsilence", "sails"], "sails"),
    ] {
        let run = story.run_with("12:00", arguments);
        run.assert_status(2);
        assert!(run.stderr.contains(why), "{run:?}");
    }
}

#[test]
fn a_metric_that_is_silent_does_not_silence_another() {
    let mut story = Story::new();
    story.more_metrics = crate::memory::story::metric("copy", "sales", "");
    story.run_well("12:00");
    let until = ["silence", "sales", "--until", "2026-11-22 13:00"];
    story.run_with("12:00", &until).assert_status(0);
    story.play("12:00", &[500.0]);
    story.assert_told(&["High"]);
    let subject = &story.mails(crate::scene::FIRST)[0].subject;
    assert!(subject.starts_with("[High] Copy"), "{subject}");
}
