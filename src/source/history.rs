//! The buckets of a long time, read once, from which the window of any check within it is cut: those of
//! a backtest, and those of buckets that closed while no run came to judge them.

use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use chrono_tz::Tz;

use super::SlotRange;
use crate::config::Metric;
use crate::series::{Aggregate, Bucket, Buckets, Observation, Step, TimeSeries, Window};

/// Closed buckets, and the slots they were read for.
#[derive(Debug, Clone)]
pub struct History {
    pub(super) slots: SlotRange,
    pub(super) buckets: Buckets,
}

/// What closed since a bucket was judged.
#[derive(Debug, Clone)]
pub enum Fetched {
    New(NewBuckets),
    /// No bucket with data; the latest window, if it had to be read to know.
    Nothing(Option<Window>),
}

/// Buckets to judge. The window of each is cut when its turn comes, as a window is large.
#[derive(Debug, Clone)]
pub struct NewBuckets {
    history: History,
    missed: Vec<DateTime<Tz>>,
    latest: Window,
}

/// No more missed buckets than this are judged: the newest ones.
const MOST_MISSED: usize = 300;

impl NewBuckets {
    /// What a check of each bucket before the newest would have read at its time, oldest first.
    pub fn missed(&self, metric: &Metric) -> impl Iterator<Item = Window> {
        let times = self.missed.iter();
        times.map(|time| self.history.window_at(*time, metric))
    }

    /// What a check reads now.
    pub fn into_latest(self) -> Window {
        self.latest
    }
}

/// How much further back than a window rows are needed, to judge the buckets missed since the last.
pub fn time_missed(last: Bucket, now: DateTime<Tz>) -> Option<Duration> {
    let most = last.length() * i32::try_from(MOST_MISSED).unwrap_or(i32::MAX);
    let missed = (now.to_utc() - last.end).min(most);
    (missed >= last.length() * 2)
        .then(|| missed.to_std().ok())
        .flatten()
}

impl History {
    pub fn step(&self) -> Step {
        self.slots.grid.step()
    }

    /// The start of the oldest bucket that has data, and the end of the newest closed one.
    pub fn ends(&self) -> Option<(DateTime<Tz>, DateTime<Tz>)> {
        let oldest = self.buckets.oldest_slot()?;
        Some((self.slots.grid.instant(oldest), self.slots.times().to))
    }

    /// The values that have a full window before them, oldest first; with `last`, only those of
    /// buckets that began within that time before the end.
    pub fn points(&self, metric: &Metric, last: Option<Duration>) -> Vec<Observation> {
        let Some(oldest) = self.buckets.oldest_slot() else {
            return Vec::new();
        };
        let judged_from = oldest.saturating_add(self.count_in(metric.window));
        let asked_from = last.map_or(i64::MIN, |last| {
            let begin = self.slots.last_slot.saturating_sub(self.count_in(last));
            begin.saturating_add(1)
        });
        self.observations(metric, judged_from.max(asked_from))
    }

    /// What a check would have read when the bucket that starts at `time` was closed.
    pub fn window_at(&self, time: DateTime<Tz>, metric: &Metric) -> Window {
        let grid = &self.slots.grid;
        let last_slot = grid.slot(time);
        let closed = grid.instant(last_slot + 1) + metric.delay(self.step());
        self.window(last_slot, closed, metric)
    }

    /// What a check reads now, however much further back the history goes.
    pub(super) fn latest(&self, metric: &Metric) -> Window {
        self.window(self.slots.last_slot, self.slots.as_of, metric)
    }

    /// What of it closed after the last bucket judged; the newest bucket alone if there is none.
    pub(super) fn into_fetched(self, metric: &Metric, last: Option<Bucket>) -> Fetched {
        let latest = self.latest(metric);
        let mut missed = Vec::new();
        if let Some(last) = last {
            let all = self.observations(metric, self.slots.first_slot);
            let times = all.into_iter().map(|observation| observation.time);
            missed.extend(times.filter(|time| *time >= last.end));
            missed.drain(..missed.len().saturating_sub(MOST_MISSED));
            if missed.pop().is_none() {
                return Fetched::Nothing(Some(latest));
            }
        }
        Fetched::New(NewBuckets {
            history: self,
            missed,
            latest,
        })
    }

    fn window(&self, last_slot: i64, as_of: DateTime<Tz>, metric: &Metric) -> Window {
        let first_slot = last_slot.saturating_sub(self.count_in(metric.window));
        let newest = self.buckets.slots(first_slot, last_slot).next_back();
        let usual_gap = self
            .buckets
            .usual_gap(first_slot, last_slot, metric.missing);
        Window {
            series: self.series(first_slot, last_slot, metric),
            row_counts: self.buckets.row_counts,
            as_of,
            newest: newest.map(|slot| self.slots.grid.instant(slot)),
            stale_after: metric.stale_after(self.step(), usual_gap),
        }
    }

    /// The values from a slot on.
    fn observations(&self, metric: &Metric, from_slot: i64) -> Vec<Observation> {
        let series = self.series(self.slots.first_slot, self.slots.last_slot, metric);
        let values = series.values().iter().enumerate();
        values
            .filter(|(index, _)| series.slot(*index) >= from_slot)
            .filter_map(|(index, value)| {
                Some(Observation {
                    time: series.time(index),
                    value: (*value)?,
                })
            })
            .collect()
    }

    /// A sum over three hours is no odd sum of two: where the clocks change within a bucket of a few
    /// hours, what was counted in it is left out. A day of 23 or 25 hours stays a day.
    fn series(&self, first_slot: i64, last_slot: i64, metric: &Metric) -> TimeSeries {
        let (grid, step) = (&self.slots.grid, self.step());
        let series = self.buckets.series(first_slot, last_slot, metric.missing);
        let adds_up = metric.aggregate.is_some_and(Aggregate::adds_up);
        if !adds_up || !step.follows_wall_clock() || step.per_day().is_none() {
            return series;
        }
        let length = |slot| -> TimeDelta { grid.instant(slot + 1) - grid.instant(slot) };
        series.without(|slot| length(slot) != step.delta())
    }

    fn count_in(&self, time: Duration) -> i64 {
        i64::try_from(self.step().count_in(time)).unwrap_or(i64::MAX)
    }
}
