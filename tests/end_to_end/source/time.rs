//! What the time column tells, as the configuration says or its type does, and the clock of the session,
//! which is that of the column. The server's own is another one in these tests.

use chrono::{TimeDelta, Utc};

use super::shop::{AT, HOURLY, HOURS, NEWEST, Shop, assert_tells, wave};

/// Hourly sales by a TIMESTAMP, in the same hours as [`Shop::healthy`]; Paris is an hour ahead.
fn instants() -> Shop {
    let shop = Shop::empty();
    let rows = wave(NEWEST, 60, HOURS);
    let utc: Vec<_> = rows
        .iter()
        .map(|(time, value)| (*time - TimeDelta::hours(1), *value))
        .collect();
    // A session of the test's own is in UTC.
    shop.sales("TIMESTAMP", "DOUBLE", &utc);
    shop.sql("CREATE TABLE walls (at DATETIME, amount DOUBLE)");
    shop.database.insert_rows("walls", "at", "amount", &rows);
    shop
}

fn query(sql: &str) -> String {
    format!("query = \"{sql}\"\nevery = \"1h\"\nwindow = \"4d\"\n")
}

#[test]
fn a_time_that_a_query_computes_is_of_the_wall_clock() {
    let shop = instants();
    let expected = shop.judge(HOURLY, AT);
    shop.sql("CREATE VIEW seen AS SELECT at - INTERVAL 0 SECOND AS at, amount FROM sales");
    for sql in [
        "SELECT at - INTERVAL 0 SECOND, amount FROM sales WHERE at >= :from AND at < :to",
        "SELECT FROM_UNIXTIME(UNIX_TIMESTAMP(at)), amount FROM sales WHERE at >= :from AND at < :to",
        "SELECT CAST(DATE_FORMAT(at, '%Y-%m-%d %H:00:00') AS DATETIME) AS h, SUM(amount) FROM sales WHERE at >= :from AND at < :to GROUP BY h",
        "SELECT at, amount FROM seen WHERE at >= :from AND at < :to",
    ] {
        assert_eq!(shop.judge(&query(sql), AT), expected, "{sql}");
    }
}

#[test]
fn seconds_that_a_query_computes_of_a_wall_clock_are_those_of_its_instants() {
    let shop = instants();
    let expected = shop.judge(HOURLY, AT);
    for (table, select) in [
        ("walls", "UNIX_TIMESTAMP(at) DIV 3600 * 3600"),
        ("sales", "UNIX_TIMESTAMP(at)"),
        ("sales", "FLOOR(UNIX_TIMESTAMP(at) / 3600) * 3600"),
        ("sales", "UNIX_TIMESTAMP(at) * 1E0"),
    ] {
        let sql = format!(
            "SELECT {select} AS t, SUM(amount) FROM {table} WHERE UNIX_TIMESTAMP(at) >= :from AND UNIX_TIMESTAMP(at) < :to GROUP BY t"
        );
        assert_eq!(shop.judge(&query(&sql), AT), expected, "{sql}");
        let told = format!("{}time = \"epoch\"", query(&sql));
        assert_eq!(shop.judge(&told, AT), expected, "{sql}");
    }
}

#[test]
fn now_is_that_of_the_wall_clock_where_the_column_is() {
    let shop = instants();
    let hours = "TIMESTAMPDIFF(HOUR, UTC_TIMESTAMP(), NOW())";
    for (table, ahead) in [("walls", "1, 2"), ("sales", "0")] {
        let lines = HOURLY.replace("\"sales\"", &format!("\"{table}\""));
        let lines = format!("{lines}where = \"{hours} IN ({ahead})\"\n");
        assert_eq!(shop.judge(&lines, AT)["rows"], HOURS, "{table}");
    }
}

#[test]
fn a_wall_clock_can_be_that_of_utc() {
    let shop = instants();
    let expected = shop.judge(HOURLY, AT);
    shop.sql("CREATE TABLE utc (at DATETIME, amount DOUBLE)");
    shop.sql("INSERT INTO utc SELECT at - INTERVAL 1 HOUR, amount FROM walls");
    let lines = HOURLY.replace("\"sales\"", "\"utc\"");
    let sql = query("SELECT at, amount FROM utc WHERE at >= :from AND at < :to");
    for lines in [lines, sql] {
        assert_eq!(
            shop.judge(&format!("{lines}time = \"utc\"\n"), AT),
            expected
        );
        let late = shop.judge(&lines, AT);
        assert_eq!(late["time"], "2026-11-22T12:00:00+01:00", "{lines}");
    }
}

#[test]
fn numbers_since_1970_may_be_of_smaller_units() {
    let shop = instants();
    let expected = shop.judge(HOURLY, AT);
    let two_hours = HOURLY.replace("1h", "2h");
    let expected_of_two = shop.judge(&two_hours, AT);
    for (unit, word) in [
        (1, "epoch"),
        (1000, "epoch_ms"),
        (1_000_000, "epoch_us"),
        (1_000_000_000, "epoch_ns"),
    ] {
        shop.sql("DROP TABLE IF EXISTS numbers");
        shop.sql("CREATE TABLE numbers (at BIGINT UNSIGNED, amount DOUBLE)");
        shop.sql(&format!(
            "INSERT INTO numbers SELECT UNIX_TIMESTAMP(at) * {unit} + {} * 999, amount FROM sales",
            unit / 1000
        ));
        let time = format!("time = \"{word}\"\n");
        let sql = query("SELECT at, amount FROM numbers WHERE at >= :from AND at < :to");
        for lines in [HOURLY.replace("\"sales\"", "\"numbers\""), sql] {
            assert_eq!(
                shop.judge(&format!("{lines}{time}"), AT),
                expected,
                "{word}: {lines}"
            );
            let lines = lines.replace("1h", "2h");
            assert_eq!(
                shop.judge(&format!("{lines}{time}"), AT),
                expected_of_two,
                "{word}: {lines}"
            );
        }
    }
}

#[test]
fn a_column_that_cannot_tell_what_is_said_of_it_is_refused() {
    let shop = instants();
    let of = |time| shop.refusal(&format!("{HOURLY}time = \"{time}\"\n"));
    assert_tells(
        &of("epoch"),
        &[
            "column at: its type is TIMESTAMP",
            "time = \"epoch\"",
            "\"local\", \"utc\"",
        ],
    );
    shop.sql("ALTER TABLE sales MODIFY at BIGINT");
    assert_tells(
        &of("utc"),
        &["its type is BIGINT", "time = \"utc\"", "\"epoch_ms\""],
    );
}

#[test]
fn rows_ahead_of_the_servers_clock_are_told() {
    let mut shop = Shop::empty();
    shop.timezone = "UTC";
    let now = Utc::now().naive_utc();
    let hour = now.format("%Y-%m-%d %H:00:00").to_string();
    let later = super::shop::time(&hour) + TimeDelta::hours(3);
    shop.sales(
        "DATETIME",
        "DOUBLE",
        &wave(&later.to_string(), 60, HOURS + 4),
    );
    let at = now.format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let sql = query("SELECT at, amount FROM sales WHERE at >= :from AND at < :to");
    for lines in [HOURLY, &sql] {
        let hint = shop.judge(lines, &at)["hint"].to_string();
        assert_tells(&hint, &["ahead of the server's clock", "time and timezone"]);
        assert_tells(&shop.told(lines, &at), &["ahead of the server's clock"]);
    }
}

/// Hours across the end of summer time, by a TIMESTAMP, until two days after it.
fn across_a_clock_change(timezone: &'static str) -> (Shop, &'static str) {
    let mut shop = Shop::empty();
    shop.timezone = timezone;
    let rows = wave("2026-10-27 12:00:00", 60, HOURS);
    shop.sales("TIMESTAMP", "DOUBLE", &rows);
    (shop, "2026-10-27T13:05:00Z")
}

const COMPUTED: &str =
    "SELECT at - INTERVAL 0 SECOND AS t, amount FROM sales WHERE at >= :from AND at < :to";

#[test]
fn a_server_that_does_not_know_the_zone_computes_by_its_present_offset_and_that_is_told() {
    let (shop, at) = across_a_clock_change("Europe/Paris");
    let judged = shop.judge(&query(COMPUTED), at);
    assert_eq!(judged["time"], "2026-10-27T13:00:00+01:00");
    let told = [
        "the server does not know Europe/Paris by name",
        "shifted before 2026-10-25 02:00 CET",
    ];
    assert_tells(&judged["hint"].to_string(), &told);
    assert!(shop.judge(HOURLY, at)["hint"].is_null());
}

#[test]
fn a_server_that_knows_the_zone_computes_right_across_a_clock_change() {
    // Of the zone tables, what is needed of one zone, which no other test has.
    let (shop, at) = across_a_clock_change("Europe/Berlin");
    for row in [
        "time_zone VALUES (900, 'N')",
        "time_zone_name VALUES ('Europe/Berlin', 900)",
        "time_zone_transition_type VALUES (900, 0, 3600, 0, 'CET'), (900, 1, 7200, 1, 'CEST')",
        "time_zone_transition VALUES (900, 1774746000, 1), (900, 1792890000, 0)",
    ] {
        shop.sql(&format!("INSERT INTO mysql.{row}"));
    }
    let expected = shop.judge(HOURLY, at);
    let seconds = COMPUTED.replace(
        "at - INTERVAL 0 SECOND",
        "UNIX_TIMESTAMP(at - INTERVAL 0 SECOND)",
    );
    let seconds = seconds.replace(
        "at >= :from AND at < :to",
        "at >= FROM_UNIXTIME(:from) AND at < FROM_UNIXTIME(:to)",
    );
    for (sql, unclear) in [(COMPUTED, 2), (&seconds, 0)] {
        let judged = shop.judge(&query(sql), at);
        assert_eq!(judged["time"], expected["time"], "{sql}");
        assert_eq!(judged["value"], expected["value"], "{sql}");
        assert!(judged["hint"].is_null(), "{judged}");
        // The hour that comes twice cannot be told apart on the wall.
        assert_eq!(judged["rows_time_unclear"], unclear, "{sql}");
    }
}
