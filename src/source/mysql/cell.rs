//! Columns and cells: what their types tell, and their values as ours.

use std::ops::Range;

use ::mysql::consts::ColumnType;
use ::mysql::{Column, Value};
use anyhow::{Context, Result, bail, ensure};
use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, Timelike};
use chrono_tz::Tz;

use super::sql::TimeColumn;
use crate::series::LocalClock;
use crate::series::local_time::latest_local_time;

/// What a column of that type tells of time.
pub fn time_column(column: &Column, name: &str) -> Result<TimeColumn> {
    match column.column_type() {
        ColumnType::MYSQL_TYPE_TIMESTAMP | ColumnType::MYSQL_TYPE_TIMESTAMP2 => {
            Ok(TimeColumn::Instant)
        }
        ColumnType::MYSQL_TYPE_DATETIME
        | ColumnType::MYSQL_TYPE_DATETIME2
        | ColumnType::MYSQL_TYPE_DATE
        | ColumnType::MYSQL_TYPE_NEWDATE => Ok(TimeColumn::Local),
        ColumnType::MYSQL_TYPE_LONG | ColumnType::MYSQL_TYPE_LONGLONG => Ok(TimeColumn::Seconds),
        other => bail!(
            "column {name}: its type is {}; a time must be a DATETIME, TIMESTAMP or DATE, or an INT or BIGINT of seconds since 1970",
            type_name(other)
        ),
    }
}

pub fn ensure_numeric(column: &Column) -> Result<()> {
    ensure!(
        column.column_type().is_numeric_type(),
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

/// The ends of a time as the column shows them; local times go on to the latest a row before it may have.
pub fn bounds(range: &Range<DateTime<Tz>>, column: TimeColumn) -> (Value, Value) {
    let (from, to) = (range.start, range.end);
    let [from, to] = match column {
        TimeColumn::Instant => [from, to].map(|time| date_value(time.naive_utc())),
        TimeColumn::Seconds => [from, to].map(|time| Value::Int(time.timestamp())),
        TimeColumn::Local => [from.naive_local(), latest_local_time(to)].map(date_value),
    };
    (from, to)
}

fn date_value(time: NaiveDateTime) -> Value {
    let part = |number: u32| u8::try_from(number).unwrap_or(0);
    Value::Date(
        u16::try_from(time.year()).unwrap_or(0),
        part(time.month()),
        part(time.day()),
        part(time.hour()),
        part(time.minute()),
        part(time.second()),
        0,
    )
}

/// The instant of a cell; None where it holds no time, or one that cannot be told.
pub fn instant(
    value: &Value,
    column: TimeColumn,
    zone: Tz,
    clock: &mut LocalClock,
) -> Option<DateTime<Tz>> {
    let utc = match (column, value) {
        (TimeColumn::Local, _) => return clock.instant(date_and_time(value)?),
        (TimeColumn::Instant, _) => date_and_time(value)?.and_utc(),
        (TimeColumn::Seconds, _) => {
            DateTime::from_timestamp(::mysql::from_value_opt(value.clone()).ok()?, 0)?
        }
    };
    Some(utc.with_timezone(&zone))
}

fn date_and_time(value: &Value) -> Option<NaiveDateTime> {
    let Value::Date(year, month, day, hour, minute, second, micro) = *value else {
        return None;
    };
    let date = NaiveDate::from_ymd_opt(year.into(), month.into(), day.into())?;
    date.and_hms_micro_opt(hour.into(), minute.into(), second.into(), micro)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a value beyond 2^53 keeps 15 digits, which is what a chart and a band can use"
)]
pub fn number(value: &Value) -> Result<Option<f64>> {
    Ok(Some(match value {
        Value::NULL => return Ok(None),
        Value::Int(number) => *number as f64,
        Value::UInt(number) => *number as f64,
        Value::Float(number) => f64::from(*number),
        Value::Double(number) => *number,
        Value::Bytes(text) => {
            let text = String::from_utf8_lossy(text);
            let number = text.trim().parse();
            number.with_context(|| format!("the value {text:?} is not a number"))?
        }
        Value::Date(..) | Value::Time(..) => {
            bail!("the value column holds times; a value must be a number")
        }
    }))
}
