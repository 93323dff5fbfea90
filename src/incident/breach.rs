//! Breaches that make an incident: how one is confirmed, grows worse and ends.

use serde::{Deserialize, Serialize};

use super::rules::{Confirm, Rules};
use super::{Matter, Notice, Stage, Stamp};
use crate::forecast::Side;

/// A judged bucket and its band.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The start of the bucket, and its end.
    pub time: Stamp,
    pub end: Stamp,
    pub value: f64,
    pub expected: f64,
    pub lower: f64,
    pub upper: f64,
    /// The distance from what was expected, in half-widths of the band.
    pub deviation: Option<f64>,
    /// The side on which it is a breach.
    pub side: Option<Side>,
}

/// A judged bucket, as far as it matters for confirming.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Recent {
    pub time: Stamp,
    pub side: Option<Side>,
}

/// What was told of something, and when.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Told {
    pub at: Stamp,
    /// How many notices there were.
    pub notices: u32,
}

/// A run of breaches on one side that was confirmed and is not over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    pub side: Side,
    /// The start of its first bucket.
    pub since: Stamp,
    /// The latest bucket outside.
    pub outside: Finding,
    /// Buckets inside since then.
    pub inside: u32,
    pub thread: String,
    pub turned_from: Option<Stamp>,
    pub told: Option<ToldBreach>,
}

/// What was told of an incident.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ToldBreach {
    #[serde(flatten)]
    pub told: Told,
    /// The bucket it was told of, and how far out that was.
    pub bucket: Stamp,
    pub deviation: Option<f64>,
}

/// What became of an incident with another finding.
#[derive(Debug, Clone, PartialEq)]
pub enum Course {
    On(Incident),
    Over(Incident),
    /// The other side took its place.
    Turned(Incident),
}

impl Incident {
    /// A new one, if the latest judged buckets confirm it.
    pub fn confirmed_by(recent: &[Recent], finding: &Finding, confirm: Confirm) -> Option<Self> {
        let side = finding.side?;
        let within = &recent[recent.len().saturating_sub(confirm.of as usize)..];
        let breaches = within.iter().filter(|recent| recent.side == Some(side));
        if breaches.clone().count() < confirm.breaches as usize {
            return None;
        }
        let since = breaches.map(|recent| recent.time).next()?;
        Some(Self {
            side,
            since,
            outside: *finding,
            inside: 0,
            thread: format!("{}.{}", since.timestamp(), side.word()),
            turned_from: None,
            told: None,
        })
    }

    /// The incident after another judged bucket.
    pub fn followed_by(mut self, finding: &Finding, recent: &[Recent], rules: &Rules) -> Course {
        match finding.side {
            Some(side) if side == self.side => {
                self.outside = *finding;
                self.inside = 0;
            }
            Some(_) => {
                // A breach on the other side is no recovery, nor yet an incident of its own.
                self.inside = 0;
                if let Some(turned) = Self::confirmed_by(recent, finding, rules.confirm) {
                    return Course::Turned(Self {
                        turned_from: Some(self.since),
                        ..turned
                    });
                }
            }
            None => {
                self.inside += 1;
                if self.inside >= rules.recover.get() {
                    return Course::Over(self);
                }
            }
        }
        Course::On(self)
    }

    /// What of it is to be told now, given the latest judged bucket; it counts as told then.
    pub fn tell(&mut self, latest: &Finding, now: Stamp, rules: &Rules) -> Option<Notice> {
        // While it may be recovering, there is nothing to add.
        if latest.side != Some(self.side) {
            return None;
        }
        let stage = match self.told {
            None => Stage::Opened,
            Some(told) if self.outside.time <= told.bucket => return None,
            Some(told) if self.is_worse_than(told, rules) => Stage::Worse,
            Some(told) if rules.renotify.is_due(*now - *told.told.at) => Stage::Lasting,
            Some(_) => return None,
        };
        let sequence = self.told.map_or(0, |told| told.told.notices);
        self.told = Some(ToldBreach {
            told: Told {
                at: now,
                notices: sequence + 1,
            },
            bucket: self.outside.time,
            deviation: self.outside.deviation,
        });
        Some(self.notice(self.outside, stage, sequence))
    }

    /// That it is over, if it was told that it was.
    pub fn end(&self, finding: &Finding) -> Option<Notice> {
        let stage = Stage::Over {
            until: self.outside.end,
        };
        Some(self.notice(*finding, stage, self.told?.told.notices))
    }

    fn is_worse_than(&self, told: ToldBreach, rules: &Rules) -> bool {
        match (self.outside.deviation, told.deviation) {
            (Some(now), Some(then)) => now.abs() >= rules.worse.factor() * then.abs(),
            _ => false,
        }
    }

    fn notice(&self, finding: Finding, stage: Stage, sequence: u32) -> Notice {
        Notice {
            matter: Matter::Breach {
                side: self.side,
                finding,
                turned_from: self.turned_from,
            },
            stage,
            since: self.since,
            thread: self.thread.clone(),
            sequence,
        }
    }
}
