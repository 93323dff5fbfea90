//! The flags of `bandwatch explain`.

use std::path::PathBuf;

use clap::Args;

use super::Format;

/// Tell how a verdict came about
///
/// It is made again, as a check at TIME would make it, and shown with its workings.
#[derive(Debug, Args)]
#[command(after_help = MORE_HELP)]
pub struct ExplainArgs {
    #[arg(
        long,
        value_name = "TIME",
        required_unless_present = "input",
        help = "Judge as if it were TIME, \"2026-11-22 14:05\" or RFC 3339 [default with --input: just after the last row]"
    )]
    pub at: Option<String>,

    #[arg(
        long,
        value_name = "FILE",
        help = "Configuration [default: config.toml here, in $XDG_CONFIG_HOME/bandwatch or /etc/bandwatch]"
    )]
    pub config: Option<PathBuf>,

    /// The metric to explain; needed where the configuration has several
    #[arg(long, value_name = "NAME")]
    pub metric: Option<String>,

    /// Read this CSV file (time, value) in place of MySQL; needs no configuration
    #[arg(long, value_name = "FILE")]
    pub input: Option<PathBuf>,

    /// What is printed: a page for people, or an object
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,

    /// Draw value and band, trend, each season and the remainder over the window
    #[arg(long, value_name = "FILE.png")]
    pub plot: Option<PathBuf>,
}

const MORE_HELP: &str = "\
On the same rows the verdict and its figures are those of the check, to the last bit. Nothing is
sent or remembered. Exit codes: 0 explained, also where the verdict is undecided; 1 something could
not be done; 2 wrong usage or configuration.";
