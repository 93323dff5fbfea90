//! `bandwatch` without a command: the whole job.

mod dispatch;
pub mod look;
mod round;

use anyhow::Result;

use crate::chart;
use crate::cli::{Args, Exit};
use crate::commands::outcome::{self, Outcome};
use crate::config::Metric;
use crate::context::{Plan, Prepared, Upkeep};
use crate::detect::{Evaluation, evaluate};
use crate::notify::mail;
use crate::source::Source;
use crate::state::{Opening, Store};
use dispatch::Alert;
use look::Lookout;
use round::Round;

/// Checks every metric.
pub fn run(args: &Args) -> Exit {
    let Prepared { plan, source } = match Plan::prepare(args) {
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
    let reading = source.latest(metric, plan.as_of, plan.now)?;
    let evaluation = outcome
        .evaluation
        .insert(evaluate(reading, &metric.method)?);
    outcome.is_in_breach = evaluation.is_breach();
    if plan.calls_for_a_mail(evaluation) {
        let drawn = chart::draw_pictures(metric, evaluation);
        let pictures = outcome.failures.note(drawn);
        let alert = Alert {
            metric,
            evaluation,
            writing: &mail::compose(metric, evaluation, pictures.as_ref(), plan.contact()),
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
