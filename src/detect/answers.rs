//! What people said of a metric, as far as it matters for a forecast: levels that are the new normal, and
//! what an incident was. Each counts for the buckets after it was said, so that a verdict of the past stays
//! what it was.

use std::collections::BTreeSet;

use chrono::{DateTime, Days, Months, NaiveDateTime, TimeDelta, Utc};

use super::level::NewLevel;
use crate::forecast::{Side, Tolerance};
use crate::series::{Step, TimeSeries, Window};

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answers {
    /// Oldest first.
    pub new_levels: Vec<NewLevel>,
    pub judged: Vec<AnsweredTime>,
}

/// The time of an incident of which somebody said what it was.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AnsweredTime {
    pub start: DateTime<Utc>,
    pub end: DateTime<Utc>,
    /// From which bucket on that counts.
    pub counts_from: DateTime<Utc>,
    /// How it was healthy; `None`: it was an incident indeed.
    pub healthy: Option<HealthyDeviation>,
}

/// How far healthy values lay from what was expected.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HealthyDeviation {
    pub side: Side,
    /// At the farthest from what was expected, in the unit of the series; 0 where that is not known.
    pub size: f64,
}

/// What happens weekly need not begin to the minute.
const MARGIN: TimeDelta = TimeDelta::hours(1);
/// What was healthy is learnt so long after its end.
const LEARNT_AFTER: TimeDelta = TimeDelta::days(1);
const WEEK: u64 = 7;
const WEEKS_IN_YEAR: u64 = 52;

impl AnsweredTime {
    pub fn holds(&self, time: DateTime<Utc>) -> bool {
        (self.start..self.end).contains(&time)
    }
}

impl Answers {
    /// Those that count for a bucket.
    #[must_use]
    pub fn before(&self, bucket: DateTime<Utc>) -> Self {
        let levels = self.new_levels.iter();
        let levels = levels.filter(|level| level.accepted_at <= bucket);
        let judged = self.judged.iter();
        let judged = judged.filter(|judged| judged.counts_from <= bucket);
        Self {
            new_levels: levels.copied().collect(),
            judged: judged.copied().collect(),
        }
    }

    /// The times of which somebody said that they were an incident indeed.
    pub fn real(&self) -> impl Iterator<Item = AnsweredTime> {
        let real = self.judged.iter().filter(|judged| judged.healthy.is_none());
        real.copied()
    }

    /// The indices of the values that are usual ones, however far out they are. Those of the last day are not
    /// among them: a forecast that follows them would take their end for a fall.
    pub fn healthy_indices(&self, history: &TimeSeries) -> Vec<usize> {
        let (grid, zone) = (history.grid(), history.time(0).timezone());
        let end = history.slot(history.len());
        let learnt = |judged: &&AnsweredTime| judged.end + LEARNT_AFTER <= history.next_time();
        let mut indices = BTreeSet::new();
        for judged in self.healthy().filter(learnt) {
            let slot = |time: DateTime<Utc>| grid.slot(time.with_timezone(&zone));
            let slots = slot(judged.start).max(history.slot(0))..slot(judged.end).min(end);
            indices.extend(slots.map(|slot| history.index(slot)));
        }
        indices.into_iter().collect()
    }

    /// What was healthy at the time of the week of the newest bucket, in the weeks before it.
    pub fn tolerances(&self, window: &Window, time: DateTime<Utc>) -> Vec<Tolerance> {
        let weeks = weeks_of(window);
        let margin = match window.step().per_day() {
            Some(_) => MARGIN,
            None => TimeDelta::zero(),
        };
        let recurring = self.recurring(window, time, [margin, margin]);
        let of_side = |side| {
            let sizes = recurring.iter().filter(|(judged, _)| judged.side == side);
            let sizes = sizes.map(|(judged, _)| judged.size);
            Tolerance {
                side,
                sizes: sizes.filter(|size| *size > 0.0).collect(),
                #[expect(clippy::cast_precision_loss, reason = "a window has few weeks")]
                weeks: weeks as f64,
            }
        };
        let tolerances = [Side::High, Side::Low].map(of_side).into_iter();
        tolerances
            .filter(|tolerance| !tolerance.sizes.is_empty())
            .collect()
    }

    /// How many weeks (years, of weeks and months) ago something was healthy that totals of up to this length
    /// that end with the newest bucket would hold if it came again.
    pub fn healthy_weeks(
        &self,
        window: &Window,
        time: DateTime<Utc>,
        longest: TimeDelta,
    ) -> Vec<usize> {
        let weeks = self.recurring(window, time, [MARGIN, longest]).into_iter();
        let weeks: BTreeSet<usize> = weeks.map(|(_, weeks)| weeks).collect();
        weeks.into_iter().collect()
    }

    fn healthy(&self) -> impl Iterator<Item = &AnsweredTime> {
        self.judged.iter().filter(|judged| judged.healthy.is_some())
    }

    /// The healthy times that a time would be part of if they came again each week (each year, of weeks and
    /// months), with a margin before and after; and how many weeks ago they were, within the window, or a week
    /// where that is shorter.
    fn recurring(
        &self,
        window: &Window,
        time: DateTime<Utc>,
        [before, after]: [TimeDelta; 2],
    ) -> Vec<(HealthyDeviation, usize)> {
        let zone = window.zone();
        let local = |time: DateTime<Utc>| time.with_timezone(&zone).naive_local();
        let (step, weeks) = (window.step(), weeks_of(window));
        let now = local(time);
        let mut recurring = Vec::new();
        for judged in self.healthy() {
            let (start, end) = (local(judged.start) - before, local(judged.end) + after);
            let is_then = |weeks: &usize| -> bool {
                let shifted = |time| later_by_turns(time, *weeks, step);
                let (Some(start), Some(end)) = (shifted(start), shifted(end)) else {
                    return false;
                };
                (start..end).contains(&now)
            };
            let ago = (1..=weeks).find(is_then);
            recurring.extend(judged.healthy.zip(ago));
        }
        recurring
    }
}

/// How often a window holds what its values repeat themselves by: weeks, or the years of weeks and months;
/// at least one.
fn weeks_of(window: &Window) -> usize {
    let turns = match window.step().per_year() {
        Some(year) => window.series.len() / year,
        None => usize::try_from(window.series.span().length().num_weeks()).unwrap_or(0),
    };
    turns.max(1)
}

/// The same time so many weeks (years, of weeks and months) later.
fn later_by_turns(time: NaiveDateTime, turns: usize, step: Step) -> Option<NaiveDateTime> {
    let turns = u32::try_from(turns).ok()?;
    match (step, step.per_year()) {
        (Step::Month, _) => time.checked_add_months(Months::new(turns.checked_mul(12)?)),
        (Step::Fixed(_), Some(_)) => {
            time.checked_add_days(Days::new(WEEKS_IN_YEAR * WEEK * u64::from(turns)))
        }
        (Step::Fixed(_), None) => time.checked_add_days(Days::new(WEEK * u64::from(turns))),
    }
}
