//! The format of the file: each key a field, each table a struct. An unknown key is an error.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};
use serde::Deserialize;

use super::metric::Metric;
use super::value::{
    DigestOver, Host, Length, Line, Port, Recipients, Sender, WebAddress, Zone, parse_mailbox,
};
use super::{
    DatabasePlace, DatabaseSettings, Encryption, Environment, Login, MailSettings, Secret, required,
};
use crate::output::one_line;
use lettre::message::Mailbox;

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct File {
    /// The wall clock of DATETIME columns, of charts and mail.
    pub timezone: Zone,
    /// Where pictures are written.
    pub plots_dir: PathBuf,
    /// How long the whole run may take.
    pub deadline: Length,
    /// Where is kept what one run remembers for the next.
    pub state_dir: Option<PathBuf>,
    /// Requested after each run in which nothing failed.
    pub heartbeat_url: Option<WebAddress>,
    pub mysql: Mysql,
    pub smtp: Option<Smtp>,
    pub metric: Vec<Metric>,
}

/// The database to read from.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mysql {
    host: Host,
    port: Port,
    /// Instead of host and port.
    socket: Option<PathBuf>,
    user: Option<String>,
    database: Option<String>,
    password_file: Option<PathBuf>,
    #[serde(skip)]
    password: Option<Secret>,
    tls: Option<Tls>,
    /// A PEM file of authorities to trust besides the usual ones.
    ca_file: Option<PathBuf>,
    connect_timeout: Length,
    query_timeout: Length,
}

/// How the connection to the database is kept from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tls {
    /// Encrypted, and the server proves that it is who it says.
    Verify,
    /// Encrypted, whoever the server is.
    Encrypt,
    Off,
}

/// The mail server to send through.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Smtp {
    host: Option<Host>,
    port: Option<Port>,
    /// TLS from the first byte, as on port 465, instead of STARTTLS.
    implicit_tls: bool,
    user: Option<String>,
    password_file: Option<PathBuf>,
    #[serde(skip)]
    password: Option<Secret>,
    from: Option<Sender>,
    /// Whom to ask, in the footer of a mail.
    pub contact: Option<Line>,
    recipients: Option<Recipients>,
    ca_file: Option<PathBuf>,
    connect_timeout: Length,
    reply_timeout: Length,
    /// More notices in one run than this, to the same recipients, are one mail.
    digest_over: DigestOver,
    /// How long a mail is tried to be sent.
    give_up_after: Length,
}

impl Default for File {
    fn default() -> Self {
        Self {
            timezone: Zone(chrono_tz::UTC),
            plots_dir: "plots".into(),
            deadline: seconds(50),
            state_dir: None,
            heartbeat_url: None,
            mysql: Mysql::default(),
            smtp: None,
            metric: Vec::new(),
        }
    }
}

impl Default for Mysql {
    fn default() -> Self {
        Self {
            host: Host("localhost".into()),
            port: Port(3306),
            socket: None,
            user: None,
            database: None,
            password_file: None,
            password: None,
            tls: None,
            ca_file: None,
            connect_timeout: seconds(5),
            query_timeout: seconds(30),
        }
    }
}

impl Default for Smtp {
    fn default() -> Self {
        Self {
            host: None,
            port: None,
            implicit_tls: false,
            user: None,
            password_file: None,
            password: None,
            from: None,
            contact: None,
            recipients: None,
            ca_file: None,
            connect_timeout: seconds(10),
            reply_timeout: seconds(20),
            digest_over: DigestOver::default(),
            give_up_after: seconds(24 * 3600),
        }
    }
}

fn seconds(count: u64) -> Length {
    Length(Duration::from_secs(count))
}

impl File {
    /// # Errors
    ///
    /// If the text is no TOML, or no configuration. The message never quotes a line: it might hold a
    /// password put in the wrong place.
    pub fn parse(text: &str) -> Result<Self> {
        let place = |error: &toml::de::Error| {
            let line = error
                .span()
                .map(|span| 1 + text[..span.start.min(text.len())].matches('\n').count());
            line.map_or(String::new(), |line| format!("line {line}: "))
        };
        let deserializer = toml::Deserializer::parse(text)
            .map_err(|error| anyhow!("{}{}", place(&error), one_line(error.message())))?;
        serde_path_to_error::deserialize(deserializer).map_err(|error| {
            let key = error.path().to_string();
            let inner = error.inner();
            anyhow!("{}{key}: {}", place(inner), one_line(inner.message()))
        })
    }

    /// Lets the environment fill or override its keys.
    pub fn overlay(&mut self, environment: &Environment) -> Result<()> {
        let mysql = &mut self.mysql;
        override_with(&mut mysql.user, environment.mysql_user.as_ref());
        override_with(&mut mysql.password, environment.mysql_password.as_ref());
        override_with(&mut mysql.database, environment.mysql_db.as_ref());
        if let Some(host) = &environment.mysql_host {
            mysql.host = Host::try_from(host.clone())
                .map_err(|error| anyhow!("environment mysql_host: {error}"))?;
            mysql.socket = None;
        }
        if environment.smtp_email.is_none()
            && environment.smtp_password.is_none()
            && environment.recipient_list.is_none()
        {
            return Ok(());
        }
        let smtp = self.smtp.get_or_insert_default();
        override_with(&mut smtp.user, environment.smtp_email.as_ref());
        override_with(&mut smtp.password, environment.smtp_password.as_ref());
        if let Some(email) = &environment.smtp_email {
            let mailbox =
                parse_mailbox(email).map_err(|error| anyhow!("environment smtp_email: {error}"))?;
            smtp.from = Some(Sender(mailbox));
        }
        if let Some(list) = &environment.recipient_list {
            let texts: Vec<String> = list
                .split(',')
                .map(str::trim)
                .filter(|text| !text.is_empty())
                .map(String::from)
                .collect();
            smtp.recipients = Some(
                texts
                    .try_into()
                    .map_err(|error| anyhow!("environment recipient_list: {error}"))?,
            );
        }
        Ok(())
    }
}

fn override_with<T: Clone>(value: &mut Option<T>, by: Option<&T>) {
    if let Some(by) = by {
        *value = Some(by.clone());
    }
}

impl Mysql {
    pub fn settings(&self) -> Result<DatabaseSettings> {
        let place = match &self.socket {
            Some(socket) => DatabasePlace::Socket(socket.clone()),
            None => DatabasePlace::Host {
                name: self.host.0.clone(),
                port: self.port.0,
            },
        };
        let tls = self.tls.unwrap_or(if place.is_this_machine() {
            Tls::Off
        } else {
            Tls::Verify
        });
        if self.ca_file.is_some() && tls != Tls::Verify {
            bail!(
                "mysql.ca_file is set, but nothing is verified with mysql.tls = {tls:?}; set mysql.tls = \"verify\" or remove mysql.ca_file"
            );
        }
        if matches!(place, DatabasePlace::Socket(_)) && tls != Tls::Off {
            bail!(
                "mysql.tls = {tls:?} with mysql.socket: a socket is not encrypted; remove one of the two"
            );
        }
        Ok(DatabaseSettings {
            place,
            user: required(self.user.as_ref(), "mysql.user", "mysql_user")?.clone(),
            password: password(
                self.password.as_ref(),
                "mysql.password_file",
                self.password_file.as_ref(),
            )?,
            database: required(self.database.as_ref(), "mysql.database", "mysql_db")?.clone(),
            tls,
            ca_file: authorities("mysql.ca_file", self.ca_file.as_deref())?,
            connect_timeout: self.connect_timeout.0,
            query_timeout: self.query_timeout.0,
        })
    }
}

impl DatabasePlace {
    fn is_this_machine(&self) -> bool {
        match self {
            Self::Socket(_) => true,
            Self::Host { name, .. } => {
                name == "localhost"
                    || name
                        .parse::<std::net::IpAddr>()
                        .is_ok_and(|address| address.is_loopback())
            }
        }
    }
}

impl Smtp {
    /// # Errors
    ///
    /// If anything that a mail needs is missing, names included.
    pub fn settings(&self) -> Result<MailSettings> {
        required(self.from.as_ref(), "smtp.from", "smtp_email")?;
        required(
            self.recipients.as_ref(),
            "smtp.recipients",
            "recipient_list",
        )?;
        let password = password(
            self.password.as_ref(),
            "smtp.password_file",
            self.password_file.as_ref(),
        )?;
        let login = match (&self.user, password) {
            (Some(user), Some(password)) => Some(Login {
                user: user.clone(),
                password,
            }),
            (Some(_), None) => bail!(
                "smtp.password_file: missing, and smtp.user is set; set it, or the environment variable smtp_password"
            ),
            (None, Some(_)) => bail!(
                "smtp.user: missing, and there is a password; set it, or the environment variable smtp_email"
            ),
            (None, None) => None,
        };
        Ok(MailSettings {
            host: required(self.host.as_ref(), "smtp.host", "")?.0.clone(),
            port: self
                .port
                .map_or(if self.implicit_tls { 465 } else { 587 }, |port| port.0),
            encryption: if self.implicit_tls {
                Encryption::Implicit
            } else {
                Encryption::StartTls
            },
            login,
            ca_file: authorities("smtp.ca_file", self.ca_file.as_deref())?,
            connect_timeout: self.connect_timeout.0,
            reply_timeout: self.reply_timeout.0,
            digest_over: self.digest_over.0,
            give_up_after: self.give_up_after.0,
        })
    }

    pub fn from(&self) -> Option<Mailbox> {
        self.from.as_ref().map(|sender| sender.0.clone())
    }

    pub fn recipients(&self) -> Vec<Mailbox> {
        self.recipients
            .as_ref()
            .map(|recipients| recipients.0.clone())
            .unwrap_or_default()
    }
}

/// The password the environment gave, else the one in the file.
fn password(given: Option<&Secret>, key: &str, path: Option<&PathBuf>) -> Result<Option<Secret>> {
    match (given, path) {
        (Some(given), _) => Ok(Some(given.clone())),
        (None, Some(path)) => Secret::from_file(key, path).map(Some),
        (None, None) => Ok(None),
    }
}

/// The file with authorities to trust, found to hold at least one: when it is needed is too late to
/// learn that it does not.
fn authorities(key: &str, path: Option<&Path>) -> Result<Option<PathBuf>> {
    let Some(path) = path else {
        return Ok(None);
    };
    let shown = path.display().to_string();
    let pem = std::fs::read_to_string(path)
        .with_context(|| format!("{key} = {shown:?}: cannot be read"))?;
    ensure!(
        pem.contains("-----BEGIN CERTIFICATE-----"),
        "{key} = {shown:?}: holds no certificate; allowed: a file of certificates in PEM"
    );
    Ok(Some(path.to_path_buf()))
}
