//! Where most tests begin: hourly sales of six days in a CSV file, a mail
//! server, and a configuration that mails the one about the other.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::TcpListener;

use chrono::{NaiveDate, NaiveDateTime, TimeDelta};

use super::support::certificate::ca_file;
use super::support::mail::Mail;
use super::support::{Fault, MailServer, MailServerSetup, Received, Run, Workspace};

pub const SENDER: &str = "watch@example.com";
pub const FIRST: &str = "first@example.com";
pub const SECOND: &str = "second@example.com";
pub const THIRD: &str = "third@example.com";

/// How the series ends, at 14:00 on 22 November 2026 in Paris.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    Spike,
    Drop,
    Usual,
}

impl Ending {
    pub fn value(self) -> f64 {
        match self {
            Self::Spike => 2500.0,
            Self::Drop => 12.5,
            Self::Usual => wave(LAST_HOUR),
        }
    }
}

const LAST_HOUR: i32 = 6 * 24;

/// A daily wave and a little more, the same in each run.
pub fn wave(hour: i32) -> f64 {
    let angle = f64::from(hour % 24) / 24.0 * std::f64::consts::TAU;
    let ripple = f64::from(hour * 7919 % 13 - 6);
    let value = 1000.0 + 300.0 * angle.sin() + 3.0 * ripple;
    (value * 100.0).round() / 100.0
}

/// The rows, oldest first.
pub fn rows(ending: Ending) -> Vec<(NaiveDateTime, f64)> {
    let begin = NaiveDate::from_ymd_opt(2026, 11, 16)
        .and_then(|day| day.and_hms_opt(14, 0, 0))
        .expect("a time");
    let mut rows: Vec<_> = (0..=LAST_HOUR)
        .map(|hour| (begin + TimeDelta::hours(hour.into()), wave(hour)))
        .collect();
    rows.last_mut().expect("a last row").1 = ending.value();
    rows
}

pub fn csv(rows: &[(NaiveDateTime, f64)]) -> String {
    rows.iter()
        .fold("time,value\n".to_owned(), |mut text, (time, value)| {
            writeln!(text, "{time},{value}").expect("a String takes any text");
            text
        })
}

/// The keys of one table of the configuration, with their values as TOML.
pub type Table = BTreeMap<&'static str, String>;

pub fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a TOML string that is also one of JSON")
}

fn table(keys: &[(&'static str, &str)]) -> Table {
    keys.iter()
        .map(|(key, text)| (*key, quoted(text)))
        .collect()
}

/// A workspace with `sales.csv`, and all that an alert about it needs.
pub struct Scene {
    pub workspace: Workspace,
    pub server: MailServer,
    /// Keys of no table.
    pub top: Table,
    pub smtp: Table,
    pub metric: Table,
}

impl Scene {
    /// With a mail server in good order.
    pub fn ending_in(ending: Ending) -> Self {
        Self::new(ending, MailServerSetup::default())
    }

    /// A spike that cannot be mailed in peace.
    pub fn with_fault(fault: Fault) -> Self {
        let setup = MailServerSetup {
            faults: vec![fault],
            ..Default::default()
        };
        Self::new(Ending::Spike, setup)
    }

    pub fn new(ending: Ending, setup: MailServerSetup) -> Self {
        let (workspace, server) = (Workspace::new(), MailServer::start(setup));
        write(&workspace, "sales.csv", &csv(&rows(ending)));
        let mut smtp = table(&[
            ("host", server.host()),
            ("user", server.user()),
            ("from", &format!("bandwatch <{SENDER}>")),
            ("contact", "Data team, +33 1 23 45 67 89"),
            ("ca_file", &ca_file().display().to_string()),
        ]);
        smtp.insert("port", server.port().to_string());
        smtp.insert("recipients", format!("[{FIRST:?}, {SECOND:?}]"));
        Self {
            workspace,
            server,
            top: table(&[("timezone", "Europe/Paris")]),
            smtp,
            metric: table(&[("name", "sales"), ("unit", "EUR")]),
        }
    }

    pub fn config(&self) -> String {
        let mut text = String::new();
        let tables = [
            ("", &self.top),
            ("[smtp]\n", &self.smtp),
            ("[[metric]]\n", &self.metric),
        ];
        for (head, table) in tables {
            text += head;
            for (key, value) in table {
                writeln!(text, "{key} = {value}").expect("a String takes any text");
            }
        }
        text
    }

    /// As cron would start it, but for the file.
    #[track_caller]
    pub fn run(&self) -> Run {
        self.run_with(&[])
    }

    #[track_caller]
    pub fn run_with(&self, flags: &[&str]) -> Run {
        self.workspace.config(&self.config());
        let arguments = [&["--input", "sales.csv"], flags].concat();
        let password = self.server.password();
        let run = self
            .workspace
            .run_with(&arguments, &[("smtp_password", password)]);
        run.assert_never_prints(password);
        run
    }

    /// What this recipient found in the inbox: one mail.
    #[track_caller]
    pub fn mail_to(&self, recipient: &str) -> (Received, Mail) {
        let mut received = self.server.received();
        received.retain(|message| message.to == [recipient]);
        assert_eq!(received.len(), 1, "mails to {recipient}");
        let received = received.remove(0);
        let mail = received.parse();
        (received, mail)
    }
}

pub fn write(workspace: &Workspace, name: &str, text: &str) {
    std::fs::write(workspace.path().join(name), text).expect("a file in the scratch directory");
}

pub fn read(workspace: &Workspace, name: &str) -> Vec<u8> {
    std::fs::read(workspace.path().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// A port where nobody answers, and each caller is counted.
pub struct Doorbell(TcpListener);

impl Doorbell {
    pub fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free TCP port");
        listener
            .set_nonblocking(true)
            .expect("a socket takes this option");
        Self(listener)
    }

    pub fn port(&self) -> u16 {
        self.0.local_addr().expect("a bound port").port()
    }

    #[track_caller]
    pub fn assert_nobody_called(&self) {
        let caller = self.0.accept();
        assert!(caller.is_err(), "{caller:?}");
    }
}
