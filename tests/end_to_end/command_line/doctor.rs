//! `bandwatch doctor`: what is wrong with a chain is found and named, and a chain in good order is left as it
//! was. Many faults are in one scene, as each must be found beside the others.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use serde_json::Value;

use crate::memory::story::{Story, moment, usual};
use crate::scene::{FIRST, SECOND, SENDER, quoted};
use crate::source::shop::noise;
use crate::support::certificate::ca_file;
use crate::support::disk::{BadDisk, Trouble};
use crate::support::workspace::wait_for;
use crate::support::{
    CertificateKind, Database, Fault, HttpServer, MailServer, MailServerSetup, Run, Stage,
    Workspace, clock,
};

/// Sales of so many days by the five minutes, up to the bucket that ended last, by the clock of UTC.
fn sales(days: i64) -> Vec<(NaiveDateTime, f64)> {
    let step = TimeDelta::minutes(5);
    let now = Utc::now().timestamp() / step.num_seconds() * step.num_seconds();
    let end = DateTime::from_timestamp(now, 0)
        .expect("a time")
        .naive_utc();
    let times = (1..=days * 288)
        .rev()
        .map(|back| (end - step * i32::try_from(back).expect("a few"), back));
    times
        .map(|(time, back)| {
            // The newest must be no breach, whenever the test runs.
            let noise = if back == 1 { 0.0 } else { noise(time) };
            (time, usual(time) + (20.0 * noise).round())
        })
        .collect()
}

fn database_with_sales(days: i64) -> Database {
    let database = Database::create();
    database.execute("CREATE TABLE sales (at DATETIME PRIMARY KEY, amount DOUBLE NOT NULL)");
    database.insert_rows("sales", "at", "amount", &sales(days));
    database
}

fn metric(name: &str, table: &str, lines: &str) -> String {
    format!(
        "[[metric]]\nname = {name:?}\ntable = {table:?}\ntime_column = \"at\"\nvalue_column = \"amount\"\nevery = \"5m\"\nwindow = \"7d\"\n{lines}\n"
    )
}

fn mysql(database: &Database, user: &str) -> String {
    format!(
        "[mysql]\nhost = \"127.0.0.1\"\nport = {}\nuser = {user:?}\ndatabase = {:?}\n",
        database.port(),
        database.name
    )
}

fn smtp(server: &MailServer) -> String {
    format!(
        "[smtp]\nhost = \"127.0.0.1\"\nport = {}\nuser = {:?}\nfrom = \"bandwatch <{SENDER}>\"\nrecipients = [{FIRST:?}, {SECOND:?}]\nca_file = {:?}\n",
        server.port(),
        server.user(),
        ca_file().display().to_string()
    )
}

/// A metric that is read from nowhere, for what has no part in a database.
const UNREAD: &str = "[[metric]]\nname = \"sales\"\n";

/// What was found.
struct Findings {
    status: i32,
    checks: Vec<Value>,
}

impl Findings {
    #[track_caller]
    fn of(run: &Run) -> Self {
        assert_eq!(run.stderr, "", "nothing but findings");
        let object: Value = serde_json::from_str(&run.stdout).expect("one JSON object");
        Self {
            status: run.status,
            checks: object["checks"].as_array().expect("a list").clone(),
        }
    }

    /// Asserts that one of the findings is this one, with each of these in what it says.
    #[track_caller]
    fn assert(&self, check: &str, of: &str, state: &str, told: &[&str]) {
        let is_it = |found: &&Value| {
            let names = ["metric", "channel", "recipient"].map(|key| found[key].as_str());
            let said = format!(
                "{} {}",
                found["text"].as_str().unwrap_or_default(),
                found["advice"].as_str().unwrap_or_default()
            );
            found["check"] == check
                && found["state"] == state
                && names.into_iter().flatten().next().unwrap_or_default() == of
                && told.iter().all(|part| said.contains(part))
        };
        assert!(
            self.checks.iter().any(|found| is_it(&found)),
            "no {check} {of} that is {state} with {told:?} in {:#?}",
            self.checks
        );
        let has_failed = self.checks.iter().any(|found| found["state"] == "failed");
        assert_eq!(self.status, i32::from(has_failed));
    }
}

fn examine(workspace: &Workspace, config: &str, variables: &[(&str, &str)]) -> Findings {
    workspace.config(config);
    Findings::of(&workspace.run_with(&["doctor", "--format", "json"], variables))
}

/// The contents of all files below a folder, and when each file and folder changed.
fn contents(folder: &Path) -> BTreeMap<PathBuf, (SystemTime, Vec<u8>)> {
    let mut all = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder").flatten() {
            let (path, there) = (entry.path(), entry.metadata().expect("of it"));
            let bytes = if there.is_dir() {
                folders.push(path.clone());
                Vec::new()
            } else {
                fs::read(&path).expect("a file")
            };
            all.insert(path, (there.modified().expect("a time"), bytes));
        }
    }
    all
}

fn allow(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("a file of ours");
}

#[test]
fn of_a_healthy_set_up_nothing_is_found_and_nothing_is_changed() {
    let (database, server) = (
        database_with_sales(11),
        MailServer::start(MailServerSetup::default()),
    );
    let (hook, workspace) = (
        HttpServer::with(Some(CertificateKind::Good)),
        Workspace::new(),
    );
    let reader = database.read_only_user();
    let password = workspace.path().join("password");
    fs::write(&password, &reader.password).expect("a file");
    allow(&password, 0o600);
    let channel = format!(
        "[[channel]]\nname = \"ops\"\nkind = \"slack\"\nurl = \"{}/s3cret\"\nca_file = {:?}\n",
        hook.address(),
        ca_file().display().to_string()
    );
    let metrics = metric("sales", "sales", "").replace("\"7d\"", "\"28d\"")
        + &metric("latest", "sales", "aggregate = \"last\"");
    let mysql = format!(
        "{}password_file = \"password\"\n",
        mysql(&database, &reader.user)
    );
    let config = workspace.config(&format!("{mysql}{}{metrics}{channel}", smtp(&server)));
    allow(&config, 0o600);
    let variables = [("smtp_password", server.password())];
    workspace.run_with(&["-q"], &variables).assert_status(0);

    let before = contents(workspace.path());
    let said_before = server.transcript().len();
    let run = workspace.run_with(&["doctor"], &variables);
    run.assert_status(0);
    assert!(
        run.stdout.ends_with(" checks: 0 failed, 0 warnings\n"),
        "{}",
        run.stdout
    );
    for told in [
        "configuration                OK           config.toml, of ",
        "SELECT, and nothing else",
        "the server's clock is ours",
        "sales: index                 OK           rows are found by PRIMARY",
        "latest: index                OK           rows are found by PRIMARY",
        "a row a bucket, in 3168 buckets of 5m",
        "; seasons 1 d",
        "low and high can fire",
        "valid for the server's name until 2120-01-01",
        "recipient second@example.com  OK           is accepted",
        "and nothing failed",
    ] {
        let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
        let page = run.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(page.contains(&told), "no {told:?} in\n{}", run.stdout);
    }
    for secret in [&*reader.password, server.password(), "s3cret"] {
        run.assert_never_prints(secret);
    }
    assert!(contents(workspace.path()) == before, "something changed");
    let said = server.transcript().split_off(said_before);
    let last: Vec<&str> = said
        .iter()
        .rev()
        .take(2)
        .rev()
        .map(String::as_str)
        .collect();
    assert_eq!(last, ["RSET", "QUIT"]);
    assert!(said.iter().all(|line| line != "DATA"), "{said:?}");
    assert_eq!(server.received(), []);
    assert!(hook.posted().is_empty());
}

/// Tables of the same rows, each with what is wrong with it, and the metrics over them.
fn faulty_metrics(database: &Database) -> String {
    for (table, statement) in [
        (
            "noindex",
            "SELECT at + INTERVAL seq SECOND AS at, amount FROM sales, (SELECT 0 AS seq UNION SELECT 1 UNION SELECT 2 UNION SELECT 3) AS more",
        ),
        (
            "texts",
            "SELECT at, CAST(amount AS CHAR(20)) AS amount FROM sales",
        ),
        ("denied", "SELECT * FROM sales LIMIT 1"),
        ("gone", "SELECT * FROM sales LIMIT 1"),
        (
            "short",
            "SELECT * FROM sales WHERE at > (SELECT MAX(at) FROM sales) - INTERVAL 30 HOUR",
        ),
        (
            "gaps",
            "SELECT * FROM sales WHERE UNIX_TIMESTAMP(at) DIV 300 % 7 > 1",
        ),
        ("constant", "SELECT at, 12 AS amount FROM sales"),
        (
            "ahead",
            "SELECT at + INTERVAL 9 HOUR AS at, amount FROM sales",
        ),
        ("old", "SELECT at - INTERVAL 2 DAY AS at, amount FROM sales"),
    ] {
        database.execute(&format!("CREATE TABLE {table} AS {statement}"));
    }
    let account = format!("'{}some'@'%'", database.name);
    database.execute(&format!("CREATE USER {account} IDENTIFIED BY 'pw'"));
    for table in [
        "sales", "noindex", "texts", "gone", "short", "gaps", "constant", "ahead", "old",
    ] {
        database.execute(&format!("GRANT SELECT ON {table} TO {account}"));
    }
    database.execute(&format!("GRANT INSERT ON sales TO {account}"));
    database.execute("DROP TABLE gone");
    let utc = "time = \"utc\"\n";
    let mut config = format!(
        "timezone = \"Asia/Tokyo\"\n{}",
        mysql(database, &format!("{}some", database.name))
    );
    for (name, lines) in [
        ("noindex", "time = \"utc\"\naggregate = \"sum\"\n"),
        ("texts", utc),
        ("denied", utc),
        ("gone", utc),
        ("short", utc),
        ("gaps", utc),
        ("constant", utc),
        ("ahead", utc),
        ("old", utc),
    ] {
        config += &metric(name, name, lines);
    }
    config += "[[metric]]\nname = \"asked\"\ntime = \"utc\"\nquery = \"SELECT at, amount FROM noindex WHERE at >= :from AND at < :to AND SECOND(at) = 0;\"\nevery = \"5m\"\nwindow = \"7d\"\n";
    config += &metric("misread", "sales", "");
    config += &metric("column", "sales", utc).replace("\"amount\"", "\"turnover\"");
    config
}

#[test]
fn what_is_wrong_with_the_rows_is_found_of_each_metric() {
    let database = database_with_sales(7);
    let config = faulty_metrics(&database);
    let workspace = Workspace::new();
    let found = examine(&workspace, &config, &[("mysql_password", "pw")]);
    let rights = format!("more than SELECT: INSERT on {}.sales", database.name);
    found.assert("rights", "", "warning", &[&rights, "REVOKE"]);
    let scan = [
        "reads the whole table",
        "CREATE INDEX `noindex_by_time` ON `noindex` (`at`, `amount`)",
    ];
    found.assert("index", "noindex", "warning", &scan);
    let compared = "the time column that the query compares";
    found.assert("index", "asked", "warning", &[compared]);
    found.assert(
        "columns",
        "texts",
        "failed",
        &["its type is", "a value must be a number"],
    );
    found.assert(
        "columns",
        "denied",
        "failed",
        &["error 1142", "GRANT SELECT ON denied"],
    );
    found.assert(
        "columns",
        "gone",
        "failed",
        &["error 1146", "is metric.table right"],
    );
    found.assert(
        "columns",
        "column",
        "failed",
        &["turnover", "metric.value_column"],
    );
    found.assert("rows", "column", "not_checked", &[]);
    found.assert(
        "history",
        "short",
        "failed",
        &["cannot be judged", "at least 2 d are needed"],
    );
    found.assert(
        "history",
        "gaps",
        "warning",
        &["% of the buckets have no data"],
    );
    found.assert("history", "constant", "failed", &["cannot be judged"]);
    found.assert("history", "old", "failed", &["no data since"]);
    found.assert(
        "rows",
        "misread",
        "warning",
        &["look like UTC, read as local", "time = \"utc\""],
    );
    found.assert(
        "rows",
        "ahead",
        "failed",
        &["read as UTC", "time = \"local\""],
    );
    found.assert(
        "recipients",
        "",
        "failed",
        &["nobody is told of noindex, texts"],
    );
}

#[test]
fn a_database_that_is_not_there_or_whose_clock_is_wrong_is_named() {
    let (database, workspace) = (database_with_sales(3), Workspace::new());
    let reader = database.read_only_user();
    let table = mysql(&database, &reader.user);
    let config = |mysql: &str| format!("{mysql}{}", metric("sales", "sales", ""));
    let password = ("mysql_password", reader.password.as_str());
    let at_port = |port: &str| table.replace(&format!("port = {}", database.port()), port);
    for (mysql, password, told) in [
        (table.clone(), "wrong", "error 1045"),
        (
            at_port("port = 1"),
            "any",
            "is the server up, and are mysql.host and mysql.port right",
        ),
        (
            table.replace("127.0.0.1", "nowhere.invalid"),
            "any",
            "nowhere.invalid",
        ),
    ] {
        let found = examine(&workspace, &config(&mysql), &[("mysql_password", password)]);
        found.assert("database", "", "failed", &[told]);
        found.assert("rows", "sales", "not_checked", &["without the database"]);
    }
    let now = clock::set_to(Utc::now().naive_utc() + TimeDelta::hours(1));
    let mut variables: Vec<(&str, &str)> = now
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    variables.push(password);
    let found = examine(&workspace, &config(&table), &variables);
    found.assert(
        "clock",
        "",
        "failed",
        &["the server's clock is 1 h behind ours", "NTP"],
    );
}

#[test]
fn what_a_mail_would_meet_is_found_without_one() {
    let workspace = Workspace::new();
    let refusal = |stage, code, text| Fault::Reply { stage, code, text };
    let setup = |certificate, faults| MailServerSetup {
        certificate,
        faults,
        ..MailServerSetup::default()
    };
    let good = |faults| setup(CertificateKind::Good, faults);
    let bad_sender = refusal(Stage::Mail, 550, "5.7.1 not yours to send for");
    let bad_recipient = Fault::RejectRecipient {
        address: SECOND,
        code: 550,
    };
    for (setup, [check, of, state], told) in [
        (
            setup(CertificateKind::Expired, vec![]),
            ["certificate", "", "failed"],
            "expired on 2021-01-01",
        ),
        (
            setup(CertificateKind::WrongName, vec![]),
            ["certificate", "", "failed"],
            "is for elsewhere.example",
        ),
        (
            good(vec![Fault::NoStarttls]),
            ["certificate", "", "failed"],
            "does not offer STARTTLS",
        ),
        (good(vec![Fault::BadLogin]), ["login", "", "failed"], "535"),
        (
            good(vec![bad_sender]),
            ["sender", "", "failed"],
            "not yours to send for",
        ),
        (
            good(vec![bad_recipient]),
            ["recipient", SECOND, "failed"],
            "no such mailbox",
        ),
        (
            good(vec![Fault::AnnouncedSize { bytes: 99_999 }]),
            ["mail_size", "", "warning"],
            "takes 99999 bytes at most",
        ),
    ] {
        let server = MailServer::start(setup);
        let config = format!("{}{UNREAD}", smtp(&server));
        let found = examine(&workspace, &config, &[("smtp_password", server.password())]);
        found.assert(check, of, state, &[told]);
        assert!(server.transcript().iter().all(|line| line != "DATA"));
    }
    let server = MailServer::start(MailServerSetup::default());
    let config = smtp(&server) + UNREAD;
    let password = ("smtp_password", server.password());
    let port = format!("port = {}", server.port());
    let found = examine(&workspace, &config.replace(&port, "port = 1"), &[password]);
    found.assert(
        "mail_server",
        "",
        "failed",
        &["are smtp.host and smtp.port right"],
    );
    found.assert("recipient", FIRST, "not_checked", &[]);
    let elsewhere = config.replace("host = \"127.0.0.1\"", "host = \"nowhere.invalid\"");
    let found = examine(&workspace, &elsewhere, &[password]);
    found.assert("mail_server", "", "failed", &["cannot be talked to"]);
    let silent = MailServer::start(good(vec![Fault::BlackHole]));
    let config_of_silent = format!("deadline = \"1s\"\n{}{UNREAD}", smtp(&silent));
    let found = examine(&workspace, &config_of_silent, &[password]);
    found.assert("mail_server", "", "failed", &[]);
    let end = clock::set_to(moment("2119-12-20 12:00"));
    let mut variables: Vec<(&str, &str)> = end
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    variables.push(password);
    let found = examine(&workspace, &config, &variables);
    found.assert(
        "certificate",
        "",
        "warning",
        &["until 2120-01-01, for 11 days"],
    );
}

#[test]
fn files_that_others_may_read_and_channels_that_are_not_there_are_named() {
    let workspace = Workspace::new();
    let server = HttpServer::with(Some(CertificateKind::WrongName));
    let password = workspace.path().join("password");
    fs::write(&password, "secret").expect("a file");
    allow(&password, 0o644);
    let theirs = workspace.path().join(".config/bandwatch");
    fs::create_dir_all(&theirs).expect("a folder");
    fs::write(theirs.join("config.toml"), UNREAD).expect("a file");
    let channel = |name: &str, lines: &str| {
        format!("[[channel]]\nname = {name:?}\nkind = \"slack\"\n{lines}\n")
    };
    let ca_file = format!("ca_file = {}\n", quoted(&ca_file().display().to_string()));
    let config = [
        "[mysql]\nuser = \"u\"\ndatabase = \"d\"\nport = 1\npassword_file = \"password\"\n",
        UNREAD,
        &channel("down", "url = \"http://127.0.0.1:1/s3cret\""),
        &channel("lost", "url = \"https://nowhere.invalid/s3cret\""),
        &channel(
            "other",
            &format!("url = \"{}/s3cret\"\n{ca_file}", server.address()),
        ),
        &channel("filed", "url_file = \"not-there\""),
    ]
    .concat();
    let found = examine(&workspace, &config, &[]);
    found.assert(
        "configuration",
        "",
        "warning",
        &["an address in it may be a secret", "chmod o-r config.toml"],
    );
    found.assert(
        "configuration",
        "",
        "warning",
        &[".config/bandwatch/config.toml is there too, and not used"],
    );
    found.assert(
        "secrets",
        "",
        "warning",
        &["mysql.password_file", "mode 0644", "chmod o-rwx password"],
    );
    found.assert("secrets", "", "failed", &["url_file", "cannot be read"]);
    found.assert(
        "channel",
        "down",
        "failed",
        &["http://127.0.0.1:1/***", "refused"],
    );
    found.assert("channel", "lost", "failed", &["its host is not known"]);
    found.assert(
        "channel",
        "other",
        "failed",
        &["no encryption", "elsewhere.example"],
    );
    assert!(server.posted().is_empty());

    let found = examine(&workspace, "timezone = \"Mars/Olympus\"\n", &[]);
    found.assert("configuration", "", "failed", &["Mars/Olympus"]);
    let run = workspace.run(&["doctor", "--config", "none.toml"]);
    run.assert_status(1);
    assert!(run.stdout.starts_with("configuration  FAILED"), "{run:?}");
}

#[test]
fn what_is_wrong_with_the_state_is_named() {
    let workspace = Workspace::new();
    let state = workspace.path().join("state/bandwatch");
    fs::create_dir_all(&state).expect("a folder");
    fs::write(state.join("state.json"), "bandwatch 1 0\nnothing").expect("a file");
    fs::write(state.join("memory.json"), "bandwatch").expect("a file");
    fs::write(state.join("runs.json"), "bandwatch 9 0\n{}\n").expect("a file");
    let lock = File::create(state.join("run.lock")).expect("a file");
    lock.try_lock().expect("nobody else wants it");
    let config = format!("deadline = \"1s\"\n{UNREAD}");
    wait_for("a lock that is old enough to be stale", || {
        let found = examine(&workspace, &config, &[]);
        found
            .checks
            .iter()
            .any(|check| check["check"] == "lock" && check["state"] == "warning")
    });
    let before = contents(&state);
    let found = examine(&workspace, &config, &[]);
    let process = format!("held by process {}", std::process::id());
    found.assert(
        "lock",
        "",
        "warning",
        &[&process, "a run takes 1s at most", "kill"],
    );
    found.assert(
        "state_files",
        "",
        "warning",
        &["state.json could not be read", "damaged"],
    );
    found.assert(
        "state_files",
        "",
        "warning",
        &["runs.json could not be read", "a newer bandwatch"],
    );
    found.assert("state_files", "", "warning", &["memory.json: left in"]);
    found.assert(
        "last_run",
        "",
        "warning",
        &["there was none yet", "* * * * *", "bandwatch -q --config"],
    );
    assert!(contents(&state) == before, "something changed");
    drop(lock);

    let other = format!(
        "bandwatch keeps the state of this configuration here: {}\n",
        workspace.path().join("other.toml").display()
    );
    fs::write(state.join("run.lock"), other).expect("a file");
    fs::write(workspace.path().join("other.toml"), UNREAD).expect("a file");
    let found = examine(&workspace, &config, &[]);
    found.assert(
        "state",
        "",
        "failed",
        &[
            "other.toml, and this is",
            "give each a state_dir of its own",
        ],
    );
    fs::remove_file(state.join("run.lock")).expect("a file");

    for (trouble, told) in [
        (Trouble::Full, "No space left"),
        (Trouble::ReadOnly, "Read-only"),
    ] {
        let mut bad = clock::set_to(Utc::now().naive_utc());
        let folders = vec![state.clone()];
        BadDisk { trouble, folders }.add_to(&mut bad);
        let bad: Vec<(&str, &str)> = bad
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        examine(&workspace, &config, &bad).assert(
            "disk",
            "",
            "failed",
            &["cannot be written to", told],
        );
    }

    let (folder, owner) = folder_of_somebody_else(&workspace);
    let config = format!("state_dir = {:?}\n{config}", folder.display().to_string());
    examine(&workspace, &config, &[]).assert("state", "", "failed", &[owner]);
}

/// A folder that is not this user's, and whose it is.
fn folder_of_somebody_else(workspace: &Workspace) -> (PathBuf, &'static str) {
    const NOBODY: u32 = 65_534;
    if fs::metadata("/proc/self").expect("of this process").uid() != 0 {
        return ("/root".into(), "root");
    }
    let folder = workspace.path().join("theirs");
    fs::create_dir(&folder).expect("a folder");
    chown(&folder, Some(NOBODY), Some(NOBODY)).expect("root gives away what it has");
    (folder, "nobody")
}

#[test]
fn what_waits_and_what_was_lost_and_that_nothing_runs_any_more_is_told() {
    let mut story = Story::new();
    story.smtp = "give_up_after = \"10m\"\n".to_owned();
    story.run_well("12:00");
    story.sell("12:00", 500.0);
    story.run_without_mail("12:05");
    let examine = |story: &Story, at: &str| {
        Findings::of(&story.run_with(at, &["doctor", "--format", "json"]))
    };
    let found = examine(&story, "12:05");
    found.assert(
        "outbox",
        "",
        "warning",
        &["waiting, to first@example.com", "cannot be talked to"],
    );
    found.assert(
        "last_run",
        "",
        "ok",
        &["at 12:05 UTC, and the last in which nothing failed: 12:00"],
    );
    for at in ["12:08", "12:12", "12:18"] {
        story.run_without_mail(at);
    }
    story.strike_disk(Trouble::ReadOnly, &[]);
    story.sell("12:15", 0.0);
    story.run("12:20").assert_status(1);
    story.disk = None;
    story
        .run_with("12:20", &["silence", "sales", "--for", "2h"])
        .assert_status(0);
    let found = examine(&story, "12:40");
    found.assert(
        "outbox",
        "",
        "warning",
        &["lost: ", "to first@example.com", "bandwatch status"],
    );
    found.assert(
        "disk",
        "",
        "warning",
        &["holds what a run could not write to"],
    );
    found.assert(
        "last_run",
        "",
        "warning",
        &["silent cron: the last run was at 12:20 UTC, 20 min ago"],
    );
    found.assert("silences", "sales", "ok", &["silent until 14:20"]);
    // What is kept elsewhere goes home.
    story.run("12:41").assert_status(0);
    let mut text = String::new();
    for check in examine(&story, "12:41").checks {
        writeln!(text, "{check}").expect("a String takes any text");
    }
    assert!(!text.contains("could not write to"), "{text}");
}

#[test]
fn many_series_are_read_as_a_check_reads_them() {
    let database = database_with_sales(11);
    database.execute("CREATE TABLE stores (store INT, at DATETIME, amount DOUBLE, KEY by_store (store, at), KEY by_time (at))");
    database.execute("INSERT INTO stores SELECT 7, at, amount FROM sales");
    database.execute(
        "INSERT INTO stores SELECT 8, at, amount FROM sales WHERE at > NOW() - INTERVAL 2 DAY",
    );
    let workspace = Workspace::new();
    let reader = database.read_only_user();
    let config = mysql(&database, &reader.user)
        + &metric("shops", "stores", "group_by = [\"store\"]\n")
        + &metric("gone", "stores", "group_by = [\"shop\"]\n");
    let variables = [("mysql_password", reader.password.as_str())];
    let found = examine(&workspace, &config, &variables);
    found.assert(
        "columns",
        "shops",
        "ok",
        &["stores: at and amount, by store"],
    );
    found.assert("index", "shops", "ok", &["rows are found by"]);
    found.assert(
        "rows",
        "shops",
        "ok",
        &["2 series; the largest, shops{store=7}: a row a bucket"],
    );
    found.assert(
        "history",
        "shops",
        "ok",
        &["shops{store=7}: 2,017 buckets of 5m"],
    );
    found.assert("columns", "gone", "failed", &["shop"]);
}
