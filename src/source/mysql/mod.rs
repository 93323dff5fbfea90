//! Rows from MySQL or MariaDB: one read-only session a run, with a limit on every wait.

mod cell;
mod error;
mod read;
mod sql;

use std::time::Duration;

use ::mysql::prelude::Queryable;
use ::mysql::{Conn, Opts, OptsBuilder, SslOpts};
use anyhow::{Context, Error, Result, anyhow};
use chrono::DateTime;
use chrono_tz::Tz;

use self::error::{connect_error, query_error};
use self::read::Reader;
use crate::config::{DatabaseSettings, Deadline, Metric, Secret, Tls};

/// A server, and the session with it once there is one.
#[derive(Debug)]
pub struct Database {
    settings: DatabaseSettings,
    /// For all that is read.
    deadline: Deadline,
    /// For what is read now.
    share: Deadline,
    /// None before it is needed, and after it broke. Why it failed is kept for the other metrics.
    connection: Option<Result<Conn, String>>,
}

impl Database {
    pub fn new(settings: DatabaseSettings, deadline: Deadline) -> Self {
        Self {
            settings,
            deadline,
            share: deadline,
            connection: None,
        }
    }

    /// The same server, without any session yet.
    pub fn fresh(&self) -> Self {
        Self::new(self.settings.clone(), self.deadline)
    }

    /// Begins the session. If that fails, each read says so.
    pub fn connect_ahead(&mut self) {
        let server = self.settings.server();
        self.deadline.waiting_for(format!("connect to {server}"));
        let _ = self.connection();
    }

    /// From now on every wait ends by this deadline too.
    pub fn read_by(&mut self, share: Deadline) {
        self.share = share;
    }

    pub(super) fn read<T>(
        &mut self,
        metric: &Metric,
        now: DateTime<Tz>,
        question: impl FnOnce(&mut Reader) -> Result<T>,
    ) -> Result<T> {
        let deadline = self.share;
        let what = format!("query {} on {}", metric.name, self.settings.server());
        let query_timeout = self.settings.query_timeout;
        deadline.waiting_for(what.clone());
        let connection = self.connection()?;
        let limit = deadline.at_most(query_timeout)?;
        let limited = connection.query_drop(sql::limits(limit));
        let answer = limited.map_err(Error::from).and_then(|()| {
            question(&mut Reader {
                connection,
                metric,
                now,
                deadline,
            })
        });
        let answer = answer.map_err(|error| match error.downcast() {
            Ok(error) => {
                if !matches!(error, ::mysql::Error::MySqlError(_)) {
                    // Not the server's word on a statement but the end of the session.
                    self.connection = None;
                }
                anyhow!(query_error(&error))
            }
            Err(other) => other,
        });
        answer.context(what)
    }

    fn connection(&mut self) -> Result<&mut Conn> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.connect().map_err(|error| format!("{error:#}")),
        };
        let connection = self.connection.insert(connection).as_mut();
        connection.map_err(|why| anyhow!("{why}"))
    }

    fn connect(&self) -> Result<Conn> {
        let server = self.settings.server();
        let query_limit = self.deadline.at_most(self.settings.query_timeout)?;
        let mut connection = Conn::new(self.options(query_limit)?)
            .map_err(|error| anyhow!(connect_error(&error, &self.settings)))
            .with_context(|| format!("connect to {server}"))?;
        for statement in sql::session(query_limit) {
            connection
                .query_drop(&statement)
                .map_err(|error| anyhow!(query_error(&error)))
                .with_context(|| format!("prepare the session on {server} with {statement:?}"))?;
        }
        Ok(connection)
    }

    fn options(&self, query_limit: Duration) -> Result<Opts> {
        let settings = &self.settings;
        let tls = match settings.tls() {
            Tls::Off => None,
            Tls::Encrypt => Some(SslOpts::default().with_danger_accept_invalid_certs(true)),
            Tls::Verify => Some(SslOpts::default().with_root_cert_path(settings.ca_file.clone())),
        };
        // The server stops a query at its limit; the client waits a little longer to be told so.
        let patience = query_limit + Duration::from_secs(2);
        let read_timeout = self.deadline.at_most(patience)?;
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
        let builder = match &settings.socket {
            Some(path) => builder.socket(Some(path.display().to_string())),
            None => builder
                .ip_or_hostname(Some(&settings.host))
                .tcp_port(settings.port),
        };
        Ok(builder.into())
    }
}
