//! The flags of `bandwatch status`.

use std::path::PathBuf;

use clap::Args;

use super::Format;

/// Tell what is remembered, of every metric and of the mails on their way
#[derive(Debug, Args)]
pub struct StatusArgs {
    #[arg(
        long,
        value_name = "FILE",
        help = "Configuration [default: config.toml here, in $XDG_CONFIG_HOME/bandwatch or /etc/bandwatch]"
    )]
    pub config: Option<PathBuf>,

    /// What is printed: a page for people, or an object
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}
