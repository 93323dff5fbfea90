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

use std::panic::resume_unwind;
use std::thread;

use anyhow::{Context, Result, bail};
use lettre::Message;

use crate::config::{Deadline, MailSettings, Mailbox};
use conversation::{Conversation, Failure, Session};
pub use conversation::{Probe, Trial};

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

    /// Does the work that comes before the first message while the session is opened, which mostly waits.
    pub fn open_during<T>(&mut self, work: impl FnOnce() -> T) -> T {
        if self.conversation.is_some() {
            return work();
        }
        self.deadline.waiting_for(self.server());
        let (opened, done) = thread::scope(|scope| {
            let opening = scope.spawn(|| self.open());
            let done = work();
            (opening.join(), done)
        });
        self.conversation = Some(opened.unwrap_or_else(|panic| resume_unwind(panic)));
        done
    }

    fn open(&self) -> Result<Conversation, String> {
        let opened = Conversation::open(self.settings, self.deadline);
        opened.map_err(|error| format!("{error:#}"))
    }

    fn server(&self) -> String {
        format!("smtp.host {}:{}", self.settings.host, self.settings.port())
    }

    /// Sends one message. One that is refused does not stop the others; a server that cannot be reached
    /// or trusted fails them all.
    pub fn send(&mut self, to: &Mailbox, message: &Message) -> Result<()> {
        let what = format!("mail to {} by {}", to.email, self.server());
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
        // Put back only where the next message meets no other that is half said.
        let opened = self.conversation.take();
        let mut conversation = match opened.unwrap_or_else(|| self.open()) {
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
