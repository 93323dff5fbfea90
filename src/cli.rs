//! The command line: flags, their help, exit codes.

use std::env;
use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Termination};
use std::time::Duration;

use anyhow::{Context, Result};
use clap::builder::PossibleValue;
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgGroup, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use clap_mangen::Man;

use crate::config::{Mailbox, parse_length, parse_mailbox};
use crate::forecast::{Level, ModelChoice};
use crate::output::ColourChoice;
use crate::series::shard::Shard;
use crate::series::{Aggregate, Step};

/// Checks the newest point of each business series against its 95 % band, and mails an alert
#[derive(Debug, Parser)]
#[command(version = version(), max_term_width = 100, after_help = MORE_HELP)]
#[expect(
    clippy::doc_markdown,
    clippy::struct_excessive_bools,
    reason = "a doc comment is a text of the help, and a bool a flag"
)]
pub struct Args {
    /// None: check.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// Configuration [default: config.toml here, or in a usual place]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Colour verdicts in a terminal only, always or never [default: auto]
    #[arg(long, global = true, value_enum, default_value_t = ColourWord::Auto)]
    #[arg(
        value_name = "WHEN",
        hide_default_value = true,
        hide_possible_values = true
    )]
    pub color: ColourWord,

    /// Send and remember nothing; write pictures and mail to plots_dir
    #[arg(long)]
    pub dry_run: bool,

    /// Read this file (CSV, Parquet) in place of MySQL; with a configuration it mails too
    #[arg(long, value_name = "FILE")]
    pub input: Option<PathBuf>,

    /// Check only the K-th of N shares of the series
    #[arg(long, value_name = "K/N", value_parser = Shard::parse)]
    pub shard: Option<Shard>,

    /// Check only this metric (may be repeated)
    #[arg(long, value_name = "NAME")]
    pub metric: Vec<String>,

    /// Judge as if it were TIME, "2026-11-22 14:05" or RFC 3339; sends nothing
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,

    /// Read all of each window anew, and not only what is new of it
    #[arg(long)]
    pub no_cache: bool,

    /// What is printed [default: text] [possible values: text, json, nagios]
    #[arg(long, value_enum, default_value_t = CheckFormat::Text)]
    #[arg(hide_default_value = true, hide_possible_values = true)]
    pub format: CheckFormat,

    /// What an open incident is to Nagios, critical (the default) or warning
    #[arg(long, value_enum, default_value_t = Severity::Critical)]
    #[arg(hide_default_value = true, hide_possible_values = true)]
    pub severity: Severity,

    /// Write what is known of each metric to this file, in OpenMetrics
    #[arg(long, value_name = "FILE.prom")]
    pub metrics_file: Option<PathBuf>,

    /// Exit with 3 if a metric has an open incident
    #[arg(long)]
    pub exit_code: bool,

    /// Print a line for every metric, how it was judged, and all that failed
    #[arg(short, long, conflicts_with = "quiet")]
    pub verbose: bool,

    /// For cron: print only what no mail says
    #[arg(short, long)]
    pub quiet: bool,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Init(Box<InitArgs>),
    Backtest(BacktestArgs),
    Explain(ExplainArgs),
    /// Show the state of every metric, and which notifications wait to be sent
    Status {
        /// Show only this metric, or this series of one (may be repeated)
        #[arg(long, value_name = "NAME")]
        metric: Vec<String>,

        /// What is printed: a page for people, or an object
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    TestMail(TestMailArgs),
    Doctor(DoctorArgs),
    Silence(SilenceArgs),
    Accept(AcceptArgs),
    Ack(AckArgs),
    Was(WasArgs),
    Report(ReportArgs),
    CreateTables(CreateTablesArgs),
    /// End the silence of a metric
    Unsilence {
        /// The metric, by its name in the configuration
        metric: String,
    },
    /// Print a JSON Schema: of the configuration, or of what --format json prints
    Schema {
        #[arg(value_enum)]
        of: SchemaOf,
    },
    /// Print what a shell needs to complete commands and flags
    Completions {
        #[arg(value_enum)]
        shell: Shell,
    },
    /// Print the manual page, as in: bandwatch man | man -l -
    Man {
        /// That of this command
        command: Option<String>,
    },
}

/// Write a configuration, by asking the database what there is to watch
///
/// What the flags leave open is asked for, or, where there is no terminal, refused with proposals: the tables
/// with a time and a value, the likeliest first. The file has the step, the seasons and the figures of a
/// backtest; one that is there is never changed. Its place is --output, else --config, else config.toml here.
#[derive(Debug, clap::Args)]
#[expect(clippy::doc_markdown, reason = "a doc comment is a text of the help")]
pub struct InitArgs {
    /// The database server, by name or address [default: localhost]
    #[arg(long, value_name = "NAME")]
    pub host: Option<String>,

    /// Its port [default: 3306]
    #[arg(long, conflicts_with = "socket")]
    pub port: Option<u16>,

    /// The socket of a server on this machine, in place of host and port
    #[arg(long, value_name = "FILE", conflicts_with = "host")]
    pub socket: Option<PathBuf>,

    /// The account, which need only SELECT
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,

    /// A file with its password on the first line; the configuration will name it
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,

    /// The environment variable with its password [default: mysql_password]
    #[arg(long, value_name = "NAME", conflicts_with = "password_file")]
    pub password_env: Option<String>,

    /// How the connection is encrypted, as mysql.tls has it
    #[arg(long, value_parser = ["verify", "verify-ca", "encrypt", "prefer", "off"])]
    pub tls: Option<String>,

    /// A PEM file with the authority that signed the server's certificate
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,

    /// Look only at this database [default: all that the account may read]
    #[arg(long, value_name = "NAME")]
    pub database: Option<String>,

    /// The table: "orders", or "shop.orders"
    #[arg(long, value_name = "NAME")]
    pub table: Option<String>,

    /// Its column of times
    #[arg(long, value_name = "COLUMN")]
    pub time: Option<String>,

    /// Its column of values; not needed to count rows
    #[arg(long, value_name = "COLUMN")]
    pub value: Option<String>,

    /// How rows become a value [default: by the names; none if rows are ready-made]
    #[arg(long, value_enum)]
    pub aggregate: Option<Aggregate>,

    /// The length of a bucket [default: by how dense the rows are]
    #[arg(long, value_name = "D")]
    pub every: Option<Step>,

    /// What to call the metric [default: as its table]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,

    /// The wall clock of DATETIME columns and of mail [default: that of this machine]
    #[arg(long, value_name = "ZONE")]
    pub timezone: Option<String>,

    /// Replay only the last D; 28 days of 5-minute buckets take about a minute
    #[arg(long, value_name = "D", default_value = "28d", value_parser = parse_length)]
    pub last: Duration,

    /// The file to write
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

impl ValueEnum for Aggregate {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.word()))
    }
}

/// Replay history: judge each point as a check at its time would have, and sum up
#[derive(Debug, clap::Args)]
#[command(after_help = BACKTEST_HELP)]
pub struct BacktestArgs {
    /// The metric to replay; needed where the configuration has several
    #[arg(long, value_name = "NAME")]
    pub metric: Option<String>,

    /// Read this file (CSV, Parquet) in place of MySQL; needs no configuration
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

    /// The model that forecasts, in place of the configured one: auto, autoregression, mstl, or prophet
    /// where it was built in
    #[arg(long, value_name = "NAME")]
    pub model: Option<ModelChoice>,

    /// What is printed: a summary, a row a point, or both as one object
    #[arg(long, value_enum, default_value_t = BacktestFormat::Text)]
    pub format: BacktestFormat,

    /// Draw value and band over the period, with the breaches marked
    #[arg(long, value_name = "FILE.png")]
    pub plot: Option<PathBuf>,
}

/// Show how a verdict was reached
///
/// It is reached again, as a check at TIME would reach it, and shown step by step.
#[derive(Debug, clap::Args)]
#[command(after_help = EXPLAIN_HELP)]
pub struct ExplainArgs {
    /// Judge as if it were TIME, "2026-11-22 14:05" or RFC 3339 [default with --input: just after
    /// the last row]
    #[arg(long, value_name = "TIME", required_unless_present = "input")]
    pub at: Option<String>,

    /// The metric to explain; needed where the configuration has several
    #[arg(long, value_name = "NAME")]
    pub metric: Option<String>,

    /// Read this file (CSV, Parquet) in place of MySQL; needs no configuration
    #[arg(long, value_name = "FILE")]
    pub input: Option<PathBuf>,

    /// What is printed: a page for people, or an object
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,

    /// Draw value and band, trend, each season and the remainder over the window
    #[arg(long, value_name = "FILE.png")]
    pub plot: Option<PathBuf>,
}

/// Send a mail that is marked as a test, with the newest pictures of a metric
///
/// Where there is no database, the pictures are of a sample that comes with bandwatch.
#[derive(Debug, clap::Args)]
pub struct TestMailArgs {
    /// Whom to send it to [default: the recipients of the metric]
    #[arg(value_parser = parse_mailbox)]
    pub address: Option<Mailbox>,

    /// The metric to show [default: the first one]
    #[arg(long, value_name = "NAME")]
    pub metric: Option<String>,

    /// Test this channel of the configuration instead of mail
    #[arg(long, value_name = "NAME", conflicts_with = "address")]
    pub channel: Option<String>,
}

/// Go through the whole chain, from the configuration to cron, and say what is wrong with it
///
/// Nothing is sent, written or remembered: of a mail the server is told from whom and to whom it would be, and
/// of a channel it is only seen whether it is there. Exit codes: 0 nothing failed, 1 something did, 2 wrong usage.
#[derive(Debug, clap::Args)]
pub struct DoctorArgs {
    /// Look only at this metric (may be repeated) [default: all]
    #[arg(long, value_name = "NAME")]
    pub metric: Vec<String>,

    /// What is printed: a line a check, or an object
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

/// Mail nothing about a metric for a while
///
/// The metric is still checked, and an alert that is still open when the silence ends is mailed then. With
/// --from the silence starts later; a metric may have several.
#[derive(Debug, clap::Args)]
#[command(group(ArgGroup::new("end").required(true).args(["for", "until"])))]
pub struct SilenceArgs {
    /// The metric, by its name in the configuration
    pub metric: String,

    /// When it starts, "2026-11-22 14:00" or RFC 3339 [default: now]
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,

    /// For how long, such as "2h" or "30m"
    #[arg(long = "for", id = "for", value_name = "LENGTH", value_parser = parse_length)]
    pub length: Option<Duration>,

    /// When it ends, "2026-11-22 16:00" or RFC 3339
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,

    /// The reason, for whoever looks at the status
    #[arg(long, value_name = "TEXT")]
    pub because: Option<String>,
}

/// Take the level of a metric's open incident as the new normal
///
/// The incident ends at once, as it would after adapt_after, and the next run mails the new level.
#[derive(Debug, clap::Args)]
#[expect(clippy::doc_markdown, reason = "a doc comment is a text of the help")]
pub struct AcceptArgs {
    /// The metric, by its name in the configuration
    pub metric: String,

    /// Refuse the level: the incident lasts until the values are back
    #[arg(long)]
    pub keep: bool,
}

/// Acknowledge what is open of a metric: no repeats until it is worse, or over
///
/// Mails and the status say who knows of them. You still hear when one gets worse, and when it is over.
#[derive(Debug, clap::Args)]
pub struct AckArgs {
    /// The metric, by its name in the configuration
    pub metric: String,

    /// For how long, such as "4h" [default: as long as it lasts]
    #[arg(long = "for", id = "for", value_name = "LENGTH", value_parser = parse_length)]
    pub length: Option<Duration>,

    /// The reason, for whoever reads the next mail
    #[arg(long, value_name = "TEXT")]
    pub because: Option<String>,
}

/// Say what an incident was: fine (its values are usual) or real (they are not)
///
/// The values of a real incident are not learnt from. Those of one that was fine are, and the like at that
/// time of the week is mailed again only if it is clearly larger. Without --at, the newest incident is meant.
#[derive(Debug, clap::Args)]
pub struct WasArgs {
    /// The metric, by its name in the configuration
    pub metric: String,

    /// Whether all was well, or it was a real incident
    #[arg(value_enum)]
    pub nature: NatureWord,

    /// A time within the incident, "2026-11-22 14:05" or RFC 3339
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum NatureWord {
    Fine,
    Real,
}

/// Report what was told, silenced and answered, and how well the bands held
///
/// The facts come from the state, which remembers up to 35 days; the pictures of metrics with incidents are
/// drawn from the database. It does not wait for a run.
#[derive(Debug, clap::Args)]
pub struct ReportArgs {
    /// How far back, such as 7d or 24h
    #[arg(long, value_name = "D", default_value = "7d", value_parser = parse_length)]
    pub last: Duration,

    /// Write it as one HTML file, with its pictures in it
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,

    /// Mail it to the recipients
    #[arg(long)]
    pub mail: bool,

    /// What is printed: a page for people, or an object
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

/// Make the tables of the state, where it is kept in MySQL
///
/// Tables that are there stay as they are. No run makes or changes any.
#[derive(Debug, clap::Args)]
pub struct CreateTablesArgs {
    /// Print the SQL, for whoever may run it
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Text,
    Json,
}

/// What a schema is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SchemaOf {
    /// The file of the configuration
    Config,
    /// The object of each command
    Json,
}

/// What a check prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CheckFormat {
    Text,
    Json,
    Nagios,
}

impl CheckFormat {
    /// That of what is printed of each metric; `None` where all is told at once.
    pub fn of_metrics(self) -> Option<Format> {
        match self {
            Self::Text => Some(Format::Text),
            Self::Json => Some(Format::Json),
            Self::Nagios => None,
        }
    }
}

/// What an open incident is to Nagios.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Severity {
    Warning,
    Critical,
}

/// The states of a plugin of Nagios, the graver the later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PluginState {
    Ok,
    Unknown,
    Warning,
    Critical,
}

impl PluginState {
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Unknown => "UNKNOWN",
            Self::Warning => "WARNING",
            Self::Critical => "CRITICAL",
        }
    }
}

impl From<Severity> for PluginState {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Warning => Self::Warning,
            Severity::Critical => Self::Critical,
        }
    }
}

/// When verdicts have a colour, as GNU's tools name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ColourWord {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum BacktestFormat {
    Text,
    Csv,
    Json,
}

/// What a check may do with what it found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Mail what is due.
    Live,
    /// Write what would be mailed, breach or not.
    Preview,
    /// Only print.
    Silent,
}

impl Args {
    /// An error is also what a call for help is answered with.
    pub fn from_command_line() -> Result<Self, clap::Error> {
        Self::parse_words(env::args_os())
    }

    fn parse_words<W: Into<OsString> + Clone>(
        words: impl IntoIterator<Item = W>,
    ) -> Result<Self, clap::Error> {
        let mut command = Self::command();
        let matches = command.try_get_matches_from_mut(words)?;
        if let Some((name, _)) = matches.subcommand() {
            let is_given = |id: &str| matches.value_source(id) == Some(ValueSource::CommandLine);
            let mut flags = command.get_arguments().filter(|flag| !flag.is_global_set());
            let misplaced = flags.find(|flag| is_given(flag.get_id().as_str()));
            let misplaced = misplaced.and_then(|flag| flag.get_long().map(str::to_string));
            drop(flags);
            if let Some(flag) = misplaced {
                let told =
                    format!("--{flag} cannot stand before {name}; only --config and --color can");
                return Err(command.error(ErrorKind::ArgumentConflict, told));
            }
        }
        Self::from_arg_matches(&matches)
    }

    pub fn mode(&self) -> Mode {
        match (self.dry_run, &self.at) {
            (true, _) => Mode::Preview,
            (false, Some(_)) => Mode::Silent,
            (false, None) => Mode::Live,
        }
    }

    /// The file that stands for the database, if the command was given one.
    pub fn input(&self) -> Option<&Path> {
        match &self.command {
            None => self.input.as_deref(),
            Some(Command::Backtest(args)) => args.input.as_deref(),
            Some(Command::Explain(args)) => args.input.as_deref(),
            Some(
                Command::Init(_)
                | Command::Status { .. }
                | Command::TestMail(_)
                | Command::Doctor(_)
                | Command::Silence(_)
                | Command::Accept(_)
                | Command::Ack(_)
                | Command::Was(_)
                | Command::Report(_)
                | Command::CreateTables(_)
                | Command::Unsilence { .. }
                | Command::Schema { .. }
                | Command::Completions { .. }
                | Command::Man { .. },
            ) => None,
        }
    }
}

impl From<ColourWord> for ColourChoice {
    fn from(word: ColourWord) -> Self {
        match word {
            ColourWord::Auto => Self::WhereWanted,
            ColourWord::Always => Self::Always,
            ColourWord::Never => Self::Never,
        }
    }
}

/// "0.2.0 (1a2b3c4, x86_64-linux-gnu)": with the commit, of what is released.
fn version() -> String {
    let abi = if cfg!(target_env = "musl") {
        "musl"
    } else {
        "gnu"
    };
    let target = format!("{}-{}-{abi}", env::consts::ARCH, env::consts::OS);
    let commit =
        option_env!("BANDWATCH_COMMIT").map_or(String::new(), |commit| format!("{commit}, "));
    format!("{} ({commit}{target})", env!("CARGO_PKG_VERSION"))
}

/// The script for a shell.
pub fn completions(shell: Shell) -> Result<String> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "bandwatch", &mut script);
    String::from_utf8(script).context("the script of completions")
}

/// The manual page of the program or of one of its commands, in roff.
pub fn manual(name: Option<&str>) -> Result<String> {
    let mut command = Args::command();
    command.build();
    let command = match name {
        None => &command,
        Some(name) => command
            .find_subcommand(name)
            .with_context(|| format!("man: {name:?} is no command"))?,
    };
    let mut page = Vec::new();
    Man::new(command.clone()).render(&mut page)?;
    String::from_utf8(page).context("the manual page")
}

fn parse_stride(text: &str) -> Result<NonZeroUsize, &'static str> {
    text.parse()
        .map_err(|_| "allowed: a whole number from 1 up")
}

fn parse_level(text: &str) -> Result<Level, String> {
    let share = text.parse::<f64>();
    let share = share.map_err(|_| "allowed: a number from 0.5 to 0.999999, such as 0.95")?;
    Level::try_from(share)
}

const BACKTEST_HELP: &str = "\
D is a length of time, such as 5m, 4h or 28d. Nothing is sent or remembered.
Judging starts after the first full window.";

const EXPLAIN_HELP: &str = "\
On the same rows the verdict and its figures are those of the check, to the last bit. Nothing is
sent or remembered. Exit codes: 0 explained, also where the verdict is undecided; 1 something could
not be done; 2 wrong usage or configuration.";

const MORE_HELP: &str = "\
Without flags it judges what closed since the last run, and mails what people need to know.

Environment (overrides the configuration): mysql_user mysql_password mysql_host mysql_db
  smtp_email smtp_password recipient_list

Exit codes: 0 all judged, or undecided for a reason; all mail accepted; or another run at work
            1 something could not be done; a line on standard error says what
            2 wrong usage or configuration; nothing was contacted
            3 with --exit-code: a metric has an open incident; without a memory, is in breach
With --format nagios: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN";

/// How a run ended, as `MORE_HELP` explains; the graver the later: what failed outweighs a breach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    Done,
    Breach,
    Failed,
    Misused,
    /// As a plugin of Nagios.
    Plugin(PluginState),
}

impl Termination for Exit {
    fn report(self) -> ExitCode {
        ExitCode::from(match self {
            Self::Done | Self::Plugin(PluginState::Ok) => 0,
            Self::Failed | Self::Plugin(PluginState::Warning) => 1,
            Self::Misused | Self::Plugin(PluginState::Critical) => 2,
            Self::Breach | Self::Plugin(PluginState::Unknown) => 3,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(flags: &[&str]) -> Result<Args, clap::Error> {
        Args::parse_words([&["bandwatch"], flags].concat())
    }

    #[test]
    fn the_configuration_may_be_named_before_a_command_or_after_it() {
        for words in [
            ["--config", "a.toml", "status"],
            ["status", "--config", "a.toml"],
        ] {
            let args = parse(&words).expect("words");
            assert_eq!(args.config, Some("a.toml".into()));
            assert!(matches!(args.command, Some(Command::Status { .. })));
        }
    }

    #[test]
    fn a_flag_of_the_check_goes_with_no_other_command() {
        for flags in [
            &["--dry-run", "status"][..],
            &["-v", "backtest"],
            &["--format", "json", "status"],
            &["--input", "a.csv", "backtest"],
        ] {
            let refusal = parse(flags).expect_err("no such line").to_string();
            assert!(
                refusal.contains("only --config and --color can"),
                "{refusal}"
            );
        }
    }

    #[test]
    fn help_is_a_command_too() {
        for words in [&["help"][..], &["help", "status"], &["status", "--help"]] {
            let told = parse(words).expect_err("help");
            assert_eq!(told.kind(), ErrorKind::DisplayHelp, "{words:?}");
        }
    }

    #[test]
    fn colours_are_chosen_before_a_command_or_after_it() {
        for words in [
            ["--color", "never", "status"],
            ["status", "--color", "never"],
        ] {
            assert_eq!(parse(&words).expect("words").color, ColourWord::Never);
        }
        assert_eq!(parse(&[]).expect("no words").color, ColourWord::Auto);
    }

    #[test]
    fn each_command_has_a_manual_page_and_nothing_else_has() {
        let page = manual(None).expect("a page");
        assert!(
            page.contains(".SH \"EXIT") || page.contains("Exit codes"),
            "{page}"
        );
        for command in Args::command().get_subcommands() {
            let name = command.get_name();
            let page = manual(Some(name)).expect("a page");
            assert!(page.contains(&format!("bandwatch-{name}")), "{page}");
        }
        let refusal = manual(Some("nothing")).expect_err("no such command");
        assert_eq!(refusal.to_string(), "man: \"nothing\" is no command");
    }

    #[test]
    fn the_command_line_is_well_formed() {
        Args::command().debug_assert();
    }

    #[test]
    fn the_help_fits_a_screen() {
        let help = Args::command().render_help().to_string();
        assert!(help.lines().count() <= 60, "{help}");
        let fits = |line: &str| line.chars().count() <= 100;
        assert!(help.lines().all(fits), "{help}");
    }

    #[test]
    fn only_a_plain_run_sends() {
        let mode = |flags: &[&str]| parse(flags).expect("flags").mode();
        assert_eq!(mode(&[]), Mode::Live);
        assert_eq!(mode(&["--input", "x.csv"]), Mode::Live);
        assert_eq!(mode(&["--at", "2026-11-22 14:05"]), Mode::Silent);
        let preview = mode(&["--dry-run", "--at", "2026-11-22 14:05"]);
        assert_eq!(preview, Mode::Preview);
    }
}
