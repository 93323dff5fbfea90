//! One at a time, by a lock of the kernel's: it ends with whoever holds it, however that ends.

use std::fs::{File, TryLockError};

use anyhow::{Context, Result};

use super::directory::StateDirectory;

/// Held by a run.
pub const RUN: &str = "run.lock";
/// Held while silences change.
pub const SILENCES: &str = "silences.lock";

/// Held until it is dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// `None` if somebody else holds it.
    pub fn try_take(directory: &StateDirectory, name: &str) -> Result<Option<Self>> {
        let file = directory.lock_file(name)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("state_dir: lock {name}"))
            }
        }
    }

    /// Waits for it.
    pub fn take(directory: &StateDirectory, name: &str) -> Result<Self> {
        let file = directory.lock_file(name)?;
        file.lock()
            .with_context(|| format!("state_dir: lock {name}"))?;
        Ok(Self { _file: file })
    }
}
