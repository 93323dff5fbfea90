//! How figures, times and texts are written for people, and how a file is written whole.

pub mod fingerprint;
mod notation;
mod plots;

pub use notation::*;
pub use plots::{Naming, Piece, PlotsDir, write_whole};
