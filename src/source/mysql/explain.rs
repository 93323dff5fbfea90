//! Looks for what may explain that no row counts, or that rows stand at the wrong time.

use std::ops::{ControlFlow, Range};
use std::time::Duration;

use ::mysql::{Value, params};
use anyhow::Result;
use chrono::DateTime;
use chrono_tz::Tz;

use super::cell;
use super::hint;
use super::read::{Prepared, Reader, first_cell};
use super::sql::{self, TimeColumn};
use crate::config::{Query, Table};
use crate::series::LocalClock;
use crate::series::local_time::offset_changes;
use crate::source::history::History;

impl Reader<'_> {
    /// What is to be said of the rows of a table. It is worth no failure: they are there without it.
    pub(super) fn table_hint(
        &mut self,
        table: &Table,
        column: TimeColumn,
        history: &History,
    ) -> Option<String> {
        if history.ends().is_none() {
            let warnings = self.session.warnings().ok()?;
            self.limit_hints();
            let looked_at = match hint::write_counts(history.buckets.row_counts) {
                Some(counts) => counts,
                None => self.look_at_newest(table, column).ok()?,
            };
            return joined([Some(looked_at), hint::write_warnings(&warnings)]);
        }
        let range = self.time_ahead()?;
        self.limit_hints();
        let own = self.own_rows(table).ok()?;
        let (from, to) = cell::bounds(&range, column);
        let ahead = self.times(
            &sql::newest_within(&own.table),
            own.bind([from, to]),
            column,
        );
        joined([
            self.hint_at_clock(history, ahead.ok()?.into_iter().max()),
            self.hint_at_parts(table),
        ])
    }

    /// The same of a query; `raw_time` is that of a row outside, if one came.
    pub(super) fn query_hint(
        &mut self,
        query: &Query,
        prepared: &Prepared,
        history: &History,
        raw_time: Option<Value>,
    ) -> Option<String> {
        let range = history.times();
        if history.ends().is_none() {
            let counts = hint::write_counts(history.buckets.row_counts);
            let explained = self.explain_nothing(query, prepared, &range, raw_time, counts);
            return explained.ok();
        }
        self.limit_hints();
        let ahead = self.query_time_ahead(prepared).ok()?;
        joined([
            self.hint_at_clock(history, ahead),
            self.hint_at_offset(prepared, &range),
        ])
    }

    /// The newest time of a table none of whose rows was of use.
    pub(super) fn look_at_newest(&mut self, table: &Table, column: TimeColumn) -> Result<String> {
        let mut newest = Value::NULL;
        self.each_row(&sql::newest_of_all(table), (), |row| {
            newest = first_cell(&row).clone();
            Ok(ControlFlow::Continue(()))
        })?;
        let (zone, name) = (self.now.timezone(), &table.time_column);
        if let Some(meaning) = hint::other_meaning(&newest, column, name) {
            return Ok(meaning);
        }
        let mut clock = LocalClock::EitherPass(zone);
        Ok(match cell::instant(&newest, column, zone, &mut clock) {
            _ if newest == Value::NULL => {
                format!("no row of {} has a time in {name}", table.name.join("."))
            }
            Some(time) => {
                let chosen = if table.condition.is_some() {
                    ", chosen by where or not,"
                } else {
                    ""
                };
                format!(
                    "no row came; the newest of the table{chosen} is of {}",
                    time.format("%Y-%m-%d %H:%M %Z")
                )
            }
            None => format!(
                "no row came; the newest of the table has the time {}",
                newest.as_sql(true)
            ),
        })
    }

    /// Of a query none of whose rows was of use: what it was asked, and what came.
    pub(super) fn explain_nothing(
        &mut self,
        query: &Query,
        prepared: &Prepared,
        range: &Range<DateTime<Tz>>,
        raw_time: Option<Value>,
        counts: Option<String>,
    ) -> Result<String> {
        let warnings = self.session.warnings()?;
        self.limit_hints();
        let bounds = cell::bounds(range, prepared.column);
        let came = match (&raw_time, counts) {
            (_, Some(counts)) => counts,
            (Some(time), None) => {
                format!("only rows outside came, as one of {}", time.as_sql(true))
            }
            (None, None) => "no row came".to_string(),
        };
        let asked = format!("{came} {}", hint::write_bounds(&bounds, prepared.column));
        let looked_at = match raw_time {
            Some(time) => Some(time),
            None => self.any_time(query, prepared),
        };
        let meaning = looked_at
            .and_then(|time| hint::other_meaning(&time, prepared.column, &prepared.time_name));
        let hints = [Some(asked), meaning, hint::write_warnings(&warnings)];
        Ok(joined(hints).unwrap_or_default())
    }

    /// The time of any row at all, where it is a number.
    fn any_time(&mut self, query: &Query, prepared: &Prepared) -> Option<Value> {
        let TimeColumn::Epoch { .. } = prepared.column else {
            return None;
        };
        let mut time = None;
        let bounds = params! { "from" => 0, "to" => i64::MAX };
        let read = self.each_row(&sql::any_row_of(query), bounds, |row| {
            time = row.as_ref(prepared.time_index).cloned();
            Ok(ControlFlow::Break(()))
        });
        read.ok().and(time)
    }

    /// From now on the server is only asked for hints, which may take little of what time is left.
    fn limit_hints(&mut self) {
        const LONGEST: Duration = Duration::from_secs(8);
        const SHORTEST: Duration = Duration::from_millis(10);
        if let Ok(left) = self.deadline.at_most(LONGEST) {
            // If it fails, so does the hint.
            let _ = self.session.limit((left / 4).max(SHORTEST));
        }
    }

    /// The newest row of a query ahead of the server's clock.
    fn query_time_ahead(&mut self, prepared: &Prepared) -> Result<Option<DateTime<Tz>>> {
        let Some(range) = self.time_ahead() else {
            return Ok(None);
        };
        let (clock, mut newest) = (LocalClock::Until(self.now), None);
        self.each_query_row(prepared, &range, clock, |row| {
            newest = newest.max(row.time.filter(|time| range.contains(time)));
            ControlFlow::Continue(())
        })?;
        Ok(newest)
    }

    /// The time ahead of the server's clock in which rows may lie by a mistake, if it told its clock.
    fn time_ahead(&mut self) -> Option<Range<DateTime<Tz>>> {
        let now = self
            .session
            .server_now()?
            .with_timezone(&self.now.timezone());
        Some(now..now + hint::FARTHEST_AHEAD)
    }

    /// Whether the rows look as if they were read by the wrong clock.
    fn hint_at_clock(&mut self, history: &History, ahead: Option<DateTime<Tz>>) -> Option<String> {
        let server_now = self.time_ahead()?.start;
        let step = history.step();
        ahead
            .and_then(|newest| hint::ahead(newest, server_now, step))
            .or_else(|| hint::behind(history.newest_end()?, history.times().end, step))
    }

    /// Whether a query computes clock times at a server that knows but one offset of the zone.
    fn hint_at_offset(&self, prepared: &Prepared, range: &Range<DateTime<Tz>>) -> Option<String> {
        let is_affected = self.session.has_fixed_offset()
            && prepared.is_computed
            && prepared.column != TimeColumn::Instant;
        let changes = offset_changes(range.start, range.end);
        let change = changes
            .last()
            .filter(|_| is_affected && changes.len() > 1)?;
        Some(format!(
            "the server does not know {} by name, so clock times that the query computes are shifted before {}: load the server's time zone tables",
            change.timezone(),
            change.format("%Y-%m-%d %H:%M %Z")
        ))
    }
}

fn joined<const COUNT: usize>(hints: [Option<String>; COUNT]) -> Option<String> {
    let hints: Vec<String> = hints.into_iter().flatten().collect();
    (!hints.is_empty()).then(|| hints.join("; "))
}
