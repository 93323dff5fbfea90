//! What the server says no to once the session stands: one line that names
//! the setting, the peer and the fact.

use super::shop::{AT, HOURLY, Shop, assert_tells, the_only_line};

#[test]
fn a_missing_table_is_told() {
    let shop = Shop::healthy();
    let line = shop.refusal(&HOURLY.replace("\"sales\"", "\"sails\""));
    assert_tells(
        &line,
        &[&shop.place(), "sails' doesn't exist", "metric.table"],
    );
}

#[test]
fn a_missing_column_is_told() {
    let shop = Shop::healthy();
    for (column, key) in [
        ("at", "metric.time_column"),
        ("amount", "metric.value_column"),
    ] {
        let line = shop.refusal(&HOURLY.replace(&format!("\"{column}\""), "\"misspelt\""));
        assert_tells(&line, &[&shop.place(), "column 'misspelt'", key]);
    }
}

#[test]
fn a_missing_right_to_select_is_told() {
    let shop = Shop::healthy();
    let blind = format!("{}blind", shop.database.name);
    shop.sql(&format!(
        "CREATE USER '{blind}'@'%' IDENTIFIED BY 'secret of the blind'"
    ));
    shop.sql(&format!("GRANT INSERT ON sales TO '{blind}'@'%'"));
    let account = shop.account_of(&blind, "secret of the blind");
    let place = format!("host = \"127.0.0.1\"\nport = {}\n", shop.database.port());
    shop.configure(&format!("{account}{place}"), &[("sales", HOURLY)]);
    let line = shop.refusal_as_configured();
    assert_tells(
        &line,
        &[&shop.place(), "SELECT command denied", &blind, "mysql.user"],
    );
}

#[test]
fn a_query_over_its_time_limit_is_told() {
    let shop = Shop::healthy();
    let lines = "query = \"SELECT at, amount + SLEEP(1) FROM sales WHERE at >= :from AND at < :to\"\nevery = \"1h\"";
    let mysql = format!("{}query_timeout = \"1s\"\n", shop.mysql());
    shop.configure(&mysql, &[("sales", lines)]);
    assert_tells(
        &shop.refusal_as_configured(),
        &[
            &shop.place(),
            "execution",
            "exceeded",
            "mysql.query_timeout",
        ],
    );
}

#[test]
fn a_query_that_is_no_sql_is_told() {
    let shop = Shop::healthy();
    let line = shop
        .refusal("query = \"SELEKT at FROM sales WHERE at > :from AND at < :to\"\nevery = \"1h\"");
    assert_tells(&line, &[&shop.place(), "SQL syntax", "metric.query"]);
}

#[test]
fn a_value_of_a_query_that_is_no_number_is_told() {
    let shop = Shop::healthy();
    for (value, fact) in [
        ("'much'", "\\\"much\\\" is not a number"),
        ("at", "holds times"),
    ] {
        let line = shop.refusal(&format!(
            "query = \"SELECT at, {value} FROM sales WHERE at >= :from AND at < :to\"\nevery = \"1h\""
        ));
        assert_tells(&line, &[&shop.place(), &fact.replace("\\\"", "\"")]);
    }
}

#[test]
fn one_bad_metric_does_not_stop_a_good_one() {
    let shop = Shop::healthy();
    let bad = HOURLY.replace("\"sales\"", "\"sails\"");
    let good = ["first", "last"];
    shop.configure(
        &shop.mysql(),
        &[(good[0], HOURLY), ("bad", &bad), (good[1], HOURLY)],
    );
    let run = shop.run_at(AT, &["--format", "json"]);
    run.assert_status(1);
    assert_tells(
        &the_only_line(&run.stderr),
        &["bandwatch: bad: ", &shop.place(), "doesn't exist"],
    );
    let verdicts: Vec<(String, String)> = run
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("an object a line"))
        .map(|entry| {
            let text = |key: &str| entry[key].as_str().expect("a text").to_owned();
            (text("metric"), text("verdict"))
        })
        .collect();
    let expected = [("first", "normal"), ("bad", "failed"), ("last", "normal")];
    assert_eq!(
        verdicts,
        expected.map(|(name, verdict)| (name.to_owned(), verdict.to_owned()))
    );
}
