//! Whom a notification is for, and by which channel it gets there.

use std::fmt;

use crate::config::{EMAIL, Mailbox};

#[derive(Debug, Clone, PartialEq)]
pub enum Recipient {
    Mailbox(Mailbox),
    /// A channel that is a web service, by its name.
    Channel(String),
    /// One that repeats, groups and escalates by itself.
    Alertmanager(String),
}

/// A channel, as the way to its recipients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route<'a> {
    Email,
    /// By its name.
    Web(&'a str),
}

impl Recipient {
    /// Its key in the notification log: a mail address has an @, the name of a channel none.
    pub fn key(&self) -> &str {
        match self {
            Self::Mailbox(mailbox) => mailbox.email.as_ref(),
            Self::Channel(name) | Self::Alertmanager(name) => name,
        }
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Mailbox(mailbox) => mailbox.fmt(formatter),
            Self::Channel(name) | Self::Alertmanager(name) => formatter.write_str(name),
        }
    }
}

impl<'a> Route<'a> {
    /// That of a recipient, by its key or as people write it.
    pub fn to(recipient: &'a str) -> Self {
        if recipient.contains('@') {
            Self::Email
        } else {
            Self::Web(recipient)
        }
    }

    /// The name of the channel.
    pub fn name(self) -> &'a str {
        match self {
            Self::Email => EMAIL,
            Self::Web(name) => name,
        }
    }
}
