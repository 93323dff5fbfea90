//! Mails on their way: written down whole before anything is sent, each with how far it has come to
//! each of its recipients.

use serde::{Deserialize, Serialize};

use anyhow::Result;

use super::folder::Certainty;
use super::shelf::{Access, Kept, Shelf};
use crate::incident::Stamp;
use crate::notify::email::{Mailbox, Writing};
use crate::output::fingerprint::fingerprint;

/// A mail to one recipient or several, each of whom gets one of his own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parcel {
    /// The same for the same notices, however often a run begins anew.
    pub id: String,
    /// The commit it belongs to, and its place in it: they order all of them, whatever the clock did.
    pub batch: u64,
    pub place: u32,
    pub created: Stamp,
    pub subject: String,
    /// What it tells of, each with its metric.
    pub threads: Vec<String>,
    /// Whether it only takes back what was told: whoever was told nothing need not hear it.
    pub purpose: Purpose,
    pub addressees: Vec<Addressee>,
    #[serde(skip)]
    pub writing: Contents,
}

/// What a parcel holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Contents {
    Writing(Box<Writing>),
    /// Nobody waits for it any more, or it could not be read back.
    #[default]
    Gone,
    /// The disk does not let it be read now.
    Withheld,
}

/// What a mail is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    Alert,
    AllClear,
    /// It tells of mails that were lost.
    Losses,
}

/// One recipient of a mail, and how far it has come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Addressee {
    pub to: String,
    pub delivery: Delivery,
}

/// How far a mail has come to one of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Delivery {
    Waiting {
        attempts: u32,
        not_before: Stamp,
        why: Option<String>,
    },
    /// The server has accepted it, under this Message-ID.
    Accepted {
        at: Stamp,
        message_id: String,
    },
    GivenUp {
        at: Stamp,
    },
    /// Not needed: it takes back what was never told.
    Dropped {
        at: Stamp,
    },
}

impl Parcel {
    /// An id for what it tells: of metrics, threads and places in them.
    pub fn id_of(told: &str) -> String {
        format!("{:016x}", fingerprint(told))
    }

    pub fn is_finished(&self) -> bool {
        self.addressees
            .iter()
            .all(|addressee| !addressee.is_waiting())
    }

    /// The recipient of that address, whatever name stands beside it.
    pub fn addressee(&self, recipient: &str) -> Option<&Addressee> {
        let address = address_of(recipient);
        self.addressees
            .iter()
            .find(|addressee| address_of(&addressee.to) == address)
    }

    /// Whether it is about any of what the other is about.
    pub fn shares_a_thread_with(&self, other: &Self) -> bool {
        self.threads
            .iter()
            .any(|thread| other.threads.contains(thread))
    }
}

/// "Night <night@example.com>" to "night@example.com".
fn address_of(recipient: &str) -> String {
    let parsed: Option<Mailbox> = recipient.parse().ok();
    parsed.map_or_else(
        || recipient.to_string(),
        |mailbox| mailbox.email.to_string(),
    )
}

impl Addressee {
    pub fn to(recipient: String, now: Stamp) -> Self {
        Self {
            to: recipient,
            delivery: Delivery::Waiting {
                attempts: 0,
                not_before: now,
                why: None,
            },
        }
    }

    pub fn is_waiting(&self) -> bool {
        matches!(self.delivery, Delivery::Waiting { .. })
    }
}

const PROGRESS: &str = ".parcel";
const WRITING: &str = ".mail";

/// The ids of all parcels that are there, whether they can be read or not.
pub fn ids(shelf: &Shelf) -> Vec<String> {
    let names = shelf.names(PROGRESS).into_iter();
    names
        .map(|name| name.trim_end_matches(PROGRESS).to_string())
        .collect()
}

/// All parcels, oldest first.
pub fn read(shelf: &mut Shelf) -> Vec<Parcel> {
    let ids = ids(shelf);
    let mut parcels = Vec::new();
    for id in &ids {
        let kept: Kept<Parcel> = shelf.read(&format!("{id}{PROGRESS}"));
        let Some(mut parcel) = kept.value() else {
            continue;
        };
        if !parcel.is_finished() {
            parcel.writing = match shelf.read(&format!("{}{WRITING}", parcel.id)) {
                Kept::Value(writing) => Contents::Writing(writing),
                Kept::Absent | Kept::Flawed => Contents::Gone,
                Kept::Withheld => Contents::Withheld,
            };
        }
        parcels.push(parcel);
    }
    if shelf.access() == Access::Own {
        // Of a run that was killed before it wrote the parcel.
        let is_known = |mail: &String| {
            let id = mail.trim_end_matches(WRITING);
            ids.iter().any(|known| known == id)
        };
        for mail in shelf.names(WRITING).iter().filter(|mail| !is_known(mail)) {
            let _ = shelf.remove(mail);
        }
    }
    parcels.sort_by_key(|parcel| (parcel.batch, parcel.place));
    parcels
}

/// The mail first: a parcel that can be read has its mail.
pub fn write_new(shelf: &mut Shelf, parcel: &Parcel) -> Result<()> {
    let name = format!("{}{WRITING}", parcel.id);
    if let Contents::Writing(writing) = &parcel.writing {
        shelf.write(&name, writing, Certainty::Durable)?;
    }
    write_progress(shelf, parcel)
}

pub fn write_progress(shelf: &mut Shelf, parcel: &Parcel) -> Result<()> {
    let name = format!("{}{PROGRESS}", parcel.id);
    shelf.write(&name, parcel, Certainty::Durable)
}

/// Nobody waits for the mail any more; what became of it is kept.
pub fn drop_writing(shelf: &mut Shelf, parcel: &Parcel) -> Result<()> {
    shelf.remove(&format!("{}{WRITING}", parcel.id))
}

pub fn remove(shelf: &mut Shelf, parcel: &Parcel) -> Result<()> {
    shelf.remove(&format!("{}{PROGRESS}", parcel.id))?;
    shelf.remove(&format!("{}{WRITING}", parcel.id))
}

/// Drafts of a run that was not finished. What cannot be removed is noted as removed in the spare folder.
pub fn discard(shelf: &mut Shelf, drafts: Vec<Parcel>) {
    for draft in drafts {
        let _ = remove(shelf, &draft);
    }
}
