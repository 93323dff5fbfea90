//! What is known of the metrics, as a check looks at it: where to go on, who is to be told, and what can
//! be forgotten.

use std::collections::HashSet;
use std::sync::Arc;

use anyhow::{Error, anyhow};
use chrono::TimeDelta;

use super::Run;
use super::gather::Results;
use super::plan::recipients;
use super::task::{SeriesTask, Standing, Task};
use crate::commands::report::Verbosity;
use crate::config::Metric;
use crate::detect::Breakdown;
use crate::incident::{Alert, CheckResult, Condition, Confirm, MetricState, Muted, Policy};
use crate::notify::{AddressedAlert, AlertKey, NotificationLog, OwnAlerts, Recipient};
use crate::series::Bucket;

/// How long what is known of a metric outlives its place in the configuration.
const METRIC_KEPT: TimeDelta = TimeDelta::days(30);

impl Run<'_> {
    pub(super) fn known(&self, metric: &Metric) -> Option<&MetricState> {
        self.state.contents().metrics.get(&metric.name)
    }

    /// The parts that explain the open incident.
    pub(super) fn breakdown(&self, metric: &Metric) -> Option<&Breakdown> {
        self.known(metric)?.incident()?.breakdown.as_ref()
    }

    fn alerts(&self, metric: &Metric) -> &[Alert] {
        self.known(metric).map_or(&[], |known| &known.alerts)
    }

    /// Where to go on with a metric.
    pub(super) fn task(&mut self, metric: &Metric) -> Task {
        let standing = self.standing(metric);
        let series = metric.group.is_some().then(|| self.series_task(metric));
        Task {
            metric: metric.clone(),
            share: self.share.clone(),
            standing,
            series,
            as_of: self.plan.as_of,
            now: self.context.now,
        }
    }

    fn series_task(&mut self, metric: &Metric) -> SeriesTask {
        let contents = self.state.contents();
        let names = contents.series_of(&metric.name).map(|(name, _)| name);
        let names = names.filter(|name| self.share.has(name));
        let names: Vec<String> = names.cloned().collect();
        let known = names.into_iter().filter_map(|name| {
            let key = metric.key_of(&name)?;
            let series = metric.of_series(&key, None, 1);
            Some((key, self.standing(&series)))
        });
        let known = Arc::new(known.collect());
        let contents = self.state.contents();
        let notes = contents.series.get(&metric.name);
        let after = notes.and_then(|notes| metric.key_of(notes.after.as_deref()?));
        let own = contents.metrics.get(&metric.name);
        SeriesTask {
            known,
            // A clock that was ahead knows nothing: all is looked at once more.
            looked_at: own
                .and_then(|own| own.evaluated_at(self.now))
                .filter(|looked_at| looked_at.end <= self.now),
            after,
        }
    }

    fn standing(&mut self, metric: &Metric) -> Standing {
        let (now, muted) = (self.now, self.muted(metric));
        let known = self.state.contents_mut().metrics.get_mut(&metric.name);
        let is_known = known.is_some();
        let mut new = MetricState::default();
        let known = known.unwrap_or(&mut new);
        known.release_incident(now, muted);
        let (evaluated, newest_data) = (known.evaluated_at(now), known.newest_data());
        let answers = known.answers_for_forecast();
        let lacks_data = known.open_alert(Condition::NoData).is_some();
        let is_untold_incident = |alert: &Alert| {
            let log = &self.state.contents().log;
            alert.side().is_some() && !self.addressed(Some(metric), alert).is_settled(log, now)
        };
        let mut alerts = self.alerts(metric).iter();
        Standing {
            is_known,
            evaluated,
            newest_data,
            lacks_data,
            answers,
            shows_window: muted == Muted::No && alerts.any(is_untold_incident),
        }
    }

    /// Takes a result into what is known of a metric.
    pub(super) fn update(&mut self, metric: &Metric, result: &CheckResult) {
        let now = self.now;
        let muted = match result {
            CheckResult::Evaluated(evaluation) => self.muted_about(metric, Some(evaluation.bucket)),
            _ => self.muted(metric),
        };
        let mut policy = metric.policy.clone();
        if !self.state.is_durable() {
            // One run alone sees one bucket, which has nothing to be confirmed by, nor to add up with.
            policy.confirm = Confirm::default();
            policy.budget = None;
        }
        let metrics = &mut self.state.contents_mut().metrics;
        let known = metrics.entry(metric.name.clone()).or_default();
        known.update(result, now, &policy, muted);
    }

    /// Opens and ends the alerts about bandwatch itself, and returns what could not be read.
    pub(super) fn report_on_itself(&mut self) -> Vec<Error> {
        let unreadable = self.state.unreadable();
        let complaint = self.state.complaint().map(str::to_string);
        let contents = self.state.contents_mut();
        let new = unreadable
            .iter()
            .filter(|file| !contents.reported_unreadable.contains(&file.name));
        let new: Vec<String> = new
            .map(|file| format!("{}: {}", file.path.display(), file.error))
            .collect();
        let mut own = OwnAlerts {
            alerts: &mut contents.own_alerts,
            now: self.now,
        };
        own.report_unreadable(&new);
        own.report_unwritable(complaint.as_deref());
        own.report_lost(&mut contents.log.lost);
        contents.reported_unreadable = unreadable.into_iter().map(|file| file.name).collect();
        let failures = new.iter().map(|file| anyhow!("set aside {file}"));
        failures.collect()
    }

    pub(super) fn complain_unless_mailed(&mut self, condition: Condition, failures: Vec<Error>) {
        if self.is_mailed(None, condition) {
            self.mailed_failures.extend(failures);
        } else {
            self.failures.extend(failures);
        }
    }

    /// Whether people learn of a condition by mail, so that this run need not print it: cron would mail it
    /// once more.
    pub(super) fn is_mailed(&self, metric: Option<&Metric>, condition: Condition) -> bool {
        let verbosity = self.plan.verbosity;
        if verbosity > Verbosity::Unmailed || !self.state.is_durable() {
            return false;
        }
        let contents = self.state.contents();
        let mut alerts = metric.map_or(contents.own_alerts.iter(), |metric| {
            self.alerts(metric).iter()
        });
        alerts.any(|alert| {
            let key = AlertKey {
                metric: metric.map_or("", |metric| &metric.name),
                alert: &alert.id,
            };
            let told_at = contents.log.notified_at(key);
            let is_quiet = verbosity == Verbosity::Quiet;
            let is_told = told_at.is_some_and(|told| is_quiet || told < self.now);
            // It will be, if it lasts.
            let has_patience = alert.released.is_none()
                && metric.is_none_or(|metric| self.muted(metric) == Muted::No);
            alert.condition == condition && alert.is_open() && (is_told || is_quiet && has_patience)
        })
    }

    /// Every alert that there is, of metrics that are muted too.
    pub(super) fn addressed_alerts<'r>(
        &self,
        watched: &'r [Metric],
        results: &'r Results,
    ) -> Vec<AddressedAlert<'r>> {
        let own = self.state.contents().own_alerts.iter();
        let own = own.map(|alert| self.addressed(None, alert));
        let metrics = watched.iter();
        let metrics = metrics.filter(|metric| !self.alerts(metric).is_empty());
        let of_metrics = metrics.flat_map(|metric| {
            let (newest, muted) = (results.get(metric.name.as_str()), self.muted(metric));
            let alerts = self.alerts(metric).iter();
            // Without a memory, only a breach is worth a mail.
            let alerts = alerts.filter(|alert| self.state.is_durable() || alert.side().is_some());
            alerts.map(move |alert| AddressedAlert {
                newest: newest.and_then(CheckResult::evaluation),
                muted,
                ..self.addressed(Some(metric), alert)
            })
        });
        own.chain(of_metrics).collect()
    }

    /// Forgets what nobody is to be told of any more, and metrics that are not configured any more.
    pub(super) fn forget(&mut self, watched: &[Metric]) {
        let now = self.now;
        let names: HashSet<&str> = watched.iter().map(|metric| metric.name.as_str()).collect();
        let is_configured = |name: &str| names.contains(name);
        let mut runs = self.state.runs.clone();
        runs.retain(|name, at| is_configured(name) || now - at < METRIC_KEPT);
        let mut contents = std::mem::take(self.state.contents_mut());
        let is_settled = |metric, alert: &Alert, log: &NotificationLog| {
            self.addressed(metric, alert).is_settled(log, now)
        };
        // A series is kept as long as its metric.
        let of_metric = |name: &str| name.split('{').next().map(str::to_string);
        let is_kept = |name: &String| {
            let of_metric =
                of_metric(name).is_some_and(|metric| runs.metrics.contains_key(&metric));
            is_configured(name) || runs.metrics.contains_key(name) || of_metric
        };
        contents.metrics.retain(|name, _| is_kept(name));
        let grouped = watched.iter().filter(|metric| metric.group.is_some());
        let grouped: HashSet<&str> = grouped.map(|metric| metric.name.as_str()).collect();
        contents
            .series
            .retain(|name, _| grouped.contains(name.as_str()) || runs.metrics.contains_key(name));
        for metric in watched {
            let known = contents.metrics.get_mut(&metric.name);
            let Some(MetricState { alerts, past, .. }) = known else {
                continue;
            };
            for alert in alerts.iter().filter(|alert| !alert.is_open()) {
                let count = contents.log.accepted(AlertKey {
                    metric: &metric.name,
                    alert: &alert.id,
                });
                past.note_notifications(&alert.id, count);
            }
            for alert in alerts.iter_mut() {
                if self.addressed(Some(metric), alert).is_known(&contents.log) {
                    alert.opening = None;
                }
            }
            alerts
                .retain(|alert| alert.is_open() || !is_settled(Some(metric), alert, &contents.log));
        }
        contents.own_alerts.retain(|alert| {
            let lasts = alert.is_open() && alert.condition == Condition::StateUnwritable;
            lasts || !is_settled(None, alert, &contents.log)
        });
        let (known, own) = (&contents.metrics, &contents.own_alerts);
        contents.log.forget(now, |AlertKey { metric, alert }| {
            let alerts = known.get(metric).map_or(own, |known| &known.alerts);
            alerts.iter().any(|known| known.id == alert)
        });
        *self.state.contents_mut() = contents;
        self.state.runs = runs;
    }

    /// As if its metric were heard: what is muted is to be told later, so it is not forgotten.
    fn addressed<'m>(&self, metric: Option<&'m Metric>, alert: &Alert) -> AddressedAlert<'m> {
        AddressedAlert {
            metric,
            alert: alert.clone(),
            policy: metric.map_or(Policy::default(), |metric| metric.policy.clone()),
            recipients: metric.map_or_else(
                || self.all_recipients(),
                |metric| recipients(&self.context.config, metric),
            ),
            muted: Muted::No,
            newest: None,
        }
    }

    /// Everybody who is told of any of the metrics, each once.
    fn all_recipients(&self) -> Vec<Recipient> {
        let mut known = HashSet::new();
        let metrics = self.context.config.metrics.iter();
        let recipients = metrics.flat_map(|metric| recipients(&self.context.config, metric));
        recipients
            .filter(|recipient| known.insert(recipient.key().to_string()))
            .collect()
    }

    /// By a silence, a quiet window or an event. Without a memory, somebody waits for the mail.
    fn muted(&self, metric: &Metric) -> Muted {
        let latest = self.known(metric).and_then(MetricState::latest);
        self.muted_about(metric, latest.map(|latest| latest.bucket))
    }

    fn muted_about(&self, metric: &Metric, newest: Option<Bucket>) -> Muted {
        let silences = &self.state.silences;
        let of_all = silences.of(metric.metric_name(), self.now);
        let silence = silences.of(&metric.name, self.now).or(of_all);
        let is_quiet = metric.is_quiet(self.context.now, newest);
        if self.state.is_durable() && (is_quiet || silence.is_some()) {
            Muted::Yes
        } else {
            Muted::No
        }
    }
}
