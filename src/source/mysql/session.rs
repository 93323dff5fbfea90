//! A session with a server, and the only place where the driver is called. What the driver makes of a
//! server's word is a result here, also where it panics: the word of a server is no bug of ours.

use std::fmt;
use std::io;
use std::ops::ControlFlow;
use std::thread::JoinHandle;
use std::time::Duration;

use ::mysql::prelude::{FromRow, Queryable};
use ::mysql::{Binary, Conn, Opts, Params, QueryResult, Row, Statement};
use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::sql::{self, TimeColumn};
use crate::config::Deadline;
use crate::output::contain_quietly;

/// Rows are looked at together, so that the clock is not asked for each.
const ROWS_BETWEEN_DEADLINE_CHECKS: usize = 4096;
/// The server has no zone of that name.
const UNKNOWN_TIME_ZONE: u16 = 1298;

/// The driver could make nothing of what came.
#[derive(Debug)]
pub struct NotMysql;

impl fmt::Display for NotMysql {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("what answers there does not keep to the protocol of MySQL")
    }
}

impl std::error::Error for NotMysql {}

pub struct Session {
    /// What passes on what the connection says, if it does not do so itself.
    pub relay: Option<JoinHandle<io::Result<()>>>,
    /// None once it can be used no more.
    connection: Option<Conn>,
    /// The clock that `NOW()` shows, as it was set.
    time_zone: String,
    /// Whether the server knows zones by their names.
    knows_zones: bool,
    /// The server's clock when it was asked.
    server_now: Option<DateTime<Utc>>,
    /// No statement takes longer.
    limit: Option<Duration>,
}

impl fmt::Debug for Session {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("Session")
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else {
            return;
        };
        // Taking leave is a call of the driver too.
        let left = guarded(|| {
            drop(connection);
            Ok(())
        });
        // Else the run might end before the server has heard of it.
        if let (Ok(()), Some(relay)) = (left, self.relay.take()) {
            let _ = relay.join();
        }
    }
}

impl Session {
    pub fn open(options: impl Into<Opts>) -> Result<Self> {
        let options = options.into();
        Ok(Self {
            connection: Some(guarded(|| Conn::new(options))?),
            relay: None,
            time_zone: String::new(),
            knows_zones: true,
            server_now: None,
            limit: None,
        })
    }

    /// Sets all that a session may have otherwise, by the server's settings or its `init_connect`; and what its
    /// transactions are.
    pub fn prepare(&mut self, limit: Duration, transactions: &str) -> Result<()> {
        self.run(&sql::session(limit))?;
        self.run(transactions)?;
        self.limit = Some(limit);
        Ok(())
    }

    /// The server's clock when it was first asked, if it tells.
    pub fn server_now(&mut self) -> Option<DateTime<Utc>> {
        if self.server_now.is_none() {
            let seconds = self.driver(|connection| connection.query_first(sql::NOW));
            let seconds: Option<i64> = seconds.ok().flatten();
            self.server_now = seconds.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
        }
        self.server_now
    }

    /// From now on no statement takes longer.
    pub fn limit(&mut self, limit: Duration) -> Result<()> {
        if self.limit != Some(limit) {
            self.run(&sql::limit(limit))?;
            self.limit = Some(limit);
        }
        Ok(())
    }

    pub fn is_usable(&self) -> bool {
        self.connection.is_some()
    }

    pub fn statement(&mut self, text: &str) -> Result<Statement> {
        self.driver(|connection| connection.prep(text))
    }

    pub fn close(&mut self, statement: Statement) -> Result<()> {
        self.driver(|connection| connection.close(statement))
    }

    /// Lets the session's clock be the one the column has: UTC for instants, else that of the zone; at a
    /// server that does not know the zone, its offset at `at`. Whether the clock is another one now.
    pub fn show_clock(&mut self, column: TimeColumn, at: DateTime<Tz>) -> Result<bool> {
        let name = match (column, at.timezone()) {
            (TimeColumn::Instant, _) | (_, Tz::UTC) => "+00:00",
            (_, zone) => zone.name(),
        };
        if self.knows_zones || name == "+00:00" {
            match self.set_time_zone(name) {
                Err(error) if error_code(&error) == Some(UNKNOWN_TIME_ZONE) => {
                    self.knows_zones = false;
                }
                other => return other,
            }
        }
        self.set_time_zone(&at.format("%:z").to_string())
    }

    /// How the times of a column are told, as a text that is another one where that is another.
    pub fn describe_clock(&self, column: TimeColumn) -> String {
        format!("{column:?} {}", self.time_zone)
    }

    /// Whether the clock of the session is a fixed offset, for want of the zone.
    pub fn has_fixed_offset(&self) -> bool {
        !self.knows_zones
    }

    fn set_time_zone(&mut self, name: &str) -> Result<bool> {
        if self.time_zone == name {
            return Ok(false);
        }
        self.run(&sql::time_zone(name))?;
        self.time_zone = name.to_string();
        Ok(true)
    }

    /// Hands the rows over until one is the last that is wanted.
    pub fn rows(
        &mut self,
        statement: &Statement,
        parameters: impl Into<Params>,
        deadline: Deadline,
        take: impl FnMut(Row) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        self.call(|connection| {
            let rows = guarded(|| connection.exec_iter(statement, parameters))?;
            hand_over(rows, deadline, take)
        })
    }

    /// The distinct warnings of the last statement, as far as they are shown.
    pub fn warnings(&mut self) -> Result<Vec<String>> {
        let rows: Vec<Row> = self.driver(|connection| {
            let rows = connection.query_iter(sql::WARNINGS)?;
            rows.take(sql::MOST_WARNINGS).collect()
        })?;
        let mut texts: Vec<String> = rows.iter().filter_map(|row| row.get(2)).collect();
        texts.dedup();
        Ok(texts)
    }

    /// The rows of a short answer.
    pub fn records<Record: FromRow>(
        &mut self,
        statement: &str,
        parameters: Params,
    ) -> Result<Vec<Record>> {
        self.driver(|connection| connection.exec(statement, parameters))
    }

    /// The first column of each row of a short answer.
    pub fn texts(&mut self, statement: &str) -> Result<Vec<String>> {
        self.driver(|connection| connection.query(statement))
    }

    /// A statement that answers with no rows.
    pub fn run(&mut self, statement: &str) -> Result<()> {
        self.driver(|connection| connection.query_drop(statement))
    }

    fn driver<T>(&mut self, work: impl FnOnce(&mut Conn) -> ::mysql::Result<T>) -> Result<T> {
        self.call(|connection| guarded(|| work(connection)))
    }

    fn call<T>(&mut self, work: impl FnOnce(&mut Conn) -> Result<T>) -> Result<T> {
        let mut connection = self.connection.take().context(NotMysql)?;
        let answer = work(&mut connection);
        self.connection = match &answer {
            Ok(_) => Some(connection),
            Err(error) => after(connection, error),
        };
        answer
    }
}

fn hand_over(
    mut rows: QueryResult<Binary>,
    deadline: Deadline,
    mut take: impl FnMut(Row) -> Result<ControlFlow<()>>,
) -> Result<()> {
    let mut is_wanted = true;
    let mut read = || -> Result<()> {
        for count in 0_usize.. {
            if count.is_multiple_of(ROWS_BETWEEN_DEADLINE_CHECKS) {
                deadline.at_most(Duration::from_secs(1))?;
            }
            let Some(row) = guarded(|| rows.next().transpose())? else {
                break;
            };
            // What is not wanted is read all the same, as the next answer comes after it.
            is_wanted = is_wanted && take(row)?.is_continue();
        }
        Ok(())
    };
    let answer = read();
    if answer.is_ok() {
        return guarded(|| {
            drop(rows);
            Ok(())
        });
    }
    // Dropped, it would read what is left, which may have no end.
    std::mem::forget(rows);
    answer
}

/// A connection lives on after the server's word on a statement. After a panic it is in no state that
/// any call of the driver, not even its end, was made for.
fn after(connection: Conn, error: &anyhow::Error) -> Option<Conn> {
    if error_code(error).is_some() {
        return Some(connection);
    }
    if error.is::<NotMysql>() {
        std::mem::forget(connection);
    } else {
        let _ = guarded(|| {
            drop(connection);
            Ok(())
        });
    }
    None
}

/// The number of the server's error, if it is the server's word on a statement.
pub fn error_code(error: &anyhow::Error) -> Option<u16> {
    match error.downcast_ref() {
        Some(::mysql::Error::MySqlError(error)) => Some(error.code),
        _ => None,
    }
}

/// Calls the driver. It indexes and unwraps what a server sends, which the error tells.
fn guarded<T>(work: impl FnOnce() -> ::mysql::Result<T>) -> Result<T> {
    match contain_quietly(work) {
        Some(answer) => Ok(answer?),
        None => Err(NotMysql.into()),
    }
}
