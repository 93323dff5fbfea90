//! Something that people are to know: an incident, or what keeps a metric from being watched.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::answer::Acknowledgement;
use super::course::Course;
use super::day_counts::DayCounts;
use super::worst::Worst;
use crate::detect::{Breakdown, Evaluation, JudgedTime};
use crate::forecast::Side;
use crate::output::{second, second_option};

/// What an alert is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// An incident: values outside their band.
    Breach(Side),
    NoData,
    /// The value does not change any more.
    Frozen,
    /// The check itself fails.
    CheckFailed,
    /// There is data, but not enough to judge by.
    Undecided,
    /// About bandwatch itself: files of its state could not be read.
    StateUnreadable,
    /// `state_dir` cannot be written to.
    StateUnwritable,
    /// Notifications were given up.
    NotificationsLost,
}

/// An alert, open or ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Alert {
    /// Unique among those of its metric.
    pub id: String,
    pub condition: Condition,
    /// Since when it is so.
    #[serde(with = "second")]
    pub since: DateTime<Utc>,
    /// When a run first saw it.
    #[serde(with = "second")]
    pub seen_at: DateTime<Utc>,
    /// Of an incident the latest bucket outside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evaluation: Option<Evaluation>,
    /// The bucket outside that it was released with, once there is a later one: who was not notified yet
    /// hears of this one first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opening: Option<Evaluation>,
    /// How an incident goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub course: Option<Course>,
    /// The parts that explained an incident when it was released; every mail of it tells the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breakdown: Option<Breakdown>,
    /// Of everything else what is wrong, as it was seen last.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// The start of the incident on the other side that this one followed without a pause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turned_from: Option<DateTime<Utc>>,
    /// Of an incident the bucket that was farthest out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worst: Option<Worst>,
    /// Of an incident the buckets that were judged while it was open.
    #[serde(default, skip_serializing_if = "DayCounts::is_empty")]
    pub days: DayCounts,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<Acknowledgement>,
    /// When somebody said that the incident is fine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fine_since: Option<DateTime<Utc>>,
    /// Since when people are to be told; `None` while a silence or the patience lasts.
    #[serde(
        default,
        with = "second_option",
        skip_serializing_if = "Option::is_none"
    )]
    pub released: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<End>,
}

/// How an alert ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    Over {
        #[serde(with = "second")]
        until: DateTime<Utc>,
        /// Of an incident the bucket that ended it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        evaluation: Option<Box<Evaluation>>,
    },
    /// The values kept their new level for so long that it counts as normal.
    Accepted {
        #[serde(with = "second")]
        until: DateTime<Utc>,
        evaluation: Box<Evaluation>,
        /// As a multiple of what earlier weeks had.
        ratio: f32,
    },
    /// An incident on the other side took its place, which tells of it.
    Turned,
}

impl Alert {
    /// One that begins now. `since` and the condition make its id.
    pub fn new(condition: Condition, since: DateTime<Utc>, now: DateTime<Utc>) -> Self {
        // What is not an incident may begin twice at the same point of the data, but not of the clock.
        let moment = match condition {
            Condition::Breach(_) => since,
            _ => now,
        };
        Self {
            id: format!("{}.{}", moment.timestamp(), condition.word()),
            condition,
            since,
            seen_at: now,
            evaluation: None,
            opening: None,
            course: None,
            breakdown: None,
            reason: String::new(),
            turned_from: None,
            worst: None,
            days: DayCounts::default(),
            acknowledged: None,
            fine_since: None,
            released: None,
            end: None,
        }
    }

    pub fn is_open(&self) -> bool {
        self.end.is_none()
    }

    /// Takes in a bucket of an incident, if it lies on its side.
    pub fn note_worst(&mut self, evaluation: &Evaluation) {
        let worst = Worst::of(evaluation).filter(|worst| Some(worst.side()) == self.side());
        self.worst = match (self.worst, worst) {
            (Some(known), Some(worst)) => Some(known.or(worst)),
            (known, worst) => known.or(worst),
        };
    }

    /// Whether it is a state of things, and not an event that is told once.
    pub fn lasts(&self) -> bool {
        !matches!(
            self.condition,
            Condition::StateUnreadable | Condition::NotificationsLost
        )
    }

    pub fn side(&self) -> Option<Side> {
        match self.condition {
            Condition::Breach(side) => Some(side),
            _ => None,
        }
    }

    /// The alert as it was when it was released.
    #[must_use]
    pub fn as_released(&self) -> Self {
        Self {
            evaluation: self.opening.clone().or_else(|| self.evaluation.clone()),
            ..self.clone()
        }
    }

    /// The time that its opening tells of.
    pub fn judged_time(&self) -> Option<JudgedTime> {
        let opening = self.opening.as_ref().or(self.evaluation.as_ref())?;
        let course = self.course.as_ref();
        let of_course = course.and_then(|course| course.judged_time(opening));
        of_course.or_else(|| opening.judged_time())
    }

    /// The share that the last hour was off, of an incident that no breach of the band opened.
    pub fn share(&self) -> Option<f32> {
        let course = self.course.as_ref()?;
        (course.share > 0.0).then_some(course.share)
    }

    /// How far out the latest bucket outside was, in half-widths of its band.
    pub fn deviation(&self) -> Option<f64> {
        self.evaluation.as_ref()?.deviation
    }

    /// The same; positive on the side of the incident.
    pub fn deviation_outwards(&self) -> Option<f64> {
        let deviation = self.deviation()?;
        Some(match self.side()? {
            Side::High => deviation,
            Side::Low => -deviation,
        })
    }
}

impl Condition {
    /// As ids and JSON say it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Breach(side) => side.word(),
            Self::NoData => "no_data",
            Self::Frozen => "frozen",
            Self::CheckFailed => "check_failed",
            Self::Undecided => "undecided",
            Self::StateUnreadable => "state_unreadable",
            Self::StateUnwritable => "state_unwritable",
            Self::NotificationsLost => "notifications_lost",
        }
    }
}
