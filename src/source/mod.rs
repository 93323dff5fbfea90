//! Where rows come from: a MySQL or MariaDB server, or a CSV file in its place. What goes out is a
//! [`Window`]: the closed buckets ready to be judged; or the [`History`] that many windows are cut from.

mod file;
mod history;
mod mysql;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, ensure};
use chrono::DateTime;
use chrono_tz::Tz;

pub use history::{Fetched, History};

use crate::config::{DatabaseSettings, Deadline, Metric};
use crate::series::{Bucket, Grid, MOST_BUCKETS, Missing, Step, Window};

/// The time to judge at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum AsOf {
    Time(DateTime<Tz>),
    /// Just after the last row: for a file, which tells of no clock.
    LastRow,
}

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

    pub fn file(path: PathBuf) -> Self {
        Self::File(path)
    }

    /// Reads the latest window of a metric; `now` is in the zone of the configuration.
    pub fn latest(&mut self, metric: &Metric, as_of: AsOf, now: DateTime<Tz>) -> Result<Window> {
        let history = self.read(metric, as_of, Lookback::Window, now)?;
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
            && let Some(unseen) = TimeRange::closed_after(last, metric, now)
        {
            // An empty bucket that counts as zero is a bucket all the same.
            let needs_rows = metric.missing == Missing::Gap || unseen.is_empty();
            // Asked of an empty range too, so that a table that is gone is noticed.
            let holds_rows = database.read(metric, now, |reader| reader.holds_rows(unseen))?;
            if needs_rows && !holds_rows {
                return Ok(Fetched::Nothing(None));
            }
        }
        let missed = last.and_then(|last| history::time_missed(last, now));
        let lookback = missed.map_or(Lookback::Window, Lookback::Beyond);
        let history = self.read(metric, AsOf::LastRow, lookback, now)?;
        Ok(history.into_fetched(metric, last))
    }

    /// Reads what the windows of the past are cut from: of a server, a window and `last` more (by
    /// default as long again); of a file, all of it.
    pub fn history(
        &mut self,
        metric: &Metric,
        last: Option<Duration>,
        now: DateTime<Tz>,
    ) -> Result<History> {
        let lookback = match self {
            Self::Mysql(_) => Lookback::Beyond(last.unwrap_or(metric.window)),
            Self::File(_) => Lookback::Everything,
        };
        self.read(metric, AsOf::LastRow, lookback, now)
    }

    fn read(
        &mut self,
        metric: &Metric,
        as_of: AsOf,
        lookback: Lookback,
        now: DateTime<Tz>,
    ) -> Result<History> {
        match self {
            Self::Mysql(database) => {
                let as_of = match as_of {
                    AsOf::Time(time) => time,
                    AsOf::LastRow => now,
                };
                database.read(metric, now, |reader| reader.history(as_of, lookback))
            }
            Self::File(path) => file::history(path, metric, as_of, lookback, now.timezone()),
        }
    }
}

/// How far back rows are wanted.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Lookback {
    /// The window a verdict is drawn from.
    Window,
    /// The window, and as much before it.
    Beyond(Duration),
    /// All rows there are.
    Everything,
}

/// From one instant up to another, which is not part of it.
#[derive(Debug, Clone, Copy, PartialEq)]
struct TimeRange {
    from: DateTime<Tz>,
    to: DateTime<Tz>,
}

impl TimeRange {
    /// The time after a bucket up to the end of the last one closed by now; `None` if the length of a
    /// bucket cannot be told without rows.
    fn closed_after(last: Bucket, metric: &Metric, now: DateTime<Tz>) -> Option<Self> {
        let length = u32::try_from(last.length().num_seconds()).ok();
        let step = metric.step.or_else(|| Step::from_seconds(length?))?;
        let grid = Grid::new(step, now);
        let closed = grid.instant(grid.last_closed(now, metric.delay(step)) + 1);
        let from = last.end.with_timezone(&now.timezone());
        Some(Self {
            from,
            to: closed.max(from),
        })
    }

    fn is_empty(self) -> bool {
        self.from >= self.to
    }

    fn holds(self, time: DateTime<Tz>) -> bool {
        (self.from..self.to).contains(&time)
    }
}

/// The most buckets a history may span: ten years of minutes.
const MOST_SLOTS: i64 = 5_300_000;

/// The slots rows are wanted for, the last one closed as of a time.
#[derive(Debug, Clone)]
struct SlotRange {
    grid: Grid,
    first_slot: i64,
    last_slot: i64,
    as_of: DateTime<Tz>,
}

impl SlotRange {
    /// The window and the judged bucket after it, and what lies as far back as wanted; `oldest` is the
    /// oldest row there is, as far as that is known. More than any season needs, or than memory
    /// should hold, is refused.
    fn new(
        metric: &Metric,
        step: Step,
        as_of: DateTime<Tz>,
        lookback: Lookback,
        oldest: Option<DateTime<Tz>>,
    ) -> Result<Self> {
        let grid = Grid::new(step, as_of);
        let last_slot = grid.last_closed(as_of, metric.delay(step));
        let length = step.count_in(metric.window);
        ensure!(
            length <= MOST_BUCKETS,
            "window = \"{}\" holds {length} buckets of {step}; at most {MOST_BUCKETS} may be: set a shorter window, or a longer step with every",
            humantime::format_duration(metric.window)
        );
        let window_start = last_slot - i64::try_from(length)?;
        let first_slot = match (lookback, oldest) {
            (Lookback::Beyond(length), _) => window_start - i64::try_from(step.count_in(length))?,
            (Lookback::Everything, Some(oldest)) => window_start.min(grid.slot(oldest)),
            _ => window_start,
        };
        let count = last_slot - first_slot;
        ensure!(
            count <= MOST_SLOTS,
            "{count} buckets of {step}; at most {MOST_SLOTS} may be: set a longer step with every, or look at less"
        );
        Ok(Self {
            grid,
            first_slot,
            last_slot,
            as_of,
        })
    }

    fn times(&self) -> TimeRange {
        TimeRange {
            from: self.grid.instant(self.first_slot),
            to: self.grid.instant(self.last_slot + 1),
        }
    }

    fn holds(&self, time: DateTime<Tz>) -> bool {
        (self.first_slot..=self.last_slot).contains(&self.grid.slot(time))
    }
}
