//! E-mail as a channel: draws the pictures a mail shows, composes it, and sends it.

use std::collections::HashMap;

use anyhow::Result;

use super::deliver::{Channel, Mail};
use super::email::{self, Email, Envelope, Letterhead, SmtpSession};
use super::gallery::Gallery;
use super::notification::Notification;
use crate::config::{Deadline, MailSettings, Mailbox};

pub struct EmailChannel<'a> {
    letterhead: Letterhead<'a>,
    from: Mailbox,
    session: SmtpSession<'a>,
    gallery: Gallery<'a>,
    /// By the id of the mail: several recipients get the same.
    composed: HashMap<String, Email>,
}

impl<'a> EmailChannel<'a> {
    pub fn new(
        settings: &'a MailSettings,
        from: Mailbox,
        letterhead: Letterhead<'a>,
        gallery: Gallery<'a>,
        deadline: Deadline,
    ) -> Self {
        Self {
            letterhead,
            from,
            session: SmtpSession::new(settings, deadline),
            gallery,
            composed: HashMap::new(),
        }
    }

    pub fn close(self) -> Gallery<'a> {
        self.session.close();
        self.gallery
    }
}

impl Channel for EmailChannel<'_> {
    fn send(&mut self, mail: &Mail) -> Result<String> {
        let message_id = email::message_id(&self.from, mail.to, mail.id);
        let composed = self.composed.entry(mail.id.to_string());
        let email = composed
            .or_insert_with(|| compose(&mail.notifications, &mut self.gallery, &self.letterhead));
        let message = email.message(&Envelope {
            from: &self.from,
            to: mail.to,
            date: mail.since,
            message_id: &message_id,
            in_reply_to: mail.in_reply_to,
        })?;
        self.session.send(mail.to, &message)?;
        Ok(message_id)
    }

    fn subject(&self, mail: &Mail) -> String {
        let email = match mail.notifications.as_slice() {
            [notification] => email::compose(notification, None, &self.letterhead),
            notifications => email::compose_digest(notifications, |_| None, &self.letterhead),
        };
        email.subject().to_string()
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
    let mut farthest: Vec<&Notification> = notifications.iter().collect();
    farthest.sort_by(|one, other| deviation(other).total_cmp(&deviation(one)));
    for notification in farthest.into_iter().take(email::MOST_PICTURES) {
        gallery.pictures_of(notification);
    }
    email::compose_digest(notifications, |metric| gallery.drawn(metric), letterhead)
}
