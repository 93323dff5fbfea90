//! Which times the parts of a sum are compared over: the judged time, the same time of earlier weeks, which
//! says what is usual, and more days, which say how much the shares of parts vary anyway.

use std::ops::Range;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use crate::series::{TimeSeries, Window};

/// Weeks, or days where the window holds fewer than [`FEWEST`] of them, that make up what is usual.
const MOST_WEEKS: i64 = 5;
const MOST_DAYS: i64 = 7;
const FEWEST: usize = 3;
/// More days are read as far as they make no more than so much time, and no more than a month of them.
const MORE_TIME: TimeDelta = TimeDelta::hours(5);
const MOST_MORE_DAYS: i64 = 27;

/// A time that is judged, and what its whole should have been.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct JudgedTime {
    pub start: DateTime<Utc>,
    pub end: DateTime<Utc>,
    pub expected: f64,
}

/// A time, and what its buckets add up to.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    pub range: Range<DateTime<Tz>>,
    pub total: f64,
}

/// A judged time beside others.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    pub judged: Span,
    pub expected: f64,
    /// The same time of earlier weeks or days.
    pub usual: Vec<Span>,
    /// The same time of other days.
    pub others: Vec<Span>,
}

impl Comparison {
    /// `None` where the window holds too little to compare with, or where parts would not add up, as those
    /// of a running total.
    pub fn new(window: &Window, time: JudgedTime) -> Option<Self> {
        let places = Places::new(&window.series, window.zone(), time)?;
        let judged = places.judged()?;
        if window.total_since.is_some() {
            return None;
        }
        let mut weeks = places.earlier(places.week, 1..=MOST_WEEKS);
        if weeks.len() < FEWEST && places.day.is_none() {
            weeks = places.earlier(places.count, 1..=MOST_WEEKS);
        }
        let length = judged.range.end - judged.range.start;
        let days = |numbers| {
            let day = places.day.filter(|day| *day >= places.count);
            day.map_or(Vec::new(), |day| places.earlier(day, numbers))
        };
        let (usual, others) = if weeks.len() >= FEWEST {
            let more = MORE_TIME.num_seconds() / length.num_seconds().max(1);
            let mut others = days(1..=more.min(MOST_MORE_DAYS));
            others.retain(|day| !weeks.contains(day));
            (weeks, others)
        } else {
            (days(1..=MOST_DAYS), Vec::new())
        };
        (usual.len() >= FEWEST).then_some(Self {
            judged,
            expected: time.expected,
            usual,
            others,
        })
    }

    /// All the times, the judged one first.
    pub fn spans(&self) -> impl Iterator<Item = &Span> {
        std::iter::once(&self.judged).chain(self.earlier())
    }

    /// The times it is compared with, the usual ones first.
    pub fn earlier(&self) -> impl Iterator<Item = &Span> {
        self.usual.iter().chain(&self.others)
    }
}

/// Times of a series by the places of their buckets on the wall clock.
struct Places<'a> {
    series: &'a TimeSeries,
    first_slot: i64,
    /// How many buckets a time has.
    count: i64,
    /// In buckets: whole weeks (years, of weeks and months) that are not shorter than the time; of other steps
    /// that do not divide a week, the time itself.
    week: i64,
    /// `None` of steps longer than a day.
    day: Option<i64>,
}

impl<'a> Places<'a> {
    fn new(series: &'a TimeSeries, zone: Tz, time: JudgedTime) -> Option<Self> {
        let grid = series.grid();
        let [first_slot, end] =
            [time.start, time.end].map(|time| grid.slot(time.with_timezone(&zone)));
        let count = end - first_slot;
        let step = grid.step();
        let in_buckets = |count: Option<usize>| i64::try_from(count?).ok();
        let week = match in_buckets(step.per_turn()) {
            Some(week) => week * ((count - 1).div_euclid(week) + 1),
            None => count,
        };
        (count > 0).then_some(Self {
            series,
            first_slot,
            count,
            week,
            day: in_buckets(step.per_day()),
        })
    }

    fn judged(&self) -> Option<Span> {
        let values = self.values(self.first_slot)?;
        let total = values.iter().flatten().sum();
        self.span(self.first_slot, total)
    }

    /// The times of these numbers of periods before, as far as all of their buckets are there.
    fn earlier(&self, period: i64, numbers: impl Iterator<Item = i64>) -> Vec<Span> {
        let spans = numbers.filter_map(|number| {
            let slot = self.slot_before(period.checked_mul(number)?)?;
            let total = self.values(slot)?.iter().copied().sum::<Option<f64>>()?;
            self.span(slot, total)
        });
        spans.collect()
    }

    /// The first slot of the time that lies so many places earlier on the wall clock; `None` where the
    /// clocks changed within it.
    fn slot_before(&self, places: i64) -> Option<i64> {
        let grid = self.series.grid();
        let first_place = grid.wall_slot(self.first_slot) - places;
        let near = self.first_slot - places;
        let slot = near + first_place - grid.wall_slot(near);
        let is_same =
            |slot: i64, offset: i64| grid.wall_slot(slot + offset) == first_place + offset;
        let is_whole = is_same(slot, 0) && is_same(slot, self.count);
        (is_whole && !grid.is_repeated(slot)).then_some(slot)
    }

    /// Those of the time that begins with a slot, if the series has them.
    fn values(&self, slot: i64) -> Option<&'a [Option<f64>]> {
        let first = usize::try_from(slot - self.series.slot(0)).ok()?;
        let count = usize::try_from(self.count).ok()?;
        self.series.values().get(first..first.checked_add(count)?)
    }

    fn span(&self, slot: i64, total: f64) -> Option<Span> {
        let grid = self.series.grid();
        let range = grid.instant(slot)..grid.instant(slot + self.count);
        total.is_finite().then_some(Span { range, total })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::sample::{self, series_at, time, window};

    /// What is compared with the last `buckets` of a series that ends at a time.
    fn compare(end: &str, step: &str, values: &[Option<f64>], buckets: i32) -> Option<Comparison> {
        let end = time(end);
        let grid = sample::grid(step, end);
        let first = grid.slot(end) - i64::try_from(values.len()).expect("a few");
        let series = series_at(grid.instant(first), step, values);
        let judged = JudgedTime {
            start: grid.instant(grid.slot(end) - i64::from(buckets)).to_utc(),
            end: end.to_utc(),
            expected: 10.0,
        };
        Comparison::new(&window(series, Some(end)), judged)
    }

    fn starts(spans: &[Span]) -> Vec<String> {
        let starts = spans.iter().map(|span| span.range.start);
        starts
            .map(|start| start.format("%d %H:%M").to_string())
            .collect()
    }

    fn ones(count: usize) -> Vec<Option<f64>> {
        vec![Some(1.0); count]
    }

    #[test]
    fn the_judged_time_is_held_against_the_same_time_of_earlier_weeks() {
        let of_six = compare("2026-11-22 14:00", "1h", &ones(29 * 24), 6).expect("weeks");
        assert_eq!(of_six.judged.total.to_bits(), 6.0_f64.to_bits());
        assert_eq!(
            starts(&of_six.usual),
            ["15 08:00", "08 08:00", "01 08:00", "25 08:00"]
        );
        // More days as far as they make no more than five hours.
        assert_eq!(of_six.others, []);
        let of_one = compare("2026-11-22 14:00", "1h", &ones(28 * 24 + 1), 1).expect("weeks");
        assert_eq!(of_one.usual.len(), 4);
        assert_eq!(of_one.others.len(), 5);
        assert_eq!(of_one.spans().count(), 10);
    }

    #[test]
    fn a_week_with_a_gap_is_left_out_and_a_short_window_has_days() {
        let mut values = ones(28 * 24 + 1);
        values[7 * 24] = None;
        let compared = compare("2026-11-22 14:00", "1h", &values, 1).expect("weeks");
        assert_eq!(compared.usual.len(), 3);
        let of_days = compare("2026-11-22 14:00", "1h", &ones(4 * 24 + 1), 1).expect("days");
        assert_eq!(
            starts(&of_days.usual),
            ["21 13:00", "20 13:00", "19 13:00", "18 13:00"]
        );
        assert_eq!(compare("2026-11-22 14:00", "1h", &ones(50), 1), None);
    }

    #[test]
    fn earlier_weeks_keep_to_the_wall_clock_and_the_hour_of_a_change_is_none_of_them() {
        let compared = compare("2026-11-01 04:00", "30m", &ones(29 * 48), 1).expect("weeks");
        assert_eq!(
            starts(&compared.usual),
            ["25 03:30", "18 03:30", "11 03:30", "04 03:30"]
        );
        let across = compare("2026-11-01 03:30", "30m", &ones(29 * 48), 2).expect("weeks");
        // On the 25th the hour from 02:00 came twice.
        assert_eq!(starts(&across.usual), ["18 02:30", "11 02:30", "04 02:30"]);
    }

    #[test]
    fn a_time_of_days_is_held_against_weeks_of_them_and_one_longer_than_a_week_against_more() {
        let week = compare("2026-11-23", "1d", &ones(36), 1).expect("weeks");
        assert_eq!(starts(&week.usual)[..2], ["15 00:00", "08 00:00"]);
        assert_eq!(week.others, []);
        let long = compare("2026-11-23", "1d", &ones(70), 8).expect("weeks");
        assert_eq!(starts(&long.usual)[..2], ["01 00:00", "18 00:00"]);
    }

    #[test]
    fn a_running_total_has_no_parts() {
        let end = time("2026-11-22 14:00");
        let series = series_at(time("2026-10-22 14:00"), "1d", &ones(31));
        let mut window = window(series, Some(end));
        let judged = JudgedTime {
            start: time("2026-11-21").to_utc(),
            end: time("2026-11-22").to_utc(),
            expected: 10.0,
        };
        assert!(Comparison::new(&window, judged).is_some());
        window.total_since = Some(end.to_utc());
        assert_eq!(Comparison::new(&window, judged), None);
    }
}
