//! Buckets of a month, made by the server and here: of the wall clock of Paris, whatever the column tells.

use chrono::{Months, NaiveDateTime, TimeDelta, TimeZone};
use chrono_tz::Europe::Paris;

use super::shop::{Shop, noise, time};

/// Two sales a day, a quarter of an hour after midnight and one before it, by the wall clock.
fn sales() -> Vec<(NaiveDateTime, f64)> {
    let (begin, minutes) = (time("2024-05-01 00:15:00"), [0, 1410]);
    let times = (0..30 * 31).flat_map(|day| {
        let midnight = begin + TimeDelta::days(day);
        minutes.map(|minute| midnight + TimeDelta::minutes(minute))
    });
    let rows = times.map(|at| (at, (100.0 + 3.0 * noise(at)).round()));
    rows.filter(|(at, _)| *at < time("2026-11-03 00:00:00"))
        .collect()
}

fn monthly(table: &str, aggregate: &str) -> [String; 2] {
    let lines = format!("time_column = \"at\"\nvalue_column = \"amount\"\n{aggregate}\n");
    let query =
        format!("query = \"SELECT at, amount FROM {table} WHERE at >= :from AND at < :to\"\n");
    [format!("table = \"{table}\"\n{lines}"), query + &lines]
}

#[test]
fn a_month_is_that_of_the_wall_clock_whatever_the_column_tells() {
    let shop = Shop::empty();
    let local = sales();
    shop.sales("DATETIME", "DOUBLE", &local);
    shop.sql("ALTER TABLE sales RENAME TO walls");
    let utc = local.iter().map(|(at, value)| {
        let instant = Paris.from_local_datetime(at).single();
        (instant.expect("no repeated hour").naive_utc(), *value)
    });
    shop.sales("TIMESTAMP", "DOUBLE", &utc.collect::<Vec<_>>());
    shop.sql("CREATE TABLE seconds (at BIGINT UNSIGNED, amount DOUBLE)");
    shop.sql("INSERT INTO seconds SELECT UNIX_TIMESTAMP(at), amount FROM sales");
    let count = "every = \"1mo\"\naggregate = \"count\"";
    for table in ["walls", "sales", "seconds"] {
        for lines in monthly(table, count) {
            // The last day of a month may still receive rows on the day after.
            for (at, start, days) in [
                ("2026-11-02 00:05", "2026-10-01T00:00:00+02:00", 31.0),
                ("2026-11-01 23:55", "2026-09-01T00:00:00+02:00", 30.0),
                ("2026-04-02 00:05", "2026-03-01T00:00:00+01:00", 31.0),
                ("2026-03-02 00:05", "2026-02-01T00:00:00+01:00", 28.0),
            ] {
                let judged = shop.judge(&lines, at);
                assert_eq!(judged["time"], start, "{lines}");
                assert_eq!(judged["value"], 2.0 * days, "{lines}");
                assert_eq!(judged["step"], "1mo");
            }
        }
        let sums = monthly(table, &count.replace("count", "sum"));
        let [by_table, by_query] = sums.map(|lines| shop.judge(&lines, "2026-11-02 00:05"));
        assert_eq!(by_table, by_query, "{table}");
        assert_eq!(by_table["verdict"], "normal", "{by_table}");
    }
}

#[test]
fn rows_of_one_month_each_tell_their_step() {
    let shop = Shop::empty();
    let rows = (0..30).map(|month| {
        let at = time("2024-05-01 00:00:00") + Months::new(month);
        (at, (1000.0 + 30.0 * noise(at)).round())
    });
    shop.sales("DATE", "DOUBLE", &rows.collect::<Vec<_>>());
    for lines in monthly("sales", "") {
        let judged = shop.judge(&lines, "2026-11-01 00:05");
        assert_eq!(judged["step"], "1mo", "{lines}");
        assert_eq!(judged["time"], "2026-10-01T00:00:00+02:00", "{lines}");
        assert_eq!(judged["history_buckets"], 29, "{lines}");
        assert_eq!(judged["history_missing"], 0, "{lines}");
        let told = shop.told(&lines, "2026-11-01 00:05");
        assert!(told.contains(" in October 2026, expected "), "{told}");
    }
}
