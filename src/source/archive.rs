//! The buckets of a long stretch, read once, from which any check within it can be repeated: what it
//! would have read is made here by the very code that makes a reading now.

use std::time::Duration;

use chrono::DateTime;
use chrono_tz::Tz;

use super::SlotRange;
use crate::config::Metric;
use crate::series::{Buckets, Observation, Step, Window};

/// Closed buckets, and the stretch they were read for.
#[derive(Debug, Clone)]
pub struct Archive {
    pub(super) stretch: SlotRange,
    pub(super) buckets: Buckets,
}

impl Archive {
    pub fn step(&self) -> Step {
        self.stretch.grid.step()
    }

    /// The start of the oldest bucket that has data, and the end of the newest closed one.
    pub fn ends(&self) -> Option<(DateTime<Tz>, DateTime<Tz>)> {
        let oldest = self.buckets.oldest_slot()?;
        Some((self.stretch.grid.instant(oldest), self.stretch.to()))
    }

    /// The buckets with a value that have a full window before them, oldest first; with `last`, only
    /// those that began within that time before the end.
    pub fn judgeable(&self, metric: &Metric, last: Option<Duration>) -> Vec<Observation> {
        let Some(oldest) = self.buckets.oldest_slot() else {
            return Vec::new();
        };
        let series = self.newest(metric).series;
        let count = |length| i64::try_from(self.step().count_in(length)).unwrap_or(i64::MAX);
        let since = last.map_or(i64::MIN, |last| {
            self.stretch.last_slot.saturating_sub(count(last))
        });
        let first = oldest.saturating_add(count(metric.window));
        let observations = series.values().iter().enumerate();
        observations
            .filter(|(index, _)| series.slot(*index) >= first && series.slot(*index) > since)
            .filter_map(|(index, value)| {
                Some(Observation {
                    time: series.time(index),
                    value: (*value)?,
                })
            })
            .collect()
    }

    /// The starts of the closed buckets after one and before another.
    pub fn steps_between(&self, last: DateTime<Tz>, next: DateTime<Tz>) -> Vec<DateTime<Tz>> {
        let grid = &self.stretch.grid;
        let slots = grid.slot(last) + 1..grid.slot(next);
        slots.map(|slot| grid.instant(slot)).collect()
    }

    /// What a check would have read at the moment the bucket that starts at `time` was closed.
    pub fn reading_at(&self, time: DateTime<Tz>, metric: &Metric) -> Window {
        let (grid, step) = (&self.stretch.grid, self.step());
        let last_slot = grid.slot(time);
        let length = i64::try_from(step.count_in(metric.window)).unwrap_or(i64::MAX);
        let window = SlotRange {
            grid: grid.clone(),
            first_slot: last_slot.saturating_sub(length),
            last_slot,
            now: grid.instant(last_slot + 1) + metric.delay(step),
        };
        let buckets = self.buckets.between(window.first_slot, window.last_slot);
        window.reading(&buckets, metric)
    }

    /// What a check reads now: all of the stretch.
    pub(super) fn newest(&self, metric: &Metric) -> Window {
        self.stretch.reading(&self.buckets, metric)
    }
}
