//! A level that somebody accepted: the history before it counts as if it had been at that level, so that the
//! forecast is at it at once. The figures that are shown stay those of the series.

use chrono::{DateTime, Utc};

use crate::forecast::Forecast;
use crate::series::TimeSeries;

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

/// A series as if it had been at the newest level all along.
pub fn at_newest_level(series: TimeSeries, levels: &[NewLevel]) -> TimeSeries {
    if levels.is_empty() {
        return series;
    }
    series.map(|index, value| value * factor(levels, series.time(index).to_utc()))
}

/// A forecast of such a series, with its past as it was.
pub fn at_own_levels(forecast: Forecast, levels: &[NewLevel]) -> Forecast {
    if levels.is_empty() {
        return forecast;
    }
    let history = &forecast.cleaned.history;
    let factors = (0..history.len()).map(|index| factor(levels, history.time(index).to_utc()));
    let factors: Vec<f64> = factors.collect();
    forecast.with_past(|index, value| value / factors[index])
}
