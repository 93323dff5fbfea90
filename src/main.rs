//! bandwatch checks the newest point of each business series against its band and mails an alert on
//! a breach. `check` is the whole job; each step lives in the room of its name.

mod backtest;
mod chart;
mod clean;
mod cli;
mod config;
mod deadline;
mod dispatch;
mod explain;
mod fingerprint;
mod forecast;
mod judgement;
mod mail;
mod notation;
mod outcome;
mod plan;
mod plots;
mod report;
mod series;
mod source;
mod verdict;

use anyhow::Result;
use clap::Parser;

use cli::{Args, Command, Exit};
use config::Metric;
use judgement::Judgement;
use outcome::Outcome;
use plan::{Plan, Prepared};
use source::Source;

fn main() -> Exit {
    let args = Args::parse();
    match &args.command {
        Some(Command::Backtest(args)) => return backtest::run(args),
        Some(Command::Explain(args)) => return explain::run(args),
        None => {}
    }
    match Plan::prepare(&args) {
        Ok(Prepared { plan, source }) => run(&plan, source),
        Err(error) => {
            outcome::complain(&error);
            Exit::Misused
        }
    }
}

/// Checks every metric; one that fails does not stop the others.
fn run(plan: &Plan, mut source: Source) -> Exit {
    plan.deadline.enforce();
    let mut exit = Exit::Done;
    for metric in &plan.metrics {
        let mut outcome = Outcome::default();
        if let Err(error) = check(metric, plan, &mut source, &mut outcome) {
            outcome.fail(&error);
        }
        outcome.tell(metric, plan);
        exit = exit.max(outcome.exit(plan));
    }
    exit
}

/// The whole job, for one metric.
fn check(metric: &Metric, plan: &Plan, source: &mut Source, outcome: &mut Outcome) -> Result<()> {
    let reading = source.read(metric, plan.as_of, plan.now)?;
    let judgement = outcome.judgement.insert(Judgement::of(reading, metric)?);
    if plan.calls_for_a_mail(judgement) {
        let drawn = chart::draw_pictures(metric, judgement);
        let pictures = outcome.failures.note(drawn);
        let writing = mail::compose(metric, judgement, pictures.as_ref(), plan.contact())?;
        let written = dispatch::write_files(plan, metric, pictures.as_ref(), &writing);
        outcome.files = outcome.failures.note(written).unwrap_or_default();
        outcome.deliveries = dispatch::send(plan, metric, &writing)?;
    }
    Ok(())
}
