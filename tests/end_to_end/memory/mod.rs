//! The life of an alert across many runs: what is told, to whom, once, and what
//! is remembered, in peace and when everything around it fails.

mod faults;
mod kill;
mod life;
pub mod story;
mod tables;
