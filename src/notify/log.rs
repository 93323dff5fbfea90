//! The notification log: what each recipient was notified of, written down after the server accepted
//! it. Everything about a notification is derived from this and from what is so now, so a refused one
//! is simply still due. After Alertmanager's nflog.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::Error;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::notification::AlertKind;
use super::recipient::Route;
use crate::incident::Alert;
use crate::output::{second, second_option, short_option, write_error};

/// Tried again after a minute, then two, four and so on, up to this. A little less, as the run that
/// tries again is started by the minute.
const LONGEST_PAUSE: TimeDelta = TimeDelta::minutes(5);
const HEAD_START: TimeDelta = TimeDelta::seconds(10);
/// A clock that jumped ahead is no reason to give up what was hardly tried.
const FEWEST_ATTEMPTS: u32 = 3;
/// What the server took so often without an answer has probably arrived, each time.
const MOST_UNANSWERED: u32 = 3;
/// A refusal for good is taken for one after so many: the first may be an error of the server's, and the
/// pauses between them make twelve minutes.
const MOST_REFUSED: u32 = 5;
/// How long `status` shows a notification that was given up.
const LOST_KEPT: TimeDelta = TimeDelta::days(7);

/// By the name of the metric (of bandwatch itself: empty), the id of the alert, and the recipient's key: a
/// mail address, or the name of a channel (see [`Recipient::key`](super::Recipient::key)).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NotificationLog {
    records: BTreeMap<String, MetricRecords>,
    pub lost: Vec<LostNotification>,
    /// That alerts go on, which is repeated to an Alertmanager: by the name of the channel, where it was not
    /// accepted.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub repeats: BTreeMap<String, Pending>,
}

/// What one recipient knows of one alert.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Record {
    /// The Message-ID of the first notification the server accepted; later ones answer it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread: Option<String>,
    /// Its subject, if it was about this alert alone; theirs begin with it. Empty: that of another recipient.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The last one that was accepted, or given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<Notified>,
    /// How many were accepted or given up.
    pub count: u32,
    /// The one on its way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending: Option<Pending>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Notified {
    pub kind: AlertKind,
    #[serde(with = "second")]
    pub at: DateTime<Utc>,
    /// Of an incident the bucket it told of, and how far out that was.
    #[serde(
        default,
        with = "second_option",
        skip_serializing_if = "Option::is_none"
    )]
    pub bucket: Option<DateTime<Utc>>,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "short_option"
    )]
    pub deviation: Option<f64>,
    /// The share of what is usual that its last hour was off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<f32>,
    /// How many repeats in a row it was, itself included.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub repeats: u8,
}

/// A notification that the server has not accepted yet. It is written down before it is sent: a run that
/// is killed between the acceptance and the record sends it again under the same Message-ID.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pending {
    /// Its id, which the notifications of one mail share.
    pub mail: String,
    pub kind: AlertKind,
    pub since: DateTime<Utc>,
    pub attempts: u32,
    /// Those that were [unanswered](SendError::Unanswered).
    #[serde(default)]
    pub unanswered: u32,
    /// Those that took all their time before.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub timed_out: u32,
    /// Those that were refused for good.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub refused: u32,
    pub not_before: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Why a notification was not accepted, where that matters for what comes next. Each has its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendError {
    /// It took all the time it may take, and others wait.
    TimedOut(String),
    /// The server took a message whole, and did not say whether it accepts it.
    Unanswered(String),
    /// For good: to try again changes nothing.
    Refused(String),
    /// For good, but a smaller one may be accepted.
    TooLarge(String),
    /// Not now; the server says when.
    Later { words: String, pause: TimeDelta },
}

/// How a notification ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    Accepted,
    /// Nobody knows, and to send it on and on would make it come on and on.
    MayHaveArrived,
    GivenUp,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LostNotification {
    pub subject: String,
    pub to: String,
    pub since: DateTime<Utc>,
    pub why: String,
    /// The alert that tells of it.
    pub told_by: Option<String>,
    /// Whether that got through to anybody.
    pub told: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct AlertKey<'a> {
    pub metric: &'a str,
    pub alert: &'a str,
}

/// What later mails of a thread refer to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Opening {
    pub message_id: String,
    /// See [`Record::subject`].
    pub subject: Option<String>,
}

/// Of one metric, by the id of the alert and the recipient's key.
pub type MetricRecords = BTreeMap<String, BTreeMap<String, Record>>;

impl NotificationLog {
    /// What people know of the alerts of one metric.
    pub fn of_metric(&self, metric: &str) -> Option<&MetricRecords> {
        self.records.get(metric)
    }

    pub fn set_metric(&mut self, metric: &str, records: MetricRecords) {
        self.records.insert(metric.to_string(), records);
    }

    /// All but what is of the metrics that are kept apart.
    pub fn without(&self, is_apart: impl Fn(&str) -> bool) -> Self {
        let records = self.records.iter();
        let records = records.filter(|(metric, _)| !is_apart(metric));
        Self {
            records: records
                .map(|(metric, records)| (metric.clone(), records.clone()))
                .collect(),
            lost: self.lost.clone(),
            repeats: self.repeats.clone(),
        }
    }

    /// Takes in what another run noted, as far as it is not known here.
    pub fn merge(&mut self, other: Self) {
        for (metric, alerts) in other.records {
            let known = self.records.entry(metric).or_default();
            for (alert, recipients) in alerts {
                let known = known.entry(alert).or_default();
                for (recipient, record) in recipients {
                    known.entry(recipient).or_insert(record);
                }
            }
        }
        let lost = other.lost.into_iter();
        let lost: Vec<_> = lost.filter(|lost| !self.lost.contains(lost)).collect();
        self.lost.extend(lost);
        for (channel, pending) in other.repeats {
            self.repeats.entry(channel).or_insert(pending);
        }
    }

    /// The metrics of which something is on its way.
    pub fn waiting_metrics(&self) -> impl Iterator<Item = &str> {
        let is_waiting = |alerts: &MetricRecords| {
            let mut records = alerts.values().flat_map(BTreeMap::values);
            records.any(|record| record.pending.is_some())
        };
        let records = self.records.iter();
        records
            .filter(move |(_, alerts)| is_waiting(alerts))
            .map(|(metric, _)| metric.as_str())
    }

    pub fn record(&self, key: AlertKey, recipient: &str) -> Option<&Record> {
        self.records.get(key.metric)?.get(key.alert)?.get(recipient)
    }

    pub fn record_mut(&mut self, key: AlertKey, recipient: &str) -> &mut Record {
        let alerts = self.records.entry(key.metric.to_string()).or_default();
        let recipients = alerts.entry(key.alert.to_string()).or_default();
        recipients.entry(recipient.to_string()).or_default()
    }

    /// The server accepted what is on its way to a recipient. A subject that others got too is kept once.
    pub fn accept(
        &mut self,
        key: AlertKey,
        recipient: &str,
        alert: &Alert,
        mut opening: Opening,
        now: DateTime<Utc>,
    ) {
        if opening.subject.is_some() && opening.subject.as_deref() == self.first_subject(key) {
            opening.subject = Some(String::new());
        }
        self.record_mut(key, recipient).accept(alert, opening, now);
    }

    /// What the later mails of a recipient's thread go under, see [`Record::subject`].
    pub fn subject(&self, key: AlertKey, recipient: &str) -> Option<&str> {
        match self.record(key, recipient)?.subject.as_deref()? {
            "" => self.first_subject(key),
            own => Some(own),
        }
    }

    fn first_subject(&self, key: AlertKey) -> Option<&str> {
        let subjects = self.records(key);
        let mut subjects = subjects.filter_map(|(_, record)| record.subject.as_deref());
        subjects.find(|subject| !subject.is_empty())
    }

    /// The latest time anybody was notified of an alert.
    pub fn notified_at(&self, key: AlertKey) -> Option<DateTime<Utc>> {
        self.records(key)
            .filter(|(_, record)| record.thread.is_some())
            .filter_map(|(_, record)| Some(record.last.as_ref()?.at))
            .max()
    }

    /// How many notifications of an alert were accepted, or given up.
    pub fn accepted(&self, key: AlertKey) -> u32 {
        self.records(key).map(|(_, record)| record.count).sum()
    }

    /// Whether anybody was told since a time that an alert is worse, or that it lasts.
    pub fn told_more_since(&self, key: AlertKey, at: DateTime<Utc>) -> bool {
        let mut last = self
            .records(key)
            .filter_map(|(_, record)| record.last.as_ref());
        last.any(|last| {
            let is_more = matches!(last.kind, AlertKind::Escalated | AlertKind::Repeat);
            is_more && last.at > at
        })
    }

    /// What of an alert is on its way, by the recipient's address.
    pub fn pending(&self, key: AlertKey) -> impl Iterator<Item = (&str, &Pending)> {
        self.records(key)
            .filter_map(|(to, record)| Some((to.as_str(), record.pending.as_ref()?)))
    }

    /// By the recipient's address.
    fn records(&self, key: AlertKey) -> impl Iterator<Item = (&String, &Record)> {
        let alerts = self.records.get(key.metric);
        let recipients = alerts.and_then(|alerts| alerts.get(key.alert));
        recipients.into_iter().flatten()
    }

    pub fn is_waiting(&self) -> bool {
        let alerts = self.records.values().flat_map(BTreeMap::values);
        let mut records = alerts.flat_map(BTreeMap::values);
        records.any(|record| record.pending.is_some()) || !self.repeats.is_empty()
    }

    /// How often what waits for the recipients of a channel was tried, at most.
    pub fn attempts(&self, route: Route) -> u32 {
        let alerts = self.records.values().flat_map(BTreeMap::values);
        let records = alerts
            .flatten()
            .filter(|(recipient, _)| Route::to(recipient) == route);
        let pending = records.filter_map(|(_, record)| record.pending.as_ref());
        let pending = pending.chain(self.repeats.get(route.name()));
        pending.map(|pending| pending.attempts).max().unwrap_or(0)
    }

    /// Takes back what is on its way by channels that are not there any more.
    pub fn take_back_all_but(&mut self, routes: &[Route]) {
        self.take_back(|_, recipient| routes.contains(&Route::to(recipient)));
        self.repeats
            .retain(|name, _| routes.contains(&Route::Web(name)));
    }

    /// Takes back what is on its way to whom nobody means to tell any more: of a silent metric, or to an
    /// address that is not configured now.
    pub fn take_back(&mut self, is_addressed: impl Fn(AlertKey, &str) -> bool) {
        for (metric, alerts) in &mut self.records {
            for (alert, recipients) in alerts {
                let key = AlertKey { metric, alert };
                for (recipient, record) in recipients {
                    if !is_addressed(key, recipient) {
                        record.pending = None;
                    }
                }
            }
        }
    }

    /// Somebody was told by this alert of what was lost.
    pub fn report_told(&mut self, alert: &str) {
        let lost = self.lost.iter_mut();
        let told = lost.filter(|lost| lost.told_by.as_deref() == Some(alert));
        told.for_each(|lost| lost.told = true);
    }

    /// Forgets the alerts that are not there any more, and what was lost long ago.
    pub fn forget(&mut self, now: DateTime<Utc>, is_there: impl Fn(AlertKey) -> bool) {
        for (metric, alerts) in &mut self.records {
            alerts.retain(|alert, _| is_there(AlertKey { metric, alert }));
        }
        self.records.retain(|_, alerts| !alerts.is_empty());
        self.lost
            .retain(|lost| !lost.told || now - lost.since < LOST_KEPT);
    }
}

impl Record {
    /// The server accepted the pending notification, which opens a thread if there is none.
    pub fn accept(&mut self, alert: &Alert, opening: Opening, now: DateTime<Utc>) {
        if self.thread.is_none() {
            self.thread = Some(opening.message_id);
            self.subject = opening.subject;
        }
        self.settle(alert, now);
    }

    /// The pending notification is done with.
    pub fn settle(&mut self, alert: &Alert, now: DateTime<Utc>) {
        let repeats = self.last.as_ref().map_or(0, |last| last.repeats);
        if let Some(pending) = self.pending.take() {
            self.last = Some(Notified {
                kind: pending.kind,
                at: now,
                bucket: alert.evaluation.as_ref().map(|out| out.bucket.start),
                deviation: alert.deviation(),
                share: alert.share(),
                repeats: match pending.kind {
                    AlertKind::Repeat => repeats.saturating_add(1),
                    _ => 0,
                },
            });
            self.count += 1;
        }
    }
}

impl Pending {
    pub fn new(mail: String, kind: AlertKind, now: DateTime<Utc>) -> Self {
        Self {
            mail,
            kind,
            since: now,
            attempts: 0,
            unanswered: 0,
            timed_out: 0,
            refused: 0,
            not_before: now,
            error: None,
        }
    }

    /// Whether it is time for another attempt. A clock that was set back must not make a pause of hours.
    pub fn is_ready(&self, now: DateTime<Utc>) -> bool {
        let pause = self.not_before - now;
        self.attempts == 0 || pause <= TimeDelta::zero() || pause > LONGEST_PAUSE
    }

    /// How it ends after an attempt that failed, if it does.
    pub fn ending(&self, now: DateTime<Utc>, give_up_after: TimeDelta) -> Option<Ending> {
        let is_old = now - self.since >= give_up_after && self.attempts >= FEWEST_ATTEMPTS;
        if self.unanswered >= MOST_UNANSWERED {
            Some(Ending::MayHaveArrived)
        } else {
            (is_old || self.refused >= MOST_REFUSED).then_some(Ending::GivenUp)
        }
    }

    /// How often others waited for it in vain.
    pub fn delays(&self) -> u32 {
        self.unanswered + self.timed_out
    }

    pub fn fail(&mut self, error: &Error, now: DateTime<Utc>) {
        self.attempts = self.attempts.saturating_add(1);
        let count = match error.downcast_ref() {
            Some(SendError::TimedOut(_)) => Some(&mut self.timed_out),
            Some(SendError::Unanswered(_)) => Some(&mut self.unanswered),
            Some(SendError::Refused(_) | SendError::TooLarge(_)) => Some(&mut self.refused),
            Some(SendError::Later { .. }) | None => None,
        };
        if let Some(count) = count {
            *count = count.saturating_add(1);
        }
        let minutes = 1_i32 << (self.attempts - 1).min(8);
        let mut pause = TimeDelta::minutes(1) * minutes;
        if let Some(SendError::Later { pause: asked, .. }) = error.downcast_ref() {
            pause = pause.max(*asked);
        }
        let pause = pause.min(LONGEST_PAUSE) - HEAD_START;
        self.not_before = now + pause;
        self.error = Some(write_error(error));
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Unanswered(why) => write!(
                formatter,
                "no answer to the message, which may have arrived: {why}"
            ),
            Self::TimedOut(words)
            | Self::Refused(words)
            | Self::TooLarge(words)
            | Self::Later { words, .. } => formatter.write_str(words),
        }
    }
}

impl std::error::Error for SendError {}

fn is_zero<T: Default + PartialEq>(count: &T) -> bool {
    *count == T::default()
}
