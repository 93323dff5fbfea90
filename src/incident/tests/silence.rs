//! What is told of what happens in a silence.

use super::*;

#[test]
fn in_silence_nothing_is_told_and_what_still_lasts_is_told_when_it_ends() {
    let mut story = Story::new(policy());
    story.muted = Muted::Yes;
    let silent = story.all(&[Out(1.5), Out(1.5)]);
    assert!(silent.concat().is_empty());
    assert_eq!(story.state.alerts[0].released, None);
    story.muted = Muted::No;
    assert_eq!(story.next(Nothing), told(&["high since 0"]));
    assert_eq!(story.next(Out(1.5)), told(&[]));
}

#[test]
fn what_lasted_to_the_end_of_a_silence_is_told_though_the_next_bucket_is_inside() {
    let mut story = Story::new(Policy {
        recover: Some(NonZeroU32::MIN),
        ..policy()
    });
    story.muted = Muted::Yes;
    story.next(Out(1.5));
    story.muted = Muted::No;
    assert_eq!(story.next(In), told(&["high since 0"]));
    assert_eq!(story.next(In), told(&["high over after 5"]));
}

#[test]
fn what_came_and_went_in_silence_is_never_told() {
    let mut story = Story::new(policy());
    story.muted = Muted::Yes;
    story.all(&[Out(1.5), In, In]);
    story.muted = Muted::No;
    assert!(story.all(&[In, In]).concat().is_empty());
}

#[test]
fn the_end_of_what_was_told_before_a_silence_is_told_after_it() {
    let mut story = Story::new(policy());
    assert_eq!(story.next(Out(1.5)), told(&["high since 0"]));
    story.muted = Muted::Yes;
    assert!(story.all(&[In, In, In]).concat().is_empty());
    story.muted = Muted::No;
    assert_eq!(story.next(In), told(&["high over after 5"]));
}
