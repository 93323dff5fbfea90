//! A new level that somebody accepts, or refuses.

use chrono::TimeDelta;

use crate::memory::story::{Story, moment, usual};
use crate::scene::FIRST;

/// So many buckets from a time on with half of what is usual, as differences from that.
fn halves(from: &str, buckets: i32) -> Vec<f64> {
    let times = (0..buckets).map(|bucket| moment(from) + TimeDelta::minutes(5) * bucket);
    times.map(|time| -usual(time) / 2.0).collect()
}

#[test]
fn a_level_that_is_accepted_is_told_as_new_and_counts_as_normal() {
    let story = Story::new();
    story.run_well("12:00");
    story.play("12:00", &halves("12:00", 14));
    story.assert_told(&["Low"]);
    let told = story.run_with("13:10", &["accept", "sales"]);
    told.assert_status(0);
    let begins = "the level of sales since 12:00 UTC, ";
    assert!(told.stdout.starts_with(begins), "{told:?}");
    story.run_well("13:11");
    story.assert_told(&["Low", "New level"]);
    let mails = story.mails(FIRST);
    let news = mails[1].news();
    assert!(news.contains("lower, since"), "{news}");
    assert_eq!(mails[1].subject, format!("Re: {}", mails[0].subject));
    // What stays there is normal, and what comes back is not.
    story.play("13:10", &halves("13:10", 6));
    story.assert_told(&["Low", "New level"]);
    let state = story.state("13:40");
    assert_eq!(state["state"], "ok");
    assert_eq!(state["new_levels"][0]["since"], "2026-11-22T12:00:00+00:00");
    let status = story.run_with("13:40", &["status"]);
    assert!(
        status
            .stdout
            .contains("level     new level since 12:00 UTC, "),
        "{status:?}"
    );
    let explained = story.run_with("13:40", &["explain", "--at", "2026-11-22 13:40"]);
    explained.assert_status(0);
    assert!(
        explained.stdout.contains("new level since 12:00 UTC, "),
        "{explained:?}"
    );
    assert!(explained.stdout.contains("NORMAL"), "{explained:?}");
}

#[test]
fn a_level_that_is_refused_stays_an_incident_until_the_values_are_back() {
    let mut story = Story::new();
    story.metric = "adapt_after = \"1h\"\nrenotify = \"never\"\n".into();
    story.run_well("12:00");
    story.play("12:00", &[-500.0; 3]);
    story.assert_told(&["Low"]);
    let told = story.run_with("12:15", &["accept", "sales", "--keep"]);
    told.assert_status(0);
    assert_eq!(
        told.stdout,
        "the incident of sales since 12:00 UTC lasts until the values are back; adapt_after does not end it\n"
    );
    assert_eq!(story.state("12:15")["kept"], true);
    story.play("12:15", &[-500.0; 15]);
    story.assert_told(&["Low"]);
    assert_eq!(story.state("13:30")["state"], "low");
    let explained = story.run_with("13:30", &["explain", "--at", "2026-11-22 13:30"]);
    assert!(explained.stdout.contains("accept --keep"), "{explained:?}");
}

#[test]
fn what_there_is_nothing_to_accept_of_is_said() {
    let story = Story::new();
    story.run_well("12:00");
    let told = story.run_with("12:00", &["accept", "sales", "--keep"]);
    told.assert_status(0);
    assert_eq!(
        told.stdout,
        "sales has no open incident, whose level could be accepted\n"
    );
    let told = story.run_with("12:00", &["accept", "sails"]);
    told.assert_status(2);
    assert!(told.stderr.contains("there are: sales"), "{told:?}");
}
