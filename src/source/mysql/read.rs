//! Reads the rows of one metric: those of a table are put into buckets by the server, so that one row a
//! bucket comes back; those of a query of the configuration are put into buckets here.

use std::ops::Range;
use std::time::Duration;

use ::mysql::prelude::Queryable;
use ::mysql::{Column, Conn, Value, params};
use anyhow::{Context, Result, bail, ensure};
use chrono::{DateTime, TimeDelta};
use chrono_tz::Tz;

use super::cell;
use super::sql::{self, TimeColumn};
use crate::config::{Deadline, Metric, Query, Rows, Table};
use crate::series::{Aggregate, Grid, LocalClock, Step, infer_step};
use crate::source::history::{History, Lookback};

/// Rows are looked at together, so that the clock is not asked for each.
const ROWS_BETWEEN_DEADLINE_CHECKS: usize = 4096;
/// A query's rows are sampled to find the step; that many tell it.
const TIMES_THAT_TELL_A_STEP: usize = 2000;

const NOTHING_TO_READ: &str = "neither table nor query is set, so there is nothing to read";

/// A question about the rows of a metric.
pub struct Reader<'a> {
    pub connection: &'a mut Conn,
    pub metric: &'a Metric,
    pub now: DateTime<Tz>,
    pub deadline: Deadline,
}

impl Reader<'_> {
    /// The buckets up to the last one closed as of a time.
    pub fn history(&mut self, as_of: DateTime<Tz>, lookback: Lookback) -> Result<History> {
        match &self.metric.rows {
            Rows::Table(table) => self.table_history(table, as_of, lookback),
            Rows::Query(query) => self.query_history(query, as_of, lookback),
            Rows::File { .. } => bail!(NOTHING_TO_READ),
        }
    }

    /// Whether there is any row in a time.
    pub fn holds_rows(&mut self, range: &Range<DateTime<Tz>>) -> Result<bool> {
        match &self.metric.rows {
            Rows::Table(table) => {
                let column = self.time_column(table)?;
                let (statement, bounds) = (sql::any_row(table), cell::bounds(range, column));
                let row: Option<u8> = self.connection.exec_first(statement, bounds)?;
                Ok(row.is_some())
            }
            // The bounds of local times may let in rows of before, and a query any row.
            Rows::Query(query) => {
                self.any_row(query, range, LocalClock::Until(self.now), |time, _| {
                    time.is_none_or(|time| range.contains(&time))
                })
            }
            Rows::File { .. } => bail!(NOTHING_TO_READ),
        }
    }

    fn table_history(
        &mut self,
        table: &Table,
        as_of: DateTime<Tz>,
        lookback: Lookback,
    ) -> Result<History> {
        let column = self.time_column(table)?;
        let step = match self.metric.step {
            Some(step) => step,
            None => self.infer_table_step(table, column, as_of)?,
        };
        let mut history = History::new(self.metric, None, step, as_of, lookback, None)?;
        let (aggregate, range) = (self.metric.aggregate, history.times());
        let mut clock = LocalClock::Until(self.now);
        let bucket = sql::bucket(&table.time_column, column, history.grid(), &range);
        let statement = sql::buckets(table, aggregate, &bucket);
        let bounds = cell::bounds(&range, column);
        let rows = self.connection.exec_iter(statement, bounds)?;
        for (count, row) in rows.enumerate() {
            check(self.deadline, count)?;
            let (bucket, value, rows, with_value): (i64, Option<f64>, u64, u64) =
                ::mysql::from_row_opt(row?)?;
            match start_of_bucket(bucket, column, history.grid(), &mut clock) {
                // In the second pass of a repeated hour the bounds let in rows of the first beyond them.
                Some(time) if !history.holds(time) => {}
                Some(time) => {
                    history.buckets.add(time, value);
                    let row_counts = &mut history.buckets.row_counts;
                    row_counts.rows += rows - 1;
                    // A bucket without any value has counted as one row already.
                    row_counts.empty += rows - with_value.max(u64::from(value.is_none()));
                    if aggregate.is_none() {
                        row_counts.repeated += with_value.saturating_sub(1);
                    }
                }
                None => history.buckets.add_unclear(rows),
            }
        }
        Ok(history)
    }

    /// What the time column of a table tells; its value column must hold numbers.
    fn time_column(&mut self, table: &Table) -> Result<TimeColumn> {
        let types = self.connection.prep(sql::column_types(table))?;
        let column = cell::time_column(&types.columns()[0], &table.time_column)?;
        if self.metric.aggregate != Some(Aggregate::Count) {
            cell::ensure_numeric(&types.columns()[1])?;
        }
        Ok(column)
    }

    fn infer_table_step(
        &mut self,
        table: &Table,
        column: TimeColumn,
        as_of: DateTime<Tz>,
    ) -> Result<Step> {
        let (_, before) = cell::bounds(&(as_of..as_of), column);
        let rows: Vec<Value> = self.connection.exec(sql::newest_times(table), (before,))?;
        let mut clock = LocalClock::Until(self.now);
        let instant = |value| cell::instant(value, column, self.now.timezone(), &mut clock);
        find_step(&rows.iter().filter_map(instant).collect::<Vec<_>>())
    }

    fn query_history(
        &mut self,
        query: &Query,
        as_of: DateTime<Tz>,
        lookback: Lookback,
    ) -> Result<History> {
        let step = match self.metric.step {
            Some(step) => step,
            None => self.infer_query_step(query, as_of)?,
        };
        let aggregate = self.metric.aggregate;
        let mut history = History::new(self.metric, aggregate, step, as_of, lookback, None)?;
        let clock = if step.follows_wall_clock() {
            LocalClock::EitherPass(self.now.timezone())
        } else {
            LocalClock::Until(self.now)
        };
        self.any_row(query, &history.times(), clock, |time, value| {
            history.add(time, value);
            false
        })?;
        Ok(history)
    }

    fn infer_query_step(&mut self, query: &Query, as_of: DateTime<Tz>) -> Result<Step> {
        let hour = Step::from_seconds(3600).context("a step of an hour")?;
        let window = Lookback::Beyond(Duration::ZERO);
        let window = History::new(self.metric, None, hour, as_of, window, None)?;
        let (clock, mut times) = (LocalClock::Until(self.now), Vec::new());
        self.any_row(query, &window.times(), clock, |time, _| {
            times.extend(time);
            times.len() >= TIMES_THAT_TELL_A_STEP
        })?;
        find_step(&times)
    }

    /// Runs the query over a time until the instant and the value of a row meet the condition, if any do.
    fn any_row(
        &mut self,
        query: &Query,
        range: &Range<DateTime<Tz>>,
        mut clock: LocalClock,
        mut condition: impl FnMut(Option<DateTime<Tz>>, Option<f64>) -> bool,
    ) -> Result<bool> {
        let statement = self.connection.prep(&query.sql)?;
        let columns = statement.columns();
        ensure!(
            !columns.is_empty(),
            "the query returns no rows; it must be a SELECT"
        );
        let time_index = find_column(&columns, query.time_column.as_deref(), 0)?;
        let value_index = find_column(&columns, query.value_column.as_deref(), 1)?;
        let column = cell::time_column(&columns[time_index], &columns[time_index].name_str())?;
        let (from, to) = cell::bounds(range, column);
        let bounds = params! { "from" => from, "to" => to };
        let rows = self.connection.exec_iter(&statement, bounds)?;
        for (count, row) in rows.enumerate() {
            check(self.deadline, count)?;
            let row = row?;
            let cell = |index| row.as_ref(index).unwrap_or(&Value::NULL);
            let time = cell::instant(cell(time_index), column, self.now.timezone(), &mut clock);
            if condition(time, cell::number(cell(value_index))?) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn start_of_bucket(
    bucket: i64,
    column: TimeColumn,
    grid: &Grid,
    clock: &mut LocalClock,
) -> Option<DateTime<Tz>> {
    if grid.step().follows_wall_clock() || column != TimeColumn::Local {
        return Some(grid.instant(bucket));
    }
    let seconds = bucket.checked_mul(grid.step().seconds())?;
    clock.instant(Grid::EPOCH.naive_utc() + TimeDelta::try_seconds(seconds)?)
}

fn find_step(times: &[DateTime<Tz>]) -> Result<Step> {
    infer_step(times).with_context(|| {
        format!(
            "the times of its {} newest rows do not tell a step; set every, as in every = \"5m\"",
            times.len()
        )
    })
}

fn find_column(columns: &[Column], name: Option<&str>, default: usize) -> Result<usize> {
    let mut names = columns.iter().map(Column::name_str);
    let found = match name {
        Some(name) => names.position(|column| column.eq_ignore_ascii_case(name)),
        None => (default < columns.len()).then_some(default),
    };
    found.with_context(|| {
        let names: Vec<_> = columns.iter().map(Column::name_str).collect();
        let wanted = name.map_or(format!("a column {}", default + 1), |name| {
            format!("{name:?}")
        });
        format!("the query returns the columns {names:?}; {wanted} is not among them")
    })
}

fn check(deadline: Deadline, count: usize) -> Result<()> {
    if count.is_multiple_of(ROWS_BETWEEN_DEADLINE_CHECKS) {
        deadline.at_most(Duration::from_secs(1))?;
    }
    Ok(())
}
