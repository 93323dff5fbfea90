//! What may explain that no row counts, or that rows stand at the wrong time: the words for what was
//! looked at.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, TimeDelta};
use chrono_tz::Tz;

use super::cell::whole_number;
use super::sql::TimeColumn;
use crate::config::TimeMeaning;
use crate::output::{one_line, write_length};
use crate::series::local_time::offset_seconds;
use crate::series::{RowCounts, Step};
use ::mysql::Value;

/// Rows may lie so far ahead of the server's clock by another zone alone.
pub const FARTHEST_AHEAD: TimeDelta = TimeDelta::hours(15);

/// What came of rows none of which made a bucket.
pub fn write_counts(counts: RowCounts) -> Option<String> {
    let kinds = [
        (counts.empty, "without a value"),
        (counts.not_finite, "whose value is no number"),
        (counts.unclear_time, "without a time that can be told"),
    ];
    let told = kinds.iter().filter(|(count, _)| *count > 0);
    let told: Vec<String> = told
        .map(|(count, kind)| format!("{count} {kind}"))
        .collect();
    (counts.rows > 0).then(|| match told.as_slice() {
        [] => format!("{} rows came", counts.rows),
        _ => format!("{} rows came: {}", counts.rows, told.join(", ")),
    })
}

pub fn write_warnings(warnings: &[String]) -> Option<String> {
    let warnings = warnings.iter().map(|warning| one_line(warning));
    let warnings = warnings.collect::<Vec<_>>().join("; ");
    (!warnings.is_empty()).then(|| format!("the server warned: {warnings}"))
}

/// How `:from` and `:to` were given.
pub fn write_bounds(bounds: &(Value, Value), column: TimeColumn) -> String {
    let [from, to] = [&bounds.0, &bounds.1].map(|bound| bound.as_sql(true));
    let what = match column {
        TimeColumn::Epoch { per_second: 1 } => "seconds since 1970, as its time column is a number",
        TimeColumn::Epoch { .. } => "numbers since 1970, as time says",
        TimeColumn::Instant => "by the clock of UTC, as its time column",
        TimeColumn::Local => "by the clock of timezone, as its time column",
    };
    format!("for :from = {from} and :to = {to} ({what})")
}

/// What a number that is no time of our days may mean instead.
pub fn other_meaning(value: &Value, column: TimeColumn, name: &str) -> Option<String> {
    let TimeColumn::Epoch { per_second } = column else {
        return None;
    };
    let number = whole_number(value)?;
    let is_of_our_days = |number: i64, per_second: i64| {
        let time = DateTime::from_timestamp(number.div_euclid(per_second), 0);
        time.is_some_and(|time| (1990..2100).contains(&time.year()))
    };
    if is_of_our_days(number, per_second) {
        return None;
    }
    let names = ["seconds", "milliseconds", "microseconds", "nanoseconds"];
    let unit = |is_it: &dyn Fn(i64) -> bool| {
        let mut units = TimeMeaning::EPOCHS.into_iter().zip(names);
        units.find(|(meaning, _)| meaning.per_second().is_some_and(is_it))
    };
    let (_, configured) = unit(&|other| other == per_second)?;
    let guess = if let Some(format) = date_format(number) {
        format!(
            "a date? a query can make a time of it: STR_TO_DATE({name}, '{format}'), with time = \"local\""
        )
    } else if let Some((meaning, unit)) = unit(&|other| is_of_our_days(number, other)) {
        format!("{unit}? then set time = {:?}", meaning.word())
    } else {
        "the column of another thing?".to_string()
    };
    Some(format!(
        "{name} holds {number}, which is no time of our days in {configured} since 1970: {guess}"
    ))
}

/// How MySQL writes the date whose digits a number has.
fn date_format(number: i64) -> Option<&'static str> {
    let digits = number.to_string();
    let (format, mysql) = match digits.len() {
        8 => ("%Y%m%d", "%Y%m%d"),
        12 => ("%Y%m%d%H%M", "%Y%m%d%H%i"),
        14 => ("%Y%m%d%H%M%S", "%Y%m%d%H%i%s"),
        _ => return None,
    };
    let time = NaiveDateTime::parse_from_str(&digits, format).map(|time| time.date());
    let date = time.or_else(|_| NaiveDate::parse_from_str(&digits, format));
    let is_of_our_days = date.is_ok_and(|date| (1990..2100).contains(&date.year()));
    is_of_our_days.then_some(mysql)
}

/// Of rows ahead of the server's own clock, which nobody can have written yet.
pub fn ahead(newest: DateTime<Tz>, server_now: DateTime<Tz>, step: Step) -> Option<String> {
    let lead = newest - server_now;
    let zone = newest.timezone();
    let offset = TimeDelta::seconds(offset_seconds(server_now).abs());
    let is_offset = offset > TimeDelta::zero() && (offset * 3 / 4..=offset).contains(&lead);
    let is_far = lead > step.mean_length().max(TimeDelta::minutes(5));
    let ahead = format!(
        "its newest row is {} ahead of the server's clock",
        write_length(whole_minutes(lead))
    );
    if is_offset {
        Some(format!(
            "{ahead}, as far as {zone} is from UTC: does the time column have another clock? see time and timezone"
        ))
    } else {
        is_far.then(|| format!("{ahead}: are time and timezone right?"))
    }
}

/// Of data that ended as long ago as the zone is from UTC.
pub fn behind(end: DateTime<Tz>, now: DateTime<Tz>, step: Step) -> Option<String> {
    let offset = TimeDelta::seconds(offset_seconds(now).abs());
    let lag = now - end;
    let is_offset = lag > step.times(3) && (offset..=offset * 5 / 4).contains(&lag);
    is_offset.then(|| {
        format!(
            "that is about as long ago as {} is from UTC: does the time column have another clock? see time and timezone",
            now.timezone()
        )
    })
}

fn whole_minutes(length: TimeDelta) -> TimeDelta {
    TimeDelta::minutes(length.num_minutes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::sample::time;

    const SECONDS: TimeColumn = TimeColumn::Epoch { per_second: 1 };

    #[test]
    fn a_number_that_is_no_time_of_our_days_is_told_with_its_likely_meaning() {
        for (number, told) in [
            (
                1_795_720_200_137,
                "milliseconds? then set time = \"epoch_ms\"",
            ),
            (1_795_720_200_137_000, "time = \"epoch_us\""),
            (1_795_720_200_137_000_000, "time = \"epoch_ns\""),
            (20_261_126_201_000, "STR_TO_DATE(at, '%Y%m%d%H%i%s')"),
            (20_261_126, "STR_TO_DATE(at, '%Y%m%d')"),
            (42, "the column of another thing?"),
        ] {
            let hint = other_meaning(&Value::Int(number), SECONDS, "at").expect("a hint");
            assert!(hint.contains(told), "{number}: {hint}");
            assert!(hint.contains(&format!("at holds {number}")), "{hint}");
        }
        let seconds = Value::Int(1_795_720_200);
        assert_eq!(other_meaning(&seconds, SECONDS, "at"), None);
        let as_milliseconds = TimeColumn::Epoch { per_second: 1000 };
        let hint = other_meaning(&seconds, as_milliseconds, "at").expect("a hint");
        assert!(
            hint.contains("seconds? then set time = \"epoch\""),
            "{hint}"
        );
    }

    #[test]
    fn rows_ahead_of_the_servers_clock_by_the_zones_offset_are_of_another_clock() {
        let (now, step) = (time("2026-11-26 20:15"), "5m".parse().expect("a step"));
        let hint = |newest| ahead(time(newest), now, step);
        let told = hint("2026-11-26 21:10").expect("a hint");
        assert!(
            told.contains("55 min ahead of the server's clock, as far as Europe/Paris is from UTC"),
            "{told}"
        );
        let told = hint("2026-11-26 23:15").expect("a hint");
        assert!(
            told.contains("3 h ahead of the server's clock: are time and timezone right?"),
            "{told}"
        );
        assert_eq!(hint("2026-11-26 20:18"), None);
    }

    #[test]
    fn data_that_ended_an_hour_ago_may_be_of_the_clock_of_utc() {
        let (now, step) = (time("2026-11-26 20:15"), "5m".parse().expect("a step"));
        assert!(behind(time("2026-11-26 19:10"), now, step).is_some());
        for end in ["2026-11-26 20:10", "2026-11-26 17:10"] {
            assert_eq!(behind(time(end), now, step), None, "{end}");
        }
    }
}
