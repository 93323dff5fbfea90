//! A server looked at for itself: who it is, what the account may do, and how it would answer. Nothing here
//! judges a metric.

use std::ops::ControlFlow;
use std::time::Duration;

use ::mysql::{Params, Row, params};
use anyhow::Result;
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::Database;
use super::cell;
use super::error::query_error;
use super::hint::FARTHEST_AHEAD;
use super::read::Reader;
pub use super::sql::create_index;
use super::sql::groups::Part;
use super::sql::{self, TimeColumn};
use crate::config::{Metric, Rows, Table, TimeMeaning};
use crate::series::Step;
use crate::series::local_time::offset_seconds;
use crate::source::history::{History, Lookback};

/// Who answers, and to whom.
#[derive(Debug, Clone)]
pub struct Greeting {
    /// Such as `10.11.6-MariaDB`.
    pub version: String,
    /// Such as `reader@%`.
    pub account: String,
    /// How far the server's clock is ahead of ours, to the second; `None` where it does not tell.
    pub clock_ahead: Option<TimeDelta>,
}

/// How the server would find the rows of a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// By this index, or it could.
    Index(String),
    /// It reads so many rows, which are all there are.
    Scan { rows: u64 },
    /// It need not look.
    Nothing,
}

/// Why rows stand at another time than they should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misreading {
    UtcReadAsLocal,
    LocalReadAsUtc,
    /// So far ahead of the server's clock, by no clock that is known here.
    Ahead(TimeDelta),
}

/// A row of EXPLAIN.
#[derive(Debug, Default)]
struct PlannedTable {
    name: String,
    access: String,
    possible_indexes: Option<String>,
    index: Option<String>,
    rows: u64,
}

impl Database {
    pub fn greet(&mut self) -> Result<Greeting> {
        let session = self.session()?;
        let mut first = |statement| {
            let texts = session.texts(statement).map_err(query_error);
            texts.map(|texts| texts.into_iter().next().unwrap_or_default())
        };
        let (version, account) = (first(sql::VERSION)?, first(sql::ACCOUNT)?);
        let clock_ahead = session.server_now().map(|server| server - Utc::now());
        Ok(Greeting {
            version,
            account,
            clock_ahead: clock_ahead.map(|ahead| TimeDelta::seconds(rounded_seconds(ahead))),
        })
    }

    /// What the account may do beyond reading: `INSERT on shop.*`.
    pub fn rights_beyond_reading(&mut self) -> Result<Vec<String>> {
        let grants = self.session()?.texts(sql::GRANTS).map_err(query_error)?;
        Ok(grants
            .iter()
            .flat_map(|grant| rights_beyond_reading(grant))
            .collect())
    }

    /// Fails where the rows of a metric have not the columns they should have.
    pub fn check_columns(&mut self, metric: &Metric, now: DateTime<Tz>) -> Result<()> {
        self.read(metric, now, |reader| match &metric.rows {
            Rows::Table(table) => {
                reader.time_column(table, now)?;
                match &metric.group {
                    Some(group) => reader.key_columns(table, group).map(drop),
                    None => Ok(()),
                }
            }
            Rows::Query(query) => reader.prepare(query, now).map(drop),
            Rows::File { .. } => Ok(()),
        })
    }

    /// How the server would answer the SELECT of a check.
    pub fn plan(&mut self, metric: &Metric, now: DateTime<Tz>) -> Result<Plan> {
        self.read(metric, now, |reader| match &metric.rows {
            Rows::Table(table) => {
                let (column, history) = reader.window_of(table)?;
                if let Some(group) = &metric.group {
                    let series_table = reader.series_table(table, group, column)?;
                    let (select, bound) =
                        series_table.select(&history, metric.aggregate, Part::All);
                    return reader.explain(&select, bound);
                }
                let range = history.times();
                let bucket = sql::bucket(&table.time_column, column, history.grid(), &range);
                let select = sql::buckets(table, metric.aggregate, &bucket);
                reader.explain(&select, cell::bounds(&range, column))
            }
            Rows::Query(query) => {
                let prepared = reader.prepare(query, now)?;
                let step = metric.step.or_else(|| Step::from_seconds(300));
                let Some(step) = step else {
                    return Ok(Plan::Nothing);
                };
                let range = reader.history_of(step)?.times();
                let (from, to) = cell::bounds(&range, prepared.column);
                let select = query.sql.trim().trim_end_matches(';');
                reader.explain(select, params! { "from" => from, "to" => to })
            }
            Rows::File { .. } => Ok(Plan::Nothing),
        })
    }

    /// Whether the newest rows of a table look as if they were read by the wrong clock.
    pub fn misreading(&mut self, metric: &Metric, now: DateTime<Tz>) -> Result<Option<Misreading>> {
        let Rows::Table(table) = &metric.rows else {
            return Ok(None);
        };
        self.read(metric, now, |reader| {
            let (column, history) = reader.window_of(table)?;
            let server_now = reader.session.server_now();
            let server_now = server_now.map_or(now, |at| at.with_timezone(&now.timezone()));
            let range = history.times().start..server_now + FARTHEST_AHEAD;
            let bounds = cell::bounds(&range, column);
            let newest = reader.times(&sql::newest_within(table), bounds, column)?;
            let is_by_utc = metric.time == Some(TimeMeaning::Utc);
            Ok(newest.into_iter().max().and_then(|newest| {
                let clock = match column {
                    TimeColumn::Local => Clock::Local,
                    TimeColumn::Instant if is_by_utc => Clock::Utc,
                    TimeColumn::Instant | TimeColumn::Epoch { .. } => Clock::None,
                };
                misreading(newest, server_now, history.step(), clock)
            }))
        })
    }
}

impl Reader<'_> {
    /// The window of a check that is about to be read.
    fn window_of(&mut self, table: &Table) -> Result<(TimeColumn, History)> {
        let lookback = Lookback::Beyond(Duration::ZERO);
        self.begin_history(table, self.now, lookback)
    }

    fn history_of(&self, step: Step) -> Result<History> {
        let lookback = Lookback::Beyond(Duration::ZERO);
        History::new(self.metric, None, step, self.now, lookback, None)
    }

    fn explain(&mut self, select: &str, bounds: impl Into<Params>) -> Result<Plan> {
        let mut tables = Vec::new();
        self.each_row(&sql::explain(select), bounds, |row| {
            tables.push(planned_table(&row));
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(plan(tables))
    }
}

fn planned_table(row: &Row) -> PlannedTable {
    let text = |name: &str| row.get_opt::<Option<String>, _>(name)?.ok()?;
    PlannedTable {
        name: text("table").unwrap_or_default(),
        access: text("type").unwrap_or_default(),
        possible_indexes: text("possible_keys"),
        index: text("key"),
        rows: row
            .get_opt::<Option<u64>, _>("rows")
            .and_then(|rows| rows.ok()?)
            .unwrap_or_default(),
    }
}

/// An index that the server does not use, as nearly all rows are wanted, is an index all the same. A table
/// of its own making is none that one could have an index on.
fn plan(tables: Vec<PlannedTable>) -> Plan {
    let mut plan = Plan::Nothing;
    let tables = tables.into_iter();
    for table in tables.filter(|table| !table.name.is_empty() && !table.name.starts_with('<')) {
        let is_whole = table.access.eq_ignore_ascii_case("all") || table.access == "index";
        let used = table.index.filter(|_| !is_whole);
        plan = match (plan, used.or(table.possible_indexes)) {
            (Plan::Scan { rows }, None) if is_whole => Plan::Scan {
                rows: rows.max(table.rows),
            },
            (_, None) if is_whole => Plan::Scan { rows: table.rows },
            (Plan::Nothing, Some(index)) => Plan::Index(index),
            (plan, _) => plan,
        };
    }
    plan
}

/// By which clock a time column is read, if that could be the wrong one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Clock {
    Local,
    Utc,
    None,
}

/// The newest row of a table that is written all the time is of a moment ago.
fn misreading(
    newest: DateTime<Tz>,
    server_now: DateTime<Tz>,
    step: Step,
    clock: Clock,
) -> Option<Misreading> {
    let tolerance = step.times(3).max(TimeDelta::minutes(10));
    let offset = TimeDelta::seconds(offset_seconds(server_now));
    let lag = server_now - newest;
    let is_recent = |lag: TimeDelta| (TimeDelta::minutes(-1)..=tolerance).contains(&lag);
    if offset.abs() > tolerance && !is_recent(lag) {
        match clock {
            Clock::Local if is_recent(lag - offset) => return Some(Misreading::UtcReadAsLocal),
            Clock::Utc if is_recent(lag + offset) => return Some(Misreading::LocalReadAsUtc),
            Clock::Local | Clock::Utc | Clock::None => {}
        }
    }
    let farthest = step.mean_length().max(TimeDelta::minutes(5));
    (-lag > farthest).then_some(Misreading::Ahead(-lag))
}

/// What a GRANT allows beyond SELECT.
fn rights_beyond_reading(grant: &str) -> Vec<String> {
    let Some((rights, rest)) = grant
        .strip_prefix("GRANT ")
        .and_then(|grant| grant.split_once(" ON "))
    else {
        // A role, whose rights are told in other lines, or not at all.
        return Vec::new();
    };
    let object = rest.split(" TO ").next().unwrap_or_default();
    let object = object.replace('`', "");
    let mut names = rights_of(rights);
    if rest.ends_with("WITH GRANT OPTION") {
        names.push("GRANT OPTION".to_string());
    }
    names.retain(|right| right != "SELECT" && right != "USAGE");
    names
        .into_iter()
        .map(|right| format!("{right} on {object}"))
        .collect()
}

/// `SELECT (a, b), INSERT` are two rights.
fn rights_of(text: &str) -> Vec<String> {
    let (mut depth, mut rights) = (0_usize, vec![String::new()]);
    for letter in text.chars() {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => rights.push(String::new()),
            letter if depth == 0 => {
                if let Some(right) = rights.last_mut() {
                    right.push(letter);
                }
            }
            _ => {}
        }
    }
    let rights = rights.iter().map(|right| right.trim().to_string());
    rights.filter(|right| !right.is_empty()).collect()
}

fn rounded_seconds(length: TimeDelta) -> i64 {
    (length + TimeDelta::milliseconds(500))
        .num_milliseconds()
        .div_euclid(1000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::sample::time;

    #[test]
    fn an_account_that_only_reads_has_no_right_beyond_that() {
        for (grant, beyond) in [
            (
                "GRANT USAGE ON *.* TO `a`@`%` IDENTIFIED BY PASSWORD '*AB, ON x'",
                &[][..],
            ),
            ("GRANT SELECT ON `shop`.* TO `a`@`%`", &[]),
            (
                "GRANT SELECT (`at`, `amount`) ON `shop`.`sales` TO `a`@`%`",
                &[],
            ),
            ("GRANT `reporting` TO `a`@`%`", &[]),
            (
                "GRANT SELECT, INSERT, UPDATE (`a`, `b`) ON `shop`.`sales` TO `a`@`%`",
                &["INSERT on shop.sales", "UPDATE on shop.sales"],
            ),
            (
                "GRANT ALL PRIVILEGES ON *.* TO `a`@`%` WITH GRANT OPTION",
                &["ALL PRIVILEGES on *.*", "GRANT OPTION on *.*"],
            ),
        ] {
            assert_eq!(rights_beyond_reading(grant), beyond, "{grant}");
        }
    }

    #[test]
    fn rows_of_the_clock_of_utc_are_told_from_rows_that_are_late() {
        let (now, step) = (time("2026-11-26 20:15"), "5m".parse().expect("a step"));
        let of = |newest, clock| misreading(time(newest), now, step, clock);
        let utc = Some(Misreading::UtcReadAsLocal);
        assert_eq!(of("2026-11-26 19:12", Clock::Local), utc);
        assert_eq!(of("2026-11-26 19:12", Clock::None), None);
        assert_eq!(of("2026-11-26 20:12", Clock::Local), None);
        assert_eq!(of("2026-11-26 17:12", Clock::Local), None);
        let local = Some(Misreading::LocalReadAsUtc);
        assert_eq!(of("2026-11-26 21:12", Clock::Utc), local);
        let ahead = Some(Misreading::Ahead(TimeDelta::minutes(120)));
        assert_eq!(of("2026-11-26 22:15", Clock::Local), ahead);
    }

    #[test]
    fn a_table_read_whole_for_want_of_an_index_is_a_scan() {
        let table = |access: &str, possible: Option<&str>, rows| PlannedTable {
            name: "sales".to_string(),
            access: access.to_string(),
            possible_indexes: possible.map(str::to_string),
            index: None,
            rows,
        };
        let derived = PlannedTable {
            name: "<derived2>".to_string(),
            rows: 9000,
            access: "ALL".to_string(),
            ..PlannedTable::default()
        };
        let rows = 8000;
        assert_eq!(
            plan(vec![derived, table("ALL", None, rows)]),
            Plan::Scan { rows }
        );
        for access in ["range", "ALL"] {
            let found = plan(vec![table(access, Some("at"), rows)]);
            assert_eq!(found, Plan::Index("at".to_string()));
        }
        assert_eq!(plan(Vec::new()), Plan::Nothing);
    }
}
