//! What came of one metric in this run: told on the terminal, and in the exit code.

use std::io::{ErrorKind, Write};
use std::path::PathBuf;

use anyhow::{Context, Error, Result};

use crate::cli::Exit;
use crate::config::Metric;
use crate::judgement::Judgement;
use crate::mail::Delivery;
use crate::notation;
use crate::plan::Plan;
use crate::report::{Account, write_account};

#[derive(Debug, Default)]
pub struct Outcome {
    /// None where the metric could not be read or judged.
    pub judgement: Option<Judgement>,
    pub files: Vec<PathBuf>,
    pub deliveries: Vec<Delivery>,
    pub failures: Failures,
}

/// What could not be done, each on one line.
#[derive(Debug, Default)]
pub struct Failures(Vec<String>);

impl Failures {
    /// The value, or a note of what failed: for steps that must not stop the alert.
    pub fn note<T>(&mut self, result: Result<T>) -> Option<T> {
        result.map_err(|error| self.0.push(one_line(&error))).ok()
    }
}

impl Outcome {
    pub fn fail(&mut self, error: &Error) {
        self.failures.0.push(one_line(error));
    }

    /// Prints what there is to tell; failures on standard error, in any case.
    pub fn tell(&self, metric: &Metric, plan: &Plan) {
        let failures = self.all_failures();
        let account = Account {
            metric,
            judgement: self.judgement.as_ref(),
            deliveries: &self.deliveries,
            files: &self.files,
            failures: &failures,
        };
        if let Some(text) = write_account(&account, plan.format, plan.verbosity) {
            // A reader that has gone (as in `| head`) is no reason to stop checking.
            let _ = writeln!(std::io::stdout(), "{text}");
        }
        for failure in failures {
            let _ = writeln!(std::io::stderr(), "bandwatch: {}: {failure}", metric.name);
        }
    }

    pub fn exit(&self, plan: &Plan) -> Exit {
        if !self.all_failures().is_empty() {
            return Exit::Failed;
        }
        let in_breach = self
            .judgement
            .as_ref()
            .is_some_and(|judgement| judgement.verdict.is_breach());
        if in_breach && plan.tells_breach_by_exit_code {
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

/// Says on standard error what kept the whole run from being begun.
pub fn complain(error: &Error) {
    let _ = writeln!(std::io::stderr(), "bandwatch: {}", one_line(error));
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
    notation::one_line(&format!("{error:#}"))
}
