//! An explanation as one JSON object: that of the check, and what led to it.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::{Value, json};

use super::rarity::Rarity;
use super::{ClippedValue, clipped_values, cut};
use crate::commands::report::{CheckObject, MetricReport, stamp, write_json};
use crate::config::Metric;
use crate::detect::{Evaluation, Workings};
use crate::forecast::{Forecast, Role, Season};

/// `src/commands/README.md` explains the fields.
#[derive(Debug, Serialize)]
struct Object {
    #[serde(flatten)]
    check: CheckObject,
    timezone: String,
    window_seconds: u64,
    clipped_values: Vec<ClippedValue>,
    seasons: Vec<Value>,
    held_since: Option<String>,
    contributions: Vec<ContributionObject>,
    error_below: Option<f64>,
    error_above: Option<f64>,
    usual_error_below: Option<f64>,
    usual_error_above: Option<f64>,
    errors: Option<usize>,
    limits: Vec<Value>,
    score: Option<f64>,
    recurrence_buckets: Option<f64>,
    recurrence_seconds: Option<f64>,
}

#[derive(Debug, Serialize)]
struct ContributionObject {
    of: &'static str,
    season_seconds: Option<i64>,
    values: Option<usize>,
    value: f64,
}

/// The object on a line of its own.
pub fn write(
    metric: &Metric,
    evaluation: &Evaluation,
    workings: &Workings,
    files: Vec<PathBuf>,
) -> Result<String> {
    let forecast = workings.forecast.as_ref();
    let scale = forecast.map(|forecast| forecast.distribution.scale);
    let derivation = forecast.map(|forecast| &forecast.derivation);
    let usual = derivation.map(|derivation| derivation.usual_error);
    let seasons = forecast.map_or(&[][..], |forecast| &forecast.seasons);
    let limits = derivation.map_or(&[][..], |derivation| &derivation.limits);
    let rarity = evaluation.score;
    let rarity = rarity.map(|score| Rarity::of(score, workings.window.step()));
    let finite = |number: f64| number.is_finite().then_some(number);
    let object = Object {
        check: CheckObject::new(&MetricReport {
            evaluation: Some(evaluation.clone()),
            files,
            ..MetricReport::new(metric)
        }),
        timezone: workings.window.zone().to_string(),
        window_seconds: metric.window.as_secs(),
        clipped_values: clipped_values(workings),
        seasons: seasons
            .iter()
            .map(|season| {
                json!({"seconds": season.length.num_seconds(), "strength": season.strength})
            })
            .collect(),
        held_since: forecast.and_then(|forecast| forecast.held_since).map(stamp),
        contributions: contributions(forecast),
        error_below: scale.map(|scale| scale.below),
        error_above: scale.map(|scale| scale.above),
        usual_error_below: usual.map(|usual| usual.below),
        usual_error_above: usual.map(|usual| usual.above),
        errors: derivation.map(|derivation| derivation.errors),
        limits: limits
            .iter()
            .map(|limits| {
                let band = limits.band;
                json!({"level": limits.level.share(), "lower": band.lower, "upper": band.upper})
            })
            .collect(),
        score: evaluation.score,
        recurrence_buckets: rarity.and_then(|rarity| finite(rarity.buckets)),
        recurrence_seconds: rarity.and_then(|rarity| finite(rarity.seconds())),
    };
    let text = write_json(&object).context("write the explanation as JSON")?;
    Ok(text + "\n")
}

fn contributions(forecast: Option<&Forecast>) -> Vec<ContributionObject> {
    let Some(forecast) = forecast else {
        return Vec::new();
    };
    let row = |of, season: Option<&Season>, values, value| ContributionObject {
        of,
        season_seconds: season.map(|season| season.length.num_seconds()),
        values,
        value,
    };
    let contributions = forecast.derivation.contributions.iter();
    let contributions = contributions.map(|contribution| {
        let (of, season, values) = match contribution.role {
            Role::Level => ("level", None, None),
            Role::PastErrors => ("past_errors", None, None),
            Role::Recent(values) => ("recent", None, Some(values)),
            Role::Season(number) => ("season", forecast.seasons.get(number), None),
        };
        row(of, season, values, contribution.value)
    });
    let cut = cut(forecast).map(|cut| row("range", None, None, cut));
    contributions.chain(cut).collect()
}
