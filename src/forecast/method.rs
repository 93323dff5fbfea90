//! The settings of a forecast: all it depends on besides the history.

use std::str::FromStr;

use anyhow::{Context, Result};
use chrono::TimeDelta;
use serde::Deserialize;

use super::band::{Direction, Level};
use super::clean::Outliers;
use super::range::Range;
use crate::output::write_setting;
use crate::series::Step;

/// How a series is forecast and its band drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Method {
    pub increments: Increments,
    pub outliers: Outliers,
    pub model: ModelChoice,
    pub seasons: SeasonChoice,
    /// How long values at a new level are held to be an incident, before the level is accepted; see
    /// [`buckets_to_adapt`].
    pub adapt_after: TimeDelta,
    /// The possible values.
    pub range: Range,
    /// The share of healthy values the band is to hold.
    pub level: Level,
    /// The side that counts as a breach.
    pub direction: Direction,
}

/// Whether the values are judged, or what each adds to the one before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Increments {
    /// Of a series that is a running total.
    #[default]
    Found,
    Always,
    Never,
}

/// The model that forecasts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum ModelChoice {
    /// The one that suits the series.
    #[default]
    Auto,
    Autoregression,
    Mstl,
    /// Of a binary that was built with it.
    #[cfg(feature = "prophet")]
    Prophet,
}

impl FromStr for ModelChoice {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "auto" => Ok(Self::Auto),
            "autoregression" => Ok(Self::Autoregression),
            "mstl" => Ok(Self::Mstl),
            #[cfg(feature = "prophet")]
            "prophet" => Ok(Self::Prophet),
            #[cfg(not(feature = "prophet"))]
            "prophet" => Err(
                "prophet is in a binary that was built with cargo build --release --features prophet"
                    .to_string(),
            ),
            _ => Err(format!(
                "{name:?} is no model; allowed: auto, autoregression, mstl, prophet"
            )),
        }
    }
}

impl TryFrom<String> for ModelChoice {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        name.parse()
    }
}

/// The repeating patterns a model is to know.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum SeasonChoice {
    /// Those the data show.
    #[default]
    Found,
    /// Lengths, shortest first; none at all if empty.
    Given(Vec<TimeDelta>),
}

impl SeasonChoice {
    /// As many seasons as any model may have to learn.
    pub const MOST: usize = 4;

    /// The lengths in steps; `None` if the seasons are to be found.
    pub fn in_steps(&self, step: Step) -> Result<Option<Vec<usize>>> {
        let Self::Given(lengths) = self else {
            return Ok(None);
        };
        let steps = lengths.iter().map(|length| steps_in(*length, step));
        steps.collect::<Result<_>>().map(Some)
    }
}

fn steps_in(season: TimeDelta, step: Step) -> Result<usize> {
    let length = season.to_std().unwrap_or_default();
    let steps = step.count_in(length);
    let off = (season - step.times(steps)).abs();
    // Whoever means a year of months may write 365 or 366 days.
    let is_whole = match step {
        Step::Fixed(_) => off.is_zero(),
        Step::Month => off <= TimeDelta::days(2),
    };
    let steps = Some(steps).filter(|steps| is_whole && *steps >= 2);
    steps.with_context(|| {
        let season = season.to_std().map_or(String::new(), write_setting);
        format!(
            "seasons: {season} with a step of {step}; allowed: a whole number of steps, two or more"
        )
    })
}

/// For how many buckets of this length a new level is an incident: as many as a time holds, but at least
/// one; of days a week, of weeks four, of months three.
pub fn buckets_to_adapt(adapt_after: TimeDelta, bucket: TimeDelta) -> u32 {
    let least = match (bucket + TimeDelta::hours(2)).num_days() {
        ..=0 => 1,
        1..=6 => 7,
        7..=27 => 4,
        28.. => 3,
    };
    let held = adapt_after.num_seconds() / bucket.num_seconds().max(1);
    u32::try_from(held).unwrap_or(u32::MAX).max(least)
}

impl Default for Method {
    fn default() -> Self {
        Self {
            increments: Increments::default(),
            outliers: Outliers::default(),
            model: ModelChoice::default(),
            seasons: SeasonChoice::default(),
            adapt_after: TimeDelta::days(1),
            range: Range::default(),
            level: Level::default(),
            direction: Direction::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_steps(choice: &SeasonChoice, step: &str) -> Result<Option<Vec<usize>>> {
        choice.in_steps(step.parse().expect("a step"))
    }

    #[test]
    fn given_seasons_are_counted_in_steps() {
        let days = vec![TimeDelta::days(1), TimeDelta::days(7)];
        for (choice, steps) in [
            (SeasonChoice::Given(days), Some(vec![288, 2016])),
            (SeasonChoice::Given(Vec::new()), Some(Vec::new())),
            (SeasonChoice::Found, None),
        ] {
            assert_eq!(in_steps(&choice, "5m").expect("seasons"), steps);
        }
    }

    #[test]
    fn a_season_must_be_two_whole_steps_or_more() {
        for (minutes, start) in [(90, "seasons: 1h 30m with"), (60, "seasons: 1h with")] {
            let given = SeasonChoice::Given(vec![TimeDelta::minutes(minutes)]);
            let refusal = in_steps(&given, "1h").expect_err("no season");
            let rule = "a step of 1h; allowed: a whole number of steps, two or more";
            assert_eq!(refusal.to_string(), format!("{start} {rule}"));
        }
    }
}
