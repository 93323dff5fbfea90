//! Which bucket is judged, and what may bear on it: when a bucket is closed,
//! where the window ends, rows twice or in any order.

use chrono::TimeDelta;

use super::shop::{AT, HOURLY, HOURS, NEWEST, Shop, assert_close, healthy, time, wave};

/// The wave, and a 14:00 bucket that has begun.
fn shop_in_the_middle_of_an_hour() -> Shop {
    let shop = Shop::healthy();
    shop.sql("INSERT INTO sales VALUES ('2026-11-22 14:00:00', 3)");
    shop
}

#[test]
fn a_bucket_is_judged_once_its_end_and_its_delay_have_passed() {
    let shop = shop_in_the_middle_of_an_hour();
    for (more, a_second_before, at) in [
        ("", "2026-11-22 13:59:59", "2026-11-22 14:00:00"),
        (
            "delay = \"10m\"",
            "2026-11-22 14:09:59",
            "2026-11-22 14:10:00",
        ),
        // Raw rows are given another step of time.
        (
            "aggregate = \"sum\"",
            "2026-11-22 14:59:59",
            "2026-11-22 15:00:00",
        ),
    ] {
        let lines = format!("{HOURLY}\n{more}");
        let (before, after) = (shop.judge(&lines, a_second_before), shop.judge(&lines, at));
        assert_eq!(before["time"], "2026-11-22T12:00:00+01:00", "{more}");
        assert_eq!(before["value"], healthy(time("2026-11-22 12:00:00")));
        assert_eq!(after["time"], "2026-11-22T13:00:00+01:00", "{more}");
        assert_eq!(after["value"], healthy(time(NEWEST)));
        assert_eq!([&before["verdict"], &after["verdict"]], ["normal"; 2]);
    }
}

#[test]
fn a_half_filled_bucket_is_never_judged() {
    let shop = shop_in_the_middle_of_an_hour();
    for second in ["14:00:00", "14:30:00", "14:59:59"] {
        let judged = shop.judge(HOURLY, &format!("2026-11-22 {second}"));
        assert_eq!(judged["time"], "2026-11-22T13:00:00+01:00", "{second}");
        assert_eq!(judged["verdict"], "normal", "{second}");
    }
    let judged = shop.judge(HOURLY, "2026-11-22 15:00:00");
    assert_eq!(judged["value"], 3.0);
    assert_eq!(judged["verdict"], "low");
}

#[test]
fn an_empty_bucket_at_the_end_of_gaps_is_not_read_as_zero() {
    let shop = Shop::healthy();
    let judged = shop.judge(HOURLY, "2026-11-22 15:00:00");
    assert_eq!(judged["time"], "2026-11-22T13:00:00+01:00");
    assert_eq!(judged["value"], healthy(time(NEWEST)));
    assert_eq!(judged["verdict"], "normal");
}

#[test]
fn rows_of_one_time_are_averaged_and_counted() {
    let shop = Shop::healthy();
    shop.sql(&format!(
        "INSERT INTO sales VALUES ('{NEWEST}', 1000), ('{NEWEST}', 1001), ('2026-11-20 08:00:00', 1400)"
    ));
    let query = HOURLY.replace(
        "table = \"sales\"",
        "query = \"SELECT at, amount FROM sales WHERE at >= :from AND at < :to\"",
    );
    for lines in [HOURLY, &query] {
        let judged = shop.judge(lines, AT);
        assert_eq!(judged["rows_repeated"], 3, "{lines}");
        assert_eq!(judged["rows"], HOURS + 3, "{lines}");
        assert_close(
            &judged["value"],
            (healthy(time(NEWEST)) + 1000.0 + 1001.0) / 3.0,
        );
    }
}

#[test]
fn rows_in_any_order_give_the_same_judgement() {
    let shop = Shop::healthy();
    let query = HOURLY.replace(
        "table = \"sales\"",
        "query = \"SELECT at, amount FROM sales WHERE at >= :from AND at < :to\"",
    );
    let sorted = [HOURLY, &query].map(|lines| shop.judge(lines, AT));
    shop.sql("CREATE TABLE shuffled SELECT * FROM sales ORDER BY RAND(7)");
    shop.sql("RENAME TABLE sales TO ordered, shuffled TO sales");
    let shuffled = [HOURLY, &query].map(|lines| shop.judge(lines, AT));
    assert_eq!(shuffled, sorted);
    assert_eq!(shuffled[0], shuffled[1], "the server's buckets are ours");
}

#[test]
fn rows_before_the_window_change_nothing() {
    let shop = Shop::healthy();
    let expected = shop.judge(HOURLY, AT);
    shop.sql(
        "INSERT INTO sales VALUES ('2026-11-18 12:59:59', 1e9), ('2020-01-01 00:00:00', -1e9)",
    );
    assert_eq!(shop.judge(HOURLY, AT), expected);
    shop.sql("INSERT INTO sales VALUES ('2026-11-18 13:00:00', 1e9)");
    assert_eq!(shop.judge(HOURLY, AT)["rows"], HOURS + 1);
}

#[test]
fn rows_of_the_future_change_nothing() {
    let shop = Shop::healthy();
    let without_step = HOURLY.replace("every = \"1h\"", "");
    let expected = [HOURLY, &without_step].map(|lines| shop.judge(lines, AT));
    shop.sql("INSERT INTO sales VALUES ('2026-11-22 14:00:00', 1e9), ('2026-11-22 14:30:00', 1e9), ('2038-01-01 00:00:00', -1e9)");
    assert_eq!(
        [HOURLY, &without_step].map(|lines| shop.judge(lines, AT)),
        expected
    );
}

#[test]
fn rows_off_the_grid_belong_to_the_bucket_they_fall_into() {
    let shop = Shop::healthy();
    let expected = shop.judge(HOURLY, AT);
    let rows: Vec<_> = wave(NEWEST, 60, HOURS)
        .into_iter()
        .map(|(time, value)| (time + TimeDelta::seconds(3599), value))
        .collect();
    shop.sales("DATETIME", "DOUBLE", &rows);
    assert_eq!(shop.judge(HOURLY, AT), expected);
}
