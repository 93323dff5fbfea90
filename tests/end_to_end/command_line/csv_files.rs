//! CSV files as they come.

use serde_json::Value;

use crate::scene::{Ending, csv, rows, write};
use crate::support::Workspace;

/// What is told of a file with this text.
#[track_caller]
fn told_of(text: &str) -> Value {
    let workspace = Workspace::new();
    write(&workspace, "sales.csv", text);
    let run = workspace.run(&["--input", "sales.csv", "--format", "json"]);
    run.assert_status(0);
    assert_eq!(run.stderr, "");
    serde_json::from_str(&run.stdout).expect("JSON")
}

fn spike() -> String {
    csv(&rows(Ending::Spike))
}

#[test]
fn the_same_rows_in_another_dress_are_judged_the_same() {
    let plain = spike();
    let expected = told_of(&plain);
    assert_eq!(expected["verdict"], "high");
    let (header, body) = plain.split_once('\n').expect("a header");
    let mut backwards: Vec<&str> = body.lines().collect();
    backwards.reverse();
    let dresses = [
        ("semicolons", plain.replace(',', ";")),
        ("tabs", plain.replace(',', "\t")),
        ("a byte order mark", format!("\u{feff}{plain}")),
        ("CRLF", plain.replace('\n', "\r\n")),
        ("no header", body.to_owned()),
        (
            "no header, but a byte order mark",
            format!("\u{feff}{body}"),
        ),
        ("backwards", format!("{header}\n{}\n", backwards.join("\n"))),
        (
            "quotes",
            plain
                .replace(',', "\",\"")
                .replace('\n', "\"\n\"")
                .trim_end_matches('"')
                .replacen("time", "\"time", 1),
        ),
        ("more columns", plain.replace('\n', ",more\n")),
        (
            "times with T and Z",
            body.replace(',', "Z,").replace(' ', "T"),
        ),
    ];
    for (dress, text) in dresses {
        assert_eq!(told_of(&text), expected, "{dress}");
    }
}

#[test]
fn rows_without_a_usable_value_are_left_out_and_counted() {
    let mut lines: Vec<String> = spike().lines().map(ToOwned::to_owned).collect();
    for (line, value) in [
        (10, ""),
        (11, "NULL"),
        (20, "NaN"),
        (21, "inf"),
        (22, "-Infinity"),
    ] {
        let (time, _) = lines[line].split_once(',').expect("two columns");
        lines[line] = format!("{time},{value}");
    }
    let told = told_of(&lines.join("\n"));
    assert_eq!(told["verdict"], "high");
    assert_eq!(told["rows"], 145);
    assert_eq!(told["rows_empty"], 2);
    assert_eq!(told["rows_not_finite"], 3);
    assert_eq!(told["history_missing"], 5);
}

#[test]
fn rows_of_the_same_time_are_averaged_and_counted() {
    let text = spike();
    let last = text.lines().last().expect("a row");
    let (time, _) = last.split_once(',').expect("two columns");
    let told = told_of(&format!("{text}{time},3500\n{time},3000\n"));
    assert_eq!(told["value"], 3000.0);
    assert_eq!(told["rows_repeated"], 2);
    assert_eq!(told["rows"], 147);
}

#[test]
fn a_row_that_cannot_be_read_is_told_by_its_line_and_nothing_is_judged() {
    let rows: Vec<String> = spike().lines().map(ToOwned::to_owned).collect();
    for (bad, told) in [
        (
            "2026-11-20 10:00:00,much",
            "line 31: \"much\" is not a number",
        ),
        (
            "2026-11-20 10:00:00,1 000",
            "line 31: \"1 000\" is not a number",
        ),
        ("some day,10", "line 31: \"some day\" is not a time"),
        (
            "2026-02-30 10:00:00,10",
            "line 31: \"2026-02-30 10:00:00\" is not a time",
        ),
    ] {
        let mut rows = rows.clone();
        rows[30] = bad.to_owned();
        let workspace = Workspace::new();
        write(&workspace, "sales.csv", &rows.join("\n"));
        let run = workspace.run(&["--input", "sales.csv"]);
        run.assert_status(1);
        let told = format!("bandwatch: sales: read sales.csv: {told}");
        assert!(run.stderr.starts_with(&told), "{run:?}");
        assert_eq!(run.stdout, "");
    }
}
