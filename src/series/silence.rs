//! How long there is usually no data: what tells rows that stopped from a shop that is closed.

use super::Buckets;

/// Times without data, in steps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Silences {
    /// The longest there was.
    pub longest: i64,
    /// How long there usually has been none by now.
    pub usual_now: i64,
}

impl Buckets {
    /// How long data is usually missing, given the bucket that closed last.
    pub fn silences(&self, last_slot: i64) -> Silences {
        Silences {
            longest: self.longest_silence(),
            usual_now: self.usual_silence(last_slot),
        }
    }

    /// The most steps in a row without data between two buckets that have some.
    fn longest_silence(&self) -> i64 {
        let slots: Vec<i64> = self.slots().collect();
        slots
            .windows(2)
            .map(|pair| pair[1] - pair[0] - 1)
            .max()
            .unwrap_or(0)
    }

    /// How long there is usually no data at a time, in steps: the longest it was at that time of the
    /// weeks before, or where there is less than two, of the days. Shops close an hour earlier or later,
    /// and so do clocks.
    fn usual_silence(&self, last_slot: i64) -> i64 {
        let step = self.grid().step();
        let slots = |count: Option<usize>| count.and_then(|count| i64::try_from(count).ok());
        let (day, week) = (slots(step.per_day()), slots(step.per_week()));
        let held = self.oldest_slot().map_or(0, |oldest| last_slot - oldest);
        let turn = match (day, week) {
            (_, Some(week)) if held > 2 * week => week,
            (Some(day), _) => day,
            _ => return 0,
        };
        let around = day.map_or(0, |day| day / 24);
        let silence = |slot: i64| {
            let newest = self.newest_slot_up_to(slot);
            newest.map_or(0, |newest| slot - newest)
        };
        (1..=held / turn)
            .flat_map(|turns| {
                let place = last_slot - turns * turn;
                (place - around..=place + around).map(silence)
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

    #[test]
    fn closing_hours_are_a_usual_silence_and_opening_hours_are_not() {
        let buckets = shop("30m");
        let usual = |text: &str| {
            let time = parse_time(text, Tz::UTC).expect("a time");
            buckets.usual_silence(buckets.grid().slot(time))
        };
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
        let mut buckets = shop("30m");
        let from = parse_time("2026-11-10 00:00", Tz::UTC).expect("a time");
        let slot = |text: &str| {
            buckets
                .grid()
                .slot(parse_time(text, Tz::UTC).expect("a time"))
        };
        let (first, last) = (buckets.grid().slot(from), slot("2026-11-13 23:30"));
        let (noon, night) = (slot("2026-11-13 12:00"), slot("2026-11-13 23:00"));
        buckets = buckets.between(first, last);
        assert_eq!(buckets.usual_silence(noon), 0);
        assert_eq!(buckets.usual_silence(night), 9);
    }
}
