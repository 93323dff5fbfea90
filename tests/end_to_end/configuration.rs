//! A configuration that is wrong is told in one line, and nothing is contacted.

use std::collections::BTreeSet;

use crate::scene::{Doorbell, Ending, csv, rows, write};
use crate::support::Workspace;

const EXAMPLE: &str = include_str!("../../config.example.toml");

/// A configuration in order, but for a line in one of its tables.
struct Draft {
    top: &'static str,
    mysql: &'static str,
    smtp: &'static str,
    metric: &'static str,
}

const GOOD: Draft = Draft {
    top: "timezone = \"UTC\"",
    mysql: "query_timeout = \"5s\"",
    smtp: "reply_timeout = \"5s\"",
    metric: "window = \"28d\"",
};

impl Draft {
    /// The line in question stands on line 1, 3, 9 or 14.
    fn text(&self, port: u16) -> String {
        let Self {
            top,
            mysql,
            smtp,
            metric,
        } = self;
        format!(
            r#"{top}
[mysql]
{mysql}
host = "127.0.0.1"
port = {port}
user = "reader"
database = "shop"
[smtp]
{smtp}
host = "127.0.0.1"
from = "a@example.com"
recipients = ["b@example.com"]
[[metric]]
{metric}
name = "sales"
table = "sales"
time_column = "at"
value_column = "amount"
"#
        )
        .replace(
            "host = \"127.0.0.1\"\nfrom",
            &format!("host = \"127.0.0.1\"\nport = {port}\nfrom"),
        )
    }
}

/// What is wrong, and how it is told; each other mistake in `config::tests`.
const WRONG: [(Draft, &str); 3] = [
    (
        Draft {
            top: "deadline = \"50s",
            ..GOOD
        },
        "line 1: ",
    ),
    (
        Draft {
            mysql: "password = \"hunter2\"",
            ..GOOD
        },
        "line 3: mysql.password: unknown field `password`, expected one of `host`, ",
    ),
    (
        Draft {
            metric: "recipients = [\"a@example.com\", \"nobody\"]",
            ..GOOD
        },
        "line 15: metric[0].recipients: \"nobody\" is not a mail address; allowed: such as \"ops@example.com\"",
    ),
];

#[test]
fn what_is_wrong_is_told_by_file_line_key_and_value_with_what_is_allowed() {
    let (workspace, server) = (Workspace::new(), Doorbell::new());
    for (draft, told) in WRONG {
        let file = workspace.config(&draft.text(server.port()));
        let told = format!("bandwatch: {}: {told}", file.display());
        let run = workspace.run(&["--config", &file.display().to_string()]);
        run.assert_status(2);
        assert_eq!(run.stderr.lines().count(), 1, "{run:?}");
        assert!(
            run.stderr.starts_with(&told),
            "{}\n  is not\n{told}",
            run.stderr
        );
        run.assert_never_prints("hunter2");
        assert_eq!(run.stdout, "");
        server.assert_nobody_called();
    }
}

#[test]
fn what_a_live_run_needs_is_asked_for_before_anything_is_contacted() {
    let (workspace, server) = (Workspace::new(), Doorbell::new());
    let good = GOOD.text(server.port());
    let lacking = [
        (
            "user = \"reader\"\n",
            "",
            "mysql.user: missing; set it, or the environment variable mysql_user",
        ),
        (
            "database = \"shop\"\n",
            "",
            "mysql.database: missing; set it, or the environment variable mysql_db",
        ),
        (
            "from = \"a@example.com\"\n",
            "",
            "smtp.from: missing; set it, or the environment variable smtp_email",
        ),
        (
            "recipients = [\"b@example.com\"]\n",
            "",
            "smtp.recipients: missing; set it, or the environment variable recipient_list",
        ),
        (
            "from = ",
            "user = \"a\"\nfrom = ",
            "smtp.password_file: missing, and smtp.user is set",
        ),
        (
            "from = ",
            "password_file = \"/no/such\"\nfrom = ",
            "smtp.password_file = \"/no/such\": cannot be read",
        ),
        (
            "user = ",
            "password_file = \"/no/such\"\nuser = ",
            "mysql.password_file = \"/no/such\": cannot be read",
        ),
        (
            "[[metric]]\n",
            "[[metric]]\nname = \"other\"\n[[metric]]\n",
            "metric \"other\": neither table nor query is set",
        ),
    ];
    for (old, new, told) in lacking {
        assert!(good.contains(old), "{old}");
        workspace.config(&good.replacen(old, new, 1));
        let run = workspace.run(&[]);
        run.assert_status(2);
        assert!(
            run.stderr.contains(told),
            "{told}\n  is not in {}",
            run.stderr
        );
        assert_eq!(run.stderr.lines().count(), 1, "{run:?}");
        server.assert_nobody_called();
    }
}

#[test]
fn a_configuration_in_order_leads_to_an_attempt_to_connect() {
    let workspace = Workspace::new();
    // The port of a service that nobody has (tcpmux).
    workspace.config(&GOOD.text(1));
    let run = workspace.run(&[]);
    run.assert_status(1);
    let told = "bandwatch: sales: connect to ";
    assert!(run.stderr.starts_with(told), "{run:?}");
    assert!(run.stderr.contains("127.0.0.1:1"), "{run:?}");
}

#[test]
fn a_file_that_is_absent_or_no_text_is_told() {
    let workspace = Workspace::new();
    let latin1 = workspace.path().join("latin1.toml");
    std::fs::write(latin1, b"timezone = \"\xe9\"\n").expect("a file");
    for file in ["absent.toml", "latin1.toml", "."] {
        let run = workspace.run(&["--config", file]);
        run.assert_status(2);
        let told = format!("bandwatch: read the configuration {file}: ");
        assert!(run.stderr.starts_with(&told), "{run:?}");
    }
}

#[test]
fn the_example_loads_as_it_is() {
    let workspace = Workspace::new();
    write(&workspace, "config.example.toml", EXAMPLE);
    write(&workspace, "sales.csv", include_str!("../data/sales.csv"));
    let arguments = [
        "--config",
        "config.example.toml",
        "--dry-run",
        "--input",
        "sales.csv",
    ];
    let run = workspace.run(&arguments);
    run.assert_status(0);
    assert_eq!(run.stderr, "");
    assert!(
        run.stdout.starts_with("sales  HIGH  1,843 at 14:05 CET, "),
        "{run:?}"
    );
    let mail = std::fs::read_to_string(workspace.path().join("plots/alert.eml")).expect("a mail");
    assert!(mail.contains("To: ops@example.com\r\n"), "{mail}");
}

#[test]
fn the_example_shows_each_key_that_is_accepted_and_no_other() {
    let mut shown: BTreeSet<String> = BTreeSet::new();
    let mut table = "";
    for line in EXAMPLE.lines() {
        // A table may be commented out as a whole.
        let head = line.strip_prefix('[').or(line.strip_prefix("# ["));
        if let Some(name) = head.filter(|name| name.ends_with(']')) {
            table = name.trim_matches(['[', ']']);
            let (parent, key) = table.rsplit_once('.').unwrap_or(("", table));
            shown.insert(format!("{parent}.{key}"));
        } else if let Some((key, _)) = line.trim_start_matches("# ").split_once(" = ") {
            let is_key = |letter: char| letter.is_ascii_lowercase() || letter == '_';
            if key.chars().all(is_key) {
                shown.insert(format!("{table}.{key}"));
            }
        }
    }

    let workspace = Workspace::new();
    write(&workspace, "sales.csv", &csv(&rows(Ending::Usual)));
    let mut accepted = BTreeSet::new();
    for (head, table) in [
        ("", ""),
        ("[mysql]", "mysql"),
        ("[smtp]", "smtp"),
        ("[[metric]]", "metric"),
        ("[[metric]]\n[metric.outliers]", "metric.outliers"),
        ("[[event]]", "event"),
        ("[[channel]]", "channel"),
        ("[state]", "state"),
    ] {
        workspace.config(&format!("{head}\nno_such_key = 1\n"));
        let run = workspace.run(&["--input", "sales.csv"]);
        run.assert_status(2);
        let (_, list) = run
            .stderr
            .split_once("unknown field `no_such_key`, expected ")
            .unwrap_or_else(|| panic!("{run:?}"));
        // Every other piece between the back quotes is a key.
        for key in list.split('`').skip(1).step_by(2) {
            accepted.insert(format!("{table}.{key}"));
        }
    }
    assert!(accepted.len() > 40, "{accepted:?}");
    assert_eq!(shown, accepted);
}
