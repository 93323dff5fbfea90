//! CSV files as they come.

use std::io::Write as _;

use chrono::NaiveDateTime;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

use crate::scene::{Ending, csv, quoted, rows, write};
use crate::support::{Run, Workspace};

/// What is told of a file with this text.
#[track_caller]
fn told_of(text: &str) -> Value {
    told_of_bytes(text.as_bytes())
}

#[track_caller]
fn told_of_bytes(bytes: &[u8]) -> Value {
    let workspace = Workspace::new();
    std::fs::write(workspace.path().join("sales.csv"), bytes).expect("a file");
    let run = workspace.run(&["--input", "sales.csv", "--format", "json"]);
    run.assert_status(0);
    assert_eq!(run.stderr, "");
    serde_json::from_str(&run.stdout).expect("JSON")
}

/// The rows with the spike, each as this writes it.
fn written(write: impl Fn(NaiveDateTime, f64) -> String) -> String {
    let rows = rows(Ending::Spike).into_iter();
    rows.map(|(time, value)| write(time, value) + "\n")
        .collect()
}

/// `2026-11-22 14:00:00`, written by this pattern.
fn shown(time: NaiveDateTime, pattern: &str) -> String {
    time.format(pattern).to_string()
}

/// `1843.20` with these marks before decimals and between thousands.
fn grouped(value: f64, decimal: &str, thousands: &str) -> String {
    let cents = format!("{value:.2}").replace('.', decimal);
    if value < 1000.0 {
        return cents;
    }
    format!("{}{thousands}{}", &cents[..1], &cents[1..])
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
fn a_file_of_a_spreadsheet_or_a_database_is_judged_as_the_plain_one() {
    let expected = told_of(&spike());
    let dresses = [
        (
            "a German spreadsheet",
            "sep=;\nDatum;Betrag (€, netto)\n".to_owned()
                + &written(|time, value| {
                    let time = shown(time, "%d.%m.%Y %H:%M");
                    format!("{time};{} €", grouped(value, ",", "."))
                })
                + "Gesamt;146.000,00 €\n;\n",
        ),
        (
            "a French one",
            "Date;Montant TTC;\n".to_owned()
                + &written(|time, value| {
                    let time = shown(time, "%d/%m/%Y %H:%M");
                    format!("{time};{};", grouped(value, ",", "\u{202f}"))
                }),
        ),
        (
            "an American one",
            "Report of sales\n\nDate,Revenue\n".to_owned()
                + &written(|time, value| {
                    let time = shown(time, "%-m/%-d/%Y %-I:%M %p");
                    format!("{time},\"${}\"", grouped(value, ".", ","))
                })
                + "Total,\"$146,000.00\"\n",
        ),
        (
            "a Swiss one, with other columns",
            "Filiale;Zeit;Umsatz;Notiz\n".to_owned()
                + &written(|time, value| {
                    let value = grouped(value, ".", "’");
                    format!("Genf;{time};{value};\"zwei\nZeilen\"")
                }),
        ),
        (
            "milliseconds since 1970, between pipes and without a header",
            written(|time, value| format!("{}|{value}", time.and_utc().timestamp_millis())),
        ),
        (
            "the client of PostgreSQL",
            "         ts          |  value\n---------------------+---------\n".to_owned()
                + &written(|time, value| format!(" {time} | {value}"))
                + "(145 rows)\n",
        ),
        (
            "the client of MySQL",
            "+----+----+\n| ts | v  |\n+----+----+\n".to_owned()
                + &written(|time, value| format!("| {time} | {value} |"))
                + "+----+----+\n",
        ),
        (
            "comments",
            "# by hand\n#time,value\n".to_owned()
                + &written(|time, value| format!("{time}Z,{value}\n# checked")),
        ),
    ];
    for (dress, text) in dresses {
        assert_eq!(told_of(&text), expected, "{dress}");
        let utf16 = text.encode_utf16().flat_map(u16::to_le_bytes);
        let utf16: Vec<u8> = [0xff, 0xfe].into_iter().chain(utf16).collect();
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&utf16).expect("packed");
        let packed = encoder.finish().expect("packed");
        assert_eq!(told_of_bytes(&packed), expected, "{dress}, UTF-16 in gzip");
    }
}

#[test]
fn what_could_be_read_in_two_ways_is_refused_with_what_to_change() {
    let early = |time: NaiveDateTime| time - chrono::TimeDelta::days(14);
    for (text, told) in [
        (
            written(|time, value| format!("{},{value}", shown(early(time), "%d/%m/%Y %H:%M"))),
            "column 1: day and month: \"02/11/2026 14:00\" may be either",
        ),
        (
            "t;v\n".to_owned() + &written(|time, value| format!("{time};1.{:03.0}", value / 10.0)),
            "may have decimals or thousands set apart, and so may every other number",
        ),
        (
            "t,orders,revenue\n".to_owned() + &written(|time, value| format!("{time},27,{value}")),
            "line 1: \"orders\", \"revenue\" may each be the value; name one with value_column",
        ),
        (
            "time,value\n".to_owned()
                + &written(|time, value| format!("{time},{}", grouped(value, ",", ""))),
            "line 2 has more cells than line 1: 3 for 2; is there a comma in a number",
        ),
        (
            "day,hour,value\n".to_owned()
                + &written(|time, value| format!("{},{value}", shown(time, "%Y-%m-%d,%H:%M"))),
            "line 1: \"day\" has dates and \"hour\" times of day; put both into one",
        ),
        (
            spike().replacen('\n', ",\"more\n", 40),
            "line 1: a quotation mark opens here that is not closed",
        ),
    ] {
        assert_refused(&refusing(&text, ""), told);
    }
}

/// A check of a file with this text, under a metric with these keys.
fn refusing(text: &str, keys: &str) -> Run {
    let workspace = Workspace::new();
    write(&workspace, "sales.csv", text);
    if keys.is_empty() {
        return workspace.run(&["--input", "sales.csv"]);
    }
    workspace.config(&format!("[[metric]]\nname = \"sales\"\n{keys}"));
    workspace.run(&["--input", "sales.csv", "--dry-run"])
}

#[track_caller]
fn assert_refused(run: &Run, told: &str) {
    assert_ne!(run.status, 0, "{run:?}");
    assert_eq!(run.stderr.lines().count(), 1, "{run:?}");
    assert!(run.stderr.contains(told), "{run:?}");
    assert_eq!(run.stdout, "");
}

#[test]
fn the_columns_of_the_configuration_are_judged_or_missed() {
    let text =
        "TS,orders,revenue\n".to_owned() + &written(|time, value| format!("{time},27,{value}"));
    let columns = |time: &str, value: &str| {
        format!(
            "time_column = {}\nvalue_column = {}\n",
            quoted(time),
            quoted(value)
        )
    };
    let run = refusing(&text, &columns("ts", "Revenue"));
    run.assert_status(0);
    assert!(run.stdout.starts_with("sales  HIGH  2,500"), "{run:?}");
    let told = "line 1: there is no column value_column = \"amount\"; there are \"TS\", \"orders\", \"revenue\"";
    assert_refused(&refusing(&text, &columns("TS", "amount")), told);
    let told = "it has no header, so that time_column = \"TS\" cannot be found";
    let (_, body) = text.split_once('\n').expect("a header");
    assert_refused(&refusing(body, &columns("TS", "revenue")), told);
    let twice = text.replacen("orders", "revenue", 1);
    let told = "line 1: there are 2 columns value_column = \"revenue\"";
    assert_refused(&refusing(&twice, &columns("TS", "revenue")), told);
}

#[test]
fn sql_of_the_configuration_that_a_file_cannot_follow_is_told() {
    let keys = "table = \"sales\"\ntime_column = \"time\"\nvalue_column = \"value\"\nwhere = \"shop = 7\"\n";
    let run = refusing(&spike(), keys);
    run.assert_status(2);
    assert_refused(
        &run,
        "where = \"shop = 7\" is SQL, and cannot choose rows of --input",
    );
    let keys = "table = \"sales\"\ntime_column = \"time\"\nvalue_column = \"value\"\naggregate = \"sum\"\nexplain_by = [\"shop\"]\n";
    let run = refusing(&spike(), keys);
    run.assert_status(2);
    assert_refused(
        &run,
        "explain_by = [\"shop\"] asks for parts, which only the table has",
    );
    let keys = "query = \"SELECT t, v FROM s WHERE t >= :from AND t < :to\"\n";
    let run = refusing(&spike(), keys);
    run.assert_status(0);
    assert!(run.stderr.ends_with("the query is not run\n"), "{run:?}");
    assert_eq!(run.stderr.lines().count(), 1, "{run:?}");
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
            "2026-11-20 10:00:00,\"1,5\"",
            "line 31: \"1,5\" has not a decimal point, as the numbers before it do",
        ),
        (
            "20/11/2026 10:00:00,10",
            "line 31: \"20/11/2026 10:00:00\" is not written as \"2026-11-16 14:00:00\" is",
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

#[test]
fn each_key_of_a_file_is_a_series_that_every_command_takes() {
    let mut text = "time,store,value\n".to_owned();
    for ((time, spike), (_, usual)) in rows(Ending::Spike).iter().zip(rows(Ending::Usual)) {
        // In no order, and each store at another level.
        text += &format!(
            "{time},2,{spike}\n{time},🍎,{}\n{time},1,{usual}\n",
            3.0 * usual
        );
    }
    let workspace = Workspace::new();
    write(&workspace, "sales.csv", &text);
    workspace.config("[[metric]]\nname = \"sales\"\ngroup_by = [\"store\"]\n");
    let run = |arguments: &[&str]| workspace.run(&[arguments, &["--input", "sales.csv"]].concat());
    let check = run(&["--dry-run", "--format", "json"]);
    check.assert_status(0);
    let objects = check
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"));
    let objects: Vec<Value> = objects.collect();
    let mut told: Vec<_> = objects
        .iter()
        .filter(|object| object["key"].is_object())
        .map(|object| ["metric", "verdict"].map(|field| object[field].as_str().expect("a text")))
        .collect();
    told.sort_unstable();
    let name = "sales{store=2}";
    assert_eq!(
        told,
        [
            ["sales{store=\"🍎\"}", "normal"],
            ["sales{store=1}", "normal"],
            [name, "high"]
        ]
    );
    for arguments in [
        &["--dry-run", "--metric", name][..],
        &["explain", "--metric", name],
        &["backtest", "--metric", name, "--window", "3d"],
    ] {
        let run = run(arguments);
        run.assert_status(0);
        assert!(run.stdout.contains(name), "{run:?}");
    }
    let unknown = run(&["explain", "--metric", "sales{store=22}"]);
    unknown.assert_status(1);
    let told = "no row that was read has its key; near it: sales{store=2}";
    assert!(unknown.stderr.contains(told), "{unknown:?}");
}
