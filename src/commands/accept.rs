//! `bandwatch accept`: the level of an open incident is the new normal, or is not to become it.

use anyhow::Context as _;
use chrono::{DateTime, Utc};

use super::{Failure, check_is_known, evaluate_newest, informed, state_place};
use crate::cli::{AcceptArgs, Exit};
use crate::context::Context;
use crate::incident::MetricState;
use crate::output::{print, write_change, write_time};
use crate::state::{State, Use};

pub fn run(context: &Context, args: &AcceptArgs) -> Result<Exit, Failure> {
    let metric = context.metric(Some(&args.metric), "a level");
    let metric = metric.map_err(Failure::Misuse)?;
    let (place, config) = (state_place(context, Use::Change)?, &context.config);
    // All series share the budget.
    let all = State::look(&place, &config.metrics);
    check_is_known(&metric, all.contents())?;
    let metric = informed(metric, config, all.contents());
    let mut state = State::wait(&place, &config.metrics, &metric)?;
    let name = &metric.name;
    let Some(known) = state.contents().metrics.get(name) else {
        let told = format!("no run that keeps its state in {place} has looked at {name} yet");
        print(&(told + "\n"))?;
        return Ok(Exit::Done);
    };
    if known.incident().is_none() {
        print(&format!(
            "{name} has no open incident, whose level could be accepted\n"
        ))?;
        return Ok(Exit::Done);
    }
    let time = |time: DateTime<Utc>| write_time(time.with_timezone(&context.zone()), context.now);
    let told = if args.keep {
        let known = state.contents_mut().metrics.get_mut(name);
        let since = known.and_then(MetricState::keep).map(time);
        let since = since.with_context(|| {
            format!("{name}: its incident is of an earlier version; try again after the next run")
        })?;
        format!(
            "the incident of {name} since {since} lasts until the values are back; adapt_after does not end it"
        )
    } else {
        context.deadline.enforce();
        let source = context.source(std::slice::from_ref(&metric), context.deadline);
        let mut source = source.map_err(Failure::Misuse)?;
        let answers = known.answers_for_forecast();
        let window = source.latest(&metric, None, context.now);
        let evaluation = window.and_then(|window| evaluate_newest(window, &metric, &answers));
        let evaluation = evaluation.with_context(|| name.clone())?;
        let known = state.contents_mut().metrics.get_mut(name);
        let level = known.and_then(|known| known.accept(&evaluation, &metric.policy));
        let level = level.with_context(|| {
            let reason = evaluation.reason();
            let reason = reason.unwrap_or("earlier weeks have nothing to compare it with");
            format!("{name}: its present level cannot be told: {reason}")
        })?;
        let since = level.since.map(time);
        let since = since.map_or(String::new(), |since| format!(" since {since}"));
        let change = write_change(f64::from(level.ratio) - 1.0);
        format!("the level of {name}{since}, {change}, counts as normal from now on")
    };
    state.save()?;
    print(&(told + "\n"))?;
    Ok(Exit::Done)
}
