//! `bandwatch ack` and `bandwatch was`: somebody knows of what is open, or says what an incident was. Both
//! change the state as a run does, under its lock.

use anyhow::{Context as _, Result};
use chrono::{SubsecRound, TimeDelta};

use super::report::{brief_reason, write_incident};
use super::{Failure, check_is_known, state_place};
use crate::cli::{AckArgs, Exit, NatureWord, WasArgs};
use crate::config::Metric;
use crate::context::Context;
use crate::incident::{Acknowledgement, Alert, Author, MetricState, Nature};
use crate::output::owner::{this_host, this_person};
use crate::output::{one_line, print, write_time};
use crate::series::parse_time;
use crate::state::{Contents, State, Use};

/// So many incidents are listed where there is none at a time.
const MOST_LISTED: usize = 5;

pub fn acknowledge(context: &Context, args: &AckArgs) -> Result<Exit, Failure> {
    let metric = context.metric_or_group(Some(&args.metric), "an acknowledgement");
    let metric = metric.map_err(Failure::Misuse)?;
    let until = args.length.map(|length| {
        let until = TimeDelta::from_std(length)
            .ok()
            .and_then(|length| context.now.checked_add_signed(length));
        until.context("--for: too long")
    });
    let until = until.transpose().map_err(Failure::Misuse)?;
    let because = args.because.as_deref().map(brief_reason);
    let acknowledgement = Acknowledgement {
        by: author(),
        at: context.now_utc(),
        until: until.map(|until| until.to_utc().trunc_subsecs(0)),
        because: because.filter(|text| !text.is_empty()),
    };
    change(context, &metric, |contents| {
        let name = &metric.name;
        let is_meant = |of: &String| of == name || metric.key_of(of).is_some();
        let known = contents.metrics.iter_mut().filter(|(of, _)| is_meant(of));
        let open: Vec<String> = known
            .flat_map(|(of, known)| {
                let open = known.acknowledge(&acknowledgement).into_iter();
                open.map(move |alert| format!("{of} {}", write_open(context, alert)))
            })
            .collect();
        if open.is_empty() {
            return Ok(format!(
                "{name} has no open alert that could be acknowledged"
            ));
        }
        let end = match acknowledgement.until {
            None => "no repeats until it is worse, or over".to_string(),
            Some(until) => {
                let until = write_time(until.with_timezone(&context.zone()), context.now);
                format!("no repeats until {until}, unless it is worse, or over, before")
            }
        };
        let (listed, more) = (
            open.iter().take(MOST_LISTED),
            open.len().saturating_sub(MOST_LISTED),
        );
        let listed = listed.cloned().collect::<Vec<_>>().join(", ");
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        Ok(format!("{listed}{more}: {end}"))
    })
}

pub fn say_what_it_was(context: &Context, args: &WasArgs) -> Result<Exit, Failure> {
    let metric = context.metric(Some(&args.metric), "an answer");
    let metric = metric.map_err(Failure::Misuse)?;
    let at = args.at.as_deref();
    let at = at.map(|text| parse_time(text, context.zone()));
    let at = at.transpose().context("--at").map_err(Failure::Misuse)?;
    let nature = match args.nature {
        NatureWord::Fine => Nature::Fine,
        NatureWord::Real => Nature::Real,
    };
    change(context, &metric, |contents| {
        let name = &metric.name;
        let known = contents.metrics.entry(name.clone()).or_default();
        let Some(incident) = known.incident_at(at.map(|at| at.to_utc())) else {
            return Ok(explain_absence(context, name, known, at.is_some()));
        };
        known.answer(&incident, nature, author(), context.now_utc());
        let told = write_incident(&incident, context.now);
        Ok(match (nature, incident.is_open) {
            (Nature::Fine, is_open) => {
                let end = if is_open {
                    "; from now on it is mailed only if it gets worse, and its end is not"
                } else {
                    ""
                };
                format!(
                    "{name} {told} was fine: its values are learnt as usual ones, and one like it at that time of the week must be rarer to be told{end}"
                )
            }
            (Nature::Real, _) => {
                format!("{name} {told} was real: its values are not learnt from")
            }
        })
    })
}

/// Changes what is known of a metric, and prints what the change says.
fn change(
    context: &Context,
    metric: &Metric,
    change: impl FnOnce(&mut Contents) -> Result<String>,
) -> Result<Exit, Failure> {
    let (place, config) = (state_place(context, Use::Change)?, &context.config);
    let all = State::look(&place, &config.metrics);
    check_is_known(metric, all.contents())?;
    let mut state = State::wait(&place, &config.metrics, metric)?;
    let contents = state.contents_mut();
    let told = if contents.metrics.contains_key(&metric.name) {
        change(contents)?
    } else {
        format!(
            "no run that keeps its state in {place} has looked at {} yet",
            metric.name
        )
    };
    state.save()?;
    print(&(told + "\n"))?;
    Ok(Exit::Done)
}

fn author() -> Author {
    let name = |text: String| one_line(&text).chars().take(64).collect();
    Author {
        user: name(this_person()),
        host: name(this_host()),
    }
}

fn write_open(context: &Context, alert: &Alert) -> String {
    let since = write_time(alert.since.with_timezone(&context.zone()), context.now);
    let word = alert.condition.word().replace('_', " ").to_uppercase();
    format!("{word} since {since}")
}

fn explain_absence(context: &Context, name: &str, known: &MetricState, has_time: bool) -> String {
    let incidents = known.incidents();
    if incidents.is_empty() {
        return format!("no incident of {name} is remembered");
    }
    let which = if has_time { " at that time" } else { "" };
    let latest = incidents.iter().rev().take(MOST_LISTED);
    let latest: Vec<String> = latest
        .map(|incident| write_incident(incident, context.now))
        .collect();
    format!(
        "no incident of {name}{which}; the latest: {}",
        latest.join("; ")
    )
}
