//! Quiet windows: times of the week, by the wall clock, in which nothing is mailed.

use std::iter::successors;
use std::str::FromStr;

use chrono::{DateTime, Datelike, Timelike, Weekday};
use chrono_tz::Tz;
use serde::Deserialize;

/// "Sun 02:00-04:00": from a time of day to another, on some days of the week. One that ends the next
/// morning belongs to the day it begins on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct QuietWindow {
    days: Vec<Weekday>,
    /// Minutes of the day; `to` is at most 24 hours, and at or before `from` of the next day.
    from: u32,
    to: u32,
}

const MINUTES: u32 = 24 * 60;

impl QuietWindow {
    const RULE: &str = "\"Sun 02:00-04:00\", \"Mon-Fri 22:00-06:00\", \"Sat,Sun 00:00-24:00\", or \"02:00-04:00\" for every day";

    /// Whether an instant, by the wall clock of its zone, lies in the window.
    pub fn holds(&self, time: DateTime<Tz>) -> bool {
        let minute = time.hour() * 60 + time.minute();
        let today = time.weekday();
        let on = |day: Weekday| self.days.contains(&day);
        if self.from < self.to {
            on(today) && (self.from..self.to).contains(&minute)
        } else {
            (on(today) && minute >= self.from) || (on(today.pred()) && minute < self.to)
        }
    }

    fn read(text: &str) -> Option<Self> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let (days, times) = match words.as_slice() {
            [times] => (read_days("Mon-Sun")?, *times),
            [days, times] => (read_days(days)?, *times),
            _ => return None,
        };
        let (from, to) = times.split_once('-')?;
        let (from, to) = (read_minute(from)?, read_minute(to)?);
        (from < MINUTES && from != to).then_some(Self { days, from, to })
    }
}

fn read_days(text: &str) -> Option<Vec<Weekday>> {
    let mut days = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (Weekday, Weekday) = (first.parse().ok()?, last.parse().ok()?);
        let next = |day: &Weekday| (*day != last).then(|| day.succ());
        days.extend(successors(Some(first), next));
    }
    Some(days)
}

fn read_minute(text: &str) -> Option<u32> {
    let (hour, minute) = text.split_once(':')?;
    if hour.len() != 2 || minute.len() != 2 {
        return None;
    }
    let (hour, minute): (u32, u32) = (hour.parse().ok()?, minute.parse().ok()?);
    let minutes = hour * 60 + minute;
    (minute < 60 && minutes <= MINUTES).then_some(minutes)
}

impl FromStr for QuietWindow {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let rule = Self::RULE;
        Self::read(text)
            .ok_or_else(|| format!("{text:?} is not a quiet window; allowed: such as {rule}"))
    }
}

impl TryFrom<String> for QuietWindow {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::parse_time;

    fn holds(window: &str, time: &str) -> bool {
        let window: QuietWindow = window.parse().expect("a window");
        window.holds(parse_time(time, chrono_tz::Europe::Paris).expect("a time"))
    }

    #[test]
    fn a_window_holds_its_minutes_but_the_last_on_the_days_it_begins_on() {
        // 2026-11-22 is a Sunday.
        for (window, time, quiet) in [
            ("Sun 02:00-04:00", "2026-11-22 01:59", false),
            ("Sun 02:00-04:00", "2026-11-22 02:00", true),
            ("Sun 02:00-04:00", "2026-11-22 03:59", true),
            ("Sun 02:00-04:00", "2026-11-22 04:00", false),
            ("Sun 02:00-04:00", "2026-11-23 02:30", false),
            ("Sun 22:00-06:00", "2026-11-22 23:00", true),
            ("Sun 22:00-06:00", "2026-11-23 05:59", true),
            ("Sun 22:00-06:00", "2026-11-22 05:59", false),
            ("Sun 22:00-06:00", "2026-11-23 23:00", false),
            ("Fri-Mon 22:00-06:00", "2026-11-24 00:00", true),
            ("Fri-Mon 22:00-06:00", "2026-11-26 00:00", false),
            ("Sat,Sun 00:00-24:00", "2026-11-22 23:59", true),
            ("12:00-13:00", "2026-11-25 12:30", true),
            // Both passes of the hour that autumn repeats.
            ("Sun 02:00-03:00", "2026-10-25T02:30:00+02:00", true),
            ("Sun 02:00-03:00", "2026-10-25T02:30:00+01:00", true),
        ] {
            assert_eq!(holds(window, time), quiet, "{window}, {time}");
        }
    }

    #[test]
    fn what_is_no_window_is_refused_with_what_is() {
        for wrong in [
            "Sun",
            "02:00",
            "Sun 2:00-4:00",
            "Sun 02:00-02:00",
            "24:00-02:00",
            "02:00-25:00",
            "02:60-03:00",
            "Sun Mon 02:00-03:00",
            "Någon 02:00-03:00",
        ] {
            let error = wrong.parse::<QuietWindow>().expect_err(wrong);
            let allowed = "allowed: such as \"Sun 02:00-04:00\"";
            assert!(error.contains(allowed), "{error}");
        }
    }
}
