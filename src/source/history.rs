//! The buckets of a long time, read once, from which the window of any check within it is cut: for a
//! backtest, and for buckets that closed while no run came to judge them.

use std::ops::{Range, RangeInclusive};
use std::time::Duration;

use anyhow::{Result, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use crate::calendar::{Effect, Period};
use crate::config::{Metric, time_delta};
use crate::forecast::needed_history;
use crate::output::write_setting;
use crate::series::{
    Aggregate, Bucket, Buckets, Grid, Ignored, MOST_BUCKETS, Observation, Recurring, Step,
    TimeSeries, Window,
};

/// How far back rows are wanted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Lookback {
    /// The window a verdict is drawn from, and so much before it.
    Beyond(Duration),
    /// The window and as much again.
    TwoWindows,
    Everything,
}

/// The buckets of the slots rows were wanted for, the last one closed as of a time.
#[derive(Debug, Clone)]
pub struct History {
    first_slot: i64,
    last_slot: i64,
    as_of: DateTime<Tz>,
    pub(super) buckets: Buckets,
    /// What was noticed of rows that do not count, or stand at a wrong time.
    pub(super) hint: Option<String>,
}

/// Buckets that are left out, as an event has it.
#[derive(Debug, Clone)]
struct LeftOut {
    slots: RangeInclusive<i64>,
    effect: Effect,
}

/// The most buckets a history may span: ten years of minutes.
const MOST_SLOTS: i64 = 5_300_000;

/// What closed since a bucket was judged.
#[derive(Debug, Clone)]
pub enum Fetched {
    /// The latest bucket of a history, and others with data, which start at these times, oldest first.
    /// The window of each is cut when its turn comes, as a window is large.
    New(History, Vec<DateTime<Tz>>),
    /// No bucket with data; the latest window, if it had to be read to know.
    Nothing(Option<Window>),
}

/// No more missed buckets than this are judged: the newest ones.
const MOST_MISSED: usize = 300;

/// The step of the bucket judged last; `None` if only rows can tell it.
pub fn step_of(last: Bucket, metric: &Metric, zone: Tz) -> Option<Step> {
    metric.step.or_else(|| Step::of_bucket(last, zone))
}

/// The time after a bucket up to the end of the last one closed.
pub fn unseen(last: Bucket, step: Step, metric: &Metric, now: DateTime<Tz>) -> Range<DateTime<Tz>> {
    let grid = Grid::new(step, now);
    let closed = grid.instant(grid.last_closed(now, metric.delay(step)) + 1);
    let from = last.end.with_timezone(&now.timezone());
    from..closed.max(from)
}

/// How much further back than a window rows are needed, to judge the buckets missed since the last.
pub fn time_missed(last: Bucket, now: DateTime<Tz>) -> Option<Duration> {
    let most = last.length() * i32::try_from(MOST_MISSED).unwrap_or(i32::MAX);
    let missed = (now.to_utc() - last.end).min(most);
    missed.to_std().ok().filter(|_| missed >= last.length() * 2)
}

/// The same for many series: the time from the bucket after the last to the newest closed one. It begins at the
/// same bucket in every run until that is judged, so that what is kept of earlier reads is enough for it.
pub fn time_to_catch_up(last: Bucket, metric: &Metric, as_of: DateTime<Tz>) -> Option<Duration> {
    let missed = time_missed(last, as_of)?;
    let step = step_of(last, metric, as_of.timezone())?;
    let grid = Grid::new(step, as_of);
    let newest = grid.instant(grid.last_closed(as_of, metric.delay(step)));
    let to_newest = (newest.to_utc() - last.end).to_std().unwrap_or_default();
    Some(missed.min(to_newest))
}

impl History {
    /// Without rows yet: the window and the judged bucket after it, and what lies as far back as wanted;
    /// `oldest` is the oldest row there is, if that is known. More than memory should hold is refused.
    pub(super) fn new(
        metric: &Metric,
        aggregate: Option<Aggregate>,
        step: Step,
        as_of: DateTime<Tz>,
        lookback: Lookback,
        oldest: Option<DateTime<Tz>>,
    ) -> Result<Self> {
        let grid = Grid::new(step, as_of);
        let last_slot = grid.last_closed(as_of, metric.delay(step));
        let window = metric.window(step);
        let length = step.count_in(window);
        ensure!(
            length <= MOST_BUCKETS,
            "window = \"{}\" holds {length} buckets of {step}; at most {MOST_BUCKETS} may be: set a shorter window, or a longer step with every",
            write_setting(window)
        );
        let window_start = last_slot - i64::try_from(length)?;
        let first_slot = match (lookback, oldest) {
            (Lookback::Beyond(length), _) => window_start - i64::try_from(step.count_in(length))?,
            (Lookback::TwoWindows, _) => window_start - i64::try_from(length)?,
            (Lookback::Everything, Some(oldest)) => window_start.min(grid.slot(oldest)),
            _ => window_start,
        };
        let count = last_slot - first_slot;
        ensure!(
            count <= MOST_SLOTS,
            "{count} buckets of {step}; at most {MOST_SLOTS} may be: set a longer step with every, or look at less"
        );
        Ok(Self {
            first_slot,
            last_slot,
            as_of,
            buckets: Buckets::new(grid, aggregate),
            hint: None,
        })
    }

    /// The same without the slots before one. There are no rows yet.
    pub(super) fn since(&self, slot: i64) -> Self {
        Self {
            first_slot: slot,
            ..self.clone()
        }
    }

    pub(super) fn slots(&self) -> RangeInclusive<i64> {
        self.first_slot..=self.last_slot
    }

    pub(super) fn as_of(&self) -> DateTime<Tz> {
        self.as_of
    }

    /// The time rows are wanted of.
    pub(super) fn times(&self) -> Range<DateTime<Tz>> {
        self.grid().instant(self.first_slot)..self.grid().instant(self.last_slot + 1)
    }

    pub(super) fn holds(&self, time: DateTime<Tz>) -> bool {
        (self.first_slot..=self.last_slot).contains(&self.grid().slot(time))
    }

    /// Takes in a row by its instant, if that can be told, and its value.
    pub(super) fn add(&mut self, time: Option<DateTime<Tz>>, value: Option<f64>) {
        match time {
            Some(time) if self.holds(time) => self.buckets.add(time, value),
            Some(_) => {}
            None => self.buckets.add_unclear(None, 1),
        }
    }

    /// Takes in rows whose time cannot be told, but perhaps a time they stand for.
    pub(super) fn add_unclear(&mut self, place: Option<DateTime<Tz>>, rows: u64) {
        let place = place.filter(|place| self.holds(*place));
        self.buckets.add_unclear(place, rows);
    }

    pub(super) fn grid(&self) -> &Grid {
        self.buckets.grid()
    }

    pub fn step(&self) -> Step {
        self.grid().step()
    }

    /// The newest closed bucket, with or without data.
    pub fn last_bucket(&self) -> Bucket {
        Bucket {
            start: self.grid().instant(self.last_slot).to_utc(),
            end: self.grid().instant(self.last_slot + 1).to_utc(),
        }
    }

    /// The start of the oldest bucket that has data, and the end of the newest closed one.
    pub fn ends(&self) -> Option<(DateTime<Tz>, DateTime<Tz>)> {
        let oldest = self.buckets.slots(self.first_slot, self.last_slot).next()?;
        Some((self.grid().instant(oldest), self.times().end))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.buckets.row_counts.rows == 0
    }

    /// The end of the newest bucket that has data.
    pub(super) fn newest_end(&self) -> Option<DateTime<Tz>> {
        let mut slots = self.buckets.slots(self.first_slot, self.last_slot);
        slots.next_back().map(|slot| self.grid().instant(slot + 1))
    }

    /// The values with a full window before them, oldest first; with `last`, those of that time alone. The
    /// window of days and longer steps, where none is set, is long: half of what there is must do, as far as
    /// it is enough for a forecast.
    pub fn points(&self, metric: &Metric, last: Option<Duration>) -> Vec<Observation> {
        let Some((oldest, _)) = self.ends() else {
            return Vec::new();
        };
        let oldest = self.grid().slot(oldest);
        let window = self.window_length(metric);
        let enough = match (metric.window, self.step().per_day()) {
            (None, None) => (self.last_slot - oldest) / 2,
            _ => window,
        };
        let needed = needed_history(self.step(), &metric.method.seasons);
        let needed = needed.map_or(0, |needed| i64::try_from(needed.count).unwrap_or(i64::MAX));
        let judged_from = oldest.saturating_add(window.min(enough.max(needed)));
        let asked = last.map_or(i64::MAX, |last| self.count_in(last));
        let asked_from = self.last_slot.saturating_sub(asked).saturating_add(1);
        self.observations(metric, judged_from.max(asked_from))
    }

    /// The starts of the closed buckets after one and before another.
    pub fn steps_between(&self, last: DateTime<Tz>, next: DateTime<Tz>) -> Vec<DateTime<Tz>> {
        let slots = self.grid().slot(last) + 1..self.grid().slot(next);
        slots.map(|slot| self.grid().instant(slot)).collect()
    }

    /// What a check would have read when the bucket that starts at `time` was closed.
    pub fn window_at(&self, time: DateTime<Tz>, metric: &Metric) -> Window {
        let last_slot = self.grid().slot(time);
        self.window(last_slot, self.closed_at(time, metric), metric)
    }

    /// When a check could first judge the bucket that starts at `time`.
    pub fn closed_at(&self, time: DateTime<Tz>, metric: &Metric) -> DateTime<Tz> {
        let grid = self.grid();
        grid.instant(grid.slot(time) + 1) + metric.delay(self.step())
    }

    /// What a check reads now, however much further back the history goes.
    pub fn latest(&self, metric: &Metric) -> Window {
        Window {
            hint: self.hint.clone(),
            ..self.window(self.last_slot, self.as_of, metric)
        }
    }

    /// What of it closed after the last bucket judged; the newest bucket alone if there is none.
    pub(super) fn into_fetched(self, metric: &Metric, last: Option<Bucket>) -> Fetched {
        let mut missed = Vec::new();
        if let Some(last) = last {
            let all = self.observations(metric, self.first_slot);
            let times = all.into_iter().map(|observation| observation.time);
            missed.extend(times.filter(|time| *time >= last.end));
            missed.drain(..missed.len().saturating_sub(MOST_MISSED));
            if missed.pop().is_none() {
                return Fetched::Nothing(Some(self.latest(metric)));
            }
        }
        Fetched::New(self, missed)
    }

    fn window(&self, last_slot: i64, as_of: DateTime<Tz>, metric: &Metric) -> Window {
        let first_slot = last_slot.saturating_sub(self.window_length(metric));
        let buckets = &self.buckets;
        let newest = buckets.slots(first_slot, last_slot).next_back();
        let left_out = self.left_out(first_slot, last_slot, metric);
        let slots: Vec<_> = left_out.iter().map(|part| part.slots.clone()).collect();
        let usual_gap = buckets.usual_gap(first_slot, last_slot, metric.missing, &slots);
        // Time that is left out makes nothing older.
        let time_left_out = newest.map(|newest| {
            let time = Period {
                start: self.grid().instant(newest + 1).to_utc(),
                end: as_of.to_utc(),
            };
            metric.time_left_out(time, Some(self.step()))
        });
        let stale_after = metric.stale_after(self.step(), usual_gap);
        // What may be learnt of later is in the window, unless it is the present.
        let ignored = left_out
            .into_iter()
            .filter(|part| part.effect == Effect::Ignore || part.slots.contains(&last_slot));
        let ignored: Vec<RangeInclusive<i64>> = ignored.map(|part| part.slots).collect();
        let is_ignored = |slot: i64| ignored.iter().any(|slots| slots.contains(&slot));
        let series = self.series(first_slot, last_slot, metric);
        Window {
            series: if ignored.is_empty() {
                series
            } else {
                series.without(is_ignored)
            },
            row_counts: buckets.row_counts,
            as_of,
            newest: newest.map(|slot| self.grid().instant(slot)),
            stale_after: stale_after + time_left_out.unwrap_or_default(),
            ignored: Ignored {
                buckets: (first_slot..=last_slot)
                    .filter(|slot| !ignored.is_empty() && is_ignored(*slot))
                    .count(),
                is_newest: is_ignored(last_slot),
            },
            recurring: self.recurring(first_slot, last_slot, metric),
            aggregate: metric.aggregate,
            total_since: None,
            hint: None,
        }
    }

    /// The values from a slot on.
    fn observations(&self, metric: &Metric, from_slot: i64) -> Vec<Observation> {
        let series = self.series(self.first_slot, self.last_slot, metric);
        let left_out = self.left_out(self.first_slot, self.last_slot, metric);
        let is_left_out = |slot| left_out.iter().any(|part| part.slots.contains(&slot));
        let series = series.without(is_left_out);
        let slots = (self.first_slot..).zip(series.values());
        let observation = |(slot, value): (i64, &Option<f64>)| {
            let time = self.grid().instant(slot);
            value.map(|value| Observation { time, value })
        };
        let wanted = slots.filter(|(slot, _)| *slot >= from_slot);
        wanted.filter_map(observation).collect()
    }

    /// A sum over three hours is no odd sum of two: where the clocks change within a bucket of a few
    /// hours, what was counted in it is left out. A day of 23 or 25 hours stays a day.
    fn series(&self, first_slot: i64, last_slot: i64, metric: &Metric) -> TimeSeries {
        let (grid, step) = (self.grid(), self.step());
        let series = self.buckets.series(first_slot, last_slot, metric.missing);
        let adds_up = metric.aggregate.is_some_and(Aggregate::adds_up);
        if !adds_up || !step.follows_wall_clock() || step.per_day().is_none() {
            return series;
        }
        series.without(|slot| grid.length(slot) != step.mean_length())
    }

    /// What is left out of the slots from one to another, by events.
    fn left_out(&self, first_slot: i64, last_slot: i64, metric: &Metric) -> Vec<LeftOut> {
        let window = time_delta(metric.window(self.step()));
        let events = metric
            .events
            .left_out(self.period(first_slot, last_slot), window);
        let parts = events.map(|occurrence| LeftOut {
            slots: self.slots_of(occurrence.period, first_slot, last_slot),
            effect: occurrence.event.effect,
        });
        parts.collect()
    }

    /// The events among these slots that are held against their earlier occurrences.
    fn recurring(&self, first_slot: i64, last_slot: i64, metric: &Metric) -> Vec<Recurring> {
        let time = self.period(first_slot, last_slot);
        let recurring = metric.events.learnt().map(|event| {
            let periods = event.periods.iter();
            let periods = periods.filter(|period| period.common(time).is_some());
            let slots = periods.map(|period| self.slots_of(*period, first_slot, last_slot));
            Recurring {
                occurrences: slots.collect(),
            }
        });
        recurring
            .filter(|recurring| !recurring.occurrences.is_empty())
            .collect()
    }

    fn period(&self, first_slot: i64, last_slot: i64) -> Period {
        Period {
            start: self.grid().instant(first_slot).to_utc(),
            end: self.grid().instant(last_slot + 1).to_utc(),
        }
    }

    /// The slots, from one to another, that have a part in a time.
    fn slots_of(&self, time: Period, first_slot: i64, last_slot: i64) -> RangeInclusive<i64> {
        let zone = self.as_of.timezone();
        let slot = |time: DateTime<Utc>| self.grid().slot(time.with_timezone(&zone));
        let last = slot(time.end - TimeDelta::seconds(1));
        slot(time.start).max(first_slot)..=last.min(last_slot)
    }

    fn window_length(&self, metric: &Metric) -> i64 {
        self.count_in(metric.window(self.step()))
    }

    fn count_in(&self, time: Duration) -> i64 {
        i64::try_from(self.step().count_in(time)).unwrap_or(i64::MAX)
    }
}
