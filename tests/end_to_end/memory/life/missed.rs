//! Runs that did not come, rows that come late, and buckets that were judged
//! already.

use chrono::TimeDelta;

use crate::memory::story::{Story, moment};
use crate::scene::FIRST;

#[test]
fn an_incident_that_no_run_came_to_see_is_told_all_the_same() {
    let story = Story::new();
    story.run_well("12:00");
    let values = [0.0, 0.0, 500.0, 500.0, 500.0, 500.0, 0.0, 0.0];
    for (step, more) in (0..).zip(values) {
        story.sell_at(moment("12:00") + TimeDelta::minutes(5 * step), more);
    }
    story.run_well("12:40");
    let inbox = story.inbox(FIRST);
    assert_eq!(inbox.first().map(String::as_str), Some("High"));
    story.assert_told(&["High", "Over"]);
}

#[test]
fn an_incident_that_began_while_no_run_came_is_told_since_its_first_bucket() {
    let story = Story::new();
    story.run_well("12:00");
    for (step, more) in (0..).zip([0.0, 500.0, 500.0, 500.0, 500.0, 500.0, 500.0, 500.0]) {
        story.sell_at(moment("12:00") + TimeDelta::minutes(5 * step), more);
    }
    story.run_well("12:40");
    story.assert_told(&["High"]);
    assert_eq!(story.state("12:40")["since"], "2026-11-22T12:05:00+00:00");
}

#[test]
fn a_bucket_that_is_corrected_after_it_was_judged_is_not_judged_again() {
    let story = Story::new();
    story.run_well("12:00");
    story.play("12:00", &[0.0]);
    story.sell("12:00", 500.0);
    assert_eq!(story.run_well("12:06").stdout, "");
    story.play("12:05", &[0.0, 500.0]);
    story.assert_told(&["High"]);
    story.sell("12:10", 0.0);
    story.run_well("12:16");
    assert_eq!(story.state("12:16")["state"], "high");
    story.assert_told(&["High"]);
}

#[test]
fn a_row_that_comes_late_is_judged_when_it_comes() {
    let story = Story::new();
    story.run_well("12:00");
    for minute in ["12:05", "12:08"] {
        assert_eq!(story.run_well(minute).stdout, "", "at {minute}");
    }
    story.sell("12:00", 500.0);
    story.run_well("12:09");
    story.assert_told(&["High"]);
}

#[test]
fn a_row_that_comes_after_a_later_one_was_judged_changes_nothing_that_was_told() {
    let story = Story::new();
    story.run_well("12:00");
    story.sell("12:05", 0.0);
    story.run_well("12:10");
    story.sell("12:00", 500.0);
    assert_eq!(story.run_well("12:11").stdout, "");
    story.play("12:10", &[0.0]);
    story.assert_told(&[]);
}
