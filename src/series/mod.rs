//! A business series: values on a regular [`Grid`], oldest first, a missing one marked and never invented.
//! Rows become a [`TimeSeries`] only through [`Buckets`], so it is sorted, finite and on its grid.

mod bucket;
mod gaps;
mod grid;
mod increments;
pub mod key;
pub mod local_time;
#[cfg(test)]
pub mod sample;
pub mod shard;
mod step;

pub use bucket::{Aggregate, Buckets, Gathered, Missing, RowCounts};
pub use grid::Grid;
pub use increments::is_running_total;
pub use local_time::{LocalClock, first_instant, parse_time};
pub use step::{Step, Steps, infer_step};

use std::ops::RangeInclusive;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::output::second;

/// The most buckets a window may hold: a year of minutes.
pub const MOST_BUCKETS: usize = 530_000;

/// A value and the start of the bucket it belongs to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observation {
    pub time: DateTime<Tz>,
    pub value: f64,
}

/// Closed buckets, and what became of the rows behind them.
#[derive(Debug, Clone)]
pub struct Window {
    pub series: TimeSeries,
    pub row_counts: RowCounts,
    /// The instant as of which the buckets are closed.
    pub as_of: DateTime<Tz>,
    /// The newest bucket that rows were read for.
    pub newest: Option<DateTime<Tz>>,
    /// How old the newest bucket may be.
    pub stale_after: TimeDelta,
    /// The buckets that are left out, as events are to be ignored.
    pub ignored: Ignored,
    /// The events that are held against their earlier occurrences.
    pub recurring: Vec<Recurring>,
    /// How rows became the values; `None`: the rows are the values.
    pub aggregate: Option<Aggregate>,
    /// Of the increments of a running total: since when it has been adding up.
    pub total_since: Option<DateTime<Utc>>,
    /// What the source noticed of rows that do not count, or stand at a wrong time.
    pub hint: Option<String>,
}

/// The slots of an event at each of its occurrences, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recurring {
    pub occurrences: Vec<RangeInclusive<i64>>,
}

/// What is left out of a window.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ignored {
    pub buckets: usize,
    /// Whether the newest closed bucket is one of them.
    pub is_newest: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bucket {
    #[serde(with = "second")]
    pub start: DateTime<Utc>,
    #[serde(with = "second")]
    pub end: DateTime<Utc>,
}

/// Values on a grid, oldest first; `None` marks a bucket without data.
#[derive(Debug, Clone)]
pub struct TimeSeries {
    grid: Grid,
    first_slot: i64,
    values: Vec<Option<f64>>,
}

/// A series cut in two, so that the judged point never touches the history it is judged by.
#[derive(Debug, Clone)]
pub struct Split {
    pub history: TimeSeries,
    pub latest: Observation,
}

impl Bucket {
    pub fn length(&self) -> TimeDelta {
        self.end - self.start
    }
}

impl Window {
    pub fn step(&self) -> Step {
        self.series.grid().step()
    }

    pub fn zone(&self) -> Tz {
        self.as_of.timezone()
    }

    /// Whether there was any row when it was read.
    pub fn has_rows(&self) -> bool {
        self.newest.is_some() || self.row_counts.rows > 0
    }

    /// The bucket that starts at an instant.
    pub fn bucket(&self, start: DateTime<Tz>) -> Bucket {
        let grid = self.series.grid();
        Bucket {
            start: start.to_utc(),
            end: grid.instant(grid.slot(start) + 1).to_utc(),
        }
    }
}

impl TimeSeries {
    pub fn grid(&self) -> &Grid {
        &self.grid
    }

    pub fn len(&self) -> usize {
        self.values.len()
    }

    pub fn values(&self) -> &[Option<f64>] {
        &self.values
    }

    /// The values that are there, oldest first.
    pub fn observed(&self) -> impl Iterator<Item = f64> + '_ {
        self.values.iter().filter_map(|value| *value)
    }

    /// The number of the slot at `index`, see [`Grid::slot`].
    pub fn slot(&self, index: usize) -> i64 {
        self.first_slot + i64::try_from(index).unwrap_or(i64::MAX)
    }

    /// The index of a slot, the nearest one if it lies outside.
    pub fn index(&self, slot: i64) -> usize {
        let index = usize::try_from(slot - self.first_slot).unwrap_or(0);
        index.min(self.len().saturating_sub(1))
    }

    /// The start of the bucket at `index`.
    pub fn time(&self, index: usize) -> DateTime<Tz> {
        self.grid.instant(self.slot(index))
    }

    /// The start of the bucket that follows the last one.
    pub fn next_time(&self) -> DateTime<Tz> {
        self.time(self.len())
    }

    /// The place of each slot, and of the one after the last, on the wall clock; see [`Grid::wall_slot`].
    pub fn wall_slots(&self) -> Vec<i64> {
        let end = self.slot(self.len()) + 1;
        self.grid.wall_slots(self.first_slot..end)
    }

    /// How long it is, in steps.
    pub fn span(&self) -> Steps {
        Steps {
            step: self.grid.step(),
            count: self.len(),
        }
    }

    /// Whether all of its values are whole numbers.
    pub fn is_whole(&self) -> bool {
        let mut values = self.values().iter().flatten();
        values.all(|value| value.fract() == 0.0)
    }

    pub fn missing(&self) -> usize {
        self.values.iter().filter(|value| value.is_none()).count()
    }

    /// The same with every value passed through `change`, which is told its index; gaps stay gaps.
    pub fn map(&self, change: impl Fn(usize, f64) -> f64) -> Self {
        let mut changed = self.clone();
        for (index, value) in changed.values.iter_mut().enumerate() {
            *value = value.map(|value| change(index, value));
        }
        changed
    }

    /// The same with the values of some slots left out.
    #[must_use]
    pub fn without(mut self, is_left_out: impl Fn(i64) -> bool) -> Self {
        let first_slot = self.first_slot;
        for (slot, value) in (first_slot..).zip(&mut self.values) {
            *value = value.filter(|_| !is_left_out(slot));
        }
        self
    }

    /// The same buckets with other values.
    #[must_use]
    pub fn with_values(&self, values: Vec<Option<f64>>) -> Self {
        Self {
            values,
            ..self.clone()
        }
    }

    /// The series with a value after its last one.
    #[must_use]
    pub fn with(&self, value: f64) -> Self {
        let mut longer = self.clone();
        longer.values.push(Some(value));
        longer
    }

    /// The newest observation, and what lies before it, from the first value on; `None` without any value.
    pub fn split_latest(&self) -> Option<Split> {
        let last = self.values.iter().rposition(Option::is_some)?;
        let first = self.values.iter().position(Option::is_some)?;
        let (time, value) = (self.time(last), self.values[last]?);
        Some(Split {
            latest: Observation { time, value },
            history: Self {
                grid: self.grid.clone(),
                first_slot: self.slot(first),
                values: self.values[first..last].to_vec(),
            },
        })
    }
}
