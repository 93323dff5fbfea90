//! The configuration: a TOML file whose documented format is the structs here and below. It is read in one
//! pass, overlaid by the environment, and checked as a whole before anything is contacted.

mod certificates;
mod channel;
mod database;
mod deadline;
mod environment;
mod event;
mod group;
mod mail;
mod metric;
mod schema;
mod secret;
mod state;
mod text;
mod value;

use std::collections::{BTreeSet, HashSet};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Error, Result, anyhow, bail, ensure};
use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_path_to_error::Segment;
use toml::de::{DeTable, DeValue};

pub use channel::{ChannelSettings, EMAIL, Service, WebSettings};
pub use database::{DatabaseSettings, Tls};
pub use deadline::Deadline;
pub use environment::environment;
pub use group::{Group, KeyPattern, MOST_SERIES, ValuePattern};
pub use mail::{Login, MailSettings};
pub use metric::{Metric, Query, Rows, Table, TimeMeaning};
pub use schema::schema;
pub use secret::Secret;
pub use value::{Mailbox, parse_length, parse_mailbox, time_delta};

use crate::calendar::{Effect, Event, parse_occurrence};
use crate::output::one_line;
use crate::output::owner::{command_as, meant_for};
use crate::series::key::SeriesKey;
use environment::{Variables, check_environment};
use event::EventTable;
use state::StateKeeping;
use text::read_text;

/// Where whoever runs bandwatch need not name it.
pub const SYSTEM_FILE: &str = "/etc/bandwatch/config.toml";

/// The file: each key a field, each table a struct. An unknown key is an error.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["metric"]))]
pub struct Config {
    /// The wall clock of DATETIME columns, of charts and mail.
    #[serde(rename = "timezone", deserialize_with = "value::zone")]
    #[schemars(with = "String")]
    pub zone: Tz,
    pub plots_dir: PathBuf,
    #[serde(deserialize_with = "value::length")]
    #[schemars(schema_with = "schema::length")]
    pub deadline: Duration,
    #[serde(rename = "state")]
    state_keeping: StateKeeping,
    /// Where is kept what one run remembers for the next; None: the usual place.
    pub state_dir: Option<PathBuf>,
    /// Requested after each run in which nothing failed.
    #[serde(deserialize_with = "value::web_address")]
    #[schemars(schema_with = "schema::web_address")]
    pub heartbeat_url: Option<Secret>,
    mysql: DatabaseSettings,
    /// As it is written: what sending needs may be missing; see [`Config::mail`].
    pub smtp: Option<MailSettings>,
    /// Each with a name of its own.
    #[serde(rename = "channel")]
    pub channels: Vec<ChannelSettings>,
    /// In the order of the file, at least one, each with a name of its own.
    #[serde(rename = "metric")]
    #[schemars(length(min = 1))]
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
            state_keeping: StateKeeping::default(),
            state_dir: None,
            heartbeat_url: None,
            mysql: DatabaseSettings::default(),
            smtp: None,
            channels: Vec::new(),
            metrics: Vec::new(),
            events: Vec::new(),
            origin: None,
        }
    }
}

impl Config {
    /// Where the file is looked for when nobody names one, in this order.
    pub fn usual_places() -> Vec<PathBuf> {
        let user = environment("XDG_CONFIG_HOME").map(PathBuf::from);
        let home = || Some(Path::new(&std::env::var_os("HOME")?).join(".config"));
        let user = user.or_else(home);
        let mut places = vec!["config.toml".into()];
        places.extend(user.map(|dir| dir.join("bandwatch/config.toml")));
        places.push(SYSTEM_FILE.into());
        places
    }

    /// Reads and checks the file. An error names it, line, key and value, and what is allowed.
    pub fn load(path: &Path) -> Result<Self> {
        let text = read_text(path).map_err(|error| explain_denial(error, path));
        let text = text.with_context(|| format!("read the configuration {}", path.display()))?;
        check_environment()?;
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

    /// What a file of this text would say, with this password for the database where it names no file of one.
    /// Nothing else of the environment counts.
    pub fn of_text(text: &str, password: Option<&Secret>) -> Result<Self> {
        let variables = |name: &str| match name {
            "mysql_password" => password.map(|password| password.reveal().to_string()),
            _ => None,
        };
        Self::parse(text, Path::new(""), &variables)
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
        config.check_series_names()?;
        config.check_channels()?;
        config.add_events(folder)?;
        Ok(config)
    }

    /// No metric is called as a series of another would be.
    fn check_series_names(&self) -> Result<()> {
        let grouped = self.metrics.iter().filter(|metric| metric.group.is_some());
        for grouped in grouped {
            let prefix = format!("{}{{", grouped.name);
            let mut metrics = self.metrics.iter().enumerate();
            if let Some((index, metric)) =
                metrics.find(|(_, metric)| metric.name.starts_with(&prefix))
            {
                bail!(
                    "metric[{index}].name = {:?}: a series of {:?} may be called so (group_by); allowed: another name",
                    metric.name,
                    grouped.name
                );
            }
        }
        Ok(())
    }

    /// Channels have names of their own, and metrics name channels that there are.
    fn check_channels(&self) -> Result<()> {
        let mut names = HashSet::from([EMAIL]);
        for (index, channel) in self.channels.iter().enumerate() {
            ensure!(
                names.insert(channel.name()),
                "channel[{index}].name = {:?}: another channel has this name; allowed: a name of its own each",
                channel.name()
            );
        }
        for (index, metric) in self.metrics.iter().enumerate() {
            let mut chosen = metric.channels.iter().flatten();
            if let Some(name) = chosen.find(|name| !names.contains(name.as_str())) {
                let known = self.channels.iter().map(ChannelSettings::name);
                let known: Vec<&str> = [EMAIL].into_iter().chain(known).collect();
                bail!(
                    "metric[{index}].channels: {name:?} is no channel; there are: {}",
                    known.join(", ")
                );
            }
            ensure!(
                metric.recipients.is_none() || metric.is_told_by(EMAIL),
                "metric[{index}].recipients: they are those of the channel \"email\", which channels does not name; name it, or leave one of the two out"
            );
        }
        Ok(())
    }

    /// Gives each metric the events that are about it, its dated quiet times among them.
    fn add_events(&mut self, folder: &Path) -> Result<()> {
        for (index, metric) in self.metrics.iter_mut().enumerate() {
            for text in std::mem::take(&mut metric.dated_quiet) {
                let period = parse_occurrence(&text, self.zone).map_err(Error::msg);
                let period = period.with_context(|| format!("metric[{index}].quiet"))?;
                metric.events.add(Event {
                    name: "quiet".to_string(),
                    effect: Effect::Mute,
                    periods: vec![period],
                });
            }
        }
        for (index, table) in self.events.iter().enumerate() {
            let place = || format!("event[{index}] ({})", table.name);
            let named = table.metrics.as_deref().unwrap_or_default();
            if let Some(name) = self.unknown(named) {
                bail!(
                    "{}: metrics: {name:?} is no metric; there are: {}",
                    place(),
                    self.known()
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

    /// The first of the names that no metric has.
    fn unknown<'n>(&self, names: &'n [String]) -> Option<&'n String> {
        let mut names = names.iter();
        names.find(|name| self.metrics.iter().all(|metric| metric.name != **name))
    }

    /// The names of the metrics, for whoever named another.
    fn known(&self) -> String {
        let names = self.metrics.iter().map(|metric| match &metric.group {
            None => metric.name.clone(),
            Some(group) => {
                let columns = group.columns.iter().map(|column| format!("{column}=..."));
                let columns = columns.collect::<Vec<_>>().join(",");
                format!("{0} (a series of it: {0}{{{columns}}})", metric.name)
            }
        });
        names.collect::<Vec<_>>().join(", ")
    }

    /// The metric that a name means, or the one of which it means a series, with that series' key.
    pub fn find(&self, name: &str) -> Option<(&Metric, Option<SeriesKey>)> {
        let mut metrics = self.metrics.iter();
        let named = metrics.find(|metric| metric.name == name);
        named.map(|metric| (metric, None)).or_else(|| {
            self.metrics
                .iter()
                .find_map(|metric| Some((metric, Some(metric.key_of(name)?))))
        })
    }

    /// The metrics and series of the given names, in the order of the file; all metrics if none is named.
    pub fn chosen(&self, names: &[String]) -> Result<Vec<Metric>> {
        if let Some(name) = names.iter().find(|name| self.find(name).is_none()) {
            bail!(
                "--metric {name:?}: no such metric in {}; there are: {}",
                self.origin(),
                self.known()
            );
        }
        let mut chosen = Vec::new();
        for metric in &self.metrics {
            if names.is_empty() || names.contains(&metric.name) {
                chosen.push(metric.clone());
                continue;
            }
            let keys: BTreeSet<SeriesKey> = names
                .iter()
                .filter_map(|name| metric.key_of(name))
                .collect();
            chosen.extend(keys.iter().map(|key| metric.of_series(key, None, 1)));
        }
        Ok(chosen)
    }

    /// How to reach the database, if all that needs is there.
    pub fn database(&self) -> Result<DatabaseSettings> {
        self.mysql.clone().checked().with_context(|| self.origin())
    }

    /// The servers that keep the state in tables, the first that answers before the others; None if it is kept
    /// in files.
    pub fn state_servers(&self) -> Result<Option<Vec<DatabaseSettings>>> {
        match &self.state_keeping {
            StateKeeping::Files => Ok(None),
            StateKeeping::Tables(tables) => {
                let servers = tables.servers(&self.mysql).context("state");
                servers.map(Some).with_context(|| self.origin())
            }
        }
    }

    /// How many metrics are read at once.
    pub fn connections(&self) -> usize {
        self.mysql.connections.into()
    }

    /// Whether there is a database to read from at all.
    pub fn names_database(&self) -> bool {
        !self.mysql.user.is_empty() || !self.mysql.database.is_empty()
    }

    /// How to send mail, if all that needs is there; None if the file has no `[smtp]`, and needs none.
    pub fn mail(&self) -> Result<Option<MailSettings>> {
        let mut lists = self.channels.iter().map(ChannelSettings::recipients);
        let checked = match &self.smtp {
            Some(mail) => mail.clone().checked(lists.flatten().next()).map(Some),
            None if lists.any(|list| list.is_some()) => {
                Err(anyhow!("smtp: missing; a channel of mail goes by it"))
            }
            None if self
                .metrics
                .iter()
                .any(|metric| metric.recipients.is_some()) =>
            {
                Err(anyhow!(
                    "smtp: missing; the recipients of a metric are told by it"
                ))
            }
            None => Ok(None),
        };
        checked.with_context(|| self.origin())
    }

    /// To whom what is to be known of a metric is mailed, each once.
    pub fn mailboxes(&self, metric: &Metric) -> Vec<Mailbox> {
        let of_all = self.smtp.as_ref().map_or(&[][..], |smtp| &smtp.recipients);
        let own = metric
            .is_told_by(EMAIL)
            .then(|| metric.recipients_or(of_all));
        let channels = self.channels.iter();
        let lists = channels.filter(|channel| metric.is_told_by(channel.name()));
        let lists = lists.filter_map(ChannelSettings::recipients);
        let mut known = HashSet::new();
        let all = own.into_iter().chain(lists).flatten().cloned();
        all.filter(|mailbox| known.insert(mailbox.email.clone()))
            .collect()
    }

    /// The channels that are web services, with all that reaching them needs.
    pub fn web_channels(&self) -> Result<Vec<WebSettings>> {
        let channels = self.channels.iter().map(ChannelSettings::web);
        let channels: Result<Vec<_>> = channels.filter_map(Result::transpose).collect();
        channels.with_context(|| self.origin())
    }

    /// The files that hold a secret, with the keys that name them.
    pub fn secret_files(&self) -> Vec<(String, &Path)> {
        let mysql = self.mysql.password_file();
        let smtp = self.smtp.as_ref().and_then(MailSettings::password_file);
        let passwords = [("mysql.password_file", mysql), ("smtp.password_file", smtp)];
        let passwords = passwords.into_iter();
        let passwords = passwords.filter_map(|(key, file)| Some((key.to_string(), file?)));
        let channels = self.channels.iter().flat_map(ChannelSettings::secret_files);
        passwords.chain(channels).collect()
    }

    /// Whether the file itself holds what may be a secret: the address of a web service.
    pub fn holds_secret(&self) -> bool {
        self.heartbeat_url.is_some() || self.channels.iter().any(ChannelSettings::holds_secret)
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

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;
