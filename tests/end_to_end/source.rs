//! From rows in a real server to a verdict, by real runs of the binary.

#![expect(
    clippy::expect_used,
    reason = "a test whose surroundings fail has failed"
)]

mod aggregates;
mod buckets;
mod clock;
mod connection;
mod names;
mod refusals;
mod runs;
mod shop;
mod silence;
mod types;
