//! Evidence that is added up over buckets, and who spoke of an incident first.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::budget::Limits;
use super::policy::Policy;
use crate::detect::{Departure, Evaluation, SpanTotal};
use crate::forecast::{Side, sigmas_of};
use crate::output::{is_of_days, round_digits};
use crate::series::Bucket;

/// What opened an incident.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Witness {
    /// Breaches of the band, as `confirm` asks.
    Breach,
    /// The newest bucket, with this two-sided tail probability.
    Bucket { score: f32 },
    /// So many buckets in a row that were a little off, together.
    Cusum { buckets: u32 },
    /// The total of the buckets of a time.
    Total { minutes: i64, seen: f32, usual: f32 },
    /// A fall within a rush, at whose level the newest bucket would have had `expected`.
    Fall { expected: f32 },
}

/// What the buckets of a metric have shown so far besides single breaches.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Evidence {
    #[serde(skip_serializing_if = "Sum::is_empty")]
    high: Sum,
    #[serde(skip_serializing_if = "Sum::is_empty")]
    low: Sum,
    /// The end of the last incident on either side: totals that reach behind it would tell of it again.
    #[serde(skip_serializing_if = "Option::is_none")]
    high_until: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    low_until: Option<DateTime<Utc>>,
    /// The same of an incident of few buckets.
    #[serde(skip_serializing_if = "Option::is_none")]
    short_until: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    accepted: Vec<AcceptedLevel>,
}

/// One side of a CUSUM (Page, *Continuous Inspection Schemes*, 1954).
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Sum {
    height: f32,
    /// Since it last was zero.
    buckets: u32,
    /// In them.
    #[serde(default, skip_serializing_if = "Shortfall::is_nothing")]
    shortfall: Shortfall,
}

/// A level that values kept for so long that it counts as usual too, beside that of earlier weeks, until
/// those have it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AcceptedLevel {
    /// As a multiple of what earlier weeks had.
    pub ratio: f32,
    /// When the values took it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<DateTime<Utc>>,
    pub until: DateTime<Utc>,
    /// The end of the bucket evaluated last when somebody accepted it, before `adapt_after` did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_at: Option<DateTime<Utc>>,
}

impl AcceptedLevel {
    /// For how long a level of buckets of this length counts as usual: until earlier weeks have it.
    pub fn lasting(bucket: Bucket) -> TimeDelta {
        match bucket.length() {
            length if !is_of_days(length) => TimeDelta::days(14),
            length if length < TimeDelta::days(6) => length * 60,
            // The median of five years has it after three.
            _ => TimeDelta::days(3 * 366),
        }
    }
}

/// What a witness says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Testimony {
    pub side: Side,
    pub witness: Witness,
    /// When what it tells of began.
    pub since: DateTime<Utc>,
    /// The level it is measured against, as a multiple of the usual; `None`: the levels that are usual.
    pub level: Option<f32>,
    /// Since it began.
    pub shortfall: Shortfall,
}

/// What was usual in a time, and what of it was not seen, in the metric's unit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Shortfall {
    /// `None` of what an earlier version counted, and of nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usual: Option<f32>,
    /// Negative where more was seen.
    pub missing: f32,
}

impl Shortfall {
    /// In a bucket whose level is this multiple of what earlier weeks had.
    pub fn of(evaluation: &Evaluation, level: f64) -> Self {
        let usual = usual_of(evaluation, level).zip(evaluation.value);
        usual.map_or_else(Self::default, |(usual, value)| Self {
            usual: Some(narrow(usual)),
            missing: narrow(usual - value),
        })
    }

    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        if self.is_nothing() {
            return other;
        }
        if other.is_nothing() {
            return self;
        }
        let usual = self.usual.zip(other.usual);
        Self {
            usual: usual.map(|(one, other)| add(one, other)),
            missing: add(self.missing, other.missing),
        }
    }

    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// By how much of what was usual the values are below that, or above: -0.13 is 13 % lower.
    pub fn change(self) -> Option<f64> {
        let usual = self.usual.filter(|usual| *usual > 0.0)?;
        Some(-f64::from(self.missing) / f64::from(usual))
    }
}

impl Testimony {
    /// Whether it is the total of an hour or less.
    pub fn is_of_hour(&self) -> bool {
        matches!(self.witness, Witness::Total { minutes, .. } if minutes <= 60)
    }
}

/// Scores farther out count as so many standard deviations: one bucket alone is another witness.
const MOST_SIGMAS: f64 = 4.0;
/// What is taken off each bucket: a shift of twice as much is found fastest.
const DRIFT: f64 = 0.5;
/// How far beyond its limit a sum may rise, in parts of it: it must come down in time.
const CEILING: f64 = 1.5;
/// What the reference must say too, in standard deviations, when the newest bucket or a CUSUM speaks.
const BUCKET_AGREES: f64 = 2.5;
const CUSUM_AGREES: f64 = 3.5;
/// Smaller departures, as a share of what is usual, are not told by totals of up to an hour, and of more.
const LEAST_SHARE: f64 = 0.04;
const LEAST_SHARE_OF_LONG: f64 = 0.06;

impl Sum {
    fn is_empty(&self) -> bool {
        self.buckets == 0
    }

    #[expect(clippy::cast_possible_truncation, reason = "a few digits are enough")]
    fn add(&mut self, sigmas: f64, shortfall: Shortfall, limit: f64) {
        let height = f64::from(self.height) + sigmas.clamp(-MOST_SIGMAS, MOST_SIGMAS) - DRIFT;
        *self = if height > 0.0 {
            Self {
                height: height.min(CEILING * limit) as f32,
                buckets: self.buckets + 1,
                shortfall: self.shortfall.plus(shortfall),
            }
        } else {
            Self::default()
        };
    }
}

impl Evidence {
    /// Takes in a bucket that follows the one before without a gap.
    pub fn add(&mut self, evaluation: &Evaluation, limits: Option<Limits>) {
        let now = evaluation.bucket.end;
        self.accepted.retain(|level| level.until > now);
        if let (Some(limits), Some(sigmas)) = (limits, signed_sigmas(evaluation)) {
            let limit = limits.cusum();
            let shortfall = Shortfall::of(evaluation, 1.0);
            self.high.add(sigmas, shortfall, limit);
            self.low.add(-sigmas, shortfall, limit);
        }
    }

    pub fn is_empty(&self) -> bool {
        self.high.is_empty()
            && self.low.is_empty()
            && self.high_until.is_none()
            && self.low_until.is_none()
            && self.accepted.is_empty()
    }

    /// After a gap, and after an incident, the sums begin anew.
    pub fn forget_sums(&mut self) {
        (self.high, self.low) = Default::default();
    }

    /// An incident ended.
    pub fn settle(&mut self, side: Side, at: DateTime<Utc>) {
        self.forget_sums();
        match side {
            Side::High => self.high_until = Some(at),
            Side::Low => self.low_until = Some(at),
        }
        self.short_until = None;
    }

    /// One of few buckets ended.
    pub fn settle_short(&mut self, side: Side, at: DateTime<Utc>) {
        self.settle(side, at);
        self.short_until = Some(at);
    }

    pub fn accept(&mut self, level: AcceptedLevel) {
        self.accepted.push(level);
    }

    /// Whether a level on this side of that of earlier weeks counts as usual too.
    pub fn has_accepted(&self, side: Side) -> bool {
        let mut accepted = self.accepted.iter();
        accepted.any(|level| (level.ratio > 1.0) == (side == Side::High))
    }

    /// Those that were accepted, oldest first.
    pub fn accepted(&self) -> &[AcceptedLevel] {
        &self.accepted
    }

    /// The levels that count as usual.
    pub fn levels(&self) -> Vec<f64> {
        let accepted = self.accepted.iter().map(|level| f64::from(level.ratio));
        std::iter::once(1.0).chain(accepted).collect()
    }

    /// Whether an incident of few buckets ended less than so long before this one.
    pub fn follows_short_one(&self, time: TimeDelta, evaluation: &Evaluation) -> bool {
        let end = self.short_until;
        end.is_some_and(|end| evaluation.bucket.end - end < time)
    }

    /// Whether a total is all of a time after the last incident on a side.
    pub fn is_settled_for(&self, side: Side, total: &SpanTotal, evaluation: &Evaluation) -> bool {
        let start = evaluation.bucket.end - total.length;
        let until = match side {
            Side::High => self.high_until,
            Side::Low => self.low_until,
        };
        until.is_none_or(|until| start >= until)
    }

    /// The first witness that has something to say of more than one bucket: totals, shortest first, then
    /// the CUSUMs.
    pub fn testimony(
        &self,
        evaluation: &Evaluation,
        levels: &[f64],
        limits: Limits,
        policy: &Policy,
    ) -> Option<Testimony> {
        let reference = &evaluation.reference;
        let count = reference.spans.len();
        for total in &reference.spans {
            let departure = total.departure(levels);
            let side = side_of(departure.sigmas);
            let is_far = departure.sigmas.abs() > limits.span(total, count, departure);
            if is_far
                && departure.share.abs() > least_share(total.length)
                && policy.direction.includes(side)
                && policy.is_total_large_enough(total, departure)
                && self.is_settled_for(side, total, evaluation)
            {
                let witness = Witness::Total {
                    minutes: total.length.num_minutes(),
                    seen: narrow(total.seen),
                    usual: narrow(total.usual),
                };
                return Some(Testimony {
                    side,
                    witness,
                    since: evaluation.bucket.end - total.length,
                    level: None,
                    shortfall: Shortfall {
                        usual: Some(narrow(total.usual)),
                        missing: narrow(total.usual - total.seen),
                    },
                });
            }
        }
        let hour = TimeDelta::hours(1).max(evaluation.bucket.length());
        let short = reference.spans.iter().filter(|total| total.length <= hour);
        [(Side::High, self.high), (Side::Low, self.low)]
            .into_iter()
            .find_map(|(side, sum)| {
                let agrees = short.clone().any(|total| {
                    let departure = total.departure(levels);
                    let away = towards(side, departure);
                    away.sigmas > CUSUM_AGREES
                        && away.share > LEAST_SHARE
                        && policy.is_total_large_enough(total, departure)
                });
                let speaks = f64::from(sum.height) > limits.cusum() && agrees;
                let end = evaluation.bucket.end;
                (speaks && policy.direction.includes(side)).then(|| Testimony {
                    side,
                    witness: Witness::Cusum {
                        buckets: sum.buckets,
                    },
                    since: evaluation.bucket_end_after(end, -i64::from(sum.buckets)),
                    level: None,
                    shortfall: sum.shortfall,
                })
            })
    }
}

/// What the totals of an evaluation would show for a budget, if nothing at all were seen from now on: the
/// shortest span in which a total outage stands out. `None` if none would.
pub fn outage_shows_after(evaluation: &Evaluation, policy: &Policy) -> Option<TimeDelta> {
    let limits = policy.limits(evaluation.bucket)?;
    let spans = &evaluation.reference.spans;
    let shows = |total: &&SpanTotal| {
        let departure = total.with_seen(0.0).departure(&[1.0]);
        -departure.sigmas > limits.span(total, spans.len(), departure)
    };
    spans.iter().find(shows).map(|total| total.length)
}

/// Whether the newest bucket is so far out that it is worth an alert by itself, and the reference does
/// not contradict.
pub fn far_side(
    evaluation: &Evaluation,
    levels: &[f64],
    limits: Limits,
    policy: &Policy,
) -> Option<Side> {
    let sigmas = signed_sigmas(evaluation).filter(|_| evaluation.score < Some(limits.bucket()))?;
    let side = side_of(sigmas);
    let shortest = evaluation.reference.spans.first();
    let agrees =
        shortest.is_none_or(|total| towards(side, total.departure(levels)).sigmas > BUCKET_AGREES);
    (agrees && policy.direction.includes(side) && policy.is_large_enough(evaluation))
        .then_some(side)
}

fn least_share(length: TimeDelta) -> f64 {
    if length <= TimeDelta::hours(1) {
        LEAST_SHARE
    } else {
        LEAST_SHARE_OF_LONG
    }
}

fn signed_sigmas(evaluation: &Evaluation) -> Option<f64> {
    let (value, band, score) = (evaluation.value?, evaluation.band?, evaluation.score?);
    Some(sigmas_of(score).copysign(value - band.expected))
}

/// What is usual of a bucket at a level, as a multiple of what earlier weeks had.
pub fn usual_of(evaluation: &Evaluation, level: f64) -> Option<f64> {
    let usual = evaluation.reference.bucket;
    let usual = usual.map(|total| total.usual * level);
    usual.or(evaluation.band.map(|band| band.expected))
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
pub fn is_nothing(amount: &f32) -> bool {
    *amount == 0.0
}

/// A few digits are enough for what is kept.
#[expect(clippy::cast_possible_truncation, reason = "a few digits are enough")]
pub fn narrow(number: f64) -> f32 {
    const DIGITS: usize = 5;
    let narrowed = round_digits(number, DIGITS) as f32;
    // JSON knows no infinite ones.
    narrowed.clamp(f32::MIN, f32::MAX)
}

/// Two amounts together, which is a number that can be kept.
fn add(one: f32, other: f32) -> f32 {
    (one + other).clamp(f32::MIN, f32::MAX)
}

fn side_of(sigmas: f64) -> Side {
    if sigmas < 0.0 { Side::Low } else { Side::High }
}

/// A departure as seen from a side: positive where it is on that side.
pub fn towards(side: Side, departure: Departure) -> Departure {
    let sign = match side {
        Side::High => 1.0,
        Side::Low => -1.0,
    };
    Departure {
        sigmas: sign * departure.sigmas,
        share: sign * departure.share,
        ..departure
    }
}
