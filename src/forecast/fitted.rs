//! What a model hands over to be calibrated.

use super::clean::Fences;
use super::derivation::Contribution;

/// What a model learnt from a history: its expectation of each slot from the first it can forecast, the
/// last of them the one to forecast, and its errors.
#[derive(Debug, Clone, Default)]
pub struct Fitted {
    /// The first slot that is forecast. At least one value lies before it.
    pub first: usize,
    pub expected: Vec<f64>,
    /// The value less its expectation, as if the value had not been seen; `None` where there is no
    /// value, or one held to be an incident.
    pub errors: Vec<Option<f64>>,
    /// The uncertainty of each expectation, as a multiple of that of a forecast one step ahead.
    pub growth: Vec<f64>,
    /// The distance between the forecasts that each expectation is the mean of; 0 of a single one.
    pub disagreement: Vec<f64>,
    /// Of each slot that is held to be part of an incident, the slot at which that began.
    pub held_since: Vec<Option<usize>>,
    /// The values the forecasts are computed from, from slot 0 on: the observed ones, or expectations in
    /// their place.
    pub filtered: Vec<f64>,
    /// The standard deviation of a value around its expectation, of a model that draws its band by it.
    pub noise: Option<f64>,
    /// The number of fitted weights.
    pub parameters: usize,
    /// The parts of the last expectation, which is their sum.
    pub contributions: Vec<Contribution>,
    /// What the fit itself clipped of the values, in order.
    pub clipped: Vec<Clipped>,
    /// Beyond these it would clip the next value.
    pub fences: Option<Fences>,
}

/// A value that counted as another in the fit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clipped {
    pub slot: usize,
    pub to: f64,
}
