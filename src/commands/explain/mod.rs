//! `bandwatch explain`: a verdict made again as the check made it, by the very same code, and told
//! with all that led to it. `text` and `json` tell it.

mod json;
mod plan;
mod rarity;
#[cfg(test)]
mod tests;
mod text;

use std::path::PathBuf;

use anyhow::{Context, Result};
use chrono::DateTime;
use chrono_tz::Tz;

use crate::chart::draw_components;
use crate::cli::{Exit, ExplainArgs, Format};
use crate::commands::outcome::{complain, print};
use crate::config::Metric;
use crate::detect::{Evaluation, Workings, evaluate};
use crate::forecast::{Components, Forecast, decompose};
use crate::output::write_whole;
use crate::source::Source;
use plan::ExplainPlan;

pub fn run(args: &ExplainArgs) -> Exit {
    let prepared = match ExplainPlan::prepare(args) {
        Ok(prepared) => prepared,
        Err(error) => {
            complain(&error);
            return Exit::Misused;
        }
    };
    let name = prepared.plan.metric.name.clone();
    prepared.plan.deadline.enforce();
    match explain(&prepared.plan, prepared.source).context(name) {
        Ok(()) => Exit::Done,
        Err(error) => {
            complain(&error);
            Exit::Failed
        }
    }
}

fn explain(plan: &ExplainPlan, mut source: Source) -> Result<()> {
    let reading = source.latest(&plan.metric, plan.as_of, plan.now)?;
    let evaluation = evaluate(reading, &plan.metric.method)?;
    let workings = evaluation.workings.clone();
    let workings =
        workings.context("an evaluation without workings: a bug in bandwatch, please report it")?;
    let drawn = draw(plan, &evaluation, &workings);
    let files: Vec<PathBuf> = drawn.iter().flatten().cloned().collect();
    print(&match plan.format {
        Format::Text => text::write(&plan.metric, &evaluation, &workings, &files),
        Format::Json => json::write(&plan.metric, &evaluation, &workings, &files)?,
    })?;
    drawn.map(drop)
}

/// Draws the picture if one is wanted, and says where it is.
fn draw(
    plan: &ExplainPlan,
    evaluation: &Evaluation,
    workings: &Workings,
) -> Result<Option<PathBuf>> {
    let Some(path) = &plan.plot else {
        return Ok(None);
    };
    let components = take_apart(&plan.metric, workings).context("--plot")?;
    let picture = draw_components(&plan.metric, evaluation, workings, components.as_ref())?;
    write_whole(path, &picture).with_context(|| format!("--plot: write {}", path.display()))?;
    Ok(Some(path.clone()))
}

/// Where nothing was expected there is nothing to take apart.
fn take_apart(metric: &Metric, workings: &Workings) -> Result<Option<Components>> {
    let (Some(cleaned), Some(_)) = (&workings.cleaned, &workings.forecast) else {
        return Ok(None);
    };
    let Some(split) = workings.window.series.split_latest() else {
        return Ok(None);
    };
    decompose(&split.history, cleaned, &metric.method).context("take the history apart")
}

/// A value that the fit took for a less extreme one.
#[derive(Debug, Clone, Copy, PartialEq)]
struct ClippedValue {
    time: DateTime<Tz>,
    value: f64,
    counted_as: f64,
}

/// The values that were clipped, oldest first.
fn clipped_values(workings: &Workings) -> Vec<ClippedValue> {
    let Some(cleaned) = &workings.cleaned else {
        return Vec::new();
    };
    let (series, history) = (&workings.window.series, &cleaned.history);
    let clipped = cleaned.clipped.iter();
    clipped
        .filter_map(|index| {
            Some(ClippedValue {
                time: history.time(*index),
                value: series.values()[series.index(history.slot(*index))]?,
                counted_as: history.values()[*index]?,
            })
        })
        .collect()
}

/// What cutting the expectation to the values there can be added to it.
fn cut(forecast: &Forecast) -> Option<f64> {
    let cut = forecast.band.expected - forecast.distribution.expected;
    (cut != 0.0).then_some(cut)
}
