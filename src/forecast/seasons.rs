//! The repeating patterns a model is to know: those of the settings, or the calendar's, as far as the
//! history can show them; and how much history that takes.

use super::augurs::detect_period;
use super::method::SeasonChoice;
use super::timeline::Timeline;
use crate::series::{Step, Steps, TimeSeries};
use anyhow::Result;

/// Lengths in steps, shortest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seasons(pub Vec<usize>);

/// A season the model knows, and how much it explains.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Season {
    pub length: Steps,
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
    /// values a week; of weeks and months a year; of other steps the strongest period of the values). Each
    /// must have been seen one and a half times, so that its weight can be learnt, and a year twice.
    pub fn new(history: &TimeSeries, choice: &SeasonChoice) -> Result<Self> {
        let step = history.grid().step();
        let mut lengths = match choice.in_steps(step)? {
            Some(given) => given,
            None => match step.per_year() {
                Some(year) => (history.len() >= FULL_SEASONS * year)
                    .then_some(year)
                    .into_iter()
                    .collect(),
                None => step.per_day().into_iter().chain(step.per_week()).collect(),
            },
        };
        let has_calendar = step.per_day().is_some() || step.per_turn().is_some();
        if !has_calendar && *choice == SeasonChoice::Found {
            lengths.extend(detect_period(&without_gaps(history)));
        }
        lengths.retain(|length| 2 * history.len() >= 3 * length);
        Ok(Self(lengths))
    }

    pub fn with_strengths(&self, timeline: &Timeline, step: Step) -> Vec<Season> {
        let seasons = self.0.iter().zip(&timeline.cycles);
        let seasons = seasons.map(|(length, cycle)| Season {
            length: Steps {
                step,
                count: *length,
            },
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

/// How many steps of history a forecast needs: full seasons, or without a season, as many values as a model
/// needs to start from. Weeks are forecast without their year until there are two of it; of months, less
/// says nothing.
pub fn needed_history(step: Step, choice: &SeasonChoice) -> Result<Steps> {
    let shortest = match (choice.in_steps(step)?, step) {
        (Some(given), _) => given.first().copied(),
        (None, Step::Month) => step.per_year(),
        (None, Step::Fixed(_)) => step.per_day().or(step.per_week()),
    };
    let count = shortest.map_or(FEWEST_UNSEASONAL, |season| FULL_SEASONS * season);
    Ok(Steps { step, count })
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

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
        assert_eq!(found("10d", &wave), [8]);
        assert!(found("10d", &wave[..20]).is_empty());
    }

    #[test]
    fn weeks_and_months_have_a_year_once_it_was_seen_twice() {
        let values: Vec<f64> = (0..110).map(f64::from).collect();
        assert!(found("1w", &values[..103]).is_empty());
        assert_eq!(found("1w", &values[..104]), [52]);
        assert_eq!(found("2w", &values[..52]), [26]);
        assert!(found("1mo", &values[..23]).is_empty());
        assert_eq!(found("1mo", &values[..24]), [12]);
        let needed = |step: &str| {
            let step = step.parse().expect("a step");
            let needed = needed_history(step, &SeasonChoice::Found);
            needed.expect("a history").to_string()
        };
        assert_eq!(
            ["1h", "1d", "1w", "1mo"].map(needed),
            ["2 d", "14 d", "40 weeks", "24 months"]
        );
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
