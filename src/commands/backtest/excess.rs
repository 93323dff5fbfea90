//! A series that does not keep its budget of false alerts, if what the replay opened was false.

use chrono::TimeDelta;
use schemars::JsonSchema;
use serde::Serialize;

use super::mails::{Told, replay_mails};
use super::replay::Replay;
use crate::config::Metric;
use crate::incident::Budget;

/// How many more incidents were opened than the budget allows, and which budget would have kept it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Excess {
    pub allowed_per_week: f64,
    pub opened_per_week: f64,
    /// The largest of a few smaller budgets with which no more would have been opened than is allowed,
    /// or else the smallest of them.
    pub stricter: String,
    pub stricter_per_week: f64,
}

/// By this factor: a few more may be chance, or true.
const CLEARLY: f64 = 2.0;
const SHORTEST: TimeDelta = TimeDelta::weeks(2);
const DIVISORS: [f64; 6] = [2.0, 5.0, 10.0, 20.0, 50.0, 100.0];

impl Excess {
    /// `None` of a series that keeps it, and where too little was judged to tell.
    pub fn new(replay: &Replay, metric: &Metric, told: &Told, weeks: f64) -> Option<Self> {
        let budget = metric.policy.budget?;
        let (allowed, opened) = (budget.per_week(), told.rate(weeks));
        let is_known = replay.stride == 1 && replay.span() >= SHORTEST;
        if !is_known || opened <= CLEARLY * allowed {
            return None;
        }
        let with = |budget: Budget| {
            let mut metric = metric.clone();
            metric.policy.budget = Some(budget);
            (budget, replay_mails(replay, &metric).rate(weeks))
        };
        let budgets = DIVISORS.map(|divisor| budget.divided_by(divisor));
        let mut tried = budgets.into_iter().map(with);
        let mut last = None;
        let kept = tried.find(|(budget, opened)| {
            last = Some((*budget, *opened));
            *opened <= allowed
        });
        let (stricter, stricter_per_week) = kept.or(last)?;
        Some(Self {
            allowed_per_week: allowed,
            opened_per_week: opened,
            stricter: stricter.to_string(),
            stricter_per_week,
        })
    }
}
