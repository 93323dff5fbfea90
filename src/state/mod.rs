//! The small durable memory: what is so, what was told, and the mails on their way, in `state_dir`.
//!
//! A run takes in what it saw and commits once: the mails first, as drafts of a batch, then the memory
//! that says the batch is valid. A run that is killed before that leaves drafts nobody sends and a
//! memory that never saw anything, so the next run sees it all again; one killed after it leaves mails
//! that the next run sends. Neither loses an alert or makes two of it.

mod folder;
mod lock;
mod memory;
mod outbox;
mod seal;
mod shelf;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};

use crate::incident::{Silences, Stamp};
use folder::Certainty;
pub use lock::{Lock, Opening};
use memory::Outline;
pub use memory::{DiskTrouble, LostMail, Memory};
pub use outbox::{Addressee, Contents, Delivery, Parcel, Purpose};
pub use shelf::SetAside;
use shelf::{Access, Kept, Shelf};

/// When metrics were looked at, and the last runs; of no consequence.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Looks {
    /// When each metric was last looked at.
    pub metrics: BTreeMap<String, Stamp>,
    pub last_run: Option<Stamp>,
    /// The last run in which nothing failed.
    pub last_good_run: Option<Stamp>,
}

const MEMORY: &str = "memory.json";
const LOOKS: &str = "looks.json";
const SILENCES: &str = "silences.json";

/// The memory, held by one run alone or only looked at.
#[derive(Debug)]
pub struct Store {
    shelf: Shelf,
    pub memory: Memory,
    /// As they are on the disk.
    remembered: Memory,
    pub parcels: Vec<Parcel>,
    pub silences: Silences,
    pub looks: Looks,
}

impl Store {
    /// Opens the memory for a run, unless another one has it.
    ///
    /// # Errors
    ///
    /// If no lock can be had at all.
    pub fn open(dir: &Path) -> Result<Opening<Self>> {
        let mut shelf = Shelf::new(dir, Access::Own);
        Ok(match Lock::try_take(&shelf, lock::RUN)? {
            Some(lock) => {
                shelf.prepare(MEMORY);
                Opening::Open {
                    held: Self::load(shelf),
                    lock,
                }
            }
            None => Opening::Busy,
        })
    }

    /// Reads the memory as it is, to be told of; a run may go on meanwhile.
    pub fn look(dir: &Path) -> Self {
        Self::load(Shelf::new(dir, Access::Look))
    }

    fn load(mut shelf: Shelf) -> Self {
        let kept: Kept<Memory> = shelf.read(MEMORY);
        let parcels = outbox::read(&mut shelf);
        let is_first = kept == Kept::Absent && parcels.is_empty();
        let mut memory = match kept {
            Kept::Value(memory) => memory,
            Kept::Absent | Kept::Flawed | Kept::Withheld => Memory {
                // Better a mail of a run that was not finished than none.
                batch: parcels.iter().map(|parcel| parcel.batch).max().unwrap_or(0),
                ..Memory::default()
            },
        };
        let remembered = memory.clone();
        memory.miss_vanished(&outbox::ids(&shelf));
        let (valid, drafts) = parcels
            .into_iter()
            .partition(|parcel| parcel.batch <= memory.batch);
        if shelf.access() == Access::Own {
            outbox::discard(&mut shelf, drafts);
            if is_first {
                // From here on drafts can be told from mails. Where this fails, so does the commit.
                let _ = shelf.write(MEMORY, &memory, Certainty::Durable);
            }
        }
        Self {
            silences: shelf.read(SILENCES).value().unwrap_or_default(),
            looks: shelf.read(LOOKS).value().unwrap_or_default(),
            shelf,
            remembered,
            memory,
            parcels: valid,
        }
    }

    /// Remembers what the run saw, and with it mails to send: all of it or nothing.
    ///
    /// # Errors
    ///
    /// If nothing can be written anywhere; the mails can be sent all the same.
    pub fn commit(&mut self, mut parcels: Vec<Parcel>) -> Result<()> {
        parcels.retain(|parcel| self.parcels.iter().all(|known| known.id != parcel.id));
        if !parcels.is_empty() {
            self.memory.batch += 1;
        }
        for (place, parcel) in (0..).zip(&mut parcels) {
            parcel.batch = self.memory.batch;
            parcel.place = place;
        }
        let new = self.parcels.len();
        self.parcels.extend(parcels);
        self.memory.waiting = self
            .parcels
            .iter()
            .filter(|parcel| !parcel.is_finished())
            .map(|parcel| (parcel.id.clone(), Outline::of(parcel)))
            .collect();
        if self.memory == self.remembered {
            return Ok(());
        }
        for parcel in &self.parcels[new..] {
            outbox::write_new(&mut self.shelf, parcel)?;
        }
        self.shelf.write(MEMORY, &self.memory, Certainty::Durable)?;
        self.remembered = self.memory.clone();
        Ok(())
    }

    /// Writes down how far a mail has come.
    ///
    /// # Errors
    ///
    /// If nothing can be written anywhere.
    pub fn update(&mut self, index: usize) -> Result<()> {
        let parcel = &self.parcels[index];
        outbox::write_progress(&mut self.shelf, parcel)?;
        if parcel.is_finished() {
            outbox::drop_writing(&mut self.shelf, parcel)?;
        }
        Ok(())
    }

    /// Forgets mails nobody waits for, whose threads are over too: nothing more is told in them, and
    /// nothing that is to be told in them is still on its way.
    ///
    /// # Errors
    ///
    /// If nothing can be written anywhere.
    pub fn tidy(&mut self, is_live: impl Fn(&str) -> bool) -> Result<()> {
        // First of all that they are not waited for: then none of them is missed.
        self.commit(Vec::new())?;
        let all = std::mem::take(&mut self.parcels);
        let waited_for: HashSet<String> = all
            .iter()
            .filter(|parcel| !parcel.is_finished())
            .flat_map(|parcel| parcel.threads.iter().cloned())
            .collect();
        let is_over = |parcel: &Parcel| {
            let mut threads = parcel.threads.iter();
            parcel.is_finished()
                && !threads.any(|thread| is_live(thread) || waited_for.contains(thread))
        };
        let (over, kept) = all.into_iter().partition(is_over);
        self.parcels = kept;
        for parcel in &over {
            outbox::remove(&mut self.shelf, parcel)?;
        }
        Ok(())
    }

    /// Keeps when what was looked at.
    ///
    /// # Errors
    ///
    /// If nothing can be written anywhere.
    pub fn keep_looks(&mut self) -> Result<()> {
        self.shelf.write(LOOKS, &self.looks, Certainty::Whole)
    }

    /// Files that could not be read back, now or by a run before.
    pub fn unreadable(&self) -> Vec<SetAside> {
        self.shelf.unreadable()
    }

    /// Whether any mail is still to be sent.
    pub fn is_waiting(&self) -> bool {
        self.parcels.iter().any(|parcel| !parcel.is_finished())
    }

    /// Why `state_dir` cannot be used as it should, if so.
    pub fn complaint(&self) -> Option<&str> {
        self.shelf.complaint()
    }

    pub fn dir(&self) -> &Path {
        self.shelf.dir()
    }
}

/// Changes the silences; no run is waited for.
///
/// # Errors
///
/// If they cannot be read or written there.
pub fn change_silences<T>(dir: &Path, change: impl FnOnce(&mut Silences) -> T) -> Result<T> {
    // Nothing is tidied up: a run may be writing just now.
    let mut shelf = Shelf::new(dir, Access::Own);
    let _lock = Lock::take(&shelf, lock::SILENCES)?;
    let kept: Kept<Silences> = shelf.read(SILENCES);
    let mut silences = match kept {
        Kept::Value(silences) => silences,
        Kept::Absent | Kept::Flawed => Silences::default(),
        Kept::Withheld => bail!("{}", shelf.complaint().unwrap_or_default()),
    };
    let changed = change(&mut silences);
    shelf.write(SILENCES, &silences, Certainty::Durable)?;
    match shelf.complaint() {
        Some(complaint) => bail!("{complaint}"),
        None => Ok(changed),
    }
}

/// Where the memory is kept if the configuration does not say: `$XDG_STATE_HOME/bandwatch`, then
/// `/var/lib/bandwatch` for root and for a user whose folder that is, and for others
/// `~/.local/state/bandwatch`, which is what XDG means where the variable is not set. That a disk is in
/// trouble must not change it.
pub fn usual_dir() -> PathBuf {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    if let Some(home) = variable("XDG_STATE_HOME") {
        return PathBuf::from(home).join("bandwatch");
    }
    let system = Path::new("/var/lib/bandwatch");
    match variable("HOME") {
        Some(home) if !folder::is_of_this_user(system) => {
            PathBuf::from(home).join(".local/state/bandwatch")
        }
        _ => system.to_path_buf(),
    }
}
