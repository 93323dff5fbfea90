//! What is remembered between runs, and what was lost of it.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::Parcel;
use crate::incident::{Stamp, Watch};

/// What is remembered between runs. A field that is added needs a new version in [`super::seal`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Memory {
    /// Drafts up to this batch are valid.
    pub(super) batch: u64,
    /// By the name of the metric.
    pub watches: BTreeMap<String, Watch>,
    /// The mails on their way, by their ids: one that is not found again is lost, and told as such.
    pub(super) waiting: BTreeMap<String, Outline>,
    /// Mails that never got through, until somebody was told.
    pub lost: Vec<LostMail>,
    /// Files that could not be read back and that somebody was told of.
    pub told_unreadable: Vec<String>,
    pub disk: Option<DiskTrouble>,
}

/// What is known of a mail without the mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outline {
    subject: String,
    created: Stamp,
    to: Vec<String>,
}

/// A mail that was given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LostMail {
    /// Of its parcel.
    pub id: String,
    pub subject: String,
    pub to: String,
    pub since: Stamp,
    pub why: String,
    /// The parcel that tells of it.
    pub told_by: Option<String>,
    /// Whether that has got through.
    pub told: bool,
}

impl Memory {
    /// Mails that were on their way and are not there any more are lost.
    pub(super) fn miss_vanished(&mut self, there: &[String]) {
        let vanished: Vec<(String, Outline)> = self
            .waiting
            .iter()
            .filter(|(id, _)| !there.contains(id))
            .map(|(id, outline)| (id.clone(), outline.clone()))
            .collect();
        for (id, outline) in vanished {
            for to in outline.to {
                self.lose(LostMail {
                    id: id.clone(),
                    subject: outline.subject.clone(),
                    to,
                    since: outline.created,
                    why: "it is not in state_dir any more".into(),
                    told_by: None,
                    told: false,
                });
            }
        }
    }

    /// Remembers a mail as lost, once.
    pub fn lose(&mut self, lost: LostMail) {
        let is_known = |known: &LostMail| (&known.id, &known.to) == (&lost.id, &lost.to);
        if !self.lost.iter().any(is_known) {
            self.lost.push(lost);
        }
    }
}

/// That `state_dir` cannot be written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskTrouble {
    pub since: Stamp,
    /// When it was last told.
    pub told: Option<Stamp>,
}

impl fmt::Display for LostMail {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        write!(
            formatter,
            "{:?} to {}, written at {}: {}",
            self.subject,
            self.to,
            self.since.format("%Y-%m-%d %H:%M UTC"),
            self.why
        )
    }
}

impl Outline {
    pub(super) fn of(parcel: &Parcel) -> Self {
        let waiting = parcel.addressees.iter();
        let waiting = waiting.filter(|addressee| addressee.is_waiting());
        Self {
            subject: parcel.subject.clone(),
            created: parcel.created,
            to: waiting.map(|addressee| addressee.to.clone()).collect(),
        }
    }
}
