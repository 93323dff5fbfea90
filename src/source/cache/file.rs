//! A window as a file: a line with a checksum (CRC-32) of all that follows, a line of JSON that says what the window
//! is of, and its buckets as Arrow IPC, one record batch of columns. Columns that say nothing are left out: slots
//! that follow one another, counts of one value a bucket, zeros.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{BufRead, Cursor, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use polars_arrow::array::{Array, PrimitiveArray};
use polars_arrow::datatypes::{ArrowSchema, Field};
use polars_arrow::io::ipc::read::{FileReader, read_file_metadata};
use polars_arrow::io::ipc::write::{FileWriter, WriteOptions};
use polars_arrow::record_batch::RecordBatchT;
use polars_arrow::types::NativeType;

use super::{Head, Known};
use crate::output::owner::this_user;
use crate::output::{Links, PRIVATE, contain_quietly, open_plain, write_whole};
use crate::series::{Gathered, RowCounts};

/// The first line has the version of the format too: another one is as good as no file.
const NAME: &str = "bandwatch window 2";

/// Ten years of minutes take half of it.
pub const MOST_BYTES: u64 = 256 << 20;

/// A file that no run wrote for so long is of a metric that is not configured any more.
const KEPT: Duration = Duration::from_hours(30 * 24);

/// Names and titles of series have a place in it.
const LONGEST_HEAD: u64 = 1 << 20;

/// The columns of counts.
const COUNTS: [(&str, Count); 5] = [
    ("rows", |counts| &mut counts.rows),
    ("empty", |counts| &mut counts.empty),
    ("not_finite", |counts| &mut counts.not_finite),
    ("unclear_time", |counts| &mut counts.unclear_time),
    ("repeated", |counts| &mut counts.repeated),
];

/// Most buckets have one value.
const ONE: f64 = 1.0;

type Count = fn(&mut RowCounts) -> &mut u64;

type Batch = RecordBatchT<Box<dyn Array>>;

/// The window in a file, if there is one to rely on.
pub fn read(path: &Path) -> Option<Known> {
    let file = open_plain(OpenOptions::new().read(true), path, Links::Refuse).ok()?;
    if Some(file.metadata().ok()?.uid()) != this_user() {
        return None;
    }
    let mut bytes = Vec::new();
    file.take(MOST_BYTES).read_to_end(&mut bytes).ok()?;
    decode(&bytes)
}

/// Writes it whole, or not at all; it may be lost if the power fails.
pub fn write(path: &Path, head: &Head, buckets: &BTreeMap<i64, Gathered>) -> Result<()> {
    write_whole(path, &encode(head, buckets)?, PRIVATE)?;
    Ok(())
}

/// The head of a window that was encoded, of its first two lines. It is to be relied on only once all of it was
/// decoded.
pub fn peek(lines: &mut impl BufRead) -> Option<Head> {
    let mut line = String::new();
    lines.take(LONGEST_HEAD).read_line(&mut line).ok()?;
    line.clear();
    lines.take(LONGEST_HEAD).read_line(&mut line).ok()?;
    serde_json::from_str(&line).ok()
}

/// Removes what no run wrote for long.
pub fn forget_old(folder: &Path) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries {
        let written = entry.metadata().and_then(|there| there.modified());
        let age = written.ok().and_then(|written| written.elapsed().ok());
        if age.is_some_and(|age| age > KEPT) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

pub fn encode(head: &Head, buckets: &BTreeMap<i64, Gathered>) -> Result<Vec<u8>> {
    let mut body = serde_json::to_vec(head)?;
    body.push(b'\n');
    let columns = columns(head, buckets)?;
    let fields = columns.iter().map(|(name, array)| {
        let name = (*name).into();
        Field::new(name, array.dtype().clone(), false)
    });
    let schema: Arc<ArrowSchema> =
        Arc::new(fields.map(|field| (field.name.clone(), field)).collect());
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    let batch = Batch::try_new(buckets.len(), schema.clone(), arrays)?;
    let mut writer =
        FileWriter::try_new(&mut body, schema, None, WriteOptions { compression: None })?;
    writer.write(&batch, None)?;
    writer.finish()?;
    drop(writer);
    let first_line = first_line(&body);
    Ok([first_line.as_bytes(), &body].concat())
}

fn columns(
    head: &Head,
    buckets: &BTreeMap<i64, Gathered>,
) -> Result<Vec<(&'static str, Box<dyn Array>)>> {
    let slots = buckets
        .keys()
        .map(|slot| u32::try_from(slot - head.first_slot));
    let slots = slots.collect::<Result<Vec<u32>, _>>()?;
    let values = buckets.values().map(|gathered| gathered.value).collect();
    let counts: Vec<f64> = buckets.values().map(|gathered| gathered.count).collect();
    let mut columns = vec![("value", PrimitiveArray::<f64>::from_vec(values).boxed())];
    if !follow_one_another(&slots) {
        columns.push(("slot", PrimitiveArray::from_vec(slots).boxed()));
    }
    if counts.iter().any(|count| count.to_bits() != ONE.to_bits()) {
        columns.push(("count", PrimitiveArray::<f64>::from_vec(counts).boxed()));
    }
    for (name, count) in COUNTS {
        let numbers = buckets.values().map(|gathered| {
            let mut row_counts = gathered.row_counts;
            u32::try_from(*count(&mut row_counts))
        });
        let numbers = numbers.collect::<Result<Vec<u32>, _>>()?;
        if numbers.iter().any(|number| *number > 0) {
            columns.push((name, PrimitiveArray::from_vec(numbers).boxed()));
        }
    }
    Ok(columns)
}

/// From the first one of a window on.
fn follow_one_another(slots: &[u32]) -> bool {
    (0..)
        .zip(slots)
        .all(|(place, slot): (u32, _)| place == *slot)
}

fn first_line(body: &[u8]) -> String {
    format!("{NAME} {:08x}\n", crc32fast::hash(body))
}

/// What was encoded; `None` of any other bytes.
pub fn decode(bytes: &[u8]) -> Option<Known> {
    let end = bytes.iter().position(|byte| *byte == b'\n')? + 1;
    let (line, body) = bytes.split_at(end);
    if line != first_line(body).as_bytes() {
        return None;
    }
    contain_quietly(|| decode_body(body).ok()).flatten()
}

fn decode_body(body: &[u8]) -> Result<Known> {
    let end = body.iter().position(|byte| *byte == b'\n');
    let (head, arrow) = body.split_at(end.context("no head")? + 1);
    let head: Head = serde_json::from_slice(head)?;
    let mut arrow = Cursor::new(arrow);
    let metadata = read_file_metadata(&mut arrow)?;
    let batch = FileReader::new(arrow, metadata, None, None).next();
    let batch = batch.context("no batch")??;
    let values = column::<f64>(&batch, "value")?.context("no values")?;
    let buckets = (head.first_slot..).zip(values);
    let buckets = buckets.map(|(slot, value)| (slot, Gathered::of_before(ONE, *value)));
    let mut buckets: Vec<(i64, Gathered)> = buckets.collect();
    if let Some(slots) = column::<u32>(&batch, "slot")? {
        for ((slot, _), number) in buckets.iter_mut().zip(slots) {
            *slot = head.first_slot + i64::from(*number);
        }
    }
    if let Some(counts) = column::<f64>(&batch, "count")? {
        for ((_, gathered), count) in buckets.iter_mut().zip(counts) {
            gathered.count = *count;
        }
    }
    for (name, count) in COUNTS {
        let numbers = column::<u32>(&batch, name)?.into_iter().flatten();
        for ((_, gathered), number) in buckets.iter_mut().zip(numbers) {
            *count(&mut gathered.row_counts) = u64::from(*number);
        }
    }
    Ok(Known { head, buckets })
}

/// As many numbers as there are buckets; `None` where the column was left out.
fn column<'a, T: NativeType>(batch: &'a Batch, name: &str) -> Result<Option<&'a [T]>> {
    let Some(index) = batch.schema().index_of(name) else {
        return Ok(None);
    };
    let array = batch.arrays().get(index).context("no such column")?;
    let array = array.as_any().downcast_ref::<PrimitiveArray<T>>();
    Ok(Some(array.context("another type")?.values()))
}
