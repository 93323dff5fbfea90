//! The whole way, as a crontab or a step of Rundeck starts it: secrets in the
//! environment, rows in a real database, mail by a real server.

use std::path::Path;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};

use crate::scene::{FIRST, SECOND};
use crate::support::certificate::ca_file;
use crate::support::workspace::{DEADLINE, bandwatch};
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
        let arguments = [&["--config", "config.toml"], flags].concat();
        self.run_program(bandwatch(), &arguments)
    }

    #[track_caller]
    fn run_program(&self, program: &Path, arguments: &[&str]) -> Run {
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
        let run = self
            .workspace
            .run_program(program, arguments, &variables, DEADLINE);
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

/// The script of the job that is shipped, with the binary and the configuration of this test.
fn script_of_rundeck() -> String {
    let job = include_str!("../../../packaging/rundeck-job.yaml");
    let (_, after) = job.split_once("script: |\n").expect("a script");
    let indent = after.len() - after.trim_start().len();
    let lines = after.lines().map_while(|line| {
        let (margin, line) = line.split_at_checked(indent)?;
        margin.trim().is_empty().then_some(line)
    });
    let script = lines.collect::<Vec<_>>().join("\n");
    let installed = [
        (
            "sudo -n -u bandwatch /usr/bin/bandwatch",
            format!("'{}'", bandwatch().display()),
        ),
        ("/etc/bandwatch/config.toml", "config.toml".to_owned()),
    ];
    installed.iter().fold(script, |script, (old, new)| {
        assert!(script.contains(old), "{old} is not in {script}");
        script.replacen(old, new, 1)
    })
}

#[test]
fn a_step_of_rundeck_prints_an_object_a_metric_and_fails_with_an_incident() {
    let installation = Installation::new();
    let workspace = &installation.workspace;
    let config = workspace.path().join("config.toml");
    let text = std::fs::read_to_string(&config).expect("the configuration");
    let state = workspace.path().join("state");
    workspace.config(&format!("state_dir = {state:?}\n{text}"));
    std::fs::write(workspace.path().join("step"), script_of_rundeck()).expect("a script");
    let step = |metric: &str| {
        let option = format!("RD_OPTION_METRIC={metric}");
        let surroundings = ["-u", "HOME", "-u", "XDG_STATE_HOME", "LANG=C"];
        let arguments = [&surroundings[..], &[&option, "/bin/sh", "step"]].concat();
        installation.run_program(Path::new("/usr/bin/env"), &arguments)
    };
    let verdict = |run: &Run| {
        let object: serde_json::Value = serde_json::from_str(&run.stdout).expect("one object");
        object["verdict"].as_str().map(str::to_owned)
    };
    let run = step("");
    run.assert_status(0);
    assert_eq!(verdict(&run).as_deref(), Some("normal"));
    let raised = "UPDATE sales SET CA = 2500 ORDER BY sellTime DESC LIMIT 1";
    installation.database.execute(raised);
    std::fs::remove_dir_all(&state).expect("a state");
    let run = step("sales");
    run.assert_status(3);
    assert_eq!(verdict(&run).as_deref(), Some("high"));
    assert_eq!(run.stderr, "");
    let run = step("--dry-run; $(touch here)");
    run.assert_status(2);
    assert!(run.stderr.contains("--dry-run; $(touch here)"), "{run:?}");
    assert!(!workspace.path().join("here").exists());
}
