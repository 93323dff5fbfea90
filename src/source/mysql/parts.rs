//! Reads what the parts of a sum are, added up by the server: a SELECT a column.

use std::ops::ControlFlow;

use ::mysql::{Row, Value};
use anyhow::{Result, bail};

use super::cell;
use super::error::query_error;
use super::read::{Reader, first_cell};
use super::session::NotMysql;
use super::sql::{self, Added, PartTimes};
use crate::config::{Rows, Table};
use crate::detect::{ColumnSums, Comparison, PartSums};
use crate::series::Aggregate;

/// Of more parts, those that changed least are not looked at one by one.
const MOST_PARTS: usize = 50;

impl Reader<'_> {
    /// The parts that each column of `explain_by` makes of the times of a comparison.
    pub fn parts(&mut self, comparison: &Comparison) -> Result<Vec<ColumnSums>> {
        let Rows::Table(table) = &self.metric.rows else {
            bail!("explain_by: only a table has parts");
        };
        let time_column = self.time_column(table, self.now)?;
        let own = self.own_rows(table)?;
        let added = match self.metric.aggregate {
            Some(Aggregate::Count) => Added::Rows,
            _ => Added::Values,
        };
        let times = PartTimes {
            usual: comparison.usual.len(),
            all: comparison.spans().count(),
        };
        let bounds = comparison.spans().flat_map(|span| {
            let (from, to) = cell::bounds(&span.range, time_column);
            [from, to]
        });
        let bounds: Vec<Value> = bounds.collect();
        let columns = table.explain_by.iter().map(|column| {
            let statement = sql::parts(&own.table, added, column, times, MOST_PARTS);
            let parameters = own.bind([bounds.clone(), bounds.clone()].concat());
            let mut parts = Vec::new();
            self.each_row(&statement, parameters, |row| {
                parts.push(part_sums(&row, times)?);
                Ok(ControlFlow::Continue(()))
            })?;
            Ok(ColumnSums {
                column: column.clone(),
                parts,
            })
        });
        columns.collect()
    }

    /// Why the columns of `explain_by` could not be read. Nobody should learn that with the first incident.
    pub(super) fn hint_at_parts(&mut self, table: &Table) -> Option<String> {
        if table.explain_by.is_empty() {
            return None;
        }
        let error = self.session.statement(&sql::part_columns(table)).err()?;
        Some(format!("explain_by: {:#}", query_error(error)))
    }
}

fn part_sums(row: &Row, times: PartTimes) -> Result<PartSums> {
    let number = |place: usize| {
        let number = row.as_ref(place).map(cell::number).transpose()?.flatten();
        number.ok_or_else(|| NotMysql.into())
    };
    let value = match first_cell(row) {
        Value::NULL => None,
        Value::Bytes(text) => Some(String::from_utf8_lossy(text).into_owned()),
        _ => bail!(NotMysql),
    };
    let sums = (1..=times.all).map(number).collect::<Result<_>>()?;
    let squares = number(times.all + 1)?;
    Ok(PartSums {
        value,
        sums,
        squares,
    })
}
