//! The command line: what its flags do, and how a run ends.

mod backtest;
mod csv_files;
mod doctor;
mod explain;
mod flags;
mod output;
mod places;
pub mod schema;
