//! A CSV file in place of the database, in whatever dialect a spreadsheet or database wrote it. What could be
//! read in two ways is refused, and so is a row that cannot be read, with its line; a value that is absent
//! or no number by its own word (`NaN`, `inf`) is left out and counted.

mod columns;
mod content;
mod numbers;
mod table;
mod times;

use anyhow::{Context, Result, ensure};
use chrono::DateTime;
use chrono_tz::Tz;

use numbers::NumberColumn;
use table::Table;
use times::{CellTime, TimeColumn};

pub use content::read_unpacked;

use super::file_columns::Columns;
use super::file_keys::{RowKeys, ValueId};
use super::file_rows::{FileRows, Row, RowTime, history_of_rows};
use super::history::{History, Lookback};
use crate::config::Metric;

pub fn history_of_text(
    text: &str,
    metric: &Metric,
    as_of: Option<DateTime<Tz>>,
    lookback: Lookback,
    zone: Tz,
) -> Result<History> {
    let rows = rows_of_text(text, metric)?;
    history_of_rows(rows, metric, as_of, lookback, zone)
}

pub fn read_rows(bytes: Vec<u8>, metric: &Metric) -> Result<FileRows> {
    rows_of_text(&content::to_text(bytes)?, metric)
}

fn rows_of_text(text: &str, metric: &Metric) -> Result<FileRows> {
    let table = Table::new(text)?;
    ensure!(table.width > 0, "it is empty");
    let columns = Columns::of_table(&table, metric)?;
    let (mut times, mut numbers) = (TimeColumn::default(), NumberColumn::default());
    for row in table.rows() {
        let row = row?;
        let learnt = times.learn(row.cell(columns.time));
        let learnt = learnt.and_then(|()| match columns.value {
            Some(value) => numbers.learn(row.cell(value)),
            None => Ok(()),
        });
        learnt.with_context(|| format!("line {}", row.line))?;
    }
    let name = |column| match table.header {
        Some(_) => format!("column {}", table.name(column)),
        None => table.name(column),
    };
    let time_format = times.format().with_context(|| name(columns.time))?;
    let number_format = numbers.format();
    let number_format = number_format.with_context(|| name(columns.value.unwrap_or_default()))?;
    let mut keys = RowKeys::of(metric);
    let mut rows = Vec::new();
    for row in table.rows() {
        let row = row?;
        let value = match columns.value {
            Some(value) => number_format.read(row.cell(value))?,
            None => Some(1.0),
        };
        let time = match time_format.read(row.cell(columns.time))? {
            CellTime::Local(time) => RowTime::Local(time),
            CellTime::Instant(time) => RowTime::Instant(time.to_utc()),
        };
        if let Some(keys) = &mut keys {
            let columns_of_key = columns.keys.iter().enumerate();
            let values = columns_of_key
                .map(|(index, column)| keys.value(index, key_text(row.cell(*column))));
            let values: Vec<ValueId> = values.collect();
            let key = keys.add(&values)?;
            let title = columns.title.and_then(|title| key_text(row.cell(title)));
            keys.note_title(key, time, title);
        }
        rows.push(Row { time, value });
    }
    Ok(FileRows {
        rows,
        keys,
        hint: columns.hint,
    })
}

/// What a cell says; `None` where it stands for NULL, as databases and spreadsheets write that.
fn key_text(cell: &str) -> Option<&str> {
    Some(cell).filter(|cell| !matches!(*cell, "" | "NULL" | "\\N"))
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests {
    use super::*;
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
    fn a_row_that_cannot_be_read_is_told_with_its_line() {
        for (text, told) in [
            ("t,v\n2026-11-22,abc\n", "line 2: \"abc\" is not a number"),
            ("t,v\nyesterday,1\n", "line 2: \"yesterday\" is not a time"),
            (
                "t,v\n2026-11-22\n",
                "line 2 has fewer cells than line 1: 1 for 2",
            ),
            ("2026-11-22,abc\n", "line 1: \"abc\" is not a number"),
            (
                "2026-13-22,1\n2026-11-22,1\n",
                "line 1: \"2026-13-22\" is not a time",
            ),
            (
                "t,v\n,1\n",
                "line 2: there is no time; if this row is a total",
            ),
            (
                "t\n2026-11-22\n",
                "line 2: only one column; a time and a value",
            ),
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

    /// Rows of the first of so many months up to October 2026.
    fn months(count: i64) -> String {
        let rows = (0..count).map(|number| {
            let month = 2026 * 12 + 9 - (count - 1 - number);
            let (year, month) = (month.div_euclid(12), month.rem_euclid(12) + 1);
            format!("{year}-{month:02}-01,{}\n", 100 + number * 7 % 10)
        });
        format!("month,sales\n{}", rows.collect::<String>())
    }

    #[test]
    fn rows_of_the_first_of_each_month_are_months_that_are_closed_with_the_last() {
        let window = read_text(&months(5), None).expect("a window");
        assert_eq!(window.step().to_string(), "1mo");
        assert_eq!(window.as_of, time("2026-11-01"));
        assert_eq!(window.newest, Some(time("2026-10-01")));
        let window = read_text(&months(5), Some(time("2026-10-31"))).expect("a window");
        assert_eq!(window.newest, Some(time("2026-09-01")));
    }

    #[test]
    fn a_backtest_of_months_needs_half_of_them_or_two_years_before_the_first() {
        let mut metric = Metric::of_file("sales");
        let mut judged = |count, window| {
            let text = months(count);
            metric.window = window;
            let zone = crate::series::sample::PARIS;
            let history = history_of_text(&text, &metric, None, Lookback::Everything, zone);
            history.expect("a history").points(&metric, None).len()
        };
        assert_eq!(judged(30, None), 6);
        assert_eq!(judged(80, None), 41);
        // No more than a full window.
        assert_eq!(judged(200, None), 140);
        let three_years = Some(std::time::Duration::from_hours(1096 * 24));
        assert_eq!(judged(80, three_years), 44);
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
