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

use anyhow::Error;

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
