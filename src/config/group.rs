//! `group_by` and what goes with it: which columns tell the series of a metric apart, which of the series are
//! watched, and what they are called.

use chrono::TimeDelta;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::output::shorten;
use crate::series::key::{NULL, SeriesKey, Written, read_value};

/// More series of one metric are not watched: they are more than anybody means to.
pub const MOST_SERIES: usize = 20_000;

/// More key columns name nothing that people know.
pub const MOST_COLUMNS: usize = 5;

/// A pattern for a longer value is a mistake.
const LONGEST_PATTERN: usize = 1000;

/// So much of a pattern stands in a message about it.
const SHOWN: usize = 60;

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
#[derive(Debug, Clone, Deserialize, JsonSchema)]
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
        let values = values.ok_or_else(|| {
            let text = shorten(&text, SHOWN);
            format!("{text:?} names no key; allowed: {allowed}")
        })?;
        let lengths = values.iter().map(ValuePattern::length);
        if let Some(length) = lengths.max().filter(|length| *length > LONGEST_PATTERN) {
            let text = shorten(&text, SHOWN);
            return Err(format!(
                "{text:?} has a value of {length} characters; allowed: up to {LONGEST_PATTERN}"
            ));
        }
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
    fn length(&self) -> usize {
        match self {
            Self::Any | Self::Null => 0,
            Self::Is(text) | Self::Like(text) => text.chars().count(),
        }
    }

    /// Whether a value is meant, given as a whole.
    pub fn matches(&self, value: Option<&str>) -> bool {
        match (self, value) {
            (Self::Any, _) => true,
            (Self::Null, value) => value.is_none(),
            (Self::Is(_) | Self::Like(_), None) => false,
            (Self::Is(text), Some(value)) => {
                value == text || SeriesKey::known_value(value) == *text
            }
            (Self::Like(pattern), Some(value)) => is_like(value, pattern),
        }
    }

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

/// Whether a text is that of a pattern, in which `*` stands for any text.
fn is_like(value: &str, pattern: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return value == pattern;
    };
    let (between, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    let inner = value.strip_prefix(first);
    let Some(mut inner) = inner.and_then(|inner| inner.strip_suffix(last)) else {
        return false;
    };
    between.split('*').all(|part| {
        let rest = inner.find(part).map(|at| &inner[at + part.len()..]);
        inner = rest.unwrap_or_default();
        rest.is_some()
    })
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

    #[test]
    fn a_pattern_may_be_as_long_as_a_value_that_people_mean() {
        let value = |length: usize| "ü".repeat(length);
        assert_eq!(
            parse(&value(1000), 1),
            Ok(KeyPattern(vec![ValuePattern::Is(value(1000))]))
        );
        let refusal = parse(&format!("{}*", value(1000)), 1).expect_err("too long");
        assert!(
            refusal.ends_with("has a value of 1001 characters; allowed: up to 1000"),
            "{refusal}"
        );
    }

    #[test]
    fn a_value_is_held_against_a_pattern_as_a_whole() {
        let long = format!("{}end", "x".repeat(100));
        let known = SeriesKey::known_value(&long).into_owned();
        for (pattern, value, is_meant) in [
            ("*", None, true),
            ("NULL", None, true),
            ("NULL", Some("NULL"), false),
            ("\"NULL\"", Some("NULL"), true),
            ("DE", Some("DE"), true),
            ("DE", Some("de"), false),
            ("DE*", Some("DE"), true),
            ("*b*c*", Some("abxcd"), true),
            ("*b*c*", Some("acxbd"), false),
            ("ab*ba", Some("aba"), false),
            ("*", Some(""), true),
            (long.as_str(), Some(long.as_str()), true),
            (known.as_str(), Some(long.as_str()), true),
            ("x*end", Some(long.as_str()), true),
        ] {
            let KeyPattern(parts) = parse(pattern, 1).expect(pattern);
            assert_eq!(parts[0].matches(value), is_meant, "{pattern} {value:?}");
        }
    }
}
