//! An explanation as one JSON object: that of the check, and what led to it.

use std::path::Path;

use serde_json::{Value, json};

use super::{Parts, clipped_values, cut};
use crate::commands::report::{MetricReport, answer_objects, check_object, stamp};
use crate::config::Metric;
use crate::detect::{Evaluation, Workings};
use crate::forecast::{Contribution, Forecast, Role};
use crate::incident::MetricState;

/// `src/commands/README.md` explains the fields.
pub fn object(
    metric: &Metric,
    evaluation: &Evaluation,
    workings: &Workings,
    parts: Parts,
    known: Option<&MetricState>,
    picture: Option<&Path>,
) -> Value {
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
    let clipped = clipped_values(workings).into_iter().map(|clipped| {
        json!({
            "time": stamp(clipped.time),
            "value": clipped.value,
            "counted_as": clipped.counted_as,
        })
    });
    let seasons = forecast.into_iter().flat_map(|forecast| &forecast.seasons);
    let seasons = seasons.map(
        |season| json!({ "seconds": season.length.length().num_seconds(), "strength": season.strength }),
    );
    let month_days = workings.month_days.effects.iter().map(|effect| {
        json!({
            "day": effect.day.to_string(),
            "ratio": effect.factor.ratio,
            "uncertainty": effect.factor.uncertainty,
            "occurrences": effect.occurrences,
            "is_present": effect.is_present,
        })
    });
    let limits = forecast.into_iter().flat_map(|forecast| &forecast.limits);
    let limits = limits.map(|limits| {
        let (level, band) = (limits.level.share(), limits.band);
        json!({ "level": level, "lower": band.lower, "upper": band.upper })
    });
    let own = json!({
        "timezone": workings.window.zone().to_string(),
        "window_seconds": metric.window(workings.window.step()).as_secs(),
        "clipped_values": clipped.collect::<Vec<_>>(),
        "seasons": seasons.collect::<Vec<_>>(),
        "month_days": month_days.collect::<Vec<_>>(),
        "answers": known.map_or(Vec::new(), |known| answer_objects(known.answers(), workings.window.zone())),
        "held_since": forecast.and_then(|forecast| forecast.held_since).map(stamp),
        "contributions": forecast.map_or(Vec::new(), contributions),
        "error_below": scale.map(|scale| scale.below),
        "error_above": scale.map(|scale| scale.above),
        "usual_error_below": usual_error.map(|error| error.below),
        "usual_error_above": usual_error.map(|error| error.above),
        "errors": forecast.map(|forecast| forecast.errors),
        "limits": limits.collect::<Vec<_>>(),
        "score": evaluation.score,
        "recurrence_buckets": recurrence,
        "recurrence_seconds": recurrence.map(|buckets| buckets * step),
    });
    let mut object = check_object(metric, &report);
    if let (Value::Object(object), Value::Object(own)) = (&mut object, own) {
        object.extend(own);
    }
    object
}

fn contributions(forecast: &Forecast) -> Vec<Value> {
    let object = |part: &Contribution| {
        let (of, season, values) = match part.role {
            Role::Level => ("level", None, None),
            Role::Event => ("event", None, None),
            Role::MonthDay => ("month_day", None, None),
            Role::PastErrors => ("past_errors", None, None),
            Role::Recent(values) => ("recent", None, Some(values)),
            Role::Season(number) => ("season", forecast.seasons.get(number), None),
        };
        let season = season.map(|season| season.length.length().num_seconds());
        json!({ "of": of, "season_seconds": season, "values": values, "value": part.value })
    };
    let cut = cut(forecast)
        .map(|cut| json!({ "of": "range", "season_seconds": null, "values": null, "value": cut }));
    let parts = forecast.contributions.iter();
    parts.map(object).chain(cut).collect()
}
