//! The command line: flags, their help, exit codes.

mod backtest;
mod explain;
mod silence;
mod status;

use std::path::PathBuf;
use std::process::{ExitCode, Termination};

use clap::{Parser, Subcommand, ValueEnum};

pub use backtest::{BacktestArgs, BacktestFormat};
pub use explain::ExplainArgs;
pub use silence::{SilenceArgs, UnsilenceArgs};
pub use status::StatusArgs;

/// Checks the newest point of each business series against its 95 % band, and mails an alert
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, after_help = MORE_HELP)]
#[command(args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub struct Args {
    /// None: check.
    #[command(subcommand)]
    pub command: Option<Command>,

    #[arg(
        long,
        value_name = "FILE",
        help = "Configuration [default: config.toml here, in $XDG_CONFIG_HOME/bandwatch or /etc/bandwatch]"
    )]
    pub config: Option<PathBuf>,

    #[arg(
        long,
        help = "Send and remember nothing; write both pictures, alert.eml and alert.html into plots_dir"
    )]
    pub dry_run: bool,

    /// Read this CSV file (time, value) in place of MySQL; mails too, if a configuration is there
    #[arg(long, value_name = "FILE")]
    pub input: Option<PathBuf>,

    /// Check only this metric (may be repeated)
    #[arg(long, value_name = "NAME")]
    pub metric: Vec<String>,

    /// Judge as if it were TIME, "2026-11-22 14:05" or RFC 3339; sends nothing
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,

    /// What is printed: a line or a JSON object a metric
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,

    /// Exit with 3 if a metric is in breach
    #[arg(long)]
    pub exit_code: bool,

    /// Print a line for every metric, and how it was judged
    #[arg(short, long, conflicts_with = "quiet")]
    pub verbose: bool,

    /// Print nothing but errors
    #[arg(short, long)]
    pub quiet: bool,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Backtest(BacktestArgs),
    Explain(ExplainArgs),
    Status(StatusArgs),
    Silence(SilenceArgs),
    Unsilence(UnsilenceArgs),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Text,
    Json,
}

/// What a run may do with its verdicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Mail a breach.
    Live,
    /// Write what would be mailed, breach or not.
    Preview,
    /// Only tell.
    Silent,
}

impl Args {
    pub fn mode(&self) -> Mode {
        match (self.dry_run, &self.at) {
            (true, _) => Mode::Preview,
            (false, Some(_)) => Mode::Silent,
            (false, None) => Mode::Live,
        }
    }
}

const MORE_HELP: &str = "\
Without flags it does what cron starts it for: it reads each metric of the configuration from MySQL,
judges what closed since the last run, and mails when an incident opens, grows worse, lasts or is
over, and when it cannot see. What was told is remembered in state_dir.

Environment (overrides the configuration): mysql_user mysql_password mysql_host mysql_db
  smtp_email smtp_password recipient_list

Exit codes: 0 all judged, or undecided for a reason; all mail accepted; or another run at work
            1 something could not be done; a line on standard error says what
            2 wrong usage or configuration; nothing was contacted
            3 with --exit-code: a metric is in breach";

/// How a run ended, the graver the later: what failed outweighs a breach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Every metric was judged or is undecided for a stated reason, and all mail was accepted.
    Done,
    /// A metric is in breach, and `--exit-code` asked to be told.
    Breach,
    /// Something could not be done.
    Failed,
    /// Wrong usage or configuration.
    Misused,
}

impl Termination for Exit {
    fn report(self) -> ExitCode {
        ExitCode::from(match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Misused => 2,
            Self::Breach => 3,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Args::command().debug_assert();
    }

    #[test]
    fn the_help_fits_a_screen() {
        let help = Args::command().render_help().to_string();
        assert!(help.lines().count() <= 40, "{help}");
        assert!(
            help.lines().all(|line| line.chars().count() <= 100),
            "{help}"
        );
    }

    #[test]
    fn only_a_plain_run_sends() {
        let mode = |flags: &[&str]| Args::parse_from([&["bandwatch"], flags].concat()).mode();
        assert_eq!(mode(&[]), Mode::Live);
        assert_eq!(mode(&["--input", "x.csv"]), Mode::Live);
        assert_eq!(mode(&["--at", "2026-11-22 14:05"]), Mode::Silent);
        assert_eq!(
            mode(&["--dry-run", "--at", "2026-11-22 14:05"]),
            Mode::Preview
        );
    }
}
