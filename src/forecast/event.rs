//! The forecast of a value that is unlike others, as an event makes it, or the day of the month.

use super::Forecast;
use super::band::{Band, Level};
use super::calibration::Scale;
use super::clean::{Cleaned, Fences};
use super::derivation::{Contribution, Limits, Role};

/// How the values of an event or a day are to those without it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Factor {
    /// As a multiple of what is expected without it.
    pub ratio: f64,
    /// The standard deviation of that, as a share of it.
    pub uncertainty: f64,
}

impl Forecast {
    /// The same at an event.
    #[must_use]
    pub fn at_event(self, factor: Factor, level: Level) -> Self {
        self.times(factor, Role::Event, level)
    }

    /// The same on a day of the month with an effect.
    #[must_use]
    pub fn on_month_day(self, factor: Factor, level: Level) -> Self {
        let fences = self.cleaned.fences.map(|fences| Fences {
            lower: fences.lower * factor.ratio,
            upper: fences.upper * factor.ratio,
        });
        let forecast = self.times(factor, Role::MonthDay, level);
        Self {
            cleaned: Cleaned {
                fences,
                ..forecast.cleaned
            },
            ..forecast
        }
    }

    /// The same with each value of the past, and each limit, passed through `change`, which is told its index
    /// and keeps their order.
    #[must_use]
    pub fn with_past(mut self, change: impl Fn(usize, f64) -> f64) -> Self {
        for (index, past) in self.past.iter_mut().enumerate() {
            let changed = |band: Band| {
                let [lower, expected, upper] =
                    [band.lower, band.expected, band.upper].map(|limit| change(index, limit));
                Band::new(lower, expected, upper)
            };
            *past = past.and_then(changed);
        }
        self.cleaned.history = self.cleaned.history.map(change);
        self
    }

    /// What is not known of the factor comes in addition to the usual error.
    fn times(self, factor: Factor, role: Role, level: Level) -> Self {
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
            role,
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
