//! What is looked at, and what was found of it.

use std::sync::mpsc::Sender;

use anyhow::Error;
use schemars::JsonSchema;
use serde::Serialize;

use super::Part;
use crate::output::{one_line, write_error};

/// How a link of the chain is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    Ok,
    Warning,
    Failed,
    /// Another one failed that it hangs on.
    NotChecked,
}

/// A link of the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    Configuration,
    Secrets,
    Recipients,
    Database,
    Rights,
    Clock,
    Columns,
    Index,
    Rows,
    Query,
    History,
    Sides,
    MailServer,
    Certificate,
    Login,
    Sender,
    Recipient,
    MailSize,
    Channel,
    Heartbeat,
    State,
    Disk,
    Lock,
    StateFiles,
    Outbox,
    Silences,
    LastRun,
    Schedule,
}

/// Which of several it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    Only,
    Metric(String),
    Channel(String),
    Recipient(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    pub link: Link,
    pub which: Which,
    pub condition: Condition,
    /// What was found.
    pub text: String,
    /// What to do, where the text does not say it.
    pub advice: Option<String>,
}

/// Where a part of the chain tells what it finds.
pub struct Findings {
    pub part: Part,
    pub sender: Sender<(Part, Found)>,
}

/// What is told of a part.
#[derive(Debug)]
pub enum Found {
    Check(Check),
    End,
}

impl Condition {
    /// As people read it.
    pub fn heading(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Warning => "WARNING",
            Self::Failed => "FAILED",
            Self::NotChecked => "NOT CHECKED",
        }
    }
}

impl Link {
    pub fn word(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Secrets => "secrets",
            Self::Recipients => "recipients",
            Self::Database => "database",
            Self::Rights => "rights",
            Self::Clock => "clock",
            Self::Columns => "columns",
            Self::Index => "index",
            Self::Rows => "rows",
            Self::Query => "query",
            Self::History => "history",
            Self::Sides => "sides",
            Self::MailServer => "mail server",
            Self::Certificate => "certificate",
            Self::Login => "login",
            Self::Sender => "sender",
            Self::Recipient => "recipient",
            Self::MailSize => "mail size",
            Self::Channel => "channel",
            Self::Heartbeat => "heartbeat",
            Self::State => "state",
            Self::Disk => "disk",
            Self::Lock => "lock",
            Self::StateFiles => "state files",
            Self::Outbox => "outbox",
            Self::Silences => "silences",
            Self::LastRun => "last run",
            Self::Schedule => "schedule",
        }
    }
}

impl Check {
    pub fn new(link: Link, condition: Condition, text: impl Into<String>) -> Self {
        Self {
            link,
            which: Which::Only,
            condition,
            text: one_line(&text.into()),
            advice: None,
        }
    }

    pub fn ok(link: Link, text: impl Into<String>) -> Self {
        Self::new(link, Condition::Ok, text)
    }

    pub fn warning(link: Link, text: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::new(link, Condition::Warning, text).advised(advice)
    }

    pub fn failed(link: Link, error: &Error) -> Self {
        Self::new(link, Condition::Failed, write_error(error))
    }

    pub fn not_checked(link: Link, text: impl Into<String>) -> Self {
        Self::new(link, Condition::NotChecked, text)
    }

    #[must_use]
    pub fn advised(self, advice: impl Into<String>) -> Self {
        Self {
            advice: Some(one_line(&advice.into())),
            ..self
        }
    }

    #[must_use]
    pub fn of(self, which: Which) -> Self {
        Self { which, ..self }
    }
}

impl Findings {
    pub fn add(&self, check: Check) {
        // Whoever listened has printed what was there by the deadline.
        let _ = self.sender.send((self.part, Found::Check(check)));
    }

    pub fn end(&self) {
        let _ = self.sender.send((self.part, Found::End));
    }
}
