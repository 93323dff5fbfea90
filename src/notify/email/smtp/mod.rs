//! A session with the mail server: encrypted and verified or not at all, one message a recipient, and
//! for each an answer of its own. The `conversation` is ours to answer for: lettre's client keeps what it
//! read in the clear when TLS begins, has no limit for the length of an answer or the time it takes as a
//! whole, and takes an answer that is not UTF-8 for none (see the decisions in `src/README.md`).
//!
//! `connection` has the bytes and `tls` their encryption, `reply` reads what the server answers, `hello`
//! and `data` are about what we say, and `secrets` keeps the login out of what is told.

mod connection;
mod conversation;
mod data;
mod hello;
mod reply;
mod secrets;
#[cfg(test)]
mod tests;
mod tls;

use anyhow::{Context, Result, bail};
use lettre::Message;

use crate::config::{Deadline, MailSettings, Mailbox};
use conversation::{Conversation, Failure, Session};

/// Opened for the first message.
pub struct SmtpSession<'a> {
    settings: &'a MailSettings,
    deadline: Deadline,
    /// Or why opening it failed, and would fail again.
    conversation: Option<Result<Conversation, String>>,
}

impl<'a> SmtpSession<'a> {
    pub fn new(settings: &'a MailSettings, deadline: Deadline) -> Self {
        Self {
            settings,
            deadline,
            conversation: None,
        }
    }

    /// Sends one message. One that is refused does not stop the others; a server that cannot be reached
    /// or trusted fails them all.
    pub fn send(&mut self, to: &Mailbox, message: &Message) -> Result<()> {
        let (host, port) = (&self.settings.host, self.settings.port());
        let what = format!("mail to {} by smtp.host {host}:{port}", to.email);
        self.deadline.waiting_for(what.clone());
        self.try_send(message).context(what)
    }

    fn try_send(&mut self, message: &Message) -> Result<()> {
        let is_reused = self.conversation.is_some();
        let sent = self.say(message)?;
        // Some servers take a few messages a session.
        let sent = match sent {
            Err(failure) if is_reused && failure.session == Session::OverBefore => {
                self.say(message)?
            }
            sent => sent,
        };
        sent.map_err(|failure| failure.error)
    }

    /// In the session that is there, or a new one; fails where there is none to be had.
    fn say(&mut self, message: &Message) -> Result<Result<(), Failure>> {
        let (settings, deadline) = (self.settings, self.deadline);
        let open = || Conversation::open(settings, deadline).map_err(|error| format!("{error:#}"));
        // Put back only where the next message meets no other that is half said.
        let mut conversation = match self.conversation.take().unwrap_or_else(open) {
            Ok(conversation) => conversation,
            Err(why) => {
                self.conversation = Some(Err(why.clone()));
                bail!("{why}")
            }
        };
        let sent = conversation.send(message);
        // After a refusal the next message starts afresh. After silence it needs a new connection: on
        // this one, an answer that comes late would be taken for the next.
        let is_usable = match &sent {
            Ok(()) => true,
            Err(failure) => failure.session == Session::Usable && conversation.reset(),
        };
        if is_usable {
            self.conversation = Some(Ok(conversation));
        }
        Ok(sent)
    }

    pub fn close(self) {
        if let Some(Ok(conversation)) = self.conversation {
            conversation.quit();
        }
    }
}
