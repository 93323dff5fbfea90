//! What people answered to an alert: that they know of it, or what an incident was.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::detect::{AnsweredTime, HealthyDeviation};
use crate::forecast::Side;

/// Who answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Author {
    pub user: String,
    pub host: String,
}

/// Somebody knows of an alert: it is not repeated until it is worse, or over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    #[serde(flatten)]
    pub by: Author,
    pub at: DateTime<Utc>,
    /// `None`: as long as the alert lasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
}

impl Acknowledgement {
    pub fn holds(&self, now: DateTime<Utc>) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

/// What an incident was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Nature {
    /// Healthy: its values are usual ones.
    Fine,
    /// An incident indeed: its values are not learnt from.
    Real,
}

impl Nature {
    /// As the command line and JSON say it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Real => "real",
        }
    }
}

/// What somebody said of an incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    pub nature: Nature,
    /// The id of the incident.
    pub alert: String,
    pub side: Side,
    /// Its time: from its first bucket to the end of its last one outside so far.
    pub since: DateTime<Utc>,
    pub until: DateTime<Utc>,
    /// How far from what was expected it was at its worst, in the metric's unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<f32>,
    /// How far it was when that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_then: Option<f32>,
    /// The buckets that begin from then on are judged by it: the end of the one judged last when it was
    /// given.
    pub counts_from: DateTime<Utc>,
    #[serde(flatten)]
    pub by: Author,
    pub at: DateTime<Utc>,
}

impl Answer {
    /// So many of a metric are kept, the newest ones.
    pub const MOST: usize = 50;

    /// The incident goes on. What is so much worse that it is told is not what somebody called fine.
    pub fn grow(&mut self, until: DateTime<Utc>, size: Option<f32>, worse: f64) {
        let is_worse = |size: f32, then: f32| f64::from(size) >= worse * f64::from(then);
        let is_meant = match (self.nature, size.zip(self.size_then)) {
            (Nature::Fine, Some((size, then))) => !is_worse(size, then),
            (Nature::Fine, None) | (Nature::Real, _) => true,
        };
        if is_meant {
            self.until = until;
            self.size = size;
        }
    }

    /// As a forecast is told of it.
    pub fn for_forecast(&self) -> AnsweredTime {
        AnsweredTime {
            start: self.since,
            end: self.until,
            counts_from: self.counts_from,
            healthy: match self.nature {
                Nature::Fine => Some(HealthyDeviation {
                    side: self.side,
                    size: self.size.map_or(0.0, f64::from),
                }),
                Nature::Real => None,
            },
        }
    }
}

/// All that people answered about a metric, oldest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Said {
    pub answers: Vec<Answer>,
    pub acknowledgements: Vec<Acknowledgement>,
}
