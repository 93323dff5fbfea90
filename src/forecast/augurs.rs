//! augurs' models as one of ours. They count positions and need every value, so they get the timeline
//! with its gaps filled; they compute in single precision, for which the timeline's unit is fit.

use ::augurs::seasons::{Detector, PeriodogramDetector};
use ::augurs::{Fit as _, Predict, ets::AutoETS, mstl::MSTLModel};
use anyhow::{Context, Result, anyhow, ensure};

use super::derivation::{Contribution, Role};
use super::fitted::Fitted;
use super::timeline::{Cycle, Timeline};

/// The seasons split off by MSTL (<https://arxiv.org/abs/2107.13462>), the rest forecast by exponential
/// smoothing (Hyndman et al., *A state space framework for automatic forecasting using exponential
/// smoothing methods*, 2002). Without a season, by exponential smoothing alone.
pub fn fit_mstl(timeline: &Timeline) -> Result<Fitted> {
    let values = timeline.fill(&timeline.targets);
    let periods = periods(timeline);
    let (parts, mut expected) = fit(&periods, &values).context("fit MSTL with an ETS trend")?;
    let shortest = periods.first().map_or(1, |period| period.length);
    let first = shortest.min(timeline.len());
    expected.drain(..first);
    // A season's value at a place is about the mean of its turns, this value among them: what is
    // left of it without is e / (1 - 1 / turns), as for any least squares.
    #[expect(clippy::cast_precision_loss, reason = "a window has few slots")]
    let share = |period: &Period| period.length as f64 / timeline.len() as f64;
    let leverage: f64 = periods.iter().map(share).sum();
    let known = timeline.values[first..].iter().zip(&expected);
    let errors = known
        .map(|(value, expected)| value.map(|value| (value - expected) / (1.0 - leverage)))
        .chain([None]);
    Ok(Fitted {
        first,
        errors: errors.collect(),
        growth: vec![1.0; expected.len()],
        disagreement: vec![0.0; expected.len()],
        held_since: vec![None; expected.len()],
        contributions: contributions(&expected, &parts),
        expected,
        filtered: values,
        parameters: periods.len(),
        ..Fitted::default()
    })
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
    let strongest = *detector.detect(values).first()?;
    usize::try_from(strongest).ok()
}

/// The components of a history, slot by slot, in units of its timeline; the remainder is the rest.
#[derive(Debug, Clone)]
pub struct Parts {
    pub trend: Vec<f64>,
    /// What each season adds to the trend, shortest first.
    pub seasons: Vec<(Period, Vec<f64>)>,
}

/// Takes a timeline apart; without a season, into a smoothed trend alone.
pub fn decompose(timeline: &Timeline) -> Result<Parts> {
    let values = timeline.fill(&timeline.targets);
    let (parts, _) = fit(&periods(timeline), &values).context("split off the seasons")?;
    Ok(parts)
}

/// A season as MSTL knows it.
#[derive(Debug, Clone, Copy)]
pub struct Period {
    /// Its number among the timeline's cycles.
    pub number: usize,
    /// A turn in open slots, as of the slot to forecast, or of the last before it whose place was open a
    /// turn earlier too.
    length: usize,
}

/// At least two slots, and at most half of the history: MSTL needs two turns.
fn periods(timeline: &Timeline) -> Vec<Period> {
    let last = timeline.len();
    let period = |(number, cycle): (usize, &Cycle)| {
        let turn = |slot: usize| Some(slot - cycle.counterpart(slot)?);
        let length = (0..=last).rev().find_map(turn)?;
        (length >= 2 && 2 * length <= last).then_some(Period { number, length })
    };
    let cycles = timeline.cycles.iter().enumerate();
    cycles.filter_map(period).collect()
}

/// The components of the values, and the expectations of each value and of the next one.
fn fit(periods: &[Period], values: &[f64]) -> Result<(Parts, Vec<f64>)> {
    // Additive errors only: the others draw unseeded numbers, and the same rows must make the
    // same band.
    let trend = AutoETS::new(1, "AZN").map_err(|error| anyhow!("{error}"))?;
    if periods.is_empty() {
        let expected = expectations(&trend.fit(values)?, values.len())?;
        let trend = expected[..values.len()].to_vec();
        let seasons = Vec::new();
        return Ok((Parts { trend, seasons }, expected));
    }
    let lengths = periods.iter().map(|period| period.length).collect();
    let fitted = MSTLModel::new(lengths, trend.into_trend_model()).fit(values)?;
    let expected = expectations(&fitted, values.len())?;
    let double = |values: &[f32]| values.iter().map(|value| f64::from(*value)).collect();
    let seasons = periods.iter().zip(fitted.fit().seasonal());
    let seasons = seasons.map(|(period, values)| (*period, double(values)));
    let parts = Parts {
        trend: double(fitted.fit().trend()),
        seasons: seasons.collect(),
    };
    Ok((parts, expected))
}

/// A season is forecast to be what it was a turn before; the rest is the trend's.
fn contributions(expected: &[f64], parts: &Parts) -> Vec<Contribution> {
    let seasons = parts.seasons.iter().filter_map(|(period, values)| {
        Some(Contribution {
            role: Role::Season(period.number),
            value: *values.iter().nth_back(period.length - 1)?,
        })
    });
    let seasons: Vec<Contribution> = seasons.collect();
    let seasonal: f64 = seasons.iter().map(|season| season.value).sum();
    let level = expected.last().map(|expected| Contribution {
        role: Role::Level,
        value: expected - seasonal,
    });
    level.into_iter().chain(seasons).collect()
}

/// The expectations of each value the model was given, and of the next one.
fn expectations<F>(fitted: &F, given: usize) -> Result<Vec<f64>>
where
    F: Predict,
    F::Error: Send + Sync + 'static,
{
    let mut expected = fitted.predict_in_sample(None)?.point;
    ensure!(
        expected.len() == given,
        "the model was given {given} values and returns {}",
        expected.len()
    );
    expected.extend(fitted.predict(1, None)?.point);
    Ok(expected)
}
