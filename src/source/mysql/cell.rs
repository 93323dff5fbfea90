//! Columns and cells: what their types tell, and their values as ours.

use std::ops::Range;

use ::mysql::consts::{ColumnFlags, ColumnType};
use ::mysql::{Column, Value};
use anyhow::{Context, Result, bail, ensure};
use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, Timelike};
use chrono_tz::Tz;

use super::sql::TimeColumn;
use crate::config::TimeMeaning;
use crate::series::LocalClock;
use crate::series::local_time::{self, latest_local_time};

/// What a column of that type tells of time, or what the configuration says it does.
pub fn time_column(
    column: &Column,
    name: &str,
    meaning: Option<TimeMeaning>,
) -> Result<TimeColumn> {
    use ColumnType as Type;
    let is_date = match column.column_type() {
        Type::MYSQL_TYPE_TIMESTAMP | Type::MYSQL_TYPE_TIMESTAMP2 => None,
        Type::MYSQL_TYPE_DATETIME
        | Type::MYSQL_TYPE_DATETIME2
        | Type::MYSQL_TYPE_DATE
        | Type::MYSQL_TYPE_NEWDATE => Some(true),
        Type::MYSQL_TYPE_LONG
        | Type::MYSQL_TYPE_LONGLONG
        | Type::MYSQL_TYPE_DECIMAL
        | Type::MYSQL_TYPE_NEWDECIMAL
        | Type::MYSQL_TYPE_DOUBLE => Some(false),
        _ => bail!(
            "column {name}: its type is {}; a time must be a DATETIME, TIMESTAMP or DATE, or an INT or BIGINT of seconds since 1970{}",
            type_name(column),
            if column.column_type().is_character_type() {
                "; a query can make one of a text: CAST(... AS DATETIME), STR_TO_DATE(...)"
            } else {
                ""
            }
        ),
    };
    Ok(match (is_date, meaning) {
        (None, None | Some(TimeMeaning::Local | TimeMeaning::Utc))
        | (Some(true), Some(TimeMeaning::Utc)) => TimeColumn::Instant,
        (Some(true), None | Some(TimeMeaning::Local)) => TimeColumn::Local,
        (Some(false), None) => TimeColumn::Epoch { per_second: 1 },
        (Some(false), Some(meaning)) if let Some(per_second) = meaning.per_second() => {
            TimeColumn::Epoch { per_second }
        }
        (_, Some(meaning)) => {
            let allowed = match is_date {
                Some(false) => TimeMeaning::EPOCHS.as_slice(),
                _ => &[TimeMeaning::Local, TimeMeaning::Utc],
            };
            let allowed = allowed.iter().map(|other| format!("{:?}", other.word()));
            bail!(
                "column {name}: its type is {}, which time = \"{}\" is not; allowed: {}, or no such key",
                type_name(column),
                meaning.word(),
                allowed.collect::<Vec<_>>().join(", ")
            )
        }
    })
}

/// Of a table, whose server adds the values up.
pub fn ensure_numeric(column: &Column) -> Result<()> {
    ensure!(
        column.column_type().is_numeric_type(),
        "column {}: its type is {}; a value must be a number",
        column.name_str(),
        type_name(column)
    );
    Ok(())
}

/// Of a query, which may give numbers as text, but not as bits: 51 would be read as the digit 3.
pub fn ensure_readable(column: &Column) -> Result<()> {
    ensure!(
        column.column_type() != ColumnType::MYSQL_TYPE_BIT,
        "column {0}: its type is BIT; a value must be a number: CAST({0} AS UNSIGNED)",
        column.name_str(),
    );
    Ok(())
}

/// The type as SQL calls it.
fn type_name(column: &Column) -> &'static str {
    use ColumnType as Type;
    const BINARY: u16 = 63;
    let is_binary = column.character_set() == BINARY;
    let flags = column.flags();
    match column.column_type() {
        _ if flags.contains(ColumnFlags::ENUM_FLAG) => "ENUM",
        _ if flags.contains(ColumnFlags::SET_FLAG) => "SET",
        Type::MYSQL_TYPE_DECIMAL | Type::MYSQL_TYPE_NEWDECIMAL => "DECIMAL",
        Type::MYSQL_TYPE_TINY => "TINYINT",
        Type::MYSQL_TYPE_SHORT => "SMALLINT",
        Type::MYSQL_TYPE_INT24 => "MEDIUMINT",
        Type::MYSQL_TYPE_LONG => "INT",
        Type::MYSQL_TYPE_LONGLONG => "BIGINT",
        Type::MYSQL_TYPE_FLOAT => "FLOAT",
        Type::MYSQL_TYPE_DOUBLE => "DOUBLE",
        Type::MYSQL_TYPE_NULL => "NULL",
        Type::MYSQL_TYPE_TIMESTAMP | Type::MYSQL_TYPE_TIMESTAMP2 => "TIMESTAMP",
        Type::MYSQL_TYPE_DATE | Type::MYSQL_TYPE_NEWDATE => "DATE",
        Type::MYSQL_TYPE_TIME | Type::MYSQL_TYPE_TIME2 => "TIME",
        Type::MYSQL_TYPE_DATETIME | Type::MYSQL_TYPE_DATETIME2 => "DATETIME",
        Type::MYSQL_TYPE_YEAR => "YEAR",
        Type::MYSQL_TYPE_BIT => "BIT",
        Type::MYSQL_TYPE_JSON => "JSON",
        Type::MYSQL_TYPE_ENUM => "ENUM",
        Type::MYSQL_TYPE_SET => "SET",
        Type::MYSQL_TYPE_GEOMETRY => "GEOMETRY",
        Type::MYSQL_TYPE_STRING if is_binary => "BINARY",
        Type::MYSQL_TYPE_STRING => "CHAR",
        Type::MYSQL_TYPE_VARCHAR | Type::MYSQL_TYPE_VAR_STRING if is_binary => "VARBINARY",
        Type::MYSQL_TYPE_VARCHAR | Type::MYSQL_TYPE_VAR_STRING => "VARCHAR",
        Type::MYSQL_TYPE_TINY_BLOB
        | Type::MYSQL_TYPE_MEDIUM_BLOB
        | Type::MYSQL_TYPE_LONG_BLOB
        | Type::MYSQL_TYPE_BLOB
            if is_binary =>
        {
            "BLOB"
        }
        Type::MYSQL_TYPE_TINY_BLOB
        | Type::MYSQL_TYPE_MEDIUM_BLOB
        | Type::MYSQL_TYPE_LONG_BLOB
        | Type::MYSQL_TYPE_BLOB => "TEXT",
        _ => "unknown",
    }
}

/// The ends of a time as the column shows them; local times go on to the latest a row before it may have.
pub fn bounds(range: &Range<DateTime<Tz>>, column: TimeColumn) -> (Value, Value) {
    let (from, to) = (range.start, range.end);
    let [from, to] = match column {
        TimeColumn::Instant => [from, to].map(|time| date_value(time.naive_utc())),
        TimeColumn::Epoch { per_second } => {
            [from, to].map(|time| Value::Int(time.timestamp().saturating_mul(per_second)))
        }
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
        (TimeColumn::Epoch { per_second }, _) => {
            DateTime::from_timestamp(whole_number(value)?.div_euclid(per_second), 0)?
        }
    };
    Some(utc.with_timezone(&zone))
}

/// The first instant of a cell whose local time happens twice.
pub fn first_pass(value: &Value, column: TimeColumn, zone: Tz) -> Option<DateTime<Tz>> {
    let is_local = column == TimeColumn::Local;
    let local = date_and_time(value).filter(|_| is_local)?;
    local_time::first_pass(local, zone)
}

/// The number of a cell without its fraction; None where it holds none, or one beyond all times.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a number that large is beyond all times either way"
)]
pub fn whole_number(value: &Value) -> Option<i64> {
    match value {
        Value::Int(number) => Some(*number),
        Value::UInt(number) => i64::try_from(*number).ok(),
        other => number(other).ok()?.map(|number| number.floor() as i64),
    }
}

fn date_and_time(value: &Value) -> Option<NaiveDateTime> {
    let Value::Date(year, month, day, hour, minute, second, micro) = *value else {
        return None;
    };
    let date = NaiveDate::from_ymd_opt(year.into(), month.into(), day.into())?;
    date.and_hms_micro_opt(hour.into(), minute.into(), second.into(), micro)
}

/// A cell as a text; None where it is NULL.
pub fn text(value: &Value) -> Option<String> {
    Some(match value {
        Value::NULL => return None,
        Value::Bytes(text) => String::from_utf8_lossy(text).into_owned(),
        Value::Int(number) => number.to_string(),
        Value::UInt(number) => number.to_string(),
        Value::Date(year, month, day, 0, 0, 0, 0) => format!("{year:04}-{month:02}-{day:02}"),
        other => other.as_sql(true).trim_matches('\'').to_string(),
    })
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

/// A text as a parameter, NULL for none.
pub fn text_value(text: Option<&str>) -> Value {
    text.map_or(Value::NULL, |text| Value::Bytes(text.as_bytes().to_vec()))
}
