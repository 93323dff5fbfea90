//! The configuration: a TOML file whose documented format is the structs here and below. It is read in one
//! pass, overlaid by the environment, and checked as a whole before anything is contacted.

mod certificates;
mod database;
mod deadline;
mod event;
mod mail;
mod metric;
mod secret;
mod value;

use std::collections::HashSet;
use std::fs::OpenOptions;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Error, Result, anyhow, bail, ensure};
use chrono_tz::Tz;
use serde::Deserialize;
use serde_path_to_error::Segment;
use toml::de::{DeTable, DeValue};

pub use database::{DatabaseSettings, Tls};
pub use deadline::Deadline;
pub use mail::{Login, MailSettings};
pub use metric::{Metric, Query, Rows, Table, TimeMeaning};
pub use secret::Secret;
pub use value::{Mailbox, parse_length, parse_mailbox, time_delta};

use crate::output::owner::{command_as, meant_for};
use crate::output::{Links, one_line, open_plain};
use event::EventTable;

/// The file: each key a field, each table a struct. An unknown key is an error.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The wall clock of DATETIME columns, of charts and mail.
    #[serde(rename = "timezone", deserialize_with = "value::zone")]
    pub zone: Tz,
    pub plots_dir: PathBuf,
    #[serde(deserialize_with = "value::length")]
    pub deadline: Duration,
    /// Where is kept what one run remembers for the next; None: the usual place.
    pub state_dir: Option<PathBuf>,
    /// Requested after each run in which nothing failed.
    #[serde(deserialize_with = "value::web_address")]
    pub heartbeat_url: Option<Secret>,
    mysql: DatabaseSettings,
    /// As it is written: what sending needs may be missing; see [`Config::mail`].
    pub smtp: Option<MailSettings>,
    /// In the order of the file, at least one, each with a name of its own.
    #[serde(rename = "metric")]
    pub metrics: Vec<Metric>,
    /// As they are written; each metric has those that are about it.
    #[serde(rename = "event")]
    events: Vec<EventTable>,
    /// The file's own path.
    #[serde(skip)]
    origin: Option<PathBuf>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            zone: chrono_tz::UTC,
            plots_dir: "plots".into(),
            deadline: Duration::from_secs(50),
            state_dir: None,
            heartbeat_url: None,
            mysql: DatabaseSettings::default(),
            smtp: None,
            metrics: Vec::new(),
            events: Vec::new(),
            origin: None,
        }
    }
}

/// The environment, in which an empty variable counts as absent.
type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;

fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The variables that override a key.
const VARIABLES: [&str; 7] = [
    "mysql_host",
    "mysql_user",
    "mysql_password",
    "mysql_db",
    "smtp_email",
    "smtp_password",
    "recipient_list",
];

impl Config {
    /// Where the file is looked for when nobody names one, in this order.
    pub fn usual_places() -> Vec<PathBuf> {
        let user = environment("XDG_CONFIG_HOME").map(PathBuf::from);
        let home = || Some(Path::new(&std::env::var_os("HOME")?).join(".config"));
        let user = user.or_else(home);
        let mut places = vec!["config.toml".into()];
        places.extend(user.map(|dir| dir.join("bandwatch/config.toml")));
        places.push("/etc/bandwatch/config.toml".into());
        places
    }

    /// Reads and checks the file. An error names it, line, key and value, and what is allowed.
    pub fn load(path: &Path) -> Result<Self> {
        let text = read_text(path).map_err(|error| explain_denial(error, path));
        let text = text.with_context(|| format!("read the configuration {}", path.display()))?;
        for name in VARIABLES {
            let is_text = std::env::var_os(name).is_none_or(|value| value.to_str().is_some());
            ensure!(
                is_text,
                "environment {name}: not UTF-8; allowed: text in UTF-8"
            );
        }
        let shown = path.display().to_string();
        let folder = path.parent().unwrap_or(Path::new(""));
        let mut config = Self::parse(&text, folder, &environment).context(shown)?;
        config.origin = Some(path.to_path_buf());
        Ok(config)
    }

    /// What holds without any file: defaults, for one metric.
    pub fn without_file(metric: Metric) -> Self {
        Self {
            metrics: vec![metric],
            ..Self::default()
        }
    }

    /// `folder` is that of the file.
    fn parse(text: &str, folder: &Path, variables: Variables) -> Result<Self> {
        let mut config: Self = deserialize(text)?;
        config.mysql.overlay(variables)?;
        MailSettings::overlay(&mut config.smtp, variables)?;
        ensure!(
            !config.metrics.is_empty(),
            "metric: none; at least one [[metric]] table is needed"
        );
        let mut names = HashSet::new();
        for (index, metric) in config.metrics.iter().enumerate() {
            ensure!(
                names.insert(metric.file_name()),
                "metric[{index}].name = {:?}: another metric has this name; allowed: a name of its own each",
                metric.name
            );
        }
        config.add_events(folder)?;
        Ok(config)
    }

    /// Gives each metric the events that are about it.
    fn add_events(&mut self, folder: &Path) -> Result<()> {
        for (index, table) in self.events.iter().enumerate() {
            let place = || format!("event[{index}] ({})", table.name);
            let named = table.metrics.as_deref().unwrap_or_default();
            let known: Vec<&str> = self.metrics.iter().map(|metric| &*metric.name).collect();
            if let Some(name) = named.iter().find(|name| !known.contains(&name.as_str())) {
                let known = known.join(", ");
                bail!(
                    "{}: metrics: {name:?} is no metric; there are: {known}",
                    place()
                );
            }
            let events = table.events(folder, self.zone).with_context(place)?;
            for metric in &mut self.metrics {
                let is_meant = table.metrics.is_none() || named.contains(&metric.name);
                let events = events.iter().filter(|_| is_meant).cloned();
                events.for_each(|event| metric.events.add(event));
            }
        }
        Ok(())
    }

    /// The metrics of the given names, in the order of the file; all of them if none is named.
    pub fn chosen(&self, names: &[String]) -> Result<Vec<&Metric>> {
        let known: Vec<&str> = self.metrics.iter().map(|metric| &*metric.name).collect();
        if let Some(name) = names.iter().find(|name| !known.contains(&name.as_str())) {
            bail!(
                "--metric {name:?}: no such metric in {}; there are: {}",
                self.origin(),
                known.join(", ")
            );
        }
        let wanted = |metric: &&Metric| names.is_empty() || names.contains(&metric.name);
        Ok(self.metrics.iter().filter(wanted).collect())
    }

    /// How to reach the database, if all that needs is there.
    pub fn database(&self) -> Result<DatabaseSettings> {
        self.mysql.clone().checked().with_context(|| self.origin())
    }

    /// Whether there is a database to read from at all.
    pub fn names_database(&self) -> bool {
        !self.mysql.user.is_empty() || !self.mysql.database.is_empty()
    }

    /// How to send mail, if all that needs is there; None if the file has no `[smtp]`.
    pub fn mail(&self) -> Result<Option<MailSettings>> {
        let checked = self.smtp.clone().map(MailSettings::checked);
        checked.transpose().with_context(|| self.origin())
    }

    /// The file, if there is one.
    pub fn path(&self) -> Option<&Path> {
        self.origin.as_deref()
    }

    fn origin(&self) -> String {
        let origin = self.origin.as_deref();
        origin.map_or("no configuration file".to_string(), |path| {
            path.display().to_string()
        })
    }
}

/// An error names line and key. It never quotes a line, which might hold a misplaced password.
fn deserialize(text: &str) -> Result<Config> {
    let line = |start: usize| {
        let above = &text[..start.min(text.len())];
        format!("line {}: ", 1 + above.matches('\n').count())
    };
    let place = |error: &toml::de::Error| error.span().map(|span| span.start);
    let deserializer = toml::Deserializer::parse(text).map_err(|error| {
        let line = place(&error).map_or(String::new(), line);
        anyhow!("{line}{}", one_line(error.message()))
    })?;
    serde_path_to_error::deserialize(deserializer).map_err(|error| {
        let (key, inner) = (error.path().to_string(), error.inner());
        let start = start_of(text, error.path(), inner.message()).or(place(inner));
        let line = start.map_or(String::new(), line);
        anyhow!("{line}{key}: {}", one_line(inner.message()))
    })
}

/// Where in the text the key stands that an error is about: that of the path; or, where the values of a
/// table do not go together, the one that the message begins with.
fn start_of(text: &str, path: &serde_path_to_error::Path, message: &str) -> Option<usize> {
    let document = DeTable::parse(text).ok()?;
    let of_key = |table: &DeTable, key: &str| Some(table.get_key_value(key)?.0.span().start);
    let (mut table, mut list, mut start) = (Some(document.get_ref()), None, None);
    for segment in path {
        let value = match segment {
            Segment::Map { key } => {
                start = table.and_then(|table| of_key(table, key)).or(start);
                table?.get(key.as_str())?
            }
            Segment::Seq { index } => {
                let list: &toml::de::DeArray = list?;
                list.get(*index)?
            }
            Segment::Enum { .. } | Segment::Unknown => return start,
        };
        table = value.get_ref().as_table();
        list = match value.get_ref() {
            DeValue::Array(list) => Some(list),
            _ => None,
        };
        if matches!(segment, Segment::Seq { .. }) {
            start = Some(value.span().start);
        }
    }
    let is_of_key = |letter: char| letter.is_ascii_lowercase() || letter == '_';
    let word = message.split(|letter| !is_of_key(letter)).next();
    table.and_then(|table| of_key(table, word?)).or(start)
}

/// Tells whoever may not read a file who may.
fn explain_denial(error: Error, path: &Path) -> Error {
    let cause = error.downcast_ref::<io::Error>();
    let is_denied = cause.is_some_and(|cause| cause.kind() == ErrorKind::PermissionDenied);
    match path.ancestors().find_map(meant_for).filter(|_| is_denied) {
        Some(user) => anyhow!("{error}; it is for {user}; run: {}", command_as(&user)),
        None => error,
    }
}

/// The text of a plain file. Nothing waits for the other end of a pipe, and what is far too large for what
/// it should be is not read whole.
fn read_text(path: &Path) -> Result<String> {
    const MOST_BYTES: u64 = 16 << 20;
    let file = open_plain(OpenOptions::new().read(true), path, Links::Follow)?;
    let mut bytes = Vec::new();
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    ensure!(
        bytes.len() as u64 <= MOST_BYTES,
        "larger than {} MiB",
        MOST_BYTES >> 20
    );
    String::from_utf8(bytes).map_err(|_| anyhow!("not UTF-8"))
}

/// Of a key that is needed, and neither in the file nor in the environment.
fn missing(key: &str, variable: &str) -> String {
    format!("{key}: missing; set it, or the environment variable {variable}")
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;
