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

pub use self::json::ExplainObject;
use super::{Failure, check_exists, informed, write_plot};
use crate::chart::draw_components;
use crate::cli::{Exit, ExplainArgs, Format};
use crate::commands::evaluate_newest;
use crate::commands::report::{VERDICTS, print_object, write_answers, write_levels};
use crate::config::Metric;
use crate::context::{Context, check_picture_path};
use crate::detect::{Answers, Breakdown, Comparison, Evaluation, Workings};
use crate::forecast::{Components, Forecast, decompose};
use crate::incident::MetricState;
use crate::output::{print_page, write_error};
use crate::series::Window;
use crate::source::Source;
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
    // A file is no place that runs know anything of.
    let state = context
        .input
        .is_none()
        .then(|| context.look_at_state())
        .transpose()
        .map_err(Failure::Misuse)?;
    let metric = match &state {
        Some(state) => informed(metric, &context.config, state.contents()),
        None => metric,
    };
    let window = source.latest(&metric, as_of, context.now);
    let contents = state.as_ref().map(State::contents);
    let known = contents.and_then(|contents| contents.metrics.get(&metric.name));
    window
        .and_then(|window| {
            check_exists(&metric, window.has_rows(), contents)?;
            Ok(window)
        })
        .and_then(|window| explain(context, &metric, window, &mut source, known, args))
        .with_context(|| metric.name.clone())?;
    Ok(Exit::Done)
}

fn explain(
    context: &Context,
    metric: &Metric,
    window: Window,
    source: &mut Source,
    known: Option<&MetricState>,
    args: &ExplainArgs,
) -> Result<()> {
    let answers = known.map_or(Answers::default(), MetricState::answers_for_forecast);
    let told = Told {
        levels: known.map_or(Vec::new(), |known| write_levels(known, context.now)),
        answers: known.map_or(Vec::new(), |known| write_answers(known, context.now)),
    };
    let evaluation = evaluate_newest(window, metric, &answers)?;
    let parts = Parts::read(metric, &evaluation, source, context);
    let workings = evaluation.workings.as_deref();
    let workings =
        workings.context("an evaluation without workings: a bug in bandwatch, please report it")?;
    let drawn = write_plot(args.plot.as_deref(), || {
        let components = decompose_history(metric, workings).context("--plot")?;
        draw_components(metric, &evaluation, workings, components.as_ref())
    });
    let picture = args.plot.as_deref().filter(|_| drawn.is_ok());
    match args.format {
        Format::Text => {
            let page = text::write(metric, &evaluation, workings, &told, &parts, picture);
            print_page(&page, &VERDICTS)?;
        }
        Format::Json => {
            let object = json::object(metric, &evaluation, workings, parts, known, picture);
            print_object(&object)?;
        }
    }
    drawn
}

/// What people told bandwatch of the metric, a line each.
#[derive(Default)]
struct Told {
    levels: Vec<String>,
    answers: Vec<String>,
}

/// The parts of the newest bucket.
pub(super) enum Parts {
    /// `None`: there is nothing to be said of them.
    Found(Option<Breakdown>),
    /// They could not be read, and why.
    Failed(String),
}

impl Parts {
    fn read(
        metric: &Metric,
        evaluation: &Evaluation,
        source: &mut Source,
        context: &Context,
    ) -> Self {
        let comparison = evaluation
            .window()
            .zip(evaluation.judged_time())
            .filter(|_| !metric.rows.explain_by().is_empty())
            .and_then(|(window, time)| Comparison::new(window, time));
        let Some(comparison) = comparison else {
            return Self::Found(None);
        };
        match source.parts(metric, &comparison, context.now) {
            Ok(columns) => Self::Found(comparison.explain(columns)),
            Err(error) => Self::Failed(write_error(&error.context("explain_by"))),
        }
    }
}

/// The history and the evaluated bucket. Where nothing was expected there is nothing to take apart.
fn decompose_history(metric: &Metric, workings: &Workings) -> Result<Option<Components>> {
    let split = workings.window.series.split_latest();
    let (Some(cleaned), Some(_), Some(split)) = (&workings.cleaned, &workings.forecast, split)
    else {
        return Ok(None);
    };
    let seen = split.history.with(split.latest.value);
    let month_days = &workings.month_days;
    let ordinary = month_days.taken_out_of(seen.clone());
    let history = month_days.taken_out_of(split.history);
    let components = decompose(&history, cleaned, &metric.method);
    let components = components.context("take the history apart")?;
    let latest = ordinary.values().last().copied().flatten();
    let continued = components.zip(latest).map(|(components, latest)| {
        let components = components.continued(latest);
        if month_days.effects.is_empty() {
            components
        } else {
            components.with_month_days(seen.values(), ordinary.values())
        }
    });
    Ok(continued)
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
