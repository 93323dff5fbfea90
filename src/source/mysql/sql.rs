//! The SELECTs, as text: the bucketing is done by the server, so one row a bucket comes back however
//! many rows the table holds. Names are quoted, values bound; only the `where` of the configuration
//! stands as it was written.

use chrono::DateTime;
use chrono_tz::Tz;

use crate::config::TableName;
use crate::series::{Aggregate, Grid, clock};

/// What a column of times tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeColumn {
    /// TIMESTAMP: an instant, read in the offset of the session.
    Instant,
    /// DATETIME, DATE: a wall clock reading.
    Reading,
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
            .map(|condition| format!(" AND ({condition})"))
            .unwrap_or_default()
    }
}

/// The number of a row's bucket on the clock its column shows, counted from the grid's epoch.
///
/// The session shows a TIMESTAMP in one offset, that of `session`. Steps that follow the wall clock
/// need the offset that was in force, so each change between the bounds is written out.
pub fn bucket(
    time_column: &str,
    kind: TimeColumn,
    grid: &Grid,
    from: DateTime<Tz>,
    session: DateTime<Tz>,
) -> String {
    let time = quote(time_column);
    let epoch = Grid::EPOCH.format("%Y-%m-%d %H:%M:%S");
    let step = grid.step().seconds();
    let shift = match kind {
        TimeColumn::Instant if grid.step().follows_wall_clock() => {
            offset_shift(&time, from, session)
        }
        _ => String::new(),
    };
    format!("(TIMESTAMPDIFF(SECOND, '{epoch}', {time}){shift}) DIV {step}")
}

/// The seconds between the session's clock and the wall clock of a row.
fn offset_shift(time: &str, from: DateTime<Tz>, session: DateTime<Tz>) -> String {
    let session_offset = clock::offset_seconds(session);
    let shift = |start: &DateTime<Tz>| clock::offset_seconds(*start) - session_offset;
    let changes = clock::offset_changes(from, session);
    let (first, later) = (&changes[0], &changes[1..]);
    if later.is_empty() {
        return if shift(first) == 0 {
            String::new()
        } else {
            format!(" + ({})", shift(first))
        };
    }
    let whens: String = later
        .iter()
        .rev()
        .map(|start| {
            let shown = start.naive_utc() + chrono::TimeDelta::seconds(session_offset);
            format!(
                " WHEN {time} >= '{}' THEN {}",
                shown.format("%Y-%m-%d %H:%M:%S"),
                shift(start)
            )
        })
        .collect();
    format!(" + CASE{whens} ELSE {} END", shift(first))
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
             WHERE `at` >= ? AND `at` < ? AND (x = 1 OR y = 2) GROUP BY bandwatch_bucket ORDER BY bandwatch_bucket"
        );
    }

    #[test]
    fn a_short_step_counts_seconds_on_the_clock_the_column_shows() {
        for kind in [TimeColumn::Instant, TimeColumn::Reading] {
            let bucket = bucket(
                "at",
                kind,
                &grid("5m"),
                time("2026-10-01"),
                time("2026-11-22 14:05"),
            );
            assert_eq!(
                bucket,
                "(TIMESTAMPDIFF(SECOND, '1969-12-29 00:00:00', `at`)) DIV 300"
            );
        }
    }

    #[test]
    fn a_day_of_instants_is_the_day_of_the_wall_clock_on_both_sides_of_a_change() {
        let bucket = bucket(
            "at",
            TimeColumn::Instant,
            &grid("1d"),
            time("2026-10-01"),
            time("2026-11-22 14:05"),
        );
        assert_eq!(
            bucket,
            "(TIMESTAMPDIFF(SECOND, '1969-12-29 00:00:00', `at`) + CASE WHEN `at` >= '2026-10-25 02:00:00' THEN 0 ELSE 3600 END) DIV 86400"
        );
    }
}
