//! `group_by` and what goes with it: which columns tell the series of a metric apart, which of the series are
//! watched, and what they are called.

use chrono::TimeDelta;
use serde::Deserialize;

use crate::series::key::{NULL, SeriesKey, Written, read_value};

/// More series of one metric are not watched: they are more than anybody means to.
pub const MOST_SERIES: usize = 20_000;

/// More key columns name nothing that people know.
pub const MOST_COLUMNS: usize = 5;

/// How the rows of a metric are many series.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// The key columns, at least one.
    pub columns: Vec<String>,
    /// Only so many are watched, those with the largest volume.
    pub top: Option<usize>,
    /// Only these are watched, if any is named.
    pub include: Vec<KeyPattern>,
    /// These are not.
    pub exclude: Vec<KeyPattern>,
    /// The column that has what people call a series.
    pub title_column: Option<String>,
    /// A series that has had no data for so long is forgotten.
    pub forget_after: TimeDelta,
}

/// Which of the series of a metric one is.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// The name of the metric.
    pub metric: String,
    pub key: SeriesKey,
}

/// Which keys are meant: what each of the columns must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPattern(pub Vec<ValuePattern>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValuePattern {
    Any,
    Null,
    Is(String),
    /// With `*` for any text.
    Like(String),
}

/// A pattern as it is written in the file.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum PatternText {
    Number(i64),
    Text(String),
}

impl Group {
    /// Of no column, and with nothing else set.
    pub fn of_nothing() -> Self {
        Self {
            columns: Vec::new(),
            top: None,
            include: Vec::new(),
            exclude: Vec::new(),
            title_column: None,
            forget_after: TimeDelta::zero(),
        }
    }
}

impl PatternText {
    /// The pattern for so many columns.
    pub fn parse(&self, columns: usize) -> Result<KeyPattern, String> {
        let text = match self {
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text.clone(),
        };
        let is_one_value = columns == 1 && !text.starts_with('"');
        let values = if is_one_value {
            Some(vec![ValuePattern::of(Written::Plain(text.clone()))])
        } else {
            split(&text)
        };
        let values = values.filter(|values| values.len() == columns);
        let allowed = if columns == 1 {
            "a value, with * for any text".to_string()
        } else {
            format!(
                "{columns} values with commas between them, as in \"DE,*\", those with a comma in quotation marks"
            )
        };
        let values = values.ok_or_else(|| format!("{text:?} names no key; allowed: {allowed}"))?;
        Ok(KeyPattern(values))
    }
}

fn split(text: &str) -> Option<Vec<ValuePattern>> {
    let (mut values, mut rest) = (Vec::new(), text);
    loop {
        let (written, left) = read_value(rest)?;
        values.push(ValuePattern::of(written));
        if left.is_empty() {
            return Some(values);
        }
        rest = left.strip_prefix(',')?;
    }
}

impl ValuePattern {
    fn of(written: Written) -> Self {
        match written {
            Written::Quoted(text) => Self::Is(text),
            Written::Plain(text) => match text.trim() {
                "*" => Self::Any,
                NULL => Self::Null,
                text if text.contains('*') => Self::Like(text.to_string()),
                text => Self::Is(text.to_string()),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str, columns: usize) -> Result<KeyPattern, String> {
        PatternText::Text(text.to_string()).parse(columns)
    }

    #[test]
    fn a_pattern_has_a_value_a_column() {
        let is = |text: &str| ValuePattern::Is(text.to_string());
        let like = |text: &str| ValuePattern::Like(text.to_string());
        let (any, null) = (ValuePattern::Any, ValuePattern::Null);
        for (text, columns, expected) in [
            ("42", 1, vec![is("42")]),
            ("a, b", 1, vec![is("a, b")]),
            ("\"NULL\"", 1, vec![is("NULL")]),
            ("NULL", 1, vec![null.clone()]),
            ("DE*", 1, vec![like("DE*")]),
            ("DE,*", 2, vec![is("DE"), any]),
            ("\"a,b*\", NULL", 2, vec![is("a,b*"), null]),
        ] {
            assert_eq!(parse(text, columns), Ok(KeyPattern(expected)), "{text}");
        }
        assert_eq!(
            PatternText::Number(42).parse(1),
            Ok(KeyPattern(vec![is("42")]))
        );
        for (text, columns) in [("DE", 2), ("DE,A,B", 2), ("\"DE", 1), ("\"DE\"x", 1)] {
            assert!(parse(text, columns).is_err(), "{text}");
        }
    }
}
