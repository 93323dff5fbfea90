//! The windows of earlier runs, kept so that a check reads what is new: the rows since the last read, and
//! those of some time before it (`reread`), which may have been corrected since. A window made of kept and
//! new buckets is the one that reading all of it makes.
//!
//! All of it is read where that is not certain: another definition, clock or grid; rows that changed at
//! the far end of what is read again, so that older ones may have too; rows of no known bucket; and once a
//! day. A file that is missing, damaged or somebody else's is as good as none.
//!
//! The windows of the many series of one metric are one file, see [`series`].

mod archive;
mod file;
pub mod series;
#[cfg(test)]
mod tests;

use std::ops::RangeInclusive;
use std::path::PathBuf;

use anyhow::Result;
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::history::History;
use crate::config::{DatabaseSettings, Metric};
use crate::output::fingerprint::fingerprint;
use crate::series::shard::Shard;
use crate::series::{Gathered, Grid};

/// Which rows a check reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// The newest, where the others are kept.
    Newest,
    All,
}

/// A folder with the windows of all metrics.
#[derive(Debug, Clone)]
pub struct WindowCache {
    /// This user's alone.
    pub folder: PathBuf,
    pub reading: Reading,
    /// Whose series are kept.
    pub shard: Shard,
}

/// The place of one metric in it.
#[derive(Debug)]
pub struct MetricCache<'a> {
    metric: &'a Metric,
    cache: &'a WindowCache,
    /// A mark of all that says which rows are read, and what becomes of them.
    definition: u64,
}

/// A window as it was read before.
#[derive(Debug, Clone)]
struct Known {
    head: Head,
    /// Oldest first.
    buckets: Vec<(i64, Gathered)>,
}

/// What a window is of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Head {
    definition: u64,
    /// How the times of its rows were told.
    clock: String,
    grid: String,
    first_slot: i64,
    last_slot: i64,
    read_at: DateTime<Utc>,
    /// When all of it was read at once.
    read_whole_at: DateTime<Utc>,
    /// Of one of many series.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    series: Option<SeriesLabel>,
}

/// What one of many series is called.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct SeriesLabel {
    /// As it is written.
    key: String,
    title: Option<String>,
}

/// The share of what is read again that must not have changed, if the rows before are to be trusted: its
/// oldest quarter.
const TRUSTED_SHARE: i64 = 4;

/// How many times what is read again must be kept. A younger series may yet be filled in from behind, and
/// little is saved.
const LEAST_KEPT: i64 = 2;

impl WindowCache {
    pub fn of<'a>(
        &'a self,
        metric: &'a Metric,
        database: &DatabaseSettings,
        zone: Tz,
    ) -> MetricCache<'a> {
        let definition = format!(
            "{:?}",
            (
                env!("CARGO_PKG_VERSION"),
                [&database.host, &database.user, &database.database],
                (database.port, &database.socket),
                (&metric.name, &metric.rows, metric.time, zone),
                (metric.step, metric.aggregate, metric.window, metric.missing),
                (metric.reread, &metric.group),
            )
        );
        MetricCache {
            metric,
            cache: self,
            definition: fingerprint(&definition),
        }
    }
}

/// Fills a history that has no rows yet. `read` reads those of all its slots; it may be called with a part
/// of them first, and then with all. `clock` is how it tells the times of rows.
pub fn fill(
    history: History,
    cache: Option<&MetricCache>,
    clock: &str,
    mut read: impl FnMut(&mut History) -> Result<()>,
) -> Result<History> {
    // A bucket a day: each would come with the daily read.
    let is_short = history.step().mean_length() < TimeDelta::days(1);
    let cache = cache.filter(|_| is_short);
    let known = cache.and_then(|cache| cache.known(&history, clock));
    if let (Some(cache), Some((known, from))) = (cache, known) {
        let mut newer = history.since(from);
        read(&mut newer)?;
        let joined = known.join(&newer, &history);
        // What is to be said of no data at all depends on how all of it was asked for.
        if let Some(joined) = joined.filter(|joined| joined.ends().is_some()) {
            cache.keep(&joined, clock, known.head.read_whole_at);
            return Ok(joined);
        }
    }
    let mut history = history;
    read(&mut history)?;
    if let Some(cache) = cache {
        cache.keep(&history, clock, history.as_of().to_utc());
        file::forget_old(&cache.cache.folder);
    }
    Ok(history)
}

impl MetricCache<'_> {
    /// What is known of a history, and the first of its slots that is to be read again.
    fn known(&self, wanted: &History, clock: &str) -> Option<(Known, i64)> {
        if self.cache.reading == Reading::All {
            return None;
        }
        let known = file::read(&self.path("window"))?;
        let from = self.reread_from(&known.head, wanted, clock)?;
        let again = known.head.last_slot - from + 1;
        let (oldest, _) = known.buckets.first()?;
        (*oldest <= from - LEAST_KEPT * again).then_some((known, from))
    }

    /// So that each bucket was read when its rows were old enough not to be corrected any more.
    fn reread_from(&self, known: &Head, wanted: &History, clock: &str) -> Option<i64> {
        let (grid, slots) = (wanted.grid(), wanted.slots());
        let as_of = wanted.as_of();
        let read_at = known.read_at.with_timezone(&as_of.timezone());
        let from = grid.slot(read_at - self.metric.reread(wanted.step()));
        let is_of_it = known.definition == self.definition
            && known.clock == clock
            && known.grid == mark(grid)
            && read_at <= as_of;
        let is_of_today = self.day(known.read_whole_at) == self.day(as_of.to_utc());
        let first = *slots.start();
        let is_enough = known.first_slot <= first
            && (first + 1..=known.last_slot).contains(&from)
            && slots.contains(&from);
        // Where the clock shows a time twice, bounds by the clock let in rows of both.
        let is_clear = ![first, from].iter().any(|slot| grid.is_repeated(*slot));
        (is_of_it && is_of_today && is_enough && is_clear).then_some(from)
    }

    /// The days between two of which all is read. They begin at another time for each metric, so that not all
    /// are read by the same run.
    fn day(&self, time: DateTime<Utc>) -> i64 {
        const DAY: i64 = 86_400;
        let mark = fingerprint(&self.metric.name) % DAY.unsigned_abs();
        (time.timestamp() + i64::try_from(mark).unwrap_or_default()).div_euclid(DAY)
    }

    /// A window that cannot be kept is read again, so nobody needs to hear of it.
    fn keep(&self, history: &History, clock: &str, read_whole_at: DateTime<Utc>) {
        let Some(buckets) = history.buckets.by_slot() else {
            return;
        };
        let head = self.head(history, clock, read_whole_at);
        let _ = file::write(&self.path("window"), &head, buckets);
    }

    fn head(&self, history: &History, clock: &str, read_whole_at: DateTime<Utc>) -> Head {
        let slots = history.slots();
        Head {
            definition: self.definition,
            clock: clock.to_string(),
            grid: mark(history.grid()),
            first_slot: *slots.start(),
            last_slot: *slots.end(),
            read_at: history.as_of().to_utc(),
            read_whole_at,
            series: None,
        }
    }

    fn path(&self, extension: &str) -> PathBuf {
        let name = format!("{}.{extension}", self.metric.file_name());
        self.cache.folder.join(name)
    }
}

impl Known {
    fn slots(&self, slots: RangeInclusive<i64>) -> impl Iterator<Item = (&i64, &Gathered)> {
        let before = |slot: i64| self.buckets.partition_point(|(other, _)| *other < slot);
        let within = before(*slots.start())..before(slots.end().saturating_add(1));
        let buckets = self.buckets.get(within).unwrap_or_default().iter();
        buckets.map(|(slot, gathered)| (slot, gathered))
    }

    /// The wanted history, of what is known and what was read anew; `None` if the two do not go together.
    fn join(&self, newer: &History, wanted: &History) -> Option<History> {
        let read = newer.buckets.by_slot()?;
        let (from, last) = (*newer.slots().start(), self.head.last_slot);
        let trusted = from..=from + (last - from) / TRUSTED_SHARE;
        if !are_same(self.slots(trusted.clone()), read.range(trusted)) {
            return None;
        }
        let kept = self.slots(*wanted.slots().start()..=from - 1);
        let buckets = kept.chain(read).map(|(slot, gathered)| (*slot, *gathered));
        let mut history = wanted.clone();
        history.buckets = wanted.buckets.of_gathered(buckets);
        Some(history)
    }
}

fn are_same<'a>(
    mut some: impl Iterator<Item = (&'a i64, &'a Gathered)>,
    mut others: impl Iterator<Item = (&'a i64, &'a Gathered)>,
) -> bool {
    let all = some.by_ref().all(|(slot, gathered)| {
        let other = others.next();
        other.is_some_and(|other| slot == other.0 && gathered.is_same(other.1))
    });
    all && others.next().is_none()
}

/// What tells a grid from others.
fn mark(grid: &Grid) -> String {
    format!("{} {}", grid.step(), grid.phase_seconds())
}
