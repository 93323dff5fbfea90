//! What every command has at hand: the configuration, the clock of the run, its deadline, and where rows
//! come from. Resolved once, before anything is contacted.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use chrono::{DateTime, SubsecRound, Utc};
use chrono_tz::Tz;

use crate::cli::Args;
use crate::config::{Config, Deadline, Metric, Rows};
use crate::series::parse_time;
use crate::source::Source;
use crate::state::usual_dir;

#[derive(Debug)]
pub struct Context {
    pub config: Config,
    /// The clock of the run, in the time zone of the configuration.
    pub now: DateTime<Tz>,
    pub deadline: Deadline,
    /// A file in place of the database.
    pub input: Option<PathBuf>,
}

impl Context {
    /// Reads the configuration that is named, or the first in the usual places. With an input none is
    /// needed.
    pub fn new(args: &Args) -> Result<Self> {
        let input = args.input().map(Path::to_path_buf);
        let places = Config::usual_places();
        let found = places.iter().find(|place| place.exists());
        let config = match (args.config.as_ref().or(found), &input) {
            (Some(path), _) => Config::load(path)?,
            (None, Some(input)) => Config::without_file(Metric::of_file(&name_of(input))),
            (None, None) => {
                let places = places.iter().map(|place| place.display().to_string());
                let or = args.needs_no_config().map_or(String::new(), |flags| {
                    format!(", or try {flags}, which needs none")
                });
                bail!(
                    "no configuration: looked for {}; name one with --config{or}",
                    places.collect::<Vec<_>>().join(", ")
                );
            }
        };
        Ok(Self {
            now: Utc::now().with_timezone(&config.zone),
            deadline: Deadline::after(config.deadline),
            config,
            input,
        })
    }

    /// The clock of the run as it is remembered: to the second.
    pub fn now_utc(&self) -> DateTime<Utc> {
        self.now.to_utc().trunc_subsecs(0)
    }

    pub fn zone(&self) -> Tz {
        self.now.timezone()
    }

    /// The one metric of a command that is about one; `purpose` is that command in words.
    pub fn metric(&self, name: Option<&str>, purpose: &str) -> Result<Metric> {
        let name: Vec<String> = name.map(str::to_string).into_iter().collect();
        match self.config.chosen(&name)?.as_slice() {
            [metric] => Ok((*metric).clone()),
            several => bail!(
                "{purpose} is of one metric, and the configuration has {}; choose one with --metric",
                names(several.iter().copied())
            ),
        }
    }

    /// Where the rows of these metrics come from, to be read by the deadline.
    pub fn source(&self, metrics: &[Metric], deadline: Deadline) -> Result<Source> {
        if let Some(path) = &self.input {
            ensure!(
                metrics.len() == 1,
                "--input is one series, and the configuration has the metrics {}; choose one with --metric",
                names(metrics)
            );
            return Ok(Source::File(path.clone()));
        }
        let settings = self.config.database()?;
        if let Some(metric) = metrics.iter().find(|metric| metric.rows == Rows::None) {
            bail!(
                "metric {:?}: neither table nor query is set; allowed: table with time_column and value_column, or query",
                metric.name
            );
        }
        Ok(Source::mysql(settings, deadline))
    }

    /// The time to judge at, if `--at` says so.
    pub fn as_of(&self, at: Option<&str>) -> Result<Option<DateTime<Tz>>> {
        let time = at.map(|text| parse_time(text, self.zone()));
        time.transpose().context("--at")
    }

    pub fn state_dir(&self) -> PathBuf {
        let configured = self.config.state_dir.clone();
        configured.unwrap_or_else(usual_dir)
    }
}

/// Whether `--plot` can be a picture, said at once and not after all the work.
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

/// A file's name without its ending, as the name of the metric in it.
fn name_of(input: &Path) -> String {
    input.file_stem().map_or("series".to_string(), |stem| {
        stem.to_string_lossy().into_owned()
    })
}

fn names<'a>(metrics: impl IntoIterator<Item = &'a Metric>) -> String {
    let names = metrics.into_iter().map(|metric| metric.name.as_str());
    names.collect::<Vec<_>>().join(", ")
}
