//! The course of an incident: how large it is by the reference, which does not follow it, and what it takes
//! for its end. The past is not decided anew by each run: the incident keeps what its end depends on.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::budget::Limits;
use super::evidence::{
    Evidence, Shortfall, Testimony, Witness, is_nothing, narrow, towards, usual_of,
};
use super::policy::Policy;
use crate::detect::{Departure, Evaluation, JudgedTime, SpanTotal};
use crate::forecast::Side;
use crate::output::is_of_days;

/// How an incident goes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Course {
    pub witness: Witness,
    /// The end of the bucket that opened it.
    #[serde(rename = "opened", with = "chrono::serde::ts_seconds")]
    opened_at: DateTime<Utc>,
    /// The largest share of what is usual that a total was off; 0 where the reference saw nothing yet.
    #[serde(default, skip_serializing_if = "is_nothing")]
    depth: f32,
    /// The same of single buckets.
    #[serde(default, skip_serializing_if = "is_nothing")]
    peak: f32,
    /// How its single buckets went.
    #[serde(default)]
    run: Run,
    /// The share that the last hour was off.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub share: f32,
    /// The longest total that showed it at its opening, in minutes.
    #[serde(default, skip_serializing_if = "is_no_time")]
    shown_by: i64,
    /// The level it is measured against, as a multiple of the usual; `None`: the levels that are usual.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    level: Option<f32>,
    /// The level that the values took during it, a slow mean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    own_level: Option<f32>,
    /// From its begin to the end of its latest bucket outside.
    #[serde(flatten)]
    pub shortfall: Shortfall,
    /// The same of the buckets after that one, which may be those of its recovery.
    #[serde(default, skip_serializing_if = "Shortfall::is_nothing")]
    shortfall_after: Shortfall,
    /// What is usual of the newest bucket alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usual_of_bucket: Option<f32>,
    /// Whether somebody refused its level, so that time alone does not make it the new normal.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_kept: bool,
    /// Whether it opened while a new level on its side counted as usual: it may be a slide that goes on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    follows_new_level: bool,
}

/// How the single buckets of an incident went, as far as the reference tells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Run {
    /// So many in a row were off.
    Off(u32),
    /// After so many that were off, so many in a row were back.
    Back { off: u32, back: u32 },
    /// They come and go, as with a job that does not run each hour: single ones say nothing.
    #[default]
    Sporadic,
}

/// What a bucket says of an open incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It lasts.
    Off,
    /// Nothing can be told, as at hours at which nothing is usual.
    Unclear,
    /// Values are back where they are usual; so many such buckets in a row end the incident.
    Back { needed: u32 },
}

/// A departure that the reference is sure of, in standard deviations, and one it is not calm about.
const SEEN_SIGMAS: f64 = 2.5;
const CALM_SIGMAS: f64 = 1.5;
/// A total tells that an incident is over if it is so many standard deviations from where the incident had
/// it.
const TELLING_SIGMAS: f64 = 4.5;
/// A total outage leaves so much, for the sake of the figures.
const LEAST_LEFT: f64 = 0.05;
/// A longer total shows the same incident as a bucket if it is off by this part of it or more.
const LEAST_OF_BUCKET: f64 = 0.25;
/// A level that moved on by so many standard deviations of a day still moves.
const MOVED_SIGMAS: f64 = 1.0;
/// So many half-widths of the band from what is expected is far out.
const FAR_OUT: f64 = 2.0;
const ONE_DAY: TimeDelta = TimeDelta::days(1);
/// So much later the opening is over, and what comes is the incident's own doing.
const OPENING: TimeDelta = TimeDelta::minutes(60);
/// What is worse for so long, or since the opening, is told to be.
const STEADY: TimeDelta = TimeDelta::hours(3);
/// An incident that is mailed within a budget must have lasted for so many buckets before single ones end
/// it: one bucket may be the first of a sporadic one.
const SOLID_RUN: u32 = 3;
/// What begins so soon after the end of a shorter one may be the same again.
const SOON: TimeDelta = TimeDelta::minutes(90);
/// A fall within a rush: the rush is at least so high, and the fall at least so deep.
const RUSH_LEVEL: f32 = 1.3;
const FALL_SHARE: f64 = 0.35;

impl Course {
    pub fn new(testimony: &Testimony, evaluation: &Evaluation, evidence: &Evidence) -> Self {
        let (side, witness) = (testimony.side, testimony.witness);
        let mut course = Self {
            witness,
            opened_at: evaluation.bucket.end,
            depth: 0.0,
            peak: 0.0,
            run: if evidence.follows_short_one(SOON, evaluation) {
                Run::Sporadic
            } else {
                Run::Off(1)
            },
            share: 0.0,
            shown_by: 0,
            level: testimony.level,
            own_level: None,
            shortfall: testimony.shortfall,
            shortfall_after: Shortfall::default(),
            usual_of_bucket: None,
            is_kept: false,
            follows_new_level: evidence.has_accepted(side),
        };
        let levels = match witness {
            // As it will be followed: only the level of earlier weeks is usual.
            Witness::Breach => vec![1.0],
            _ => course.levels(&evidence.levels()),
        };
        let spans = &evaluation.reference.spans;
        let seen = |total: &&SpanTotal| towards(side, total.departure(&levels)).sigmas;
        let farthest = spans
            .iter()
            .max_by(|one, other| seen(one).total_cmp(&seen(other)));
        if let Some(total) = farthest.filter(|total| seen(total) >= SEEN_SIGMAS) {
            course.deepen(towards(side, total.departure(&levels)).share.max(0.02));
        }
        course.shown_by = match witness {
            Witness::Total { minutes, .. } => minutes,
            Witness::Cusum { .. } | Witness::Bucket { .. } | Witness::Fall { .. } => 0,
            Witness::Breach => {
                let day = TimeDelta::days(1);
                let mut long = spans.iter().rev().filter(|total| total.length <= day);
                // By the buckets before the newest one, and not too small beside it to be the same.
                let bucket = evaluation.reference.bucket;
                let excess = bucket.map_or(0.0, |bucket| bucket.seen - bucket.usual);
                let bucket = bucket.map(|bucket| course.departure(&bucket, side, &levels).share);
                let least = LEAST_OF_BUCKET * bucket.unwrap_or(0.0);
                let shown = long.find(|total| {
                    let before = total.with_seen(total.seen - excess);
                    let departure = course.departure(&before, side, &levels);
                    departure.sigmas > SEEN_SIGMAS
                        && departure.share >= least
                        && evidence.is_settled_for(side, total, evaluation)
                });
                shown.map_or(0, |total| total.length.num_minutes())
            }
        };
        course.usual_of_bucket = course.usual_of(evaluation);
        course.follow_bucket(evaluation, side, &levels);
        // The hour has hardly begun to show it, or shows it better than what is longer.
        let reference = &evaluation.reference;
        let shares = reference.bucket.iter().chain(reference.hour());
        let shares = shares.map(|total| course.departure(total, side, &levels).share);
        course.share = course.told_share(shares.fold(course.depth.into(), f64::max));
        course
    }

    /// The time whose total opened it, or that its CUSUM is of, as of the bucket that did; `None` where that
    /// bucket tells it by itself.
    pub fn judged_time(&self, opening: &Evaluation) -> Option<JudgedTime> {
        let end = opening.bucket.end;
        let (length, expected) = match self.witness {
            _ if end != self.opened_at => return None,
            Witness::Breach | Witness::Bucket { .. } | Witness::Fall { .. } => return None,
            Witness::Total { minutes, usual, .. } => (TimeDelta::minutes(minutes), usual.into()),
            Witness::Cusum { buckets } => {
                let longest = opening.bucket.length() * i32::try_from(buckets).unwrap_or(i32::MAX);
                let mut spans = opening.reference.spans.iter();
                let total = spans.rfind(|total| total.length <= longest)?;
                (total.length, total.usual)
            }
        };
        let start = end - length;
        Some(JudgedTime {
            start,
            end,
            expected,
        })
    }

    /// The levels it is measured against.
    pub fn levels(&self, usual: &[f64]) -> Vec<f64> {
        self.level
            .map_or_else(|| usual.to_vec(), |level| vec![level.into()])
    }

    /// How far a total is off on its side.
    fn departure(&self, total: &SpanTotal, side: Side, usual: &[f64]) -> Departure {
        towards(side, total.departure(&self.levels(usual)))
    }

    /// Takes in a bucket after the one that opened it, and tells what that says. `usual` are the levels
    /// that count as usual; `evidence` knows which totals are all of a time after the last incident.
    pub fn follow(
        &mut self,
        evaluation: &Evaluation,
        side: Side,
        usual: &[f64],
        evidence: &Evidence,
    ) -> Standing {
        let age = evaluation.bucket.end - self.opened_at;
        if let Some(hour) = evaluation.reference.hour() {
            let departure = self.departure(hour, side, usual);
            let deepens = age <= OPENING || departure.share > 1.5 * f64::from(self.depth);
            if departure.sigmas > SEEN_SIGMAS && deepens {
                self.deepen(departure.share);
            }
            // What is back in the last minutes is not getting worse, and what one hour alone shows is chance.
            let longest = hour.length.max(age.min(STEADY));
            let spans = evaluation.reference.spans.iter();
            let shares = spans
                .filter(|total| total.length <= longest)
                .map(|total| self.departure(total, side, usual).share);
            self.share = self.told_share(shares.fold(departure.share, f64::min));
            if age >= OPENING * 3 / 2
                && let Some(level) = hour.level().map(narrow)
            {
                let mean = self
                    .own_level
                    .map_or(level, |mean| mean + (level - mean) / 12.0);
                self.own_level = Some(mean);
            }
        }
        let level = self.level.map_or(1.0, f64::from);
        let shortfall = Shortfall::of(evaluation, level);
        self.shortfall_after = self.shortfall_after.plus(shortfall);
        self.usual_of_bucket = self.usual_of(evaluation);
        let bucket = self.follow_bucket(evaluation, side, usual);
        let is_breach = evaluation.side() == Some(side);
        // What a running total lacks, it lacks until it begins anew.
        let is_behind = evaluation
            .reference
            .total_since
            .is_some_and(|since| since < self.opened_at);
        match bucket.unwrap_or_else(|| self.standing(evaluation, side, usual, evidence)) {
            _ if is_breach => Standing::Off,
            Standing::Back { .. } if is_behind && self.depth > 0.0 => Standing::Unclear,
            Standing::Back { .. } if !could_fire(evaluation, side) && self.depth == 0.0 => {
                Standing::Unclear
            }
            standing => standing,
        }
    }

    /// It reaches up to the bucket that was followed last.
    pub fn extend(&mut self) {
        let after = std::mem::take(&mut self.shortfall_after);
        self.shortfall = self.shortfall.plus(after);
    }

    /// What a bucket says by itself, if it tells anything: where one bucket is worth enough, the incident
    /// is over as soon as single ones are back.
    fn follow_bucket(
        &mut self,
        evaluation: &Evaluation,
        side: Side,
        usual: &[f64],
    ) -> Option<Standing> {
        let bucket = evaluation.reference.bucket?;
        let departure = self.departure(&bucket, side, usual);
        let half = f64::from(self.peak) / 2.0;
        let is_off = departure.sigmas >= SEEN_SIGMAS && departure.share >= half;
        if is_off {
            self.peak = self.peak.max(narrow(departure.share.min(1.0)));
            self.run = match self.run {
                Run::Off(off) => Run::Off(off.saturating_add(1)),
                Run::Back { off, back: 1 } => Run::Off(off),
                Run::Back { .. } | Run::Sporadic => Run::Sporadic,
            };
            return Some(Standing::Off);
        }
        let is_telling = self.peak > 0.0
            && departure.share < half
            && self.sigmas_from(self.peak, &bucket, side, usual) >= TELLING_SIGMAS;
        let (off, back) = match self.run {
            _ if !is_telling => return None,
            Run::Off(off) => (off, 1),
            Run::Back { off, back } => (off, back.saturating_add(1)),
            Run::Sporadic => return None,
        };
        self.run = Run::Back { off, back };
        let is_solid = self.witness == Witness::Breach || off >= SOLID_RUN;
        // What a longer total showed at the opening, a bucket does not end.
        let is_sudden = TimeDelta::minutes(self.shown_by) <= OPENING;
        (is_solid && is_sudden).then_some(Standing::Back { needed: 0 })
    }

    fn standing(
        &self,
        evaluation: &Evaluation,
        side: Side,
        usual: &[f64],
        evidence: &Evidence,
    ) -> Standing {
        let spans = &evaluation.reference.spans;
        let day = TimeDelta::days(1).max(evaluation.bucket.length());
        let of = |total: &SpanTotal| self.departure(total, side, usual);
        let depth = f64::from(self.depth);
        if self.depth == 0.0 {
            let mut heard = spans.iter().filter(|total| {
                total.length <= day && evidence.is_settled_for(side, total, evaluation)
            });
            let is_calm = heard.all(|total| of(total).sigmas < CALM_SIGMAS);
            return if is_calm {
                Standing::Back { needed: 0 }
            } else {
                Standing::Unclear
            };
        }
        let age = evaluation.bucket.end - self.opened_at;
        let is_long = is_of_days(evaluation.bucket.length());
        let longest = if is_long { age } else { day.min(age) };
        let telling = spans.iter().find(|total| {
            total.length <= longest
                && self.sigmas_from(self.depth, total, side, usual) >= TELLING_SIGMAS
        });
        let is_half_back = |total: &SpanTotal| of(total).share < depth / 2.0;
        let hour = evaluation.reference.hour();
        let is_seen = |total: &SpanTotal| of(total).sigmas >= SEEN_SIGMAS;
        let is_still_shown =
            |total: &SpanTotal| of(total).sigmas >= CALM_SIGMAS || !is_half_back(total);
        if hour.is_some_and(is_seen)
            || spans.first().is_some_and(is_seen)
            || self.long_total(evaluation).is_some_and(is_still_shown)
        {
            return Standing::Off;
        }
        match telling {
            Some(total) if is_half_back(total) => Standing::Back {
                needed: u32::try_from(total.buckets / 4).unwrap_or(u32::MAX),
            },
            Some(_) => Standing::Off,
            // A small one of days, weeks or months no total may ever tell: it is over when all are calm.
            None if is_long
                && spans.iter().all(|total| total.length <= age)
                && spans.iter().all(|total| of(total).sigmas < CALM_SIGMAS) =>
            {
                Standing::Back { needed: 0 }
            }
            None => Standing::Unclear,
        }
    }

    /// The total of longer than the opening that showed it at its opening.
    fn long_total<'a>(&self, evaluation: &'a Evaluation) -> Option<&'a SpanTotal> {
        let mut spans = evaluation.reference.spans.iter();
        // A month is shorter than another, and a day where the clocks change.
        let near = |total: &&SpanTotal| {
            let (length, shown_by) = (total.length.num_minutes(), self.shown_by);
            (length - shown_by).abs() <= shown_by / 8
        };
        spans.find(near).filter(|total| total.length > OPENING)
    }

    /// How far a total is from where the incident has it, on the way back to what is usual. That far from
    /// it, it is over; of small counts, what is seen tells that better than what is not.
    fn sigmas_from(&self, depth: f32, total: &SpanTotal, side: Side, usual: &[f64]) -> f64 {
        let depth = f64::from(depth);
        let incident = match side {
            Side::Low => (1.0 - depth).max(LEAST_LEFT),
            Side::High => 1.0 + depth,
        };
        let levels = self.levels(usual).into_iter();
        let departures =
            levels.map(|level| -towards(side, total.departure_from_level(level * incident)).sigmas);
        departures.fold(f64::INFINITY, f64::min)
    }

    /// Whether the newest buckets fell out of a rush, though not as far as to what is usual. The fall is
    /// measured against the level of the rush.
    pub fn fall_within(
        &self,
        evaluation: &Evaluation,
        side: Side,
        limits: Limits,
    ) -> Option<Testimony> {
        let rush = self
            .own_level
            .filter(|level| side == Side::High && *level > RUSH_LEVEL)?;
        let reference = &evaluation.reference;
        let (bucket, shortest) = (reference.bucket?, reference.spans.first()?);
        let departure = shortest.departure(&[f64::from(rush)]);
        let limit = limits.span(shortest, reference.spans.len(), departure);
        let is_fall = departure.sigmas < -limit && departure.share < -FALL_SHARE;
        let is_still_high = bucket.departure(&[1.0]).sigmas > 3.0;
        let is_fall_within = self.level.is_none() && is_fall && is_still_high;
        is_fall_within.then(|| Testimony {
            side: side.other(),
            witness: Witness::Fall {
                expected: narrow(bucket.usual * f64::from(rush)),
            },
            since: evaluation.bucket.start,
            level: Some(rush),
            shortfall: Shortfall::of(evaluation, rush.into()),
        })
    }

    /// Whether too few buckets were off to say that single ones end it.
    pub fn is_short(&self) -> bool {
        match self.run {
            Run::Off(off) | Run::Back { off, .. } => off < SOLID_RUN,
            Run::Sporadic => true,
        }
    }

    /// Whether a breach on the other side is only one of a forecast that followed the incident, which the
    /// last hour still shows, or a longer total; the latter may hold a rush that is far out.
    pub fn explains_opposite(&self, evaluation: &Evaluation, side: Side, usual: &[f64]) -> bool {
        let is_far = evaluation
            .deviation
            .is_some_and(|deviation| deviation.abs() >= FAR_OUT);
        let shows = |total: &SpanTotal| self.departure(total, side, usual).sigmas >= SEEN_SIGMAS;
        let long = self.long_total(evaluation).filter(|_| !is_far);
        evaluation.reference.hour().is_some_and(shows) || long.is_some_and(shows)
    }

    /// For how long it has been open, up to the end of a bucket.
    pub fn age(&self, evaluation: &Evaluation) -> TimeDelta {
        evaluation.bucket.end - self.opened_at
    }

    /// Whether the last day is no farther out than the longest total of its time: what still moves is no
    /// new level.
    pub fn is_level(&self, evaluation: &Evaluation, side: Side) -> bool {
        let spans = &evaluation.reference.spans;
        let day = spans.iter().find(|total| total.length >= ONE_DAY);
        let age = self.age(evaluation);
        let longest = spans.iter().rev().find(|total| total.length <= age);
        let (Some(day), Some(level)) = (day, longest.and_then(SpanTotal::level)) else {
            return true;
        };
        towards(side, day.departure_from_level(level)).sigmas < MOVED_SIGMAS
    }

    /// The level that the values of the last day have, as a multiple of what earlier weeks had, if that is
    /// still the incident's; of days, that of the last seven, and of weeks and months of the last three.
    pub fn new_level(&self, evaluation: &Evaluation, side: Side, usual: &[f64]) -> Option<f32> {
        let spans = &evaluation.reference.spans;
        let is_long = |total: &&SpanTotal| match evaluation.bucket.length() {
            bucket if !is_of_days(bucket) => total.length >= ONE_DAY,
            bucket if bucket < TimeDelta::days(6) => total.buckets >= 7,
            _ => total.buckets >= 3,
        };
        let total = spans.iter().find(is_long).or(spans.last())?;
        let lasts = spans.iter().any(|total| {
            let departure = self.departure(total, side, usual);
            let depth = f64::from(self.depth);
            depth * departure.information >= TELLING_SIGMAS && departure.share > depth / 2.0
        });
        total.level().filter(|_| lasts).map(narrow)
    }

    /// The level that the values have had during it, up to a day, as a multiple of what earlier weeks had.
    pub fn present_level(&self, evaluation: &Evaluation) -> Option<f32> {
        let longest = self.age(evaluation).min(TimeDelta::days(1));
        let mut spans = evaluation.reference.spans.iter();
        let during = spans.rfind(|total| total.length <= longest);
        let total = during.or(evaluation.reference.bucket.as_ref())?;
        total.level().map(narrow)
    }

    /// When its level becomes the new normal, if it lasts; after another new level, it must last longer.
    pub fn accepted_from(&self, evaluation: &Evaluation, policy: &Policy) -> Option<DateTime<Utc>> {
        const TIMES_AFTER_ANOTHER: u8 = 3;
        let times = if self.follows_new_level {
            TIMES_AFTER_ANOTHER
        } else {
            1
        };
        (!self.is_kept).then(|| policy.adapted_at(evaluation, self.opened_at, times))
    }

    /// Of an incident of breaches it is the band that says how bad it is.
    fn told_share(&self, share: f64) -> f32 {
        match self.witness {
            Witness::Breach => 0.0,
            _ => narrow(share.max(0.0)),
        }
    }

    fn deepen(&mut self, share: f64) {
        self.depth = narrow(share.clamp(self.depth.into(), 1.0));
    }

    fn usual_of(&self, evaluation: &Evaluation) -> Option<f32> {
        usual_of(evaluation, self.level.map_or(1.0, f64::from)).map(narrow)
    }
}

/// Where the band reaches the end of the possible values, a normal bucket says nothing of an incident on
/// that side.
fn could_fire(evaluation: &Evaluation, side: Side) -> bool {
    let possible = match side {
        Side::High => evaluation.high_possible,
        Side::Low => evaluation.low_possible,
    };
    possible != Some(false)
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
fn is_no_time(minutes: &i64) -> bool {
    *minutes == 0
}

#[cfg(test)]
impl Course {
    /// One that a witness opened, and that lacks so much since, a fifth of what was usual.
    pub fn sample(witness: Witness, opened_at: DateTime<Utc>, missing: f32) -> Self {
        Self {
            witness,
            opened_at,
            depth: 0.2,
            peak: 0.2,
            run: Run::Off(1),
            share: 0.2,
            shown_by: 0,
            level: None,
            own_level: None,
            shortfall: Shortfall {
                usual: Some(5.0 * missing),
                missing,
            },
            shortfall_after: Shortfall::default(),
            usual_of_bucket: Some(1_800.0),
            is_kept: false,
            follows_new_level: false,
        }
    }
}
