//! Columns and cells: what their types tell, and their values as ours.

use ::mysql::consts::ColumnType;
use ::mysql::{Column, Row, Value};
use anyhow::{Context, Result, bail, ensure};
use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, Timelike};
use chrono_tz::Tz;

use super::sql::TimeColumn;
use crate::series::{Clock, clock, parse_reading};

/// The cell of a row, NULL where there is none.
pub fn of(row: &Row, index: usize) -> &Value {
    row.as_ref(index).unwrap_or(&Value::NULL)
}

/// What a column of that type tells of time.
pub fn time_column(column: &Column, name: &str) -> Result<TimeColumn> {
    match column.column_type() {
        ColumnType::MYSQL_TYPE_TIMESTAMP | ColumnType::MYSQL_TYPE_TIMESTAMP2 => {
            Ok(TimeColumn::Instant)
        }
        ColumnType::MYSQL_TYPE_DATETIME
        | ColumnType::MYSQL_TYPE_DATETIME2
        | ColumnType::MYSQL_TYPE_DATE
        | ColumnType::MYSQL_TYPE_NEWDATE => Ok(TimeColumn::WallClock),
        ColumnType::MYSQL_TYPE_LONG | ColumnType::MYSQL_TYPE_LONGLONG => Ok(TimeColumn::Seconds),
        other => bail!(
            "column {name}: its type is {}; a time must be a DATETIME, TIMESTAMP or DATE, or an INT or BIGINT of seconds since 1970",
            type_name(other)
        ),
    }
}

pub fn ensure_numeric(column: &Column) -> Result<()> {
    let numeric = column.column_type().is_numeric_type();
    ensure!(
        numeric,
        "column {}: its type is {}; a value must be a number",
        column.name_str(),
        type_name(column.column_type())
    );
    Ok(())
}

fn type_name(column_type: ColumnType) -> String {
    format!("{column_type:?}")
        .trim_start_matches("MYSQL_TYPE_")
        .trim_end_matches('2')
        .to_string()
}

/// A bound of a window as the column shows it.
pub fn bound(time: DateTime<Tz>, kind: TimeColumn) -> Value {
    match kind {
        TimeColumn::Instant => date_value(time.naive_utc()),
        TimeColumn::Seconds => Value::Int(time.timestamp()),
        TimeColumn::WallClock => date_value(time.naive_local()),
    }
}

/// The end of a window: by the wall clock, the latest reading a row before it may have.
pub fn upper_bound(time: DateTime<Tz>, kind: TimeColumn) -> Value {
    match kind {
        TimeColumn::WallClock => date_value(clock::latest_reading(time)),
        TimeColumn::Instant | TimeColumn::Seconds => bound(time, kind),
    }
}

pub fn date_value(reading: NaiveDateTime) -> Value {
    let part = |number: u32| u8::try_from(number).unwrap_or(0);
    let year = u16::try_from(reading.year()).unwrap_or(0);
    Value::Date(
        year,
        part(reading.month()),
        part(reading.day()),
        part(reading.hour()),
        part(reading.minute()),
        part(reading.second()),
        0,
    )
}

/// The instant of a cell; None where it holds no time, or one that cannot be told.
pub fn instant(
    value: &Value,
    kind: TimeColumn,
    zone: Tz,
    clock: &mut Clock,
) -> Result<Option<DateTime<Tz>>> {
    let utc = |reading: NaiveDateTime| reading.and_utc().with_timezone(&zone);
    if kind == TimeColumn::Seconds {
        let seconds = match value {
            Value::Int(seconds) => Some(*seconds),
            Value::UInt(seconds) => i64::try_from(*seconds).ok(),
            _ => None,
        };
        let instant = seconds.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
        return Ok(instant.map(|instant| instant.with_timezone(&zone)));
    }
    let reading = match value {
        Value::Date(year, month, day, hour, minute, second, micro) => {
            NaiveDate::from_ymd_opt(i32::from(*year), u32::from(*month), u32::from(*day)).and_then(
                |date| {
                    date.and_hms_micro_opt(
                        u32::from(*hour),
                        u32::from(*minute),
                        u32::from(*second),
                        *micro,
                    )
                },
            )
        }
        Value::Bytes(text) => Some(parse_reading(&String::from_utf8_lossy(text))?),
        _ => None,
    };
    Ok(reading.and_then(|reading| match kind {
        TimeColumn::WallClock => clock.instant(reading),
        TimeColumn::Instant | TimeColumn::Seconds => Some(utc(reading)),
    }))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a value beyond 2^53 keeps 15 digits, which is what a chart and a band can use"
)]
pub fn number(value: &Value) -> Result<Option<f64>> {
    Ok(match value {
        Value::NULL => None,
        Value::Int(number) => Some(*number as f64),
        Value::UInt(number) => Some(*number as f64),
        Value::Float(number) => Some(f64::from(*number)),
        Value::Double(number) => Some(*number),
        Value::Bytes(text) => {
            let text = String::from_utf8_lossy(text);
            Some(
                text.trim()
                    .parse()
                    .with_context(|| format!("the value {text:?} is not a number"))?,
            )
        }
        Value::Date(..) | Value::Time(..) => {
            bail!("the value column holds times; a value must be a number")
        }
    })
}
