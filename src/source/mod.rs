//! Where rows come from: a MySQL or MariaDB server, or a CSV file in its place. What goes out is a
//! [`Window`]: the closed buckets of the window, ready to be judged; or an [`Archive`] of many.

mod archive;
mod file;
mod mysql;
mod news;

use std::path::PathBuf;
use std::time::Duration;

pub use archive::Archive;
pub use news::{Backlog, News, Since};

use anyhow::{Result, ensure};
use chrono::{DateTime, TimeDelta};
use chrono_tz::Tz;

use crate::config::Deadline;
use crate::config::{DatabaseSettings, Metric};
use crate::series::{Aggregate, Buckets, Grid, MOST_BUCKETS, Step, TimeSeries, Window};

/// When a reading is as of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum AsOf {
    Time(DateTime<Tz>),
    /// Just after the last row: for a file, which tells of no clock.
    LastRow,
}

/// When rows are looked at.
#[derive(Debug, Clone, Copy)]
pub struct Vantage {
    /// What is judged as of.
    as_of: DateTime<Tz>,
    /// What the clock shows, which is when the rows were written up to.
    clock: DateTime<Tz>,
}

impl Vantage {
    fn zone(self) -> Tz {
        self.as_of.timezone()
    }
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

    /// Reads the latest window of a metric. `now` is the clock of the run, in the zone of the
    /// configuration; `as_of` the time to judge at.
    ///
    /// # Errors
    ///
    /// If the rows cannot be read; the message names the peer or the file.
    pub fn read(&mut self, metric: &Metric, as_of: AsOf, now: DateTime<Tz>) -> Result<Window> {
        match self {
            Self::Mysql(database) => {
                let as_of = match as_of {
                    AsOf::Time(time) => time,
                    AsOf::LastRow => now,
                };
                let vantage = Vantage { as_of, clock: now };
                Ok(database
                    .gather(metric, vantage, Reach::Window)?
                    .newest(metric))
            }
            Self::File(path) => {
                Ok(
                    file::gather(path, metric, as_of, now.timezone(), Reach::Window)?
                        .newest(metric),
                )
            }
        }
    }

    /// Reads what closed since a bucket was judged; the newest bucket if none was.
    ///
    /// # Errors
    ///
    /// If the rows cannot be read; the message names the peer or the file.
    pub fn news(
        &mut self,
        metric: &Metric,
        since: Option<Since>,
        now: DateTime<Tz>,
    ) -> Result<News> {
        let database = match self {
            Self::Mysql(database) => database,
            Self::File(_) => {
                let reading = self.read(metric, AsOf::LastRow, now)?;
                return Ok(News::Buckets(Backlog::of(reading)));
            }
        };
        if let Some(since) = since
            && let Some(stretch) = since.open_stretch(metric, now)
        {
            let vantage = Vantage {
                as_of: stretch.to,
                clock: now,
            };
            let holds_rows = database.holds_rows(metric, vantage, stretch)?;
            if !holds_rows && stretch.tells_of_nothing(metric) {
                return Ok(News::Nothing(None));
            }
        }
        let vantage = Vantage {
            as_of: now,
            clock: now,
        };
        let backlog = since.and_then(|since| since.backlog(now));
        let reach = match backlog.and_then(|backlog| backlog.to_std().ok()) {
            Some(backlog) => Reach::Beyond(backlog),
            None => Reach::Window,
        };
        Ok(database.gather(metric, vantage, reach)?.news(metric, since))
    }

    /// Reads what the readings of the past are made from: of a server, a window and `last` more (by
    /// default as long again); of a file, all of it.
    ///
    /// # Errors
    ///
    /// If the rows cannot be read; the message names the peer or the file.
    pub fn archive(
        &mut self,
        metric: &Metric,
        last: Option<Duration>,
        now: DateTime<Tz>,
    ) -> Result<Archive> {
        match self {
            Self::Mysql(database) => {
                let vantage = Vantage {
                    as_of: now,
                    clock: now,
                };
                let reach = Reach::Beyond(last.unwrap_or(metric.window));
                database.gather(metric, vantage, reach)
            }
            Self::File(path) => file::gather(
                path,
                metric,
                AsOf::LastRow,
                now.timezone(),
                Reach::Everything,
            ),
        }
    }
}

/// How far back rows are wanted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reach {
    /// The window a verdict is drawn from.
    Window,
    /// The window, and as much before it.
    Beyond(Duration),
    /// Whatever there is.
    Everything,
}

/// The most buckets an archive may span: ten years of minutes.
const MOST_ARCHIVED: i64 = 5_300_000;

/// The slots of a window: all closed ones from its start on.
#[derive(Debug, Clone)]
struct SlotRange {
    grid: Grid,
    first_slot: i64,
    last_slot: i64,
    now: DateTime<Tz>,
}

impl SlotRange {
    /// The history and the judged bucket after it, the last one closed at `now`.
    ///
    /// # Errors
    ///
    /// If the window holds more buckets than any season needs, and than memory should.
    fn before(now: DateTime<Tz>, metric: &Metric, step: Step) -> Result<Self> {
        let grid = Grid::new(step, now);
        let last_slot = grid.last_closed(now, metric.delay(step));
        let length = step.count_in(metric.window);
        ensure!(
            length <= MOST_BUCKETS,
            "window = \"{}\" holds {length} buckets of {step}; at most {MOST_BUCKETS} may be: set a shorter window, or a longer step with every",
            humantime::format_duration(metric.window)
        );
        Ok(Self {
            first_slot: last_slot - i64::try_from(length)?,
            last_slot,
            grid,
            now,
        })
    }

    /// The same and what lies as far back as wanted; `oldest` is the oldest row there is, as far as
    /// that is known.
    ///
    /// # Errors
    ///
    /// If that is more than memory should hold.
    fn reaching(self, reach: Reach, oldest: Option<DateTime<Tz>>) -> Result<Self> {
        let step = self.grid.step();
        let first_slot = match reach {
            Reach::Window => self.first_slot,
            Reach::Beyond(length) => self.first_slot - i64::try_from(step.count_in(length))?,
            Reach::Everything => oldest.map_or(self.first_slot, |oldest| self.grid.slot(oldest)),
        };
        let first_slot = first_slot.min(self.first_slot);
        ensure!(
            self.last_slot - first_slot <= MOST_ARCHIVED,
            "{} buckets of {step}; at most {MOST_ARCHIVED} may be: set a longer step with every, or look at less",
            self.last_slot - first_slot
        );
        Ok(Self { first_slot, ..self })
    }

    fn from(&self) -> DateTime<Tz> {
        self.grid.instant(self.first_slot)
    }

    fn to(&self) -> DateTime<Tz> {
        self.grid.instant(self.last_slot + 1)
    }

    fn holds(&self, time: DateTime<Tz>) -> bool {
        (self.first_slot..=self.last_slot).contains(&self.grid.slot(time))
    }

    /// A sum over three hours is no odd sum of two: where the clocks change within a bucket of a few
    /// hours, what was counted in it is left out. A day of 23 or 25 hours stays a day.
    fn comparable(&self, series: TimeSeries, metric: &Metric) -> TimeSeries {
        let step = self.grid.step();
        let adds_up = metric.aggregate.is_some_and(Aggregate::adds_up);
        if !adds_up || !step.follows_wall_clock() || step.per_day().is_none() {
            return series;
        }
        let length = |slot| self.grid.instant(slot + 1) - self.grid.instant(slot);
        series.without(|slot| length(slot) != step.delta())
    }

    fn reading(&self, buckets: &Buckets, metric: &Metric) -> Window {
        let step = self.grid.step();
        Window {
            series: self.comparable(
                buckets.series(self.first_slot, self.last_slot, metric.missing),
                metric,
            ),
            row_counts: buckets.row_counts,
            as_of: self.now,
            newest: buckets.newest_slot().map(|slot| self.grid.instant(slot)),
            stale_after: metric.stale_after(step, buckets.silences(self.last_slot)),
        }
    }
}

pub enum Fetched {
    New(Backlog),
    Nothing(Option<Window>),
}
impl Source {
    pub fn latest(&mut self, metric: &Metric, as_of: AsOf, now: DateTime<Tz>) -> Result<Window> {
        self.read(metric, as_of, now)
    }
    pub fn fetch_new(
        &mut self,
        metric: &Metric,
        last: Option<crate::series::Bucket>,
        now: DateTime<Tz>,
    ) -> Result<Fetched> {
        let zone = now.timezone();
        let since = last.map(|last| Since {
            start: last.start.with_timezone(&zone),
            end: last.end.with_timezone(&zone),
        });
        Ok(match self.news(metric, since, now)? {
            News::Buckets(backlog) => Fetched::New(backlog),
            News::Nothing(window) => Fetched::Nothing(window),
        })
    }
}
