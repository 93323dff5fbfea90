//! A shop whose sales come in by the five minutes, a mail server, and a clock that a test sets: rows up
//! to a time, a run at that time, and what is in the inboxes then.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;

use chrono::{NaiveDateTime, TimeDelta, Timelike};
use serde_json::Value;

use crate::scene::{FIRST, SECOND, SENDER};
use crate::source::shop::{noise, time, times};
use crate::support::certificate::ca_file;
use crate::support::disk::{BadDisk, Trouble};
use crate::support::mail::Mail;
use crate::support::workspace::bandwatch;
use crate::support::{Database, MailServer, MailServerSetup, Received, Run, Workspace, clock};

/// A Sunday; times of a test that are a mere "12:05" are of this day.
const DAY: &str = "2026-11-22";

/// Four days and a bit of ordinary sales end here: the bucket of 11:55 is the last.
const LAST: &str = "2026-11-22 11:55:00";
const BUCKETS: usize = 4 * 288 + 12;

pub struct Story {
    pub database: Database,
    pub server: MailServer,
    pub workspace: Workspace,
    /// Lines of the configuration, each of its table.
    pub top: String,
    pub mysql: String,
    pub smtp: String,
    pub metric: String,
    /// What the metric is called.
    pub name: &'static str,
    /// Further metrics, as whole tables.
    pub more_metrics: String,
    /// Where the servers are thought to be.
    pub mysql_port: u16,
    pub smtp_port: u16,
    pub mysql_password: String,
    pub recipients: Vec<&'static str>,
    pub timezone: &'static str,
    /// What runs meet that write.
    pub disk: Option<BadDisk>,
}

impl Story {
    /// With servers in good order.
    pub fn new() -> Self {
        Self::with(MailServerSetup::default())
    }

    pub fn with(setup: MailServerSetup) -> Self {
        let story = Self::without_rows(setup);
        story.create_table("sales");
        let rows: Vec<_> = times(LAST, 5, BUCKETS)
            .map(|time| (time, usual(time) + (20.0 * noise(time)).round()))
            .collect();
        story.database.insert_rows("sales", "at", "amount", &rows);
        story
    }

    pub fn without_rows(setup: MailServerSetup) -> Self {
        let database = Database::create();
        let server = MailServer::start(setup);
        let reader = database.read_only_user();
        Self {
            mysql_port: database.port(),
            smtp_port: server.port(),
            mysql_password: reader.password.clone(),
            database,
            server,
            workspace: Workspace::new(),
            top: String::new(),
            mysql: String::new(),
            smtp: String::new(),
            metric: String::new(),
            name: "sales",
            more_metrics: String::new(),
            recipients: vec![FIRST, SECOND],
            timezone: "UTC",
            disk: None,
        }
    }

    /// From now on the memory is on a disk in trouble, and so are these folders.
    pub fn strike_disk(&mut self, trouble: Trouble, more: &[&str]) {
        let mut folders = vec![self.memory()];
        folders.extend(more.iter().map(PathBuf::from));
        self.disk = Some(BadDisk { trouble, folders });
    }

    pub fn create_table(&self, name: &str) {
        self.database.execute(&format!(
            "CREATE TABLE {name} (at DATETIME PRIMARY KEY, amount DOUBLE NOT NULL)"
        ));
    }

    /// A row of the bucket that begins then, so much more than usual.
    pub fn sell(&self, at: &str, more: f64) {
        self.sell_at(moment(at), more);
    }

    /// The same; the time is that of the column.
    pub fn sell_at(&self, at: NaiveDateTime, more: f64) {
        self.database.execute(&format!(
            "REPLACE INTO sales VALUES ('{at}', {:?})",
            usual(at) + more
        ));
    }

    /// Buckets from that time on, each with a run when it closes, which must go well.
    #[track_caller]
    pub fn play(&self, from: &str, buckets: &[f64]) {
        let mut at = moment(from);
        for more in buckets {
            self.sell_at(at, *more);
            at += TimeDelta::minutes(5);
            let run = self.run_at(at, &[]);
            run.assert_status(0);
            assert_eq!(run.stderr, "", "nothing went wrong");
        }
    }

    /// A run at that time.
    #[track_caller]
    pub fn run(&self, at: &str) -> Run {
        self.run_with(at, &[])
    }

    /// Such a run, which must go well.
    #[track_caller]
    pub fn run_well(&self, at: &str) -> Run {
        let run = self.run(at);
        run.assert_status(0);
        assert_eq!(run.stderr, "", "nothing went wrong");
        run
    }

    /// A run that finds no mail server, so that what it has to tell waits.
    #[track_caller]
    pub fn run_without_mail(&mut self, at: &str) {
        let port = std::mem::replace(&mut self.smtp_port, 1);
        self.run(at).assert_status(1);
        self.smtp_port = port;
    }

    #[track_caller]
    pub fn run_with(&self, at: &str, arguments: &[&str]) -> Run {
        self.run_at(moment(at), arguments)
    }

    #[track_caller]
    pub fn run_at(&self, at: NaiveDateTime, arguments: &[&str]) -> Run {
        self.write_config();
        let variables = self.variables(at);
        let run = self.workspace.run_with(arguments, &borrowed(&variables));
        for secret in [&self.mysql_password, self.server.password()] {
            run.assert_never_prints(secret);
        }
        run
    }

    /// A run that is only begun.
    pub fn begin(&self, at: NaiveDateTime) -> Command {
        self.begin_with(at, &[])
    }

    /// A command that is only begun.
    pub fn begin_with(&self, at: NaiveDateTime, arguments: &[&str]) -> Command {
        self.write_config();
        let variables = self.variables(at);
        self.workspace
            .command(bandwatch(), arguments, &borrowed(&variables))
    }

    fn variables(&self, at: NaiveDateTime) -> Vec<(&'static str, String)> {
        let mut variables = clock::set_to(at);
        if let Some(disk) = &self.disk {
            disk.add_to(&mut variables);
        }
        variables.push(("mysql_password", self.mysql_password.clone()));
        variables.push(("smtp_password", self.server.password().to_owned()));
        variables
    }

    #[track_caller]
    pub fn status(&self, at: &str) -> Value {
        self.status_at(moment(at))
    }

    #[track_caller]
    pub fn status_at(&self, at: NaiveDateTime) -> Value {
        let run = self.run_at(at, &["status", "--format", "json"]);
        run.assert_status(0);
        serde_json::from_str(&run.stdout).expect("one JSON object")
    }

    /// What the status says of the metric.
    #[track_caller]
    pub fn state(&self, at: &str) -> Value {
        self.state_at(moment(at))
    }

    #[track_caller]
    pub fn state_at(&self, at: NaiveDateTime) -> Value {
        self.status_at(at)["metrics"][0].clone()
    }

    /// The mails to this recipient, in their order.
    pub fn mails(&self, recipient: &str) -> Vec<Mail> {
        let mut received = self.server.received();
        received.retain(|message| message.to == [recipient]);
        received.iter().map(Received::parse).collect()
    }

    /// The same by the words in brackets that their subjects begin with.
    pub fn inbox(&self, recipient: &str) -> Vec<String> {
        self.mails(recipient).iter().map(label).collect()
    }

    /// Asserts that each recipient has got these mails, and nobody anything else.
    #[track_caller]
    pub fn assert_told(&self, labels: &[&str]) {
        for recipient in &self.recipients {
            assert_eq!(self.inbox(recipient), labels, "mails to {recipient}");
        }
        let total = labels.len() * self.recipients.len();
        assert_eq!(self.server.received().len(), total, "mails in all");
    }

    /// The folder of the memory.
    pub fn memory(&self) -> PathBuf {
        self.workspace.path().join("state/bandwatch")
    }

    /// The files in it, sorted, without the folder of what may be lost.
    pub fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.memory()).expect("the folder of the memory");
        let mut names: Vec<String> = entries
            .map(|entry| entry.expect("an entry").file_name())
            .map(|name| name.into_string().expect("UTF-8"))
            .filter(|name| name != "windows")
            .collect();
        names.sort();
        names
    }

    pub fn write_config(&self) {
        let mut text = format!(
            "timezone = {:?}\n{}\n[mysql]\nhost = \"127.0.0.1\"\nport = {}\nuser = {:?}\ndatabase = {:?}\n{}\n",
            self.timezone,
            self.top,
            self.mysql_port,
            self.database.read_only_user().user,
            self.database.name,
            self.mysql
        );
        write!(
            text,
            "[smtp]\nhost = \"127.0.0.1\"\nport = {}\nuser = {:?}\nfrom = \"bandwatch <{SENDER}>\"\nrecipients = {:?}\nca_file = {:?}\n{}\n",
            self.smtp_port,
            self.server.user(),
            self.recipients,
            ca_file().display().to_string(),
            self.smtp
        )
        .expect("a String takes any text");
        text += &metric(self.name, "sales", &self.metric);
        text += &self.more_metrics;
        // Another run may just be reading it.
        let known = std::fs::read_to_string(self.workspace.path().join("config.toml"));
        if known.ok().as_ref() != Some(&text) {
            self.workspace.config(&text);
        }
    }
}

/// A metric over a table of this module.
pub fn metric(name: &str, table: &str, lines: &str) -> String {
    format!(
        "[[metric]]\nname = {name:?}\ntable = {table:?}\ntime_column = \"at\"\nvalue_column = \"amount\"\nevery = \"5m\"\nwindow = \"4d\"\n{lines}\n"
    )
}

/// "12:05" of the day of the stories, or with its own date.
pub fn moment(text: &str) -> NaiveDateTime {
    match text.len() {
        5 => time(&format!("{DAY} {text}:00")),
        8 => time(&format!("{DAY} {text}")),
        _ => time(&format!("{text}:00")),
    }
}

/// What is sold on an ordinary day: around 1000, most at six in the morning.
pub fn usual(time: NaiveDateTime) -> f64 {
    let angle = std::f64::consts::TAU * f64::from(time.num_seconds_from_midnight()) / 86_400.0;
    (1000.0 + 400.0 * angle.sin()).round()
}

fn borrowed<'a>(variables: &'a [(&'a str, String)]) -> Vec<(&'a str, &'a str)> {
    let variables = variables.iter();
    variables
        .map(|(name, value)| (*name, value.as_str()))
        .collect()
}

/// What the news of a mail says in brackets.
pub fn label(mail: &Mail) -> String {
    let inner = mail.news().strip_prefix('[');
    let inner = inner.and_then(|rest| rest.split_once(']'));
    inner.map_or_else(|| mail.subject.clone(), |(label, _)| label.to_owned())
}
