//! What a run leaves in `plots_dir`: the two pictures of a metric and, of a dry run, the mail.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::chart::Pictures;
use crate::config::Metric;

/// The folder, and how the files of one metric are called in it.
#[derive(Debug, Clone)]
pub struct PlotsDir {
    dir: PathBuf,
    naming: Naming,
}

/// With one metric the names are those of the script that people know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Naming {
    OneMetric,
    SeveralMetrics,
}

/// A file of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece {
    Day,
    TwoDays,
    Mail,
    Page,
}

impl PlotsDir {
    pub fn new(dir: &Path, naming: Naming) -> Self {
        Self {
            dir: dir.to_path_buf(),
            naming,
        }
    }

    /// Writes both pictures and says where.
    ///
    /// # Errors
    ///
    /// If the folder cannot be made or written to.
    pub fn write_pictures(&self, metric: &Metric, pictures: &Pictures) -> Result<Vec<PathBuf>> {
        Ok(vec![
            self.write(metric, Piece::Day, &pictures.day)?,
            self.write(metric, Piece::TwoDays, &pictures.two_days)?,
        ])
    }

    /// Writes a file whole, as [`write_whole`] does.
    ///
    /// # Errors
    ///
    /// If the folder cannot be made or written to.
    pub fn write(&self, metric: &Metric, piece: Piece, bytes: &[u8]) -> Result<PathBuf> {
        let path = self.dir.join(self.file_name(metric, piece));
        fs::create_dir_all(&self.dir)
            .and_then(|()| write_whole(&path, bytes))
            .with_context(|| {
                format!(
                    "plots_dir = {:?}: cannot write {}",
                    self.dir.display().to_string(),
                    path.display()
                )
            })?;
        Ok(path)
    }

    pub fn file_name(&self, metric: &Metric, piece: Piece) -> String {
        let several = self.naming == Naming::SeveralMetrics;
        let (name, plain) = match piece {
            Piece::Day => ("24h.png", "plot_24h.png"),
            Piece::TwoDays => ("48h.png", "plot_48h.png"),
            Piece::Mail => ("alert.eml", "alert.eml"),
            Piece::Page => ("alert.html", "alert.html"),
        };
        if several {
            format!("{}_{name}", metric.file_name())
        } else {
            plain.to_string()
        }
    }
}

/// Writes a file whole, under another name first: whoever looks meanwhile, or stops the program, finds
/// the old one or the new one, and nothing half.
///
/// # Errors
///
/// If it cannot be written; then the other name is gone too.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let part = path.with_extension(format!("{}.part", std::process::id()));
    let written = fs::write(&part, bytes).and_then(|()| fs::rename(&part, path));
    if written.is_err() {
        let _ = fs::remove_file(&part);
    }
    written
}
