//! augurs' models as one of ours. They count positions and want every value, so they get the
//! timeline with its gaps filled; they compute in single precision, which the timeline's unit bears.

use ::augurs::seasons::{Detector, PeriodogramDetector};
use ::augurs::{Fit, Predict, ets::AutoETS, mstl::MSTLModel};
use anyhow::{Context, Result, anyhow, ensure};

use super::timeline::{Cycle, Timeline};
use super::{Fitted, Model};

/// The seasons split off by MSTL (Bandara, Hyndman and Bergmeir, *MSTL: A Seasonal-Trend
/// Decomposition Algorithm for Time Series with Multiple Seasonal Patterns*, 2021,
/// <https://arxiv.org/abs/2107.13462>), what is left forecast by exponential smoothing (Hyndman et
/// al., *A state space framework for automatic forecasting using exponential smoothing methods*,
/// 2002). Without a season, by exponential smoothing alone.
#[derive(Debug, Clone, Copy)]
pub struct Mstl;

impl Model for Mstl {
    fn fit(&self, timeline: &Timeline) -> Result<Fitted> {
        let values = timeline.fill(&timeline.lessons);
        // Additive errors only: the others draw unseeded numbers, and the same rows must make the
        // same band.
        let trend = AutoETS::new(1, "AZN").map_err(|error| anyhow!("{error}"))?;
        let periods: Vec<usize> = timeline
            .cycles
            .iter()
            .filter_map(|cycle| period(cycle, timeline))
            .collect();
        let expected = if periods.is_empty() {
            expectations(&trend, &values)
        } else {
            expectations(
                &MSTLModel::new(periods.clone(), trend.into_trend_model()),
                &values,
            )
        };
        let mut expected = expected.context("fit MSTL with an ETS trend")?;
        let first = periods.first().copied().unwrap_or(1).min(timeline.len());
        expected.drain(..first);
        // A season's value at a place is about the mean of its turns, this value among them: what is
        // left of it without is e / (1 - 1 / turns), as for any least squares.
        #[expect(clippy::cast_precision_loss, reason = "a window has few slots")]
        let leverage: f64 = periods
            .iter()
            .map(|period| *period as f64 / timeline.len() as f64)
            .sum();
        let known = timeline.values[first..].iter().zip(&expected);
        let errors = known
            .map(|(value, expected)| value.map(|value| (value - expected) / (1.0 - leverage)))
            .chain([None]);
        Ok(Fitted {
            first,
            errors: errors.collect(),
            growth: vec![1.0; expected.len()],
            held_since: vec![None; expected.len()],
            expected,
            fed: values,
            parameters: periods.len(),
            clipped: Vec::new(),
            fences: None,
        })
    }
}

/// The strongest period of values, in slots, by Welch's periodogram (*The Use of Fast Fourier Transform
/// for the Estimation of Power Spectra*, 1967). `None` if there is no peak, or too few values to tell.
pub fn detect_period(values: &[f64]) -> Option<usize> {
    /// Fewer values show no period three times.
    const FEWEST: usize = 24;
    const SHORTEST: u32 = 4;
    if values.len() < FEWEST {
        return None;
    }
    let longest = u32::try_from(values.len() / 3).ok()?;
    let detector = PeriodogramDetector::builder()
        .min_period(SHORTEST)
        .max_period(longest)
        .build();
    let periods = detector.detect(values);
    periods
        .first()
        .and_then(|period| usize::try_from(*period).ok())
}

/// The season's length in open slots, as of the slot to forecast. At most half of the history, of
/// which MSTL needs two turns.
fn period(cycle: &Cycle, timeline: &Timeline) -> Option<usize> {
    let last = timeline.len();
    let length = last - cycle.counterpart(last)?;
    (2 * length <= last).then_some(length)
}

/// What the model makes of each value, and of the next one.
fn expectations<M>(model: &M, values: &[f64]) -> Result<Vec<f64>>
where
    M: Fit,
    M::Error: Send + Sync + 'static,
    <M::Fitted as Predict>::Error: Send + Sync + 'static,
{
    let fitted = model.fit(values)?;
    let mut expected = fitted.predict_in_sample(None)?.point;
    ensure!(
        expected.len() == values.len(),
        "the model was given {} values and speaks of {}",
        values.len(),
        expected.len()
    );
    expected.extend(fitted.predict(1, None)?.point);
    Ok(expected)
}
