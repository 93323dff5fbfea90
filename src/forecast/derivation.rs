//! How a forecast came about, for people who ask: what each part of the model added to the
//! expectation, and the limits at other levels.

use super::band::{Band, Level};
use super::timeline::Unit;

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
    /// What an event adds to all the others.
    Event,
    /// What the day of the month adds to all the others.
    MonthDay,
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

impl Contribution {
    pub fn in_series_unit(&self, unit: Unit) -> Self {
        let value = match self.role {
            Role::Level => unit.value(self.value),
            Role::Recent(_) | Role::Season(_) | Role::PastErrors | Role::Event | Role::MonthDay => {
                self.value * unit.size
            }
        };
        Self { value, ..*self }
    }
}

/// The bands at a level, and at higher ones that show how much farther out really rare values lie;
/// ascending.
pub fn limits(level: Level, band: impl Fn(Level) -> Option<Band>) -> Vec<Limits> {
    let rarer = [0.99, 0.999].into_iter().filter_map(Level::new);
    let mut levels: Vec<Level> = rarer.chain([level]).collect();
    levels.sort_by(|one, other| one.share().total_cmp(&other.share()));
    levels.dedup();
    let limits = |level| band(level).map(|band| Limits { level, band });
    levels.into_iter().filter_map(limits).collect()
}
