//! The clocks of Paris: summer and winter, and the nights between.

use chrono::{NaiveDateTime, TimeDelta, TimeZone};
use chrono_tz::Europe::Paris;
use serde_json::Value;

use super::shop::{HOURLY, HOURS, Shop, assert_tells, healthy, time, times, wave};

/// Both passes of the hour that autumn repeats, as values of their own.
const FIRST_PASS: f64 = 1201.0;
const SECOND_PASS: f64 = 1187.0;

fn on_the_wall(utc: NaiveDateTime) -> NaiveDateTime {
    Paris.from_utc_datetime(&utc).naive_local()
}

/// Hourly sales by UTC, with the daily wave on the wall clock.
fn hours_by_utc(newest: &str, count: usize) -> Vec<(NaiveDateTime, f64)> {
    times(newest, 60, count)
        .map(|utc| {
            let value = match utc.to_string().as_str() {
                "2026-10-25 00:00:00" => FIRST_PASS,
                "2026-10-25 01:00:00" => SECOND_PASS,
                _ => healthy(on_the_wall(utc)),
            };
            (utc, value)
        })
        .collect()
}

/// The same rows as a column of the wall clock has them.
fn hours_by_the_wall(newest_utc: &str, count: usize) -> Vec<(NaiveDateTime, f64)> {
    hours_by_utc(newest_utc, count)
        .into_iter()
        .map(|(utc, value)| (on_the_wall(utc), value))
        .collect()
}

fn queried(lines: &str) -> String {
    lines.replace(
        "table = \"sales\"",
        "query = \"SELECT at, amount FROM sales WHERE at >= :from AND at < :to\"",
    )
}

fn both(lines: &str) -> [String; 2] {
    [lines.to_owned(), queried(lines)]
}

/// With what the rows around this instant are called.
const SEASONS: [(&str, &str, &str, &str); 4] = [
    (
        "2026-07-22 12:00:00",
        "2026-07-22T12:05:00Z",
        "2026-07-22T13:00:00+02:00",
        "13:00 CEST",
    ),
    (
        "2026-11-22 12:00:00",
        "2026-11-22T12:05:00Z",
        "2026-11-22T12:00:00+01:00",
        "12:00 CET",
    ),
    (
        "2026-10-26 12:00:00",
        "2026-10-26T12:05:00Z",
        "2026-10-26T12:00:00+01:00",
        "12:00 CET",
    ),
    (
        "2026-03-30 12:00:00",
        "2026-03-30T12:05:00Z",
        "2026-03-30T13:00:00+02:00",
        "13:00 CEST",
    ),
];

#[test]
fn times_have_the_offset_and_the_name_of_their_season() {
    let shop = Shop::empty();
    for (newest, at, stamp, label) in SEASONS {
        for column in ["TIMESTAMP", "DATETIME"] {
            let rows = match column {
                "TIMESTAMP" => hours_by_utc(newest, HOURS + 1),
                _ => hours_by_the_wall(newest, HOURS + 1),
            };
            shop.sales(column, "DOUBLE", &rows);
            for lines in both(HOURLY) {
                let judged = shop.judge(&lines, at);
                assert_eq!(judged["time"], stamp, "{column}: {lines}");
                assert_eq!(judged["value"], rows[HOURS - 1].1, "{column}: {lines}");
                assert_tells(&shop.told(&lines, at), &[label]);
            }
        }
    }
}

#[test]
fn without_a_timezone_everything_is_utc() {
    let mut shop = Shop::empty();
    shop.timezone = "UTC";
    for column in ["TIMESTAMP", "DATETIME"] {
        shop.sales(column, "DOUBLE", &wave("2026-07-22 12:00:00", 60, HOURS));
        let judged = shop.judge(HOURLY, "2026-07-22 13:05");
        assert_eq!(judged["time"], "2026-07-22T12:00:00+00:00", "{column}");
        assert_tells(&shop.told(HOURLY, "2026-07-22 13:05"), &["12:00 UTC"]);
    }
}

#[test]
fn an_hour_is_one_of_the_wall_clock_where_its_offset_is_no_whole_hour() {
    let mut shop = Shop::empty();
    shop.timezone = "Asia/Kathmandu";
    let wall = wave("2026-11-22 14:00:00", 60, HOURS + 1);
    for (column, behind) in [("DATETIME", 0), ("TIMESTAMP", 5 * 60 + 45)] {
        let rows: Vec<_> = wall
            .iter()
            .map(|(at, value)| (*at - TimeDelta::minutes(behind), *value))
            .collect();
        shop.sales(column, "DOUBLE", &rows);
        for lines in both(HOURLY) {
            let judged = shop.judge(&lines, "2026-11-22 14:05");
            assert_eq!(judged["time"], "2026-11-22T13:00:00+05:45", "{column}");
            assert_eq!(judged["value"], wall[HOURS - 1].1, "{column}");
            assert_eq!(judged["rows"], HOURS, "{column}");
            assert_eq!(judged["history_missing"], 0, "{column}");
        }
    }
}

#[test]
fn instants_of_the_repeated_hour_are_two_hours() {
    let shop = Shop::empty();
    shop.sales(
        "TIMESTAMP",
        "DOUBLE",
        &hours_by_utc("2026-10-25 05:00:00", HOURS + 4),
    );
    let passes = [
        (
            "2026-10-25T01:05:00Z",
            "2026-10-25T02:00:00+02:00",
            FIRST_PASS,
            "02:00 CEST",
        ),
        (
            "2026-10-25T02:05:00Z",
            "2026-10-25T02:00:00+01:00",
            SECOND_PASS,
            "02:00 CET",
        ),
    ];
    for lines in both(HOURLY) {
        for (at, stamp, value, label) in passes {
            let judged = shop.judge(&lines, at);
            assert_eq!(judged["time"], stamp, "{lines}");
            assert_eq!(judged["value"], value, "{lines}");
            assert_eq!(judged["verdict"], "normal", "{lines}");
            assert_eq!(judged["rows_repeated"], 0, "{lines}");
            assert_tells(&shop.told(&lines, at), &[label]);
        }
    }
}

#[test]
fn both_passes_of_the_repeated_hour_stay_in_the_history() {
    let shop = Shop::empty();
    shop.sales(
        "TIMESTAMP",
        "DOUBLE",
        &hours_by_utc("2026-10-26 12:00:00", HOURS),
    );
    let judged = shop.judge(HOURLY, "2026-10-26T13:05:00Z");
    assert_eq!(judged["rows"], HOURS);
    assert_eq!(judged["history_buckets"], HOURS - 1);
    assert_eq!(judged["history_missing"], 0);
    assert_eq!(judged["verdict"], "normal");
    // 96 hours before, and 97 on the wall.
    assert_eq!(judged["history_from"], "2026-10-22T14:00:00+02:00");
}

#[test]
fn a_replay_of_the_repeated_hour_guesses_no_pass() {
    let shop = Shop::empty();
    let rows = hours_by_the_wall("2026-10-25 00:00:00", HOURS);
    let halves: Vec<_> = rows
        .iter()
        .flat_map(|(at, value)| [(*at, *value), (*at + TimeDelta::minutes(30), *value)])
        .collect();
    shop.sales("DATETIME", "DOUBLE", &halves);
    let lines = HOURLY.replace("1h", "30m").replace("4d", "3d");
    for lines in both(&lines) {
        // Long after, rows of either pass may stand there.
        let judged = shop.judge(&lines, "2026-10-25T00:35:00Z");
        assert_eq!(judged["time"], "2026-10-25T01:30:00+02:00", "{lines}");
        assert_ne!(judged["value"], FIRST_PASS, "{lines}");
        assert_ne!(judged["rows_time_unclear"], 0, "{lines}");
    }
}

#[test]
fn readings_of_the_repeated_hour_are_never_doubled_nor_dated_wrongly() {
    let shop = Shop::empty();
    shop.sales(
        "DATETIME",
        "DOUBLE",
        &hours_by_the_wall("2026-10-25 05:00:00", HOURS + 4),
    );
    for lines in both(HOURLY) {
        // 03:05 CET: either of the rows may be of either hour.
        let judged = shop.judge(&lines, "2026-10-25T02:05:00Z");
        assert_eq!(judged["time"], "2026-10-25T01:00:00+02:00", "{lines}");
        assert_eq!(judged["value"], healthy(time("2026-10-25 01:00:00")));
        assert_eq!(judged["rows_time_unclear"], 2, "{lines}");
        // 04:05 CET: what comes after is in its place again.
        let judged = shop.judge(&lines, "2026-10-25T03:05:00Z");
        assert_eq!(judged["time"], "2026-10-25T03:00:00+01:00", "{lines}");
        assert_eq!(judged["value"], healthy(time("2026-10-25 03:00:00")));
        assert_eq!(judged["history_missing"], 2, "{lines}");
        assert_eq!(judged["rows_time_unclear"], 2, "{lines}");
        assert_eq!(judged["rows_repeated"], 0, "{lines}");
        assert_eq!(judged["verdict"], "normal", "{lines}");
    }
}

#[test]
fn a_sum_over_hours_that_the_clocks_change_in_is_left_out() {
    let shop = Shop::empty();
    shop.sales(
        "TIMESTAMP",
        "DOUBLE",
        &hours_by_utc("2026-10-26 12:00:00", HOURS),
    );
    let lines = HOURLY.replace("1h", "2h") + "aggregate = \"sum\"\ndelay = \"0s\"\n";
    for lines in both(&lines) {
        let judged = shop.judge(&lines, "2026-10-26T13:05:00Z");
        // From 02:00 to 04:00 by the wall: three hours.
        assert_eq!(judged["history_missing"], 1, "{lines}");
        let judged = shop.judge(&lines, "2026-10-25T03:05:00Z");
        assert_eq!(judged["time"], "2026-10-25T00:00:00+02:00", "{lines}");
    }
}

#[test]
fn zones_far_from_utc_are_read_like_any_other() {
    let mut shop = Shop::empty();
    shop.sales("TIMESTAMP", "DOUBLE", &hours_by_utc(NEWEST_UTC, HOURS));
    for (zone, time) in [
        ("Pacific/Kiritimati", "2026-11-23T03:00:00+14:00"),
        ("Pacific/Chatham", "2026-11-23T02:00:00+13:45"),
        ("Pacific/Pago_Pago", "2026-11-22T02:00:00-11:00"),
    ] {
        shop.timezone = zone;
        let judged = shop.judge(HOURLY, "2026-11-22T14:05:00Z");
        assert_eq!(judged["time"], time, "{judged}");
        assert_eq!(judged["rows_time_unclear"], 0);
    }
}

/// One o'clock in the afternoon of a Sunday in UTC.
const NEWEST_UTC: &str = "2026-11-22 13:00:00";

#[test]
fn raw_rows_whose_hour_is_unclear_are_not_read_as_an_hour_without_sales() {
    let shop = Shop::empty();
    shop.sales(
        "DATETIME",
        "DOUBLE",
        &hours_by_the_wall("2026-10-25 08:00:00", HOURS + 7),
    );
    let lines = format!("{HOURLY}\naggregate = \"sum\"\ndelay = \"0s\"");
    for lines in both(&lines) {
        for hour in 1..=6 {
            let judged = shop.judge(&lines, &format!("2026-10-25T{hour:02}:05:00Z"));
            assert_ne!(judged["value"], 0.0, "at {hour}:05 UTC: {judged}");
        }
    }
}

#[test]
fn a_repeated_hour_without_any_rows_is_two_hours_without_sales() {
    let shop = Shop::empty();
    shop.sales(
        "DATETIME",
        "DOUBLE",
        &hours_by_the_wall("2026-10-25 08:00:00", HOURS + 7),
    );
    shop.sql("DELETE FROM sales WHERE at = '2026-10-25 02:00:00'");
    let lines = format!("{HOURLY}\naggregate = \"sum\"\ndelay = \"0s\"");
    for lines in both(&lines) {
        for pass in ["+02:00", "+01:00"] {
            let end = if pass == "+02:00" { "01" } else { "02" };
            let judged = shop.judge(&lines, &format!("2026-10-25T{end}:05:00Z"));
            assert_eq!(judged["time"], format!("2026-10-25T02:00:00{pass}"));
            assert_eq!(judged["verdict"], "low");
        }
    }
}

/// The wave is steepest at midnight: an hour's shift would be off by 100.
#[track_caller]
fn assert_season_is_in_place(judged: &Value, wall: &str) {
    let healthy = healthy(time(wall));
    let expected = judged["expected"].as_f64().expect("a number");
    assert!(
        (expected - healthy).abs() < 60.0,
        "{expected} was expected, {healthy} is healthy: {judged}"
    );
    assert_eq!(judged["verdict"], "normal");
}

#[test]
fn the_day_after_a_clock_change_the_season_is_in_its_place() {
    let shop = Shop::empty();
    let nights = [
        (
            "2026-03-29 22:00:00",
            "2026-03-29T23:05:00Z",
            "2026-03-30 00:00:00",
        ),
        (
            "2026-10-25 23:00:00",
            "2026-10-26T00:05:00Z",
            "2026-10-26 00:00:00",
        ),
    ];
    for (newest, at, wall) in nights {
        for column in ["TIMESTAMP", "DATETIME"] {
            let rows = match column {
                "TIMESTAMP" => hours_by_utc(newest, HOURS + 1),
                _ => hours_by_the_wall(newest, HOURS + 1),
            };
            shop.sales(column, "DOUBLE", &rows);
            for lines in both(HOURLY) {
                assert_season_is_in_place(&shop.judge(&lines, at), wall);
            }
        }
    }
}

/// Each day's sum of an hourly 1, in rows by UTC.
#[track_caller]
fn assert_hours_of_day(column: &str, day: &str, hours: f64, starts: &str) {
    let shop = Shop::empty();
    let noon = format!("{day} 12:00:00");
    let rows: Vec<_> = times(&noon, 60, 24 * 20)
        .map(|utc| {
            if column == "TIMESTAMP" {
                utc
            } else {
                on_the_wall(utc)
            }
        })
        .map(|at| (at, 1.0))
        .collect();
    shop.sales(column, "DOUBLE", &rows);
    let lines =
        HOURLY.replace("1h", "1d").replace("4d", "15d") + "aggregate = \"sum\"\ndelay = \"0s\"";
    let [by_table, by_query] = both(&lines).map(|lines| shop.judge(&lines, &noon));
    assert_eq!(by_table["value"], hours, "{column}");
    assert_eq!(by_table["time"], starts, "{column}");
    assert_eq!(
        by_query, by_table,
        "{column}: a query is read as a table is"
    );
}

#[test]
fn a_daily_sum_of_instants_has_the_hours_of_its_calendar_day() {
    assert_hours_of_day("TIMESTAMP", "2026-03-29", 24.0, "2026-03-28T00:00:00+01:00");
    assert_hours_of_day("TIMESTAMP", "2026-03-30", 23.0, "2026-03-29T00:00:00+01:00");
    assert_hours_of_day("TIMESTAMP", "2026-03-31", 24.0, "2026-03-30T00:00:00+02:00");
    assert_hours_of_day("TIMESTAMP", "2026-10-25", 24.0, "2026-10-24T00:00:00+02:00");
    assert_hours_of_day("TIMESTAMP", "2026-10-26", 25.0, "2026-10-25T00:00:00+02:00");
    assert_hours_of_day("TIMESTAMP", "2026-10-27", 24.0, "2026-10-26T00:00:00+01:00");
}

#[test]
fn a_daily_sum_of_readings_without_the_repeated_hour_has_the_hours_of_its_day() {
    assert_hours_of_day("DATETIME", "2026-03-30", 23.0, "2026-03-29T00:00:00+01:00");
    assert_hours_of_day("DATETIME", "2026-10-27", 24.0, "2026-10-26T00:00:00+01:00");
}

#[test]
fn a_daily_sum_of_readings_holds_the_repeated_hour() {
    // Whichever pass a row is of, the day is the same.
    assert_hours_of_day("DATETIME", "2026-10-26", 25.0, "2026-10-25T00:00:00+02:00");
}
