//! From rows in a real server to a verdict, by real runs of the binary.

mod aggregates;
mod buckets;
mod clock;
mod connection;
mod names;
mod refusals;
mod replay;
mod runs;
pub mod shop;
mod silence;
mod types;
