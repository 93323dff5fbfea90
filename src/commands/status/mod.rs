//! `bandwatch status`: what is known of every metric, and what notifications are on their way. Nothing is
//! contacted, and no run is waited for.

mod text;

use anyhow::{Error, anyhow};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::Serialize;

use super::Failure;
use super::report::stamp;
use crate::cli::{Exit, Format};
use crate::config::Metric;
use crate::context::Context;
use crate::detect::Evaluation;
use crate::incident::{self, Alert, Condition, MetricState};
use crate::notify::email::{self, Letterhead};
use crate::notify::{AlertKey, LostNotification, Notification, Pending};
use crate::output::print;
use crate::state::State;

pub fn run(context: &Context, format: Format) -> Result<Exit, Failure> {
    let state = State::look(&context.state_dir());
    let status = Status::new(&state, context);
    print(&match format {
        Format::Text => text::write(&status, context.now),
        Format::Json => serde_json::to_string(&status).map_err(Error::from)? + "\n",
    })?;
    // What could not be read is not shown above.
    match state.complaint() {
        Some(complaint) => Err(anyhow!("{complaint}").into()),
        None => Ok(Exit::Done),
    }
}

/// All there is to tell; `src/commands/README.md` explains the fields.
#[derive(Debug, Serialize)]
struct Status {
    state_dir: String,
    as_of: String,
    last_run: Option<String>,
    last_good_run: Option<String>,
    metrics: Vec<MetricStatus>,
    outbox: Vec<Waiting>,
    lost: Vec<Lost>,
    unreadable: Vec<Unreadable>,
    complaint: Option<String>,
}

#[derive(Debug, Serialize)]
struct MetricStatus {
    metric: String,
    state: &'static str,
    since: Option<String>,
    told_at: Option<String>,
    looked_at: Option<String>,
    silent_until: Option<String>,
    silent_because: Option<String>,
    quiet: bool,
    no_data: Option<Obstacle>,
    unwell: Option<Obstacle>,
    undecided: Option<Obstacle>,
    last: Option<Last>,
}

/// What keeps a metric from being watched.
#[derive(Debug, Serialize)]
struct Obstacle {
    since: String,
    why: String,
    told_at: Option<String>,
}

/// The bucket that was judged last.
#[derive(Debug, Serialize)]
struct Last {
    time: String,
    value: Option<f64>,
    expected: Option<f64>,
    lower: Option<f64>,
    upper: Option<f64>,
    deviation: Option<f64>,
}

#[derive(Debug, Serialize)]
struct Waiting {
    subject: String,
    to: String,
    created: String,
    attempts: u32,
    not_before: String,
    why: Option<String>,
}

#[derive(Debug, Serialize)]
struct Lost {
    subject: String,
    to: String,
    created: String,
    why: String,
    told: bool,
}

#[derive(Debug, Serialize)]
struct Unreadable {
    path: String,
    why: String,
}

impl Status {
    fn new(state: &State, context: &Context) -> Self {
        let zone = context.zone();
        let zoned = |time: DateTime<Utc>| stamp(time.with_timezone(&zone));
        let lost = |lost: &LostNotification| Lost {
            subject: lost.subject.clone(),
            to: lost.to.clone(),
            created: zoned(lost.since),
            why: lost.why.clone(),
            told: lost.told,
        };
        let unreadable = state.unreadable().into_iter().map(|file| Unreadable {
            path: file.path.display().to_string(),
            why: file.error.to_string(),
        });
        let metrics = context.config.metrics.iter();
        Self {
            state_dir: context.state_dir().display().to_string(),
            as_of: stamp(context.now),
            last_run: state.runs.last.map(zoned),
            last_good_run: state.runs.last_good.map(zoned),
            metrics: metrics
                .map(|metric| MetricStatus::new(metric, state, context.now))
                .collect(),
            outbox: waiting(state, context),
            lost: state.contents().log.lost.iter().map(lost).collect(),
            unreadable: unreadable.collect(),
            complaint: state.complaint().map(str::to_string),
        }
    }
}

/// Every notification that is not accepted yet, with the subject it would have now.
fn waiting(state: &State, context: &Context) -> Vec<Waiting> {
    let contents = state.contents();
    let letterhead = Letterhead {
        now: context.now,
        contact: None,
    };
    let zoned = |time: DateTime<Utc>| stamp(time.with_timezone(&context.zone()));
    let own = contents.own_alerts.iter().map(|alert| (None, alert));
    let metrics = context.config.metrics.iter().flat_map(|metric| {
        let known = contents.metrics.get(&metric.name);
        let alerts = known.map_or(&[][..], |known| &known.alerts);
        alerts.iter().map(move |alert| (Some(metric), alert))
    });
    let alerts: Vec<(Option<&Metric>, &Alert)> = own.chain(metrics).collect();
    let row = |metric, alert, to: &str, pending: &Pending| {
        let notification = Notification {
            metric,
            alert,
            kind: pending.kind,
            newest: None,
        };
        Waiting {
            subject: email::compose(&notification, None, &letterhead)
                .subject()
                .to_string(),
            to: to.to_string(),
            created: zoned(pending.since),
            attempts: pending.attempts,
            not_before: zoned(pending.not_before),
            why: pending.error.clone(),
        }
    };
    let rows = alerts.into_iter().flat_map(|(metric, alert)| {
        let key = AlertKey {
            metric: metric.map_or("", |metric| &metric.name),
            alert: &alert.id,
        };
        let pending = contents.log.pending(key);
        pending.map(move |(to, pending)| row(metric, alert, to, pending))
    });
    rows.collect()
}

impl MetricStatus {
    fn new(metric: &Metric, state: &State, now: DateTime<Tz>) -> Self {
        let zoned = |time: DateTime<Utc>| stamp(time.with_timezone(&now.timezone()));
        let nothing = MetricState::default();
        let contents = state.contents();
        let known = contents.metrics.get(&metric.name).unwrap_or(&nothing);
        let (word, since) = match known.status() {
            incident::Status::Ok { since: None } => ("unknown", None),
            incident::Status::Ok { since } => ("ok", since),
            incident::Status::Pending { since } => ("pending", Some(since)),
            incident::Status::Firing { side, since } => (side.word(), Some(since)),
        };
        let told_at = |alert: &Alert| {
            let key = AlertKey {
                metric: &metric.name,
                alert: &alert.id,
            };
            contents.log.notified_at(key).map(zoned)
        };
        let obstacle = |condition| {
            known.open_alert(condition).map(|alert| Obstacle {
                since: zoned(alert.since),
                why: alert.reason.clone(),
                told_at: told_at(alert),
            })
        };
        let last = |latest: &Evaluation| Last {
            time: zoned(latest.bucket.start),
            value: latest.value,
            expected: latest.band.map(|band| band.expected),
            lower: latest.band.map(|band| band.lower),
            upper: latest.band.map(|band| band.upper),
            deviation: latest.deviation,
        };
        let silence = state.silences.of(&metric.name, now.to_utc());
        Self {
            metric: metric.name.clone(),
            state: word,
            since: since.map(zoned),
            told_at: known.incident().and_then(told_at),
            looked_at: state.runs.metrics.get(&metric.name).copied().map(zoned),
            silent_until: silence.map(|silence| zoned(silence.until)),
            silent_because: silence.and_then(|silence| silence.because.clone()),
            quiet: metric.policy.quiet.iter().any(|window| window.holds(now)),
            no_data: obstacle(Condition::NoData),
            unwell: obstacle(Condition::CheckFailed),
            undecided: obstacle(Condition::Undecided),
            last: known.latest().map(last),
        }
    }
}
