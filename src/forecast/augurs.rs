//! Any model of augurs as a [`Model`] of ours. augurs counts positions and wants every value, and
//! its MSTL computes in single precision: so the history is laid out by the wall clock, its gaps are
//! filled for the fit alone, and values are centred and scaled (a revenue of 123,456,789 would lose
//! its cents otherwise).

use ::augurs::{Fit, Predict, ets::AutoETS, mstl::MSTLModel};
use anyhow::{Context, Result, anyhow, ensure};

use super::wall_clock::WallClock;
use super::{Fitted, Interval, Level, Model, Seasons};
use crate::series::TimeSeries;

/// An augurs model, and the season its gaps are filled from.
#[derive(Debug)]
pub struct Adapter<M> {
    model: M,
    season: usize,
}

/// The seasons split off by MSTL (Bandara, Hyndman and Bergmeir, *MSTL: A Seasonal-Trend
/// Decomposition Algorithm for Time Series with Multiple Seasonal Patterns*, 2021,
/// <https://arxiv.org/abs/2107.13462>), what is left forecast by exponential smoothing (Hyndman et
/// al., *A state space framework for automatic forecasting using exponential smoothing methods*,
/// 2002). Without a season, by exponential smoothing alone.
pub fn mstl(Seasons(seasons): &Seasons) -> Result<Box<dyn Model>> {
    // Additive errors only: the others have intervals by unseeded simulation, and the same rows must
    // make the same band.
    let trend = AutoETS::new(1, "AZN").map_err(|error| anyhow!("{error}"))?;
    let season = seasons.first().copied().unwrap_or(0);
    Ok(if seasons.is_empty() {
        Box::new(Adapter {
            model: trend,
            season,
        })
    } else {
        Box::new(Adapter {
            model: MSTLModel::new(seasons.clone(), trend.into_trend_model()),
            season,
        })
    })
}

impl<M> Model for Adapter<M>
where
    M: Fit,
    M::Error: Send + Sync + 'static,
    <M::Fitted as Predict>::Error: Send + Sync + 'static,
{
    fn fit(&self, history: &TimeSeries, level: Level) -> Result<Fitted> {
        let wall_clock = WallClock::lay_out(history);
        let filled = wall_clock.filled(self.season);
        let scale = Scale::of(&filled).context("the history has no spread")?;
        let scaled: Vec<f64> = filled.iter().map(|value| scale.apply(*value)).collect();
        let fitted = self.model.fit(&scaled)?;
        let next = intervals(&fitted.predict(1, level.share())?, scale);
        let past = intervals(&fitted.predict_in_sample(level.share())?, scale);
        ensure!(
            past.len() == filled.len(),
            "the model was given {} values and speaks of {}",
            filled.len(),
            past.len()
        );
        Ok(Fitted {
            next: *next.first().context("the model forecast nothing")?,
            past: wall_clock
                .places
                .iter()
                .map(|place| place.map(|place| past[place]))
                .collect(),
        })
    }
}

fn intervals(forecast: &::augurs::Forecast, scale: Scale) -> Vec<Interval> {
    let Some(limits) = &forecast.intervals else {
        return Vec::new();
    };
    let limits = limits.lower.iter().zip(&limits.upper);
    forecast
        .point
        .iter()
        .zip(limits)
        .map(|(expected, (lower, upper))| Interval {
            expected: scale.undo(*expected),
            lower: scale.undo(*lower),
            upper: scale.undo(*upper),
        })
        .collect()
}

/// Values as multiples of their standard deviation from their mean.
#[derive(Debug, Clone, Copy)]
struct Scale {
    mean: f64,
    deviation: f64,
}

impl Scale {
    /// `None` if the values do not differ, or by more than a number can hold.
    fn of(values: &[f64]) -> Option<Self> {
        #[expect(
            clippy::cast_precision_loss,
            reason = "a window has fewer than 2^53 slots"
        )]
        let count = values.len() as f64;
        let mean = values.iter().map(|value| value / count).sum::<f64>();
        let largest = values
            .iter()
            .map(|value| (value - mean).abs())
            .fold(0.0, f64::max);
        let deviation = largest
            * (values
                .iter()
                .map(|value| ((value - mean) / largest).powi(2))
                .sum::<f64>()
                / count)
                .sqrt();
        (deviation > 0.0 && deviation.is_finite()).then_some(Self { mean, deviation })
    }

    fn apply(self, value: f64) -> f64 {
        (value - self.mean) / self.deviation
    }

    fn undo(self, scaled: f64) -> f64 {
        self.mean + scaled * self.deviation
    }
}
