//! What every command has at hand: the configuration, the clock of the run, its deadline, and where rows
//! come from. Resolved once, before anything is contacted.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use chrono::{DateTime, SubsecRound, Utc};
use chrono_tz::Tz;

use crate::cli::{Args, Command};
use crate::config::{Config, Deadline, Metric, Rows, Table};
use crate::output::complain;
use crate::series::parse_time;
use crate::source::Source;
use crate::state::{Place, State, TablesPlace, usual_dir};

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
        let found = places.iter().find(|place| {
            // One that this user may not look at is there all the same.
            place.try_exists().unwrap_or(true)
        });
        let config = match (args.config.as_ref().or(found), &input) {
            (Some(path), _) => Config::load(path)?,
            (None, Some(input)) => Config::without_file(Metric::of_file(&name_of(input))),
            (None, None) => {
                let places: Vec<_> = places.iter().map(|place| place.to_string_lossy()).collect();
                let or = match &args.command {
                    None => ", or try --dry-run --input FILE.csv, which needs none",
                    Some(Command::Backtest(_) | Command::Explain(_)) => {
                        ", or try --input FILE.csv, which needs none"
                    }
                    Some(_) => "",
                };
                let places = places.join(", ");
                bail!("no configuration: looked for {places}; name one with --config{or}");
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

    /// The one series of a command that is about one; `purpose` is that command in words.
    pub fn metric(&self, name: Option<&str>, purpose: &str) -> Result<Metric> {
        let metric = self.metric_or_group(name, purpose)?;
        let Some(group) = &metric.group else {
            return Ok(metric);
        };
        let columns = group.columns.iter().map(|column| format!("{column}=..."));
        let columns = columns.collect::<Vec<_>>().join(",");
        bail!(
            "{purpose} is of one series, and {0} has many (group_by); name one in quotation marks, as '{0}{{{columns}}}' (status lists them)",
            metric.name
        );
    }

    /// The same of a command that is about one metric or one series.
    pub fn metric_or_group(&self, name: Option<&str>, purpose: &str) -> Result<Metric> {
        let name: Vec<String> = name.map(str::to_string).into_iter().collect();
        match self.config.chosen(&name)?.as_slice() {
            [metric] => Ok(metric.clone()),
            several => bail!(
                "{purpose} is of one metric, and the configuration has {}; choose one with --metric",
                names(several)
            ),
        }
    }

    /// Where the rows of these metrics come from, to be read by the deadline.
    pub fn source(&self, metrics: &[Metric], deadline: Deadline) -> Result<Source> {
        if let Some(path) = &self.input {
            let [metric, others @ ..] = metrics else {
                bail!("--input: no metric is to be read from it");
            };
            ensure!(
                others
                    .iter()
                    .all(|other| other.metric_name() == metric.metric_name()),
                "--input is of one metric, and the configuration has the metrics {}; choose one with --metric",
                names(metrics)
            );
            check_rows_of_file(metric)?;
            return Ok(Source::File(path.clone()));
        }
        let settings = self.config.database()?;
        if let Some(metric) = metrics
            .iter()
            .find(|metric| matches!(metric.rows, Rows::File { .. }))
        {
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

    /// Where the state is kept.
    pub fn state_place(&self) -> Result<Place> {
        let dir = || self.config.state_dir.clone().unwrap_or_else(usual_dir);
        Ok(match self.config.state_servers()? {
            None => Place::Directory(dir()),
            Some(servers) => Place::Tables(TablesPlace {
                servers,
                stand_in: dir().join("without-tables"),
                deadline: self.deadline,
            }),
        })
    }

    /// The state as it is now.
    pub fn look_at_state(&self) -> Result<State> {
        Ok(State::look(&self.state_place()?, &self.config.metrics))
    }
}

/// What chooses among the rows of a database cannot choose among those of a file.
fn check_rows_of_file(metric: &Metric) -> Result<()> {
    match &metric.rows {
        Rows::Table(Table {
            condition: Some(condition),
            ..
        }) => bail!(
            "metric {:?}: where = {condition:?} is SQL, and cannot choose rows of --input; write a file of those rows, and take where out for this run",
            metric.name
        ),
        Rows::Table(Table { explain_by, .. }) if !explain_by.is_empty() => bail!(
            "metric {:?}: explain_by = {explain_by:?} asks for parts, which only the table has; take explain_by out for this run",
            metric.name
        ),
        Rows::Query(_) => complain(&anyhow!(
            "metric {:?}: --input is taken for what its query returns; the query is not run",
            metric.name
        )),
        Rows::Table(_) | Rows::File { .. } => {}
    }
    Ok(())
}

/// Whether `--plot` can be a picture, said at once and not after all the work.
pub fn check_picture_path(path: &Path) -> Result<()> {
    let check = || {
        let folder = path.parent().context("not a file")?;
        ensure!(!path.is_dir(), "a directory");
        let is_there = Path::new(".").join(folder).is_dir();
        ensure!(is_there, "there is no directory {}", folder.display());
        let is_png = |ending: &OsStr| ending.eq_ignore_ascii_case("png");
        ensure!(
            path.extension().is_none_or(is_png),
            "allowed: a name that ends in .png, as the picture is a PNG"
        );
        Ok(())
    };
    check().with_context(|| format!("--plot {}", path.display()))
}

/// A file's name without its endings, `.gz` included, as the name of the metric in it.
fn name_of(input: &Path) -> String {
    let is_packed = input.extension().is_some_and(|ending| ending == "gz");
    let unpacked = if is_packed {
        input.with_extension("")
    } else {
        input.to_path_buf()
    };
    let stem = unpacked.file_stem().unwrap_or("series".as_ref());
    stem.to_string_lossy().into_owned()
}

fn names<'a>(metrics: impl IntoIterator<Item = &'a Metric>) -> String {
    let names = metrics.into_iter().map(|metric| metric.name.as_str());
    names.collect::<Vec<_>>().join(", ")
}
