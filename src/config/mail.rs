//! The `[smtp]` table: from whom and to whom mail goes, and how to send it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, anyhow, bail, ensure};
use rustls::pki_types::CertificateDer;
use schemars::JsonSchema;
use serde::Deserialize;

use super::certificates::certificates;
use super::environment::{Variables, missing};
use super::schema;
use super::secret::{Secret, password};
use super::value::{self, Mailbox};

/// The mail server to send through, and the names on a mail, which may be there without it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MailSettings {
    /// Needed to send.
    #[serde(deserialize_with = "value::host")]
    pub host: String,
    #[serde(deserialize_with = "value::port")]
    #[schemars(schema_with = "schema::port")]
    port: Option<u16>,
    /// TLS from the first byte, else STARTTLS. There is no third: mail never goes out in the clear.
    pub implicit_tls: bool,
    user: Option<String>,
    /// Of the environment: an address that is a login only where there is a password.
    #[serde(skip)]
    address: Option<String>,
    password_file: Option<PathBuf>,
    /// Of the environment.
    #[serde(skip)]
    password: Option<Secret>,
    /// There once the settings are checked, if there is a user.
    #[serde(skip)]
    pub login: Option<Login>,
    /// Needed to send; as are the recipients.
    #[serde(deserialize_with = "value::mailbox")]
    #[schemars(with = "String")]
    pub from: Option<Mailbox>,
    #[serde(deserialize_with = "value::mailboxes")]
    #[schemars(schema_with = "schema::some_texts")]
    pub recipients: Vec<Mailbox>,
    /// Whom to ask, in the footer of a mail.
    #[serde(deserialize_with = "value::line")]
    pub contact: Option<String>,
    /// A PEM file of certificates to trust besides those of the system: of authorities, or the server's own.
    ca_file: Option<PathBuf>,
    /// Those in it, once the settings are checked.
    #[serde(skip)]
    pub authorities: Vec<CertificateDer<'static>>,
    /// By which the server is greeted; else the name or the address of this machine.
    #[serde(deserialize_with = "value::hello_name")]
    pub hello_name: Option<String>,
    #[serde(deserialize_with = "value::length")]
    #[schemars(schema_with = "schema::length")]
    pub connect_timeout: Duration,
    #[serde(deserialize_with = "value::length")]
    #[schemars(schema_with = "schema::length")]
    pub reply_timeout: Duration,
    /// More notices in one run than this, to the same recipients, are one mail.
    #[serde(deserialize_with = "value::count")]
    #[schemars(schema_with = "schema::count")]
    pub digest_over: usize,
    /// How long a mail is tried to be sent.
    #[serde(deserialize_with = "value::length")]
    #[schemars(schema_with = "schema::length")]
    pub give_up_after: Duration,
}

#[derive(Debug, Clone)]
pub struct Login {
    pub user: String,
    pub password: Secret,
}

impl Default for MailSettings {
    fn default() -> Self {
        Self {
            host: String::new(),
            port: None,
            implicit_tls: false,
            user: None,
            address: None,
            password_file: None,
            password: None,
            login: None,
            from: None,
            recipients: Vec::new(),
            contact: None,
            ca_file: None,
            authorities: Vec::new(),
            hello_name: None,
            connect_timeout: Duration::from_secs(10),
            reply_timeout: Duration::from_secs(20),
            digest_over: 5,
            give_up_after: Duration::from_hours(24),
        }
    }
}

impl MailSettings {
    /// Lets the environment fill or override keys of a table that need not be in the file.
    pub(super) fn overlay(table: &mut Option<Self>, variables: Variables) -> Result<()> {
        if let Some(email) = variables("smtp_email") {
            let from = value::parse_mailbox(&email)
                .map_err(|error| anyhow!("environment smtp_email: {error}"))?;
            let settings = table.get_or_insert_default();
            (settings.from, settings.address) = (Some(from), Some(email));
        }
        if let Some(password) = variables("smtp_password") {
            table.get_or_insert_default().password = Some(Secret::new(password));
        }
        if let Some(list) = variables("recipient_list") {
            let texts = list.split(',').map(str::trim);
            let texts: Vec<&str> = texts.filter(|text| !text.is_empty()).collect();
            table.get_or_insert_default().recipients = value::parse_mailboxes(&texts)
                .map_err(|error| anyhow!("environment recipient_list: {error}"))?;
        }
        Ok(())
    }

    /// The settings with the login in them, if all that sending needs is there. The recipients may be those
    /// of a channel.
    pub(super) fn checked(mut self, channel: Option<&[Mailbox]>) -> Result<Self> {
        ensure!(self.from.is_some(), missing("smtp.from", "smtp_email"));
        let has_recipients = !self.recipients.is_empty() || channel.is_some();
        ensure!(has_recipients, missing("smtp.recipients", "recipient_list"));
        let path = self.password_file.as_deref();
        let password = password(self.password.take(), "smtp.password_file", path)?;
        let user = match (self.user.take(), self.address.take()) {
            (None, Some(address)) => password.is_some().then_some(address),
            (user, address) => address.or(user),
        };
        self.login = match (user, password) {
            (Some(user), Some(password)) => Some(Login { user, password }),
            (Some(_), None) => bail!(
                "smtp.password_file: missing, and smtp.user is set; set it, or the environment variable smtp_password"
            ),
            (None, Some(_)) => bail!(
                "smtp.user: missing, and there is a password; set it, or the environment variable smtp_email"
            ),
            (None, None) => None,
        };
        ensure!(!self.host.is_empty(), "smtp.host: missing; set it");
        self.authorities = certificates("smtp.ca_file", self.ca_file.as_deref())?;
        Ok(self)
    }

    pub(super) fn password_file(&self) -> Option<&Path> {
        self.password_file.as_deref()
    }

    /// As set; else the usual one of the encryption.
    pub fn port(&self) -> u16 {
        let usual = if self.implicit_tls { 465 } else { 587 };
        self.port.unwrap_or(usual)
    }
}
