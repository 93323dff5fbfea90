//! How long there is usually no data: what tells rows that stopped from a shop that is closed.

use super::Buckets;

/// Times without data, in steps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GapLengths {
    /// The longest between two buckets that have data.
    pub longest: i64,
    /// How long there usually has been none by now.
    pub usual_now: i64,
}

impl Buckets {
    /// How long data is missing, seen in the buckets from `first_slot` to `last_slot`, which closed
    /// last.
    pub fn gap_lengths(&self, first_slot: i64, last_slot: i64) -> GapLengths {
        let slots: Vec<i64> = self.slots(first_slot, last_slot).collect();
        let longest = slots.windows(2).map(|pair| pair[1] - pair[0] - 1).max();
        GapLengths {
            longest: longest.unwrap_or(0),
            usual_now: self.usual_gap(&slots, last_slot),
        }
    }

    /// How long there usually is no data at a slot: the longest it was at that time of the weeks
    /// before, or where there are less than two, of the days. Shops close an hour earlier or later, and
    /// so do clocks.
    fn usual_gap(&self, slots_with_data: &[i64], last_slot: i64) -> i64 {
        let step = self.grid().step();
        let count = |steps: Option<usize>| steps.and_then(|steps| i64::try_from(steps).ok());
        let (day, week) = (count(step.per_day()), count(step.per_week()));
        let held = slots_with_data
            .first()
            .map_or(0, |oldest| last_slot - oldest);
        let turn = match (day, week) {
            (_, Some(week)) if held > 2 * week => week,
            (Some(day), _) => day,
            _ => return 0,
        };
        let around = day.map_or(0, |day| day / 24);
        let gap_at = |slot: i64| {
            let newer = slots_with_data.partition_point(|with_data| *with_data <= slot);
            newer
                .checked_sub(1)
                .map_or(0, |newest| slot - slots_with_data[newest])
        };
        (1..=held / turn)
            .flat_map(|turns| {
                let slot = last_slot - turns * turn;
                (slot - around..=slot + around).map(gap_at)
            })
            .max()
            .unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use chrono::{Datelike, TimeDelta, Timelike};
    use chrono_tz::Tz;

    use super::*;
    use crate::series::{Grid, parse_time};

    /// Four weeks of a shop that is open from 8 to 20, from Monday to Friday.
    fn shop(step: &str) -> Buckets {
        let monday = parse_time("2026-10-26 00:00", Tz::UTC).expect("a time");
        let grid = Grid::new(step.parse().expect("a step"), monday);
        let mut buckets = Buckets::new(grid.clone(), None);
        let end = monday + TimeDelta::days(28);
        let from = grid.slot(monday);
        for slot in from..grid.slot(end) {
            let time = grid.instant(slot);
            let is_open = (8..20).contains(&time.hour()) && time.weekday().number_from_monday() < 6;
            if is_open {
                buckets.add(time, Some(1.0));
            }
        }
        buckets
    }

    fn usual_gap(from: &str, now: &str) -> i64 {
        let buckets = shop("30m");
        let slot = |text| {
            buckets
                .grid()
                .slot(parse_time(text, Tz::UTC).expect("a time"))
        };
        buckets.gap_lengths(slot(from), slot(now)).usual_now
    }

    #[test]
    fn closing_hours_are_a_usual_gap_and_opening_hours_are_not() {
        let usual = |text| usual_gap("2026-10-26 00:00", text);
        // Tuesday to Sunday of the fourth week, and the Monday after it.
        assert_eq!(usual("2026-11-17 12:00"), 0);
        assert_eq!(usual("2026-11-17 18:00"), 0);
        assert_eq!(
            usual("2026-11-17 20:00"),
            3,
            "an hour later the shop is closed"
        );
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
}
