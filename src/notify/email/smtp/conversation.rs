//! What is said to the server, in order: EHLO, STARTTLS, AUTH, then MAIL, RCPT and DATA for each message.
//! Each answer must be the one that belongs to its command, and no text of the server leaves this file
//! with the login in it.

mod probe;

use std::time::{Duration, Instant};

use anyhow::{Error, Result, anyhow};
use lettre::Message;
use lettre::address::Envelope;

use super::connection::{self, Connection, Silence};
use super::data::data;
use super::hello::{self, Capabilities};
use super::reply::{Reply, Severity};
use super::secrets::{self, Secrets};
use super::tls::Tls;
use crate::config::{Deadline, Login, MailSettings};
use crate::notify::SendError;
use crate::output::{one_line, shorten, with_advice};
pub use probe::{Probe, Trial};

/// For the answer to a message (RFC 5321, 4.5.3.2.6).
const MESSAGE_TIMEOUT: Duration = Duration::from_mins(10);
/// What is shown of the server's words.
const LONGEST_WORDS: usize = 500;

/// An open session.
pub struct Conversation {
    connection: Connection,
    /// By which the server was greeted.
    name: String,
    capabilities: Capabilities,
    secrets: Secrets,
    reply_timeout: Duration,
    deadline: Deadline,
}

/// Why a message did not get through.
pub struct Failure {
    pub error: Error,
    pub session: Session,
}

/// What a session is good for after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Session {
    /// The server said no, and waits for the next command.
    Usable,
    Broken,
    /// It was over before anything of the message was said.
    OverBefore,
}

/// A command about a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Sender,
    Recipient,
    Data,
    /// What follows DATA.
    Message,
}

impl Step {
    fn verb(self) -> &'static str {
        match self {
            Self::Sender => "MAIL",
            Self::Recipient => "RCPT",
            Self::Data => "DATA",
            Self::Message => "the message",
        }
    }

    fn refused(self) -> &'static str {
        match self {
            Self::Sender => "the server refused the sender (MAIL)",
            Self::Recipient => "the server refused the recipient (RCPT)",
            Self::Data => "the server refused to take a message (DATA)",
            Self::Message => "the server refused the message (after DATA)",
        }
    }
}

/// What came in place of the answer that a command needs.
enum Obstacle {
    Refused(Reply),
    Silence(Silence),
}

impl Conversation {
    /// Connects, encrypts, logs in.
    pub fn open(settings: &MailSettings, deadline: Deadline) -> Result<Self> {
        let mut conversation = Self::greet(settings, deadline)?;
        if !settings.implicit_tls {
            conversation = conversation.start_tls(settings)?;
        }
        if let Some(login) = &settings.login {
            conversation.log_in(login)?;
        }
        Ok(conversation)
    }

    /// Connects and says EHLO; with `implicit_tls`, encrypted from the first byte.
    fn greet(settings: &MailSettings, deadline: Deadline) -> Result<Self> {
        let (host, port) = (&settings.host, settings.port());
        let tls = settings.implicit_tls.then(|| tls(settings)).transpose()?;
        let timeout = deadline.at_most(settings.connect_timeout)?;
        let connection = connection::connect(host, port, timeout, deadline).map_err(|error| {
            anyhow!("{UNREACHABLE}: {error:#}; is it up, and are smtp.host and smtp.port right?")
        })?;
        let mut conversation = Self {
            connection,
            capabilities: Capabilities::default(),
            name: String::new(),
            secrets: Secrets::default(),
            reply_timeout: settings.reply_timeout,
            deadline,
        };
        let until = conversation.until(timeout)?;
        if let Some(tls) = tls {
            conversation = conversation.encrypt(&tls, until).map_err(|silence| {
                let silence = match silence {
                    // A greeting that came before TLS was begun.
                    Silence::Unasked(_) => Silence::PlainText,
                    other => other,
                };
                let advice = match &silence {
                    Silence::PlainText => "smtp.implicit_tls = true is for a port that begins with TLS, such as 465; a port that offers STARTTLS, such as 587, wants it to be false",
                    Silence::Tls(_) => "",
                    _ => "is it up, are smtp.host and smtp.port right, and does that port begin with TLS, as smtp.implicit_tls = true says?",
                };
                advised(&format!("{UNREACHABLE}: {}", brief(&silence.to_string())), advice)
            })?;
        }
        let greeting = conversation.connection.reply(until);
        let greeting = expect(greeting, Severity::Completed);
        greeting.map_err(|obstacle| {
            let advice = match &obstacle {
                Obstacle::Silence(Silence::TimedOut | Silence::HungUp) => match (settings.implicit_tls, port) {
                    (true, _) => "is it a mail server?",
                    (false, 465) => "port 465 begins with TLS and wants smtp.implicit_tls = true",
                    (false, _) => "are smtp.host and smtp.port right, and does that port begin with TLS, which wants smtp.implicit_tls = true?",
                },
                _ => "",
            };
            advised(&format!("{UNREACHABLE}: {}", conversation.words(&obstacle)), advice)
        })?;
        conversation.say_hello(settings, UNREACHABLE)?;
        Ok(conversation)
    }

    /// Says EHLO. What the server offered before counts no more.
    fn say_hello(&mut self, settings: &MailSettings, what: &str) -> Result<()> {
        let machine = hostname::get().ok();
        let machine = machine.as_ref().and_then(|name| name.to_str());
        let address = self.connection.local_address();
        self.name = hello::name(settings.hello_name.as_deref(), machine, address);
        let until = self.until(self.reply_timeout)?;
        let reply = self.ask(&format!("EHLO {}", self.name), Severity::Completed, until);
        let reply = reply.map_err(|obstacle| anyhow!("{what}: {}", self.words(&obstacle)))?;
        self.capabilities = Capabilities::new(&reply);
        Ok(())
    }

    fn start_tls(mut self, settings: &MailSettings) -> Result<Self> {
        let tls = tls(settings)?;
        if !self.capabilities.starttls {
            let advice = match settings.port() {
                587 => "",
                _ => "most servers offer it on port 587 (smtp.port)",
            };
            return Err(advised(
                "does not offer STARTTLS; refusing to send in the clear",
                advice,
            ));
        }
        let until = self.until(self.reply_timeout)?;
        let answer = self.ask("STARTTLS", Severity::Completed, until);
        answer.map_err(|obstacle| anyhow!("{NO_STARTTLS}: {}", self.words(&obstacle)))?;
        let until = self.until(self.reply_timeout)?;
        let encrypted = self.encrypt(&tls, until);
        let mut encrypted = encrypted.map_err(|silence| {
            let advice = match silence {
                Silence::HungUp => "does it know TLS 1.2 or 1.3?",
                _ => "",
            };
            advised(
                &format!("{NO_STARTTLS}: {}", brief(&silence.to_string())),
                advice,
            )
        })?;
        encrypted.say_hello(settings, "cannot be talked to after STARTTLS")?;
        Ok(encrypted)
    }

    fn encrypt(self, tls: &Tls, until: Instant) -> Result<Self, Silence> {
        let connection = self.connection.encrypt(tls, until)?;
        Ok(Self { connection, ..self })
    }

    /// By AUTH PLAIN (RFC 4616) where it is offered, else by LOGIN. Once: an account may be locked by more.
    fn log_in(&mut self, login: &Login) -> Result<()> {
        let what = format!("cannot log in as {}", login.user);
        self.secrets = Secrets::new(login);
        let steps = if self.capabilities.offers("PLAIN") {
            vec![format!("AUTH PLAIN {}", secrets::plain(login))]
        } else if self.capabilities.offers("LOGIN") {
            let (user, password) = (&login.user, login.password.reveal());
            let answers = [user, password].map(secrets::base64);
            [["AUTH LOGIN".to_string()].as_slice(), &answers].concat()
        } else if self.capabilities.mechanisms.is_empty() {
            return Err(anyhow!(
                "{what}: the server offers no login (AUTH); remove smtp.user if it needs none, or try another smtp.port, such as 587"
            ));
        } else {
            let offered = self.capabilities.mechanisms.join(", ");
            return Err(anyhow!(
                "{what}: the server offers AUTH by {}, and bandwatch knows PLAIN and LOGIN; does the server have to allow one of these, or a password for applications?",
                brief(&offered)
            ));
        };
        let last = steps.len() - 1;
        for (index, step) in steps.iter().enumerate() {
            let expected = if index == last {
                Severity::Completed
            } else {
                Severity::Intermediate
            };
            let until = self.until(self.reply_timeout)?;
            self.ask(step, expected, until).map_err(|obstacle| {
                let advice = match &obstacle {
                    Obstacle::Refused(reply) if reply.severity() == Severity::Permanent => "check smtp.user and smtp.password_file (or the environment: smtp_email, smtp_password)",
                    _ => "",
                };
                advised(&format!("{what}: {}", self.words(&obstacle)), advice)
            })?;
        }
        Ok(())
    }

    /// MAIL, RCPT, DATA and the message: each refusal told with its command.
    pub fn send(&mut self, message: &Message) -> Result<(), Failure> {
        let (envelope, bytes) = (message.envelope(), data(&message.formatted()));
        let parameters = self.parameters(envelope, &bytes)?;
        // One recipient has no more time than two answers, up to the answer to the message.
        let until = self.limit(2 * self.reply_timeout)?;
        let from = envelope.from().map_or("", AsRef::as_ref);
        self.command(
            Step::Sender,
            &format!("MAIL FROM:<{from}>{parameters}"),
            until,
        )?;
        for to in envelope.to() {
            self.command(Step::Recipient, &format!("RCPT TO:<{to}>"), until)?;
        }
        self.command(Step::Data, "DATA", until)?;
        self.upload(&bytes, until)?;
        // It may be delivered while the client waits, and is delivered again if that gives up too soon.
        let until = self.limit(MESSAGE_TIMEOUT)?;
        let answer = expect(self.connection.reply(until), Severity::Completed);
        answer.map(drop).map_err(|obstacle| match obstacle {
            Obstacle::Refused(reply) => self.refusal(Step::Message, &reply),
            Obstacle::Silence(silence) => Failure {
                error: Error::new(SendError::Unanswered(self.hide(&silence.to_string()))),
                session: Session::Broken,
            },
        })
    }

    /// Hands over the message with its end: without that it is none.
    fn upload(&mut self, bytes: &[u8], until: Instant) -> Result<(), Failure> {
        let Err(silence) = self.connection.ask(bytes, until) else {
            return Ok(());
        };
        // A server that had enough may have said so before it hung up.
        let answer = match silence {
            Silence::HungUp => expect(self.connection.reply(until), Severity::Completed),
            silence => Err(Obstacle::Silence(silence)),
        };
        Err(match answer {
            Err(Obstacle::Refused(reply)) => Failure {
                session: Session::Broken,
                ..self.refusal(Step::Message, &reply)
            },
            Err(Obstacle::Silence(silence)) => self.silence(Step::Message, &silence),
            Ok(_) => self.silence(Step::Message, &Silence::HungUp),
        })
    }

    /// Has the server forget what it was told of a message. Whether it did.
    pub fn reset(&mut self) -> bool {
        let until = self.until(self.reply_timeout);
        until.is_ok_and(|until| self.ask("RSET", Severity::Completed, until).is_ok())
    }

    pub fn quit(mut self) {
        // The messages are in or out by now; a server that hangs up or stalls changes nothing.
        let until = Instant::now() + Duration::from_secs(1);
        let _ = self.ask("QUIT", Severity::Completed, until);
    }

    /// What the addresses and the message ask of the server beyond the usual.
    fn parameters(&self, envelope: &Envelope, bytes: &[u8]) -> Result<String, Failure> {
        let unfit = |error| Failure {
            error,
            session: Session::Usable,
        };
        let mut parameters = String::new();
        if self.capabilities.largest.is_some() {
            parameters += &format!(" SIZE={}", bytes.len());
        }
        if let Some(largest) = self
            .capabilities
            .largest
            .filter(|largest| *largest < bytes.len())
        {
            let told = format!(
                "the mail has {} bytes, and the server takes {largest} at most (SIZE)",
                bytes.len()
            );
            return Err(unfit(Error::new(SendError::TooLarge(told))));
        }
        let mut addresses = envelope.to().iter().chain(envelope.from());
        if !addresses.all(|address| AsRef::<str>::as_ref(address).is_ascii()) {
            if !self.capabilities.international {
                return Err(unfit(anyhow!(
                    "the address is not plain ASCII, and the server does not take such addresses (SMTPUTF8)"
                )));
            }
            parameters += " SMTPUTF8";
        }
        if !bytes.is_ascii() {
            if !self.capabilities.eight_bit {
                return Err(unfit(anyhow!(
                    "the mail is not plain ASCII, and the server takes no other (8BITMIME)"
                )));
            }
            parameters += " BODY=8BITMIME";
        }
        Ok(parameters)
    }

    /// Says a command about a message.
    fn command(&mut self, step: Step, command: &str, until: Instant) -> Result<(), Failure> {
        let expected = match step {
            Step::Data => Severity::Intermediate,
            _ => Severity::Completed,
        };
        let until = until.min(self.limit(self.reply_timeout)?);
        let answer = self.ask(command, expected, until);
        answer.map(drop).map_err(|obstacle| match obstacle {
            Obstacle::Refused(reply) => self.refusal(step, &reply),
            Obstacle::Silence(silence) => self.silence(step, &silence),
        })
    }

    fn refusal(&self, step: Step, reply: &Reply) -> Failure {
        let words = self.refused(reply);
        let error = match reply.severity() {
            _ if reply.is_about_size() && step != Step::Recipient => {
                Error::new(SendError::TooLarge(words))
            }
            // What is wrong with the sender is wrong with the settings, and waits for them.
            _ if reply.is_about_mail() && step != Step::Sender => {
                Error::new(SendError::Refused(words))
            }
            _ => Error::msg(words),
        };
        Failure {
            error: error.context(step.refused()),
            session: if reply.code == 421 && step == Step::Sender {
                Session::OverBefore
            } else {
                Session::Usable
            },
        }
    }

    fn silence(&self, step: Step, silence: &Silence) -> Failure {
        let words = self.hide(&silence.to_string());
        let error = match silence {
            Silence::TimedOut => Error::new(SendError::TimedOut(words)),
            _ => Error::msg(words),
        };
        Failure {
            error: error.context(format!("no answer to {}", step.verb())),
            session: match (step, silence) {
                (Step::Sender, Silence::HungUp | Silence::Ended(_)) => Session::OverBefore,
                _ => Session::Broken,
            },
        }
    }

    fn ask(&mut self, line: &str, expected: Severity, until: Instant) -> Result<Reply, Obstacle> {
        let asked = self.connection.ask(format!("{line}\r\n").as_bytes(), until);
        let reply = asked.and_then(|()| self.connection.reply(until));
        expect(reply, expected)
    }

    /// The server's words, or why there are none; on one line, without the login.
    fn words(&self, obstacle: &Obstacle) -> String {
        match obstacle {
            Obstacle::Refused(reply) => self.refused(reply),
            Obstacle::Silence(silence) => self.hide(&silence.to_string()),
        }
    }

    /// The words of a refusal, and what they may be about.
    fn refused(&self, reply: &Reply) -> String {
        let words = self.hide(&reply.to_string());
        let lower = words.to_ascii_lowercase();
        if lower.contains("helo") || lower.contains("ehlo") {
            let name = &self.name;
            return format!("{words}; it was greeted as {name} (smtp.hello_name)");
        }
        words
    }

    fn hide(&self, words: &str) -> String {
        // Enough to find the login in, and no work for a text without end.
        let words: String = one_line(words).chars().take(10 * LONGEST_WORDS).collect();
        brief(&self.secrets.mask(&words))
    }

    /// When a wait of this length is over, if the deadline does not come before.
    fn until(&self, wish: Duration) -> Result<Instant> {
        Ok(Instant::now() + self.deadline.at_most(wish)?)
    }

    fn limit(&self, wish: Duration) -> Result<Instant, Failure> {
        self.until(wish).map_err(|error| Failure {
            error,
            session: Session::Broken,
        })
    }
}

const UNREACHABLE: &str = "cannot be talked to";
const NO_STARTTLS: &str = "no encryption by STARTTLS";

/// How the certificate of this server is checked.
fn tls(settings: &MailSettings) -> Result<Tls> {
    Tls::new(&settings.host, &settings.authorities)
}

fn expect(reply: Result<Reply, Silence>, expected: Severity) -> Result<Reply, Obstacle> {
    let reply = reply.map_err(Obstacle::Silence)?;
    match reply.severity() {
        severity if severity == expected => Ok(reply),
        Severity::Transient | Severity::Permanent => Err(Obstacle::Refused(reply)),
        _ => Err(Obstacle::Silence(Silence::Unfit(reply))),
    }
}

/// As much as is shown of somebody's words.
fn brief(words: &str) -> String {
    shorten(&one_line(words), LONGEST_WORDS)
}

fn advised(fact: &str, advice: &str) -> Error {
    Error::msg(with_advice(fact, advice))
}
