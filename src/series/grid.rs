//! The regular grid a series lives on: instants to slot numbers and back. Steps up to an hour are
//! equal stretches of real time, so the repeated hour of autumn has slots of its own; longer steps
//! follow the wall clock, so that a daily bucket is a calendar day, and a monthly one a calendar month.

use std::ops::Range;

use chrono::{DateTime, LocalResult, NaiveDateTime, TimeDelta, TimeZone};
use chrono_tz::Tz;

use super::local_time::{first_instant, offset_seconds};
use super::step::{Fixed, Step, month_number, month_start};

/// Numbers the buckets of one [`Step`] in one zone. A slot's number grows by one a bucket.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    step: Step,
    zone: Tz,
    /// Where buckets start: seconds from [`Grid::EPOCH`], less than a step; 0 on the wall clock.
    phase: i64,
}

impl Grid {
    /// Slot 0 of a fixed step starts at a Monday's midnight, so that a bucket of a week starts on Mondays.
    /// That of months is January of the year 0.
    pub const EPOCH: DateTime<chrono::Utc> = match DateTime::from_timestamp(-3 * 86_400, 0) {
        Some(time) => time,
        None => DateTime::UNIX_EPOCH,
    };

    /// A grid whose buckets start on round wall clock times of `now`'s zone.
    pub fn new(step: Step, now: DateTime<Tz>) -> Self {
        let phase = match step {
            Step::Fixed(fixed) if !fixed.follows_wall_clock() => {
                (-offset_seconds(now)).rem_euclid(fixed.seconds())
            }
            Step::Fixed(_) | Step::Month => 0,
        };
        Self {
            step,
            zone: now.timezone(),
            phase,
        }
    }

    pub fn step(&self) -> Step {
        self.step
    }

    /// Where short buckets start: seconds of real time after the epoch, less than a step.
    pub fn phase_seconds(&self) -> i64 {
        self.phase
    }

    /// The number of the bucket that holds an instant.
    pub fn slot(&self, time: DateTime<Tz>) -> i64 {
        match self.step {
            Step::Month => month_number(time.with_timezone(&self.zone)),
            Step::Fixed(fixed) => {
                let time = if fixed.follows_wall_clock() {
                    time.with_timezone(&self.zone).naive_local()
                } else {
                    time.naive_utc()
                };
                (seconds_since_epoch(time) - self.phase).div_euclid(fixed.seconds())
            }
        }
    }

    /// The start of a bucket.
    pub fn instant(&self, slot: i64) -> DateTime<Tz> {
        let start = match self.step {
            Step::Month => month_start(slot, self.zone),
            Step::Fixed(fixed) => self.fixed_start(slot, fixed),
        };
        let beyond = DateTime::<chrono::Utc>::MAX_UTC - TimeDelta::days(2);
        start.unwrap_or_else(|| beyond.with_timezone(&self.zone))
    }

    /// `None` outside any calendar.
    fn fixed_start(&self, slot: i64, step: Fixed) -> Option<DateTime<Tz>> {
        let seconds = slot.saturating_mul(step.seconds());
        let since_epoch = TimeDelta::try_seconds(seconds.saturating_add(self.phase))?;
        let start = Self::EPOCH.checked_add_signed(since_epoch)?;
        Some(if step.follows_wall_clock() {
            first_instant(start.naive_utc(), self.zone)
        } else {
            start.with_timezone(&self.zone)
        })
    }

    /// How long a bucket is: a month has 28 to 31 days, and a day 23 to 25 hours.
    pub fn length(&self, slot: i64) -> TimeDelta {
        self.instant(slot + 1) - self.instant(slot)
    }

    /// The number of the newest bucket whose end, and `delay` more, has passed at `now`.
    pub fn last_closed(&self, now: DateTime<Tz>, delay: TimeDelta) -> i64 {
        self.slot(now - delay) - 1
    }

    /// A bucket's place on the wall clock, in steps, which seasons are counted in. It leaves out the hour
    /// that spring skips, and is the same for both passes of the hour that autumn repeats.
    pub fn wall_slot(&self, slot: i64) -> i64 {
        match self.step {
            Step::Fixed(fixed) if !fixed.follows_wall_clock() => {
                let local = self.instant(slot).naive_local();
                seconds_since_epoch(local).div_euclid(fixed.seconds())
            }
            Step::Fixed(_) | Step::Month => slot,
        }
    }

    /// The places of buckets in a row. The calendar is not asked about each in a day of usual length.
    pub fn wall_slots(&self, slots: Range<i64>) -> Vec<i64> {
        let day = i64::try_from(self.step.per_day().unwrap_or(1)).unwrap_or(1);
        let mut places = Vec::new();
        let mut start = slots.start;
        while start < slots.end {
            let last = (start + day).min(slots.end) - 1;
            let (first_place, last_place) = (self.wall_slot(start), self.wall_slot(last));
            if last_place - first_place == last - start {
                places.extend(first_place..=last_place);
            } else {
                places.extend((start..=last).map(|slot| self.wall_slot(slot)));
            }
            start = last + 1;
        }
        places
    }

    /// Whether the wall clock shows a bucket's start twice, as in the hour that autumn repeats.
    pub fn is_repeated(&self, slot: i64) -> bool {
        let local = self.instant(slot).naive_local();
        let passes = self.zone.from_local_datetime(&local);
        matches!(passes, LocalResult::Ambiguous(..))
    }
}

/// Seconds from the grid's epoch, both read on the same clock.
fn seconds_since_epoch(time: NaiveDateTime) -> i64 {
    time.and_utc().timestamp() - Grid::EPOCH.timestamp()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::sample::{self, PARIS, time_in as time};

    const NEW_YORK: Tz = chrono_tz::America::New_York;
    const KATHMANDU: Tz = chrono_tz::Asia::Kathmandu;

    fn grid(step: &str, zone: Tz) -> Grid {
        sample::grid(step, time("2026-11-22 14:05", zone))
    }

    #[test]
    fn a_slot_starts_at_its_instant() {
        let lord_howe = chrono_tz::Australia::Lord_Howe;
        for step in ["1m", "5m", "1h", "6h", "1d", "1w", "1mo"] {
            for zone in [Tz::UTC, PARIS, NEW_YORK, KATHMANDU, lord_howe] {
                let grid = grid(step, zone);
                let slot = grid.slot(time("2026-11-22 14:07:31", zone));
                let start = grid.instant(slot);
                let before = start - TimeDelta::seconds(1);
                let slots = [grid.slot(before), grid.slot(start)];
                assert_eq!(slots, [slot - 1, slot], "{step} {zone}");
            }
        }
    }

    #[test]
    fn buckets_start_on_round_wall_clock_times() {
        for (step, zone, inside, start) in [
            ("1h", KATHMANDU, "2026-11-22 14:07", "2026-11-22 14:00"),
            ("1d", PARIS, "2026-07-01 00:30", "2026-07-01 00:00"),
            // The calendar days around a change of the clocks.
            ("1d", NEW_YORK, "2026-11-01 23:30", "2026-11-01 00:00"),
            ("1d", NEW_YORK, "2026-11-02 00:30", "2026-11-02 00:00"),
            ("1w", PARIS, "2026-11-22 14:07", "2026-11-16 00:00"),
            ("1mo", PARIS, "2026-11-01 00:00", "2026-11-01 00:00"),
            ("1mo", NEW_YORK, "2026-10-31 23:59:59", "2026-10-01 00:00"),
        ] {
            let grid = grid(step, zone);
            let slot = grid.slot(time(inside, zone));
            assert_eq!(grid.instant(slot), time(start, zone), "{step}");
        }
    }

    #[test]
    fn the_day_of_a_clock_change_has_23_or_25_hourly_slots() {
        for (zone, day, next_day, hours) in [
            (PARIS, "2026-03-28", "2026-03-29", 24),
            (PARIS, "2026-03-29", "2026-03-30", 23),
            (NEW_YORK, "2026-11-01", "2026-11-02", 25),
        ] {
            let midnight = |day| grid("1h", zone).slot(time(day, zone));
            assert_eq!(midnight(next_day) - midnight(day), hours, "{day}");
        }
    }

    #[test]
    fn a_month_is_as_long_as_its_days_and_the_clocks_make_it() {
        let grid = grid("1mo", PARIS);
        let hours = |month| grid.length(grid.slot(time(month, PARIS))).num_hours();
        let months = [
            "2026-02-01",
            "2028-02-01",
            "2026-03-01",
            "2026-10-01",
            "2026-11-01",
        ];
        assert_eq!(
            months.map(hours),
            [28 * 24, 29 * 24, 31 * 24 - 1, 31 * 24 + 1, 30 * 24]
        );
        let slot = |month| grid.slot(time(month, PARIS));
        assert_eq!(slot("2027-01-01") - slot("2026-12-31"), 1);
        assert_eq!(slot("2027-01-01") - slot("2025-01-01"), 24);
    }

    #[test]
    fn both_passes_of_the_repeated_hour_have_one_wall_slot() {
        let grid = grid("5m", PARIS);
        let first = grid.slot(time("2026-10-25T00:30:00Z", PARIS));
        assert_eq!(grid.wall_slot(first), grid.wall_slot(first + 12));
        assert!(grid.is_repeated(first) && grid.is_repeated(first + 12));
        assert!(!grid.is_repeated(first - 7) && !grid.is_repeated(first + 18));
        let before = grid.slot(time("2026-03-29 01:55", PARIS));
        assert_eq!(grid.wall_slot(before + 1) - grid.wall_slot(before), 13);
    }

    #[test]
    fn places_in_a_row_are_those_of_each() {
        for (step, zone) in [
            ("30m", PARIS),
            ("1h", chrono_tz::Australia::Lord_Howe),
            ("5m", chrono_tz::Africa::Casablanca),
            ("1d", PARIS),
        ] {
            let grid = grid(step, zone);
            let slots = grid.slot(time("2026-01-01", zone))..grid.slot(time("2027-01-01", zone));
            let each: Vec<i64> = slots.clone().map(|slot| grid.wall_slot(slot)).collect();
            assert_eq!(grid.wall_slots(slots), each, "{step} {zone}");
        }
    }

    #[test]
    fn a_bucket_is_closed_once_its_end_and_the_delay_have_passed() {
        let grid = grid("5m", PARIS);
        let slot = grid.slot(time("2026-11-22 14:00", PARIS));
        let closed = |now: &str, delay: i64| {
            grid.last_closed(time(now, PARIS), TimeDelta::minutes(delay)) >= slot
        };
        assert!(!closed("2026-11-22 14:04:59", 0) && closed("2026-11-22 14:05:00", 0));
        assert!(!closed("2026-11-22 14:09:59", 5) && closed("2026-11-22 14:10:00", 5));
    }

    #[test]
    fn slots_far_outside_any_calendar_do_not_panic() {
        for grid in ["1d", "1mo"].map(|step| grid(step, PARIS)) {
            for slot in [i64::MIN, i64::MAX, -10_000_000, 10_000_000] {
                grid.instant(slot);
            }
        }
    }
}
