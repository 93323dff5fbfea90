//! Quiet windows: times of the week, or dated times, by the wall clock, in which nothing is mailed.

use std::iter::successors;
use std::str::FromStr;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, TimeDelta, Timelike, Weekday};
use chrono_tz::Tz;
use serde::Deserialize;

use crate::series::parse_local_time;

/// Times without mail.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum QuietWindow {
    /// "Sun 02:00-04:00": on some days of the week.
    Weekly(Vec<Weekday>, TimesOfDay),
    /// "2026-12-24 18:00-23:00": on a single day.
    Daily(NaiveDate, TimesOfDay),
    /// "2026-12-24 18:00 to 2026-12-26 06:00": once, up to but without the end.
    Dated {
        from: NaiveDateTime,
        to: NaiveDateTime,
    },
}

/// From a minute of the day to another, which is at most 24 hours. If it is not after the first, it is one
/// of the next day; the window belongs to the day it begins on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimesOfDay {
    from: u32,
    to: u32,
}

const MINUTES: u32 = 24 * 60;

impl QuietWindow {
    const RULE: &str = "\"Sun 02:00-04:00\", \"Mon-Fri 22:00-06:00\", \"Sat,Sun 00:00-24:00\", \"02:00-04:00\" for every day, \"2026-12-24 18:00-23:00\", \"2026-12-24 18:00 to 2026-12-26 06:00\", or \"2026-12-24 to 2026-12-26\" for three whole days";

    /// Whether an instant, by the wall clock of its zone, lies in the window.
    pub fn holds(&self, time: DateTime<Tz>) -> bool {
        let (local, today) = (time.naive_local(), time.date_naive());
        match self {
            Self::Weekly(days, times) => {
                times.hold(time, |day| days.contains(&day.weekday()), today)
            }
            Self::Daily(date, times) => times.hold(time, |day| day == *date, today),
            Self::Dated { from, to } => (*from..*to).contains(&local),
        }
    }

    fn read(text: &str) -> Option<Self> {
        if let Some((from, to)) = text.split_once(" to ") {
            let (from, to) = (parse_local_time(from).ok()?, read_end(to)?);
            return (from < to).then_some(Self::Dated { from, to });
        }
        let words: Vec<&str> = text.split_whitespace().collect();
        Some(match words.as_slice() {
            [times] => Self::Weekly(read_days("Mon-Sun")?, TimesOfDay::read(times)?),
            [day, times] => match day.parse() {
                Ok(date) => Self::Daily(date, TimesOfDay::read(times)?),
                Err(_) => Self::Weekly(read_days(day)?, TimesOfDay::read(times)?),
            },
            _ => return None,
        })
    }
}

impl TimesOfDay {
    fn read(text: &str) -> Option<Self> {
        let (from, to) = text.split_once('-')?;
        let (from, to) = (read_minute(from)?, read_minute(to)?);
        (from < MINUTES && from != to).then_some(Self { from, to })
    }

    /// Whether they hold a time of `today`, on the days that count.
    fn hold(
        self,
        time: DateTime<Tz>,
        counts: impl Fn(NaiveDate) -> bool,
        today: NaiveDate,
    ) -> bool {
        let minute = time.hour() * 60 + time.minute();
        if self.from < self.to {
            return counts(today) && (self.from..self.to).contains(&minute);
        }
        let began_yesterday = today.pred_opt().is_some_and(&counts) && minute < self.to;
        (counts(today) && minute >= self.from) || began_yesterday
    }
}

/// A day is over when the next one begins.
fn read_end(text: &str) -> Option<NaiveDateTime> {
    let end = parse_local_time(text).ok()?;
    let is_day = text.trim().parse::<NaiveDate>().is_ok();
    Some(if is_day {
        end + TimeDelta::days(1)
    } else {
        end
    })
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
            ("2026-11-24 22:00-06:00", "2026-11-24 22:00", true),
            ("2026-11-24 22:00-06:00", "2026-11-25 05:59", true),
            ("2026-11-24 22:00-06:00", "2026-11-24 05:59", false),
            ("2026-11-24 12:00-13:00", "2025-11-24 12:30", false),
            ("2026-11-24 to 2026-11-25", "2026-11-25 23:59", true),
            ("2026-11-24 to 2026-11-25", "2026-11-26 00:00", false),
            (
                "2026-11-24 18:00 to 2026-11-26 06:00",
                "2026-11-25 03:00",
                true,
            ),
            (
                "2026-11-24 18:00 to 2026-11-26 06:00",
                "2026-11-26 06:00",
                false,
            ),
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
            "2026-11-31 02:00-03:00",
            "2026-11-24",
            "2026-11-25 to 2026-11-24",
            "2026-11-24 18:00 to",
        ] {
            let error = wrong.parse::<QuietWindow>().expect_err(wrong);
            let allowed = "allowed: such as \"Sun 02:00-04:00\"";
            assert!(error.contains(allowed), "{error}");
        }
    }
}
