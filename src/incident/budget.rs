//! The acceptable rate of false alerts, and what each witness of an incident must show for it: the
//! budget is divided among the three in equal parts.

use std::fmt;
use std::str::FromStr;

use chrono::TimeDelta;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::detect::{Departure, SpanTotal};
use crate::forecast::{Direction, sigmas_of};
use crate::output::{magnitude, round_digits, write_number};
use crate::series::Step;

/// So many false alerts of a healthy series in a time, at most.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(extend("pattern" = r"^\s*[0-9.eE+-]+\s*/\s*(day|week|month|year)\s*$"))]
pub struct Budget {
    alerts: f64,
    /// A name of [`PERIODS`] and its length in days.
    per: (&'static str, f64),
}

const PERIODS: [(&str, f64); 4] = [
    ("day", 1.0),
    ("week", 7.0),
    ("month", 30.44),
    ("year", 365.25),
];
/// The witnesses that share the budget: the newest bucket, the CUSUM, the reference.
const WITNESSES: f64 = 3.0;
/// More than one in so many buckets is no rarity that anything could show.
const MOST_PER_BUCKET: f64 = 0.2;

/// What the witnesses must show.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// The share of the budget of one witness, in alerts a bucket.
    rate: f64,
    /// How many sides it is spent on.
    sides: f64,
    buckets_per_day: f64,
}

impl Budget {
    pub fn per_week(self) -> f64 {
        self.alerts * 7.0 / self.per.1
    }

    /// "1 false alert a week"
    pub fn in_words(self) -> String {
        let noun = if self.alerts.total_cmp(&1.0).is_eq() {
            "alert"
        } else {
            "alerts"
        };
        let (alerts, period) = (write_number(self.alerts), self.per.0);
        format!("{alerts} false {noun} a {period}")
    }

    /// A part of it.
    #[must_use]
    pub fn divided_by(self, divisor: f64) -> Self {
        Self {
            alerts: round_digits(self.alerts / divisor, 3),
            ..self
        }
    }

    fn per_bucket(self, bucket: TimeDelta) -> f64 {
        self.alerts * bucket.as_seconds_f64() / (self.per.1 * 86_400.0)
    }

    /// Refuses a budget of more alerts than there are surprises in buckets of this step.
    pub fn check_step(self, step: Step) -> Result<(), String> {
        /// Fewer are told by the year.
        const FEW: f64 = 0.1;
        let rate = self.per_bucket(step.mean_length());
        if rate <= MOST_PER_BUCKET {
            return Ok(());
        }
        let most = Self {
            alerts: self.alerts * MOST_PER_BUCKET / rate,
            ..self
        };
        let most = if most.alerts < FEW {
            most.per_year()
        } else {
            most
        };
        let scale = 10_f64.powi(1 - magnitude(most.alerts));
        let allowed = Self {
            alerts: (most.alerts * scale).floor() / scale,
            ..most
        };
        Err(format!(
            "max_false_alerts = \"{self}\": with every = \"{step}\", allowed: at most \"{allowed}\""
        ))
    }

    fn per_year(self) -> Self {
        let [.., year] = PERIODS;
        Self {
            alerts: self.alerts * year.1 / self.per.1,
            per: year,
        }
    }

    /// What the witnesses must show for it of buckets of this length.
    pub fn limits(self, bucket: TimeDelta, direction: Direction) -> Limits {
        Limits {
            rate: self.per_bucket(bucket).min(MOST_PER_BUCKET) / WITNESSES,
            sides: match direction {
                Direction::Both => 2.0,
                Direction::High | Direction::Low => 1.0,
            },
            buckets_per_day: (86_400.0 / bucket.as_seconds_f64()).max(1.0),
        }
    }
}

impl Limits {
    /// How rare the newest bucket must be: a two-sided tail probability.
    pub fn bucket(self) -> f64 {
        2.0 * self.rate / self.sides
    }

    /// How far a CUSUM of either side must rise, with a drift of a half: by the approximation of
    /// Siegmund (*Sequential Analysis*, 1985) for the mean time between false alarms of independent
    /// normal values, and a third more, since scores of business series are not quite independent.
    pub fn cusum(self) -> f64 {
        const SLACK: f64 = 4.0 / 3.0;
        const OVERSHOOT: f64 = 1.166;
        let mean_time = self.sides / self.rate;
        // (e^h - h - 1) / (2 drift^2) = mean time, with a drift of a half; by fixed-point iteration.
        let mut height: f64 = 1.0;
        for _ in 0..50 {
            height = (mean_time / 2.0 + 1.0 + height).ln();
        }
        SLACK * (height - OVERSHOOT)
    }

    /// How many standard deviations the total of a span must be off on a side, one of `count` spans that
    /// are looked at. A span of `n` buckets is a new one about every `n / 3` buckets. A spread that is
    /// itself measured in a few weeks may be wrong by a third. And it must be rare among the days of the
    /// history; but that nearly nothing is left is no matter of what is usual.
    #[expect(clippy::cast_precision_loss, reason = "a span has few buckets")]
    pub fn span(self, total: &SpanTotal, count: usize, departure: Departure) -> f64 {
        const OVERLAP: f64 = 3.0;
        const SLACK: f64 = 1.4;
        const SLACK_OF_EXTREMES: f64 = 1.2;
        const MOST_PROBABILITY: f64 = 0.2;
        const NEARLY_NOTHING: f64 = -0.85;
        let rate = self.rate / count.max(1) as f64;
        let probability = 2.0 / self.sides * rate * total.buckets as f64 / OVERLAP;
        let limit = SLACK * sigmas_of(probability.min(MOST_PROBABILITY));
        if departure.share < NEARLY_NOTHING {
            return limit;
        }
        let extremes = if departure.sigmas > 0.0 {
            total.highest
        } else {
            total.lowest
        };
        limit.max(SLACK_OF_EXTREMES * extremes.limit(rate * self.buckets_per_day / self.sides))
    }
}

impl FromStr for Budget {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let budget = text.split_once('/').and_then(|(alerts, per)| {
            let alerts = alerts.trim().parse().ok()?;
            let mut periods = PERIODS.into_iter();
            let per = periods.find(|(name, _)| *name == per.trim())?;
            Some(Self { alerts, per })
        });
        let budget = budget.filter(|budget| budget.alerts > 0.0 && budget.alerts.is_finite());
        budget.ok_or_else(|| {
            format!(
                "{text:?} is not a number of alerts in a time; allowed: a number above 0 per day, week, month or year, such as \"1/week\" or \"0.5/month\""
            )
        })
    }
}

impl TryFrom<String> for Budget {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        write!(formatter, "{}/{}", write_number(self.alerts), self.per.0)
    }
}
