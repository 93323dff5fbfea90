//! The SQL that config.example.toml shows is SQL that works.

use chrono::NaiveDateTime;

use super::shop::{Shop, wave};

/// The only metric of the example, in which it says `line` and, where that is a query, no table.
fn example_with(line: &str) -> String {
    let example = include_str!("../../../config.example.toml");
    let (_, metric) = example.split_once("[[metric]]\n").expect("a metric");
    let (metric, _) = metric.split_once("[metric.outliers]").expect("its end");
    let is_kept = |kept: &&str| !line.starts_with("query") || !kept.starts_with("table");
    let lines = metric.lines().filter(|kept| !kept.starts_with("name"));
    let lines: Vec<&str> = lines.filter(is_kept).collect();
    format!("{}\n{line}\n", lines.join("\n"))
}

/// The keys of the example that hold SQL; commented out there.
fn lines_of_sql() -> Vec<&'static str> {
    let lines = include_str!("../../../config.example.toml").lines();
    let lines = lines.filter_map(|line| line.strip_prefix("# "));
    lines
        .filter(|line| line.starts_with("where = ") || line.starts_with("query = "))
        .collect()
}

#[test]
fn each_statement_of_the_example_finds_its_rows() {
    let shop = Shop::empty();
    let rows: Vec<(NaiveDateTime, f64)> = wave("2026-11-22 14:00:00", 5, 29 * 288);
    shop.sql("CREATE TABLE sales (sellTime DATETIME, CA DECIMAL(12,2), status VARCHAR(9) DEFAULT 'paid')");
    shop.database.insert_rows("sales", "sellTime", "CA", &rows);
    let lines = lines_of_sql();
    assert_eq!(lines.len(), 2, "{lines:?}");
    for line in [&[""], &lines[..]].concat() {
        let judged = shop.judge(&example_with(line), "2026-11-22 14:06");
        assert_eq!(judged["time"], "2026-11-22T14:00:00+01:00", "{line}");
        assert_eq!(judged["history_missing"], 0, "{line}");
    }
}
