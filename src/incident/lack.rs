//! What keeps a metric from being watched: no data, a check that fails, a history that says too
//! little. Each has a notice, a cooldown and a recovery of its own, and none is a breach.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::breach::Told;
use super::rules::Renotify;
use super::{Matter, Notice, Stage, Stamp};

/// Something that is missing for watching a metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lack {
    pub since: Stamp,
    /// As it was seen last.
    pub why: String,
    /// When it was first seen.
    seen: Stamp,
    pub thread: String,
    told: Option<Told>,
}

/// How lacks of a kind are told.
#[derive(Debug, Clone, Copy)]
pub struct Manner {
    pub matter: fn(String) -> Matter,
    /// How long it may last untold.
    pub patience: TimeDelta,
    pub renotify: Renotify,
}

impl Lack {
    /// One that was not there before; `word` and the time name its thread.
    pub fn new(word: &str, since: Stamp, why: String, now: Stamp) -> Self {
        Self {
            since,
            why,
            seen: now,
            thread: format!("{}.{word}", now.timestamp()),
            told: None,
        }
    }

    /// When it was last told, if it was.
    pub fn told_at(&self) -> Option<Stamp> {
        self.told.map(|told| told.at)
    }

    /// What of it is to be told now; it counts as told then.
    pub fn tell(&mut self, manner: Manner, now: Stamp) -> Option<Notice> {
        let stage = match self.told {
            None if *now - *self.seen >= manner.patience => Stage::Opened,
            Some(told) if manner.renotify.is_due(*now - *told.at) => Stage::Lasting,
            _ => return None,
        };
        let sequence = self.told.map_or(0, |told| told.notices);
        self.told = Some(Told {
            at: now,
            notices: sequence + 1,
        });
        Some(self.notice(manner, stage, sequence))
    }

    /// That it is over, if it was told that it was.
    pub fn end(self, manner: Manner, now: Stamp) -> Option<Notice> {
        let sequence = self.told?.notices;
        Some(self.notice(manner, Stage::Over { until: now }, sequence))
    }

    fn notice(&self, manner: Manner, stage: Stage, sequence: u32) -> Notice {
        Notice {
            matter: (manner.matter)(self.why.clone()),
            stage,
            since: self.since,
            thread: self.thread.clone(),
            sequence,
        }
    }
}
