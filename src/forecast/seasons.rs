//! Which repeating patterns a model is to know: those somebody set, or the calendar's, as far as the
//! history can show them.

use anyhow::Result;
use chrono::TimeDelta;

use super::method::SeasonChoice;
use crate::series::{Step, TimeSeries};

/// Lengths in steps, shortest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seasons(pub Vec<usize>);

/// A season the model knows, and how much it says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Season {
    pub length: TimeDelta,
    /// The share of the values' distance from their median that their earlier turns explain: 1 is all,
    /// 0 or less nothing.
    pub strength: f64,
}

/// The shortest season must have been seen this often.
const FULL_SEASONS: usize = 2;
/// Values without a season that a model can start from.
const FEWEST_UNSEASONAL: usize = 40;

impl Seasons {
    /// The seasons the history is long enough for: of those given, or else a day and a week (of daily
    /// values a week; of longer steps none). A longer one must have been seen once and a half, so that
    /// there is something to learn how much it counts.
    ///
    /// # Errors
    ///
    /// If a given season is not a whole number of steps.
    pub fn of(history: &TimeSeries, choice: &SeasonChoice) -> Result<Self> {
        let step = history.grid().step();
        let mut lengths = match choice.in_steps(step)? {
            Some(given) => given,
            None => step.per_day().into_iter().chain(step.per_week()).collect(),
        };
        let seen = |length: &usize| 2 * history.len() >= 3 * length;
        lengths.retain(seen);
        Ok(Self(lengths))
    }
}

/// The history a verdict needs at this step: full seasons, or where there is none, as many values as
/// a model needs to start from.
pub fn needed_history(step: Step) -> TimeDelta {
    step.times(needed_steps(step.per_day().or(step.per_week())))
}

/// The same where seasons may have been set.
///
/// # Errors
///
/// If a given season is not a whole number of steps.
pub fn needed_with(step: Step, choice: &SeasonChoice) -> Result<TimeDelta> {
    Ok(choice.in_steps(step)?.map_or_else(
        || needed_history(step),
        |given| step.times(needed_steps(given.first().copied())),
    ))
}

fn needed_steps(season: Option<usize>) -> usize {
    season.map_or(FEWEST_UNSEASONAL, |season| FULL_SEASONS * season)
}
