//! A channel that is a web service: the words of a mail, without its pictures, in the form that the service
//! understands.

use anyhow::{Context, Result, bail};
use chrono::{DateTime, Utc};

use super::deliver::{Channel, Mail};
use super::email::{self, Email, Letterhead, Occasion};
use super::http::{Answer, NoAnswer, Post, Request};
use super::log::SendError;
use super::notification::Notification;
use super::webhook::{Alert, Message};
use super::{alertmanager, slack, teams, webhook};
use crate::config::{Deadline, Metric, Service, WebSettings};
use crate::detect::Evaluation;
use crate::output::fingerprint::fingerprint;

pub struct WebChannel<'a> {
    settings: &'a WebSettings,
    /// Tells the messages of this installation from those of others.
    installation: String,
    letterhead: Letterhead<'a>,
    deadline: Deadline,
    /// Why it did not answer, and would not do so now.
    down: Option<String>,
}

impl<'a> WebChannel<'a> {
    pub fn new(
        settings: &'a WebSettings,
        installation: String,
        letterhead: Letterhead<'a>,
        deadline: Deadline,
    ) -> Self {
        Self {
            settings,
            installation,
            letterhead,
            deadline,
            down: None,
        }
    }

    /// Tells an Alertmanager that these go on; to others it is no news.
    pub fn repeat(&mut self, notifications: &[Notification]) -> Result<()> {
        match &self.settings.service {
            Service::Alertmanager { labels } => {
                let alerts = alertmanager::alerts(notifications, labels, &self.letterhead);
                self.post(Post::json(&alerts))
            }
            Service::Webhook { .. } | Service::Slack | Service::Teams => Ok(()),
        }
    }

    /// Shows what an alert looks like, marked as a test; `shown` says what it shows. Returns its subject.
    pub fn send_test(
        &mut self,
        metric: &Metric,
        evaluation: &Evaluation,
        shown: &str,
    ) -> Result<String> {
        let occasion = Occasion::Test(shown);
        let email = email::compose_evaluation(metric, evaluation, &[], &self.letterhead, occasion);
        let post = match &self.settings.service {
            Service::Webhook { secret } => {
                let now = self.letterhead.now;
                // Each trial is a message of its own.
                let message = Message {
                    id: &self.id(&format!("test {}", now.timestamp_micros())),
                    in_reply_to: None,
                    created: now,
                    email: &email,
                    alerts: vec![Alert::test(metric, evaluation, &email)],
                };
                webhook::post(&message, secret.as_ref(), now.to_utc())?
            }
            Service::Slack => Post::json(&slack::message(&email)),
            Service::Teams => Post::json(&teams::message(&email)),
            Service::Alertmanager { labels } => {
                let test = alertmanager::test(metric, &email, labels, self.letterhead.now.to_utc());
                Post::json(&test)
            }
        };
        self.post(post)?;
        Ok(email.subject().to_string())
    }

    /// What is posted. A message is as of the time it became due: a copy that comes another day is the same.
    fn compose(&self, mail: &Mail) -> Result<Post> {
        let (notifications, letterhead) = (&mail.notifications, self.letterhead_of(mail));
        Ok(match &self.settings.service {
            Service::Webhook { secret } => {
                let message = Message {
                    id: &self.message_id(mail),
                    in_reply_to: mail.in_reply_to,
                    created: letterhead.now,
                    email: &words(notifications, &letterhead),
                    alerts: notifications
                        .iter()
                        .map(|one| Alert::new(one, &letterhead))
                        .collect(),
                };
                webhook::post(&message, secret.as_ref(), self.letterhead.now.to_utc())?
            }
            Service::Slack => Post::json(&slack::message(&words(notifications, &letterhead))),
            Service::Teams => Post::json(&teams::message(&words(notifications, &letterhead))),
            Service::Alertmanager { labels } => {
                // It is told until when an alert holds, which counts from now.
                Post::json(&alertmanager::alerts(
                    notifications,
                    labels,
                    &self.letterhead,
                ))
            }
        })
    }

    fn letterhead_of(&self, mail: &Mail) -> Letterhead<'a> {
        Letterhead {
            now: mail.since.with_timezone(&self.letterhead.now.timezone()),
            ..self.letterhead
        }
    }

    fn id(&self, name: &str) -> String {
        let (installation, channel) = (&self.installation, &self.settings.name);
        let mark = fingerprint(&format!("{installation} {name} {channel}"));
        format!("bandwatch.{mark:016x}")
    }

    fn post(&mut self, post: Post) -> Result<()> {
        let (name, address) = (&self.settings.name, self.settings.address.shown());
        let what = format!("channel {name:?} at {address}");
        self.deadline.waiting_for(what.clone());
        self.try_post(post).context(what)
    }

    fn try_post(&mut self, post: Post) -> Result<()> {
        if let Some(why) = &self.down {
            bail!("{why}");
        }
        let settings = self.settings;
        let address = match &settings.service {
            Service::Alertmanager { .. } => &alertmanager::endpoint(settings.address.reveal()),
            _ => settings.address.reveal(),
        };
        let request = Request {
            address,
            post: Some(post),
            trusted: &settings.authorities,
            patience: self.deadline.at_most(settings.timeout)?,
            most_redirects: 0,
        };
        match request.send(self.now()) {
            Ok(answer) => self.judge(&answer),
            Err(why) => {
                let words = explain(&why);
                self.down = Some(words.clone());
                Err(match (why, &settings.service) {
                    // The same alert once more is no other.
                    (NoAnswer::Unanswered, Service::Alertmanager { .. })
                    | (NoAnswer::TimedOut, _) => SendError::TimedOut(words).into(),
                    (NoAnswer::Unanswered, _) => SendError::Unanswered(words).into(),
                    _ => anyhow::Error::msg(words),
                })
            }
        }
    }

    fn judge(&self, answer: &Answer) -> Result<()> {
        let status = answer.status;
        // What others say may hold what they were told: the address, which is a secret.
        let word = answer.word.as_ref().filter(|word| {
            let address = self.settings.address.reveal().to_ascii_lowercase();
            matches!(self.settings.service, Service::Slack) && !address.contains(word.as_str())
        });
        let word = word.map_or(String::new(), |word| format!(": {word}"));
        let told = format!("the service answered {status}{word}");
        match status {
            200..=299 => Ok(()),
            300..=399 => bail!("{told}, a redirect, which is not followed; is that its address?"),
            // About the settings, and waits for them.
            401 | 403 | 407 => {
                bail!("{told}: it does not accept who asks; are address and secret right?")
            }
            408 | 425 | 429 | 500.. => match answer.retry_after {
                Some(pause) => Err(SendError::Later { words: told, pause }.into()),
                None => bail!("{told}"),
            },
            _ => Err(SendError::Refused(told).into()),
        }
    }

    fn now(&self) -> DateTime<Utc> {
        self.letterhead.now.to_utc()
    }
}

impl Channel for WebChannel<'_> {
    fn send(&mut self, mail: &Mail) -> Result<()> {
        let post = self.compose(mail)?;
        self.post(post)
    }

    fn message_id(&self, mail: &Mail) -> String {
        self.id(mail.id)
    }

    fn subject(&mut self, mail: &Mail) -> String {
        let email = words(&mail.notifications, &self.letterhead_of(mail));
        email.subject().to_string()
    }
}

/// The words of one mail, without pictures.
fn words(notifications: &[Notification], letterhead: &Letterhead) -> Email {
    match notifications {
        [one] => email::compose(one, &[], letterhead),
        several => email::compose_digest(several, |_| &[], letterhead),
    }
}

fn explain(why: &NoAnswer) -> String {
    match why {
        NoAnswer::TimedOut => "cannot be reached in time (key timeout)".to_string(),
        NoAnswer::Unanswered => "no answer in time (key timeout)".to_string(),
        NoAnswer::HostNotFound => "its host is not known".to_string(),
        NoAnswer::Unreachable(why) => format!("cannot be talked to: {why}"),
        NoAnswer::Other => "the request failed".to_string(),
    }
}
