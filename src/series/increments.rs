//! A running total, such as the sales of the day so far: it only grows, but for resets, and is judged by
//! what each bucket adds to it.

use chrono::{DateTime, Utc};

use super::{TimeSeries, Window};

/// Fewer values do not show that a series only grows.
const FEWEST: usize = 50;
/// At most one difference in so many is a reset: a week of days has one.
const RESETS_APART: usize = 6;
/// A reset falls to this share of what was reached, or below.
const FALL: f64 = 0.5;

/// Whether a series only grows, but for resets to near zero.
pub fn is_running_total(series: &TimeSeries) -> bool {
    let values: Vec<f64> = series.observed().collect();
    let pairs = values.windows(2).map(|pair| (pair[0], pair[1]));
    let grown = pairs
        .clone()
        .filter(|(before, after)| after > before)
        .count();
    let resets = pairs.filter(|(before, after)| after < before);
    let all_near_zero = resets.clone().all(|(before, after)| after <= FALL * before);
    values.len() >= FEWEST
        && values.iter().all(|value| *value >= 0.0)
        && all_near_zero
        && resets.count() * RESETS_APART <= values.len()
        && 2 * grown > values.len()
}

/// When the total of each bucket's cycle began: the start of the first bucket after the last reset.
fn cycle_start(series: &TimeSeries) -> Option<DateTime<Utc>> {
    let values = series.values();
    let mut later = None;
    for (index, value) in values.iter().enumerate().rev() {
        let Some(value) = *value else {
            continue;
        };
        match later {
            Some((next, at)) if value > next => return Some(series.time(at).to_utc()),
            _ => later = Some((value, index)),
        }
    }
    None
}

impl Window {
    /// The window of what each bucket adds to a running total; after a reset that is all of it, and after
    /// a bucket without data nobody knows.
    #[must_use]
    pub fn into_increments(mut self) -> Self {
        self.total_since =
            Some(cycle_start(&self.series).unwrap_or_else(|| self.series.time(0).to_utc()));
        let values = self.series.values();
        let mut before = None;
        let increments = values.iter().map(|value| {
            let increment = match (before, *value) {
                (Some(before), Some(value)) if value >= before => Some(value - before),
                (Some(_), Some(value)) => Some(value),
                _ => None,
            };
            before = *value;
            increment
        });
        self.series = self.series.with_values(increments.collect());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::sample::series;

    #[test]
    fn a_series_that_only_grows_but_for_resets_is_a_running_total() {
        let day = |hour: u32| f64::from(hour % 24) * 10.0;
        let sales: Vec<f64> = (0..240).map(day).collect();
        assert!(is_running_total(&series("1h", &sales)));
        let odometer: Vec<f64> = (0..240).map(f64::from).collect();
        assert!(is_running_total(&series("1h", &odometer)));
        for not_one in [
            // Goes down as it goes up.
            (0..240)
                .map(|hour| day(hour).min(240.0 - day(hour)))
                .collect::<Vec<f64>>(),
            vec![5.0; 240],
            // Falls, but not to near zero.
            (0..240).map(|hour| 1000.0 + day(hour)).collect(),
            sales[..30].to_vec(),
        ] {
            assert!(!is_running_total(&series("1h", &not_one)), "{not_one:?}");
        }
    }
}
