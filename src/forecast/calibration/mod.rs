//! From the errors of a model on values it had not seen to the distribution of the next value, the same
//! for every model: split conformal prediction with locally weighted scores (Lei, G'Sell, Rinaldo,
//! Tibshirani and Wasserman, *Distribution-Free Predictive Inference for Regression*, 2018), each side by
//! itself, with a tail beyond what data can show.

mod residual_quantiles;
mod scale;
mod tail;
mod variance_features;
mod variance_fit;

use std::sync::Arc;

use super::band::{Band, Level, Side};
use super::fitted::Fitted;
use super::timeline::{Timeline, Unit};
pub use residual_quantiles::Margins;
use residual_quantiles::ResidualQuantiles;
pub use scale::Scale;
use scale::Scales;

/// The scale of every slot, and the quantiles they share.
#[derive(Debug, Clone)]
pub struct Calibration<'a> {
    fitted: &'a Fitted,
    unit: Unit,
    scales: Scales,
    quantiles: Arc<ResidualQuantiles>,
}

/// The predictive distribution of one value.
#[derive(Debug, Clone)]
pub struct Distribution {
    pub expected: f64,
    pub scale: Scale,
    quantiles: Arc<ResidualQuantiles>,
}

/// Fewer errors do not show how large they can be.
pub const FEWEST_ERRORS: usize = 10;

impl<'a> Calibration<'a> {
    /// `None` if there are too few errors, or they are all zero.
    pub fn new(fitted: &'a Fitted, timeline: &Timeline) -> Option<Self> {
        if fitted.errors.iter().flatten().count() < FEWEST_ERRORS {
            return None;
        }
        let scales = Scales::fit(fitted, timeline)?;
        Some(Self {
            fitted,
            unit: timeline.unit,
            quantiles: Arc::new(ResidualQuantiles::new(fitted, &scales)),
            scales,
        })
    }

    /// The scale of an error at the median slot of the history.
    pub fn usual_scale(&self) -> Scale {
        self.scales.median().times(self.unit.size)
    }

    pub fn margins(&self, level: Level) -> Margins {
        self.quantiles.margins(1.0 - level.share())
    }

    /// The distribution of a slot's value, by its number from the first that is forecast on.
    pub fn distribution(&self, index: usize) -> Distribution {
        Distribution {
            expected: self.unit.value(self.fitted.expected[index]),
            scale: self.scales.at(index).times(self.unit.size),
            quantiles: Arc::clone(&self.quantiles),
        }
    }
}

impl Distribution {
    /// The same shape around another expectation.
    #[must_use]
    pub fn with(&self, expected: f64, scale: Scale) -> Self {
        Self {
            expected,
            scale,
            quantiles: Arc::clone(&self.quantiles),
        }
    }

    /// The limits at these margins. `None` if one is not finite.
    pub fn band(&self, margins: Margins) -> Option<Band> {
        let tail = margins.tail * self.scale.tail;
        let below = margins.below * self.scale.below + tail;
        let above = margins.above * self.scale.above + tail;
        Band::new(self.expected - below, self.expected, self.expected + above)
    }

    /// How rarely a value lies this far out, on either side: its two-sided tail probability, in
    /// (0, 1]. It is `1 - level` on the limits of the band at that level.
    pub fn score(&self, value: f64) -> f64 {
        let (side, distance, scale) = if value < self.expected {
            (Side::Low, self.expected - value, self.scale.below)
        } else {
            (Side::High, value - self.expected, self.scale.above)
        };
        self.quantiles
            .tail_probability(side, distance, scale, self.scale.tail)
            .clamp(f64::MIN_POSITIVE, 1.0)
    }

    /// The limits that hold a share of the values, with equal tails.
    pub fn band_at(&self, level: Level) -> Option<Band> {
        self.band(self.quantiles.margins(1.0 - level.share()))
    }
}
