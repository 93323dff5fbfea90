//! The flags of `bandwatch backtest`.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::config::parse_length;
use crate::forecast::Level;
use crate::series::Step;

/// Replay history: judge each point as a check at its time would have, and sum up
#[derive(Debug, Args)]
#[command(after_help = MORE_HELP)]
pub struct BacktestArgs {
    #[arg(
        long,
        value_name = "FILE",
        help = "Configuration [default: config.toml here, in $XDG_CONFIG_HOME/bandwatch or /etc/bandwatch]"
    )]
    pub config: Option<PathBuf>,

    /// The metric to replay; needed where the configuration has several
    #[arg(long, value_name = "NAME")]
    pub metric: Option<String>,

    /// Read this CSV file (time, value) in place of MySQL; needs no configuration
    #[arg(long, value_name = "FILE")]
    pub input: Option<PathBuf>,

    /// The history each point is judged from, in place of the configured one
    #[arg(long, value_name = "D", value_parser = parse_length)]
    pub window: Option<Duration>,

    /// The length of a bucket, in place of the configured one
    #[arg(long, value_name = "D")]
    pub every: Option<Step>,

    /// Judge only the last D [default: all of a file; of a server, as long as the window]
    #[arg(long, value_name = "D", value_parser = parse_length)]
    pub last: Option<Duration>,

    /// Judge only every K-th point
    #[arg(long, value_name = "K", default_value = "1", value_parser = parse_stride)]
    pub stride: NonZeroUsize,

    /// The share of healthy values the band should hold, in place of the configured one
    #[arg(long, value_name = "P", value_parser = parse_level)]
    pub level: Option<Level>,

    /// What is printed: a summary, a row a point, or both as one object
    #[arg(long, value_enum, default_value_t = BacktestFormat::Text)]
    pub format: BacktestFormat,

    /// Draw value and band over the period, with the breaches marked
    #[arg(long, value_name = "FILE.png")]
    pub plot: Option<PathBuf>,
}

const MORE_HELP: &str = "\
D is a length of time in words, such as 5m, 4h or 28d. Nothing is sent or remembered.
Judging starts after the first full window.";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum BacktestFormat {
    Text,
    Csv,
    Json,
}

fn parse_stride(text: &str) -> Result<NonZeroUsize, String> {
    text.parse()
        .map_err(|_| "allowed: a whole number from 1 up".to_string())
}

fn parse_level(text: &str) -> Result<Level, String> {
    let share: f64 = text
        .parse()
        .map_err(|_| "allowed: a number from 0.5 to 0.999999, such as 0.95".to_string())?;
    Level::try_from(share)
}
