//! Whatever stands in the file is either a window, of no more buckets than fit, or refused in one line.

use std::time::Duration;

use chrono::TimeDelta;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::series::MOST_BUCKETS;

fn read_it(bytes: &[u8]) {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), bytes).expect("written");
    let (metric, zone) = (Metric::of_file("sales"), chrono_tz::Europe::Paris);
    for lookback in [Lookback::Beyond(Duration::ZERO), Lookback::Everything] {
        match history(file.path(), &metric, None, lookback, zone) {
            Ok(history) => {
                let _ = history.points(&metric, None);
                let length = history.latest(&metric).series.len();
                assert!(length <= MOST_BUCKETS + 1, "{length}");
            }
            Err(error) => {
                let told = format!("{error:#}");
                assert!(!told.contains('\n'), "{told:?}");
            }
        }
    }
}

/// Rows as people write them, and as they slip.
fn row() -> impl Strategy<Value = String> {
    let time = prop_oneof![
        // Close together, so that some make a series.
        (0..600_i64).prop_map(|step| {
            let begin = NaiveDateTime::default() + TimeDelta::days(20_750);
            (begin + TimeDelta::minutes(5 * step)).to_string()
        }),
        (0..10_000_i32, 0..14, 0..33, 0..26).prop_map(|(year, month, day, hour)| {
            format!("{year:04}-{month:02}-{day:02} {hour:02}:00")
        }),
        (any::<i32>(), any::<i16>())
            .prop_map(|(year, offset)| { format!("{year}-03-29T02:30:00.999999999+{offset}:00") }),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<String>(),
    ];
    let value = prop_oneof![
        any::<f64>().prop_map(|value| value.to_string()),
        select(vec!["", "NaN", "inf", "-1e999", "1,5", "\"", "0x1p4"]).prop_map(str::to_string),
        any::<String>(),
    ];
    (time, select(vec![",", ";", "\t", " "]), value)
        .prop_map(|(time, comma, value)| format!("{time}{comma}{value}"))
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in vec(any::<u8>(), 0..400)) {
        read_it(&bytes);
    }

    #[test]
    fn no_rows_make_it_panic(rows in vec(row(), 0..30), end in select(vec!["\n", "\r\n", "\r"])) {
        read_it(rows.join(end).as_bytes());
    }

    #[test]
    fn no_times_make_it_panic_nor_take_all_the_memory(
        times in vec(-62_000_000_000_i64..253_000_000_000, 2..20),
    ) {
        let rows = times.iter().filter_map(|time| DateTime::from_timestamp(*time, 0));
        let rows: Vec<String> = rows.map(|time| format!("{},1", time.naive_utc())).collect();
        read_it(rows.join("\n").as_bytes());
    }
}
