#![doc = include_str!("README.md")]
//!
//! One file or folder a command. Each gets the [`Context`](crate::context::Context) and its arguments,
//! and returns how it ended.

pub mod backtest;
pub mod check;
pub mod explain;
mod report;
pub mod silence;
pub mod status;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Error, Result};

use crate::output::write_whole;

/// Why a command did not do what it was asked for.
#[derive(Debug)]
pub enum Failure {
    /// Wrong usage or configuration; nothing was contacted.
    Misuse(Error),
    Failed(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Draws the picture if one is wanted, and says where it is.
fn write_plot(
    path: Option<&Path>,
    draw: impl FnOnce() -> Result<Vec<u8>>,
) -> Result<Option<PathBuf>> {
    let Some(path) = path else {
        return Ok(None);
    };
    write_whole(path, &draw()?).with_context(|| format!("--plot: write {}", path.display()))?;
    Ok(Some(path.to_path_buf()))
}
