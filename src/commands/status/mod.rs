//! `bandwatch status`: what is remembered, told. Nothing is contacted, and no run is waited for.

mod text;

use anyhow::{Result, anyhow};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::Serialize;

use crate::cli::{Exit, Format, StatusArgs};
use crate::commands::outcome::{self, complain, print};
use crate::commands::report::{stamp, write_json};
use crate::config::{Config, Metric};
use crate::context::{needed_config, state_dir};
use crate::incident::{Finding, Lack, Side, Stamp, State, Watch};
use crate::state::{Delivery, LostMail, Store};

pub fn run(args: &StatusArgs) -> Exit {
    let config = match needed_config(args.config.as_deref()) {
        Ok(config) => config,
        Err(error) => {
            complain(&error);
            return Exit::Misused;
        }
    };
    match tell(&config, args.format) {
        Ok(exit) => exit,
        Err(error) => {
            complain(&error);
            Exit::Failed
        }
    }
}

fn tell(config: &Config, format: Format) -> Result<Exit> {
    let now = Utc::now().with_timezone(&config.zone);
    let store = Store::look(&state_dir(config));
    let status = Status::of(&store, &config.metrics, now);
    print(&match format {
        Format::Text => text::write(&status, now),
        Format::Json => write_json(&status)? + "\n",
    })?;
    // What could not be read is not told above.
    Ok(store.complaint().map_or(Exit::Done, |complaint| {
        outcome::complain_on(&anyhow!("{complaint}"), Exit::Failed)
    }))
}

/// All there is to tell. Times are RFC 3339 with offset, and what is not known is null.
#[derive(Debug, Serialize)]
struct Status {
    /// Where it is kept.
    state_dir: String,
    /// The instant this is as of.
    as_of: String,
    /// The last run, and the last in which nothing failed.
    last_run: Option<String>,
    last_good_run: Option<String>,
    /// In the order of the configuration.
    metrics: Vec<MetricStatus>,
    /// Mails on their way, one a recipient.
    outbox: Vec<Waiting>,
    /// Mails that were given up.
    lost: Vec<Lost>,
    /// Files that could not be read back, and why.
    unreadable: Vec<Unreadable>,
    /// Why `state_dir` cannot be read or written as it should.
    complaint: Option<String>,
}

#[derive(Debug, Serialize)]
struct MetricStatus {
    metric: String,
    /// `ok`, `pending` (breaches that are too few yet), `high` or `low` (an incident), or `unknown`:
    /// nothing was judged yet.
    state: &'static str,
    /// Since when it is so.
    since: Option<String>,
    /// When its incident was last told.
    told_at: Option<String>,
    /// When it was last looked at.
    looked_at: Option<String>,
    /// Until when nothing is mailed about it, and why.
    silent_until: Option<String>,
    silent_because: Option<String>,
    /// Whether this is one of its quiet windows.
    quiet: bool,
    no_data: Option<LackStatus>,
    unwell: Option<LackStatus>,
    undecided: Option<LackStatus>,
    last: Option<Last>,
}

/// What keeps a metric from being watched.
#[derive(Debug, Serialize)]
struct LackStatus {
    since: String,
    why: String,
    told_at: Option<String>,
}

/// The bucket that was judged last.
#[derive(Debug, Serialize)]
struct Last {
    time: String,
    value: f64,
    expected: f64,
    lower: f64,
    upper: f64,
    deviation: Option<f64>,
}

#[derive(Debug, Serialize)]
struct Waiting {
    subject: String,
    to: String,
    created: String,
    attempts: u32,
    not_before: String,
    /// What the last attempt met with.
    why: Option<String>,
}

#[derive(Debug, Serialize)]
struct Lost {
    subject: String,
    to: String,
    created: String,
    why: String,
    /// Whether a mail that got through has told of it.
    told: bool,
}

#[derive(Debug, Serialize)]
struct Unreadable {
    path: String,
    why: String,
}

impl Status {
    fn of(store: &Store, metrics: &[Metric], now: DateTime<Tz>) -> Self {
        let zoned = |time: Stamp| stamp(time.with_timezone(&now.timezone()));
        let waiting = store.parcels.iter().flat_map(|parcel| {
            parcel.addressees.iter().filter_map(move |addressee| {
                let Delivery::Waiting {
                    attempts,
                    not_before,
                    why,
                } = &addressee.delivery
                else {
                    return None;
                };
                Some(Waiting {
                    subject: parcel.subject.clone(),
                    to: addressee.to.clone(),
                    created: zoned(parcel.created),
                    attempts: *attempts,
                    not_before: zoned(*not_before),
                    why: why.clone(),
                })
            })
        });
        let lost = |lost: &LostMail| Lost {
            subject: lost.subject.clone(),
            to: lost.to.clone(),
            created: zoned(lost.since),
            why: lost.why.clone(),
            told: lost.told,
        };
        let unreadable = store.unreadable().into_iter().map(|aside| Unreadable {
            path: aside.path.display().to_string(),
            why: aside.flaw.to_string(),
        });
        Self {
            state_dir: store.dir().display().to_string(),
            as_of: stamp(now),
            last_run: store.looks.last_run.map(zoned),
            last_good_run: store.looks.last_good_run.map(zoned),
            metrics: metrics
                .iter()
                .map(|metric| MetricStatus::of(metric, store, now))
                .collect(),
            outbox: waiting.collect(),
            lost: store.memory.lost.iter().map(lost).collect(),
            unreadable: unreadable.collect(),
            complaint: store.complaint().map(str::to_string),
        }
    }
}

impl MetricStatus {
    fn of(metric: &Metric, store: &Store, now: DateTime<Tz>) -> Self {
        let zoned = |time: Stamp| stamp(time.with_timezone(&now.timezone()));
        let nothing = Watch::default();
        let watch = store.memory.watches.get(&metric.name).unwrap_or(&nothing);
        let (state, since) = match watch.state() {
            State::Ok { since: None } => ("unknown", None),
            State::Ok { since } => ("ok", since),
            State::Pending { since } => ("pending", Some(since)),
            State::Firing { side, since } => (Side::word(side), Some(since)),
        };
        let lack = |lack: &Option<Lack>| {
            lack.as_ref().map(|lack| LackStatus {
                since: zoned(lack.since),
                why: lack.why.clone(),
                told_at: lack.told_at().map(zoned),
            })
        };
        let last = |finding: Finding| Last {
            time: zoned(finding.time),
            value: finding.value,
            expected: finding.expected,
            lower: finding.lower,
            upper: finding.upper,
            deviation: finding.deviation,
        };
        let silence = store.silences.of(&metric.name, Stamp::from(now));
        let incident = watch.incident.as_ref();
        Self {
            metric: metric.name.clone(),
            state,
            since: since.map(zoned),
            told_at: incident
                .and_then(|incident| incident.told)
                .map(|told| zoned(told.told.at)),
            looked_at: store.looks.metrics.get(&metric.name).copied().map(zoned),
            silent_until: silence.map(|silence| zoned(silence.until)),
            silent_because: silence.and_then(|silence| silence.because.clone()),
            quiet: metric.rules.quiet.iter().any(|window| window.holds(now)),
            no_data: lack(&watch.no_data),
            unwell: lack(&watch.unwell),
            undecided: lack(&watch.undecided),
            last: watch.latest.map(last),
        }
    }
}
