//! What would have been mailed: each evaluation of the past taken through the incident machine under the
//! metric's own rules, quiet windows and events included, and told to a recipient whose server accepts everything
//! at once.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use super::replay::Replay;
use crate::commands::coverage::float;
use crate::commands::report::{Stamp, stamp};
use crate::config::Metric;
use crate::detect::{Evaluation, Verdict};
use crate::forecast::{Level, Side};
use crate::incident::{Alert, CheckResult, End, MetricState, Muted};
use crate::notify::{AlertKind, Opening, Pending, Record, due};

/// A mail that would have been sent. What is not known is null.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Mail {
    /// The start of the judged bucket.
    pub time: Stamp,
    /// `high`, `low`, `still`, `worse`, `over`, `accepted`, `frozen`, `no_data`, `data_again`,
    /// `undecided` or `judged_again`.
    pub kind: &'static str,
    /// `high` or `low` where it is about an incident.
    pub side: Option<&'static str>,
    pub value: Option<f64>,
    pub expected: Option<f64>,
    pub lower: Option<f64>,
    pub upper: Option<f64>,
    pub deviation: Option<f64>,
}

/// All that would have been told.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Told {
    pub mails: Vec<Mail>,
    /// By when it began, the end of the last bucket outside of each incident.
    pub incidents: BTreeMap<DateTime<Utc>, DateTime<Utc>>,
}

impl Told {
    /// The incidents a week, where these are the incidents of so many weeks.
    pub fn rate(&self, weeks: f64) -> f64 {
        if weeks > 0.0 {
            float(self.incidents.len()) / weeks
        } else {
            0.0
        }
    }
}

/// Replays the mails of a backtest.
pub fn replay_mails(replay: &Replay, metric: &Metric) -> Told {
    Machine::run(replay, metric, |point| point.verdict.clone())
}

/// The same as if the band were drawn at another level: the score says on which side of it a value lies.
pub fn replay_mails_at(level: Level, replay: &Replay, metric: &Metric) -> Told {
    let direction = metric.method.direction;
    let mut metric = metric.clone();
    metric.policy.budget = None;
    Machine::run(replay, &metric, |point| {
        let (Some(value), Some(band), Some(score)) = (point.value, point.band, point.score) else {
            return point.verdict.clone();
        };
        let side = if value > band.expected {
            Side::High
        } else {
            Side::Low
        };
        if direction.includes(side) && score < 1.0 - level.share() {
            Verdict::Breach(side)
        } else {
            Verdict::Normal
        }
    })
}

/// A metric's state, and what its only recipient was told.
struct Machine<'a> {
    replay: &'a Replay,
    metric: &'a Metric,
    state: MetricState,
    /// By the id of the alert.
    records: BTreeMap<String, Record>,
    told: Told,
    /// How many of the answers were given so far.
    acknowledged: usize,
    answered: usize,
}

impl Machine<'_> {
    fn run(replay: &Replay, metric: &Metric, verdict: impl Fn(&Evaluation) -> Verdict) -> Told {
        let mut machine = Machine {
            replay,
            metric,
            state: MetricState::default(),
            records: BTreeMap::new(),
            told: Told::default(),
            acknowledged: 0,
            answered: 0,
        };
        let mut missed = replay.missed.iter().peekable();
        for point in &replay.points {
            let now = point.bucket.end + replay.delay;
            while let Some(gap) = missed.next_if(|gap| gap.at < now) {
                machine.take(&gap.evaluation, gap.at);
            }
            let judged = Evaluation {
                verdict: verdict(point),
                ..point.clone()
            };
            machine.take(&judged, now);
        }
        missed.for_each(|gap| machine.take(&gap.evaluation, gap.at));
        machine.told
    }

    /// What people answered since the last run.
    fn hear(&mut self, now: DateTime<Utc>) {
        let said = &self.replay.said;
        let acknowledgements = &said.acknowledgements[self.acknowledged..];
        for answer in acknowledgements
            .iter()
            .take_while(|answer| answer.at <= now)
        {
            self.state.acknowledge(answer);
            self.acknowledged += 1;
        }
        for answer in said.answers[self.answered..]
            .iter()
            .take_while(|answer| answer.at <= now)
        {
            let open = self.state.incident_at(None).filter(|open| {
                open.is_open && open.since < answer.until && answer.since < open.until
            });
            if let Some(open) = open {
                self.state
                    .answer(&open, answer.nature, answer.by.clone(), answer.at);
            }
            self.answered += 1;
        }
    }

    /// One run of a check, and what it found.
    fn take(&mut self, evaluation: &Evaluation, now: DateTime<Utc>) {
        let rules = &self.metric.policy;
        let muted = if self.metric.is_quiet(
            now.with_timezone(&self.replay.zone),
            Some(evaluation.bucket),
        ) {
            Muted::Yes
        } else {
            Muted::No
        };
        self.hear(now);
        // As a check does before it looks: a silence may just have ended.
        self.state.release_incident(now, muted);
        let result = CheckResult::Evaluated(evaluation.clone());
        self.state.update(&result, now, rules, muted);
        let mut alerts = std::mem::take(&mut self.state.alerts);
        for alert in &alerts {
            while muted == Muted::No
                && let Some(kind) = due(alert, self.records.get(&alert.id), now, rules)
            {
                self.tell(alert, kind, evaluation, now);
            }
            if let (Some(_), Some(outside)) = (alert.side(), &alert.evaluation)
                && self.records.contains_key(&alert.id)
            {
                let incidents = &mut self.told.incidents;
                incidents.insert(alert.since, outside.bucket.end);
            }
        }
        alerts.retain(|alert| {
            alert.is_open() || due(alert, self.records.get(&alert.id), now, rules).is_some()
        });
        self.state.alerts = alerts;
    }

    fn tell(&mut self, alert: &Alert, kind: AlertKind, judged: &Evaluation, now: DateTime<Utc>) {
        let told = kind.shown(alert);
        let record = self.records.entry(alert.id.clone()).or_default();
        record.pending = Some(Pending::new(String::new(), kind, now));
        record.accept(&told, Opening::default(), now);
        let shown = match (kind, &told.end) {
            (AlertKind::Resolved, Some(End::Over { evaluation, .. })) => evaluation.as_deref(),
            (AlertKind::Resolved, Some(End::Accepted { evaluation, .. })) => Some(&**evaluation),
            _ => told.evaluation.as_ref(),
        };
        let shown = shown.unwrap_or(judged);
        // What there was last is not what a mail about missing data tells of.
        let is_missing = matches!(shown.verdict, Verdict::NoData { .. });
        self.told.mails.push(Mail {
            time: stamp(shown.start(self.replay.zone)),
            kind: kind.word(alert),
            side: alert.side().map(Side::word),
            value: shown.value.filter(|_| !is_missing),
            expected: shown.band.map(|band| band.expected),
            lower: shown.band.map(|band| band.lower),
            upper: shown.band.map(|band| band.upper),
            deviation: shown.deviation,
        });
    }
}
