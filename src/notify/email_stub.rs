#![allow(dead_code, unused_variables, clippy::all)]
use super::Notification;
use crate::chart::Pictures;
use crate::config::{Deadline, MailSettings, Metric};
use crate::detect::Evaluation;
use anyhow::Result;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
pub use lettre::message::Mailbox;
pub struct Letterhead<'a> {
    pub now: DateTime<Tz>,
    pub contact: Option<&'a str>,
}
pub struct Envelope<'a> {
    pub from: &'a Mailbox,
    pub to: &'a Mailbox,
    pub date: DateTime<Utc>,
    pub message_id: &'a str,
    pub in_reply_to: Option<&'a str>,
}
pub struct Email {
    subject: String,
}
pub fn compose(
    notification: &Notification,
    pictures: Option<&Pictures>,
    letterhead: &Letterhead,
) -> Email {
    Email {
        subject: String::new(),
    }
}
pub fn compose_digest(
    notifications: &[(Notification, Option<&Pictures>)],
    letterhead: &Letterhead,
) -> Email {
    Email {
        subject: String::new(),
    }
}
pub fn compose_evaluation(
    metric: &Metric,
    evaluation: &Evaluation,
    pictures: Option<&Pictures>,
    letterhead: &Letterhead,
) -> Email {
    Email {
        subject: String::new(),
    }
}
impl Email {
    pub fn subject(&self) -> &str {
        &self.subject
    }
    pub fn preview(&self, a: &str, b: &str) -> Result<String> {
        Ok(String::new())
    }
    pub fn message(&self, envelope: &Envelope) -> Result<lettre::Message> {
        anyhow::bail!("stub")
    }
}
pub fn message_id(from: &Mailbox, to: &Mailbox, name: &str) -> String {
    String::new()
}
pub struct SmtpSession<'a> {
    settings: &'a MailSettings,
}
impl<'a> SmtpSession<'a> {
    pub fn new(settings: &'a MailSettings, deadline: Deadline) -> Self {
        Self { settings }
    }
    pub fn send(&mut self, to: &Mailbox, message: &lettre::Message) -> Result<()> {
        Ok(())
    }
    pub fn close(self) {}
}
pub fn placeholder(user: &str) -> Mailbox {
    Mailbox::new(
        None,
        lettre::Address::new(user, "example.invalid")
            .unwrap_or_else(|_| unreachable!("a plain address")),
    )
}
