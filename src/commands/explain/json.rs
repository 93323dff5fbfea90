//! An explanation as one JSON object: that of the check, and what led to it.

use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;

use super::{Parts, clipped_values, cut};
use crate::commands::report::{
    AnswerObject, CheckObject, MetricReport, Stamp, answer_objects, check_object, stamp,
};
use crate::config::Metric;
use crate::detect::{Evaluation, Workings};
use crate::forecast::{Contribution, Forecast, Role};
use crate::incident::MetricState;

/// `src/commands/README.md` explains the fields.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ExplainObject {
    #[serde(flatten)]
    check: CheckObject,
    timezone: String,
    window_seconds: u64,
    clipped_values: Vec<ClippedObject>,
    seasons: Vec<SeasonObject>,
    month_days: Vec<MonthDayObject>,
    answers: Vec<AnswerObject>,
    held_since: Option<Stamp>,
    contributions: Vec<ContributionObject>,
    error_below: Option<f64>,
    error_above: Option<f64>,
    usual_error_below: Option<f64>,
    usual_error_above: Option<f64>,
    errors: Option<usize>,
    limits: Vec<LimitsObject>,
    score: Option<f64>,
    recurrence_buckets: Option<f64>,
    recurrence_seconds: Option<f64>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ClippedObject {
    time: Stamp,
    value: f64,
    counted_as: f64,
}

#[derive(Debug, Serialize, JsonSchema)]
struct SeasonObject {
    seconds: i64,
    strength: f64,
}

#[derive(Debug, Serialize, JsonSchema)]
struct MonthDayObject {
    day: String,
    ratio: f64,
    uncertainty: f64,
    occurrences: usize,
    is_present: bool,
}

#[derive(Debug, Serialize, JsonSchema)]
struct LimitsObject {
    level: f64,
    lower: f64,
    upper: f64,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ContributionObject {
    of: &'static str,
    season_seconds: Option<i64>,
    values: Option<usize>,
    value: f64,
}

pub fn object(
    metric: &Metric,
    evaluation: &Evaluation,
    workings: &Workings,
    parts: Parts,
    known: Option<&MetricState>,
    picture: Option<&Path>,
) -> ExplainObject {
    let (breakdown, failure) = match parts {
        Parts::Found(breakdown) => (breakdown, None),
        Parts::Failed(why) => (None, Some(why)),
    };
    let report = MetricReport {
        breakdown,
        failures: failure.into_iter().collect(),
        evaluation: Some(evaluation.clone()),
        files: picture.into_iter().map(Path::to_path_buf).collect(),
        ..MetricReport::default()
    };
    let forecast = workings.forecast.as_ref();
    let scale = forecast.map(|forecast| forecast.distribution.scale);
    let usual_error = forecast.map(|forecast| forecast.usual_error);
    let step = workings.window.step().mean_length().as_seconds_f64();
    let recurrence = evaluation.score.map(f64::recip);
    let clipped = clipped_values(workings).into_iter();
    let seasons = forecast.into_iter().flat_map(|forecast| &forecast.seasons);
    let month_days = workings.month_days.effects.iter();
    let limits = forecast.into_iter().flat_map(|forecast| &forecast.limits);
    let zone = workings.window.zone();
    ExplainObject {
        check: check_object(metric, &report),
        timezone: zone.to_string(),
        window_seconds: metric.window(workings.window.step()).as_secs(),
        clipped_values: clipped
            .map(|clipped| ClippedObject {
                time: stamp(clipped.time),
                value: clipped.value,
                counted_as: clipped.counted_as,
            })
            .collect(),
        seasons: seasons
            .map(|season| SeasonObject {
                seconds: season.length.length().num_seconds(),
                strength: season.strength,
            })
            .collect(),
        month_days: month_days
            .map(|effect| MonthDayObject {
                day: effect.day.to_string(),
                ratio: effect.factor.ratio,
                uncertainty: effect.factor.uncertainty,
                occurrences: effect.occurrences,
                is_present: effect.is_present,
            })
            .collect(),
        answers: known.map_or(Vec::new(), |known| answer_objects(known.answers(), zone)),
        held_since: forecast.and_then(|forecast| forecast.held_since).map(stamp),
        contributions: forecast.map_or(Vec::new(), contributions),
        error_below: scale.map(|scale| scale.below),
        error_above: scale.map(|scale| scale.above),
        usual_error_below: usual_error.map(|error| error.below),
        usual_error_above: usual_error.map(|error| error.above),
        errors: forecast.map(|forecast| forecast.errors),
        limits: limits
            .map(|limits| LimitsObject {
                level: limits.level.share(),
                lower: limits.band.lower,
                upper: limits.band.upper,
            })
            .collect(),
        score: evaluation.score,
        recurrence_buckets: recurrence,
        recurrence_seconds: recurrence.map(|buckets| buckets * step),
    }
}

fn contributions(forecast: &Forecast) -> Vec<ContributionObject> {
    let object = |part: &Contribution| {
        let (of, season, values) = match part.role {
            Role::Level => ("level", None, None),
            Role::Event => ("event", None, None),
            Role::MonthDay => ("month_day", None, None),
            Role::PastErrors => ("past_errors", None, None),
            Role::Recent(values) => ("recent", None, Some(values)),
            Role::Season(number) => ("season", forecast.seasons.get(number), None),
        };
        ContributionObject {
            of,
            season_seconds: season.map(|season| season.length.length().num_seconds()),
            values,
            value: part.value,
        }
    };
    let cut = cut(forecast).map(|cut| ContributionObject {
        of: "range",
        season_seconds: None,
        values: None,
        value: cut,
    });
    let parts = forecast.contributions.iter();
    parts.map(object).chain(cut).collect()
}
