//! A CSV file in place of the database: a column of times and one of values, a header above them or
//! not. Every row that cannot be read is an error with its line; a value that is absent or no number
//! by its own word (`NaN`, `inf`) is left out and counted.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use chrono::{DateTime, NaiveDateTime};
use chrono_tz::Tz;
use csv::{Reader, ReaderBuilder, StringRecord};

use super::{Archive, AsOf, Reach, SlotRange};
use crate::config::{Metric, Rows};
use crate::series::{Buckets, Clock, Step, infer_step, parse_reading, parse_time};

/// A row; no time where its reading names no instant.
#[derive(Debug, Clone, Copy)]
struct Row {
    time: Option<DateTime<Tz>>,
    value: Option<f64>,
}

/// A row as it stands in the file.
#[derive(Debug, Clone, Copy)]
struct Entry {
    time: Stamp,
    value: Option<f64>,
}

/// What a row says of its time.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
enum Stamp {
    Window(NaiveDateTime),
    Instant(DateTime<Tz>),
}

/// Where in a record the two columns are.
#[derive(Debug, Clone, Copy)]
struct Columns {
    time: usize,
    value: usize,
}

const FIRST_TWO: Columns = Columns { time: 0, value: 1 };

/// Reads the buckets of a metric.
pub fn gather(
    path: &Path,
    metric: &Metric,
    as_of: AsOf,
    zone: Tz,
    reach: Reach,
) -> Result<Archive> {
    let rows = rows(path, metric, zone).with_context(|| format!("read {}", path.display()))?;
    let times: Vec<DateTime<Tz>> = rows.iter().filter_map(|row| row.time).collect();
    let last_row = times
        .iter()
        .max()
        .copied()
        .with_context(|| format!("read {}: it holds no rows", path.display()))?;
    let step = metric.step.or_else(|| infer_step(&times)).with_context(|| {
        format!("read {}: its times do not tell a step; name one with `every` in the metric's configuration", path.display())
    })?;
    let stretch = SlotRange::before(judged_as_of(as_of, last_row, metric, step), metric, step)?
        .reaching(reach, times.iter().min().copied())
        .with_context(|| format!("read {}", path.display()))?;
    let mut buckets = Buckets::new(stretch.grid.clone(), metric.aggregate);
    for row in rows {
        match row.time {
            Some(time) if stretch.holds(time) => buckets.add(time, row.value),
            Some(_) => {}
            None => buckets.add_unclear(1),
        }
    }
    Ok(Archive { stretch, buckets })
}

/// A ready-made row speaks for its whole bucket, so the last one is closed by being there; a raw row
/// says only that time has come so far.
fn judged_as_of(as_of: AsOf, last_row: DateTime<Tz>, metric: &Metric, step: Step) -> DateTime<Tz> {
    match as_of {
        AsOf::Time(time) => time,
        AsOf::LastRow if metric.aggregate.is_some() => last_row,
        AsOf::LastRow => last_row + step.delta() + metric.delay(step),
    }
}

fn rows(path: &Path, metric: &Metric, zone: Tz) -> Result<Vec<Row>> {
    let mut entries = entries(path, metric, zone)?;
    let descents = entries
        .windows(2)
        .filter(|pair| pair[1].time < pair[0].time)
        .count();
    if 2 * descents > entries.len() {
        // Newest first: time runs forward only from the other end.
        entries.reverse();
    }
    let mut clock = Clock::written_in_order(zone);
    let rows = entries.into_iter().map(|Entry { time, value }| Row {
        time: match time {
            Stamp::Window(reading) => clock.instant(reading),
            Stamp::Instant(time) => Some(time),
        },
        value,
    });
    Ok(rows.collect())
}

fn entries(path: &Path, metric: &Metric, zone: Tz) -> Result<Vec<Entry>> {
    let mut reader = open(path)?;
    let mut records = reader.records();
    let Some(first) = records.next().transpose()? else {
        bail!("it is empty");
    };
    let parse = |record: &StringRecord, columns| {
        let line = record.position().map_or(0, csv::Position::line);
        parse_entry(record, columns, zone).with_context(|| format!("line {line}"))
    };
    let mut entries = Vec::new();
    // A header has words where rows have their time.
    let is_header = first
        .get(0)
        .is_none_or(|field| parse_stamp(field, zone).is_err());
    let columns = if is_header {
        find_columns(&first, metric)?
    } else {
        entries.push(parse(&first, FIRST_TWO)?);
        FIRST_TWO
    };
    for record in records {
        entries.push(parse(&record?, columns)?);
    }
    Ok(entries)
}

/// Commas, or what the first line has instead of any.
fn open(path: &Path) -> Result<Reader<BufReader<File>>> {
    let mut file = BufReader::new(File::open(path)?);
    let start = file.fill_buf()?;
    let line = start
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    let delimiter = [b',', b';', b'\t']
        .into_iter()
        .find(|delimiter| line.contains(delimiter))
        .unwrap_or(b',');
    Ok(ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .trim(csv::Trim::All)
        .from_reader(file))
}

/// The columns the configuration names if the header has them, else the first two.
fn find_columns(header: &StringRecord, metric: &Metric) -> Result<Columns> {
    if header.len() < 2 {
        bail!(
            "line 1: {} column; at least a time and a value are needed",
            header.len()
        );
    }
    let (time, value) = match &metric.rows {
        Rows::Table {
            time_column,
            value_column,
            ..
        } => (Some(time_column), value_column.as_ref()),
        Rows::Query {
            time_column,
            value_column,
            ..
        } => (time_column.as_ref(), value_column.as_ref()),
        Rows::None => (None, None),
    };
    let position =
        |name: Option<&String>| name.and_then(|name| header.iter().position(|field| field == name));
    match (position(time), position(value)) {
        (Some(time), Some(value)) => Ok(Columns { time, value }),
        (None, None) => Ok(FIRST_TWO),
        _ => bail!(
            "line 1: the header has only one of the columns time_column = {:?} and value_column = {:?}",
            time.map_or("", String::as_str),
            value.map_or("", String::as_str)
        ),
    }
}

fn parse_entry(record: &StringRecord, columns: Columns, zone: Tz) -> Result<Entry> {
    let field = |index: usize| {
        record
            .get(index)
            .ok_or_else(|| anyhow!("there is no column {}", index + 1))
    };
    Ok(Entry {
        time: parse_stamp(field(columns.time)?, zone)?,
        value: parse_value(field(columns.value)?)?,
    })
}

fn parse_stamp(text: &str, zone: Tz) -> Result<Stamp> {
    match parse_reading(text) {
        Ok(reading) => Ok(Stamp::Window(reading)),
        Err(_) => parse_time(text, zone).map(Stamp::Instant),
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
    use crate::series::Window;

    fn read_text(text: &str, as_of: AsOf) -> Result<Window> {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), text).expect("written");
        let (metric, zone) = (Metric::of_file("sales"), chrono_tz::Europe::Paris);
        let archive = gather(file.path(), &metric, as_of, zone, Reach::Window)?;
        Ok(archive.newest(&metric))
    }

    fn values(text: &str) -> Vec<Option<f64>> {
        let reading = read_text(text, AsOf::LastRow).expect("a reading");
        let split = reading.series.split_latest().expect("values");
        split
            .history
            .values()
            .iter()
            .copied()
            .chain([Some(split.latest.value)])
            .collect()
    }

    const EXPECTED: [Option<f64>; 4] = [Some(1.0), None, Some(2.5), Some(3.0)];

    #[test]
    fn columns_may_be_called_anything_or_nothing() {
        let rows =
            "2026-11-22 10:00,1\n2026-11-22 10:10,2.5\n2026-11-22 10:15,3\n2026-11-22 10:05,\n";
        assert_eq!(values(rows), EXPECTED);
        assert_eq!(values(&format!("timestamp,value\n{rows}")), EXPECTED);
        assert_eq!(
            values(&format!(
                "\u{feff}when,how much\r\n{}",
                rows.replace('\n', "\r\n")
            )),
            EXPECTED
        );
        assert_eq!(
            values(&format!("when;how much\n{}", rows.replace(',', ";"))),
            EXPECTED
        );
    }

    #[test]
    fn columns_the_configuration_names_are_found_wherever_they_are() {
        let mut metric = Metric::of_file("sales");
        metric.rows = Rows::Query {
            sql: String::new(),
            time_column: Some("sellTime".into()),
            value_column: Some("CA".into()),
        };
        let columns = find_columns(&StringRecord::from(vec!["id", "CA", "sellTime"]), &metric)
            .expect("columns");
        assert_eq!((columns.time, columns.value), (2, 1));
        let error = find_columns(&StringRecord::from(vec!["id", "CA", "time"]), &metric)
            .expect_err("a column is missing");
        assert!(
            error.to_string().contains(
                "only one of the columns time_column = \"sellTime\" and value_column = \"CA\""
            ),
            "{error}"
        );
    }

    #[test]
    fn a_row_that_cannot_be_read_is_told_with_its_line() {
        for (text, told) in [
            (
                "t,v\n2026-11-22 10:00,1\n2026-11-22 10:05,abc\n",
                "line 3: \"abc\" is not a number",
            ),
            (
                "t,v\n2026-11-22 10:00,1\nyesterday,1\n",
                "line 3: \"yesterday\" is not a time",
            ),
            (
                "t,v\n2026-11-22 10:00,1\n2026-11-22 10:05\n",
                "found record with 1 fields",
            ),
            (
                "t\n2026-11-22 10:00\n",
                "line 1: 1 column; at least a time and a value are needed",
            ),
            ("t,v\n", "it holds no rows"),
            ("", "it is empty"),
        ] {
            let error = format!("{:#}", read_text(text, AsOf::LastRow).expect_err(text));
            assert!(error.contains(told), "{error}");
            assert!(error.starts_with("read /"), "{error}");
        }
    }

    #[test]
    fn a_first_row_that_cannot_be_read_is_no_header() {
        let error = format!(
            "{:#}",
            read_text("2026-11-22 10:00,abc\n2026-11-22 10:05,1\n", AsOf::LastRow)
                .expect_err("a bad row")
        );
        assert!(error.contains("line 1: \"abc\" is not a number"), "{error}");
    }

    #[test]
    fn a_file_written_newest_first_keeps_both_passes_of_the_repeated_hour() {
        let text = "t,v\n2026-10-25 03:00,9\n2026-10-25 02:30,2\n2026-10-25 02:00,2\n2026-10-25 02:30,1\n2026-10-25 02:00,1\n2026-10-25 01:30,0\n";
        assert_eq!(values(text), [0.0, 1.0, 1.0, 2.0, 2.0, 9.0].map(Some));
    }

    #[test]
    fn without_a_step_the_message_says_where_to_name_one() {
        let error = read_text("t,v\n2026-11-22 10:00,1\n", AsOf::LastRow)
            .expect_err("no step")
            .to_string();
        assert!(
            error.contains("its times do not tell a step; name one with `every`"),
            "{error}"
        );
    }

    #[test]
    fn an_offset_in_a_time_counts() {
        let rows = "2026-11-22T09:00:00Z,1\n2026-11-22T10:15:00+01:00,4\n2026-11-22T09:10:00Z,2.5\n2026-11-22T10:05:00+01:00,3\n";
        let reading = read_text(rows, AsOf::LastRow).expect("a reading");
        assert_eq!(
            reading
                .series
                .split_latest()
                .map(|split| split.latest.value),
            Some(4.0)
        );
    }

    #[test]
    fn a_file_is_judged_as_of_its_last_row_or_the_time_asked_for() {
        let text = "t,v\n2026-11-22 10:00,1\n2026-11-22 10:05,2\n2026-11-22 10:10,3\n";
        let at =
            |text: &str| AsOf::Time(parse_time(text, chrono_tz::Europe::Paris).expect("a time"));
        let latest = |as_of| {
            read_text(text, as_of)
                .expect("a reading")
                .series
                .split_latest()
                .map(|split| split.latest.value)
        };
        assert_eq!(latest(AsOf::LastRow), Some(3.0));
        assert_eq!(latest(at("2026-11-22 10:14")), Some(2.0));
        assert_eq!(latest(at("2026-11-22 10:15")), Some(3.0));
    }

    #[test]
    fn both_passes_of_the_repeated_hour_are_kept() {
        let mut text = String::from("t,v\n2026-10-25 01:30,0\n");
        for pass in 1..=2 {
            for minute in [0, 30] {
                text += &format!("2026-10-25 02:{minute:02},{pass}\n");
            }
        }
        text += "2026-10-25 03:00,9\n";
        assert_eq!(values(&text), [0.0, 1.0, 1.0, 2.0, 2.0, 9.0].map(Some));
    }
}
