//! What came of one metric in this run: told on the terminal, and in the exit code.

use std::io::{ErrorKind, Write};
use std::path::PathBuf;

use anyhow::{Context, Error, Result};
use chrono::DateTime;
use chrono_tz::Tz;

use crate::cli::{Exit, Format};
use crate::commands::report::{Account, Verbosity, write_account};
use crate::config::Metric;
use crate::context::Plan;
use crate::detect::Evaluation;
use crate::notify::email::Delivery;
use crate::output;

#[derive(Debug)]
pub struct Outcome<'a> {
    metric: &'a Metric,
    /// None where the metric could not be read or judged.
    pub evaluation: Option<Evaluation>,
    pub files: Vec<PathBuf>,
    pub deliveries: Vec<Delivery>,
    pub failures: Failures,
    /// Whether its newest point is outside its band.
    pub is_in_breach: bool,
    /// The bucket that was judged last, where there is none after it to judge.
    pub unchanged_since: Option<DateTime<Tz>>,
}

/// What could not be done, each on one line.
#[derive(Debug, Default)]
pub struct Failures(Vec<String>);

impl Failures {
    /// What could not be done, none of which stops the run.
    pub fn note_all(&mut self, errors: impl IntoIterator<Item = Error>) {
        self.0
            .extend(errors.into_iter().map(|error| one_line(&error)));
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Says each on standard error.
    pub fn complain(&self) {
        for failure in &self.0 {
            let _ = writeln!(std::io::stderr(), "bandwatch: {failure}");
        }
    }

    pub fn add(&mut self, failure: String) {
        self.0.push(failure);
    }

    /// The value, or a note of what failed: for steps that must not stop the alert.
    pub fn note<T>(&mut self, result: Result<T>) -> Option<T> {
        result.map_err(|error| self.0.push(one_line(&error))).ok()
    }
}

impl<'a> Outcome<'a> {
    pub fn of(metric: &'a Metric) -> Self {
        Self {
            metric,
            evaluation: None,
            files: Vec::new(),
            deliveries: Vec::new(),
            failures: Failures::default(),
            is_in_breach: false,
            unchanged_since: None,
        }
    }

    pub fn fail(&mut self, error: &Error) {
        self.failures.0.push(one_line(error));
    }

    /// Prints what there is to tell; failures on standard error, in any case.
    pub fn tell(&self, plan: &Plan) {
        let failures = self.all_failures();
        let account = Account {
            metric: self.metric,
            evaluation: self.evaluation.as_ref(),
            unchanged_since: self.unchanged_since,
            deliveries: &self.deliveries,
            files: &self.files,
            failures: &failures,
        };
        if let Some(text) = write_account(&account, plan.format, plan.verbosity) {
            // A reader that has gone (as in `| head`) is no reason to stop checking.
            let _ = writeln!(std::io::stdout(), "{text}");
        }
        for failure in failures {
            let _ = writeln!(
                std::io::stderr(),
                "bandwatch: {}: {failure}",
                self.metric.name
            );
        }
    }

    pub fn exit(&self, plan: &Plan) -> Exit {
        if !self.all_failures().is_empty() {
            return Exit::Failed;
        }
        if self.is_in_breach && plan.tells_breach_by_exit_code {
            Exit::Breach
        } else {
            Exit::Done
        }
    }

    fn all_failures(&self) -> Vec<String> {
        let refused = self
            .deliveries
            .iter()
            .filter_map(|delivery| delivery.outcome.as_ref().err());
        self.failures
            .0
            .iter()
            .cloned()
            .chain(refused.map(one_line))
            .collect()
    }
}

/// A run that finds another one at work has nothing to do, and nothing to complain about.
///
/// # Errors
///
/// If standard output cannot be written to.
pub fn say_that_another_is_at_work(plan: &Plan) -> Result<Exit> {
    let told = "bandwatch: another run is still at work; this one checked nothing";
    match (plan.verbosity, plan.format) {
        (Verbosity::Quiet, _) => {}
        (_, Format::Text) => print(&format!("{told}\n"))?,
        // Standard output is for objects.
        (_, Format::Json) => {
            let _ = writeln!(std::io::stderr(), "{told}");
        }
    }
    Ok(Exit::Done)
}

/// Says on standard error what kept the whole run from being begun.
pub fn complain(error: &Error) {
    let _ = writeln!(std::io::stderr(), "bandwatch: {}", one_line(error));
}

/// Says what of a run could not be done as it should, beside how it ended.
pub fn complain_on(error: &Error, exit: Exit) -> Exit {
    complain(error);
    exit.max(Exit::Failed)
}

/// Prints what a command was asked for. A reader that has gone (as in `| head`) wanted no more; a disk
/// that is full is told.
///
/// # Errors
///
/// If standard output cannot be written to.
pub fn print(text: &str) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    match stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
    {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(error).context("write to standard output")
        }
        _ => Ok(()),
    }
}

fn one_line(error: &Error) -> String {
    output::one_line(&format!("{error:#}"))
}
