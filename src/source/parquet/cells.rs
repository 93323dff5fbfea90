//! The cells of a column, and what its type says of them.

use std::borrow::Cow;

use anyhow::{Context, Result, bail, ensure};
use chrono::{DateTime, Datelike, TimeDelta, Utc};
use polars_arrow::array::{
    Array, BinaryViewArray, BooleanArray, FixedSizeBinaryArray, PrimitiveArray, Utf8ViewArray,
};
use polars_arrow::datatypes::{ArrowDataType, TimeUnit};
use polars_arrow::types::NativeType;

use super::columns::Kind;
use crate::config::TimeMeaning;
use crate::source::file_rows::RowTime;

pub fn kind(dtype: &ArrowDataType) -> Kind {
    use ArrowDataType as Type;
    match dtype {
        Type::Timestamp(..) | Type::Date32 | Type::Date64 => Kind::Time,
        Type::Int8
        | Type::Int16
        | Type::Int32
        | Type::Int64
        | Type::UInt8
        | Type::UInt16
        | Type::UInt32
        | Type::UInt64 => Kind::Whole,
        Type::Float32 | Type::Float64 | Type::Decimal(..) => Kind::Fraction,
        _ => Kind::Other,
    }
}

/// Whether the cells of a column can tell series apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    Key,
    /// What is computed of them is hardly ever the same.
    Float,
    Other,
}

pub fn key_kind(dtype: &ArrowDataType) -> KeyKind {
    use ArrowDataType as Type;
    match dtype {
        Type::Float16 | Type::Float32 | Type::Float64 => KeyKind::Float,
        Type::Utf8View
        | Type::BinaryView
        | Type::FixedSizeBinary(_)
        | Type::Boolean
        | Type::Date32
        | Type::Decimal(..) => KeyKind::Key,
        _ if kind(dtype) == Kind::Whole => KeyKind::Key,
        _ => KeyKind::Other,
    }
}

/// The cells of a column of keys as a server would write them; `None` is NULL.
pub fn key_texts<'a>(
    array: &'a dyn Array,
) -> Option<Box<dyn Iterator<Item = Option<Cow<'a, str>>> + 'a>> {
    use ArrowDataType as Type;
    let any = array.as_any();
    let hex = |bytes: &[u8]| -> Cow<str> {
        let digits = bytes.iter().map(|byte| format!("{byte:02X}"));
        Cow::Owned(digits.collect())
    };
    Some(match array.dtype() {
        Type::Utf8View => {
            let cells = any.downcast_ref::<Utf8ViewArray>()?.iter();
            Box::new(cells.map(|cell| cell.map(Cow::Borrowed)))
        }
        Type::BinaryView => {
            let cells = any.downcast_ref::<BinaryViewArray>()?.iter();
            Box::new(cells.map(move |cell| cell.map(hex)))
        }
        Type::FixedSizeBinary(_) => {
            let cells = any.downcast_ref::<FixedSizeBinaryArray>()?.iter();
            Box::new(cells.map(move |cell| cell.map(hex)))
        }
        Type::Boolean => {
            let cells = any.downcast_ref::<BooleanArray>()?.iter();
            let number = |cell| Cow::Borrowed(if cell { "1" } else { "0" });
            Box::new(cells.map(move |cell| cell.map(number)))
        }
        Type::Date32 => {
            let date = |days: i32| -> Option<String> {
                let time = DateTime::UNIX_EPOCH.checked_add_signed(TimeDelta::days(days.into()))?;
                Some(time.date_naive().to_string())
            };
            let cells = cells(array, date)?.into_iter();
            Box::new(cells.map(|cell| cell.flatten().map(Cow::Owned)))
        }
        Type::Decimal(_, scale) => {
            let cells = cells(array, |digits: i128| decimal(digits, *scale))?;
            Box::new(cells.into_iter().map(|cell| cell.map(Cow::Owned)))
        }
        Type::UInt64 => {
            let cells = cells(array, |number: u64| number.to_string())?;
            Box::new(cells.into_iter().map(|cell| cell.map(Cow::Owned)))
        }
        _ => {
            let cells = whole_numbers(array)?.into_iter();
            Box::new(cells.map(|cell| Some(Cow::Owned(cell?.to_string()))))
        }
    })
}

/// `-1.50`
fn decimal(digits: i128, scale: usize) -> String {
    let sign = if digits < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", digits.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let mark = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{whole}{mark}{fraction}")
}

/// The numbers of a column that holds some; the empty cells are `None`.
#[expect(
    clippy::cast_precision_loss,
    reason = "a value beyond 2^53 keeps 15 digits, which is what a chart and a band can use"
)]
pub fn numbers(array: &dyn Array) -> Option<Vec<Option<f64>>> {
    use ArrowDataType as Type;
    match array.dtype() {
        Type::Int64 => cells(array, |number: i64| number as f64),
        Type::UInt64 => cells(array, |number: u64| number as f64),
        Type::Float32 => cells(array, |number: f32| f64::from(number)),
        Type::Float64 => cells(array, |number: f64| number),
        Type::Decimal(_, scale) => {
            // Divided, some would not be the number that their digits are.
            let number = |digits: i128| format!("{digits}e-{scale}").parse().unwrap_or(f64::NAN);
            cells(array, number)
        }
        _ => {
            let numbers = whole_numbers(array)?.into_iter();
            Some(numbers.map(|number| Some(number? as f64)).collect())
        }
    }
}

/// The whole numbers of a column that holds some; one beyond all times counts as empty.
pub fn whole_numbers(array: &dyn Array) -> Option<Vec<Option<i64>>> {
    use ArrowDataType as Type;
    match array.dtype() {
        Type::Int8 => cells(array, |number: i8| i64::from(number)),
        Type::Int16 => cells(array, |number: i16| i64::from(number)),
        Type::Int32 => cells(array, |number: i32| i64::from(number)),
        Type::Int64 => cells(array, |number: i64| number),
        Type::UInt8 => cells(array, |number: u8| i64::from(number)),
        Type::UInt16 => cells(array, |number: u16| i64::from(number)),
        Type::UInt32 => cells(array, |number: u32| i64::from(number)),
        Type::UInt64 => {
            let numbers = cells(array, |number: u64| i64::try_from(number).ok())?;
            Some(numbers.into_iter().map(Option::flatten).collect())
        }
        _ => None,
    }
}

fn cells<T: NativeType, N>(array: &dyn Array, number: impl Fn(T) -> N) -> Option<Vec<Option<N>>> {
    let array: &PrimitiveArray<T> = array.as_any().downcast_ref()?;
    Some(
        array
            .iter()
            .map(|cell| cell.copied().map(&number))
            .collect(),
    )
}

/// What the unit of a number since 1970 must be, if it is a time of our days.
pub fn unit(number: i64) -> Option<TimeMeaning> {
    let mut units = TimeMeaning::EPOCHS.into_iter();
    units.find(|unit| {
        let time = unit.per_second().and_then(|units| epoch(number, units));
        time.is_some_and(|time| (1990..2100).contains(&time.year()))
    })
}

fn epoch(number: i64, per_second: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(number.div_euclid(per_second), 0)
}

/// How the cells of a column of times are read.
#[derive(Debug, Clone, Copy)]
pub enum TimeCells {
    /// Numbers since 1970.
    Epoch { per_second: i64 },
    /// Timestamps and dates.
    Calendar { is_utc: bool },
}

impl TimeCells {
    /// As the type says, or the key `time`: a time without a zone is of the wall clock, unless it is of UTC;
    /// a number has the unit that makes it a time of our days.
    pub fn of(arrays: &[Box<dyn Array>], meaning: Option<TimeMeaning>) -> Result<Self> {
        let first = arrays.first().context("it holds no rows")?;
        if kind(first.dtype()) == Kind::Time {
            let is_utc = meaning == Some(TimeMeaning::Utc);
            return Ok(Self::Calendar { is_utc });
        }
        let meaning = if let Some(meaning) = meaning {
            meaning
        } else {
            let numbers = arrays.iter().filter_map(|array| whole_numbers(&**array));
            let number = numbers.flatten().flatten().next();
            let number = number.context("there is no time")?;
            let unit = unit(number);
            unit.with_context(|| format!("{number} is no time of our days since 1970"))?
        };
        match meaning.per_second() {
            Some(per_second) => Ok(Self::Epoch { per_second }),
            None => bail!(
                "its type is a whole number, which time = {:?} is not",
                meaning.word()
            ),
        }
    }

    /// Adds the times of a part of the column to those of the parts before.
    pub fn read(self, array: &dyn Array, times: &mut Vec<RowTime>) -> Result<()> {
        let found = match self {
            Self::Epoch { per_second } => whole_numbers(array).map(|numbers| {
                let time = |number: Option<i64>| epoch(number?, per_second);
                numbers
                    .into_iter()
                    .map(|number| time(number).map(RowTime::Instant))
                    .collect()
            }),
            Self::Calendar { is_utc } => calendar_times(array, is_utc),
        };
        let found: Vec<Option<RowTime>> = found.context("its type is no time")?;
        times.reserve(found.len());
        for time in found {
            let row = times.len() + 1;
            let told = || format!("row {row}: there is no time");
            times.push(time.with_context(told)?);
        }
        ensure!(!times.is_empty(), "it holds no rows");
        Ok(())
    }
}

fn calendar_times(array: &dyn Array, is_utc: bool) -> Option<Vec<Option<RowTime>>> {
    let days = |days: i64| DateTime::UNIX_EPOCH.checked_add_signed(TimeDelta::try_days(days)?);
    let (cells, is_instant) = match array.dtype() {
        ArrowDataType::Timestamp(unit, of_zone) => {
            let time = |number: i64| match unit {
                TimeUnit::Second => DateTime::from_timestamp(number, 0),
                TimeUnit::Millisecond => DateTime::from_timestamp_millis(number),
                TimeUnit::Microsecond => DateTime::from_timestamp_micros(number),
                TimeUnit::Nanosecond => Some(DateTime::from_timestamp_nanos(number)),
            };
            (cells(array, time)?, of_zone.is_some() || is_utc)
        }
        ArrowDataType::Date32 => (cells(array, |number: i32| days(number.into()))?, false),
        ArrowDataType::Date64 => (cells(array, DateTime::from_timestamp_millis)?, false),
        _ => return None,
    };
    let of_clock = |time: DateTime<Utc>| {
        if is_instant {
            RowTime::Instant(time)
        } else {
            RowTime::Local(time.naive_utc())
        }
    };
    // Beyond them clocks and steps overflow.
    let is_of_calendar = |time: &DateTime<Utc>| (1..=9999).contains(&time.year());
    let time = |cell: Option<Option<DateTime<Utc>>>| cell.flatten().filter(is_of_calendar);
    Some(
        cells
            .into_iter()
            .map(|cell| time(cell).map(of_clock))
            .collect(),
    )
}
