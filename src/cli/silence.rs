//! The flags of `bandwatch silence` and `bandwatch unsilence`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, Args};

use crate::config::parse_length;

/// Mail nothing about a metric for a while
///
/// It is judged and remembered meanwhile, and what is still so when the silence ends is mailed then.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("end").required(true).args(["for", "until"])))]
pub struct SilenceArgs {
    /// The metric, by its name in the configuration
    pub metric: String,

    /// For how long, such as "2h" or "30m"
    #[arg(long = "for", id = "for", value_name = "LENGTH", value_parser = parse_length)]
    pub length: Option<Duration>,

    /// Until when, "2026-11-22 16:00" or RFC 3339
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,

    /// Why, for whoever looks at the status
    #[arg(long, value_name = "TEXT")]
    pub because: Option<String>,

    #[arg(
        long,
        value_name = "FILE",
        help = "Configuration [default: config.toml here, in $XDG_CONFIG_HOME/bandwatch or /etc/bandwatch]"
    )]
    pub config: Option<PathBuf>,
}

/// End the silence of a metric
#[derive(Debug, Args)]
pub struct UnsilenceArgs {
    /// The metric, by its name in the configuration
    pub metric: String,

    #[arg(
        long,
        value_name = "FILE",
        help = "Configuration [default: config.toml here, in $XDG_CONFIG_HOME/bandwatch or /etc/bandwatch]"
    )]
    pub config: Option<PathBuf>,
}
