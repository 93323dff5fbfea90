//! What a server holds: the tables that an account may read, with their columns, and how full they are. For
//! whoever has no configuration yet.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::time::Duration;

use ::mysql::Params;
use ::mysql::prelude::FromRow;
use anyhow::{Context, Result};
use chrono::{DateTime, TimeDelta};
use chrono_tz::Tz;

use super::cell;
use super::error::query_error;
use super::session::NotMysql;
use super::sql;
use super::sql::catalog::{self, Databases};
use super::{Database, Session};
use crate::config::{Metric, Rows, Table};

/// A table that the account may read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedTable {
    pub database: String,
    pub name: String,
    /// About so many; `None` of a view.
    pub rows: Option<u64>,
    pub columns: Vec<ListedColumn>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedColumn {
    pub name: String,
    pub kind: ColumnKind,
    /// Whether it names a row: of the primary key, without repetitions, or of a row of another table.
    pub is_key: bool,
    /// Whether an index begins with it.
    pub is_indexed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// TIMESTAMP, DATETIME.
    Time,
    Date,
    Whole,
    /// DECIMAL, FLOAT, DOUBLE.
    Fraction,
    /// A flag, a year, a text and all else.
    Other,
}

/// How full a table was up to its newest row.
#[derive(Debug, Clone, PartialEq)]
pub struct Density {
    /// The newest times, at least one, the newest first.
    pub times: Vec<DateTime<Tz>>,
    /// Of four weeks.
    pub rows: u64,
    /// How many times they have, and in how many hours they are.
    pub distinct_times: u64,
    pub hours: u64,
}

/// What is looked at of a table to tell how full it is.
const LOOKED_AT: TimeDelta = TimeDelta::weeks(4);

type TableRow = (String, String, String, Option<u64>);
type ColumnRow = (String, String, String, String, String, String);
type NameRow = (String, String, String);

impl ListedTable {
    /// `shop.orders`
    pub fn full_name(&self) -> String {
        format!("{}.{}", self.database, self.name)
    }
}

impl ColumnKind {
    /// By the name of a type, and what it is with its brackets.
    fn of(type_name: &str, whole_type: &str) -> Self {
        match type_name.to_ascii_lowercase().as_str() {
            "timestamp" | "datetime" => Self::Time,
            "date" => Self::Date,
            "tinyint" if whole_type.starts_with("tinyint(1)") => Self::Other,
            "tinyint" | "smallint" | "mediumint" | "int" | "bigint" => Self::Whole,
            "decimal" | "float" | "double" => Self::Fraction,
            _ => Self::Other,
        }
    }

    pub fn is_number(self) -> bool {
        matches!(self, Self::Whole | Self::Fraction)
    }
}

impl Database {
    /// The tables of a database, or of all but the server's own, with a name that a configuration can have.
    pub fn tables(&mut self, database: Option<&str>) -> Result<Vec<ListedTable>> {
        let what = format!("list the tables on {}", self.settings.server());
        let limit = self.deadline.at_most(self.settings.query_timeout)?;
        let session = self.session()?;
        let listed = session.limit(limit).and_then(|()| list(session, database));
        listed.map_err(query_error).context(what)
    }

    /// The newest time of a table as a number: of a date the seconds since 1970, by whatever clock. `None` of an
    /// empty table. It takes no longer than that.
    pub fn newest(
        &mut self,
        table: &Table,
        kind: ColumnKind,
        patience: Duration,
    ) -> Result<Option<i64>> {
        let limit = self.deadline.at_most(patience)?;
        let select = match kind {
            ColumnKind::Time | ColumnKind::Date => catalog::newest_date(table),
            ColumnKind::Whole | ColumnKind::Fraction | ColumnKind::Other => {
                catalog::largest_number(table)
            }
        };
        let session = self.session()?;
        session.limit(limit)?;
        let newest: Vec<(Option<i64>,)> = session.records(&select, Params::Empty)?;
        Ok(newest.first().and_then(|(newest,)| *newest))
    }

    /// One of the numbers that are times.
    pub fn any_number(&mut self, table: &Table) -> Result<Option<i64>> {
        let session = self.session()?;
        let found: Vec<(Option<i64>,)> =
            session.records(&catalog::any_number(table), Params::Empty)?;
        Ok(found.first().and_then(|(number,)| *number))
    }

    /// How full the table of a metric is; `None` if it has no row before now.
    pub fn density(&mut self, metric: &Metric, now: DateTime<Tz>) -> Result<Option<Density>> {
        let Rows::Table(table) = &metric.rows else {
            return Ok(None);
        };
        self.read(metric, now, |reader| {
            let column = reader.time_column(table, now)?;
            let (_, before) = cell::bounds(&(now..now), column);
            let mut times = reader.times(&sql::newest_times(table), vec![before], column)?;
            times.sort_unstable_by(|one, other| other.cmp(one));
            let Some(newest) = times.first().copied() else {
                return Ok(None);
            };
            let range = newest - LOOKED_AT..newest + TimeDelta::seconds(1);
            let select = catalog::density(table, column);
            let mut counts = (0, 0, 0);
            reader.each_row(&select, cell::bounds(&range, column), |row| {
                counts = ::mysql::from_row_opt(row).map_err(|_| NotMysql)?;
                Ok(ControlFlow::Break(()))
            })?;
            let (rows, distinct_times, hours) = counts;
            Ok(Some(Density {
                times,
                rows,
                distinct_times,
                hours,
            }))
        })
    }
}

fn list(session: &mut Session, database: Option<&str>) -> Result<Vec<ListedTable>> {
    let databases = match database {
        Some(_) => Databases::Named,
        None => Databases::All,
    };
    let mut ask = Ask { session, database };
    let indexed: HashSet<NameRow> = ask.of(&catalog::indexed_columns(databases))?;
    let referring: HashSet<NameRow> = ask.of(&catalog::referring_columns(databases))?;
    let rows: Vec<TableRow> = ask.of(&catalog::tables(databases))?;
    let mut tables: Vec<ListedTable> = rows
        .into_iter()
        .filter(|(_, name, kind, _)| !kind.starts_with("SYSTEM VIEW") && !name.contains('.'))
        .map(|(database, name, kind, rows)| ListedTable {
            database,
            name,
            rows: rows.filter(|_| kind != "VIEW"),
            columns: Vec::new(),
        })
        .collect();
    let columns: Vec<ColumnRow> = ask.of(&catalog::columns(databases))?;
    let mut at = 0;
    for (database, table, name, type_name, whole_type, key) in columns {
        // Both come in the same order.
        let is_of = |listed: &ListedTable| listed.database == database && listed.name == table;
        if !tables.get(at).is_some_and(is_of) {
            let Some(found) = tables.iter().position(is_of) else {
                continue;
            };
            at = found;
        }
        let id = (database, table, name.clone());
        if let Some(table) = tables.get_mut(at) {
            table.columns.push(ListedColumn {
                name,
                kind: ColumnKind::of(&type_name, &whole_type),
                is_key: key == "PRI" || key == "UNI" || referring.contains(&id),
                is_indexed: indexed.contains(&id),
            });
        }
    }
    tables.retain(|table| !table.columns.is_empty());
    Ok(tables)
}

/// Questions about one database or all of them.
struct Ask<'a> {
    session: &'a mut Session,
    database: Option<&'a str>,
}

impl Ask<'_> {
    fn of<Row: FromRow, Rows: FromIterator<Row>>(&mut self, select: &str) -> Result<Rows> {
        let parameters = match self.database {
            Some(database) => Params::from((database,)),
            None => Params::Empty,
        };
        let rows = self.session.records(select, parameters)?;
        Ok(rows.into_iter().collect())
    }
}
