//! A seasonal autoregression: the next value from the last ones and from what the same time of day
//! and of week brought before. It leads on real series one step ahead; README.md has the figures.
//!
//! With two seasons or more it is the mean of two regressions, one without the longest season, which
//! has more rows to learn from (Bates and Granger, *The Combination of Forecasts*, 1969).

mod drift;
mod feed;
mod outside;
mod regression;
mod regressors;

use anyhow::{Context, Result};

use super::timeline::Timeline;
use super::{Clipped, Contribution, Fitted, Model};
use crate::clean::{FenceFactor, Fences};
use drift::Drift;
use feed::Feed;
use regression::{Design, Regression};
use regressors::Regressors;

#[derive(Debug, Clone, Copy)]
pub struct Autoregression {
    /// How many steps an incident may last before its level is the new one.
    pub adapt_after_steps: usize,
    pub fence_factor: FenceFactor,
}

/// The share of the regression that knows every season, where there is one that does not.
const ALL_SEASONS_SHARE: f64 = 0.3;

impl Model for Autoregression {
    fn fit(&self, timeline: &Timeline) -> Result<Fitted> {
        let filled = timeline.fill(&timeline.values);
        let patience = self.patience(timeline);
        let mut lessons = timeline.lessons.clone();
        for slot in outside::unlearnt(timeline, &filled, patience) {
            lessons[slot] = None;
        }
        let history = History {
            timeline,
            filled: &filled,
            lessons: &lessons,
        };
        let blend = Blend::fit(&history, self.fence_factor).context("fit the regression")?;
        let feed = Feed::replay(timeline, &filled, &blend, patience);
        let fitted = feed.into_fitted();
        Ok(Fitted {
            parameters: blend.parameters(),
            contributions: blend.contributions(&fitted.fed, timeline),
            ..blend.with_outliers(fitted, timeline)
        })
    }
}

impl Autoregression {
    /// As many open slots as the steps usually hold.
    fn patience(&self, timeline: &Timeline) -> usize {
        let closed = timeline.slots.len().max(1);
        (self.adapt_after_steps * timeline.len() / closed).max(1)
    }
}

/// What regressions learn from.
struct History<'a> {
    timeline: &'a Timeline,
    filled: &'a [f64],
    /// What each slot teaches; `None` where it is not to teach anything.
    lessons: &'a [Option<f64>],
}

/// Regressions whose forecasts are averaged.
#[derive(Debug)]
pub struct Blend {
    members: Vec<Member>,
    /// The first slot that every member can forecast.
    first: usize,
    /// What the fit leaves of each value from the first slot on.
    errors: Vec<Option<f64>>,
}

#[derive(Debug)]
struct Member {
    regressors: Regressors,
    first: usize,
    regression: Regression,
    share: f64,
}

/// A forecast, and how much of the slot's own value is in it.
#[derive(Debug, Clone, Copy)]
pub struct Expectation {
    pub value: f64,
    pub leverage: f64,
}

impl Blend {
    fn fit(history: &History, fence_factor: FenceFactor) -> Result<Self> {
        let timeline = history.timeline;
        let seasons = timeline.cycles.len();
        let shares: &[(usize, f64)] = match seasons {
            0 | 1 => &[(seasons, 1.0)],
            _ => &[
                (seasons, ALL_SEASONS_SHARE),
                (seasons - 1, 1.0 - ALL_SEASONS_SHARE),
            ],
        };
        let first = Regressors::of(timeline, seasons).first_slot(timeline);
        let mut expected = vec![0.0; timeline.len() - first];
        let members = shares
            .iter()
            .map(|(seasons, share)| {
                let regressors = Regressors::of(timeline, *seasons);
                let start = regressors.first_slot(timeline);
                let design = Design {
                    fence_factor,
                    ..design(&regressors, start, history)
                };
                let regression = Regression::fit(&design)?;
                let fitted = design.columns.tr_mul(&regression.weights);
                for (sum, fitted) in expected.iter_mut().zip(fitted.iter().skip(first - start)) {
                    *sum += share * fitted;
                }
                Ok(Member {
                    regressors,
                    first: start,
                    regression,
                    share: *share,
                })
            })
            .collect::<Result<Vec<Member>>>()?;
        let values = timeline.values[first..].iter().zip(&expected);
        Ok(Self {
            members,
            first,
            errors: values
                .map(|(value, expected)| value.map(|value| value - expected))
                .collect(),
        })
    }

    /// What a slot should be after the values fed before it.
    pub fn expect(
        &self,
        slot: usize,
        fed: &[f64],
        timeline: &Timeline,
        row: &mut Vec<f64>,
    ) -> Expectation {
        let mut expectation = Expectation {
            value: 0.0,
            leverage: 0.0,
        };
        for member in &self.members {
            member.regressors.write(slot, fed, timeline, row);
            let products = row.iter().zip(member.regression.weights.iter());
            let value: f64 = products.map(|(regressor, weight)| regressor * weight).sum();
            let leverage = member.regression.leverages.get(slot - member.first);
            expectation.value += member.share * value;
            expectation.leverage += member.share * leverage.copied().unwrap_or(0.0);
        }
        expectation
    }

    /// What each role adds to the expectation of the slot after the last.
    fn contributions(&self, fed: &[f64], timeline: &Timeline) -> Vec<Contribution> {
        let mut row = Vec::new();
        let mut parts = Vec::new();
        for member in &self.members {
            let roles = member.regressors.roles();
            member
                .regressors
                .write(timeline.len(), fed, timeline, &mut row);
            let products = row.iter().zip(member.regression.weights.iter());
            let products = products.map(|(regressor, weight)| regressor * weight);
            parts.extend(roles.into_iter().zip(products).map(|(role, product)| {
                let value = member.share * product;
                Contribution { role, value }
            }));
        }
        Contribution::sums(parts.into_iter())
    }

    /// Adds what the regression with the most rows clipped, and would clip of the next value.
    fn with_outliers(&self, fitted: Fitted, timeline: &Timeline) -> Fitted {
        let Some(member) = self.members.last() else {
            return fitted;
        };
        let outliers = member.regression.outliers.iter();
        let clipped = outliers.map(|outlier| Clipped {
            slot: member.first + outlier.row,
            to: outlier.clipped_to,
        });
        let expected = fitted.expected.last().copied();
        let usual = member
            .regression
            .profile
            .at(timeline.phases[timeline.len()]);
        let fences = member.regression.fences.zip(expected);
        Fitted {
            clipped: clipped.collect(),
            fences: fences.map(|(fences, expected)| Fences {
                lower: expected + fences.lower * usual,
                upper: expected + fences.upper * usual,
            }),
            ..fitted
        }
    }

    fn parameters(&self) -> usize {
        let of = |member: &Member| member.regression.weights.len();
        self.members.iter().map(of).max().unwrap_or(0)
    }
}

fn design(regressors: &Regressors, first: usize, history: &History) -> Design {
    let timeline = history.timeline;
    let mut row = Vec::new();
    let mut columns = Vec::new();
    for slot in first..timeline.len() {
        regressors.write(slot, history.filled, timeline, &mut row);
        columns.extend_from_slice(&row);
    }
    Design {
        columns: nalgebra::DMatrix::from_vec(
            regressors.roles().len(),
            timeline.len() - first,
            columns,
        ),
        targets: history.lessons[first..].to_vec(),
        phases: timeline.phases[first..timeline.len()].to_vec(),
        phase_count: timeline.phase_count,
        fence_factor: FenceFactor::default(),
    }
}
