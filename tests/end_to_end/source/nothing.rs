//! Where no row counts, what is told of why.

use super::shop::{AT, HOURLY, HOURS, NEWEST, Shop, assert_tells, wave};

const QUERY: &str = r#"
    query = "SELECT at, amount FROM sales WHERE at >= :from AND at < :to"
    every = "1h"
    window = "4d"
"#;

#[track_caller]
fn assert_undecided(shop: &Shop, lines: &str, parts: &[&str]) {
    let judged = shop.judge(lines, AT);
    assert_eq!(judged["verdict"], "undecided", "{lines}");
    assert_tells(&judged["reason"].to_string().replace("\\\"", "\""), parts);
}

#[test]
fn an_empty_table_is_told() {
    let shop = Shop::empty();
    shop.sales("DATETIME", "DOUBLE", &[]);
    assert_undecided(&shop, HOURLY, &["no row of sales has a time in at"]);
    assert_undecided(
        &shop,
        QUERY,
        &["no row came for :from = '2026-11-18 13:00:00' and :to = '2026-11-22 14:00:00'"],
    );
}

#[test]
fn the_newest_of_older_rows_is_told() {
    let shop = Shop::healthy();
    shop.sql("UPDATE sales SET at = at - INTERVAL 1 YEAR");
    assert_undecided(
        &shop,
        HOURLY,
        &["the newest of the table is of 2025-11-22 13:00 CET"],
    );
}

#[test]
fn a_where_that_chooses_nothing_is_told() {
    let shop = Shop::healthy();
    let lines = format!("{HOURLY}where = \"amount < 0\"\n");
    assert_undecided(
        &shop,
        &lines,
        &[
            "no row came; the newest of the table, chosen by where or not, is of 2026-11-22 13:00 CET",
        ],
    );
}

#[test]
fn rows_without_a_time_or_a_value_are_told_by_their_number() {
    let shop = Shop::healthy();
    shop.sql("UPDATE sales SET amount = NULL");
    for lines in [HOURLY, QUERY] {
        assert_undecided(
            &shop,
            lines,
            &[&format!("{HOURS} rows came: {HOURS} without a value")],
        );
    }
    shop.sql("UPDATE sales SET at = NULL, amount = 1");
    let all = QUERY.replace("WHERE", "WHERE at IS NULL OR");
    assert_undecided(
        &shop,
        &all,
        &[&format!(
            "{HOURS} rows came: {HOURS} without a time that can be told"
        )],
    );
}

#[test]
fn bounds_of_another_type_than_what_they_bound_are_told_with_the_servers_warnings() {
    let shop = Shop::empty();
    shop.sales("TIMESTAMP", "DOUBLE", &wave(NEWEST, 60, HOURS));
    let lines = QUERY.replace("SELECT at", "SELECT UNIX_TIMESTAMP(at)");
    assert_undecided(
        &shop,
        &lines,
        &[
            "no row came for :from = 1795003200 and :to = 1795352400 (seconds since 1970, as its time column is a number)",
            "the server warned: ",
            "1795003200",
        ],
    );
}

#[test]
fn numbers_that_are_no_seconds_are_told_with_what_they_may_be() {
    let shop = Shop::healthy();
    shop.sql("CREATE TABLE numbers (at BIGINT, amount DOUBLE)");
    shop.sql("INSERT INTO numbers SELECT UNIX_TIMESTAMP(at) * 1000, amount FROM sales");
    for lines in [HOURLY, QUERY] {
        let lines = lines.replace("sales", "numbers");
        assert_undecided(&shop, &lines, &["at holds ", "time = \"epoch_ms\""]);
        let inferred = lines.replace("every = \"1h\"", "");
        assert_tells(
            &shop.refusal(&inferred),
            &["at holds ", "time = \"epoch_ms\""],
        );
    }
    shop.sql("UPDATE numbers SET at = 20261122");
    for lines in [HOURLY, QUERY] {
        let told = ["at holds 20261122", "STR_TO_DATE(at, '%Y%m%d')"];
        assert_undecided(&shop, &lines.replace("sales", "numbers"), &told);
    }
}

#[test]
fn a_date_with_a_zero_in_it_is_one_row_that_does_not_count() {
    let shop = Shop::healthy();
    shop.sql("SET SESSION sql_mode = ''");
    shop.sql("INSERT INTO sales VALUES ('2026-11-00 00:00:00', 5)");
    for lines in [HOURLY, QUERY] {
        let judged = shop.judge(&lines.replace("4d", "28d"), AT);
        assert_eq!(judged["rows_time_unclear"], 1, "{lines}");
        assert_eq!(judged["rows"], HOURS + 1, "{lines}");
    }
}

#[test]
fn bits_are_refused_with_what_makes_a_number_of_them() {
    let shop = Shop::healthy();
    shop.sql("CREATE TABLE bits (at DATETIME, amount BIT(8))");
    shop.sql("INSERT INTO bits SELECT at, 51 FROM sales");
    assert_tells(
        &shop.refusal(&HOURLY.replace("\"sales\"", "\"bits\"")),
        &["its type is BIT"],
    );
    let lines = QUERY.replace("sales", "bits");
    assert_tells(
        &shop.refusal(&lines),
        &["column amount: its type is BIT", "CAST(amount AS UNSIGNED)"],
    );
    let cast = lines.replace("SELECT at, amount", "SELECT at, CAST(amount AS UNSIGNED)");
    assert_eq!(shop.judge(&cast, AT)["value"], 51.0);
}

#[test]
fn types_are_told_by_their_names_in_sql() {
    let shop = Shop::empty();
    for (of_time, of_value, told) in [
        ("VARCHAR(20)", "DOUBLE", "column at: its type is VARCHAR"),
        ("CHAR(20)", "DOUBLE", "column at: its type is CHAR"),
        ("TEXT", "DOUBLE", "column at: its type is TEXT"),
        ("BLOB", "DOUBLE", "column at: its type is BLOB"),
        ("YEAR", "DOUBLE", "column at: its type is YEAR"),
        ("ENUM('a')", "DOUBLE", "column at: its type is ENUM"),
        (
            "DATETIME",
            "VARBINARY(9)",
            "column amount: its type is VARBINARY",
        ),
        ("DATETIME", "TIME", "column amount: its type is TIME"),
    ] {
        shop.sales(of_time, of_value, &[]);
        assert_tells(&shop.refusal(HOURLY), &[told]);
    }
}
