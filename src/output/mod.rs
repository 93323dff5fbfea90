//! How figures, times and texts are written for people, and how anything is written out.

mod compact;
mod file;
pub mod fingerprint;
mod near;
mod notation;
pub mod owner;
mod print;
mod terminal;
mod wait;

pub use compact::{round_digits, second, second_option, short, short_option};
pub use file::{Links, PRIVATE, READABLE, open_plain, read_plain, write_new, write_whole};
pub use near::nearest;
pub use notation::*;
pub use print::{complain, contain, contain_quietly, make_file_limit_an_error, print, write_error};
pub use terminal::{Colour, ColourChoice, Painted, colour_output, print_page};
pub use wait::within;
