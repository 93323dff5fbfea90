//! The binary: parses the command line and does what it asks for.

use bandwatch::{Args, Exit, run};
use clap::Parser;

fn main() -> Exit {
    run(&Args::parse())
}
