//! A `[[channel]]` table: where else notifications go, or to whom they are mailed.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Error, Result};
use rustls::pki_types::CertificateDer;
use schemars::JsonSchema;
use serde::Deserialize;

use super::certificates::certificates;
use super::schema;
use super::secret::{Secret, password};
use super::value::{self, Mailbox};

/// The name of the channel that is the mail of `[smtp]`, to its recipients or those of the metric.
pub const EMAIL: &str = "email";

/// A channel as it is written, its keys found to go together. What they name is not read yet; see
/// [`ChannelSettings::web`].
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(try_from = "ChannelTable")]
pub struct ChannelSettings(ChannelTable);

/// A channel that is a web service, with all that reaching it needs.
#[derive(Debug, Clone)]
pub struct WebSettings {
    pub name: String,
    pub service: Service,
    pub address: WebAddress,
    /// Certificates to trust besides those of the system.
    pub authorities: Vec<CertificateDer<'static>>,
    /// How long one request may take.
    pub timeout: Duration,
    /// More notifications in one run than this are one message.
    pub digest_over: usize,
    pub give_up_after: Duration,
}

/// What a web service understands.
#[derive(Debug, Clone)]
pub enum Service {
    Webhook {
        /// Of the signature.
        secret: Option<Secret>,
    },
    Slack,
    Teams,
    Alertmanager {
        /// Of every alert, besides those that say what it is about.
        labels: BTreeMap<String, String>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Email,
    Webhook,
    Slack,
    Teams,
    Alertmanager,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Encryption {
    Verify,
    Off,
}

/// The table as it is written in the file.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ChannelTable {
    name: String,
    kind: Kind,
    #[serde(default, deserialize_with = "value::mailboxes")]
    #[schemars(schema_with = "schema::some_texts")]
    recipients: Option<Vec<Mailbox>>,
    #[serde(default, deserialize_with = "value::secret")]
    #[schemars(with = "String")]
    url: Option<Secret>,
    url_file: Option<PathBuf>,
    secret_file: Option<PathBuf>,
    tls: Option<Encryption>,
    ca_file: Option<PathBuf>,
    labels: Option<BTreeMap<String, String>>,
    #[serde(default, deserialize_with = "value::length")]
    #[schemars(schema_with = "schema::length")]
    timeout: Option<Duration>,
    #[serde(default, deserialize_with = "value::count")]
    #[schemars(schema_with = "schema::count")]
    digest_over: Option<u16>,
    #[serde(default, deserialize_with = "value::length")]
    #[schemars(schema_with = "schema::length")]
    give_up_after: Option<Duration>,
}

impl ChannelSettings {
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// To whom a channel of mail goes; `None` for a web service.
    pub fn recipients(&self) -> Option<&[Mailbox]> {
        self.0.recipients.as_deref()
    }

    pub fn is_alertmanager(&self) -> bool {
        self.0.kind == Kind::Alertmanager
    }

    /// The web service, with what the files say that its keys name; `None` for a channel of mail.
    pub fn web(&self) -> Result<Option<WebSettings>> {
        let table = &self.0;
        let service = match table.kind {
            Kind::Email => return Ok(None),
            Kind::Webhook => Service::Webhook {
                secret: password(None, &self.key("secret_file"), table.secret_file.as_deref())?,
            },
            Kind::Slack => Service::Slack,
            Kind::Teams => Service::Teams,
            Kind::Alertmanager => Service::Alertmanager {
                labels: table.labels.clone().unwrap_or_default(),
            },
        };
        let key = self.key("url_file");
        let read = password(None, &key, table.url_file.as_deref())?;
        let address = match (&table.url, read) {
            (_, Some(read)) => table.address(read.reveal()).map_err(Error::msg),
            (Some(url), None) => table.address(url.reveal()).map_err(Error::msg),
            (None, None) => Err(Error::msg("missing")),
        };
        Ok(Some(WebSettings {
            name: table.name.clone(),
            service,
            address: address.context(key)?,
            authorities: certificates(&self.key("ca_file"), table.ca_file.as_deref())?,
            timeout: table.timeout.unwrap_or(Duration::from_secs(10)),
            digest_over: match table.kind {
                // It groups by itself: whatever it is told goes at once.
                Kind::Alertmanager => 0,
                _ => table.digest_over.map_or(5, usize::from),
            },
            give_up_after: table.give_up_after.unwrap_or(Duration::from_hours(24)),
        }))
    }

    /// The files that hold a secret, with the keys that name them.
    pub(super) fn secret_files(&self) -> impl Iterator<Item = (String, &Path)> {
        let table = &self.0;
        let files = [
            ("url_file", &table.url_file),
            ("secret_file", &table.secret_file),
        ];
        let files = files.into_iter();
        files.filter_map(|(key, file)| Some((self.key(key), file.as_deref()?)))
    }

    /// Whether the table itself holds what may be a secret.
    pub(super) fn holds_secret(&self) -> bool {
        self.0.url.is_some()
    }

    fn key(&self, key: &str) -> String {
        format!("channel {:?}: {key}", self.0.name)
    }
}

impl TryFrom<ChannelTable> for ChannelSettings {
    type Error = String;

    fn try_from(table: ChannelTable) -> Result<Self, String> {
        use Kind::{Alertmanager, Email, Slack, Teams, Webhook};
        let name = &table.name;
        let is_part = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
        // Without an @ it is no mail address, beside which it stands in the notification log.
        if name.is_empty() || name.len() > 40 || !name.chars().all(is_part) {
            return Err(format!(
                "name = {name:?}: allowed: 1 to 40 letters, digits, hyphens and underscores"
            ));
        }
        if name == EMAIL {
            return Err(format!(
                "name = {name:?} is that of the mail of [smtp]; allowed: another name"
            ));
        }
        let web: &[Kind] = &[Webhook, Slack, Teams, Alertmanager];
        let keys: [(&str, bool, &[Kind]); 10] = [
            ("recipients", table.recipients.is_some(), &[Email]),
            ("url", table.url.is_some(), web),
            ("url_file", table.url_file.is_some(), web),
            ("secret_file", table.secret_file.is_some(), &[Webhook]),
            ("tls", table.tls.is_some(), web),
            ("ca_file", table.ca_file.is_some(), web),
            ("labels", table.labels.is_some(), &[Alertmanager]),
            ("timeout", table.timeout.is_some(), web),
            (
                "digest_over",
                table.digest_over.is_some(),
                &[Webhook, Slack, Teams],
            ),
            ("give_up_after", table.give_up_after.is_some(), web),
        ];
        for (key, is_set, kinds) in keys {
            if is_set && !kinds.contains(&table.kind) {
                let kinds: Vec<String> = kinds.iter().map(|kind| kind.quoted()).collect();
                return Err(format!("{key}: goes with kind = {}", kinds.join(" or ")));
            }
        }
        match (table.kind, &table.url, &table.url_file) {
            (Email, ..) if table.recipients.is_none() => {
                return Err("recipients: missing; a channel of mail needs them".into());
            }
            (Webhook | Slack | Teams | Alertmanager, None, None) => {
                return Err("url: missing; set it, or url_file if it is a secret".into());
            }
            (_, Some(_), Some(_)) => {
                return Err("url_file: goes without url; allowed: one of them".into());
            }
            (_, Some(url), None) => {
                table
                    .address(url.reveal())
                    .map_err(|error| format!("url: {error}"))?;
            }
            (Email, ..) | (_, None, Some(_)) => {}
        }
        table.labels.iter().flatten().try_for_each(check_label)?;
        Ok(Self(table))
    }
}

impl ChannelTable {
    fn address(&self, text: &str) -> Result<WebAddress, String> {
        let address = WebAddress::parse(text)?;
        if address.is_encrypted()
            || address.is_of_this_machine()
            || self.tls == Some(Encryption::Off)
        {
            Ok(address)
        } else {
            Err("not encrypted; allowed: an address that begins with https://, or tls = \"off\" where whoever reads along may".into())
        }
    }
}

/// The rules of Alertmanager for a label (of its `model.LabelName`), and ours are taken.
fn check_label((name, text): (&String, &String)) -> Result<(), String> {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let is_name = name.chars().all(is_part)
        && name
            .chars()
            .next()
            .is_some_and(|first| !first.is_ascii_digit());
    if !is_name || text.is_empty() || text.chars().any(char::is_control) {
        return Err(format!(
            "labels: {name} = {text:?} is no label; allowed: letters, digits and underscores, and a text"
        ));
    }
    if ["alertname", "metric", "side"].contains(&name.as_str()) {
        return Err(format!(
            "labels: {name} is set by bandwatch; allowed: other labels"
        ));
    }
    Ok(())
}

impl Kind {
    fn quoted(self) -> String {
        format!("\"{}\"", format!("{self:?}").to_lowercase())
    }
}

/// The address of a web service, most of which may be a secret.
#[derive(Debug, Clone)]
pub struct WebAddress {
    whole: Secret,
    scheme: &'static str,
    /// With the port, if it has one; without user and password.
    host_and_port: String,
}

impl WebAddress {
    /// No error repeats what was given: it may be a secret.
    fn parse(text: &str) -> Result<Self, String> {
        let refusal = "not a web address; allowed: such as \"https://hooks.example.com/alerts\"";
        let fits = text.len() <= 2000
            && text.chars().all(|letter| letter.is_ascii_graphic())
            && !text.contains('\\');
        let split = ["https", "http"].into_iter().find_map(|scheme| {
            let rest = text.strip_prefix(scheme)?.strip_prefix("://")?;
            Some((scheme, rest))
        });
        let (scheme, rest) = split.filter(|_| fits).ok_or(refusal)?;
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let host_and_port = authority.rsplit('@').next().unwrap_or_default();
        let (host, port) = split_port(host_and_port);
        let is_port = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
        if !is_port || value::parse_host(host.to_string()).is_err() {
            return Err(refusal.to_string());
        }
        Ok(Self {
            whole: Secret::new(text.to_string()),
            scheme,
            host_and_port: host_and_port.to_string(),
        })
    }

    pub fn reveal(&self) -> &str {
        self.whole.reveal()
    }

    /// What of it is no secret: `https://hooks.example.com/***`
    pub fn shown(&self) -> String {
        format!("{}://{}/***", self.scheme, self.host_and_port)
    }

    fn is_encrypted(&self) -> bool {
        self.scheme == "https"
    }

    fn is_of_this_machine(&self) -> bool {
        let (host, _) = split_port(&self.host_and_port);
        let address = host.parse::<IpAddr>();
        host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    }
}

/// Host and port; an IPv6 address without its brackets (RFC 3986, 3.2.2).
fn split_port(text: &str) -> (&str, Option<&str>) {
    if let Some((host, rest)) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        let port = rest.strip_prefix(':');
        return (host, port.or((!rest.is_empty()).then_some("")));
    }
    match text.rsplit_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (text, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(lines: &str) -> Result<ChannelSettings, String> {
        let text = format!("name = \"ops\"\n{lines}");
        toml::from_str(&text).map_err(|error: toml::de::Error| error.message().to_string())
    }

    #[test]
    fn an_address_is_shown_without_what_may_be_a_secret() {
        for (text, shown) in [
            (
                "https://hooks.example.com/services/T0/B0/s3cret",
                "https://hooks.example.com/***",
            ),
            (
                "https://me:s3cret@am.example.com:9093?k=s3cret",
                "https://am.example.com:9093/***",
            ),
            ("http://[::1]:9093/s3cret", "http://[::1]:9093/***"),
        ] {
            let address = WebAddress::parse(text).expect("an address");
            assert_eq!(address.shown(), shown);
            assert!(!format!("{address:?}").contains("s3cret"));
            assert_eq!(address.reveal(), text);
        }
        for text in [
            "s3cret",
            "ftp://s3cret",
            "https:///s3cret",
            "https://a b/s3cret",
            "https://h:0/s3cret",
            "https://h:s3cret/",
            "https://[::1]s3cret/",
            "https://h\\s3cret",
        ] {
            let error = WebAddress::parse(text).expect_err(text);
            assert!(
                error.starts_with("not a web address") && !error.contains("s3cret"),
                "{error}"
            );
        }
    }

    #[test]
    fn what_goes_out_in_the_clear_stays_on_this_machine_unless_that_is_allowed() {
        let web = |lines: &str| parse(&format!("kind = \"webhook\"\n{lines}"));
        for lines in [
            "url = \"https://example.com/\"",
            "url = \"http://127.0.0.1:9093\"",
            "url = \"http://[::1]:9093/\"",
            "url = \"http://localhost/\"",
            "url = \"http://example.com/\"\ntls = \"off\"",
        ] {
            web(lines).expect(lines);
        }
        for url in [
            "http://example.com/",
            "http://127.0.0.1@example.com/",
            "http://localhost.example.com/",
        ] {
            let error = web(&format!("url = {url:?}")).expect_err(url);
            assert!(error.starts_with("url: not encrypted"), "{error}");
        }
    }

    #[test]
    fn keys_go_with_their_kind() {
        for (lines, told) in [
            ("kind = \"email\"", "recipients: missing"),
            ("kind = \"slack\"", "url: missing"),
            (
                "kind = \"slack\"\nurl = \"https://a.b/\"\nurl_file = \"x\"",
                "url_file: goes without url",
            ),
            (
                "kind = \"slack\"\nsecret_file = \"x\"",
                "secret_file: goes with kind = \"webhook\"",
            ),
            (
                "kind = \"webhook\"\nrecipients = [\"a@b.c\"]",
                "recipients: goes with kind = \"email\"",
            ),
            (
                "kind = \"email\"\ndigest_over = 3",
                "digest_over: goes with kind = \"webhook\" or \"slack\" or \"teams\"",
            ),
            (
                "kind = \"alertmanager\"\nurl = \"https://a.b/\"\nlabels = { metric = \"x\" }",
                "labels: metric is set by bandwatch",
            ),
            (
                "kind = \"alertmanager\"\nurl = \"https://a.b/\"\nlabels = { \"1x\" = \"x\" }",
                "labels: 1x = \"x\" is no label",
            ),
        ] {
            let error = parse(lines).expect_err(lines);
            assert!(error.starts_with(told), "{error}");
        }
        let named = |name: &str| {
            let text = format!("name = {name:?}\nkind = \"email\"\nrecipients = [\"a@b.c\"]");
            toml::from_str::<ChannelSettings>(&text)
        };
        assert!(named("night-shift").is_ok());
        for name in ["email", "", "a@b", "a b"] {
            assert!(named(name).is_err(), "{name}");
        }
    }
}
