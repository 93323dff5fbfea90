//! A seasonal autoregression: the next value from the last ones and from what the same time of day
//! and of week brought before. It leads on real series one step ahead; README.md has the figures.
//!
//! With two seasons or more it is made of two regressions, one without the longest season, which has
//! more rows to learn from. How much each counts, their errors say ([`shares`]); what is left of their
//! past errors in the next one is added ([`echo`]).

mod drift;
mod echo;
mod feed;
mod habit;
mod products;
mod regression;
mod regressors;
mod run;
mod shares;

use std::ops::Range;

use anyhow::{Context, Result};

use super::profile::Profile;
use super::timeline::Timeline;
use super::{Clipped, Contribution, Fitted, Model, Role};
use crate::forecast::clean::{FenceFactor, Fences};
use drift::Drift;
use feed::Feed;
use habit::Habit;
use regression::{Design, Regression};
use regressors::Regressors;
use shares::Candidates;

#[derive(Debug, Clone, Copy)]
pub struct Autoregression {
    /// How many steps an incident may last before its level is the new one.
    pub adapt_after_steps: usize,
    pub fence_factor: FenceFactor,
}

/// The share of the regression that knows every season, where there is one that does not, before any
/// error is known.
const ALL_SEASONS_SHARE: f64 = 0.3;

impl Model for Autoregression {
    fn fit(&self, timeline: &Timeline) -> Result<Fitted> {
        let filled = &timeline.filled;
        let patience = self.patience(timeline);
        let mut lessons = timeline.lessons.clone();
        let habit = Habit::of(timeline);
        for slot in habit
            .iter()
            .flat_map(|habit| habit.unlearnt(filled, patience))
        {
            lessons[slot] = None;
        }
        let history = History {
            timeline,
            lessons: &lessons,
        };
        let home = habit.as_ref().map(|habit| habit.season);
        let blend = Blend::fit(&history, home, self.fence_factor).context("fit the regression")?;
        let feed = Feed::replay(timeline, &blend, habit.as_ref(), patience);
        let horizon = feed.horizon;
        let fitted = feed.into_fitted();
        Ok(Fitted {
            parameters: blend.parameters(),
            contributions: blend.contributions(horizon, &fitted, timeline),
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
    /// What each slot teaches; `None` where it is not to teach anything.
    lessons: &'a [Option<f64>],
}

/// Regressions whose forecasts are averaged.
#[derive(Debug)]
pub struct Blend {
    /// Of the member with the most seasons; the others' are the first of them.
    regressors: Regressors,
    /// The one with the most seasons first.
    members: Vec<Member>,
    /// How much each counts in the forecast of the next slot.
    next_shares: Vec<f64>,
    /// And in one that feeds on forecasts.
    far_shares: Vec<f64>,
    /// The first slot that every member can forecast.
    first: usize,
    /// What the fit leaves of each value from the first slot on, as if it had not been seen.
    errors: Vec<Option<f64>>,
}

#[derive(Debug)]
struct Member {
    first: usize,
    regression: Regression,
}

/// What a forecast has to go by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Horizon {
    /// The values just before.
    Next,
    /// Forecasts in their place, since the values are missing or held to be an incident. A regression
    /// that errs little one step ahead may be far off then: the mean of seven days knows no Saturday.
    Far,
}

impl Horizon {
    /// So many steps after the last value.
    pub fn of(ahead: usize) -> Self {
        if ahead > 1 { Self::Far } else { Self::Next }
    }
}

/// A forecast, and how much of the slot's own value is in it.
#[derive(Debug, Clone, Copy)]
pub struct Expectation {
    pub value: f64,
    pub leverage: f64,
    /// How far apart the regressions are.
    pub disagreement: f64,
}

impl Blend {
    /// `home` is the season that says where the series belongs, if one does.
    fn fit(history: &History, home: Option<usize>, fence_factor: FenceFactor) -> Result<Self> {
        let timeline = history.timeline;
        let seasons = timeline.cycles.len();
        let shares: &[(usize, f64)] = match seasons {
            0 | 1 => &[(seasons, 1.0)],
            _ => &[
                (seasons, ALL_SEASONS_SHARE),
                (seasons - 1, 1.0 - ALL_SEASONS_SHARE),
            ],
        };
        let regressors = Regressors::of(timeline, seasons);
        let table = Table::of(&regressors, shares, timeline);
        let first = regressors.first_slot(timeline);
        let mut unseen = Vec::new();
        let members = shares
            .iter()
            .map(|(seasons, _)| {
                let design = table.design(*seasons, history, fence_factor);
                let regression = Regression::fit(&design)?;
                let start = timeline.len() - design.targets.len();
                unseen.push(errors(
                    &regression,
                    &design,
                    &timeline.values[start..],
                    first - start,
                ));
                Ok(Member {
                    first: start,
                    regression,
                })
            })
            .collect::<Result<Vec<Member>>>()?;
        let candidates = Candidates {
            errors: &unseen,
            phases: &timeline.phases[first..timeline.len()],
            phase_count: timeline.phase_count,
        };
        let prior: Vec<f64> = shares.iter().map(|(_, share)| *share).collect();
        let next_shares = candidates.shares(&prior);
        // Only the first member knows the longest season: where the series belongs by that, it is alone.
        let mut far_shares = next_shares.clone();
        if home.is_some_and(|home| home + 1 == seasons) {
            far_shares.fill(0.0);
            far_shares[0] = 1.0;
        }
        Ok(Self {
            regressors,
            members,
            first,
            errors: candidates.blended(&next_shares),
            next_shares,
            far_shares,
        })
    }

    fn shares(&self, horizon: Horizon) -> &[f64] {
        match horizon {
            Horizon::Next => &self.next_shares,
            Horizon::Far => &self.far_shares,
        }
    }

    /// What a slot should be after the values fed before it.
    pub fn expect(
        &self,
        slot: usize,
        horizon: Horizon,
        fed: &[f64],
        timeline: &Timeline,
        row: &mut Vec<f64>,
    ) -> Expectation {
        let mut expectation = Expectation {
            value: 0.0,
            leverage: 0.0,
            disagreement: 0.0,
        };
        let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
        row.clear();
        self.regressors.write(slot, fed, timeline, row);
        for (member, share) in self.members.iter().zip(self.shares(horizon)) {
            let value = products::sum(row, member.regression.weights.as_slice());
            let leverage = member.regression.leverages.get(slot - member.first);
            (least, most) = (least.min(value), most.max(value));
            expectation.value += share * value;
            expectation.leverage += share * leverage.copied().unwrap_or(0.0);
        }
        expectation.disagreement = most - least;
        expectation
    }

    /// What each role adds to the expectation of the slot after the last.
    fn contributions(
        &self,
        horizon: Horizon,
        fitted: &Fitted,
        timeline: &Timeline,
    ) -> Vec<Contribution> {
        let mut row = Vec::new();
        self.regressors
            .write(timeline.len(), &fitted.fed, timeline, &mut row);
        let roles = self.regressors.roles();
        let mut parts = Vec::new();
        for (member, share) in self.members.iter().zip(self.shares(horizon)) {
            let products = row.iter().zip(member.regression.weights.iter());
            let products = products.map(|(regressor, weight)| regressor * weight);
            parts.extend(roles.iter().zip(products).map(|(role, product)| {
                let (role, value) = (*role, share * product);
                Contribution { role, value }
            }));
        }
        let of_regressions: f64 = parts.iter().map(|part| part.value).sum();
        let expected = fitted.expected.last().copied();
        parts.push(Contribution {
            role: Role::PastErrors,
            value: expected.unwrap_or(of_regressions) - of_regressions,
        });
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

/// The regressors of every slot that a member can forecast.
struct Table<'a> {
    regressors: &'a Regressors,
    first: usize,
    rows: Vec<f64>,
}

impl<'a> Table<'a> {
    fn of(regressors: &'a Regressors, shares: &[(usize, f64)], timeline: &Timeline) -> Self {
        let firsts = shares.iter().map(|(seasons, _)| {
            let regressors = regressors.with_seasons(*seasons);
            regressors.first_slot(timeline)
        });
        let first = firsts.min().unwrap_or(timeline.len());
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
        history: &'b History,
        fence_factor: FenceFactor,
    ) -> Design<'b> {
        let timeline = history.timeline;
        let regressors = self.regressors.with_seasons(seasons);
        let first = regressors.first_slot(timeline);
        let targets = &history.lessons[first..];
        let phases = &timeline.phases[first..timeline.len()];
        let surprises = surprises(history, first..timeline.len());
        let usual = Profile::of(&surprises, phases, timeline.phase_count);
        let weights = targets.iter().zip(phases).map(|(target, phase)| {
            // Half the way to the weights that would be best if only the spread differed.
            target.map_or(0.0, |_| 1.0 / usual.at(*phase).sqrt())
        });
        let stride = self.regressors.count();
        Design {
            regressors: &self.rows[(first - self.first) * stride..],
            stride,
            width: regressors.count(),
            weights: weights.collect(),
            targets,
            phases,
            phase_count: timeline.phase_count,
            fence_factor,
        }
    }
}

/// How far each lesson is from what follows the value before it without any regression: the change
/// that the season's last turn brought.
fn surprises(history: &History, slots: Range<usize>) -> Vec<Option<f64>> {
    let filled = &history.timeline.filled;
    let season = history.timeline.cycles.first();
    slots
        .map(|slot| {
            let counterpart = season.and_then(|season| season.counterpart(slot));
            let change = counterpart
                .filter(|counterpart| *counterpart > 0)
                .map_or(0.0, |counterpart| {
                    filled[counterpart] - filled[counterpart - 1]
                });
            history.lessons[slot].map(|value| value - filled[slot - 1] - change)
        })
        .collect()
}

/// What a regression leaves of the values from a row on, as if each had not been seen.
fn errors(
    regression: &Regression,
    design: &Design,
    values: &[Option<f64>],
    from: usize,
) -> Vec<Option<f64>> {
    let fitted = design.fitted(&regression.weights);
    let rows = values.iter().zip(fitted.iter()).zip(&regression.leverages);
    rows.skip(from)
        .map(|((value, fitted), leverage)| value.map(|value| (value - fitted) / (1.0 - leverage)))
        .collect()
}
