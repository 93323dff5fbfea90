//! What keeps a metric from being watched.

use super::*;

#[test]
fn missing_data_neither_opens_nor_closes_an_incident() {
    let mut story = Story::new(policy());
    let notices = story.all(&[Out(1.5), NoData, NoData, Undecided, Failed, Out(1.5)]);
    assert_eq!(notices[0], told(&["high since 0"]));
    assert_eq!(notices[1], told(&["no data since 0"]));
    assert_eq!(notices[3], told(&["no data over after 20"]));
    assert_eq!(notices[5], told(&[]), "the incident goes on untold");
    assert!(story.state.incident().is_some());
}

#[test]
fn no_data_has_a_notice_a_cooldown_and_a_recovery_of_its_own() {
    let mut story = Story::new(Policy {
        renotify: Renotify::After(TimeDelta::minutes(15)),
        ..policy()
    });
    let notices = story.all(&[NoData, NoData, Nothing, NoData, In]);
    assert_eq!(
        notices.concat(),
        [
            "no data since 0",
            "no data lasts, no. 1",
            "no data over after 25"
        ]
    );
}

#[test]
fn a_check_that_fails_is_told_after_its_patience_and_again_when_it_works() {
    let mut story = Story::new(policy());
    let notices = story.all(&[Failed, Failed, Failed, Failed, Nothing]);
    assert_eq!(notices[..2].concat(), told(&[]));
    assert_eq!(notices[2], told(&["check failed since 5"]));
    assert_eq!(notices[3], told(&[]));
    assert_eq!(notices[4], told(&["check failed over after 20"]));
}

#[test]
fn a_newcomer_that_cannot_be_judged_is_told_once_it_was_judged() {
    let mut story = Story::new(policy().of_one_among(3));
    let notices = story.all(&[Undecided, Undecided, Undecided, Undecided]);
    assert!(notices.concat().is_empty(), "{notices:?}");
    let notices = story.all(&[In, Undecided, Undecided, Undecided]);
    assert_eq!(notices.concat().len(), 1, "{notices:?}");
}

#[test]
fn a_failure_that_passes_in_time_is_never_told() {
    let mut story = Story::new(policy());
    let notices = story.all(&[Failed, Nothing, Failed, In, Failed, Failed, In]);
    assert!(notices.concat().is_empty(), "{notices:?}");
}

#[test]
fn time_in_which_nobody_checked_makes_one_failure_no_outage() {
    for event in [Failed, Undecided, NoData] {
        let mut story = Story::new(policy());
        story.muted = Muted::Yes;
        assert_eq!(story.next(event), told(&[]));
        story.muted = Muted::No;
        story.minute += 40;
        assert_eq!(story.next(In), told(&[]), "{event:?}");
    }
}

#[test]
fn a_failing_check_ends_no_lack_of_data() {
    let mut story = Story::new(policy());
    let notices = story.all(&[NoData, Failed, Failed, NoData, In]).concat();
    assert_eq!(notices, ["no data since 0", "no data over after 25"]);
}

#[test]
fn what_cannot_be_judged_is_told_once() {
    let mut story = Story::new(policy());
    let notices = story.all(&[Undecided; 100]).concat();
    assert_eq!(notices, ["undecided since 5"]);
    assert_eq!(story.next(In), told(&["undecided over after 500"]));
}

#[test]
fn a_frozen_value_is_told_since_it_stands_still_and_opens_and_ends_nothing_else() {
    let mut state = MetricState::default();
    let mut see = |minute, deviation, unchanged| {
        let mut evaluation = evaluation(minute, deviation);
        evaluation.reference.unchanged.buckets = unchanged;
        evaluation.reference.unchanged.longest_before = 3;
        let result = CheckResult::Evaluated(evaluation);
        state.update(&result, at(minute + 5), &policy(), Muted::No);
        let open = state.alerts.iter().filter(|alert| alert.is_open());
        let open = open.map(|alert| (alert.condition.word(), alert.since));
        open.collect::<Vec<_>>()
    };
    assert_eq!(see(55, 0.2, 12), []);
    assert_eq!(see(60, 1.5, 13), [("frozen", at(0))]);
    assert_eq!(see(65, 1.5, 14), [("frozen", at(0))]);
    assert_eq!(see(70, 1.5, 1), [("high", at(70))]);
}
