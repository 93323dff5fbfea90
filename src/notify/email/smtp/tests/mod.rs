//! The session with servers that speak line by line from a script. `S:` is what the server says, in one
//! piece up to the next line of another kind, with `\x` for bytes; `C:` is how what it hears must begin;
//! `BYTES` hears whatever comes, `MESSAGE` a message to its end; `TLS` encrypts, `DRIP` says a byte now and
//! then for ever, and `FLOOD:` says the same for ever. After the last line it hangs up.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::*;
use crate::config::{Login, Secret};

mod conversation;
mod encryption;

const GREETING: &str = "S: 220 mx.example ESMTP\nC: EHLO ";
const OFFER: &str =
    "S: 250-mx.example\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go ahead\nTLS\nC: EHLO \n";
const ENVELOPE: &str = "C: MAIL FROM:<watch@example.com>\nS: 250 ok\nC: RCPT TO:<ops@example.com>\nS: 250 ok\nC: DATA\n";
const MESSAGE: &str = "S: 354 go ahead\nMESSAGE\nS: 250 kept\n";
const PASSWORD: &str = "pass w0rd";

/// A server with a certificate, and what it heard.
struct Server {
    port: u16,
    thread: thread::JoinHandle<Vec<String>>,
}

struct Identity {
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
}

impl Identity {
    /// A certificate that signed itself as an authority, as `openssl req -x509` makes it.
    fn of_authority(name: &str, last_year: i32) -> Self {
        let mut params = CertificateParams::new(vec![name.to_string()]).expect("a name");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(last_year, 1, 1);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate");
        Self {
            certificate: certificate.der().clone(),
            key: PrivateKeyDer::try_from(key.serialize_der()).expect("a key"),
        }
    }

    /// Signed by an authority that nobody knows.
    fn signed() -> Self {
        let mut params = CertificateParams::default();
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, "somebody");
        let authority = KeyPair::generate().expect("a key");
        let authority = CertifiedIssuer::self_signed(params, authority).expect("an authority");
        let params = CertificateParams::new(vec!["127.0.0.1".to_string()]).expect("a name");
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &authority).expect("a certificate");
        Self {
            certificate: certificate.der().clone(),
            key: PrivateKeyDer::try_from(key.serialize_der()).expect("a key"),
        }
    }

    fn usual() -> Self {
        Self::of_authority("127.0.0.1", 2120)
    }
}

impl Server {
    /// One connection for each script.
    fn start(scripts: &[String], identity: &Identity) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![identity.certificate.clone()], identity.key.clone_key())
            .expect("a certificate");
        let (config, scripts) = (Arc::new(config), scripts.to_vec());
        let thread = thread::spawn(move || {
            let mut heard = Vec::new();
            for script in scripts {
                let (tcp, _) = listener.accept().expect("a client");
                // What cannot be said or heard any more ends the script.
                if speak(tcp, &script, &config, &mut heard).is_err() {
                    heard.push(String::new());
                }
            }
            heard
        });
        Self { port, thread }
    }

    fn heard(self) -> Vec<String> {
        self.thread.join().expect("the script fits")
    }
}

trait Wire: Read + Write {}
impl<T: Read + Write> Wire for T {}

fn speak(
    tcp: TcpStream,
    script: &str,
    config: &Arc<ServerConfig>,
    heard: &mut Vec<String>,
) -> std::io::Result<()> {
    let raw = tcp.try_clone()?;
    let mut wire: BufReader<Box<dyn Wire>> = BufReader::new(Box::new(tcp));
    let mut said = Vec::new();
    for line in script.lines().filter(|line| !line.is_empty()) {
        if let Some(text) = line.strip_prefix("S: ") {
            said.extend([unescape(text).as_slice(), b"\r\n"].concat());
            continue;
        }
        wire.get_mut().write_all(&std::mem::take(&mut said))?;
        wire.get_mut().flush()?;
        if let Some(expected) = line.strip_prefix("C: ") {
            let mut line = String::new();
            wire.read_line(&mut line)?;
            let line = line.trim_end().to_string();
            assert!(line.is_empty() || line.starts_with(expected), "{line:?}");
            heard.push(line);
        } else if line == "BYTES" {
            let count = wire.fill_buf()?.len();
            wire.consume(count);
        } else if line == "MESSAGE" {
            let mut message = String::new();
            while !message.ends_with("\r\n.\r\n") && wire.read_line(&mut message)? > 0 {}
            heard.push(message);
        } else if line == "TLS" {
            let session = ServerConnection::new(Arc::clone(config)).expect("a session");
            wire = BufReader::new(Box::new(StreamOwned::new(session, raw.try_clone()?)));
        } else if let Some(text) = line.strip_prefix("FLOOD: ") {
            loop {
                wire.get_mut().write_all(unescape(text).as_slice())?;
            }
        } else {
            assert_eq!(line, "DRIP");
            loop {
                wire.get_mut().write_all(b"2")?;
                wire.get_mut().flush()?;
                thread::sleep(Duration::from_millis(20));
            }
        }
    }
    wire.get_mut().write_all(&said)?;
    wire.get_mut().flush()?;
    // Hangs up in order, and waits until the client did: data that nobody read would reset the connection.
    let mut rest = Vec::new();
    raw.set_read_timeout(Some(Duration::from_millis(500)))?;
    raw.shutdown(std::net::Shutdown::Write)?;
    wire.read_to_end(&mut rest).map(drop)
}

fn unescape(text: &str) -> Vec<u8> {
    let mut parts = text.split("\\x");
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (code, rest) = part.split_at(2);
        bytes.push(u8::from_str_radix(code, 16).expect("two digits"));
        bytes.extend(rest.as_bytes());
    }
    bytes
}

fn settings(port: u16, keys: &str, identity: &Identity) -> MailSettings {
    let text = format!("host = \"127.0.0.1\"\nport = {port}\n{keys}");
    let mut settings: MailSettings = toml::from_str(&text).expect("settings");
    settings.authorities = vec![identity.certificate.clone()];
    settings.connect_timeout = Duration::from_millis(400);
    settings.reply_timeout = Duration::from_millis(400);
    settings
}

fn message(to: &Mailbox, text: &str) -> Message {
    let from: Mailbox = "watch@example.com".parse().expect("an address");
    let builder = Message::builder().from(from).to(to.clone());
    builder
        .subject("High")
        .body(text.to_string())
        .expect("a message")
}

/// Sends a message to each, and what came of it.
fn send(settings: &MailSettings, recipients: &[&str], text: &str) -> Vec<Result<()>> {
    let mut session = SmtpSession::new(settings, Deadline::after(Duration::from_secs(30)));
    let sent = recipients.iter().map(|to| {
        let to = to.parse().expect("an address");
        session.send(&to, &message(&to, text))
    });
    let sent = sent.collect();
    session.close();
    sent
}

/// What came of a message to a server with this script, and what that heard.
fn sent_by(keys: &str, script: &str) -> (Result<()>, Vec<String>) {
    let identity = Identity::usual();
    let server = Server::start(&[script.to_string()], &identity);
    let mut settings = settings(server.port, keys, &identity);
    settings.login = script.contains("C: AUTH").then(|| Login {
        user: "watch".into(),
        password: Secret::new(PASSWORD.into()),
    });
    let mut sent = send(
        &settings,
        &["ops@example.com"],
        "it is high\r\n.\r\nvery\r\n",
    );
    (sent.remove(0), server.heard())
}

#[track_caller]
fn assert_fails(script: &str, told: &str) -> anyhow::Error {
    let (sent, heard) = sent_by("", script);
    let error = sent.expect_err(script);
    assert!(
        format!("{error:#}").contains(told),
        "{error:#}\nis not\n{told}\nof\n{script}\nwhich heard {heard:?}"
    );
    error
}
