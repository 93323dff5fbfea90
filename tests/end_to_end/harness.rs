//! What the tests of the product cannot prove themselves: that the mail server
//! would have refused what it did not get from the product. The mail client
//! here is python's smtplib.

use std::process::{Command, Stdio};

use serde_json::json;

use super::support::certificate::ca_file;
use super::support::mail_server::python;
use super::support::{MailServer, MailServerSetup};

/// Sends one message and prints "sent", or what went wrong.
const SMTPLIB_CLIENT: &str = r#"
import json, smtplib, ssl, sys
task = json.loads(sys.argv[1])
context = ssl.create_default_context(cafile=task["ca_file"])
try:
    client = smtplib.SMTP(task["host"], task["port"], timeout=30)
    if task["starttls"]:
        client.starttls(context=context)
    if task["password"] is not None:
        client.login(task["user"], task["password"])
    message = task["message"].encode()
    client.sendmail("watch@example.com", ["ops@example.com"], message)
    client.quit()
    print("sent")
except Exception as error:
    print(type(error).__name__, error)
"#;

/// What the client does; by default all of it right.
struct Client {
    starttls: bool,
    /// None: no login.
    password: Option<String>,
    body: String,
}

impl Client {
    fn of(server: &MailServer) -> Self {
        Self {
            starttls: true,
            password: Some(server.password().to_owned()),
            body: "hello".to_owned(),
        }
    }

    fn send_to(&self, server: &MailServer) -> String {
        let task = json!({
            "host": server.host(),
            "port": server.port(),
            "ca_file": ca_file(),
            "starttls": self.starttls,
            "user": server.user(),
            "password": self.password,
            "message": format!("Subject: strict\r\n\r\n{}\r\n", self.body),
        });
        let output = Command::new(python())
            .args(["-c", SMTPLIB_CLIENT, &task.to_string()])
            .stdin(Stdio::null())
            .output()
            .expect("python starts");
        let complaints = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "the client failed: {complaints}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }
}

#[test]
fn what_a_strict_relay_bounces_is_refused() {
    let server = MailServer::start(MailServerSetup::default());
    let bodies = [
        ("a bare\nline feed", "bare CR or LF"),
        ("a bare\rcarriage return", "bare CR or LF"),
        (&"x".repeat(999), "more than 998 octets"),
        (&"x".repeat(2000), "Line too long"),
        ("grüße", "without BODY=8BITMIME"),
    ];
    for (body, complaint) in bodies {
        let client = Client {
            body: body.to_owned(),
            ..Client::of(&server)
        };
        let told = client.send_to(&server);
        assert!(told.contains(complaint), "{told:?} about {body:?}");
    }
    assert_eq!(server.received(), []);
}

#[test]
fn the_longest_lawful_line_is_taken() {
    let server = MailServer::start(MailServerSetup::default());
    // The dot that SMTP doubles on the wire is not one of them.
    let client = Client {
        body: format!(".{}", "x".repeat(997)),
        ..Client::of(&server)
    };
    assert_eq!(client.send_to(&server), "sent");
    let expected = format!("Subject: strict\r\n\r\n{}\r\n", client.body);
    assert_eq!(server.received()[0].raw, expected.as_bytes());
}

#[test]
fn a_wrong_password_is_refused() {
    let server = MailServer::start(MailServerSetup::default());
    let client = Client {
        password: Some("not the password".to_owned()),
        ..Client::of(&server)
    };
    let told = client.send_to(&server);
    assert!(told.contains("535"), "{told}");
    assert_eq!(server.received(), []);
}

#[test]
fn a_client_without_a_login_is_refused() {
    let server = MailServer::start(MailServerSetup::default());
    let client = Client {
        password: None,
        ..Client::of(&server)
    };
    let told = client.send_to(&server);
    assert!(told.contains("530"), "{told}");
    assert_eq!(server.received(), []);
}

#[test]
fn an_unencrypted_client_is_refused_and_all_it_says_is_noted_as_in_the_clear() {
    let server = MailServer::start(MailServerSetup::default());
    let client = Client {
        starttls: false,
        password: None,
        ..Client::of(&server)
    };
    let told = client.send_to(&server);
    assert!(told.contains("530"), "{told}");
    assert_eq!(server.received(), []);
    let in_clear = server.commands_in_clear();
    assert!(in_clear.iter().any(|line| line.starts_with("MAIL FROM")));
}
