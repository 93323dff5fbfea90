//! A folder of small files that are whole or not there: each is written under another name, forced to
//! the disk, and renamed.
//!
//! A disk that is full or read-only must not make bandwatch forget what it told a minute ago, so what
//! cannot be written there is written to a spare folder in memory, and moved over by the first run
//! that can. From the first file that has to go there on, the whole rest of a run does: what belongs
//! together stays together.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::folder::{
    self, Certainty, PART, is_own, make_own, make_private, names_in, open_to_lock, spare,
};
use super::seal::{Flaw, seal, unseal};

/// What the name of a file holds that could not be read.
const ASIDE: &str = ".unreadable-";
/// So many files of one name are set aside; more are looked at where they lie.
const MOST_ASIDE: u32 = 1000;
/// How the name of a file ends that is only there to be locked.
const LOCK_ENDING: &str = ".lock";

/// A folder, and the spare one.
#[derive(Debug)]
pub struct Shelf {
    dir: PathBuf,
    spare: PathBuf,
    access: Access,
    /// Why the folder cannot be used as it should, if so.
    complaint: Option<String>,
    /// What could not be read back this time.
    set_aside: Vec<SetAside>,
}

/// What is done to a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Nothing is changed, not even set aside.
    Look,
    Own,
}

/// A file that could not be read, and where it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    pub name: String,
    pub path: PathBuf,
    pub flaw: Flaw,
}

/// What there is under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept<T> {
    Value(T),
    Absent,
    /// Something that cannot be read back; it is set aside.
    Flawed,
    /// The disk does not let it be read: it may be there, and must not be overwritten.
    Withheld,
}

impl<T> Kept<T> {
    pub fn value(self) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Flawed | Self::Withheld => None,
        }
    }
}

impl Shelf {
    pub fn new(dir: &Path, access: Access) -> Self {
        Self {
            spare: spare(dir),
            dir: dir.to_path_buf(),
            access,
            complaint: None,
            set_aside: Vec::new(),
        }
    }

    /// Makes the folder, and brings what is in the spare one over to it: what others refer to first, so
    /// that at any moment everything that is referred to is there.
    pub fn prepare(&mut self, last: &str) {
        if let Err(error) = make_private(&self.dir) {
            self.complain(&error);
            return;
        }
        // Left by a run that was killed.
        for name in names_in(&self.dir) {
            if name.ends_with(PART) {
                let _ = folder::remove(&self.dir.join(name));
            }
        }
        if !is_own(&self.spare) {
            return;
        }
        let mut names = names_in(&self.spare);
        names.retain(|name| !name.ends_with(PART) && !name.ends_with(LOCK_ENDING));
        names.sort_by_key(|name| name == last);
        for name in names {
            if let Err(error) = self.move_over(&name) {
                self.complain(&error);
                return;
            }
        }
        // Unless somebody holds a lock in it.
        let _ = fs::remove_dir(&self.spare);
    }

    fn move_over(&self, name: &str) -> io::Result<()> {
        let (from, to) = (self.spare.join(name), self.dir.join(name));
        match folder::read(&from)? {
            // An empty file stands for one that was removed.
            Some(bytes) if bytes.is_empty() => folder::remove(&to)?,
            Some(bytes) => folder::write(&self.free_name(name, to), &bytes, Certainty::Durable)?,
            None => {}
        }
        folder::remove(&from)
    }

    /// What was set aside in one folder overwrites nothing that was set aside in the other.
    fn free_name(&self, name: &str, path: PathBuf) -> PathBuf {
        match name.split_once(ASIDE) {
            Some((name, _)) if path.exists() => free_aside(&self.dir, name).unwrap_or(path),
            _ => path,
        }
    }

    /// A file to lock, in whichever folder there can be one.
    ///
    /// # Errors
    ///
    /// If there can be none.
    pub fn lock_file(&self, name: &str) -> Result<File> {
        // The first run of all must not lock another file than the one that comes a moment later.
        let _ = make_private(&self.dir);
        open_to_lock(&self.dir.join(name))
            .or_else(|_| make_own(&self.spare).and_then(|()| open_to_lock(&self.spare.join(name))))
            .with_context(|| {
                format!(
                    "state_dir = {:?}: cannot be written to, nor can {}",
                    self.dir.display().to_string(),
                    self.spare.display()
                )
            })
    }

    /// What is kept under a name.
    pub fn read<T: DeserializeOwned>(&mut self, name: &str) -> Kept<T> {
        let (path, bytes) = match self.find(name) {
            Ok(Some(found)) => found,
            Ok(None) => return Kept::Absent,
            Err(error) => {
                self.complain(&error);
                return Kept::Withheld;
            }
        };
        match unseal(&bytes) {
            Ok(value) => Kept::Value(value),
            Err(flaw) => {
                self.put_aside(name, &path, flaw);
                Kept::Flawed
            }
        }
    }

    /// Keeps a value under a name.
    ///
    /// # Errors
    ///
    /// If neither folder can be written to.
    pub fn write(
        &mut self,
        name: &str,
        value: &impl Serialize,
        certainty: Certainty,
    ) -> Result<()> {
        let bytes = seal(value)?;
        if self.complaint.is_none() {
            let path = self.dir.join(name);
            let made = make_private(&self.dir);
            match made.and_then(|()| folder::write(&path, &bytes, certainty)) {
                Ok(()) => return Ok(()),
                Err(error) => self.complain(&error),
            }
        }
        self.write_spare(name, &bytes)
    }

    /// Forgets what is kept under a name.
    ///
    /// # Errors
    ///
    /// If neither folder can be written to.
    pub fn remove(&mut self, name: &str) -> Result<()> {
        if self.complaint.is_none() {
            match folder::remove(&self.dir.join(name)) {
                Ok(()) => return Ok(()),
                Err(error) => self.complain(&error),
            }
        }
        self.write_spare(name, &[])
    }

    /// The names in use that end so, sorted.
    pub fn names(&self, ending: &str) -> Vec<String> {
        let mut names = names_in(&self.dir);
        if is_own(&self.spare) {
            names.extend(names_in(&self.spare));
        }
        names.retain(|name| name.ends_with(ending));
        names.sort();
        names.dedup();
        names
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    pub fn access(&self) -> Access {
        self.access
    }

    /// Why the folder cannot be used as it should, if so.
    pub fn complaint(&self) -> Option<&str> {
        self.complaint.as_deref()
    }

    /// Everything that could not be read back, as long as its file is there.
    pub fn unreadable(&self) -> Vec<SetAside> {
        let mut all = Vec::new();
        let spare = Some(&self.spare).filter(|spare| is_own(spare));
        for folder in [Some(&self.dir), spare].into_iter().flatten() {
            let names = names_in(folder);
            for name in names.into_iter().filter(|name| name.contains(ASIDE)) {
                let path = folder.join(&name);
                let bytes = folder::read(&path).ok().flatten().unwrap_or_default();
                let flaw = match unseal::<serde_json::Value>(&bytes) {
                    Err(flaw) => flaw,
                    Ok(_) => Flaw::Damaged("it does not hold what it should".into()),
                };
                all.push(SetAside { name, path, flaw });
            }
        }
        // What stayed where it was: nothing may be moved, or nothing can be.
        let here = self.set_aside.iter();
        all.extend(
            here.filter(|aside| aside.path.ends_with(&aside.name))
                .cloned(),
        );
        all
    }

    fn find(&self, name: &str) -> io::Result<Option<(PathBuf, Vec<u8>)>> {
        if is_own(&self.spare) {
            let path = self.spare.join(name);
            match folder::read(&path)? {
                // It was removed, which the other folder does not show.
                Some(bytes) if bytes.is_empty() => return Ok(None),
                Some(bytes) => return Ok(Some((path, bytes))),
                None => {}
            }
        }
        let path = self.dir.join(name);
        Ok(folder::read(&path)?.map(|bytes| (path, bytes)))
    }

    fn put_aside(&mut self, name: &str, path: &Path, flaw: Flaw) {
        let mut aside = path.to_path_buf();
        if self.access == Access::Own
            && let Some(dir) = path.parent()
            && let Some(free) = free_aside(dir, name)
            && fs::rename(path, &free).is_ok()
        {
            aside = free;
        }
        self.set_aside.push(SetAside {
            name: name.to_string(),
            path: aside,
            flaw,
        });
    }

    fn write_spare(&self, name: &str, bytes: &[u8]) -> Result<()> {
        make_own(&self.spare)
            .and_then(|()| folder::write(&self.spare.join(name), bytes, Certainty::Whole))
            .with_context(|| {
                format!(
                    "{}; and {} cannot be written to either",
                    self.complaint.as_deref().unwrap_or("state_dir"),
                    self.spare.display()
                )
            })
    }

    fn complain(&mut self, error: &io::Error) {
        self.complaint.get_or_insert_with(|| {
            format!(
                "state_dir = {:?}: {error}; what is to be remembered is in {} until it can be kept there",
                self.dir.display().to_string(),
                self.spare.display()
            )
        });
    }
}

fn free_aside(dir: &Path, name: &str) -> Option<PathBuf> {
    (1..=MOST_ASIDE)
        .map(|count| dir.join(format!("{name}{ASIDE}{count}")))
        .find(|path| !path.exists())
}
