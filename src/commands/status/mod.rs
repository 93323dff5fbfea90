//! `bandwatch status`: what is known of every metric, and what notifications are on their way. Nothing is
//! contacted, and no run is waited for.

mod json;
mod text;

use std::collections::HashSet;

use anyhow::anyhow;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;

pub use self::json::StatusObject;
use super::{Failure, state_place, watched};
use crate::cli::{Exit, Format};
use crate::commands::report::{VERDICTS, print_object};
use crate::config::Metric;
use crate::context::Context;
use crate::incident::{self, Acknowledgement, Alert, MetricState, Silence};
use crate::notify::email::{self, Letterhead};
use crate::notify::{AlertKey, Notification, Pending};
use crate::output::{contain, print_page, without_isolates};
use crate::state::{State, Use};

pub fn run(context: &Context, names: &[String], format: Format) -> Result<Exit, Failure> {
    let chosen = context.config.chosen(names).map_err(Failure::Misuse)?;
    let place = state_place(context, Use::Look)?;
    let state = &State::look(&place, &context.config.metrics);
    let mut metrics = watched(&context.config.metrics, state.contents());
    let chosen: HashSet<&str> = chosen.iter().map(|metric| metric.name.as_str()).collect();
    metrics.retain(|metric| {
        chosen.contains(metric.name.as_str()) || chosen.contains(metric.metric_name())
    });
    let status = Status {
        context,
        state,
        metrics: &metrics,
    };
    match format {
        Format::Text => print_page(&text::write(&status), &VERDICTS)?,
        Format::Json => print_object(&json::object(&status))?,
    }
    // What could not be read is not shown above.
    match state.complaint() {
        Some(complaint) => Err(anyhow!("{complaint}").into()),
        None => Ok(Exit::Done),
    }
}

/// The state, and what it means now.
struct Status<'a> {
    context: &'a Context,
    state: &'a State,
    /// Those to be shown, each with its series after it.
    metrics: &'a [Metric],
}

struct MetricStatus<'a> {
    metric: &'a Metric,
    known: MetricState,
    word: &'static str,
    since: Option<DateTime<Utc>>,
    silence: Option<&'a Silence>,
    silences_to_come: Vec<&'a Silence>,
    is_quiet: bool,
}

/// A notification that is not accepted yet.
struct Waiting<'a> {
    /// The one it would have now.
    subject: String,
    to: &'a str,
    pending: &'a Pending,
}

impl<'a> Status<'a> {
    fn zoned(&self, time: DateTime<Utc>) -> DateTime<Tz> {
        time.with_timezone(&self.context.zone())
    }

    fn metrics(&self) -> impl Iterator<Item = MetricStatus<'a>> {
        let (state, now) = (self.state, self.context.now);
        self.metrics.iter().map(move |metric| {
            let known = state.contents().metrics.get(&metric.name);
            let known = known.cloned().unwrap_or_default();
            let (word, since) = match known.status() {
                // That of many series is not judged by itself.
                _ if metric.group.is_some() && known.evaluated().is_some() => ("ok", None),
                incident::Status::Ok { since: None } => ("unknown", None),
                incident::Status::Ok { since } => ("ok", since),
                incident::Status::Pending { since } => ("pending", Some(since)),
                incident::Status::Firing { side, since } => (side.word(), Some(since)),
            };
            let newest = known.latest().map(|latest| latest.bucket);
            let silences = state.silences.not_over(&metric.name, now.to_utc());
            let of_all = metric.series.as_ref();
            let of_all = of_all.and_then(|of| state.silences.of(&of.metric, now.to_utc()));
            MetricStatus {
                metric,
                known,
                word,
                since,
                silence: state.silences.of(&metric.name, now.to_utc()).or(of_all),
                silences_to_come: silences
                    .filter(|silence| !silence.holds(now.to_utc()))
                    .collect(),
                is_quiet: metric.is_quiet(now, newest),
            }
        })
    }

    /// When anybody was last notified of an alert.
    fn told_at(&self, metric: &Metric, alert: &Alert) -> Option<DateTime<Utc>> {
        self.state.contents().log.notified_at(AlertKey {
            metric: &metric.name,
            alert: &alert.id,
        })
    }

    /// Who knows of an alert as it is: until somebody was told that it is worse.
    fn acknowledgement<'b>(
        &self,
        metric: &Metric,
        alert: &'b Alert,
    ) -> Option<&'b Acknowledgement> {
        let key = AlertKey {
            metric: &metric.name,
            alert: &alert.id,
        };
        let answer = alert.acknowledged.as_ref()?;
        let is_over = self.state.contents().log.told_more_since(key, answer.at);
        (answer.holds(self.context.now.to_utc()) && !is_over).then_some(answer)
    }

    fn outbox(&self) -> Vec<Waiting<'a>> {
        let contents = self.state.contents();
        let own = contents.own_alerts.iter().map(|alert| (None, alert));
        let metrics = self.metrics.iter().flat_map(|metric| {
            let known = contents.metrics.get(&metric.name);
            let alerts = known.into_iter().flat_map(|known| &known.alerts);
            alerts.map(move |alert| (Some(metric), alert))
        });
        let outbox = own.chain(metrics).flat_map(|(metric, alert)| {
            let key = AlertKey {
                metric: metric.map_or("", |metric| &metric.name),
                alert: &alert.id,
            };
            let pending = contents.log.pending(key);
            pending.map(move |(to, pending)| Waiting {
                subject: self.subject(metric, alert, pending),
                to,
                pending,
            })
        });
        let repeats = contents.log.repeats.iter();
        outbox
            .chain(repeats.map(|(to, pending)| Waiting {
                subject: "what goes on, once more".to_string(),
                to,
                pending,
            }))
            .collect()
    }

    fn subject(&self, metric: Option<&Metric>, alert: &Alert, pending: &Pending) -> String {
        let notification = Notification {
            metric,
            alert: &pending.kind.shown(alert),
            kind: pending.kind,
            told_at: None,
            newest: None,
        };
        let letterhead = Letterhead {
            now: pending.since.with_timezone(&self.context.zone()),
            contact: None,
            invocation: None,
        };
        let email = || email::compose(&notification, &[], &letterhead);
        let subject = contain("compose the mail", || {
            Ok(without_isolates(email().subject()))
        });
        subject.unwrap_or_else(|_| alert.id.clone())
    }
}
