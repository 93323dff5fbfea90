use std::sync::Arc;

use polars_arrow::array::{PrimitiveArray, Utf8ViewArray};
use polars_arrow::datatypes::{ArrowDataType as Type, ArrowSchema, TimeUnit};
use polars_arrow::record_batch::RecordBatchT;
use polars_arrow::types::NativeType;
use polars_parquet::write::{
    CompressionOptions, Encoding, FileWriter, RowGroupIterator, StatisticsOptions, Version,
    WriteOptions,
};

use super::*;
use crate::config::Rows;
use crate::series::key::SeriesKey;
use crate::series::sample::time;
use crate::series::{Aggregate, Window};
use crate::source::Source;
use crate::source::file_rows::PARQUET_MAGIC;

type Column = (&'static str, Box<dyn Array>);

/// A file of two groups of rows with these columns.
fn write(columns: &[Column], compression: CompressionOptions) -> Vec<u8> {
    let fields = columns.iter().map(|(name, array)| {
        let name = (*name).into();
        Field::new(name, array.dtype().clone(), true)
    });
    let schema: ArrowSchema = fields.map(|field| (field.name.clone(), field)).collect();
    let options = WriteOptions {
        statistics: StatisticsOptions::empty(),
        version: Version::V2,
        compression,
        data_page_size: None,
    };
    let rows = columns[0].1.len();
    let groups = [(0, rows / 2), (rows / 2, rows - rows / 2)];
    let groups = groups.map(|(offset, length)| {
        let part = |(_, array): &Column| array.sliced(offset, length);
        let arrays = columns.iter().map(part).collect();
        RecordBatchT::try_new(length, Arc::new(schema.clone()), arrays)
    });
    let encodings: Vec<_> = columns.iter().map(|_| vec![Encoding::Plain]).collect();
    let groups = RowGroupIterator::try_new(groups.into_iter(), &schema, options, encodings.into());
    let mut writer = FileWriter::try_new(Vec::new(), schema, options).expect("a writer");
    let lengths = [rows / 2, rows - rows / 2];
    for (group, length) in groups.expect("groups").zip(lengths) {
        let length = u64::try_from(length).expect("few");
        writer
            .write(length, group.expect("a group"))
            .expect("written");
    }
    writer.end(None).expect("an end");
    writer.into_inner()
}

fn column<T: NativeType>(dtype: Type, cells: &[Option<T>]) -> Box<dyn Array> {
    PrimitiveArray::from(cells.to_vec()).to(dtype).boxed()
}

fn whole<T: NativeType>(dtype: Type, cells: &[T]) -> Box<dyn Array> {
    let cells: Vec<Option<T>> = cells.iter().copied().map(Some).collect();
    column(dtype, &cells)
}

fn texts(cells: &[&str]) -> Box<dyn Array> {
    Utf8ViewArray::from_slice_values(cells).boxed()
}

/// The starts of four buckets, of which the second has no value.
const SECONDS: [i64; 4] = [1_795_338_000, 1_795_338_300, 1_795_338_600, 1_795_338_900];
const EXPECTED: [Option<f64>; 4] = [Some(1.0), None, Some(2.5), Some(3.0)];

fn times_of(per_second: i64) -> [i64; 4] {
    SECONDS.map(|second| second * per_second)
}

fn values() -> Box<dyn Array> {
    column(Type::Float64, &EXPECTED)
}

fn metric() -> Metric {
    Metric::of_file("sales")
}

fn read(bytes: &[u8], metric: &Metric) -> Result<Window> {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), bytes).expect("written");
    let mut source = Source::File(file.path().to_path_buf());
    source.latest(metric, None, time("2026-11-22 14:05"))
}

/// The last four values, and when the last of them was.
fn judged(columns: &[Column], metric: &Metric) -> (Vec<Option<f64>>, String) {
    let bytes = write(columns, CompressionOptions::Uncompressed);
    let window = read(&bytes, metric).expect("a window");
    let values = window.series.values();
    let newest = window.newest.expect("a newest bucket");
    (
        values[values.len() - 4..].to_vec(),
        newest.format("%Y-%m-%d %H:%M").to_string(),
    )
}

fn told(columns: &[Column], metric: &Metric) -> String {
    let bytes = write(columns, CompressionOptions::Uncompressed);
    format!("{:#}", read(&bytes, metric).expect_err("a refusal"))
}

#[test]
fn times_are_instants_with_a_zone_and_of_the_wall_clock_without() {
    // 09:00 in UTC.
    let (paris, utc) = ("2026-11-22 10:15", "2026-11-22 09:15");
    let stamps = |unit, zone: Option<&str>, per_second| {
        let dtype = Type::Timestamp(unit, zone.map(Into::into));
        whole(dtype, &times_of(per_second))
    };
    for (times, expected) in [
        (stamps(TimeUnit::Microsecond, Some("UTC"), 1_000_000), paris),
        (
            stamps(TimeUnit::Millisecond, Some("America/New_York"), 1000),
            paris,
        ),
        (stamps(TimeUnit::Nanosecond, None, 1_000_000_000), utc),
        (whole(Type::Int64, &SECONDS), paris),
        (whole(Type::Int64, &times_of(1000)), paris),
    ] {
        let dtype = times.dtype().clone();
        let found = judged(&[("at", times), ("sold", values())], &metric());
        assert_eq!(
            found,
            (EXPECTED.to_vec(), expected.to_string()),
            "{dtype:?}"
        );
    }
    let mut metric = metric();
    metric.time = Some(TimeMeaning::Utc);
    let times = stamps(TimeUnit::Microsecond, None, 1_000_000);
    let (_, newest) = judged(&[("at", times), ("sold", values())], &metric);
    assert_eq!(newest, paris);
}

#[test]
fn dates_are_days() {
    let days = whole(Type::Date32, &[20_776_i32, 20_777, 20_778, 20_779]);
    let (found, newest) = judged(&[("day", days), ("sold", values())], &metric());
    assert_eq!(found, EXPECTED);
    assert_eq!(newest, "2026-11-22 00:00");
}

#[test]
fn values_are_numbers_of_any_type() {
    let of = |values: Box<dyn Array>| {
        let dtype = values.dtype().clone();
        let columns = [("at", whole(Type::Int64, &SECONDS)), ("sold", values)];
        let mut metric = metric();
        metric.rows = Rows::File {
            time_column: Some("at".into()),
            value_column: Some("SOLD".into()),
        };
        (judged(&columns, &metric).0, dtype)
    };
    let is = |(found, dtype): (Vec<Option<f64>>, Type), expected: [f64; 4]| {
        assert_eq!(found, expected.map(Some), "{dtype:?}");
    };
    is(
        of(whole(Type::Int8, &[1_i8, -2, 3, 4])),
        [1.0, -2.0, 3.0, 4.0],
    );
    is(
        of(whole(Type::UInt16, &[1_u16, 2, 3, 4])),
        [1.0, 2.0, 3.0, 4.0],
    );
    is(
        of(whole(Type::UInt64, &[1_u64, 2, 3, 1 << 52])),
        [1.0, 2.0, 3.0, 4_503_599_627_370_496.0],
    );
    is(
        of(whole(Type::Float32, &[0.5_f32, 2.0, 3.0, 4.0])),
        [0.5, 2.0, 3.0, 4.0],
    );
    for precision in [9, 18, 38] {
        let decimals = whole(Type::Decimal(precision, 2), &[110_i128, -1, 184_320, 7]);
        is(of(decimals), [1.1, -0.01, 1843.2, 0.07]);
    }
}

#[test]
fn a_file_of_another_writer_tells_what_the_same_rows_tell_as_csv() {
    let read = |bytes: &[u8]| {
        let window = read(bytes, &metric()).expect("a window");
        let values = window.series.values();
        values[values.len() - 100..].to_vec()
    };
    let parquet = read(include_bytes!("../../../tests/data/sales.parquet"));
    assert_eq!(
        parquet,
        read(include_bytes!("../../../tests/data/sales.csv"))
    );
}

#[test]
fn a_packed_file_is_read() {
    for compression in [
        CompressionOptions::Snappy,
        CompressionOptions::Zstd(None),
        CompressionOptions::Gzip(None),
    ] {
        let columns = [("at", whole(Type::Int64, &SECONDS)), ("sold", values())];
        let window = read(&write(&columns, compression), &metric()).expect("a window");
        assert_eq!(window.row_counts.rows, 4, "{compression:?}");
    }
}

#[test]
fn a_choice_of_columns_that_is_not_certain_is_refused() {
    let (at, sold) = (|| whole(Type::Int64, &SECONDS), values);
    let mut wanting = metric();
    wanting.rows = Rows::File {
        time_column: None,
        value_column: Some("gone".into()),
    };
    for (columns, metric, expected) in [
        (
            vec![("at", at()), ("a", sold()), ("b", sold())],
            metric(),
            "\"a\", \"b\" may each be the value; name one with value_column",
        ),
        (
            vec![("x", at()), ("y", at()), ("a", sold())],
            metric(),
            "\"x\", \"y\" may each be the time; name one with time_column",
        ),
        (
            vec![("a", sold()), ("b", sold())],
            metric(),
            "no column has times: timestamps, dates, or whole numbers since 1970; there are \"a\", \"b\"",
        ),
        (
            vec![("at", at()), ("shop", texts(&["a"; 4]))],
            metric(),
            "no column but \"at\" has numbers",
        ),
        (
            vec![("at", at()), ("a", sold())],
            wanting,
            "there is no column value_column = \"gone\"; there are \"at\", \"a\"",
        ),
    ] {
        let told = told(&columns, &metric);
        assert!(told.contains(expected), "{told}");
    }
    let mut metric = metric();
    metric.rows = Rows::File {
        time_column: Some("at".into()),
        value_column: Some("shop".into()),
    };
    let told = told(&[("at", at()), ("shop", texts(&["a"; 4]))], &metric);
    assert!(
        told.contains("column \"shop\": its type is Utf8View; a value must be a number"),
        "{told}"
    );
}

#[test]
fn many_series_in_one_file_are_refused_unless_they_are_added_up() {
    let seconds: Vec<i64> = SECONDS
        .iter()
        .flat_map(|second| [*second, *second])
        .collect();
    let columns = [
        ("at", whole(Type::Int64, &seconds)),
        ("sold", whole(Type::Float64, &[1.0; 8])),
        ("store", texts(&["a", "b", "a", "b", "a", "b", "a", "b"])),
    ];
    let told = told(&columns, &metric());
    assert!(
        told.contains("\"store\" may tell many series apart; name it with group_by"),
        "{told}"
    );
    let mut metric = metric();
    metric.aggregate = Some(Aggregate::Sum);
    assert_eq!(judged(&columns, &metric).0[2..], [Some(2.0); 2]);
}

/// The names of the series of a file whose rows have these keys, two times each.
fn names_by(keys: Box<dyn Array>) -> Result<Vec<String>> {
    let seconds: Vec<i64> = (0..2)
        .flat_map(|at| vec![SECONDS[at]; keys.len() / 2])
        .collect();
    let columns = [
        ("at", whole(Type::Int64, &seconds)),
        ("sold", whole(Type::Float64, &vec![1.0; seconds.len()])),
        ("k", keys),
    ];
    let lines = "name = \"s\"\nevery = \"5m\"\ngroup_by = [\"k\"]\nvalue_column = \"sold\"";
    let metric: Metric = toml::from_str(lines)?;
    let bytes = write(&columns, CompressionOptions::Uncompressed);
    let keys = read_rows(&bytes, &metric)?.keys.context("keys")?;
    let all = keys.all().into_iter();
    Ok(all.map(|(key, _)| metric.series_name(&key)).collect())
}

#[test]
fn keys_of_any_type_are_called_as_a_server_calls_them() {
    let long = format!("{}end", "ü".repeat(70));
    let of_long = SeriesKey::new(
        &["k".to_string()],
        [Some(SeriesKey::known_value(&long).into_owned())],
    );
    for (keys, expected) in [
        (
            whole(Type::Int32, &[42_i32, -7, 42, -7]),
            ["s{k=-7}", "s{k=42}"].map(str::to_string),
        ),
        (
            column(Type::UInt64, &[Some(u64::MAX), None, None, Some(u64::MAX)]),
            ["s{k=NULL}", "s{k=18446744073709551615}"].map(str::to_string),
        ),
        (
            whole(Type::Decimal(6, 2), &[150_i128, -5, 150, -5]),
            ["s{k=-0.05}", "s{k=1.50}"].map(str::to_string),
        ),
        (
            whole(Type::Date32, &[20_779_i32, 20_780, 20_780, 20_779]),
            ["s{k=2026-11-22}", "s{k=2026-11-23}"].map(str::to_string),
        ),
        (
            texts(&["🍎", &long, &long, "🍎"]),
            [format!("s{}", of_long.write()), "s{k=\"🍎\"}".to_string()],
        ),
    ] {
        let dtype = keys.dtype().clone();
        assert_eq!(names_by(keys).expect("names"), expected, "{dtype:?}");
    }
    let error = names_by(whole(Type::Float64, &[1.0; 4])).expect_err("no keys");
    assert!(
        error
            .to_string()
            .starts_with("group_by: \"k\" holds floating point numbers"),
        "{error}"
    );
}

#[test]
fn a_row_without_a_time_is_told() {
    let times: Vec<Option<i64>> = SECONDS
        .iter()
        .map(|second| (*second != SECONDS[2]).then_some(*second))
        .collect();
    let told = told(
        &[("at", column(Type::Int64, &times)), ("sold", values())],
        &metric(),
    );
    assert!(
        told.contains("column \"at\": row 3: there is no time"),
        "{told}"
    );
}

#[test]
fn a_file_cut_or_changed_anywhere_is_read_or_refused_in_one_line() {
    for compression in [CompressionOptions::Uncompressed, CompressionOptions::Snappy] {
        let stamps = Type::Timestamp(TimeUnit::Microsecond, None);
        let columns = [
            ("at", whole(stamps, &times_of(1_000_000))),
            ("sold", values()),
        ];
        let bytes = write(&columns, compression);
        for length in PARQUET_MAGIC.len()..bytes.len() {
            let error = read_rows(&bytes[..length], &metric()).expect_err("cut");
            assert!(
                format!("{error:#}").starts_with(NOT_WHOLE),
                "{length}: {error:#}"
            );
        }
        for place in PARQUET_MAGIC.len()..bytes.len() {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[place] ^= 1 << bit;
                if let Err(error) = read_rows(&changed, &metric()) {
                    let told = format!("{error:#}");
                    assert!(!told.contains('\n') && told.len() < 400, "{told:?}");
                }
            }
        }
    }
}
