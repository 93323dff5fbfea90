//! `bandwatch explain`: the verdict of the check again, and what led to it.

use serde_json::Value;

use crate::scene::{Ending, csv, read, rows, write};
use crate::support::{Run, Workspace};

const SALES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/sales.csv");

fn workspace(ending: Ending) -> Workspace {
    let workspace = Workspace::new();
    write(&workspace, "sales.csv", &csv(&rows(ending)));
    workspace
        .config("timezone = \"Europe/Paris\"\n[[metric]]\nname = \"sales\"\nwindow = \"6d\"\n");
    workspace
}

#[track_caller]
fn explained(workspace: &Workspace, flags: &[&str]) -> Run {
    let run = workspace.run(&[&["explain"], flags].concat());
    run.assert_status(0);
    assert_eq!(run.stderr, "");
    run
}

fn object(run: &Run) -> Value {
    assert_eq!(run.stdout.lines().count(), 1);
    serde_json::from_str(&run.stdout).expect("JSON")
}

/// As it is printed: two numbers that print alike are the same to the last bit.
fn field<'a>(printed: &'a str, name: &str) -> &'a str {
    let value = printed.split_once(&format!("\"{name}\":")).expect(name).1;
    value.split(",\"").next().unwrap_or_default()
}

#[test]
fn verdict_and_figures_are_those_of_the_check_to_the_last_bit() {
    let workspace = workspace(Ending::Usual);
    let times = ["2026-11-21 09:00", "2026-11-22 03:30", "2026-11-22 14:10"];
    let file = ["--input", SALES, "--format", "json", "--at"];
    for at in times {
        let check = workspace.run(&[&file[..], &[at]].concat());
        check.assert_status(0);
        let explanation = explained(&workspace, &[&file[..], &[at]].concat());
        for name in [
            "verdict",
            "time",
            "value",
            "expected",
            "lower",
            "upper",
            "level",
            "deviation",
            "as_of",
            "clipped",
            "history_missing",
            "rows",
        ] {
            let found = field(&explanation.stdout, name);
            assert_eq!(found, field(&check.stdout, name), "{name} at {at}");
        }
        let told = object(&explanation);
        let number = |value: &Value| value.as_f64().expect("a number");
        let parts = told["contributions"].as_array().expect("parts");
        let sum: f64 = parts.iter().map(|part| number(&part["value"])).sum();
        let expected = number(&told["expected"]);
        assert!((sum - expected).abs() < 1e-9 * expected, "{told}");
    }
}

#[test]
fn a_file_is_explained_as_of_its_last_row() {
    let workspace = workspace(Ending::Spike);
    let run = explained(&workspace, &["--input", "sales.csv"]);
    let check = workspace.run(&["--input", "sales.csv", "--dry-run"]);
    let verdict = run.stdout.lines().next().expect("a line");
    assert!(verdict.starts_with("sales  HIGH  2,500 at 14:00 CET"));
    assert_eq!(check.stdout.lines().next(), Some(verdict));
    assert!(
        run.stdout
            .contains("\n  as of       2026-11-22 15:00:00 CET"),
        "{run:?}"
    );
}

#[test]
fn a_picture_is_drawn_only_where_one_is_asked_for() {
    let workspace = workspace(Ending::Spike);
    let pictures = || {
        let entries = std::fs::read_dir(workspace.path()).expect("a directory");
        let names = entries.map(|entry| entry.expect("an entry").file_name());
        names
            .filter(|name| name.to_string_lossy().ends_with(".png"))
            .count()
    };
    explained(&workspace, &["--input", "sales.csv"]);
    assert_eq!(pictures(), 0);
    let flags = ["--input", "sales.csv", "--plot", "why.png"];
    let run = explained(&workspace, &flags);
    assert!(run.stdout.contains("\n  picture     why.png\n"), "{run:?}");
    assert!(run.stdout.contains("by MSTL, for the eye"), "{run:?}");
    assert_eq!(pictures(), 1);
    let picture = read(&workspace, "why.png");
    // The length of the header, its name, and then the width.
    assert_eq!(&picture[..8], b"\x89PNG\r\n\x1a\n");
    assert_eq!(&picture[16..20], 1200_u32.to_be_bytes());
    let told = object(&explained(
        &workspace,
        &[&flags[..], &["--format", "json"]].concat(),
    ));
    assert_eq!(told["files"][0], "why.png");
}

#[test]
fn without_data_the_reason_is_told_and_nothing_failed() {
    let workspace = workspace(Ending::Usual);
    let flags = ["--input", "sales.csv", "--at"];
    for (at, reason) in [
        ("2026-11-01 00:00", "no data since "),
        ("2026-11-17 06:00", "of history; at least 2 d are needed"),
        ("2026-12-01 00:00", "no data since "),
    ] {
        let run = explained(
            &workspace,
            &[&flags[..], &[at, "--plot", "none.png"]].concat(),
        );
        assert!(run.stdout.starts_with("sales  UNDECIDED  "), "{run:?}");
        assert!(run.stdout.contains(reason), "{run:?}");
        assert!(run.stdout.contains("\n  rows "), "{run:?}");
    }
}

#[test]
fn wrong_usage_is_refused_before_anything_is_contacted() {
    let workspace = workspace(Ending::Usual);
    let config = "[mysql]\nuser = \"watch\"\ndatabase = \"shop\"\n[[metric]]\nname = \"one\"\ntable = \"sales\"\ntime_column = \"t\"\nvalue_column = \"v\"\n[[metric]]\nname = \"two\"\n";
    for (flags, told) in [
        (&[][..], "--at <TIME>"),
        (&["--at", "noon"], "--at"),
        (&["--input", "sales.csv", "--at", "noon"], "--at"),
        (&["--input", "sales.csv", "--metric", "no"], "no"),
        (&["--input", "sales.csv", "--format", "csv"], "csv"),
        (
            &["--input", "sales.csv", "--plot", "no/why.png"],
            "--plot no/why.png: there is no directory no",
        ),
    ] {
        let run = workspace.run(&[&["explain"], flags].concat());
        run.assert_status(2);
        assert!(run.stderr.contains(told), "{told} is not in {run:?}");
        assert_eq!(run.stdout, "");
    }
    workspace.config(config);
    let run = workspace.run(&["explain", "--at", "2026-11-22 14:00"]);
    run.assert_status(2);
    let told = "an explanation is of one metric, and the configuration has one, two; choose one with --metric";
    assert!(run.stderr.contains(told), "{run:?}");
}

#[test]
fn what_cannot_be_read_is_a_failure() {
    let run = workspace(Ending::Usual).run(&["explain", "--input", "none.csv"]);
    run.assert_status(1);
    assert!(run.stderr.starts_with("bandwatch: sales: "), "{run:?}");
    assert!(run.stderr.contains("none.csv"), "{run:?}");
}
