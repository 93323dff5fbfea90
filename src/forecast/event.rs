//! The forecast of a value that is unlike others, as an event makes it.

use super::Forecast;
use super::band::Level;
use super::calibration::Scale;
use super::derivation::{Contribution, Limits, Role};

/// How the values of an event are to those without it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Factor {
    /// As a multiple of what is expected without it.
    pub ratio: f64,
    /// The standard deviation of that, as a share of it.
    pub uncertainty: f64,
}

impl Forecast {
    /// The same at an event. What is not known of that comes in addition to the usual error.
    #[must_use]
    pub fn at_event(self, factor: Factor, level: Level) -> Self {
        let Factor { ratio, uncertainty } = factor;
        let ordinary = &self.distribution;
        let expected = ordinary.expected * ratio;
        let unknown = (uncertainty * expected).abs();
        let scale = ordinary.scale.times(ratio);
        let scale = Scale {
            below: scale.below.hypot(unknown),
            above: scale.above.hypot(unknown),
            ..scale
        };
        let distribution = ordinary.with(expected, scale);
        let band = |level| {
            let band = distribution.band_at(level)?;
            Some(band.at_least(self.resolution).within(self.range))
        };
        let limits = self.limits.iter();
        let limits = limits.map(|limits| Limits {
            band: band(limits.level).unwrap_or(limits.band),
            ..*limits
        });
        let effect = Contribution {
            role: Role::Event,
            value: expected - ordinary.expected,
        };
        Self {
            band: band(level).unwrap_or(self.band),
            limits: limits.collect(),
            contributions: self.contributions.iter().copied().chain([effect]).collect(),
            distribution,
            ..self
        }
    }
}
