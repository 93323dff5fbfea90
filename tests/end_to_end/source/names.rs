//! What the configuration says of the rows: names that need quoting, `where`,
//! and a query of its own.

use super::shop::{AT, HOURLY, HOURS, NEWEST, Shop, assert_tells, healthy, time};
use crate::support::Make;

#[test]
fn names_may_hold_anything() {
    let shop = Shop::healthy();
    let expected = shop.judge(HOURLY, AT);
    for (table, at, amount) in [
        ("daily sales", "sold at", "amount in €"),
        ("sa`les", "a`t", "`amount`"),
        ("sa'les \"x\"", "a't", "amo\"unt"),
        ("select", "from", "where"),
        ("sales:from ?", "at :to ?", "amount :x ?"),
        ("sales; -- ", "at /* ", "amount # "),
    ] {
        // No name may end in a space.
        let [table, at, amount] = [table, at, amount].map(|name| format!("{name}x"));
        let quoted = |name: &str| format!("`{}`", name.replace('`', "``"));
        shop.sql(&format!(
            "CREATE TABLE {} (id INT, {} DOUBLE, {} DATETIME) SELECT at AS {}, amount AS {} FROM sales",
            quoted(&table),
            quoted(&amount),
            quoted(&at),
            quoted(&at),
            quoted(&amount),
        ));
        let toml = |name: &str| name.replace('"', "\\\"");
        let lines = format!(
            "table = \"{}\"\ntime_column = \"{}\"\nvalue_column = \"{}\"\nevery = \"1h\"\nwindow = \"4d\"",
            toml(&table),
            toml(&at),
            toml(&amount)
        );
        for aggregate in ["", "\naggregate = \"last\"\ndelay = \"0s\""] {
            let judged = shop.judge(&format!("{lines}{aggregate}"), AT);
            assert_eq!(judged, expected, "{lines}{aggregate}");
        }
    }
}

#[test]
fn a_table_of_another_schema_is_named_with_it() {
    let (shop, elsewhere) = (Shop::healthy(), Shop::healthy());
    let expected = shop.judge(HOURLY, AT);
    shop.sql("DROP TABLE sales");
    let schema = &elsewhere.database.name;
    let reader = &shop.database.read_only_user().user;
    elsewhere.sql(&format!("GRANT SELECT ON {schema}.* TO '{reader}'@'%'"));
    let lines = HOURLY.replace("\"sales\"", &format!("\"{schema}.sales\""));
    assert_eq!(shop.judge(&lines, AT), expected);
}

#[test]
fn where_chooses_rows() {
    let shop = Shop::healthy();
    let expected = shop.judge(HOURLY, AT);
    shop.sql("ALTER TABLE sales ADD note VARCHAR(20) DEFAULT 'paid'");
    shop.sql("INSERT INTO sales SELECT at, 1e6, 'it''s 10:30 ? :to' FROM sales");
    shop.sql(
        "INSERT INTO sales SELECT at - INTERVAL 1 YEAR, 1e6, 'paid' FROM sales WHERE note = 'paid'",
    );
    for condition in [
        "note = 'paid'",
        "note <> 'it''s 10:30 ? :to'",
        "note = 'paid' OR note = 'a:from'",
        "`note` NOT LIKE '%:%'",
    ] {
        let lines = format!("{HOURLY}\nwhere = \"{condition}\"");
        assert_eq!(shop.judge(&lines, AT), expected, "{condition}");
        let inferred = lines.replace("every = \"1h\"", "");
        assert_eq!(shop.judge(&inferred, AT), expected, "{condition}");
    }
}

#[test]
fn a_where_that_is_no_sql_is_told() {
    let shop = Shop::healthy();
    let line = shop.refusal(&format!("{HOURLY}\nwhere = \"note = = 1\""));
    assert_tells(&line, &[&shop.place(), "SQL syntax", "metric.where"]);
}

#[test]
fn the_columns_of_a_query_are_the_first_two_or_those_it_names() {
    let shop = Shop::healthy();
    let expected = shop.judge(HOURLY, AT);
    let rest = "FROM sales WHERE at >= :from AND at < :to";
    for (select, names) in [
        ("SELECT at, amount", ""),
        ("SELECT at, amount, 7 AS id", ""),
        (
            "SELECT 7 AS id, amount, at",
            "time_column = \"at\"\nvalue_column = \"amount\"",
        ),
        (
            "SELECT amount AS v, 'x', at AS t",
            "time_column = \"t\"\nvalue_column = \"V\"",
        ),
        ("SELECT at, 'x', amount", "value_column = \"amount\""),
    ] {
        let lines =
            format!("query = \"{select} {rest}\"\n{names}\nevery = \"1h\"\nwindow = \"4d\"");
        assert_eq!(shop.judge(&lines, AT), expected, "{lines}");
    }
}

#[test]
fn a_query_may_ask_for_the_window_in_any_order_and_more_than_once() {
    let shop = Shop::healthy();
    let expected = shop.judge(HOURLY, AT);
    let query = "SELECT at, SUM(amount) FROM sales WHERE at < :to AND at >= :from AND :from < :to GROUP BY at";
    let lines = format!("query = \"{query}\"\nevery = \"1h\"\nwindow = \"4d\"");
    assert_eq!(shop.judge(&lines, AT), expected);
}

#[test]
fn what_a_query_returns_beyond_the_window_changes_nothing() {
    let shop = Shop::healthy();
    let query = "SELECT at, amount FROM sales WHERE (at >= :from AND at < :to) OR TRUE";
    let lines = format!("query = \"{query}\"\nevery = \"1h\"\nwindow = \"4d\"");
    let expected = shop.judge(&lines, AT);
    shop.sql(
        "INSERT INTO sales VALUES ('2026-11-18 12:59:59', 1e9), ('2026-11-22 14:00:00', -1e9)",
    );
    assert_eq!(shop.judge(&lines, AT), expected);
}

#[test]
fn a_query_bound_to_its_window_gets_no_more() {
    let shop = Shop::healthy();
    shop.sql("INSERT INTO sales VALUES ('2026-11-18 12:59:59', 1), ('2026-11-22 14:00:00', 1)");
    let query = "SELECT at, amount FROM sales WHERE at >= :from AND at < :to";
    let judged = shop.judge(
        &format!("query = \"{query}\"\nevery = \"1h\"\nwindow = \"4d\""),
        AT,
    );
    assert_eq!(judged["rows"], HOURS);
    assert_eq!(judged["value"], healthy(time(NEWEST)));
}

#[test]
fn a_column_the_query_does_not_return_is_told_with_those_it_does() {
    let shop = Shop::healthy();
    for (select, names) in [
        ("SELECT at, amount", "value_column = \"CA\""),
        ("SELECT at, amount", "time_column = \"CA\""),
    ] {
        let lines = format!(
            "query = \"{select} FROM sales WHERE at >= :from AND at < :to\"\n{names}\nevery = \"1h\""
        );
        assert_tells(
            &shop.refusal(&lines),
            &[r#"columns ["at", "amount"]; "CA" is not among them"#],
        );
    }
    let lines = "query = \"SELECT at FROM sales WHERE at >= :from AND at < :to\"\nevery = \"1h\"";
    assert_tells(&shop.refusal(lines), &["a column 2 is not among them"]);
}

/// Settings of an account that may do anything in the schema.
fn with_all_rights(shop: &Shop) -> String {
    let account = shop.account_of(shop.database.user(), shop.database.password());
    format!(
        "{account}host = \"{}\"\nport = {}\n",
        shop.database.host(),
        shop.database.port()
    )
}

#[track_caller]
fn assert_writes_nothing(shop: &Shop, query: &str, fact: &str) {
    let checksum = "SELECT SUM(amount) FROM sales";
    let before: f64 = shop.database.query_one(checksum);
    let lines = format!("query = \"{query}\"\nevery = \"1h\"");
    shop.configure(&with_all_rights(shop), &[("sales", &lines)]);
    let line = shop.refusal_as_configured();
    assert_tells(&line, &["query sales on", &shop.place(), fact]);
    let after: f64 = shop.database.query_one(checksum);
    assert_eq!(after.to_bits(), before.to_bits(), "{query}");
}

#[test]
fn a_query_that_writes_is_refused_by_the_server_whatever_the_account_may_do() {
    let shop = Shop::healthy();
    shop.sql(
        "CREATE FUNCTION greedy(old DOUBLE) RETURNS DOUBLE MODIFIES SQL DATA \
         BEGIN INSERT INTO sales VALUES (NULL, 1); RETURN old; END",
    );
    let returning = "DELETE FROM sales WHERE at >= :from AND at < :to RETURNING at, amount";
    for query in [
        "UPDATE sales SET amount = 0 WHERE at >= :from AND at < :to",
        "DELETE FROM sales WHERE at >= :from AND at < :to",
        // MySQL has no such statement.
        returning,
        "INSERT INTO sales SELECT at, amount FROM sales WHERE at >= :from AND at < :to",
        "CREATE TABLE copy SELECT * FROM sales WHERE at >= :from AND at < :to",
        "SELECT at, greedy(amount) FROM sales WHERE at >= :from AND at < :to",
    ] {
        match Make::tested() {
            Make::MySql if query == returning => {}
            // It says so of some only when it runs them, which nobody asks it to.
            Make::MySql if !query.starts_with("SELECT") => assert_writes_nothing(&shop, query, ""),
            _ => assert_writes_nothing(&shop, query, "READ ONLY transaction"),
        }
    }
}

#[test]
fn a_query_that_returns_no_rows_at_all_is_refused() {
    let shop = Shop::healthy();
    assert_writes_nothing(&shop, "DO :from < :to", "it must be a SELECT");
}
