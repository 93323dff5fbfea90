//! What a mail would meet at the server, up to the message itself: that is never begun.

use chrono::{DateTime, Utc};

use super::{Conversation, Failure, Session, Step, tls};
use crate::config::{Deadline, MailSettings, Mailbox};
use crate::output::write_error;

/// So large is a mail with its pictures, about.
const TYPICAL_BYTES: usize = 400_000;

/// What is tried, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trial {
    /// Connecting, and EHLO; with `implicit_tls` encrypted, which includes the certificate.
    Connection,
    /// STARTTLS and the certificate.
    Encryption,
    Login,
    Sender,
    Recipient(String),
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Probe {
    /// Each with why the server, or we, said no. After one that others depend on there is no other.
    pub trials: Vec<(Trial, Result<(), String>)>,
    /// Until when the certificate is valid.
    pub certificate_end: Option<DateTime<Utc>>,
    /// The largest message that the server takes, if that is too small for one with pictures.
    pub small_limit: Option<usize>,
}

impl Probe {
    pub fn of(settings: &MailSettings, recipients: &[Mailbox], deadline: Deadline) -> Self {
        let mut probe = Self::default();
        deadline.waiting_for(format!("smtp.host {}:{}", settings.host, settings.port()));
        if let Some(mut conversation) = probe.open(settings, deadline) {
            probe.address(&mut conversation, settings, recipients);
            conversation.reset();
            conversation.quit();
        }
        probe
    }

    /// The steps of [`Conversation::open`].
    fn open(&mut self, settings: &MailSettings, deadline: Deadline) -> Option<Conversation> {
        let greeted = Conversation::greet(settings, deadline);
        let mut conversation = self.note(Trial::Connection, greeted)?;
        if !settings.implicit_tls {
            let encrypted = conversation.start_tls(settings);
            conversation = self.note(Trial::Encryption, encrypted)?;
        }
        let chain = conversation.connection.certificates();
        self.certificate_end = tls(settings).ok().and_then(|tls| tls.end_of(chain));
        if let Some(login) = &settings.login {
            let logged_in = conversation.log_in(login);
            self.note(Trial::Login, logged_in)?;
        }
        Some(conversation)
    }

    /// MAIL, and RCPT for each.
    fn address(
        &mut self,
        conversation: &mut Conversation,
        settings: &MailSettings,
        recipients: &[Mailbox],
    ) {
        let largest = conversation.capabilities.largest;
        self.small_limit = largest.filter(|largest| *largest < TYPICAL_BYTES);
        let announced = largest.filter(|largest| *largest >= TYPICAL_BYTES);
        let size = announced.map_or(String::new(), |_| format!(" SIZE={TYPICAL_BYTES}"));
        let from = settings.from.as_ref();
        let from = from.map_or(String::new(), |from| from.email.to_string());
        let said = |conversation: &mut Conversation, step, command: &str| {
            let until = conversation.limit(conversation.reply_timeout);
            until.and_then(|until| conversation.command(step, command, until))
        };
        let answer = said(
            conversation,
            Step::Sender,
            &format!("MAIL FROM:<{from}>{size}"),
        );
        if self
            .note(Trial::Sender, answer.map_err(|failure| failure.error))
            .is_none()
        {
            return;
        }
        for to in recipients {
            let command = format!("RCPT TO:<{}>", to.email);
            let answer = said(conversation, Step::Recipient, &command);
            let is_usable = match &answer {
                Ok(()) => true,
                Err(Failure { session, .. }) => *session == Session::Usable,
            };
            let trial = Trial::Recipient(to.email.to_string());
            self.note(trial, answer.map_err(|failure| failure.error));
            if !is_usable {
                return;
            }
        }
    }

    fn note<T>(&mut self, trial: Trial, result: anyhow::Result<T>) -> Option<T> {
        let (value, result) = match result {
            Ok(value) => (Some(value), Ok(())),
            Err(error) => (None, Err(write_error(&error))),
        };
        self.trials.push((trial, result));
        value
    }
}
