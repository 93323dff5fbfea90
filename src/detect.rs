//! One metric judged: the steps from a reading to a verdict, and all they found on the way. Pure: the
//! same reading makes the same evaluation.

mod verdict;

use anyhow::Result;

use crate::config::Metric;
use crate::forecast::clean::Cleaned;
use crate::forecast::{Forecast, Level, Method, predict};
use crate::series::Observation;
use crate::source::Window;
pub use verdict::{Direction, Reason, Verdict};
use verdict::{deviation, high_is_possible, judge, low_is_possible};

/// What was found of a metric; what an undecided verdict came before is absent.
#[derive(Debug, Clone)]
pub struct Evaluation {
    pub reading: Window,
    pub latest: Option<Observation>,
    pub cleaned: Option<Cleaned>,
    pub forecast: Option<Forecast>,
    /// The share of healthy values the band holds, or would.
    pub level: Level,
    pub verdict: Verdict,
}

impl Evaluation {
    /// Judges the newest point of a reading.
    ///
    /// # Errors
    ///
    /// If the method does not go with the step, or the model fails; never because the data is bad,
    /// which is an undecided verdict.
    pub fn of(reading: Window, metric: &Metric) -> Result<Self> {
        let level = metric.method.level(reading.series.grid().step())?;
        let Some(split) = reading.series.split_latest() else {
            let from = reading.series.time(0);
            return Self::undecided(reading, metric, Reason::NoData { from });
        };
        let latest = Some(split.latest);
        if let Some(stale) = staleness(&reading) {
            return Self::undecided(reading, metric, stale);
        }
        match predict(&split.history, &metric.outliers, &metric.method)? {
            Ok(forecast) => Ok(Self {
                reading,
                latest,
                cleaned: Some(forecast.cleaned.clone()),
                level,
                verdict: judge(split.latest, &forecast, metric.method.direction)?,
                forecast: Some(forecast),
            }),
            Err(reason) => Ok(Self {
                cleaned: Some(Cleaned::untouched(&split.history)),
                ..Self::undecided(reading, metric, reason)?
            }),
        }
    }

    /// That nothing can be said of the newest point, and why.
    ///
    /// # Errors
    ///
    /// If the method does not go with the step.
    pub fn undecided(reading: Window, metric: &Metric, reason: Reason) -> Result<Self> {
        Ok(Self {
            latest: reading.series.split_latest().map(|split| split.latest),
            level: metric.method.level(reading.series.grid().step())?,
            reading,
            cleaned: None,
            forecast: None,
            verdict: Verdict::Undecided(reason),
        })
    }

    /// How far out the value is, in half-widths of its band.
    pub fn deviation(&self) -> Option<f64> {
        deviation(self.latest?.value, &self.forecast.as_ref()?.band)
    }

    /// Whether a drop could show as Low, where anybody asked about that side. If nobody says what the
    /// least value is, it is zero where the history never went below.
    pub fn low_is_possible(&self, method: &Method) -> Option<bool> {
        match self.verdict {
            _ if method.direction == Direction::High => return None,
            // Beyond a configured end: what is so is possible.
            Verdict::Low => return Some(true),
            _ => {}
        }
        let least = method
            .range
            .as_seen_in(&self.cleaned.as_ref()?.history)
            .min();
        Some(low_is_possible(&self.forecast.as_ref()?.band, least))
    }

    /// Whether a rise could show as High, where anybody asked about that side.
    pub fn high_is_possible(&self, method: &Method) -> Option<bool> {
        match self.verdict {
            _ if method.direction == Direction::Low => return None,
            Verdict::High => return Some(true),
            _ => {}
        }
        let band = self.forecast.as_ref()?.band;
        Some(high_is_possible(&band, method.range.max()))
    }
}

/// Data that ended too long ago says nothing of now: counted from the end of its bucket.
pub fn staleness(reading: &Window) -> Option<Reason> {
    let newest = reading.newest?;
    let grid = reading.series.grid();
    let end = grid.instant(grid.slot(newest) + 1);
    let limit = reading.stale_after;
    (reading.now - end > limit).then_some(Reason::Stale {
        since: newest,
        limit,
    })
}

#[cfg(test)]
mod tests;
