//! One point of the past and how it was judged.

use anyhow::Result;
use chrono::{DateTime, Datelike, TimeDelta, Timelike};
use chrono_tz::Tz;

use crate::detect::Evaluation;
use crate::detect::Verdict;
use crate::forecast::{Band, Side};
use crate::series::Observation;

/// A bucket of the past, judged as of the moment it was closed.
#[derive(Debug, Clone, PartialEq)]
pub struct JudgedPoint {
    /// The start of the bucket.
    pub time: DateTime<Tz>,
    pub value: f64,
    pub finding: Finding,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Finding {
    Decided(Decision),
    /// With the reason, which may be that the model failed.
    Undecided(String),
}

/// A verdict, and what it was drawn from.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// None: normal.
    pub breach: Option<Side>,
    pub band: Band,
    /// The two-sided tail probability of the value.
    pub score: f64,
    /// Whether a drop could have shown as Low; None where nobody asked.
    pub low_is_possible: Option<bool>,
    /// The same of a rise and High.
    pub high_is_possible: Option<bool>,
}

impl JudgedPoint {
    pub fn of(observation: Observation, judged: Result<Evaluation>) -> Self {
        Self {
            time: observation.time,
            value: observation.value,
            finding: match judged {
                Ok(evaluation) => finding(&evaluation),
                Err(error) => Finding::Undecided(format!("{error:#}")),
            },
        }
    }

    pub fn decision(&self) -> Option<&Decision> {
        match &self.finding {
            Finding::Decided(decision) => Some(decision),
            Finding::Undecided(_) => None,
        }
    }

    pub fn breach(&self) -> Option<Side> {
        self.decision()?.breach
    }

    /// The verdict as the JSON of a check says it.
    pub fn word(&self) -> &'static str {
        match &self.finding {
            Finding::Undecided(_) => "undecided",
            Finding::Decided(decision) => match decision.breach {
                Some(Side::High) => "high",
                Some(Side::Low) => "low",
                None => "normal",
            },
        }
    }

    /// The hour its wall clock shows, 0 to 23.
    pub fn hour(&self) -> usize {
        self.time.hour() as usize
    }

    /// The day of its week, Monday 0 to Sunday 6.
    pub fn weekday(&self) -> usize {
        self.time.weekday().num_days_from_monday() as usize
    }

    /// How much time lies between two points.
    pub fn since(&self, earlier: &Self) -> TimeDelta {
        self.time - earlier.time
    }
}

impl Decision {
    /// Whether the band held the value, whichever side anybody asked about.
    pub fn is_inside(&self, value: f64) -> bool {
        (self.band.lower..=self.band.upper).contains(&value)
    }
}

fn finding(evaluation: &Evaluation) -> Finding {
    match (evaluation.reason(), evaluation.band, evaluation.score) {
        (Some(reason), _, _) => Finding::Undecided(reason.to_string()),
        (None, Some(band), Some(score)) => Finding::Decided(Decision {
            breach: evaluation.side(),
            band,
            score,
            low_is_possible: evaluation.low_possible,
            high_is_possible: evaluation.high_possible,
        }),
        (None, ..) => Finding::Undecided("no forecast".to_string()),
    }
}
