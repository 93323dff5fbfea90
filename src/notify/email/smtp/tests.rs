//! The session with servers that speak line by line from a script. `S:` is what the server says, in one
//! piece up to the next line of another kind, with `\x` for bytes; `C:` is how what it hears must begin;
//! `BYTES` hears whatever comes, `MESSAGE` a message to its end; `TLS` encrypts, `DRIP` says a byte now and then for ever, and
//! `FLOOD:` says the same for ever. After the last line it hangs up.

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
use crate::notify::SendError;

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

#[test]
fn a_message_goes_out_encrypted_with_each_command_in_its_turn() {
    let script = format!(
        "{GREETING}\n{OFFER}S: 250-mx\nS: 250-SIZE 100000\nS: 250 AUTH PLAIN LOGIN\nC: AUTH PLAIN AHdhdGNoAHBhc3MgdzByZA==\nS: 235 ok\n{ENVELOPE}{MESSAGE}C: QUIT\nS: 221 bye"
    );
    let (sent, heard) = sent_by("hello_name = \"db1.example.com\"\n", &script);
    sent.expect("it is sent");
    assert_eq!(heard[0], "EHLO db1.example.com");
    let size = heard[7].len();
    assert_eq!(
        heard[4],
        format!("MAIL FROM:<watch@example.com> SIZE={size}")
    );
    assert!(
        heard[7].ends_with("\r\n\r\nit is high\r\n..\r\nvery\r\n.\r\n"),
        "{heard:?}"
    );
}

#[test]
fn a_login_goes_by_login_where_plain_is_not_offered() {
    let script = format!(
        "{GREETING}\n{OFFER}S: 250-mx\nS: 250 AUTH XOAUTH2 LOGIN\nC: AUTH LOGIN\nS: 334 VXNlcm5hbWU6\nC: d2F0Y2g=\nS: 334 UGFzc3dvcmQ6\nC: cGFzcyB3MHJk\nS: 235 ok\n{ENVELOPE}{MESSAGE}C: QUIT"
    );
    sent_by("", &script).0.expect("it is sent");
}

#[test]
fn an_answer_that_was_not_asked_for_ends_the_session_wherever_it_comes() {
    let forged =
        "S: 250-x\nS: 250 AUTH PLAIN\nS: 235 ok\nS: 250 ok\nS: 250 ok\nS: 354 go\nS: 250 queued\n";
    for script in [
        // In the clear, from anybody on the way: nothing of it counts for what is encrypted (RFC 3207, 6).
        format!("S: 220 mx\nC: EHLO \nS: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go\n{forged}TLS\nC: EHLO \nC: MAIL"),
        "S: 220 mx\nC: EHLO \nS: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go\nS: 250-mitm\nS: 250 AUTH LOGIN\nTLS\nC: EHLO \n".to_string(),
        format!("S: 220 mx\n{forged}C: EHLO \nC: STARTTLS"),
        format!("S: 220 mx\nC: EHLO \nS: 250-mx\nS: 250 STARTTLS\n{forged}C: STARTTLS"),
        // Half of one, or no answer at all.
        "S: 220 mx\nC: EHLO \nS: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go\nS: 250-half\nTLS\n".to_string(),
        "S: 220 mx\nC: EHLO \nS: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go\nS: garbage\nTLS\n".to_string(),
        // From a server that is out of step.
        format!("{GREETING}\n{OFFER}S: 250 mx\nS: 250 ok\nC: MAIL"),
        format!("{GREETING}\n{OFFER}S: 250 mx\nC: MAIL\nS: 250 ok\nS: 250 ok\nC: RCPT"),
        format!("{GREETING}\n{OFFER}S: 250 mx\n{ENVELOPE}S: 354 go\nS: 250 kept\nMESSAGE"),
    ] {
        let (sent, heard) = sent_by("", &script);
        let error = format!("{:#}", sent.expect_err(&script));
        assert!(
            ["said more than it was asked", "is not SMTP"].iter().any(|told| error.contains(told)),
            "{error}\nof {script}"
        );
        let last = heard.last().map_or("", String::as_str);
        assert!(last.is_empty(), "it went on with {last:?}\nafter {script}");
    }
}

#[test]
fn what_a_server_says_after_it_accepted_one_message_is_not_taken_for_the_next() {
    let script =
        format!("{GREETING}\n{OFFER}S: 250 mx\n{ENVELOPE}{MESSAGE}S: 250 ok\nS: 250 ok\nC: MAIL");
    let (identity, recipients) = (Identity::usual(), ["ops@example.com", "b@example.com"]);
    let server = Server::start(&[script], &identity);
    let sent = send(&settings(server.port, "", &identity), &recipients, "high");
    assert!(sent[0].is_ok() && sent[1].is_err(), "{sent:?}");
}

#[test]
fn an_answer_that_does_not_fit_its_command_is_none() {
    let mail = format!("{GREETING}\n{OFFER}S: 250 mx\n");
    for (script, told) in [
        (
            "S: 354 go\n".to_string(),
            "cannot be talked to: an answer that does not fit: 354 go",
        ),
        (
            "S: 999 hi\n".to_string(),
            "cannot be talked to: the server's answer is not SMTP: \"999 hi\"",
        ),
        (
            "S: hello\n".to_string(),
            "the server's answer is not SMTP: \"hello\"",
        ),
        (
            format!("{mail}C: MAIL\nS: 354 ok\n"),
            "no answer to MAIL: an answer that does not fit",
        ),
        (
            format!("{mail}{ENVELOPE}S: 250 not 354\nMESSAGE\n"),
            "no answer to DATA: an answer that does not fit: 250 not 354",
        ),
        (
            format!("{mail}{ENVELOPE}S: 354 go\nMESSAGE\nS: 354 go\n"),
            "may have arrived: an answer that does not fit",
        ),
        (
            format!("{mail}{ENVELOPE}S: 354 go\nMESSAGE\nS: 250-ok\nS: 550 no\n"),
            "may have arrived: the server's answer is both 250 and 550",
        ),
    ] {
        assert_fails(&script, told);
    }
}

#[test]
fn a_server_that_ends_the_session_is_told_with_its_words() {
    let script = format!("{GREETING}\n{OFFER}S: 250 mx\nS: 421 4.3.2 going down\n");
    assert_fails(
        &script,
        "the server ended the session: 421 4.3.2 going down",
    );
}

#[test]
fn an_answer_without_an_end_is_cut_off() {
    let mail = format!("{GREETING}\n{OFFER}S: 250 mx\n");
    for (script, told) in [
        (
            "FLOOD: 220-hello there\\x0d\\x0a".to_string(),
            "more than 500 lines",
        ),
        (
            "FLOOD: 220 xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx".to_string(),
            "a line of more than 2000 bytes",
        ),
        (
            format!("{mail}C: MAIL\nFLOOD: 250-x\\x0d\\x0a"),
            "more than 500 lines",
        ),
    ] {
        assert_fails(&script, told);
    }
}

#[test]
fn a_server_that_answers_a_byte_at_a_time_holds_up_neither_the_session_nor_the_others() {
    assert_fails("DRIP", "cannot be talked to: no answer in time");
    let mail = format!("{GREETING}\n{OFFER}S: 250 mx\n");
    let slow = format!("{mail}C: MAIL\nS: 250 ok\nC: RCPT\nDRIP");
    let well = format!(
        "{mail}C: MAIL\nS: 250 ok\nC: RCPT TO:<b@example.com>\nS: 250 ok\nC: DATA\n{MESSAGE}C: QUIT\nS: 221 bye"
    );
    let (identity, recipients) = (Identity::usual(), ["a@example.com", "b@example.com"]);
    let server = Server::start(&[slow, well], &identity);
    let sent = send(&settings(server.port, "", &identity), &recipients, "high");
    let error = sent[0].as_ref().expect_err("too slow");
    assert!(format!("{error:#}").ends_with("no answer to RCPT: no answer in time"));
    assert!(matches!(error.downcast_ref(), Some(SendError::TimedOut(_))));
    assert!(sent[1].is_ok(), "{:?}", sent[1]);
}

#[test]
fn a_refusal_is_told_in_whatever_bytes_it_comes_and_with_what_it_means_for_the_message() {
    let mail = format!("{GREETING}\n{OFFER}S: 250 mx\n");
    let error = assert_fails(
        &format!(
            "{mail}C: MAIL\nS: 250 ok\nC: RCPT\nS: 550-bo\\xeete\nS: 550 \\xb2\\xbb\nC: RSET\nS: 250 ok\n"
        ),
        "the server refused the recipient (RCPT): 550 bo\u{fffd}te \u{fffd}\u{fffd}",
    );
    assert!(matches!(error.downcast_ref(), Some(SendError::Refused(_))));
    let error = assert_fails(
        &format!("{mail}{ENVELOPE}S: 451 later\n"),
        "(DATA): 451 later",
    );
    assert_eq!(error.downcast_ref::<SendError>(), None);
    // Settings are at fault, which somebody may set right.
    let error = assert_fails(
        &format!(
            "{mail}C: MAIL\nS: 250 ok\nC: RCPT\nS: 504 5.5.2 <[127.0.0.1]>: Helo command rejected\n"
        ),
        "Helo command rejected; it was greeted as [127.0.0.1] (smtp.hello_name)",
    );
    assert_eq!(error.downcast_ref::<SendError>(), None);
    let error = assert_fails(
        &format!("{mail}C: MAIL\nS: 550 not you\n"),
        "(MAIL): 550 not you",
    );
    assert_eq!(error.downcast_ref::<SendError>(), None);
    let error = assert_fails(
        &format!("{mail}{ENVELOPE}S: 354 go\nMESSAGE\nS: 552 5.3.4 too big\n"),
        "the server refused the message (after DATA): 552 5.3.4 too big",
    );
    assert!(matches!(error.downcast_ref(), Some(SendError::TooLarge(_))));
    let error = assert_fails(
        &format!("{GREETING}\n{OFFER}S: 250-mx\nS: 250 SIZE 50\nC: RSET\nS: 250 ok\n"),
        "and the server takes 50 at most (SIZE)",
    );
    assert!(matches!(error.downcast_ref(), Some(SendError::TooLarge(_))));
}

#[test]
fn what_is_offered_instead_of_a_login_is_told() {
    let login = format!("{GREETING}\n{OFFER}S: 250-mx\nS: 250 ");
    for (script, told) in [
        (
            "AUTH XOAUTH2 CRAM-MD5\nC: AUTH",
            "cannot log in as watch: the server offers AUTH by XOAUTH2, CRAM-MD5, and bandwatch knows PLAIN and LOGIN",
        ),
        (
            "HELP\nC: AUTH",
            "cannot log in as watch: the server offers no login (AUTH); remove smtp.user",
        ),
        (
            "AUTH PLAIN\nC: AUTH\nS: 454 4.7.0 later\n",
            "cannot log in as watch: 454 4.7.0 later",
        ),
        (
            "AUTH PLAIN\nC: AUTH\nS: 334 more\n",
            "cannot log in as watch: an answer that does not fit: 334 more",
        ),
        (
            "AUTH PLAIN\nC: AUTH\nS: 535 no\n",
            "535 no; check smtp.user and smtp.password_file",
        ),
    ] {
        assert_fails(&format!("{login}{script}"), told);
    }
}

#[test]
fn a_server_that_repeats_the_login_does_not_make_it_known() {
    let login = format!("{GREETING}\n{OFFER}S: 250-mx\nS: 250 AUTH PLAIN\nC: AUTH\n");
    for (answer, told) in [
        (
            "S: 535 you said AUTH PLAIN AHdhdGNoAHBhc3MgdzByZA==",
            "you said AUTH PLAIN ***",
        ),
        (
            "S: 535-AHdhdGNoAHBh\nS: 535 c3MgdzByZA== no",
            "535 ***== no",
        ),
        ("S: 535 pass w0rd is not it", "535 *** is not it"),
        ("S: pass w0rd", "is not SMTP: \"***\""),
        ("S: 235 ok\nS: 250 cGFzcyB3MHJk", "(250 ***)"),
    ] {
        assert_fails(&format!("{login}{answer}\n"), told);
    }
}

#[test]
fn an_address_beyond_ascii_needs_a_server_that_takes_it_unless_the_domain_alone_is() {
    let (identity, recipients) = (Identity::usual(), ["jürgen@example.com"]);
    let mail = format!("{GREETING}\n{OFFER}S: 250-mx\nS: 250 ");
    for (script, told) in [
        ("HELP\nC: RSET\nS: 250 ok\n", Some("not plain ASCII")),
        // The header has the address as it is (RFC 6532).
        ("SMTPUTF8\nC: RSET\nS: 250 ok\n", Some("not plain ASCII")),
        ("8BITMIME\nC: RSET\nS: 250 ok\n", Some("not plain ASCII")),
    ] {
        let server = Server::start(&[format!("{mail}{script}")], &identity);
        let sent = send(&settings(server.port, "", &identity), &recipients, "high");
        let error = format!("{:#}", sent[0].as_ref().expect_err("refused"));
        assert!(told.is_some_and(|told| error.contains(told)), "{error}");
    }
    let script = format!(
        "{GREETING}\n{OFFER}S: 250-mx\nS: 250-8BITMIME\nS: 250 SMTPUTF8\nC: MAIL FROM:<watch@example.com> SMTPUTF8 BODY=8BITMIME\nS: 250 ok\nC: RCPT\nS: 250 ok\nC: DATA\n{MESSAGE}C: QUIT"
    );
    let server = Server::start(&[script], &identity);
    let sent = send(&settings(server.port, "", &identity), &recipients, "high");
    assert!(sent[0].is_ok(), "{sent:?}");
}

#[test]
fn what_fits_the_other_way_to_begin_is_told() {
    let implicit = "implicit_tls = true\n";
    let (sent, _) = sent_by(implicit, "S: 220 mx ESMTP\n");
    let error = format!("{:#}", sent.expect_err("no TLS"));
    assert!(
        error.contains("in plain text; smtp.implicit_tls = true is for a port that"),
        "{error}"
    );
    let script = format!("TLS\nS: 220 mx\nC: EHLO \nS: 250 mx\n{ENVELOPE}{MESSAGE}C: QUIT");
    sent_by(implicit, &script).0.expect("it is sent");
    let (sent, _) = sent_by("", &script);
    let error = format!("{:#}", sent.expect_err("no greeting"));
    assert!(
        error.ends_with("does that port begin with TLS, which wants smtp.implicit_tls = true?"),
        "{error}"
    );
}

#[test]
fn a_server_with_nothing_but_old_tls_is_told_apart() {
    let hello = "S: 220 mx\nC: EHLO \nS: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go\n";
    for (answer, told) in [
        // Alerts: protocol_version and handshake_failure (RFC 8446, 6).
        (
            "\\x15\\x03\\x01\\x00\\x02\\x02\\x46",
            "knows only TLS 1.1 or older",
        ),
        (
            "\\x15\\x03\\x01\\x00\\x02\\x02\\x28",
            "no kind of certificate or cipher in common",
        ),
        ("hello", "in plain text"),
    ] {
        assert_fails(&format!("{hello}BYTES\nS: {answer}\n"), told);
    }
    assert_fails(
        &format!("{hello}BYTES\n"),
        "closed the connection; does it know TLS 1.2 or 1.3?",
    );
}

#[test]
fn a_certificate_that_is_itself_in_the_file_is_trusted_for_its_name_while_it_is_valid() {
    let script = format!("TLS\nS: 220 mx\nC: EHLO \nS: 250 mx\n{ENVELOPE}{MESSAGE}C: QUIT");
    for (identity, told) in [
        (Identity::usual(), None),
        (Identity::signed(), None),
        (
            Identity::of_authority("127.0.0.1", 2021),
            Some("certificate expired on 2021-01-01 00:00 UTC"),
        ),
        (
            Identity::of_authority("elsewhere.example", 2120),
            Some("certificate is for elsewhere.example, not for smtp.host 127.0.0.1"),
        ),
    ] {
        let server = Server::start(std::slice::from_ref(&script), &identity);
        let settings = settings(server.port, "implicit_tls = true\n", &identity);
        let sent = send(&settings, &["ops@example.com"], "high").remove(0);
        let error = sent.err().map(|error| format!("{error:#}"));
        match (&error, told) {
            (Some(error), Some(told)) => assert!(error.contains(told), "{error}"),
            (error, told) => assert_eq!(error.as_deref(), told),
        }
    }
    for (identity, told) in [
        (
            Identity::usual(),
            "is that of an authority (CA:TRUE); if it is the server's own",
        ),
        (Identity::signed(), "was signed by nobody known"),
    ] {
        let server = Server::start(std::slice::from_ref(&script), &identity);
        let settings = settings(server.port, "implicit_tls = true\n", &Identity::usual());
        let error = send(&settings, &["ops@example.com"], "high").remove(0);
        let error = format!("{:#}", error.expect_err("not trusted"));
        assert!(error.contains(told), "{error}");
    }
}
