//! Rows that stop or are not there: when that is a value, and when nothing can be said.

use super::shop::{AT, HOURLY, Shop, assert_tells};

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
            "no data since 2026-11-22 12:00 CET, and stale_after is 4 h"
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
        "no data since 2026-11-22 12:00 CET, and stale_after is 3 h"
    );
    assert_eq!(stale["expected"], serde_json::Value::Null);
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
fn hours_that_are_always_empty_are_closed_and_no_gaps() {
    let shop = Shop::healthy();
    shop.sql("DELETE FROM sales WHERE HOUR(at) BETWEEN 0 AND 11");
    let judged = shop.judge(HOURLY, AT);
    assert_eq!(judged["verdict"], "normal", "{judged}");
}
