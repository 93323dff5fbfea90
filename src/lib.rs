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

use cli::{Args, CheckFormat, Command, PluginState};
use commands::{
    Failure, accept, answer, backtest, check, create_tables, doctor, explain, init, schema,
    silence, status, test_mail, weekly,
};
use context::Context;
use output::{colour_output, complain, make_file_limit_an_error, one_line, print, write_error};

/// Does what the command line asks for, or says what is wrong with it.
pub fn run_command_line() -> Exit {
    let told = match Args::from_command_line() {
        Ok(args) => return run(&args),
        Err(told) => told,
    };
    if told.use_stderr() && is_plugin() {
        let told = one_line(&told.to_string());
        let _ = print(&format!("BANDWATCH UNKNOWN: {told}\n"));
        return Exit::Plugin(PluginState::Unknown);
    }
    if told.use_stderr() {
        // A standard error that is full or closed is no reason to panic.
        let _ = told.print();
        return Exit::Misused;
    }
    match print(&told.render().to_string()) {
        Ok(()) => Exit::Done,
        Err(error) => {
            complain(&error);
            Exit::Failed
        }
    }
}

/// Whether Nagios gave a line that says so, but cannot be read.
fn is_plugin() -> bool {
    std::env::args_os().any(|word| word == "nagios" || word == "--format=nagios")
}

/// Does what the command line asks for. Every error that ends a command is printed here.
fn run(args: &Args) -> Exit {
    make_file_limit_an_error();
    colour_output(args.color.into());
    let (error, exit) = match run_command(args) {
        Ok(exit) => return exit,
        Err(Failure::Misuse(error)) => (error, Exit::Misused),
        Err(Failure::Failed(error)) => (error, Exit::Failed),
    };
    if args.command.is_none() && args.format == CheckFormat::Nagios {
        let told = format!("BANDWATCH UNKNOWN: {}\n", write_error(&error));
        // A standard output that has gone is no reason to panic.
        let _ = print(&told);
        return Exit::Plugin(PluginState::Unknown);
    }
    complain(&error);
    exit
}

fn run_command(args: &Args) -> Result<Exit, Failure> {
    let context = || Context::new(args).map_err(Failure::Misuse);
    match &args.command {
        None => check::run(&context()?, args),
        // What it writes is what the others read.
        Some(Command::Init(own)) => init::run(own, args.config.as_deref()),
        Some(Command::Backtest(args)) => backtest::run(&context()?, args),
        Some(Command::Explain(args)) => explain::run(&context()?, args),
        Some(Command::Status { metric, format }) => status::run(&context()?, metric, *format),
        Some(Command::TestMail(args)) => test_mail::run(&context()?, args),
        // A configuration that cannot be read is one of its findings.
        Some(Command::Doctor(own)) => doctor::run(Context::new(args), own),
        Some(Command::Silence(args)) => silence::silence(&context()?, args),
        Some(Command::Accept(args)) => accept::run(&context()?, args),
        Some(Command::Ack(args)) => answer::acknowledge(&context()?, args),
        Some(Command::Was(args)) => answer::say_what_it_was(&context()?, args),
        Some(Command::Report(args)) => weekly::run(&context()?, args),
        Some(Command::CreateTables(args)) => create_tables::run(&context()?, args),
        Some(Command::Unsilence { metric }) => silence::unsilence(&context()?, metric),
        Some(Command::Schema { of }) => schema::run(*of),
        Some(Command::Completions { shell }) => {
            print(&cli::completions(*shell)?)?;
            Ok(Exit::Done)
        }
        Some(Command::Man { command }) => {
            let page = cli::manual(command.as_deref()).map_err(Failure::Misuse)?;
            print(&page)?;
            Ok(Exit::Done)
        }
    }
}
