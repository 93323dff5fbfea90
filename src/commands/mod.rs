#![doc = include_str!("README.md")]
//!
//! One file or folder a command. Each gets the [`Context`] and its arguments,
//! and returns how it ended.

pub mod accept;
pub mod answer;
pub mod backtest;
pub mod check;
mod coverage;
pub mod create_tables;
pub mod doctor;
pub mod explain;
pub mod init;
mod monitoring;
mod report;
pub mod schema;
pub mod silence;
pub mod status;
pub mod test_mail;
#[cfg(test)]
mod tests;
pub mod weekly;

use std::path::{Path, absolute};

use anyhow::{Context as _, Error, Result, ensure};

use crate::config::{Config, Metric, SYSTEM_FILE};
use crate::context::Context;
use crate::detect::{Answers, Evaluation, Verdict, evaluate};
use crate::notify::email::Invocation;
use crate::output::owner::{ROOT, quote, this_user, user_name};
use crate::output::{READABLE, contain, write_error, write_whole};
use crate::series::Window;
use crate::source::UnknownSeries;
use crate::state::{Contents, Place, Use};

/// Why a command did not do what it was asked for.
#[derive(Debug)]
pub enum Failure {
    /// Wrong usage or configuration; nothing was contacted.
    Misuse(Error),
    Failed(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Where the state is, for a command that is to use it.
fn state_place(context: &Context, wanted: Use) -> Result<Place, Failure> {
    let check = || {
        let place = context.state_place()?;
        place.check_use(wanted, context.config.path(), None)?;
        Ok(place)
    };
    check().map_err(Failure::Misuse)
}

/// The metrics, and after each its series as far as they are known, with what people call them.
pub fn watched(metrics: &[Metric], contents: &Contents) -> Vec<Metric> {
    let mut watched = Vec::new();
    for metric in metrics {
        watched.push(metric.clone());
        if metric.group.is_none() {
            continue;
        }
        let notes = contents.series.get(&metric.name);
        let count = contents.count_series(&metric.name);
        watched.extend(contents.series_of(&metric.name).filter_map(|(name, _)| {
            let title = notes.and_then(|notes| notes.titles.get(name));
            Some(metric.of_series(&metric.key_of(name)?, title.map(String::as_str), count))
        }));
    }
    watched
}

/// A series that somebody named, with what is known of it: its title, and its share of the budget.
fn informed(metric: Metric, config: &Config, contents: &Contents) -> Metric {
    let Some(series) = &metric.series else {
        return metric;
    };
    let Some((of, _)) = config.find(&series.metric) else {
        return metric;
    };
    let count = contents.count_series(&series.metric);
    let is_known = contents.metrics.contains_key(&metric.name);
    let others = count - usize::from(is_known);
    let notes = contents.series.get(&series.metric);
    let title = notes.and_then(|notes| notes.titles.get(&metric.name));
    of.of_series(&series.key, title.map(String::as_str), others + 1)
}

/// Refuses a series that no run has seen, where they have seen others of its metric.
fn check_is_known(metric: &Metric, contents: &Contents) -> Result<()> {
    let Some(series) = &metric.series else {
        return Ok(());
    };
    let mut others = contents
        .series_of(&series.metric)
        .map(|(name, _)| name.clone())
        .peekable();
    ensure!(
        contents.metrics.contains_key(&metric.name) || others.peek().is_none(),
        UnknownSeries::never_seen(&metric.name).among(others)
    );
    Ok(())
}

/// Refuses a series of which neither a run has seen anything, nor are there rows.
fn check_exists(metric: &Metric, has_rows: bool, contents: Option<&Contents>) -> Result<()> {
    let Some(series) = metric.series.as_ref().filter(|_| !has_rows) else {
        return Ok(());
    };
    let unknown = UnknownSeries::without_rows(&metric.name);
    let Some(contents) = contents else {
        return Err(unknown.into());
    };
    let others = contents.series_of(&series.metric);
    ensure!(
        contents.metrics.contains_key(&metric.name),
        unknown.among(others.map(|(name, _)| name.clone()))
    );
    Ok(())
}

/// How the commands of a mail are given: as whoever runs this, with this configuration.
fn invocation(context: &Context) -> Invocation {
    let host = hostname::get().map(|name| name.to_string_lossy().into_owned());
    let user = this_user().filter(|user| *user != ROOT).map(user_name);
    let user = user.map_or(String::new(), |user| format!("sudo -u {} ", quote(&user)));
    let path = context
        .config
        .path()
        .filter(|path| *path != Path::new(SYSTEM_FILE));
    let config = path.and_then(|path| absolute(path).ok());
    let config = config.map_or(String::new(), |path| {
        format!(" --config {}", quote(&path.to_string_lossy()))
    });
    Invocation {
        host: host.unwrap_or("this machine".into()),
        program: format!("{user}bandwatch{config}"),
        input: context.input.clone(),
    }
}

/// The newest point of a window, under the rules of its metric.
fn evaluate_newest(window: Window, metric: &Metric, answers: &Answers) -> Result<Evaluation> {
    let suits = metric.policy.check_step(window.step());
    suits.map_err(Error::msg)?;
    evaluate(window, &metric.method, answers)
}

/// One of many. A window that cannot be judged must not keep the others from it.
fn evaluate_past(window: Window, metric: &Metric, answers: &Answers) -> Evaluation {
    let judge = || evaluate_newest(window.clone(), metric, answers);
    contain("judge a bucket", judge).unwrap_or_else(|error| {
        let verdict = Verdict::Undecided(write_error(&error));
        Evaluation::without_forecast(window, metric.method.level, verdict, None)
    })
}

/// Draws the picture, if one is wanted.
fn write_plot(path: Option<&Path>, draw: impl FnOnce() -> Result<Vec<u8>>) -> Result<()> {
    path.map_or(Ok(()), |path| {
        write_whole(path, &draw()?, READABLE)
            .with_context(|| format!("--plot: write {}", path.display()))
    })
}
