//! What a reader can do: the note and the link of the metric, and the commands to give where bandwatch runs.

use std::path::PathBuf;

use chrono::{DateTime, TimeDelta, Utc};

use super::Letterhead;
use super::message::{Advice, Command};
use super::phrases::stands_acknowledged;
use crate::config::Metric;
use crate::detect::Evaluation;
use crate::incident::Condition;
use crate::notify::{AlertKind, Notification};
use crate::output::isolate;
use crate::output::owner::quote;
use crate::series::{Bucket, Step};

/// How bandwatch is called, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    pub host: String,
    /// With whatever must stand before a command.
    pub program: String,
    /// The file that stands for the database: of what is read from one, nothing is remembered.
    pub input: Option<PathBuf>,
}

/// About an alert. `otherwise` is said of what is no open incident, and where the metric has no note.
pub fn advice(
    metric: &Metric,
    notification: &Notification,
    otherwise: &str,
    letterhead: &Letterhead,
) -> Advice {
    // What keeps a metric from being watched has remedies of its own.
    let is_incident = notification.alert.side().is_some() && !notification.is_resolved();
    let note = metric.note.as_deref().filter(|_| is_incident).map(isolate);
    Advice {
        text: note.unwrap_or_else(|| otherwise.to_string()),
        link: metric.link.clone(),
        host: letterhead
            .invocation
            .map(|invocation| invocation.host.clone()),
        commands: commands(metric, notification, letterhead),
    }
}

/// About several alerts.
pub fn advice_on_many(text: &str, letterhead: &Letterhead) -> Advice {
    let commands = letterhead.invocation.map(|invocation| Command {
        purpose: "See all",
        line: format!("{} status", invocation.program),
    });
    Advice {
        text: text.to_string(),
        link: None,
        host: letterhead
            .invocation
            .map(|invocation| invocation.host.clone()),
        commands: commands.into_iter().collect(),
    }
}

/// The commands of a mail, in the order in which somebody may want them.
fn commands(metric: &Metric, notification: &Notification, letterhead: &Letterhead) -> Vec<Command> {
    let Some(invocation) = letterhead.invocation else {
        return Vec::new();
    };
    let (program, name) = (&invocation.program, quote(&metric.name));
    let command = |purpose, words: String| Command {
        purpose,
        line: format!("{program} {words}"),
    };
    let alert = notification.alert;
    let judged = match alert.condition {
        Condition::Breach(_) => alert.evaluation.as_ref(),
        _ => None,
    };
    if let Some(input) = &invocation.input {
        let input = quote(&input.to_string_lossy());
        return vec![command("Details", format!("explain --input {input}"))];
    }
    let mut commands = Vec::new();
    commands.extend(judged.map(|evaluation| {
        let at = explained_at(metric, evaluation, letterhead);
        command("Details", format!("explain --metric {name} --at {at}"))
    }));
    if !notification.is_resolved() {
        if !stands_acknowledged(notification, letterhead.now.to_utc()) {
            commands.push(command("No reminders", format!("ack {name}")));
        }
        if judged.is_some() {
            let at = stamp(alert.since, letterhead);
            let words = format!("was {name} fine --at {at}");
            commands.push(command("All is well", words));
        }
        commands.push(command("No more mail", format!("silence {name} --for 4h")));
    }
    if notification.kind == AlertKind::Firing && judged.is_none() {
        commands.push(command("See all", "status".to_string()));
    }
    commands
}

/// A time at which the evaluated bucket is the newest that has closed.
fn explained_at(metric: &Metric, evaluation: &Evaluation, letterhead: &Letterhead) -> String {
    let Bucket { end, .. } = evaluation.bucket;
    let step = Step::of_bucket(evaluation.bucket, letterhead.now.timezone());
    let delay = step.map_or(TimeDelta::zero(), |step| metric.delay(step));
    stamp(end + delay, letterhead)
}

/// As a command takes it.
fn stamp(time: DateTime<Utc>, letterhead: &Letterhead) -> String {
    let time = time.with_timezone(&letterhead.now.timezone());
    time.format("%Y-%m-%dT%H:%M:%S%:z").to_string()
}
