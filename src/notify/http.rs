//! One request over HTTP, and what came of it: nothing that a server does takes longer or more memory than
//! it may, leads elsewhere, or gets into an output.

use std::io;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rustls::pki_types::CertificateDer;
use serde_json::Value;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, Body, Timeout, http};

/// So much of an answer is looked at.
const MOST_BYTES: u64 = 100;

pub struct Request<'a> {
    /// It is never told: there may be secrets in it.
    pub address: &'a str,
    /// None: a GET.
    pub post: Option<Post>,
    /// Certificates to trust besides those of the system.
    pub trusted: &'a [CertificateDer<'static>],
    /// How long all of it may take.
    pub patience: Duration,
    /// A redirect beyond these is the answer.
    pub most_redirects: u32,
}

/// What is posted: JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Post {
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// When the server wants to be asked again.
    pub retry_after: Option<TimeDelta>,
    /// All of a short answer in small letters, such as `channel_is_archived` of Slack.
    pub word: Option<String>,
}

/// Why there is no answer, in words where there are several reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoAnswer {
    /// Before the request was there.
    TimedOut,
    /// The server has the request, and did not answer in time.
    Unanswered,
    HostNotFound,
    Unreachable(String),
    Other,
}

impl Post {
    pub fn json(value: &Value) -> Self {
        Self {
            headers: Vec::new(),
            body: value.to_string(),
        }
    }
}

impl Request<'_> {
    pub fn send(self, now: DateTime<Utc>) -> Result<Answer, NoAnswer> {
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(self.most_redirects)
            .max_redirects_will_error(false)
            .user_agent("bandwatch")
            // What ends the whole is then waiting for the answer.
            .timeout_resolve(Some(self.patience / 4))
            .timeout_connect(Some(self.patience / 2))
            .timeout_global(Some(self.patience));
        if self.address.starts_with("https:") {
            let tls = TlsConfig::builder().root_certs(authorities(self.trusted));
            config = config.tls_config(tls.build());
        }
        let agent: Agent = config.build().into();
        let answered = match self.post {
            None => agent.get(self.address).call(),
            Some(Post { headers, body }) => {
                let mut request = agent
                    .post(self.address)
                    .header("Content-Type", "application/json");
                for (name, value) in headers {
                    request = request.header(name, value);
                }
                request.send(body)
            }
        };
        match answered {
            Ok(response) => Ok(read(response, now)),
            Err(error) => Err(explain(error)),
        }
    }
}

/// Those of the system; where it has none, those that Mozilla trusts.
fn authorities(trusted: &[CertificateDer]) -> RootCerts {
    let system = rustls_native_certs::load_native_certs().certs;
    if system.is_empty() && trusted.is_empty() {
        return RootCerts::WebPki;
    }
    let all = system.iter().chain(trusted);
    let all = all.map(|certificate| Certificate::from_der(certificate).to_owned());
    RootCerts::from(all)
}

fn read(mut response: http::Response<Body>, now: DateTime<Utc>) -> Answer {
    let retry_after = response.headers().get("Retry-After");
    let retry_after = retry_after.and_then(|value| pause(value.to_str().ok()?, now));
    let status = response.status().as_u16();
    let body = response.body_mut().with_config().limit(MOST_BYTES);
    let is_well = (200..300).contains(&status);
    // Of a longer text there is an error. What accepts may say it as slowly as it likes.
    let text = (!is_well).then(|| body.read_to_string().ok()).flatten();
    Answer {
        status,
        retry_after,
        word: text.and_then(|text| word(&text)),
    }
}

/// RFC 9110, 10.2.3: seconds, or a date.
fn pause(text: &str, now: DateTime<Utc>) -> Option<TimeDelta> {
    match text.trim().parse() {
        Ok(seconds) => TimeDelta::try_seconds(seconds),
        Err(_) => Some(DateTime::parse_from_rfc2822(text.trim()).ok()?.to_utc() - now),
    }
}

fn word(text: &str) -> Option<String> {
    let is_part = |letter: char| letter.is_ascii_lowercase() || "_ ".contains(letter);
    let text = text.trim();
    let fits = (3..=60).contains(&text.len()) && text.chars().all(is_part);
    fits.then(|| text.to_string())
}

fn explain(error: ureq::Error) -> NoAnswer {
    match error {
        ureq::Error::Timeout(Timeout::Resolve | Timeout::Connect) => NoAnswer::TimedOut,
        ureq::Error::Timeout(_) => NoAnswer::Unanswered,
        ureq::Error::HostNotFound => NoAnswer::HostNotFound,
        ureq::Error::Io(error) => match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                NoAnswer::Unreachable("the connection was closed".to_string())
            }
            _ => NoAnswer::Unreachable(error.to_string()),
        },
        ureq::Error::Rustls(error) => NoAnswer::Unreachable(error.to_string()),
        ureq::Error::Protocol(_) | ureq::Error::LargeResponseHeader(..) => {
            NoAnswer::Unreachable("what it answers is not HTTP".to_string())
        }
        // The others may tell the address.
        _ => NoAnswer::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_says_in_seconds_or_with_a_date_when_to_come_again() {
        let now: DateTime<Utc> = "2026-11-22T14:00:00Z".parse().expect("a time");
        for (text, seconds) in [
            ("120", Some(120)),
            ("Sun, 22 Nov 2026 14:01:30 GMT", Some(90)),
            ("soon", None),
            ("99999999999999999999", None),
        ] {
            let told = pause(text, now).map(|pause| pause.num_seconds());
            assert_eq!(told, seconds, "{text}");
        }
    }

    #[test]
    fn of_what_a_server_says_a_word_is_repeated_and_nothing_else() {
        for text in ["no_service", "channel_is_archived\n", "invalid token"] {
            assert_eq!(word(text), Some(text.trim().to_string()));
        }
        for text in ["", "ok", "T0/B0/s3cret", "<html>", &"x".repeat(61)] {
            assert_eq!(word(text), None, "{text}");
        }
    }
}
