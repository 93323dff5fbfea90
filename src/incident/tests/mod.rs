//! The life of an alert, event by event: what one recipient, whose server accepts everything at once, is
//! notified of.

mod answer;
mod budget;
mod obstacle;
mod past;
mod silence;
mod steps;

use std::num::NonZeroU32;

use chrono::{DateTime, TimeDelta, Utc};

use super::*;
use crate::detect::{Evaluation, Reference, Verdict};
use crate::forecast::{Band, Level, Side};
use crate::notify::{AlertKind, Opening, Pending, Record, due};
use crate::series::Bucket;

/// Minutes after the start of the day the tests play on.
fn at(minute: i64) -> DateTime<Utc> {
    let start: DateTime<Utc> = "2026-11-22T00:00:00Z".parse().expect("a time");
    start + TimeDelta::minutes(minute)
}

/// A bucket of 5 minutes, so far out in half-widths of its band.
fn evaluation(minute: i64, deviation: f64) -> Evaluation {
    Evaluation {
        bucket: Bucket {
            start: at(minute),
            end: at(minute + 5),
        },
        value: Some(100.0 + 10.0 * deviation),
        band: Band::new(90.0, 100.0, 110.0),
        level: Level::default(),
        deviation: Some(deviation),
        score: None,
        verdict: match deviation {
            _ if deviation > 1.0 => Verdict::Breach(Side::High),
            _ if deviation < -1.0 => Verdict::Breach(Side::Low),
            _ => Verdict::Normal,
        },
        low_possible: Some(true),
        high_possible: Some(true),
        is_whole: false,
        reference: Reference::default(),
        workings: None,
    }
}

/// A metric whose buckets come in one after the other.
struct Story {
    state: MetricState,
    policy: Policy,
    muted: Muted,
    minute: i64,
    /// Of the recipient, by the id of the alert.
    records: Vec<(String, Record)>,
}

impl Story {
    fn new(policy: Policy) -> Self {
        Self {
            state: MetricState::default(),
            policy,
            muted: Muted::No,
            minute: 0,
            records: Vec::new(),
        }
    }

    /// What the next bucket, or what else happens five minutes later, makes due.
    fn next(&mut self, event: Event) -> Vec<String> {
        let evaluated = |verdict| {
            CheckResult::Evaluated(Evaluation {
                verdict,
                ..evaluation(self.minute, 0.0)
            })
        };
        let result = match event {
            Event::Out(deviation) => CheckResult::Evaluated(evaluation(self.minute, deviation)),
            Event::In => CheckResult::Evaluated(evaluation(self.minute, 0.2)),
            Event::Nothing => CheckResult::NothingNew(None),
            Event::NoData => evaluated(Verdict::NoData {
                since: at(0),
                reason: "no data".into(),
            }),
            Event::Failed => CheckResult::Failed("refused".into()),
            Event::Undecided => evaluated(Verdict::Undecided("short".into())),
        };
        self.minute += 5;
        // What is known must survive being written and read.
        let text = serde_json::to_string(&self.state).expect("text");
        self.state = serde_json::from_str(&text).expect("a state");
        self.state.release_incident(at(self.minute), self.muted);
        self.state
            .update(&result, at(self.minute), &self.policy, self.muted);
        if self.muted == Muted::Yes {
            return Vec::new();
        }
        let alerts = self.state.alerts.clone();
        alerts
            .iter()
            .filter_map(|alert| self.notify(alert))
            .collect()
    }

    fn notify(&mut self, alert: &Alert) -> Option<String> {
        let known = self.records.iter().position(|(id, _)| *id == alert.id);
        let record = known.map(|index| &self.records[index].1);
        let kind = due(alert, record, at(self.minute), &self.policy)?;
        let mut record = record.cloned().unwrap_or_default();
        let count = record.count;
        record.pending = Some(Pending::new("mail".into(), kind, at(self.minute)));
        let opening = Opening {
            message_id: "<first>".to_string(),
            subject: None,
        };
        record.accept(alert, opening, at(self.minute));
        self.records.retain(|(id, _)| *id != alert.id);
        self.records.push((alert.id.clone(), record));
        Some(describe(alert, kind, count))
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

fn describe(alert: &Alert, kind: AlertKind, count: u32) -> String {
    let condition = alert.condition.word().replace('_', " ");
    let minutes = |time: DateTime<Utc>| (time - at(0)).num_minutes();
    let since = minutes(alert.since);
    match (kind, &alert.end) {
        (AlertKind::Firing, _) => format!("{condition} since {since}"),
        (AlertKind::Repeat, _) => format!("{condition} lasts, no. {count}"),
        (AlertKind::Escalated, _) => format!("{condition} worse, no. {count}"),
        (AlertKind::Resolved, Some(End::Over { until, .. })) => {
            format!("{condition} over after {}", minutes(*until) - since)
        }
        (AlertKind::Resolved, _) => format!("{condition} over, though it is not"),
    }
}

fn told(notices: &[&str]) -> Vec<String> {
    notices.iter().map(ToString::to_string).collect()
}

fn policy() -> Policy {
    Policy::default()
}

#[test]
fn an_incident_is_told_when_it_opens_and_when_it_is_over_and_not_in_between() {
    let mut story = Story::new(policy());
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
    let mut story = Story::new(policy());
    let notices = story.all(&[Out(1.5), In, Out(1.5), In, In]);
    assert_eq!(notices[1..4], [told(&[]), told(&[]), told(&[])]);
    assert_eq!(notices[4], told(&["high over after 15"]));
}

#[test]
fn what_lasts_is_told_again_after_renotify_and_then_each_time_after_twice_as_long() {
    let mut story = Story::new(Policy {
        renotify: Renotify::After(TimeDelta::minutes(20)),
        ..policy()
    });
    let notices: Vec<String> = story.all(&[Out(1.5); 20]).concat();
    assert_eq!(
        notices,
        ["high since 0", "high lasts, no. 1", "high lasts, no. 2"]
    );
    let mut story = Story::new(Policy {
        renotify: Renotify::Never,
        ..policy()
    });
    assert_eq!(story.all(&[Out(1.5); 200]).concat(), ["high since 0"]);
}

#[test]
fn what_is_far_out_on_the_other_side_is_no_worse() {
    let mut story = Story::new(policy());
    story.next(Out(-1.5));
    for (deviation, notice) in [(4.0, None), (-4.0, Some("low worse, no. 1".to_string()))] {
        let mut alert = story.state.alerts[0].clone();
        alert.evaluation = Some(evaluation(5, deviation));
        assert_eq!(story.notify(&alert), notice);
    }
}

#[test]
fn what_grew_worse_by_the_factor_is_told_at_once() {
    let mut story = Story::new(policy());
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
    let mut story = Story::new(policy());
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
    let mut story = Story::new(Policy {
        confirm: "2 of 3".parse().expect("a rule"),
        ..policy()
    });
    assert_eq!(story.next(Out(1.5)), told(&[]));
    assert_eq!(story.state.status(), Status::Pending { since: at(0) });
    let notices = story.all(&[In, In, In, Out(1.5), In, Out(1.5)]).concat();
    assert_eq!(notices, ["high since 20"]);
    let firing = Status::Firing {
        side: Side::High,
        since: at(20),
    };
    assert_eq!(story.state.status(), firing);
    story.all(&[In, In]);
    assert_eq!(
        story.state.status(),
        Status::Ok {
            since: Some(at(35))
        }
    );
}

#[test]
fn breaches_on_both_sides_do_not_confirm_each_other() {
    let mut story = Story::new(Policy {
        confirm: "2".parse().expect("a rule"),
        ..policy()
    });
    assert!(
        story
            .all(&[Out(1.5), Out(-1.5), Out(1.5)])
            .concat()
            .is_empty()
    );
    assert_eq!(story.next(Out(1.5)), told(&["high since 10"]));
}

/// A bucket so far out lacks ten times as much; one that is in has 2 more than expected.
#[test]
fn what_is_missing_is_that_of_the_first_bucket_outside_to_the_last() {
    let missing = |story: &Story| {
        let of_open = || {
            story
                .state
                .incident()?
                .course
                .as_ref()
                .map(|course| course.shortfall.missing)
        };
        let past = story.state.past.alerts.back();
        of_open().or_else(|| past.and_then(|past| past.missing))
    };
    let mut story = Story::new(Policy {
        confirm: "2 of 3".parse().expect("a rule"),
        ..policy()
    });
    story.all(&[In, Out(-2.0), In, Out(-2.0)]);
    assert_eq!(missing(&story), Some(38.0));
    story.all(&[In, Out(-3.0)]);
    assert_eq!(missing(&story), Some(66.0));
    // Neither those of the recovery nor what comes after it.
    let over = story.all(&[In, In, Out(-1.5)]).concat();
    assert_eq!(over, ["low over after 25"]);
    assert_eq!(missing(&story), Some(66.0));
    // Where it turns, it ends with its last bucket outside.
    let mut story = Story::new(policy());
    story.all(&[Out(2.0), Out(2.0), In, Out(-1.5)]);
    assert_eq!(missing(&story), Some(15.0));
    let turned = story.state.past.alerts.back().expect("one that turned");
    assert_eq!(turned.missing, Some(-40.0));
}

#[test]
fn amounts_beyond_what_can_be_kept_are_the_largest_that_can() {
    let mut story = Story::new(policy());
    for _ in 0..3 {
        let huge = Evaluation {
            value: Some(1e300),
            ..evaluation(story.minute, 1e299)
        };
        let result = CheckResult::Evaluated(huge);
        story
            .state
            .update(&result, at(story.minute + 5), &story.policy, Muted::No);
        // It must be there after being written and read.
        story.next(Nothing);
    }
    let incident = story.state.incident().expect("an incident");
    let missing = incident
        .course
        .as_ref()
        .map(|course| course.shortfall.missing);
    assert_eq!(missing, Some(f32::MIN));
}

#[test]
fn without_notify_recovery_ends_are_not_told() {
    let mut story = Story::new(Policy {
        notify_recovery: false,
        ..policy()
    });
    let notices = story.all(&[Out(1.5), In, In, NoData, In]).concat();
    assert_eq!(notices, ["high since 0", "no data since 0"]);
}

#[test]
fn recovery_may_take_more_buckets() {
    let mut story = Story::new(Policy {
        recover: NonZeroU32::new(4),
        ..policy()
    });
    let notices = story.all(&[Out(1.5), In, In, In, In]);
    assert_eq!(notices[3], told(&[]));
    assert_eq!(notices[4], told(&["high over after 5"]));
}

#[test]
fn each_incident_has_an_id_of_its_own() {
    let mut story = Story::new(policy());
    let mut ids = Vec::new();
    for event in [Out(1.5), In, In, Out(1.5), Out(-1.5)] {
        story.next(event);
        ids.extend(story.state.incident().map(|incident| incident.id.clone()));
    }
    ids.dedup();
    assert_eq!(ids.len(), 3, "{ids:?}");
}

#[test]
fn a_clock_set_back_has_nothing_judged_twice_but_what_had_no_data() {
    let bucket = |minute| Bucket {
        start: at(minute),
        end: at(minute + 5),
    };
    let mut state = MetricState::default();
    state.evaluated = Some(bucket(60));
    state.newest_data = Some(bucket(5));
    assert_eq!(state.evaluated_at(at(70)), Some(bucket(60)));
    assert_eq!(state.evaluated_at(at(15)), Some(bucket(5)));
}

#[test]
fn of_what_an_earlier_version_counted_no_share_is_told() {
    use super::evidence::Shortfall;
    let earlier: Shortfall = serde_json::from_str(r#"{"missing": 10000.0}"#).expect("amounts");
    let later = Shortfall {
        usual: Some(100.0),
        missing: 20.0,
    };
    let both = earlier.plus(later);
    assert_eq!((both.missing, both.change()), (10_020.0, None));
    let new = Shortfall::default().plus(later).plus(later);
    assert_eq!(new.change(), Some(-0.2));
}
