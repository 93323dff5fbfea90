//! How figures, times and texts are written for people, and how anything is written out.

mod compact;
pub mod fingerprint;
mod notation;
mod print;

pub use compact::{round_digits, short, short_option};
pub use notation::*;
pub use print::{complain, contain, print, write_error, write_whole};
