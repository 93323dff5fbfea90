//! Which column has the times and which the values: those the configuration names; else the only ones that
//! can be.

use std::collections::HashSet;

use anyhow::{Context, Result, bail, ensure};
use polars_arrow::datatypes::Field;

use super::cells::{KeyKind, key_kind};
use super::{kind, shown};
use crate::config::Metric;
use crate::series::Aggregate;
use crate::source::file_columns::Columns;
use crate::source::file_rows::{RowTime, other_names};

/// What the cells of a column can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A timestamp or a date.
    Time,
    /// A value, or a time since 1970.
    Whole,
    /// A value.
    Fraction,
    Other,
}

impl Columns {
    /// Whether the numbers of a column are times may be asked of its cells.
    pub fn of_fields(
        fields: &[Field],
        metric: &Metric,
        looks_like_times: impl Fn(usize) -> Result<bool>,
    ) -> Result<Self> {
        let names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
        let hint = other_names(&names, metric);
        let (time, value) = match hint {
            Some(_) => (None, None),
            None => metric.rows.columns(),
        };
        let find = |key, name: Option<&str>| name.map(|name| find_named(fields, key, name));
        let time = find("time_column", time).transpose()?;
        let value = find("value_column", value).transpose()?;
        let group = metric.group.as_ref();
        let title = group.and_then(|group| group.title_column.as_deref());
        let title = find("title_column", title).transpose()?;
        let keys = metric.key_columns();
        let keys = keys.iter().map(|name| find_named(fields, "group_by", name));
        let keys: Vec<usize> = keys.collect::<Result<_>>()?;
        let of_group: Vec<usize> = keys.iter().copied().chain(title).collect();
        for column in &of_group {
            check_key_type(&fields[*column])?;
        }
        let taken: Vec<usize> = of_group.iter().copied().chain(value).collect();
        let time = match time {
            Some(time) => time,
            None => find_time(fields, &taken, looks_like_times)?,
        };
        ensure!(
            matches!(kind(&fields[time]), Kind::Time | Kind::Whole),
            "{}; a time must be a timestamp, a date, or a whole number since 1970",
            type_of(&fields[time])
        );
        let counts = metric.aggregate == Some(Aggregate::Count) && value.is_none();
        let value = match value {
            None if counts => None,
            None => Some(find_value(fields, time, &of_group)?),
            value => value,
        };
        if let Some(value) = value {
            ensure!(
                value != time,
                "time_column and value_column are the same column {}",
                shown(&fields[time].name)
            );
            ensure!(
                matches!(kind(&fields[value]), Kind::Whole | Kind::Fraction),
                "{}; a value must be a number",
                type_of(&fields[value])
            );
        }
        let columns = Self {
            time,
            value,
            keys,
            title,
            hint,
        };
        columns.with_keys_apart(|column| shown(&fields[column].name))
    }

    /// Where most times come more than once, another column may tell many series apart.
    pub fn check_key(&self, fields: &[Field], times: &[RowTime]) -> Result<()> {
        let is_other =
            |(index, _): &(usize, &Field)| *index != self.time && Some(*index) != self.value;
        let mut others: Vec<&Field> = fields
            .iter()
            .enumerate()
            .filter(is_other)
            .map(|(_, field)| field)
            .collect();
        others.retain(|field| kind(field) != Kind::Fraction && kind(field) != Kind::Time);
        let distinct = || {
            let marks = times.iter().map(|time| match time {
                RowTime::Local(time) => time.and_utc().timestamp_micros(),
                RowTime::Instant(time) => time.timestamp_micros(),
            });
            marks.collect::<HashSet<i64>>().len()
        };
        if others.is_empty() || 2 * distinct() > times.len() {
            return Ok(());
        }
        // A text is a key more likely than a number is.
        others.sort_by_key(|field| kind(field) != Kind::Other);
        bail!(
            "most of its times come more than once: {} may tell many series apart; name it with group_by in the metric's configuration, write a file of one of them, or set aggregate",
            names(others)
        )
    }
}

/// As for those of a table.
fn check_key_type(field: &Field) -> Result<()> {
    let name = shown(&field.name);
    match key_kind(field.dtype()) {
        KeyKind::Key => Ok(()),
        KeyKind::Float => bail!(
            "group_by: {name} holds floating point numbers, which are no keys; allowed: whole numbers, decimal ones, texts, dates"
        ),
        KeyKind::Other => bail!(
            "{}, which is no key; allowed: whole numbers, decimal ones, texts, dates",
            type_of(field)
        ),
    }
}

/// By its name, whose case does not matter if that leaves no doubt.
fn find_named(fields: &[Field], key: &str, name: &str) -> Result<usize> {
    let find = |is_it: &dyn Fn(&str) -> bool| -> Vec<usize> {
        let columns = fields.iter().enumerate();
        let columns = columns.filter(|(_, field)| is_it(&field.name));
        columns.map(|(column, _)| column).collect()
    };
    let mut found = find(&|other| other == name);
    if found.is_empty() {
        found = find(&|other| other.to_lowercase() == name.to_lowercase());
    }
    match found[..] {
        [column] => Ok(column),
        [] => bail!(
            "there is no column {key} = {name:?}; there are {}",
            names(fields)
        ),
        _ => bail!(
            "there are {} columns {key} = {name:?}; give each its own name",
            found.len()
        ),
    }
}

fn find_time(
    fields: &[Field],
    taken: &[usize],
    looks_like_times: impl Fn(usize) -> Result<bool>,
) -> Result<usize> {
    let of = |wanted: Kind| -> Vec<usize> {
        let columns = (0..fields.len()).filter(|column| !taken.contains(column));
        columns
            .filter(|column| kind(&fields[*column]) == wanted)
            .collect()
    };
    let mut found = of(Kind::Time);
    if found.is_empty() {
        for column in of(Kind::Whole) {
            if looks_like_times(column)? {
                found.push(column);
            }
        }
    }
    match found[..] {
        [column] => Ok(column),
        [] => bail!(
            "no column has times: timestamps, dates, or whole numbers since 1970; there are {}",
            names(fields)
        ),
        _ => default_name(fields, &found, "time").with_context(|| {
            format!(
                "{} may each be the time; name one with time_column in the metric's configuration",
                names(found.iter().map(|column| &fields[*column]))
            )
        }),
    }
}

fn find_value(fields: &[Field], time: usize, taken: &[usize]) -> Result<usize> {
    let is_number = |column: &usize| matches!(kind(&fields[*column]), Kind::Whole | Kind::Fraction);
    let others = (0..fields.len()).filter(|column| *column != time && !taken.contains(column));
    let found: Vec<usize> = others.filter(is_number).collect();
    match found[..] {
        [column] => Ok(column),
        [] => bail!("no column but {} has numbers", shown(&fields[time].name)),
        _ => default_name(fields, &found, "value").with_context(|| {
            format!(
                "{} may each be the value; name one with value_column in the metric's configuration, or leave only one",
                names(found.iter().map(|column| &fields[*column]))
            )
        }),
    }
}

fn default_name(fields: &[Field], columns: &[usize], name: &str) -> Option<usize> {
    let is_it = |column: &usize| fields[*column].name.eq_ignore_ascii_case(name);
    let mut columns = columns.iter().copied().filter(is_it);
    columns.next().filter(|_| columns.next().is_none())
}

fn type_of(field: &Field) -> String {
    format!(
        "column {}: its type is {:?}",
        shown(&field.name),
        field.dtype()
    )
}

fn names<'f>(fields: impl IntoIterator<Item = &'f Field>) -> String {
    let names = fields.into_iter().map(|field| shown(&field.name));
    names.collect::<Vec<_>>().join(", ")
}
