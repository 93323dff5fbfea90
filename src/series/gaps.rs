//! How long there is usually no data: what tells rows that stopped from a shop that is closed.

use std::ops::RangeInclusive;

use super::{Buckets, Missing};

impl Buckets {
    /// How many steps in a row are usually without data when `last_slot` closes. Where an empty bucket
    /// means zero, the most there were between two others; else the most there were at that time of the
    /// weeks before, or where there are less than two, of the days. Shops close an hour earlier or later.
    /// What is `ignored` is no gap.
    pub fn usual_gap(
        &self,
        first_slot: i64,
        last_slot: i64,
        missing: Missing,
        ignored: &[RangeInclusive<i64>],
    ) -> i64 {
        let mut slots: Vec<i64> = self.slots(first_slot, last_slot).collect();
        slots.extend(ignored.iter().cloned().flatten());
        slots.sort_unstable();
        slots.dedup();
        if missing == Missing::Zero {
            let gaps = slots.windows(2).map(|pair| pair[1] - pair[0] - 1);
            return gaps.max().unwrap_or(0);
        }
        let step = self.grid().step();
        let count = |steps: Option<usize>| steps.and_then(|steps| i64::try_from(steps).ok());
        let (day, week) = (count(step.per_day()), count(step.per_week()));
        let held = slots.first().map_or(0, |oldest| last_slot - oldest);
        let turn = match (day, week) {
            (_, Some(week)) if held > 2 * week => week,
            (Some(day), _) => day,
            _ => return 0,
        };
        let around = day.map_or(0, |day| day / 24);
        let gap_at = |slot: i64| {
            let newer = slots.partition_point(|with_data| *with_data <= slot);
            let newest = slots[..newer].last();
            newest.map_or(0, |newest| slot - newest)
        };
        let same_times = (1..=held / turn).flat_map(|turns| {
            let slot = last_slot - turns * turn;
            slot - around..=slot + around
        });
        same_times.map(gap_at).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use chrono::{Datelike, TimeDelta, Timelike};

    use super::*;
    use crate::series::sample::{grid, time};

    /// Four weeks of a shop that is open from 8 to 20, from Monday to Friday.
    fn shop() -> Buckets {
        let monday = time("2026-10-26 00:00");
        let mut buckets = Buckets::new(grid("30m", monday), None);
        for half_hours in 0..28 * 48 {
            let time = monday + TimeDelta::minutes(30) * half_hours;
            if (8..20).contains(&time.hour()) && time.weekday().number_from_monday() < 6 {
                buckets.add(time, Some(1.0));
            }
        }
        buckets
    }

    fn usual_gap(from: &str, now: &str) -> i64 {
        let buckets = shop();
        let slot = |text| buckets.grid().slot(time(text));
        buckets.usual_gap(slot(from), slot(now), Missing::Gap, &[])
    }

    #[test]
    fn closing_hours_are_a_usual_gap_and_opening_hours_are_not() {
        let usual = |text| usual_gap("2026-10-26 00:00", text);
        // Tuesday to Sunday of the fourth week, and the Monday after it.
        assert_eq!(usual("2026-11-17 12:00"), 0);
        assert_eq!(usual("2026-11-17 18:00"), 0);
        // An hour later the shop is closed.
        assert_eq!(usual("2026-11-17 20:00"), 3);
        assert_eq!(usual("2026-11-17 23:00"), 9);
        // Closed for 40 hours, and an hour later for 41.
        assert_eq!(usual("2026-11-22 12:00"), 2 * 41 + 1);
        assert_eq!(usual("2026-11-23 12:00"), 0);
    }

    #[test]
    fn before_two_weeks_are_seen_days_tell_what_is_usual() {
        assert_eq!(usual_gap("2026-11-10 00:00", "2026-11-13 12:00"), 0);
        assert_eq!(usual_gap("2026-11-10 00:00", "2026-11-13 23:00"), 9);
    }

    #[test]
    fn a_week_that_is_ignored_is_no_usual_gap() {
        let monday = time("2026-10-26 00:00");
        let mut buckets = Buckets::new(grid("1h", monday), None);
        for hours in (0..24 * 7).chain(24 * 14..24 * 28) {
            buckets.add(monday + TimeDelta::hours(hours), Some(1.0));
        }
        let first = buckets.grid().slot(monday);
        let gap = |ignored: &[RangeInclusive<i64>]| {
            buckets.usual_gap(first, first + 24 * 28, Missing::Zero, ignored)
        };
        assert_eq!(gap(&[]), 24 * 7);
        assert_eq!(gap(&[first + 24 * 7..=first + 24 * 14 - 1]), 0);
    }
}
