//! From a cleaned history to what the next point should be. A model forecasts one step ahead and
//! tells how far off it was on values it had not seen; the calibration turns those errors into the
//! distribution of the next value; the band is that distribution's limits at a level.
//!
//! Models stand side by side behind [`Model`] and get the history as a [`Timeline`], with its calendar
//! and its gaps.

mod augurs;
mod autoregression;
mod band;
mod calibration;
pub mod clean;
mod components;
mod insufficient;
mod method;
mod profile;
#[cfg(test)]
mod proofs;
mod range;
mod seasons;
mod sensitivity;
mod side;
mod timeline;
mod wall_clock;
mod workings;

use anyhow::{Context, Result};
use chrono::DateTime;
use chrono_tz::Tz;

pub use band::{Band, Level};
pub use calibration::distribution::Distribution;
pub use components::{Components, decompose};
pub use insufficient::Insufficient;
pub use method::{Method, ModelChoice, SeasonChoice};
pub use range::Range;
pub use seasons::{Season, needed_history};
pub use sensitivity::{Budget, Sensitivity};
pub use side::{Direction, Side};
pub use workings::{Contribution, Role, Workings};

use self::clean::{Cleaned, Fences, Scope, clip_outliers};
use crate::series::{Step, TimeSeries};
use autoregression::Autoregression;
use calibration::{Calibration, Reach};
use seasons::{Seasons, needed_with};
use timeline::{Timeline, Unit};

/// What the point at `time` should be, and what the model made of the history.
#[derive(Debug, Clone)]
pub struct Forecast {
    pub time: DateTime<Tz>,
    /// The limits of the distribution at the method's level, within its range.
    pub band: Band,
    pub distribution: Distribution,
    /// The band over the history, slot by slot, for the charts; `None` where the model says nothing.
    pub past: Vec<Option<Band>>,
    /// The seasons the model knows, shortest first.
    pub seasons: Vec<Season>,
    /// Since when values are held to be an incident that the forecast does not follow.
    pub held_since: Option<DateTime<Tz>>,
    /// The history the model learnt from.
    pub cleaned: Cleaned,
    pub workings: Workings,
}

/// A model that learnt from a history: what it expects of each slot from the first it can, the last
/// of them the one to forecast, and how that compares.
#[derive(Debug, Clone)]
pub struct Fitted {
    /// The first slot that is forecast. At least one value lies before it.
    pub first: usize,
    pub expected: Vec<f64>,
    /// The value less its expectation, as if the value had not been seen; `None` where there is no
    /// value, or one held to be an incident.
    pub errors: Vec<Option<f64>>,
    /// How many times as uncertain each expectation is as one a step ahead.
    pub growth: Vec<f64>,
    /// How far apart the forecasts were that each expectation is the mean of; 0 of a single one.
    pub disagreement: Vec<f64>,
    /// The slot an incident began at that each slot is held to belong to.
    pub held_since: Vec<Option<usize>>,
    /// The values the forecasts fed on, from slot 0 on: what was there, or what should have been.
    pub fed: Vec<f64>,
    /// How many weights were fitted.
    pub parameters: usize,
    /// What made the last expectation: they sum up to it.
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

/// Anything that learns from a history and forecasts one step beyond it. Deterministic: the same
/// history makes the same forecast.
pub trait Model {
    /// Learns from a history (which may have gaps, and knows its calendar) and says what to expect
    /// of each slot, and of the one after the last.
    ///
    /// # Errors
    ///
    /// If no model can be fitted to this history.
    fn fit(&self, timeline: &Timeline) -> Result<Fitted>;
}

/// At most this share of the open slots may be missing.
const MISSING_LIMIT: f64 = 0.8;

impl Forecast {
    /// How rarely a value lies this far out: see [`Distribution::score`].
    pub fn score(&self, value: f64) -> f64 {
        self.distribution.score(value)
    }
}

/// Predicts the point after the history, or says why that is not possible.
///
/// # Errors
///
/// If the seasons or the budget of the method do not go with the step, the model cannot be fitted,
/// or its forecast is not finite.
pub fn predict(history: &TimeSeries, method: &Method) -> Result<Result<Forecast, Insufficient>> {
    let step = history.grid().step();
    let level = method.level(step)?;
    let seasons = Seasons::of(history, &method.seasons)?;
    let needed = needed_with(step, &method.seasons)?;
    if history.span() < needed {
        return Ok(Err(Insufficient::ShortHistory {
            held: history.span(),
            needed,
        }));
    }
    let cleaned = if method.model.clips_by_its_errors() && method.outliers.scope == Scope::Seasonal
    {
        Cleaned::untouched(history)
    } else {
        clip_outliers(history, method.outliers.factor)?
    };
    let Some(timeline) = Timeline::lay_out(history, &cleaned, &seasons) else {
        let value = history.observed().next().unwrap_or(0.0);
        return Ok(Err(Insufficient::ConstantHistory { value }));
    };
    if let Some(reason) = many_gaps(&timeline) {
        return Ok(Err(reason));
    }
    let fitted = choose_model(method, step).fit(&timeline)?;
    let Some(calibration) = Calibration::of(&fitted, &timeline) else {
        return Ok(Err(Insufficient::ShortHistory {
            held: history.span(),
            needed: needed + step.times(calibration::FEWEST_ERRORS),
        }));
    };
    let resolution = resolution(timeline.unit);
    let range = method.range.as_seen_in(history);
    let bands = |index: usize, reach: Reach| {
        let band = calibration.band(&fitted, &timeline, index, reach)?;
        Some(band.at_least(resolution).within(range))
    };
    let next = fitted.expected.len() - 1;
    let reach = calibration.reach(level);
    let past = timeline.slots.iter().map(|slot| {
        let index = slot.and_then(|slot| slot.checked_sub(fitted.first))?;
        bands(index, reach)
    });
    Ok(Ok(Forecast {
        time: history.next_time(),
        band: bands(next, reach).context("the forecast is not finite")?,
        distribution: calibration.distribution(&fitted, &timeline, next),
        past: past.collect(),
        held_since: fitted.held_since[next].and_then(|slot| {
            let index = timeline.slots.iter().position(|other| *other == Some(slot));
            index.map(|index| history.time(index))
        }),
        cleaned: add_clipped(&cleaned, &fitted, &timeline),
        workings: Workings::of(&fitted, &calibration, &timeline, level, |level| {
            bands(next, calibration.reach(level))
        }),
        seasons: strengths(&seasons, &timeline, step),
    }))
}

fn strengths(seasons: &Seasons, timeline: &Timeline, step: Step) -> Vec<Season> {
    let seasons = seasons.0.iter().zip(&timeline.cycles);
    seasons
        .map(|(length, cycle)| Season {
            length: step.times(*length),
            strength: cycle.strength,
        })
        .collect()
}

/// Adds to what was clipped before the fit what the fit clipped.
fn add_clipped(cleaned: &Cleaned, fitted: &Fitted, timeline: &Timeline) -> Cleaned {
    let mut values = vec![None; timeline.len()];
    for clipped in &fitted.clipped {
        values[clipped.slot] = Some(timeline.unit.value(clipped.to));
    }
    // Where two buckets share a slot, the later one's value is in it.
    let mut clipped = vec![None; timeline.slots.len()];
    let mut all = cleaned.clipped.clone();
    for (index, slot) in timeline.slots.iter().enumerate().rev() {
        if let Some(value) = slot.and_then(|slot| values.get_mut(slot)?.take()) {
            clipped[index] = Some(value);
            all.push(index);
        }
    }
    all.sort_unstable();
    all.dedup();
    let fences = fitted.fences.map(|fences| Fences {
        lower: timeline.unit.value(fences.lower),
        upper: timeline.unit.value(fences.upper),
    });
    Cleaned {
        history: cleaned
            .history
            .map(|index, value| clipped[index].unwrap_or(value)),
        fences: fences.or(cleaned.fences),
        clipped: all,
    }
}

fn choose_model(method: &Method, step: Step) -> Box<dyn Model> {
    let adapt_after = method.adapt_after.num_seconds() / step.seconds();
    match method.model {
        // It leads on every kind of series measured; README.md has the figures.
        ModelChoice::Auto | ModelChoice::Autoregression => Box::new(Autoregression {
            adapt_after_steps: usize::try_from(adapt_after).unwrap_or(0).max(1),
            fence_factor: method.outliers.factor,
        }),
        ModelChoice::Mstl => Box::new(augurs::Mstl),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a share of a length is one"
)]
fn many_gaps(timeline: &Timeline) -> Option<Insufficient> {
    let missing = timeline
        .values
        .iter()
        .filter(|value| value.is_none())
        .count();
    let allowed = (timeline.len() as f64 * MISSING_LIMIT) as usize;
    (missing > allowed).then_some(Insufficient::ManyGaps {
        missing,
        of: timeline.len(),
        allowed,
    })
}

/// A band narrower than this, on either side, would be about the rounding of numbers, or the ridge of
/// a regression on a series that repeats itself exactly.
fn resolution(unit: Unit) -> f64 {
    const ROUNDING: f64 = 1e-9;
    const REPETITION: f64 = 2e-3;
    (ROUNDING * unit.centre.abs()).max(REPETITION * unit.size)
}

#[cfg(test)]
impl Forecast {
    /// A forecast with this band, for tests of what comes after it.
    pub fn sample(time: DateTime<Tz>, band: Band, past: Vec<Option<Band>>) -> Self {
        Self {
            time,
            band,
            distribution: Distribution::sample(band.expected),
            past,
            seasons: Vec::new(),
            held_since: None,
            cleaned: Cleaned::untouched(&crate::series::sample::series("5m", &[1.0, 2.0])),
            workings: Workings::sample(),
        }
    }
}
