//! bandwatch checks the newest point of each business series against its 95 % band, and mails an alert
//! when something is wrong. `src/README.md` says where everything is and why.

mod calendar;
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
use commands::{Failure, accept, backtest, check, explain, silence, status};
use context::Context;
use output::complain;

/// Does what the command line asks for. Every error that ends a command is printed here.
pub fn run(args: &Args) -> Exit {
    let ended = Context::new(args)
        .map_err(Failure::Misuse)
        .and_then(|context| match &args.command {
            None => check::run(&context, args),
            Some(Command::Backtest(args)) => backtest::run(&context, args),
            Some(Command::Explain(args)) => explain::run(&context, args),
            Some(Command::Status { format }) => status::run(&context, *format),
            Some(Command::Silence(args)) => silence::silence(&context, args),
            Some(Command::Accept(args)) => accept::run(&context, args),
            Some(Command::Unsilence { metric }) => silence::unsilence(&context, metric),
        });
    let (error, exit) = match ended {
        Ok(exit) => return exit,
        Err(Failure::Misuse(error)) => (error, Exit::Misused),
        Err(Failure::Failed(error)) => (error, Exit::Failed),
    };
    complain(&error);
    exit
}
