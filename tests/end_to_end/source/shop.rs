//! A shop in Paris whose sales bandwatch watches: a schema with a healthy daily
//! wave, a configuration, and runs of the binary that only tell.

use chrono::{NaiveDateTime, TimeDelta, Timelike};
use serde_json::Value;

use crate::support::{Database, Run, Workspace};

/// By default tests judge as of this Sunday in winter, 14:05 CET.
pub const AT: &str = "2026-11-22 14:05";

/// The bucket of an hour that is newest and closed then.
pub const NEWEST: &str = "2026-11-22 13:00:00";

/// The lines of a metric over the table `sales` of this module.
pub const HOURLY: &str = r#"
    table = "sales"
    time_column = "at"
    value_column = "amount"
    every = "1h"
    window = "4d"
"#;

/// The hours of that window and the judged one after it.
pub const HOURS: usize = 4 * 24 + 1;

pub struct Shop {
    pub database: Database,
    pub workspace: Workspace,
    pub timezone: &'static str,
}

impl Shop {
    /// Without any table.
    pub fn empty() -> Self {
        Self::of(Database::create())
    }

    pub fn of(database: Database) -> Self {
        Self {
            database,
            workspace: Workspace::new(),
            timezone: "Europe/Paris",
        }
    }

    /// With four days of hourly sales up to [`NEWEST`].
    pub fn healthy() -> Self {
        let shop = Self::empty();
        shop.sales("DATETIME", "DOUBLE", &wave(NEWEST, 60, HOURS));
        shop
    }

    /// Creates the table `sales` of columns `at` and `amount` anew.
    #[track_caller]
    pub fn sales(&self, time: &str, value: &str, rows: &[(NaiveDateTime, f64)]) {
        self.sql("DROP TABLE IF EXISTS sales");
        self.sql(&format!(
            "CREATE TABLE sales (at {time} NULL, amount {value} NULL)"
        ));
        self.database.insert_rows("sales", "at", "amount", rows);
    }

    #[track_caller]
    pub fn sql(&self, statement: &str) {
        self.database.execute(statement);
    }

    /// A `[mysql]` table for the read-only account, over TCP in the clear.
    pub fn mysql(&self) -> String {
        format!(
            "{}host = \"{}\"\nport = {}\n",
            self.account(),
            self.database.host(),
            self.database.port()
        )
    }

    /// The same without a place.
    pub fn account(&self) -> String {
        let reader = self.database.read_only_user();
        self.account_of(&reader.user, &reader.password)
    }

    pub fn account_of(&self, user: &str, password: &str) -> String {
        let file = self.workspace.path().join("password");
        std::fs::write(file, password).expect("a file in the workspace");
        format!(
            "user = \"{user}\"\npassword_file = \"password\"\ndatabase = \"{}\"\n",
            self.database.name
        )
    }

    /// Writes a configuration with these settings of the database and these
    /// metrics, each with a name.
    pub fn configure(&self, mysql: &str, metrics: &[(&str, &str)]) {
        let mut text = format!(
            "timezone = \"{}\"\ndeadline = \"8s\"\n[mysql]\n{mysql}\n",
            self.timezone
        );
        for (name, lines) in metrics {
            text.extend(["[[metric]]\nname = \"", name, "\"\n", lines, "\n"]);
        }
        self.workspace.config(&text);
    }

    /// Judges a metric `sales` of these lines.
    #[track_caller]
    pub fn judge(&self, lines: &str, at: &str) -> Value {
        self.configure(&self.mysql(), &[("sales", lines)]);
        self.judge_as_configured(at)
    }

    #[track_caller]
    pub fn judge_as_configured(&self, at: &str) -> Value {
        let run = self.run_at(at, &["--format", "json"]);
        run.assert_status(0);
        assert_eq!(run.stderr, "", "nothing went wrong");
        serde_json::from_str(&run.stdout).expect("one JSON object")
    }

    /// Judges a metric of these lines, and gives what is told in text.
    #[track_caller]
    pub fn told(&self, lines: &str, at: &str) -> String {
        self.configure(&self.mysql(), &[("sales", lines)]);
        let run = self.run_at(at, &["--verbose"]);
        run.assert_status(0);
        run.stdout
    }

    #[track_caller]
    pub fn run_at(&self, at: &str, more: &[&str]) -> Run {
        self.workspace.run(&[&["--at", at], more].concat())
    }

    /// Runs with a metric of these lines, which must fail, and gives the line
    /// that says why.
    #[track_caller]
    pub fn refusal(&self, lines: &str) -> String {
        self.configure(&self.mysql(), &[("sales", lines)]);
        self.refusal_as_configured()
    }

    #[track_caller]
    pub fn refusal_as_configured(&self) -> String {
        let run = self.run_at(AT, &["--format", "json"]);
        run.assert_status(1);
        let line = the_only_line(&run.stderr);
        let entry: Value = serde_json::from_str(&run.stdout).expect("one JSON object");
        assert_eq!(entry["verdict"], "failed");
        assert_eq!(
            line.strip_prefix("bandwatch: sales: "),
            entry["failures"][0].as_str(),
            "standard error and JSON tell the same"
        );
        line
    }

    /// How the server is called in messages.
    pub fn place(&self) -> String {
        format!("{}:{}", self.database.host(), self.database.port())
    }
}

#[track_caller]
pub fn the_only_line(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 1, "one line: {text:?}");
    lines[0].to_owned()
}

/// Asserts that a line holds each of these.
#[track_caller]
pub fn assert_tells(line: &str, parts: &[&str]) {
    for part in parts {
        assert!(line.contains(part), "no {part:?} in {line:?}");
    }
}

#[track_caller]
pub fn assert_close(told: &Value, expected: f64) {
    let told = told.as_f64().expect("a number");
    let tolerance = 1e-12 * expected.abs().max(1.0);
    assert!(
        (told - expected).abs() <= tolerance,
        "{told} is not {expected}"
    );
}

pub fn time(text: &str) -> NaiveDateTime {
    NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").expect("a time")
}

/// `count` rows, each `minutes` after the other, the last at `newest`; by
/// whichever clock their column has.
pub fn wave(newest: &str, minutes: i64, count: usize) -> Vec<(NaiveDateTime, f64)> {
    times(newest, minutes, count)
        .map(|time| (time, healthy(time)))
        .collect()
}

pub fn times(
    newest: &str,
    minutes: i64,
    count: usize,
) -> impl Iterator<Item = NaiveDateTime> + use<> {
    let newest = time(newest);
    let count = i64::try_from(count).expect("a few");
    (0..count)
        .rev()
        .map(move |back| newest - TimeDelta::minutes(minutes * back))
}

/// What is sold at a time of an ordinary day: a whole number around 1000, most
/// at six in the morning and fewest at six in the evening, with some noise.
pub fn healthy(time: NaiveDateTime) -> f64 {
    let angle = std::f64::consts::TAU * f64::from(time.num_seconds_from_midnight()) / 86_400.0;
    (1000.0 + 400.0 * angle.sin() + 20.0 * noise(time)).round()
}

/// The same between -1 and 1 for the same time, without a pattern.
pub fn noise(time: NaiveDateTime) -> f64 {
    // The finaliser of splitmix64, https://prng.di.unimi.it/splitmix64.c.
    let mut bits = time.and_utc().timestamp().cast_unsigned();
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let bits = u32::try_from((bits ^ (bits >> 31)) >> 32).expect("32 bits");
    f64::from(bits) / f64::from(u32::MAX) * 2.0 - 1.0
}
