//! The rows that the server makes of a bucket's rows, and how a history takes them in.

use chrono::{DateTime, NaiveDateTime, TimeDelta};
use chrono_tz::Tz;

use super::sql::TimeColumn;
use crate::series::{Aggregate, Grid, LocalClock, RowCounts, Step};
use crate::source::history::History;

/// What the rows of a bucket came to.
#[derive(Debug, Clone, Copy)]
pub(super) struct BucketRow {
    pub value: Option<f64>,
    pub rows: u64,
    pub with_value: u64,
}

/// Where the rows of a bucket belong.
#[derive(Debug, Clone, Copy)]
pub(super) enum BucketStart {
    At(DateTime<Tz>),
    /// To no bucket for sure; perhaps they stand near a time.
    Unclear {
        near: Option<DateTime<Tz>>,
    },
}

/// Takes in the rows of a bucket.
pub(super) fn add_bucket(
    history: &mut History,
    start: BucketStart,
    row: &BucketRow,
    aggregate: Option<Aggregate>,
) {
    let BucketRow {
        value,
        rows,
        with_value,
    } = *row;
    match start {
        // In the second pass of a repeated hour the bounds let in rows of the first beyond them.
        BucketStart::At(time) if !history.holds(time) => {}
        BucketStart::At(time) => {
            history.buckets.add(time, value);
            // A bucket without any value has counted as one row already.
            let with_value_or_counted = with_value.max(u64::from(value.is_none()));
            let is_repeated = aggregate.is_none() && with_value > 0;
            let more = RowCounts {
                rows: rows.saturating_sub(1),
                empty: rows.saturating_sub(with_value_or_counted),
                repeated: if is_repeated { with_value - 1 } else { 0 },
                ..RowCounts::default()
            };
            history.buckets.count(time, more);
        }
        BucketStart::Unclear { near } => history.add_unclear(near, rows),
    }
}

pub(super) fn start_of_bucket(
    bucket: i64,
    column: TimeColumn,
    grid: &Grid,
    clock: &mut LocalClock,
) -> Option<DateTime<Tz>> {
    if grid.step().follows_wall_clock() || column != TimeColumn::Local {
        return Some(grid.instant(bucket));
    }
    clock.instant(local_start(bucket, grid)?)
}

/// What the clock shows at the start of a short bucket that it counts.
pub(super) fn local_start(bucket: i64, grid: &Grid) -> Option<NaiveDateTime> {
    let Step::Fixed(step) = grid.step() else {
        return None;
    };
    let seconds = bucket.checked_mul(step.seconds())?;
    let since_epoch = TimeDelta::try_seconds(seconds)?;
    Grid::EPOCH.naive_utc().checked_add_signed(since_epoch)
}
