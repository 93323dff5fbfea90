//! `bandwatch` without a command, the whole job: evaluate what closed since the last run, bring what is
//! known of each metric up to date, notify whoever is to know, and report.
//!
//! A dry run, and a run on a file, are the same with a state that is kept in memory.

mod evaluate;
mod plan;
mod states;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use anyhow::{Error, anyhow};
use chrono::{DateTime, TimeDelta, Utc};

use super::Failure;
use super::report::{MetricReport, Verbosity};
use crate::cli::{Args, Exit, Format, Mode};
use crate::config::{Deadline, MailSettings, Metric};
use crate::context::Context;
use crate::detect::Evaluation;
use crate::incident::{CheckResult, MetricState};
use crate::notify::{Delivered, Delivery, EmailChannel, Gallery, SendResult, heartbeat};
use crate::output::{one_line, print};
use crate::source::Source;
use crate::state::State;
use evaluate::{Results, Task};
use plan::Plan;
use states::MetricStates;

pub fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let plan = Plan::new(context, args).map_err(Failure::Misuse)?;
    // What remembers needs time to tell that reading took too long.
    let deadline = match plan.state_dir {
        Some(_) => context.deadline.for_reading(),
        None => context.deadline,
    };
    let source = context.source(&plan.metrics, deadline);
    let source = source.map_err(Failure::Misuse)?;
    context.deadline.enforce();
    let mut run = Run {
        context,
        plan: &plan,
        now: context.now_utc(),
        results: BTreeMap::new(),
        sent: Vec::new(),
        files: BTreeMap::new(),
        failures: Vec::new(),
    };
    let mut state = match plan.state_dir.as_deref().map(State::open) {
        None => State::in_memory(),
        Some(Ok(Some(state))) => state,
        Some(Ok(None)) => return another_is_at_work(&plan),
        // Better an alert a minute than none.
        Some(Err(error)) => {
            run.failures.push(error);
            State::in_memory()
        }
    };
    run.evaluate(source, deadline, &mut state);
    run.notify(&mut state);
    let exit = run.report(&state);
    Ok(run.end(exit, &mut state))
}

/// One run, and what came of it so far.
struct Run<'a> {
    context: &'a Context,
    plan: &'a Plan,
    now: DateTime<Utc>,
    /// The last result of each metric of the plan.
    results: BTreeMap<&'a str, CheckResult>,
    sent: Vec<SendResult>,
    /// Files that were written, by the name of their metric.
    files: BTreeMap<String, Vec<PathBuf>>,
    /// What could not be done that no metric is to blame for.
    failures: Vec<Error>,
}

impl<'a> Run<'a> {
    /// Evaluates each metric, bucket by bucket, and takes the results into what is known of it.
    fn evaluate(&mut self, source: Source, deadline: Deadline, state: &mut State) {
        let mut states = MetricStates::new(self.context, self.plan, state);
        let metrics = self.plan.metrics.iter();
        let tasks: Vec<Task> = metrics.map(|metric| states.task(metric)).collect();
        let mut results = Results::begin(tasks, source, self.context.now, deadline);
        for metric in &self.plan.metrics {
            while let Some(result) = results.next() {
                states.update(metric, &result);
                self.results.insert(&metric.name, result);
                if results.is_over() {
                    break;
                }
            }
        }
    }

    /// Notifies whoever is to know, and forgets what nobody is to be told of any more.
    fn notify(&mut self, state: &mut State) {
        let mut states = MetricStates::new(self.context, self.plan, state);
        self.failures.extend(states.report_on_itself());
        if let Some(mail) = &self.plan.mail {
            self.send(mail, state);
        } else if self.plan.mode == Mode::Preview {
            self.preview();
        }
        MetricStates::new(self.context, self.plan, state).forget();
        self.failures.extend(state.save().err());
    }

    fn send(&mut self, mail: &'a MailSettings, state: &mut State) {
        let newest: BTreeMap<&str, &Evaluation> = self
            .results
            .iter()
            .filter_map(|(metric, result)| Some((*metric, newest(result)?)))
            .collect();
        let alerts = MetricStates::new(self.context, self.plan, state).addressed_alerts(&newest);
        let mut log = state.contents().log.clone();
        let mut channel = EmailChannel::new(
            mail,
            self.plan.sender(),
            self.plan.letterhead(self.context),
            Gallery::new(&self.plan.plots),
            self.context.deadline,
        );
        let delivery = Delivery {
            digest_over: mail.digest_over,
            give_up_after: TimeDelta::from_std(mail.give_up_after).unwrap_or(TimeDelta::MAX),
            now: self.now,
        };
        let Delivered { results, failures } =
            delivery.run(&alerts, &mut log, &mut channel, |log| {
                state.contents_mut().log = log.clone();
                state.save()
            });
        let gallery = channel.close();
        self.sent = results;
        self.files = gallery.files;
        self.failures.extend(failures);
        self.failures.extend(gallery.failures);
    }

    /// Writes what would be mailed, breach or not.
    fn preview(&mut self) {
        let mut gallery = Gallery::new(&self.plan.plots);
        let (from, letterhead) = (self.plan.sender(), self.plan.letterhead(self.context));
        for metric in &self.plan.metrics {
            if let Some(CheckResult::Evaluated(evaluation)) = self.results.get(metric.name.as_str())
            {
                let to = self.plan.recipients(metric).swap_remove(0);
                gallery.write_preview(metric, evaluation, [&from, &to], &letterhead);
            }
        }
        self.files = gallery.files;
        self.failures.extend(gallery.failures);
    }

    /// Prints what came of each metric.
    fn report(&mut self, state: &State) -> Exit {
        let mut exit = Exit::Done;
        let mut sent = std::mem::take(&mut self.sent);
        for metric in &self.plan.metrics {
            let known = state.contents().metrics.get(&metric.name);
            let is_own = |result: &SendResult| result.metrics.contains(&metric.name);
            let (own, others) = sent.into_iter().partition(is_own);
            sent = others;
            let report = self.report_on(metric, known, own);
            report.print(self.plan.format, self.plan.verbosity);
            let latest = known.and_then(MetricState::latest);
            let is_breach = latest.is_some_and(Evaluation::is_breach);
            exit = exit.max(match report.failures.is_empty() {
                false => Exit::Failed,
                true if is_breach && self.plan.tells_breach_by_exit_code => Exit::Breach,
                true => Exit::Done,
            });
        }
        let refused = sent.into_iter().filter_map(|result| result.outcome.err());
        self.failures.extend(refused);
        exit
    }

    fn report_on(
        &mut self,
        metric: &'a Metric,
        known: Option<&MetricState>,
        sent: Vec<SendResult>,
    ) -> MetricReport<'a> {
        let mut report = MetricReport::new(metric);
        match self.results.remove(metric.name.as_str()) {
            Some(CheckResult::Evaluated(evaluation)) => report.evaluation = Some(evaluation),
            Some(CheckResult::Failed(why)) => report.failures.push(why),
            Some(CheckResult::NothingNew(_)) | None => {
                let evaluated = known.and_then(|known| known.evaluated);
                report.unchanged_since =
                    evaluated.map(|bucket| bucket.start.with_timezone(&self.context.zone()));
            }
        }
        for result in sent {
            match result.outcome {
                Ok(()) => report.mailed.push(result.to.email.to_string()),
                Err(error) => report.failures.push(one_line(&format!("{error:#}"))),
            }
        }
        report.files = self.files.remove(&metric.name).unwrap_or_default();
        report
    }

    /// Notes how the run went, also for a service that waits to hear of good ones.
    fn end(mut self, exit: Exit, state: &mut State) -> Exit {
        let complaint = state.complaint().map(|complaint| anyhow!("{complaint}"));
        self.failures.extend(complaint);
        if state.is_durable() {
            let is_waiting = state.contents().log.is_waiting();
            let is_good = exit < Exit::Failed && self.failures.is_empty() && !is_waiting;
            state.runs.last = Some(self.now);
            if is_good {
                state.runs.last_good = Some(self.now);
            }
            self.failures.extend(state.save_runs().err());
            // A run of some of the metrics says nothing of the others.
            let is_whole = self.plan.metrics.len() == self.context.config.metrics.len();
            if let Some(address) = &self.context.config.heartbeat_url
                && is_good
                && is_whole
                && self.failures.is_empty()
            {
                let beat = heartbeat::beat(address, self.context.deadline);
                self.failures.extend(beat.err());
            }
        }
        self.failures.iter().for_each(crate::output::complain);
        if self.failures.is_empty() {
            exit
        } else {
            exit.max(Exit::Failed)
        }
    }
}

fn newest(result: &CheckResult) -> Option<&Evaluation> {
    match result {
        CheckResult::Evaluated(evaluation) => Some(evaluation),
        CheckResult::NothingNew(evaluation) => evaluation.as_ref(),
        CheckResult::Failed(_) => None,
    }
}

/// A run that finds another one at work has nothing to do, and nothing to complain about.
fn another_is_at_work(plan: &Plan) -> Result<Exit, Failure> {
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
