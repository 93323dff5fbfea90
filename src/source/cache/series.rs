//! The windows of the many series of one metric: the rows of all of them since the last read, joined one by one
//! with what is kept of each. Where that does not go together for a few series, these are read alone; where it
//! does not for many, all are read again.

#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::path::PathBuf;

use anyhow::Result;
use chrono::{DateTime, TimeDelta, Utc};

use super::archive::{Archive, ArchiveWriter};
use super::{Head, MetricCache, Reading, SeriesLabel, file};
use crate::series::key::SeriesKey;
use crate::series::shard::Shard;
use crate::source::history::History;
use crate::source::series::SeriesHistory;

/// Which series are to be read.
#[derive(Debug, Clone, Copy)]
pub enum Wanted<'a> {
    All,
    One(&'a SeriesKey),
}

/// More series than these are read together with all others: each question takes its time.
const MOST_READ_ALONE: usize = 32;

/// What is kept of the series of a metric.
struct Kept<'a> {
    cache: &'a MetricCache<'a>,
    archive: Archive,
    /// The first slot that is to be read again.
    from: i64,
    read_whole_at: DateTime<Utc>,
}

/// Keeps what is read.
struct Keeper<'a> {
    cache: &'a MetricCache<'a>,
    clock: &'a str,
    read_whole_at: DateTime<Utc>,
    /// None once it failed: then nothing is kept, and all is read again.
    writer: Option<ArchiveWriter>,
}

/// A series of which what is kept and what was read anew do not go together.
struct Apart {
    key: SeriesKey,
    title: Option<String>,
}

/// Takes the history of one series after the other.
type Take<'a> = dyn FnMut(SeriesHistory) -> Result<()> + 'a;

/// Hands over the history of one series after the other, and says how many there were. `read` reads the rows of
/// the slots of a history, which has no rows yet; `clock` is how it tells the times of rows.
pub fn fill_series(
    empty: &History,
    cache: Option<&MetricCache>,
    clock: &str,
    mut read: impl FnMut(&History, Wanted, &mut Take) -> Result<()>,
    take: &mut Take,
) -> Result<usize> {
    let mut count = 0;
    let mut take = |series: SeriesHistory| {
        count += 1;
        take(series)
    };
    let is_short = empty.step().mean_length() < TimeDelta::days(1);
    let Some(cache) = cache.filter(|_| is_short) else {
        read(empty, Wanted::All, &mut take)?;
        return Ok(count);
    };
    let kept = Kept::open(cache, empty, clock);
    let mut keeper = Keeper {
        cache,
        clock,
        read_whole_at: kept
            .as_ref()
            .map_or(empty.as_of().to_utc(), |kept| kept.read_whole_at),
        writer: ArchiveWriter::create(cache.archive_path()).ok(),
    };
    let mut hand_over = |series: SeriesHistory| {
        keeper.keep(&series);
        take(series)
    };
    if let Some(kept) = kept {
        kept.fill(empty, &mut read, &mut hand_over)?;
    } else {
        read(empty, Wanted::All, &mut hand_over)?;
        file::forget_old(&cache.cache.folder);
    }
    keeper.finish();
    Ok(count)
}

impl<'a> Kept<'a> {
    fn open(cache: &'a MetricCache, empty: &History, clock: &str) -> Option<Self> {
        if cache.cache.reading == Reading::All {
            return None;
        }
        let archive = Archive::open(&cache.archive_path())?;
        let from = |head| cache.reread_from(head, empty, clock);
        let from: Option<Vec<i64>> = archive.heads.iter().map(from).collect();
        Some(Self {
            cache,
            from: from?.into_iter().min()?,
            read_whole_at: archive.heads.first()?.read_whole_at,
            archive,
        })
    }

    fn fill(
        &self,
        empty: &History,
        read: &mut impl FnMut(&History, Wanted, &mut Take) -> Result<()>,
        hand_over: &mut Take,
    ) -> Result<()> {
        let (mut seen, mut apart) = (HashSet::new(), Vec::new());
        let newest = empty.since(self.from);
        read(&newest, Wanted::All, &mut |newer| {
            seen.insert(newer.key.clone());
            // Other shards keep their own.
            if !self.cache.is_kept(&newer.key) {
                return hand_over(newer);
            }
            match self.join(newer, empty) {
                Ok(series) => hand_over(series)?,
                Err(series) => apart.push(series),
            }
            Ok(())
        })?;
        for key in self.keys().filter(|key| !seen.contains(key)) {
            let silent = SeriesHistory {
                key,
                title: None,
                history: newest.clone(),
            };
            match self.join(silent, empty) {
                Ok(series) if series.history.is_empty() => {}
                Ok(series) => hand_over(series)?,
                Err(series) => apart.push(series),
            }
        }
        if apart.len() > MOST_READ_ALONE {
            let apart: HashSet<SeriesKey> = apart.into_iter().map(|series| series.key).collect();
            return read(empty, Wanted::All, &mut |series| {
                if apart.contains(&series.key) {
                    hand_over(series)?;
                }
                Ok(())
            });
        }
        for series in apart {
            read(empty, Wanted::One(&series.key), &mut |whole| {
                if whole.history.is_empty() {
                    return Ok(());
                }
                hand_over(SeriesHistory {
                    title: series.title.clone(),
                    ..whole
                })
            })?;
        }
        Ok(())
    }

    /// What is kept of a series and what was read of it, as far as the two go together.
    fn join(&self, newer: SeriesHistory, empty: &History) -> Result<SeriesHistory, Apart> {
        let mut known = self.archive.read(&newer.key.write());
        let label = known.as_mut().and_then(|known| known.head.series.take());
        let title = newer.title.or(label.and_then(|label| label.title));
        let joined = known.and_then(|known| known.join(&newer.history, empty));
        match joined {
            Some(history) => Ok(SeriesHistory {
                key: newer.key,
                title,
                history,
            }),
            None => Err(Apart {
                key: newer.key,
                title,
            }),
        }
    }

    fn keys(&self) -> impl Iterator<Item = SeriesKey> {
        let labels = self
            .archive
            .heads
            .iter()
            .filter_map(|head| head.series.as_ref());
        labels.filter_map(|label| self.cache.key(label))
    }
}

impl Keeper<'_> {
    fn keep(&mut self, series: &SeriesHistory) {
        if !self.cache.is_kept(&series.key) {
            return;
        }
        let Some(buckets) = series.history.buckets.by_slot() else {
            // Left out, it would be no series any more once it has no new rows.
            self.writer = None;
            return;
        };
        let head = Head {
            series: Some(SeriesLabel {
                key: series.key.write(),
                title: series.title.clone(),
            }),
            ..self
                .cache
                .head(&series.history, self.clock, self.read_whole_at)
        };
        let window = file::encode(&head, buckets);
        let is_written = |writer: &mut ArchiveWriter| writer.add(&window?);
        if self
            .writer
            .as_mut()
            .map(is_written)
            .is_none_or(|written| written.is_err())
        {
            self.writer = None;
        }
    }

    fn finish(self) {
        let _ = self.writer.map(ArchiveWriter::finish);
    }
}

impl MetricCache<'_> {
    fn archive_path(&self) -> PathBuf {
        let shard = self.cache.shard;
        if shard == Shard::WHOLE {
            return self.path("windows");
        }
        self.path(&format!("{}-of-{}.windows", shard.number(), shard.count()))
    }

    /// Whether a series is of those that are kept here.
    fn is_kept(&self, key: &SeriesKey) -> bool {
        self.cache.shard.holds(&self.metric.series_name(key))
    }

    fn key(&self, label: &SeriesLabel) -> Option<SeriesKey> {
        let group = self.metric.group.as_ref()?;
        SeriesKey::parse(&label.key, &group.columns)
    }
}
