//! A session that writes: into the tables of our own state, and nowhere else. What is written is decided by
//! whoever has one; the statements are theirs too.

use std::ops::ControlFlow;
use std::time::Duration;

use ::mysql::{Params, Row, Value};
use anyhow::{Context, Error, Result, anyhow};

use super::Database;
use super::error::{connect_error, fact_of};
use super::session::{Session, error_code};
use crate::config::{DatabaseSettings, Deadline};

/// Each statement sees what is committed by then.
const READ_COMMITTED: &str = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";
/// In a Galera cluster a node answers once it knows all that the others have committed.
const WAIT_FOR_CLUSTER: &str = "SET SESSION wsrep_sync_wait = 7";
/// No cluster has anything to wait for.
const UNKNOWN_VARIABLE: u16 = 1193;

/// A column of a row; empty where it is NULL.
pub type Cell = Vec<u8>;

#[derive(Debug)]
pub struct Writer {
    session: Session,
    deadline: Deadline,
    query_timeout: Duration,
}

/// What an error of a statement is to whoever wants it done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// Somebody else was faster: it may go well when all of it is tried again.
    Conflict,
    /// This server cannot do it now, but another of its cluster may.
    Unavailable,
    Refused,
}

impl Writer {
    pub fn connect(settings: &DatabaseSettings, deadline: Deadline) -> Result<Self> {
        let server = settings.server();
        deadline.waiting_for(format!("connect to {server} for the state"));
        let limit = deadline.at_most(settings.query_timeout)?;
        let database = Database::new(settings.clone(), deadline);
        let mut session = database
            .open(limit)
            .map_err(|error| connect_error(error, settings))
            .with_context(|| format!("connect to {server}"))?;
        session.prepare(limit, READ_COMMITTED)?;
        match session.run(WAIT_FOR_CLUSTER) {
            Err(error) if error_code(&error) != Some(UNKNOWN_VARIABLE) => return Err(error),
            _ => {}
        }
        Ok(Self {
            session,
            deadline,
            query_timeout: settings.query_timeout,
        })
    }

    /// Whether anything can still be said to the server.
    pub fn is_usable(&self) -> bool {
        self.session.is_usable()
    }

    /// What has no parameters, and answers with no rows.
    pub fn run(&mut self, statement: &str) -> Result<()> {
        let limit = self.deadline.at_most(self.query_timeout)?;
        self.session.limit(limit)?;
        self.session.run(statement)
    }

    /// The rows that the statement answers with, if any.
    pub fn query(&mut self, statement: &str, parameters: Vec<Vec<u8>>) -> Result<Vec<Vec<Cell>>> {
        let statement = self.session.statement(statement)?;
        let values = parameters.into_iter().map(Value::Bytes).collect();
        let mut rows = Vec::new();
        let take = |row: Row| {
            let cells = (0..row.len()).map(|index| cell(row.as_ref(index)));
            rows.push(cells.collect());
            Ok(ControlFlow::Continue(()))
        };
        let parameters = Params::Positional(values);
        let answer = self
            .session
            .rows(&statement, parameters, self.deadline, take);
        if self.session.is_usable() {
            self.session.close(statement)?;
        }
        answer.map(|()| rows)
    }
}

fn cell(value: Option<&Value>) -> Cell {
    match value {
        Some(Value::Bytes(bytes)) => bytes.clone(),
        Some(Value::Int(number)) => number.to_string().into_bytes(),
        Some(Value::UInt(number)) => number.to_string().into_bytes(),
        _ => Vec::new(),
    }
}

impl Trouble {
    pub fn of(error: &Error) -> Self {
        match error_code(error) {
            // A deadlock, which is what a write is refused as that another node was faster with; and a wait for
            // a lock.
            Some(1213 | 1205 | 1020) => Self::Conflict,
            // No part of its cluster, read-only, shutting down, or with too many sessions.
            None | Some(1047 | 1290 | 1836 | 1053 | 1040 | 1927 | 3024 | 1969 | 1317) => {
                Self::Unavailable
            }
            Some(_) => Self::Refused,
        }
    }
}

/// The server's word on the tables of the state, as one line with what to do.
pub fn explain_write_error(error: Error) -> Error {
    let advice = match error_code(&error) {
        Some(1146 | 1054) => {
            "the tables of the state are not there; make them: bandwatch create-tables"
        }
        Some(1142 | 1143 | 1044 | 1045) => {
            "the account needs the rights SELECT, INSERT, UPDATE and DELETE on bandwatch_state and bandwatch_notes, and for bandwatch create-tables CREATE too"
        }
        Some(1153) => "max_allowed_packet of the server is too small",
        _ => "",
    };
    match error.downcast::<::mysql::Error>() {
        Ok(error) => {
            let fact = fact_of(&error);
            if advice.is_empty() {
                anyhow!(fact)
            } else {
                anyhow!("{fact}; {advice}")
            }
        }
        Err(other) => other,
    }
}
