//! What a run tells where it was started: lines or objects, and the files of a dry run.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::{Context, Error, anyhow};

use super::gather::Results;
use super::{Run, RunResults};
use crate::cli::{CheckFormat, Exit, Format, PluginState};
use crate::commands::monitoring::{Runs, Standing, write_metrics, write_plugin_output};
use crate::commands::report::{MetricReport, VERDICTS, Verbosity, write_events};
use crate::config::Metric;
use crate::detect::{Evaluation, Verdict};
use crate::incident::{CheckResult, Condition, MetricState};
use crate::notify::email::Occasion;
use crate::notify::{Gallery, SendResult, email};
use crate::output::{
    READABLE, complain, print, print_page, separate_thousands, write_error, write_whole,
};

/// A longer name stands out of its column.
const MOST_NAME_WIDTH: usize = 32;

/// How many series have which verdict.
#[derive(Default)]
struct Counts {
    all: usize,
    normal: usize,
    unchanged: usize,
    others: BTreeMap<&'static str, usize>,
}

/// What was sent, and by the name of each metric which of it told of that.
struct Told {
    sent: Vec<SendResult>,
    by_metric: HashMap<String, Vec<usize>>,
    /// Those whose failure was said.
    said: BTreeSet<usize>,
}

impl Run<'_> {
    /// Writes what would be mailed, breach or not; of many series those that are in breach.
    pub(super) fn preview(&mut self, watched: &[Metric], results: &Results) {
        let mut gallery = Gallery::new(&self.plan.plots);
        let (from, letterhead) = (self.plan.sender(), self.plan.letterhead(self.context));
        for metric in self.of_run(watched) {
            let Some(CheckResult::Evaluated(evaluation)) = results.get(metric.name.as_str()) else {
                continue;
            };
            let is_one_of_many = metric.series.is_some() && !self.is_named(metric);
            if is_one_of_many && (evaluation.workings.is_none() || !evaluation.is_breach()) {
                continue;
            }
            let to = self.context.config.mailboxes(metric).into_iter().next();
            let to = to.unwrap_or_else(|| email::placeholder("recipient"));
            let occasion = Occasion::Preview(self.breakdown(metric));
            gallery.write_preview(metric, evaluation, [&from, &to], &letterhead, occasion);
        }
        self.files = gallery.files;
        self.failures.extend(gallery.failures);
    }

    /// Prints what came of each metric, of many series of those that are not as usual.
    pub(super) fn report(&mut self, watched: &[Metric], found: RunResults) -> Exit {
        let RunResults {
            mut results,
            mut objects,
        } = found;
        let (mut exit, mut not_printed) = (Exit::Done, None);
        let format = self.args.format.of_metrics();
        let mut told = Told::new(std::mem::take(&mut self.sent));
        let metrics = self.of_run(watched);
        if self.args.exit_code && metrics.iter().any(|metric| self.is_open(metric)) {
            exit = exit.max(Exit::Breach);
        }
        let has_line = |metric: &&&Metric| {
            let verdict = results.get(&metric.name).and_then(verdict);
            self.is_named(metric) || verdict.is_some_and(|verdict| *verdict != Verdict::Normal)
        };
        let names = metrics.iter().filter(has_line);
        let names = names.map(|metric| metric.name.chars().count());
        let name_width = names.max().unwrap_or(0).min(MOST_NAME_WIDTH);
        let mut counts: BTreeMap<&str, Counts> = BTreeMap::new();
        for metric in &metrics {
            if let (Some(_), Some(result)) = (&metric.series, results.get(&metric.name)) {
                counts.entry(metric.metric_name()).or_default().add(result);
            }
        }
        for metric in metrics {
            let result = results.remove(metric.name.as_str());
            let is_one_of_many = !self.is_named(metric);
            if is_one_of_many && result.is_none() {
                // Nobody looked at it.
                continue;
            }
            let mut report = self.metric_report(metric, result, &mut told);
            report.name_width = name_width;
            report.object = objects.remove(&metric.name);
            let is_mailed = report.evaluation.is_none()
                && !report.failures.is_empty()
                && self.is_mailed(Some(metric), Condition::CheckFailed);
            let is_usual = report
                .evaluation
                .as_ref()
                .is_none_or(|evaluation| evaluation.verdict == Verdict::Normal);
            let is_untold = is_one_of_many
                && is_usual
                && report.mailed.is_empty()
                && report.failures.is_empty()
                && format == Some(Format::Text)
                && self.plan.verbosity < Verbosity::Details;
            let counts = counts.get(metric.name.as_str());
            let text = match counts {
                _ if is_untold => None,
                Some(counts) if report.failures.is_empty() && report.evaluation.is_none() => {
                    let is_wanted = format == Some(Format::Text)
                        && self.plan.verbosity >= Verbosity::Everything;
                    is_wanted.then(|| counts.write(&metric.name, name_width))
                }
                _ => format.and_then(|format| report.write(metric, format, self.plan.verbosity)),
            };
            if let Some(text) = text {
                let printed = match format {
                    Some(Format::Json) => print(&(text + "\n")),
                    _ => print_page(&(text + "\n"), &VERDICTS),
                };
                // A reader that has gone (as in `| head`) is no reason to stop checking, nor is a full disk.
                not_printed = printed.err().or(not_printed);
            }
            // The check comes first, and then what the mail server refused.
            for failure in report.failures.iter().skip(usize::from(is_mailed)) {
                complain(&anyhow!("{}: {failure}", metric.name));
            }
            if !report.failures.is_empty() {
                exit = exit.max(Exit::Failed);
            }
        }
        self.failures.extend(told.unsaid().chain(not_printed));
        exit
    }

    /// Tells monitoring systems what is known after the run.
    pub(super) fn tell_monitoring(&self, watched: &[Metric], mut exit: Exit) -> Exit {
        if let Some(path) = &self.args.metrics_file {
            let runs = Runs {
                last: self.now,
                last_good: self.state.runs.last_good,
                is_waiting: self.state.contents().log.is_waiting(),
            };
            let all = self.standings(watched.iter());
            let written = write_whole(path, write_metrics(&all, runs).as_bytes(), READABLE);
            let written = written.with_context(|| format!("--metrics-file {}", path.display()));
            if let Err(error) = written {
                complain(&error);
                exit = exit.max(Exit::Failed);
            }
        }
        if self.args.format != CheckFormat::Nagios {
            return exit;
        }
        let failures = self.failures.iter().chain(&self.mailed_failures);
        let mut failures: Vec<String> = failures.map(write_error).collect();
        if exit >= Exit::Failed && failures.is_empty() {
            failures.push("something could not be done: standard error says what".to_string());
        }
        let of_run = self.of_run(watched);
        let (state, text) = write_plugin_output(
            &self.standings(of_run.into_iter()),
            &failures,
            self.args.severity,
            self.context.now,
        );
        match print(&text) {
            Ok(()) => Exit::Plugin(state),
            Err(_) => Exit::Plugin(PluginState::Unknown),
        }
    }

    fn standings<'m>(&'m self, metrics: impl Iterator<Item = &'m Metric>) -> Vec<Standing<'m>> {
        let standings = metrics.map(|metric| Standing {
            metric,
            known: self.known(metric),
        });
        standings.collect()
    }

    /// Whether a metric has an open incident; without a memory, whether it is in breach.
    fn is_open(&self, metric: &Metric) -> bool {
        let known = self.known(metric);
        if self.state.is_durable() {
            known.is_some_and(|known| known.incident().is_some())
        } else {
            let latest = known.and_then(MetricState::latest);
            latest.is_some_and(Evaluation::is_breach)
        }
    }

    /// The metrics of this run, and their series.
    fn of_run<'m>(&self, watched: &'m [Metric]) -> Vec<&'m Metric> {
        let chosen = self.plan.metrics.iter().map(|metric| metric.name.as_str());
        let chosen: BTreeSet<&str> = chosen.collect();
        let is_chosen = |metric: &&Metric| {
            chosen.contains(metric.name.as_str()) || chosen.contains(metric.metric_name())
        };
        watched.iter().filter(is_chosen).collect()
    }

    /// Whether it is no series, or one that somebody named.
    fn is_named(&self, metric: &Metric) -> bool {
        let mut chosen = self.plan.metrics.iter();
        metric.series.is_none()
            || self.plan.metrics.len() < MOST_NAMED && chosen.any(|one| one.name == metric.name)
    }

    fn metric_report(
        &self,
        metric: &Metric,
        result: Option<CheckResult>,
        told: &mut Told,
    ) -> MetricReport {
        let as_of = self.plan.as_of.unwrap_or(self.context.now);
        let mut report = MetricReport {
            events: write_events(metric, None, as_of),
            breakdown: self.breakdown(metric).cloned(),
            as_of: Some(as_of),
            ..MetricReport::default()
        };
        match result {
            Some(CheckResult::Evaluated(evaluation)) => report.evaluation = Some(evaluation),
            Some(CheckResult::Failed(why)) => report.failures.push(why),
            Some(CheckResult::NothingNew(_)) | None => {
                let since = self
                    .known(metric)
                    .and_then(|known| Some(known.evaluated()?.start));
                let zone = self.context.zone();
                report.unchanged_since = since.map(|since| since.with_timezone(&zone));
            }
        }
        report.files = self.files.get(&metric.name).cloned().unwrap_or_default();
        told.add_to(&mut report, &metric.name);
        report
    }
}

/// Nobody names more series on a command line.
const MOST_NAMED: usize = 1000;

fn verdict(result: &CheckResult) -> Option<&Verdict> {
    match result {
        CheckResult::Evaluated(evaluation) => Some(&evaluation.verdict),
        CheckResult::NothingNew(_) | CheckResult::Failed(_) => None,
    }
}

impl Counts {
    fn add(&mut self, result: &CheckResult) {
        self.all += 1;
        match result {
            CheckResult::Evaluated(evaluation) if evaluation.verdict == Verdict::Normal => {
                self.normal += 1;
            }
            CheckResult::Evaluated(evaluation) => {
                *self.others.entry(evaluation.verdict.word()).or_default() += 1;
            }
            CheckResult::NothingNew(_) | CheckResult::Failed(_) => self.unchanged += 1,
        }
    }

    /// `sales  497 of 500 normal, 2 high, 1 undecided`
    fn write(&self, name: &str, name_width: usize) -> String {
        let count = |count: usize| separate_thousands(&count.to_string());
        if self.unchanged == self.all {
            let all = count(self.all);
            return format!("{name:<name_width$}  nothing new of {all} series");
        }
        let mut parts = vec![format!(
            "{} of {} normal",
            count(self.normal),
            count(self.all)
        )];
        let others = self.others.iter();
        parts.extend(others.map(|(word, number)| format!("{} {word}", count(*number))));
        if self.unchanged > 0 {
            parts.push(format!("{} unchanged", count(self.unchanged)));
        }
        format!("{name:<name_width$}  {}", parts.join(", "))
    }
}

impl Told {
    fn new(sent: Vec<SendResult>) -> Self {
        let mut by_metric: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, result) in sent.iter().enumerate() {
            for metric in &result.metrics {
                let told = by_metric.entry(metric.clone()).or_default();
                if told.last() != Some(&index) {
                    told.push(index);
                }
            }
        }
        Self {
            sent,
            by_metric,
            said: BTreeSet::new(),
        }
    }

    /// A digest is about several metrics. That it was refused is said once.
    fn add_to(&mut self, report: &mut MetricReport, metric: &str) {
        for index in self.by_metric.get(metric).into_iter().flatten() {
            let Some(result) = self.sent.get(*index) else {
                continue;
            };
            match &result.outcome {
                Ok(()) => report.mailed.push(result.to.key().to_string()),
                Err(error) => {
                    report.is_refused = true;
                    if self.said.insert(*index) {
                        report.failures.push(write_error(error));
                    }
                }
            }
        }
    }

    /// What failed and was about no metric of this run.
    fn unsaid(self) -> impl Iterator<Item = Error> {
        let sent = self.sent.into_iter().enumerate();
        let others = sent.filter(move |(index, _)| !self.said.contains(index));
        others.filter_map(|(_, result)| result.outcome.err())
    }
}
