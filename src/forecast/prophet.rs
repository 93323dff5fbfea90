//! Prophet (Taylor and Letham, *Forecasting at Scale*, 2018, <https://doi.org/10.1080/00031305.2017.1380080>) as the
//! scripts set it that this program takes the place of: a daily and a weekly season, and `interval_width`. It is
//! augurs' port, with Stan's optimiser as WebAssembly.
//!
//! Python's Prophet draws the limits from a thousand random futures. One step ahead all that differs between them
//! is the noise, which is normal: its limits are computed, so that the same rows make the same band.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use ::augurs::prophet::optimizer::{Data, Error, InitialParams, OptimizeOpts, OptimizedParams};
use ::augurs::prophet::wasmstan::WasmstanOptimizer;
use ::augurs::prophet::{
    OptProphetOptions, Optimizer, PredictionData, Predictions, Prophet, SeasonalityOption,
    TrainingData,
};
use anyhow::{Context, Result};

use super::derivation::{Contribution, Role};
use super::fitted::Fitted;
use super::timeline::Timeline;
use crate::series::{Step, TimeSeries};

/// To compile it takes longer than a fit.
static STAN: LazyLock<WasmstanOptimizer> = LazyLock::new(WasmstanOptimizer::new);

/// Stan, and the standard deviation of the noise that it found, which Prophet keeps to itself.
#[derive(Debug, Clone, Default)]
struct Listener {
    noise: Arc<Mutex<f64>>,
}

impl Optimizer for Listener {
    fn optimize(
        &self,
        init: &InitialParams,
        data: &Data,
        options: &OptimizeOpts,
    ) -> Result<OptimizedParams, Error> {
        let parameters = STAN.optimize(init, data, options)?;
        *self.noise.lock().unwrap_or_else(PoisonError::into_inner) = *parameters.sigma_obs;
        Ok(parameters)
    }
}

/// Fits the values of a history, which are those of the timeline with outliers clipped.
pub fn fit_prophet(history: &TimeSeries, timeline: &Timeline) -> Result<Fitted> {
    // By the wall clock: the scripts know no zone.
    let times = (0..=history.len()).map(|index| history.time(index).naive_local());
    let times: Vec<i64> = times.map(|time| time.and_utc().timestamp()).collect();
    let known = times.iter().zip(history.values());
    // A reading of the clock that comes twice is one time.
    let known: BTreeMap<i64, f64> = known
        .filter_map(|(time, value)| Some((*time, (*value)?)))
        .collect();
    let (known_times, values): (Vec<i64>, Vec<f64>) = known.into_iter().unzip();
    // What Prophet divides values by.
    let scale = values
        .iter()
        .fold(0.0_f64, |most, value| most.max(value.abs()));

    let seasons = seasons(history.grid().step());
    let season = |name| Some(SeasonalityOption::Manual(seasons.contains(&name)));
    let options = OptProphetOptions {
        daily_seasonality: season("daily"),
        weekly_seasonality: season("weekly"),
        uncertainty_samples: Some(0),
        ..OptProphetOptions::default()
    };
    let listener = Listener::default();
    let noise = listener.noise.clone();
    let mut prophet = Prophet::new(options.into(), listener);
    let data = TrainingData::new(known_times, values).context("fit Prophet")?;
    prophet
        .fit(data, OptimizeOpts::default())
        .context("fit Prophet")?;
    let predictions = prophet
        .predict(PredictionData::new(times))
        .context("forecast by Prophet")?;
    let noise = *noise.lock().unwrap_or_else(PoisonError::into_inner);

    let (unit, next) = (timeline.unit, timeline.len());
    let mut by_slot = vec![None; next + 1];
    let slots = timeline.slots.iter().copied().chain([Some(next)]);
    for (slot, value) in slots.zip(&predictions.yhat.point) {
        if let Some(slot) = slot {
            by_slot[slot] = Some(unit.measure(*value));
        }
    }
    let mut before = 0.0;
    let expected = by_slot.into_iter().map(|value| {
        // There is none in the hour that spring skips.
        before = value.unwrap_or(before);
        before
    });
    let expected: Vec<f64> = expected.skip(1).collect();
    let errors = timeline.values[1..].iter().zip(&expected);
    let errors = errors.map(|(value, expected)| value.map(|value| value - expected));
    Ok(Fitted {
        first: 1,
        errors: errors.chain([None]).collect(),
        growth: vec![1.0; expected.len()],
        disagreement: vec![0.0; expected.len()],
        held_since: vec![None; expected.len()],
        contributions: contributions(&predictions, &seasons, timeline),
        filtered: timeline.fill(&timeline.targets),
        noise: Some(noise * scale / unit.size),
        parameters: seasons.len(),
        expected,
        ..Fitted::default()
    })
}

/// By the names that Prophet gives them, shortest first.
fn seasons(step: Step) -> Vec<&'static str> {
    let daily = step.per_day().map(|_| "daily");
    let is_short = daily.is_some() || step.per_turn() == Some(7);
    daily
        .into_iter()
        .chain(is_short.then_some("weekly"))
        .collect()
}

/// What each season adds to the last expectation; a season that is not among the timeline's is of the level.
fn contributions(
    predictions: &Predictions,
    seasons: &[&str],
    timeline: &Timeline,
) -> Vec<Contribution> {
    let unit = timeline.unit;
    let seasons = seasons.iter().take(timeline.cycles.len()).enumerate();
    let seasons = seasons.filter_map(|(number, name)| {
        let added = predictions.seasonalities.get(*name)?.point.last()?;
        Some(Contribution {
            role: Role::Season(number),
            value: added / unit.size,
        })
    });
    let seasons: Vec<Contribution> = seasons.collect();
    let seasonal: f64 = seasons.iter().map(|season| season.value).sum();
    let level = predictions.yhat.point.last().map(|expected| Contribution {
        role: Role::Level,
        value: unit.measure(*expected) - seasonal,
    });
    level.into_iter().chain(seasons).collect()
}
