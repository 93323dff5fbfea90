//! Reads the rows of many series of one metric in one go, ordered by key: one series after the other is handed
//! over as soon as it is whole, so that no more than one is in memory here.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ops::{ControlFlow, Range};

use ::mysql::consts::ColumnType;
use ::mysql::{Column, Params, Row, Value};
use anyhow::{Context, Result, bail, ensure};
use chrono::{DateTime, TimeDelta};
use chrono_tz::Tz;

use super::bucket_rows::{BucketRow, BucketStart, add_bucket, start_of_bucket};
use super::cell;
use super::read::{OwnRows, Prepared, Reader};
use super::session::NotMysql;
use super::sql::groups::{self, Condition, KeyColumn, KeyKind, Part, Placeholders, SeriesBuckets};
use super::sql::{self, TimeColumn};
use crate::config::{Group, MOST_SERIES, Metric, Query, Rows, Table};
use crate::series::key::SeriesKey;
use crate::series::{Aggregate, Grid, LocalClock};
use crate::source::cache::MetricCache;
use crate::source::cache::series::{Wanted, fill_series};
use crate::source::history::History;
use crate::source::series::{SeriesHistory, SeriesRequest, TooManySeries};

/// So long before now more series than may be are looked for, before all are read.
const LOOKED_AT: TimeDelta = TimeDelta::days(1);

/// Takes the history of one series after the other.
type Take<'a> = dyn FnMut(SeriesHistory) -> Result<()> + 'a;

/// The rows of a table that are read, and how.
pub(super) struct SeriesTable<'a> {
    table: &'a Table,
    column: TimeColumn,
    group: &'a Group,
    keys: Vec<KeyColumn>,
    /// Which series are watched.
    wanted: Condition,
    /// Those after it come first.
    after: Option<&'a SeriesKey>,
}

/// Gathers the rows of the series that is read just now.
struct Gathering<'a> {
    group: &'a Group,
    empty: History,
    present: Option<Present>,
    count: usize,
    take: &'a mut Take<'a>,
}

struct Present {
    values: Vec<Value>,
    title: Option<Value>,
    /// The slot of the row that the title is of.
    titled: i64,
    history: History,
}

impl Reader<'_> {
    /// Hands over the history of one series after the other. What is read of no series at all is returned.
    pub fn each_series(
        &mut self,
        request: &SeriesRequest,
        cache: Option<&MetricCache>,
        take: &mut Take,
    ) -> Result<History> {
        let metric = self.metric;
        let group = metric.group.as_ref().context("group_by: not set")?;
        match &metric.rows {
            Rows::Table(table) => self.each_of_table(table, group, request, cache, take),
            Rows::Query(query) => self.each_of_query(query, group, request, cache, take),
            Rows::File { .. } => bail!("group_by: a file has one series"),
        }
    }

    fn each_of_table(
        &mut self,
        table: &Table,
        group: &Group,
        request: &SeriesRequest,
        cache: Option<&MetricCache>,
        take: &mut Take,
    ) -> Result<History> {
        let as_of = request.as_of;
        let (column, mut empty) = self.begin_history(table, as_of, request.lookback)?;
        let series_table = SeriesTable {
            after: request.after.as_ref(),
            ..self.series_table(table, group, column)?
        };
        if request.are_new && group.top.is_none() {
            self.check_count(&series_table, &empty.times())?;
        }
        let clock = self.session.describe_clock(column);
        let read = |history: &History, wanted: Wanted, take: &mut Take| match wanted {
            Wanted::All => self.series_of_table(&series_table, history, take),
            Wanted::One(key) => {
                let own = self.metric.of_series(key, None, 1);
                let mut history = history.clone();
                self.of_series(&own)
                    .table_rows(table, column, &mut history)?;
                take(SeriesHistory {
                    key: key.clone(),
                    title: None,
                    history,
                })
            }
        };
        // Which series are among the first is known only once all of the window is added up; and what begins in
        // the middle has an order that kept windows do not have.
        let cache = cache.filter(|_| group.top.is_none() && request.after.is_none());
        if fill_series(&empty, cache, &clock, read, take)? == 0 {
            empty.hint = self.table_hint(table, column, &empty);
        }
        Ok(empty)
    }

    /// How all series of a table are read in the time of a history.
    pub(super) fn series_table<'a>(
        &mut self,
        table: &'a Table,
        group: &'a Group,
        column: TimeColumn,
    ) -> Result<SeriesTable<'a>> {
        let keys = self.key_columns(table, group)?;
        Ok(SeriesTable {
            table,
            column,
            group,
            wanted: Condition::of_watched(&keys, group, Placeholders::Positional),
            keys,
            after: None,
        })
    }

    /// The same session, for one of the series of the metric.
    fn of_series<'a>(&'a mut self, own: &'a Metric) -> Reader<'a> {
        Reader {
            session: self.session,
            metric: own,
            now: self.now,
            deadline: self.deadline,
        }
    }

    /// Hands over the series with rows in the time of a history.
    fn series_of_table(
        &mut self,
        series_table: &SeriesTable,
        empty: &History,
        take: &mut Take,
    ) -> Result<()> {
        let parts: &[Part] = match series_table.after {
            None => &[Part::All],
            Some(_) => &[Part::After, Part::UpTo],
        };
        let (column, group) = (series_table.column, series_table.group);
        let (count, aggregate) = (series_table.keys.len(), self.metric.aggregate);
        let mut clock = LocalClock::Until(self.now);
        let mut slots = SlotsOfBuckets::default();
        let mut gathering = Gathering::new(group, empty.clone(), take);
        for part in parts {
            let (statement, bound) = series_table.select(empty, aggregate, *part);
            self.each_row(&statement, bound, |row| {
                let cell = |index: usize| row.as_ref(count + index);
                let number = |index: usize| cell::whole_number(cell(index).unwrap_or(&Value::NULL));
                let counted = |index: usize| u64::try_from(number(index).unwrap_or(0)).unwrap_or(0);
                let bucket_row = BucketRow {
                    value: cell::number(cell(1).context(NotMysql)?)?,
                    rows: counted(2),
                    with_value: counted(3),
                };
                let present = gathering.turn_to(&row, count)?;
                let grid = present.history.grid();
                let start = number(0).and_then(|bucket| {
                    slots.start(
                        bucket,
                        || start_of_bucket(bucket, column, grid, &mut clock),
                        grid,
                    )
                });
                present.note_title(cell(4), start.map(|(slot, _)| slot));
                // A day or a month may be 0: such a time is in no bucket.
                let start = start.map_or(BucketStart::Unclear { near: None }, |(_, time)| {
                    BucketStart::At(time)
                });
                add_bucket(&mut present.history, start, &bucket_row, aggregate);
                Ok(ControlFlow::Continue(()))
            })?;
        }
        gathering.hand_over()
    }

    fn each_of_query(
        &mut self,
        query: &Query,
        group: &Group,
        request: &SeriesRequest,
        cache: Option<&MetricCache>,
        take: &mut Take,
    ) -> Result<History> {
        let prepared = self.prepare_series(query, group, request.as_of, None)?;
        let step = match self.metric.step {
            Some(step) => step,
            None => self.infer_query_step(query, &prepared, request.as_of)?,
        };
        let (aggregate, as_of) = (self.metric.aggregate, request.as_of);
        let mut empty = History::new(self.metric, aggregate, step, as_of, request.lookback, None)?;
        let clock = self.session.describe_clock(prepared.column);
        let clock = format!("{clock} {:?}", prepared.time_name);
        let read = |history: &History, wanted: Wanted, take: &mut Take| match wanted {
            Wanted::All => self.series_of_query(&prepared, group, history, take),
            Wanted::One(key) => {
                let own = self.metric.of_series(key, None, 1);
                let mut history = history.clone();
                let mut reader = self.of_series(&own);
                let prepared = reader.prepare(query, as_of)?;
                reader.query_rows(&prepared, &mut history)?;
                take(SeriesHistory {
                    key: key.clone(),
                    title: None,
                    history,
                })
            }
        };
        if fill_series(&empty, cache, &clock, read, take)? == 0 {
            empty.hint = self.query_hint(query, &prepared, &empty, None);
        }
        Ok(empty)
    }

    fn series_of_query(
        &mut self,
        prepared: &Prepared,
        group: &Group,
        empty: &History,
        take: &mut Take,
    ) -> Result<()> {
        let mut clock = if empty.step().follows_wall_clock() {
            LocalClock::EitherPass(self.now.timezone())
        } else {
            LocalClock::Until(self.now)
        };
        let (range, zone, count) = (empty.times(), self.now.timezone(), group.columns.len());
        let (parameters, deadline) = (prepared.parameters(&range), self.deadline);
        let mut gathering = Gathering::new(group, empty.clone(), take);
        self.session
            .rows(&prepared.statement, parameters, deadline, |row| {
                let cell = |index: usize| row.as_ref(index).unwrap_or(&Value::NULL);
                let raw_time = cell(prepared.time_index);
                let time = cell::instant(raw_time, prepared.column, zone, &mut clock);
                let value = cell::number(cell(prepared.value_index))?;
                // The query may return more than it was asked for.
                if time.is_none_or(|time| range.contains(&time)) {
                    let present = gathering.turn_to(&row, count)?;
                    let slot = time.map(|time| present.history.grid().slot(time));
                    present.note_title(row.as_ref(prepared.value_index + 1), slot);
                    present.history.add(time, value);
                }
                Ok(ControlFlow::Continue(()))
            })?;
        gathering.hand_over()
    }

    /// Refuses more series than anybody means to watch, before they are read.
    fn check_count(
        &mut self,
        series_table: &SeriesTable,
        range: &Range<DateTime<Tz>>,
    ) -> Result<()> {
        let SeriesTable {
            table,
            column,
            keys,
            wanted,
            ..
        } = series_table;
        let newest = (range.end - LOOKED_AT).max(range.start)..range.end;
        let (from, to) = cell::bounds(&newest, *column);
        let bound = [from, to].into_iter().chain(values(wanted)).collect();
        let statement = groups::count_of_series(table, keys, wanted, MOST_SERIES);
        let mut count = None;
        self.each_row(&statement, Params::Positional(bound), |row| {
            count = row.as_ref(0).and_then(cell::whole_number);
            Ok(ControlFlow::Continue(()))
        })?;
        let count = usize::try_from(count.unwrap_or(0)).unwrap_or(usize::MAX);
        ensure!(count <= MOST_SERIES, TooManySeries);
        Ok(())
    }

    /// The key columns of a table, with what they hold.
    pub(super) fn key_columns(&mut self, table: &Table, group: &Group) -> Result<Vec<KeyColumn>> {
        let types = self.session.statement(&groups::key_columns(table, group))?;
        let columns = types.columns();
        let keys = group.columns.iter().zip(&*columns);
        let keys = keys.map(|(name, column)| key_column(name, column));
        keys.collect()
    }

    /// The rows of a table that are of the series, if the metric is one of many; and what is bound in their
    /// condition.
    pub(super) fn own_rows(&mut self, table: &Table) -> Result<OwnRows> {
        let Some(series) = &self.metric.series else {
            return Ok(OwnRows {
                table: table.clone(),
                bound: Vec::new(),
            });
        };
        let columns = series.key.parts().iter().map(|part| part.column.clone());
        let group = Group {
            columns: columns.collect(),
            ..Group::of_nothing()
        };
        let keys = self.key_columns(table, &group)?;
        let condition = Condition::of_series(&keys, &series.key, Placeholders::Positional);
        Ok(OwnRows {
            table: groups::with_condition(table, &condition),
            bound: values(&condition).collect(),
        })
    }

    /// Lets the server take in the query with its rows ordered by key, or with those of one series.
    pub(super) fn prepare_series(
        &mut self,
        query: &Query,
        group: &Group,
        at: DateTime<Tz>,
        own: Option<&SeriesKey>,
    ) -> Result<Prepared> {
        let statement = self.session.statement(&query.sql)?;
        let columns = statement.columns();
        let find = |name: &String| {
            let mut columns = columns.iter();
            columns
                .find(|column| column.name_str().eq_ignore_ascii_case(name))
                .with_context(|| {
                    let names: Vec<_> = columns.as_slice().iter().map(Column::name_str).collect();
                    format!("the query returns the columns {names:?}; {name:?} is not among them")
                })
        };
        let keys = group
            .columns
            .iter()
            .map(|name| key_column(name, find(name)?));
        let keys: Vec<KeyColumn> = keys.collect::<Result<_>>()?;
        let is_of_group = |column: &Column| {
            let mut names = group.columns.iter().chain(&group.title_column);
            names.any(|name| column.name_str().eq_ignore_ascii_case(name))
        };
        let mut others = columns.iter().filter(|column| !is_of_group(column));
        let mut named = |name: &Option<String>| {
            if let Some(name) = name {
                return find(name).map(|column| column.name_str().into_owned());
            }
            let next = others.next().map(|column| column.name_str().into_owned());
            next.context(
                "the query returns no column for the time or the value beside those of group_by",
            )
        };
        let (time, value) = (named(&query.time_column)?, named(&query.value_column)?);
        let condition = match own {
            Some(key) => Condition::of_series(&keys, key, Placeholders::Named),
            None => Condition::of_watched(&keys, group, Placeholders::Named),
        };
        let sql = groups::series_rows(&query.sql, [&time, &value], group, &keys, &condition);
        let query = Query {
            sql,
            time_column: Some(time),
            value_column: Some(value),
        };
        let mut prepared = self.prepare_plain(&query, at)?;
        prepared.own = condition.values;
        Ok(prepared)
    }
}

impl SeriesTable<'_> {
    /// The SELECT of a part of the series in the time of a history, and what is bound in it.
    pub(super) fn select(
        &self,
        history: &History,
        aggregate: Option<Aggregate>,
        part: Part,
    ) -> (String, Params) {
        let (table, range) = (self.table, history.times());
        let bucket = sql::bucket(&table.time_column, self.column, history.grid(), &range);
        let mut bound = Vec::new();
        let times = if self.group.top.is_some() { 2 } else { 1 };
        for _ in 0..times {
            bound.extend(<[Value; 2]>::from(cell::bounds(&range, self.column)));
            bound.extend(values(&self.wanted));
        }
        let after = self.after.filter(|_| part != Part::All);
        let after = after.into_iter().flat_map(SeriesKey::parts);
        bound.extend(after.map(|part| cell::text_value(part.value.as_deref())));
        let statement = groups::series_buckets(&SeriesBuckets {
            table,
            aggregate,
            bucket: &bucket,
            group: self.group,
            keys: &self.keys,
            wanted: &self.wanted,
            part,
        });
        (statement, Params::Positional(bound))
    }
}

impl<'a> Gathering<'a> {
    fn new(group: &'a Group, empty: History, take: &'a mut Take<'a>) -> Self {
        Self {
            group,
            empty,
            present: None,
            count: 0,
            take,
        }
    }

    /// Begins a new series where the row has another key than the one before.
    fn turn_to(&mut self, row: &Row, count: usize) -> Result<&mut Present> {
        let is_same = self.present.as_ref().is_some_and(|present| {
            let mut values = present.values.iter().enumerate();
            values.all(|(index, value)| row.as_ref(index) == Some(value))
        });
        if !is_same {
            self.hand_over()?;
            ensure!(self.count < MOST_SERIES, TooManySeries);
            self.count += 1;
        }
        let values = (0..count).map(|index| row.as_ref(index).cloned().unwrap_or(Value::NULL));
        let empty = &self.empty;
        Ok(self.present.get_or_insert_with(|| Present {
            values: values.collect(),
            title: None,
            titled: i64::MIN,
            history: empty.clone(),
        }))
    }

    fn hand_over(&mut self) -> Result<()> {
        let Some(present) = self.present.take() else {
            return Ok(());
        };
        let values = present.values.iter().map(cell::text);
        (self.take)(SeriesHistory {
            key: SeriesKey::new(&self.group.columns, values),
            title: present.title.as_ref().and_then(cell::text),
            history: present.history,
        })
    }
}

impl Present {
    /// The title is that of the newest row that has one.
    fn note_title(&mut self, title: Option<&Value>, slot: Option<i64>) {
        let (Some(title), Some(slot)) = (title, slot) else {
            return;
        };
        if slot >= self.titled && *title != Value::NULL {
            self.titled = slot;
            if self.title.as_ref() != Some(title) {
                self.title = Some(title.clone());
            }
        }
    }
}

/// When buckets begin, which is the same for all series.
#[derive(Default)]
struct SlotsOfBuckets(HashMap<i64, Option<(i64, DateTime<Tz>)>>);

impl SlotsOfBuckets {
    fn start(
        &mut self,
        bucket: i64,
        start: impl FnOnce() -> Option<DateTime<Tz>>,
        grid: &Grid,
    ) -> Option<(i64, DateTime<Tz>)> {
        match self.0.entry(bucket) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => *new.insert(start().map(|time| (grid.slot(time), time))),
        }
    }
}

fn key_column(name: &str, column: &Column) -> Result<KeyColumn> {
    use ColumnType as Type;
    const BINARY: u16 = 63;
    let kind = match column.column_type() {
        Type::MYSQL_TYPE_FLOAT | Type::MYSQL_TYPE_DOUBLE => bail!(
            "group_by: {name} holds floating point numbers, which are no keys; allowed: whole numbers, DECIMAL, texts, dates"
        ),
        Type::MYSQL_TYPE_GEOMETRY => bail!("group_by: {name} holds shapes, which are no keys"),
        Type::MYSQL_TYPE_BIT => KeyKind::Binary,
        kind if kind.is_character_type() || is_blob(kind) => {
            if column.character_set() == BINARY {
                KeyKind::Binary
            } else {
                KeyKind::Text
            }
        }
        _ => KeyKind::Plain,
    };
    Ok(KeyColumn {
        name: name.to_string(),
        kind,
    })
}

fn is_blob(kind: ColumnType) -> bool {
    use ColumnType as Type;
    matches!(
        kind,
        Type::MYSQL_TYPE_TINY_BLOB
            | Type::MYSQL_TYPE_MEDIUM_BLOB
            | Type::MYSQL_TYPE_LONG_BLOB
            | Type::MYSQL_TYPE_BLOB
            | Type::MYSQL_TYPE_ENUM
            | Type::MYSQL_TYPE_SET
            | Type::MYSQL_TYPE_JSON
    )
}

fn values(condition: &Condition) -> impl Iterator<Item = Value> {
    let values = condition.values.iter();
    values.map(|value| cell::text_value(value.as_deref()))
}
