//! What is remembered of a metric, and how a sighting changes it.

use std::collections::VecDeque;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::breach::{Course, Recent};
use super::lack::Manner;
use super::rules::{Renotify, Rules};
use super::{Finding, Incident, Lack, Matter, Notice, Side, Stamp};

/// What is remembered of a metric between runs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Watch {
    /// The bucket that was judged last, by its start and its end.
    pub judged: Option<Bucket>,
    /// The newest bucket that rows were seen for: not beyond the one judged last, and before it where
    /// an empty bucket counts as zero.
    pub newest_data: Option<Bucket>,
    /// The bucket since which there is no incident.
    calm_since: Option<Stamp>,
    /// The last finding.
    pub latest: Option<Finding>,
    /// The judged buckets that may confirm an incident, oldest first.
    recent: VecDeque<Recent>,
    pub incident: Option<Incident>,
    pub no_data: Option<Lack>,
    pub unwell: Option<Lack>,
    pub undecided: Option<Lack>,
    /// What is to be told as soon as it may be: the end of what was told.
    owed: Vec<Notice>,
}

/// A bucket by its ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bucket {
    pub start: Stamp,
    pub end: Stamp,
}

/// What a run saw of a metric.
#[derive(Debug, Clone, PartialEq)]
pub enum Sighting {
    Judged(Finding),
    /// The bucket could not be judged, though there is data.
    Undecided {
        bucket: Bucket,
        why: String,
    },
    /// Data ended there.
    NoData {
        since: Stamp,
        why: String,
    },
    /// Nothing closed since the bucket judged last.
    NothingNew,
    /// The check failed.
    Failed {
        why: String,
    },
}

/// What is so of a metric's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// `None`: nothing was judged yet.
    Ok {
        since: Option<Stamp>,
    },
    /// Breaches were seen that are too few yet to make an incident.
    Pending {
        since: Stamp,
    },
    Firing {
        side: Side,
        since: Stamp,
    },
}

/// When something is seen, and whether it may be told.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    pub now: Stamp,
    pub rules: &'a Rules,
    pub voice: Voice,
}

/// Whether notices go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Voice {
    Heard,
    /// Somebody asked for silence.
    Silent,
}

impl Watch {
    /// Takes in what was seen, and says what is to be told.
    pub fn see(&mut self, sighting: Sighting, moment: Moment) -> Vec<Notice> {
        let now = moment.now;
        if !matches!(sighting, Sighting::Failed { .. }) {
            let unwell = self.unwell.take();
            self.owe(
                unwell.and_then(|lack| lack.end(unwell_manner(moment.rules), now)),
                moment,
            );
        }
        match sighting {
            Sighting::Judged(finding) => {
                self.data_is_back(moment);
                let undecided = self.undecided.take();
                let over = undecided.and_then(|lack| lack.end(undecided_manner(moment.rules), now));
                self.owe(over, moment);
                self.take_in(finding, moment);
            }
            Sighting::Undecided { bucket, why } => {
                self.data_is_back(moment);
                self.judged = Some(bucket);
                see_lack(&mut self.undecided, why, |why| {
                    Lack::new("undecided", now, why, now)
                });
            }
            Sighting::NoData { since, why } => {
                see_lack(&mut self.no_data, why, |why| {
                    Lack::new("no-data", since, why, now)
                });
            }
            Sighting::NothingNew => {}
            Sighting::Failed { why } => {
                see_lack(&mut self.unwell, why, |why| {
                    Lack::new("unwell", now, why, now)
                });
            }
        }
        self.tell(moment)
    }

    /// Where to look on: the end of the bucket that was judged last. A clock that was ahead and was
    /// set back leaves buckets behind it that were judged before they were over: those without data
    /// are judged again.
    pub fn judged_at(&self, now: Stamp) -> Option<Bucket> {
        let judged = self.judged?;
        if judged.end <= now {
            return Some(judged);
        }
        self.newest_data.or(Some(judged))
    }

    /// Whether there is an incident nobody was told of yet and that may be told now.
    pub fn owes_an_opening(&self, voice: Voice) -> bool {
        let untold = |incident: &Incident| {
            incident.told.is_none()
                && self.latest.and_then(|latest| latest.side) == Some(incident.side)
        };
        voice == Voice::Heard && self.incident.as_ref().is_some_and(untold)
    }

    /// What is so of the metric's values.
    pub fn state(&self) -> State {
        let mut breaches = self.recent.iter().filter(|recent| recent.side.is_some());
        match (&self.incident, breaches.next()) {
            (Some(incident), _) => State::Firing {
                side: incident.side,
                since: incident.since,
            },
            (None, Some(first)) => State::Pending { since: first.time },
            (None, None) => State::Ok {
                since: self.calm_since,
            },
        }
    }

    /// The threads that more may be told in.
    pub fn threads(&self) -> impl Iterator<Item = &str> {
        let lacks = [&self.no_data, &self.unwell, &self.undecided];
        let lacks = lacks.into_iter().flatten().map(|lack| &lack.thread);
        let incident = self.incident.iter().map(|incident| &incident.thread);
        let owed = self.owed.iter().map(|notice| &notice.thread);
        incident.chain(lacks).chain(owed).map(String::as_str)
    }

    fn data_is_back(&mut self, moment: Moment) {
        let no_data = self.no_data.take();
        let over = no_data.and_then(|lack| lack.end(no_data_manner(moment.rules), moment.now));
        self.owe(over, moment);
    }

    fn owe(&mut self, notice: Option<Notice>, moment: Moment) {
        self.owed
            .extend(notice.filter(|_| moment.rules.tells_recovery));
    }

    fn take_in(&mut self, finding: Finding, moment: Moment) {
        let rules = moment.rules;
        self.judged = Some(Bucket {
            start: finding.time,
            end: finding.end,
        });
        self.latest = Some(finding);
        self.recent.push_back(Recent {
            time: finding.time,
            side: finding.side,
        });
        while self.recent.len() > rules.confirm.of as usize {
            self.recent.pop_front();
        }
        let recent = self.recent.make_contiguous();
        let (over, incident) = match self.incident.take() {
            None => (
                None,
                Incident::confirmed_by(recent, &finding, rules.confirm),
            ),
            Some(incident) => match incident.followed_by(&finding, recent, rules) {
                Course::On(incident) | Course::Turned(incident) => (None, Some(incident)),
                Course::Over(incident) => {
                    spend(recent, incident.side);
                    self.calm_since = Some(incident.outside.end);
                    (incident.end(&finding), None)
                }
            },
        };
        self.calm_since = match &incident {
            Some(incident) => {
                spend(recent, incident.side);
                None
            }
            None => self.calm_since.or(Some(finding.time)),
        };
        self.incident = incident;
        self.owe(over, moment);
    }

    fn tell(&mut self, moment: Moment) -> Vec<Notice> {
        let Moment { now, rules, voice } = moment;
        if voice == Voice::Silent {
            return Vec::new();
        }
        let mut notices = std::mem::take(&mut self.owed);
        let lacks = [
            (&mut self.no_data, no_data_manner(rules)),
            (&mut self.unwell, unwell_manner(rules)),
            (&mut self.undecided, undecided_manner(rules)),
        ];
        for (lack, manner) in lacks {
            notices.extend(lack.as_mut().and_then(|lack| lack.tell(manner, now)));
        }
        if let (Some(incident), Some(latest)) = (&mut self.incident, &self.latest) {
            notices.extend(incident.tell(latest, now, rules));
        }
        notices
    }
}

/// The breaches that made an incident make no other.
fn spend(recent: &mut [Recent], side: Side) {
    for recent in recent.iter_mut().filter(|recent| recent.side == Some(side)) {
        recent.side = None;
    }
}

/// The same lack as before, if there was one, with what is seen of it now.
fn see_lack(lack: &mut Option<Lack>, why: String, begin: impl FnOnce(String) -> Lack) {
    match lack {
        Some(lack) => lack.why = why,
        None => *lack = Some(begin(why)),
    }
}

/// `stale_after` was patience enough.
fn no_data_manner(rules: &Rules) -> Manner {
    Manner {
        matter: |why| Matter::NoData { why },
        patience: TimeDelta::zero(),
        renotify: rules.renotify,
    }
}

fn unwell_manner(rules: &Rules) -> Manner {
    Manner {
        matter: |why| Matter::Unwell { why },
        patience: rules.unwell_after,
        renotify: rules.renotify,
    }
}

/// A history that is too short grows by itself: once is enough.
fn undecided_manner(rules: &Rules) -> Manner {
    Manner {
        matter: |why| Matter::Undecided { why },
        patience: rules.unwell_after,
        renotify: Renotify::Never,
    }
}
