//! `bandwatch explain`: a verdict made again as the check made it, by the very same code, and shown with
//! all that led to it.

mod json;
mod rarity;
#[cfg(test)]
mod tests;
mod text;

use anyhow::{Context as _, Result};
use chrono::DateTime;
use chrono_tz::Tz;

use super::{Failure, write_plot};
use crate::chart::draw_components;
use crate::cli::{Exit, ExplainArgs, Format};
use crate::commands::evaluate_newest;
use crate::commands::report::{write_answers, write_levels};
use crate::config::Metric;
use crate::context::{Context, check_picture_path};
use crate::detect::{Answers, Workings};
use crate::forecast::{Components, Forecast, decompose};
use crate::incident::MetricState;
use crate::output::print;
use crate::series::Window;
use crate::state::State;

pub fn run(context: &Context, args: &ExplainArgs) -> Result<Exit, Failure> {
    let metric = context.metric(args.metric.as_deref(), "an explanation");
    let metric = metric.map_err(Failure::Misuse)?;
    if let Some(path) = &args.plot {
        check_picture_path(path).map_err(Failure::Misuse)?;
    }
    let as_of = context.as_of(args.at.as_deref());
    let as_of = as_of.map_err(Failure::Misuse)?;
    let source = context.source(std::slice::from_ref(&metric), context.deadline);
    let mut source = source.map_err(Failure::Misuse)?;
    context.deadline.enforce();
    let window = source.latest(&metric, as_of, context.now);
    // A file is no place that runs know anything of.
    let state = context
        .input
        .is_none()
        .then(|| State::look(&context.state_dir()));
    let known = state
        .as_ref()
        .and_then(|state| state.contents().metrics.get(&metric.name));
    window
        .and_then(|window| explain(context, &metric, window, known, args))
        .with_context(|| metric.name.clone())?;
    Ok(Exit::Done)
}

fn explain(
    context: &Context,
    metric: &Metric,
    window: Window,
    known: Option<&MetricState>,
    args: &ExplainArgs,
) -> Result<()> {
    let answers = known.map_or(Answers::default(), MetricState::answers_for_forecast);
    let levels: Vec<String> = known.map_or(Vec::new(), |known| write_levels(known, context.now));
    let said = known.map_or(Vec::new(), |known| write_answers(known, context.now));
    let evaluation = evaluate_newest(window, metric, &answers)?;
    let workings = evaluation.workings.as_deref();
    let workings =
        workings.context("an evaluation without workings: a bug in bandwatch, please report it")?;
    let drawn = write_plot(args.plot.as_deref(), || {
        let components = decompose_history(metric, workings).context("--plot")?;
        draw_components(metric, &evaluation, workings, components.as_ref())
    });
    let picture = args.plot.as_deref().filter(|_| drawn.is_ok());
    print(&match args.format {
        Format::Text => text::write(metric, &evaluation, workings, [&levels, &said], picture),
        Format::Json => {
            let object = json::object(metric, &evaluation, workings, known, picture);
            format!("{object}\n")
        }
    })?;
    drawn
}

/// Where nothing was expected there is nothing to take apart.
fn decompose_history(metric: &Metric, workings: &Workings) -> Result<Option<Components>> {
    let split = workings.window.series.split_latest();
    let (Some(cleaned), Some(_), Some(split)) = (&workings.cleaned, &workings.forecast, split)
    else {
        return Ok(None);
    };
    decompose(&split.history, cleaned, &metric.method).context("take the history apart")
}

/// A value that the fit took for a less extreme one.
struct ClippedValue {
    time: DateTime<Tz>,
    value: f64,
    counted_as: f64,
}

/// The values that were clipped, oldest first.
fn clipped_values(workings: &Workings) -> Vec<ClippedValue> {
    let series = &workings.window.series;
    let clipped = workings.cleaned.iter().flat_map(|cleaned| {
        let history = &cleaned.history;
        cleaned.clipped.iter().filter_map(|index| {
            Some(ClippedValue {
                time: history.time(*index),
                value: series.values()[series.index(history.slot(*index))]?,
                counted_as: history.values()[*index]?,
            })
        })
    });
    clipped.collect()
}

/// What cutting the expectation to the values there can be added to it.
fn cut(forecast: &Forecast) -> Option<f64> {
    let cut = forecast.band.expected - forecast.distribution.expected;
    (cut != 0.0).then_some(cut)
}
