//! The mail channel's messages. `compose` turns a notification into an [`Email`], whose words are a pure
//! function of the alert: `incident` for values outside their band, `obstacle` for what keeps a metric
//! from being watched, `own` for bandwatch itself, `digest` for several at once. `figures` writes an
//! evaluation for people, `advice` what can be done, `message` makes text, HTML and message of it, and `smtp` sends that.

mod advice;
mod compose;
mod digest;
mod figures;
mod incident;
mod message;
mod obstacle;
mod own;
mod parts;
mod phrases;
mod report;
mod smtp;
#[cfg(test)]
mod tests;

use chrono::DateTime;
use chrono_tz::Tz;

pub use advice::Invocation;
pub use compose::{Occasion, compose, compose_evaluation};
pub use digest::{MOST_PICTURES, compose_digest};
pub use message::{Advice, Email, Entry, Envelope, Fact, Picture, Tone, message_id};
pub use parts::{write_part, write_parts};
pub use report::{Report, ReportedAlert, ReportedMetric};
pub use smtp::{Probe, SmtpSession, Trial};

use crate::config::Mailbox;

/// What every mail has at hand.
#[derive(Debug, Clone, Copy)]
pub struct Letterhead<'a> {
    /// The clock of the run, in the zone of the reader.
    pub now: DateTime<Tz>,
    /// Whom to ask.
    pub contact: Option<&'a str>,
    /// Where the commands are given that a mail names; without it, none are.
    pub invocation: Option<&'a Invocation>,
}

/// An address that no mail reaches (RFC 2606), for a preview without a configuration.
pub fn placeholder(user: &str) -> Mailbox {
    let address = lettre::Address::new(user, "example.invalid");
    // Both parts are plain words, so this cannot fail.
    let address = address.unwrap_or_else(|_| unreachable!("a plain address"));
    Mailbox::new(None, address)
}
