//! The worst bucket of an incident, as it is remembered while that lasts and after it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::evidence::narrow;
use crate::detect::Evaluation;
use crate::forecast::Side;

/// The bucket of an incident that was farthest from what was expected, in the metric's unit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "StoredWorst", into = "StoredWorst")]
pub struct Worst {
    pub time: DateTime<Utc>,
    pub value: f32,
    pub expected: f32,
    /// In half-widths of its band.
    pub deviation: f32,
}

/// As it is kept, in little room: the second of its time, and the figures.
type StoredWorst = (i64, f32, f32, f32);

impl TryFrom<StoredWorst> for Worst {
    type Error = String;

    fn try_from((second, value, expected, deviation): StoredWorst) -> Result<Self, String> {
        let time = DateTime::from_timestamp(second, 0);
        Ok(Self {
            time: time.ok_or_else(|| format!("{second} is no time"))?,
            value,
            expected,
            deviation,
        })
    }
}

impl From<Worst> for StoredWorst {
    fn from(worst: Worst) -> Self {
        let second = worst.time.timestamp();
        (second, worst.value, worst.expected, worst.deviation)
    }
}

impl Worst {
    pub fn of(evaluation: &Evaluation) -> Option<Self> {
        Some(Self {
            time: evaluation.bucket.start,
            value: narrow(evaluation.value?),
            expected: narrow(evaluation.band?.expected),
            deviation: narrow(evaluation.deviation?),
        })
    }

    /// From what was expected, in the metric's unit.
    pub fn distance(self) -> f32 {
        (self.value - self.expected).abs()
    }

    pub fn side(self) -> Side {
        if self.deviation < 0.0 {
            Side::Low
        } else {
            Side::High
        }
    }

    /// Whether it was outside of its band.
    pub fn is_breach(self) -> bool {
        self.deviation.abs() > 1.0
    }

    /// The one farther out.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        if other.distance() > self.distance() {
            other
        } else {
            self
        }
    }
}
