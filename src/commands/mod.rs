//! One file or folder a command.

pub mod backtest;
pub mod check;
pub mod explain;
pub mod outcome;
pub mod report;
pub mod silence;
pub mod status;
