//! The SELECTs of a metric with many series. Rows come ordered by key, so that one series after the other is
//! whole. Values of keys are bound, never written out.
//!
//! Texts are told apart by each byte, whatever the collation: one that took `de` for `DE` would call a series
//! now so and now so. Of a long one its beginning and a mark of the whole are asked for, so that no key is
//! longer than what a server sorts by (`max_sort_length`).

use super::{name, quote, value, within};
use crate::config::{Group, KeyPattern, Table, ValuePattern};
use crate::series::Aggregate;
use crate::series::key::SeriesKey;

/// A key column, and how its values are told apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyColumn {
    pub name: String,
    pub kind: KeyKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// Numbers and times: as they are.
    Plain,
    Text,
    /// Bytes, which are written in hexadecimal digits.
    Binary,
}

/// Where values are bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placeholders {
    /// By their order.
    Positional,
    /// By their names, as a query has those of `:from` and `:to`.
    Named,
}

/// A condition, and what is bound in it. A `None` is NULL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// Empty, or begins with ` AND `.
    pub text: String,
    pub values: Vec<Option<String>>,
    placeholders: Placeholders,
}

/// The buckets of all series of a table.
#[derive(Debug, Clone, Copy)]
pub struct SeriesBuckets<'a> {
    pub table: &'a Table,
    pub aggregate: Option<Aggregate>,
    /// The number of a row's bucket.
    pub bucket: &'a str,
    pub group: &'a Group,
    pub keys: &'a [KeyColumn],
    /// Which series are wanted.
    pub wanted: &'a Condition,
    pub part: Part,
}

/// Which of the series are asked for, in their order. After a look that was cut short they are asked for in two
/// parts: to sort them otherwise would make the server sort them all before it sends any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    All,
    /// Those after a key.
    After,
    /// That key, and those before it.
    UpTo,
}

impl KeyColumn {
    /// What two rows of one series have alike.
    fn expression(&self) -> String {
        let column = quote(&self.name);
        let text = match self.kind {
            KeyKind::Plain => return column,
            KeyKind::Text => column.clone(),
            KeyKind::Binary => format!("HEX({column})"),
        };
        let text = format!("CONVERT({text} USING utf8mb4)");
        let (longest, mark) = (SeriesKey::LONGEST_VALUE, SeriesKey::MARK);
        format!(
            "CAST(CASE WHEN CHAR_LENGTH({text}) > {longest} \
             THEN CONCAT(LEFT({text}, {longest}), CONVERT(LEFT(SHA2({column}, 256), {mark}) USING utf8mb4)) \
             ELSE LEFT({text}, {longest}) END AS BINARY)"
        )
    }
}

impl KeyColumn {
    /// The value as a whole, whose bytes a pattern is held against.
    fn whole(&self) -> String {
        let column = quote(&self.name);
        let text = match self.kind {
            KeyKind::Plain => return column,
            KeyKind::Text => column,
            KeyKind::Binary => format!("HEX({column})"),
        };
        format!("CAST(CONVERT({text} USING utf8mb4) AS BINARY)")
    }
}

impl Condition {
    pub fn new(placeholders: Placeholders) -> Self {
        Self {
            text: String::new(),
            values: Vec::new(),
            placeholders,
        }
    }

    /// The name by which a value is bound.
    pub fn name(index: usize) -> String {
        format!("bandwatch_key_{index}")
    }

    /// The rows of one series.
    pub fn of_series(keys: &[KeyColumn], key: &SeriesKey, placeholders: Placeholders) -> Self {
        let mut condition = Self::new(placeholders);
        for (column, part) in keys.iter().zip(key.parts()) {
            let value = part.value.as_ref();
            let is_whole =
                value.is_none_or(|value| value.chars().count() <= SeriesKey::LONGEST_VALUE);
            if column.kind == KeyKind::Text && is_whole {
                // An index of the column knows no expression.
                let bound = condition.bind(value.cloned());
                condition.text += &format!(" AND {} <=> {bound}", quote(&column.name));
            }
            let bound = condition.bind(value.cloned());
            condition.text += &format!(" AND {} <=> {bound}", column.expression());
        }
        condition
    }

    /// The rows of the series that are watched.
    pub fn of_watched(keys: &[KeyColumn], group: &Group, placeholders: Placeholders) -> Self {
        let mut condition = Self::new(placeholders);
        let include = condition.any(keys, &group.include);
        if let Some(include) = include {
            condition.text += &format!(" AND ({include})");
        }
        if let Some(exclude) = condition.any(keys, &group.exclude) {
            condition.text += &format!(" AND NOT ({exclude})");
        }
        condition
    }

    fn any(&mut self, keys: &[KeyColumn], patterns: &[KeyPattern]) -> Option<String> {
        let patterns: Vec<String> = patterns
            .iter()
            .map(|pattern| self.matches(keys, pattern))
            .collect();
        (!patterns.is_empty()).then(|| patterns.join(" OR "))
    }

    /// It is never NULL.
    fn matches(&mut self, keys: &[KeyColumn], pattern: &KeyPattern) -> String {
        let parts = keys.iter().zip(&pattern.0).filter_map(|(column, value)| {
            let expression = column.expression();
            Some(match value {
                ValuePattern::Any => return None,
                ValuePattern::Null => format!("{expression} IS NULL"),
                ValuePattern::Is(text) => {
                    let bound = self.bind(Some(text.clone()));
                    let is_known = format!("{expression} <=> {bound}");
                    if text.chars().count() <= SeriesKey::LONGEST_VALUE {
                        is_known
                    } else {
                        // It may be a name, with its mark, or the value itself.
                        let (whole, bound) = (column.whole(), self.bind(Some(text.clone())));
                        format!("({is_known} OR {whole} <=> {bound})")
                    }
                }
                ValuePattern::Like(text) => {
                    let (whole, bound) = (column.whole(), self.bind(Some(like(text))));
                    format!("COALESCE({whole} LIKE {bound} ESCAPE '|', 0)")
                }
            })
        });
        let parts: Vec<String> = parts.collect();
        if parts.is_empty() {
            return "1 = 1".to_string();
        }
        format!("({})", parts.join(" AND "))
    }

    fn bind(&mut self, value: Option<String>) -> String {
        let index = self.values.len();
        self.values.push(value);
        match self.placeholders {
            Placeholders::Positional => "?".to_string(),
            Placeholders::Named => format!(":{}", Self::name(index)),
        }
    }
}

/// A pattern of `*` as one of LIKE.
fn like(pattern: &str) -> String {
    let letters = pattern.chars().map(|letter| match letter {
        '*' => "%".to_string(),
        '%' | '_' | '|' => format!("|{letter}"),
        letter => letter.to_string(),
    });
    letters.collect()
}

/// Columns: those of a key and the one of the title, of no row, for their types alone.
pub fn key_columns(table: &Table, group: &Group) -> String {
    let columns = group.columns.iter().chain(&group.title_column);
    let columns: Vec<String> = columns.map(|name| quote(name)).collect();
    format!("SELECT {} FROM {} LIMIT 0", columns.join(", "), name(table))
}

/// Column: how many series there are between two bounds, up to one more than so many.
pub fn count_of_series(
    table: &Table,
    keys: &[KeyColumn],
    wanted: &Condition,
    most: usize,
) -> String {
    let (name, within) = (name(table), within(table));
    format!(
        "SELECT COUNT(*) FROM (SELECT DISTINCT {} FROM {name} WHERE {within}{} LIMIT {}) AS bandwatch_series",
        keys_named(keys),
        wanted.text,
        most + 1
    )
}

/// Columns: those of the key; the number of the bucket; its value, its rows, and how many of them have a
/// value, as of [`buckets`](super::buckets), or without an aggregate those of a row; and the title, if there is
/// a column for it. Bound are the two bounds and what is wanted, for `top` twice, and then the key that parts
/// them.
///
/// To add up rows that are sorted takes no temporary table, whose size is that of all buckets of all series:
/// that is what `SQL_BIG_RESULT` asks for.
pub fn series_buckets(select: &SeriesBuckets) -> String {
    let (table, bucket, keys) = (select.table, select.bucket, select.keys);
    let (name, value, within) = (name(table), value(table), within(table));
    let (wanted, selected, aliases) = (&select.wanted.text, keys_named(keys), aliases(keys));
    let title = select.group.title_column.as_deref().map(title);
    let max_title = title
        .as_ref()
        .map_or(String::new(), |title| format!(", MAX({title})"));
    let title = title.map_or(String::new(), |title| format!(", {title}"));
    let top = top(select);
    let part = part(select);
    let result = match select.aggregate {
        None => {
            return format!(
                "SELECT {selected}, {bucket} AS bandwatch_bucket, {value} + 0E0, 1, {value} IS NOT NULL{title} \
                 FROM {name}{top} WHERE {within}{wanted}{part} ORDER BY {aliases}"
            );
        }
        Some(Aggregate::Last) => {
            let time = quote(&table.time_column);
            let expressions = expressions(keys);
            let outer = title.is_empty();
            let titled = if outer { "" } else { ", bandwatch_title" };
            let title = title.strip_prefix(", ").map_or(String::new(), |title| {
                format!(", {title} AS bandwatch_title")
            });
            return format!(
                "SELECT {aliases}, bandwatch_bucket, bandwatch_value + 0E0, bandwatch_rows, bandwatch_with_value{titled} FROM (\
                 SELECT {selected}, {bucket} AS bandwatch_bucket, {value} AS bandwatch_value, \
                 COUNT(*) OVER (PARTITION BY {expressions}, {bucket}) AS bandwatch_rows, \
                 COUNT({value}) OVER (PARTITION BY {expressions}, {bucket}) AS bandwatch_with_value, \
                 ROW_NUMBER() OVER (PARTITION BY {expressions}, {bucket} ORDER BY {value} IS NULL, {time} DESC, {value} DESC) AS bandwatch_place{title} \
                 FROM {name}{top} WHERE {within}{wanted}{part}) AS bandwatch_last \
                 WHERE bandwatch_place = 1 ORDER BY {aliases}"
            );
        }
        Some(Aggregate::Sum) => format!("SUM({value}) + 0E0"),
        Some(Aggregate::Count) => format!("COUNT({value}) + 0E0"),
        Some(Aggregate::Min) => format!("MIN({value}) + 0E0"),
        Some(Aggregate::Max) => format!("MAX({value}) + 0E0"),
        Some(Aggregate::Avg) => format!("(SUM({value}) + 0E0) / COUNT({value})"),
    };
    format!(
        "SELECT /*! SQL_BIG_RESULT */ {selected}, {bucket} AS bandwatch_bucket, {result}, COUNT(*), COUNT({value}){max_title} \
         FROM {name}{top} WHERE {within}{wanted}{part} \
         GROUP BY {aliases}, bandwatch_bucket ORDER BY {aliases}, bandwatch_bucket"
    )
}

/// Columns: those of the key, the time, the value, and the title of a query, if there is a column for it.
pub fn series_rows(
    sql: &str,
    [time, value]: [&str; 2],
    group: &Group,
    keys: &[KeyColumn],
    wanted: &Condition,
) -> String {
    let (sql, selected) = (sql.trim().trim_end_matches(';'), keys_named(keys));
    let [time, value] = [time, value].map(quote);
    let title = group.title_column.as_deref().map(title);
    let title = title.map_or(String::new(), |title| format!(", {title}"));
    format!(
        "SELECT {selected}, {time}, {value}{title} FROM (\n{sql}\n) AS bandwatch_query \
         WHERE 1 = 1{} ORDER BY {}",
        wanted.text,
        aliases(keys)
    )
}

/// The series with the largest volume, to be joined with.
fn top(select: &SeriesBuckets) -> String {
    let Some(top) = select.group.top else {
        return String::new();
    };
    let (table, keys) = (select.table, select.keys);
    let (name, value, within) = (name(table), value(table), within(table));
    let volume = match select.aggregate {
        Some(Aggregate::Count) => format!("COUNT({value})"),
        _ => format!("SUM(ABS({value}))"),
    };
    let numbered = || keys.iter().enumerate();
    let selected: Vec<String> = numbered()
        .map(|(index, key)| format!("{} AS bandwatch_top_{index}", key.expression()))
        .collect();
    let aliases: Vec<String> = numbered()
        .map(|(index, _)| format!("bandwatch_top_{index}"))
        .collect();
    let joined: Vec<String> = numbered()
        .map(|(index, key)| format!("{} <=> bandwatch_top_{index}", key.expression()))
        .collect();
    let (selected, aliases, joined) = (
        selected.join(", "),
        aliases.join(", "),
        joined.join(" AND "),
    );
    format!(
        " JOIN (SELECT /*! SQL_BIG_RESULT */ {selected} FROM {name} WHERE {within}{} GROUP BY {aliases} \
         ORDER BY {volume} DESC, {aliases} LIMIT {top}) AS bandwatch_top ON {joined}",
        select.wanted.text
    )
}

/// A condition that is never NULL in its second part, so that each series is in one of the two.
fn part(select: &SeriesBuckets) -> String {
    let is_after = match select.keys {
        [key] => format!("{} > ?", key.expression()),
        keys => {
            let bound = vec!["?"; keys.len()].join(", ");
            format!("({}) > ({bound})", expressions(keys))
        }
    };
    match select.part {
        Part::All => String::new(),
        Part::After => format!(" AND {is_after}"),
        Part::UpTo => format!(" AND NOT COALESCE({is_after}, 0)"),
    }
}

fn title(column: &str) -> String {
    format!("LEFT(CAST({} AS CHAR), 100)", quote(column))
}

fn expressions(keys: &[KeyColumn]) -> String {
    let expressions: Vec<String> = keys.iter().map(KeyColumn::expression).collect();
    expressions.join(", ")
}

fn aliases(keys: &[KeyColumn]) -> String {
    let aliases = (0..keys.len()).map(|index| format!("bandwatch_key_{index}"));
    aliases.collect::<Vec<_>>().join(", ")
}

fn keys_named(keys: &[KeyColumn]) -> String {
    let named = keys.iter().enumerate();
    let named = named.map(|(index, key)| format!("{} AS bandwatch_key_{index}", key.expression()));
    named.collect::<Vec<_>>().join(", ")
}

/// The condition of a table, and another.
pub fn with_condition(table: &Table, other: &Condition) -> Table {
    let other = other.text.trim_start_matches(" AND ");
    let condition = match &table.condition {
        Some(condition) => format!("({condition}\n) AND {other}"),
        None => other.to_string(),
    };
    Table {
        condition: Some(condition),
        ..table.clone()
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn group(columns: &[&str]) -> Group {
        Group {
            columns: columns.iter().map(ToString::to_string).collect(),
            top: None,
            include: Vec::new(),
            exclude: Vec::new(),
            title_column: None,
            forget_after: TimeDelta::days(7),
        }
    }

    fn keys(columns: &[(&str, KeyKind)]) -> Vec<KeyColumn> {
        let keys = columns.iter().map(|(name, kind)| KeyColumn {
            name: (*name).to_string(),
            kind: *kind,
        });
        keys.collect()
    }

    fn table() -> Table {
        Table {
            name: vec!["sales".into()],
            time_column: "at".into(),
            value_column: Some("amount".into()),
            condition: Some("x = 1 OR y = 2".into()),
            explain_by: Vec::new(),
        }
    }

    fn select(aggregate: Option<Aggregate>, group: &Group, part: Part) -> String {
        let keys = keys(&[("a`b", KeyKind::Plain)]);
        series_buckets(&SeriesBuckets {
            table: &table(),
            aggregate,
            bucket: "B",
            group,
            keys: &keys,
            wanted: &Condition::of_watched(&keys, group, Placeholders::Positional),
            part,
        })
    }

    #[test]
    fn rows_come_by_key_and_bucket() {
        assert_eq!(
            select(Some(Aggregate::Sum), &group(&["a`b"]), Part::All),
            "SELECT /*! SQL_BIG_RESULT */ `a``b` AS bandwatch_key_0, B AS bandwatch_bucket, SUM(`amount`) + 0E0, COUNT(*), COUNT(`amount`) \
             FROM `sales` WHERE `at` >= ? AND `at` < ? AND (x = 1 OR y = 2\n) \
             GROUP BY bandwatch_key_0, bandwatch_bucket ORDER BY bandwatch_key_0, bandwatch_bucket"
        );
        let titled = Group {
            title_column: Some("name".into()),
            ..group(&["a`b"])
        };
        assert_eq!(
            select(None, &titled, Part::All),
            "SELECT `a``b` AS bandwatch_key_0, B AS bandwatch_bucket, `amount` + 0E0, 1, `amount` IS NOT NULL, LEFT(CAST(`name` AS CHAR), 100) \
             FROM `sales` WHERE `at` >= ? AND `at` < ? AND (x = 1 OR y = 2\n) ORDER BY bandwatch_key_0"
        );
    }

    #[test]
    fn those_with_the_largest_volume_are_chosen_by_the_server() {
        let top = Group {
            top: Some(7),
            ..group(&["a`b"])
        };
        let statement = select(Some(Aggregate::Sum), &top, Part::All);
        let joined = "JOIN (SELECT /*! SQL_BIG_RESULT */ `a``b` AS bandwatch_top_0 FROM `sales` WHERE `at` >= ? AND `at` < ? AND (x = 1 OR y = 2\n) \
                      GROUP BY bandwatch_top_0 ORDER BY SUM(ABS(`amount`)) DESC, bandwatch_top_0 LIMIT 7) AS bandwatch_top \
                      ON `a``b` <=> bandwatch_top_0 WHERE";
        assert!(statement.contains(joined), "{statement}");
    }

    #[test]
    fn a_run_that_was_cut_short_goes_on_after_its_last_series() {
        let group = group(&["a`b"]);
        for (part, condition) in [
            (Part::After, " AND `a``b` > ? GROUP BY"),
            (Part::UpTo, " AND NOT COALESCE(`a``b` > ?, 0) GROUP BY"),
        ] {
            let statement = select(Some(Aggregate::Sum), &group, part);
            assert!(statement.contains(condition), "{statement}");
        }
    }

    #[test]
    fn values_of_keys_are_bound() {
        let keys = keys(&[("c", KeyKind::Text), ("p", KeyKind::Plain)]);
        let is = |text: &str| ValuePattern::Is(text.to_string());
        let watched = Group {
            include: vec![KeyPattern(vec![ValuePattern::Any, is("1")])],
            exclude: vec![KeyPattern(vec![
                ValuePattern::Like("5%*".into()),
                ValuePattern::Null,
            ])],
            ..group(&["c", "p"])
        };
        let condition = Condition::of_watched(&keys, &watched, Placeholders::Positional);
        let (text, whole) = (keys[0].expression(), keys[0].whole());
        assert_eq!(
            condition.text,
            format!(
                " AND ((`p` <=> ?)) AND NOT ((COALESCE({whole} LIKE ? ESCAPE '|', 0) AND `p` IS NULL))"
            )
        );
        let bound = ["1", "5|%%"].map(|text| Some(text.to_string()));
        assert_eq!(condition.values, bound);
        let key = SeriesKey::new(&watched.columns, [Some("'; --".to_string()), None]);
        let condition = Condition::of_series(&keys, &key, Placeholders::Named);
        assert_eq!(
            condition.text,
            format!(
                " AND `c` <=> :bandwatch_key_0 AND {text} <=> :bandwatch_key_1 AND `p` <=> :bandwatch_key_2"
            )
        );
    }
}
