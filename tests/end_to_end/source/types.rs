//! Columns: the types that are read, those that are refused, and NULL.

use chrono::TimeDelta;

use super::shop::{
    AT, HOURLY, HOURS, NEWEST, Shop, assert_close, assert_tells, healthy, time, wave,
};

const NUMBERS: [&str; 6] = [
    "DECIMAL(12,2)",
    "INT",
    "SMALLINT UNSIGNED",
    "BIGINT UNSIGNED",
    "FLOAT",
    "DOUBLE",
];

const QUERY: &str = r#"
    query = "SELECT at, amount FROM sales WHERE at >= :from AND at < :to"
    every = "1h"
    window = "4d"
"#;

#[test]
fn the_same_numbers_are_judged_alike_in_every_numeric_type() {
    let shop = Shop::healthy();
    let expected = shop.judge(HOURLY, AT);
    assert_eq!(expected["verdict"], "normal");
    assert_eq!(expected["value"], healthy(time(NEWEST)));
    assert_eq!(expected["rows"], HOURS);
    for number in NUMBERS {
        shop.sales("DATETIME", number, &wave(NEWEST, 60, HOURS));
        for lines in [HOURLY, QUERY] {
            assert_eq!(shop.judge(lines, AT), expected, "{number}: {lines}");
        }
    }
}

#[test]
fn a_decimal_keeps_its_cents() {
    let shop = Shop::healthy();
    shop.sales("DATETIME", "DECIMAL(12,2)", &wave(NEWEST, 60, HOURS));
    shop.sql(&format!(
        "UPDATE sales SET amount = 1234567890.12 WHERE at = '{NEWEST}'"
    ));
    for lines in [HOURLY, QUERY] {
        assert_eq!(shop.judge(lines, AT)["value"], 1_234_567_890.12);
    }
}

#[test]
fn whole_numbers_beyond_the_exact_ones_are_read() {
    let shop = Shop::empty();
    shop.sales("DATETIME", "BIGINT UNSIGNED", &wave(NEWEST, 60, HOURS));
    shop.sql("UPDATE sales SET amount = amount * 10000000000000000");
    for lines in [HOURLY, QUERY] {
        let judged = shop.judge(lines, AT);
        assert_eq!(judged["verdict"], "normal");
        assert_close(&judged["value"], healthy(time(NEWEST)) * 1e16);
    }
    shop.sql(&format!(
        "UPDATE sales SET amount = 18446744073709551615 WHERE at = '{NEWEST}'"
    ));
    for lines in [HOURLY, QUERY] {
        assert_close(
            &shop.judge(lines, AT)["value"],
            18_446_744_073_709_551_615.0,
        );
    }
}

#[test]
fn a_sum_beyond_the_largest_whole_number_is_a_sum() {
    let shop = Shop::empty();
    shop.sales("DATETIME", "BIGINT UNSIGNED", &wave(NEWEST, 60, HOURS));
    shop.sql("UPDATE sales SET amount = 18446744073709551615");
    shop.sql("INSERT INTO sales SELECT * FROM sales");
    let judged = shop.judge(
        &format!("{HOURLY}\naggregate = \"sum\"\ndelay = \"0s\""),
        AT,
    );
    assert_close(&judged["value"], 2.0 * 18_446_744_073_709_551_615.0);
}

#[test]
fn a_value_that_is_text_is_refused() {
    let shop = Shop::empty();
    shop.sales("DATETIME", "VARCHAR(20)", &wave(NEWEST, 60, HOURS));
    let line = shop.refusal(HOURLY);
    assert_tells(
        &line,
        &["sales", &shop.place(), "column amount", "must be a number"],
    );
}

#[test]
fn a_time_that_is_a_number_is_seconds_since_1970() {
    let shop = Shop::empty();
    shop.sales("TIMESTAMP", "DOUBLE", &wave(NEWEST, 60, HOURS));
    for column in ["INT", "INT UNSIGNED", "BIGINT"] {
        shop.sql("DROP TABLE IF EXISTS seconds");
        shop.sql(&format!(
            "CREATE TABLE seconds (at {column}, amount DOUBLE)"
        ));
        shop.sql("INSERT INTO seconds SELECT UNIX_TIMESTAMP(at), amount FROM sales");
        for (lines, step) in [(HOURLY, "1h"), (QUERY, "1h"), (HOURLY, "2h"), (QUERY, "2h")] {
            let lines = lines.replace("\"1h\"", &format!("{step:?}"));
            let expected = shop.judge(&lines, AT);
            let seconds = lines.replace("sales", "seconds");
            assert_eq!(shop.judge(&seconds, AT), expected, "{column}: {lines}");
        }
    }
}

#[test]
fn a_time_that_is_text_is_refused() {
    let shop = Shop::empty();
    shop.sql("CREATE TABLE sales (at VARCHAR(20), amount DOUBLE)");
    for lines in [HOURLY, QUERY] {
        let told = [
            "column at",
            "must be a DATETIME, TIMESTAMP or DATE, or an INT",
        ];
        assert_tells(&shop.refusal(lines), &told);
    }
}

/// With what the column's clock is behind that of Paris in winter.
const TIMES: [(&str, TimeDelta); 4] = [
    ("DATETIME", TimeDelta::zero()),
    ("DATETIME(6)", TimeDelta::zero()),
    ("TIMESTAMP", TimeDelta::hours(1)),
    ("TIMESTAMP(3)", TimeDelta::hours(1)),
];

#[test]
fn every_type_of_time_tells_the_same_instant() {
    let shop = Shop::healthy();
    let expected = shop.judge(HOURLY, AT);
    assert_eq!(expected["time"], "2026-11-22T13:00:00+01:00");
    for (column, behind) in TIMES {
        let rows: Vec<_> = wave(NEWEST, 60, HOURS)
            .into_iter()
            .map(|(time, value)| (time - behind, value))
            .collect();
        shop.sales(column, "DOUBLE", &rows);
        for lines in [HOURLY, QUERY] {
            assert_eq!(shop.judge(lines, AT), expected, "{column}: {lines}");
        }
    }
}

#[test]
fn fractions_of_a_second_stay_in_their_bucket() {
    let shop = Shop::healthy();
    let expected = shop.judge(HOURLY, AT);
    for (column, behind) in [TIMES[1], TIMES[3]] {
        let almost_an_hour = TimeDelta::milliseconds(3_599_999);
        let rows: Vec<_> = wave(NEWEST, 60, HOURS)
            .into_iter()
            .map(|(time, value)| (time - behind + almost_an_hour, value))
            .collect();
        shop.sales(column, "DOUBLE", &rows);
        for lines in [HOURLY, QUERY] {
            assert_eq!(shop.judge(lines, AT), expected, "{column}: {lines}");
        }
    }
}

#[test]
fn a_date_is_a_day_of_the_wall_clock() {
    let shop = Shop::empty();
    let rows: Vec<_> = wave("2026-11-21 00:00:00", 24 * 60, 29)
        .into_iter()
        .zip([5.0, 7.0, 6.0, 9.0, 30.0, 45.0, 20.0].into_iter().cycle())
        .map(|((time, value), weekday)| (time, value + weekday))
        .collect();
    shop.sales("DATE", "DOUBLE", &rows);
    let daily = HOURLY.replace("1h", "1d").replace("4d", "28d");
    let query = QUERY.replace("1h", "1d").replace("4d", "28d");
    for lines in [daily.as_str(), &query] {
        let judged = shop.judge(lines, AT);
        assert_eq!(judged["time"], "2026-11-21T00:00:00+01:00");
        assert_eq!(judged["value"], rows[28].1);
        assert_eq!(judged["verdict"], "normal");
        // Four weeks before, it was summer time.
        assert_eq!(judged["history_from"], "2026-10-24T00:00:00+02:00");
        assert_eq!(judged["history_missing"], 0);
    }
}

#[test]
fn rows_without_a_value_are_counted_and_left_out() {
    let shop = Shop::healthy();
    shop.sql("UPDATE sales SET amount = NULL WHERE at >= '2026-11-22 12:00:00'");
    for lines in [HOURLY, QUERY] {
        let judged = shop.judge(lines, AT);
        assert_eq!(judged["rows_empty"], 2);
        assert_eq!(judged["rows"], HOURS);
        assert_eq!(judged["time"], "2026-11-22T11:00:00+01:00");
        assert_eq!(judged["value"], healthy(time("2026-11-22 11:00:00")));
    }
}

#[test]
fn a_row_without_a_value_beside_one_that_has_some_changes_no_aggregate_but_is_counted() {
    let shop = Shop::healthy();
    let lines = |aggregate| format!("{HOURLY}\naggregate = \"{aggregate}\"\ndelay = \"0s\"");
    let aggregates = ["sum", "count", "avg", "min", "max", "last"];
    let before = aggregates.map(|aggregate| shop.judge(&lines(aggregate), AT));
    shop.sql("INSERT INTO sales VALUES ('2026-11-22 13:59:00', NULL)");
    for (aggregate, before) in aggregates.into_iter().zip(before) {
        let after = shop.judge(&lines(aggregate), AT);
        assert_eq!(after["value"], before["value"], "{aggregate}");
        assert_eq!(after["upper"], before["upper"], "{aggregate}");
        assert_eq!(after["rows_empty"], 1, "{aggregate}");
        assert_eq!(after["rows"], HOURS + 1, "{aggregate}");
    }
}

#[test]
fn a_row_without_a_time_is_left_out() {
    let shop = Shop::healthy();
    let expected = shop.judge(HOURLY, AT);
    shop.sql("INSERT INTO sales VALUES (NULL, 1e9)");
    assert_eq!(shop.judge(HOURLY, AT), expected);
    let query = QUERY.replace("WHERE", "WHERE at IS NULL OR");
    let judged = shop.judge(&query, AT);
    assert_eq!(judged["rows_time_unclear"], 1);
    for known in ["time", "value", "lower", "upper", "verdict"] {
        assert_eq!(judged[known], expected[known]);
    }
}
