//! One metric judged: the steps from a reading to a verdict, and all they found on the way. Pure: the
//! same reading makes the same judgement.

use anyhow::Result;

use crate::clean::{Cleaned, clip_outliers};
use crate::config::Metric;
use crate::forecast::{Prediction, predict};
use crate::series::Observation;
use crate::source::Reading;
use crate::verdict::{Reason, Verdict, deviation, judge, low_is_possible};

/// What was found of a metric; what an undecided verdict came before is absent.
#[derive(Debug, Clone)]
pub struct Judgement {
    pub reading: Reading,
    pub latest: Option<Observation>,
    pub cleaned: Option<Cleaned>,
    pub prediction: Option<Prediction>,
    pub verdict: Verdict,
}

impl Judgement {
    /// Judges the newest point of a reading.
    ///
    /// # Errors
    ///
    /// If the model fails; never because the data is bad, which is an undecided verdict.
    pub fn of(reading: Reading, metric: &Metric) -> Result<Self> {
        let Some(split) = reading.series.split_latest() else {
            let from = reading.series.time(0);
            return Ok(Self::undecided(reading, Reason::NoData { from }));
        };
        let mut judgement = Self {
            latest: Some(split.latest),
            ..Self::undecided(
                reading,
                Reason::NoData {
                    from: split.latest.time,
                },
            )
        };
        if let Some(stale) = judgement.staleness() {
            judgement.verdict = Verdict::Undecided(stale);
            return Ok(judgement);
        }
        let cleaned = clip_outliers(&split.history, metric.fence_factor)?;
        match predict(&cleaned, metric.level)? {
            Ok(prediction) => {
                judgement.verdict = judge(split.latest, &prediction, metric.direction)?;
                judgement.prediction = Some(prediction);
            }
            Err(reason) => judgement.verdict = Verdict::Undecided(reason),
        }
        judgement.cleaned = Some(cleaned);
        Ok(judgement)
    }

    fn undecided(reading: Reading, reason: Reason) -> Self {
        Self {
            reading,
            latest: None,
            cleaned: None,
            prediction: None,
            verdict: Verdict::Undecided(reason),
        }
    }

    /// Data that ended too long ago says nothing of now: counted from the end of its bucket.
    fn staleness(&self) -> Option<Reason> {
        let newest = self.reading.newest?;
        let grid = self.reading.series.grid();
        let end = grid.instant(grid.slot(newest) + 1);
        let limit = self.reading.stale_after;
        (self.reading.now - end > limit).then_some(Reason::Stale {
            since: newest,
            limit,
        })
    }

    /// How far out the value is, in half-widths of its band.
    pub fn deviation(&self) -> Option<f64> {
        deviation(self.latest?.value, &self.prediction.as_ref()?.band)
    }

    /// Whether a drop to the lowest value on record, or to zero, could show as Low.
    pub fn low_is_possible(&self) -> Option<bool> {
        let lowest = self
            .cleaned
            .as_ref()?
            .history
            .observed()
            .fold(f64::INFINITY, f64::min);
        Some(low_is_possible(&self.prediction.as_ref()?.band, lowest))
    }
}

#[cfg(test)]
mod tests;
