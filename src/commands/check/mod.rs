//! `bandwatch` without a command, the whole job: evaluate what closed since the last run, bring what is
//! known of each metric up to date, notify whoever is to know, and report.
//!
//! A dry run, and a run on a file, are the same with a state that is kept in memory.

mod evaluate;
mod parts;
mod plan;
mod states;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Error, anyhow};
use chrono::{DateTime, Utc};

use super::Failure;
use super::report::{MetricReport, VERDICTS, Verbosity, write_events};
use crate::cli::{Args, Exit, Format, Mode};
use crate::config::{Deadline, MailSettings, Service, WebSettings, time_delta};
use crate::context::Context;
use crate::detect::Evaluation;
use crate::incident::{CheckResult, Condition, MetricState};
use crate::notify::email::Occasion;
use crate::notify::{
    AddressedAlert, Channel, Delivered, Delivery, EmailChannel, Gallery, NotificationLog, Route,
    SendResult, WebChannel, email, heartbeat,
};
use crate::output::{complain, print, print_page, write_error};
use crate::source::{Reading, Source, WindowCache};
use crate::state::{State, explain_making};
use evaluate::{Task, evaluate_all};
use plan::Plan;

/// A longer name stands out of its column.
const MOST_NAME_WIDTH: usize = 32;

pub fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let plan = Plan::new(context, args).map_err(Failure::Misuse)?;
    // What remembers needs time to tell that reading took too long.
    let deadline = match plan.state_dir {
        Some(_) => context.deadline.for_reading(),
        None => context.deadline,
    };
    let source = context.source(&plan.metrics, deadline);
    let mut source = source.map_err(Failure::Misuse)?;
    context.deadline.enforce();
    let mut failures = Vec::new();
    let making = plan.state_dir.as_deref().and_then(explain_making);
    if let Some(making) = making.filter(|_| plan.verbosity >= Verbosity::Everything) {
        complain(&anyhow!(making));
    }
    let open = |dir| (dir, State::open(dir, context.config.path()));
    let state = match plan.state_dir.as_deref().map(open) {
        None => State::in_memory(),
        Some((_, Ok(Some(state)))) => state,
        Some((_, Ok(None))) => return another_is_at_work(&plan, args.format),
        // Better an alert a minute than none.
        Some((dir, Err(error))) => {
            failures.push(error);
            State::in_memory_for(dir)
        }
    };
    if let Some(folder) = state.windows_folder() {
        let reading = if args.no_cache {
            Reading::All
        } else {
            Reading::Newest
        };
        source.keep_windows(WindowCache { folder, reading });
    }
    let mut run = Run {
        context,
        args,
        plan: &plan,
        now: context.now_utc(),
        state,
        sent: Vec::new(),
        files: BTreeMap::new(),
        failures,
        mailed_failures: Vec::new(),
    };
    let results = run.evaluate(&source, deadline);
    run.explain_incidents(&source, &results);
    run.notify(&results);
    let exit = run.report(results);
    Ok(run.end(exit))
}

/// The last result of each metric of the plan, by its name.
type Results = BTreeMap<String, CheckResult>;

/// One run, and what came of it so far.
struct Run<'a> {
    context: &'a Context,
    args: &'a Args,
    plan: &'a Plan,
    now: DateTime<Utc>,
    state: State,
    sent: Vec<SendResult>,
    /// Files that were written, by the name of their metric.
    files: BTreeMap<String, Vec<PathBuf>>,
    /// What could not be done that no metric is to blame for.
    failures: Vec<Error>,
    /// The same, where a mail tells of it.
    mailed_failures: Vec<Error>,
}

impl<'a> Run<'a> {
    /// Evaluates each metric, bucket by bucket, and takes the results into what is known of it. A metric
    /// that is not reached by the deadline fails.
    fn evaluate(&mut self, source: &Source, deadline: Deadline) -> Results {
        let metrics = &self.plan.metrics;
        let mut tasks: Vec<Task> = metrics.iter().map(|metric| self.task(metric)).collect();
        // The one looked at longest ago comes first; of those of the same run, the one that takes longest
        // comes last, with all the time that the others left.
        tasks.sort_by_cached_key(|task| self.state.runs.last_look(&task.metric.name));
        let mut results = Results::new();
        let mut begun = Instant::now();
        let not_begun = evaluate_all(tasks, source, deadline, |metric, result| {
            if let Some(result) = result {
                self.update(metric, &result);
                results.insert(metric.name.clone(), result);
            } else {
                let took = begun.elapsed();
                begun = Instant::now();
                self.state.runs.note_look(&metric.name, self.now, took);
            }
        });
        for Task { metric, .. } in not_begun {
            let why = CheckResult::Failed(format!(
                "{}: stopped waiting; reading and judging may take three fifths of the deadline (key deadline)",
                deadline.waited_for()
            ));
            self.update(&metric, &why);
            results.insert(metric.name, why);
        }
        results
    }

    /// Notifies whoever is to know, and forgets what nobody is to be told of any more.
    fn notify(&mut self, results: &Results) {
        let set_aside = self.report_on_itself();
        match self.plan.mode {
            Mode::Live => self.send(results),
            Mode::Preview => self.preview(results),
            Mode::Silent => {}
        }
        self.complain_unless_mailed(Condition::StateUnreadable, set_aside);
        self.forget();
        self.failures.extend(self.state.save().err());
    }

    fn send(&mut self, results: &Results) {
        let alerts = self.addressed_alerts(results);
        let plan = self.plan;
        let mut log = self.state.contents().log.clone();
        let mut routes = plan.routes();
        log.take_back_all_but(&routes);
        // Whoever did not answer before keeps nobody waiting who may.
        routes.sort_by_key(|route| log.attempts(*route));
        let has_news = |route: &&Route| {
            let mut alerts = alerts.iter();
            alerts.any(|alert| alert.is_news_to(**route, &log, self.now))
        };
        let busy: Vec<Route> = routes.iter().filter(has_news).copied().collect();
        for (index, route) in routes.iter().enumerate() {
            let others = routes[index + 1..]
                .iter()
                .filter(|route| busy.contains(route));
            let purpose = "this channel, its share of the time for telling,";
            let deadline = self.context.deadline.share_of(1 + others.count(), purpose);
            let settings = plan.web_channels.iter();
            let mut settings = settings.filter(|settings| *route == Route::Web(&settings.name));
            match (settings.next(), &plan.mail) {
                (Some(settings), _) => {
                    self.post(settings, &alerts, &mut log, deadline);
                    if let Service::Alertmanager { .. } = settings.service {
                        self.repeat(settings, &alerts, &mut log, deadline);
                    }
                }
                (None, Some(mail)) => self.mail(mail, &alerts, &mut log, deadline),
                (None, None) => {}
            }
        }
    }

    fn mail(
        &mut self,
        mail: &MailSettings,
        alerts: &[AddressedAlert],
        log: &mut NotificationLog,
        deadline: Deadline,
    ) {
        let mut channel = EmailChannel::new(
            mail,
            self.plan.sender(),
            self.state.installation().to_string(),
            self.plan.letterhead(self.context),
            Gallery::new(&self.plan.plots),
            deadline,
        );
        let delivery = Delivery {
            route: Route::Email,
            digest_over: mail.digest_over,
            give_up_after: time_delta(mail.give_up_after),
            now: self.now,
        };
        self.deliver(delivery, alerts, log, &mut channel);
        let gallery = channel.close();
        self.files = gallery.files;
        self.failures.extend(gallery.failures);
    }

    fn post(
        &mut self,
        settings: &'a WebSettings,
        alerts: &[AddressedAlert],
        log: &mut NotificationLog,
        deadline: Deadline,
    ) {
        let mut channel = self.web_channel(settings, deadline);
        let delivery = self.web_delivery(settings);
        self.deliver(delivery, alerts, log, &mut channel);
    }

    fn deliver(
        &mut self,
        delivery: Delivery,
        alerts: &[AddressedAlert],
        log: &mut NotificationLog,
        channel: &mut impl Channel,
    ) {
        let Delivered { results, failures } = delivery.run(alerts, log, channel, |log| {
            self.state.contents_mut().log = log.clone();
            self.state.save()
        });
        self.sent.extend(results);
        self.failures.extend(failures);
    }

    /// Alerts that go on are repeated, those of muted metrics too: what is not repeated counts as over.
    fn repeat(
        &mut self,
        settings: &'a WebSettings,
        alerts: &[AddressedAlert],
        log: &mut NotificationLog,
        deadline: Deadline,
    ) {
        let mut channel = self.web_channel(settings, deadline);
        let delivery = self.web_delivery(settings);
        let repeated = delivery.repeat(alerts, log, |lasting| channel.repeat(lasting));
        self.state.contents_mut().log = log.clone();
        self.failures.extend(repeated.err());
    }

    fn web_channel(&self, settings: &'a WebSettings, deadline: Deadline) -> WebChannel<'a> {
        WebChannel::new(
            settings,
            self.state.installation().to_string(),
            self.plan.letterhead(self.context),
            deadline,
        )
    }

    fn web_delivery(&self, settings: &'a WebSettings) -> Delivery<'a> {
        Delivery {
            route: Route::Web(&settings.name),
            digest_over: settings.digest_over,
            give_up_after: time_delta(settings.give_up_after),
            now: self.now,
        }
    }

    /// Writes what would be mailed, breach or not.
    fn preview(&mut self, results: &Results) {
        let mut gallery = Gallery::new(&self.plan.plots);
        let (from, letterhead) = (self.plan.sender(), self.plan.letterhead(self.context));
        for metric in &self.plan.metrics {
            if let Some(CheckResult::Evaluated(evaluation)) = results.get(metric.name.as_str()) {
                let to = self.context.config.mailboxes(metric).into_iter().next();
                let to = to.unwrap_or_else(|| email::placeholder("recipient"));
                let occasion = Occasion::Preview(self.breakdown(metric));
                gallery.write_preview(metric, evaluation, [&from, &to], &letterhead, occasion);
            }
        }
        self.files = gallery.files;
        self.failures.extend(gallery.failures);
    }

    /// Prints what came of each metric.
    fn report(&mut self, mut results: Results) -> Exit {
        let (mut exit, mut not_printed) = (Exit::Done, None);
        let sent = std::mem::take(&mut self.sent);
        let mut told_failures = BTreeSet::new();
        let names = self
            .plan
            .metrics
            .iter()
            .map(|metric| metric.name.chars().count());
        let name_width = names.max().unwrap_or(0).min(MOST_NAME_WIDTH);
        for metric in &self.plan.metrics {
            let as_of = self.plan.as_of.unwrap_or(self.context.now);
            let mut report = MetricReport {
                name_width,
                events: write_events(metric, None, as_of),
                breakdown: self.breakdown(metric).cloned(),
                files: self.files.remove(&metric.name).unwrap_or_default(),
                ..MetricReport::default()
            };
            let known = self.known(metric);
            let mut is_mailed = false;
            match results.remove(metric.name.as_str()) {
                Some(CheckResult::Evaluated(evaluation)) => report.evaluation = Some(evaluation),
                Some(CheckResult::Failed(why)) => {
                    is_mailed = self.is_mailed(Some(metric), Condition::CheckFailed);
                    report.failures.push(why);
                }
                Some(CheckResult::NothingNew(_)) | None => {
                    let since = known.and_then(|known| Some(known.evaluated()?.start));
                    let zone = self.context.zone();
                    report.unchanged_since = since.map(|since| since.with_timezone(&zone));
                }
            }
            // A digest is about several metrics. That it was refused is said once.
            for (index, result) in sent.iter().enumerate() {
                if !result.metrics.contains(&metric.name) {
                    continue;
                }
                match &result.outcome {
                    Ok(()) => report.mailed.push(result.to.key().to_string()),
                    Err(error) => {
                        report.is_refused = true;
                        if told_failures.insert(index) {
                            report.failures.push(write_error(error));
                        }
                    }
                }
            }
            if let Some(text) = report.write(metric, self.args.format, self.plan.verbosity) {
                let printed = match self.args.format {
                    Format::Text => print_page(&(text + "\n"), &VERDICTS),
                    Format::Json => print(&(text + "\n")),
                };
                // A reader that has gone (as in `| head`) is no reason to stop checking, nor is a full disk.
                not_printed = printed.err().or(not_printed);
            }
            // The check comes first, and then what the mail server refused.
            for failure in report.failures.iter().skip(usize::from(is_mailed)) {
                complain(&anyhow!("{}: {failure}", metric.name));
            }
            let is_open = if self.state.is_durable() {
                known.is_some_and(|known| known.incident().is_some())
            } else {
                let latest = known.and_then(MetricState::latest);
                latest.is_some_and(Evaluation::is_breach)
            };
            exit = exit.max(match report.failures.is_empty() {
                false => Exit::Failed,
                true if is_open && self.args.exit_code => Exit::Breach,
                true => Exit::Done,
            });
        }
        let others = sent.into_iter().enumerate();
        let others = others.filter(|(index, _)| !told_failures.contains(index));
        let refused = others.filter_map(|(_, result)| result.outcome.err());
        self.failures.extend(refused.chain(not_printed));
        exit
    }

    /// Notes how the run went, also for a service that waits to hear of good ones.
    fn end(mut self, exit: Exit) -> Exit {
        let complaint = self
            .state
            .complaint()
            .map(|complaint| anyhow!("{complaint}"));
        self.complain_unless_mailed(Condition::StateUnwritable, complaint.into_iter().collect());
        let is_well = |run: &Self| run.failures.is_empty() && run.mailed_failures.is_empty();
        if self.state.is_durable() {
            let is_waiting = self.state.contents().log.is_waiting();
            let is_good = exit < Exit::Failed && is_well(&self) && !is_waiting;
            self.state.runs.last = Some(self.now);
            if is_good {
                self.state.runs.last_good = Some(self.now);
            }
            self.failures.extend(self.state.save_runs().err());
            // A run of some of the metrics says nothing of the others.
            let is_whole = self.plan.metrics.len() == self.context.config.metrics.len();
            if let Some(address) = &self.context.config.heartbeat_url
                && is_good
                && is_whole
                && self.failures.is_empty()
            {
                let beat = heartbeat::beat(address, self.context.deadline, self.now);
                self.failures.extend(beat.err());
            }
        }
        self.failures.iter().for_each(complain);
        if is_well(&self) {
            exit
        } else {
            exit.max(Exit::Failed)
        }
    }
}

/// A run that finds another one at work has nothing to do, and nothing to complain about.
fn another_is_at_work(plan: &Plan, format: Format) -> Result<Exit, Failure> {
    let told = "another run is still at work; this one checked nothing";
    match (plan.verbosity, format) {
        (Verbosity::Quiet, _) => {}
        (_, Format::Text) => print(&format!("bandwatch: {told}\n"))?,
        // Standard output is for objects.
        (_, Format::Json) => complain(&anyhow!(told)),
    }
    Ok(Exit::Done)
}
