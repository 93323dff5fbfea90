//! The kinds of values that keys have, as functions for serde's `deserialize_with`: each parses once,
//! with a message that says what is allowed, and fills a field of its type or an `Option` of it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use chrono::TimeDelta;
use chrono_tz::Tz;
pub use lettre::message::Mailbox;
use serde::de::Error;
use serde::{Deserialize, Deserializer};

use super::secret::Secret;
use crate::incident::Renotify;
use crate::output::one_line;
use crate::series::Step;

/// Reads a raw value and parses it.
fn parsed<'de, D, Raw, Parsed, Field>(
    value: D,
    parse: impl FnOnce(Raw) -> Result<Parsed, String>,
) -> Result<Field, D::Error>
where
    D: Deserializer<'de>,
    Raw: Deserialize<'de>,
    Field: From<Parsed>,
{
    let raw = Raw::deserialize(value)?;
    parse(raw).map(Field::from).map_err(D::Error::custom)
}

pub fn zone<'de, D: Deserializer<'de>>(value: D) -> Result<Tz, D::Error> {
    parsed(value, |text: String| {
        text.parse::<Tz>().map_err(|_| format!("{text:?} is not a time zone; allowed: a name of the IANA list, such as \"Europe/Paris\" or \"UTC\""))
    })
}

pub fn step<'de, D: Deserializer<'de>, T: From<Step>>(value: D) -> Result<T, D::Error> {
    parsed(value, |text: String| text.parse())
}

/// A length of time: at least a second, at most ten years. Months and years are mean ones.
pub fn length<'de, D: Deserializer<'de>, T: From<Duration>>(value: D) -> Result<T, D::Error> {
    parsed(value, |text: String| parse_length(&text))
}

pub fn parse_length(text: &str) -> Result<Duration, String> {
    let allowed = Duration::from_secs(1)..=Duration::from_hours(3650 * 24);
    // As every = "1mo" has it; humantime calls it a month.
    let number = text.strip_suffix("mo");
    let months =
        number.and_then(|number| humantime::parse_duration(&format!("{number}months")).ok());
    months
        .or_else(|| humantime::parse_duration(text).ok())
        .filter(|length| allowed.contains(length))
        .ok_or_else(|| format!("{text:?} is not a length of time from 1s to 3650d; allowed: such as \"50s\", \"5m\", \"4h\", \"28d\" or \"24mo\""))
}

pub fn lengths<'de, D: Deserializer<'de>, T: From<Vec<TimeDelta>>>(
    value: D,
) -> Result<T, D::Error> {
    #[derive(Deserialize)]
    struct Length(#[serde(deserialize_with = "length")] Duration);
    parsed(value, |lengths: Vec<Length>| {
        Ok(lengths.iter().map(|length| time_delta(length.0)).collect())
    })
}

/// A length of time that may be none at all.
pub fn delay<'de, D: Deserializer<'de>, T: From<Duration>>(value: D) -> Result<T, D::Error> {
    parsed(value, |text: String| {
        let length = humantime::parse_duration(&text).ok();
        length
            .filter(|length| *length <= Duration::from_hours(366 * 24))
            .ok_or_else(|| format!("{text:?} is not a delay of up to 366d; allowed: such as \"0s\", \"90s\" or \"5m\""))
    })
}

pub fn renotify<'de, D: Deserializer<'de>>(value: D) -> Result<Renotify, D::Error> {
    parsed(value, |text: String| match text.as_str() {
        "never" => Ok(Renotify::Never),
        _ => parse_length(&text)
            .map(|length| Renotify::After(time_delta(length)))
            .map_err(|error| format!("{error}; or \"never\"")),
    })
}

pub fn time_delta(length: Duration) -> TimeDelta {
    TimeDelta::from_std(length).unwrap_or(TimeDelta::MAX)
}

/// The address of a web service, with whatever secret is in it.
pub fn web_address<'de, D: Deserializer<'de>, T: From<Secret>>(value: D) -> Result<T, D::Error> {
    parsed(value, |text: String| {
        // What was given may be a secret, and is not repeated.
        let refusal = "not a web address; allowed: such as \"https://hc.example.com/ping/...\"";
        let fits = is_web_address(&text);
        fits.then(|| Secret::new(text)).ok_or(refusal.to_string())
    })
}

fn is_web_address(text: &str) -> bool {
    let mut schemes = ["https://", "http://"].iter();
    let rest = schemes.find_map(|scheme| text.strip_prefix(scheme));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
        && text.len() <= 2000
        && text.chars().all(|letter| letter.is_ascii_graphic())
}

/// An address that a mail leads to.
pub fn link<'de, D: Deserializer<'de>, T: From<String>>(value: D) -> Result<T, D::Error> {
    parsed(value, |text: String| {
        let refusal = format!(
            "{text:?} is not a web address; allowed: such as \"https://grafana.example.com/d/sales\""
        );
        is_web_address(&text).then_some(text).ok_or(refusal)
    })
}

/// A text for people who are to act.
pub fn note<'de, D: Deserializer<'de>, T: From<String>>(value: D) -> Result<T, D::Error> {
    parsed(value, |text: String| {
        let is_odd = |letter: char| letter.is_control() && letter != '\n';
        let fits =
            !text.trim().is_empty() && text.chars().count() <= 1000 && !text.contains(is_odd);
        let refusal = format!(
            "{text:?} is not allowed; allowed: 1 to 1000 characters, without control characters"
        );
        fits.then(|| one_line(&text)).ok_or(refusal)
    })
}

/// Whatever its kind, it is never printed.
pub fn secret<'de, D: Deserializer<'de>, T: From<Secret>>(value: D) -> Result<T, D::Error> {
    parsed(value, |text: String| Ok(Secret::new(text)))
}

/// Text for people, on one line: it may come to stand in a mail header.
pub fn line<'de, D: Deserializer<'de>, T: From<String>>(value: D) -> Result<T, D::Error> {
    parsed(value, parse_line)
}

pub fn parse_line(text: String) -> Result<String, String> {
    let fits = !text.trim().is_empty()
        && text.chars().count() <= 200
        && !text.chars().any(char::is_control);
    let refusal = format!(
        "{text:?} is not allowed; allowed: 1 to 200 characters on one line, without control characters"
    );
    fits.then_some(text).ok_or(refusal)
}

pub fn host<'de, D: Deserializer<'de>, T: From<String>>(value: D) -> Result<T, D::Error> {
    parsed(value, parse_host)
}

/// A name or an address, and nothing that belongs to other keys.
pub fn parse_host(text: String) -> Result<String, String> {
    let refused = |why: &str| {
        Err(format!(
            "{text:?} is not a host{why}; allowed: such as \"db.example.com\" or \"10.0.0.7\""
        ))
    };
    let address = text.split('%').next().unwrap_or_default();
    if address.parse::<IpAddr>().is_ok() && text.chars().all(|letter| letter.is_ascii_graphic()) {
        return Ok(text);
    }
    if text.contains("://") || text.contains('/') {
        return refused(", but an address of the web or a path");
    }
    if text.starts_with('[') {
        return refused(
            "; an IPv6 address stands here without brackets, and the port in the key port",
        );
    }
    if text.contains(':') {
        return refused("; the port has a key of its own (port)");
    }
    if is_host_name(&text) {
        return Ok(text);
    }
    refused("")
}

/// Labels with dots between them (RFC 1123, 2.1); an underscore is in use too.
fn is_host_name(text: &str) -> bool {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
    let is_label = |label: &str| (1..=63).contains(&label.len()) && label.chars().all(is_part);
    text.len() <= 253
        && text
            .strip_suffix('.')
            .unwrap_or(text)
            .split('.')
            .all(is_label)
}

/// By which a mail server is greeted: a domain, or an address literal (RFC 5321, 4.1.3).
pub fn hello_name<'de, D: Deserializer<'de>, T: From<String>>(value: D) -> Result<T, D::Error> {
    parsed(value, |text: String| {
        let literal = text
            .strip_prefix('[')
            .and_then(|text| text.strip_suffix(']'));
        let fits = match literal.map(|literal| literal.strip_prefix("IPv6:").ok_or(literal)) {
            Some(Ok(address)) => address.parse::<Ipv6Addr>().is_ok(),
            Some(Err(address)) => address.parse::<Ipv4Addr>().is_ok(),
            None => is_host_name(&text),
        };
        let refusal = format!(
            "{text:?} is no name to greet a server by; allowed: such as \"db1.example.com\" or \"[10.0.0.7]\""
        );
        fits.then_some(text).ok_or(refusal)
    })
}

pub fn port<'de, D: Deserializer<'de>, T: From<u16>>(value: D) -> Result<T, D::Error> {
    parsed(value, |number| parse_number(number, "a port", u16::MAX))
}

/// A number of things, from one to a thousand.
pub fn count<'de, D: Deserializer<'de>, T: From<u16>>(value: D) -> Result<T, D::Error> {
    parsed(value, |number| parse_number(number, "allowed", 1000))
}

fn parse_number(number: i64, what: &str, most: u16) -> Result<u16, String> {
    let fitting = u16::try_from(number).ok();
    fitting
        .filter(|number| (1..=most).contains(number))
        .ok_or_else(|| format!("{number} is not {what}; allowed: 1 to {most}"))
}

/// One mail address, with or without a name before it.
pub fn mailbox<'de, D: Deserializer<'de>, T: From<Mailbox>>(value: D) -> Result<T, D::Error> {
    parsed(value, |text: String| parse_mailbox(&text))
}

pub fn parse_mailbox(text: &str) -> Result<Mailbox, String> {
    let fits = text.len() <= 400 && !text.chars().any(char::is_control);
    let mailbox = fits.then(|| text.trim().parse().ok()).flatten();
    mailbox.ok_or_else(|| format!("{text:?} is not a mail address; allowed: such as \"ops@example.com\" or \"Ops <ops@example.com>\""))
}

/// Mail addresses, at least one, each once.
pub fn mailboxes<'de, D: Deserializer<'de>, T: From<Vec<Mailbox>>>(
    value: D,
) -> Result<T, D::Error> {
    parsed(value, |texts: Vec<String>| parse_mailboxes(&texts))
}

/// Names, at least one.
pub fn names<'de, D: Deserializer<'de>, T: From<Vec<String>>>(value: D) -> Result<T, D::Error> {
    parsed(value, |names: Vec<String>| {
        if names.is_empty() {
            return Err("the list is empty; allowed: one name or more, or no such key".to_string());
        }
        Ok(names)
    })
}

pub fn parse_mailboxes(texts: &[impl AsRef<str>]) -> Result<Vec<Mailbox>, String> {
    if texts.is_empty() {
        return Err("the list is empty; allowed: one address or more".to_string());
    }
    let mut mailboxes: Vec<Mailbox> = Vec::new();
    for text in texts {
        let mailbox = parse_mailbox(text.as_ref())?;
        if mailboxes.iter().all(|known| known.email != mailbox.email) {
            mailboxes.push(mailbox);
        }
    }
    Ok(mailboxes)
}
