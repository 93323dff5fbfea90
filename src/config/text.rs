//! The text of a file that the configuration names, or is.

use std::path::Path;

use anyhow::{Result, anyhow, ensure};

use crate::output::{Links, read_plain};

/// The text of a plain file, which may be anybody's by a link.
pub fn read_text(path: &Path) -> Result<String> {
    const MOST_BYTES: u64 = 16 << 20;
    let bytes = read_plain(path, Links::Follow, MOST_BYTES)?;
    ensure!(
        bytes.len() as u64 <= MOST_BYTES,
        "larger than {} MiB",
        MOST_BYTES >> 20
    );
    String::from_utf8(bytes).map_err(|_| anyhow!("not UTF-8"))
}
