//! `bandwatch doctor`: goes through the chain from the configuration to cron, and tells of each link whether
//! it holds, and else what to do. Nothing is sent, written or remembered, and no lock is taken.
//!
//! The parts of the chain are looked at side by side, each in a thread that tells every finding at once: what
//! one of them waits for keeps nobody from the findings of the others.

mod channels;
mod check;
mod configuration;
mod database;
mod history;
mod json;
mod mail;
mod schedule;
mod state;
#[cfg(test)]
mod tests;
mod text;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use anyhow::{Result, anyhow};

use self::check::{Check, Condition, Findings, Found, Link};
pub use self::json::DoctorObject;
use super::Failure;
use super::report::print_object;
use crate::cli::{DoctorArgs, Exit, Format};
use crate::config::{Deadline, Metric};
use crate::context::Context;
use crate::output::{contain, print_page};

/// A part of the chain, in the order in which they are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    Configuration,
    Database,
    Mail,
    Channels,
    State,
    Schedule,
}

/// What the parts are looked at with.
struct Case {
    context: Context,
    metrics: Vec<Metric>,
}

/// Without a configuration, that is what is found.
pub fn run(context: Result<Context>, args: &DoctorArgs) -> Result<Exit, Failure> {
    let checks = match context {
        Ok(context) => {
            let metrics = context.config.chosen(&args.metric);
            let metrics = metrics.map_err(Failure::Misuse)?;
            examine(Case { context, metrics })
        }
        Err(error) => vec![
            Check::failed(Link::Configuration, &error),
            Check::not_checked(
                Link::Database,
                "and all that follows, without a configuration",
            ),
        ],
    };
    match args.format {
        Format::Text => print_page(&text::write(&checks), &text::CONDITIONS)?,
        Format::Json => print_object(&json::object(&checks))?,
    }
    let has_failed = |check: &Check| check.condition == Condition::Failed;
    Ok(if checks.iter().any(has_failed) {
        Exit::Failed
    } else {
        Exit::Done
    })
}

fn examine(case: Case) -> Vec<Check> {
    let deadline = case.context.deadline;
    let case = Arc::new(case);
    let (sender, receiver) = channel();
    for part in Part::ALL {
        let (case, sender) = (Arc::clone(&case), sender.clone());
        thread::spawn(move || {
            let findings = Findings { part, sender };
            let examined = contain(part.link().word(), || {
                part.examine(&case, &findings);
                Ok(())
            });
            if let Err(error) = examined {
                findings.add(Check::failed(part.link(), &error));
            }
            findings.end();
        });
    }
    drop(sender);
    collect(&receiver, deadline)
}

/// What is told of all parts by the deadline, and which have more to tell.
fn collect(receiver: &Receiver<(Part, Found)>, deadline: Deadline) -> Vec<Check> {
    let mut found: BTreeMap<Part, Vec<Check>> = BTreeMap::new();
    let mut open = Part::ALL.to_vec();
    while !open.is_empty()
        && let Ok((part, news)) = receiver.recv_timeout(deadline.left())
    {
        match news {
            Found::Check(check) => found.entry(part).or_default().push(check),
            Found::End => open.retain(|other| *other != part),
        }
    }
    for part in open {
        let late = anyhow!(
            "not done by the deadline of {} (key deadline); what came after was not reached",
            deadline.purpose()
        );
        let late = Check::failed(part.link(), &late);
        found.entry(part).or_default().push(late);
    }
    found.into_values().flatten().collect()
}

impl Part {
    const ALL: [Self; 6] = [
        Self::Configuration,
        Self::Database,
        Self::Mail,
        Self::Channels,
        Self::State,
        Self::Schedule,
    ];

    /// What stands for all of it.
    fn link(self) -> Link {
        match self {
            Self::Configuration => Link::Configuration,
            Self::Database => Link::Database,
            Self::Mail => Link::MailServer,
            Self::Channels => Link::Channel,
            Self::State => Link::State,
            Self::Schedule => Link::LastRun,
        }
    }

    fn examine(self, case: &Case, findings: &Findings) {
        match self {
            Self::Configuration => configuration::examine(case, findings),
            Self::Database => database::examine(case, findings),
            Self::Mail => mail::examine(case, findings),
            Self::Channels => channels::examine(case, findings),
            Self::State => state::examine(case, findings),
            Self::Schedule => schedule::examine(case, findings),
        }
    }
}
