//! What a run sees of its metrics: each is read and judged, bucket by bucket since the one judged last,
//! on a thread of its own. A name that does not resolve or a server that says a letter a minute holds
//! up that thread alone: what it did not reach in time is told as such, and mail goes out all the same.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use chrono::DateTime;
use chrono_tz::Tz;

use crate::config::Deadline;
use crate::config::Metric;
use crate::detect::{Evaluation, Verdict, evaluate, no_data};
use crate::incident::{Bucket, Finding, Side, Sighting, Stamp, Voice, Watch};
use crate::output::one_line;
use crate::series::{self, Window};
use crate::source::{AsOf, Fetched, Source};

/// What was seen of a metric at one moment.
#[derive(Debug, Clone)]
pub struct Sight {
    pub sighting: Sighting,
    /// What there is to show of it.
    pub evaluation: Option<Evaluation>,
}

/// What a look at a metric starts from.
#[derive(Debug, Clone)]
pub struct Wish {
    pub metric: Metric,
    pub judged: Option<Bucket>,
    pub newest_data: Option<Bucket>,
    pub latest: Latest,
}

/// Whether the bucket judged last is of interest where there is none after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Latest {
    Known,
    /// It is to be told of, which takes all that it was judged by.
    Wanted,
}

impl Wish {
    /// Of a metric nothing is remembered of.
    pub fn new(metric: &Metric) -> Self {
        Self {
            metric: metric.clone(),
            judged: None,
            newest_data: None,
            latest: Latest::Known,
        }
    }

    pub fn of(metric: &Metric, watch: &Watch, now: Stamp, voice: Voice) -> Self {
        Self {
            judged: watch.judged_at(now),
            newest_data: watch.newest_data,
            latest: if watch.owes_an_opening(voice) {
                Latest::Wanted
            } else {
                Latest::Known
            },
            ..Self::new(metric)
        }
    }
}

/// Somebody who looks at one metric after the other, on a thread of its own.
#[derive(Debug)]
pub struct Lookout {
    glimpses: Receiver<Glimpse>,
    deadline: Deadline,
    end: Option<String>,
}

/// What comes from the thread.
#[derive(Debug)]
enum Glimpse {
    Sight(Box<Sight>),
    /// There is no more to see of this metric.
    Done,
}

impl Lookout {
    /// Begins to look.
    pub fn begin(
        wishes: Vec<Wish>,
        mut source: Source,
        now: DateTime<Tz>,
        deadline: Deadline,
    ) -> Self {
        let (sender, glimpses) = channel();
        thread::spawn(move || {
            for wish in wishes {
                let tell = |sight| {
                    // Nobody listens after the deadline.
                    let _ = sender.send(Glimpse::Sight(Box::new(sight)));
                };
                if let Err(error) = look_unharmed(&wish, &mut source, now, tell) {
                    tell(Sight::failed(one_line(&format!("{error:#}"))));
                }
                if sender.send(Glimpse::Done).is_err() {
                    return;
                }
            }
        });
        Self {
            glimpses,
            deadline,
            end: None,
        }
    }

    /// What is seen next of the metric whose turn it is; `None` once that is all. One that is not
    /// reached by the deadline failed.
    pub fn next(&mut self) -> Option<Sight> {
        /// For what is just about to be there, a wait that ended with the deadline included.
        const GRACE: Duration = Duration::from_millis(200);
        if self.end.is_none() {
            match self.glimpses.recv_timeout(self.deadline.left() + GRACE) {
                Ok(Glimpse::Sight(sight)) => return Some(*sight),
                Ok(Glimpse::Done) => return None,
                Err(_) => {
                    let waited_for = self.deadline.waited_for();
                    self.end = Some(format!(
                        "{waited_for}: stopped waiting; reading and judging may take three fifths of the deadline (key deadline)"
                    ));
                }
            }
        }
        self.end.clone().map(Sight::failed)
    }

    /// Whether the deadline has passed: nothing more is seen of any metric.
    pub fn is_over(&self) -> bool {
        self.end.is_some()
    }
}

/// Looks; a bug that one metric's data bring to light must not blind the others.
fn look_unharmed(
    wish: &Wish,
    source: &mut Source,
    now: DateTime<Tz>,
    tell: impl Fn(Sight),
) -> Result<()> {
    let looking = AssertUnwindSafe(|| look(wish, source, now, tell));
    catch_unwind(looking)
        .unwrap_or_else(|_| bail!("a bug in bandwatch stopped the check, please report it"))
}

fn look(wish: &Wish, source: &mut Source, now: DateTime<Tz>, tell: impl Fn(Sight)) -> Result<()> {
    let metric = &wish.metric;
    let last = wish.judged.map(|bucket| series::Bucket {
        start: *bucket.start,
        end: *bucket.end,
    });
    match source.fetch_new(metric, last, now)? {
        Fetched::New(new) => {
            for reading in new.missed(metric) {
                let sight = look_back(reading, metric);
                // That data was missing some time ago is no news once there is some.
                if !matches!(sight.sighting, Sighting::NoData { .. }) {
                    tell(sight);
                }
            }
            tell(Sight::of(evaluate(new.into_latest(), &metric.method)?)?);
        }
        Fetched::Nothing(reading) => {
            let reading = match reading {
                Some(reading) => reading,
                None if wish.latest == Latest::Wanted || may_be_stale(wish, now) => {
                    source.latest(metric, AsOf::Time(now), now)?
                }
                None => {
                    tell(Sight::nothing_new());
                    return Ok(());
                }
            };
            tell(match no_data(&reading) {
                Some(_) => Sight::of(evaluate(reading, &metric.method)?)?,
                None if wish.latest == Latest::Known => Sight::nothing_new(),
                None => Sight {
                    evaluation: Some(evaluate(reading, &metric.method)?),
                    ..Sight::nothing_new()
                },
            });
        }
    }
    Ok(())
}

/// A bucket that no run came to look at. One that cannot be judged must not keep the later ones from it.
fn look_back(reading: Window, metric: &Metric) -> Sight {
    let newest = reading.series.split_latest().map(|split| split.latest.time);
    let bucket = newest.map(|newest| bucket_at(&reading, newest));
    let judged = evaluate(reading, &metric.method).and_then(Sight::of);
    judged.unwrap_or_else(|error| Sight {
        sighting: match bucket {
            Some(bucket) => Sighting::Undecided {
                bucket,
                why: one_line(&format!("{error:#}")),
            },
            None => Sighting::NothingNew,
        },
        evaluation: None,
    })
}

/// Where no row came since, the newest data is as old as it was, and that alone may make it stale.
fn may_be_stale(wish: &Wish, now: DateTime<Tz>) -> bool {
    let newest = wish.newest_data.or(wish.judged);
    newest.is_some_and(|newest| {
        let age = now.to_utc() - *newest.end;
        wish.metric.may_be_stale(age, *newest.end - *newest.start)
    })
}

impl Sight {
    fn of(evaluation: Evaluation) -> Result<Self> {
        Ok(Self {
            sighting: sighting(&evaluation)?,
            evaluation: Some(evaluation),
        })
    }

    fn failed(why: String) -> Self {
        Self {
            sighting: Sighting::Failed { why },
            evaluation: None,
        }
    }

    fn nothing_new() -> Self {
        Self {
            sighting: Sighting::NothingNew,
            evaluation: None,
        }
    }

    /// The newest bucket that rows were read for.
    pub fn newest_data(&self) -> Option<Bucket> {
        let reading = self.evaluation.as_ref()?.window()?;
        Some(bucket_at(reading, reading.newest?))
    }
}

fn sighting(evaluation: &Evaluation) -> Result<Sighting> {
    let bucket = Bucket {
        start: Stamp::from(evaluation.bucket.start),
        end: Stamp::from(evaluation.bucket.end),
    };
    match &evaluation.verdict {
        Verdict::NoData { since, reason } => Ok(Sighting::NoData {
            since: Stamp::from(*since),
            why: reason.clone(),
        }),
        Verdict::Undecided(why) => Ok(Sighting::Undecided {
            bucket,
            why: why.clone(),
        }),
        Verdict::Breach(_) | Verdict::Normal => {
            let band = evaluation.band.context("a verdict by no band")?;
            Ok(Sighting::Judged(Finding {
                time: bucket.start,
                end: bucket.end,
                value: evaluation.value.context("a verdict on no value")?,
                expected: band.expected,
                lower: band.lower,
                upper: band.upper,
                deviation: evaluation.deviation,
                side: evaluation.side(),
            }))
        }
    }
}

fn bucket_at(reading: &Window, start: DateTime<Tz>) -> Bucket {
    let grid = reading.series.grid();
    Bucket {
        start: Stamp::from(start),
        end: Stamp::from(grid.instant(grid.slot(start) + 1)),
    }
}
