//! iCalendar (RFC 5545): each VEVENT of a file, with its repetitions.

use chrono::{DateTime, NaiveDateTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use icalendar::{
    Calendar, CalendarDateTime, CalendarEvent, Component, DatePerhapsTime, EventStatus,
};

use super::Period;
use super::recurrence::{LAST_YEAR, instant};

/// An entry of a calendar.
#[derive(Debug, Clone, PartialEq)]
pub struct CalendarEntry {
    /// Its SUMMARY.
    pub name: Option<String>,
    /// By their start.
    pub periods: Vec<Period>,
}

/// What repeats more often than daily for a lifetime is taken for a mistake.
const MOST_REPETITIONS: u16 = 30_000;

/// Reads a calendar; dates and times without a zone are those of `zone`. An error names the line.
pub fn read_calendar(text: &str, zone: Tz) -> Result<Vec<CalendarEntry>, String> {
    let text = text.trim_start_matches('\u{feff}');
    let calendar: Calendar = text.parse().map_err(|error: String| refusal(&error))?;
    let lines = (1..).zip(text.lines());
    let begins = |line: &str| line.trim().eq_ignore_ascii_case("BEGIN:VEVENT");
    let lines = lines.filter_map(|(number, line)| begins(line).then_some(number));
    let moved = moved(&calendar, zone);
    let mut entries = Vec::new();
    let mut is_empty = true;
    for (event, line) in calendar.calendar_events().zip(lines) {
        is_empty = false;
        if event.get_status() == Some(EventStatus::Cancelled) {
            continue;
        }
        let name = event.get_summary().map(unescape);
        let of_whom = name
            .as_ref()
            .map_or(String::new(), |name| format!(" ({name})"));
        let mut periods = periods(event, zone)
            .map_err(|error| format!("line {line}: VEVENT{of_whom}: {error}"))?;
        if event.get_recurrence_id().is_none() {
            let is_moved = |period: &Period| {
                let mut moved = moved.iter();
                moved.any(|(uid, start)| event.get_uid() == Some(uid) && period.start == *start)
            };
            periods.retain(|period| !is_moved(period));
        }
        entries.push(CalendarEntry { name, periods });
    }
    if is_empty {
        return Err("holds no VEVENT; allowed: a calendar in iCalendar (RFC 5545)".to_string());
    }
    Ok(entries)
}

/// The occurrences that another entry takes the place of, or cancels (RFC 5545, section 3.8.4.4): by the UID of
/// what repeats, and their start.
fn moved(calendar: &Calendar, zone: Tz) -> Vec<(String, DateTime<Utc>)> {
    let events = calendar.calendar_events();
    let moved = events.filter_map(|event| {
        let start = Reading::new(event.get_recurrence_id()?, zone).ok()?;
        Some((event.get_uid()?.to_string(), start.instant()))
    });
    moved.collect()
}

/// The parser tells at length what it tried.
fn refusal(error: &str) -> String {
    let line = error.split("line ").nth(1).unwrap_or_default();
    let line: String = line.chars().take_while(char::is_ascii_digit).collect();
    let place = if line.is_empty() {
        String::new()
    } else {
        format!("line {line}: ")
    };
    format!("{place}not a calendar; allowed: one in iCalendar (RFC 5545)")
}

/// A text as people read it (RFC 5545, section 3.3.11).
fn unescape(text: &str) -> String {
    let text = text.replace("\\,", ",").replace("\\;", ";");
    text.replace("\\n", " ").replace("\\N", " ")
}

/// A start or end on the wall clock, and whose that is.
#[derive(Debug, Clone, Copy)]
struct Reading {
    local: NaiveDateTime,
    zone: Tz,
    is_date: bool,
}

impl Reading {
    fn new(time: DatePerhapsTime, zone: Tz) -> Result<Self, String> {
        let (local, zone, is_date) = match time {
            DatePerhapsTime::Date(date) => (date.into(), zone, true),
            DatePerhapsTime::DateTime(CalendarDateTime::Floating(local)) => (local, zone, false),
            DatePerhapsTime::DateTime(CalendarDateTime::Utc(time)) => {
                (time.naive_utc(), Tz::UTC, false)
            }
            DatePerhapsTime::DateTime(CalendarDateTime::WithTimezone { date_time, tzid }) => {
                let zone = tzid.parse().map_err(|_| {
                    format!("TZID={tzid}: not a time zone; allowed: a name of the IANA list, such as \"Europe/Paris\"")
                })?;
                (date_time, zone, false)
            }
        };
        Ok(Self {
            local,
            zone,
            is_date,
        })
    }

    fn instant(self) -> DateTime<Utc> {
        instant(self.local, self.zone)
    }
}

fn periods(event: CalendarEvent, zone: Tz) -> Result<Vec<Period>, String> {
    let start = event
        .get_start()
        .ok_or("no DTSTART that is a date or time")?;
    let start = Reading::new(start, zone)?;
    let end = match (event.get_end(), event.property_value("DTEND")) {
        (Some(end), _) => Reading::new(end, zone)?,
        (None, Some(end)) => return Err(format!("DTEND {end:?} is not a date or time")),
        (None, None) if start.is_date => Reading {
            local: start.local + TimeDelta::days(1),
            ..start
        },
        (None, None) => return Err("no DTEND; only a DTSTART that is a date does without".into()),
    };
    if end.instant() <= start.instant() {
        return Err("its end is not after its start".to_string());
    }
    let repeats = ["RRULE", "RDATE", "EXDATE"];
    let properties = (event.properties(), event.multi_properties());
    let is_repeated = repeats
        .iter()
        .any(|key| properties.0.contains_key(*key) || properties.1.contains_key(*key));
    if !is_repeated {
        return Ok(vec![Period {
            start: start.instant(),
            end: end.instant(),
        }]);
    }
    let rule = event.get_recurrence().map_err(|error| error.to_string())?;
    let own_zone = rule.get_dt_start().timezone();
    let after_all = icalendar::Tz::UTC.with_ymd_and_hms(LAST_YEAR, 12, 31, 0, 0, 0);
    let rule = after_all
        .earliest()
        .map_or(rule.clone(), |end| rule.before(end));
    let starts = rule.all(MOST_REPETITIONS);
    if starts.limited && starts.dates.len() >= usize::from(MOST_REPETITIONS) {
        return Err(format!(
            "it repeats more than {MOST_REPETITIONS} times up to {LAST_YEAR}; end it with UNTIL or COUNT"
        ));
    }
    // By the wall clock: a day of 23 hours is a day.
    let length = end.local - start.local;
    let is_of_other_zone = end.zone != start.zone;
    let starts = starts.dates.into_iter().map(|time| {
        if time.timezone() == own_zone {
            time.naive_local()
        } else {
            time.with_timezone(&start.zone).naive_local()
        }
    });
    let periods = starts.map(|local| {
        let begin = instant(local, start.zone);
        Period {
            start: begin,
            end: if is_of_other_zone {
                begin + (end.instant() - start.instant())
            } else {
                instant(local + length, start.zone)
            },
        }
    });
    Ok(periods.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::sample::{PARIS, time};

    fn calendar(event: &str) -> String {
        format!(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\nBEGIN:VEVENT\r\nUID:1\r\n{event}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        )
    }

    fn read(event: &str) -> Result<CalendarEntry, String> {
        read_calendar(&calendar(event), PARIS).map(|mut entries| entries.remove(0))
    }

    fn period(start: &str, end: &str) -> Period {
        Period {
            start: time(start).to_utc(),
            end: time(end).to_utc(),
        }
    }

    #[test]
    fn an_entry_has_its_dates_or_times_in_its_own_zone() {
        for (event, start, end) in [
            (
                "DTSTART;VALUE=DATE:20261225\r\nDTEND;VALUE=DATE:20261227",
                "2026-12-25",
                "2026-12-27",
            ),
            ("DTSTART;VALUE=DATE:20261225", "2026-12-25", "2026-12-26"),
            (
                "DTSTART:20261127T080000Z\r\nDTEND:20261127T100000Z",
                "2026-11-27 09:00",
                "2026-11-27 11:00",
            ),
            (
                "DTSTART:20261127T080000\r\nDTEND:20261127T100000",
                "2026-11-27 08:00",
                "2026-11-27 10:00",
            ),
            (
                "DTSTART;TZID=America/New_York:20261127T060000\r\nDTEND;TZID=America/New_York:20261127T070000",
                "2026-11-27 12:00",
                "2026-11-27 13:00",
            ),
        ] {
            let entry = read(&format!("SUMMARY:Sale\\, big\r\n{event}")).expect(event);
            assert_eq!(entry.name.as_deref(), Some("Sale, big"));
            assert_eq!(entry.periods, [period(start, end)], "{event}");
        }
    }

    #[test]
    fn what_repeats_does_so_by_the_wall_clock() {
        let yearly = read("DTSTART;VALUE=DATE:20241225\r\nRRULE:FREQ=YEARLY").expect("an entry");
        assert_eq!(yearly.periods[2], period("2026-12-25", "2026-12-26"));
        assert_eq!(yearly.periods.len(), 77);
        let fourth_friday = "RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4FR;COUNT=3";
        let times =
            "DTSTART;TZID=Europe/Paris:20241122T080000\r\nDTEND;TZID=Europe/Paris:20241123T000000";
        let fridays = read(&format!("{times}\r\n{fourth_friday}")).expect("an entry");
        assert_eq!(fridays.periods.len(), 3);
        assert_eq!(
            fridays.periods[2],
            period("2026-11-27 08:00", "2026-11-28 00:00")
        );
        let until = "DTSTART;VALUE=DATE:20260101\r\nRRULE:FREQ=MONTHLY;UNTIL=20260401\r\nEXDATE;VALUE=DATE:20260301";
        let starts = read(until).expect("an entry").periods;
        let starts: Vec<_> = starts.into_iter().map(|period| period.start).collect();
        let expected = ["2026-01-01", "2026-02-01", "2026-04-01"].map(|day| time(day).to_utc());
        assert_eq!(starts, expected);
    }

    #[test]
    fn an_occurrence_that_was_moved_or_cancelled_is_not_where_it_was() {
        let daily = "DTSTART;TZID=Europe/Paris:20261101T100000\r\nDTEND;TZID=Europe/Paris:20261101T110000\r\nRRULE:FREQ=DAILY;COUNT=3\r\nRDATE:20261110T090000Z";
        let moved = "END:VEVENT\r\nBEGIN:VEVENT\r\nUID:1\r\nRECURRENCE-ID;TZID=Europe/Paris:20261102T100000\r\nDTSTART:20261102T140000Z\r\nDTEND:20261102T150000Z";
        let cancelled = "END:VEVENT\r\nBEGIN:VEVENT\r\nUID:1\r\nSTATUS:CANCELLED\r\nRECURRENCE-ID:20261103T090000Z\r\nDTSTART:20261103T090000Z\r\nDTEND:20261103T100000Z";
        let text = calendar(&[daily, moved, cancelled].join("\r\n"));
        let entries = read_calendar(&text, PARIS).expect("entries");
        let periods: Vec<Period> = entries
            .into_iter()
            .flat_map(|entry| entry.periods)
            .collect();
        let expected = [
            period("2026-11-01 10:00", "2026-11-01 11:00"),
            period("2026-11-10 10:00", "2026-11-10 11:00"),
            period("2026-11-02 15:00", "2026-11-02 16:00"),
        ];
        assert_eq!(periods, expected);
    }

    #[test]
    fn what_is_cancelled_is_none() {
        let kept = "END:VEVENT\r\nBEGIN:VEVENT\r\nUID:2\r\nDTSTART;VALUE=DATE:20260101";
        let both = format!("DTSTART;VALUE=DATE:20261225\r\nSTATUS:CANCELLED\r\n{kept}");
        assert_eq!(
            read(&both).expect("an entry").periods,
            [period("2026-01-01", "2026-01-02")]
        );
    }

    #[test]
    fn what_cannot_be_read_is_told_by_its_line_and_name() {
        for (event, why) in [
            ("SUMMARY:Sale", "line 4: VEVENT (Sale): no DTSTART"),
            ("DTSTART:yesterday", "line 4: VEVENT: no DTSTART"),
            ("DTSTART:20261127T080000Z", "no DTEND"),
            (
                "DTSTART:20261127T080000Z\r\nDTEND:later",
                "DTEND \"later\" is not",
            ),
            (
                "DTSTART;VALUE=DATE:20261127\r\nDTEND;VALUE=DATE:20261127",
                "not after its start",
            ),
            (
                "DTSTART;TZID=Romance Standard Time:20261127T060000\r\nDTEND:20261127T070000Z",
                "TZID=Romance Standard Time: not a time zone",
            ),
            (
                "DTSTART;VALUE=DATE:20261127\r\nRRULE:FREQ=OFTEN",
                "recurrence rule",
            ),
        ] {
            let error = read(event).expect_err(event);
            assert!(error.contains(why) && !error.contains('\n'), "{error}");
        }
        for text in [
            "",
            "BEGIN:VCALENDAR\nEND:VCALENDAR\n",
            "date,name\n2026-12-25,Christmas\n",
            "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART",
        ] {
            let error = read_calendar(text, PARIS).expect_err(text);
            let told = error.ends_with("in iCalendar (RFC 5545)");
            assert!(told && !error.contains('\n'), "{text}: {error}");
        }
    }
}
