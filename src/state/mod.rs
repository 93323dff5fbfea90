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
mod place;
mod tables;
#[cfg(test)]
mod tests;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Error, Result, bail};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::config::Metric;
use crate::incident::{Alert, MetricState, Silences};
use crate::notify::{Clearance, NotificationLog, Saved};
use crate::output::fingerprint::{fingerprint, random_mark};
use crate::output::write_error;
use crate::series::shard::Shard;
pub use claim::Use;
pub use directory::UnreadableFile;
use directory::{Access, StateDirectory};
use file::Certainty;
use names::{NOTIFICATIONS, RUN_LOCK, RUNS, SILENCES, SILENCES_LOCK, STATE, WINDOWS};
pub use place::{Place, TablesPlace};
use tables::{Found, Rows, StateTables};
pub use tables::{create as create_tables, statements as statements_of_tables};

/// The state, held by one run alone, only looked at, or of a run that keeps none.
#[derive(Debug, Default)]
pub struct State {
    keeping: Keeping,
    contents: Contents,
    /// Whether the contents may have changed since they were saved.
    may_differ: bool,
    pub silences: Silences,
    pub runs: Runs,
    /// Where it is kept, in words.
    place: String,
    /// Why it is not what it should be, if so.
    obstacle: Option<String>,
}

/// Where the state is kept.
#[derive(Debug, Default)]
enum Keeping {
    /// Nowhere.
    #[default]
    Memory,
    Files(Box<Files>),
    Tables(Box<StateTables>),
}

#[derive(Debug)]
struct Files {
    directory: StateDirectory,
    _lock: Option<File>,
    /// Marks of the files of the contents, as they are on the disk.
    saved: BTreeMap<&'static str, u64>,
}

/// How long a command waits for a run that holds what it is to change.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it looks whether the run has ended.
const LOOK_EVERY: Duration = Duration::from_millis(200);

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
    /// How many series of it are not of this shard, or another run was at work on, when all were looked at last.
    #[serde(skip_serializing_if = "is_zero")]
    pub elsewhere: usize,
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

    /// Takes in those of another shard.
    fn absorb(&mut self, other: Self) {
        for (metric, at) in other.metrics {
            let known = self.metrics.entry(metric).or_insert(at);
            *known = at.max(*known);
        }
        for (metric, seconds) in other.seconds {
            self.seconds.entry(metric).or_insert(seconds);
        }
        self.last = self.last.max(other.last);
        self.last_good = self.last_good.max(other.last_good);
    }

    /// Keeps the looks at some metrics alone.
    pub fn retain(&mut self, is_kept: impl Fn(&str, DateTime<Utc>) -> bool) {
        self.metrics.retain(|name, at| is_kept(name, *at));
        let known = &self.metrics;
        self.seconds.retain(|name, _| known.contains_key(name));
    }
}

impl State {
    /// Opens the state of a configuration for a run on a shard of these metrics; `None` while another holds it.
    /// Fails if no lock can be had at all, or no server be reached. Whether it may be used is checked before; see
    /// [`Place::check_use`].
    pub fn open(
        place: &Place,
        configuration: Option<&Path>,
        metrics: &[Metric],
        shard: Shard,
    ) -> Result<Option<Self>> {
        match place {
            Place::Directory(dir) => {
                let mut directory = StateDirectory::new(dir, Access::Own);
                let lock = directory.try_lock(RUN_LOCK)?;
                let claim = configuration.map(|configuration| (configuration, shard));
                Ok(lock.map(|lock| Self::with_lock(dir, directory, lock, claim)))
            }
            Place::Tables(tables) => {
                let rows = Rows::of_check(metrics, shard);
                let (servers, deadline) = (tables.servers.clone(), tables.deadline);
                let mut tables = StateTables::new(servers, metrics, rows, deadline);
                let found = tables.take()?;
                Ok(found.map(|found| Self::of_tables(tables, found, place)))
            }
        }
    }

    /// Opens what is known of one metric or series, once no run holds it. Fails if it cannot be changed.
    pub fn wait(place: &Place, metrics: &[Metric], metric: &Metric) -> Result<Self> {
        let begun = Instant::now();
        match place {
            Place::Directory(dir) => {
                let mut directory = StateDirectory::new(dir, Access::Own);
                let lock = directory.lock(RUN_LOCK)?;
                let state = Self::with_lock(dir, directory, lock, None);
                match state.complaint() {
                    Some(complaint) => bail!("{complaint}"),
                    None => Ok(state),
                }
            }
            Place::Tables(tables) => loop {
                let (servers, rows) = (tables.servers.clone(), Rows::of_metric(metric));
                let mut tables = StateTables::new(servers, metrics, rows, tables.deadline);
                if let Some(found) = tables.take()? {
                    return Ok(Self::of_tables(tables, found, place));
                }
                if begun.elapsed() > PATIENCE {
                    bail!(
                        "state: a run is at work on {}; try again when it has ended",
                        metric.name
                    );
                }
                sleep(LOOK_EVERY);
            },
        }
    }

    fn with_lock(
        dir: &Path,
        mut directory: StateDirectory,
        lock: File,
        claim: Option<(&Path, Shard)>,
    ) -> Self {
        if let Some((configuration, shard)) = claim {
            // On a full disk the next run finds nothing here, and tries again.
            let _ = claim::write(&lock, configuration, shard);
        }
        directory.prepare();
        directory.bring_over(&[STATE, NOTIFICATIONS, RUNS]);
        // Whoever changes the silences just now takes those in the spare directory along.
        if directory.has_spare(SILENCES)
            && let Ok(Some(_lock)) = directory.try_lock(SILENCES_LOCK)
        {
            directory.bring_over(&[SILENCES]);
        }
        Self::load(dir, directory, Some(lock))
    }

    fn of_tables(tables: StateTables, found: Found, place: &Place) -> Self {
        Self {
            place: place.to_string(),
            contents: found.contents,
            silences: found.silences,
            runs: found.runs,
            may_differ: true,
            obstacle: None,
            keeping: Keeping::Tables(Box::new(tables)),
        }
    }

    /// Reads the state of these metrics as it is; a run may go on meanwhile.
    pub fn look(place: &Place, metrics: &[Metric]) -> Self {
        match place {
            Place::Directory(dir) => Self::load(dir, StateDirectory::new(dir, Access::Look), None),
            Place::Tables(tables) => {
                let rows = Rows::of_check(metrics, Shard::WHOLE);
                let servers = tables.servers.clone();
                let mut tables = StateTables::new(servers, metrics, rows, tables.deadline);
                match tables.look() {
                    Ok(found) => Self::of_tables(tables, found, place),
                    Err(error) => Self {
                        place: place.to_string(),
                        obstacle: Some(write_error(&error)),
                        ..Self::default()
                    },
                }
            }
        }
    }

    /// What a run remembers that cannot reach its tables: that it told so, and nothing else. It judges nothing,
    /// as another may be at work that can reach them.
    pub fn stand_in(place: &TablesPlace, obstacle: Option<&Error>) -> Option<Self> {
        if obstacle.is_none() && !place.stand_in.exists() {
            return None;
        }
        let place = Place::Directory(place.stand_in.clone());
        let state = Self::open(&place, None, &[], Shard::WHOLE).ok()??;
        let told = |error| {
            let why = write_error(error);
            format!("{why}; this machine judges nothing as long as that is so")
        };
        Some(Self {
            obstacle: obstacle.map(told),
            ..state
        })
    }

    /// The empty state of a run that keeps none: an installation of its own.
    pub fn in_memory() -> Self {
        let mut state = Self::default();
        state.contents.installation = Some(random_mark());
        state
    }

    /// The empty state of a run that can keep none there. It stays the same installation: what
    /// the next such run sends again is the same mail.
    pub fn in_memory_for(place: &Place) -> Self {
        let mut state = Self::default();
        let mark = fingerprint(&place.to_string());
        state.contents.installation = Some(format!("{mark:016x}"));
        state
    }

    fn load(dir: &Path, mut directory: StateDirectory, lock: Option<File>) -> Self {
        let mut contents: Contents = directory.read(STATE).unwrap_or_default();
        contents.log = directory.read(NOTIFICATIONS).unwrap_or_default();
        let saved = contents.files().map_or(BTreeMap::new(), |files| {
            BTreeMap::from(files.map(|(name, bytes)| (name, mark(&bytes))))
        });
        contents.installation.get_or_insert_with(random_mark);
        Self {
            may_differ: true,
            contents,
            place: dir.display().to_string(),
            silences: directory.read(SILENCES).unwrap_or_default(),
            runs: directory.read(RUNS).unwrap_or_default(),
            obstacle: None,
            keeping: Keeping::Files(Box::new(Files {
                directory,
                _lock: lock,
                saved,
            })),
        }
    }

    /// Where the windows of metrics may be kept until the next run: they are no part of the state. `None`
    /// where the state itself is not kept as it should be.
    pub fn windows_folder(&self) -> Option<PathBuf> {
        match &self.keeping {
            Keeping::Files(files) => files.directory.folder(WINDOWS),
            Keeping::Memory | Keeping::Tables(_) => None,
        }
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
        match &mut self.keeping {
            Keeping::Memory => {}
            Keeping::Files(files) => {
                let changed = self.contents.files()?;
                let mut changed = changed.into_iter();
                changed.try_for_each(|(name, bytes)| files.write(name, &bytes))?;
            }
            Keeping::Tables(tables) => {
                tables.save(&self.contents, &self.contents.log, self.may_differ)?;
            }
        }
        self.may_differ = false;
        Ok(())
    }

    /// The same with this log in place of its own, and whether what is in it may be told; what is known of metrics
    /// is written only if it may have changed, as with many of them that takes longer than a mail.
    pub fn save_with(&mut self, log: &NotificationLog) -> Saved {
        let saved = match &mut self.keeping {
            Keeping::Memory => Ok(Clearance::Everything),
            Keeping::Files(files) => {
                let written = files.save(self.may_differ.then_some(&self.contents), log);
                self.may_differ &= written.is_err();
                // What the disk does not take is told all the same: nobody else can.
                return Saved {
                    clearance: Clearance::Everything,
                    failure: written.err(),
                };
            }
            Keeping::Tables(tables) => tables
                .save(&self.contents, log, self.may_differ)
                .map(|()| Clearance::AllBut(tables.elsewhere())),
        };
        self.may_differ &= saved.is_err();
        match saved {
            Ok(clearance) => Saved {
                clearance,
                failure: None,
            },
            Err(error) => Saved {
                clearance: Clearance::Nothing,
                failure: Some(error),
            },
        }
    }

    pub fn save_runs(&mut self) -> Result<()> {
        match &mut self.keeping {
            Keeping::Memory => Ok(()),
            Keeping::Files(files) => {
                let bytes = format::encode(&self.runs)?;
                files.directory.write(RUNS, &bytes, Certainty::Whole)
            }
            Keeping::Tables(tables) => tables.save_runs(&self.runs),
        }
    }

    /// Whether a later run will know what this one found.
    pub fn is_durable(&self) -> bool {
        !matches!(self.keeping, Keeping::Memory)
    }

    /// Removes the files.
    pub fn remove(self) {
        if let Keeping::Files(_) = self.keeping {
            let _ = std::fs::remove_dir_all(&self.place);
        }
    }

    /// What another run is at work on just now, of which nothing is known here: metrics and series.
    pub fn elsewhere(&self) -> Arc<BTreeSet<String>> {
        match &self.keeping {
            Keeping::Tables(tables) => tables.elsewhere(),
            Keeping::Memory | Keeping::Files(_) => Arc::default(),
        }
    }

    /// What could not be read, now or by a run before.
    pub fn unreadable(&self) -> Vec<UnreadableFile> {
        match &self.keeping {
            Keeping::Memory => Vec::new(),
            Keeping::Files(files) => files.directory.unreadable(),
            Keeping::Tables(tables) => tables.unreadable().to_vec(),
        }
    }

    /// Where it is kept, in words.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Whose it is; `None` where nothing is kept yet, and of tables.
    pub fn owner(&self) -> Option<String> {
        match &self.keeping {
            Keeping::Files(files) => files.directory.owner(),
            Keeping::Memory | Keeping::Tables(_) => None,
        }
    }

    /// Whether other users keep another.
    pub fn is_of_one_user(&self) -> bool {
        matches!(self.keeping, Keeping::Files(_))
    }

    /// Why it cannot be kept as it should, if so.
    pub fn complaint(&self) -> Option<&str> {
        match (&self.obstacle, &self.keeping) {
            (Some(obstacle), _) => Some(obstacle),
            (None, Keeping::Files(files)) => files.directory.complaint(),
            (None, Keeping::Memory | Keeping::Tables(_)) => None,
        }
    }
}

impl Files {
    /// The contents are written only where they are given.
    fn save(&mut self, contents: Option<&Contents>, log: &NotificationLog) -> Result<()> {
        if let Some(contents) = contents {
            self.write(STATE, &format::encode(contents)?)?;
        }
        self.write(NOTIFICATIONS, &format::encode(log)?)
    }

    fn write(&mut self, name: &'static str, bytes: &[u8]) -> Result<()> {
        let mark = mark(bytes);
        if self.saved.get(name) != Some(&mark) {
            self.directory.write(name, bytes, Certainty::Durable)?;
            self.saved.insert(name, mark);
        }
        Ok(())
    }
}

impl Contents {
    /// The names of the series of a metric, and what is known of them.
    pub fn series_of(&self, metric: &str) -> impl Iterator<Item = (&String, &MetricState)> {
        // The letter after the bracket that each key begins with.
        let names = format!("{metric}{{")..format!("{metric}|");
        self.metrics.range(names)
    }

    /// How many series a metric has, those of other shards included.
    pub fn count_series(&self, metric: &str) -> usize {
        let elsewhere = self.series.get(metric).map_or(0, |notes| notes.elsewhere);
        self.series_of(metric).count() + elsewhere
    }

    /// Takes in what another shard keeps for itself, as far as it is not known here.
    fn absorb(&mut self, other: Self) {
        for (name, known) in other.metrics {
            match self.metrics.entry(name) {
                Entry::Vacant(place) => {
                    place.insert(known);
                }
                Entry::Occupied(mut place) => {
                    let alerts = &mut place.get_mut().alerts;
                    add_alerts(alerts, known.alerts);
                }
            }
        }
        for (name, notes) in other.series {
            self.series.entry(name).or_insert(notes);
        }
        add_alerts(&mut self.own_alerts, other.own_alerts);
        self.log.merge(other.log);
        let unreadable = other.reported_unreadable.into_iter();
        let unreadable: Vec<_> = unreadable
            .filter(|name| !self.reported_unreadable.contains(name))
            .collect();
        self.reported_unreadable.extend(unreadable);
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

/// One of each id.
fn add_alerts(alerts: &mut Vec<Alert>, others: Vec<Alert>) {
    for other in others {
        if alerts.iter().all(|alert| alert.id != other.id) {
            alerts.push(other);
        }
    }
}

fn mark(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

/// Changes the silences; no run is waited for.
pub fn change_silences<T>(place: &Place, change: impl Fn(&mut Silences) -> T) -> Result<T> {
    let dir = match place {
        Place::Directory(dir) => dir,
        Place::Tables(place) => {
            let rows = Rows::of_check(&[], Shard::WHOLE);
            let servers = place.servers.clone();
            let mut tables = StateTables::new(servers, &[], rows, place.deadline);
            return tables.change_silences(change);
        }
    };
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

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}
