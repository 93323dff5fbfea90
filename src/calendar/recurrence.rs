//! When an event is, as the configuration says it: dates and times of the wall clock, once or repeated.

use chrono::{DateTime, Datelike, Months, NaiveDate, NaiveDateTime, Utc};
use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::Deserialize;

use super::Period;
use crate::series::{first_instant, parse_time};

/// What repeats does so up to this year.
pub const LAST_YEAR: i32 = 2100;

/// After how long an event comes again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Every {
    Year,
    Month,
}

/// "2026-11-27" for a whole day, "2026-11-27 to 2026-11-30" with the last day, or with times of the day;
/// "2026-11-27 18:00-23:00" for some hours of one, up to the next where they end no later than they begin.
pub fn parse_occurrence(text: &str, zone: Tz) -> Result<Period, String> {
    let Some((from, to)) = text.split_once(" to ") else {
        return parse_day(text, zone);
    };
    let (start, end) = (parse(from, zone)?, parse_end(to, zone)?);
    if start < end {
        Ok(Period { start, end })
    } else {
        Err(format!("{text:?} ends before it begins"))
    }
}

/// The times of an event that begins at one and comes again; without `every` that alone. One on the 31st
/// is on the last day of shorter months.
pub fn occurrences(first: Period, every: Option<Every>, zone: Tz) -> Result<Vec<Period>, String> {
    let Some(every) = every else {
        return Ok(vec![first]);
    };
    let months: u32 = match every {
        Every::Year => 12,
        Every::Month => 1,
    };
    let local = |time: DateTime<Utc>| time.with_timezone(&zone).naive_local();
    let (start, end) = (local(first.start), local(first.end));
    if start.checked_add_months(Months::new(months)) < Some(end) {
        return Err("lasts for longer than until it comes again".to_string());
    }
    // A day ends at midnight; what counts is that day, so that the last of a month stays the last.
    let length = end - start;
    let starts = (1..).map_while(|count| start.checked_add_months(Months::new(count * months)));
    let later = starts.take_while(|start| start.year() <= LAST_YEAR);
    let later = later.map(|start| Period {
        start: instant(start, zone),
        end: instant(start + length, zone),
    });
    Ok(std::iter::once(first).chain(later).collect())
}

/// The instant of a local time, or the first after it if spring skips it.
pub fn instant(local: NaiveDateTime, zone: Tz) -> DateTime<Utc> {
    first_instant(local, zone).to_utc()
}

/// A whole day, or some hours of it.
fn parse_day(text: &str, zone: Tz) -> Result<Period, String> {
    let text = text.trim();
    let (date, hours) = text.split_once(' ').unwrap_or((text, "00:00-24:00"));
    let (Some(date), Some((from, to))) = (day(date), hours.split_once('-')) else {
        let no_end = "has no end; allowed: a date for a whole day, \"2026-11-27 08:00-12:00\" or \"2026-11-27 08:00 to 2026-11-28 12:00\"";
        return Err(parse(text, zone).map_or_else(|error| error, |_| format!("{text:?} {no_end}")));
    };
    let time = |day: NaiveDate, hour: &str| match hour.trim() {
        "24:00" => parse_end(&day.to_string(), zone),
        hour => parse(&format!("{day} {hour}"), zone),
    };
    let start = time(date, from)?;
    let end = time(date, to)?;
    let next = date.succ_opt().filter(|_| end <= start);
    let end = next.map_or(Ok(end), |next| time(next, to))?;
    Ok(Period { start, end })
}

fn day(text: &str) -> Option<NaiveDate> {
    text.trim().parse().ok()
}

fn parse(text: &str, zone: Tz) -> Result<DateTime<Utc>, String> {
    match day(text) {
        Some(day) if (1..=9999).contains(&day.year()) => Ok(instant(day.into(), zone)),
        _ => parse_time(text.trim(), zone)
            .map(|time| time.to_utc())
            .map_err(|_| format!("{text:?} is not a date or time; allowed: \"2026-11-27\", \"2026-11-27 14:05\" (in {zone}) or RFC 3339")),
    }
}

/// A day is over when the next one begins.
fn parse_end(text: &str, zone: Tz) -> Result<DateTime<Utc>, String> {
    let next = day(text).and_then(|day| day.succ_opt());
    match next.filter(|day| (1..=9999).contains(&day.year())) {
        Some(next) => Ok(instant(next.into(), zone)),
        None => parse(text, zone),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::sample::{PARIS, time};

    fn period(start: &str, end: &str) -> Period {
        Period {
            start: time(start).to_utc(),
            end: time(end).to_utc(),
        }
    }

    #[test]
    fn a_date_is_a_whole_day_and_times_are_those_of_the_wall_clock() {
        for (text, start, end) in [
            ("2026-11-27", "2026-11-27 00:00", "2026-11-28 00:00"),
            ("2026-03-29", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"),
            ("2026-11-27 to 2026-11-30", "2026-11-27", "2026-12-01"),
            (
                "2026-11-27 08:00 to 2026-11-27 12:00",
                "2026-11-27 08:00",
                "2026-11-27 12:00",
            ),
            (
                "2026-11-27 18:00-23:00",
                "2026-11-27 18:00",
                "2026-11-27 23:00",
            ),
            (
                "2026-11-27 22:00-06:00",
                "2026-11-27 22:00",
                "2026-11-28 06:00",
            ),
            ("2026-11-27 22:00-24:00", "2026-11-27 22:00", "2026-11-28"),
            (
                "2026-11-27T08:00:00Z to 2026-11-28",
                "2026-11-27 09:00",
                "2026-11-29",
            ),
        ] {
            assert_eq!(
                parse_occurrence(text, PARIS),
                Ok(period(start, end)),
                "{text}"
            );
        }
        for (text, why) in [
            ("2026-11-31", "is not a date or time"),
            ("tomorrow", "is not a date or time"),
            ("2026-11-27 08:00", "has no end"),
            ("2026-11-27 18:00-25:00", "is not a date or time"),
            ("2026-11-27 to 2026-11-26", "ends before it begins"),
        ] {
            let error = parse_occurrence(text, PARIS).expect_err(text);
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn what_comes_again_does_so_on_the_same_day_by_the_wall_clock() {
        let christmas = period("2024-12-24 12:00", "2024-12-27");
        let all = occurrences(christmas, Some(Every::Year), PARIS).expect("occurrences");
        assert_eq!(all[2], period("2026-12-24 12:00", "2026-12-27"));
        assert_eq!(all.len(), 77);
        let month_end = period("2026-01-31", "2026-02-01");
        let all = occurrences(month_end, Some(Every::Month), PARIS).expect("occurrences");
        assert_eq!(all[1], period("2026-02-28", "2026-03-01"));
        assert_eq!(all[2], period("2026-03-31", "2026-04-01"));
        let too_long = period("2026-01-01", "2026-03-01");
        assert!(occurrences(too_long, Some(Every::Month), PARIS).is_err());
    }
}
