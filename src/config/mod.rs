//! The configuration: a TOML file whose documented format is the structs in [`mod@file`], overlaid by
//! the environment, checked as a whole before anything is contacted. What comes out are settings
//! that can be used as they are.

mod deadline;
mod file;
mod metric;
mod secret;
mod value;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use chrono_tz::Tz;

pub use deadline::Deadline;
pub use file::Tls;
pub use lettre::message::Mailbox;
pub use metric::{Metric, Rows, TableName, file_name};
pub use secret::Secret;
pub use value::parse_length;

use file::File;

/// Everything a run is told, checked.
#[derive(Debug)]
pub struct Config {
    pub zone: Tz,
    pub plots_dir: PathBuf,
    /// How long the whole run may take.
    pub deadline: Duration,
    /// None: the usual place.
    pub state_dir: Option<PathBuf>,
    /// Requested after each run in which nothing failed.
    pub heartbeat_url: Option<Secret>,
    /// In the order of the file, at least one, each with a name of its own.
    pub metrics: Vec<Metric>,
    file: File,
    origin: Option<PathBuf>,
}

/// How to reach the database.
#[derive(Debug, Clone)]
pub struct DatabaseSettings {
    pub place: DatabasePlace,
    pub user: String,
    pub password: Option<Secret>,
    pub database: String,
    pub tls: Tls,
    pub ca_file: Option<PathBuf>,
    pub connect_timeout: Duration,
    pub query_timeout: Duration,
}

#[derive(Debug, Clone, PartialEq)]
pub enum DatabasePlace {
    Host { name: String, port: u16 },
    Socket(PathBuf),
}

/// How to send mail.
#[derive(Debug, Clone)]
pub struct MailSettings {
    pub host: String,
    pub port: u16,
    pub encryption: Encryption,
    pub login: Option<Login>,
    pub ca_file: Option<PathBuf>,
    pub connect_timeout: Duration,
    pub reply_timeout: Duration,
    /// More notices in one run than this, to the same recipients, are one mail.
    pub digest_over: usize,
    /// How long a mail is tried to be sent.
    pub give_up_after: Duration,
}

/// There is no third: mail never goes out in the clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    StartTls,
    Implicit,
}

#[derive(Debug, Clone)]
pub struct Login {
    pub user: String,
    pub password: Secret,
}

/// The environment variables of the script that bandwatch replaces; each overrides its key.
#[derive(Debug, Default, Clone)]
pub struct Environment {
    pub mysql_user: Option<String>,
    pub mysql_password: Option<Secret>,
    pub mysql_host: Option<String>,
    pub mysql_db: Option<String>,
    pub smtp_email: Option<String>,
    pub smtp_password: Option<Secret>,
    pub recipient_list: Option<String>,
}

impl Environment {
    /// Reads them; an empty variable counts as absent.
    pub fn read() -> Self {
        let get = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        Self {
            mysql_user: get("mysql_user"),
            mysql_password: get("mysql_password").map(Secret::new),
            mysql_host: get("mysql_host"),
            mysql_db: get("mysql_db"),
            smtp_email: get("smtp_email"),
            smtp_password: get("smtp_password").map(Secret::new),
            recipient_list: get("recipient_list"),
        }
    }
}

impl Config {
    /// Where the file is looked for when nobody names one, in this order.
    pub fn usual_places() -> Vec<PathBuf> {
        let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".config"));
        let user = std::env::var_os("XDG_CONFIG_HOME")
            .filter(|dir| !dir.is_empty())
            .map(PathBuf::from)
            .or_else(home);
        let user = user.map(|dir| dir.join("bandwatch/config.toml"));
        ["config.toml".into()]
            .into_iter()
            .chain(user)
            .chain(["/etc/bandwatch/config.toml".into()])
            .collect()
    }

    /// Reads and checks the file.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or what it says is wrong or contradicts itself; the message names the
    /// file, the line where there is one, the key, the value, and what is allowed.
    pub fn load(path: &Path, environment: &Environment) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("read the configuration {}", path.display()))?;
        Self::parse(&text, environment, Some(path.to_path_buf()))
            .with_context(|| path.display().to_string())
    }

    /// What holds without any file: defaults, for one metric.
    pub fn without_file(metric: Metric) -> Self {
        let file = File::default();
        Self {
            zone: file.timezone.0,
            plots_dir: file.plots_dir.clone(),
            deadline: file.deadline.0,
            state_dir: file.state_dir.clone(),
            heartbeat_url: file.heartbeat_url.clone().map(|address| address.0),
            metrics: vec![metric],
            file,
            origin: None,
        }
    }

    fn parse(text: &str, environment: &Environment, origin: Option<PathBuf>) -> Result<Self> {
        let mut file = File::parse(text)?;
        file.overlay(environment)?;
        if file.metric.is_empty() {
            bail!("metric: none; at least one [[metric]] table is needed");
        }
        let mut names = HashSet::new();
        for (index, metric) in file.metric.iter().enumerate() {
            if !names.insert(metric.file_name()) {
                bail!(
                    "metric[{index}].name = {:?}: another metric has this name; allowed: a name of its own each",
                    metric.name
                );
            }
        }
        Ok(Self {
            zone: file.timezone.0,
            plots_dir: file.plots_dir.clone(),
            deadline: file.deadline.0,
            state_dir: file.state_dir.clone(),
            heartbeat_url: file.heartbeat_url.clone().map(|address| address.0),
            metrics: std::mem::take(&mut file.metric),
            file,
            origin,
        })
    }

    /// The metrics of the given names, in the order of the file; all of them if none is named.
    ///
    /// # Errors
    ///
    /// If a name is nobody's.
    pub fn chosen(&self, names: &[String]) -> Result<Vec<&Metric>> {
        for name in names {
            if !self.metrics.iter().any(|metric| metric.name == *name) {
                let known: Vec<_> = self
                    .metrics
                    .iter()
                    .map(|metric| metric.name.as_str())
                    .collect();
                bail!(
                    "--metric {name:?}: no such metric in {}; there are: {}",
                    self.origin(),
                    known.join(", ")
                );
            }
        }
        let wanted = |metric: &&Metric| names.is_empty() || names.contains(&metric.name);
        Ok(self.metrics.iter().filter(wanted).collect())
    }

    /// # Errors
    ///
    /// If a key the database needs is missing, or its password file cannot be read.
    pub fn database(&self) -> Result<DatabaseSettings> {
        self.file.mysql.settings().with_context(|| self.origin())
    }

    /// None if the file has no `[smtp]`.
    ///
    /// # Errors
    ///
    /// If a key that mail needs is missing, or its password file cannot be read.
    pub fn mail(&self) -> Result<Option<MailSettings>> {
        self.file
            .smtp
            .as_ref()
            .map(file::Smtp::settings)
            .transpose()
            .with_context(|| self.origin())
    }

    /// Who a mail says it is from and whom to ask, without anything that is needed to send it.
    pub fn letterhead(&self) -> Letterhead {
        let smtp = self.file.smtp.as_ref();
        Letterhead {
            from: smtp.and_then(file::Smtp::from),
            recipients: smtp.map(file::Smtp::recipients).unwrap_or_default(),
            contact: smtp.and_then(|smtp| smtp.contact.as_ref().map(|text| text.0.clone())),
        }
    }

    pub fn is_from_file(&self) -> bool {
        self.origin.is_some()
    }

    fn origin(&self) -> String {
        self.origin
            .as_ref()
            .map_or("no configuration file".to_string(), |path| {
                path.display().to_string()
            })
    }
}

/// The names on a mail.
#[derive(Debug, Clone, Default)]
pub struct Letterhead {
    pub from: Option<Mailbox>,
    pub recipients: Vec<Mailbox>,
    pub contact: Option<String>,
}

/// A key that must be there for what the run is to do.
fn required<'a, T>(value: Option<&'a T>, key: &str, variable: &str) -> Result<&'a T> {
    let or = if variable.is_empty() {
        String::new()
    } else {
        format!(", or the environment variable {variable}")
    };
    value.ok_or_else(|| anyhow!("{key}: missing; set it{or}"))
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;
