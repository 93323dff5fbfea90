//! The way to the servers that keep the tables: transactions that are tried again where another run was faster,
//! and at another server of the cluster where one is gone.

use std::hash::{BuildHasher, RandomState};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::config::{DatabaseSettings, Deadline};
use crate::source::{Trouble, Writer, explain_write_error};

/// How often what met a conflict is tried.
const MOST_TRIES: u32 = 8;
/// The pause before another try is up to so long, and each time longer by as much.
const PAUSE: Duration = Duration::from_millis(40);

#[derive(Debug)]
pub struct Link {
    servers: Vec<DatabaseSettings>,
    /// The server in use.
    current: usize,
    writer: Option<Writer>,
    deadline: Deadline,
}

impl Link {
    pub fn new(servers: Vec<DatabaseSettings>, deadline: Deadline) -> Self {
        Self {
            servers,
            current: 0,
            writer: None,
            deadline,
        }
    }

    /// Does the work as one transaction. It may be begun several times, and at several servers, so doing it once
    /// more must change nothing more.
    pub fn transaction<T>(
        &mut self,
        what: &str,
        work: impl Fn(&mut Writer) -> Result<T>,
    ) -> Result<T> {
        let (mut conflicts, mut outages) = (0, 0);
        loop {
            let error = match self.attempt(&work) {
                Ok(done) => return Ok(done),
                Err(error) => error,
            };
            let is_last = match Trouble::of(&error) {
                Trouble::Conflict => {
                    conflicts += 1;
                    self.roll_back();
                    pause(conflicts);
                    conflicts >= MOST_TRIES
                }
                Trouble::Unavailable => {
                    outages += 1;
                    self.writer = None;
                    self.current = (self.current + 1) % self.servers.len().max(1);
                    // A session that broke may have been the only trouble of the only server.
                    outages > self.servers.len()
                }
                Trouble::Refused => {
                    self.roll_back();
                    true
                }
            };
            if is_last || !self.deadline.has_time_left() {
                return Err(explain_write_error(error)).with_context(|| format!("state: {what}"));
            }
        }
    }

    /// One statement that is no part of a transaction.
    pub fn run(&mut self, what: &str, statement: &str) -> Result<()> {
        let done = self.writer().and_then(|writer| writer.run(statement));
        done.map_err(explain_write_error)
            .with_context(|| format!("state: {what}"))
    }

    fn attempt<T>(&mut self, work: impl Fn(&mut Writer) -> Result<T>) -> Result<T> {
        let writer = self.writer()?;
        writer.run("START TRANSACTION")?;
        let done = work(writer)?;
        writer.run("COMMIT")?;
        Ok(done)
    }

    fn roll_back(&mut self) {
        let writer = self.writer.as_mut();
        let rolled_back = writer.map(|writer| writer.run("ROLLBACK"));
        if rolled_back.is_some_and(|done| done.is_err()) {
            self.writer = None;
        }
    }

    fn writer(&mut self) -> Result<&mut Writer> {
        let usable = self.writer.take().filter(Writer::is_usable);
        let writer = usable.map_or_else(
            || {
                let server = self.servers.get(self.current);
                let server = server.context("no server is set")?;
                Writer::connect(server, self.deadline)
            },
            Ok,
        )?;
        Ok(self.writer.insert(writer))
    }
}

/// Runs that met once do not meet again.
fn pause(conflicts: u32) {
    let share = RandomState::new().hash_one(conflicts) % 1000;
    let share = Duration::from_micros(share * u64::from(conflicts));
    sleep(share * u32::try_from(PAUSE.as_millis()).unwrap_or(1));
}
