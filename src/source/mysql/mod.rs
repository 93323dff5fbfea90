//! Rows from MySQL or MariaDB: one read-only session a run, with a limit on every wait.

mod bucket_rows;
pub mod catalog;
mod cell;
mod error;
mod explain;
mod groups;
mod hint;
pub mod inspect;
mod parts;
mod read;
mod relay;
mod session;
mod sql;
mod writer;

use std::path::PathBuf;
use std::time::Duration;

use ::mysql::{OptsBuilder, SslOpts};
use anyhow::{Context, Result, anyhow};
use chrono::DateTime;
use chrono_tz::Tz;

use self::error::{connect_error, query_error};
use self::read::Reader;
use self::session::Session;
pub use self::writer::{Cell, Trouble, Writer, explain_write_error};
use super::cache::{MetricCache, WindowCache};
use super::history::{History, Lookback};
use super::series::{SeriesHistory, SeriesRequest};
use crate::config::{DatabaseSettings, Deadline, Metric, Secret, Tls};

/// No row that is asked for comes near it: how much the driver takes in at once.
const LARGEST_PACKET: usize = 4 << 20;

/// A server, and the session with it once there is one.
#[derive(Debug)]
pub struct Database {
    settings: DatabaseSettings,
    /// For all that is read.
    deadline: Deadline,
    /// For what is read now.
    share: Deadline,
    /// None before it is needed, and after it broke. Why it failed is kept for the other metrics.
    session: Option<Result<Session, String>>,
    /// What is kept of earlier reads, if anything is.
    pub cache: Option<WindowCache>,
}

impl Database {
    pub fn new(settings: DatabaseSettings, deadline: Deadline) -> Self {
        Self {
            settings,
            deadline,
            share: deadline,
            session: None,
            cache: None,
        }
    }

    /// The same server, without any session yet.
    pub fn fresh(&self) -> Self {
        Self {
            cache: self.cache.clone(),
            ..Self::new(self.settings.clone(), self.deadline)
        }
    }

    /// The buckets up to the last one closed now.
    pub(super) fn newest_history(
        &mut self,
        metric: &Metric,
        lookback: Lookback,
        now: DateTime<Tz>,
    ) -> Result<History> {
        self.read_kept(metric, now, |reader, cache| {
            reader.history(now, lookback, cache)
        })
    }

    /// Hands over one series of a metric after the other.
    pub(super) fn each_series(
        &mut self,
        metric: &Metric,
        request: &SeriesRequest,
        now: DateTime<Tz>,
        take: &mut dyn FnMut(SeriesHistory) -> Result<()>,
    ) -> Result<History> {
        self.read_kept(metric, now, |reader, cache| {
            let cache = cache.filter(|_| request.as_of == now);
            reader.each_series(request, cache, take)
        })
    }

    fn read_kept<T>(
        &mut self,
        metric: &Metric,
        now: DateTime<Tz>,
        question: impl FnOnce(&mut Reader, Option<&MetricCache>) -> Result<T>,
    ) -> Result<T> {
        let cache = self.cache.take();
        let zone = now.timezone();
        let of_metric = cache
            .as_ref()
            .map(|cache| cache.of(metric, &self.settings, zone));
        let answer = self.read(metric, now, |reader| question(reader, of_metric.as_ref()));
        self.cache = cache;
        answer
    }

    /// Begins the session. If that fails, each read says so.
    pub fn connect_ahead(&mut self) -> Result<()> {
        let server = self.settings.server();
        self.deadline.waiting_for(format!("connect to {server}"));
        self.session().map(drop)
    }

    pub fn read_all_by(&mut self, deadline: Deadline) {
        (self.deadline, self.share) = (deadline, deadline);
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
        let session = self.session()?;
        let limited = session.limit(deadline.at_most(query_timeout)?);
        let answer = limited.and_then(|()| {
            question(&mut Reader {
                session,
                metric,
                now,
                deadline,
            })
        });
        if let Some(Ok(session)) = &self.session
            && !session.is_usable()
        {
            self.session = None;
        }
        answer.map_err(query_error).context(what)
    }

    fn session(&mut self) -> Result<&mut Session> {
        let session = match self.session.take() {
            Some(session) => session,
            None => self.connect().map_err(|error| format!("{error:#}")),
        };
        let session = self.session.insert(session).as_mut();
        session.map_err(|why| anyhow!("{why}"))
    }

    fn connect(&self) -> Result<Session> {
        let server = self.settings.server();
        let query_limit = self.deadline.at_most(self.settings.query_timeout)?;
        let mut session = self
            .open(query_limit)
            .map_err(|error| connect_error(error, &self.settings))
            .with_context(|| format!("connect to {server}"))?;
        session
            .prepare(query_limit, sql::READ_ONLY)
            .map_err(query_error)
            .with_context(|| format!("prepare the session on {server}"))?;
        Ok(session)
    }

    fn open(&self, query_limit: Duration) -> Result<Session> {
        let settings = &self.settings;
        let timeout = self.deadline.at_most(settings.connect_timeout)?;
        // The server stops a query at its limit; the client waits a little longer to be told so.
        let patience = query_limit + Duration::from_secs(2);
        let read_timeout = self.deadline.at_most(patience)?;
        let builder = OptsBuilder::new()
            .user(Some(&settings.user))
            .pass(settings.password.as_ref().map(Secret::reveal))
            .db_name(Some(&settings.database))
            // Else it would leave TCP for a socket it asks the server for, and ask for a limit too.
            .prefer_socket(false)
            .max_allowed_packet(Some(LARGEST_PACKET))
            // A file in place of the server's own word. There is none, so the password stays here.
            .server_key_path((!settings.get_server_public_key).then(PathBuf::new))
            .tcp_connect_timeout(Some(timeout))
            .read_timeout(Some(read_timeout))
            .write_timeout(Some(read_timeout));
        if let Some(path) = &settings.socket {
            return Session::open(builder.socket(Some(path.display().to_string())));
        }
        let (host, port, tls) = (&settings.host, settings.port, settings.tls());
        let trusted = SslOpts::default().with_root_cert_path(settings.ca_file.clone());
        let whoever = trusted.clone().with_danger_accept_invalid_certs(true);
        let of_any_name = trusted.clone().with_danger_skip_domain_validation(true);
        let builder = match tls {
            Tls::Verify => builder.ssl_opts(trusted),
            Tls::VerifyCa => builder.ssl_opts(of_any_name),
            Tls::Encrypt => builder.ssl_opts(whoever),
            Tls::Prefer | Tls::Off => {
                let relay = relay::open(host, port, timeout, tls).map_err(::mysql::Error::from)?;
                let address = relay.address;
                let mut session = Session::open(
                    builder
                        .ssl_opts(relay.is_encrypted.then_some(whoever))
                        .ip_or_hostname(Some(address.ip().to_string()))
                        .tcp_port(address.port()),
                )?;
                session.relay = Some(relay.thread);
                return Ok(session);
            }
        };
        Session::open(builder.ip_or_hostname(Some(host)).tcp_port(port))
    }
}
