//! One run's notifications: what is due to each recipient is planned, grouped into mails, written down,
//! sent, and recorded. Alerts of muted metrics are simply not among those that come in.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use anyhow::{Error, Result};
use chrono::{DateTime, TimeDelta, Utc};

use super::due::due;
use super::log::{AlertKey, LostNotification, NotificationLog, Pending};
use super::notification::{AlertKind, Notification};
use crate::config::{Mailbox, Metric};
use crate::detect::Evaluation;
use crate::incident::{Alert, Condition, Policy};
use crate::output::fingerprint::fingerprint;
use crate::output::one_line;

/// An alert, and who is to know of it.
#[derive(Debug, Clone)]
pub struct AddressedAlert<'a> {
    /// `None`: bandwatch itself.
    pub metric: Option<&'a Metric>,
    pub alert: Alert,
    pub policy: Policy,
    pub recipients: Vec<Mailbox>,
    /// See [`Notification::newest`].
    pub newest: Option<&'a Evaluation>,
}

/// What goes to one recipient at once: one notification, or several as a digest.
#[derive(Debug)]
pub struct Mail<'a> {
    /// The same whenever it is sent anew.
    pub id: &'a str,
    pub to: &'a Mailbox,
    /// The Message-ID of the mail that this one belongs to.
    pub in_reply_to: Option<&'a str>,
    /// When it became due.
    pub since: DateTime<Utc>,
    pub notifications: Vec<Notification<'a>>,
}

/// Something that mails can be sent through.
pub trait Channel {
    /// Sends a mail and returns the Message-ID under which the server accepted it.
    fn send(&mut self, mail: &Mail) -> Result<String>;

    /// What the mail is called where it is only told of.
    fn subject(&self, mail: &Mail) -> String;
}

/// When notifications are grouped and given up.
#[derive(Debug, Clone, Copy)]
pub struct Delivery {
    /// More notifications to the same recipient at once are one mail.
    pub digest_over: usize,
    pub give_up_after: TimeDelta,
    pub now: DateTime<Utc>,
}

/// What came of sending one mail.
#[derive(Debug)]
pub struct SendResult {
    pub to: Mailbox,
    /// The metrics it told of.
    pub metrics: Vec<String>,
    pub outcome: Result<()>,
}

/// What came of all of them.
#[derive(Debug, Default)]
pub struct Delivered {
    pub results: Vec<SendResult>,
    /// Why the log could not be written down.
    pub failures: Vec<Error>,
}

/// Of one alert and one recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Item {
    alert: usize,
    recipient: usize,
}

impl Delivery {
    /// Sends what is due. `save` makes the log durable; what it cannot is sent all the same.
    pub fn run(
        self,
        alerts: &[AddressedAlert],
        log: &mut NotificationLog,
        channel: &mut impl Channel,
        mut save: impl FnMut(&NotificationLog) -> Result<()>,
    ) -> Delivered {
        let mut delivered = Delivered::default();
        let addressees: BTreeSet<(AlertKey, &str)> = items(alerts)
            .map(|item| (alerts[item.alert].key(), item.recipient(alerts)))
            .collect();
        log.take_back(|key, recipient| addressees.contains(&(key, recipient)));
        self.plan(items(alerts), alerts, log);
        delivered.failures.extend(save(log).err());
        let mut mails = ready_mails(items(alerts), alerts, log, self.now);
        while let Some(mail) = mails.pop_front() {
            let result = self.send(&mail, alerts, log, channel);
            // That an alert is over becomes due once its opening was accepted.
            if result.as_ref().is_some_and(|result| result.outcome.is_ok()) {
                self.plan(mail.iter().copied(), alerts, log);
                let next = ready_mails(mail.iter().copied(), alerts, log, self.now);
                next.into_iter()
                    .rev()
                    .for_each(|mail| mails.push_front(mail));
            }
            delivered.results.extend(result);
            delivered.failures.extend(save(log).err());
        }
        delivered
    }

    /// Notes what is due as on its way, each in its mail; and takes back what is not needed any more.
    fn plan(
        self,
        items: impl Iterator<Item = Item>,
        alerts: &[AddressedAlert],
        log: &mut NotificationLog,
    ) {
        let mut new: BTreeMap<(String, Group), Vec<(Item, AlertKind)>> = BTreeMap::new();
        for item in items {
            let (addressed, recipient) = (&alerts[item.alert], item.recipient(alerts));
            let record = log.record(addressed.key(), recipient);
            let kind = due(&addressed.alert, record, self.now, &addressed.policy);
            let planned = record.and_then(|record| record.pending.as_ref());
            if planned.map(|pending| pending.kind) == kind {
                continue;
            }
            if planned.is_some() {
                log.record_mut(addressed.key(), recipient).pending = None;
            }
            if let Some(kind) = kind {
                let group = Group::new(addressed, kind);
                let group = new.entry((recipient.to_string(), group)).or_default();
                group.push((item, kind));
            }
        }
        for ((_, group), members) in new {
            let is_digest = group != Group::Own && members.len() > self.digest_over;
            let mails = if is_digest {
                vec![members]
            } else {
                members.into_iter().map(|member| vec![member]).collect()
            };
            for members in mails {
                let id = mail_id(&members, alerts, log);
                for (item, kind) in members {
                    let key = alerts[item.alert].key();
                    let record = log.record_mut(key, item.recipient(alerts));
                    record.pending = Some(Pending::new(id.clone(), kind, self.now));
                }
            }
        }
    }

    /// Sends one mail, or gives it up.
    fn send(
        self,
        items: &[Item],
        alerts: &[AddressedAlert],
        log: &mut NotificationLog,
        channel: &mut impl Channel,
    ) -> Option<SendResult> {
        let first = items.first()?;
        let recipient = first.recipient(alerts);
        let records = items
            .iter()
            .filter_map(|item| log.record(alerts[item.alert].key(), recipient));
        let pending = records.clone().find_map(|record| record.pending.clone())?;
        let thread = records.into_iter().find_map(|record| record.thread.clone());
        let told: Vec<(&AddressedAlert, Alert, AlertKind)> = items
            .iter()
            .filter_map(|item| {
                let addressed = &alerts[item.alert];
                let record = log.record(addressed.key(), recipient)?;
                let kind = record.pending.as_ref()?.kind;
                let alert = match kind {
                    AlertKind::Firing => addressed.alert.as_released(),
                    _ => addressed.alert.clone(),
                };
                Some((addressed, alert, kind))
            })
            .collect();
        let notifications = told.iter().map(|(addressed, alert, kind)| Notification {
            metric: addressed.metric,
            alert,
            kind: *kind,
            newest: addressed.newest,
        });
        let to = &alerts[first.alert].recipients[first.recipient];
        let mail = Mail {
            id: &pending.mail,
            to,
            in_reply_to: thread.as_deref(),
            since: pending.since,
            notifications: notifications.collect(),
        };
        if pending.is_given_up(self.now, self.give_up_after) {
            let is_about_losses = is_about_losses(&alerts[first.alert].alert);
            if !is_about_losses {
                log.lost.push(LostNotification {
                    subject: channel.subject(&mail),
                    to: to.to_string(),
                    since: pending.since,
                    why: pending.error.clone().unwrap_or_default(),
                    told_by: None,
                    told: false,
                });
            }
            for (addressed, alert, _) in &told {
                let record = log.record_mut(addressed.key(), recipient);
                record.settle(alert, self.now);
            }
            return None;
        }
        let outcome = channel.send(&mail);
        for (addressed, alert, _) in &told {
            let record = log.record_mut(addressed.key(), recipient);
            match &outcome {
                Ok(message_id) => {
                    record.accept(alert, message_id, self.now);
                    log.report_told(&alert.id);
                }
                Err(error) => {
                    if let Some(pending) = &mut record.pending {
                        pending.fail(one_line(&format!("{error:#}")), self.now);
                    }
                }
            }
        }
        let metrics = items.iter().filter_map(|item| alerts[item.alert].metric);
        Some(SendResult {
            to: to.clone(),
            metrics: metrics.map(|metric| metric.name.clone()).collect(),
            outcome: outcome.map(drop),
        })
    }
}

/// What may stand together in one mail. What is over is news only to who was told that it was: it is no
/// part of a mail about something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    Own,
    Alerts,
    Resolved,
}

impl Group {
    fn new(addressed: &AddressedAlert, kind: AlertKind) -> Self {
        match (addressed.metric, kind) {
            (None, _) => Self::Own,
            (Some(_), AlertKind::Resolved) => Self::Resolved,
            (Some(_), _) => Self::Alerts,
        }
    }
}

impl AddressedAlert<'_> {
    pub fn key(&self) -> AlertKey<'_> {
        AlertKey {
            metric: self.metric.map_or("", |metric| &metric.name),
            alert: &self.alert.id,
        }
    }

    /// Whether everybody was notified of it once, or given up.
    pub fn is_known(&self, log: &NotificationLog) -> bool {
        self.recipients.iter().all(|recipient| {
            let record = log.record(self.key(), recipient.email.as_ref());
            record.is_some_and(|record| record.last.is_some())
        })
    }

    /// Whether nothing more of it is to be told to anybody, as it is now.
    pub fn is_settled(&self, log: &NotificationLog, now: DateTime<Utc>) -> bool {
        self.recipients.iter().all(|recipient| {
            let record = log.record(self.key(), recipient.email.as_ref());
            record.is_none_or(|record| record.pending.is_none())
                && due(&self.alert, record, now, &self.policy).is_none()
        })
    }
}

impl Item {
    fn recipient<'a>(self, alerts: &'a [AddressedAlert]) -> &'a str {
        alerts[self.alert].recipients[self.recipient].email.as_ref()
    }
}

fn items(alerts: &[AddressedAlert]) -> impl Iterator<Item = Item> {
    let alerts = alerts.iter().enumerate();
    alerts.flat_map(|(alert, addressed)| {
        let recipients = 0..addressed.recipients.len();
        recipients.map(move |recipient| Item { alert, recipient })
    })
}

fn is_about_losses(alert: &Alert) -> bool {
    alert.condition == Condition::NotificationsLost
}

/// The mails whose time has come. That some were lost comes first: the next mail that gets through is to
/// say so. That a metric is watched again comes before what was seen of it then.
fn ready_mails(
    items: impl Iterator<Item = Item>,
    alerts: &[AddressedAlert],
    log: &NotificationLog,
    now: DateTime<Utc>,
) -> VecDeque<Vec<Item>> {
    let mut mails: Vec<(&str, &str, Vec<Item>)> = Vec::new();
    for item in items {
        let recipient = item.recipient(alerts);
        let record = log.record(alerts[item.alert].key(), recipient);
        let Some(pending) = record.and_then(|record| record.pending.as_ref()) else {
            continue;
        };
        if !pending.is_ready(now) {
            continue;
        }
        let id = pending.mail.as_str();
        let is_same = |mail: &&mut (&str, &str, _)| (mail.0, mail.1) == (id, recipient);
        match mails.iter_mut().find(is_same) {
            Some((_, _, items)) => items.push(item),
            None => mails.push((id, recipient, vec![item])),
        }
    }
    let mut mails: Vec<Vec<Item>> = mails.into_iter().map(|(_, _, items)| items).collect();
    mails.sort_by_key(|items| {
        let alert = &alerts[items[0].alert].alert;
        let recipient = items[0].recipient(alerts);
        let was_told = log
            .record(alerts[items[0].alert].key(), recipient)
            .is_some_and(|record| record.thread.is_some());
        let is_watched_again = was_told && !alert.is_open() && alert.side().is_none();
        (!is_about_losses(alert), !is_watched_again)
    });
    mails.into()
}

/// An id for what is told: of metrics, alerts and places in them. The same for all recipients who are
/// told the same.
fn mail_id(
    members: &[(Item, AlertKind)],
    alerts: &[AddressedAlert],
    log: &NotificationLog,
) -> String {
    let told: String = members
        .iter()
        .map(|(item, kind)| {
            let (addressed, recipient) = (&alerts[item.alert], item.recipient(alerts));
            let key = addressed.key();
            let count = log.record(key, recipient).map_or(0, |record| record.count);
            format!("{}\n{}\n{count} {kind:?}\n", key.metric, key.alert)
        })
        .collect();
    format!("{:016x}", fingerprint(&told))
}
