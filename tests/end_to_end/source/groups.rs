//! Which series the rows of a table or a query are.

use serde_json::Value;

use super::shop::{AT, HOURLY, HOURS, NEWEST, Shop, assert_tells, the_only_line, wave};

/// A shop whose sales are of several keys, each with the healthy wave so many times over.
fn shop(column: &str, keys: &[(&str, u32)]) -> Shop {
    let shop = Shop::empty();
    shop.sales("DATETIME", "DOUBLE", &wave(NEWEST, 60, HOURS));
    shop.sql("RENAME TABLE sales TO one");
    shop.sql(&format!(
        "CREATE TABLE sales (k {column} NULL, product INT, called VARCHAR(100) CHARACTER SET utf8mb4, at DATETIME, amount DOUBLE)"
    ));
    for (key, times) in keys {
        shop.sql(&format!(
            "INSERT INTO sales SELECT {key}, product, CONCAT('Shop ', product), at, {times} * amount FROM one JOIN (SELECT 1 AS product UNION SELECT 2) AS products"
        ));
    }
    shop
}

fn grouped(lines: &str) -> String {
    format!("{HOURLY}group_by = [\"k\"]\naggregate = \"sum\"\ndelay = \"0s\"\n{lines}\n")
}

/// The names of the series, and their objects.
#[track_caller]
fn series(shop: &Shop, lines: &str) -> Vec<(String, Value)> {
    shop.configure(&shop.mysql(), &[("sales", lines)]);
    let run = shop.run_at(AT, &["--format", "json"]);
    run.assert_status(0);
    assert_eq!(run.stderr, "", "nothing went wrong");
    let objects = run.stdout.lines().map(|line| {
        let object: Value = serde_json::from_str(line).expect("an object a line");
        (
            object["metric"].as_str().expect("a name").to_owned(),
            object,
        )
    });
    let mut series: Vec<(String, Value)> = objects
        .filter(|(_, object)| object["key"].is_object())
        .collect();
    series.sort_by(|one, other| one.0.cmp(&other.0));
    series
}

#[track_caller]
fn names(shop: &Shop, lines: &str) -> Vec<String> {
    let series = series(shop, lines).into_iter();
    series.map(|(name, _)| name).collect()
}

const STORES: [(&str, u32); 4] = [("1", 1), ("2", 4), ("10", 2), ("3", 3)];

#[test]
fn each_key_is_a_series_that_is_judged_as_one_alone_would_be() {
    let shop = shop("INT", &STORES);
    let all = series(&shop, &grouped(""));
    let names: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        ["sales{k=10}", "sales{k=1}", "sales{k=2}", "sales{k=3}"]
    );
    for (name, object) in &all {
        assert_eq!(object["verdict"], "normal", "{object}");
        assert_eq!(object["rows"], 2 * HOURS, "{object}");
        let key = object["key"]["k"].as_str().expect("a value");
        assert_eq!(object["title"], format!("Sales (k {key})"));
        let run = shop.run_at(AT, &["--format", "json", "--metric", name]);
        run.assert_status(0);
        let alone: Value = serde_json::from_str(&run.stdout).expect("one object");
        assert_eq!(&alone, object);
    }
}

#[test]
fn only_the_largest_are_watched_where_top_says_so() {
    let shop = shop("INT", &STORES);
    assert_eq!(
        names(&shop, &grouped("top = 2")),
        ["sales{k=2}", "sales{k=3}"]
    );
    let counted = grouped("top = 1").replace("\"sum\"", "\"count\"");
    shop.sql("INSERT INTO sales SELECT k, product, called, at, 0 FROM sales WHERE k = 10");
    assert_eq!(names(&shop, &counted), ["sales{k=10}"]);
}

#[test]
fn keys_are_included_and_excluded_by_value_or_pattern() {
    let shop = shop("INT", &STORES);
    for (lines, expected) in [
        ("include = [1, \"3\"]", &["sales{k=1}", "sales{k=3}"][..]),
        ("include = [\"1*\"]", &["sales{k=10}", "sales{k=1}"]),
        ("include = [\"1*\"]\nexclude = [10]", &["sales{k=1}"]),
        ("exclude = [\"*0\", 2]", &["sales{k=1}", "sales{k=3}"]),
        ("exclude = [2]\ntop = 1", &["sales{k=3}"]),
    ] {
        assert_eq!(names(&shop, &grouped(lines)), expected, "{lines}");
    }
    let several = grouped("include = [\"1,*\", \"*,2\"]\nexclude = [\"3,*\"]")
        .replace("[\"k\"]", "[\"k\", \"product\"]");
    assert_eq!(
        names(&shop, &several),
        [
            "sales{k=1,product=1}",
            "sales{k=1,product=2}",
            "sales{k=10,product=2}",
            "sales{k=2,product=2}"
        ]
    );
}

#[test]
fn a_column_has_the_titles() {
    let shop = shop("INT", &STORES[..1]);
    let titled = grouped("title_column = \"called\"\nwhere = \"product = 2\"");
    for lines in [
        grouped("title_column = \"called\""),
        titled.replace("\"sum\"", "\"last\""),
        titled.replace("aggregate = \"sum\"", ""),
    ] {
        let all = series(&shop, &lines);
        assert_eq!(all[0].1["title"], "Sales (Shop 2)", "{lines}");
    }
}

#[test]
fn keys_of_any_text_are_series_of_their_own() {
    let long = "'".to_owned() + &"x".repeat(65_000) + "a'";
    let other = "'".to_owned() + &"x".repeat(65_000) + "b'";
    let keys = [
        ("NULL", 1),
        ("'NULL'", 1),
        ("''", 1),
        ("'de'", 1),
        ("'DE'", 1),
        ("'DE '", 1),
        ("'it''s \"so\", a=b}'", 1),
        ("'🍎'", 1),
        ("CONCAT('a', CHAR(10), 'b')", 1),
        (&long, 1),
        (&other, 1),
    ];
    let shop = shop("MEDIUMTEXT CHARACTER SET utf8mb4", &keys);
    let all = series(&shop, &grouped(""));
    let all: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
    let begin = "x".repeat(60);
    let long: Vec<&&str> = all.iter().filter(|name| name.contains(&begin)).collect();
    assert_eq!((all.len(), long.len()), (keys.len(), 2), "{all:?}");
    for name in [
        "sales{k=NULL}",
        "sales{k=\"NULL\"}",
        "sales{k=\"\"}",
        "sales{k=de}",
        "sales{k=DE}",
        "sales{k=\"DE \"}",
        "sales{k=\"it's \\\"so\\\", a=b}\"}",
        "sales{k=\"🍎\"}",
        "sales{k=\"a\\nb\"}",
    ] {
        assert!(all.contains(&name), "no {name:?} in {all:?}");
    }
    // Each can be named.
    for name in all {
        assert!(name.len() < 200, "{name}");
        let run = shop.run_at(AT, &["--metric", name, "--format", "json"]);
        run.assert_status(0);
        let one: Value = serde_json::from_str(&run.stdout).expect("one object");
        assert_eq!(
            (&one["metric"], &one["rows"]),
            (&name.into(), &(2 * HOURS).into())
        );
    }
}

#[test]
fn keys_of_other_types_have_names_too() {
    for (column, key, name) in [
        ("VARBINARY(20)", "X'00FF41'", "sales{k=00FF41}"),
        ("DATE", "'2026-11-22'", "sales{k=2026-11-22}"),
        ("DECIMAL(6,2)", "1.5", "sales{k=1.50}"),
        ("ENUM('a','b')", "'b'", "sales{k=b}"),
        (
            "BIGINT UNSIGNED",
            "18446744073709551615",
            "sales{k=18446744073709551615}",
        ),
        (
            "VARCHAR(20) CHARACTER SET latin1",
            "'Käse'",
            "sales{k=Käse}",
        ),
    ] {
        let shop = shop(column, &[(key, 1)]);
        assert_eq!(names(&shop, &grouped("")), [name], "{column}");
        let run = shop.run_at(AT, &["--metric", name]);
        run.assert_status(0);
        assert_tells(&run.stdout, &[name, "NORMAL"]);
    }
}

#[test]
fn a_query_names_the_columns_of_its_keys() {
    let shop = shop("INT", &STORES);
    let lines = r#"
        query = "SELECT at, SUM(amount) AS total, k AS store, MAX(called) AS called FROM sales WHERE at >= :from AND at < :to GROUP BY at, k"
        every = "1h"
        window = "4d"
        group_by = ["store"]
        title_column = "called"
        exclude = [3]
    "#;
    let all = series(&shop, lines);
    let titles: Vec<(&str, &Value)> = all
        .iter()
        .map(|(name, object)| (name.as_str(), &object["title"]))
        .collect();
    let title: Value = "Sales (Shop 2)".into();
    assert_eq!(
        titles,
        [
            ("sales{store=10}", &title),
            ("sales{store=1}", &title),
            ("sales{store=2}", &title)
        ]
    );
    let run = shop.run_at(AT, &["--format", "json", "--metric", "sales{store=2}"]);
    let alone: Value = serde_json::from_str(&run.stdout).expect("one object");
    assert_eq!(alone["value"], all[2].1["value"]);
    let missing = lines.replace("[\"store\"]", "[\"shop\"]");
    assert_tells(&shop.refusal(&missing), &["\"shop\" is not among them"]);
}

#[test]
fn an_empty_bucket_of_a_sum_is_zero_from_the_first_row_of_its_series_on() {
    let shop = shop("INT", &[("1", 1), ("2", 1)]);
    shop.sql("DELETE FROM sales WHERE k = 2 AND at = '2026-11-22 10:00:00'");
    shop.sql("DELETE FROM sales WHERE k = 2 AND at < '2026-11-20'");
    let all = series(&shop, &grouped(""));
    assert_eq!(all[0].1["history_missing"], 0);
    assert_eq!(all[1].1["history_missing"], 0, "the empty bucket is zero");
    assert_eq!(all[1].1["history_from"], "2026-11-20T00:00:00+01:00");
}

#[test]
fn too_many_keys_are_refused_with_what_to_set() {
    let shop = Shop::empty();
    shop.sql("CREATE TABLE sales (k INT, at DATETIME, amount DOUBLE)");
    shop.sql("INSERT INTO sales WITH RECURSIVE numbers AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM numbers WHERE n < 999) SELECT one.n * 1000 + other.n, '2026-11-22 12:00:00', 1 FROM numbers AS one JOIN numbers AS other");
    let refusal = shop.refusal(&grouped(""));
    assert_tells(&refusal, &["more than 20000 series", "set top = 500"]);
    assert_eq!(names(&shop, &grouped("top = 3")).len(), 3);
}

#[test]
fn what_cannot_be_a_key_is_refused() {
    let shop = shop("DOUBLE", &[("1.5", 1)]);
    assert_tells(
        &shop.refusal(&grouped("")),
        &["k holds floating point numbers"],
    );
    let missing = grouped("").replace("[\"k\"]", "[\"nothing\"]");
    assert_tells(&shop.refusal(&missing), &["nothing"]);
}

#[test]
fn a_series_that_nobody_has_is_an_error() {
    let shop = shop("INT", &STORES);
    shop.configure(&shop.mysql(), &[("sales", &grouped(""))]);
    let run = shop.run_at(AT, &["--metric", "sales{k=99}"]);
    run.assert_status(1);
    assert_tells(
        &the_only_line(&run.stderr),
        &["there is no series sales{k=99}: no row that was read has its key"],
    );
    let run = shop.run_at(AT, &["--metric", "sales{x=99}"]);
    run.assert_status(2);
    assert_tells(
        &the_only_line(&run.stderr),
        &["no such metric", "sales{k=...}"],
    );
}

#[test]
fn of_series_with_the_same_volume_the_first_are_the_largest() {
    let shop = shop("INT", &[("10", 1), ("3", 1), ("2", 1)]);
    let expected = ["sales{k=2}", "sales{k=3}"];
    assert_eq!(names(&shop, &grouped("top = 2")), expected);
}

#[test]
fn long_values_are_included_by_all_of_them_by_their_name_or_by_their_end() {
    let long = |end: &str| "x".repeat(300) + end;
    let keys = [long("a"), long("b")].map(|key| format!("'{key}'"));
    let shop = shop(
        "VARCHAR(400) CHARACTER SET latin1",
        &[(&keys[0], 1), (&keys[1], 1)],
    );
    let all = names(&shop, &grouped(""));
    assert_eq!(all.len(), 2, "{all:?}");
    let whole = names(&shop, &grouped(&format!("include = [{:?}]", long("a"))));
    assert_eq!(whole.len(), 1, "{whole:?}");
    let name = whole[0]
        .trim_start_matches("sales{k=")
        .trim_end_matches('}');
    for lines in [
        format!("include = [{name:?}]"),
        "include = [\"*xa\"]".to_owned(),
        format!("exclude = [\"{}*b\"]", "x".repeat(100)),
    ] {
        assert_eq!(names(&shop, &grouped(&lines)), whole, "{lines}");
    }
}

#[test]
fn an_empty_table_and_rows_of_the_future_are_told_as_of_a_metric_of_one_series() {
    let shop = shop("INT", &[]);
    let row = "INSERT INTO sales VALUES (1, 1, 'Shop 1', NOW() + INTERVAL 3 DAY, 1)";
    for statement in ["DELETE FROM sales", row] {
        shop.sql(statement);
        let at = now();
        let tell = |lines: &str| {
            let mut object = shop.judge(lines, &at);
            object["as_of"].take();
            object
        };
        let one = tell(&grouped("").replace("group_by", "explain_by"));
        let of_group = tell(&grouped(""));
        for field in ["verdict", "reason", "hint", "rows", "key"] {
            assert_eq!(of_group[field], one[field], "{statement}: {field}");
        }
        assert_eq!(of_group["verdict"], "undecided");
    }
}

/// The clock of Paris.
fn now() -> String {
    let now = chrono::Utc::now().with_timezone(&chrono_tz::Europe::Paris);
    now.format("%Y-%m-%d %H:%M").to_string()
}

#[test]
fn buckets_of_days_weeks_and_months_are_those_of_a_series_alone() {
    let shop = Shop::empty();
    let rows = wave(NEWEST, 12 * 60, 2 * 7 * 150);
    shop.sales("DATETIME", "DOUBLE", &rows);
    shop.sql("RENAME TABLE sales TO one");
    shop.sql("CREATE TABLE sales AS SELECT k, at, k * amount AS amount FROM one JOIN (SELECT 1 AS k UNION SELECT 2) AS stores");
    for every in ["1d", "7d", "1mo"] {
        let lines = grouped("").replace("every = \"1h\"", &format!("every = {every:?}"));
        let lines = lines.replace("window = \"4d\"\n", "");
        let all = series(&shop, &lines);
        assert_eq!(all.len(), 2, "{every}");
        for (name, object) in &all {
            let run = shop.run_at(AT, &["--format", "json", "--metric", name]);
            run.assert_status(0);
            let alone: Value = serde_json::from_str(&run.stdout).expect("one object");
            assert_eq!(&alone, object, "{every}");
            assert_eq!(object["step"], every);
            assert!(object["expected"].is_number(), "{every}: {object}");
        }
    }
}

#[test]
fn a_series_of_huge_values_keeps_no_other_from_being_judged() {
    let shop = shop("INT", &STORES[..2]);
    shop.sql("UPDATE sales SET amount = amount * 1e304 WHERE k = 2");
    for (_, object) in series(&shop, &grouped("")) {
        assert_eq!(object["verdict"], "normal", "{object}");
    }
}
