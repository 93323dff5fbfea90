//! How figures and times are written for people: "1,843.20", "14:05 CET".

use std::ops::Range;
use std::time::Duration;

use chrono::{DateTime, Datelike, TimeDelta, Timelike, Weekday};
use chrono_tz::Tz;

/// As printers set it, and as it is read aloud.
pub const MINUS: &str = "\u{2212}";

/// The digits that figures of one series are written with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notation {
    /// Of what is counted.
    Whole,
    /// This many decimals, thousands separated.
    Plain(usize),
    /// The same in billions or trillions: "4.10 G".
    Prefixed(Prefix, usize),
    /// Powers of ten with this many decimals, for what is too small or too large to write out.
    Scientific(usize),
}

/// Of the International System of Units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prefix {
    Giga,
    Tera,
}

/// Sizes that are written out; a value beyond them among others that are not is no different.
const PLAIN: Range<f64> = 1e-4..1e9;
const PREFIXED: Range<f64> = 1e9..1e15;
/// A number has no more digits than these.
const MOST_DIGITS: i32 = 15;
const FINEST: f64 = 1e-6;
/// More of them written out are noise to whoever reads them.
const MOST_PLAIN_DIGITS: i32 = 7;
/// Of the Gregorian calendar.
const MEAN_MONTH: TimeDelta = TimeDelta::seconds(2_629_746);

impl Prefix {
    /// Of a number of this magnitude from [`PREFIXED`].
    pub fn of(magnitude: i32) -> Self {
        if magnitude < 12 {
            Self::Giga
        } else {
            Self::Tera
        }
    }

    pub fn power(self) -> i32 {
        match self {
            Self::Giga => 9,
            Self::Tera => 12,
        }
    }

    pub fn symbol(self) -> char {
        match self {
            Self::Giga => 'G',
            Self::Tera => 'T',
        }
    }
}

impl Notation {
    /// For figures of up to `size`, so much of which matters: down to a tenth of that at most.
    pub fn for_scale(detail: f64, size: f64) -> Self {
        // What is finer than anybody reads is no detail.
        let is_readable = detail >= size * FINEST;
        let detail = if is_readable { detail } else { size / 10.0 };
        let size = magnitude(if size > 0.0 { size } else { detail });
        let detail = magnitude(detail);
        let decimals = |unit: i32| {
            let most = MOST_PLAIN_DIGITS - (size - unit).max(0) - 1;
            usize::try_from((unit - detail + 1).min(most)).unwrap_or(0)
        };
        let power = 10_f64.powi(size);
        if PLAIN.contains(&power) {
            Self::Plain(decimals(0))
        } else if PREFIXED.contains(&power) {
            let prefix = Prefix::of(size);
            Self::Prefixed(prefix, decimals(prefix.power()))
        } else {
            let decimals = (size - detail + 1).clamp(2, MOST_DIGITS);
            Self::Scientific(usize::try_from(decimals).unwrap_or(2))
        }
    }

    /// For a value nothing is expected of: three digits or more.
    pub fn for_value(value: f64) -> Self {
        Self::for_scale(value.abs() / 10.0, value.abs())
    }

    /// The same of what is counted.
    #[must_use]
    pub fn of_counts(self) -> Self {
        match self {
            Self::Plain(_) => Self::Whole,
            other => other,
        }
    }

    /// With the digits that tell these two apart, if they are apart.
    #[must_use]
    pub fn telling_apart(self, one: f64, other: f64) -> Self {
        let finer = |notation: &Self| {
            let is_told =
                one.total_cmp(&other).is_eq() || notation.write(one) != notation.write(other);
            match notation {
                _ if is_told => None,
                Self::Plain(decimals) => Some(Self::Plain(decimals + 1)),
                Self::Prefixed(prefix, decimals) => Some(Self::Prefixed(*prefix, decimals + 1)),
                Self::Scientific(decimals) => Some(Self::Scientific(decimals + 1)),
                Self::Whole => None,
            }
        };
        let finer = std::iter::successors(Some(self), finer);
        finer
            .take(MOST_DIGITS.unsigned_abs() as usize)
            .last()
            .unwrap_or(self)
    }

    /// What is expected, which is not nothing where it is only too little for its digits: "fewer than 0.1".
    pub fn write_expected(self, value: f64) -> String {
        let written = self.write(value);
        let is_told = value <= 0.0 || written.contains(|digit| ('1'..='9').contains(&digit));
        match self {
            _ if is_told => written,
            Self::Whole => "fewer than 0.1".to_string(),
            Self::Plain(decimals) => {
                let least = 10_f64.powi(-i32::try_from(decimals).unwrap_or(0));
                format!("less than {least:.decimals$}")
            }
            Self::Prefixed(..) | Self::Scientific(_) => written,
        }
    }

    pub fn write(self, value: f64) -> String {
        let is_whole = value.fract() == 0.0;
        let written = match self {
            Self::Whole | Self::Plain(_) if value.abs() >= 1e15 => format!("{value:.4e}"),
            // Beside whole numbers "0.4" tells something, and of a hundred nobody misses it.
            Self::Whole if value.abs() < 9.95 => {
                let figure = format!("{value:.1}");
                separate_thousands(figure.strip_suffix(".0").unwrap_or(&figure))
            }
            Self::Whole => separate_thousands(&format!("{value:.0}")),
            Self::Plain(_) if is_whole => separate_thousands(&format!("{value:.0}")),
            Self::Plain(decimals) => separate_thousands(&format!("{value:.decimals$}")),
            Self::Prefixed(..) | Self::Scientific(_) if value == 0.0 => "0".to_string(),
            Self::Prefixed(prefix, decimals) => {
                let value = value / 10_f64.powi(prefix.power());
                let figure = separate_thousands(&format!("{value:.decimals$}"));
                format!("{figure} {}", prefix.symbol())
            }
            Self::Scientific(decimals) => format!("{value:.decimals$e}"),
        };
        with_minus(&written)
    }
}

/// A figure with a minus in place of a hyphen before it.
pub fn with_minus(figure: &str) -> String {
    match figure.strip_prefix('-') {
        Some(size) => format!("{MINUS}{size}"),
        None => figure.to_string(),
    }
}

/// The power of ten of a number's first digit; of none, that of one.
#[expect(clippy::cast_possible_truncation, reason = "from -324 to 308")]
pub fn magnitude(number: f64) -> i32 {
    let power = (number > 0.0).then(|| number.log10().floor() as i32);
    power.unwrap_or(0)
}

/// A number as somebody wrote it, with an exponent where its zeros would fill a line: "7.5", "1e308".
pub fn write_number(number: f64) -> String {
    if number == 0.0 || PLAIN.contains(&number.abs()) || !number.is_finite() {
        format!("{number}")
    } else {
        format!("{number:e}")
    }
}

/// How many times something is something else: "3.8", and beyond all sense "more than 9,999".
pub fn write_times(times: f64) -> String {
    if times < 9999.5 {
        format!("{times:.1}")
    } else {
        "more than 9,999".to_string()
    }
}

/// "19 % lower", of a change by this share.
pub fn write_change(share: f64) -> String {
    let side = if share < 0.0 { "lower" } else { "higher" };
    let percent = (100.0 * share).abs();
    let decimals = usize::from(percent < 0.95);
    let percent = separate_thousands(&format!("{percent:.decimals$}"));
    format!("{percent} % {side}")
}

/// A text on one line, for logs.
pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A fact, and a way out if there is one to be named.
pub fn with_advice(fact: &str, advice: &str) -> String {
    match advice {
        "" => fact.to_string(),
        _ => format!("{fact}; {advice}"),
    }
}

/// A text on the line it stands on, which nothing in it can leave, colour or turn around: what moves a
/// terminal's cursor, and what turns the direction of writing (Unicode, UAX 9), is written as JSON would.
pub fn escape(text: &str) -> String {
    let escaped = text.chars().map(|letter| match letter {
        letter if is_visible(letter) => letter.to_string(),
        letter => format!("\\u{:04x}", u32::from(letter)),
    });
    escaped.collect()
}

/// Whether a letter only shows itself.
fn is_visible(letter: char) -> bool {
    let turns = matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let breaks = matches!(letter, '\u{2028}' | '\u{2029}');
    !(letter.is_control() || turns || breaks)
}

/// The same of a text that is to stand in a line with others, with its own line breaks as blanks.
pub fn without_breaks(text: &str) -> String {
    visible_line(text.trim())
}

fn visible_line(text: &str) -> String {
    let breaks = |letter: char| {
        letter.is_whitespace() && (letter.is_control() || "\u{2028}\u{2029}".contains(letter))
    };
    escape(&text.replace(breaks, " "))
}

/// Opens and closes a text whose direction is its own (Unicode, UAX 9, 2.4).
const ISOLATE: char = '\u{2068}';
const END_OF_ISOLATE: char = '\u{2069}';

/// A text of others that is to stand in a line of ours, as [`without_breaks`] has it. One with letters that
/// are written from right to left is isolated: it would else turn around the figures beside it.
pub fn isolate(text: &str) -> String {
    let text = without_breaks(text);
    let is_turned = |letter: char| matches!(letter, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefe}' | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}');
    if text.contains(is_turned) {
        format!("{ISOLATE}{text}{END_OF_ISOLATE}")
    } else {
        text
    }
}

/// A line of ours as [`without_breaks`] has it, with what [`isolate`] made of others' texts in it.
pub fn without_breaks_but_isolates(text: &str) -> String {
    let mut kept = String::new();
    let mut rest = text.trim();
    while let Some((before, after)) = rest.split_once(ISOLATE) {
        let isolated = after.split_once(END_OF_ISOLATE);
        let Some((isolated, after)) = isolated.filter(|(inner, _)| !inner.contains(ISOLATE)) else {
            break;
        };
        let [before, isolated] = [before, isolated].map(visible_line);
        kept += &format!("{before}{ISOLATE}{isolated}{END_OF_ISOLATE}");
        rest = after;
    }
    kept + &visible_line(rest)
}

/// The same for a terminal, which has its own ways.
pub fn without_isolates(text: &str) -> String {
    text.replace([ISOLATE, END_OF_ISOLATE], "")
}

/// The text, or its beginning with "…" if it has more than so many characters: up to a word's end,
/// unless that would cost more than half.
pub fn shorten(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_string();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    let word_end = kept.rfind(' ').filter(|end| *end >= kept.len() / 2);
    let kept = &kept[..word_end.unwrap_or(kept.len())];
    let kept =
        kept.trim_end_matches(|letter: char| letter.is_whitespace() || ",;:".contains(letter));
    let [begun, ended] = [ISOLATE, END_OF_ISOLATE].map(|mark| kept.matches(mark).count());
    let ends = END_OF_ISOLATE
        .to_string()
        .repeat(begun.saturating_sub(ended));
    format!("{kept}…{ends}")
}

/// "1234567.50" to "1,234,567.50".
pub fn separate_thousands(number: &str) -> String {
    let digits = number.trim_start_matches('-');
    if digits.chars().all(|digit| digit == '0' || digit == '.') {
        return digits.to_string();
    }
    let end = number.find('.').unwrap_or(number.len());
    let mut separated = number.to_string();
    let first = number.len() - digits.len() + 1;
    let ends_group = |place: &usize| (end - place).is_multiple_of(3);
    for place in (first..end).rev().filter(ends_group) {
        separated.insert(place, ',');
    }
    separated
}

/// The time of day, with the day where it is not the day of `now`: "14:05 CET".
pub fn write_time(time: DateTime<Tz>, now: DateTime<Tz>) -> String {
    let today = time.date_naive() == now.with_timezone(&time.timezone()).date_naive();
    let day = if today { "" } else { "%Y-%m-%d " };
    time.format(&format!("{day}%H:%M %Z")).to_string()
}

/// A bucket of days is told by its days, and not by the clock.
pub fn is_of_days(bucket: TimeDelta) -> bool {
    // One may have a few hours less, where the clocks change.
    bucket >= TimeDelta::hours(20)
}

/// The whole days of a bucket, one of which may have an hour less.
fn days_of(bucket: TimeDelta) -> i64 {
    (bucket + TimeDelta::hours(3)).num_days()
}

/// Whether a bucket that starts at a time is a month of the calendar, or one of several that have this length.
fn is_month(start: DateTime<Tz>, bucket: TimeDelta) -> bool {
    let starts_month = start.day() == 1 && start.hour() < 3;
    // Four weeks begin on Mondays, and are a month in February alone.
    let are_weeks = days_of(bucket) == 28 && start.weekday() == Weekday::Mon && start.month() != 2;
    starts_month && (28..=31).contains(&days_of(bucket)) && !are_weeks
}

/// When a bucket is: "at 14:05 CET"; of days "on Sat 21 Nov", "in the week from Mon 16 Nov", "in November
/// 2026".
pub fn write_when(start: DateTime<Tz>, bucket: TimeDelta, now: DateTime<Tz>) -> String {
    let begin = write_begin(start, bucket, now);
    match days_of(bucket) {
        _ if !is_of_days(bucket) => format!("at {begin}"),
        _ if is_month(start, bucket) => format!("in {begin}"),
        ..=1 => format!("on {begin}"),
        7 => format!("in the week from {begin}"),
        days => format!("in the {days} d from {begin}"),
    }
}

/// When a bucket begins: "14:05 CET"; of days "Sat 21 Nov", and of a month "November 2026".
pub fn write_begin(start: DateTime<Tz>, bucket: TimeDelta, now: DateTime<Tz>) -> String {
    if !is_of_days(bucket) {
        return write_time(start, now);
    }
    if is_month(start, bucket) {
        return start.format("%B %Y").to_string();
    }
    let is_this_year = start.year() == now.with_timezone(&start.timezone()).year();
    let year = if is_this_year { "" } else { " %Y" };
    start.format(&format!("%a %-d %b{year}")).to_string()
}

/// When a bucket begins, in full: "Sunday 22 November 2026, 14:05 CET"; of days without the clock.
pub fn write_begin_in_full(start: DateTime<Tz>, bucket: TimeDelta) -> String {
    if !is_of_days(bucket) {
        write_day_and_time(start)
    } else if is_month(start, bucket) {
        start.format("%B %Y").to_string()
    } else {
        start.format("%A %-d %B %Y").to_string()
    }
}

/// From the first to the last of some buckets: "from 13:55 to 14:30 CET"; of days "on Sat 21 Nov", "from Fri 20
/// Nov to Sun 22 Nov"; of months "from September 2026 to November 2026". `until` is the end of the last.
pub fn write_extent(
    since: DateTime<Tz>,
    until: DateTime<Tz>,
    bucket: TimeDelta,
    now: DateTime<Tz>,
) -> String {
    if !is_of_days(bucket) {
        return format!("from {}", write_span(since, until, now));
    }
    let last = until - bucket;
    if last <= since {
        return write_when(since, bucket, now);
    }
    let [first, last] = [since, last].map(|start| write_begin(start, bucket, now));
    format!("from {first} to {last}")
}

/// Of a time in the last week the weekday: "Tuesday 10:00 CET"; else as [`write_time`] has it.
pub fn write_weekday(time: DateTime<Tz>, now: DateTime<Tz>) -> String {
    let days = (now.date_naive() - time.date_naive()).num_days();
    if (1..7).contains(&days) {
        time.format("%A %H:%M %Z").to_string()
    } else {
        write_time(time, now)
    }
}

/// From one time to another: "13:55 to 14:30 CET", each in full where they differ in day or zone.
pub fn write_span(from: DateTime<Tz>, to: DateTime<Tz>, now: DateTime<Tz>) -> String {
    let (start, end) = (write_time(from, now), write_time(to, now));
    let zone = to.format(" %Z").to_string();
    match start.strip_suffix(&zone) {
        Some(clock) if clock.len() == 5 => format!("{clock} to {end}"),
        _ => format!("{start} to {end}"),
    }
}

/// Day and time in full: "Sunday 22 November 2026, 14:05 CET".
pub fn write_day_and_time(time: DateTime<Tz>) -> String {
    time.format("%A %-d %B %Y, %H:%M %Z").to_string()
}

/// A length of time in its two largest units: "1 d 4 h".
pub fn write_length(length: TimeDelta) -> String {
    let seconds = length.num_seconds().max(0);
    let parts = [
        (seconds / 86_400, "d"),
        (seconds / 3600 % 24, "h"),
        (seconds / 60 % 60, "min"),
        (seconds % 60, "s"),
    ];
    let told: Vec<String> = parts
        .iter()
        .skip_while(|(count, _)| *count == 0)
        .take(2)
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| format!("{count} {unit}"))
        .collect();
    if told.is_empty() {
        "0 s".to_string()
    } else {
        told.join(" ")
    }
}

/// How long some buckets last that begin at a time: the same without the seconds beside minutes; of days without
/// hours, "3 d"; of weeks "3 weeks", of months "3 months".
pub fn write_lasting(since: DateTime<Tz>, length: TimeDelta, bucket: TimeDelta) -> String {
    let rounded = |unit: TimeDelta| (length + unit / 2).num_seconds() / unit.num_seconds();
    let counted = |count: i64, unit: &str| match count {
        1 => format!("1 {unit}"),
        _ => format!("{count} {unit}s"),
    };
    let days = rounded(TimeDelta::days(1));
    if !is_of_days(bucket) {
        let minutes = TimeDelta::minutes(length.num_minutes());
        write_length(if minutes.is_zero() { length } else { minutes })
    } else if is_month(since, bucket) && days >= 28 {
        counted(rounded(MEAN_MONTH), "month")
    } else if days_of(bucket) % 7 == 0 && days >= 7 && days % 7 == 0 {
        counted(days / 7, "week")
    } else if days == 0 {
        write_length(length)
    } else {
        write_length(TimeDelta::days(days))
    }
}

/// A length of time as the configuration has it: "1d", "1h 30m", "0s".
pub fn write_setting(length: Duration) -> String {
    let seconds = length.as_secs();
    let parts = [
        (seconds / 86_400, "d"),
        (seconds / 3600 % 24, "h"),
        (seconds / 60 % 60, "m"),
        (seconds % 60, "s"),
        (length.subsec_millis().into(), "ms"),
    ];
    let told = parts.iter().filter(|(count, _)| *count > 0);
    let told: Vec<String> = told.map(|(count, unit)| format!("{count}{unit}")).collect();
    if told.is_empty() {
        "0s".to_string()
    } else {
        told.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::parse_time;

    #[test]
    fn a_setting_is_written_as_it_is_read() {
        for text in [
            "1d",
            "28d",
            "1h 30m",
            "1m 30s",
            "1s 500ms",
            "0s",
            "2d 1h 1m 1s",
        ] {
            let length = humantime::parse_duration(text).expect("a length");
            assert_eq!(write_setting(length), text);
        }
    }

    fn time(text: &str) -> DateTime<Tz> {
        parse_time(text, chrono_tz::Europe::Paris).expect("a time")
    }

    #[test]
    fn thousands_are_separated() {
        for (number, expected) in [
            ("1843.20", "1,843.20"),
            ("-1234567", "-1,234,567"),
            ("999", "999"),
            ("0.00", "0.00"),
            ("-0.00", "0.00"),
            ("1000000.5", "1,000,000.5"),
        ] {
            assert_eq!(separate_thousands(number), expected);
        }
    }

    #[test]
    fn figures_have_the_digits_their_band_asks_for() {
        let written = |lower: f64, expected: f64, upper: f64, value: f64| {
            let size = lower.abs().max(expected.abs()).max(upper.abs());
            Notation::for_scale(upper / 2.0 - lower / 2.0, size).write(value)
        };
        assert_eq!(written(912.1, 1102.4, 1297.8, 1843.2), "1,843");
        assert_eq!(written(9.1, 11.4, 12.8, 18.43), "18.4");
        assert_eq!(written(9.1, 11.4, 12.8, 18.0), "18");
        assert_eq!(written(912.1, 1102.4, 1297.8, -12.5), "\u{2212}12");
        assert_eq!(written(0.0935, 0.0956, 0.0977, 0.10381), "0.1038");
        assert_eq!(written(1e-9, 2e-9, 3e-9, 5.5e-9), "5.50e-9");
        assert_eq!(written(3.8e9, 4e9, 4.2e9, 4.1e9), "4.10 G");
        assert_eq!(written(3e12, 4e12, 5e12, 7.25e12), "7.2 T");
        assert_eq!(written(5.0, 5.0, 5.0, 5.0), "5");
        assert_eq!(written(5.0 - 4e-8, 5.0, 5.0 + 4e-8, 5.0 - 4e-8), "5.00");
        assert_eq!(Notation::for_value(3e20).write(3e20), "3.00e20");
        assert_eq!(Notation::for_value(12.5).write(12.5), "12.5");
        assert_eq!(written(0.99999, 1.0, 1.00001, 1.00002), "1.000020");
        assert_eq!(
            written(1e15 - 4e9, 1e15, 1e15 + 4e9, 1e15 + 5e9),
            "1.0000050e15"
        );
        assert_eq!(written(912.1, 1102.4, 1297.8, 1e30), "1.0000e30");
        assert_eq!(written(0.0, 0.0, 0.0, 0.0), "0");
    }

    #[test]
    fn beside_counts_a_figure_has_the_digits_that_tell_something() {
        for (value, told) in [
            (3.0, "3"),
            (2.6, "2.6"),
            (0.4, "0.4"),
            (0.96, "1"),
            (-0.04, "0"),
            (-1.6, "\u{2212}1.6"),
            (40.3, "40"),
        ] {
            assert_eq!(Notation::Plain(2).of_counts().write(value), told);
        }
        for (notation, value, told) in [
            (Notation::Whole, 0.4, "0.4"),
            (Notation::Whole, 0.004, "fewer than 0.1"),
            (Notation::Whole, 0.0, "0"),
            (Notation::Plain(2), 0.004, "less than 0.01"),
            (Notation::Plain(0), 0.3, "less than 1"),
            (Notation::Plain(2), 0.04, "0.04"),
            (Notation::Scientific(2), 1e-9, "1.00e-9"),
        ] {
            assert_eq!(notation.write_expected(value), told);
        }
    }

    #[test]
    fn figures_that_differ_look_different() {
        let notation = Notation::Plain(0).telling_apart(940.4, 940.28);
        assert_eq!(
            [940.4, 940.28].map(|figure| notation.write(figure)),
            ["940.4", "940.3"]
        );
        assert_eq!(
            Notation::Plain(0).telling_apart(7.0, 7.0),
            Notation::Plain(0)
        );
        assert_eq!(Notation::Whole.telling_apart(7.0, 7.2), Notation::Whole);
    }

    #[test]
    fn a_change_has_a_side_and_the_digits_that_say_something() {
        for (share, told) in [
            (-0.19, "19 % lower"),
            (1.134, "113 % higher"),
            (12.0, "1,200 % higher"),
            (-0.0042, "0.4 % lower"),
        ] {
            assert_eq!(write_change(share), told);
        }
    }

    #[test]
    fn a_bucket_of_days_is_told_without_a_clock() {
        let now = time("2026-11-22 14:11");
        for (start, hours, told) in [
            ("2026-11-22 14:05", 1, "at 14:05 CET"),
            ("2026-11-21 00:00", 24, "on Sat 21 Nov"),
            ("2026-10-25 00:00", 25, "on Sun 25 Oct"),
            ("2025-11-21 00:00", 24, "on Fri 21 Nov 2025"),
            ("2026-11-16 00:00", 168, "in the week from Mon 16 Nov"),
            ("2026-11-02 00:00", 336, "in the 14 d from Mon 2 Nov"),
            ("2026-10-01 00:00", 745, "in October 2026"),
            ("2026-03-01 00:00", 743, "in March 2026"),
            ("2027-02-01 00:00", 672, "in February 2027"),
            ("2026-06-01 00:00", 672, "in the 28 d from Mon 1 Jun"),
        ] {
            assert_eq!(write_when(time(start), TimeDelta::hours(hours), now), told);
        }
        for (since, days, bucket, told) in [
            ("2026-11-01", 3, 1, "3 d"),
            ("2026-11-02", 14, 7, "2 weeks"),
            ("2026-10-01", 31, 31, "1 month"),
            ("2027-02-01", 28, 28, "1 month"),
            ("2026-12-01", 90, 28, "3 months"),
            ("2026-06-01", 56, 28, "8 weeks"),
        ] {
            // Where the clocks changed.
            let length = TimeDelta::hours(24 * days - 1);
            let since = time(&format!("{since} 00:00"));
            let lasting = write_lasting(since, length, TimeDelta::days(bucket));
            assert_eq!(lasting, told, "{since}");
        }
        for (seconds, told) in [(967, "16 min"), (7, "7 s")] {
            let length = TimeDelta::seconds(seconds);
            assert_eq!(write_lasting(now, length, TimeDelta::minutes(5)), told);
        }
    }

    #[test]
    fn a_text_from_right_to_left_is_isolated_and_nothing_else_gets_through() {
        let title = isolate("\u{645}\u{628}\u{64a}\u{639}\u{627}\u{62a}\n");
        assert_eq!(
            title,
            "\u{2068}\u{645}\u{628}\u{64a}\u{639}\u{627}\u{62a}\u{2069}"
        );
        assert_eq!(isolate("Größe 籠"), "Größe 籠");
        let line = format!("{title} 12 \u{202e}EUR\r\n");
        assert_eq!(
            without_breaks_but_isolates(&line),
            format!("{title} 12 \\u202eEUR")
        );
        assert_eq!(without_breaks_but_isolates("a\u{2068}b"), "a\\u2068b");
        assert_eq!(without_breaks_but_isolates("a\u{2069}b"), "a\\u2069b");
        assert_eq!(without_isolates(&title).chars().count(), 6);
    }

    #[test]
    fn a_number_stays_short() {
        for (number, expected) in [
            (7.5, "7.5"),
            (-0.0001, "-0.0001"),
            (0.0, "0"),
            (1e308, "1e308"),
            (f64::MAX, "1.7976931348623157e308"),
            (-5e-324, "-5e-324"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(write_number(number), expected);
        }
    }

    #[test]
    fn how_many_times_stays_readable() {
        for (times, expected) in [(3.84, "3.8"), (9999.4, "9999.4"), (2e30, "more than 9,999")] {
            assert_eq!(write_times(times), expected);
        }
    }

    #[test]
    fn a_zone_is_always_told_and_the_day_only_where_it_is_not_today() {
        for (then, now, told) in [
            ("2026-11-22 14:05", "2026-11-22 14:11", "14:05 CET"),
            (
                "2026-07-21 14:05",
                "2026-11-22 14:11",
                "2026-07-21 14:05 CEST",
            ),
            // Both passes of the repeated hour.
            ("2026-10-25T00:30:00Z", "2026-10-25 12:00", "02:30 CEST"),
            ("2026-10-25T01:30:00Z", "2026-10-25 12:00", "02:30 CET"),
        ] {
            assert_eq!(write_time(time(then), time(now)), told);
        }
        let told = "Sunday 22 November 2026, 14:05 CET";
        assert_eq!(write_day_and_time(time("2026-11-22 14:05")), told);
    }

    #[test]
    fn a_span_names_a_zone_once_and_a_day_where_it_is_not_today() {
        for (from, to, told) in [
            ("2026-10-25 10:00", "2026-10-25 10:35", "10:00 to 10:35 CET"),
            (
                "2026-10-24 23:50",
                "2026-10-25 00:10",
                "2026-10-24 23:50 CEST to 00:10 CEST",
            ),
            (
                "2026-10-25T00:30:00Z",
                "2026-10-25T01:30:00Z",
                "02:30 CEST to 02:30 CET",
            ),
        ] {
            assert_eq!(
                write_span(time(from), time(to), time("2026-10-25 12:00")),
                told
            );
        }
    }

    #[test]
    fn a_long_text_is_cut_at_a_word_or_at_least_at_a_letter() {
        assert_eq!(shorten("as it is", 8), "as it is");
        assert_eq!(shorten("no answer, after a while", 12), "no answer…");
        assert_eq!(shorten(&"ß籠".repeat(20), 5), "ß籠ß籠…");
        assert_eq!(without_breaks("a\r\nb\u{2028}c\td\n"), "a  b c d");
        // What is isolated stays so.
        let cut = shorten(&isolate("إجمالي مبيعات المتجر"), 10);
        assert_eq!(cut, "\u{2068}إجمالي…\u{2069}");
    }

    #[test]
    fn nothing_in_a_text_moves_a_cursor_or_turns_the_writing_around() {
        for (text, shown) in [
            ("\u{1b}[31mred\u{7}", "\\u001b[31mred\\u0007"),
            ("a\u{9b}2J\u{7f}b\0", "a\\u009b2J\\u007fb\\u0000"),
            (
                "\u{202e}gpj.exe\u{2066}\u{200f}",
                "\\u202egpj.exe\\u2066\\u200f",
            ),
            ("Größe \u{7c60} 😀 e\u{301}", "Größe \u{7c60} 😀 e\u{301}"),
        ] {
            assert_eq!(escape(text), shown);
            assert_eq!(without_breaks(text), shown);
        }
    }

    #[test]
    fn a_length_is_told_in_its_two_largest_units() {
        for (seconds, expected) in [
            (0, "0 s"),
            (90, "1 min 30 s"),
            (3600, "1 h"),
            (100_800, "1 d 4 h"),
            (28 * 86_400, "28 d"),
        ] {
            assert_eq!(write_length(TimeDelta::seconds(seconds)), expected);
        }
    }
}
