//! From rows in a real server to a verdict, by real runs of the binary.

mod accounts;
mod aggregates;
mod buckets;
mod clock;
mod connection;
mod examples;
mod groups;
mod init;
mod months;
mod names;
mod nothing;
mod parts;
mod refusals;
mod replay;
mod rogue;
mod runs;
mod session;
pub mod shop;
mod silence;
mod time;
mod types;
