//! The life of an alert, event by event.

mod lack;
mod silence;

use std::num::NonZeroU32;

use chrono::{DateTime, TimeDelta, Utc};

use super::*;
use crate::incident::watch::Bucket;

/// Minutes after the start of the day the tests play on.
fn at(minute: i64) -> Stamp {
    let start: DateTime<Utc> = "2026-11-22T00:00:00Z".parse().expect("a time");
    Stamp::from(start + TimeDelta::minutes(minute))
}

/// A bucket of 5 minutes, so far out in half-widths of its band.
fn finding(minute: i64, deviation: f64) -> Finding {
    Finding {
        time: at(minute),
        end: at(minute + 5),
        value: 100.0 + 10.0 * deviation,
        expected: 100.0,
        lower: 90.0,
        upper: 110.0,
        deviation: Some(deviation),
        side: match deviation {
            _ if deviation > 1.0 => Some(Side::High),
            _ if deviation < -1.0 => Some(Side::Low),
            _ => None,
        },
    }
}

/// A metric whose buckets come in one after the other.
struct Story {
    watch: Watch,
    rules: Rules,
    voice: Voice,
    minute: i64,
}

impl Story {
    fn new(rules: Rules) -> Self {
        Self {
            watch: Watch::default(),
            rules,
            voice: Voice::Heard,
            minute: 0,
        }
    }

    /// What is told of the next bucket, or of what else is seen five minutes later.
    fn next(&mut self, event: Event) -> Vec<String> {
        let bucket = Bucket {
            start: at(self.minute),
            end: at(self.minute + 5),
        };
        let sighting = match event {
            Event::Out(deviation) => Sighting::Judged(finding(self.minute, deviation)),
            Event::In => Sighting::Judged(finding(self.minute, 0.2)),
            Event::Nothing => Sighting::NothingNew,
            Event::NoData => Sighting::NoData {
                since: at(0),
                why: "no data".into(),
            },
            Event::Failed => Sighting::Failed {
                why: "refused".into(),
            },
            Event::Undecided => Sighting::Undecided {
                bucket,
                why: "short".into(),
            },
        };
        self.minute += 5;
        let moment = Moment {
            now: at(self.minute),
            rules: &self.rules,
            voice: self.voice,
        };
        // What is remembered must survive being written and read.
        let text = serde_json::to_string(&self.watch).expect("text");
        self.watch = serde_json::from_str(&text).expect("a watch");
        self.watch
            .see(sighting, moment)
            .iter()
            .map(describe)
            .collect()
    }

    fn all(&mut self, events: &[Event]) -> Vec<Vec<String>> {
        events.iter().map(|event| self.next(*event)).collect()
    }
}

#[derive(Debug, Clone, Copy)]
enum Event {
    Out(f64),
    In,
    Nothing,
    NoData,
    Failed,
    Undecided,
}
use Event::{Failed, In, NoData, Nothing, Out, Undecided};

fn describe(notice: &Notice) -> String {
    let matter = match &notice.matter {
        Matter::Breach { side, .. } => side.word(),
        Matter::NoData { .. } => "no data",
        Matter::Unwell { .. } => "unwell",
        Matter::Undecided { .. } => "undecided",
    };
    let minutes = |time: Stamp| (*time - *at(0)).num_minutes();
    let since = minutes(notice.since);
    match notice.stage {
        Stage::Opened => format!("{matter} since {since}"),
        Stage::Lasting => format!("{matter} lasts, no. {}", notice.sequence),
        Stage::Worse => format!("{matter} worse, no. {}", notice.sequence),
        Stage::Over { until } => format!("{matter} over after {}", minutes(until) - since),
    }
}

fn told(notices: &[&str]) -> Vec<String> {
    notices.iter().map(ToString::to_string).collect()
}

fn rules() -> Rules {
    Rules::default()
}

#[test]
fn an_incident_is_told_when_it_opens_and_when_it_is_over_and_not_in_between() {
    let mut story = Story::new(rules());
    let notices = story.all(&[In, Out(1.5), Out(1.6), Out(1.4), In, In, In]);
    let expected = [
        &[][..],
        &["high since 5"],
        &[],
        &[],
        &[],
        &["high over after 15"],
        &[],
    ];
    assert_eq!(notices, expected.map(told));
}

#[test]
fn one_bucket_inside_does_not_end_an_incident() {
    let mut story = Story::new(rules());
    let notices = story.all(&[Out(1.5), In, Out(1.5), In, In]);
    assert_eq!(notices[1..4], [told(&[]), told(&[]), told(&[])]);
    assert_eq!(notices[4], told(&["high over after 15"]));
}

#[test]
fn what_lasts_is_told_again_only_after_renotify() {
    let mut story = Story::new(Rules {
        renotify: Renotify::After(TimeDelta::minutes(20)),
        ..rules()
    });
    let notices: Vec<String> = story.all(&[Out(1.5); 10]).concat();
    assert_eq!(
        notices,
        ["high since 0", "high lasts, no. 1", "high lasts, no. 2"]
    );
    let mut story = Story::new(Rules {
        renotify: Renotify::Never,
        ..rules()
    });
    assert_eq!(story.all(&[Out(1.5); 200]).concat(), ["high since 0"]);
}

#[test]
fn what_grew_worse_by_the_factor_is_told_at_once() {
    let mut story = Story::new(rules());
    let notices = story
        .all(&[Out(-1.5), Out(-2.9), Out(-3.0), Out(-5.9), Out(-6.0)])
        .concat();
    assert_eq!(
        notices,
        ["low since 0", "low worse, no. 1", "low worse, no. 2"]
    );
}

#[test]
fn high_that_turns_low_is_a_new_incident_and_no_recovery() {
    let mut story = Story::new(rules());
    let notices = story
        .all(&[Out(1.5), Out(-1.5), Out(-1.2), In, In])
        .concat();
    assert_eq!(
        notices,
        ["high since 0", "low since 5", "low over after 10"]
    );
}

#[test]
fn breaches_below_the_confirming_number_are_pending_and_pass_untold() {
    let mut story = Story::new(Rules {
        confirm: "2 of 3".parse().expect("a rule"),
        ..rules()
    });
    assert_eq!(story.next(Out(1.5)), told(&[]));
    assert_eq!(story.watch.state(), State::Pending { since: at(0) });
    let notices = story.all(&[In, In, In, Out(1.5), In, Out(1.5)]).concat();
    assert_eq!(notices, ["high since 20"]);
    let firing = State::Firing {
        side: Side::High,
        since: at(20),
    };
    assert_eq!(story.watch.state(), firing);
    story.all(&[In, In]);
    assert_eq!(
        story.watch.state(),
        State::Ok {
            since: Some(at(35))
        }
    );
}

#[test]
fn breaches_on_both_sides_do_not_confirm_each_other() {
    let mut story = Story::new(Rules {
        confirm: "2".parse().expect("a rule"),
        ..rules()
    });
    assert!(
        story
            .all(&[Out(1.5), Out(-1.5), Out(1.5)])
            .concat()
            .is_empty()
    );
    assert_eq!(story.next(Out(1.5)), told(&["high since 10"]));
}

#[test]
fn without_notify_recovery_ends_are_not_told() {
    let mut story = Story::new(Rules {
        tells_recovery: false,
        ..rules()
    });
    let notices = story.all(&[Out(1.5), In, In, NoData, In]).concat();
    assert_eq!(notices, ["high since 0", "no data since 0"]);
}

#[test]
fn recovery_may_take_more_buckets() {
    let mut story = Story::new(Rules {
        recover: NonZeroU32::new(4).expect("a number"),
        ..rules()
    });
    let notices = story.all(&[Out(1.5), In, In, In, In]);
    assert_eq!(notices[3], told(&[]));
    assert_eq!(notices[4], told(&["high over after 5"]));
}

#[test]
fn each_incident_has_a_thread_of_its_own() {
    let mut story = Story::new(rules());
    let mut threads = Vec::new();
    for event in [Out(1.5), In, In, Out(1.5), Out(-1.5)] {
        story.next(event);
        threads.extend(
            story
                .watch
                .incident
                .as_ref()
                .map(|incident| incident.thread.clone()),
        );
    }
    threads.dedup();
    assert_eq!(threads.len(), 3, "{threads:?}");
}

#[test]
fn a_clock_set_back_has_nothing_judged_twice_but_what_had_no_data() {
    let mut watch = Watch::default();
    watch.judged = Some(Bucket {
        start: at(60),
        end: at(65),
    });
    watch.newest_data = Some(Bucket {
        start: at(5),
        end: at(10),
    });
    assert_eq!(
        watch.judged_at(at(70)).map(|bucket| bucket.start),
        Some(at(60))
    );
    assert_eq!(
        watch.judged_at(at(15)).map(|bucket| bucket.start),
        Some(at(5))
    );
}
