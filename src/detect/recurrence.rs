//! What the earlier occurrences of an event say of its present one: how its values were to those that were
//! expected without it, about as long after it began.

use std::ops::RangeInclusive;

use crate::forecast::{Factor, Forecast, median};
use crate::series::{Recurring, TimeSeries};

/// How far one occurrence may be from another, as a share, before there are several to tell.
const USUAL_SPREAD: f64 = 0.25;

impl Recurring {
    pub fn holds(&self, slot: i64) -> bool {
        self.occurrences.iter().any(|slots| slots.contains(&slot))
    }

    /// By what the expectation of a slot in it is to be multiplied. `forecast` is that of a history without
    /// the event, and `history` the same with it. `None` where no earlier occurrence tells anything.
    pub fn factor(&self, slot: i64, history: &TimeSeries, forecast: &Forecast) -> Option<Factor> {
        let present = self
            .occurrences
            .iter()
            .find(|slots| slots.contains(&slot))?;
        let earlier = self
            .occurrences
            .iter()
            .filter(|slots| slots.end() < present.start());
        let ratio = |slots: &RangeInclusive<i64>| {
            let like = slots.start() + slot - present.start();
            let around = reach(history);
            let near = (like - around).max(*slots.start())..=(like + around).min(*slots.end());
            ratio(near, history, forecast).or_else(|| ratio(slots.clone(), history, forecast))
        };
        let mut logarithms: Vec<f64> = earlier.filter_map(ratio).map(f64::ln).collect();
        let logarithm = median(&mut logarithms)?;
        #[expect(clippy::cast_precision_loss, reason = "a window holds few occurrences")]
        let count = logarithms.len() as f64;
        let squares = logarithms.iter().map(|other| (other - logarithm).powi(2));
        let variance = squares.sum::<f64>() / count;
        Some(Factor {
            ratio: logarithm.exp(),
            uncertainty: (USUAL_SPREAD.powi(2) / count + variance).sqrt(),
        })
    }
}

/// Within an hour on either side, of buckets shorter than a day.
fn reach(history: &TimeSeries) -> i64 {
    let hour = history.grid().step().per_day().map_or(0, |day| day / 24);
    i64::try_from(hour).unwrap_or(0)
}

/// What was seen in these slots, as a multiple of what was expected without the event.
fn ratio(slots: RangeInclusive<i64>, history: &TimeSeries, forecast: &Forecast) -> Option<f64> {
    let (mut seen, mut expected) = (0.0, 0.0);
    for slot in slots {
        let index = usize::try_from(slot - history.slot(0)).ok();
        let value = index.and_then(|index| *history.values().get(index)?);
        let band = index.and_then(|index| *forecast.past.get(index)?);
        if let (Some(value), Some(band)) = (value, band) {
            seen += value;
            expected += band.expected;
        }
    }
    let ratio = seen / expected;
    (expected > 0.0 && ratio > 0.0 && ratio.is_finite()).then_some(ratio)
}
