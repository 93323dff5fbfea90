//! What is known of a metric between runs, and how one more result of a check changes it.

use std::collections::VecDeque;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::alert::{Alert, Condition, End};
use super::answer::{Acknowledgement, Answer, Author, Nature, Said};
use super::budget::Limits;
use super::course::{Course, Standing};
use super::evidence::{AcceptedLevel, Evidence, Shortfall, Testimony, Witness, far_side, narrow};
use super::past::Past;
use super::policy::{Newcomers, Policy};
use super::worst::Worst;
use crate::detect::{Answers, Evaluation, NewLevel, Verdict};
use crate::forecast::Side;
use crate::output::{second, second_option};
use crate::series::Bucket;

/// What is known of a metric between runs.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct MetricState {
    /// The bucket that was evaluated last, if the [latest](MetricState::latest) evaluation is not of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) evaluated: Option<Bucket>,
    /// The newest bucket that rows were seen for, if that is another: where an empty bucket counts as
    /// zero, it may lie before the one evaluated last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) newest_data: Option<Bucket>,
    /// The bucket since which there is no incident.
    #[serde(with = "second_option", skip_serializing_if = "Option::is_none")]
    calm_since: Option<DateTime<Utc>>,
    /// See [`MetricState::latest`]; `None` where the open incident has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    latest: Option<Evaluation>,
    /// The evaluated buckets that may confirm an incident, oldest first.
    #[serde(skip_serializing_if = "VecDeque::is_empty")]
    recent: VecDeque<Recent>,
    /// Buckets in a row at which an open incident seems to be over.
    #[serde(skip_serializing_if = "is_zero")]
    inside: u32,
    #[serde(skip_serializing_if = "Evidence::is_empty")]
    evidence: Evidence,
    /// What people said of incidents, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    answers: Vec<Answer>,
    #[serde(skip_serializing_if = "Past::is_empty")]
    pub past: Past,
    /// Those that are open, at most one of each kind; and those that ended and that somebody is still
    /// to be told of.
    pub alerts: Vec<Alert>,
}

/// A bucket, as far as it matters for confirming.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Recent {
    #[serde(with = "second")]
    start: DateTime<Utc>,
    side: Option<Side>,
    #[serde(default, skip_serializing_if = "Shortfall::is_nothing")]
    shortfall: Shortfall,
}

/// What a run found of a metric.
#[derive(Debug, Clone)]
pub enum CheckResult {
    Evaluated(Evaluation),
    /// Nothing closed since the bucket evaluated last. The newest window again, if it was asked for.
    NothingNew(Option<Evaluation>),
    /// The check failed.
    Failed(String),
}

impl CheckResult {
    pub fn evaluation(&self) -> Option<&Evaluation> {
        match self {
            Self::Evaluated(evaluation) | Self::NothingNew(Some(evaluation)) => Some(evaluation),
            Self::NothingNew(None) | Self::Failed(_) => None,
        }
    }
}

/// An incident that somebody may say something of.
#[derive(Debug, Clone, PartialEq)]
pub struct Incident {
    pub id: String,
    pub side: Side,
    pub since: DateTime<Utc>,
    /// The end of its last bucket outside so far.
    pub until: DateTime<Utc>,
    /// How far from what was expected it was at its worst, in the metric's unit.
    pub size: Option<f32>,
    pub is_open: bool,
}

/// What is so of a metric's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// `None`: nothing was evaluated yet.
    Ok {
        since: Option<DateTime<Utc>>,
    },
    /// Breaches were seen that are too few yet to make an incident.
    Pending {
        since: DateTime<Utc>,
    },
    Firing {
        side: Side,
        since: DateTime<Utc>,
    },
}

impl MetricState {
    /// Takes in a result as of `now`. Where the metric is `muted`, nothing is released.
    pub fn update(
        &mut self,
        result: &CheckResult,
        now: DateTime<Utc>,
        policy: &Policy,
        muted: Muted,
    ) {
        if !matches!(result, CheckResult::Failed(_)) {
            self.end(Condition::CheckFailed, now);
        }
        match result {
            CheckResult::Evaluated(evaluation) => self.evaluate(evaluation, now, policy),
            CheckResult::NothingNew(_) => {}
            CheckResult::Failed(why) => self.open(Condition::CheckFailed, now, why, now),
        }
        self.past.remember(&self.alerts, now);
        self.release(now, policy, muted);
    }

    /// Before a check looks: what a silence that just ended held back of an incident. Of anything else
    /// nobody knows whether it still is so.
    pub fn release_incident(&mut self, now: DateTime<Utc>, muted: Muted) {
        let latest = self.latest().map(|latest| latest.bucket);
        let incident = self.alerts.iter_mut().find(|alert| {
            let own = alert.evaluation.as_ref().map(|own| own.bucket);
            alert.is_open() && alert.side().is_some() && own.is_some() && own == latest
        });
        if let (Some(incident), Muted::No) = (incident, muted) {
            incident.released.get_or_insert(now);
        }
    }

    /// Releases what people may be told from now on, and forgets what ended before it was released.
    fn release(&mut self, now: DateTime<Utc>, policy: &Policy, muted: Muted) {
        let latest = self.latest().map(|latest| latest.bucket);
        let is_newcomer = policy.newcomers == Newcomers::Silent && latest.is_none();
        let is_due = |alert: &Alert| match alert.condition {
            // While an incident may be recovering, there is nothing to add.
            Condition::Breach(_) => {
                let own = alert.evaluation.as_ref();
                own.is_some_and(|own| Some(own.bucket) == latest)
            }
            Condition::Undecided if is_newcomer => false,
            Condition::CheckFailed | Condition::Undecided => {
                now - alert.seen_at >= policy.unwell_after
            }
            // `stale_after` was patience enough.
            _ => true,
        };
        for alert in &mut self.alerts {
            if alert.released.is_none() && alert.is_open() && muted == Muted::No && is_due(alert) {
                alert.released = Some(now);
            }
        }
        self.alerts
            .retain(|alert| alert.is_open() || alert.released.is_some());
    }

    /// Where to look on: after the bucket that was evaluated last. A clock that was ahead and was set
    /// back leaves buckets behind it that were evaluated before they were over: those without data are
    /// looked at again.
    pub fn evaluated_at(&self, now: DateTime<Utc>) -> Option<Bucket> {
        let evaluated = self.evaluated()?;
        if evaluated.end <= now {
            return Some(evaluated);
        }
        self.newest_data.or(Some(evaluated))
    }

    /// Of a metric with many series: all of them were looked at up to the end of a bucket, and data was seen
    /// of any of them at a time, if it was.
    pub fn note_look_at_series(&mut self, bucket: Bucket, data_seen: Option<DateTime<Utc>>) {
        if let Some(now) = data_seen {
            self.end(Condition::NoData, now);
        }
        self.newest_data = None;
        self.evaluated = Some(bucket);
    }

    /// The newest bucket that rows were seen for.
    pub fn note_newest_data(&mut self, bucket: Bucket) {
        self.newest_data = Some(bucket).filter(|_| self.evaluated() != Some(bucket));
    }

    /// The bucket that was evaluated last, with whatever verdict.
    pub fn evaluated(&self) -> Option<Bucket> {
        let of_latest = || Some(self.latest()?.bucket);
        self.evaluated.or_else(of_latest)
    }

    /// The newest bucket that rows were seen for.
    pub fn newest_data(&self) -> Option<Bucket> {
        self.newest_data.or(self.evaluated())
    }

    /// The last evaluation with a verdict of high, low or normal.
    pub fn latest(&self) -> Option<&Evaluation> {
        let of_incident = || self.incident()?.evaluation.as_ref();
        self.latest.as_ref().or_else(of_incident)
    }

    /// The open incident.
    pub fn incident(&self) -> Option<&Alert> {
        let mut open = self.alerts.iter().filter(|alert| alert.is_open());
        open.find(|alert| alert.side().is_some())
    }

    /// The open alert about something else than the values.
    pub fn open_alert(&self, condition: Condition) -> Option<&Alert> {
        let mut open = self.alerts.iter().filter(|alert| alert.is_open());
        open.find(|alert| alert.condition == condition)
    }

    pub fn status(&self) -> Status {
        let mut breaches = self.recent.iter().filter(|recent| recent.side.is_some());
        let incident = self.incident();
        let incident = incident.and_then(|alert| Some((alert.side()?, alert.since)));
        match (incident, breaches.next()) {
            (Some((side, since)), _) => Status::Firing { side, since },
            (None, Some(first)) => Status::Pending { since: first.start },
            (None, None) => Status::Ok {
                since: self.calm_since,
            },
        }
    }

    fn evaluate(&mut self, evaluation: &Evaluation, now: DateTime<Utc>, policy: &Policy) {
        let newest = evaluation
            .window()
            .and_then(|window| Some(window.bucket(window.newest?)));
        if let Some(newest) = newest {
            self.newest_data = (newest != evaluation.bucket).then_some(newest);
        }
        match &evaluation.verdict {
            Verdict::NoData { since, reason } => {
                self.open(Condition::NoData, *since, reason, now);
            }
            Verdict::Undecided(reason) => {
                self.end(Condition::NoData, now);
                self.evaluated = Some(evaluation.bucket);
                self.open(Condition::Undecided, now, reason, now);
            }
            Verdict::Breach(_) | Verdict::Normal => {
                self.end(Condition::NoData, now);
                self.end(Condition::Undecided, now);
                if let Some(reason) = frozen(evaluation) {
                    let run = evaluation.reference.unchanged.buckets;
                    let run = i64::try_from(run).unwrap_or(1);
                    // A value that stands still says nothing of what it should tell.
                    self.evaluated = None;
                    self.latest = Some(evaluation.clone());
                    self.evidence.forget_sums();
                    let since = evaluation.bucket_end_after(evaluation.bucket.end, -run);
                    self.open(Condition::Frozen, since, &reason, now);
                } else {
                    self.end(Condition::Frozen, now);
                    self.take_verdict(evaluation, now, policy);
                }
            }
        }
    }

    fn take_verdict(&mut self, evaluation: &Evaluation, now: DateTime<Utc>, policy: &Policy) {
        let limits = policy.limits(evaluation.bucket);
        let last = self.evaluated();
        if last.is_some_and(|last| last.end != evaluation.bucket.start) {
            self.evidence.forget_sums();
        }
        self.evaluated = None;
        self.latest = Some(evaluation.clone());
        self.past.days.count(evaluation);
        self.evidence.add(evaluation, limits);
        let testimony = self.hear(evaluation, limits, policy);
        let is_incident = |alert: &Alert| alert.is_open() && alert.side().is_some();
        match (self.alerts.iter().position(is_incident), testimony) {
            (Some(index), testimony) => {
                self.follow(index, evaluation, testimony, limits, now, policy);
            }
            (None, Some(testimony)) => self.open_incident(testimony, evaluation, now),
            (None, None) => {}
        }
        if policy.confirm.of == 1 {
            // A bucket that has nothing to be confirmed by is done with.
            self.recent.clear();
        }
        if let Some(incident) = self.alerts.iter_mut().find(|alert| is_incident(alert)) {
            incident.days.count(evaluation);
        }
        let open_side = self.incident().and_then(Alert::side);
        if self.incident().is_some_and(|incident| {
            let latest = incident.evaluation.as_ref();
            latest.is_some_and(|latest| latest.bucket == evaluation.bucket)
        }) {
            self.latest = None;
        }
        match open_side {
            Some(side) => {
                // The breaches that made an incident make no other.
                for recent in &mut self.recent {
                    recent.side = recent.side.filter(|breach| *breach != side);
                }
                self.calm_since = None;
            }
            None => self.calm_since = self.calm_since.or(Some(evaluation.bucket.start)),
        }
    }

    /// What speaks for an incident: single buckets, if enough of them confirm each other, or evidence that
    /// is added up.
    fn hear(
        &mut self,
        evaluation: &Evaluation,
        limits: Option<Limits>,
        policy: &Policy,
    ) -> Option<Testimony> {
        let course = self
            .incident()
            .and_then(|incident| incident.course.as_ref());
        let usual = self.evidence.levels();
        let levels = course.map_or_else(|| usual.clone(), |course| course.levels(&usual));
        let side = match limits {
            Some(limits) => far_side(evaluation, &levels, limits, policy),
            None => evaluation
                .side()
                .filter(|_| policy.is_large_enough(evaluation)),
        };
        self.recent.push_back(Recent {
            start: evaluation.bucket.start,
            side,
            shortfall: Shortfall::of(evaluation, 1.0),
        });
        while self.recent.len() > policy.confirm.of as usize {
            self.recent.pop_front();
        }
        let testimony =
            limits.and_then(|limits| self.evidence.testimony(evaluation, &levels, limits, policy));
        // What one bucket tells began with it, and no sooner.
        let is_told_by_bucket = |told: &Testimony| {
            policy.confirm.breaches == 1 && side == Some(told.side) && told.is_of_hour()
        };
        let testimony = testimony.filter(|told| !is_told_by_bucket(told));
        if testimony.is_some() {
            return testimony;
        }
        let side = side?;
        let breaches = self
            .recent
            .iter()
            .filter(|recent| recent.side == Some(side));
        let is_confirmed = breaches.clone().count() >= policy.confirm.breaches as usize;
        let since = breaches.map(|recent| recent.start).next();
        let since = since.unwrap_or(evaluation.bucket.start);
        let during = self.recent.iter().filter(|recent| recent.start >= since);
        is_confirmed.then_some(Testimony {
            side,
            witness: match (limits, evaluation.score) {
                (Some(_), Some(score)) => Witness::Bucket {
                    score: narrow(score),
                },
                _ => Witness::Breach,
            },
            since,
            level: None,
            shortfall: during.fold(Shortfall::default(), |sum, recent| {
                sum.plus(recent.shortfall)
            }),
        })
    }

    /// What a bucket means for the open incident.
    fn follow(
        &mut self,
        index: usize,
        evaluation: &Evaluation,
        testimony: Option<Testimony>,
        limits: Option<Limits>,
        now: DateTime<Utc>,
        policy: &Policy,
    ) {
        let usual = match limits {
            Some(_) => self.evidence.levels(),
            // A breach of the band at a level that was accepted is no end of what led to that level.
            None => vec![1.0],
        };
        let incident = &mut self.alerts[index];
        let Some(side) = incident.side() else {
            return;
        };
        let course = incident.course.get_or_insert_with(|| {
            let testimony = Testimony {
                side,
                witness: Witness::Breach,
                since: incident.since,
                level: None,
                shortfall: Shortfall::default(),
            };
            Course::new(&testimony, evaluation, &self.evidence)
        });
        let standing = course.follow(evaluation, side, &usual, &self.evidence);
        let turned = match limits {
            Some(limits) => course.fall_within(evaluation, side, limits),
            None => None,
        };
        if let Some(testimony) = turned {
            self.open_incident(testimony, evaluation, now);
            return;
        }
        if let Some(testimony) = testimony.filter(|testimony| testimony.side != side) {
            if limits.is_some() || !course.explains_opposite(evaluation, side, &usual) {
                self.open_incident(testimony, evaluation, now);
            } else {
                self.inside = 0;
            }
            return;
        }
        match standing {
            Standing::Off => {
                self.inside = 0;
                course.extend();
                incident.note_worst(evaluation);
                let answers = self.answers.iter_mut();
                for answer in answers.filter(|answer| answer.alert == incident.id) {
                    let worst = incident.worst.map(Worst::distance);
                    answer.grow(evaluation.bucket.end, worst, policy.worse.factor());
                }
                let last = incident.evaluation.replace(evaluation.clone());
                if incident.released.is_some() && incident.opening.is_none() {
                    incident.opening = last;
                }
            }
            Standing::Unclear => self.inside = 0,
            // A breach on the other side is no recovery, nor yet an incident of its own.
            Standing::Back { .. } if evaluation.is_breach() && limits.is_none() => self.inside = 0,
            Standing::Back { needed } => {
                self.inside += 1;
                if self.inside >= policy.recover_after(evaluation.bucket).max(needed) {
                    let last = incident.evaluation.as_ref();
                    let until = last.map_or(incident.since, |last| last.bucket.end);
                    incident.end = Some(End::Over {
                        until,
                        evaluation: Some(Box::new(evaluation.clone())),
                    });
                    self.calm_since = Some(until);
                    self.settle(side, evaluation);
                }
                return;
            }
        }
        let incident = &self.alerts[index];
        if let Some(course) = &incident.course
            && let Some(from) = course.accepted_from(evaluation, policy)
            && evaluation.bucket.end >= from
            && course.is_level(evaluation, side)
            && let Some(ratio) = course.new_level(evaluation, side, &usual)
        {
            self.end_with_new_level(index, evaluation, ratio, None, limits);
        }
    }

    /// The level of the open incident is the new normal, from a bucket's end on if somebody asked for it.
    fn end_with_new_level(
        &mut self,
        index: usize,
        evaluation: &Evaluation,
        ratio: f32,
        asked_at: Option<DateTime<Utc>>,
        limits: Option<Limits>,
    ) -> Option<AcceptedLevel> {
        let incident = &mut self.alerts[index];
        let side = incident.side()?;
        let until = evaluation.bucket.end;
        if let Some(course) = &mut incident.course {
            course.extend();
        }
        incident.end = Some(End::Accepted {
            until,
            evaluation: Box::new(evaluation.clone()),
            ratio,
        });
        let level = AcceptedLevel {
            ratio,
            since: Some(incident.since),
            until: until + AcceptedLevel::lasting(evaluation.bucket),
            asked_at,
        };
        self.evidence.accept(level);
        self.calm_since = Some(until);
        if limits.is_some() {
            self.settle(side, evaluation);
        } else {
            // The level of earlier weeks alone is usual: the totals still show what they showed.
            self.inside = 0;
        }
        Some(level)
    }

    /// Takes the present level of the open incident as the new normal, as somebody asks for. `None` if
    /// there is none, or no level that could be told.
    pub fn accept(&mut self, evaluation: &Evaluation, policy: &Policy) -> Option<AcceptedLevel> {
        let is_incident = |alert: &Alert| alert.is_open() && alert.side().is_some();
        let index = self.alerts.iter().position(is_incident)?;
        let course = self.alerts[index].course.as_ref()?;
        let ratio = course.present_level(evaluation)?;
        // A new level is told, whatever was said before.
        self.alerts[index].fine_since = None;
        let latest = self.latest().cloned();
        let asked_at = self.evaluated().map(|evaluated| evaluated.end);
        let limits = policy.limits(evaluation.bucket);
        let evaluation = evaluation.without_workings();
        let level = self.end_with_new_level(index, &evaluation, ratio, asked_at, limits);
        self.latest = self.latest.take().or(latest);
        level
    }

    /// Whether somebody refused the level of the open incident.
    pub fn is_kept(&self) -> bool {
        let course = self
            .incident()
            .and_then(|incident| incident.course.as_ref());
        course.is_some_and(|course| course.is_kept)
    }

    /// Refuses the level of the open incident: it lasts until the values are back. Tells since when it is
    /// open.
    pub fn keep(&mut self) -> Option<DateTime<Utc>> {
        let mut open = self.alerts.iter_mut().filter(|alert| alert.is_open());
        let incident = open.find(|alert| alert.side().is_some())?;
        incident.course.as_mut()?.is_kept = true;
        Some(incident.since)
    }

    /// The levels that were accepted and are not yet those of earlier weeks, oldest first.
    pub fn new_levels(&self, now: DateTime<Utc>) -> impl Iterator<Item = &AcceptedLevel> {
        let levels = self.evidence.accepted().iter();
        levels.filter(move |level| level.until > now)
    }

    /// Somebody knows of all that is open. Tells what that is.
    pub fn acknowledge(&mut self, acknowledgement: &Acknowledgement) -> Vec<&Alert> {
        let mut open: Vec<&mut Alert> = self
            .alerts
            .iter_mut()
            .filter(|alert| alert.is_open())
            .collect();
        for alert in &mut open {
            alert.acknowledged = Some(acknowledgement.clone());
        }
        open.into_iter().map(|alert| &*alert).collect()
    }

    /// The incident of a time, or the newest one.
    pub fn incident_at(&self, time: Option<DateTime<Utc>>) -> Option<Incident> {
        let mut incidents = self.incidents();
        match time {
            None => incidents.last().cloned(),
            Some(time) => {
                incidents.retain(|incident| incident.since <= time && time < incident.until);
                incidents.last().cloned()
            }
        }
    }

    /// The incidents that are remembered, oldest first, the open one included.
    pub fn incidents(&self) -> Vec<Incident> {
        let past = self.past.alerts.iter().filter_map(|past| {
            let Condition::Breach(side) = past.condition else {
                return None;
            };
            Some(Incident {
                id: past.id.clone(),
                side,
                since: past.since,
                until: past.until,
                size: past.worst.map(Worst::distance),
                is_open: false,
            })
        });
        let open = self.incident().and_then(|open| {
            let last = open.evaluation.as_ref().map(|last| last.bucket.end);
            Some(Incident {
                id: open.id.clone(),
                side: open.side()?,
                since: open.since,
                until: last.unwrap_or(open.since),
                size: open.worst.map(Worst::distance),
                is_open: true,
            })
        });
        past.chain(open).collect()
    }

    /// Somebody says what an incident was, in place of what was said of it before. One that is fine and
    /// still open is as if it were acknowledged, and its end is not told.
    pub fn answer(&mut self, incident: &Incident, nature: Nature, by: Author, at: DateTime<Utc>) {
        let evaluated = self.evaluated().map(|evaluated| evaluated.end);
        self.answers.retain(|answer| answer.alert != incident.id);
        self.answers.push(Answer {
            nature,
            alert: incident.id.clone(),
            side: incident.side,
            since: incident.since,
            until: incident.until,
            size: incident.size,
            size_then: incident.size,
            counts_from: evaluated.unwrap_or(at),
            by,
            at,
        });
        let surplus = self.answers.len().saturating_sub(Answer::MOST);
        self.answers.drain(..surplus);
        let mut alerts = self.alerts.iter_mut();
        if let Some(alert) = alerts.find(|alert| alert.id == incident.id) {
            alert.fine_since = (nature == Nature::Fine).then_some(at);
        }
    }

    /// All that people answered, for a replay.
    pub fn said(&self) -> Said {
        let past = self.past.alerts.iter();
        let past = past.filter_map(|past| past.acknowledged.clone());
        let open = self.alerts.iter().filter(|alert| alert.is_open());
        let open = open.filter_map(|alert| alert.acknowledged.clone());
        let mut acknowledgements: Vec<Acknowledgement> = past.chain(open).collect();
        acknowledgements.sort_by_key(|acknowledgement| acknowledgement.at);
        Said {
            answers: self.answers.clone(),
            acknowledgements,
        }
    }

    /// What people said of incidents, oldest first.
    pub fn answers(&self) -> &[Answer] {
        &self.answers
    }

    /// What people said, for the forecast.
    pub fn answers_for_forecast(&self) -> Answers {
        Answers {
            new_levels: self.levels_asked_for(),
            judged: self.answers.iter().map(Answer::for_forecast).collect(),
        }
    }

    /// The levels that somebody accepted, for the forecast, oldest first; of one that is hardly anything
    /// nothing is expected.
    fn levels_asked_for(&self) -> Vec<NewLevel> {
        const LEAST: f64 = 0.01;
        let levels = self.evidence.accepted().iter();
        let new = levels.filter_map(|level| {
            let ratio = f64::from(level.ratio);
            let new = NewLevel {
                since: level.since?,
                accepted_at: level.asked_at?,
                ratio,
            };
            (ratio > LEAST).then_some(new)
        });
        new.collect()
    }

    fn settle(&mut self, side: Side, evaluation: &Evaluation) {
        self.inside = 0;
        let mut alerts = self.alerts.iter().rev();
        let ended = alerts.find_map(|alert| alert.course.as_ref());
        if ended.is_some_and(Course::is_short) {
            self.evidence.settle_short(side, evaluation.bucket.end);
        } else {
            self.evidence.settle(side, evaluation.bucket.end);
        }
    }

    /// Opens an incident, in place of one on the other side.
    fn open_incident(&mut self, testimony: Testimony, evaluation: &Evaluation, now: DateTime<Utc>) {
        let mut turned_from = None;
        for alert in &mut self.alerts {
            if alert.is_open() && alert.side().is_some() {
                alert.end = Some(End::Turned);
                turned_from = Some(alert.since);
            }
        }
        self.inside = 0;
        let course = Course::new(&testimony, evaluation, &self.evidence);
        self.evidence.forget_sums();
        let mut incident = Alert {
            evaluation: Some(evaluation.clone()),
            turned_from,
            course: Some(course),
            ..Alert::new(Condition::Breach(testimony.side), testimony.since, now)
        };
        incident.note_worst(evaluation);
        // The breaches that this one confirms are of it too.
        let confirmed = self.recent.iter().filter(|recent| {
            let is_before = recent.start < evaluation.bucket.start;
            is_before && recent.start >= testimony.since && recent.side == Some(testimony.side)
        });
        for recent in confirmed {
            incident.days.count_outside(recent.start);
        }
        self.alerts.push(incident);
    }

    /// Opens an alert, or brings the open one's reason up to date.
    fn open(&mut self, condition: Condition, since: DateTime<Utc>, why: &str, now: DateTime<Utc>) {
        let mut open = self.alerts.iter_mut().filter(|alert| alert.is_open());
        match open.find(|alert| alert.condition == condition) {
            Some(alert) => alert.reason = why.to_string(),
            None => self.alerts.push(Alert {
                reason: why.to_string(),
                ..Alert::new(condition, since, now)
            }),
        }
    }

    fn end(&mut self, condition: Condition, now: DateTime<Utc>) {
        for alert in &mut self.alerts {
            if alert.is_open() && alert.condition == condition {
                alert.end = Some(End::Over {
                    until: now,
                    evaluation: None,
                });
            }
        }
    }
}

/// Why a value counts as frozen: it has not changed for longer than the history makes plausible.
fn frozen(evaluation: &Evaluation) -> Option<String> {
    let unchanged = evaluation.reference.unchanged;
    let per_hour = 3600 / evaluation.bucket.length().num_seconds().max(1);
    let fewest = match usize::try_from(per_hour) {
        Ok(per_hour @ 2..) => per_hour.max(12),
        _ => 6,
    };
    let is_frozen = unchanged.buckets > fewest.max(2 * unchanged.longest_before);
    is_frozen.then(|| {
        format!(
            "the value has been the same for {} buckets; before, it never was for more than {}",
            unchanged.buckets, unchanged.longest_before
        )
    })
}

/// Whether a metric is not to be told of now, by a silence or a quiet window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Muted {
    Yes,
    No,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
fn is_zero(count: &u32) -> bool {
    *count == 0
}
