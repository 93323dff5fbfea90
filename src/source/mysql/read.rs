//! Reads the rows of one metric: those of a table are put into buckets by the server, so that one row a
//! bucket comes back; those of a query of the configuration are put into buckets here.

use std::ops::{ControlFlow, Range};
use std::time::Duration;

use ::mysql::{Column, Params, Row, Statement, Value};
use anyhow::{Context, Result, bail, ensure};
use chrono::DateTime;
use chrono_tz::Tz;

use super::bucket_rows::{BucketRow, BucketStart, add_bucket, local_start, start_of_bucket};
use super::cell;
use super::session::{NotMysql, Session};
use super::sql::groups::Condition;
use super::sql::{self, TimeColumn};
use crate::config::{Deadline, Group, Metric, Query, Rows, Table};
use crate::series::key::SeriesKey;
use crate::series::local_time::first_pass;
use crate::series::{Aggregate, LocalClock, Step, infer_step};
use crate::source::cache::{self, MetricCache};
use crate::source::history::{History, Lookback};

/// A query's rows are sampled to find the step; that many tell it.
const TIMES_THAT_TELL_A_STEP: usize = 2000;

/// So many times may be all that a few weeks hold.
const TOO_FEW_TIMES: usize = 5;

const NOTHING_TO_READ: &str = "neither table nor query is set, so there is nothing to read";

/// A question about the rows of a metric.
pub struct Reader<'a> {
    pub session: &'a mut Session,
    pub metric: &'a Metric,
    pub now: DateTime<Tz>,
    pub deadline: Deadline,
}

/// A query that the server has taken in, and where in its rows the two columns are.
pub(super) struct Prepared {
    pub statement: Statement,
    pub time_index: usize,
    pub value_index: usize,
    pub column: TimeColumn,
    pub time_name: String,
    /// Whether its times are computed, and not those of a column as they are.
    pub is_computed: bool,
    /// What is bound beside the bounds of the time.
    pub own: Vec<Option<String>>,
}

impl Prepared {
    pub fn parameters(&self, range: &Range<DateTime<Tz>>) -> Params {
        let (from, to) = cell::bounds(range, self.column);
        let own = self.own.iter().enumerate();
        let own =
            own.map(|(index, value)| (Condition::name(index), cell::text_value(value.as_deref())));
        let bounds = [("from".to_string(), from), ("to".to_string(), to)];
        bounds.into_iter().chain(own).collect::<Vec<_>>().into()
    }
}

/// What a row of a query says.
pub(super) struct QueryRow<'a> {
    /// As it came.
    raw_time: &'a Value,
    pub time: Option<DateTime<Tz>>,
    value: Option<f64>,
}

/// The rows of a table that are read.
pub(super) struct OwnRows {
    pub table: Table,
    /// What is bound after the bounds of the time.
    pub bound: Vec<Value>,
}

impl OwnRows {
    /// Some bounds, and what is bound after them.
    pub fn bind(&self, bounds: impl IntoIterator<Item = Value>) -> Params {
        let bound: Vec<Value> = bounds.into_iter().chain(self.bound.clone()).collect();
        if bound.is_empty() {
            Params::Empty
        } else {
            Params::Positional(bound)
        }
    }
}

impl Reader<'_> {
    /// The buckets up to the last one closed as of a time.
    pub fn history(
        &mut self,
        as_of: DateTime<Tz>,
        lookback: Lookback,
        cache: Option<&MetricCache>,
    ) -> Result<History> {
        match &self.metric.rows {
            Rows::Table(table) => self.table_history(table, as_of, lookback, cache),
            Rows::Query(query) => self.query_history(query, as_of, lookback, cache),
            Rows::File { .. } => bail!(NOTHING_TO_READ),
        }
    }

    /// Whether there is any row in a time.
    pub fn holds_rows(&mut self, range: &Range<DateTime<Tz>>) -> Result<bool> {
        let mut holds = false;
        match &self.metric.rows {
            Rows::Table(table) => {
                let column = self.time_column(table, range.end)?;
                let own = self.own_rows(table)?;
                let (from, to) = cell::bounds(range, column);
                self.each_row(&sql::any_row(&own.table), own.bind([from, to]), |_| {
                    holds = true;
                    Ok(ControlFlow::Break(()))
                })?;
            }
            // The bounds of local times may let in rows of before, and a query any row.
            Rows::Query(query) => {
                let prepared = self.prepare(query, range.end)?;
                let clock = LocalClock::Until(self.now);
                self.each_query_row(&prepared, range, clock, |row| {
                    holds = row.time.is_none_or(|time| range.contains(&time));
                    continue_unless(holds)
                })?;
            }
            Rows::File { .. } => bail!(NOTHING_TO_READ),
        }
        Ok(holds)
    }

    fn table_history(
        &mut self,
        table: &Table,
        as_of: DateTime<Tz>,
        lookback: Lookback,
        cache: Option<&MetricCache>,
    ) -> Result<History> {
        let (column, history) = self.begin_history(table, as_of, lookback)?;
        let clock = self.session.describe_clock(column);
        let mut history = cache::fill(history, cache, &clock, |history| {
            self.table_rows(table, column, history)
        })?;
        history.hint = self.table_hint(table, column, &history);
        Ok(history)
    }

    /// A history of a table that has no rows yet, and what its time column tells.
    pub(super) fn begin_history(
        &mut self,
        table: &Table,
        as_of: DateTime<Tz>,
        lookback: Lookback,
    ) -> Result<(TimeColumn, History)> {
        let column = self.time_column(table, as_of)?;
        let step = match self.metric.step {
            Some(step) => step,
            None => self.infer_table_step(table, column, as_of)?,
        };
        let history = History::new(self.metric, None, step, as_of, lookback, None)?;
        Ok((column, history))
    }

    /// Reads the rows of a history's time.
    pub(super) fn table_rows(
        &mut self,
        table: &Table,
        column: TimeColumn,
        history: &mut History,
    ) -> Result<()> {
        let own = self.own_rows(table)?;
        let (aggregate, range) = (self.metric.aggregate, history.times());
        let zone = self.now.timezone();
        let mut clock = LocalClock::Until(self.now);
        let bucket = sql::bucket(&table.time_column, column, history.grid(), &range);
        let (from, to) = cell::bounds(&range, column);
        let statement = sql::buckets(&own.table, aggregate, &bucket);
        self.each_row(&statement, own.bind([from, to]), |row| {
            let row: (Option<i64>, Option<f64>, u64, u64) =
                ::mysql::from_row_opt(row).map_err(|_| NotMysql)?;
            let (bucket, value, rows, with_value) = row;
            let start = |bucket| start_of_bucket(bucket, column, history.grid(), &mut clock);
            let start = if let Some(time) = bucket.and_then(start) {
                BucketStart::At(time)
            } else {
                // A day or a month may be 0: such a time is in no bucket.
                let local = bucket.and_then(|bucket| local_start(bucket, history.grid()));
                let near = local.and_then(|local| first_pass(local, zone));
                BucketStart::Unclear { near }
            };
            let bucket_row = BucketRow {
                value,
                rows,
                with_value,
            };
            add_bucket(history, start, &bucket_row, aggregate);
            Ok(ControlFlow::Continue(()))
        })
    }

    /// What the time column of a table tells, which the session's clock then is; its value column must
    /// hold numbers.
    pub(super) fn time_column(&mut self, table: &Table, at: DateTime<Tz>) -> Result<TimeColumn> {
        let types = self.session.statement(&sql::column_types(table))?;
        let (columns, metric) = (types.columns(), self.metric);
        let [time, value, ..] = &*columns else {
            bail!(NotMysql);
        };
        let column = cell::time_column(time, &table.time_column, metric.time)?;
        if metric.aggregate != Some(Aggregate::Count) {
            cell::ensure_numeric(value)?;
        }
        self.session.show_clock(column, at)?;
        Ok(column)
    }

    pub(super) fn infer_table_step(
        &mut self,
        table: &Table,
        column: TimeColumn,
        as_of: DateTime<Tz>,
    ) -> Result<Step> {
        let OwnRows { table, bound } = &self.own_rows(table)?;
        let (_, before) = cell::bounds(&(as_of..as_of), column);
        let bound = [vec![before], bound.clone()].concat();
        let times = self.times(&sql::newest_times(table), bound, column)?;
        if times.is_empty() {
            let looked_at = self.look_at_newest(table, column)?;
            return find_step(&times).context(looked_at);
        }
        find_step(&times)
    }

    fn query_history(
        &mut self,
        query: &Query,
        as_of: DateTime<Tz>,
        lookback: Lookback,
        cache: Option<&MetricCache>,
    ) -> Result<History> {
        let prepared = self.prepare(query, as_of)?;
        let step = match self.metric.step {
            Some(step) => step,
            None => self.infer_query_step(query, &prepared, as_of)?,
        };
        let aggregate = self.metric.aggregate;
        let history = History::new(self.metric, aggregate, step, as_of, lookback, None)?;
        let clock = self.session.describe_clock(prepared.column);
        let clock = format!("{clock} {:?}", prepared.time_name);
        let mut raw_time = None;
        let mut history = cache::fill(history, cache, &clock, |history| {
            raw_time = self.query_rows(&prepared, history)?;
            Ok(())
        })?;
        history.hint = self.query_hint(query, &prepared, &history, raw_time);
        Ok(history)
    }

    /// Reads the rows of a history's time, and returns the time of one that is outside, if one came.
    pub(super) fn query_rows(
        &mut self,
        prepared: &Prepared,
        history: &mut History,
    ) -> Result<Option<Value>> {
        let zone = self.now.timezone();
        let clock = if history.step().follows_wall_clock() {
            LocalClock::EitherPass(zone)
        } else {
            LocalClock::Until(self.now)
        };
        let (range, mut raw_time) = (history.times(), None);
        self.each_query_row(prepared, &range, clock, |row| {
            if raw_time.is_none() && row.time.is_none_or(|time| !history.holds(time)) {
                raw_time = Some(row.raw_time.clone());
            }
            if row.time.is_some() {
                history.add(row.time, row.value);
            } else {
                let first = cell::first_pass(row.raw_time, prepared.column, zone);
                history.add_unclear(first, 1);
            }
            ControlFlow::Continue(())
        })?;
        Ok(raw_time)
    }

    pub(super) fn infer_query_step(
        &mut self,
        query: &Query,
        prepared: &Prepared,
        as_of: DateTime<Tz>,
    ) -> Result<Step> {
        let hour = Step::from_seconds(3600).context("a step of an hour")?;
        let (mut range, mut times) = (as_of..as_of, Vec::new());
        // A few weeks hold only a few weeks and months.
        for before in [Duration::ZERO, self.metric.window(Step::Month)] {
            let lookback = Lookback::Beyond(before);
            range = History::new(self.metric, None, hour, as_of, lookback, None)?.times();
            let clock = LocalClock::Until(self.now);
            times.clear();
            self.each_query_row(prepared, &range, clock, |row| {
                times.extend(row.time);
                continue_unless(times.len() >= TIMES_THAT_TELL_A_STEP)
            })?;
            if times.len() > TOO_FEW_TIMES {
                break;
            }
        }
        if times.is_empty() {
            let explained = self.explain_nothing(query, prepared, &range, None, None)?;
            return find_step(&times).context(explained);
        }
        find_step(&times)
    }

    /// Lets the server take in the query, or the part of it that is of the series.
    pub(super) fn prepare(&mut self, query: &Query, at: DateTime<Tz>) -> Result<Prepared> {
        let metric = self.metric;
        let own = metric.series.as_ref().map(|series| &series.key);
        let columns = own.into_iter().flat_map(SeriesKey::parts);
        let group = Group {
            columns: columns.map(|part| part.column.clone()).collect(),
            ..Group::of_nothing()
        };
        match (own, &metric.group) {
            (None, None) => self.prepare_plain(query, at),
            (None, Some(group)) => self.prepare_series(query, group, at, None),
            (Some(key), _) => self.prepare_series(query, &group, at, Some(key)),
        }
    }

    /// For a session whose clock is that of the query's times.
    pub(super) fn prepare_plain(&mut self, query: &Query, at: DateTime<Tz>) -> Result<Prepared> {
        let statement = self.session.statement(&query.sql)?;
        let columns = statement.columns();
        ensure!(
            !columns.is_empty(),
            "the query returns no rows; it must be a SELECT"
        );
        let time_index = find_column(&columns, query.time_column.as_deref(), 0)?;
        let value_index = find_column(&columns, query.value_column.as_deref(), 1)?;
        let (time, value) = (&columns[time_index], &columns[value_index]);
        let column = cell::time_column(time, &time.name_str(), self.metric.time)?;
        cell::ensure_readable(value)?;
        let (time_name, is_computed) = (time.name_str().into(), time.org_name_ref().is_empty());
        let statement = if self.session.show_clock(column, at)? {
            // What it has of constant times was made of the other clock.
            self.session.close(statement)?;
            self.session.statement(&query.sql)?
        } else {
            statement
        };
        Ok(Prepared {
            statement,
            time_index,
            value_index,
            column,
            time_name,
            is_computed,
            own: Vec::new(),
        })
    }

    /// Runs the query over a time until a row is the last that is wanted.
    pub(super) fn each_query_row(
        &mut self,
        prepared: &Prepared,
        range: &Range<DateTime<Tz>>,
        mut clock: LocalClock,
        mut take: impl FnMut(QueryRow) -> ControlFlow<()>,
    ) -> Result<()> {
        let bounds = prepared.parameters(range);
        let (zone, deadline) = (self.now.timezone(), self.deadline);
        self.session
            .rows(&prepared.statement, bounds, deadline, |row| {
                let cell = |index| row.as_ref(index).unwrap_or(&Value::NULL);
                let raw_time = cell(prepared.time_index);
                Ok(take(QueryRow {
                    raw_time,
                    time: cell::instant(raw_time, prepared.column, zone, &mut clock),
                    value: cell::number(cell(prepared.value_index))?,
                }))
            })
    }

    pub(super) fn each_row(
        &mut self,
        statement: &str,
        parameters: impl Into<Params>,
        take: impl FnMut(Row) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        let statement = self.session.statement(statement)?;
        self.session
            .rows(&statement, parameters, self.deadline, take)
    }

    /// The times that a statement finds.
    pub(super) fn times(
        &mut self,
        statement: &str,
        bounds: impl Into<Params>,
        column: TimeColumn,
    ) -> Result<Vec<DateTime<Tz>>> {
        let mut clock = LocalClock::Until(self.now);
        let (zone, mut times) = (self.now.timezone(), Vec::new());
        self.each_row(statement, bounds, |row| {
            times.extend(cell::instant(first_cell(&row), column, zone, &mut clock));
            Ok(continue_unless(times.len() >= TIMES_THAT_TELL_A_STEP))
        })?;
        Ok(times)
    }
}

fn continue_unless(is_enough: bool) -> ControlFlow<()> {
    if is_enough {
        ControlFlow::Break(())
    } else {
        ControlFlow::Continue(())
    }
}

pub(super) fn first_cell(row: &Row) -> &Value {
    row.as_ref(0).unwrap_or(&Value::NULL)
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
