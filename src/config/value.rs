//! The kinds of values that keys have: each parsed once, with a message that says what is allowed.

use std::time::Duration;

use chrono_tz::Tz;
use serde::Deserialize;

use super::Secret;
use lettre::message::Mailbox;

/// An IANA time zone.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
pub struct Zone(pub Tz);

impl TryFrom<String> for Zone {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let zone = text.parse().map_err(|_| format!("{text:?} is not a time zone; allowed: a name of the IANA list, such as \"Europe/Paris\" or \"UTC\""))?;
        Ok(Self(zone))
    }
}

/// A length of time, in words: at least a second, at most ten years.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
pub struct Length(pub Duration);

impl TryFrom<String> for Length {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        parse_length(&text).map(Self)
    }
}

/// # Errors
///
/// If the text is no length of time, or one out of range.
pub fn parse_length(text: &str) -> Result<Duration, String> {
    let allowed = Duration::from_secs(1)..=Duration::from_hours(3650 * 24);
    humantime::parse_duration(text)
        .ok()
        .filter(|length| allowed.contains(length))
        .ok_or_else(|| format!("{text:?} is not a length of time from 1s to 3650d; allowed: such as \"50s\", \"5m\", \"4h\" or \"28d\""))
}

/// A length of time that may be none at all.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
pub struct Delay(pub Duration);

impl TryFrom<String> for Delay {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let length = humantime::parse_duration(&text)
            .ok()
            .filter(|length| *length <= Duration::from_hours(366 * 24));
        length.map(Self).ok_or_else(|| {
            format!(
                "{text:?} is not a delay of up to 366d; allowed: such as \"0s\", \"90s\" or \"5m\""
            )
        })
    }
}

/// After a length of time, or never.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
pub enum Again {
    After(Length),
    Never,
}

impl TryFrom<String> for Again {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text == "never" {
            return Ok(Self::Never);
        }
        parse_length(&text)
            .map(|length| Self::After(Length(length)))
            .map_err(|error| format!("{error}; or \"never\""))
    }
}

/// The address of a web service, with whatever secret is in it.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct WebAddress(pub Secret);

impl TryFrom<String> for WebAddress {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let rest = ["https://", "http://"]
            .iter()
            .find_map(|scheme| text.strip_prefix(scheme));
        let fits = rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
            && text.len() <= 2000
            && text.chars().all(|letter| letter.is_ascii_graphic());
        if fits {
            Ok(Self(Secret::new(text)))
        } else {
            // What was given may be a secret.
            Err("not a web address; allowed: such as \"https://hc.example.com/ping/...\"".into())
        }
    }
}

/// Text for people, on one line: it may come to stand in a mail header.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "String")]
pub struct Line(pub String);

impl TryFrom<String> for Line {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let fits = !text.trim().is_empty()
            && text.chars().count() <= 200
            && !text.chars().any(char::is_control);
        if fits {
            Ok(Self(text))
        } else {
            Err(format!(
                "{text:?} is not allowed; allowed: 1 to 200 characters on one line, without control characters"
            ))
        }
    }
}

/// A name or address of a server.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "String")]
pub struct Host(pub String);

impl TryFrom<String> for Host {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let fits = !text.is_empty()
            && text.len() <= 253
            && text.chars().all(|letter| letter.is_ascii_graphic());
        if fits {
            Ok(Self(text))
        } else {
            Err(format!(
                "{text:?} is not a host; allowed: such as \"db.example.com\" or \"10.0.0.7\""
            ))
        }
    }
}

/// A TCP port.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "i64")]
pub struct Port(pub u16);

impl TryFrom<i64> for Port {
    type Error = String;

    fn try_from(number: i64) -> Result<Self, String> {
        let port = u16::try_from(number).ok().filter(|port| *port > 0);
        port.map(Self)
            .ok_or_else(|| format!("{number} is not a port; allowed: 1 to 65535"))
    }
}

/// How many notices of one run are mails of their own.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "i64")]
pub struct DigestOver(pub usize);

impl Default for DigestOver {
    fn default() -> Self {
        Self(5)
    }
}

impl TryFrom<i64> for DigestOver {
    type Error = String;

    fn try_from(number: i64) -> Result<Self, String> {
        let count = usize::try_from(number)
            .ok()
            .filter(|count| (1..=1000).contains(count));
        count
            .map(Self)
            .ok_or_else(|| format!("{number} is not allowed; allowed: 1 to 1000"))
    }
}

/// Mail addresses, at least one, each once.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub struct Recipients(pub Vec<Mailbox>);

impl TryFrom<Vec<String>> for Recipients {
    type Error = String;

    fn try_from(texts: Vec<String>) -> Result<Self, String> {
        let mut recipients: Vec<Mailbox> = Vec::new();
        for text in &texts {
            let recipient = parse_mailbox(text)?;
            if recipients
                .iter()
                .all(|known| known.email != recipient.email)
            {
                recipients.push(recipient);
            }
        }
        if recipients.is_empty() {
            return Err("the list is empty; allowed: one address or more".to_string());
        }
        Ok(Self(recipients))
    }
}

/// One mail address, with or without a name before it.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct Sender(pub Mailbox);

impl TryFrom<String> for Sender {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        parse_mailbox(&text).map(Self)
    }
}

pub fn parse_mailbox(text: &str) -> Result<Mailbox, String> {
    let fits = text.len() <= 400 && !text.chars().any(char::is_control);
    let mailbox = fits.then(|| text.trim().parse().ok()).flatten();
    mailbox.ok_or_else(|| format!("{text:?} is not a mail address; allowed: such as \"ops@example.com\" or \"Ops <ops@example.com>\""))
}
