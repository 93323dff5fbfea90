//! From what a row says of its time to the instant it means. A `DATETIME` is a local time: in autumn
//! an hour of local times happens twice, in spring one never happens. Guessing there shifts or
//! doubles values, so a local time that stays ambiguous is refused, and counted by the caller.

use anyhow::{Context, Result, anyhow, ensure};
use chrono::{DateTime, Datelike, LocalResult, NaiveDate, NaiveDateTime, TimeDelta, TimeZone};
use chrono_tz::Tz;

/// How local times, which carry no offset, become instants.
#[derive(Debug, Clone)]
pub enum LocalClock {
    /// Rows written until the given instant, in its zone: the repeated hour means its first pass
    /// until the second has begun, and is ambiguous from then on.
    Until(DateTime<Tz>),
    /// The repeated hour lies within one bucket, so that its pass makes no difference.
    EitherPass(Tz),
    /// Rows in the order they were written, with the instant of the previous one: a local time of the
    /// repeated hour belongs to its second pass once time would otherwise run backwards.
    InOrder(Tz, Option<DateTime<Tz>>),
}

impl LocalClock {
    /// The instant of a local time; `None` where no instant, or more than one, could be meant.
    pub fn instant(&mut self, local: NaiveDateTime) -> Option<DateTime<Tz>> {
        match self {
            Self::Until(now) => match now.timezone().from_local_datetime(&local) {
                LocalResult::Ambiguous(first, second) => (second > *now).then_some(first),
                unambiguous => unambiguous.single(),
            },
            Self::EitherPass(zone) => zone.from_local_datetime(&local).earliest(),
            Self::InOrder(zone, previous) => {
                let passes = zone.from_local_datetime(&local);
                let (first, last) = (passes.earliest()?, passes.latest()?);
                let is_past = previous.is_some_and(|previous| first <= previous);
                *previous = Some(if is_past { last } else { first });
                *previous
            }
        }
    }
}

/// The first instant of a local time that happens twice; `None` of any other.
pub fn first_pass(local: NaiveDateTime, zone: Tz) -> Option<DateTime<Tz>> {
    match zone.from_local_datetime(&local) {
        LocalResult::Ambiguous(first, _) => Some(first),
        _ => None,
    }
}

/// The local time up to which rows of an instant before `now` may be stamped. In the second pass of
/// the repeated hour that is later than `now` reads: rows of the first pass.
pub fn latest_local_time(now: DateTime<Tz>) -> NaiveDateTime {
    let local = now.naive_local();
    match now.timezone().from_local_datetime(&local) {
        LocalResult::Ambiguous(first, second) if now == second => local + (second - first),
        _ => local,
    }
}

/// An instant as people write it: RFC 3339, or a local time of `zone`, of a repeated hour the first.
pub fn parse_time(text: &str, zone: Tz) -> Result<DateTime<Tz>> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Ok(time.with_timezone(&zone));
    }
    let local = parse_local_time(text).with_context(|| {
        format!("{text:?} is not a time; allowed: \"2026-11-22 14:05\" (in {zone}) or RFC 3339, \"2026-11-22T14:05:00+01:00\"")
    })?;
    zone.from_local_datetime(&local)
        .earliest()
        .ok_or_else(|| anyhow!("{text:?} never happens in {zone}: the clocks go forward over it"))
}

/// `2026-11-22 14:05`, with `T`, seconds and fractions allowed, or a bare date.
fn parse_local_time(text: &str) -> Result<NaiveDateTime> {
    let text = text.trim();
    let formats = [
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%d %H:%M",
        "%Y-%m-%dT%H:%M",
    ];
    let local = formats
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
        .or_else(|| Some(NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.into()))
        .with_context(|| format!("{text:?} is not a date and time"))?;
    // chrono knows years far beyond four digits, whose sums overflow.
    ensure!(
        (1..=9999).contains(&local.year()),
        "{text:?} is not in the years 1 to 9999"
    );
    Ok(local)
}

/// The first instant at or after a local time, which spring may skip.
pub fn first_instant(local: NaiveDateTime, zone: Tz) -> DateTime<Tz> {
    let mut candidates = (0..=12).map(|quarters| local + TimeDelta::minutes(15) * quarters);
    candidates
        .find_map(|local| zone.from_local_datetime(&local).earliest())
        .unwrap_or_else(|| zone.from_utc_datetime(&local))
}

/// The offset of a zone from UTC at an instant, in seconds east.
pub fn offset_seconds(time: DateTime<Tz>) -> i64 {
    use chrono::Offset;
    i64::from(time.offset().fix().local_minus_utc())
}

/// The offsets in force in `[from, to)`: each with the instant it starts at, the first with `from`.
pub fn offset_changes(from: DateTime<Tz>, to: DateTime<Tz>) -> Vec<DateTime<Tz>> {
    let mut changes = vec![from];
    let mut time = from;
    while time < to {
        let next = (time + TimeDelta::days(1)).min(to);
        if offset_seconds(next) != offset_seconds(time) {
            let (mut before, mut after) = (time, next);
            while after - before > TimeDelta::seconds(1) {
                let middle = before + TimeDelta::seconds((after - before).num_seconds() / 2);
                if offset_seconds(middle) == offset_seconds(before) {
                    before = middle;
                } else {
                    after = middle;
                }
            }
            changes.push(after);
        }
        time = next;
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::sample::{PARIS, time};

    fn local(text: &str) -> NaiveDateTime {
        parse_local_time(text).expect("a local time")
    }

    #[test]
    fn times_are_read_as_people_write_them() {
        for text in [
            "2026-11-22 14:05",
            "2026-11-22T14:05:00",
            "2026-11-22 14:05:00.000",
            "2026-11-22T13:05:00Z",
            "2026-11-22T15:05:00+02:00",
        ] {
            assert_eq!(time(text), time("2026-11-22T13:05:00Z"), "{text}");
        }
        assert_eq!(time("2026-11-22"), time("2026-11-21T23:00:00Z"));
    }

    #[test]
    fn what_is_not_a_time_says_what_would_be() {
        let refusal = |text| parse_time(text, PARIS).expect_err("no time").to_string();
        let told = "\"yesterday\" is not a time; allowed: \"2026-11-22 14:05\" (in Europe/Paris)";
        assert!(refusal("yesterday").contains(told));
        assert!(refusal("2026-03-29 02:30").contains("never happens in Europe/Paris"));
    }

    #[test]
    fn years_no_calendar_has_are_refused() {
        for text in ["+262142-01-01 00:00", "-0044-03-15", "+12026-11-22"] {
            assert!(parse_local_time(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_local_time_of_the_repeated_hour_means_its_first_pass_until_the_second_has_come() {
        let at_half_past_two = |mut clock: LocalClock| clock.instant(local("2026-10-25 02:30"));
        let first_pass = Some(time("2026-10-25T00:30:00Z"));
        let until = |now| at_half_past_two(LocalClock::Until(time(now)));
        assert_eq!(until("2026-10-25T01:10:00Z"), first_pass);
        assert_eq!(until("2026-10-25T01:40:00Z"), None);
        // Where the pass makes no difference, it is always the first.
        assert_eq!(at_half_past_two(LocalClock::EitherPass(PARIS)), first_pass);
    }

    #[test]
    fn a_local_time_of_the_skipped_hour_is_no_instant() {
        let in_order = LocalClock::InOrder(PARIS, None);
        let until = LocalClock::Until(time("2026-03-30T00:00:00Z"));
        for mut clock in [until, LocalClock::EitherPass(PARIS), in_order] {
            assert_eq!(clock.instant(local("2026-03-29 02:30")), None, "{clock:?}");
        }
    }

    #[test]
    fn in_the_second_pass_rows_may_be_stamped_later_than_the_wall_shows() {
        for (now, latest) in [
            ("2026-10-25T01:10:00Z", "2026-10-25 03:10"),
            ("2026-10-25T00:10:00Z", "2026-10-25 02:10"),
            ("2026-07-01T00:10:00Z", "2026-07-01 02:10"),
        ] {
            assert_eq!(latest_local_time(time(now)), local(latest), "{now}");
        }
    }

    #[test]
    fn offset_changes_are_found_to_the_second() {
        let changes = |from, to| offset_changes(time(from), time(to));
        let expected = ["2026-10-01", "2026-10-25T01:00:00Z", "2027-03-28T01:00:00Z"];
        assert_eq!(changes("2026-10-01", "2027-04-01"), expected.map(time));
        assert_eq!(changes("2026-07-01", "2026-08-01").len(), 1);
    }
}
