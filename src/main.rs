//! bandwatch checks the newest point of each business series against its band and mails an alert on
//! a breach. `watch` is the whole job; each step lives in the room of its name.

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
mod heartbeat;
mod incident;
mod judgement;
mod look;
mod mail;
mod notation;
mod outcome;
mod packing;
mod plan;
mod plots;
mod post;
mod report;
mod round;
mod series;
mod silencing;
mod source;
mod status;
mod store;
mod verdict;

use anyhow::Result;
use clap::Parser;

use cli::{Args, Command, Exit};
use config::Metric;
use dispatch::Alert;
use judgement::Judgement;
use look::Lookout;
use outcome::Outcome;
use plan::{Plan, Prepared, Upkeep};
use round::Round;
use source::Source;
use store::{Opening, Store};

fn main() -> Exit {
    let args = Args::parse();
    match &args.command {
        Some(Command::Backtest(args)) => return backtest::run(args),
        Some(Command::Explain(args)) => return explain::run(args),
        Some(Command::Status(args)) => return status::run(args),
        Some(Command::Silence(args)) => return silencing::silence(args),
        Some(Command::Unsilence(args)) => return silencing::unsilence(args),
        None => {}
    }
    let Prepared { plan, source } = match Plan::prepare(&args) {
        Ok(prepared) => prepared,
        Err(error) => {
            outcome::complain(&error);
            return Exit::Misused;
        }
    };
    plan.deadline.enforce();
    let done = match &plan.upkeep {
        Some(upkeep) => watch(&plan, source, upkeep),
        None => Ok(check_all(&plan, source)),
    };
    done.unwrap_or_else(|error| {
        outcome::complain(&error);
        Exit::Failed
    })
}

/// The whole job: look at every metric, remember what was seen, and tell what is new, once.
fn watch(plan: &Plan, source: Source, upkeep: &Upkeep) -> Result<Exit> {
    let (mut store, _lock) = match Store::open(&upkeep.state_dir) {
        Ok(Opening::Open { held, lock }) => (held, lock),
        Ok(Opening::Busy) => return outcome::say_that_another_is_at_work(plan),
        // Better an alert a minute than none.
        Err(error) => return Ok(outcome::complain_on(&error, check_all(plan, source))),
    };
    let wishes = round::wishes(plan, &store);
    let mut lookout = Lookout::begin(wishes, source, plan.now, plan.deadline.for_reading());
    let mut round = Round::take_in(plan, &mut lookout, &mut store);
    round.commit(&mut store);
    round.deliver(&mut store, upkeep);
    Ok(round.conclude(&mut store, upkeep))
}

/// Checks every metric and remembers nothing; one that fails does not stop the others.
fn check_all(plan: &Plan, mut source: Source) -> Exit {
    let mut exit = Exit::Done;
    for metric in &plan.metrics {
        let mut outcome = Outcome::of(metric);
        if let Err(error) = check(metric, plan, &mut source, &mut outcome) {
            outcome.fail(&error);
        }
        outcome.tell(plan);
        exit = exit.max(outcome.exit(plan));
    }
    exit
}

/// Reads, judges, and on a breach mails one metric.
fn check(metric: &Metric, plan: &Plan, source: &mut Source, outcome: &mut Outcome) -> Result<()> {
    let reading = source.read(metric, plan.as_of, plan.now)?;
    let judgement = outcome.judgement.insert(Judgement::of(reading, metric)?);
    outcome.is_in_breach = judgement.verdict.is_breach();
    if plan.calls_for_a_mail(judgement) {
        let drawn = chart::draw_pictures(metric, judgement);
        let pictures = outcome.failures.note(drawn);
        let alert = Alert {
            metric,
            judgement,
            writing: &mail::compose(metric, judgement, pictures.as_ref(), plan.contact()),
            pictures: pictures.as_ref(),
        };
        outcome.files = outcome
            .failures
            .note(alert.write_files(plan))
            .unwrap_or_default();
        outcome.deliveries = alert.send(plan)?;
    }
    Ok(())
}
