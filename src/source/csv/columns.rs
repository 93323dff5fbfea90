//! Which column has the times and which the values: those the configuration names; else the only ones that
//! can be. A choice that is not certain is refused.

use anyhow::{Context, Result, bail, ensure};

use super::table::{Row, Table};
use super::times::TimeKind;
use super::{numbers, times};
use crate::config::Metric;
use crate::series::Aggregate;
use crate::source::file_columns::Columns;
use crate::source::file_rows::{self, shown};

/// Times are found in so many rows.
const SAMPLE_ROWS: usize = 1000;

impl Columns {
    pub fn of_table(table: &Table, metric: &Metric) -> Result<Self> {
        let hint = other_names(table, metric);
        let (time_name, value_name) = match hint {
            Some(_) => (None, None),
            None => metric.rows.columns(),
        };
        let named =
            |key, name: Option<&str>| name.map(|name| find_named(table, key, name)).transpose();
        let time = named("time_column", time_name)?;
        let value = named("value_column", value_name)?;
        let keys = metric.key_columns();
        let keys = keys.iter().map(|name| find_named(table, "group_by", name));
        let keys: Vec<usize> = keys.collect::<Result<_>>()?;
        let group = metric.group.as_ref();
        let title = named(
            "title_column",
            group.and_then(|group| group.title_column.as_deref()),
        )?;
        let of_group: Vec<usize> = keys.iter().copied().chain(title).collect();
        let counts = metric.aggregate == Some(Aggregate::Count) && value.is_none();
        let others = table.header.as_ref().map_or(table.width, |header| {
            header.iter().filter(|name| !name.is_empty()).count()
        });
        ensure!(
            counts || others >= 2,
            "line {}: only one column; a time and a value are needed, with a comma, semicolon, tab or | between",
            table.first_line
        );
        let sample: Vec<Row> = table.rows().take(SAMPLE_ROWS).collect::<Result<_>>()?;
        let taken: Vec<usize> = of_group.iter().copied().chain(value).collect();
        let time = match time {
            Some(time) => time,
            None => find_time(table, &sample, &taken)?,
        };
        let header = table.header.as_ref().and_then(|header| header.get(time));
        let begins_as_a_time =
            |name: &&String| name.starts_with(|letter: char| letter.is_ascii_digit());
        if let Some(name) = header.filter(begins_as_a_time) {
            bail!("line {}: {} is not a time", table.first_line, shown(name));
        }
        check_time_of_day(table, &sample, time, &keys, metric)?;
        let value = match value {
            None if !counts => Some(find_value(table, time, &of_group)?),
            value => value,
        };
        ensure!(
            value != Some(time),
            "time_column and value_column are the same column {}",
            table.name(time)
        );
        let columns = Self {
            time,
            value,
            keys,
            title,
            hint,
        };
        columns.with_keys_apart(|column| table.name(column))
    }
}

fn other_names(table: &Table, metric: &Metric) -> Option<String> {
    let header: Vec<&str> = table.header.iter().flatten().map(String::as_str).collect();
    file_rows::other_names(&header, metric)
}

/// By its name, whose case does not matter if that leaves no doubt: databases see it so.
fn find_named(table: &Table, key: &str, name: &str) -> Result<usize> {
    let Some(header) = &table.header else {
        bail!(
            "it has no header, so that {key} = {name:?} cannot be found; add a first line with the names of the columns"
        );
    };
    let find = |is_it: &dyn Fn(&str) -> bool| -> Vec<usize> {
        let columns = header.iter().enumerate().filter(|(_, name)| is_it(name));
        columns.map(|(column, _)| column).collect()
    };
    let mut found = find(&|other| other == name);
    if found.is_empty() {
        found = find(&|other| other.to_lowercase() == name.to_lowercase());
    }
    let line = table.first_line;
    match found[..] {
        [column] => Ok(column),
        [] => bail!(
            "line {line}: there is no column {key} = {name:?}; there are {}",
            names(table, 0..table.width)
        ),
        _ => bail!(
            "line {line}: there are {} columns {key} = {name:?}; give each its own name",
            found.len()
        ),
    }
}

fn find_time(table: &Table, sample: &[Row], taken: &[usize]) -> Result<usize> {
    let is_other = |column: &usize| !taken.contains(column);
    let columns: Vec<usize> = (0..table.width).filter(is_other).collect();
    let with = |kind| -> Vec<usize> {
        let is_time = |cell: &str| times::kind(cell) == Some(kind);
        let has_times = |column: &usize| mostly(sample, *column, is_time);
        columns.iter().copied().filter(has_times).collect()
    };
    let mut found = with(TimeKind::Calendar);
    if found.is_empty() {
        found = with(TimeKind::Number);
    }
    match found[..] {
        [column] => Ok(column),
        // That its cells are no times is told with the line of the first.
        [] => Ok(0),
        _ => default_name(table, &found, "time").with_context(|| {
            format!(
                "line {}: {} may each be the time; name one with time_column in the metric's configuration",
                table.first_line,
                names(table, found.iter().copied())
            )
        }),
    }
}

fn find_value(table: &Table, time: usize, taken: &[usize]) -> Result<usize> {
    let is_named = |column: &usize| {
        let header = table.header.as_ref();
        header.is_none_or(|header| !header[*column].is_empty())
    };
    let others = (0..table.width)
        .filter(|column| *column != time && !taken.contains(column))
        .filter(is_named);
    let mut found: Vec<usize> = others.collect();
    if let [column] = found[..] {
        return Ok(column);
    }
    if let Some(column) = default_name(table, &found, "value") {
        return Ok(column);
    }
    // Of all rows, as a column may be empty for long.
    let mut counts = vec![(0_u64, 0_u64); table.width];
    for row in table.rows() {
        let row = row?;
        for column in &found {
            let cell = row.cell(*column);
            counts[*column].0 += u64::from(numbers::is_number(cell));
            counts[*column].1 += u64::from(!numbers::is_absent(cell));
        }
    }
    found.retain(|column| {
        let (numbers, present) = counts[*column];
        numbers > 0 && 2 * numbers >= present
    });
    match found[..] {
        [column] => Ok(column),
        [] => bail!(
            "line {}: no column but {} has numbers",
            table.first_line,
            table.name(time)
        ),
        _ => bail!(
            "line {}: {} may each be the value; {}",
            table.first_line,
            names(table, found.iter().copied()),
            match table.header {
                Some(_) =>
                    "name one with value_column in the metric's configuration, or leave only one",
                None => "leave only one, in quotation marks if there is a comma in it",
            }
        ),
    }
}

/// Of dates without a time of day, all rows of a day would be one.
fn check_time_of_day(
    table: &Table,
    sample: &[Row],
    time: usize,
    keys: &[usize],
    metric: &Metric,
) -> Result<()> {
    let repeated = sample.windows(2);
    let repeated = repeated.filter(|pair| {
        let mut same = keys.iter().chain([&time]);
        same.all(|column| pair[0].cell(*column) == pair[1].cell(*column))
    });
    let are_days = 2 * repeated.count() < sample.len();
    if are_days || !mostly(sample, time, times::is_bare_date) {
        return Ok(());
    }
    let has_clock = |column: &usize| mostly(sample, *column, times::is_time_of_day);
    let (line, date) = (table.first_line, table.name(time));
    if let Some(column) = (0..table.width).find(has_clock) {
        let clock = table.name(column);
        bail!("line {line}: {date} has dates and {clock} times of day; put both into one column");
    }
    ensure!(
        metric.aggregate.is_some(),
        "line {line}: {date} has dates without a time of day, and a date has many rows; write the time too, or set aggregate in the metric's configuration"
    );
    Ok(())
}

fn default_name(table: &Table, columns: &[usize], name: &str) -> Option<usize> {
    let header = table.header.as_ref()?;
    let mut columns = columns
        .iter()
        .copied()
        .filter(|column| header[*column].eq_ignore_ascii_case(name));
    columns.next().filter(|_| columns.next().is_none())
}

fn mostly(rows: &[Row], column: usize, is_it: impl Fn(&str) -> bool) -> bool {
    let cells = rows.iter().map(|row| row.cell(column));
    2 * cells.filter(|cell| is_it(cell)).count() > rows.len()
}

fn names(table: &Table, columns: impl IntoIterator<Item = usize>) -> String {
    let names = columns.into_iter().map(|column| table.name(column));
    names.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Rows, Table as DatabaseTable};

    fn find(text: &str, [time, value]: [Option<&str>; 2]) -> Result<Columns> {
        let mut metric = Metric::of_file("sales");
        metric.rows = Rows::File {
            time_column: time.map(str::to_string),
            value_column: value.map(str::to_string),
        };
        Columns::of_table(&Table::new(text)?, &metric)
    }

    #[test]
    fn columns_are_those_named_or_the_only_ones_there_can_be() {
        for (text, names, columns) in [
            ("a,b\n2026-11-22,1\n", [None; 2], [0, 1]),
            ("1,2026-11-22\n", [None; 2], [1, 0]),
            ("a,b,c\nx,1,1795352700\ny,,1795352760\n", [None; 2], [2, 1]),
            ("id,value,Time\n7,1,2026-11-22\n", [None; 2], [2, 1]),
            ("a,Time,value\n2026-11-21,2026-11-22,1\n", [None; 2], [1, 2]),
            ("a,b,c\n2026-11-22,1,2\n", [None, Some("c")], [0, 2]),
            (
                "a,b,c\n2026-11-22,2026-11-23,2\n",
                [Some("B"), None],
                [1, 2],
            ),
            ("a,A,c\n2026-11-22,1,2\n", [None, Some("A")], [0, 1]),
            ("version,a,b\n1.32.45,1795352700,1\n", [None; 2], [1, 2]),
        ] {
            let found = find(text, names);
            let [time, value] = columns;
            let columns = Columns {
                time,
                value: Some(value),
                keys: Vec::new(),
                title: None,
                hint: None,
            };
            assert_eq!(found.expect(text), columns, "{text}");
        }
    }

    #[test]
    fn two_columns_with_other_names_than_those_of_the_table_are_taken_and_told() {
        let find = |text: &str| {
            let mut metric = Metric::of_file("sales");
            metric.rows = Rows::Table(DatabaseTable {
                name: vec!["sales".to_string()],
                time_column: "sellTime".to_string(),
                value_column: Some("CA".to_string()),
                condition: None,
                explain_by: Vec::new(),
            });
            let table = Table::new(text).expect("a table");
            let told = other_names(&table, &metric);
            (Columns::of_table(&table, &metric), told)
        };
        let (found, told) = find("a,b\n2026-11-22,1\n");
        let expected = "the file has no columns \"sellTime\" and \"CA\"; its only two, \"a\", \"b\", are taken for them";
        assert_eq!(told.as_deref(), Some(expected));
        let columns = Columns {
            time: 0,
            value: Some(1),
            keys: Vec::new(),
            title: None,
            hint: told,
        };
        assert_eq!(found.expect("columns"), columns);
        for text in ["a,ca\n2026-11-22,1\n", "a,b,c\n2026-11-22,1,2\n"] {
            let (found, told) = find(text);
            let error = found.expect_err(text).to_string();
            assert!(error.contains("there is no column time_column"), "{error}");
            assert_eq!(told, None, "{text}");
        }
    }

    #[test]
    fn a_choice_that_is_not_certain_is_refused() {
        for (text, names, told) in [
            (
                "a,b,c\n2026-11-22,1,2\n",
                [None; 2],
                "line 1: \"b\", \"c\" may each be the value; name one with",
            ),
            (
                "2026-11-22,1,2\n",
                [None; 2],
                "line 1: column 2, column 3 may each be the value; leave only one",
            ),
            (
                "a,b,c\n2026-11-21,2026-11-22,1\n",
                [None; 2],
                "line 1: \"a\", \"b\" may each be the time; name one",
            ),
            (
                "a,b,c\n2026-11-22,x,y\n",
                [None; 2],
                "line 1: no column but \"a\" has numbers",
            ),
            (
                "a,b\n2026-11-22,1\n",
                [None, Some("c")],
                "line 1: there is no column value_column = \"c\"; there are \"a\", \"b\"",
            ),
            (
                "a,b\n2026-11-22,1\n",
                [Some("b"), Some("b")],
                "time_column and value_column are the same column \"b\"",
            ),
            (
                "a,b,B\n2026-11-22,1,2\n",
                [None, Some("b ")],
                "line 1: there is no column",
            ),
            (
                "1795352700,1795352700\n",
                [None; 2],
                "line 1: column 1, column 2 may each be the time",
            ),
            (
                "a,bb,BB\n2026-11-22,1,2\n",
                [None, Some("Bb")],
                "line 1: there are 2 columns value_column = \"Bb\"",
            ),
            (
                "2026-11-22,1\n",
                [None, Some("b")],
                "it has no header, so that value_column = \"b\" cannot be found",
            ),
            (
                "a,b,c\n2026-11-22,10:00,1\n2026-11-22,11:00,1\n",
                [None; 2],
                "line 1: \"a\" has dates and \"b\" times of day",
            ),
        ] {
            let error = find(text, names).expect_err(text).to_string();
            assert!(error.starts_with(told), "{error}");
        }
    }
}
