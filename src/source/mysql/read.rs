//! SlotRange a window: a table is bucketed by the server, a query's rows here.

use std::time::Duration;

use ::mysql::prelude::Queryable;
use ::mysql::{Column, Conn, Value, params};
use anyhow::{Context, Result, ensure};
use chrono::{DateTime, TimeDelta};
use chrono_tz::Tz;

use super::cell;
use super::error::told;
use super::sql::{self, TableQuery, TimeColumn};
use crate::config::Deadline;
use crate::config::Metric;
use crate::series::{Aggregate, Buckets, Clock, Grid, Step, infer_step};
use crate::source::news::Stretch;
use crate::source::{Archive, Reach, SlotRange, Vantage};

/// Rows are looked at together, so that the clock is not asked for each.
const ROWS_BETWEEN_DEADLINE_CHECKS: u64 = 4096;
/// A query's rows are sampled to find the step; that many tell it.
const TIMES_THAT_TELL_A_STEP: usize = 2000;

/// Up to when rows are wanted, how far back, and by when they must be there.
pub struct Want {
    pub vantage: Vantage,
    pub reach: Reach,
    pub deadline: Deadline,
}

/// Reads a metric's table, bucketed by the server.
pub fn table(
    connection: &mut Conn,
    query: &TableQuery,
    metric: &Metric,
    want: &Want,
) -> Result<Archive> {
    let vantage = want.vantage;
    let types = connection
        .prep(query.types())
        .map_err(|error| told(&error))?;
    let kind = cell::time_column(&types.columns()[0], query.time_column)?;
    if metric.aggregate != Some(Aggregate::Count) {
        cell::ensure_numeric(&types.columns()[1])?;
    }
    let step = match metric.step {
        Some(step) => step,
        None => infer_table_step(connection, query, kind, vantage)?,
    };
    let window = SlotRange::before(vantage.as_of, metric, step)?.reaching(want.reach, None)?;
    let bucket = sql::bucket(
        query.time_column,
        kind,
        &window.grid,
        &(window.from()..window.to()),
    );
    let mut buckets = Buckets::new(window.grid.clone(), None);
    let mut clock = Clock::wall(vantage.clock);
    let bounds = (
        cell::bound(window.from(), kind),
        cell::upper_bound(window.to(), kind),
    );
    let rows = connection
        .exec_iter(query.buckets(&bucket), bounds)
        .map_err(|error| told(&error))?;
    for (count, row) in rows.enumerate() {
        check(want.deadline, count)?;
        let (bucket, value, rows, with_value): (i64, Option<f64>, u64, u64) =
            ::mysql::from_row_opt(row.map_err(|error| told(&error))?)?;
        match instant_of_bucket(bucket, kind, &window, &mut clock) {
            // In the second pass of a repeated hour the bounds let in rows of the first beyond them.
            Some(time) if !window.holds(time) => {}
            Some(time) => {
                buckets.add(time, value);
                buckets.row_counts.rows += rows - 1;
                // A bucket without any value has counted as one row already.
                buckets.row_counts.empty += rows - with_value.max(u64::from(value.is_none()));
                buckets.row_counts.repeated += if metric.aggregate.is_none() {
                    with_value.saturating_sub(1)
                } else {
                    0
                };
            }
            None => buckets.add_unclear(rows),
        }
    }
    Ok(Archive {
        stretch: window,
        buckets,
    })
}

/// Whether a table has any row in a stretch; the question is asked also where the stretch is empty, so
/// that a table that is gone is noticed.
pub fn table_holds_rows(
    connection: &mut Conn,
    query: &TableQuery,
    stretch: Stretch,
) -> Result<bool> {
    let types = connection
        .prep(query.types())
        .map_err(|error| told(&error))?;
    let kind = cell::time_column(&types.columns()[0], query.time_column)?;
    let bounds = (
        cell::bound(stretch.from, kind),
        cell::upper_bound(stretch.to, kind),
    );
    let row: Option<u8> = connection
        .exec_first(query.any_row(), bounds)
        .map_err(|error| told(&error))?;
    Ok(row.is_some())
}

/// The instant at which the bucket of that number begins.
fn instant_of_bucket(
    bucket: i64,
    kind: TimeColumn,
    window: &SlotRange,
    clock: &mut Clock,
) -> Option<DateTime<Tz>> {
    let step = window.grid.step();
    if step.follows_wall_clock() {
        return Some(window.grid.instant(bucket));
    }
    let reading =
        Grid::EPOCH.naive_utc() + TimeDelta::try_seconds(bucket.checked_mul(step.seconds())?)?;
    match kind {
        TimeColumn::Instant | TimeColumn::Seconds => Some(window.grid.instant(bucket)),
        TimeColumn::WallClock => clock.instant(reading),
    }
}

fn infer_table_step(
    connection: &mut Conn,
    query: &TableQuery,
    kind: TimeColumn,
    vantage: Vantage,
) -> Result<Step> {
    let rows: Vec<Value> = connection
        .exec(
            query.newest_times(),
            (cell::upper_bound(vantage.as_of, kind),),
        )
        .map_err(|error| told(&error))?;
    let mut clock = Clock::wall(vantage.clock);
    let times: Vec<_> = rows
        .iter()
        .filter_map(|value| cell::instant(value, kind, vantage.zone(), &mut clock).transpose())
        .collect::<Result<_>>()?;
    infer_step(&times).with_context(|| no_step(times.len()))
}

fn no_step(times: usize) -> String {
    format!(
        "the times of its {times} newest rows do not tell a step; set every, as in every = \"5m\""
    )
}

/// A SELECT of the configuration, and which of its columns matter.
pub struct UserQuery<'a> {
    pub sql: &'a str,
    pub time_column: Option<&'a str>,
    pub value_column: Option<&'a str>,
}

/// Reads a metric's own query, bucketed here.
pub fn query(
    connection: &mut Conn,
    query: &UserQuery,
    metric: &Metric,
    want: &Want,
) -> Result<Archive> {
    let vantage = want.vantage;
    let step = match metric.step {
        Some(step) => step,
        None => infer_query_step(connection, query, metric, vantage)?,
    };
    let window = SlotRange::before(vantage.as_of, metric, step)?.reaching(want.reach, None)?;
    let mut buckets = Buckets::new(window.grid.clone(), metric.aggregate);
    let mut count = 0;
    each_row(
        connection,
        query,
        &Limits::of(&window),
        vantage,
        |time, value| {
            check(want.deadline, count)?;
            count += 1;
            match time {
                Some(time) if window.holds(time) => buckets.add(time, value),
                Some(_) => {}
                None => buckets.add_unclear(1),
            }
            Ok(Continue::Yes)
        },
    )?;
    Ok(Archive {
        stretch: window,
        buckets,
    })
}

/// Whether a query returns any row of a stretch.
pub fn query_holds_rows(
    connection: &mut Conn,
    query: &UserQuery,
    vantage: Vantage,
    stretch: Stretch,
) -> Result<bool> {
    let mut holds_rows = false;
    let limits = Limits {
        stretch,
        follows_wall_clock: false,
    };
    each_row(connection, query, &limits, vantage, |time, _| {
        // A wall clock's bound may let in rows of before, and a query any row.
        holds_rows = time.is_none_or(|time| time >= stretch.from && time < stretch.to);
        Ok(if holds_rows {
            Continue::No
        } else {
            Continue::Yes
        })
    })?;
    Ok(holds_rows)
}

fn infer_query_step(
    connection: &mut Conn,
    query: &UserQuery,
    metric: &Metric,
    vantage: Vantage,
) -> Result<Step> {
    let hour = Step::from_seconds(3600).context("a step of an hour")?;
    let window = SlotRange::before(vantage.as_of, metric, hour)?;
    let mut times = Vec::new();
    each_row(
        connection,
        query,
        &Limits::of(&window),
        vantage,
        |time, _| {
            times.extend(time);
            Ok(if times.len() < TIMES_THAT_TELL_A_STEP {
                Continue::Yes
            } else {
                Continue::No
            })
        },
    )?;
    infer_step(&times).with_context(|| no_step(times.len()))
}

enum Continue {
    Yes,
    No,
}

/// Which rows a query is asked for.
struct Limits {
    stretch: Stretch,
    follows_wall_clock: bool,
}

impl Limits {
    fn of(window: &SlotRange) -> Self {
        Self {
            stretch: Stretch {
                from: window.from(),
                to: window.to(),
            },
            follows_wall_clock: window.grid.step().follows_wall_clock(),
        }
    }
}

/// Runs the query over a window and hands over each row's instant (if it can be told) and value.
fn each_row(
    connection: &mut Conn,
    query: &UserQuery,
    limits: &Limits,
    vantage: Vantage,
    mut take: impl FnMut(Option<DateTime<Tz>>, Option<f64>) -> Result<Continue>,
) -> Result<()> {
    let statement = connection.prep(query.sql).map_err(|error| told(&error))?;
    let columns = statement.columns();
    ensure!(
        !columns.is_empty(),
        "the query returns no rows; it must be a SELECT"
    );
    let (time_index, value_index) = (
        find_column(&columns, query.time_column, 0)?,
        find_column(&columns, query.value_column, 1)?,
    );
    let kind = cell::time_column(&columns[time_index], &columns[time_index].name_str())?;
    let bounds = params! {
        "from" => cell::bound(limits.stretch.from, kind),
        "to" => cell::upper_bound(limits.stretch.to, kind),
    };
    let rows = connection
        .exec_iter(&statement, bounds)
        .map_err(|error| told(&error))?;
    let mut clock = if limits.follows_wall_clock {
        Clock::either_pass(vantage.zone())
    } else {
        Clock::wall(vantage.clock)
    };
    for row in rows {
        let row = row.map_err(|error| told(&error))?;
        let time = cell::instant(cell::of(&row, time_index), kind, vantage.zone(), &mut clock)?;
        if let Continue::No = take(time, cell::number(cell::of(&row, value_index))?)? {
            break;
        }
    }
    Ok(())
}

fn find_column(columns: &[Column], name: Option<&str>, default: usize) -> Result<usize> {
    let found = match name {
        Some(name) => columns
            .iter()
            .position(|column| column.name_str().eq_ignore_ascii_case(name)),
        None => (default < columns.len()).then_some(default),
    };
    found.with_context(|| {
        let names: Vec<_> = columns
            .iter()
            .map(|column| column.name_str().into_owned())
            .collect();
        format!(
            "the query returns the columns {names:?}; {} is not among them",
            name.map_or(format!("a column {}", default + 1), |name| format!(
                "{name:?}"
            ))
        )
    })
}

fn check(deadline: Deadline, count: usize) -> Result<()> {
    if (count as u64).is_multiple_of(ROWS_BETWEEN_DEADLINE_CHECKS) {
        deadline.at_most(Duration::from_secs(1))?;
    }
    Ok(())
}
