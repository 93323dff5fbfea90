//! Dates on which a series is not as it usually is: events, when they are, and what they mean for it.
//! Pure: a calendar file is read elsewhere and comes in as text.

mod ics;
mod month_day;
mod recurrence;

pub use ics::read_calendar;
pub use month_day::{Month, MonthDay};
pub use recurrence::{Every, occurrences, parse_occurrence};

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What an event means for the metrics it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// Its buckets are neither judged nor learnt, as if there were none.
    Ignore,
    /// They are judged and learnt, and nothing is mailed meanwhile.
    Mute,
    /// They are held against its earlier occurrences, and nothing else is learnt from them. Where the window
    /// holds no earlier one, it is ignored.
    Learn,
}

/// From an instant up to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Period {
    pub start: DateTime<Utc>,
    pub end: DateTime<Utc>,
}

/// Something that happens once or again and again.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    pub name: String,
    pub effect: Effect,
    /// By their start.
    pub periods: Vec<Period>,
}

/// The events of a metric; its series share them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Events(Arc<Vec<Event>>);

/// An event, at one of its times.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Occurrence<'a> {
    pub event: &'a Event,
    pub period: Period,
}

impl Event {
    /// Whether a window of this length that ends with an occurrence holds an earlier one.
    fn has_earlier(&self, occurrence: Period, window: TimeDelta) -> bool {
        let mut earlier = self.periods.iter();
        earlier
            .any(|period| period.end <= occurrence.start && period.start >= occurrence.end - window)
    }
}

impl Occurrence<'_> {
    /// Whether its buckets are as if there were none, for verdicts drawn from a window of this length.
    pub fn is_left_out(&self, window: TimeDelta) -> bool {
        match self.event.effect {
            Effect::Ignore => true,
            Effect::Mute => false,
            Effect::Learn => !self.event.has_earlier(self.period, window),
        }
    }

    /// What becomes of its buckets: "Black Friday: muted".
    pub fn participle(&self, window: TimeDelta) -> &'static str {
        match self.event.effect {
            Effect::Ignore => "ignored",
            Effect::Mute => "muted",
            Effect::Learn if self.is_left_out(window) => {
                "ignored, as the window holds no earlier one,"
            }
            Effect::Learn => "held against earlier ones",
        }
    }
}

impl Period {
    pub fn holds(&self, time: DateTime<Utc>) -> bool {
        self.start <= time && time < self.end
    }

    /// The time that both have.
    pub fn common(&self, other: Self) -> Option<Self> {
        let common = Self {
            start: self.start.max(other.start),
            end: self.end.min(other.end),
        };
        (common.start < common.end).then_some(common)
    }
}

impl Events {
    pub fn add(&mut self, event: Event) {
        Arc::make_mut(&mut self.0).push(event);
    }

    /// The events at an instant.
    pub fn at(&self, time: DateTime<Utc>) -> impl Iterator<Item = Occurrence<'_>> {
        self.occurrences(move |period| period.holds(time))
    }

    /// The events of a time, those that only begin or end in it too, by event.
    pub fn within(&self, time: Period) -> impl Iterator<Item = Occurrence<'_>> {
        self.occurrences(move |period| period.common(time).is_some())
    }

    fn occurrences(
        &self,
        is_wanted: impl Fn(&Period) -> bool + Copy,
    ) -> impl Iterator<Item = Occurrence<'_>> {
        self.0.iter().flat_map(move |event| {
            let periods = event.periods.iter().copied().filter(is_wanted);
            periods.map(move |period| Occurrence { event, period })
        })
    }

    pub fn are_muted(&self, now: DateTime<Utc>) -> bool {
        self.at(now)
            .any(|occurrence| occurrence.event.effect == Effect::Mute)
    }

    /// The events of a time that are left out, for verdicts drawn from a window of this length.
    pub fn left_out(
        &self,
        time: Period,
        window: TimeDelta,
    ) -> impl Iterator<Item = Occurrence<'_>> {
        let occurrences = self.within(time);
        occurrences.filter(move |occurrence| occurrence.is_left_out(window))
    }

    /// Those that are held against their earlier occurrences.
    pub fn learnt(&self) -> impl Iterator<Item = &Event> {
        let events = self.0.iter();
        events.filter(|event| event.effect == Effect::Learn)
    }

    /// How much of a time is left out.
    pub fn time_left_out(&self, time: Period, window: TimeDelta) -> TimeDelta {
        let parts = self.left_out(time, window);
        let parts = parts.filter_map(|occurrence| occurrence.period.common(time));
        let mut parts: Vec<Period> = parts.collect();
        parts.sort_unstable();
        let mut end = time.start;
        let mut sum = TimeDelta::zero();
        for part in parts {
            let begin = part.start.max(end);
            end = end.max(part.end);
            sum += end - begin.min(end);
        }
        sum
    }

    /// Whether all of a time is left out.
    pub fn leave_out_all(&self, time: Period, window: TimeDelta) -> bool {
        time.start < time.end && self.time_left_out(time, window) == time.end - time.start
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::hours(hour)
    }

    const WINDOW: TimeDelta = TimeDelta::hours(100);

    fn period(start: i64, end: i64) -> Period {
        Period {
            start: at(start),
            end: at(end),
        }
    }

    fn events(effect: Effect, periods: &[Period]) -> Events {
        Events(Arc::new(vec![Event {
            name: "Stocktaking".into(),
            effect,
            periods: periods.to_vec(),
        }]))
    }

    #[test]
    fn an_event_holds_from_its_start_up_to_its_end() {
        let muted = events(Effect::Mute, &[period(1, 3), period(10, 11)]);
        let hours: Vec<i64> = (0..12).filter(|hour| muted.are_muted(at(*hour))).collect();
        assert_eq!(hours, [1, 2, 10]);
        assert_eq!(muted.left_out(period(0, 12), WINDOW).count(), 0);
        let ignored = events(Effect::Ignore, &[period(1, 3)]);
        assert!(!ignored.are_muted(at(1)));
    }

    #[test]
    fn ignored_times_that_overlap_count_once() {
        let ignored = events(
            Effect::Ignore,
            &[period(1, 5), period(2, 3), period(4, 6), period(8, 9)],
        );
        let hours = |start, end| {
            ignored
                .time_left_out(period(start, end), WINDOW)
                .num_hours()
        };
        assert_eq!(hours(0, 24), 6);
        assert_eq!(hours(2, 5), 3);
        assert_eq!(hours(6, 8), 0);
        assert!(ignored.leave_out_all(period(2, 6), WINDOW));
        assert!(!ignored.leave_out_all(period(2, 7), WINDOW));
        assert!(!ignored.leave_out_all(period(2, 2), WINDOW));
    }

    #[test]
    fn what_is_learnt_is_left_out_until_the_window_holds_an_earlier_one() {
        let learnt = events(
            Effect::Learn,
            &[period(0, 2), period(40, 42), period(200, 202)],
        );
        let left_out = learnt.left_out(period(0, 300), WINDOW);
        let starts: Vec<_> = left_out.map(|occurrence| occurrence.period.start).collect();
        assert_eq!(starts, [at(0), at(200)]);
    }
}
