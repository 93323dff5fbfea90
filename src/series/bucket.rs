//! Rows to buckets: rows may come in any order, twice, empty or not finite. What is left out is counted.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::Deserialize;

use super::TimeSeries;
use super::grid::Grid;

/// How the rows of one bucket become its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Aggregate {
    Sum,
    Count,
    Avg,
    Min,
    Max,
    /// The row with the latest time; of several at that time, the largest value.
    Last,
}

impl Aggregate {
    pub const ALL: [Self; 6] = [
        Self::Sum,
        Self::Count,
        Self::Avg,
        Self::Min,
        Self::Max,
        Self::Last,
    ];

    /// As the configuration says it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Sum => "sum",
            Self::Count => "count",
            Self::Avg => "avg",
            Self::Min => "min",
            Self::Max => "max",
            Self::Last => "last",
        }
    }

    /// Whether more rows make more: then no rows make none, and a longer bucket holds more.
    pub fn adds_up(self) -> bool {
        matches!(self, Self::Sum | Self::Count)
    }
}

/// What a bucket without rows means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Missing {
    /// Nobody measured: the bucket stays empty.
    Gap,
    /// Nothing happened: the bucket is 0.
    Zero,
}

/// What became of the rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RowCounts {
    pub rows: u64,
    /// Rows whose value was empty, left out.
    pub empty: u64,
    /// Rows whose value was NaN or infinite, left out.
    pub not_finite: u64,
    /// Rows whose wall clock time names no instant or two, left out; see [`super::LocalClock`].
    pub unclear_time: u64,
    /// Rows beyond the first of their time where one a bucket was expected, averaged.
    pub repeated: u64,
}

impl AddAssign for RowCounts {
    fn add_assign(&mut self, more: Self) {
        let add = |count: &mut u64, more: u64| *count = count.saturating_add(more);
        add(&mut self.rows, more.rows);
        add(&mut self.empty, more.empty);
        add(&mut self.not_finite, more.not_finite);
        add(&mut self.unclear_time, more.unclear_time);
        add(&mut self.repeated, more.repeated);
    }
}

/// Gathers rows into the buckets of a grid.
#[derive(Debug, Clone)]
pub struct Buckets {
    grid: Grid,
    aggregate: Option<Aggregate>,
    /// Of each bucket that has rows.
    gathered: BTreeMap<i64, Gathered>,
    /// Of all rows.
    pub row_counts: RowCounts,
    /// Rows of which not even the bucket they are counted with is known.
    unplaced: u64,
}

/// The rows of one bucket, of which none needs to have a value.
#[derive(Debug, Clone, Copy, Default)]
pub struct Gathered {
    pub row_counts: RowCounts,
    /// How many values; exact, as 2^53 rows in a bucket are out of reach.
    pub count: f64,
    /// Their sum for a sum or mean; for what picks one of them, that one's value.
    pub value: f64,
    last_time: DateTime<Utc>,
}

impl Buckets {
    /// Without an aggregate, rows are taken to be ready-made, one a bucket.
    pub fn new(grid: Grid, aggregate: Option<Aggregate>) -> Self {
        Self {
            grid,
            aggregate,
            gathered: BTreeMap::new(),
            row_counts: RowCounts::default(),
            unplaced: 0,
        }
    }

    /// Takes in a row: its value, or `None` where it has none.
    pub fn add(&mut self, time: DateTime<Tz>, value: Option<f64>) {
        let gathered = self.gathered.entry(self.grid.slot(time)).or_default();
        let finite = value.filter(|value| value.is_finite());
        let is_repeated = self.aggregate.is_none() && finite.is_some() && gathered.has_values();
        let row_counts = RowCounts {
            rows: 1,
            empty: u64::from(value.is_none()),
            not_finite: u64::from(value.is_some() && finite.is_none()),
            unclear_time: 0,
            repeated: u64::from(is_repeated),
        };
        if let Some(value) = finite {
            gathered.add(time.to_utc(), value, self.aggregate);
        }
        gathered.row_counts += row_counts;
        self.row_counts += row_counts;
    }

    /// Counts more rows with the bucket of a time, which its value was made of.
    pub fn count(&mut self, time: DateTime<Tz>, row_counts: RowCounts) {
        let gathered = self.gathered.entry(self.grid.slot(time)).or_default();
        gathered.row_counts += row_counts;
        self.row_counts += row_counts;
    }

    /// Takes in rows whose time could not be told. They are counted with the bucket of a time, if one is
    /// known that they stand for.
    pub fn add_unclear(&mut self, place: Option<DateTime<Tz>>, rows: u64) {
        let row_counts = RowCounts {
            rows,
            unclear_time: rows,
            ..RowCounts::default()
        };
        if let Some(place) = place {
            self.count(place, row_counts);
        } else {
            self.row_counts += row_counts;
            self.unplaced = self.unplaced.saturating_add(rows);
        }
    }

    /// The same buckets with what was gathered of each slot before, in place of all rows.
    pub fn of_gathered(&self, gathered: impl Iterator<Item = (i64, Gathered)>) -> Self {
        let mut row_counts = RowCounts::default();
        let gathered = gathered.inspect(|(_, gathered)| row_counts += gathered.row_counts);
        Self {
            gathered: gathered.collect(),
            row_counts,
            ..Self::new(self.grid.clone(), self.aggregate)
        }
    }

    /// Each slot that has rows, oldest first; `None` where there are rows that no slot is known of.
    pub fn by_slot(&self) -> Option<&BTreeMap<i64, Gathered>> {
        (self.unplaced == 0).then_some(&self.gathered)
    }

    pub fn grid(&self) -> &Grid {
        &self.grid
    }

    /// Those of the slots from `first_slot` to `last_slot` that have data, oldest first.
    pub fn slots(&self, first_slot: i64, last_slot: i64) -> impl DoubleEndedIterator<Item = i64> {
        self.with_values(first_slot, last_slot)
            .map(|(slot, _)| slot)
    }

    /// The values of the slots from `first_slot` to `last_slot`, as if there were no other rows.
    pub fn series(&self, first_slot: i64, last_slot: i64, missing: Missing) -> TimeSeries {
        let mut gathered = self.with_values(first_slot, last_slot).peekable();
        let oldest = gathered.peek().map(|(slot, _)| *slot);
        let has_unclear = self.row_counts.unclear_time > 0;
        let empty = |slot| match missing {
            Missing::Gap => None,
            // Rows there may be, of one pass or the other.
            Missing::Zero if has_unclear && self.grid.is_repeated(slot) => None,
            // Before the first row the table may not have existed: that is not "nothing sold".
            Missing::Zero => oldest.is_some_and(|oldest| slot > oldest).then_some(0.0),
        };
        let value = |slot| match gathered.next_if(|(at, _)| *at == slot) {
            Some((_, gathered)) => gathered.value(self.aggregate),
            None => empty(slot),
        };
        TimeSeries {
            values: (first_slot..=last_slot).map(value).collect(),
            grid: self.grid.clone(),
            first_slot,
        }
    }

    fn with_values(
        &self,
        first_slot: i64,
        last_slot: i64,
    ) -> impl DoubleEndedIterator<Item = (i64, &Gathered)> {
        let within = self.gathered.range(first_slot..=last_slot);
        within
            .filter(|(_, gathered)| gathered.has_values())
            .map(|(slot, gathered)| (*slot, gathered))
    }
}

impl Gathered {
    /// As it was gathered before; its rows are not counted yet.
    pub fn of_before(count: f64, value: f64) -> Self {
        Self {
            count,
            value,
            ..Self::default()
        }
    }

    pub fn has_values(&self) -> bool {
        self.count > 0.0
    }

    /// Whether it is the same to the last bit; the time of its last row matters only while rows come.
    pub fn is_same(&self, other: &Self) -> bool {
        let bits = |gathered: &Self| [gathered.count.to_bits(), gathered.value.to_bits()];
        self.row_counts == other.row_counts && bits(self) == bits(other)
    }

    fn add(&mut self, time: DateTime<Utc>, value: f64, aggregate: Option<Aggregate>) {
        if !self.has_values() {
            (self.count, self.value, self.last_time) = (1.0, value, time);
            return;
        }
        self.count += 1.0;
        self.value = match aggregate {
            Some(Aggregate::Sum | Aggregate::Count | Aggregate::Avg) | None => self.value + value,
            Some(Aggregate::Min) => self.value.min(value),
            Some(Aggregate::Max) => self.value.max(value),
            Some(Aggregate::Last) if time > self.last_time => value,
            Some(Aggregate::Last) if time == self.last_time => self.value.max(value),
            Some(Aggregate::Last) => self.value,
        };
        self.last_time = self.last_time.max(time);
    }

    /// `None` if the aggregate overflows what a number can hold.
    fn value(&self, aggregate: Option<Aggregate>) -> Option<f64> {
        let value = match aggregate {
            Some(Aggregate::Count) => self.count,
            Some(Aggregate::Avg) | None => self.value / self.count,
            Some(_) => self.value,
        };
        value.is_finite().then_some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::sample;

    fn time(text: &str) -> DateTime<Tz> {
        sample::time(&format!("2026-11-22 {text}"))
    }

    fn buckets(aggregate: Option<Aggregate>, rows: &[(&str, f64)]) -> Buckets {
        let mut buckets = Buckets::new(sample::grid("5m", time("00:00")), aggregate);
        for (text, value) in rows {
            buckets.add(time(text), Some(*value));
        }
        buckets
    }

    fn values(buckets: &Buckets, first: &str, last: &str, missing: Missing) -> Vec<Option<f64>> {
        let slot = |text| buckets.grid.slot(time(text));
        let series = buckets.series(slot(first), slot(last), missing);
        series.values().to_vec()
    }

    #[test]
    fn each_aggregate_makes_of_its_rows_what_its_name_says() {
        let rows = [("10:01", 4.0), ("10:04", 1.0), ("10:02", 7.0)];
        for (aggregate, expected) in [
            (Some(Aggregate::Sum), 12.0),
            (Some(Aggregate::Count), 3.0),
            (Some(Aggregate::Avg), 4.0),
            (Some(Aggregate::Min), 1.0),
            (Some(Aggregate::Max), 7.0),
            (Some(Aggregate::Last), 1.0),
            (None, 4.0),
        ] {
            let values = values(&buckets(aggregate, &rows), "10:00", "10:00", Missing::Gap);
            assert_eq!(values, [Some(expected)], "{aggregate:?}");
        }
    }

    #[test]
    fn a_missing_bucket_is_a_gap_or_zero_but_never_before_the_first_row() {
        // Rows may come in any order.
        let buckets = buckets(Some(Aggregate::Sum), &[("10:10", 3.0), ("10:00", 1.0)]);
        for (missing, empty) in [(Missing::Gap, None), (Missing::Zero, Some(0.0))] {
            let values = values(&buckets, "09:55", "10:15", missing);
            assert_eq!(values, [None, Some(1.0), empty, Some(3.0), empty]);
        }
    }

    #[test]
    fn a_part_of_the_buckets_knows_nothing_of_the_others() {
        let rows = ["10:00", "10:15", "10:20", "11:30"].map(|text| (text, 2.0));
        let all = buckets(Some(Aggregate::Sum), &rows);
        let slot = |text| all.grid.slot(time(text));
        let slots = all.slots(slot("10:05"), slot("10:25"));
        assert_eq!(slots.collect::<Vec<_>>(), [slot("10:15"), slot("10:20")]);
        let usual_gap = |first, last| all.usual_gap(slot(first), slot(last), Missing::Zero, &[]);
        assert_eq!(usual_gap("10:05", "10:25"), 0);
        assert_eq!(usual_gap("10:00", "10:25"), 2);
        let values = values(&all, "10:05", "10:25", Missing::Zero);
        assert_eq!(values, [None, None, Some(2.0), Some(2.0), Some(0.0)]);
    }

    #[test]
    fn what_is_no_number_is_left_out_and_counted() {
        let rows = [
            ("10:00", f64::NAN),
            ("10:05", f64::INFINITY),
            ("10:10", 3.0),
            ("10:10", 5.0),
        ];
        let mut buckets = buckets(None, &rows);
        buckets.add(time("10:15"), None);
        buckets.add_unclear(None, 1);
        let values = values(&buckets, "10:00", "10:15", Missing::Gap);
        assert_eq!(values, [None, None, Some(4.0), None]);
        let expected = RowCounts {
            rows: 6,
            empty: 1,
            not_finite: 2,
            unclear_time: 1,
            repeated: 1,
        };
        assert_eq!(buckets.row_counts, expected);
    }

    #[test]
    fn a_sum_beyond_all_numbers_is_missing_and_not_infinite() {
        let rows = [("10:00", f64::MAX), ("10:01", f64::MAX)];
        let buckets = buckets(Some(Aggregate::Sum), &rows);
        assert_eq!(values(&buckets, "10:00", "10:00", Missing::Gap), [None]);
    }

    #[test]
    fn the_latest_value_is_split_off_before_anything_else() {
        let buckets = buckets(None, &[("10:05", 1.0), ("10:10", 2.0), ("10:20", 9.0)]);
        let slot = |text| buckets.grid.slot(time(text));
        let series = buckets.series(slot("10:00"), slot("10:30"), Missing::Gap);
        let split = series.split_latest().expect("two halves");
        let latest = (split.latest.time, split.latest.value);
        assert_eq!(latest, (time("10:20"), 9.0));
        assert_eq!(split.history.values(), [Some(1.0), Some(2.0), None]);
        assert_eq!(split.history.next_time(), time("10:20"));
    }
}
