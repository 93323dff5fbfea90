//! What makes a history comparable with the bucket to judge. Of a level that somebody accepted, the history
//! before it counts as if it had been at that level, so that the forecast is at it at once. The sum of a
//! month counts as if all months were as long as the judged one (calendar adjustments: Hyndman and
//! Athanasopoulos, *Forecasting: Principles and Practice*, 3rd edition, 2021, 3.1), so that a February is not
//! low for its days. The figures that are shown stay those of the series.

use chrono::{DateTime, TimeDelta, Utc};

use crate::forecast::Forecast;
use crate::series::{Aggregate, Step, TimeSeries};

/// A level that values have since a time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NewLevel {
    pub since: DateTime<Utc>,
    /// From which bucket on it is expected.
    pub accepted_at: DateTime<Utc>,
    /// As a multiple of the level before all new ones; above 0.
    pub ratio: f64,
}

/// By what a value of this time is to be multiplied, to be one of the newest level.
fn factor(levels: &[NewLevel], time: DateTime<Utc>) -> f64 {
    let ratio = |level: Option<&NewLevel>| level.map_or(1.0, |level| level.ratio);
    let before = levels.iter().rfind(|level| level.since <= time);
    ratio(levels.last()) / ratio(before)
}

/// By what each value of a history is to be multiplied; empty where the values are comparable as they are.
pub struct Comparable(Vec<f64>);

impl Comparable {
    pub fn new(history: &TimeSeries, levels: &[NewLevel], aggregate: Option<Aggregate>) -> Self {
        let adds_up = aggregate.is_some_and(Aggregate::adds_up);
        let is_by_days = adds_up && history.grid().step() == Step::Month;
        if levels.is_empty() && !is_by_days {
            return Self(Vec::new());
        }
        #[expect(clippy::cast_precision_loss, reason = "a month has few days")]
        let days = |index: usize| {
            let length = history.grid().length(history.slot(index));
            // One may have an hour less.
            (length + TimeDelta::hours(12)).num_days() as f64
        };
        let judged = days(history.len());
        let factors = (0..history.len()).map(|index| {
            let by_level = factor(levels, history.time(index).to_utc());
            if is_by_days {
                by_level * judged / days(index)
            } else {
                by_level
            }
        });
        Self(factors.collect())
    }

    /// The history with comparable values.
    pub fn history(&self, history: &TimeSeries) -> TimeSeries {
        if self.0.is_empty() {
            return history.clone();
        }
        history.map(|index, value| value * self.0[index])
    }

    /// A forecast of such a history, with its past as it was.
    pub fn as_it_was(&self, forecast: Forecast) -> Forecast {
        if self.0.is_empty() {
            return forecast;
        }
        forecast.with_past(|index, value| value / self.0[index])
    }
}
