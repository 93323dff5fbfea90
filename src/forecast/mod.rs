//! From a history to the forecast of the next point. A model gets the history as a [`Timeline`], forecasts
//! one step ahead and reports its errors on values it had not seen; the calibration turns those into the
//! distribution of the next value; the band is its limits at a level.
//!
#![doc = include_str!("README.md")]

mod augurs;
mod autoregression;
mod band;
mod calibration;
pub mod clean;
mod components;
mod derivation;
mod error_profile;
mod event;
mod fitted;
mod method;
#[cfg(test)]
mod proofs;
#[cfg(feature = "prophet")]
mod prophet;
mod quantile;
mod range;
mod seasons;
mod timeline;
mod tolerance;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use chrono::DateTime;
use chrono_tz::Tz;

pub use band::{Band, Direction, Level, Side};
pub use calibration::{Distribution, Scale};
pub use components::{Components, decompose};
pub use derivation::{Contribution, Limits, Role};
pub use event::Factor;
pub use method::{Increments, Method, ModelChoice, SeasonChoice, buckets_to_adapt};
pub use quantile::{MAD_TO_SIGMA, VARIANCE_OF_MEDIAN, median, sigmas_of};
pub use range::Range;
pub use seasons::{Season, needed_history};
pub use tolerance::Tolerance;

use self::clean::{Cleaned, Fences, Scope, clip_outliers};
use crate::output::write_number;
use crate::series::{Steps, TimeSeries};
use calibration::{Calibration, Margins};
use fitted::Fitted;
use seasons::Seasons;
use timeline::{Timeline, Unit};

/// The forecast of the point at `time`, and what the model made of the history.
#[derive(Debug, Clone)]
pub struct Forecast {
    pub time: DateTime<Tz>,
    /// The limits of the distribution at the method's level, within its range.
    pub band: Band,
    pub distribution: Distribution,
    /// The possible values, as the history has them.
    pub range: Range,
    /// No band is narrower to either side.
    resolution: f64,
    /// The band over the history, bucket by bucket, for the charts; `None` where the model has none.
    pub past: Vec<Option<Band>>,
    /// The seasons the model knows, shortest first.
    pub seasons: Vec<Season>,
    /// Since when values are held to be an incident that the forecast does not follow.
    pub held_since: Option<DateTime<Tz>>,
    /// The history the model learnt from.
    pub cleaned: Cleaned,
    /// They sum up to the expectation, before it is clipped to the range of possible values.
    pub contributions: Vec<Contribution>,
    /// The scale of an error in most of the history.
    pub usual_error: Scale,
    /// The number of errors behind the distribution.
    pub errors: usize,
    /// At the level of the method and at rarer ones, ascending.
    pub limits: Vec<Limits>,
    /// What was healthy at this time of the week before.
    tolerances: Vec<Tolerance>,
}

/// Why nothing can be measured by the differences between the values of a history.
fn without_unit(history: &TimeSeries) -> String {
    let lowest = history.observed().fold(f64::INFINITY, f64::min);
    let highest = history.observed().fold(f64::NEG_INFINITY, f64::max);
    let [low, high] = [lowest, highest].map(write_number);
    if lowest >= highest {
        let value = if lowest > highest { "0" } else { low.as_str() };
        format!(
            "every value of the history is {value}, so nothing says how much change is usual; some variation is needed"
        )
    } else {
        format!(
            "the values of the history, from {low} to {high}, differ by more or by less than can be computed with; values in another unit are needed"
        )
    }
}

/// Predicts the point after the history, or tells people why it does not suffice and what would. An
/// error means that the seasons or the budget of the method do not fit the step, or that the model failed.
/// The values at the `healthy` indices are learnt as they are: somebody said that they are usual ones.
pub fn predict(
    history: &TimeSeries,
    healthy: &[usize],
    method: &Method,
) -> Result<Result<Forecast, String>> {
    let step = history.grid().step();
    let level = method.level;
    let seasons = Seasons::new(history, &method.seasons)?;
    let needed = needed_history(step, &method.seasons)?;
    if history.len() < needed.count {
        return Ok(Err(too_short(history, needed)));
    }
    let cleaned = match (method.model, method.outliers.scope) {
        (ModelChoice::Auto | ModelChoice::Autoregression, Scope::Seasonal) => {
            Cleaned::untouched(history)
        }
        _ => clip_outliers(history, method.outliers.factor)?.keeping(history, healthy),
    };
    let timeline = Timeline::new(history, cleaned.history.values(), &seasons.0);
    let Some(timeline) = timeline.map(|timeline| timeline.with_healthy(healthy)) else {
        return Ok(Err(without_unit(history)));
    };
    let missing = timeline.values.iter().filter(|value| value.is_none());
    let (missing, of) = (missing.count(), timeline.len());
    let allowed = of * 4 / 5;
    if missing > allowed {
        return Ok(Err(format!(
            "{missing} of {of} buckets of history are empty; at most {allowed} may be (or set missing = \"zero\", or a longer step)"
        )));
    }
    let fitted = fit(method, &cleaned.history, &timeline)?;
    let Some(calibration) = Calibration::new(&fitted, &timeline) else {
        let count = needed.count + calibration::FEWEST_ERRORS;
        return Ok(Err(too_short(history, Steps { step, count })));
    };
    let (unit, is_whole) = (timeline.unit, history.is_whole());
    let (range, resolution) = (method.range.as_seen_in(history), resolution(unit));
    // Half the width of the band that the model itself draws, if it does.
    let own_margin =
        |level: Level| Some(fitted.noise? * unit.size * sigmas_of(1.0 - level.share()));
    let bands = |index: usize, margins: Margins, own_margin: Option<f64>| {
        let distribution = calibration.distribution(index);
        let expected = distribution.expected;
        let band = match own_margin {
            Some(margin) => Band::new(expected - margin, expected, expected + margin),
            None => distribution.band(margins),
        };
        let band = band?.at_least(resolution);
        // Of what is counted, the likeliest number lies inside, however little is expected.
        let band = if is_whole {
            band.holding(band.expected.round())
        } else {
            band
        };
        Some(band.within(range))
    };
    let next = fitted.expected.len() - 1;
    let parts = fitted.contributions.iter();
    let (margins, own) = (calibration.margins(level), own_margin(level));
    let past = timeline.slots.iter().zip(&timeline.at_zero);
    let past = past.map(|(slot, is_at_zero)| {
        if *is_at_zero {
            return Some(Band::new(0.0, 0.0, 0.0)?.at_least(resolution).within(range));
        }
        let index = slot.and_then(|slot| slot.checked_sub(fitted.first))?;
        bands(index, margins, own)
    });
    Ok(Ok(Forecast {
        time: history.next_time(),
        band: bands(next, margins, own).context("the forecast is not finite")?,
        distribution: calibration.distribution(next),
        range,
        resolution,
        past: past.collect(),
        held_since: fitted.held_since[next].and_then(|slot| {
            let index = timeline.slots.iter().position(|other| *other == Some(slot));
            index.map(|index| history.time(index))
        }),
        cleaned: add_clipped(&cleaned, &fitted, &timeline),
        contributions: parts.map(|part| part.in_series_unit(unit)).collect(),
        usual_error: calibration.usual_scale(),
        errors: fitted.errors.iter().flatten().count(),
        limits: derivation::limits(level, |level| {
            bands(next, calibration.margins(level), own_margin(level))
        }),
        seasons: seasons.with_strengths(&timeline, step),
        tolerances: Vec::new(),
    }))
}

fn too_short(history: &TimeSeries, needed: Steps) -> String {
    format!(
        "{} of history; at least {needed} are needed; if the table holds more, set a longer window",
        history.span()
    )
}

/// Adds to what was clipped before the fit what the fit clipped.
fn add_clipped(cleaned: &Cleaned, fitted: &Fitted, timeline: &Timeline) -> Cleaned {
    let unit = timeline.unit;
    let mut by_slot = vec![None; timeline.len()];
    for clipped in &fitted.clipped {
        by_slot[clipped.slot] = Some(unit.value(clipped.to));
    }
    // Where two buckets share a slot, the value of the later one that has any is in it.
    let mut by_bucket: BTreeMap<usize, f64> = BTreeMap::new();
    let values = cleaned.history.values();
    for (index, slot) in timeline.slots.iter().enumerate().rev() {
        let slot = slot.filter(|_| values[index].is_some());
        let value = slot.and_then(|slot| by_slot.get_mut(slot)?.take());
        by_bucket.extend(value.map(|value| (index, value)));
    }
    let clipped: BTreeSet<&usize> = cleaned.clipped.iter().chain(by_bucket.keys()).collect();
    let fences = fitted.fences.map(|fences| Fences {
        lower: unit.value(fences.lower),
        upper: unit.value(fences.upper),
    });
    let history = &cleaned.history;
    Cleaned {
        history: history.map(|index, value| *by_bucket.get(&index).unwrap_or(&value)),
        fences: fences.or(cleaned.fences),
        clipped: clipped.into_iter().copied().collect(),
    }
}

fn fit(method: &Method, history: &TimeSeries, timeline: &Timeline) -> Result<Fitted> {
    match method.model {
        // It is the most accurate on every kind of series measured.
        ModelChoice::Auto | ModelChoice::Autoregression => {
            let step = history.grid().step();
            let adapt_after = buckets_to_adapt(method.adapt_after, step.mean_length());
            let adapt_after = usize::try_from(adapt_after).unwrap_or(usize::MAX);
            autoregression::fit(timeline, adapt_after, method.outliers.factor)
        }
        ModelChoice::Mstl => augurs::fit_mstl(timeline),
        #[cfg(feature = "prophet")]
        ModelChoice::Prophet => prophet::fit_prophet(history, timeline),
    }
}

/// A band narrower than this, on either side, would be about the rounding of numbers, or the ridge of
/// a regression on a series that repeats itself exactly.
fn resolution(unit: Unit) -> f64 {
    const ROUNDING: f64 = 1e-9;
    const REPETITION: f64 = 2e-3;
    (ROUNDING * unit.centre.abs()).max(REPETITION * unit.size)
}
