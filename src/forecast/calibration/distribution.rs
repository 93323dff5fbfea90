//! What the next value may be, and how likely: limits at any level, and how rare a value is.

use std::sync::Arc;

use super::shape::{Shape, Side};
#[cfg(test)]
use crate::forecast::{Band, Level};

/// The predictive distribution of one value.
#[derive(Debug, Clone)]
pub struct Distribution {
    pub expected: f64,
    /// The scale of values below the expected one, above it, and of what lies far out on either side.
    pub below: f64,
    pub above: f64,
    pub far: f64,
    pub(super) shape: Arc<Shape>,
}

impl Distribution {
    /// How rarely a value lies this far out, on either side: its two-sided tail probability, in
    /// (0, 1]. It is `1 - level` on the limits of the band at that level.
    pub fn score(&self, value: f64) -> f64 {
        let (side, distance) = if value < self.expected {
            (Side::Below, self.expected - value)
        } else {
            (Side::Above, value - self.expected)
        };
        self.shape
            .tail_probability(side, distance, self.scale(side), self.far)
            .clamp(f64::MIN_POSITIVE, 1.0)
    }

    fn scale(&self, side: Side) -> f64 {
        match side {
            Side::Below => self.below,
            Side::Above => self.above,
        }
    }
}

#[cfg(test)]
impl Distribution {
    /// The limits that hold a share of the values, with equal tails. `None` if a limit is no number.
    pub fn band(&self, level: Level) -> Option<Band> {
        let reach = self.shape.reach(1.0 - level.share());
        Band::new(
            self.expected - reach.below * self.below - reach.beyond * self.far,
            self.expected,
            self.expected + reach.above * self.above + reach.beyond * self.far,
        )
    }

    /// One whose 95 % lie within half of a unit around the expected value.
    pub fn sample(expected: f64) -> Self {
        Self {
            expected,
            below: 1.0,
            above: 1.0,
            far: 1.0,
            shape: Arc::new(Shape::sample()),
        }
    }
}
