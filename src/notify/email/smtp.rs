//! A session with the mail server: encrypted and verified or not at all, one message a recipient, and
//! for each an answer of its own.

use std::error::Error as _;
use std::fmt::Display;
use std::io::ErrorKind;
use std::time::Duration;

use anyhow::{Context, Error, Result, anyhow, bail};
use lettre::Message;
use lettre::address::Envelope;
use lettre::transport::smtp;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{Certificate, SmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt, Rset};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};

use crate::config::{Deadline, MailSettings, Mailbox};
use crate::notify::Unanswered;
use crate::output::one_line;

/// For the answer to a message (RFC 5321, 4.5.3.2.6).
const MESSAGE_TIMEOUT: Duration = Duration::from_mins(10);

/// Opened for the first message.
pub struct SmtpSession<'a> {
    settings: &'a MailSettings,
    deadline: Deadline,
    /// Or why opening it failed, and would fail again.
    connection: Option<Result<SmtpConnection, String>>,
}

impl<'a> SmtpSession<'a> {
    pub fn new(settings: &'a MailSettings, deadline: Deadline) -> Self {
        Self {
            settings,
            deadline,
            connection: None,
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
        let (settings, deadline) = (self.settings, self.deadline);
        let open = || open(settings, deadline).map_err(|error| format!("{error:#}"));
        // Put back only where the next message meets no other that is half said.
        let mut connection = match self.connection.take().unwrap_or_else(open) {
            Ok(connection) => connection,
            Err(why) => {
                self.connection = Some(Err(why.clone()));
                bail!("{why}")
            }
        };
        let mut conversation = Conversation {
            connection: &mut connection,
            reply_timeout: settings.reply_timeout,
            deadline,
        };
        let sent = conversation.send(message);
        // After a refusal the next message starts afresh. After silence it needs a new connection: on
        // this one, an answer that comes late would be taken for the next.
        let is_refused = sent.as_ref().is_err_and(|failure| failure.is_answer);
        if sent.is_ok() || is_refused && conversation.ask(Rset, "RSET").is_ok() {
            self.connection = Some(Ok(connection));
        }
        sent.map_err(|failure| failure.error)
    }

    pub fn close(self) {
        if let Some(Ok(mut connection)) = self.connection {
            // The messages are in or out by now; a server that hangs up or stalls changes nothing.
            let _ = connection.set_timeout(Some(Duration::from_secs(1)));
            let _ = connection.quit();
        }
    }
}

/// Connects, encrypts, signs in.
fn open(settings: &MailSettings, deadline: Deadline) -> Result<SmtpConnection> {
    let tls = tls_parameters(settings)?;
    let implicit = settings.implicit_tls.then_some(&tls);
    let hello = ClientId::default();
    let timeout = deadline.at_most(settings.connect_timeout)?;
    let mut connection = SmtpConnection::connect(
        (settings.host.as_str(), settings.port()),
        Some(timeout),
        &hello,
        implicit,
        None,
    )
    .map_err(|error| {
        let advice = match (error.status(), implicit) {
            (Some(_), _) => "",
            (None, Some(_)) => "is it up, are smtp.host and smtp.port right, and does that port want smtp.implicit_tls?",
            (None, None) => "is it up, and are smtp.host and smtp.port right?",
        };
        explain(&error, "cannot be talked to", advice)
    })?;
    connection.set_timeout(Some(deadline.at_most(settings.reply_timeout)?))?;
    if !settings.implicit_tls {
        if !connection.can_starttls() {
            bail!(
                "does not offer STARTTLS; refusing to send in the clear (a server on port 465 wants smtp.implicit_tls = true)"
            );
        }
        connection
            .starttls(&tls, &hello)
            .map_err(|error| explain(&error, "no encryption by STARTTLS", advice_on(&error)))?;
    }
    if let Some(login) = &settings.login {
        let credentials = Credentials::new(login.user.clone(), login.password.reveal().to_string());
        connection
            .auth(&[Mechanism::Plain, Mechanism::Login], &credentials)
            .map_err(|error| explain(&error, &format!("cannot log in as {}", login.user), "check smtp.user and smtp.password_file (or the environment: smtp_email, smtp_password)"))?;
    }
    Ok(connection)
}

fn tls_parameters(settings: &MailSettings) -> Result<TlsParameters> {
    let mut builder = TlsParameters::builder(settings.host.clone());
    if let Some(path) = &settings.ca_file {
        let key = || format!("smtp.ca_file = {:?}", path.display().to_string());
        let pem = std::fs::read(path).with_context(|| format!("{}: cannot be read", key()))?;
        let certificate = Certificate::from_pem(&pem)
            .map_err(|_| anyhow!("{}: not a certificate in PEM", key()))?;
        builder = builder.add_root_certificate(certificate);
    }
    let advice = "are the certificates of the system in order (package ca-certificates)?";
    let built = builder.build();
    built.map_err(|error| explain(&error, "TLS cannot be set up", advice))
}

/// Why a message did not get through.
struct Failure {
    error: Error,
    /// The server said so, and waits for the next command.
    is_answer: bool,
}

impl Failure {
    fn of(error: &smtp::Error, answer: &str, silence: &str) -> Self {
        let is_answer = error.status().is_some();
        let error = explain(error, if is_answer { answer } else { silence }, "");
        Self { error, is_answer }
    }
}

/// An open connection, each answer of which is waited for no longer than the deadline allows.
struct Conversation<'a> {
    connection: &'a mut SmtpConnection,
    reply_timeout: Duration,
    deadline: Deadline,
}

impl Conversation<'_> {
    /// MAIL, RCPT, DATA and the message: each refusal told with its command.
    fn send(&mut self, message: &Message) -> Result<(), Failure> {
        let envelope = message.envelope();
        let parameters = self.parameters(envelope)?;
        let sender = Mail::new(envelope.from().cloned(), parameters);
        self.ask(sender, "the sender (MAIL)")?;
        for to in envelope.to() {
            self.ask(Rcpt::new(to.clone(), vec![]), "the recipient (RCPT)")?;
        }
        self.ask(Data, "to take a message (DATA)")?;
        // It may be delivered while the client waits, and is delivered again if that gives up too soon.
        self.limit(MESSAGE_TIMEOUT)?;
        let answer = self.connection.message(&message.formatted());
        answer.map(drop).map_err(|error| match error.status() {
            Some(_) => Failure::of(&error, "the server refused the message (after DATA)", ""),
            None => Failure {
                error: Error::msg(said(&error)).context(Unanswered),
                is_answer: false,
            },
        })
    }

    /// What the addresses ask of the server beyond the usual.
    fn parameters(&self, envelope: &Envelope) -> Result<Vec<MailParameter>, Failure> {
        let mut addresses = envelope.to().iter().chain(envelope.from());
        if addresses.all(|address| AsRef::<str>::as_ref(address).is_ascii()) {
            return Ok(Vec::new());
        }
        let server = self.connection.server_info();
        if server.supports_feature(Extension::SmtpUtfEight) {
            return Ok(vec![MailParameter::SmtpUtfEight]);
        }
        Err(Failure {
            error: anyhow!(
                "the address is not plain ASCII, and the server does not take such addresses (SMTPUTF8)"
            ),
            is_answer: true,
        })
    }

    /// Says a command, named by what it asks the server to accept.
    fn ask(&mut self, command: impl Display, what: &str) -> Result<(), Failure> {
        self.limit(self.reply_timeout)?;
        let command = command.to_string();
        let verb = command.split_whitespace().next().unwrap_or_default();
        let answer = self.connection.command(&command);
        answer.map(drop).map_err(|error| {
            let refused = format!("the server refused {what}");
            Failure::of(&error, &refused, &format!("no answer to {verb}"))
        })
    }

    fn limit(&mut self, wish: Duration) -> Result<(), Failure> {
        let timeout = self.deadline.at_most(wish);
        let limited = timeout.and_then(|timeout| Ok(self.connection.set_timeout(Some(timeout))?));
        limited.map_err(|error| Failure {
            error,
            is_answer: false,
        })
    }
}

/// A fact in the server's words where it said some, and a way out.
fn explain(error: &smtp::Error, what: &str, advice: &str) -> Error {
    let said = said(error);
    match advice {
        "" => anyhow!("{what}: {said}"),
        _ => anyhow!("{what}: {said}; {advice}"),
    }
}

/// The server's words, or why there are none; on one line.
fn said(error: &smtp::Error) -> String {
    one_line(&match (error.status(), error.source()) {
        (Some(code), Some(words)) => format!("{code} {words}"),
        (Some(code), None) => code.to_string(),
        (None, Some(cause)) => explain_silence(cause),
        (None, None) => error.to_string(),
    })
}

/// Why there is no answer, without the words of the libraries for the usual causes.
fn explain_silence(cause: &(dyn std::error::Error + 'static)) -> String {
    use ErrorKind::{BrokenPipe, ConnectionReset, TimedOut, UnexpectedEof, WouldBlock};
    let said = cause.to_string();
    match cause.downcast_ref().map(std::io::Error::kind) {
        Some(TimedOut | WouldBlock) => "no answer in time".to_string(),
        Some(UnexpectedEof | ConnectionReset | BrokenPipe) => HUNG_UP.to_string(),
        _ if said == "incomplete response" => HUNG_UP.to_string(),
        _ => said,
    }
}

const HUNG_UP: &str = "the server closed the connection";

/// Only where the certificate is what was wrong with the encryption.
fn advice_on(error: &smtp::Error) -> &'static str {
    let cause = error.source().map(ToString::to_string);
    if cause.is_some_and(|cause| cause.contains("certificate")) {
        "the certificate must be valid for smtp.host, and smtp.ca_file name the authority that signed it unless the system knows it"
    } else {
        ""
    }
}
