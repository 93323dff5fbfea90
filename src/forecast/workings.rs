//! How a forecast came about, for people who ask: what each part of the model added to the
//! expectation, how large errors are now and usually, and the limits at other levels.

use super::calibration::{Calibration, ErrorSizes};
use super::timeline::{Timeline, Unit};
use super::{Band, Fitted, Level};

/// What a part of a model stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Where the series is, whatever the hour.
    Level,
    /// The last values, so many of them, as far as they are off the centre of the history.
    Recent(usize),
    /// The season with this number, shortest first.
    Season(usize),
    /// What is left of the errors before.
    PastErrors,
}

/// What all parts of one role add to an expectation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Contribution {
    pub role: Role,
    pub value: f64,
}

/// A band, and the share of healthy values it should hold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    pub level: Level,
    pub band: Band,
}

/// The way to one forecast, in the unit of the series.
#[derive(Debug, Clone)]
pub struct Workings {
    /// They sum up to the expectation, before it is cut to the range of values there can be.
    pub contributions: Vec<Contribution>,
    /// The size of an error in most of the history.
    pub usual_error: ErrorSizes,
    /// How many errors the distribution is made of.
    pub errors: usize,
    /// At the level of the method and at rarer ones, ascending.
    pub limits: Vec<Limits>,
}

/// Levels that tell a reader how much farther out is really rare.
const RARER: [f64; 2] = [0.99, 0.999];

impl Contribution {
    /// The sums by role, in the order of their first mention.
    pub fn sums(parts: impl Iterator<Item = Self>) -> Vec<Self> {
        let mut sums: Vec<Self> = Vec::new();
        for part in parts {
            match sums.iter_mut().find(|sum| sum.role == part.role) {
                Some(sum) => sum.value += part.value,
                None => sums.push(part),
            }
        }
        sums
    }

    fn in_series_unit(self, unit: Unit) -> Self {
        let value = match self.role {
            Role::Level => unit.value(self.value),
            Role::Recent(_) | Role::Season(_) | Role::PastErrors => self.value * unit.size,
        };
        Self { value, ..self }
    }
}

impl Workings {
    /// `band` is the band of the next slot at a level.
    pub fn of(
        fitted: &Fitted,
        calibration: &Calibration,
        timeline: &Timeline,
        level: Level,
        band: impl Fn(Level) -> Option<Band>,
    ) -> Self {
        let rarer = RARER.into_iter().filter_map(Level::new);
        let mut levels: Vec<Level> = rarer.chain([level]).collect();
        levels.sort_by(|one, other| one.share().total_cmp(&other.share()));
        levels.dedup();
        let contributions = fitted.contributions.iter();
        Self {
            contributions: contributions
                .map(|contribution| contribution.in_series_unit(timeline.unit))
                .collect(),
            usual_error: calibration.usual_error(timeline),
            errors: fitted.errors.iter().flatten().count(),
            limits: levels
                .into_iter()
                .filter_map(|level| {
                    Some(Limits {
                        level,
                        band: band(level)?,
                    })
                })
                .collect(),
        }
    }
}

#[cfg(test)]
impl Workings {
    /// Of a forecast that came about in no way, for tests of what comes after it.
    pub fn sample() -> Self {
        Self {
            contributions: Vec::new(),
            usual_error: ErrorSizes {
                below: 1.0,
                above: 1.0,
            },
            errors: 0,
            limits: Vec::new(),
        }
    }
}
