//! Where rows come from: a MySQL or MariaDB server, or a CSV file in its place. What goes out is a
//! [`Window`]: the closed buckets ready to be judged; or the [`History`] that many windows are cut from.

mod cache;
mod csv;
mod file;
mod file_columns;
mod file_keys;
mod file_rows;
mod history;
mod mysql;
mod parquet;
mod sample;
mod series;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use chrono::DateTime;
use chrono_tz::Tz;

pub use cache::{Reading, WindowCache};
use history::Lookback;
pub use history::{Fetched, History};
pub use mysql::{Cell, Trouble, Writer, explain_write_error};
pub use mysql::{catalog, inspect};
pub use sample::sample_window;
pub use series::{SeriesHistory, SeriesNews, SeriesRequest, TooManySeries, UnknownSeries};

use crate::calendar::Period;
use crate::config::{DatabaseSettings, Deadline, Metric, time_delta};
use crate::detect::{ColumnSums, Comparison};
use crate::series::{Bucket, Missing, Window};

/// Something that rows can be read from.
#[derive(Debug)]
pub enum Source {
    Mysql(Box<mysql::Database>),
    File(PathBuf),
}

impl Source {
    pub fn mysql(settings: DatabaseSettings, deadline: Deadline) -> Self {
        Self::Mysql(Box::new(mysql::Database::new(settings, deadline)))
    }

    /// The same place, to be read anew while somebody else still waits for it.
    pub fn fresh(&self) -> Self {
        match self {
            Self::Mysql(database) => Self::Mysql(Box::new(database.fresh())),
            Self::File(path) => Self::File(path.clone()),
        }
    }

    /// From now on the newest buckets are read in the light of what is kept of earlier reads.
    pub fn keep_windows(&mut self, cache: WindowCache) {
        if let Self::Mysql(database) = self {
            database.cache = Some(cache);
        }
    }

    /// Begins the session with the server, so that no metric pays for it with its share of the time.
    /// If that fails, each read says so.
    pub fn connect_ahead(&mut self) -> Result<()> {
        match self {
            Self::Mysql(database) => database.connect_ahead(),
            Self::File(_) => Ok(()),
        }
    }

    /// From now on all that is read ends by this deadline, that of the thread that reads.
    pub fn read_all_by(&mut self, deadline: Deadline) {
        if let Self::Mysql(database) = self {
            database.read_all_by(deadline);
        }
    }

    /// From now on every wait ends by this deadline.
    pub fn read_by(&mut self, share: Deadline) {
        if let Self::Mysql(database) = self {
            database.read_by(share);
        }
    }

    /// The server, to be looked at itself; `None` of a file.
    pub fn database(&mut self) -> Option<&mut mysql::Database> {
        match self {
            Self::Mysql(database) => Some(database),
            Self::File(_) => None,
        }
    }

    /// Reads the latest window as of a time; else of now, or of the last row of a file.
    pub fn latest(
        &mut self,
        metric: &Metric,
        as_of: Option<DateTime<Tz>>,
        now: DateTime<Tz>,
    ) -> Result<Window> {
        let history = self.read(metric, as_of, Lookback::Beyond(Duration::ZERO), now)?;
        Ok(history.latest(metric))
    }

    /// Reads the buckets that closed since the last one judged; the newest alone if none was, or if a
    /// file is read. Whether there can be any is asked first, which costs a query for one row.
    pub fn fetch_new(
        &mut self,
        metric: &Metric,
        last: Option<Bucket>,
        now: DateTime<Tz>,
    ) -> Result<Fetched> {
        let last = last.filter(|_| matches!(self, Self::Mysql(_)));
        if let (Self::Mysql(database), Some(last)) = (&mut *self, last)
            && let Some(step) = history::step_of(last, metric, now.timezone())
        {
            let unseen = history::unseen(last, step, metric, now);
            // An empty bucket that counts as zero is a bucket all the same.
            let needs_rows = metric.missing == Missing::Gap || unseen.is_empty();
            // Asked of an empty range too, so that a table that is gone is noticed.
            let holds_rows = database.read(metric, now, |reader| reader.holds_rows(&unseen))?;
            let time = Period {
                start: unseen.start.to_utc(),
                end: unseen.end.to_utc(),
            };
            let window = time_delta(metric.window(step));
            let is_left_out = metric.events.leave_out_all(time, window);
            if is_left_out || (needs_rows && !holds_rows) {
                return Ok(Fetched::Nothing(None));
            }
        }
        let missed = last.and_then(|last| history::time_missed(last, now));
        let lookback = Lookback::Beyond(missed.unwrap_or_default());
        let history = self.read(metric, None, lookback, now)?;
        Ok(history.into_fetched(metric, last))
    }

    /// Reads what the windows of the past are cut from: of a server, a window and `last` more (else as
    /// long again); of a file, all of it.
    pub fn history(
        &mut self,
        metric: &Metric,
        last: Option<Duration>,
        now: DateTime<Tz>,
    ) -> Result<History> {
        let lookback = match self {
            Self::Mysql(_) => last.map_or(Lookback::TwoWindows, Lookback::Beyond),
            Self::File(_) => Lookback::Everything,
        };
        self.read(metric, None, lookback, now)
    }

    /// What can be new of the series of a metric, all of which were looked at up to the end of a bucket. To
    /// know it, one row is asked for, also if no bucket has closed: a table that is gone is noticed.
    pub fn news_of_series(
        &mut self,
        metric: &Metric,
        last: Bucket,
        now: DateTime<Tz>,
    ) -> Result<SeriesNews> {
        let Self::Mysql(database) = self else {
            return Ok(SeriesNews::Closed);
        };
        let Some(step) = history::step_of(last, metric, now.timezone()) else {
            return Ok(SeriesNews::Closed);
        };
        let unseen = history::unseen(last, step, metric, now);
        let time = Period {
            start: unseen.start.to_utc(),
            end: unseen.end.to_utc(),
        };
        let is_left_out = metric
            .events
            .leave_out_all(time, time_delta(metric.window(step)));
        let is_closed = !unseen.is_empty() && !is_left_out;
        // An empty bucket that counts as zero is a bucket all the same.
        if is_closed && metric.missing == Missing::Zero {
            return Ok(SeriesNews::Closed);
        }
        let holds_rows = database.read(metric, now, |reader| reader.holds_rows(&unseen))?;
        Ok(match (is_closed, holds_rows) {
            (false, _) => SeriesNews::Nothing,
            (true, false) => SeriesNews::NoRows,
            (true, true) => SeriesNews::Closed,
        })
    }

    /// Hands over one series after the other. What is read of none is returned, to tell why there may be none.
    pub fn each_series(
        &mut self,
        metric: &Metric,
        request: &SeriesRequest,
        now: DateTime<Tz>,
        mut take: impl FnMut(SeriesHistory) -> Result<()>,
    ) -> Result<History> {
        match self {
            Self::Mysql(database) => database.each_series(metric, request, now, &mut take),
            Self::File(path) => {
                let group = metric.group.as_ref().context("group_by: not set")?;
                let read = || {
                    let rows = file::rows(path, metric)?;
                    file_rows::each_series(rows, metric, group, request, now, take)
                };
                read().with_context(|| format!("read {}", path.display()))
            }
        }
    }

    /// What the parts of a metric add up to in the times of a comparison.
    pub fn parts(
        &mut self,
        metric: &Metric,
        comparison: &Comparison,
        now: DateTime<Tz>,
    ) -> Result<Vec<ColumnSums>> {
        match self {
            Self::Mysql(database) => database.read(metric, now, |reader| reader.parts(comparison)),
            Self::File(_) => bail!("explain_by: a file has no parts"),
        }
    }

    fn read(
        &mut self,
        metric: &Metric,
        as_of: Option<DateTime<Tz>>,
        lookback: Lookback,
        now: DateTime<Tz>,
    ) -> Result<History> {
        match self {
            Self::Mysql(database) => {
                let Some(as_of) = as_of else {
                    return database.newest_history(metric, lookback, now);
                };
                database.read(metric, now, |reader| reader.history(as_of, lookback, None))
            }
            Self::File(path) => file::history(path, metric, as_of, lookback, now.timezone())
                .with_context(|| format!("read {}", path.display())),
        }
    }
}
