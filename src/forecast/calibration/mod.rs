//! From errors a model made on values it had not seen to the distribution of the next value: a step
//! of its own, after the model and before the verdict, the same for every model.
//!
//! Each error is divided by a scale that is known before it ([`scale`]); the ratios, of one kind now,
//! are the distribution's shape ([`shape`]), with a tail beyond what they can show ([`tail`]). That is
//! split conformal forecast with locally weighted scores (Lei, G'Sell, Rinaldo, Tibshirani and
//! Wasserman, *Distribution-Free Predictive Inference for Regression*, 2018), each side by itself.

pub mod distribution;
mod scale;
mod shape;
mod tail;

use std::sync::Arc;

use super::timeline::Timeline;
use super::{Band, Fitted, Level};
use distribution::Distribution;
use scale::Scales;
pub use shape::Reach;
use shape::Shape;

/// The scale of every slot, and the shape they share.
#[derive(Debug, Clone)]
pub struct Calibration {
    scales: Scales,
    shape: Arc<Shape>,
}

/// The size of an error below and above its expectation, in the unit of the series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ErrorSizes {
    pub below: f64,
    pub above: f64,
}

/// Fewer errors say nothing of how large they can be.
pub const FEWEST_ERRORS: usize = 12;

impl Calibration {
    /// `None` if there are too few errors, or they are all zero.
    pub fn of(fitted: &Fitted, timeline: &Timeline) -> Option<Self> {
        if fitted.errors.iter().flatten().count() < FEWEST_ERRORS {
            return None;
        }
        let scales = Scales::learn(fitted, timeline)?;
        let shape = Shape::of(fitted, &scales);
        Some(Self {
            scales,
            shape: Arc::new(shape),
        })
    }

    /// The size of an error at the median slot of the history.
    pub fn usual_error(&self, timeline: &Timeline) -> ErrorSizes {
        let size = timeline.unit.size;
        ErrorSizes {
            below: self.scales.median(|scale| scale.below) * size,
            above: self.scales.median(|scale| scale.above) * size,
        }
    }

    /// How far a band at a level reaches.
    pub fn reach(&self, level: Level) -> Reach {
        self.shape.reach(1.0 - level.share())
    }

    /// The limits of a slot's distribution. `None` if one is no number.
    pub fn band(
        &self,
        fitted: &Fitted,
        timeline: &Timeline,
        index: usize,
        reach: Reach,
    ) -> Option<Band> {
        let unit = timeline.unit;
        let scale = self.scales.at(index);
        let expected = unit.value(fitted.expected[index]);
        let [below, above] = [(reach.below, scale.below), (reach.above, scale.above)]
            .map(|(ratio, own)| ratio * (own * unit.size) + reach.beyond * (scale.far * unit.size));
        Band::new(expected - below, expected, expected + above)
    }

    /// The distribution of a slot's value, by its number from the first that is forecast on.
    pub fn distribution(&self, fitted: &Fitted, timeline: &Timeline, index: usize) -> Distribution {
        let unit = timeline.unit;
        let scale = self.scales.at(index);
        Distribution {
            expected: unit.value(fitted.expected[index]),
            below: scale.below * unit.size,
            above: scale.above * unit.size,
            far: scale.far * unit.size,
            shape: Arc::clone(&self.shape),
        }
    }
}
