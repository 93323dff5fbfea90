//! How many buckets were judged and lay inside their bands, by the day.

use std::collections::VecDeque;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::detect::Evaluation;

/// For how long what is over is remembered.
pub const REMEMBERED: TimeDelta = TimeDelta::days(35);

/// How many buckets of a day (UTC) were judged, and how many of them lay inside their band.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(i64, u32, u32)", into = "(i64, u32, u32)")]
pub struct DayCount {
    /// Since 1970.
    day: i64,
    pub judged: u32,
    pub inside: u32,
}

impl From<(i64, u32, u32)> for DayCount {
    fn from((day, judged, inside): (i64, u32, u32)) -> Self {
        Self {
            day,
            judged,
            inside,
        }
    }
}

impl From<DayCount> for (i64, u32, u32) {
    fn from(count: DayCount) -> Self {
        (count.day, count.judged, count.inside)
    }
}

impl DayCount {
    pub fn start(&self) -> DateTime<Utc> {
        let since = TimeDelta::try_days(self.day);
        let start = since.and_then(|since| DateTime::UNIX_EPOCH.checked_add_signed(since));
        // A day that cannot be is long over.
        start.unwrap_or(DateTime::UNIX_EPOCH)
    }
}

/// The counts of the last days, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayCounts(VecDeque<DayCount>);

impl DayCounts {
    #[expect(clippy::cast_possible_truncation, reason = "a few weeks")]
    #[expect(clippy::cast_sign_loss, reason = "a few weeks")]
    const MOST: usize = REMEMBERED.num_days() as usize + 1;

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = &DayCount> + Clone {
        self.0.iter()
    }

    /// Forgets the days that are over for long.
    pub fn forget(&mut self, now: DateTime<Utc>) {
        self.0.retain(|count| now - count.start() < REMEMBERED);
    }

    /// Counts a bucket, whichever side anybody asked about.
    pub fn count(&mut self, evaluation: &Evaluation) {
        let (Some(value), Some(band)) = (evaluation.value, evaluation.band) else {
            return;
        };
        let is_inside = (band.lower..=band.upper).contains(&value);
        self.day(evaluation.bucket.start, |count| {
            count.judged += 1;
            count.inside += u32::from(is_inside);
        });
    }

    /// Counts one that was outside.
    pub fn count_outside(&mut self, start: DateTime<Utc>) {
        self.day(start, |count| count.judged += 1);
    }

    fn day(&mut self, start: DateTime<Utc>, change: impl FnMut(&mut DayCount)) {
        let day = start.timestamp().div_euclid(86_400);
        if self.0.back().is_none_or(|count| count.day != day) {
            self.0.push_back(DayCount {
                day,
                judged: 0,
                inside: 0,
            });
            let surplus = self.0.len().saturating_sub(Self::MOST);
            self.0.drain(..surplus);
        }
        self.0.back_mut().into_iter().for_each(change);
    }

    /// How many buckets lay outside their band.
    pub fn outside(&self) -> u32 {
        let outside = self.iter().map(|day| day.judged.saturating_sub(day.inside));
        outside.sum()
    }

    /// Without the buckets of others, which were counted here too.
    #[must_use]
    pub fn without(&self, others: &[&Self]) -> Self {
        let left = self.0.iter().map(|count| {
            let others = others.iter().flat_map(|other| other.iter());
            let others = others.filter(|other| other.day == count.day);
            others.fold(*count, |left, other| DayCount {
                judged: left.judged.saturating_sub(other.judged),
                inside: left.inside.saturating_sub(other.inside),
                ..left
            })
        });
        Self(left.collect())
    }
}
