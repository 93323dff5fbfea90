//! The whole way, as a crontab starts it: secrets in the environment, rows in
//! a real database, mail by a real server.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};

use crate::scene::{FIRST, SECOND};
use crate::support::certificate::ca_file;
use crate::support::{Database, MailServer, MailServerSetup, Run, Workspace};

const STEP: TimeDelta = TimeDelta::minutes(5);

/// Rows of a week up to the last bucket that has ended.
fn recent_rows() -> Vec<(NaiveDateTime, f64)> {
    let seconds = STEP.num_seconds();
    let now = Utc::now().timestamp() / seconds * seconds;
    let end = DateTime::from_timestamp(now, 0)
        .expect("a time")
        .naive_utc();
    (1..=7 * 288)
        .rev()
        .map(|step| {
            let time = end - STEP * step;
            let angle = f64::from(step % 288) / 288.0 * std::f64::consts::TAU;
            // Irregular, but none at the last step: its value is a usual one.
            let ripple = f64::from((31 * step * step + 17 * step - 35) % 27 - 13);
            (time, 1000.0 + 300.0 * angle.sin() + ripple)
        })
        .collect()
}

struct Installation {
    workspace: Workspace,
    database: Database,
    server: MailServer,
}

impl Installation {
    /// With a table of usual values, and the example of a configuration but
    /// for what differs between machines.
    fn new() -> Self {
        let database = Database::create();
        database.execute("CREATE TABLE sales (sellTime DATETIME PRIMARY KEY, CA DOUBLE)");
        database.insert_rows("sales", "sellTime", "CA", &recent_rows());
        let server = MailServer::start(MailServerSetup::default());
        let workspace = Workspace::new();
        let example = include_str!("../../../config.example.toml");
        let ca_line = format!("ca_file = \"{}\"\nfrom = ", ca_file().display());
        let replaced = [
            ("\"Europe/Paris\"", "\"UTC\"".to_owned()),
            ("port = 3306", format!("port = {}", database.port())),
            ("smtp.example.com", server.host().to_owned()),
            ("port = 587", format!("port = {}", server.port())),
            ("from = ", ca_line),
        ];
        let config = replaced
            .iter()
            .fold(example.to_owned(), |text, (old, new)| {
                assert!(text.contains(old), "{old} is not in the example");
                text.replacen(old, new, 1)
            });
        workspace.config(&config);
        Self {
            workspace,
            database,
            server,
        }
    }

    #[track_caller]
    fn run(&self, flags: &[&str]) -> Run {
        let (database, server) = (&self.database, &self.server);
        let reader = database.read_only_user();
        let list = format!("{FIRST}, {SECOND}");
        let variables = [
            ("mysql_user", reader.user.as_str()),
            ("mysql_password", &reader.password),
            ("mysql_host", database.host()),
            ("mysql_db", &database.name),
            ("smtp_email", server.user()),
            ("smtp_password", server.password()),
            ("recipient_list", &list),
        ];
        let arguments = [&["--config", "config.toml"], flags].concat();
        let run = self.workspace.run_with(&arguments, &variables);
        for secret in [&reader.password, server.password()] {
            run.assert_never_prints(secret);
        }
        run
    }
}

#[test]
fn a_breach_in_the_database_is_mailed_to_the_recipients_in_the_environment() {
    let installation = Installation::new();
    let database = &installation.database;
    database.execute("CREATE TABLE newest AS SELECT * FROM sales ORDER BY sellTime DESC LIMIT 1");
    database.execute("DELETE FROM sales ORDER BY sellTime DESC LIMIT 1");
    let run = installation.run(&[]);
    run.assert_status(0);
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
    assert_eq!(installation.server.received(), []);

    database.execute("INSERT INTO sales SELECT * FROM newest");
    database.execute("UPDATE sales SET CA = 2500 ORDER BY sellTime DESC LIMIT 1");
    let run = installation.run(&["-v"]);
    run.assert_status(0);
    assert!(run.stdout.starts_with("sales  HIGH  2,500 at "), "{run:?}");
    let received = installation.server.received();
    let to: Vec<_> = received.iter().flat_map(|mail| mail.to.clone()).collect();
    assert_eq!(to, [FIRST, SECOND]);
    for message in &received {
        assert_eq!(message.from, installation.server.user());
        let mail = message.parse();
        assert!(mail.subject.starts_with("[High] Sales 2,500 at "));
        assert_eq!(mail.inline.len(), 2);
    }
}

#[test]
fn no_secret_stands_in_what_a_preview_writes() {
    let installation = Installation::new();
    installation.run(&["-v", "--dry-run"]).assert_status(0);
    installation
        .run(&["--format", "json", "--dry-run"])
        .assert_status(0);
    assert_eq!(installation.server.connections(), 0);
    let reader = installation.database.read_only_user();
    for file in ["alert.eml", "alert.html"] {
        let path = installation.workspace.path().join("plots").join(file);
        let text = std::fs::read_to_string(path).expect("a preview");
        for secret in [&reader.password, installation.server.password()] {
            assert!(!text.contains(secret), "{secret} is in {file}");
        }
    }
}
