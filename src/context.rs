//! What this run is to do: the command line and the configuration, put together and checked before
//! anything is contacted.

use std::ffi::OsStr;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use crate::cli::{Args, Format, Mode};
use crate::commands::report::Verbosity;
use crate::config::Deadline;
use crate::config::{Config, MailSettings, Metric, Rows, Secret};
use crate::detect::Evaluation;
use crate::notify::mail::{self, Mailbox};
use crate::output::{Naming, PlotsDir};
use crate::series::parse_time;
use crate::source::{AsOf, Source};
use crate::state::usual_dir;

/// A run, decided.
#[derive(Debug)]
pub struct Plan {
    /// Those of this run.
    pub metrics: Vec<Metric>,
    /// Those of the configuration.
    pub all_metrics: Vec<Metric>,
    pub mode: Mode,
    pub now: DateTime<Tz>,
    pub as_of: AsOf,
    pub deadline: Deadline,
    /// The names on a mail: there even where nothing can be sent.
    pub letterhead: MailSettings,
    /// There whenever the mode is live.
    pub mail: Option<MailSettings>,
    /// `None` if nothing is to be remembered.
    pub upkeep: Option<Upkeep>,
    pub plots: PlotsDir,
    pub format: Format,
    pub verbosity: Verbosity,
    pub tells_breach_by_exit_code: bool,
}

/// What a run needs that remembers what it tells.
#[derive(Debug)]
pub struct Upkeep {
    pub state_dir: PathBuf,
    pub mail: MailSettings,
    pub heartbeat: Option<Secret>,
}

/// A plan, and where its rows come from.
#[derive(Debug)]
pub struct Prepared {
    pub plan: Plan,
    pub source: Source,
}

impl Plan {
    /// # Errors
    ///
    /// If the command line or the configuration is wrong, or lacks what this run needs.
    pub fn prepare(args: &Args) -> Result<Prepared> {
        let config = load_config(
            args.config.as_deref(),
            args.input.as_deref(),
            "--dry-run --input FILE.csv",
        )?;
        let metrics: Vec<Metric> = config.chosen(&args.metric)?.into_iter().cloned().collect();
        let deadline = Deadline::after(config.deadline);
        let now = Utc::now().with_timezone(&config.zone);
        // Without any configuration there is nowhere to send to: the run can only tell.
        let mode = if config.is_from_file() || args.mode() == Mode::Preview {
            args.mode()
        } else {
            Mode::Silent
        };
        let naming = if config.metrics.len() == 1 {
            Naming::OneMetric
        } else {
            Naming::SeveralMetrics
        };
        // A file is judged anew each time: nothing says that it is the same one as before.
        let remembers = mode == Mode::Live && args.input.is_none();
        let reading_ends = if remembers {
            deadline.for_reading()
        } else {
            deadline
        };
        let source = choose_source(args.input.as_deref(), &config, &metrics, reading_ends)?;
        let mail = match mode {
            Mode::Live => Some(live_mail(&config)?),
            Mode::Preview | Mode::Silent => None,
        };
        let plan = Self {
            mode,
            upkeep: mail.clone().filter(|_| remembers).map(|mail| Upkeep {
                state_dir: state_dir(&config),
                mail,
                heartbeat: config.heartbeat_url.clone(),
            }),
            mail,
            all_metrics: config.metrics.clone(),
            as_of: choose_time(args.at.as_deref(), args.input.as_deref(), now)?,
            deadline,
            letterhead: config.smtp.clone().unwrap_or_default(),
            plots: PlotsDir::new(&config.plots_dir, naming),
            format: args.format,
            verbosity: verbosity(args, mode),
            tells_breach_by_exit_code: args.exit_code,
            metrics,
            now,
        };
        Ok(Prepared { plan, source })
    }

    /// Whom a mail says to ask.
    pub fn contact(&self) -> Option<&str> {
        self.letterhead.contact.as_deref()
    }

    /// Above so many notices to the same recipients, they are one mail.
    pub fn digest_over(&self) -> usize {
        self.mail
            .as_ref()
            .map_or(usize::MAX, |mail| mail.digest_over)
    }

    pub fn sender(&self) -> Mailbox {
        let from = self.letterhead.from.clone();
        from.unwrap_or_else(|| mail::placeholder("bandwatch"))
    }

    /// At least one: without a configuration, a name that nobody has.
    pub fn recipients(&self, metric: &Metric) -> Vec<Mailbox> {
        let of_all = &self.letterhead.recipients;
        let recipients = metric.recipients.as_ref().unwrap_or(of_all);
        if recipients.is_empty() {
            vec![mail::placeholder("recipient")]
        } else {
            recipients.clone()
        }
    }

    /// Whether pictures and a mail are called for.
    pub fn calls_for_a_mail(&self, evaluation: &Evaluation) -> bool {
        match self.mode {
            Mode::Live => evaluation.is_breach(),
            Mode::Preview => true,
            Mode::Silent => false,
        }
    }
}

/// The configuration that is named, or found in one of the usual places, or that a file needs none;
/// `without` are flags that do without one.
///
/// # Errors
///
/// If there is none and one is needed, or if it is wrong.
pub fn load_config(named: Option<&Path>, input: Option<&Path>, without: &str) -> Result<Config> {
    match (find_config(named)?, input) {
        (Some(config), _) => Ok(config),
        (None, Some(input)) => Ok(Config::without_file(Metric::of_file(&name_of(input)))),
        (None, None) => bail!("{}, or try {without}, which needs none", no_config()),
    }
}

/// The configuration that is named, or found in one of the usual places.
///
/// # Errors
///
/// If there is none, or if it is wrong.
pub fn needed_config(named: Option<&Path>) -> Result<Config> {
    find_config(named)?.with_context(no_config)
}

fn find_config(named: Option<&Path>) -> Result<Option<Config>> {
    let places = Config::usual_places();
    let found = places
        .iter()
        .map(PathBuf::as_path)
        .find(|place| place.exists());
    named.or(found).map(Config::load).transpose()
}

fn no_config() -> String {
    let places: Vec<_> = Config::usual_places()
        .iter()
        .map(|place| place.display().to_string())
        .collect();
    format!(
        "no configuration: looked for {}; name one with --config",
        places.join(", ")
    )
}

/// A file's name without its ending, as the name of the metric in it.
fn name_of(input: &Path) -> String {
    input.file_stem().map_or("series".to_string(), |stem| {
        stem.to_string_lossy().into_owned()
    })
}

/// Where the rows of these metrics come from.
///
/// # Errors
///
/// If a file is to stand for several metrics, or the configuration lacks what the database needs.
pub fn choose_source(
    input: Option<&Path>,
    config: &Config,
    metrics: &[Metric],
    deadline: Deadline,
) -> Result<Source> {
    if let Some(path) = input {
        if metrics.len() > 1 {
            let names: Vec<_> = metrics.iter().map(|metric| metric.name.as_str()).collect();
            bail!(
                "--input is one series, and the configuration has the metrics {}; choose one with --metric",
                names.join(", ")
            );
        }
        return Ok(Source::file(PathBuf::from(path)));
    }
    let settings = config.database()?;
    if let Some(metric) = metrics.iter().find(|metric| metric.rows == Rows::None) {
        bail!(
            "metric {:?}: neither table nor query is set; allowed: table with time_column and value_column, or query",
            metric.name
        );
    }
    Ok(Source::mysql(settings, deadline))
}

/// The one metric of a command that is about one; `purpose` is that command in words.
///
/// # Errors
///
/// If there is no such metric, or none is named and there are several.
pub fn choose_metric(wanted: Option<&str>, config: &Config, purpose: &str) -> Result<Metric> {
    let wanted: Vec<String> = wanted.map(str::to_string).into_iter().collect();
    match config.chosen(&wanted)?.as_slice() {
        [metric] => Ok((*metric).clone()),
        several => {
            let names: Vec<_> = several.iter().map(|metric| metric.name.as_str()).collect();
            bail!(
                "{purpose} is of one metric, and the configuration has {}; choose one with --metric",
                names.join(", ")
            )
        }
    }
}

/// Whether `--plot` can be a picture, said at once and not after all the work.
///
/// # Errors
///
/// If it is a directory, or lies in none, or is named as another kind of picture.
pub fn check_picture_path(path: &Path) -> Result<()> {
    let folder = match path.parent() {
        Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
        Some(folder) => folder,
        None => bail!("--plot {}: not a file", path.display()),
    };
    ensure!(!path.is_dir(), "--plot {}: a directory", path.display());
    ensure!(
        folder.is_dir(),
        "--plot {}: there is no directory {}",
        path.display(),
        folder.display()
    );
    let is_png = |ending: &OsStr| ending.eq_ignore_ascii_case("png");
    ensure!(
        path.extension().is_none_or(is_png),
        "--plot {}: allowed: a name that ends in .png, as the picture is a PNG",
        path.display()
    );
    Ok(())
}

/// The time to judge at: as `--at` says; of a file, its last row; else now.
///
/// # Errors
///
/// If it is no time.
pub fn choose_time(at: Option<&str>, input: Option<&Path>, now: DateTime<Tz>) -> Result<AsOf> {
    match (at, input) {
        (Some(text), _) => parse_time(text, now.timezone())
            .map(AsOf::Time)
            .context("--at"),
        (None, Some(_)) => Ok(AsOf::LastRow),
        (None, None) => Ok(AsOf::Time(now)),
    }
}

/// Where what one run remembers for the next is kept.
pub fn state_dir(config: &Config) -> PathBuf {
    config.state_dir.clone().unwrap_or_else(usual_dir)
}

fn live_mail(config: &Config) -> Result<MailSettings> {
    config.mail()?.context(
        "smtp: missing; an alert needs a mail server (or try --dry-run, which sends nothing)",
    )
}

fn verbosity(args: &Args, mode: Mode) -> Verbosity {
    match (args.quiet, args.verbose) {
        (true, _) => Verbosity::Quiet,
        (_, true) => Verbosity::Details,
        _ if mode != Mode::Live || std::io::stdout().is_terminal() => Verbosity::Everything,
        _ => Verbosity::Notable,
    }
}
