//! From a cleaned history to what the next point should be: a model is fitted, its forecast is
//! calibrated into a band. Models stand side by side behind [`Model`]; they get the history with its
//! calendar and its gaps, so that a model may use both. The band is a step of its own, see [`band`].

mod augurs;
mod band;
mod method;
mod range;
mod sensitivity;
mod wall_clock;

use anyhow::{Context, Result};
use chrono::{DateTime, TimeDelta};
use chrono_tz::Tz;

pub use band::{Band, Level};
pub use method::{Method, ModelChoice, SeasonChoice};
pub use range::Range;
pub use sensitivity::{Budget, Sensitivity};

use crate::clean::Cleaned;
use crate::series::{Step, TimeSeries};
use crate::verdict::Reason;

/// What the point at `time` should be, and what the model made of the history.
#[derive(Debug, Clone)]
pub struct Prediction {
    pub time: DateTime<Tz>,
    pub band: Band,
    /// The band the model draws over the history, slot by slot, for the charts; `None` where the
    /// model says nothing.
    pub past: Vec<Option<Band>>,
}

// Stands in until the band knows its own tails; nothing else depends on how it is computed.
impl Prediction {
    /// The two-sided tail probability of a value, in (0, 1]: how rarely one lies this far out, on
    /// either side. For now that of a normal distribution whose 95 % lie within the band.
    pub fn score(&self, value: f64) -> f64 {
        const HALF_WIDTH: f64 = 1.959_964;
        let half_widths = crate::verdict::deviation(value, &self.band).map_or(0.0, f64::abs);
        // Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26.
        let x = half_widths * HALF_WIDTH / std::f64::consts::SQRT_2;
        let t = 1.0 / (1.0 + 0.327_591_1 * x);
        let powers = [
            1.061_405_429,
            -1.453_152_027,
            1.421_413_741,
            -0.284_496_736,
            0.254_829_592,
        ];
        let polynomial = powers.into_iter().fold(0.0, |sum, power| (sum + power) * t);
        (polynomial * (-x * x).exp()).clamp(f64::MIN_POSITIVE, 1.0)
    }
}

/// What a model says of one slot: its expectation and its own interval at a [`Level`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    pub expected: f64,
    pub lower: f64,
    pub upper: f64,
}

/// A model that learnt from a history: what it makes of each of its slots, and of the next one.
#[derive(Debug, Clone)]
pub struct Fitted {
    pub past: Vec<Option<Interval>>,
    pub next: Interval,
}

/// Anything that learns from a history and forecasts one step beyond it. Deterministic: the same
/// history makes the same forecast.
pub trait Model {
    /// Learns from a history (which may have gaps, and knows its calendar) and says what to expect
    /// of the slot after its last.
    ///
    /// # Errors
    ///
    /// If no model can be fitted to this history.
    fn fit(&self, history: &TimeSeries, level: Level) -> Result<Fitted>;
}

/// The repeating patterns looked for, in steps, shortest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seasons(Vec<usize>);

/// At most this share of the history may be missing.
const MISSING_LIMIT: f64 = 0.4;
/// A season must have been seen this often.
const FULL_SEASONS: usize = 2;
/// A weekly season beside a daily one must have been seen this often: one more, as it has seven
/// times as many values to learn.
const FULL_WEEKS_BESIDE_DAYS: usize = 3;

/// Predicts the point after the history, or says why that is not possible.
///
/// # Errors
///
/// If the seasons or the budget of the method do not go with the step, the model cannot be fitted,
/// or its forecast is not finite.
pub fn predict(cleaned: &Cleaned, method: &Method) -> Result<Result<Prediction, Reason>> {
    let history = &cleaned.history;
    let step = history.grid().step();
    let given = method.seasons.in_steps(step)?;
    let seasons = match find_seasons(history, given) {
        Ok(seasons) => seasons,
        Err(reason) => return Ok(Err(reason)),
    };
    let fitted = augurs::mstl(&seasons)?
        .fit(history, method.level(step)?)
        .context("fit MSTL with an ETS trend")?;
    let prediction = band::calibrate(&fitted, history, method.range).context("draw the band")?;
    Ok(Ok(prediction))
}

/// The seasons a history is long and full enough to show: those given, or else a day, and a week from
/// three weeks on; of daily values a week; of longer steps none.
fn find_seasons(history: &TimeSeries, given: Option<Vec<usize>>) -> Result<Seasons, Reason> {
    let step = history.grid().step();
    let needed = given.as_ref().map_or(needed_history(step), |given| {
        step.times(needed_steps(given.first().copied()))
    });
    let seasons = match (given, step.per_day(), step.per_week()) {
        (Some(mut given), ..) => {
            given.retain(|season| history.len() >= FULL_SEASONS * season);
            given
        }
        (None, Some(day), Some(week)) if history.len() >= FULL_WEEKS_BESIDE_DAYS * week => {
            vec![day, week]
        }
        (None, Some(day), _) => vec![day],
        (None, None, Some(week)) => vec![week],
        (None, None, None) => Vec::new(),
    };
    if history.span() < needed {
        return Err(Reason::ShortHistory {
            held: history.span(),
            needed,
        });
    }
    let allowed = allowed_missing(history.len());
    if history.missing() > allowed {
        return Err(Reason::ManyGaps {
            missing: history.missing(),
            of: history.len(),
            allowed,
        });
    }
    let mut observed = history.observed();
    let first = observed.next().unwrap_or(0.0);
    #[expect(clippy::float_cmp, reason = "constant means equal to the last bit")]
    if observed.all(|value| value == first) {
        return Err(Reason::ConstantHistory { value: first });
    }
    Ok(Seasons(seasons))
}

/// The history a verdict needs at this step: full seasons, or where there is none to find, as many
/// values as smoothing needs to start from.
pub fn needed_history(step: Step) -> TimeDelta {
    step.times(needed_steps(step.per_day().or(step.per_week())))
}

fn needed_steps(season: Option<usize>) -> usize {
    season.map_or(FEWEST_UNSEASONAL, |season| FULL_SEASONS * season)
}

/// Values without a season that an exponential smoothing can start from.
const FEWEST_UNSEASONAL: usize = 20;

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a share of a length is one"
)]
fn allowed_missing(len: usize) -> usize {
    (len as f64 * MISSING_LIMIT) as usize
}
