//! Whatever stands in the file is either a window, of no more buckets than fit, or refused in one line; and
//! what is written in a dialect comes back equal.

use std::time::Duration;

use chrono::{NaiveDateTime, TimeDelta};
use encoding_rs::WINDOWS_1252;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::series::MOST_BUCKETS;
use crate::source::file::history;

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
        (0..40, 0..14, 0..2100, 0..26)
            .prop_map(|(day, month, year, hour)| { format!("{day}/{month}/{year}, {hour}:00 pm") }),
        any::<String>(),
    ];
    let value = prop_oneof![
        any::<f64>().prop_map(|value| value.to_string()),
        select(vec![
            "", "NaN", "inf", "-1e999", "1,5", "\"", "0x1p4", "1.234", "€5"
        ])
        .prop_map(str::to_string),
        any::<String>(),
    ];
    (time, select(vec![",", ";", "\t", " ", "|", ",\""]), value)
        .prop_map(|(time, comma, value)| format!("{time}{comma}{value}"))
}

/// How a file is written.
#[derive(Debug, Clone)]
struct Hand {
    header: &'static str,
    delimiter: &'static str,
    time: &'static str,
    decimal_mark: char,
    thousands_mark: &'static str,
    unit: &'static str,
    line_end: &'static str,
    encoding: Encoding,
}

impl Hand {
    fn write(&self, rows: &[(NaiveDateTime, i64)]) -> Vec<u8> {
        let mut text = self.header.replace(',', self.delimiter) + self.line_end;
        for (time, cents) in rows {
            let time = time.format(self.time).to_string();
            let cells = [time, self.number(*cents)].map(|cell| format!("\"{cell}\""));
            text += &(cells.join(self.delimiter) + self.line_end);
        }
        self.encoding.encode(&text)
    }

    /// A number with two decimals.
    fn number(&self, cents: i64) -> String {
        let mut whole = (cents.abs() / 100).to_string();
        let end = whole.len();
        let places = (1..end).filter(|place| (end - place).is_multiple_of(3));
        for place in places.rev() {
            whole.insert_str(place, self.thousands_mark);
        }
        let sign = if cents < 0 { "-" } else { "" };
        let (mark, unit) = (self.decimal_mark, self.unit);
        format!("{sign}{whole}{mark}{:02}{unit}", cents.abs() % 100)
    }
}

#[derive(Debug, Clone, Copy)]
enum Encoding {
    Utf8,
    MarkedUtf8,
    Utf16Le,
    Utf16Be,
    Windows1252,
}

impl Encoding {
    fn encode(self, text: &str) -> Vec<u8> {
        let utf16 = text.encode_utf16();
        match self {
            Self::Utf8 => text.as_bytes().to_vec(),
            Self::MarkedUtf8 => format!("\u{feff}{text}").into_bytes(),
            Self::Utf16Le => utf16.flat_map(u16::to_le_bytes).collect(),
            Self::Utf16Be => utf16.flat_map(u16::to_be_bytes).collect(),
            Self::Windows1252 => WINDOWS_1252.encode(text).0.into_owned(),
        }
    }
}

fn hand() -> impl Strategy<Value = Hand> {
    let names = (
        select(vec!["time,value", "amount of time,amount", ""]),
        select(vec![",", ";", "\t", "|"]),
    );
    let time = select(vec![
        "%Y-%m-%d %H:%M:%S",
        "%Y-%m-%dT%H:%M:%SZ",
        "%d/%m/%Y %H:%M",
        "%m/%d/%Y %I:%M %p",
        "%d.%m.%Y %H:%M:%S",
        "%d-%b-%y %H:%M",
        "%Y%m%d%H%M%S",
        "%s",
        "%s000",
    ]);
    let number = (
        select(vec![
            ('.', ","),
            (',', "."),
            ('.', ""),
            (',', " "),
            ('.', "'"),
            (',', "\u{a0}"),
        ]),
        select(vec!["", " €", "%"]),
    );
    let bytes = (
        select(vec!["\n", "\r\n", "\r", ";\n"]),
        select(vec![
            Encoding::Utf8,
            Encoding::MarkedUtf8,
            Encoding::Utf16Le,
            Encoding::Utf16Be,
            Encoding::Windows1252,
        ]),
    );
    (names, time, number, bytes).prop_map(|(names, time, number, bytes)| Hand {
        header: names.0,
        delimiter: names.1,
        time,
        decimal_mark: number.0.0,
        thousands_mark: number.0.1,
        unit: number.1,
        line_end: if bytes.0 == ";\n" && names.1 != ";" {
            "\n"
        } else {
            bytes.0
        },
        encoding: bytes.1,
    })
}

proptest! {
    #[test]
    fn what_is_written_in_a_dialect_comes_back_equal(
        hand in hand(),
        cents in vec(-1_000_000_000_i64..1_000_000_000, 2..40),
    ) {
        let begin = NaiveDateTime::default() + TimeDelta::days(20_754);
        let times = (0..).map(|hour| begin + TimeDelta::hours(hour));
        let expected: Vec<(NaiveDateTime, i64)> = times.zip(cents).collect();
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), hand.write(&expected)).expect("written");
        let bytes = read_unpacked(file.path());
        let rows = bytes.and_then(|bytes| read_rows(bytes, &Metric::of_file("sales")));
        let rows = rows.map(|rows| rows.rows);
        let rows = rows.map_err(|error| TestCaseError::fail(format!("{error:#}")))?;
        let read = rows.into_iter().map(|row| {
            let time = match row.time {
                RowTime::Local(time) => time,
                RowTime::Instant(time) => time.naive_utc(),
            };
            (time, row.value)
        });
        let expected = expected.iter();
        let expected = expected.map(|(time, cents)| {
            let value = format!("{cents}e-2").parse().ok();
            (*time, value)
        });
        prop_assert_eq!(read.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
    }

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
