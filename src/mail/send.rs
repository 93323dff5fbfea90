//! A conversation with the mail server: encrypted and verified or not at all, one message a
//! recipient, and for each an answer of its own.

use std::error::Error as _;
use std::io::ErrorKind;

use anyhow::{Context, Error, Result, anyhow, bail, ensure};
use lettre::transport::smtp;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{Certificate, SmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt, Rset};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};

use super::Mailbox;
use super::compose::Letter;
use crate::config::{Encryption, MailSettings};
use crate::deadline::Deadline;

/// What became of one recipient's mail.
#[derive(Debug)]
pub struct Delivery {
    pub to: Mailbox,
    /// The server has taken it on, or why not.
    pub outcome: Result<()>,
}

/// Sends each letter; one that is refused does not stop the others. A server that cannot be reached
/// or trusted fails them all.
pub fn send(letters: &[Letter], settings: &MailSettings, deadline: Deadline) -> Vec<Delivery> {
    let mut session = Session::Closed;
    let deliveries = letters
        .iter()
        .map(|letter| {
            let peer = format!("smtp.host {}:{}", settings.host, settings.port);
            let outcome = session
                .send(letter, settings, deadline)
                .with_context(|| format!("mail to {} by {peer}", letter.to.email));
            Delivery {
                to: letter.to.clone(),
                outcome,
            }
        })
        .collect();
    session.close();
    deliveries
}

enum Session {
    Closed,
    Open(Box<SmtpConnection>),
    /// Opening it failed, and would fail again.
    Refused(String),
}

impl Session {
    fn send(&mut self, letter: &Letter, settings: &MailSettings, deadline: Deadline) -> Result<()> {
        if let Self::Closed = self {
            match open(settings, deadline) {
                Ok(connection) => *self = Self::Open(Box::new(connection)),
                Err(error) => *self = Self::Refused(format!("{error:#}")),
            }
        }
        match self {
            Self::Refused(why) => bail!("{why}"),
            Self::Closed => bail!("no connection"),
            Self::Open(connection) => {
                connection.set_timeout(Some(deadline.at_most(settings.reply_timeout)?))?;
                let Err(failure) = transact(connection, letter) else {
                    return Ok(());
                };
                // After a refusal the next letter starts afresh. After silence it needs a new
                // connection: on this one, an answer that comes late would be taken for the next.
                if !failure.is_answer || connection.command(Rset).is_err() {
                    *self = Self::Closed;
                }
                Err(failure.told)
            }
        }
    }

    fn close(self) {
        if let Self::Open(mut connection) = self {
            // The letters are in or out by now; a server that hangs up first changes nothing.
            let _ = connection.quit();
        }
    }
}

/// Connects, encrypts, signs in.
fn open(settings: &MailSettings, deadline: Deadline) -> Result<SmtpConnection> {
    let tls = tls_parameters(settings)?;
    let implicit = (settings.encryption == Encryption::Implicit).then_some(&tls);
    let hello = ClientId::default();
    let timeout = deadline.at_most(settings.connect_timeout)?;
    let mut connection = SmtpConnection::connect(
        (settings.host.as_str(), settings.port),
        Some(timeout),
        &hello,
        implicit,
        None,
    )
    .map_err(|error| {
        explain(
            &error,
            "cannot be talked to",
            if error.status().is_some() {
                ""
            } else {
                "is it up, and are smtp.host and smtp.port right?"
            },
        )
    })?;
    connection.set_timeout(Some(deadline.at_most(settings.reply_timeout)?))?;
    if settings.encryption == Encryption::StartTls {
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
        // A text without any is no error to the parser.
        let begin = b"-----BEGIN CERTIFICATE-----";
        let holds_one = pem.windows(begin.len()).any(|bytes| bytes == begin);
        ensure!(holds_one, "{}: not a certificate in PEM", key());
        let certificate = Certificate::from_pem(&pem)
            .map_err(|_| anyhow!("{}: not a certificate in PEM", key()))?;
        builder = builder.add_root_certificate(certificate);
    }
    builder.build().map_err(|error| {
        explain(
            &error,
            "TLS cannot be set up",
            "are the certificates of the system in order (package ca-certificates)?",
        )
    })
}

/// Why a letter did not get through.
struct Failure {
    told: Error,
    /// The server said so, and waits for the next command.
    is_answer: bool,
}

impl Failure {
    fn of(error: &smtp::Error, answer: &str, silence: &str) -> Self {
        let is_answer = error.status().is_some();
        let what = if is_answer { answer } else { silence };
        Self {
            told: explain(error, what, ""),
            is_answer,
        }
    }
}

/// MAIL, RCPT, DATA and the message: each refusal told with its command.
fn transact(connection: &mut SmtpConnection, letter: &Letter) -> Result<(), Failure> {
    let envelope = letter.message.envelope();
    let mut parameters = Vec::new();
    let addresses = || envelope.to().iter().chain(envelope.from());
    if addresses().any(|address| !AsRef::<str>::as_ref(address).is_ascii()) {
        if !connection
            .server_info()
            .supports_feature(Extension::SmtpUtfEight)
        {
            return Err(Failure {
                told: anyhow!(
                    "the address is not plain ASCII, and the server does not take such addresses (SMTPUTF8)"
                ),
                is_answer: true,
            });
        }
        parameters.push(MailParameter::SmtpUtfEight);
    }
    connection
        .command(Mail::new(envelope.from().cloned(), parameters))
        .map_err(|error| {
            let refused = "the server refused the sender (MAIL)";
            Failure::of(&error, refused, "no answer to MAIL")
        })?;
    for to in envelope.to() {
        connection
            .command(Rcpt::new(to.clone(), vec![]))
            .map_err(|error| {
                let refused = "the server refused the recipient (RCPT)";
                Failure::of(&error, refused, "no answer to RCPT")
            })?;
    }
    connection.command(Data).map_err(|error| {
        let refused = "the server refused to take a message (DATA)";
        Failure::of(&error, refused, "no answer to DATA")
    })?;
    connection
        .message(&letter.message.formatted())
        .map_err(|error| {
            let refused = "the server refused the message (after DATA)";
            let silence = "no answer to the message, which may have arrived";
            Failure::of(&error, refused, silence)
        })?;
    Ok(())
}

/// A fact in the server's words where it said some, and a way out.
fn explain(error: &smtp::Error, what: &str, advice: &str) -> Error {
    let said = match (error.status(), error.source()) {
        (Some(code), Some(words)) => format!("{code} {words}"),
        (Some(code), None) => code.to_string(),
        (None, Some(cause)) => explain_silence(cause),
        (None, None) => error.to_string(),
    };
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    if advice.is_empty() {
        anyhow!("{what}: {said}")
    } else {
        anyhow!("{what}: {said}; {advice}")
    }
}

/// Why there is no answer, without the words of the libraries for the usual causes.
fn explain_silence(cause: &(dyn std::error::Error + 'static)) -> String {
    let kind = cause
        .downcast_ref::<std::io::Error>()
        .map(std::io::Error::kind);
    match kind {
        Some(ErrorKind::TimedOut | ErrorKind::WouldBlock) => "no answer in time".to_string(),
        Some(ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => {
            HUNG_UP.to_string()
        }
        _ if cause.to_string() == "incomplete response" => HUNG_UP.to_string(),
        _ => cause.to_string(),
    }
}

const HUNG_UP: &str = "the server closed the connection";

/// Only where the certificate is what was wrong with the encryption.
fn advice_on(error: &smtp::Error) -> &'static str {
    let is_about_certificate = error
        .source()
        .is_some_and(|cause| cause.to_string().contains("certificate"));
    if is_about_certificate {
        "the certificate must be valid for smtp.host, and smtp.ca_file name the authority that signed it unless the system knows it"
    } else {
        ""
    }
}
