//! `bandwatch backtest`: history replayed through the very code a check runs. `replay` evaluates the
//! points, `mails` takes them through the incident machine, `summary` counts (`coverage`, `hint`, `excess`), and
//! `text`, `table` and `json` show it. Nothing is sent or remembered.

mod excess;
mod hint;
mod json;
mod mails;
mod outlook;
mod replay;
mod summary;
mod table;
#[cfg(test)]
mod tests;
mod text;

use anyhow::{Context as _, Error, Result, bail, ensure};

pub use self::json::BacktestObject;
pub use self::outlook::Outlook;
use super::report::{print_object, write_minute};
use super::{Failure, check_exists, informed, write_plot};
use crate::chart::{Point, draw_period};
use crate::cli::{BacktestArgs, BacktestFormat, Exit};
use crate::config::Metric;
use crate::context::{Context, check_picture_path};
use crate::forecast::needed_history;
use crate::incident::{MetricState, Said};
use crate::output::{print, print_page, write_length, write_setting};
use crate::series::{Observation, Steps};
use crate::source::History;
use crate::state::{Contents, State};
use replay::Replay;
use summary::Summary;

pub fn run(context: &Context, args: &BacktestArgs) -> Result<Exit, Failure> {
    let metric = metric(context, args).map_err(Failure::Misuse)?;
    let source = context.source(std::slice::from_ref(&metric), context.deadline);
    let mut source = source.map_err(Failure::Misuse)?;
    let state = match &context.input {
        // A file is no place that runs know anything of.
        Some(_) => None,
        None => context.look_at_state().ok(),
    };
    let contents = state.as_ref().map(State::contents);
    let history = source.history(&metric, args.last, context.now);
    history
        .and_then(|history| {
            check_exists(&metric, history.ends().is_some(), contents)?;
            backtest(&metric, &history, said(&metric, contents), args)
        })
        .with_context(|| metric.name.clone())?;
    Ok(Exit::Done)
}

/// The metric as configured, but for what the flags say.
fn metric(context: &Context, args: &BacktestArgs) -> Result<Metric> {
    let mut metric = context.metric(args.metric.as_deref(), "a backtest")?;
    if metric.series.is_some() && context.input.is_none() {
        let state = context.look_at_state()?;
        metric = informed(metric, &context.config, state.contents());
    }
    if let Some(level) = args.level {
        metric.method.level = level;
        metric.policy.budget = None;
    }
    if let Some(model) = args.model {
        metric.method.model = model;
    }
    if let Some(path) = &args.plot {
        check_picture_path(path)?;
    }
    let revised = metric.revised(args.window, args.every);
    revised.map_err(Error::msg)
}

/// What people answered.
fn said(metric: &Metric, contents: Option<&Contents>) -> Said {
    let known = contents.and_then(|contents| contents.metrics.get(&metric.name));
    known.map_or(Said::default(), MetricState::said)
}

fn backtest(metric: &Metric, history: &History, said: Said, args: &BacktestArgs) -> Result<()> {
    let points = choose_points(metric, args, history)?;
    let replay = Replay::new(history, &points, metric, said, args.stride)?;
    let summary = Summary::new(&replay, metric);
    let drawn = write_plot(args.plot.as_deref(), || draw(&replay, metric));
    match args.format {
        BacktestFormat::Text => {
            let picture = args.plot.as_deref().filter(|_| drawn.is_ok());
            print_page(&text::write(&summary, picture), &[])?;
        }
        BacktestFormat::Csv => print(&table::write(&replay))?,
        BacktestFormat::Json => print_object(&json::object(&summary))?,
    }
    drawn
}

/// The buckets with a value that can be judged; those of `--last`, if it is set.
fn choose_points(
    metric: &Metric,
    args: &BacktestArgs,
    history: &History,
) -> Result<Vec<Observation>> {
    let all = history.points(metric, None);
    ensure!(!all.is_empty(), "{}", too_short(metric, history));
    let chosen = history.points(metric, args.last);
    if let (true, Some(last)) = (chosen.is_empty(), args.last) {
        let last = write_setting(last);
        bail!("--last {last}: no value in that time; ask for more");
    }
    Ok(chosen)
}

fn too_short(metric: &Metric, history: &History) -> String {
    let (step, window) = (history.step(), metric.window(history.step()));
    let held = history.ends().map(|(oldest, end)| {
        let (length, from) = (write_length(end - oldest), write_minute(oldest));
        format!("{length} of history, from {from}")
    });
    let held = held.unwrap_or("no history".to_string());
    if metric.window.is_none() && step.per_day().is_none() {
        let needed = needed_history(step, &metric.method.seasons);
        let needed = needed.map_or(String::new(), |needed| format!(" of {needed}"));
        return format!(
            "{held}: nothing to judge, as judging starts after the first history{needed}"
        );
    }
    let count = step.count_in(window);
    let full = Steps { step, count };
    format!(
        "{held}: nothing to judge, as judging starts after the first full window of {full}; set a shorter --window"
    )
}

/// Value and band over the period, with its breaches, as PNG.
fn draw(replay: &Replay, metric: &Metric) -> Result<Vec<u8>> {
    let points = replay.points.iter().map(|point| Point {
        band: point.band,
        breach: point.side(),
        ..Point::new(replay.time(point), point.value)
    });
    let spacing = replay.step.times(replay.stride);
    let points: Vec<Point> = points.collect();
    draw_period(metric, &points, replay.level, spacing)
}
