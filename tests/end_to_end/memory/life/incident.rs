//! An incident from its first bucket to its last.

use crate::memory::story::Story;

#[test]
fn a_bucket_is_mailed_once_however_many_runs_see_it() {
    let story = Story::new();
    story.run_well("12:00");
    story.sell("12:00", 800.0);
    let first = story.run_with("12:05", &["-v"]);
    assert!(first.stdout.starts_with("sales  HIGH  "), "{first:?}");
    for minute in ["12:06", "12:07", "12:08", "12:09"] {
        assert_eq!(story.run_well(minute).stdout, "", "at {minute}");
    }
    story.assert_told(&["High"]);
}

#[test]
fn an_incident_is_told_when_it_opens_gets_worse_lasts_and_is_over() {
    let mut story = Story::new();
    story.metric = "renotify = \"1h\"\n".into();
    story.run_well("12:00");
    story.play("12:00", &[0.0, 200.0, 200.0]);
    story.assert_told(&["High"]);
    story.play("12:15", &[800.0, 800.0]);
    story.assert_told(&["High", "High, worse"]);
    // Told at 12:20; the run of 13:20 tells it again.
    story.play("12:25", &[800.0; 10]);
    story.assert_told(&["High", "High, worse"]);
    story.play("13:15", &[800.0; 2]);
    let told = ["High", "High, worse", "Still high"];
    story.assert_told(&told);
    story.play("13:25", &[0.0]);
    story.assert_told(&told);
    story.play("13:30", &[0.0; 3]);
    story.assert_told(&[&told[..], &["Over"]].concat());
}

#[test]
fn how_an_incident_opens_and_what_is_told_of_it_later_are_as_configured() {
    let mut story = Story::new();
    story.metric = "confirm = \"2 of 3\"\nrenotify = \"never\"\nnotify_recovery = false\n".into();
    story.run_well("12:00");
    story.play("12:00", &[500.0, 0.0, 0.0, 500.0]);
    story.assert_told(&[]);
    assert_eq!(story.state("12:20")["state"], "pending");
    story.play("12:20", &[0.0, 500.0]);
    story.assert_told(&["High"]);
    assert_eq!(story.state("12:30")["since"], "2026-11-22T12:15:00+00:00");
    story.sell("18:00", 500.0);
    story.run_well("18:05");
    story.play("18:05", &[0.0; 3]);
    // The gap in between was over before anybody looked.
    story.assert_told(&["High"]);
}

#[test]
fn later_mails_of_an_incident_answer_the_first_that_its_recipient_got() {
    let story = Story::new();
    story.run_well("12:00");
    story.play("12:00", &[200.0, 800.0, 0.0, 0.0]);
    story.assert_told(&["High", "High, worse", "Over"]);
    let mut firsts = Vec::new();
    for recipient in &story.recipients {
        let mails = story.mails(recipient);
        let ids: Vec<&str> = mails
            .iter()
            .map(|mail| mail.header("Message-ID").expect("a Message-ID"))
            .collect();
        assert_eq!(mails[0].header("In-Reply-To"), None);
        assert_eq!(mails[0].header("References"), None);
        for later in &mails[1..] {
            assert_eq!(later.header("In-Reply-To"), Some(ids[0]));
            assert_eq!(later.header("References"), Some(ids[0]));
        }
        assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2]);
        firsts.push(ids[0].to_owned());
    }
    assert_ne!(firsts[0], firsts[1], "each recipient has a mail of his own");
}

#[test]
fn a_breach_is_told_by_the_exit_code_while_it_lasts_if_asked_for() {
    let story = Story::new();
    let status = |at| story.run_with(at, &["--exit-code"]).status;
    assert_eq!(status("12:00"), 0);
    story.sell("12:00", 500.0);
    assert_eq!(status("12:05"), 3);
    assert_eq!(status("12:06"), 3, "the same bucket is still the newest");
    story.sell("12:05", 0.0);
    assert_eq!(status("12:10"), 3, "it may be over, or not");
    story.sell("12:10", 0.0);
    assert_eq!(status("12:15"), 0);
}

#[test]
fn what_was_tried_or_replayed_is_not_remembered() {
    let story = Story::new();
    story.run_well("12:00");
    story.sell("12:00", 500.0);
    for flags in [&["--dry-run"][..], &["--at", "2026-11-22 12:05"]] {
        story.run_with("12:05", flags).assert_status(0);
        assert_eq!(story.state("12:05")["state"], "ok", "{flags:?}");
    }
    story.assert_told(&[]);
    story.run_well("12:05");
    story.assert_told(&["High"]);
}
