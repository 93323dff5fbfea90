//! The `[mysql]` table: how to reach the database.

use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, anyhow, ensure};
use schemars::JsonSchema;
use serde::Deserialize;

use super::certificates::certificates;
use super::environment::{Variables, missing};
use super::secret::{Secret, password};
use super::{schema, value};
use crate::output::one_line;

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DatabaseSettings {
    #[serde(deserialize_with = "value::host")]
    pub host: String,
    #[serde(deserialize_with = "value::port")]
    #[schemars(schema_with = "schema::port")]
    pub port: u16,
    /// Instead of host and port.
    pub socket: Option<PathBuf>,
    /// Needed; as is the database.
    pub user: String,
    pub database: String,
    password_file: Option<PathBuf>,
    /// Of the environment or the file, once the settings are checked.
    #[serde(skip)]
    pub password: Option<Secret>,
    tls: Option<Tls>,
    /// A PEM file of authorities to trust besides the usual ones.
    pub ca_file: Option<PathBuf>,
    /// Whether the key that hides the password may come from the server itself where there is no TLS, as
    /// `--get-server-public-key` of MySQL's own clients: whoever answers then learns the password.
    pub get_server_public_key: bool,
    #[serde(deserialize_with = "value::length")]
    #[schemars(schema_with = "schema::length")]
    pub connect_timeout: Duration,
    #[serde(deserialize_with = "value::length")]
    #[schemars(schema_with = "schema::length")]
    pub query_timeout: Duration,
    /// How many metrics are read at once, each by a connection of its own.
    #[serde(deserialize_with = "value::count")]
    #[schemars(schema_with = "schema::count")]
    pub connections: u16,
}

/// How the connection to the database is kept from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Tls {
    /// Encrypted, and the server proves that it is who it says.
    Verify,
    /// Encrypted, and the server shows a certificate of a trusted authority, for whatever name.
    VerifyCa,
    /// Encrypted, whoever the server is.
    Encrypt,
    /// Encrypted if the server offers it, whoever it is.
    Prefer,
    Off,
}

impl fmt::Display for Tls {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str(match self {
            Self::Verify => "verify",
            Self::VerifyCa => "verify-ca",
            Self::Encrypt => "encrypt",
            Self::Prefer => "prefer",
            Self::Off => "off",
        })
    }
}

impl Default for DatabaseSettings {
    fn default() -> Self {
        Self {
            host: "localhost".into(),
            port: 3306,
            socket: None,
            user: String::new(),
            database: String::new(),
            password_file: None,
            password: None,
            tls: None,
            ca_file: None,
            get_server_public_key: false,
            connect_timeout: Duration::from_secs(5),
            query_timeout: Duration::from_secs(30),
            connections: 2,
        }
    }
}

impl DatabaseSettings {
    /// Lets the environment fill or override its keys.
    pub(super) fn overlay(&mut self, variables: Variables) -> Result<()> {
        if let Some(host) = variables("mysql_host") {
            self.host = value::parse_host(host)
                .map_err(|error| anyhow!("environment mysql_host: {error}"))?;
            self.socket = None;
        }
        if let Some(user) = variables("mysql_user") {
            self.user = user;
        }
        if let Some(database) = variables("mysql_db") {
            self.database = database;
        }
        self.password = variables("mysql_password").map(Secret::new);
        Ok(())
    }

    /// What the lines of the table say, with this password where they name no file of one.
    pub fn of_lines(lines: &str, password: Option<&Secret>) -> Result<Self> {
        let settings = toml::from_str(lines);
        let mut settings: Self = settings.map_err(|error| anyhow!(one_line(error.message())))?;
        settings.password = password.cloned();
        settings.checked()
    }

    /// The settings with the password in them, if they are all there and go together.
    pub(super) fn checked(mut self) -> Result<Self> {
        let tls = self.tls();
        ensure!(
            self.ca_file.is_none() || matches!(tls, Tls::Verify | Tls::VerifyCa),
            "mysql.ca_file is set, but nothing is verified with mysql.tls = \"{tls}\"; set mysql.tls = \"verify\" or \"verify-ca\", or remove mysql.ca_file"
        );
        ensure!(
            self.ca_file.is_some() || tls != Tls::VerifyCa,
            "mysql.tls = \"verify-ca\" needs mysql.ca_file; allowed: the authority that signed the server's certificate"
        );
        ensure!(
            self.socket.is_none() || tls == Tls::Off,
            "mysql.tls = \"{tls}\" with mysql.socket: a socket is not encrypted; remove one of the two"
        );
        ensure!(!self.user.is_empty(), missing("mysql.user", "mysql_user"));
        let path = self.password_file.as_deref();
        self.password = password(self.password, "mysql.password_file", path)?;
        let has_database = !self.database.is_empty();
        ensure!(has_database, missing("mysql.database", "mysql_db"));
        certificates("mysql.ca_file", self.ca_file.as_deref())?;
        Ok(self)
    }

    /// Another account, with the password of this file.
    pub(super) fn sign_in_as(&mut self, user: String, password_file: Option<PathBuf>) {
        (self.user, self.password_file) = (user, password_file);
        self.password = None;
    }

    /// What is set replaces what was.
    pub(super) fn secure_by(&mut self, tls: Option<Tls>, ca_file: Option<PathBuf>) {
        self.tls = tls.or(self.tls);
        self.ca_file = ca_file.or(self.ca_file.take());
    }

    /// As set; else verified, but on this machine as the server offers it. A socket needs none.
    pub fn tls(&self) -> Tls {
        let address = self.host.parse::<IpAddr>();
        let is_this_host = self.host == "localhost" || address.is_ok_and(|ip| ip.is_loopback());
        match self.tls {
            Some(tls) => tls,
            None if self.socket.is_some() => Tls::Off,
            None if is_this_host => Tls::Prefer,
            None => Tls::Verify,
        }
    }

    pub(super) fn password_file(&self) -> Option<&Path> {
        self.password_file.as_deref()
    }

    /// The server, for messages.
    pub fn server(&self) -> String {
        match &self.socket {
            Some(path) => path.display().to_string(),
            None => format!("{}:{}", self.host, self.port),
        }
    }
}
