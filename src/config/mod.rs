//! The configuration: a TOML file whose documented format is the structs here and below. It is read in one
//! pass, overlaid by the environment, and checked as a whole before anything is contacted.

mod database;
mod deadline;
mod event;
mod mail;
mod metric;
mod secret;
mod value;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};
use chrono_tz::Tz;
use serde::Deserialize;

pub use database::{DatabaseSettings, Tls};
pub use deadline::Deadline;
pub use mail::MailSettings;
pub use metric::{Metric, Query, Rows, Table};
pub use secret::Secret;
pub use value::{Mailbox, parse_length, time_delta};

use crate::output::one_line;
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
    origin: Option<String>,
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
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("read the configuration {}", path.display()))?;
        let origin = path.display().to_string();
        let folder = path.parent().unwrap_or(Path::new(""));
        let config = Self::parse(&text, folder, &environment);
        let mut config = config.with_context(|| origin.clone())?;
        config.origin = Some(origin);
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

    /// How to send mail, if all that needs is there; None if the file has no `[smtp]`.
    pub fn mail(&self) -> Result<Option<MailSettings>> {
        let checked = self.smtp.clone().map(MailSettings::checked);
        checked.transpose().with_context(|| self.origin())
    }

    pub fn is_from_file(&self) -> bool {
        self.origin.is_some()
    }

    fn origin(&self) -> String {
        let origin = self.origin.as_deref();
        origin.unwrap_or("no configuration file").to_string()
    }
}

/// An error names line and key. It never quotes a line, which might hold a misplaced password.
fn deserialize(text: &str) -> Result<Config> {
    let place = |error: &toml::de::Error| {
        error.span().map_or(String::new(), |span| {
            let above = &text[..span.start.min(text.len())];
            format!("line {}: ", 1 + above.matches('\n').count())
        })
    };
    let deserializer = toml::Deserializer::parse(text)
        .map_err(|error| anyhow!("{}{}", place(&error), one_line(error.message())))?;
    serde_path_to_error::deserialize(deserializer).map_err(|error| {
        let key = error.path().to_string();
        let inner = error.inner();
        anyhow!("{}{key}: {}", place(inner), one_line(inner.message()))
    })
}

/// Of a key that is needed, and neither in the file nor in the environment.
fn missing(key: &str, variable: &str) -> String {
    format!("{key}: missing; set it, or the environment variable {variable}")
}

/// A file with authorities to trust holds one at least: when it is needed is too late to learn otherwise.
fn check_authorities(key: &str, path: Option<&Path>) -> Result<()> {
    let Some(path) = path else {
        return Ok(());
    };
    let shown = path.display().to_string();
    let pem = std::fs::read_to_string(path)
        .with_context(|| format!("{key} = {shown:?}: cannot be read"))?;
    ensure!(
        pem.contains("-----BEGIN CERTIFICATE-----"),
        "{key} = {shown:?}: holds no certificate; allowed: a file of certificates in PEM"
    );
    Ok(())
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;
