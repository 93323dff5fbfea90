//! What is new since a bucket was judged: first whether there can be anything at all, which costs a
//! query for one row, and only then the window. Buckets that no run came to look at are made up for,
//! each as a check at its time would have read it.

use chrono::{DateTime, TimeDelta};
use chrono_tz::Tz;

use super::{Archive, SlotRange};
use crate::config::Metric;
use crate::series::{Grid, Missing, Step, Window};

/// The bucket that was judged last, by its ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Since {
    pub start: DateTime<Tz>,
    pub end: DateTime<Tz>,
}

/// What is new.
#[derive(Debug, Clone)]
pub enum News {
    /// Buckets closed since.
    Buckets(Backlog),
    /// No bucket with data did; the window, if it had to be read to know.
    Nothing(Option<Window>),
}

/// Buckets to judge, of which each is read when its turn comes: a window is large.
#[derive(Debug, Clone)]
pub struct Backlog {
    archive: Option<Archive>,
    missed: Vec<DateTime<Tz>>,
    latest: Window,
}

impl Backlog {
    /// One bucket alone.
    pub fn of(latest: Window) -> Self {
        Self {
            archive: None,
            missed: Vec::new(),
            latest,
        }
    }

    /// What a check of each bucket before the newest would have read at its time, oldest first.
    pub fn missed<'a>(&'a self, metric: &'a Metric) -> impl Iterator<Item = Window> + 'a {
        let archive = self.archive.iter();
        archive.flat_map(move |archive| {
            let times = self.missed.iter();
            times.map(move |time| archive.reading_at(*time, metric))
        })
    }

    /// What a check reads now.
    pub fn into_latest(self) -> Window {
        self.latest
    }
}

/// No more buckets than this are made up for: the newest ones.
const MOST_MADE_UP: usize = 300;

impl Since {
    /// The time in which rows would be news, if the length of a bucket can be told without them;
    /// empty while no further bucket is closed.
    pub fn open_stretch(&self, metric: &Metric, now: DateTime<Tz>) -> Option<Stretch> {
        let length = u32::try_from((self.end - self.start).num_seconds()).ok();
        let step = metric.step.or_else(|| Step::from_seconds(length?))?;
        let grid = Grid::new(step, now);
        let closed = grid.instant(grid.last_closed(now, metric.delay(step)) + 1);
        Some(Stretch {
            from: self.end,
            to: closed.max(self.end),
        })
    }

    /// How much further back than a window rows are needed, to make up for what was missed.
    pub fn backlog(&self, now: DateTime<Tz>) -> Option<TimeDelta> {
        let length = self.end - self.start;
        let most = length * i32::try_from(MOST_MADE_UP).unwrap_or(i32::MAX);
        let missed = (now - self.end).min(most);
        (missed >= length * 2).then_some(missed)
    }
}

/// From one instant to another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stretch {
    pub from: DateTime<Tz>,
    pub to: DateTime<Tz>,
}

impl Stretch {
    /// Whether a run that finds no row in it has nothing to read. An empty bucket that counts as zero
    /// is a bucket all the same.
    pub fn tells_of_nothing(&self, metric: &Metric) -> bool {
        metric.missing == Missing::Gap || self.from >= self.to
    }
}

impl Archive {
    /// What of it is new.
    pub(super) fn news(self, metric: &Metric, since: Option<Since>) -> News {
        let latest = self.window_at_its_end(metric);
        let Some(since) = since else {
            return News::Buckets(Backlog::of(latest));
        };
        let series = self.newest(metric).series;
        let mut new: Vec<DateTime<Tz>> = (0..series.len())
            .filter(|index| series.values()[*index].is_some())
            .map(|index| series.time(index))
            .filter(|time| *time >= since.end)
            .collect();
        new.drain(..new.len().saturating_sub(MOST_MADE_UP));
        if new.pop().is_none() {
            return News::Nothing(Some(latest));
        }
        News::Buckets(Backlog {
            archive: Some(self),
            missed: new,
            latest,
        })
    }

    /// What a check reads now, however much further back the archive reaches.
    fn window_at_its_end(&self, metric: &Metric) -> Window {
        let stretch = &self.stretch;
        let length = i64::try_from(self.step().count_in(metric.window)).unwrap_or(i64::MAX);
        let first_slot = stretch
            .last_slot
            .saturating_sub(length)
            .max(stretch.first_slot);
        let window = SlotRange {
            first_slot,
            ..stretch.clone()
        };
        window.reading(&self.buckets.between(first_slot, stretch.last_slot), metric)
    }
}
