//! How a forecast came about, for people who ask: what each part of the model added to the
//! expectation, how large errors are now and usually, and the limits at other levels.

use super::calibration::{Calibration, Scale};
use super::timeline::Timeline;
use super::{Band, Fitted, Level};

/// What a part of a model stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The level of the series, at any time of day.
    Level,
    /// The last values, so many of them, by their distance from the centre of the history.
    Recent(usize),
    /// The season with this number, shortest first.
    Season(usize),
    /// The error correction: the part of past errors that is expected to persist.
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
pub struct Derivation {
    /// They sum up to the expectation, before it is clipped to the range of possible values.
    pub contributions: Vec<Contribution>,
    /// The scale of an error in most of the history.
    pub usual_error: Scale,
    /// The number of errors behind the distribution.
    pub errors: usize,
    /// At the level of the method and at rarer ones, ascending.
    pub limits: Vec<Limits>,
}

/// Levels that show how much farther out really rare values lie.
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
}

impl Derivation {
    /// `band` gives the band of the next slot at a level.
    pub fn new(
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
        let limits = levels.into_iter();
        let limits = limits.filter_map(|level| band(level).map(|band| Limits { level, band }));
        let unit = timeline.unit;
        let in_series_unit = |part: &Contribution| Contribution {
            role: part.role,
            value: match part.role {
                Role::Level => unit.value(part.value),
                Role::Recent(_) | Role::Season(_) | Role::PastErrors => part.value * unit.size,
            },
        };
        Self {
            contributions: fitted.contributions.iter().map(in_series_unit).collect(),
            usual_error: calibration.usual_scale(timeline),
            errors: fitted.errors.iter().flatten().count(),
            limits: limits.collect(),
        }
    }

    /// An empty one, for tests of what uses a forecast.
    #[cfg(test)]
    pub fn sample() -> Self {
        Self {
            contributions: Vec::new(),
            usual_error: Scale::UNIT,
            errors: 0,
            limits: Vec::new(),
        }
    }
}
