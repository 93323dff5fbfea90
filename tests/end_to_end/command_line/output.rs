//! What a run prints.

use std::fs::File;
use std::process::{Command, Stdio};

use chrono::DateTime;
use serde_json::Value;

use crate::scene::{Ending, Scene, write};
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
    assert!(run.stdout.lines().count() <= 60, "{}", run.stdout);
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
    let expected = concat!("bandwatch ", env!("CARGO_PKG_VERSION"), " (");
    let target = format!("{}-linux-", std::env::consts::ARCH);
    assert!(
        version.stdout.starts_with(expected) && version.stdout.contains(&target),
        "{version:?}"
    );
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

#[test]
fn colours_reach_a_pipe_only_if_they_are_asked_for() {
    let workspace = Workspace::new();
    let told = |flags: &[&str]| workspace.run(&[&["--dry-run", "--input", SALES], flags].concat());
    assert!(
        told(&["--color", "always"])
            .stdout
            .contains("\u{1b}[1;34mHIGH\u{1b}[0m")
    );
    assert!(!told(&[]).stdout.contains('\u{1b}'));
}

#[test]
fn shells_take_the_completions_they_are_given() {
    let workspace = Workspace::new();
    let script = workspace.run(&["completions", "bash"]);
    script.assert_status(0);
    write(&workspace, "bandwatch.bash", &script.stdout);
    let offers = "source ./bandwatch.bash; COMP_WORDS=(bandwatch back); COMP_CWORD=1; _bandwatch bandwatch back bandwatch; echo ${COMPREPLY[@]}";
    let shell = Command::new("bash")
        .args(["-c", offers])
        .current_dir(workspace.path())
        .output()
        .expect("bash");
    assert_eq!(
        String::from_utf8_lossy(&shell.stdout),
        "backtest\n",
        "{shell:?}"
    );
    for (shell, begin) in [
        ("zsh", "#compdef bandwatch\n"),
        ("fish", "# Print an optspec"),
    ] {
        let script = workspace.run(&["completions", shell]);
        assert!(script.stdout.starts_with(begin), "{script:?}");
    }
}

#[test]
fn nagios_is_told_by_one_line_and_the_exit_code() {
    let workspace = Workspace::new();
    let told = |flags: &[&str]| workspace.run(&[&["--format", "nagios"], flags].concat());
    let high = told(&["--input", SALES]);
    high.assert_status(2);
    assert!(
        high.stdout
            .starts_with("BANDWATCH CRITICAL: sales high since "),
        "{high:?}"
    );
    assert_eq!(high.stdout.lines().count(), 1, "{high:?}");
    told(&["--input", SALES, "--severity", "warning"]).assert_status(1);
    told(&["--input", SALES, "--at", "2026-11-22 14:05"]).assert_status(0);
    let failed = told(&["--input", "nowhere.csv"]);
    failed.assert_status(3);
    assert!(
        failed.stdout.starts_with("BANDWATCH UNKNOWN: "),
        "{failed:?}"
    );
    let misused = told(&[]);
    misused.assert_status(3);
    assert!(
        misused
            .stdout
            .starts_with("BANDWATCH UNKNOWN: no configuration"),
        "{misused:?}"
    );
}

#[test]
fn a_file_of_metrics_is_whole_and_readable_for_others() {
    let workspace = Workspace::new();
    let run = workspace.run(&["--input", SALES, "--metrics-file", "sales.prom"]);
    run.assert_status(0);
    let path = workspace.path().join("sales.prom");
    let text = std::fs::read_to_string(&path).expect("a file");
    assert!(
        text.contains("\nbandwatch_value{metric=\"sales\"} 1843.2\n"),
        "{text}"
    );
    assert!(text.ends_with("# EOF\n"), "{text}");
    let nowhere = workspace.run(&["--input", SALES, "--metrics-file", "no/sales.prom"]);
    nowhere.assert_status(1);
    assert!(
        nowhere
            .stderr
            .starts_with("bandwatch: --metrics-file no/sales.prom: "),
        "{nowhere:?}"
    );
}
