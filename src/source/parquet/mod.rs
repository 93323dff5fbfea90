//! A Parquet file in place of the database: a column of times and one of values, read by polars. Types are
//! known, so only the choice of the columns can be in doubt; then it is refused.

mod cells;
mod columns;
#[cfg(test)]
mod tests;

use std::io::Cursor;

use anyhow::{Context, Result, bail, ensure};
use polars_arrow::array::Array;
use polars_arrow::datatypes::{ArrowDataType, Field};
use polars_parquet::parquet::compression::Compression;
use polars_parquet::parquet::page::CompressedPage;
use polars_parquet::read::{
    BasicDecompressor, ColumnChunkMetadata, FileMetadata, PageReader, RowGroupMetadata,
    column_iter_to_arrays, infer_schema, read_metadata,
};

use super::file_columns::Columns;
use super::file_keys::{RowKeys, ValueId};
use super::file_rows::{FileRows, Row, RowTime, shown};
use crate::config::{Metric, TimeMeaning};
use crate::output::{contain_quietly, one_line};
use cells::TimeCells;
use columns::Kind;

/// As many as fit into the largest CSV file.
const MOST_ROWS: usize = 10_000_000;

/// No page of a file that is meant to be read has more bytes; polars takes in what a page says it has.
const LARGEST_PAGE: usize = 64 << 20;

/// The texts of one column that are read at once: as many bytes as the largest CSV file has.
const MOST_BYTES_OF_GROUP: usize = 256 << 20;

/// Whether a whole number is a time is seen by so many rows.
const SAMPLE_ROWS: usize = 1000;

pub fn read_rows(bytes: &[u8], metric: &Metric) -> Result<FileRows> {
    // polars panics over some of what it does not expect.
    let rows = contain_quietly(|| {
        let file = ParquetFile::open(bytes)?;
        file.rows(metric)
    });
    rows.unwrap_or_else(|| bail!(NOT_WHOLE))
}

const NOT_WHOLE: &str = "it is no whole Parquet file; write it again";

struct ParquetFile<'a> {
    bytes: &'a [u8],
    metadata: FileMetadata,
    fields: Vec<Field>,
}

impl<'a> ParquetFile<'a> {
    fn open(bytes: &'a [u8]) -> Result<Self> {
        let metadata = read_metadata(&mut Cursor::new(bytes)).map_err(damaged)?;
        let schema = infer_schema(&metadata).map_err(damaged)?;
        let rows = metadata.row_groups.iter();
        let rows = rows.fold(0_usize, |sum, group| sum.saturating_add(group.num_rows()));
        ensure!(
            rows <= MOST_ROWS,
            "it has {rows} rows; at most {MOST_ROWS} can be read: add them up first"
        );
        Ok(Self {
            bytes,
            fields: schema.iter_values().map(plain).collect(),
            metadata,
        })
    }

    fn rows(&self, metric: &Metric) -> Result<FileRows> {
        let looks_like_times = |column| self.looks_like_times(column);
        let columns = Columns::of_fields(&self.fields, metric, looks_like_times)?;
        let times = self.times(columns.time, metric.time)?;
        let mut keys = RowKeys::of(metric);
        if let Some(keys) = &mut keys {
            self.add_keys(&columns, &times, keys)?;
        } else if metric.aggregate.is_none() {
            columns.check_key(&self.fields, &times)?;
        }
        let values = match columns.value {
            Some(value) => self.values(value)?,
            None => vec![Some(1.0); times.len()],
        };
        ensure!(times.len() == values.len(), NOT_WHOLE);
        let rows = times.into_iter().zip(values);
        Ok(FileRows {
            rows: rows.map(|(time, value)| Row { time, value }).collect(),
            keys,
            hint: columns.hint,
        })
    }

    /// Adds the keys of the rows, of one group of them after another: texts take more than numbers do.
    fn add_keys(&self, columns: &Columns, times: &[RowTime], keys: &mut RowKeys) -> Result<()> {
        let mut times = times.iter();
        for group in &self.metadata.row_groups {
            let group_alone = std::slice::from_ref(group);
            let mut of_columns: Vec<Vec<ValueId>> = Vec::new();
            for (place, column) in columns.keys.iter().enumerate() {
                let mut ids = Vec::new();
                for array in self.arrays(*column, group_alone)? {
                    let texts = cells::key_texts(&*array).context(NOT_WHOLE)?;
                    ids.extend(texts.map(|text| keys.value(place, text.as_deref())));
                }
                of_columns.push(ids);
            }
            let title_arrays = match columns.title {
                Some(title) => self.arrays(title, group_alone)?,
                None => Vec::new(),
            };
            let titles = title_arrays
                .iter()
                .filter_map(|array| cells::key_texts(&**array));
            let mut titles = titles.flatten();
            for row in 0..group.num_rows() {
                let values = of_columns.iter().map(|ids| ids.get(row).copied().flatten());
                let values: Vec<ValueId> = values.collect();
                let key = keys.add(&values)?;
                let (time, title) = (times.next().context(NOT_WHOLE)?, titles.next().flatten());
                keys.note_title(key, *time, title.as_deref());
            }
        }
        Ok(())
    }

    fn times(&self, column: usize, meaning: Option<TimeMeaning>) -> Result<Vec<RowTime>> {
        let arrays = self.arrays(column, &self.metadata.row_groups)?;
        let name = || format!("column {}", shown(&self.fields[column].name));
        let cells = TimeCells::of(&arrays, meaning).with_context(name)?;
        let mut times = Vec::new();
        for array in &arrays {
            cells.read(&**array, &mut times).with_context(name)?;
        }
        Ok(times)
    }

    fn values(&self, column: usize) -> Result<Vec<Option<f64>>> {
        let mut values = Vec::new();
        for array in self.arrays(column, &self.metadata.row_groups)? {
            let numbers = cells::numbers(&*array);
            values.extend(numbers.context(NOT_WHOLE)?);
        }
        Ok(values)
    }

    /// Whether most numbers of a column are times of our days.
    fn looks_like_times(&self, column: usize) -> Result<bool> {
        let first = self.metadata.row_groups.get(..1).unwrap_or_default();
        let arrays = self.arrays(column, first)?;
        let numbers = arrays
            .iter()
            .filter_map(|array| cells::whole_numbers(&**array));
        let numbers = numbers.flatten().flatten().take(SAMPLE_ROWS);
        let units: Vec<_> = numbers.map(cells::unit).collect();
        let times = units.iter().filter(|unit| unit.is_some());
        Ok(2 * times.count() > units.len())
    }

    /// The cells of a column, a part for each group of rows.
    fn arrays(&self, column: usize, groups: &[RowGroupMetadata]) -> Result<Vec<Box<dyn Array>>> {
        let field = self.fields.get(column).context(NOT_WHOLE)?;
        let mut arrays = Vec::new();
        for group in groups {
            let mut chunks = group
                .columns_under_root_iter(&field.name)
                .context(NOT_WHOLE)?;
            let chunk = chunks.next().filter(|_| chunks.next().is_none());
            let chunk = chunk.context(NOT_WHOLE)?;
            self.check_chunk(chunk, group, field)?;
            let pages = BasicDecompressor::new(self.pages(chunk)?, Vec::new());
            let types = vec![&chunk.descriptor().descriptor.primitive_type];
            let read = column_iter_to_arrays(vec![pages], types, field.clone(), None);
            let (parts, _) = read.map_err(damaged)?;
            let rows: usize = parts.iter().map(|part| part.len()).sum();
            ensure!(rows == group.num_rows(), NOT_WHOLE);
            arrays.extend(parts);
        }
        Ok(arrays)
    }

    fn pages(&self, chunk: &ColumnChunkMetadata) -> Result<PageReader> {
        let range = chunk.byte_range();
        let range = usize::try_from(range.start)?..usize::try_from(range.end)?;
        let bytes = self.bytes.get(range).context(NOT_WHOLE)?.to_vec();
        let reader = Cursor::new(bytes.into());
        Ok(PageReader::new(reader, chunk, Vec::new(), LARGEST_PAGE))
    }

    /// What it says of its size is believed by polars, so it is looked at first.
    fn check_chunk(
        &self,
        chunk: &ColumnChunkMetadata,
        group: &RowGroupMetadata,
        field: &Field,
    ) -> Result<()> {
        match chunk.compression() {
            Compression::Uncompressed
            | Compression::Snappy
            | Compression::Gzip
            | Compression::Zstd => {}
            other => bail!(
                "column {}: it is packed by {other:?}; write the file with Snappy, Gzip or Zstd, or without",
                shown(&field.name)
            ),
        }
        let (mut rows, mut bytes) = (0_usize, 0_usize);
        for page in self.pages(chunk)? {
            if let CompressedPage::Data(page) = page.map_err(damaged)? {
                ensure!(page.uncompressed_size() <= LARGEST_PAGE, NOT_WHOLE);
                rows = rows.saturating_add(page.num_values());
                bytes = bytes.saturating_add(page.uncompressed_size());
            }
        }
        ensure!(
            bytes <= MOST_BYTES_OF_GROUP,
            "column {}: a group of its rows has more than 256 MiB; write the file in smaller groups",
            shown(&field.name)
        );
        ensure!(rows == group.num_rows(), NOT_WHOLE);
        Ok(())
    }
}

/// The column as if each cell had its value written out: categories are texts.
fn plain(field: &Field) -> Field {
    match field.dtype() {
        ArrowDataType::Dictionary(_, values, _) => Field {
            dtype: (**values).clone(),
            ..field.clone()
        },
        _ => field.clone(),
    }
}

/// A column that may hold a time, a number, or neither.
fn kind(field: &Field) -> Kind {
    cells::kind(field.dtype())
}

fn damaged(error: impl std::fmt::Display) -> anyhow::Error {
    let error = error.to_string();
    let error = one_line(error.lines().next().unwrap_or_default());
    anyhow::anyhow!("{NOT_WHOLE} ({error})")
}
