//! The SELECTs, as text: the bucketing is done by the server, so one row a bucket comes back. Names are
//! quoted, values bound; only the `where` of the configuration stands as it was written.

pub mod catalog;
pub mod groups;

use std::ops::Range;
use std::time::Duration;

use chrono::DateTime;
use chrono_tz::Tz;

use crate::config::{Query, Table};
use crate::series::local_time::{offset_changes, offset_seconds};
use crate::series::{Aggregate, Grid, Step};

/// What a column of times tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeColumn {
    /// TIMESTAMP, or a DATETIME by the clock of UTC: an instant, which the session shows in UTC.
    Instant,
    /// A number since 1970, an instant too: so many of them are a second.
    Epoch { per_second: i64 },
    /// DATETIME, DATE: a local time.
    Local,
}

/// What makes a session answer alike whatever the server's settings and its `init_connect` are, and give up
/// each statement at a limit.
pub fn session(limit: Duration) -> String {
    format!(
        "SET NAMES utf8mb4, SESSION sql_mode = '', SESSION sql_select_limit = 18446744073709551615, SESSION sql_big_selects = 1, SESSION sql_auto_is_null = 0, SESSION autocommit = 1, {}",
        limits(limit)
    )
}

/// What makes it one that can only read.
pub const READ_ONLY: &str = "SET SESSION TRANSACTION READ ONLY";

/// Another limit.
pub fn limit(limit: Duration) -> String {
    format!("SET {}", limits(limit))
}

/// What makes the server itself give up each statement of a session in good time, a wait for a table that
/// another session has locked included: preparing a statement waits for it too, which only
/// `lock_wait_timeout` ends. The versioned comments are read by MariaDB or by MySQL alone: name and unit of
/// the limit differ.
fn limits(limit: Duration) -> String {
    let (seconds, milliseconds) = (limit.as_secs_f64(), limit.as_millis());
    let lock = limit.as_secs().max(1);
    format!(
        "SESSION lock_wait_timeout = {lock} /*M!100101 , SESSION max_statement_time = {seconds} */ /*!50708 , SESSION max_execution_time = {milliseconds} */"
    )
}

/// The clock that `NOW()`, a TIMESTAMP and what is computed of one show: an offset, or a zone's name.
pub fn time_zone(name: &str) -> String {
    format!("SET SESSION time_zone = '{name}'")
}

/// Column: the server's clock, in seconds since 1970.
pub const NOW: &str = "SELECT UNIX_TIMESTAMP()";

/// Column: the version of the server.
pub const VERSION: &str = "SELECT VERSION()";

/// Column: the account that the session has.
pub const ACCOUNT: &str = "SELECT CURRENT_USER()";

/// Column: what the account may do, a GRANT a row; a password that is hashed may stand in it.
pub const GRANTS: &str = "SHOW GRANTS FOR CURRENT_USER";

/// Columns: how the server would answer a SELECT, a row a table that it reads.
pub fn explain(select: &str) -> String {
    format!("EXPLAIN FORMAT=TRADITIONAL {select}")
}

/// What makes reading the rows of a time quick. An index that holds the values too answers alone, without the
/// rows of the table: some five times as fast.
pub fn create_index(table: &Table) -> String {
    let index = format!("{}_by_time", table.name.last().map_or("", String::as_str));
    let columns = [Some(&table.time_column), table.value_column.as_ref()];
    let columns: Vec<String> = columns
        .into_iter()
        .flatten()
        .map(|name| quote(name))
        .collect();
    let (index, name, columns) = (quote(&index), name(table), columns.join(", "));
    format!("CREATE INDEX {index} ON {name} ({columns})")
}

/// Columns: level, number and text of what the last statement was not happy with.
pub const WARNINGS: &str = "SHOW WARNINGS LIMIT 3";

/// As many of them as are asked for.
pub const MOST_WARNINGS: usize = 3;

/// Column: the newest time of all rows.
pub fn newest_of_all(table: &Table) -> String {
    format!(
        "SELECT MAX({}) FROM {}",
        quote(&table.time_column),
        name(table)
    )
}

/// Column: the newest time within the two bounds.
pub fn newest_within(table: &Table) -> String {
    let (time, name, within) = (quote(&table.time_column), name(table), within(table));
    format!("SELECT MAX({time}) FROM {name} WHERE {within}")
}

/// Columns: the time and the value of no row, for their types alone.
pub fn column_types(table: &Table) -> String {
    let (time, value) = (quote(&table.time_column), value(table));
    format!("SELECT {time}, {value} FROM {} LIMIT 0", name(table))
}

/// Column: 1, of any row within the two bounds.
pub fn any_row(table: &Table) -> String {
    let (name, within) = (name(table), within(table));
    format!("SELECT 1 FROM {name} WHERE {within} LIMIT 1")
}

/// Columns: those of a query, of any of its rows.
pub fn any_row_of(query: &Query) -> String {
    let sql = query.sql.trim().trim_end_matches(';');
    format!("SELECT * FROM (\n{sql}\n) AS bandwatch_query LIMIT 1")
}

/// Column: the newest times before the bound, each once.
pub fn newest_times(table: &Table) -> String {
    let (time, name, condition) = (quote(&table.time_column), name(table), condition(table));
    format!(
        "SELECT DISTINCT {time} FROM {name} WHERE {time} < ?{condition} ORDER BY {time} DESC LIMIT 500"
    )
}

/// Columns: the number of the bucket by the clock the column shows, its value, its rows, and how many of
/// them have a value; within the two bounds, oldest first. Without an aggregate, rows of the same time
/// count as their mean.
///
/// Sums become floating point numbers only after they were added up exactly, and a mean is the quotient of
/// two of them: AVG would keep only four more digits than its column has.
pub fn buckets(table: &Table, aggregate: Option<Aggregate>, bucket: &str) -> String {
    let (name, value, within) = (name(table), value(table), within(table));
    let result = match aggregate {
        Some(Aggregate::Last) => {
            let time = quote(&table.time_column);
            return format!(
                "SELECT bandwatch_bucket, bandwatch_value + 0E0, bandwatch_rows, bandwatch_with_value FROM (\
                 SELECT {bucket} AS bandwatch_bucket, {value} AS bandwatch_value, \
                 COUNT(*) OVER (PARTITION BY {bucket}) AS bandwatch_rows, \
                 COUNT({value}) OVER (PARTITION BY {bucket}) AS bandwatch_with_value, \
                 ROW_NUMBER() OVER (PARTITION BY {bucket} ORDER BY {value} IS NULL, {time} DESC, {value} DESC) AS bandwatch_place \
                 FROM {name} WHERE {within}) AS bandwatch_last \
                 WHERE bandwatch_place = 1 ORDER BY bandwatch_bucket"
            );
        }
        Some(Aggregate::Sum) => format!("SUM({value}) + 0E0"),
        Some(Aggregate::Count) => format!("COUNT({value}) + 0E0"),
        Some(Aggregate::Min) => format!("MIN({value}) + 0E0"),
        Some(Aggregate::Max) => format!("MAX({value}) + 0E0"),
        Some(Aggregate::Avg) | None => format!("(SUM({value}) + 0E0) / COUNT({value})"),
    };
    format!(
        "SELECT {bucket} AS bandwatch_bucket, {result}, COUNT(*), COUNT({value}) FROM {name} \
         WHERE {within} GROUP BY bandwatch_bucket ORDER BY bandwatch_bucket"
    )
}

/// Columns: those whose values are parts, of no row, to see whether they are there.
pub fn part_columns(table: &Table) -> String {
    let columns: Vec<String> = table.explain_by.iter().map(|name| quote(name)).collect();
    format!("SELECT {} FROM {} LIMIT 0", columns.join(", "), name(table))
}

/// What is added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    Values,
    /// One for each row that has a value.
    Rows,
}

/// Which times the parts of a sum are read of.
#[derive(Debug, Clone, Copy)]
pub struct PartTimes {
    /// After the judged one, the usual ones.
    pub usual: usize,
    pub all: usize,
}

/// Columns: a value of a column, as a text of at most 200 characters; what its rows add up to in each of the
/// times; and the squares of their values in all of them. Those come first that changed most between the
/// first time and the mean of the usual ones. The bounds of the times are asked for twice.
pub fn parts(table: &Table, added: Added, column: &str, times: PartTimes, most: usize) -> String {
    let (name, time, value) = (name(table), quote(&table.time_column), value(table));
    let is_within = format!("{time} >= ? AND {time} < ?");
    let sum = |value: &str| {
        let aggregate = match added {
            Added::Values => "SUM",
            Added::Rows => "COUNT",
        };
        format!("COALESCE({aggregate}({value}), 0) + 0E0")
    };
    let sums: String = (0..times.all)
        .map(|time| {
            let sum = sum(&format!("CASE WHEN {is_within} THEN {value} END"));
            format!(", {sum} AS bandwatch_{time}")
        })
        .collect();
    let squares = match added {
        Added::Values => sum(&format!("({value} + 0E0) * ({value} + 0E0)")),
        Added::Rows => sum(&value),
    };
    let usual: Vec<String> = (1..=times.usual)
        .map(|time| format!("bandwatch_{time}"))
        .collect();
    let (within, condition) = (
        vec![format!("({is_within})"); times.all].join(" OR "),
        condition(table),
    );
    let column = quote(column);
    format!(
        "SELECT * FROM (SELECT LEFT(CAST({column} AS CHAR), 200) AS bandwatch_part{sums}, {squares} AS bandwatch_squares \
         FROM {name} WHERE ({within}){condition} GROUP BY {column}) AS bandwatch_parts \
         ORDER BY ABS(bandwatch_0 * {} - ({})) DESC, bandwatch_part LIMIT {most}",
        times.usual,
        usual.join(" + ")
    )
}

fn name(table: &Table) -> String {
    let parts: Vec<String> = table.name.iter().map(|part| quote(part)).collect();
    parts.join(".")
}

fn value(table: &Table) -> String {
    let column = table.value_column.as_deref();
    column.map_or("1".to_string(), quote)
}

/// The rows between two bounds that the configuration wants.
fn within(table: &Table) -> String {
    let (time, condition) = (quote(&table.time_column), condition(table));
    format!("{time} >= ? AND {time} < ?{condition}")
}

fn condition(table: &Table) -> String {
    let condition = table.condition.as_ref();
    condition.map_or(String::new(), |condition| format!(" AND ({condition}\n)"))
}

/// The number of a row's bucket, as the grid counts: on the clock its column shows for short steps, on the
/// wall clock for those that follow it. An instant has no wall clock of its own, so each change of the zone's
/// offset between the bounds is written out where it matters.
pub fn bucket(name: &str, column: TimeColumn, grid: &Grid, range: &Range<DateTime<Tz>>) -> String {
    let time = quote(name);
    let shift = match column {
        TimeColumn::Local => String::new(),
        _ if grid.step().follows_wall_clock() => wall_clock_shift(&time, column, range),
        _ => format!(" - {}", grid.phase_seconds()),
    };
    match grid.step() {
        Step::Month => month(&time, column, &shift),
        Step::Fixed(step) => {
            let seconds = seconds(&time, column, Grid::EPOCH);
            format!("({seconds}{shift}) DIV {}", step.seconds())
        }
    }
}

/// The seconds of a column's time since an instant.
fn seconds(time: &str, column: TimeColumn, since: DateTime<chrono::Utc>) -> String {
    let timestamp = since.timestamp();
    match column {
        TimeColumn::Epoch { per_second: 1 } => format!("{time} - ({timestamp})"),
        TimeColumn::Epoch { per_second } => format!("{time} DIV {per_second} - ({timestamp})"),
        TimeColumn::Instant | TimeColumn::Local => {
            format!("TIMESTAMPDIFF(SECOND, '{}', {time})", since.format(SHOWN))
        }
    }
}

/// The months between the year 0 and a time that is so many seconds later on the wall clock. The calendar of
/// a server begins with the year 1000, and knows no month of a time whose day is 0.
fn month(time: &str, column: TimeColumn, shift: &str) -> String {
    let local = match column {
        TimeColumn::Local => time.to_string(),
        TimeColumn::Instant | TimeColumn::Epoch { .. } => {
            let seconds = seconds(time, column, DateTime::UNIX_EPOCH);
            format!("TIMESTAMPADD(SECOND, {seconds}{shift}, '1970-01-01 00:00:00')")
        }
    };
    format!("TIMESTAMPDIFF(MONTH, '1000-01-01 00:00:00', {local}) + 12000")
}

/// How a session shows a time.
const SHOWN: &str = "%Y-%m-%d %H:%M:%S";

/// The seconds between UTC and the wall clock at a row.
fn wall_clock_shift(time: &str, column: TimeColumn, range: &Range<DateTime<Tz>>) -> String {
    let changes = offset_changes(range.start, range.end);
    let when = |change: &DateTime<Tz>| {
        let start = match column {
            TimeColumn::Epoch { per_second } => (change.timestamp() * per_second).to_string(),
            _ => format!("'{}'", change.naive_utc().format(SHOWN)),
        };
        format!(" WHEN {time} >= {start} THEN {}", offset_seconds(*change))
    };
    let whens: String = changes[1..].iter().rev().map(when).collect();
    let first = offset_seconds(changes[0]);
    if whens.is_empty() {
        format!(" + ({first})")
    } else {
        format!(" + CASE{whens} ELSE {first} END")
    }
}

/// A name as SQL takes it, whatever it holds.
fn quote(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::sample::{grid, time};

    const SECONDS: TimeColumn = TimeColumn::Epoch { per_second: 1 };

    /// The expression for an autumn's buckets.
    fn bucket_of(step: &str, column: TimeColumn) -> String {
        let (from, to) = (time("2026-10-01"), time("2026-11-22 14:05"));
        bucket("at", column, &grid(step, to), &(from..to))
    }

    #[test]
    fn names_are_quoted_and_the_condition_is_kept_together() {
        let table = Table {
            name: vec!["shop".into(), "sa`les".into()],
            time_column: "at".into(),
            value_column: Some("a`b".into()),
            condition: Some("x = 1 OR y = 2".into()),
            explain_by: vec!["coun`try".into()],
        };
        assert_eq!(
            part_columns(&table),
            "SELECT `coun``try` FROM `shop`.`sa``les` LIMIT 0"
        );
        let times = PartTimes { usual: 1, all: 2 };
        let parts = parts(&table, Added::Values, "coun`try", times, 50);
        assert!(
            parts.contains("LEFT(CAST(`coun``try` AS CHAR), 200)"),
            "{parts}"
        );
        let rows = "FROM `shop`.`sa``les` WHERE ((`at` >= ? AND `at` < ?) OR (`at` >= ? AND `at` < ?)) AND (x = 1 OR y = 2\n) GROUP BY `coun``try`)";
        assert!(parts.contains(rows), "{parts}");
        assert_eq!(
            buckets(&table, Some(Aggregate::Sum), "B"),
            "SELECT B AS bandwatch_bucket, SUM(`a``b`) + 0E0, COUNT(*), COUNT(`a``b`) FROM `shop`.`sa``les` \
             WHERE `at` >= ? AND `at` < ? AND (x = 1 OR y = 2\n) GROUP BY bandwatch_bucket ORDER BY bandwatch_bucket"
        );
    }

    #[test]
    fn a_short_step_counts_seconds_on_the_clock_the_column_shows() {
        let of = |column| bucket_of("5m", column);
        let counted = "(TIMESTAMPDIFF(SECOND, '1969-12-29 00:00:00', `at`)";
        assert_eq!(of(TimeColumn::Local), format!("{counted}) DIV 300"));
        assert_eq!(of(TimeColumn::Instant), format!("{counted} - 0) DIV 300"));
        assert_eq!(of(SECONDS), "(`at` - (-259200) - 0) DIV 300");
    }

    #[test]
    fn milliseconds_are_counted_as_seconds() {
        let milliseconds = TimeColumn::Epoch { per_second: 1000 };
        assert_eq!(
            bucket_of("5m", milliseconds),
            "(`at` DIV 1000 - (-259200) - 0) DIV 300"
        );
        let day = bucket_of("1d", milliseconds);
        assert!(day.contains("WHEN `at` >= 1792890000000 THEN"), "{day}");
    }

    #[test]
    fn a_month_is_that_of_the_wall_clock() {
        let of = |column| bucket_of("1mo", column);
        let months =
            |local: &str| format!("TIMESTAMPDIFF(MONTH, '1000-01-01 00:00:00', {local}) + 12000");
        assert_eq!(of(TimeColumn::Local), months("`at`"));
        let seconds = "`at` - (0) + CASE WHEN `at` >= 1792890000 THEN 3600 ELSE 7200 END";
        let local = format!("TIMESTAMPADD(SECOND, {seconds}, '1970-01-01 00:00:00')");
        assert_eq!(of(SECONDS), months(&local));
        let instant = of(TimeColumn::Instant);
        assert!(
            instant.contains("WHEN `at` >= '2026-10-25 01:00:00' THEN 3600"),
            "{instant}"
        );
    }

    #[test]
    fn a_day_of_instants_is_the_day_of_the_wall_clock_on_both_sides_of_a_change() {
        assert_eq!(
            bucket_of("1d", TimeColumn::Instant),
            "(TIMESTAMPDIFF(SECOND, '1969-12-29 00:00:00', `at`) + CASE WHEN `at` >= '2026-10-25 01:00:00' THEN 3600 ELSE 7200 END) DIV 86400"
        );
        assert_eq!(
            bucket_of("1d", SECONDS),
            "(`at` - (-259200) + CASE WHEN `at` >= 1792890000 THEN 3600 ELSE 7200 END) DIV 86400"
        );
    }
}
