//! Raw rows to buckets: what each aggregate makes of them, and how the length of a
//! bucket is found.

use chrono::{NaiveDateTime, TimeDelta};

use super::shop::{
    AT, HOURLY, HOURS, NEWEST, Shop, assert_close, assert_tells, noise, the_only_line, time, times,
    wave,
};

/// Three to five sales an hour at odd seconds, of whole cents.
fn raw_sales() -> Vec<(NaiveDateTime, f64)> {
    let hours: Vec<NaiveDateTime> = times(NEWEST, 60, HOURS).collect();
    let seconds = [1, 617, 1234, 2345, 3599];
    hours
        .iter()
        .zip([3, 5, 4].into_iter().cycle())
        .flat_map(|(hour, sales)| {
            seconds[..sales].iter().map(|second| {
                let at = *hour + TimeDelta::seconds(*second);
                (at, (5_000.0 + 1_000.0 * noise(at)).round() / 100.0)
            })
        })
        .collect()
}

/// The values of the judged hour, by time.
fn judged_hour(rows: &[(NaiveDateTime, f64)]) -> Vec<f64> {
    rows.iter()
        .filter(|(at, _)| *at >= time(NEWEST))
        .map(|(_, value)| *value)
        .collect()
}

fn aggregated(by: &str) -> [String; 2] {
    let lines = format!("{HOURLY}\naggregate = \"{by}\"\ndelay = \"0s\"");
    let query = lines.replace(
        "table = \"sales\"",
        "query = \"SELECT amount, at FROM sales WHERE at >= :from AND at < :to\"",
    );
    [lines, query]
}

#[expect(clippy::cast_precision_loss, reason = "a handful")]
fn aggregate(by: &str, values: &[f64]) -> f64 {
    let sum: f64 = values.iter().sum();
    match by {
        "sum" => sum,
        "count" => values.len() as f64,
        "avg" => sum / values.len() as f64,
        "min" => values.iter().copied().fold(f64::INFINITY, f64::min),
        "max" => values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        "last" => *values.last().expect("some"),
        other => panic!("no aggregate {other}"),
    }
}

#[test]
fn a_bucket_is_its_rows_taken_together_by_the_server_as_by_bandwatch() {
    let shop = Shop::empty();
    let rows = raw_sales();
    shop.sales("DATETIME", "DECIMAL(12,2)", &rows);
    for by in ["sum", "count", "avg", "min", "max", "last"] {
        let expected = aggregate(by, &judged_hour(&rows));
        for lines in aggregated(by) {
            let judged = shop.judge(&lines, AT);
            assert_eq!(judged["time"], "2026-11-22T13:00:00+01:00", "{lines}");
            assert_close(&judged["value"], expected);
            assert_eq!(judged["rows"], rows.len(), "{lines}");
            assert_eq!(judged["rows_repeated"], 0, "{lines}");
            assert_eq!(judged["history_missing"], 0, "{lines}");
        }
    }
}

#[test]
fn of_several_last_rows_the_largest_counts() {
    let shop = Shop::healthy();
    shop.sql("INSERT INTO sales VALUES ('2026-11-22 13:30:00', 7), ('2026-11-22 13:30:00', 9), ('2026-11-22 13:30:00', 8)");
    for lines in aggregated("last") {
        assert_eq!(shop.judge(&lines, AT)["value"], 9.0, "{lines}");
    }
}

#[test]
fn rows_are_counted_without_a_value_column() {
    let shop = Shop::empty();
    let rows = raw_sales();
    shop.sales("DATETIME", "DECIMAL(12,2)", &rows);
    shop.sql("UPDATE sales SET amount = NULL");
    let [lines, _] = aggregated("count");
    let judged = shop.judge(&lines.replace("value_column = \"amount\"", ""), AT);
    assert_eq!(judged["value"], aggregate("count", &judged_hour(&rows)));
    assert_eq!(judged["rows_empty"], 0);
}

#[test]
fn a_mean_of_whole_numbers_keeps_all_its_digits() {
    let shop = Shop::empty();
    shop.sales("DATETIME", "INT", &wave(NEWEST, 60, HOURS));
    shop.sql(&format!(
        "UPDATE sales SET amount = 2 WHERE at = '{NEWEST}'"
    ));
    shop.sql(&format!(
        "INSERT INTO sales VALUES ('{NEWEST}', 0), ('{NEWEST}', 0)"
    ));
    let [table, query] = aggregated("avg");
    for lines in [HOURLY, &table, &query] {
        assert_close(&shop.judge(lines, AT)["value"], 2.0 / 3.0);
    }
}

#[test]
fn the_step_of_ready_made_rows_is_found() {
    let shop = Shop::empty();
    for (minutes, seconds) in [(30, 1800), (60, 3600)] {
        shop.sales("DATETIME", "DOUBLE", &wave(NEWEST, minutes, 4 * 48 + 1));
        for lines in ready_made() {
            let judged = shop.judge(&lines, AT);
            assert_eq!(judged["step_seconds"], seconds, "{lines}");
            assert_eq!(judged["time"], "2026-11-22T13:00:00+01:00", "{lines}");
            assert_eq!(judged["verdict"], "normal", "{lines}");
        }
    }
}

#[test]
fn a_step_that_cannot_be_found_is_asked_for() {
    let shop = Shop::empty();
    let rows: Vec<_> = raw_sales();
    shop.sales("DATETIME", "DOUBLE", &rows);
    for lines in ready_made() {
        assert_tells(
            &shop.refusal(&lines),
            &["sales", &shop.place(), "do not tell a step; set every"],
        );
    }
}

#[test]
fn an_empty_table_tells_no_step() {
    let shop = Shop::empty();
    shop.sales("DATETIME", "DOUBLE", &[(time(NEWEST), 1.0)]);
    shop.sql("DELETE FROM sales");
    for lines in ready_made() {
        let run = {
            shop.configure(&shop.mysql(), &[("sales", &lines)]);
            shop.run_at(AT, &[])
        };
        run.assert_status(1);
        assert_tells(&the_only_line(&run.stderr), &["0 newest rows", "set every"]);
    }
}

/// Without `every` and `aggregate`: a table and a query.
fn ready_made() -> [String; 2] {
    let lines = HOURLY.replace("every = \"1h\"", "");
    let query = lines.replace(
        "table = \"sales\"",
        "query = \"SELECT at, amount FROM sales WHERE at >= :from AND at < :to\"",
    );
    [lines, query]
}
