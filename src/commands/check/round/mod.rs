//! A round: what is seen of each metric is taken into what is remembered, and what that gives to tell
//! is written down, sent and told of.

mod seen;
mod upkeep;

use std::collections::HashSet;

use anyhow::anyhow;

use crate::cli::Exit;
use crate::commands::check::look::{Lookout, Wish};
use crate::commands::outcome::Failures;
use crate::config::{Metric, file_name};
use crate::context::{Plan, Upkeep};
use crate::incident::{Stamp, Voice};
use crate::notify::email::OwnTrouble;
use crate::notify::heartbeat;
use crate::notify::packing::{Packed, Tiding, metric_of};
use crate::notify::post::{Attempt, Post, Sent};
use crate::state::Store;
use seen::Seen;

/// What one run saw of its metrics, and what came of it.
#[derive(Debug)]
pub struct Round<'a> {
    plan: &'a Plan,
    seen: Vec<Seen<'a>>,
    sent: Sent,
    /// What could not be done that no metric is to blame for.
    failures: Failures,
}

/// What to look at, given what is remembered.
pub fn wishes(plan: &Plan, store: &Store) -> Vec<Wish> {
    let now = Stamp::from(plan.now);
    let metrics = plan.metrics.iter();
    metrics
        .map(|metric| match store.memory.watches.get(&metric.name) {
            Some(watch) => Wish::of(metric, watch, now, voice(metric, plan, store)),
            None => Wish::new(metric),
        })
        .collect()
}

/// Whether notices of a metric go out now.
fn voice(metric: &Metric, plan: &Plan, store: &Store) -> Voice {
    let mut windows = metric.rules.quiet.iter();
    let silence = store.silences.of(&metric.name, Stamp::from(plan.now));
    if windows.any(|window| window.holds(plan.now)) || silence.is_some() {
        Voice::Silent
    } else {
        Voice::Heard
    }
}

impl<'a> Round<'a> {
    /// Takes in what is seen of each metric of the plan, in its order.
    pub fn take_in(plan: &'a Plan, lookout: &mut Lookout, store: &mut Store) -> Self {
        let seen = plan.metrics.iter().map(|metric| {
            let voice = voice(metric, plan, store);
            store
                .looks
                .metrics
                .insert(metric.name.clone(), Stamp::from(plan.now));
            let watch = store.memory.watches.entry(metric.name.clone()).or_default();
            Seen::by(lookout, metric, watch, plan, voice)
        });
        Self {
            seen: seen.collect(),
            plan,
            sent: Sent::default(),
            failures: Failures::default(),
        }
    }

    /// Remembers all of it, with mails for what is to be told.
    pub fn commit(&mut self, store: &mut Store) {
        let tidings: Vec<Tiding> = self.seen.iter().flat_map(Seen::tidings).collect();
        let mut packed = Packed::of(&tidings, self.plan);
        for trouble in upkeep::take_troubles(store, Stamp::from(self.plan.now)) {
            if let OwnTrouble::MemoryLost { files } = &trouble {
                let told = files.iter().map(|file| anyhow!("set aside {file}"));
                self.failures.note_all(told);
            }
            packed
                .parcels
                .push(upkeep::pack(&trouble, store, self.plan));
        }
        self.failures.note_all(packed.failures);
        self.failures.note(store.commit(packed.parcels));
    }

    /// Sends what is due; nothing about a metric that is silent.
    pub fn deliver(&mut self, store: &mut Store, upkeep: &Upkeep) {
        let metrics = self.plan.all_metrics.iter();
        let silent: HashSet<String> = metrics
            .filter(|metric| voice(metric, self.plan, store) == Voice::Silent)
            .map(Metric::file_name)
            .collect();
        let is_silent =
            |thread: &str| metric_of(thread).is_some_and(|metric| silent.contains(metric));
        self.sent = Post::of(self.plan, &upkeep.mail).deliver(store, is_silent);
        self.failures.note(upkeep::tidy(self.plan, store));
    }

    /// Tells what came of the run, and a service that it went well.
    pub fn conclude(mut self, store: &mut Store, upkeep: &Upkeep) -> Exit {
        let exit = self.tell(store);
        self.failures
            .note_all(store.complaint().map(|why| anyhow!("{why}")));
        let is_good = exit < Exit::Failed && self.failures.is_empty() && !store.is_waiting();
        let now = Stamp::from(self.plan.now);
        store.looks.last_run = Some(now);
        if is_good {
            store.looks.last_good_run = Some(now);
        }
        self.failures.note(store.keep_looks());
        // A run of some of the metrics says nothing of the others.
        let is_whole = self.plan.metrics.len() == self.plan.all_metrics.len();
        if let Some(address) = &upkeep.heartbeat
            && is_good
            && is_whole
            && self.failures.is_empty()
        {
            self.failures
                .note(heartbeat::beat(address, self.plan.deadline));
        }
        self.failures.complain();
        if self.failures.is_empty() {
            exit
        } else {
            exit.max(Exit::Failed)
        }
    }

    /// Tells of each metric, with the mails that tell of it; others count as the run's.
    fn tell(&mut self, store: &Store) -> Exit {
        let mut attempts: Vec<Attempt> = std::mem::take(&mut self.sent.attempts);
        let mut exit = Exit::Done;
        for seen in std::mem::take(&mut self.seen) {
            let name = file_name(&seen.metric.name);
            let is_own = |attempt: &Attempt| {
                let mut threads = attempt.threads.iter();
                threads.any(|thread| metric_of(thread) == Some(name.as_str()))
            };
            let (own, others) = attempts.into_iter().partition(is_own);
            attempts = others;
            let outcome = seen.outcome(self.plan, store, own);
            outcome.tell(self.plan);
            exit = exit.max(outcome.exit(self.plan));
        }
        let refused = attempts.into_iter();
        self.failures
            .note_all(refused.filter_map(|attempt| attempt.delivery.outcome.err()));
        self.failures
            .note_all(std::mem::take(&mut self.sent.failures));
        exit
    }
}
