//! The SELECTs about what a server holds. What an account may not read, the server leaves out.

use super::{TimeColumn, name, quote, seconds, within};
use crate::config::Table;
use crate::series::Grid;

/// Which databases are looked at: a parameter names one, or those of the server itself are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Databases {
    Named,
    All,
}

impl Databases {
    fn condition(self) -> &'static str {
        match self {
            Self::Named => "TABLE_SCHEMA = ?",
            Self::All => {
                "TABLE_SCHEMA NOT IN ('information_schema', 'performance_schema', 'mysql', 'sys')"
            }
        }
    }
}

/// Columns: database, table, its kind, and about how many rows it has.
pub fn tables(databases: Databases) -> String {
    format!(
        "SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, TABLE_ROWS FROM information_schema.TABLES WHERE {} ORDER BY TABLE_SCHEMA, TABLE_NAME",
        databases.condition()
    )
}

/// Columns: database, table, column, its type without and with what is in brackets, and which key it is of.
pub fn columns(databases: Databases) -> String {
    format!(
        "SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, COLUMN_KEY FROM information_schema.COLUMNS WHERE {} ORDER BY TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION",
        databases.condition()
    )
}

/// Columns: database, table, and a column that an index begins with.
pub fn indexed_columns(databases: Databases) -> String {
    format!(
        "SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME FROM information_schema.STATISTICS WHERE SEQ_IN_INDEX = 1 AND {}",
        databases.condition()
    )
}

/// Columns: database, table, and a column that refers to another table.
pub fn referring_columns(databases: Databases) -> String {
    format!(
        "SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME FROM information_schema.KEY_COLUMN_USAGE WHERE REFERENCED_TABLE_NAME IS NOT NULL AND {}",
        databases.condition()
    )
}

/// Column: the newest time, as seconds since 1970 by whatever clock the column has.
pub fn newest_date(table: &Table) -> String {
    let time = quote(&table.time_column);
    let table = name(table);
    format!("SELECT TIMESTAMPDIFF(SECOND, '1970-01-01 00:00:00', MAX({time})) FROM {table}")
}

/// Column: the largest of the numbers that are times.
pub fn largest_number(table: &Table) -> String {
    let time = quote(&table.time_column);
    format!("SELECT MAX({time}) FROM {}", name(table))
}

/// Column: one of the numbers that are times.
pub fn any_number(table: &Table) -> String {
    let time = quote(&table.time_column);
    format!(
        "SELECT {time} FROM {} WHERE {time} IS NOT NULL LIMIT 1",
        name(table)
    )
}

/// Columns: how many rows there are within the two bounds, of how many times, in how many hours.
pub fn density(table: &Table, column: TimeColumn) -> String {
    let time = quote(&table.time_column);
    let (seconds, name, within) = (
        seconds(&time, column, Grid::EPOCH),
        name(table),
        within(table),
    );
    format!(
        "SELECT COUNT(*), COUNT(DISTINCT {time}), COUNT(DISTINCT ({seconds}) DIV 3600) FROM {name} WHERE {within}"
    )
}
