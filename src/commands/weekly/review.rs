//! The facts of a report, as the state has them.

use std::collections::HashSet;
use std::ops::Range;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use crate::commands::coverage::{Block, Coverage, measure};
use crate::config::Metric;
use crate::context::Context;
use crate::incident::{
    Acknowledgement, Alert, Condition, DayCount, DayCounts, MetricState, Nature, Outcome,
    PastAlert, Silence, Worst,
};
use crate::notify::AlertKey;
use crate::output::Notation;
use crate::state::State;

/// What happened from a time until now.
pub struct Review<'a> {
    pub context: &'a Context,
    pub state: &'a State,
    pub from: DateTime<Utc>,
    /// Those that are configured, in that order; then others that are still remembered.
    pub metrics: Vec<ReviewedMetric<'a>>,
}

pub struct ReviewedMetric<'a> {
    pub name: String,
    /// `None`: it is not configured any more.
    pub metric: Option<&'a Metric>,
    /// Oldest first.
    pub alerts: Vec<ReviewedAlert>,
    /// `None` where nothing was judged.
    pub kept: Option<Kept>,
    pub silences: Vec<Silence>,
    pub opened: Opened,
    /// Whether its values are whole numbers.
    is_whole: bool,
    /// How many false ones the budget allows in that time.
    pub allowed: Option<f64>,
}

/// How many healthy values lay inside their bands, by whole days (UTC).
#[derive(Debug, Clone, Copy)]
pub struct Kept {
    pub from: DateTime<Utc>,
    pub judged: usize,
    pub inside: usize,
    /// Judged too, but during incidents that count as real.
    pub left_out: usize,
    /// `None` where all were.
    pub coverage: Option<Coverage>,
}

/// The incidents that people were to be told of, and what they said of them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Opened {
    pub all: usize,
    pub fine: usize,
    /// Called real, or acknowledged.
    pub real: usize,
}

/// An alert that was open at some time of the review.
#[derive(Debug, Clone)]
pub struct ReviewedAlert {
    pub condition: Condition,
    pub since: DateTime<Utc>,
    /// `None` while it is open.
    pub until: Option<DateTime<Utc>>,
    pub outcome: Option<Outcome>,
    pub released: Option<DateTime<Utc>>,
    pub notifications: u32,
    pub worst: Option<Worst>,
    pub missing: Option<f32>,
    pub days: DayCounts,
    pub acknowledged: Option<Acknowledgement>,
    /// What somebody said it was.
    pub was: Option<Nature>,
}

impl<'a> Review<'a> {
    /// Of these metrics, each with its series after it.
    pub fn new(
        context: &'a Context,
        state: &'a State,
        configured: &'a [Metric],
        from: DateTime<Utc>,
    ) -> Self {
        let known: HashSet<&str> = configured.iter().map(|metric| &*metric.name).collect();
        let is_configured = |name: &&String| known.contains(name.as_str());
        let names = configured.iter().map(|metric| (&metric.name, Some(metric)));
        let others = state.contents().metrics.keys();
        let others = others.filter(|name| !is_configured(name));
        let others = others.map(|name| (name, None));
        let now = context.now_utc();
        let metrics = names.chain(others).map(|(name, metric)| {
            let reviewed = ReviewedMetric::new(name, metric, state, from..now);
            // Of what is gone, and of one of many series, only what there was to tell.
            let is_listed = metric.is_some_and(|metric| metric.series.is_none());
            (is_listed || !reviewed.alerts.is_empty()).then_some(reviewed)
        });
        Self {
            metrics: metrics.flatten().collect(),
            context,
            state,
            from,
        }
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.context.now_utc()
    }

    pub fn zoned(&self, time: DateTime<Utc>) -> DateTime<Tz> {
        time.with_timezone(&self.context.zone())
    }
}

impl<'a> ReviewedMetric<'a> {
    fn new(
        name: &str,
        metric: Option<&'a Metric>,
        state: &State,
        time: Range<DateTime<Utc>>,
    ) -> Self {
        let unknown = MetricState::default();
        let known = state.contents().metrics.get(name).unwrap_or(&unknown);
        let was = |id: &str| {
            let mut answers = known.answers().iter();
            let answer = answers.find(|answer| answer.alert == id);
            answer.map(|answer| answer.nature)
        };
        let past = known.past.alerts.iter();
        let past = past.map(|past| ReviewedAlert::of_past(past, was(&past.id)));
        let open = known.alerts.iter().filter(|alert| alert.is_open());
        let open = open.map(|alert| {
            let key = AlertKey {
                metric: name,
                alert: &alert.id,
            };
            let count = state.contents().log.accepted(key);
            ReviewedAlert::of_open(alert, count, was(&alert.id))
        });
        let mut alerts: Vec<ReviewedAlert> = past.chain(open).collect();
        let kept = kept(known, &alerts, metric, time.start);
        alerts.retain(|alert| alert.until.is_none_or(|until| until > time.start));
        alerts.sort_by_key(|alert| alert.since);
        let mut opened = Opened::default();
        for alert in &alerts {
            let released = alert.released.filter(|released| *released >= time.start);
            if alert.is_incident() && released.is_some() {
                opened.all += 1;
                opened.fine += usize::from(alert.nature() == Some(Nature::Fine));
                opened.real += usize::from(alert.nature() == Some(Nature::Real));
            }
        }
        let weeks = (time.end - time.start).as_seconds_f64() / TimeDelta::weeks(1).as_seconds_f64();
        let budget = metric.and_then(|metric| metric.policy.budget);
        Self {
            name: name.to_string(),
            metric,
            kept,
            silences: state.silences.not_over(name, time.end).cloned().collect(),
            opened,
            is_whole: known.latest().is_some_and(|latest| latest.is_whole),
            allowed: budget.map(|budget| budget.per_week() * weeks),
            alerts,
        }
    }

    /// How long it had incidents; `None` without any.
    pub fn incident_time(&self, now: DateTime<Utc>) -> Option<TimeDelta> {
        let times = self.incident_times(now);
        let total = times.iter().map(|time| time.end - time.start).sum();
        (!times.is_empty()).then_some(total)
    }

    pub fn incident_times(&self, now: DateTime<Utc>) -> Vec<Range<DateTime<Utc>>> {
        let incidents = self.alerts.iter().filter(|alert| alert.is_incident());
        let times = incidents.map(|alert| alert.since..alert.until.unwrap_or(now));
        times.collect()
    }

    /// The digits that an amount of it is written with.
    pub fn notation_of(&self, amount: f64) -> Notation {
        let notation = Notation::for_value(amount);
        if self.is_whole {
            notation.of_counts()
        } else {
            notation
        }
    }

    pub fn title(&self) -> &str {
        self.metric.map_or(&self.name, |metric| &metric.title)
    }
}

impl ReviewedAlert {
    fn of_past(past: &PastAlert, was: Option<Nature>) -> Self {
        Self {
            condition: past.condition,
            since: past.since,
            until: Some(past.until),
            outcome: Some(past.outcome),
            released: past.released,
            notifications: past.notifications,
            worst: past.worst,
            missing: past.missing,
            days: past.days.clone(),
            acknowledged: past.acknowledged.clone(),
            was,
        }
    }

    fn of_open(alert: &Alert, notifications: u32, was: Option<Nature>) -> Self {
        Self {
            condition: alert.condition,
            since: alert.since,
            until: None,
            outcome: None,
            released: alert.released,
            notifications,
            worst: alert.worst,
            missing: alert.course.as_ref().map(|course| course.shortfall.missing),
            days: alert.days.clone(),
            acknowledged: alert.acknowledged.clone(),
            was,
        }
    }

    pub fn is_incident(&self) -> bool {
        matches!(self.condition, Condition::Breach(_))
    }

    /// What it was, as far as anybody said: who acknowledges an incident takes it for one.
    pub fn nature(&self) -> Option<Nature> {
        let acknowledged = self.acknowledged.as_ref().map(|_| Nature::Real);
        self.was.or(acknowledged)
    }

    pub fn length(&self, now: DateTime<Utc>) -> TimeDelta {
        self.until.unwrap_or(now) - self.since
    }
}

/// Without a budget, single values outside open incidents, as healthy ones do now and then: one with fewer of
/// them counts as real only if somebody said so.
const FEWEST_OUTSIDE: u32 = 3;

/// By whole days: the counts of the day in which the time begins count too.
fn kept(
    known: &MetricState,
    alerts: &[ReviewedAlert],
    metric: Option<&Metric>,
    from: DateTime<Utc>,
) -> Option<Kept> {
    let has_budget = metric.is_some_and(|metric| metric.policy.budget.is_some());
    let are_real = alerts.iter().filter(|alert| match alert.nature() {
        Some(nature) => nature == Nature::Real,
        None => has_budget || alert.days.outside() >= FEWEST_OUTSIDE,
    });
    let of_incidents: Vec<&DayCounts> = are_real.map(|alert| &alert.days).collect();
    let is_reviewed = |day: &&DayCount| day.start() + TimeDelta::days(1) > from;
    let healthy = known.past.days.without(&of_incidents);
    let healthy = healthy.iter().filter(is_reviewed);
    let blocks: Vec<Block> = healthy
        .map(|day| Block {
            inside: day.inside as usize,
            of: day.judged as usize,
        })
        .collect();
    let all = known.past.days.iter().filter(is_reviewed);
    let all_judged: u32 = all.clone().map(|day| day.judged).sum();
    let judged = blocks.iter().map(|block| block.of).sum();
    Some(Kept {
        from: all.clone().next()?.start(),
        judged,
        inside: blocks.iter().map(|block| block.inside).sum(),
        left_out: all_judged as usize - judged,
        coverage: measure(&blocks),
    })
}
