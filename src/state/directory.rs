//! A directory of small files that are whole or not there: each is written under another name, forced to
//! the disk, and renamed.
//!
//! A disk that is full or read-only must not make bandwatch forget what it told a minute ago, so what
//! cannot be written there is written to a spare directory in memory, and moved over by the first run
//! that can. From the first file that has to go there on, the whole rest of a run does: what belongs
//! together stays together.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::de::DeserializeOwned;

use super::file::{self, Certainty, is_own, make_own, make_private, names_in, open_to_lock};
use super::format::{LoadError, decode, is_of_bandwatch};
use super::names::FILES;
use crate::output::owner::{owner_of, this_user, user_name};

/// What the name of a file holds that could not be read.
const ASIDE: &str = ".unreadable-";
/// So many files of one name are set aside; more are left where they lie.
const MOST_ASIDE: u32 = 1000;
/// In the spare directory, beside a file that begins anew, as the one that was to be read could not be.
const ANEW: &str = ".anew";
/// A file with more bytes is set aside as one that cannot be read: it is thousands of times what it should be.
const LARGEST: u64 = 1 << 30;
/// So much is looked at of each file that was set aside, in every run.
const LARGEST_ASIDE: u64 = 1 << 20;
/// How long whoever holds a lock for a moment is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub struct StateDirectory {
    dir: PathBuf,
    /// Whose state it is: of somebody else where it is only looked at.
    user: Option<u32>,
    spare: PathBuf,
    access: Access,
    /// Why the directory cannot be used as it should, if so.
    complaint: Option<String>,
    /// What could not be read and stayed where it was.
    left: Vec<UnreadableFile>,
    /// What the disk did not let be read, by its name.
    unread: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Nothing is changed, not even set aside.
    Look,
    Own,
}

/// A file that could not be read, and where it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableFile {
    pub name: String,
    pub path: PathBuf,
    pub error: LoadError,
}

impl StateDirectory {
    pub fn new(dir: &Path, access: Access) -> Self {
        let user = match access {
            Access::Look => owner_of(dir).or_else(this_user),
            Access::Own => this_user(),
        };
        Self {
            spare: file::spare(dir, user),
            dir: dir.to_path_buf(),
            user,
            access,
            complaint: None,
            left: Vec::new(),
            unread: Vec::new(),
        }
    }

    /// Makes the directory, and sets aside what a bandwatch before 0.2 kept in other files.
    pub fn prepare(&mut self) {
        if let Err(error) = make_private(&self.dir) {
            self.complain(&error);
        }
        for name in names_in(&self.dir) {
            let begins = || file::read(&self.dir.join(&name), 100).ok().flatten();
            if has_old_name(&name) && begins().is_some_and(|bytes| is_of_bandwatch(&bytes)) {
                self.set_aside(&name, &self.dir.join(&name), LoadError::Older);
            }
        }
    }

    /// Moves these files from the spare directory over. Nobody else may be about to write them.
    pub fn bring_over(&mut self, names: &[&str]) {
        for name in names {
            // Left by a run that was killed.
            let _ = file::remove(&self.dir.join(format!("{name}{}", file::PART)));
        }
        let Some(spare) = self.own_spare().filter(|_| self.complaint.is_none()) else {
            return;
        };
        let mut found = names_in(spare);
        found.retain(|name| names.contains(&name.split(ASIDE).next().unwrap_or_default()));
        match found.iter().try_for_each(|name| self.move_over(name)) {
            Err(error) => self.complain(&error),
            Ok(()) => {
                // Unless there is more in it, or somebody holds a lock there.
                let _ = fs::remove_dir(spare);
            }
        }
    }

    /// Whether the spare directory has this file.
    pub fn has_spare(&self, name: &str) -> bool {
        self.own_spare()
            .is_some_and(|spare| spare.join(name).exists())
    }

    fn move_over(&self, name: &str) -> io::Result<()> {
        let (from, mut to) = (self.spare.join(name), self.dir.join(name));
        let free = || free_aside(&self.dir, name.split(ASIDE).next().unwrap_or_default());
        // What was set aside in one directory overwrites nothing that was set aside in the other.
        if name.contains(ASIDE) && to.exists() {
            to = free()?;
        }
        let anew = self.spare.join(format!("{name}{ANEW}"));
        if anew.exists() && to.try_exists()? {
            fs::rename(&to, free()?)?;
        }
        if let Some(bytes) = file::read(&from, LARGEST)? {
            file::write(&to, &bytes, Certainty::Durable)?;
        }
        file::remove(&anew)?;
        file::remove(&from)
    }

    /// A lock of the kernel's ends with whoever holds it, however that ends; `None` if another does.
    pub fn try_lock(&mut self, name: &str) -> Result<Option<File>> {
        let file = self.lock_file(name)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("state_dir: lock {name}"))
            }
        }
    }

    /// The same, but waits for it.
    pub fn lock(&mut self, name: &str) -> Result<File> {
        let begun = Instant::now();
        loop {
            if let Some(file) = self.try_lock(name)? {
                return Ok(file);
            }
            if begun.elapsed() > PATIENCE {
                let path = self.dir.join(name).display().to_string();
                bail!("state_dir: another process holds {path}; what does `fuser {path}` say?");
            }
            sleep(Duration::from_millis(20));
        }
    }

    /// A file to lock, in whichever directory there can be one.
    fn lock_file(&mut self, name: &str) -> Result<File> {
        // The first run of all must not lock another file than the one that comes a moment later.
        let _ = make_private(&self.dir);
        let opened = open_to_lock(&self.dir.join(name));
        let opened = opened.inspect_err(|error| self.complain(error));
        opened
            .or_else(|_| make_own(&self.spare).and_then(|()| open_to_lock(&self.spare.join(name))))
            .with_context(|| {
                let (key, spare) = (self.key(), self.spare.display());
                format!("{key}: cannot be written to, nor can {spare}")
            })
    }

    /// What is kept under a name. What cannot be read is set aside; if the disk does not let it be read,
    /// that is a complaint.
    pub fn read<T: DeserializeOwned>(&mut self, name: &str) -> Option<T> {
        let found = self.find(name).inspect_err(|error| self.complain(error));
        self.unread.extend(found.is_err().then(|| name.to_string()));
        let (path, bytes) = found.ok()??;
        let decoded =
            decode_up_to(LARGEST, &bytes).map_err(|error| self.set_aside(name, &path, error));
        decoded.ok()
    }

    /// Fails if neither directory can be written to.
    pub fn write(&mut self, name: &str, bytes: &[u8], certainty: Certainty) -> Result<()> {
        if self.complaint.is_none() {
            let write = || {
                make_private(&self.dir)?;
                file::write(&self.dir.join(name), bytes, certainty)?;
                // A copy that is older now would be moved over it.
                let spare = self.own_spare();
                spare.map_or(Ok(()), |spare| file::remove(&spare.join(name)))
            };
            match write() {
                Ok(()) => return Ok(()),
                Err(error) => self.complain(&error),
            }
        }
        let write = || {
            make_own(&self.spare)?;
            if self.unread.iter().any(|unread| unread == name) {
                let anew = self.spare.join(format!("{name}{ANEW}"));
                file::write(&anew, &[], Certainty::Whole)?;
            }
            file::write(&self.spare.join(name), bytes, Certainty::Whole)
        };
        write().with_context(|| {
            let complaint = self.complaint().unwrap_or("state_dir");
            let spare = self.spare.display();
            format!("{complaint}; and {spare} cannot be written to either")
        })
    }

    /// A folder in it that is this user's alone, if there can be one.
    pub fn folder(&self, name: &str) -> Option<PathBuf> {
        let folder = self.dir.join(name);
        let is_usable = self.complaint.is_none() && make_own(&folder).is_ok();
        is_usable.then_some(folder)
    }

    /// Whose the directory is, if it is there.
    pub fn owner(&self) -> Option<String> {
        owner_of(&self.dir).map(user_name)
    }

    /// Why the directory cannot be used as it should, if so.
    pub fn complaint(&self) -> Option<&str> {
        self.complaint.as_deref()
    }

    /// Fails if there is a complaint.
    pub fn check(&self) -> Result<()> {
        match self.complaint() {
            Some(complaint) => bail!("{complaint}"),
            None => Ok(()),
        }
    }

    /// Everything that could not be read, as long as its file is there.
    pub fn unreadable(&self) -> Vec<UnreadableFile> {
        let mut all = Vec::new();
        for dir in [&self.dir].into_iter().chain(self.own_spare()) {
            let names = names_in(dir).into_iter();
            for name in names.filter(|name| is_set_aside(name)) {
                let path = dir.join(&name);
                let bytes = file::read(&path, LARGEST_ASIDE).ok().flatten();
                let bytes = bytes.unwrap_or_default();
                let error = match decode_up_to::<serde_json::Value>(LARGEST_ASIDE, &bytes) {
                    _ if has_old_name(name.split(ASIDE).next().unwrap_or_default()) => {
                        LoadError::Older
                    }
                    Err(error) => error,
                    Ok(_) => LoadError::Unusable,
                };
                all.push(UnreadableFile { name, path, error });
            }
        }
        all.extend(self.left.iter().cloned());
        all
    }

    fn find(&self, name: &str) -> io::Result<Option<(PathBuf, Vec<u8>)>> {
        for dir in self.own_spare().into_iter().chain([&self.dir]) {
            let path = dir.join(name);
            if let Some(bytes) = file::read(&path, LARGEST)? {
                return Ok(Some((path, bytes)));
            }
        }
        Ok(None)
    }

    /// The spare directory, if it is there and nobody else can have put anything into it.
    fn own_spare(&self) -> Option<&PathBuf> {
        Some(&self.spare).filter(|spare| is_own(spare, self.user))
    }

    fn set_aside(&mut self, name: &str, path: &Path, error: LoadError) {
        let free = path.parent().and_then(|dir| free_aside(dir, name).ok());
        let is_moved =
            self.access == Access::Own && free.is_some_and(|free| fs::rename(path, free).is_ok());
        if !is_moved {
            self.left.push(UnreadableFile {
                name: name.to_string(),
                path: path.to_path_buf(),
                error,
            });
        }
    }

    fn complain(&mut self, error: &io::Error) {
        let (key, spare) = (self.key(), self.spare.display());
        let owner = owner_of(&self.dir).filter(|owner| Some(*owner) != self.user);
        let whose = owner.zip(self.user).map_or(String::new(), |(owner, user)| {
            let [owner, user] = [owner, user].map(user_name);
            let dir = self.dir.display();
            format!("; it is {owner}'s, and this run is {user}'s (sudo chown -R {user}: {dir})")
        });
        let complaint = format!(
            "{key}: {error}{whose}; the state is kept in {spare} until it can be written there"
        );
        self.complaint.get_or_insert(complaint);
    }

    fn key(&self) -> String {
        format!("state_dir = {:?}", self.dir.display().to_string())
    }
}

/// Bytes that were read up to one more than `most`.
fn decode_up_to<T: DeserializeOwned>(most: u64, bytes: &[u8]) -> Result<T, LoadError> {
    if bytes.len() as u64 > most {
        return Err(LoadError::TooLarge(most));
    }
    decode(bytes)
}

/// The names a bandwatch before 0.2 used, which kept finished mails on the disk, by their number.
fn has_old_name(name: &str) -> bool {
    match name.split_once('.') {
        Some((stem, "parcel" | "mail")) => u64::from_str_radix(stem, 16).is_ok(),
        _ => name == "memory.json" || name == "looks.json",
    }
}

fn is_set_aside(name: &str) -> bool {
    name.split_once(ASIDE).is_some_and(|(stem, count)| {
        let is_number = count.parse::<u32>().is_ok();
        is_number && (FILES.contains(&stem) || has_old_name(stem))
    })
}

fn free_aside(dir: &Path, name: &str) -> io::Result<PathBuf> {
    (1..=MOST_ASIDE)
        .map(|count| dir.join(format!("{name}{ASIDE}{count}")))
        .find(|path| !path.exists())
        .ok_or_else(|| io::Error::other(format!("{MOST_ASIDE} files of {name} are set aside")))
}
