//! The SELECTs, as text: the bucketing is done by the server, so one row a bucket comes back however
//! many rows the table holds. Names are quoted, values bound; only the `where` of the configuration
//! stands as it was written.

use std::ops::Range;

use chrono::DateTime;
use chrono_tz::Tz;

use crate::config::TableName;
use crate::series::{Aggregate, Grid, clock};

/// What a column of times tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeColumn {
    /// TIMESTAMP: an instant, which the session shows in UTC.
    Instant,
    /// A whole number: seconds since 1970, an instant too.
    Seconds,
    /// DATETIME, DATE: a wall clock reading.
    WallClock,
}

/// A table and the columns that matter.
#[derive(Debug, Clone)]
pub struct TableQuery<'a> {
    pub table: &'a TableName,
    pub time_column: &'a str,
    /// None: rows are counted.
    pub value_column: Option<&'a str>,
    pub condition: Option<&'a str>,
    /// None: ready-made rows; the mean of those with one time.
    pub aggregate: Option<Aggregate>,
}

impl TableQuery<'_> {
    /// Columns: the value and the time of any row, for their types alone.
    pub fn types(&self) -> String {
        let value = self.value_column.map_or("1".to_string(), quote);
        format!(
            "SELECT {}, {value} FROM {} LIMIT 0",
            quote(self.time_column),
            self.table()
        )
    }

    /// Column: 1, of any row within the two bounds.
    pub fn any_row(&self) -> String {
        let time = quote(self.time_column);
        format!(
            "SELECT 1 FROM {} WHERE {time} >= ? AND {time} < ?{} LIMIT 1",
            self.table(),
            self.condition()
        )
    }

    /// Column: the newest times before the bound, each once.
    pub fn newest_times(&self) -> String {
        let time = quote(self.time_column);
        format!(
            "SELECT DISTINCT {time} FROM {} WHERE {time} < ?{} ORDER BY {time} DESC LIMIT 500",
            self.table(),
            self.condition()
        )
    }

    /// Columns: the number of the bucket by the clock the column shows, its value, its rows, and
    /// how many of them have a value; within the two bounds, oldest first.
    ///
    /// Sums become floating point numbers only after they were added up exactly, and a mean is the
    /// quotient of two of them: AVG would keep only four more digits than its column has.
    pub fn buckets(&self, bucket: &str) -> String {
        let (time, table, condition) = (quote(self.time_column), self.table(), self.condition());
        let value = self.value_column.map_or("1".to_string(), quote);
        let within = format!("{time} >= ? AND {time} < ?{condition}");
        let aggregate = match self.aggregate {
            Some(Aggregate::Last) => {
                return format!(
                    "SELECT bandwatch_bucket, bandwatch_value + 0E0, bandwatch_rows, bandwatch_with_value FROM (\
                     SELECT {bucket} AS bandwatch_bucket, {value} AS bandwatch_value, \
                     COUNT(*) OVER (PARTITION BY {bucket}) AS bandwatch_rows, \
                     COUNT({value}) OVER (PARTITION BY {bucket}) AS bandwatch_with_value, \
                     ROW_NUMBER() OVER (PARTITION BY {bucket} ORDER BY {value} IS NULL, {time} DESC, {value} DESC) AS bandwatch_place \
                     FROM {table} WHERE {within}) AS bandwatch_last \
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
            "SELECT {bucket} AS bandwatch_bucket, {aggregate}, COUNT(*), COUNT({value}) FROM {table} \
             WHERE {within} GROUP BY bandwatch_bucket ORDER BY bandwatch_bucket"
        )
    }

    fn table(&self) -> String {
        let schema = self
            .table
            .schema
            .as_deref()
            .map(|schema| quote(schema) + ".")
            .unwrap_or_default();
        schema + &quote(&self.table.table)
    }

    fn condition(&self) -> String {
        self.condition
            .map(|condition| format!(" AND ({condition}\n)"))
            .unwrap_or_default()
    }
}

/// The number of a row's bucket, counted from the grid's epoch: on the clock its column shows for
/// short steps, on the wall clock for those that follow it.
///
/// An instant has no wall clock of its own, so each change of the zone's offset between the bounds
/// is written out where it matters.
pub fn bucket(
    time_column: &str,
    kind: TimeColumn,
    grid: &Grid,
    window: &Range<DateTime<Tz>>,
) -> String {
    let time = quote(time_column);
    let epoch = Grid::EPOCH;
    let seconds = match kind {
        TimeColumn::Seconds => format!("{time} - ({})", epoch.timestamp()),
        TimeColumn::Instant | TimeColumn::WallClock => {
            format!(
                "TIMESTAMPDIFF(SECOND, '{}', {time})",
                epoch.format("%Y-%m-%d %H:%M:%S")
            )
        }
    };
    let shift = match kind {
        TimeColumn::WallClock => String::new(),
        _ if grid.step().follows_wall_clock() => wall_clock_shift(&time, kind, window),
        _ => format!(" - {}", grid.phase_seconds()),
    };
    format!("({seconds}{shift}) DIV {}", grid.step().seconds())
}

/// The seconds between UTC and the wall clock at a row.
fn wall_clock_shift(time: &str, kind: TimeColumn, window: &Range<DateTime<Tz>>) -> String {
    let changes = clock::offset_changes(window.start, window.end);
    let (first, later) = (&changes[0], &changes[1..]);
    let whens: String = later
        .iter()
        .rev()
        .map(|start| {
            let start_as_shown = match kind {
                TimeColumn::Seconds => start.timestamp().to_string(),
                _ => format!("'{}'", start.naive_utc().format("%Y-%m-%d %H:%M:%S")),
            };
            format!(
                " WHEN {time} >= {start_as_shown} THEN {}",
                clock::offset_seconds(*start)
            )
        })
        .collect();
    let first = clock::offset_seconds(*first);
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
    use crate::series::parse_time;

    const PARIS: Tz = chrono_tz::Europe::Paris;

    fn time(text: &str) -> DateTime<Tz> {
        parse_time(text, PARIS).expect("a time")
    }

    fn grid(step: &str) -> Grid {
        Grid::new(step.parse().expect("a step"), time("2026-11-22 14:05"))
    }

    #[test]
    fn names_are_quoted_and_the_condition_is_kept_together() {
        let table = TableName {
            schema: Some("shop".into()),
            table: "sa`les".into(),
        };
        let query = TableQuery {
            table: &table,
            time_column: "at",
            value_column: Some("a`b"),
            condition: Some("x = 1 OR y = 2"),
            aggregate: Some(Aggregate::Sum),
        };
        let sql = query.buckets("B");
        assert_eq!(
            sql,
            "SELECT B AS bandwatch_bucket, SUM(`a``b`) + 0E0, COUNT(*), COUNT(`a``b`) FROM `shop`.`sa``les` \
             WHERE `at` >= ? AND `at` < ? AND (x = 1 OR y = 2\n) GROUP BY bandwatch_bucket ORDER BY bandwatch_bucket"
        );
    }

    fn autumn() -> Range<DateTime<Tz>> {
        time("2026-10-01")..time("2026-11-22 14:05")
    }

    #[test]
    fn a_short_step_counts_seconds_on_the_clock_the_column_shows() {
        let bucket = |kind| bucket("at", kind, &grid("5m"), &autumn());
        let counted = "(TIMESTAMPDIFF(SECOND, '1969-12-29 00:00:00', `at`)";
        assert_eq!(bucket(TimeColumn::WallClock), format!("{counted}) DIV 300"));
        assert_eq!(
            bucket(TimeColumn::Instant),
            format!("{counted} - 0) DIV 300")
        );
        assert_eq!(
            bucket(TimeColumn::Seconds),
            "(`at` - (-259200) - 0) DIV 300"
        );
    }

    #[test]
    fn a_day_of_instants_is_the_day_of_the_wall_clock_on_both_sides_of_a_change() {
        let bucket = |kind| bucket("at", kind, &grid("1d"), &autumn());
        assert_eq!(
            bucket(TimeColumn::Instant),
            "(TIMESTAMPDIFF(SECOND, '1969-12-29 00:00:00', `at`) + CASE WHEN `at` >= '2026-10-25 01:00:00' THEN 3600 ELSE 7200 END) DIV 86400"
        );
        assert_eq!(
            bucket(TimeColumn::Seconds),
            "(`at` - (-259200) + CASE WHEN `at` >= 1792890000 THEN 3600 ELSE 7200 END) DIV 86400"
        );
    }
}
