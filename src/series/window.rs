//! What a source hands over: the closed buckets of a metric, ready to be evaluated.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::{RowCounts, Step, TimeSeries};

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
}

/// A bucket by its ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bucket {
    pub start: DateTime<Utc>,
    pub end: DateTime<Utc>,
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

    /// The bucket that starts at an instant.
    pub fn bucket(&self, start: DateTime<Tz>) -> Bucket {
        let grid = self.series.grid();
        Bucket {
            start: start.to_utc(),
            end: grid.instant(grid.slot(start) + 1).to_utc(),
        }
    }
}
