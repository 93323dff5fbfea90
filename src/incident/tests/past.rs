//! What is remembered of what ended.

use super::*;

#[test]
fn what_ended_is_remembered_with_its_worst_and_what_is_open_is_not() {
    let mut story = Story::new(policy());
    story.all(&[Out(1.5), Out(2.5), Out(2.0)]);
    assert!(story.state.past.alerts.is_empty());
    story.all(&[In, In, NoData]);
    let past = &story.state.past.alerts;
    assert_eq!(past.len(), 1);
    assert_eq!((past[0].since, past[0].until), (at(0), at(15)));
    assert_eq!(past[0].released, Some(at(5)));
    assert_eq!(past[0].outcome, Outcome::Over);
    let worst = past[0].worst.expect("a worst bucket");
    assert_eq!((worst.time, worst.deviation), (at(5), 2.5));
    story.next(In);
    let last = story.state.past.alerts.back().expect("the lack");
    assert_eq!(last.condition, Condition::NoData);
}

#[test]
fn an_incident_that_came_and_went_in_silence_is_remembered_as_untold() {
    let mut story = Story::new(policy());
    story.muted = Muted::Yes;
    story.all(&[Out(1.5), In, In, Failed, In]);
    let past = &story.state.past.alerts;
    // A failure that nobody was to be told of is no news.
    assert_eq!(past.len(), 1);
    assert_eq!(past[0].released, None);
}

#[test]
fn the_values_inside_their_band_are_counted_by_the_day() {
    let mut story = Story::new(policy());
    story.all(&[In; 288]);
    story.all(&[Out(1.5), Undecided, In, NoData]);
    let days = &story.state.past.days;
    let counts: Vec<_> = days
        .iter()
        .map(|day| (day.start(), day.judged, day.inside))
        .collect();
    assert_eq!(counts, [(at(0), 288, 288), (at(1440), 2, 1)]);
}

#[test]
fn an_incident_knows_which_buckets_were_judged_while_it_was_open() {
    let mut story = Story::new(Policy {
        confirm: "2 of 3".parse().expect("a rule"),
        ..policy()
    });
    story.all(&[In; 286]);
    // The first breach is confirmed on the next day; the last bucket ends it.
    story.all(&[
        In,
        Out(1.5),
        In,
        Out(1.5),
        Out(1.5),
        In,
        In,
        In,
        Out(1.5),
        In,
    ]);
    let counts = |days: &DayCounts| -> Vec<_> {
        let days = days.iter();
        days.map(|day| (day.start(), day.judged, day.inside))
            .collect()
    };
    let past = &story.state.past;
    let incident = &past.alerts.back().expect("an incident").days;
    assert_eq!(counts(incident), [(at(0), 1, 0), (at(1440), 3, 1)]);
    let healthy = past.days.without(&[incident]);
    assert_eq!(counts(&past.days), [(at(0), 288, 287), (at(1440), 8, 5)]);
    assert_eq!(counts(&healthy), [(at(0), 287, 287), (at(1440), 5, 4)]);
}

#[test]
fn what_is_remembered_is_bounded_in_number_and_in_time() {
    let mut story = Story::new(policy());
    for _ in 0..150 {
        story.all(&[Out(1.5), In, In]);
    }
    assert_eq!(story.state.past.alerts.len(), 100);
    for _ in 0..40 {
        story.minute += 1440;
        story.next(In);
    }
    assert!(story.state.past.alerts.is_empty());
    assert_eq!(story.state.past.days.iter().count(), 35);
}

#[test]
fn the_bucket_evaluated_last_is_kept_once() {
    let mut story = Story::new(policy());
    for event in [In, Out(1.5), In, In, Undecided, In] {
        story.next(event);
        let minute = story.minute;
        let evaluated = Some(evaluation(minute - 5, 0.0).bucket);
        assert_eq!(story.state.evaluated(), evaluated, "{event:?}");
        let text = serde_json::to_string(&story.state).expect("text");
        let is_stored = text.contains("\"evaluated\"");
        assert_eq!(is_stored, matches!(event, Undecided), "{text}");
        let read: MetricState = serde_json::from_str(&text).expect("a state");
        assert_eq!(read.evaluated(), evaluated);
        // As it was kept before, twice.
        let twice = text.replacen(
            '{',
            r#"{"evaluated":{"start":"2026-11-22T00:00:00Z","end":"2026-11-22T00:05:00Z"},"#,
            1,
        );
        if !is_stored {
            let read: MetricState = serde_json::from_str(&twice).expect("a state");
            assert_eq!(read.evaluated().map(|read| read.start), Some(at(0)));
        }
    }
}

#[test]
fn a_state_of_an_earlier_version_is_read_and_nothing_of_it_is_lost() {
    let text = r#"{
        "evaluated": {"start": "2026-11-22T00:00:00Z", "end": "2026-11-22T00:05:00Z"},
        "evidence": {"accepted": [{"ratio": 0.5, "since": "2026-11-21T00:00:00Z",
            "until": "2026-12-05T00:00:00Z", "asked_at": "2026-11-21T12:00:00Z"}]},
        "alerts": [{"id": "1795305600.high", "condition": {"breach": "high"},
            "since": "2026-11-22T00:00:00Z", "seen_at": "2026-11-22T00:05:00Z",
            "released": "2026-11-22T00:05:00Z"}]
    }"#;
    let state: MetricState = serde_json::from_str(text).expect("a state");
    let mut story = Story::new(policy());
    story.state = state;
    story.minute = 5;
    assert_eq!(story.state.answers_for_forecast().new_levels.len(), 1);
    assert_eq!(story.state.incident().map(|open| open.since), Some(at(0)));
    story.all(&[Out(1.5), In, In]);
    let past = &story.state.past.alerts;
    assert_eq!((past[0].since, past[0].until), (at(0), at(10)));
}
