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

pub use cli::Exit;

use cli::{Args, Command};
use commands::{
    Failure, accept, answer, backtest, check, create_tables, explain, silence, status, test_mail,
    weekly,
};
use context::Context;
use output::{complain, make_file_limit_an_error, print};

/// Does what the command line asks for, or says what is wrong with it.
pub fn run_command_line() -> Exit {
    let told = match Args::from_command_line() {
        Ok(args) => return run(&args),
        Err(told) => told,
    };
    if told.use_stderr() {
        // A standard error that is full or closed is no reason to panic.
        let _ = told.print();
        return Exit::Misused;
    }
    print(&told.render().to_string()).map_or_else(
        |error| {
            complain(&error);
            Exit::Failed
        },
        |()| Exit::Done,
    )
}

/// Does what the command line asks for. Every error that ends a command is printed here.
fn run(args: &Args) -> Exit {
    make_file_limit_an_error();
    let ended = Context::new(args)
        .map_err(Failure::Misuse)
        .and_then(|context| match &args.command {
            None => check::run(&context, args),
            Some(Command::Backtest(args)) => backtest::run(&context, args),
            Some(Command::Explain(args)) => explain::run(&context, args),
            Some(Command::Status { metric, format }) => status::run(&context, metric, *format),
            Some(Command::TestMail(args)) => test_mail::run(&context, args),
            Some(Command::Silence(args)) => silence::silence(&context, args),
            Some(Command::Accept(args)) => accept::run(&context, args),
            Some(Command::Ack(args)) => answer::acknowledge(&context, args),
            Some(Command::Was(args)) => answer::say_what_it_was(&context, args),
            Some(Command::Report(args)) => weekly::run(&context, args),
            Some(Command::CreateTables(args)) => create_tables::run(&context, args),
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
