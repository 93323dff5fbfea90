//! Flags, and the runs that they rule out.

use crate::scene::{Doorbell, Ending, Scene, csv, quoted, read, rows, write};
use crate::support::{Received, Workspace};

const SALES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/sales.csv");

/// The first command of the README: no configuration, no environment.
#[test]
fn a_dry_run_of_a_file_writes_the_pictures_and_the_mail_into_an_empty_directory() {
    let workspace = Workspace::new();
    let run = workspace.run(&["--dry-run", "--input", SALES]);
    run.assert_status(0);
    assert_eq!(run.stderr, "");
    let lines: Vec<&str> = run.stdout.lines().collect();
    let verdict = "sales  HIGH  1,843 at 14:05 UTC, expected ";
    assert!(lines[0].starts_with(verdict), "{run:?}");
    let wrote = ["plot_24h.png", "plot_48h.png", "alert.eml", "alert.html"];
    assert_eq!(
        lines[1..],
        wrote.map(|name| format!("  wrote plots/{name}"))
    );

    let pictures = ["plot_24h.png", "plot_48h.png"].map(|name| {
        let bytes = read(&workspace, &format!("plots/{name}"));
        assert!(bytes.starts_with(b"\x89PNG\r\n\x1a\n"), "{name}");
        let width = u32::from_be_bytes(bytes[16..20].try_into().expect("four bytes"));
        assert!(width >= 1200, "{name} is {width} wide");
        bytes
    });
    let mail = parse(read(&workspace, "plots/alert.eml"));
    assert!(mail.subject.starts_with("[High] Sales 1,843 at 14:05 UTC"));
    let mailed: Vec<Vec<u8>> = mail.inline.into_values().map(|part| part.bytes).collect();
    assert!(mailed == pictures, "the pictures differ");

    let page = String::from_utf8(read(&workspace, "plots/alert.html")).expect("UTF-8");
    let sources = page.split("<img src=\"").skip(1);
    let sources: Vec<_> = sources.filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(sources, ["plot_24h.png", "plot_48h.png"]);
}

fn parse(raw: Vec<u8>) -> crate::support::mail::Mail {
    let received = Received {
        from: String::new(),
        to: Vec::new(),
        raw,
        tls: false,
        user: None,
    };
    received.parse()
}

#[test]
fn a_breach_ends_with_3_only_if_asked() {
    let workspace = Workspace::new();
    let exit = |flags: &[&str]| workspace.run(&[&["--input", SALES], flags].concat()).status;
    assert_eq!(exit(&[]), 0);
    assert_eq!(exit(&["--exit-code"]), 3);
    assert_eq!(exit(&["--exit-code", "--dry-run"]), 3);
    assert_eq!(exit(&["--exit-code", "--at", "2026-11-22 14:05"]), 0);
}

#[test]
fn neither_a_dry_run_nor_one_of_another_time_sends_anything() {
    let scene = Scene::ending_in(Ending::Spike);
    for flags in [&["--dry-run"][..], &["--at", "2026-11-22 15:00"]] {
        let run = scene.run_with(&[flags, &["--exit-code"]].concat());
        run.assert_status(3);
        assert!(run.stdout.starts_with("sales  HIGH  "), "{run:?}");
        assert!(!run.stdout.contains("mailed"), "{run:?}");
    }
    assert_eq!(scene.server.connections(), 0);
}

#[test]
fn a_run_of_another_time_judges_the_last_bucket_that_had_ended_and_writes_nothing() {
    let scene = Scene::ending_in(Ending::Spike);
    let run = scene.run_with(&["--at", "2026-11-22 14:59"]);
    run.assert_status(0);
    assert!(run.stdout.contains(" at 13:00 CET"), "{run:?}");
    let run = scene.run_with(&["--at", "2026-11-22T14:00:00Z"]);
    assert!(run.stdout.starts_with("sales  HIGH  2,500 at 14:00 CET"));
    assert!(!scene.workspace.path().join("plots").exists());
}

#[test]
fn what_is_no_time_is_told_with_what_would_be() {
    let workspace = Workspace::new();
    for text in ["soon", "2026-13-01 00:00", "2026-11-22 25:00", ""] {
        let run = workspace.run(&["--input", SALES, "--at", text]);
        run.assert_status(2);
        let told = format!("bandwatch: --at: {text:?} is not a time; allowed: ");
        assert!(run.stderr.starts_with(&told), "{run:?}");
    }
}

#[test]
fn what_the_command_line_does_not_know_is_wrong_usage() {
    let workspace = Workspace::new();
    for (flags, told) in [
        (&["--frobnicate"][..], "'--frobnicate'"),
        (&["--smtp-password", "x"], "'--smtp-password'"),
        (&["sales.csv"], "'sales.csv'"),
        (
            &["--format", "xml"],
            "[possible values: text, json, nagios]",
        ),
        (&["--input"], "'--input <FILE>'"),
        (&["-q", "-v"], "cannot be used with"),
    ] {
        let run = workspace.run(flags);
        run.assert_status(2);
        assert!(run.stderr.contains(told), "{run:?}");
        assert_eq!(run.stdout, "");
    }
}

#[test]
fn one_file_is_one_metric() {
    let workspace = Workspace::new();
    write(&workspace, "sales.csv", &csv(&rows(Ending::Usual)));
    workspace.config("[[metric]]\nname = \"one\"\n[[metric]]\nname = \"two\"\n");
    let run = workspace.run(&["--dry-run", "--input", "sales.csv"]);
    run.assert_status(2);
    assert!(
        run.stderr
            .contains("the metrics one, two; choose one with --metric"),
        "{run:?}"
    );
    let run = workspace.run(&["--dry-run", "--input", "sales.csv", "--metric", "two"]);
    run.assert_status(0);
    assert!(run.stdout.starts_with("two  NORMAL  "), "{run:?}");
}

#[test]
fn a_metric_that_nobody_configured_is_told_with_those_there_are() {
    let workspace = Workspace::new();
    workspace.config("[[metric]]\nname = \"one\"\n[[metric]]\nname = \"two\"\n");
    let run = workspace.run(&["--metric", "tow"]);
    run.assert_status(2);
    let told = "--metric \"tow\": no such metric in config.toml; there are: one, two";
    assert!(run.stderr.contains(told), "{run:?}");
}

#[test]
fn a_live_run_without_a_mail_server_is_refused_before_the_database_is_contacted() {
    let (workspace, database) = (Workspace::new(), Doorbell::new());
    let port = database.port();
    workspace.config(&format!(
        "[mysql]\nhost = \"127.0.0.1\"\nport = {port}\nuser = \"u\"\ndatabase = \"d\"\n[[metric]]\nname = \"sales\"\ntable = \"t\"\ntime_column = \"t\"\nvalue_column = \"v\"\n"
    ));
    let run = workspace.run(&[]);
    run.assert_status(2);
    assert!(
        run.stderr
            .contains("smtp: missing; an alert needs a mail server"),
        "{run:?}"
    );
    database.assert_nobody_called();
}

#[test]
fn a_file_that_is_absent_or_no_csv_is_told_by_its_name() {
    let workspace = Workspace::new();
    write(&workspace, "empty.csv", "");
    write(&workspace, "prose.csv", "dear diary,\ntoday,\n");
    for file in ["absent.csv", "empty.csv", "prose.csv", "."] {
        let run = workspace.run(&["--dry-run", "--input", file]);
        run.assert_status(1);
        assert_eq!(run.stderr.lines().count(), 1, "{run:?}");
        assert!(run.stderr.contains(&format!(": read {file}: ")), "{run:?}");
        assert!(!workspace.path().join("plots").exists());
    }
}

#[test]
fn the_configuration_named_on_the_command_line_wins() {
    let scene = Scene::ending_in(Ending::Spike);
    let title = scene
        .config()
        .replace("name = \"sales\"", &format!("name = {}", quoted("chosen")));
    write(&scene.workspace, "other.toml", &title);
    let run = scene.run_with(&["--dry-run", "--config", "other.toml"]);
    assert!(run.stdout.starts_with("chosen  HIGH"), "{run:?}");
}
