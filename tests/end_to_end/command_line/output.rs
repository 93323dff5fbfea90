//! What a run prints.

use std::fs::File;
use std::process::{Command, Stdio};

use chrono::DateTime;
use serde_json::Value;

use crate::scene::{Ending, Scene};
use crate::support::Workspace;

const SALES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/sales.csv");

#[test]
fn as_json_every_field_has_its_type() {
    let scene = Scene::ending_in(Ending::Drop);
    let run = scene.run_with(&["--dry-run", "--format", "json"]);
    run.assert_status(0);
    assert_eq!(run.stdout.lines().count(), 1);
    let Value::Object(entry) = serde_json::from_str(&run.stdout).expect("JSON") else {
        panic!("no object: {run:?}");
    };
    let mut left: Vec<&str> = entry.keys().map(String::as_str).collect();
    let mut take = |keys: &[&str], is_right: &dyn Fn(&Value) -> bool| {
        for key in keys {
            let value = entry.get(*key).unwrap_or_else(|| panic!("no {key}"));
            assert!(is_right(value), "{key} is {value}");
            left.retain(|left| left != key);
        }
    };
    let texts = ["metric", "title", "unit", "verdict", "step"];
    take(&texts, &Value::is_string);
    take(&["reason", "hint", "parts"], &Value::is_null);
    let is_time = |value: &Value| {
        let text = value.as_str().unwrap_or_default();
        let time = DateTime::parse_from_rfc3339(text);
        time.is_ok() && text.ends_with("+01:00")
    };
    take(&["time", "as_of", "history_from"], &is_time);
    let figures = ["value", "expected", "lower", "upper", "level", "deviation"];
    take(&figures, &Value::is_f64);
    take(&["low_possible", "high_possible"], &Value::is_boolean);
    let counts = [
        "step_seconds",
        "history_buckets",
        "history_missing",
        "ignored_buckets",
        "clipped",
        "rows",
        "rows_empty",
        "rows_not_finite",
        "rows_time_unclear",
        "rows_repeated",
    ];
    take(&counts, &Value::is_u64);
    take(&["key"], &Value::is_null);
    take(&["events", "mailed", "files", "failures"], &Value::is_array);
    assert_eq!(left, [""; 0], "fields that nobody documented");

    assert_eq!(entry["verdict"], "low");
    assert_eq!(entry["time"], "2026-11-22T14:00:00+01:00");
    assert_eq!(entry["value"], Ending::Drop.value());
    assert_eq!(entry["step_seconds"], 3600);
    assert_eq!(entry["rows"], 145);
    let number = |key: &str| entry[key].as_f64().expect("a number");
    assert!(number("value") < number("lower") && number("lower") < number("expected"));
    assert!(number("expected") < number("upper") && number("deviation") < -1.0);
}

#[test]
fn as_json_what_failed_is_told_as_well() {
    let run = Workspace::new().run(&["--dry-run", "--format", "json", "--input", "absent.csv"]);
    run.assert_status(1);
    let entry: Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(entry["verdict"], "failed");
    assert_eq!(entry["value"], Value::Null);
    let failure = entry["failures"][0].as_str().expect("a line");
    assert!(failure.starts_with("read absent.csv: "), "{failure}");
    assert_eq!(run.stderr.lines().count(), 1);
}

#[test]
fn a_quiet_run_prints_nothing_but_errors() {
    let scene = Scene::ending_in(Ending::Spike);
    for flags in [
        &["-q"][..],
        &["-q", "--format", "json"],
        &["--quiet", "--dry-run"],
    ] {
        let run = scene.run_with(flags);
        run.assert_status(0);
        assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
    }
    let run = Workspace::new().run(&["-q", "--input", "absent.csv"]);
    run.assert_status(1);
    assert!(run.stderr.contains("absent.csv"), "{run:?}");
}

#[test]
fn a_verbose_run_tells_how_it_judged_even_where_all_is_well() {
    let run = Scene::ending_in(Ending::Usual).run_with(&["-v"]);
    run.assert_status(0);
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert!(lines[0].starts_with("sales  NORMAL  "), "{run:?}");
    for (line, begin) in lines[1..].iter().zip([
        "  rows 145 (empty 0, not finite 0, time unclear 0, repeated 0), step 1h, as of 2026-11-22 15:00:00 CET",
        "  history 6 d from 2026-11-16 14:00 CET: 144 values, 0 missing, 0 clipped",
        "  seasons 1 d (",
    ]) {
        assert!(line.starts_with(begin), "{line}");
    }
    assert_eq!(lines.len(), 5, "{run:?}");
    assert!(lines[4].contains("half-widths of the 95 % band"), "{run:?}");
}

#[test]
fn the_help_fits_a_screen_and_names_exit_codes_and_variables() {
    let workspace = Workspace::new();
    let run = workspace.run(&["--help"]);
    run.assert_status(0);
    assert!(run.stdout.lines().count() <= 40, "{}", run.stdout);
    let named = [
        "Exit codes: 0 ",
        "\n            1 ",
        "\n            2 ",
        "\n            3 ",
        "mysql_user",
        "mysql_password",
        "mysql_host",
        "mysql_db",
        "smtp_email",
        "smtp_password",
        "recipient_list",
    ];
    for named in named {
        assert!(
            run.stdout.contains(named),
            "{named} is not in\n{}",
            run.stdout
        );
    }
    assert!(!run.stdout.contains("--password"), "{}", run.stdout);
    let version = workspace.run(&["--version"]);
    version.assert_status(0);
    let expected = concat!("bandwatch ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(version.stdout, expected);
}

#[test]
fn no_secret_of_the_environment_is_in_the_help() {
    let secrets = [("mysql_password", "hunter2"), ("smtp_password", "sesame")];
    let run = Workspace::new().run_with(&["--help"], &secrets);
    run.assert_status(0);
    run.assert_never_prints("hunter2");
    run.assert_never_prints("sesame");
}

#[test]
fn a_full_disk_under_what_is_printed_is_told_and_a_broken_place_for_errors_breaks_nothing() {
    let workspace = Workspace::new();
    let run = |flags: &[&str], broken: &str| {
        let full = || {
            File::options()
                .write(true)
                .open("/dev/full")
                .expect("a full disk")
        };
        let mut command = Command::new(env!("CARGO_BIN_EXE_bandwatch"));
        command.args(flags).current_dir(workspace.path());
        command.env_clear().stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        match broken {
            "stdout" => command.stdout(full()),
            _ => command.stderr(full()),
        };
        let output = command.output().expect("bandwatch starts");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), told)
    };
    for flags in [
        &["-v", "--input", SALES][..],
        &["--help"],
        &["help", "status"],
    ] {
        let (code, told) = run(flags, "stdout");
        assert_eq!(code, Some(1), "{flags:?}");
        assert!(
            told.contains("write to standard output: No space left"),
            "{told}"
        );
    }
    for (flags, code) in [
        (&["--input", "absent.csv"][..], 1),
        (&["--no-such-flag"], 2),
    ] {
        assert_eq!(run(flags, "stderr").0, Some(code), "{flags:?}");
    }
}

#[test]
fn a_reader_who_has_gone_is_no_failure() {
    for flags in [&["-v"][..], &["--format", "json"], &["--help"]] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let output = Command::new(env!("CARGO_BIN_EXE_bandwatch"))
            .args(["--input", SALES])
            .args(flags)
            .current_dir(Workspace::new().path())
            .env_clear()
            .stdin(Stdio::null())
            .stdout(writer)
            .stderr(Stdio::piped())
            .spawn()
            .and_then(std::process::Child::wait_with_output)
            .expect("bandwatch starts");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        assert_eq!(output.status.code(), Some(0), "{flags:?}");
    }
}
