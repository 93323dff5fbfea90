//! What a run leaves in `plots_dir`: the two pictures of a metric and, of a dry run, the mail.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::chart::Pictures;
use crate::config::Metric;
use crate::output::write_whole;

/// The folder, and how the files of one metric are called in it.
#[derive(Debug, Clone)]
pub struct PlotsDir {
    dir: PathBuf,
    names_metrics: bool,
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
    /// With one metric the names are those of the script that people know.
    pub fn new(dir: &Path, metrics: usize) -> Self {
        Self {
            dir: dir.to_path_buf(),
            names_metrics: metrics > 1,
        }
    }

    /// Writes both pictures and says where.
    pub fn write_pictures(&self, metric: &Metric, pictures: &Pictures) -> Result<Vec<PathBuf>> {
        Ok(vec![
            self.write(metric, Piece::Day, &pictures.day)?,
            self.write(metric, Piece::TwoDays, &pictures.two_days)?,
        ])
    }

    /// Writes a file whole, as [`write_whole`] does.
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
        let (name, plain) = match piece {
            Piece::Day => ("24h.png", "plot_24h.png"),
            Piece::TwoDays => ("48h.png", "plot_48h.png"),
            Piece::Mail => ("alert.eml", "alert.eml"),
            Piece::Page => ("alert.html", "alert.html"),
        };
        if self.names_metrics {
            format!("{}_{name}", metric.file_name())
        } else {
            plain.to_string()
        }
    }
}
