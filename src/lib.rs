//! bandwatch checks the newest point of each business series against its band and mails an alert on
//! a breach.

mod chart;
mod cli;
mod commands;
mod config;
mod context;
mod detect;
mod forecast;
mod incident;
mod notify;
mod output;
mod series;
mod source;
mod state;

pub use cli::{Args, Exit};

use cli::Command;

/// Does what the command line asks for.
pub fn run(args: &Args) -> Exit {
    match &args.command {
        None => commands::check::run(args),
        Some(Command::Backtest(args)) => commands::backtest::run(args),
        Some(Command::Explain(args)) => commands::explain::run(args),
        Some(Command::Status(args)) => commands::status::run(args),
        Some(Command::Silence(args)) => commands::silence::silence(args),
        Some(Command::Unsilence(args)) => commands::silence::unsilence(args),
    }
}
