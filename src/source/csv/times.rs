//! What a column of times means. One cell may be read in more than one way (`03/11/2026`), so the whole column
//! decides; where even that leaves two ways, it is refused. All cells must be written in one way.

use std::ops::RangeInclusive;

use crate::source::file_rows::shown;
use anyhow::{Context, Result, bail, ensure};
use chrono::{
    DateTime, Datelike, FixedOffset, Month, NaiveDate, NaiveDateTime, NaiveTime, Timelike, Weekday,
};

/// What a cell says of its time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum CellTime {
    /// The wall clock shows it.
    Local(NaiveDateTime),
    Instant(DateTime<FixedOffset>),
}

/// In which order a date in three numbers is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DateOrder {
    YearMonthDay,
    DayMonthYear,
    MonthDayYear,
}

const ORDERS: [DateOrder; 3] = [
    DateOrder::YearMonthDay,
    DateOrder::DayMonthYear,
    DateOrder::MonthDayYear,
];

/// A cell, taken apart.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Written {
    Calendar {
        date: Date,
        clock: Option<Clock>,
    },
    Epoch {
        unit: EpochUnit,
        time: DateTime<FixedOffset>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Date {
    /// `20261122`, or with the month as a word.
    Clear(NaiveDate),
    Numbers {
        numbers: [u32; 3],
        separator: char,
        /// Digits of the first and the last number.
        lengths: [usize; 2],
    },
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Clock {
    time: NaiveTime,
    hours: HourCount,
    offset: Option<FixedOffset>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HourCount {
    /// With AM or PM.
    Twelve,
    TwentyFour,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum EpochUnit {
    Seconds,
    Milliseconds,
    Microseconds,
    Nanoseconds,
}

/// What must be the same in all cells of a column.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Style {
    /// A date in numbers has its separator, and whether it begins with four digits.
    Calendar {
        numbers: Option<(char, bool)>,
    },
    Epoch(EpochUnit),
}

/// How the cells seen so far are written.
#[derive(Debug, Clone, Default)]
pub struct TimeColumn {
    /// The first cell, and the first one with a time of day.
    first: Option<(Style, String)>,
    first_clock: Option<(Clock, String)>,
    /// The orders that all cells allow, each with the first and last year it makes.
    orders: Option<Vec<(DateOrder, [i32; 2])>>,
    /// A cell that is another day day-first than month-first.
    two_ways: Option<String>,
    hours: Hours,
}

/// The hours of clocks without AM and PM.
#[derive(Debug, Clone, Copy, Default)]
struct Hours {
    last: Option<(Date, NaiveTime)>,
    /// A bit for each hour.
    seen: u32,
    /// Whether the clock went on, and back, within a day.
    goes_on: bool,
    goes_back: bool,
}

/// How to read each cell of a column.
#[derive(Debug, Clone, Copy)]
pub struct TimeFormat(DateOrder);

/// How a cell is a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeKind {
    Calendar,
    /// It may be another number as well: a time since 1970, or a date such as 20261122.
    Number,
}

/// `None` of a cell that is no time.
pub fn kind(text: &str) -> Option<TimeKind> {
    let is_possible = |date: Date| ORDERS.iter().any(|order| date.in_order(*order).is_some());
    match Written::parse(text)? {
        Written::Calendar { date, .. } if !is_digits(text) => {
            is_possible(date).then_some(TimeKind::Calendar)
        }
        Written::Calendar { .. } | Written::Epoch { .. } => Some(TimeKind::Number),
    }
}

/// Whether a cell is a time of day without a date.
pub fn is_time_of_day(text: &str) -> bool {
    text.contains(':') && Clock::parse(text).is_some()
}

/// Whether a cell is a date without a time of day.
pub fn is_bare_date(text: &str) -> bool {
    matches!(
        Written::parse(text),
        Some(Written::Calendar { clock: None, .. })
    )
}

impl TimeColumn {
    /// Takes in a cell; one that fits no way in which all cells before it can be read is an error.
    pub fn learn(&mut self, text: &str) -> Result<()> {
        let written = Written::parse(text).with_context(|| not_a_time(text))?;
        let style = written.style();
        let (first_style, first) = self.first.get_or_insert_with(|| (style, text.to_string()));
        if *first_style != style {
            bail!(
                "{} is not written as {} is; write all times in one way",
                shown(text),
                shown(first)
            );
        }
        let Written::Calendar { date, clock } = written else {
            return Ok(());
        };
        if let Some(clock) = clock {
            let first = self.first_clock.get_or_insert((clock, text.to_string()));
            let (first_clock, first) = (first.0, shown(&first.1));
            let text = shown(text);
            ensure!(
                first_clock.hours == clock.hours,
                "one of {first} and {text} has AM or PM, and one has not; write all times in one way"
            );
            ensure!(
                first_clock.offset.is_some() == clock.offset.is_some(),
                "one of {first} and {text} has an offset from UTC, and one has not; write all times in one way"
            );
            self.hours.learn(date, clock);
        }
        match date {
            Date::Clear(_) => Ok(()),
            Date::Numbers { .. } => self.learn_order(date, text),
        }
    }

    fn learn_order(&mut self, date: Date, text: &str) -> Result<()> {
        let dates = ORDERS.map(|order| date.in_order(order));
        if dates == [None; 3] {
            bail!(not_a_time(text));
        }
        if let [_, Some(day_first), Some(month_first)] = dates
            && day_first != month_first
        {
            self.two_ways.get_or_insert_with(|| text.to_string());
        }
        let before = self.orders.take();
        let before = before.unwrap_or(ORDERS.map(|order| (order, [i32::MAX, i32::MIN])).to_vec());
        let extend = |(order, [first, last]): &(DateOrder, [i32; 2])| {
            let year = date.in_order(*order)?.year();
            Some((*order, [year.min(*first), year.max(*last)]))
        };
        let orders: Vec<_> = before.iter().filter_map(extend).collect();
        if orders.is_empty() {
            let names: Vec<_> = before.iter().map(|(order, _)| order.name()).collect();
            bail!(
                "{} is not {}, as the dates before it are; write all dates as 2026-11-22",
                shown(text),
                names.join(" or ")
            );
        }
        self.orders = Some(orders);
        Ok(())
    }

    /// The one way in which all cells can be read.
    pub fn format(&self) -> Result<TimeFormat> {
        ensure!(
            !self.hours.lack_meridiem(),
            "the hours 1 to 12 come twice a day; write them with AM and PM, or from 0 to 23"
        );
        let mut orders = self.orders.clone().unwrap_or_default();
        // Years change least: where 26-10-21, 26-10-22, ... begin with the day, they span decades.
        let years = |[first, last]: [i32; 2]| last - first;
        let fewest = orders.iter().map(|(_, span)| years(*span)).min();
        orders.retain(|(_, span)| fewest.is_some_and(|fewest| years(*span) <= fewest + 3));
        let orders: Vec<_> = orders.into_iter().map(|(order, _)| order).collect();
        let separator = self.first.as_ref().and_then(|(style, _)| style.separator());
        match orders[..] {
            [] => Ok(TimeFormat(DateOrder::YearMonthDay)),
            [order] => Ok(TimeFormat(order)),
            // No language writes month, day and year with dots.
            [DateOrder::DayMonthYear, DateOrder::MonthDayYear] if separator == Some('.') => {
                Ok(TimeFormat(DateOrder::DayMonthYear))
            }
            [order, ..] => match (&self.two_ways, orders.contains(&DateOrder::YearMonthDay)) {
                (None, false) => Ok(TimeFormat(order)),
                (Some(text), false) => bail!(
                    "day and month: {} may be either, and so may every other date; write dates as 2026-11-22",
                    shown(text)
                ),
                _ => bail!(
                    "day, month and year: dates such as {} do not tell which is which; write dates as 2026-11-22",
                    shown(self.first.as_ref().map_or("", |(_, text)| text))
                ),
            },
        }
    }
}

impl Hours {
    fn learn(&mut self, date: Date, clock: Clock) {
        if clock.hours == HourCount::Twelve {
            return;
        }
        self.seen |= 1 << clock.time.hour();
        if let Some((_, last)) = self.last.filter(|(last_date, _)| *last_date == date) {
            self.goes_on |= last < clock.time;
            self.goes_back |= last > clock.time;
        }
        self.last = Some((date, clock.time));
    }

    /// A clock that shows no hour but 1 to 12, and goes from 12 to 1 within a day.
    fn lack_meridiem(self) -> bool {
        let hours = 1..=12;
        let has_others = (0..24).any(|hour| !hours.contains(&hour) && self.seen & (1 << hour) != 0);
        self.seen & (1 << 12) != 0 && !has_others && self.goes_on && self.goes_back
    }
}

impl TimeFormat {
    pub fn read(self, text: &str) -> Result<CellTime> {
        let read = || match Written::parse(text)? {
            Written::Epoch { time, .. } => Some(CellTime::Instant(time)),
            Written::Calendar { date, clock } => {
                let date = date.in_order(self.0)?;
                let Some(clock) = clock else {
                    return Some(CellTime::Local(date.into()));
                };
                let local = date.and_time(clock.time);
                let instant = |offset| local.and_local_timezone(offset).single();
                Some(match clock.offset {
                    Some(offset) => CellTime::Instant(instant(offset)?),
                    None => CellTime::Local(local),
                })
            }
        };
        read().with_context(|| not_a_time(text))
    }
}

fn not_a_time(text: &str) -> String {
    if text.is_empty() {
        return "there is no time; if this row is a total, take it out".into();
    }
    // Of the years 1982 to 2064.
    let is_day_number = text
        .parse()
        .is_ok_and(|days| (30_000.0..60_000.0).contains(&days));
    let hint = if is_day_number {
        "a spreadsheet's number of a day; format the column as date and time"
    } else {
        "allowed: such as 2026-11-22 14:05, 2026-11-22T14:05:00+01:00, 22/11/2026 14:05, or seconds since 1970"
    };
    format!("{} is not a time; {hint}", shown(text))
}

impl Written {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.starts_with(|letter: char| letter.is_ascii_digit())
            && let Some(compact) = Self::parse_compact(text)
        {
            return Some(compact);
        }
        let (date, clock) = split_clock(text);
        let date = Date::parse(date)?;
        let clock = match clock {
            Some(clock) => Some(Clock::parse(clock)?),
            None => None,
        };
        Some(Self::Calendar { date, clock })
    }

    /// Digits alone: a date, or a time since 1970 of the years 2001 to 2286.
    fn parse_compact(text: &str) -> Option<Self> {
        let (digits, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let is_number = [digits, fraction].map(is_digits) == [true, true];
        let unit = match digits.len() {
            10 if is_number => EpochUnit::Seconds,
            13 if is_number => EpochUnit::Milliseconds,
            16 if is_number => EpochUnit::Microseconds,
            19 if is_number => EpochUnit::Nanoseconds,
            _ => return Self::parse_compact_date(text),
        };
        let count: i64 = digits.parse().ok()?;
        let time = match unit {
            EpochUnit::Seconds => DateTime::from_timestamp_secs(count)?,
            EpochUnit::Milliseconds => DateTime::from_timestamp_millis(count)?,
            EpochUnit::Microseconds => DateTime::from_timestamp_micros(count)?,
            EpochUnit::Nanoseconds => DateTime::from_timestamp_nanos(count),
        };
        let time = time.fixed_offset();
        (time.year() > 2000).then_some(Self::Epoch { unit, time })
    }

    /// ISO 8601's basic format: `20261122`, `20261122T1405`, `20261122T140500Z`, and without the T.
    fn parse_compact_date(text: &str) -> Option<Self> {
        let date = text.get(..8).filter(|date| is_digits(date))?;
        let date = NaiveDate::parse_from_str(date, "%Y%m%d").ok()?;
        let date = Date::Clear(date).filter_year(1900..=2100)?;
        let clock = match text.get(8..)? {
            "" => None,
            rest => {
                let rest = rest.strip_prefix('T').unwrap_or(rest);
                let (hour, minutes) = rest.split_at_checked(2)?;
                let (minute, rest) = minutes.split_at_checked(2)?;
                let is_number = [hour, minute].map(is_digits) == [true, true];
                let mark = if rest.starts_with(|letter: char| letter.is_ascii_digit()) {
                    ":"
                } else {
                    ""
                };
                let clock = format!("{hour}:{minute}{mark}{rest}");
                Some(Clock::parse(&clock).filter(|_| is_number)?)
            }
        };
        Some(Self::Calendar { date, clock })
    }

    fn style(self) -> Style {
        match self {
            Self::Epoch { unit, .. } => Style::Epoch(unit),
            Self::Calendar { date, .. } => Style::Calendar {
                numbers: match date {
                    Date::Clear(_) => None,
                    Date::Numbers {
                        separator, lengths, ..
                    } => Some((separator, lengths[0] == 4)),
                },
            },
        }
    }
}

impl Date {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim_end_matches('.');
        if text.contains(|letter: char| letter.is_alphabetic()) {
            return Self::parse_named(text);
        }
        let separator = text.chars().find(|letter| !letter.is_ascii_digit())?;
        let parts: Vec<&str> = text.split(separator).map(str::trim).collect();
        let parts: [&str; 3] = parts.try_into().ok()?;
        let [first, middle, last] = parts.map(str::len);
        let is_date = matches!((first, last), (4, 1 | 2) | (1 | 2, 2 | 4)) && middle <= 2;
        let is_date = is_date && "-/. ".contains(separator) && parts.map(is_digits) == [true; 3];
        let number = |part: &str| part.parse().unwrap_or_default();
        is_date.then_some(Self::Numbers {
            numbers: parts.map(number),
            separator,
            lengths: [first, last],
        })
    }

    /// With the month as an English word: `22-Nov-2026`, `Nov 22, 2026`, `Sun 22 November 26`.
    fn parse_named(text: &str) -> Option<Self> {
        let words = text.split(|letter: char| !letter.is_alphanumeric());
        let words = words.filter(|word| !word.is_empty());
        let words: Vec<&str> = words
            .filter(|word| word.parse::<Weekday>().is_err())
            .collect();
        let words: [&str; 3] = words.try_into().ok()?;
        let month = |word: &str| word.parse::<Month>().ok();
        let [year, month, day] = match words.map(month) {
            [None, Some(month), None] if words[0].len() == 4 => [words[0], month.name(), words[2]],
            [None, Some(month), None] => [words[2], month.name(), words[0]],
            [Some(month), None, None] => [words[2], month.name(), words[1]],
            _ => return None,
        };
        let month = month.parse::<Month>().ok()?.number_from_month();
        let is_date = matches!(year.len(), 2 | 4) && [year, day].map(is_digits) == [true; 2];
        let year = whole_year(year.parse().ok()?, year.len());
        let date = NaiveDate::from_ymd_opt(year, month, day.parse().ok()?)?;
        Self::Clear(date).filter_year(1..=9999).filter(|_| is_date)
    }

    fn filter_year(self, years: RangeInclusive<i32>) -> Option<Self> {
        let date = self.in_order(DateOrder::YearMonthDay)?;
        years.contains(&date.year()).then_some(self)
    }

    fn in_order(self, order: DateOrder) -> Option<NaiveDate> {
        let (numbers, [first, last]) = match self {
            Self::Clear(date) => return Some(date),
            Self::Numbers {
                numbers, lengths, ..
            } => (numbers, lengths),
        };
        let ([year, month, day], year_length, day_length) = match (order, numbers) {
            (DateOrder::YearMonthDay, [year, month, day]) => ([year, month, day], first, last),
            (DateOrder::DayMonthYear, [day, month, year])
            | (DateOrder::MonthDayYear, [month, day, year]) => ([year, month, day], last, first),
        };
        let is_date = matches!(year_length, 2 | 4) && day_length <= 2;
        let date = NaiveDate::from_ymd_opt(whole_year(year, year_length), month, day)?;
        Some(date).filter(|date| is_date && date.year() > 0)
    }
}

/// Of two digits, those that are no more than 68 are of this century, as POSIX has it.
fn whole_year(year: u32, length: usize) -> i32 {
    let century = match (length, year) {
        (2, ..=68) => 2000,
        (2, _) => 1900,
        _ => 0,
    };
    i32::try_from(year)
        .unwrap_or(i32::MAX)
        .saturating_add(century)
}

/// The date, and the time of day if there is one: from the hour on, which a colon follows, or as in
/// `22-NOV-26 02.05 PM` a point.
fn split_clock(text: &str) -> (&str, Option<&str>) {
    let is_digit = |letter: char| letter.is_ascii_digit();
    let Some(colon) = text.find(':') else {
        let blanks = text
            .match_indices(' ')
            .map(|(blank, _)| text.split_at(blank));
        let has_clock = |(_, rest): &(&str, &str)| {
            let parts = rest.trim_start().split_once('.');
            parts.is_some_and(|(hour, rest)| {
                let minute = rest.get(..2).is_some_and(is_digits);
                hour.len() <= 2 && is_digits(hour) && minute && !rest[2..].starts_with(is_digit)
            })
        };
        let (date, clock) = blanks.rev().find(has_clock).unzip();
        return (date.unwrap_or(text), clock);
    };
    let date = text[..colon].trim_end_matches(is_digit);
    let clock = &text[date.len()..];
    let without_t = date.strip_suffix(['T', 't']);
    let without_t = without_t.filter(|date| date.ends_with(is_digit));
    let date = without_t.unwrap_or(date.trim_end().trim_end_matches(',').trim_end());
    (date, Some(clock))
}

impl Clock {
    /// `14:05`, with seconds, fractions of them, AM or PM, and an offset from UTC.
    fn parse(text: &str) -> Option<Self> {
        let mut text = text.to_uppercase().replace(',', ".");
        if !text.contains(':') {
            text = text.replacen('.', ":", 2);
        }
        let (text, offset) = split_offset(text.trim())?;
        let digits = text.trim_end_matches(|letter: char| !letter.is_ascii_digit());
        let rest = text[digits.len()..].chars();
        let meridiem: String = rest.filter(|letter| letter.is_alphabetic()).collect();
        let (text, hours) = match meridiem.as_str() {
            "" => (digits.to_string(), HourCount::TwentyFour),
            "AM" | "PM" => (format!("{digits} {meridiem}"), HourCount::Twelve),
            _ => return None,
        };
        let has_seconds = text.matches(':').count() > 1;
        let format = match (hours, has_seconds) {
            (HourCount::TwentyFour, false) => "%H:%M",
            (HourCount::TwentyFour, true) => "%H:%M:%S%.f",
            (HourCount::Twelve, false) => "%I:%M %p",
            (HourCount::Twelve, true) => "%I:%M:%S%.f %p",
        };
        let time = NaiveTime::parse_from_str(&text, format).ok()?;
        Some(Self {
            time,
            hours,
            offset,
        })
    }
}

/// A time of day in capitals without its offset from UTC, and that offset if there is one.
fn split_offset(text: &str) -> Option<(&str, Option<FixedOffset>)> {
    let mut zones = ["UTC", "GMT", "Z"].iter();
    let without_zone = zones.find_map(|zone| text.strip_suffix(zone));
    let utc = without_zone.and_then(|_| FixedOffset::east_opt(0));
    let text = without_zone.unwrap_or(text).trim_end();
    let Some(sign) = text.find(['+', '-']) else {
        return Some((text, utc));
    };
    let (text, offset) = text.split_at(sign);
    let minutes = if offset.len() == 3 { ":00" } else { "" };
    let offset = format!("{offset}{minutes}").parse().ok()?;
    Some((text.trim_end(), Some(offset)))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

impl Style {
    fn separator(self) -> Option<char> {
        match self {
            Self::Calendar { numbers } => numbers.map(|(separator, _)| separator),
            Self::Epoch(_) => None,
        }
    }
}

impl DateOrder {
    fn name(self) -> &'static str {
        match self {
            Self::YearMonthDay => "year-first",
            Self::DayMonthYear => "day-first",
            Self::MonthDayYear => "month-first",
        }
    }
}

#[cfg(test)]
mod tests;
