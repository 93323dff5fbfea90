//! One run's notifications: what is due to each recipient is planned, grouped into mails, written down,
//! sent, and recorded. Of muted metrics only an Alertmanager hears, and only that what it knows of is over.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use anyhow::{Error, Result};
use chrono::{DateTime, TimeDelta, Utc};

use super::due::{due, due_to_alertmanager};
use super::log::{AlertKey, Ending, LostNotification, NotificationLog, Opening, Pending, Record};
use super::notification::{AlertKind, Notification};
use super::recipient::{Recipient, Route};
use crate::config::Metric;
use crate::detect::Evaluation;
use crate::incident::{Alert, Condition, Muted, Policy};
use crate::output::fingerprint::fingerprint;
use crate::output::{contain, without_isolates, write_error};

/// An alert, with all that matters for telling it.
#[derive(Debug, Clone)]
pub struct AddressedAlert<'a> {
    /// `None`: bandwatch itself.
    pub metric: Option<&'a Metric>,
    pub alert: Alert,
    pub policy: Policy,
    pub recipients: Vec<Recipient>,
    /// Whether its metric is muted now.
    pub muted: Muted,
    /// See [`Notification::newest`].
    pub newest: Option<&'a Evaluation>,
}

/// What goes to one recipient at once: one notification, or several as a digest.
pub struct Mail<'a> {
    /// The same whenever it is sent anew.
    pub id: &'a str,
    pub to: &'a Recipient,
    /// The Message-ID of the mail that this one belongs to.
    pub in_reply_to: Option<&'a str>,
    /// The subject of that mail, if it was about the same alone.
    pub thread_subject: Option<&'a str>,
    pub since: DateTime<Utc>,
    pub notifications: Vec<Notification<'a>>,
}

pub trait Channel {
    /// An error other than [`Unanswered`](super::SendError::Unanswered) means that the server did not
    /// accept it.
    fn send(&mut self, mail: &Mail) -> Result<()>;

    /// The Message-ID under which it is sent.
    fn message_id(&self, mail: &Mail) -> String;

    /// What the mail is called where it is only told of.
    fn subject(&mut self, mail: &Mail) -> String;
}

/// What goes by one channel, and when it is grouped and given up.
#[derive(Debug, Clone, Copy)]
pub struct Delivery<'a> {
    pub route: Route<'a>,
    /// More notifications to the same recipient at once are one mail.
    pub digest_over: usize,
    pub give_up_after: TimeDelta,
    pub now: DateTime<Utc>,
}

#[derive(Debug)]
pub struct SendResult {
    pub to: Recipient,
    /// The metrics it told of.
    pub metrics: Vec<String>,
    pub outcome: Result<()>,
}

#[derive(Debug, Default)]
pub struct Delivered {
    pub results: Vec<SendResult>,
    /// Why the log could not be written down.
    pub failures: Vec<Error>,
}

/// What became of the log that was to be written down.
#[derive(Debug, Default)]
pub struct Saved {
    pub clearance: Clearance,
    pub failure: Option<Error>,
}

/// What may be told, as to who else may be about to tell it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Clearance {
    /// Nobody else tells anything.
    #[default]
    Everything,
    /// All but what is known of these metrics (of bandwatch itself: an empty name), which another run has taken over.
    AllBut(Arc<BTreeSet<String>>),
    /// It is not written down, so another run would tell it once more.
    Nothing,
}

impl Clearance {
    fn admits(&self, items: &[Item]) -> bool {
        match self {
            Self::Everything => true,
            Self::AllBut(others) => items
                .iter()
                .all(|item| !others.contains(item.addressed.key().metric)),
            Self::Nothing => false,
        }
    }
}

/// One alert, for one recipient.
#[derive(Debug, Clone, Copy)]
struct Item<'a> {
    addressed: &'a AddressedAlert<'a>,
    to: &'a Recipient,
}

impl Delivery<'_> {
    /// Sends what is due, as far as it may be told once `save` has made the log durable.
    pub fn run(
        self,
        alerts: &[AddressedAlert],
        log: &mut NotificationLog,
        channel: &mut impl Channel,
        mut save: impl FnMut(&NotificationLog) -> Saved,
    ) -> Delivered {
        let mut delivered = Delivered::default();
        let mut save = |log: &NotificationLog, failures: &mut Vec<Error>| {
            let Saved { clearance, failure } = save(log);
            failures.extend(failure);
            clearance
        };
        let mut of_metrics: HashMap<&str, Vec<&AddressedAlert>> = HashMap::new();
        for alert in alerts {
            of_metrics
                .entry(alert.key().metric)
                .or_default()
                .push(alert);
        }
        let items = alerts.iter().flat_map(AddressedAlert::items);
        let items: Vec<Item> = items
            .filter(|item| Route::to(item.recipient()) == self.route)
            .filter(|item| {
                let others = of_metrics.get(item.addressed.key().metric);
                !item.is_replaced(others.map_or(&[], Vec::as_slice), log)
            })
            .collect();
        let addressees: BTreeSet<(AlertKey, &str)> = items
            .iter()
            .map(|item| (item.addressed.key(), item.recipient()))
            .collect();
        log.take_back(|key, recipient| {
            Route::to(recipient) != self.route || addressees.contains(&(key, recipient))
        });
        self.plan(&items, log);
        let mut clearance = save(log, &mut delivered.failures);
        let mut mails = VecDeque::from(ready_mails(&items, log, self.now));
        while let Some(mail) = mails.pop_front() {
            if !clearance.admits(&mail) {
                continue;
            }
            let result = self.send(&mail, log, channel);
            // That an alert is over becomes due once its opening was accepted.
            if result.as_ref().is_some_and(|result| result.outcome.is_ok()) {
                self.plan(&mail, log);
                for next in ready_mails(&mail, log, self.now).into_iter().rev() {
                    mails.push_front(next);
                }
            }
            delivered.results.extend(result);
            clearance = save(log, &mut delivered.failures);
        }
        delivered
    }

    /// Tells an Alertmanager again of what it was told that goes on, as it takes what nobody repeats for
    /// over. While that fails, it is tried after the usual pauses.
    pub fn repeat(
        self,
        alerts: &[AddressedAlert],
        log: &mut NotificationLog,
        repeat: impl FnOnce(&[Notification]) -> Result<()>,
    ) -> Result<()> {
        let items = alerts.iter().flat_map(AddressedAlert::items);
        let lasting = items.filter(|item| {
            // One whose opening was given up is told here.
            let last = item.record(log).and_then(|record| record.last.as_ref());
            let is_told =
                last.is_some_and(|last| last.kind == AlertKind::Firing && last.at < self.now);
            let alert = &item.addressed.alert;
            Route::to(item.recipient()) == self.route && is_told && alert.is_open() && alert.lasts()
        });
        let lasting: Vec<Item> = lasting.collect();
        let name = self.route.name();
        if lasting.is_empty() {
            log.repeats.remove(name);
            return Ok(());
        }
        let pending = log.repeats.get(name);
        if pending.is_some_and(|pending| !pending.is_ready(self.now)) {
            return Ok(());
        }
        let notifications: Vec<Notification> = lasting
            .iter()
            .map(|item| Notification {
                metric: item.addressed.metric,
                alert: &item.addressed.alert,
                kind: AlertKind::Repeat,
                told_at: item.told_at(log),
                newest: item.addressed.newest,
            })
            .collect();
        let outcome = contain("repeat the alerts", || repeat(&notifications));
        match &outcome {
            Ok(()) => {
                log.repeats.remove(name);
            }
            Err(error) => {
                let new = || Pending::new(String::new(), AlertKind::Repeat, self.now);
                let pending = log.repeats.entry(name.to_string()).or_insert_with(new);
                pending.fail(error, self.now);
            }
        }
        outcome
    }

    /// Notes what is due as on its way, each in its mail; and takes back what is not needed any more.
    fn plan(self, items: &[Item], log: &mut NotificationLog) {
        let waves = Waves::new(items, log, self.now);
        let mut new: BTreeMap<(&str, Group), Vec<(Item, AlertKind)>> = BTreeMap::new();
        for item in items {
            let kind = item.due(log, self.now);
            let planned = item.pending(log).map(|pending| pending.kind);
            if planned == kind {
                continue;
            }
            if planned.is_some() {
                item.record_mut(log).pending = None;
            }
            if let Some(kind) = kind.filter(|kind| !waves.hold(item, *kind, self.now)) {
                let group = match (item.addressed.metric, kind) {
                    (None, _) => Group::Own,
                    (Some(_), AlertKind::Resolved) => Group::Resolved,
                    (Some(_), _) => Group::Alerts,
                };
                let members = new.entry((item.recipient(), group)).or_default();
                members.push((*item, kind));
            }
        }
        for ((_, group), members) in new {
            let is_digest = group != Group::Own && members.len() > self.digest_over;
            for members in mails_of(members, is_digest, &waves) {
                let id = mail_id(&members, log);
                for (item, kind) in &members {
                    let pending = Pending::new(id.clone(), *kind, self.now);
                    item.record_mut(log).pending = Some(pending);
                }
            }
        }
    }

    /// Sends one mail, and gives it up if that fails once too often.
    fn send(
        self,
        items: &[Item],
        log: &mut NotificationLog,
        channel: &mut impl Channel,
    ) -> Option<SendResult> {
        let first = items.first()?;
        let pending = items.iter().find_map(|item| item.pending(log))?.clone();
        let thread = items
            .iter()
            .find_map(|item| item.record(log)?.thread.clone());
        let thread_subject = match items {
            [item] => log.subject(item.addressed.key(), item.recipient()),
            _ => None,
        };
        let thread_subject = thread_subject.map(str::to_string);
        let told: Vec<(Item, Alert, AlertKind)> = items
            .iter()
            .filter_map(|item| {
                let kind = item.pending(log)?.kind;
                Some((*item, kind.shown(&item.addressed.alert), kind))
            })
            .collect();
        let notifications = told.iter().map(|(item, alert, kind)| Notification {
            metric: item.addressed.metric,
            alert,
            kind: *kind,
            told_at: item.told_at(log),
            newest: item.addressed.newest,
        });
        let mail = Mail {
            id: &pending.mail,
            to: first.to,
            in_reply_to: thread.as_deref(),
            thread_subject: thread_subject.as_deref(),
            since: pending.since,
            notifications: notifications.collect(),
        };
        let metrics = items.iter().filter_map(|item| item.addressed.metric);
        let metrics: Vec<String> = metrics.map(|metric| metric.name.clone()).collect();
        let outcome = contain("compose the mail", || channel.send(&mail));
        let ending = match &outcome {
            Ok(()) => Some(Ending::Accepted),
            Err(error) => {
                for item in items {
                    if let Some(pending) = &mut item.record_mut(log).pending {
                        pending.fail(error, self.now);
                    }
                }
                let pending = first.pending(log);
                pending.and_then(|pending| pending.ending(self.now, self.give_up_after))
            }
        };
        if let (Err(error), Some(_), false) = (&outcome, ending, first.is_about_losses()) {
            let subject = contain("name the mail", || Ok(channel.subject(&mail)));
            let subject = subject.map(|subject| without_isolates(&subject));
            log.lost.push(LostNotification {
                subject: subject.unwrap_or_else(|_| metrics.join(", ")),
                to: first.to.to_string(),
                since: pending.since,
                why: write_error(error),
                told_by: None,
                told: false,
            });
        }
        for (item, alert, _) in &told {
            match ending {
                Some(Ending::Accepted | Ending::MayHaveArrived) => {
                    let opening = Opening {
                        message_id: channel.message_id(&mail),
                        subject: opening_subject(&mail, channel),
                    };
                    let (key, recipient) = (item.addressed.key(), item.recipient());
                    log.accept(key, recipient, alert, opening, self.now);
                    log.report_told(&alert.id);
                }
                Some(Ending::GivenUp) => item.record_mut(log).settle(alert, self.now),
                None => {}
            }
        }
        Some(SendResult {
            to: first.to.clone(),
            metrics,
            outcome,
        })
    }
}

/// What goes into each mail.
fn mails_of<'a>(
    members: Vec<(Item<'a>, AlertKind)>,
    is_digest: bool,
    waves: &Waves,
) -> Vec<Vec<(Item<'a>, AlertKind)>> {
    if is_digest {
        return vec![members];
    }
    let mut gathered: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    let mut mails = Vec::new();
    for (item, kind) in members {
        match waves.gathered(&item, kind) {
            Some(metric) => gathered.entry(metric).or_default().push((item, kind)),
            None => mails.push(vec![(item, kind)]),
        }
    }
    mails.extend(gathered.into_values());
    mails
}

/// After the opening of one of many series, those of others of its metric wait so long for company, so that an
/// outage that reaches one after the other is no mail a minute. Who got the first is looking already; and within
/// three buckets of five minutes most that one cause stops have stopped.
const GATHERED_FOR: TimeDelta = TimeDelta::minutes(15);

/// How the series of a metric open for each recipient: by both names.
struct Waves<'a>(HashMap<(&'a str, &'a str), Wave>);

#[derive(Debug, Clone, Copy, Default)]
struct Wave {
    /// When an opening was told last, or began to be.
    told: Option<DateTime<Utc>>,
    /// Since when the oldest opening that is due is so.
    due_since: Option<DateTime<Utc>>,
}

impl<'a> Waves<'a> {
    fn new(items: &[Item<'a>], log: &NotificationLog, now: DateTime<Utc>) -> Self {
        let mut waves: HashMap<(&str, &str), Wave> = HashMap::new();
        for item in items {
            let Some(key) = item.wave() else {
                continue;
            };
            let wave = waves.entry(key).or_default();
            let record = item.record(log);
            let pending = record.and_then(|record| record.pending.as_ref());
            let last = record.and_then(|record| record.last.as_ref());
            let pending = pending.filter(|pending| pending.kind == AlertKind::Firing);
            // One that was given up told nobody.
            let has_arrived = record.is_some_and(|record| record.thread.is_some());
            let last = last.filter(|last| last.kind == AlertKind::Firing && has_arrived);
            let told = pending
                .map(|pending| pending.since)
                .max(last.map(|last| last.at));
            wave.told = wave.told.max(told);
            if pending.is_none() && item.due(log, now) == Some(AlertKind::Firing) {
                let since = item.addressed.alert.released;
                wave.due_since = wave.due_since.into_iter().chain(since).min();
            }
        }
        Self(waves)
    }

    fn of(&self, item: &Item<'a>, kind: AlertKind) -> Option<&Wave> {
        let wave = item.wave().filter(|_| kind == AlertKind::Firing)?;
        self.0.get(&wave)
    }

    /// Whether an opening waits for others. None waits for longer than that, whatever was told meanwhile.
    fn hold(&self, item: &Item<'a>, kind: AlertKind, now: DateTime<Utc>) -> bool {
        let is_young = |at: DateTime<Utc>| (TimeDelta::zero()..GATHERED_FOR).contains(&(now - at));
        let wave = self.of(item, kind);
        wave.is_some_and(|wave| {
            wave.told.is_some_and(is_young) && wave.due_since.is_some_and(is_young)
        })
    }

    /// The metric whose openings have waited for each other, and are one mail.
    fn gathered(&self, item: &Item<'a>, kind: AlertKind) -> Option<&'a str> {
        let wave = self.of(item, kind)?;
        let have_waited = wave.due_since? < wave.told? + GATHERED_FOR;
        have_waited.then_some(item.wave()?.1)
    }
}

/// What the later mails of a thread go under, if this one begins it and is about one alert.
fn opening_subject(mail: &Mail, channel: &mut impl Channel) -> Option<String> {
    match (mail.in_reply_to, mail.notifications.as_slice()) {
        (None, [_]) => contain("name the mail", || Ok(channel.subject(mail))).ok(),
        _ => None,
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

impl AddressedAlert<'_> {
    pub fn key(&self) -> AlertKey<'_> {
        AlertKey {
            metric: self.metric.map_or("", |metric| &metric.name),
            alert: &self.alert.id,
        }
    }

    fn items(&self) -> impl Iterator<Item = Item<'_>> {
        let recipients = self.recipients.iter();
        recipients.map(|to| Item {
            addressed: self,
            to,
        })
    }

    /// Whether there is something of it to tell by a channel.
    pub fn is_news_to(&self, route: Route, log: &NotificationLog, now: DateTime<Utc>) -> bool {
        let mut items = self.items();
        items.any(|item| {
            let is_news = item.pending(log).is_some() || item.due(log, now).is_some();
            Route::to(item.recipient()) == route && is_news
        })
    }

    /// Whether everybody was notified of it once, or given up.
    pub fn is_known(&self, log: &NotificationLog) -> bool {
        self.items().all(|item| {
            let record = item.record(log);
            record.is_some_and(|record| record.last.is_some())
        })
    }

    /// Whether nothing more of it is to be told to anybody, as it is now.
    pub fn is_settled(&self, log: &NotificationLog, now: DateTime<Utc>) -> bool {
        self.items().all(|item| item.is_settled(log, now))
    }
}

impl<'a> Item<'a> {
    fn recipient(self) -> &'a str {
        self.to.key()
    }

    /// By whom and of which metric it is told, if it is of one of many series. An Alertmanager groups by itself.
    fn wave(self) -> Option<(&'a str, &'a str)> {
        let metric = self.addressed.metric?;
        let is_alertmanager = matches!(self.to, Recipient::Alertmanager(_));
        let series = metric.series.as_ref().filter(|_| !is_alertmanager)?;
        Some((self.recipient(), &series.metric))
    }

    fn record(self, log: &NotificationLog) -> Option<&Record> {
        log.record(self.addressed.key(), self.recipient())
    }

    /// When the recipient was told of the alert last.
    fn told_at(self, log: &NotificationLog) -> Option<DateTime<Utc>> {
        let record = self.record(log)?;
        record.thread.as_ref()?;
        Some(record.last.as_ref()?.at)
    }

    fn record_mut(self, log: &mut NotificationLog) -> &mut Record {
        log.record_mut(self.addressed.key(), self.recipient())
    }

    fn pending(self, log: &NotificationLog) -> Option<&Pending> {
        self.record(log)?.pending.as_ref()
    }

    fn due(self, log: &NotificationLog, now: DateTime<Utc>) -> Option<AlertKind> {
        let addressed = self.addressed;
        let (alert, record) = (&addressed.alert, self.record(log));
        match (self.to, addressed.muted) {
            (Recipient::Alertmanager(_), muted) => {
                let due = due_to_alertmanager(alert, record, now);
                // It pages for what it knows of until it hears of the end.
                due.filter(|kind| muted == Muted::No || *kind == AlertKind::Resolved)
            }
            (Recipient::Mailbox(_) | Recipient::Channel(_), Muted::Yes) => None,
            (Recipient::Mailbox(_) | Recipient::Channel(_), Muted::No) => {
                due(alert, record, now, &addressed.policy)
            }
        }
    }

    /// Whether an Alertmanager knows a later alert by the same labels: that this one is over would end that.
    fn is_replaced(self, alerts: &[&AddressedAlert], log: &NotificationLog) -> bool {
        let addressed = self.addressed;
        let (key, alert) = (addressed.key(), &addressed.alert);
        let is_later = |other: &&&AddressedAlert| {
            let is_same = other.key().metric == key.metric;
            is_same && other.alert.condition == alert.condition && other.alert.since > alert.since
        };
        let is_told = |other: &AddressedAlert| {
            let record = log.record(other.key(), self.recipient());
            let last = record.and_then(|record| record.last.as_ref());
            other.alert.is_open() && last.is_some_and(|last| last.kind == AlertKind::Firing)
        };
        let is_alertmanager = matches!(self.to, Recipient::Alertmanager(_));
        is_alertmanager
            && !alert.is_open()
            && alerts.iter().filter(is_later).any(|other| is_told(other))
    }

    /// Whether nothing more is to be told, as it is now; that something is due later is no matter.
    fn is_settled(self, log: &NotificationLog, now: DateTime<Utc>) -> bool {
        let due = match self.to {
            // The end waits a while, and must not be forgotten meanwhile.
            Recipient::Alertmanager(_) => self.due(log, DateTime::<Utc>::MAX_UTC),
            Recipient::Mailbox(_) | Recipient::Channel(_) => self.due(log, now),
        };
        self.pending(log).is_none() && due.is_none()
    }

    fn is_about_losses(self) -> bool {
        self.addressed.alert.condition == Condition::NotificationsLost
    }
}

/// The mails whose time has come. That some were lost comes first: the next mail that gets through is to
/// say so. That a metric is watched again comes before what was seen of it then. One that was waited for in
/// vain, perhaps until the deadline, comes after those that were not tried for it.
fn ready_mails<'a>(
    items: &[Item<'a>],
    log: &NotificationLog,
    now: DateTime<Utc>,
) -> Vec<Vec<Item<'a>>> {
    let mut places: HashMap<(&str, &str), usize> = HashMap::new();
    let mut mails: Vec<Vec<Item>> = Vec::new();
    for item in items {
        let Some(pending) = item.pending(log).filter(|pending| pending.is_ready(now)) else {
            continue;
        };
        let mail = (pending.mail.as_str(), item.recipient());
        let place = *places.entry(mail).or_insert_with(|| {
            mails.push(Vec::new());
            mails.len() - 1
        });
        mails[place].push(*item);
    }
    mails.sort_by_key(|items| {
        let (first, alert) = (items[0], &items[0].addressed.alert);
        let thread = first.record(log).and_then(|record| record.thread.as_ref());
        let is_watched_again = thread.is_some() && !alert.is_open() && alert.side().is_none();
        let delays = first.pending(log).map_or(0, Pending::delays);
        (delays, !first.is_about_losses(), !is_watched_again)
    });
    mails
}

/// An id for what is told: of metrics, alerts and places in them. The same for all recipients who are
/// told the same.
fn mail_id(members: &[(Item, AlertKind)], log: &NotificationLog) -> String {
    let told: String = members
        .iter()
        .map(|(item, kind)| {
            let AlertKey { metric, alert } = item.addressed.key();
            let count = match kind {
                // An alert has one opening and one end, whatever was told between.
                AlertKind::Firing | AlertKind::Resolved => 0,
                _ => item.record(log).map_or(0, |record| record.count),
            };
            format!("{metric}\n{alert}\n{count} {kind:?}\n")
        })
        .collect();
    format!("{:016x}", fingerprint(&told))
}
