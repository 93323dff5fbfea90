//! What is known of the metrics, as a check looks at it: where to go on, who is to be told, and what can
//! be forgotten.

use std::collections::BTreeMap;

use anyhow::{Error, anyhow};
use chrono::{DateTime, TimeDelta, Utc};

use super::evaluate::Task;
use super::plan::Plan;
use crate::config::Metric;
use crate::context::Context;
use crate::detect::Evaluation;
use crate::incident::{Alert, CheckResult, Condition, Muted, Policy};
use crate::notify::{AddressedAlert, AlertKey, OwnAlerts};
use crate::state::State;

/// How long what is known of a metric outlives its place in the configuration.
const METRIC_KEPT: TimeDelta = TimeDelta::days(30);

pub struct MetricStates<'a, 's> {
    context: &'a Context,
    plan: &'a Plan,
    state: &'s mut State,
    now: DateTime<Utc>,
}

impl<'a, 's> MetricStates<'a, 's> {
    pub fn new(context: &'a Context, plan: &'a Plan, state: &'s mut State) -> Self {
        Self {
            now: context.now_utc(),
            context,
            plan,
            state,
        }
    }

    /// Where to go on with a metric.
    pub fn task(&mut self, metric: &Metric) -> Task {
        let (now, muted) = (self.now, self.muted(metric));
        let metrics = &mut self.state.contents_mut().metrics;
        let known = metrics.entry(metric.name.clone()).or_default();
        known.release(now, &metric.policy, muted);
        let alerts = known.alerts.clone();
        let (evaluated, newest_data) = (known.evaluated_at(now), known.newest_data());
        let log = &self.state.contents().log;
        Task {
            metric: metric.clone(),
            evaluated,
            newest_data,
            shows_window: alerts.iter().any(|alert| {
                muted == Muted::No
                    && alert.side().is_some()
                    && !self.addressed(Some(metric), alert).is_settled(log, now)
            }),
            as_of: self.plan.as_of,
        }
    }

    /// Takes a result into what is known of a metric.
    pub fn update(&mut self, metric: &Metric, result: &CheckResult) {
        let (now, muted) = (self.now, self.muted(metric));
        self.state.runs.metrics.insert(metric.name.clone(), now);
        let metrics = &mut self.state.contents_mut().metrics;
        let known = metrics.entry(metric.name.clone()).or_default();
        known.update(result, now, &metric.policy, muted);
    }

    /// Opens and ends the alerts about bandwatch itself; returns what could not be read.
    pub fn report_on_itself(&mut self) -> Vec<Error> {
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
        new.iter().map(|file| anyhow!("set aside {file}")).collect()
    }

    /// Every alert that somebody may be told of now.
    pub fn addressed_alerts(
        &self,
        newest: &BTreeMap<&str, &'a Evaluation>,
    ) -> Vec<AddressedAlert<'a>> {
        let contents = self.state.contents();
        let mut all: Vec<AddressedAlert> = contents
            .own_alerts
            .iter()
            .map(|alert| self.addressed(None, alert))
            .collect();
        for metric in &self.context.config.metrics {
            let Some(known) = contents.metrics.get(&metric.name) else {
                continue;
            };
            // Without a memory, only a breach is worth a mail.
            let alerts = known
                .alerts
                .iter()
                .filter(|alert| self.state.is_durable() || alert.side().is_some());
            if self.muted(metric) == Muted::No {
                all.extend(alerts.map(|alert| AddressedAlert {
                    newest: newest.get(metric.name.as_str()).copied(),
                    ..self.addressed(Some(metric), alert)
                }));
            }
        }
        all
    }

    /// Forgets what nobody is to be told of any more, and metrics that are not configured any more.
    pub fn forget(&mut self) {
        let (now, metrics) = (self.now, &self.context.config.metrics);
        let runs = &mut self.state.runs;
        let is_configured = |name: &String| metrics.iter().any(|metric| metric.name == *name);
        runs.metrics
            .retain(|name, looked_at| is_configured(name) || now - *looked_at < METRIC_KEPT);
        let kept = runs.metrics.clone();
        let mut contents = self.state.contents().clone();
        contents
            .metrics
            .retain(|name, _| is_configured(name) || kept.contains_key(name));
        for metric in metrics {
            if let Some(known) = contents.metrics.get_mut(&metric.name) {
                for alert in &mut known.alerts {
                    let everybody_knows =
                        self.addressed(Some(metric), alert).is_known(&contents.log);
                    alert.opening = alert.opening.take().filter(|_| !everybody_knows);
                }
                known.alerts.retain(|alert| {
                    alert.is_open()
                        || !self
                            .addressed(Some(metric), alert)
                            .is_settled(&contents.log, now)
                });
            }
        }
        contents.own_alerts.retain(|alert| {
            let lasts = alert.is_open() && alert.condition == Condition::StateUnwritable;
            lasts || !self.addressed(None, alert).is_settled(&contents.log, now)
        });
        let (known, own) = (&contents.metrics, &contents.own_alerts);
        contents.log.forget(now, |AlertKey { metric, alert }| {
            let alerts = known.get(metric).map_or(own, |known| &known.alerts);
            alerts.iter().any(|known| known.id == alert)
        });
        *self.state.contents_mut() = contents;
    }

    /// Everybody is told of what is about bandwatch itself.
    fn addressed(&self, metric: Option<&'a Metric>, alert: &Alert) -> AddressedAlert<'a> {
        let (policy, recipients) = if let Some(metric) = metric {
            (metric.policy.clone(), self.plan.recipients(metric))
        } else {
            let metrics = &self.context.config.metrics;
            (Policy::default(), self.plan.all_recipients(metrics))
        };
        AddressedAlert {
            metric,
            alert: alert.clone(),
            policy,
            recipients,
            newest: None,
        }
    }

    /// By a silence or a quiet window. Without a memory, somebody waits for the mail.
    fn muted(&self, metric: &Metric) -> Muted {
        let now = self.context.now;
        let silence = self.state.silences.of(&metric.name, self.now);
        let is_quiet = metric.policy.quiet.iter().any(|window| window.holds(now));
        if self.state.is_durable() && (is_quiet || silence.is_some()) {
            Muted::Yes
        } else {
            Muted::No
        }
    }
}
