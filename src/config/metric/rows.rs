//! The keys that say where a metric's rows are.

use super::MetricTable;
use crate::series::Aggregate;

/// Where the rows are.
#[derive(Debug, Clone, PartialEq)]
pub enum Rows {
    Table {
        table: TableName,
        time_column: String,
        value_column: Option<String>,
        condition: Option<String>,
    },
    /// A SELECT with `:from` and `:to`; the columns are the first two unless named.
    Query {
        sql: String,
        time_column: Option<String>,
        value_column: Option<String>,
    },
    /// Nowhere in a database: the metric is only for `--input`.
    None,
}

/// A table, in the configured database or in one it names: `sales` or `shop.sales`.
#[derive(Debug, Clone, PartialEq)]
pub struct TableName {
    pub schema: Option<String>,
    pub table: String,
}

/// # Errors
///
/// If keys are missing, contradict each other, or name no table.
pub fn rows(metric: &MetricTable) -> Result<Rows, String> {
    let (time_column, value_column) = (metric.time_column.clone(), metric.value_column.clone());
    match (&metric.table, &metric.query) {
        (Some(_), Some(_)) => Err("query: table is set too; allowed: one of the two".into()),
        _ if metric
            .r#where
            .as_ref()
            .is_some_and(|condition| condition.trim().is_empty()) =>
        {
            Err("where = \"\": allowed: a condition in SQL, or no such key".into())
        }
        (None, Some(_)) if metric.r#where.is_some() => {
            Err("where: goes with table; put the condition into query".into())
        }
        (None, Some(sql)) if !sql.contains(":from") || !sql.contains(":to") => Err(format!(
            "query = {sql:?}: does not ask for the window; allowed: a SELECT that uses :from and :to, as in \"... WHERE t >= :from AND t < :to\""
        )),
        (None, Some(sql)) => Ok(Rows::Query {
            sql: sql.clone(),
            time_column,
            value_column,
        }),
        (Some(table), None) => {
            let time_column = time_column.ok_or("time_column: missing; it goes with table")?;
            if value_column.is_none() && metric.aggregate != Some(Aggregate::Count) {
                return Err(
                    "value_column: missing; only aggregate = \"count\" does without".into(),
                );
            }
            Ok(Rows::Table {
                table: table_name(table)?,
                time_column,
                value_column,
                condition: metric.r#where.clone(),
            })
        }
        (None, None) => Ok(Rows::None),
    }
}

fn table_name(text: &str) -> Result<TableName, String> {
    let parts: Vec<&str> = text.split('.').collect();
    match parts.as_slice() {
        [table] if !table.is_empty() => Ok(TableName {
            schema: None,
            table: (*table).into(),
        }),
        [schema, table] if !schema.is_empty() && !table.is_empty() => Ok(TableName {
            schema: Some((*schema).into()),
            table: (*table).into(),
        }),
        _ => Err(format!(
            "table = {text:?}: not a table; allowed: \"sales\", or \"shop.sales\" for one in another database"
        )),
    }
}
