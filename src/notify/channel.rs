//! E-mail as a channel: draws the pictures a mail shows, composes it, and sends it.

use std::collections::HashMap;

use anyhow::{Error, Result, bail};
use chrono::{DateTime, Utc};

use super::deliver::{Channel, Mail};
use super::email::{self, Email, Envelope, Letterhead, SmtpSession};
use super::gallery::Gallery;
use super::log::SendError;
use super::notification::{AlertKind, Notification};
use super::recipient::Recipient;
use crate::config::{Deadline, MailSettings, Mailbox};

pub struct EmailChannel<'a> {
    from: Mailbox,
    /// Tells the mails of this installation from those of others.
    installation: String,
    session: SmtpSession<'a>,
    composer: Composer<'a>,
}

/// Composes what several recipients are told of once.
pub(super) struct Composer<'a> {
    letterhead: Letterhead<'a>,
    gallery: Gallery<'a>,
    /// By when they became due, and all that they tell: the id of a mail stays when a recipient is taken
    /// off one of its alerts.
    composed: HashMap<(DateTime<Utc>, Vec<Member>), Email>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Member {
    /// `None`: bandwatch itself.
    metric: Option<String>,
    alert: String,
    kind: AlertKind,
}

impl<'a> EmailChannel<'a> {
    pub fn new(
        settings: &'a MailSettings,
        from: Mailbox,
        installation: String,
        letterhead: Letterhead<'a>,
        gallery: Gallery<'a>,
        deadline: Deadline,
    ) -> Self {
        Self {
            from,
            installation,
            session: SmtpSession::new(settings, deadline),
            composer: Composer::new(letterhead, gallery),
        }
    }

    pub fn close(self) -> Gallery<'a> {
        self.session.close();
        self.composer.gallery
    }
}

impl Channel for EmailChannel<'_> {
    fn message_id(&self, mail: &Mail) -> String {
        let name = format!("{} {}", self.installation, mail.id);
        match mail.to {
            Recipient::Mailbox(to) => email::message_id(&self.from, to, &name),
            Recipient::Channel(name) | Recipient::Alertmanager(name) => name.clone(),
        }
    }

    fn send(&mut self, mail: &Mail) -> Result<()> {
        let Recipient::Mailbox(to) = mail.to else {
            bail!("{} is no mail address", mail.to);
        };
        let message_id = self.message_id(mail);
        let composer = &mut self.composer;
        let email = self
            .session
            .open_during(move || composer.compose(&mail.notifications, mail.since));
        let envelope = Envelope {
            from: &self.from,
            to,
            date: mail.since,
            message_id: &message_id,
            in_reply_to: mail.in_reply_to,
            thread_subject: mail.thread_subject,
        };
        let sent = self.session.send(to, &email.message(&envelope)?);
        let is_too_large = |error: &Error| {
            let why = error.downcast_ref();
            matches!(why, Some(SendError::TooLarge(_)))
        };
        if sent.as_ref().is_err_and(is_too_large)
            && let Some(smaller) = email.clone().without_pictures()
        {
            return self.session.send(to, &smaller.message(&envelope)?);
        }
        sent
    }

    fn subject(&mut self, mail: &Mail) -> String {
        let email = self.composer.compose(&mail.notifications, mail.since);
        email.subject().to_string()
    }
}

impl<'a> Composer<'a> {
    pub(super) fn new(letterhead: Letterhead<'a>, gallery: Gallery<'a>) -> Self {
        Self {
            letterhead,
            gallery,
            composed: HashMap::new(),
        }
    }

    /// As of the time they became due, as their date says: a copy that comes another day is the same mail.
    pub(super) fn compose(
        &mut self,
        notifications: &[Notification],
        since: DateTime<Utc>,
    ) -> &Email {
        let members = notifications.iter().map(|one| Member {
            metric: one.metric.map(|metric| metric.name.clone()),
            alert: one.alert.id.clone(),
            kind: one.kind,
        });
        let letterhead = Letterhead {
            now: since.with_timezone(&self.letterhead.now.timezone()),
            ..self.letterhead
        };
        let composed = self.composed.entry((since, members.collect()));
        composed.or_insert_with(|| compose(notifications, &mut self.gallery, &letterhead))
    }
}

/// Composes a mail, with the pictures of what is farthest out.
fn compose(
    notifications: &[Notification],
    gallery: &mut Gallery,
    letterhead: &Letterhead,
) -> Email {
    if let [notification] = notifications {
        return email::compose(notification, gallery.pictures_of(notification), letterhead);
    }
    let deviation = |one: &Notification| one.alert.deviation().map_or(0.0, f64::abs);
    // What is over is told in a row.
    let open = notifications.iter().filter(|one| !one.is_resolved());
    let mut farthest: Vec<&Notification> = open.collect();
    farthest.sort_by(|one, other| deviation(other).total_cmp(&deviation(one)));
    for notification in farthest.into_iter().take(email::MOST_PICTURES) {
        gallery.pictures_of(notification);
    }
    email::compose_digest(notifications, |metric| gallery.drawn(metric), letterhead)
}
