//! A seasonal autoregression: the next value from the last ones and from those at the same time of day
//! and of week before. With two seasons or more it combines two regressions, one without the longest
//! season, which has more rows to learn from (Bates and Granger, *The Combination of Forecasts*, 1969).
//! [`error_correction`] adds what their past errors say of the next one, and [`robust_filter`] keeps
//! incidents out of the values they forecast from.

mod cusum;
mod error_correction;
mod regression;
mod regressors;
mod robust_filter;
mod seasonal_baseline;

use anyhow::{Context, Result};

use super::derivation::{Contribution, Role};
use super::error_profile::ErrorProfile;
use super::fitted::{Clipped, Fitted};
use super::timeline::Timeline;
use crate::forecast::clean::{FenceFactor, Fences};
use regression::{Design, Regression, dot};
use regressors::Regressors;
use seasonal_baseline::SeasonalBaseline;

/// Fits the model. An incident may last so many steps before its level is the new one.
pub fn fit(
    timeline: &Timeline,
    adapt_after_steps: usize,
    fence_factor: FenceFactor,
) -> Result<Fitted> {
    // As many open slots as the steps usually hold.
    let buckets = timeline.slots.len().max(1);
    let longest_hold = (adapt_after_steps * timeline.len() / buckets).max(1);
    let baseline = SeasonalBaseline::new(timeline);
    let mut targets = timeline.targets.clone();
    if let Some(baseline) = &baseline {
        for slot in baseline.excluded_slots(longest_hold) {
            if !timeline.healthy[slot] {
                targets[slot] = None;
            }
        }
    }
    let season = baseline.as_ref().map(|baseline| baseline.season);
    let combination =
        Combination::fit(timeline, &targets, season, fence_factor).context("fit the regression")?;
    let baseline = baseline.as_ref();
    let fitted = robust_filter::run(timeline, &combination, baseline, longest_hold);
    Ok(fitted)
}

/// Regressions whose forecasts are averaged.
#[derive(Debug)]
struct Combination {
    /// Of the member with the most seasons; the others' are the first of them.
    regressors: Regressors,
    /// The one with the most seasons first.
    members: Vec<Member>,
    /// The first slot that every member can forecast.
    first: usize,
    /// The errors of the fit from the first slot on, as if each value had not been seen.
    errors: Vec<Option<f64>>,
}

#[derive(Debug)]
struct Member {
    first: usize,
    /// Its weight in the mean forecast of the next step.
    share: f64,
    /// The same beyond it, where values are missing or held to be an incident. Where the season of the
    /// baseline is one that only the first member knows, that forecasts alone: the mean of seven days
    /// knows no Saturday.
    far_share: f64,
    regression: Regression,
}

impl Member {
    fn share(&self, steps_ahead: usize) -> f64 {
        if steps_ahead > 1 {
            self.far_share
        } else {
            self.share
        }
    }
}

/// The mean forecast of a slot.
#[derive(Debug, Clone, Copy, Default)]
struct Expectation {
    value: f64,
    /// The weight of the slot's own value in it.
    leverage: f64,
    /// The distance between the members' forecasts.
    disagreement: f64,
}

impl Combination {
    /// `season` is that of the baseline.
    fn fit(
        timeline: &Timeline,
        targets: &[Option<f64>],
        season: Option<usize>,
        fence_factor: FenceFactor,
    ) -> Result<Self> {
        let seasons = timeline.cycles.len();
        let known_seasons: &[usize] = match seasons {
            0 | 1 => &[seasons],
            _ => &[seasons, seasons - 1],
        };
        let regressors = Regressors::new(timeline, seasons);
        let table = Table::new(&regressors, known_seasons.len(), timeline);
        let first = regressors.first_slot(timeline);
        let mut errors: Vec<Vec<Option<f64>>> = Vec::new();
        let mut members = Vec::new();
        for seasons in known_seasons {
            let design = table.design(*seasons, timeline, targets, fence_factor);
            let regression = Regression::fit(&design)?;
            let fitted = design.fitted(&regression.weights);
            let rows = fitted.iter().zip(&regression.leverages);
            let rows = rows.skip(first - design.first);
            let rows = rows.zip(&timeline.values[first..]);
            let unseen = rows.map(|((fitted, leverage), value)| {
                value.map(|value| (value - fitted) / (1.0 - leverage))
            });
            errors.push(unseen.collect());
            members.push(Member {
                first: design.first,
                share: 1.0,
                far_share: 1.0,
                regression,
            });
        }
        if let [all, shorter] = &mut members[..] {
            all.share = best_share(&errors, first, timeline);
            shorter.share = 1.0 - all.share;
            let is_first_alone = season == Some(seasons - 1);
            all.far_share = if is_first_alone { 1.0 } else { all.share };
            shorter.far_share = 1.0 - all.far_share;
        }
        let shares: Vec<f64> = members.iter().map(|member| member.share).collect();
        Ok(Self {
            regressors,
            members,
            first,
            errors: mean_errors(&errors, &shares),
        })
    }

    /// The weights of the regressors in the mean forecast.
    fn mean_weights(&self, steps_ahead: usize) -> Vec<f64> {
        let mut mean = vec![0.0; self.regressors.count()];
        for member in &self.members {
            for (sum, weight) in mean.iter_mut().zip(member.regression.weights.iter()) {
                *sum += member.share(steps_ahead) * weight;
            }
        }
        mean
    }

    /// The forecast of a slot from the filtered values before it. `row` is room for its regressors.
    fn expect(
        &self,
        slot: usize,
        steps_ahead: usize,
        filtered: &[f64],
        timeline: &Timeline,
        row: &mut Vec<f64>,
    ) -> Expectation {
        let mut expectation = Expectation::default();
        let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
        row.clear();
        self.regressors.write(slot, filtered, timeline, row);
        for member in &self.members {
            let share = member.share(steps_ahead);
            let value = dot(row, member.regression.weights.as_slice());
            let leverage = member.regression.leverages.get(slot - member.first);
            (least, most) = (least.min(value), most.max(value));
            expectation.value += share * value;
            expectation.leverage += share * leverage.copied().unwrap_or(0.0);
        }
        expectation.disagreement = most - least;
        expectation
    }

    /// The standard errors of forecasts 1, 2, ... steps ahead, as multiples of the first: `sqrt(sum psi^2)`
    /// over the weights `psi` of the moving average that equals the autoregression (Box and Jenkins, *Time
    /// Series Analysis: Forecasting and Control*, 1970). No weight counts for more than that of a random
    /// walk; the part of the seasons is known in advance.
    fn horizon_growth(&self, farthest: usize) -> Vec<f64> {
        let weights = self.mean_weights(2);
        let recent = &weights[1..=self.regressors.recent];
        let mut psi = vec![1.0];
        while psi.len() < farthest {
            let terms = recent.iter().zip(psi.iter().rev());
            let next: f64 = terms.map(|(weight, psi)| weight * psi).sum();
            psi.push(next.clamp(-1.0, 1.0));
        }
        let squares = psi.iter().scan(0.0, |sum, psi| {
            *sum += psi * psi;
            Some(f64::sqrt(*sum))
        });
        squares.collect()
    }

    /// What each role adds to the expectation of the slot after the last.
    fn contributions(
        &self,
        steps_ahead: usize,
        expected: f64,
        filtered: &[f64],
        timeline: &Timeline,
    ) -> Vec<Contribution> {
        let mut row = Vec::new();
        self.regressors
            .write(timeline.len(), filtered, timeline, &mut row);
        let weighted = row.iter().zip(self.mean_weights(steps_ahead));
        let mut parts: Vec<Contribution> = Vec::new();
        let mut of_regressions = 0.0;
        for (role, (regressor, weight)) in self.regressors.roles().into_iter().zip(weighted) {
            let value = regressor * weight;
            of_regressions += value;
            match parts.last_mut() {
                Some(part) if part.role == role => part.value += value,
                _ => parts.push(Contribution { role, value }),
            }
        }
        let role = Role::PastErrors;
        let value = expected - of_regressions;
        parts.push(Contribution { role, value });
        parts
    }

    /// What the member with the most rows clipped, and would clip of the next value, given its expectation.
    fn outliers(&self, expected: f64, timeline: &Timeline) -> (Vec<Clipped>, Option<Fences>) {
        let Some(Member { regression, .. }) = self.members.last() else {
            return (Vec::new(), None);
        };
        let usual = regression.profile.at(timeline.phases[timeline.len()]);
        let fences = regression.fences.map(|fences| Fences {
            lower: expected + fences.lower * usual,
            upper: expected + fences.upper * usual,
        });
        (regression.clipped.clone(), fences)
    }
}

/// The errors of a mean of forecasts.
fn mean_errors(errors: &[Vec<Option<f64>>], shares: &[f64]) -> Vec<Option<f64>> {
    let slots = 0..errors.first().map_or(0, Vec::len);
    let mean = |slot: usize| {
        let members = errors.iter().zip(shares);
        let parts = members.map(|(errors, share)| Some(errors[slot]? * share));
        parts.sum()
    };
    slots.map(mean).collect()
}

/// The share of the first of two forecasts in their mean that has the least squared errors, shrunk
/// towards one that was right on other series. Errors count in usual ones, and large ones as Huber's.
fn best_share(errors: &[Vec<Option<f64>>], first: usize, timeline: &Timeline) -> f64 {
    /// Of the regression that knows every season.
    const PRIOR: f64 = 0.3;
    /// The prior counts as this many errors.
    const PRIOR_ERRORS: f64 = 20.0;
    const HUBER: f64 = 3.0;
    let mean = mean_errors(errors, &[PRIOR, 1.0 - PRIOR]);
    let phases = &timeline.phases[first..];
    let profile = ErrorProfile::new(&mean, phases, timeline.phase_count);
    let (mut squares, mut slope, mut bend, mut count) = (0.0, 0.0, 0.0, 0.0);
    for (row, (mean, phase)) in mean.iter().zip(phases).enumerate() {
        if let (Some(one), Some(other), Some(mean)) = (errors[0][row], errors[1][row], mean) {
            let usual = profile.at(*phase);
            let weight = (HUBER * usual / mean.abs().max(usual)).min(1.0) / (usual * usual);
            squares += weight * (one * one + other * other);
            slope += weight * mean * (one - other);
            bend += weight * (one - other) * (one - other);
            count += 1.0;
        }
    }
    let shrinkage = PRIOR_ERRORS * squares / f64::max(count, 1.0);
    let share = PRIOR - slope / (bend + shrinkage);
    let share = if share.is_finite() { share } else { PRIOR };
    share.clamp(0.0, 1.0)
}

/// The regressors of every slot that a member can forecast.
struct Table<'a> {
    regressors: &'a Regressors,
    first: usize,
    rows: Vec<f64>,
}

impl<'a> Table<'a> {
    /// For so many members, each of which knows a season less than the one before.
    fn new(regressors: &'a Regressors, members: usize, timeline: &Timeline) -> Self {
        let fewest = Regressors {
            seasons: regressors.seasons + 1 - members,
            ..*regressors
        };
        let first = fewest.first_slot(timeline);
        let mut rows = Vec::with_capacity(regressors.count() * (timeline.len() - first));
        for slot in first..timeline.len() {
            regressors.write(slot, &timeline.filled, timeline, &mut rows);
        }
        Self {
            regressors,
            first,
            rows,
        }
    }

    /// Of a member that knows so many seasons.
    fn design<'b>(
        &'b self,
        seasons: usize,
        timeline: &'b Timeline,
        targets: &'b [Option<f64>],
        fence_factor: FenceFactor,
    ) -> Design<'b> {
        let regressors = Regressors {
            seasons,
            ..*self.regressors
        };
        let first = regressors.first_slot(timeline);
        let targets = &targets[first..];
        let phases = &timeline.phases[first..timeline.len()];
        let naive_errors = naive_errors(timeline, targets, first);
        let usual = ErrorProfile::new(&naive_errors, phases, timeline.phase_count);
        let weights = targets.iter().zip(phases).map(|(target, phase)| {
            // Half the way to the weights that would be best if only the spread differed.
            target.map_or(0.0, |_| 1.0 / usual.at(*phase).sqrt())
        });
        let stride = self.regressors.count();
        Design {
            first,
            regressors: &self.rows[(first - self.first) * stride..],
            stride,
            width: regressors.count(),
            weights: weights.collect(),
            healthy: &timeline.healthy[first..],
            targets,
            phases,
            phase_count: timeline.phase_count,
            fence_factor,
        }
    }
}

/// The errors of the naive forecast: the last value, and the change that the season's last turn brought.
fn naive_errors(timeline: &Timeline, targets: &[Option<f64>], first: usize) -> Vec<Option<f64>> {
    let filled = &timeline.filled;
    let season = timeline.cycles.first();
    let slots = (first..).zip(targets);
    slots
        .map(|(slot, target)| {
            let change = match season.and_then(|season| season.counterpart(slot)) {
                Some(counterpart @ 1..) => filled[counterpart] - filled[counterpart - 1],
                _ => 0.0,
            };
            target.map(|target| target - filled[slot - 1] - change)
        })
        .collect()
}
