//! The harness proves itself here: each server does what the tests of the
//! product rely on, and each fault is the fault that its name says. The mail
//! client of these tests is python's smtplib.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::ExitStatusExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use chrono::{Days, NaiveDate, NaiveDateTime};
use mysql::prelude::Queryable as _;
use mysql::{Conn, OptsBuilder, SslOpts};
use serde_json::json;

use super::support::certificate::ca_file;
use super::support::mail_server::python;
use super::support::{
    CertificateKind, Database, Fault, MailServer, MailServerSetup, Received, Run, Stage, Workspace,
};

const SENDER: &str = "watch@example.com";
const FIRST: &str = "first@example.com";
const SECOND: &str = "second@example.com";

/// A dot at the start of a line is what SMTP doubles on the wire.
const MESSAGE: &str = "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\
                       X-Folded: one\r\n two\r\n\
                       \r\n\
                       .a line that starts with a dot\r\n\
                       .\r\n..\r\nlast\r\n";

/// Sends one message and prints "sent", or what went wrong.
const SMTPLIB_CLIENT: &str = r#"
import json, smtplib, ssl, sys
task = json.loads(sys.argv[1])
where = {"host": task["host"], "port": task["port"], "timeout": task["timeout"]}
context = ssl.create_default_context(cafile=task["ca_file"])
try:
    if task["implicit_tls"]:
        client = smtplib.SMTP_SSL(**where, context=context)
    else:
        client = smtplib.SMTP(**where)
        if task["starttls"]:
            client.starttls(context=context)
    if task["password"] is not None:
        client.ehlo()
        methods = [task["method"]] if task["method"] else None
        if methods:
            client.esmtp_features["auth"] = task["method"]
        client.login(task["user"], task["password"])
    message = task["message"].encode()
    client.sendmail(task["from"], task["to"], message, task["mail_options"])
    client.quit()
    print("sent")
except Exception as error:
    print(type(error).__name__, error)
"#;

/// What the client of these tests does; by default all of it right.
struct Client {
    host: Option<&'static str>,
    timeout: f64,
    starttls: bool,
    implicit_tls: bool,
    login: bool,
    password: Option<&'static str>,
    method: Option<&'static str>,
    message: String,
    mail_options: Vec<&'static str>,
}

impl Default for Client {
    fn default() -> Self {
        Self {
            host: None,
            timeout: 30.0,
            starttls: true,
            implicit_tls: false,
            login: true,
            password: None,
            method: None,
            message: MESSAGE.to_owned(),
            mail_options: Vec::new(),
        }
    }
}

impl Client {
    fn send_to(&self, server: &MailServer) -> String {
        let password = self.password.unwrap_or(server.password());
        let task = json!({
            "host": self.host.unwrap_or(server.host()),
            "port": server.port(),
            "timeout": self.timeout,
            "ca_file": ca_file(),
            "starttls": self.starttls,
            "implicit_tls": self.implicit_tls,
            "user": server.user(),
            "password": self.login.then_some(password),
            "method": self.method,
            "from": SENDER,
            "to": [FIRST, SECOND],
            "message": self.message,
            "mail_options": self.mail_options,
        });
        let output = Command::new(python())
            .args(["-c", SMTPLIB_CLIENT, &task.to_string()])
            .stdin(Stdio::null())
            .output()
            .expect("python starts");
        let printed = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        let complaints = String::from_utf8_lossy(&output.stderr);
        assert!(!printed.is_empty(), "the client failed: {complaints}");
        printed
    }
}

fn server_with(fault: Fault) -> MailServer {
    MailServer::start(MailServerSetup {
        faults: vec![fault],
        ..Default::default()
    })
}

/// Sends a message through a server with this fault, and expects the client to
/// be told this.
#[track_caller]
fn assert_client_is_told(expected: &str, fault: &Fault) -> MailServer {
    let server = server_with(fault.clone());
    let told = Client::default().send_to(&server);
    assert!(told.contains(expected), "{fault:?} led to {told:?}");
    server
}

/// As above; smtplib gives up after a short while.
#[track_caller]
fn assert_client_waits_in_vain(fault: &Fault) -> MailServer {
    let server = server_with(fault.clone());
    let client = Client {
        timeout: 0.3,
        ..Default::default()
    };
    let told = client.send_to(&server);
    assert!(told.contains("timed out"), "{fault:?} led to {told:?}");
    server
}

fn received(server: &MailServer) -> Received {
    let mut received = server.received();
    assert_eq!(received.len(), 1, "exactly one message was taken");
    received.remove(0)
}

mod mail {
    use super::*;

    #[test]
    fn a_message_sent_with_starttls_and_auth_arrives_verbatim() {
        let server = MailServer::start(MailServerSetup::default());
        assert_eq!(Client::default().send_to(&server), "sent");
        let expected = Received {
            from: SENDER.to_owned(),
            to: vec![FIRST.to_owned(), SECOND.to_owned()],
            raw: MESSAGE.as_bytes().to_vec(),
            tls: true,
            user: Some(server.user().to_owned()),
        };
        assert_eq!(received(&server), expected);
        assert_eq!(server.connections(), 1);
    }

    #[test]
    fn the_transcript_has_every_command_and_no_secret() {
        let server = MailServer::start(MailServerSetup::default());
        for method in ["PLAIN", "LOGIN"] {
            let client = Client {
                method: Some(method),
                ..Default::default()
            };
            assert_eq!(client.send_to(&server), "sent");
        }
        let transcript = server.transcript();
        let verbs: Vec<&str> = transcript
            .iter()
            .map(|line| line.split([' ', ':']).next().expect("a first word"))
            .collect();
        let one = [
            "EHLO", "STARTTLS", "EHLO", "AUTH", "MAIL", "RCPT", "RCPT", "DATA", "QUIT",
        ];
        assert_eq!(verbs, [one, one].concat(), "{transcript:?}");
        let logins: Vec<&String> = transcript
            .iter()
            .filter(|line| line.starts_with("AUTH"))
            .collect();
        assert_eq!(logins, ["AUTH PLAIN", "AUTH LOGIN"]);
        let in_clear = server.commands_in_clear();
        assert_eq!(in_clear.len(), 4, "{in_clear:?}");
    }

    #[test]
    fn nothing_is_taken_without_starttls_but_all_is_noted() {
        let server = MailServer::start(MailServerSetup::default());
        let client = Client {
            starttls: false,
            login: false,
            ..Default::default()
        };
        assert!(client.send_to(&server).contains("530"));
        assert_eq!(server.received(), []);
        let in_clear = server.commands_in_clear();
        assert!(in_clear.iter().any(|line| line.starts_with("MAIL FROM")));
    }

    #[test]
    fn nothing_is_taken_without_a_login() {
        let server = MailServer::start(MailServerSetup::default());
        let client = Client {
            login: false,
            ..Default::default()
        };
        assert!(client.send_to(&server).contains("530"));
        assert_eq!(server.received(), []);
    }

    #[test]
    fn a_wrong_password_is_refused() {
        let server = MailServer::start(MailServerSetup::default());
        let client = Client {
            password: Some("not the password"),
            ..Default::default()
        };
        assert!(client.send_to(&server).contains("535"));
        assert_eq!(server.received(), []);
    }

    #[test]
    fn implicit_tls_works_and_speaks_nothing_else() {
        let server = MailServer::start(MailServerSetup {
            implicit_tls: true,
            ..Default::default()
        });
        let client = Client {
            implicit_tls: true,
            ..Default::default()
        };
        assert_eq!(client.send_to(&server), "sent");
        assert!(received(&server).tls);
        assert_eq!(received(&server).user.as_deref(), Some(server.user()));
        assert_eq!(server.commands_in_clear(), [""; 0]);
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
                message: format!("Subject: strict\r\n\r\n{body}\r\n"),
                ..Default::default()
            };
            let told = client.send_to(&server);
            assert!(told.contains(complaint), "{told:?} about {body:?}");
        }
        assert_eq!(server.received(), []);
    }

    #[test]
    fn the_longest_lawful_line_and_declared_8_bit_text_are_taken() {
        let server = MailServer::start(MailServerSetup::default());
        let message = format!("Subject: long\r\n\r\n.{}\r\ngrüße\r\n", "x".repeat(997));
        let client = Client {
            message: message.clone(),
            mail_options: vec!["BODY=8BITMIME"],
            ..Default::default()
        };
        assert_eq!(client.send_to(&server), "sent");
        assert_eq!(received(&server).raw, message.as_bytes());
    }

    #[test]
    fn a_multipart_message_is_taken_apart() {
        let raw = "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\
                   X-Folded: one\r\n two\r\n\
                   MIME-Version: 1.0\r\n\
                   Content-Type: multipart/alternative; boundary=outer\r\n\
                   \r\n\
                   --outer\r\n\
                   Content-Type: text/plain; charset=utf-8\r\n\
                   Content-Transfer-Encoding: quoted-printable\r\n\
                   \r\n\
                   f=C3=BCr\r\ndich\r\n\
                   --outer\r\n\
                   Content-Type: multipart/related; boundary=inner\r\n\
                   \r\n\
                   --inner\r\n\
                   Content-Type: text/html; charset=utf-8\r\n\
                   \r\n\
                   <img src=\"cid:chart@example.com\">\r\n\
                   --inner\r\n\
                   Content-Type: image/png\r\n\
                   Content-ID: <chart@example.com>\r\n\
                   Content-Disposition: inline\r\n\
                   Content-Transfer-Encoding: base64\r\n\
                   \r\n\
                   AAEC/w==\r\n\
                   --inner--\r\n\
                   --outer--\r\n";
        let mail = Received {
            from: SENDER.to_owned(),
            to: vec![FIRST.to_owned()],
            raw: raw.into(),
            tls: true,
            user: None,
        }
        .parse();
        assert_eq!(mail.subject, "Grüße");
        assert_eq!(mail.header("x-folded"), Some("one two"));
        assert_eq!(mail.text.as_deref(), Some("für\ndich"));
        assert_eq!(
            mail.html.as_deref(),
            Some("<img src=\"cid:chart@example.com\">")
        );
        let chart = &mail.inline["chart@example.com"];
        assert_eq!(chart.content_type, "image/png");
        assert_eq!(chart.bytes, [0, 1, 2, 255]);
    }

    #[test]
    fn a_plain_message_has_no_html() {
        let mail = Received {
            from: SENDER.to_owned(),
            to: vec![FIRST.to_owned()],
            raw: MESSAGE.as_bytes().to_vec(),
            tls: true,
            user: None,
        }
        .parse();
        assert!(mail.text.expect("a text").starts_with(".a line"));
        assert_eq!(mail.html, None);
        assert!(mail.inline.is_empty());
    }
}

mod certificates {
    use super::*;

    #[test]
    fn the_good_one_holds_for_the_name_as_for_the_address() {
        let server = MailServer::start(MailServerSetup::default());
        let client = Client {
            host: Some("localhost"),
            ..Default::default()
        };
        assert_eq!(client.send_to(&server), "sent");
    }

    #[test]
    fn openssl_refuses_each_of_the_others_for_its_fault() {
        let faults = [
            (CertificateKind::Expired, "certificate has expired"),
            (CertificateKind::WrongName, "mismatch"),
            (CertificateKind::SelfSigned, "self-signed certificate"),
        ];
        for (certificate, complaint) in faults {
            let server = MailServer::start(MailServerSetup {
                certificate,
                ..Default::default()
            });
            let told = Client::default().send_to(&server);
            assert!(told.contains(complaint), "{certificate:?}: {told:?}");
            assert_eq!(server.received(), []);
        }
    }

    #[test]
    fn rustls_refuses_an_expired_one() {
        assert_rustls_refuses(CertificateKind::Expired, "certificate expired");
    }

    #[test]
    fn rustls_refuses_one_for_another_name() {
        assert_rustls_refuses(CertificateKind::WrongName, "not valid for name");
    }

    #[test]
    fn rustls_refuses_a_self_signed_one() {
        assert_rustls_refuses(CertificateKind::SelfSigned, "UnknownIssuer");
    }

    fn assert_rustls_refuses(kind: CertificateKind, complaint: &str) {
        let database = Database::create_with_certificate(kind);
        let options = by_tcp(&database).ssl_opts(trust(database.ca_file()));
        let error = Conn::new(options).expect_err("a bad certificate is refused");
        assert!(format!("{error:?}").contains(complaint), "{error:?}");
    }
}

mod faults {
    use super::*;

    #[test]
    fn no_starttls_means_it_is_not_offered_while_auth_is() {
        let server = assert_client_is_told("STARTTLS extension not supported", &Fault::NoStarttls);
        let careless = Client {
            starttls: false,
            ..Default::default()
        };
        assert_eq!(careless.send_to(&server), "sent");
        assert!(!received(&server).tls);
        let in_clear = server.commands_in_clear();
        assert!(in_clear.iter().any(|line| line.starts_with("AUTH")));
    }

    #[test]
    fn starttls_can_be_refused() {
        // smtplib ignores the refusal, and is told to use STARTTLS first.
        let server = server_with(Fault::StarttlsRefused);
        assert_ne!(Client::default().send_to(&server), "sent");
        assert_eq!(server.transcript()[1], "STARTTLS");
        assert_eq!(server.transcript(), server.commands_in_clear());
        assert_eq!(server.received(), []);
    }

    #[test]
    fn a_login_can_be_refused() {
        let server = assert_client_is_told("535", &Fault::BadLogin);
        assert_eq!(server.received(), []);
    }

    #[test]
    fn auth_can_be_neither_offered_nor_required() {
        let server = assert_client_is_told("not supported by server", &Fault::NoAuthOffered);
        let anonymous = Client {
            login: false,
            ..Default::default()
        };
        assert_eq!(anonymous.send_to(&server), "sent");
        assert_eq!(received(&server).user, None);
    }

    #[test]
    fn a_banner_of_refusal_is_the_one_the_client_gets() {
        assert_reply(Stage::Connect, 421);
    }

    #[test]
    fn a_reply_to_ehlo_is_the_one_the_client_gets() {
        // smtplib would fall back to HELO, and lose the reply.
        let server = server_with(Fault::Reply {
            stage: Stage::Ehlo,
            code: 550,
            text: "as the test wants it",
        });
        let mut connection =
            TcpStream::connect((server.host(), server.port())).expect("the server listens");
        connection
            .write_all(b"EHLO me\r\nQUIT\r\n")
            .expect("it reads");
        let mut answers = String::new();
        connection.read_to_string(&mut answers).expect("it answers");
        let answers: Vec<&str> = answers.lines().collect();
        assert!(answers[0].starts_with("220 "), "{answers:?}");
        assert_eq!(answers[1..], ["550 as the test wants it", "221 Bye"]);
    }

    #[test]
    fn a_reply_to_mail_is_the_one_the_client_gets() {
        assert_reply(Stage::Mail, 451);
    }

    #[test]
    fn a_reply_to_rcpt_is_the_one_the_client_gets() {
        assert_reply(Stage::Rcpt, 452);
    }

    #[test]
    fn a_reply_to_data_is_the_one_the_client_gets() {
        assert_reply(Stage::Data, 554);
    }

    #[test]
    fn a_reply_to_the_message_is_the_one_the_client_gets_and_nothing_is_stored() {
        assert_reply(Stage::Message, 552);
    }

    fn assert_reply(stage: Stage, code: u16) {
        let text = "as the test wants it";
        let server = assert_client_is_told(text, &Fault::Reply { stage, code, text });
        assert_eq!(server.received(), [], "{stage:?}");
        server.heal();
        assert_eq!(Client::default().send_to(&server), "sent", "{stage:?}");
        assert_eq!(server.received().len(), 1, "{stage:?}");
        assert_eq!(server.connections(), 2, "{stage:?}");
    }

    #[test]
    fn one_recipient_can_be_rejected_alone() {
        let server = server_with(Fault::RejectRecipient {
            address: FIRST,
            code: 550,
        });
        assert_eq!(Client::default().send_to(&server), "sent");
        assert_eq!(received(&server).to, [SECOND]);
    }

    #[test]
    fn the_connection_can_be_dropped_in_the_clear() {
        for stage in [Stage::Connect, Stage::Ehlo, Stage::Starttls] {
            let server = assert_client_is_told("onnection", &Fault::DropAt(stage));
            assert_eq!(server.received(), [], "{stage:?}");
        }
    }

    #[test]
    fn the_connection_can_be_dropped_below_tls() {
        for stage in [Stage::Auth, Stage::Mail, Stage::Rcpt, Stage::Data] {
            let server = assert_client_is_told("onnection", &Fault::DropAt(stage));
            assert_eq!(server.received(), [], "{stage:?}");
        }
    }

    #[test]
    fn the_connection_can_be_dropped_after_the_message_was_received() {
        let server = assert_client_is_told("onnection", &Fault::DropAt(Stage::Message));
        assert_eq!(server.received().len(), 1);
    }

    #[test]
    fn the_server_can_fall_silent_in_the_clear() {
        for stage in [Stage::Connect, Stage::Starttls] {
            let server = assert_client_waits_in_vain(&Fault::StallAt(stage));
            assert_eq!(server.received(), [], "{stage:?}");
        }
    }

    #[test]
    fn the_server_can_fall_silent_after_the_message_was_received() {
        let server = assert_client_waits_in_vain(&Fault::StallAt(Stage::Message));
        assert_eq!(server.received().len(), 1);
    }

    #[test]
    fn a_black_hole_accepts_and_says_nothing() {
        let server = assert_client_waits_in_vain(&Fault::BlackHole);
        assert_eq!(server.connections(), 0);
    }
}

mod database {
    use super::*;

    #[test]
    fn the_account_reaches_its_schema_by_tcp_by_tls_and_by_socket() {
        let database = Database::create();
        let cipher = "SHOW STATUS LIKE 'Ssl_cipher'";
        let ways = [
            (by_tcp(&database), false),
            (by_tcp(&database).ssl_opts(trust(database.ca_file())), true),
            (by_socket(&database), false),
        ];
        for (options, encrypted) in ways {
            let mut connection = Conn::new(options).expect("the account may log in");
            let (_, cipher): (String, String) = connection
                .query_first(cipher)
                .expect("a status")
                .expect("a row");
            assert_eq!(cipher.is_empty(), !encrypted);
            connection
                .query_drop("CREATE OR REPLACE TABLE anything (id INT)")
                .expect("the account has all rights on its schema");
        }
    }

    #[test]
    fn two_databases_do_not_see_each_other() {
        let (one, other) = (Database::create(), Database::create());
        one.execute("CREATE TABLE mine (id INT)");
        let tables = "SELECT COUNT(*) FROM information_schema.tables \
                      WHERE table_schema = DATABASE()";
        assert_eq!(one.query_one::<u32>(tables), 1);
        assert_eq!(other.query_one::<u32>(tables), 0);

        let mut intruder = Conn::new(by_tcp(&other)).expect("the account may log in");
        let theft = format!("SELECT * FROM {}.mine", one.name);
        let error = intruder.query_drop(theft).expect_err("not its schema");
        assert!(error.to_string().contains("denied"), "{error}");
    }

    #[test]
    fn the_read_only_account_only_reads() {
        let database = Database::create();
        database.execute("CREATE TABLE fixed (id INT)");
        let reader = database.read_only_user();
        let options = by_tcp(&database)
            .user(Some(&reader.user))
            .pass(Some(&reader.password));
        let mut connection = Conn::new(options).expect("the account may log in");
        connection
            .query_drop("SELECT * FROM fixed")
            .expect("it may read");
        let error = connection
            .query_drop("INSERT INTO fixed VALUES (1)")
            .expect_err("it may not write");
        assert!(error.to_string().contains("denied"), "{error}");
    }

    #[test]
    fn twelve_thousand_rows_go_in_exactly() {
        let database = Database::create();
        database.execute("CREATE TABLE series (at DATETIME(6) PRIMARY KEY, amount DOUBLE)");
        let begin = NaiveDate::from_ymd_opt(1990, 1, 1)
            .and_then(|day| day.and_hms_micro_opt(1, 2, 3, 456_789))
            .expect("a valid time");
        let rows: Vec<(NaiveDateTime, f64)> = (0..12_000_u32)
            .map(|day| (begin + Days::new(day.into()), f64::from(day) / 7.0 - 1e-9))
            .collect();
        database.insert_rows("series", "at", "amount", &rows);
        assert_eq!(
            database.query_one::<u32>("SELECT COUNT(*) FROM series"),
            12_000
        );
        let (time, value): (String, f64) = database
            .query_one("SELECT CAST(at AS CHAR), amount FROM series ORDER BY at DESC LIMIT 1");
        let last = rows.last().expect("a last row");
        assert_eq!(time, last.0.format("%Y-%m-%d %H:%M:%S%.6f").to_string());
        assert_eq!(value.to_bits(), last.1.to_bits());
    }

    #[test]
    fn the_servers_and_their_files_are_gone_after_the_test_process_was_killed() {
        let mut victim = Command::new(std::env::current_exe().expect("this very program"))
            .args(["--exact", "--ignored", "--nocapture", VICTIM])
            .env(VICTIM, "yes")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("this program starts once more");
        let stdout = BufReader::new(victim.stdout.take().expect("a pipe"));
        let report = stdout
            .lines()
            .map_while(Result::ok)
            .find_map(|line| line.split_once(MARK).map(|(_, report)| report.to_owned()))
            .expect("the victim reports its servers");
        let (port, data) = report.split_once(' ').expect("a port and a directory");
        let mail_server = SocketAddr::from(([127, 0, 0, 1], port.parse().expect("a port")));
        let data = Path::new(data);
        let directory = data.parent().expect("the directory of the server");
        let scratch = directory.parent().expect("the directory of the process");
        let pid = std::fs::read_to_string(directory.join("pid")).expect("a pid file");
        let process = Path::new("/proc").join(pid.trim());
        assert!(process.exists(), "the server runs while its process does");

        victim.kill().expect("a child can be killed");
        let status = victim.wait().expect("a killed process ends");
        assert_eq!(status.signal(), Some(9));
        let begun = Instant::now();
        loop {
            let left = [
                process.exists(),
                TcpStream::connect(mail_server).is_ok(),
                scratch.exists(),
            ];
            if left == [false; 3] {
                break;
            }
            assert!(
                begun.elapsed() < Duration::from_secs(20),
                "left behind (mariadbd, mail server, files): {left:?}"
            );
            thread::sleep(Duration::from_millis(10));
        }
    }

    const VICTIM: &str = "harness::database::a_process_that_uses_the_servers_until_it_is_killed";
    const MARK: &str = "mail port and data directory: ";

    #[test]
    #[ignore = "runs only as the victim of another test"]
    fn a_process_that_uses_the_servers_until_it_is_killed() {
        if std::env::var_os(VICTIM).is_none() {
            return;
        }
        let mail_server = MailServer::start(MailServerSetup::default());
        let data: String = Database::create().query_one("SELECT @@datadir");
        println!("{MARK}{} {data}", mail_server.port());
        // Ends when whoever started it is gone.
        let mut nothing = Vec::new();
        let _ = std::io::stdin().read_to_end(&mut nothing);
    }
}

mod workspace {
    use super::*;

    #[test]
    fn the_binary_of_this_package_is_the_one_that_runs() {
        let workspace = Workspace::new();
        let run = workspace.run(&["--version"]);
        run.assert_status(0);
        assert!(!run.stdout.is_empty(), "{run:?}");
        let again = workspace.run_with(&["--version"], &[("EXTRA", "yes")]);
        assert_eq!(again.stdout, run.stdout);
    }

    #[test]
    fn a_program_runs_with_almost_nothing_around_it() {
        let workspace = Workspace::new();
        let config = workspace.config("answer = 42");
        assert_eq!(config, workspace.path().join("config.toml"));
        // What a shell was given, before it added variables of its own.
        let script = "tr '\\0' '\\n' </proc/$$/environ | cut -d= -f1 | sort; \
                      pwd; cat; cat config.toml";
        let run = run_shell(&workspace, script, Duration::from_secs(30));
        run.assert_status(0);
        let directory = workspace.path().display();
        let expected = format!("EXTRA\nHOME\nPATH\n{directory}\nanswer = 42");
        assert_eq!(run.stdout, expected);
        assert_eq!(run.stderr, "");
        assert!(run.elapsed < Duration::from_secs(30));
        run.assert_never_prints("a secret");
    }

    #[test]
    fn an_unexpected_status_or_a_printed_secret_fails_with_all_that_was_printed() {
        let script = "echo failing as asked >&2; exit 3";
        let run = run_shell(&Workspace::new(), script, Duration::from_secs(30));
        run.assert_status(3);
        let failure = message_of(|| run.assert_status(0));
        assert!(failure.contains("failing as asked"), "{failure}");
        let failure = message_of(|| run.assert_never_prints("as asked"));
        assert!(failure.contains("is on stderr"), "{failure}");
    }

    #[test]
    fn a_run_that_a_signal_ends_has_the_status_of_a_shell() {
        let run = run_shell(&Workspace::new(), "kill -9 $$", Duration::from_secs(30));
        run.assert_status(128 + 9);
    }

    #[test]
    fn a_run_beyond_its_deadline_fails_with_what_it_printed() {
        let failure = message_of(|| {
            let script = "echo about to hang; exec sleep 600";
            run_shell(&Workspace::new(), script, Duration::from_millis(300));
        });
        assert!(failure.contains("still running"), "{failure}");
        assert!(failure.contains("about to hang"), "{failure}");
    }

    fn run_shell(workspace: &Workspace, script: &str, deadline: Duration) -> Run {
        let extra = [("EXTRA", "yes")];
        workspace.run_program(Path::new("/bin/sh"), &["-c", script], &extra, deadline)
    }

    fn message_of(assertion: impl FnOnce()) -> String {
        let panic = catch_unwind(AssertUnwindSafe(assertion)).expect_err("the assertion fails");
        *panic.downcast().expect("a panic with a formatted message")
    }
}

fn by_tcp(database: &Database) -> OptsBuilder {
    OptsBuilder::new()
        .ip_or_hostname(Some(database.host()))
        .tcp_port(database.port())
        .prefer_socket(false)
        .user(Some(database.user()))
        .pass(Some(database.password()))
        .db_name(Some(&database.name))
}

fn by_socket(database: &Database) -> OptsBuilder {
    by_tcp(database).socket(database.socket().to_str())
}

fn trust(ca_file: &'static Path) -> SslOpts {
    SslOpts::default().with_root_cert_path(Some(ca_file))
}
