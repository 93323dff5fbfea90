//! A file in place of the database: Parquet if it begins like one, else CSV.

use std::path::Path;

use anyhow::Result;
use chrono::DateTime;
use chrono_tz::Tz;

use super::file_rows::{FileRows, PARQUET_MAGIC, history_of_rows};
use super::history::{History, Lookback};
use super::{csv, parquet};
use crate::config::Metric;

pub fn history(
    path: &Path,
    metric: &Metric,
    as_of: Option<DateTime<Tz>>,
    lookback: Lookback,
    zone: Tz,
) -> Result<History> {
    history_of_rows(rows(path, metric)?, metric, as_of, lookback, zone)
}

pub fn rows(path: &Path, metric: &Metric) -> Result<FileRows> {
    let bytes = csv::read_unpacked(path)?;
    if bytes.starts_with(PARQUET_MAGIC) {
        parquet::read_rows(&bytes, metric)
    } else {
        csv::read_rows(bytes, metric)
    }
}
