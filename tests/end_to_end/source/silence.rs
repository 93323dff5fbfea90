//! When little or nothing can be said: rows that stop, a history that is
//! constant, short or absent, a band that reaches zero.

use super::shop::{AT, HOURLY, HOURS, NEWEST, Shop, assert_tells, noise, times};

const SUM: &str = "aggregate = \"sum\"\nstale_after = \"4h\"";

fn summed() -> String {
    format!("{HOURLY}\n{SUM}")
}

/// Sales that stop after the bucket of 11:00.
fn shop_that_falls_silent() -> Shop {
    let shop = Shop::healthy();
    shop.sql("DELETE FROM sales WHERE at > '2026-11-22 11:00:00'");
    shop
}

#[test]
fn where_an_empty_bucket_is_zero_silence_is_low() {
    let shop = shop_that_falls_silent();
    let judged = shop.judge(&summed(), AT);
    assert_eq!(judged["verdict"], "low");
    assert_eq!(judged["value"], 0.0);
    assert_eq!(judged["time"], "2026-11-22T12:00:00+01:00");
    assert_eq!(judged["low_possible"], true);
    let judged = shop.judge(&summed(), "2026-11-22 16:00:00");
    assert_ne!(judged["verdict"], "undecided");
    assert_eq!(judged["value"], 0.0);
    assert_eq!(judged["time"], "2026-11-22T14:00:00+01:00");
}

#[test]
fn silence_longer_than_stale_after_is_undecided() {
    let shop = shop_that_falls_silent();
    // Its last bucket ended at 12:00, and four hours later it is stale.
    for at in ["2026-11-22 16:00:01", "2026-11-22 20:00:00"] {
        let judged = shop.judge(&summed(), at);
        assert_eq!(judged["verdict"], "undecided", "at {at}");
        assert_eq!(
            judged["reason"],
            "no data since 2026-11-22 11:00 CET, and stale_after is 4 h"
        );
    }
}

#[test]
fn a_silence_the_history_knows_is_no_reason_to_be_undecided() {
    let shop = Shop::healthy();
    // Closed from midnight to nine, every day: nine empty buckets.
    shop.sql("DELETE FROM sales WHERE HOUR(at) < 9");
    shop.sql("DELETE FROM sales WHERE at > '2026-11-21 23:59:59'");
    let lines = format!("{HOURLY}\naggregate = \"sum\"");
    // The first rows after it are in a bucket that closes an hour, and the delay of another, later.
    for morning in ["2026-11-22 09:00:00", "2026-11-22 09:30:00"] {
        let morning = shop.judge(&lines, morning);
        assert_eq!(morning["verdict"], "normal");
        assert_eq!(morning["value"], 0.0);
    }
    // A quarter more than the nine hours, and those two.
    let noon = shop.judge(&lines, "2026-11-22 13:00:00");
    assert_ne!(noon["verdict"], "undecided");
    let later = shop.judge(&lines, "2026-11-22 13:00:01");
    assert_eq!(later["verdict"], "undecided");
}

#[test]
fn where_an_empty_bucket_is_a_gap_silence_is_undecided_after_three_steps() {
    let shop = shop_that_falls_silent();
    let fresh = shop.judge(HOURLY, "2026-11-22 15:00:00");
    assert_eq!(fresh["time"], "2026-11-22T11:00:00+01:00");
    assert_ne!(fresh["verdict"], "undecided");
    let stale = shop.judge(HOURLY, "2026-11-22 15:00:01");
    assert_eq!(stale["verdict"], "undecided");
    assert_eq!(
        stale["reason"],
        "no data since 2026-11-22 11:00 CET, and stale_after is 3 h"
    );
    assert_eq!(stale["expected"], serde_json::Value::Null);
}

#[test]
fn an_extreme_value_that_is_stale_is_no_breach() {
    let shop = shop_that_falls_silent();
    shop.sql("UPDATE sales SET amount = 1e6 WHERE at = '2026-11-22 11:00:00'");
    assert_eq!(shop.judge(HOURLY, "2026-11-22 15:00:00")["verdict"], "high");
    assert_eq!(
        shop.judge(HOURLY, "2026-11-22 15:00:01")["verdict"],
        "undecided"
    );
}

#[test]
fn a_window_without_rows_is_undecided() {
    let shop = Shop::healthy();
    shop.sql("DELETE FROM sales");
    for lines in [HOURLY, &summed()] {
        let judged = shop.judge(lines, AT);
        assert_eq!(judged["verdict"], "undecided");
        assert_eq!(judged["rows"], 0);
        let reason = judged["reason"].as_str().expect("a reason");
        assert_tells(reason, &["no data since 2026-11-18 1", "or longer"]);
    }
}

#[test]
fn a_history_shorter_than_two_days_is_undecided() {
    let shop = Shop::healthy();
    shop.sql("DELETE FROM sales WHERE at < '2026-11-20 14:00:00'");
    let judged = shop.judge(HOURLY, AT);
    assert_eq!(judged["verdict"], "undecided");
    assert_eq!(
        judged["reason"],
        "1 d 23 h of history; at least 2 d are needed; if the table holds more, set a longer window"
    );
}

#[test]
fn a_history_with_too_many_gaps_is_undecided() {
    let shop = Shop::healthy();
    shop.sql(
        "DELETE FROM sales WHERE MOD(DAY(at) * 24 + HOUR(at), 11) <> 0 AND at < '2026-11-22 14:00'",
    );
    let judged = shop.judge(HOURLY, AT);
    assert_eq!(judged["verdict"], "undecided");
    let reason = judged["reason"].as_str().expect("a reason");
    assert_tells(reason, &["buckets of history are empty"]);
}

#[test]
fn hours_that_are_always_empty_are_closed_and_no_gaps() {
    let shop = Shop::healthy();
    shop.sql("DELETE FROM sales WHERE HOUR(at) BETWEEN 0 AND 11");
    let judged = shop.judge(HOURLY, AT);
    assert_eq!(judged["verdict"], "normal", "{judged}");
}

#[test]
fn a_history_that_never_changes_is_undecided_whatever_comes() {
    let shop = Shop::empty();
    for constant in [0.0, 7.25] {
        let rows: Vec<_> = times(NEWEST, 60, HOURS).map(|at| (at, constant)).collect();
        shop.sales("DATETIME", "DOUBLE", &rows);
        for last in [constant, 0.0, 1e9, -3.0] {
            shop.sql(&format!(
                "UPDATE sales SET amount = {last:?} WHERE at = '{NEWEST}'"
            ));
            for lines in [
                HOURLY,
                &format!("{HOURLY}\naggregate = \"sum\"\ndelay = \"0s\""),
            ] {
                let judged = shop.judge(lines, AT);
                assert_eq!(judged["verdict"], "undecided", "{constant}, then {last}");
                assert_eq!(judged["value"], last);
                let reason = judged["reason"].as_str().expect("a reason");
                assert_tells(
                    reason,
                    &[&format!("every value of the history is {constant}")],
                );
            }
        }
    }
}

#[test]
fn a_low_that_cannot_come_about_is_told() {
    let shop = Shop::empty();
    let rows: Vec<_> = times(NEWEST, 60, HOURS)
        .map(|at| (at, if noise(at) > 0.7 { 10.0 } else { 0.0 }))
        .collect();
    shop.sales("DATETIME", "INT", &rows);
    shop.sql(&format!(
        "UPDATE sales SET amount = 0 WHERE at = '{NEWEST}'"
    ));
    let judged = shop.judge(HOURLY, AT);
    assert_eq!(judged["lower"], 0.0, "no value is negative: {judged}");
    assert_eq!(judged["low_possible"], false);
    assert_eq!(judged["verdict"], "normal");
    assert_tells(
        &shop.told(HOURLY, AT),
        &[
            "Low cannot fire now: zero is inside, and no value of the history is negative (set min if one can be); aggregate longer (every)",
        ],
    );
}

#[test]
fn a_low_that_can_come_about_needs_no_word() {
    let shop = Shop::healthy();
    assert_eq!(shop.judge(HOURLY, AT)["low_possible"], true);
    assert!(!shop.told(HOURLY, AT).contains("cannot fire"));
    // The same far below zero, where values are negative.
    shop.sql("UPDATE sales SET amount = amount - 5000");
    let judged = shop.judge(HOURLY, AT);
    assert_eq!(judged["low_possible"], true);
    assert_eq!(judged["verdict"], "normal");
}
