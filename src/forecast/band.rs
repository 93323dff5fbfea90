//! The band: from a model's own interval to limits a value is judged by. A step of its own, after
//! the model and before the verdict, because an honest band depends on what the model got wrong and
//! not on what it believes.
//!
//! For now the model's interval is taken as it is, and that is known to be too narrow: the seasonal
//! part has seen the noise it is judged on, and counts as certain. One step ahead on real series a
//! nominal 95 % covers about 83 %.

use std::fmt;

use anyhow::{Result, anyhow, ensure};
use serde::Deserialize;

use super::{Fitted, Interval, Prediction, Range};
use crate::series::TimeSeries;

/// The share of healthy values a band should hold, within (0, 1).
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(try_from = "f64")]
pub struct Level(f64);

impl Level {
    pub const LOWEST: f64 = 0.5;
    pub const HIGHEST: f64 = 0.999_999;

    pub fn new(level: f64) -> Option<Self> {
        (Self::LOWEST..=Self::HIGHEST)
            .contains(&level)
            .then_some(Self(level))
    }

    pub fn share(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Level {
    type Error = String;

    fn try_from(level: f64) -> Result<Self, String> {
        Self::new(level).ok_or_else(|| {
            format!("{level} is out of range; allowed: a number from 0.5 to 0.999999, such as 0.95")
        })
    }
}

impl Default for Level {
    fn default() -> Self {
        Self(0.95)
    }
}

/// As in "95 % band": without the digits that say nothing.
impl fmt::Display for Level {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        let percent = format!("{:.4}", self.0 * 100.0);
        write!(
            formatter,
            "{} %",
            percent.trim_end_matches('0').trim_end_matches('.')
        )
    }
}

/// Limits around an expected value: finite, and `lower <= expected <= upper`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Band {
    pub lower: f64,
    pub expected: f64,
    pub upper: f64,
}

impl Band {
    pub fn new(lower: f64, expected: f64, upper: f64) -> Option<Self> {
        let ordered = lower <= expected && expected <= upper;
        (ordered && lower.is_finite() && upper.is_finite()).then_some(Self {
            lower,
            expected,
            upper,
        })
    }

    /// The part of the band that values can be in.
    #[must_use]
    pub fn within(self, range: Range) -> Self {
        Self {
            lower: range.clip(self.lower),
            expected: range.clip(self.expected),
            upper: range.clip(self.upper),
        }
    }

    /// Half the distance between the limits.
    pub fn half_width(&self) -> f64 {
        self.upper / 2.0 - self.lower / 2.0
    }
}

/// Turns what a model makes of a history into the prediction for the slot after it.
///
/// # Errors
///
/// If the model's interval is not finite or not around its expectation.
pub fn calibrate(fitted: &Fitted, history: &TimeSeries, range: Range) -> Result<Prediction> {
    ensure!(
        fitted.past.len() == history.len(),
        "the model speaks of {} slots and the history has {}",
        fitted.past.len(),
        history.len()
    );
    let resolution = resolution(history);
    let limits = |interval| Some(limits(interval, resolution)?.within(range));
    let band = limits(fitted.next)
        .ok_or_else(|| anyhow!("the model's interval is no interval: {:?}", fitted.next))?;
    Ok(Prediction {
        time: history.next_time(),
        band,
        past: fitted
            .past
            .iter()
            .map(|interval| interval.and_then(limits))
            .collect(),
    })
}

/// A band narrower than this, on either side, is rounding and no forecast: models may compute in
/// single precision, which keeps seven digits of the largest value.
const RESOLUTION: f64 = 1e-5;

fn resolution(history: &TimeSeries) -> f64 {
    let largest = history.observed().map(f64::abs).fold(0.0, f64::max);
    RESOLUTION * largest
}

fn limits(interval: Interval, resolution: f64) -> Option<Band> {
    let Interval {
        expected,
        lower,
        upper,
    } = interval;
    let (lower, upper) = (
        lower.min(expected - resolution),
        upper.max(expected + resolution),
    );
    Band::new(lower, expected, upper)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_a_share_worth_the_name() {
        for level in [0.0, 0.49, 1.0, 95.0, -0.95, f64::NAN] {
            assert_eq!(Level::new(level), None, "{level}");
        }
        assert_eq!(
            Level::new(0.95).map(|level| level.to_string()),
            Some("95 %".to_string())
        );
        assert_eq!(
            Level::new(0.999).map(|level| level.to_string()),
            Some("99.9 %".to_string())
        );
    }

    #[test]
    fn a_band_holds_its_expectation() {
        assert!(Band::new(1.0, 1.0, 1.0).is_some());
        for (lower, expected, upper) in [
            (2.0, 1.0, 3.0),
            (0.0, 4.0, 3.0),
            (f64::NAN, 1.0, 2.0),
            (0.0, 1.0, f64::INFINITY),
        ] {
            assert_eq!(Band::new(lower, expected, upper), None);
        }
    }
}
