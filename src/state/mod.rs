//! The durable state, in `state_dir`: `state.json` holds what is known of each metric,
//! `notifications.json` what people were notified of, `silences.json` what people asked for, and
//! `runs.json` when the last runs were. What is so and what was told lie apart, so that a damaged file
//! costs one of them.
//!
//! One run holds it at a time. A run writes what it found, and what it is about to send, before it sends
//! anything; and after each mail that it was accepted. A run that is killed at any moment leaves a whole
//! file, and the next one goes on from there.

mod claim;
mod directory;
mod file;
mod format;
pub mod inspect;
mod names;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::incident::{Alert, MetricState, Silences};
use crate::notify::NotificationLog;
use crate::output::fingerprint::{fingerprint, random_mark};
pub use claim::{Use, check_use, explain_making};
pub use directory::UnreadableFile;
use directory::{Access, StateDirectory};
use file::Certainty;
use names::{NOTIFICATIONS, RUN_LOCK, RUNS, SILENCES, SILENCES_LOCK, STATE, WINDOWS};

/// The state, held by one run alone, only looked at, or of a run that keeps none.
#[derive(Debug, Default)]
pub struct State {
    directory: Option<StateDirectory>,
    _lock: Option<File>,
    contents: Contents,
    /// Marks of the files of the contents, as they are on the disk.
    saved: BTreeMap<&'static str, u64>,
    /// Whether the contents may have changed since they were saved.
    may_differ: bool,
    pub silences: Silences,
    pub runs: Runs,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Contents {
    /// A random mark that tells this installation from others: part of each Message-ID. `None` until the
    /// first run, or one of an older bandwatch, has written its state.
    #[serde(skip_serializing_if = "Option::is_none")]
    installation: Option<String>,
    /// By the name of the metric. Those of its series begin with that name.
    pub metrics: BTreeMap<String, MetricState>,
    /// Of metrics with many series what is known of all of them, by the name of the metric.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub series: BTreeMap<String, SeriesNotes>,
    /// Alerts about bandwatch itself.
    pub own_alerts: Vec<Alert>,
    #[serde(skip)]
    pub log: NotificationLog,
    /// Unreadable files that an alert was opened for.
    pub reported_unreadable: Vec<String>,
}

/// What is known of the series of a metric, beside what is known of each.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SeriesNotes {
    /// The name of the series after which a look at all of them was cut short.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// What people call them, by their names.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub titles: BTreeMap<String, String>,
}

/// When metrics were looked at, and the last runs; of no consequence.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Runs {
    /// When each metric was last looked at.
    pub metrics: BTreeMap<String, DateTime<Utc>>,
    /// How long that took, for those that took a second or more.
    pub seconds: BTreeMap<String, u64>,
    pub last: Option<DateTime<Utc>>,
    /// The last run in which nothing failed.
    pub last_good: Option<DateTime<Utc>>,
}

impl Runs {
    pub fn note_look(&mut self, metric: &str, now: DateTime<Utc>, took: Duration) {
        self.metrics.insert(metric.to_string(), now);
        // One that finds nothing new is quick, and says nothing of the next that does.
        if took.as_secs() > 0 {
            self.seconds.insert(metric.to_string(), took.as_secs());
        }
    }

    /// When a metric was last looked at, and how many seconds that took.
    pub fn last_look(&self, metric: &str) -> (Option<DateTime<Utc>>, u64) {
        let seconds = self.seconds.get(metric).copied().unwrap_or_default();
        (self.metrics.get(metric).copied(), seconds)
    }

    /// Keeps the looks at some metrics alone.
    pub fn retain(&mut self, is_kept: impl Fn(&str, DateTime<Utc>) -> bool) {
        self.metrics.retain(|name, at| is_kept(name, *at));
        let known = &self.metrics;
        self.seconds.retain(|name, _| known.contains_key(name));
    }
}

impl State {
    /// Opens the state of a configuration for a run; `None` while another holds it. Fails if no lock can be
    /// had at all. Whether it may be used is checked before; see [`check_use`].
    pub fn open(dir: &Path, configuration: Option<&Path>) -> Result<Option<Self>> {
        let mut directory = StateDirectory::new(dir, Access::Own);
        let lock = directory.try_lock(RUN_LOCK)?;
        Ok(lock.map(|lock| Self::with_lock(directory, lock, configuration)))
    }

    /// Opens the state once no run holds it.
    pub fn wait(dir: &Path, configuration: Option<&Path>) -> Result<Self> {
        let mut directory = StateDirectory::new(dir, Access::Own);
        let lock = directory.lock(RUN_LOCK)?;
        Ok(Self::with_lock(directory, lock, configuration))
    }

    fn with_lock(mut directory: StateDirectory, lock: File, configuration: Option<&Path>) -> Self {
        if let Some(configuration) = configuration {
            // On a full disk the next run finds nothing here, and tries again.
            let _ = claim::write(&lock, configuration);
        }
        directory.prepare();
        directory.bring_over(&[STATE, NOTIFICATIONS, RUNS]);
        // Whoever changes the silences just now takes those in the spare directory along.
        if directory.has_spare(SILENCES)
            && let Ok(Some(_lock)) = directory.try_lock(SILENCES_LOCK)
        {
            directory.bring_over(&[SILENCES]);
        }
        Self {
            _lock: Some(lock),
            ..Self::load(directory)
        }
    }

    /// Reads the state as it is; a run may go on meanwhile.
    pub fn look(dir: &Path) -> Self {
        Self::load(StateDirectory::new(dir, Access::Look))
    }

    /// The empty state of a run that keeps none: an installation of its own.
    pub fn in_memory() -> Self {
        let mut state = Self::default();
        state.contents.installation = Some(random_mark());
        state
    }

    /// The empty state of a run that can keep none in this directory. It stays the same installation: what
    /// the next such run sends again is the same mail.
    pub fn in_memory_for(dir: &Path) -> Self {
        let mut state = Self::default();
        let mark = fingerprint(&dir.display().to_string());
        state.contents.installation = Some(format!("{mark:016x}"));
        state
    }

    fn load(mut directory: StateDirectory) -> Self {
        let mut contents: Contents = directory.read(STATE).unwrap_or_default();
        contents.log = directory.read(NOTIFICATIONS).unwrap_or_default();
        let saved = contents.files().map_or(BTreeMap::new(), |files| {
            BTreeMap::from(files.map(|(name, bytes)| (name, mark(&bytes))))
        });
        contents.installation.get_or_insert_with(random_mark);
        Self {
            _lock: None,
            saved,
            may_differ: true,
            contents,
            silences: directory.read(SILENCES).unwrap_or_default(),
            runs: directory.read(RUNS).unwrap_or_default(),
            directory: Some(directory),
        }
    }

    /// Where the windows of metrics may be kept until the next run: they are no part of the state. `None`
    /// where the state itself is not kept as it should be.
    pub fn windows_folder(&self) -> Option<PathBuf> {
        self.directory.as_ref()?.folder(WINDOWS)
    }

    pub fn contents(&self) -> &Contents {
        &self.contents
    }

    pub fn contents_mut(&mut self) -> &mut Contents {
        self.may_differ = true;
        &mut self.contents
    }

    pub fn installation(&self) -> &str {
        self.contents.installation.as_deref().unwrap_or_default()
    }

    /// Writes the contents down, if they changed. Fails if they cannot be written anywhere.
    pub fn save(&mut self) -> Result<()> {
        let files = self.contents.files()?;
        files
            .into_iter()
            .try_for_each(|(name, bytes)| self.write(name, &bytes))?;
        self.may_differ = false;
        Ok(())
    }

    /// The same with this log in place of its own; what is known of metrics is written only if it may have
    /// changed, as with many of them that takes longer than a mail.
    pub fn save_with(&mut self, log: &NotificationLog) -> Result<()> {
        if self.may_differ {
            self.write(STATE, &format::encode(&self.contents)?)?;
            self.may_differ = false;
        }
        self.write(NOTIFICATIONS, &format::encode(log)?)
    }

    fn write(&mut self, name: &'static str, bytes: &[u8]) -> Result<()> {
        let (Some(directory), mark) = (&mut self.directory, mark(bytes)) else {
            return Ok(());
        };
        if self.saved.get(name) != Some(&mark) {
            directory.write(name, bytes, Certainty::Durable)?;
            self.saved.insert(name, mark);
        }
        Ok(())
    }

    pub fn save_runs(&mut self) -> Result<()> {
        let Some(directory) = &mut self.directory else {
            return Ok(());
        };
        directory.write(RUNS, &format::encode(&self.runs)?, Certainty::Whole)
    }

    /// Whether a later run will know what this one found.
    pub fn is_durable(&self) -> bool {
        self.directory.is_some()
    }

    /// Files that could not be read, now or by a run before.
    pub fn unreadable(&self) -> Vec<UnreadableFile> {
        let directory = self.directory.as_ref();
        directory.map_or(Vec::new(), StateDirectory::unreadable)
    }

    /// Whose it is; `None` where nothing is kept yet.
    pub fn owner(&self) -> Option<String> {
        self.directory.as_ref()?.owner()
    }

    /// Why `state_dir` cannot be used as it should, if so.
    pub fn complaint(&self) -> Option<&str> {
        self.directory.as_ref()?.complaint()
    }
}

impl Contents {
    /// The names of the series of a metric, and what is known of them.
    pub fn series_of(&self, metric: &str) -> impl Iterator<Item = (&String, &MetricState)> {
        // The letter after the bracket that each key begins with.
        let names = format!("{metric}{{")..format!("{metric}|");
        self.metrics.range(names)
    }

    /// The names and bytes of their files, in the order in which they are written: an alert is there
    /// before anybody is notified of it, and is forgotten before what they were notified of.
    fn files(&self) -> Result<[(&'static str, Vec<u8>); 2]> {
        Ok([
            (STATE, format::encode(self)?),
            (NOTIFICATIONS, format::encode(&self.log)?),
        ])
    }
}

fn mark(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

/// Changes the silences; no run is waited for.
pub fn change_silences<T>(dir: &Path, change: impl FnOnce(&mut Silences) -> T) -> Result<T> {
    let mut directory = StateDirectory::new(dir, Access::Own);
    let _lock = directory.lock(SILENCES_LOCK)?;
    let mut silences: Silences = directory.read(SILENCES).unwrap_or_default();
    // What the disk does not let be read may be there, and must not be overwritten.
    directory.check()?;
    let changed = change(&mut silences);
    directory.write(SILENCES, &format::encode(&silences)?, Certainty::Durable)?;
    directory.check()?;
    Ok(changed)
}

/// Where the state is kept if the configuration does not say: `$XDG_STATE_HOME/bandwatch`, then
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
        Some(home) if !file::is_of_this_user(system) => {
            PathBuf::from(home).join(".local/state/bandwatch")
        }
        _ => system.to_path_buf(),
    }
}
