//! A CSV file in place of the database. A row that cannot be read is an error with its line; a value that
//! is absent or no number by its own word (`NaN`, `inf`) is left out and counted.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail, ensure};
use chrono::{DateTime, NaiveDateTime};
use chrono_tz::Tz;
use csv::{Reader, ReaderBuilder, StringRecord};

use super::history::{History, Lookback};
use crate::config::Metric;
use crate::series::{LocalClock, infer_step, parse_local_time, parse_time};

#[derive(Debug, Clone, Copy)]
struct Row {
    time: RowTime,
    value: Option<f64>,
}

/// What a row says of its time.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
enum RowTime {
    Local(NaiveDateTime),
    Instant(DateTime<Tz>),
}

/// Where in a record the two columns are.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Columns {
    time: usize,
    value: usize,
}

const FIRST_TWO: Columns = Columns { time: 0, value: 1 };

pub fn history(
    path: &Path,
    metric: &Metric,
    as_of: Option<DateTime<Tz>>,
    lookback: Lookback,
    zone: Tz,
) -> Result<History> {
    let rows = instants(read_rows(path, metric, zone)?, zone);
    let times: Vec<DateTime<Tz>> = rows.iter().filter_map(|(time, _)| *time).collect();
    let last_row = times.iter().max().copied().context("it holds no rows")?;
    let step = metric.step.or_else(|| infer_step(&times)).context(
        "its times do not tell a step; name one with `every` in the metric's configuration",
    )?;
    let as_of = match as_of {
        Some(time) => time,
        // A raw row says only that time has come so far; a ready-made one speaks for its whole bucket,
        // so the last one is closed by being there.
        None if metric.aggregate.is_some() => last_row,
        None => last_row + step.delta() + metric.delay(step),
    };
    let oldest = times.iter().min().copied();
    let mut history = History::new(metric, metric.aggregate, step, as_of, lookback, oldest)?;
    for (time, value) in rows {
        history.add(time, value);
    }
    Ok(history)
}

/// Each row's instant, if it can be told, and its value.
fn instants(mut rows: Vec<Row>, zone: Tz) -> Vec<(Option<DateTime<Tz>>, Option<f64>)> {
    let descents = rows.windows(2).filter(|pair| pair[1].time < pair[0].time);
    if 2 * descents.count() > rows.len() {
        // Newest first: time runs forward only from the other end.
        rows.reverse();
    }
    let mut clock = LocalClock::InOrder(zone, None);
    let instant = |row: Row| match row.time {
        RowTime::Local(local) => (clock.instant(local), row.value),
        RowTime::Instant(time) => (Some(time), row.value),
    };
    rows.into_iter().map(instant).collect()
}

fn read_rows(path: &Path, metric: &Metric, zone: Tz) -> Result<Vec<Row>> {
    let mut reader = open(path)?;
    let mut records = reader.records();
    let first = records.next().transpose()?.context("it is empty")?;
    // A header has words where rows have their time.
    let has_time = |field: &str| parse_row_time(field, zone).is_ok();
    let is_header = !first.get(0).is_some_and(has_time);
    let (columns, first_row) = if is_header {
        (find_columns(&first, metric)?, None)
    } else {
        (FIRST_TWO, Some(Ok(first)))
    };
    let row = |record: csv::Result<StringRecord>| {
        let record = record?;
        let line = record.position().map_or(0, csv::Position::line);
        parse_row(&record, columns, zone).with_context(|| format!("line {line}"))
    };
    first_row.into_iter().chain(records).map(row).collect()
}

/// Commas, or what the first line has instead of any.
fn open(path: &Path) -> Result<Reader<BufReader<File>>> {
    let mut file = BufReader::new(File::open(path)?);
    let mut lines = file.fill_buf()?.split(|byte| *byte == b'\n');
    let line = lines.next().unwrap_or_default();
    let mut delimiters = [b',', b';', b'\t'].into_iter();
    let delimiter = delimiters.find(|delimiter| line.contains(delimiter));
    Ok(ReaderBuilder::new()
        .delimiter(delimiter.unwrap_or(b','))
        .has_headers(false)
        .trim(csv::Trim::All)
        .from_reader(file))
}

/// The columns the configuration names if the header has them, else the first two.
fn find_columns(header: &StringRecord, metric: &Metric) -> Result<Columns> {
    ensure!(
        header.len() >= 2,
        "line 1: {} column; at least a time and a value are needed",
        header.len()
    );
    let (time, value) = metric.rows.columns();
    let position = |name: Option<&str>| header.iter().position(|field| Some(field) == name);
    match (position(time), position(value)) {
        (Some(time), Some(value)) => Ok(Columns { time, value }),
        (None, None) => Ok(FIRST_TWO),
        _ => bail!(
            "line 1: the header has only one of the columns time_column = {:?} and value_column = {:?}",
            time.unwrap_or_default(),
            value.unwrap_or_default()
        ),
    }
}

fn parse_row(record: &StringRecord, columns: Columns, zone: Tz) -> Result<Row> {
    let field = |index: usize| {
        let field = record.get(index);
        field.with_context(|| format!("there is no column {}", index + 1))
    };
    Ok(Row {
        time: parse_row_time(field(columns.time)?, zone)?,
        value: parse_value(field(columns.value)?)?,
    })
}

fn parse_row_time(text: &str, zone: Tz) -> Result<RowTime> {
    match parse_local_time(text) {
        Ok(local) => Ok(RowTime::Local(local)),
        Err(_) => parse_time(text, zone).map(RowTime::Instant),
    }
}

fn parse_value(text: &str) -> Result<Option<f64>> {
    match text.to_ascii_lowercase().as_str() {
        "" | "null" | "na" | "n/a" | "\\n" => Ok(None),
        number => number.parse().map(Some).map_err(|_| {
            anyhow!("{text:?} is not a number; allowed: such as 1843.2, or nothing where there is no value")
        }),
    }
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Query, Rows};
    use crate::series::Window;
    use crate::series::sample::time;
    use crate::source::Source;

    fn read_text(text: &str, as_of: Option<DateTime<Tz>>) -> Result<Window> {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), text).expect("written");
        let mut source = Source::File(file.path().to_path_buf());
        source.latest(&Metric::of_file("sales"), as_of, time("2026-11-22 14:05"))
    }

    /// The values from the first to the last that is there.
    fn values(text: &str) -> Vec<Option<f64>> {
        let window = read_text(text, None).expect("a window");
        let split = window.series.split_latest().expect("values");
        let latest = Some(split.latest.value);
        [split.history.values(), &[latest]].concat()
    }

    const EXPECTED: [Option<f64>; 4] = [Some(1.0), None, Some(2.5), Some(3.0)];

    #[test]
    fn columns_may_be_called_anything_or_nothing() {
        let rows =
            "2026-11-22 10:00,1\n2026-11-22 10:10,2.5\n2026-11-22 10:15,3\n2026-11-22 10:05,\n";
        for text in [
            rows.to_string(),
            format!("timestamp,value\n{rows}"),
            format!("\u{feff}when,how much\n{rows}").replace('\n', "\r\n"),
            format!("when,how much\n{rows}").replace(',', ";"),
            // Offsets count.
            "2026-11-22T09:00:00Z,1\n2026-11-22T10:15:00+01:00,3\n2026-11-22T09:10:00Z,2.5\n2026-11-22T10:05:00+01:00,\n".to_string(),
        ] {
            assert_eq!(values(&text), EXPECTED, "{text}");
        }
    }

    #[test]
    fn columns_the_configuration_names_are_found_wherever_they_are() {
        let mut metric = Metric::of_file("sales");
        metric.rows = Rows::Query(Query {
            sql: String::new(),
            time_column: Some("sellTime".into()),
            value_column: Some("CA".into()),
        });
        let find = |header: [&str; 3]| find_columns(&StringRecord::from(&header[..]), &metric);
        let columns = find(["id", "CA", "sellTime"]).expect("columns");
        assert_eq!(columns, Columns { time: 2, value: 1 });
        let error = find(["id", "CA", "time"]).expect_err("a column is missing");
        let told = "only one of the columns time_column = \"sellTime\" and value_column = \"CA\"";
        assert!(error.to_string().contains(told), "{error}");
    }

    #[test]
    fn a_row_that_cannot_be_read_is_told_with_its_line() {
        for (text, told) in [
            ("t,v\n2026-11-22,abc\n", "line 2: \"abc\" is not a number"),
            ("t,v\nyesterday,1\n", "line 2: \"yesterday\" is not a time"),
            ("t,v\n2026-11-22\n", "found record with 1 fields"),
            ("2026-11-22,abc\n", "line 1: \"abc\" is not a number"),
            ("t\n2026-11-22\n", "line 1: 1 column; at least a time and"),
            ("t,v\n2026-11-22,1\n", "its times do not tell a step; name"),
            ("t,v\n", "it holds no rows"),
            ("", "it is empty"),
        ] {
            let error = format!("{:#}", read_text(text, None).expect_err(text));
            assert!(error.contains(told), "{error}");
            assert!(error.starts_with("read /"), "{error}");
        }
    }

    #[test]
    fn a_file_is_judged_as_of_its_last_row_or_the_time_asked_for() {
        let text = "t,v\n2026-11-22 10:00,1\n2026-11-22 10:05,2\n2026-11-22 10:10,3\n";
        let latest = |as_of| {
            let window = read_text(text, as_of).expect("a window");
            window.series.split_latest().map(|split| split.latest.value)
        };
        assert_eq!(latest(None), Some(3.0));
        assert_eq!(latest(Some(time("2026-11-22 10:14"))), Some(2.0));
        assert_eq!(latest(Some(time("2026-11-22 10:15"))), Some(3.0));
    }

    #[test]
    fn both_passes_of_the_repeated_hour_are_kept_oldest_or_newest_first() {
        let rows = [
            "01:30,0", "02:00,1", "02:30,1", "02:00,2", "02:30,2", "03:00,9",
        ];
        let mut rows = rows.map(|row| format!("2026-10-25 {row}\n"));
        let expected = [0.0, 1.0, 1.0, 2.0, 2.0, 9.0].map(Some);
        assert_eq!(values(&rows.concat()), expected);
        rows.reverse();
        assert_eq!(values(&rows.concat()), expected);
    }
}
