//! An explanation as one JSON object: that of the check, and what led to it.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::rarity::Rarity;
use super::{clipped_values, cut};
use crate::commands::report::{MetricReport, check_object, stamp};
use crate::config::Metric;
use crate::detect::{Evaluation, Workings};
use crate::forecast::{Forecast, Role};

/// `src/commands/README.md` explains the fields.
pub fn object(
    metric: &Metric,
    evaluation: &Evaluation,
    workings: &Workings,
    files: Vec<PathBuf>,
) -> Value {
    let mut object = check_object(&MetricReport {
        evaluation: Some(evaluation.clone()),
        files,
        ..MetricReport::new(metric)
    });
    let forecast = workings.forecast.as_ref();
    let scale = forecast.map(|forecast| forecast.distribution.scale);
    let usual_error = forecast.map(|forecast| forecast.usual_error);
    let rarity = evaluation.score;
    let rarity = rarity.map(|score| Rarity::of(score, workings.window.step()));
    let finite = |number: f64| number.is_finite().then_some(number);
    let clipped = clipped_values(workings).into_iter().map(|clipped| {
        json!({
            "time": stamp(clipped.time),
            "value": clipped.value,
            "counted_as": clipped.counted_as,
        })
    });
    let seasons = forecast.into_iter().flat_map(|forecast| &forecast.seasons);
    let seasons = seasons.map(
        |season| json!({ "seconds": season.length.num_seconds(), "strength": season.strength }),
    );
    let limits = forecast.into_iter().flat_map(|forecast| &forecast.limits);
    let limits = limits.map(|limits| {
        let (level, band) = (limits.level.share(), limits.band);
        json!({ "level": level, "lower": band.lower, "upper": band.upper })
    });
    let own = json!({
        "timezone": workings.window.zone().to_string(),
        "window_seconds": metric.window.as_secs(),
        "clipped_values": clipped.collect::<Vec<_>>(),
        "seasons": seasons.collect::<Vec<_>>(),
        "held_since": forecast.and_then(|forecast| forecast.held_since).map(stamp),
        "contributions": forecast.map_or(Vec::new(), contributions),
        "error_below": scale.map(|scale| scale.below),
        "error_above": scale.map(|scale| scale.above),
        "usual_error_below": usual_error.map(|error| error.below),
        "usual_error_above": usual_error.map(|error| error.above),
        "errors": forecast.map(|forecast| forecast.errors),
        "limits": limits.collect::<Vec<_>>(),
        "score": evaluation.score,
        "recurrence_buckets": rarity.and_then(|rarity| finite(rarity.buckets)),
        "recurrence_seconds": rarity.and_then(|rarity| finite(rarity.seconds())),
    });
    if let (Value::Object(object), Value::Object(own)) = (&mut object, own) {
        object.extend(own);
    }
    object
}

fn contributions(forecast: &Forecast) -> Vec<Value> {
    let contribution = |of: &str, season: Option<i64>, values: Option<usize>, value: f64| json!({ "of": of, "season_seconds": season, "values": values, "value": value });
    let parts = forecast.contributions.iter();
    let parts = parts.map(|part| match part.role {
        Role::Level => contribution("level", None, None, part.value),
        Role::PastErrors => contribution("past_errors", None, None, part.value),
        Role::Recent(values) => contribution("recent", None, Some(values), part.value),
        Role::Season(number) => {
            let season = forecast.seasons.get(number);
            let length = season.map(|season| season.length.num_seconds());
            contribution("season", length, None, part.value)
        }
    });
    let cut = cut(forecast).map(|cut| contribution("range", None, None, cut));
    parts.chain(cut).collect()
}
