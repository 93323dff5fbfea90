//! An explanation as one JSON object: that of the check, and what led to it.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::Serialize;

use super::rarity::Rarity;
use super::{clipped_values, cut};
use crate::commands::report::{Account, Entry, stamp, write_json};
use crate::config::Metric;
use crate::detect::{Evaluation, Workings};
use crate::forecast::{Forecast, Role};

/// The object; what is not known is null, or a list without entries.
#[derive(Debug, Serialize)]
struct Object {
    #[serde(flatten)]
    check: Entry,
    /// The time zone of the configuration.
    timezone: String,
    /// The history that was wanted, in seconds.
    window_seconds: u64,
    /// The values that counted as less extreme ones, oldest first.
    clipped_values: Vec<ClippedObject>,
    /// The seasons the model knows, shortest first.
    seasons: Vec<SeasonObject>,
    /// Since when values are held to be an incident.
    held_since: Option<String>,
    /// What the expectation is the sum of.
    contributions: Vec<ContributionObject>,
    /// The usual size of an error below the expectation, here and now.
    error_below: Option<f64>,
    /// And above.
    error_above: Option<f64>,
    /// The same in most of the history.
    usual_error_below: Option<f64>,
    /// And above.
    usual_error_above: Option<f64>,
    /// How many errors that is learnt from.
    errors: Option<usize>,
    /// The limits at several levels.
    limits: Vec<LimitsObject>,
    /// The two-sided tail probability of the value.
    score: Option<f64>,
    /// The buckets between two values so far out.
    recurrence_buckets: Option<f64>,
    /// And the seconds.
    recurrence_seconds: Option<f64>,
}

#[derive(Debug, Serialize)]
struct ClippedObject {
    time: String,
    value: f64,
    counted_as: f64,
}

#[derive(Debug, Serialize)]
struct SeasonObject {
    seconds: i64,
    strength: f64,
}

#[derive(Debug, Serialize)]
struct ContributionObject {
    of: &'static str,
    /// Of `season`: its length.
    season_seconds: Option<i64>,
    /// Of `recent`: how many of the last values.
    values: Option<usize>,
    value: f64,
}

#[derive(Debug, Serialize)]
struct LimitsObject {
    level: f64,
    lower: f64,
    upper: f64,
}

/// The object on a line of its own.
///
/// # Errors
///
/// If it cannot be written as JSON, which no data is known to cause.
pub fn write(
    metric: &Metric,
    evaluation: &Evaluation,
    workings: &Workings,
    files: &[PathBuf],
) -> Result<String> {
    let object = object(metric, evaluation, workings, files);
    let text = write_json(&object).context("write the explanation as JSON")?;
    Ok(text + "\n")
}

fn object(
    metric: &Metric,
    evaluation: &Evaluation,
    workings: &Workings,
    files: &[PathBuf],
) -> Object {
    let forecast = workings.forecast.as_ref();
    let distribution = forecast.map(|forecast| &forecast.distribution);
    let parts = forecast.map(|forecast| &forecast.derivation);
    let step = workings.window.step();
    let score = evaluation.score;
    let rarity = score.map(|score| Rarity::of(score, step));
    let finite = |number: f64| number.is_finite().then_some(number);
    Object {
        check: Entry::of(&Account {
            metric,
            evaluation: Some(evaluation),
            unchanged_since: None,
            deliveries: &[],
            files,
            failures: &[],
        }),
        timezone: workings.window.zone().to_string(),
        window_seconds: metric.window.as_secs(),
        clipped_values: clipped_values(workings)
            .iter()
            .map(|clipped| ClippedObject {
                time: stamp(clipped.time),
                value: clipped.value,
                counted_as: clipped.counted_as,
            })
            .collect(),
        seasons: forecast.map_or(Vec::new(), |forecast| {
            let seasons = forecast.seasons.iter();
            seasons
                .map(|season| SeasonObject {
                    seconds: season.length.num_seconds(),
                    strength: season.strength,
                })
                .collect()
        }),
        held_since: forecast.and_then(|forecast| forecast.held_since).map(stamp),
        contributions: contributions(forecast),
        error_below: distribution.map(|distribution| distribution.scale.below),
        error_above: distribution.map(|distribution| distribution.scale.above),
        usual_error_below: parts.map(|derivation| derivation.usual_error.below),
        usual_error_above: parts.map(|derivation| derivation.usual_error.above),
        errors: parts.map(|derivation| derivation.errors),
        limits: parts.map_or(Vec::new(), |derivation| {
            let limits = derivation.limits.iter();
            limits
                .map(|limits| LimitsObject {
                    level: limits.level.share(),
                    lower: limits.band.lower,
                    upper: limits.band.upper,
                })
                .collect()
        }),
        score: evaluation.score,
        recurrence_buckets: rarity.and_then(|rarity| finite(rarity.buckets)),
        recurrence_seconds: rarity.and_then(|rarity| finite(rarity.seconds())),
    }
}

fn contributions(forecast: Option<&Forecast>) -> Vec<ContributionObject> {
    let Some(forecast) = forecast else {
        return Vec::new();
    };
    let plain = |of: &'static str, value: f64| ContributionObject {
        of,
        season_seconds: None,
        values: None,
        value,
    };
    let contributions = forecast.derivation.contributions.iter();
    let contributions = contributions.map(|contribution| match contribution.role {
        Role::Level => plain("level", contribution.value),
        Role::PastErrors => plain("past_errors", contribution.value),
        Role::Recent(values) => ContributionObject {
            values: Some(values),
            ..plain("recent", contribution.value)
        },
        Role::Season(number) => ContributionObject {
            season_seconds: forecast
                .seasons
                .get(number)
                .map(|season| season.length.num_seconds()),
            ..plain("season", contribution.value)
        },
    });
    let cut = cut(forecast).map(|cut| plain("range", cut));
    contributions.chain(cut).collect()
}
