//! `bandwatch` without a command, the whole job: evaluate what closed since the last run, bring what is
//! known of each metric up to date, notify whoever is to know, and report.
//!
//! A dry run, and a run on a file, are the same with a state that is kept in memory.

mod evaluate;
mod gather;
mod judge;
mod parts;
mod plan;
mod series;
mod share;
mod states;
mod task;
mod told;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use anyhow::{Error, anyhow};
use chrono::{DateTime, Utc};
use indicatif::{ProgressBar, ProgressStyle};

use super::report::Verbosity;
use super::{Failure, informed, watched};
use crate::cli::{Args, CheckFormat, Exit, Mode, PluginState};
use crate::config::{Deadline, MailSettings, Metric, Service, WebSettings, time_delta};
use crate::context::Context;
use crate::incident::{CheckResult, Condition};
use crate::notify::{
    AddressedAlert, Channel, Delivered, Delivery, EmailChannel, EvaluationObject, Gallery,
    NotificationLog, Route, SendResult, WebChannel, heartbeat,
};
use crate::output::{complain, print};
use crate::source::{Reading, Source, WindowCache};
use crate::state::{Place, State, TablesPlace};
use evaluate::evaluate_all;
use gather::{Gathered, Results};
use plan::Plan;
use share::Share;
use task::{Found, Task};

pub fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let mut plan = Plan::new(context, args).map_err(Failure::Misuse)?;
    // What remembers needs time to tell that reading took too long.
    let deadline = match plan.place {
        Some(_) => context.deadline.for_reading(),
        None => context.deadline,
    };
    let source = context.source(&plan.metrics, deadline);
    let mut source = source.map_err(Failure::Misuse)?;
    context.deadline.enforce();
    let mut failures = Vec::new();
    let making = plan.place.as_ref().and_then(Place::explain_making);
    if let Some(making) = making.filter(|_| plan.verbosity >= Verbosity::Everything) {
        complain(&anyhow!(making));
    }
    let config = &context.config;
    let open = |place| {
        let opened = State::open(place, config.path(), &config.metrics, plan.shard);
        (place, opened)
    };
    let state = match plan.place.as_ref().map(open) {
        None => State::in_memory(),
        Some((place, Ok(Some(state)))) => {
            if let Place::Tables(tables) = place {
                end_stand_in(context, args, &plan, tables);
            }
            state
        }
        Some((_, Ok(None))) => return another_is_at_work(&plan, args.format),
        Some((Place::Tables(tables), Err(error))) => {
            return Ok(stand_in(context, args, &plan, tables, &error));
        }
        // Better an alert a minute than none.
        Some((place @ Place::Directory(_), Err(error))) => {
            failures.push(error);
            State::in_memory_for(place)
        }
    };
    let share = Share {
        shard: plan.shard,
        elsewhere: state.elsewhere(),
    };
    if !share.elsewhere.is_empty() && plan.verbosity >= Verbosity::Everything {
        let count = share.elsewhere.len();
        complain(&anyhow!(
            "another run is at work on {count} of the series; this one leaves them out"
        ));
    }
    plan.metrics.retain(|metric| share.has_metric(metric));
    let chosen = std::mem::take(&mut plan.metrics).into_iter();
    let chosen = chosen.map(|metric| informed(metric, &context.config, state.contents()));
    plan.metrics = chosen.collect();
    if let Some(folder) = state.windows_folder() {
        let reading = if args.no_cache {
            Reading::All
        } else {
            Reading::Newest
        };
        source.keep_windows(WindowCache {
            folder,
            reading,
            shard: share.shard,
        });
    }
    let mut run = Run {
        share,
        failures,
        ..Run::new(context, args, &plan, state)
    };
    let found = run.evaluate(&source, deadline);
    let mut watched = watched(&context.config.metrics, run.state.contents());
    watched.retain(|metric| run.share.has_metric(metric));
    let is_unseen = |named: &&Metric| {
        let mut watched = watched.iter();
        named.series.is_some() && watched.all(|metric| metric.name != named.name)
    };
    let unseen: Vec<Metric> = plan.metrics.iter().filter(is_unseen).cloned().collect();
    watched.extend(unseen);
    run.explain_incidents(&source, &watched, &found.results);
    run.notify(&watched, &found.results);
    let exit = run.report(&watched, found);
    let exit = run.end(exit);
    Ok(run.tell_monitoring(&watched, exit))
}

/// What came of each metric and series.
struct RunResults {
    results: Results,
    /// Series as programs read them, where no more is kept.
    objects: HashMap<String, EvaluationObject>,
}

/// One run, and what came of it so far.
struct Run<'a> {
    context: &'a Context,
    args: &'a Args,
    plan: &'a Plan,
    share: Share,
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

/// A run that cannot reach the tables of the state judges nothing, as another may that can; that it cannot is told
/// once, of which it keeps a note of its own.
fn stand_in(
    context: &Context,
    args: &Args,
    plan: &Plan,
    tables: &TablesPlace,
    error: &Error,
) -> Exit {
    let Some(state) = State::stand_in(tables, Some(error)) else {
        complain(error);
        return Exit::Failed;
    };
    let mut run = Run::new(context, args, plan, state);
    run.notify(&[], &Results::new());
    run.end(Exit::Failed)
}

/// The tables can be reached again: whoever was told that they could not is told so, and the note of it goes.
fn end_stand_in(context: &Context, args: &Args, plan: &Plan, tables: &TablesPlace) {
    let Some(state) = State::stand_in(tables, None) else {
        return;
    };
    let mut run = Run::new(context, args, plan, state);
    run.notify(&[], &Results::new());
    if run.state.contents().own_alerts.is_empty() {
        run.state.remove();
    }
    run.failures.iter().for_each(complain);
}

impl<'a> Run<'a> {
    fn new(context: &'a Context, args: &'a Args, plan: &'a Plan, state: State) -> Self {
        Self {
            context,
            args,
            plan,
            share: Share::default(),
            now: context.now_utc(),
            state,
            sent: Vec::new(),
            files: BTreeMap::new(),
            failures: Vec::new(),
            mailed_failures: Vec::new(),
        }
    }

    /// Evaluates each metric, bucket by bucket, and takes the results into what is known of it. A metric
    /// that is not reached by the deadline fails.
    fn evaluate(&mut self, source: &Source, deadline: Deadline) -> RunResults {
        let plan = self.plan;
        let mut tasks: Vec<Task> = plan
            .metrics
            .iter()
            .map(|metric| self.task(metric))
            .collect();
        // The one looked at longest ago comes first; of those of the same run, the one that takes longest
        // comes last, with all the time that the others left.
        tasks.sort_by_cached_key(|task| self.state.runs.last_look(&task.metric.name));
        let mut gathered = match progress(&tasks) {
            Some(progress) => Gathered::with_progress(progress),
            None => Gathered::default(),
        };
        let connections = self.context.config.connections();
        let not_begun = evaluate_all(tasks, source, deadline, connections, |metric, found| {
            self.take(&mut gathered, metric, found);
        });
        for Task { metric, .. } in not_begun {
            let why = format!(
                "{}: stopped waiting; reading and judging may take three fifths of the deadline (key deadline)",
                deadline.waited_for()
            );
            let failed = Found::Result(Box::new(CheckResult::Failed(why)));
            self.take(&mut gathered, &metric, failed);
        }
        let (results, objects) = gathered.finish();
        RunResults { results, objects }
    }

    /// Notifies whoever is to know, and forgets what nobody is to be told of any more.
    fn notify(&mut self, watched: &[Metric], results: &Results) {
        let set_aside = self.report_on_itself();
        match self.plan.mode {
            Mode::Live => self.send(watched, results),
            Mode::Preview => self.preview(watched, results),
            Mode::Silent => {}
        }
        self.complain_unless_mailed(Condition::StateUnreadable, set_aside);
        self.forget(watched);
        self.failures.extend(self.state.save().err());
    }

    fn send(&mut self, watched: &[Metric], results: &Results) {
        let alerts = self.addressed_alerts(watched, results);
        let plan = self.plan;
        let mut log = std::mem::take(&mut self.state.contents_mut().log);
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
        self.state.contents_mut().log = log;
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
        let save = |log: &NotificationLog| self.state.save_with(log);
        let Delivered { results, failures } = delivery.run(alerts, log, channel, save);
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

    /// Notes how the run went, also for a service that waits to hear of good ones.
    fn end(&mut self, exit: Exit) -> Exit {
        let complaint = self
            .state
            .complaint()
            .map(|complaint| anyhow!("{complaint}"));
        self.complain_unless_mailed(Condition::StateUnwritable, complaint.into_iter().collect());
        let is_well = |run: &Self| run.failures.is_empty() && run.mailed_failures.is_empty();
        if self.state.is_durable() {
            let is_waiting = self.state.contents().log.is_waiting();
            let is_good = exit < Exit::Failed && is_well(self) && !is_waiting;
            self.state.runs.last = Some(self.now);
            if is_good {
                self.state.runs.last_good = Some(self.now);
            }
            self.failures.extend(self.state.save_runs().err());
            if let Some(address) = &self.context.config.heartbeat_url
                && is_good
                // A run of some of the metrics says nothing of the others.
                && self.plan.is_whole
                && self.failures.is_empty()
            {
                let beat = heartbeat::beat(address, self.context.deadline, self.now);
                self.failures.extend(beat.err());
            }
        }
        self.failures.iter().for_each(complain);
        if is_well(self) {
            exit
        } else {
            exit.max(Exit::Failed)
        }
    }
}

/// A line on standard error, where that is a terminal, as long as series are read.
fn progress(tasks: &[Task]) -> Option<ProgressBar> {
    let known = tasks
        .iter()
        .filter_map(|task| Some(task.series.as_ref()?.known.len()));
    let known: Vec<usize> = known.collect();
    if known.is_empty() {
        return None;
    }
    let (progress, template) = match known.iter().sum::<usize>() {
        0 => (ProgressBar::no_length(), "{spinner} {pos} series"),
        all => (
            ProgressBar::new(all as u64),
            "{wide_bar} {pos}/{len} series, {eta} left",
        ),
    };
    let style = ProgressStyle::with_template(template).ok()?;
    Some(progress.with_style(style))
}

/// A run that finds another one at work has nothing to do, and nothing to complain about.
fn another_is_at_work(plan: &Plan, format: CheckFormat) -> Result<Exit, Failure> {
    let told = "another run is still at work; this one checked nothing";
    match (plan.verbosity, format) {
        (_, CheckFormat::Nagios) => {
            print(&format!("BANDWATCH UNKNOWN: {told}\n"))?;
            return Ok(Exit::Plugin(PluginState::Unknown));
        }
        (Verbosity::Quiet, _) => {}
        (_, CheckFormat::Text) => print(&format!("bandwatch: {told}\n"))?,
        // Standard output is for objects.
        (_, CheckFormat::Json) => complain(&anyhow!(told)),
    }
    Ok(Exit::Done)
}
