//! The repeating patterns a model is to know: those of the settings, or the calendar's, as far as the
//! history can show them; and how much history that takes.

use anyhow::Result;
use chrono::TimeDelta;

use super::augurs::detect_period;
use super::method::SeasonChoice;
use super::timeline::Timeline;
use crate::series::{Step, TimeSeries};

/// Lengths in steps, shortest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seasons(pub Vec<usize>);

/// A season the model knows, and how much it explains.
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
    /// values a week; of longer steps the strongest period of the values). Each must have been seen one
    /// and a half times, so that its weight can be learnt.
    pub fn new(history: &TimeSeries, choice: &SeasonChoice) -> Result<Self> {
        let step = history.grid().step();
        let mut lengths = match choice.in_steps(step)? {
            Some(given) => given,
            None => step.per_day().into_iter().chain(step.per_week()).collect(),
        };
        if lengths.is_empty() && *choice == SeasonChoice::Found {
            lengths.extend(detect_period(&without_gaps(history)));
        }
        lengths.retain(|length| 2 * history.len() >= 3 * length);
        Ok(Self(lengths))
    }

    pub fn with_strengths(&self, timeline: &Timeline, step: Step) -> Vec<Season> {
        let seasons = self.0.iter().zip(&timeline.cycles);
        let seasons = seasons.map(|(length, cycle)| Season {
            length: step.times(*length),
            strength: cycle.strength,
        });
        seasons.collect()
    }
}

/// Each gap filled with the value before it.
fn without_gaps(history: &TimeSeries) -> Vec<f64> {
    let mut last = history.observed().next().unwrap_or(0.0);
    let values = history.values().iter();
    let filled = values.map(|value| {
        last = value.unwrap_or(last);
        last
    });
    filled.collect()
}

/// The history a forecast needs at this step: full seasons, or without a season, as many values as a
/// model needs to start from.
pub fn needed_history(step: Step, choice: &SeasonChoice) -> Result<TimeDelta> {
    let shortest = match choice.in_steps(step)? {
        Some(given) => given.first().copied(),
        None => step.per_day().or(step.per_week()),
    };
    Ok(step.times(shortest.map_or(FEWEST_UNSEASONAL, |season| FULL_SEASONS * season)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::sample;

    fn seasons(step: &str, values: &[f64], choice: &SeasonChoice) -> Vec<usize> {
        let seasons = Seasons::new(&sample::series(step, values), choice);
        seasons.expect("seasons").0
    }

    fn found(step: &str, values: &[f64]) -> Vec<usize> {
        seasons(step, values, &SeasonChoice::Found)
    }

    #[test]
    fn a_week_is_a_season_once_it_was_seen_one_and_a_half_times() {
        let values: Vec<f64> = (0..300).map(f64::from).collect();
        assert_eq!(found("1h", &values[..251]), [24]);
        assert_eq!(found("1h", &values[..252]), [24, 168]);
        assert_eq!(found("1d", &values), [7]);
    }

    #[test]
    fn where_the_calendar_has_none_the_period_of_the_values_is_found() {
        let wave: Vec<f64> = (0..128).map(|n| f64::from(n % 8)).collect();
        assert_eq!(found("1w", &wave), [8]);
        assert!(found("1w", &wave[..20]).is_empty());
    }

    #[test]
    fn given_seasons_replace_those_of_the_calendar() {
        let given = |hours: &[i64]| {
            let lengths = hours.iter().map(|hours| TimeDelta::hours(*hours)).collect();
            seasons("1h", &[1.0; 48], &SeasonChoice::Given(lengths))
        };
        assert_eq!(given(&[8, 24]), [8, 24]);
        assert_eq!(given(&[8, 48]), [8], "seen only once");
        assert!(given(&[]).is_empty());
    }
}
