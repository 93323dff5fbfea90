//! Rows from MySQL or MariaDB: one read-only session a run, opened when first needed, with a limit on
//! every wait. Results stream into buckets.

mod cell;
mod error;
mod read;
mod sql;

use std::fmt;
use std::time::Duration;

use ::mysql::prelude::Queryable;
use ::mysql::{Conn, Opts, OptsBuilder, SslOpts};
use anyhow::{Context, Result, bail};

use self::error::{Refusal, explain, told};
use self::read::{UserQuery, Want};
use self::sql::TableQuery;
use super::news::Stretch;
use super::{Archive, Reach, Vantage};
use crate::config::Deadline;
use crate::config::{DatabasePlace, DatabaseSettings, Metric, Rows, Secret, Tls};

/// A server, and the session with it once there is one.
#[derive(Debug)]
pub struct Database {
    settings: DatabaseSettings,
    deadline: Deadline,
    connection: Connection,
}

#[derive(Debug)]
enum Connection {
    NotYet,
    Open(Box<Conn>),
    /// It failed once; the other metrics of the run need not wait for it again.
    Failed(String),
}

/// What the rows of a metric are asked for by.
enum Asked<'a> {
    Table(TableQuery<'a>),
    Query(UserQuery<'a>),
}

impl Database {
    pub fn new(settings: DatabaseSettings, deadline: Deadline) -> Self {
        Self {
            settings,
            deadline,
            connection: Connection::NotYet,
        }
    }

    /// Reads the buckets of a metric up to the last one closed then.
    pub fn gather(&mut self, metric: &Metric, vantage: Vantage, reach: Reach) -> Result<Archive> {
        let want = Want {
            vantage,
            reach,
            deadline: self.deadline,
        };
        self.ask(metric, |connection, rows| match rows {
            Asked::Table(query) => read::table(connection, query, metric, &want),
            Asked::Query(query) => read::query(connection, query, metric, &want),
        })
    }

    /// Whether there is any row in a stretch of time.
    pub fn holds_rows(
        &mut self,
        metric: &Metric,
        vantage: Vantage,
        stretch: Stretch,
    ) -> Result<bool> {
        self.ask(metric, |connection, rows| match rows {
            Asked::Table(query) => read::table_holds_rows(connection, query, stretch),
            Asked::Query(query) => read::query_holds_rows(connection, query, vantage, stretch),
        })
    }

    /// Asks the server something about the rows of a metric.
    fn ask<T>(
        &mut self,
        metric: &Metric,
        question: impl FnOnce(&mut Conn, &Asked) -> Result<T>,
    ) -> Result<T> {
        let (place, deadline) = (self.settings.place.to_string(), self.deadline);
        deadline.at_most(self.settings.query_timeout)?;
        deadline.waiting_for(format!("query {} on {place}", metric.name));
        let connection = self.connection()?;
        let asked = match &metric.rows {
            Rows::Table {
                table,
                time_column,
                value_column,
                condition,
            } => Asked::Table(TableQuery {
                table,
                time_column,
                value_column: value_column.as_deref(),
                condition: condition.as_deref(),
                aggregate: metric.aggregate,
            }),
            Rows::Query {
                sql,
                time_column,
                value_column,
            } => Asked::Query(UserQuery {
                sql,
                time_column: time_column.as_deref(),
                value_column: value_column.as_deref(),
            }),
            Rows::None => bail!(
                "metric {}: neither table nor query is set, so there is nothing to read from the database",
                metric.name
            ),
        };
        let answer = question(connection, &asked);
        if answer.as_ref().is_err_and(Refusal::broke_the_session) {
            self.connection = Connection::NotYet;
        }
        answer.with_context(|| format!("query {} on {place}", metric.name))
    }

    fn connection(&mut self) -> Result<&mut Conn> {
        if let Connection::NotYet = self.connection {
            self.connection = match self.connect() {
                Ok(connection) => Connection::Open(Box::new(connection)),
                Err(error) => Connection::Failed(format!("{error:#}")),
            };
        }
        match &mut self.connection {
            Connection::Open(connection) => Ok(connection),
            Connection::Failed(why) => bail!("{why}"),
            Connection::NotYet => bail!("no connection"),
        }
    }

    fn connect(&self) -> Result<Conn> {
        let place = self.settings.place.to_string();
        let query_limit = self.deadline.at_most(self.settings.query_timeout)?;
        let options = self.options(query_limit)?;
        let mut connection = Conn::new(options)
            .map_err(|error| explain(&error, &self.settings))
            .with_context(|| format!("connect to {place}"))?;
        for statement in session(query_limit) {
            connection
                .query_drop(&statement)
                .map_err(|error| told(&error))
                .with_context(|| format!("prepare the session on {place} with {statement:?}"))?;
        }
        Ok(connection)
    }

    fn options(&self, query_limit: Duration) -> Result<Opts> {
        let settings = &self.settings;
        let tls = match settings.tls {
            Tls::Off => None,
            Tls::Encrypt => Some(SslOpts::default().with_danger_accept_invalid_certs(true)),
            Tls::Verify => Some(SslOpts::default().with_root_cert_path(settings.ca_file.clone())),
        };
        // The server stops a query at its limit; the client waits a little longer to be told so.
        let read_timeout = self
            .deadline
            .at_most(query_limit + Duration::from_secs(2))?;
        let builder = OptsBuilder::new()
            .user(Some(&settings.user))
            .pass(settings.password.as_ref().map(Secret::reveal))
            .db_name(Some(&settings.database))
            // Else it would leave TCP for a socket it asks the server for, and ask for a limit too.
            .prefer_socket(false)
            .max_allowed_packet(Some(64 << 20))
            .tcp_connect_timeout(Some(self.deadline.at_most(settings.connect_timeout)?))
            .read_timeout(Some(read_timeout))
            .write_timeout(Some(read_timeout))
            .ssl_opts(tls);
        Ok(match &settings.place {
            DatabasePlace::Host { name, port } => {
                builder.ip_or_hostname(Some(name)).tcp_port(*port).into()
            }
            DatabasePlace::Socket(path) => builder.socket(Some(path.display().to_string())).into(),
        })
    }
}

/// A session that can only read, stops a long query itself, and shows a TIMESTAMP in UTC. The
/// versioned comments are read by MariaDB or by MySQL alone: their names for the limit differ, and
/// so do their units.
fn session(query_limit: Duration) -> [String; 2] {
    let (seconds, milliseconds) = (query_limit.as_secs_f64(), query_limit.as_millis());
    [
        format!(
            "SET SESSION time_zone = '+00:00' /*M!100101 , SESSION max_statement_time = {seconds} */ /*!50708 , SESSION max_execution_time = {milliseconds} */"
        ),
        "SET SESSION TRANSACTION READ ONLY".to_string(),
    ]
}

impl fmt::Display for DatabasePlace {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Host { name, port } => write!(formatter, "{name}:{port}"),
            Self::Socket(path) => path.display().fmt(formatter),
        }
    }
}
