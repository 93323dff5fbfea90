//! The windows of many series in one file, one after the other: a line with the length in bytes, and a window as a
//! file of its own has it. They are read one at a time.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, Read, Seek, Write};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::file::{self, MOST_BYTES};
use super::{Head, Known};
use crate::output::owner::this_user;
use crate::output::{Links, PRIVATE, open_plain, write_new};

/// A file of windows, and where in it each of them is.
#[derive(Debug)]
pub struct Archive {
    file: File,
    /// By the key of the series as it is written.
    places: HashMap<String, Place>,
    /// In the order of the file.
    pub heads: Vec<Head>,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    start: u64,
    length: usize,
}

/// A file of windows that is being written. It takes the place of the one before when it is finished.
#[derive(Debug)]
pub struct ArchiveWriter {
    file: BufWriter<File>,
    part: PathBuf,
    path: PathBuf,
}

impl Archive {
    /// `None` where it is not whole, or somebody else's.
    pub fn open(path: &Path) -> Option<Self> {
        let file = open_plain(OpenOptions::new().read(true), path, Links::Refuse).ok()?;
        let there = file.metadata().ok()?;
        if Some(there.uid()) != this_user() {
            return None;
        }
        let mut archive = Self {
            file: file.try_clone().ok()?,
            places: HashMap::new(),
            heads: Vec::new(),
        };
        let mut reader = BufReader::new(file);
        let mut start = 0;
        while start < there.len() {
            start = archive.index(&mut reader, start)?;
        }
        (start == there.len()).then_some(archive)
    }

    /// Takes in where the next window is, and says where the one after it begins.
    fn index(&mut self, reader: &mut BufReader<File>, start: u64) -> Option<u64> {
        let mut line = String::new();
        reader.take(LONGEST_NUMBER).read_line(&mut line).ok()?;
        let length: u64 = line.strip_suffix('\n')?.parse().ok()?;
        if length > MOST_BYTES {
            return None;
        }
        let start = start + u64::try_from(line.len()).ok()?;
        let head = file::peek(reader)?;
        let end = start.checked_add(length)?;
        let place = Place {
            start,
            length: usize::try_from(length).ok()?,
        };
        self.places.insert(head.series.as_ref()?.key.clone(), place);
        self.heads.push(head);
        let behind = reader.stream_position().ok()?;
        let ahead = i64::try_from(end).ok()? - i64::try_from(behind).ok()?;
        reader.seek_relative(ahead).ok()?;
        Some(end)
    }

    /// The window of a series, if it is kept whole.
    pub fn read(&self, key: &str) -> Option<Known> {
        let place = self.places.get(key)?;
        let mut bytes = vec![0; place.length];
        self.file.read_exact_at(&mut bytes, place.start).ok()?;
        let known = file::decode(&bytes)?;
        let series = known.head.series.as_ref()?;
        (series.key == key).then_some(known)
    }
}

/// As many letters as a length has.
const LONGEST_NUMBER: u64 = 21;

impl ArchiveWriter {
    pub fn create(path: PathBuf) -> Result<Self> {
        // One name, so that a run that was killed leaves no more than one: a lock lets only one run write.
        let mut part = path.clone().into_os_string();
        part.push(".part");
        let part = PathBuf::from(part);
        let file = BufWriter::new(write_new(&part, &[], PRIVATE)?);
        Ok(Self { file, part, path })
    }

    pub fn add(&mut self, window: &[u8]) -> Result<()> {
        writeln!(self.file, "{}", window.len())?;
        self.file.write_all(window).context("write a window")
    }

    pub fn finish(mut self) -> Result<()> {
        self.file.flush()?;
        Ok(fs::rename(&self.part, &self.path)?)
    }
}

impl Drop for ArchiveWriter {
    fn drop(&mut self) {
        // Gone if it was finished.
        let _ = fs::remove_file(&self.part);
    }
}
