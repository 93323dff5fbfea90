//! When a metric's incidents are told, as somebody decided.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::Deserialize;

use super::budget::{Budget, Limits};
use super::quiet::QuietWindow;
use crate::detect::{Departure, Evaluation, SpanTotal};
use crate::forecast::{Direction, buckets_to_adapt};
use crate::output::is_of_days;
use crate::series::{Bucket, Step};

/// How a metric's incidents begin, are told again and end.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// How many false alerts are acceptable; `None`: each incident of breaches is told.
    pub budget: Option<Budget>,
    pub confirm: Confirm,
    /// So many buckets inside the band in a row end an incident; `None`: as [`Policy::recover_after`] has it.
    pub recover: Option<NonZeroU32>,
    pub renotify: Renotify,
    pub worse: Worsening,
    /// Whether the end of what was told is told too.
    pub notify_recovery: bool,
    /// How long checks may fail, or say nothing, before that is told.
    pub unwell_after: TimeDelta,
    /// How long a new level is an incident before it is accepted.
    pub adapt_after: TimeDelta,
    /// The side that counts.
    pub direction: Direction,
    /// Smaller deviations are never told.
    pub min_deviation: Option<LeastDeviation>,
    pub quiet: Vec<QuietWindow>,
    pub newcomers: Newcomers,
}

/// What people hear of a series that nobody could judge yet, for want of history.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Newcomers {
    /// That it cannot be judged.
    #[default]
    Told,
    /// Nothing: it came by itself, as others will.
    Silent,
}

impl Policy {
    /// That of one of so many series, which have one budget between them: each an equal part, so that all
    /// together give no more false alerts than it allows (C. E. Bonferroni's inequality).
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^53")]
    pub fn of_one_among(&self, count: usize) -> Self {
        let budget = self.budget;
        Self {
            budget: budget.map(|budget| budget.divided_by(count.max(1) as f64)),
            newcomers: Newcomers::Silent,
            ..self.clone()
        }
    }

    pub fn is_quiet(&self, time: DateTime<Tz>) -> bool {
        self.quiet.iter().any(|window| window.holds(time))
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            budget: None,
            confirm: Confirm::default(),
            recover: None,
            renotify: Renotify::default(),
            worse: Worsening::default(),
            notify_recovery: true,
            unwell_after: TimeDelta::minutes(10),
            adapt_after: TimeDelta::days(1),
            direction: Direction::default(),
            min_deviation: None,
            quiet: Vec::new(),
            newcomers: Newcomers::default(),
        }
    }
}

impl Policy {
    /// What the witnesses of an incident must show, of buckets of this length; `None`: breaches open it.
    pub fn limits(&self, bucket: Bucket) -> Option<Limits> {
        Some(self.budget?.limits(bucket.length(), self.direction))
    }

    /// Whether the budget suits the step, which may have been found in the data.
    pub fn check_step(&self, step: Step) -> Result<(), String> {
        self.budget.map_or(Ok(()), |budget| budget.check_step(step))
    }

    /// How many buckets in a row end an incident: by default two, and of a week or longer one.
    pub fn recover_after(&self, bucket: Bucket) -> u32 {
        let usual = if bucket.length() < TimeDelta::days(6) {
            2
        } else {
            1
        };
        self.recover.map_or(usual, NonZeroU32::get)
    }

    /// When a new level that opened an incident at a bucket's end has been one for long enough, `times` over;
    /// see [`buckets_to_adapt`].
    pub fn adapted_at(
        &self,
        evaluation: &Evaluation,
        opened_at: DateTime<Utc>,
        times: u8,
    ) -> DateTime<Utc> {
        let bucket = evaluation.bucket.length();
        if !is_of_days(bucket) {
            return opened_at + self.adapt_after * i32::from(times);
        }
        let buckets = buckets_to_adapt(self.adapt_after, bucket);
        evaluation.bucket_end_after(opened_at, i64::from(buckets) * i64::from(times))
    }

    /// Whether the newest bucket deviates by enough to be told.
    pub fn is_large_enough(&self, evaluation: &Evaluation) -> bool {
        let (Some(value), Some(band)) = (evaluation.value, evaluation.band) else {
            return true;
        };
        self.is_enough(value - band.expected, band.expected)
    }

    /// The same of the mean bucket of a total.
    #[expect(clippy::cast_precision_loss, reason = "a span has few buckets")]
    pub fn is_total_large_enough(&self, total: &SpanTotal, departure: Departure) -> bool {
        let usual = total.usual / total.buckets as f64;
        self.is_enough(departure.share * usual.abs(), usual)
    }

    fn is_enough(&self, difference: f64, usual: f64) -> bool {
        match self.min_deviation {
            None => true,
            Some(LeastDeviation::Share(share)) => difference.abs() >= share * usual.abs(),
            Some(LeastDeviation::Amount(amount)) => difference.abs() >= amount,
        }
    }
}

/// The smallest deviation that is worth telling.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
pub enum LeastDeviation {
    /// Of what is expected.
    Share(f64),
    /// In the metric's unit.
    Amount(f64),
}

impl TryFrom<String> for LeastDeviation {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (number, least): (&str, fn(f64) -> Self) = match text.trim().strip_suffix('%') {
            Some(percent) => (percent, |percent| Self::Share(percent / 100.0)),
            None => (text.trim(), Self::Amount),
        };
        let number = number.trim().parse().ok();
        let number = number.filter(|number: &f64| number.is_finite() && *number > 0.0);
        number.map(least).ok_or_else(|| {
            format!("{text:?} is not allowed; allowed: a share such as \"10 %\", or an amount such as \"500\"")
        })
    }
}

/// As it is written in the file.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
enum ConfirmText {
    Count(i64),
    Text(String),
}

/// So many breaches on one side, of so many judged buckets in a row, make an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "ConfirmText")]
pub struct Confirm {
    pub breaches: u32,
    pub of: u32,
}

impl Confirm {
    /// More would not fit the memory, nor anybody's patience.
    const MOST: u32 = 100;
    const RULE: &'static str = "a number from 1 to 100, or \"N of M\" with N at most M";

    fn new(breaches: u32, of: u32) -> Result<Self, String> {
        if breaches >= 1 && breaches <= of && of <= Self::MOST {
            Ok(Self { breaches, of })
        } else {
            let told = Self { breaches, of };
            Err(format!(
                "\"{told}\" is not allowed; allowed: {}",
                Self::RULE
            ))
        }
    }
}

impl Default for Confirm {
    /// The last point decides.
    fn default() -> Self {
        Self { breaches: 1, of: 1 }
    }
}

impl fmt::Display for Confirm {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        write!(formatter, "{} of {}", self.breaches, self.of)
    }
}

impl FromStr for Confirm {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers: Vec<&str> = text.split(" of ").map(str::trim).collect();
        let numbers: Option<Vec<u32>> = numbers.iter().map(|text| text.parse().ok()).collect();
        match numbers.as_deref() {
            Some([breaches]) => Self::new(*breaches, *breaches),
            Some([breaches, of]) => Self::new(*breaches, *of),
            _ => Err(format!("{text:?} is not allowed; allowed: {}", Self::RULE)),
        }
    }
}

impl TryFrom<ConfirmText> for Confirm {
    type Error = String;

    fn try_from(text: ConfirmText) -> Result<Self, String> {
        match text {
            ConfirmText::Count(count) => count.to_string().parse(),
            ConfirmText::Text(text) => text.parse(),
        }
    }
}

/// After how long what lasts is told again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renotify {
    After(TimeDelta),
    Never,
}

impl Default for Renotify {
    fn default() -> Self {
        Self::After(TimeDelta::hours(4))
    }
}

impl Renotify {
    /// Whether so long after it was told, it is to be repeated once more after so many repeats in a row:
    /// each time after twice as long, up to a day.
    pub fn is_due(self, since_told: TimeDelta, repeats: u8) -> bool {
        match self {
            Self::After(length) => {
                let pause = length * (1 << repeats.min(10));
                since_told >= pause.min(TimeDelta::days(1).max(length))
            }
            Self::Never => false,
        }
    }
}

/// By which factor a deviation must have grown since it was told to be told at once; above 1.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(try_from = "f64")]
#[schemars(extend("exclusiveMinimum" = 1, "maximum" = 1000))]
pub struct Worsening(f64);

impl Worsening {
    pub fn factor(self) -> f64 {
        self.0
    }
}

impl Default for Worsening {
    fn default() -> Self {
        Self(2.0)
    }
}

impl TryFrom<f64> for Worsening {
    type Error = String;

    fn try_from(factor: f64) -> Result<Self, String> {
        if factor > 1.0 && factor <= 1000.0 {
            Ok(Self(factor))
        } else {
            Err(format!(
                "{factor} is not allowed; allowed: a factor above 1, up to 1000"
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn breaches_are_confirmed_by_a_number_or_so_many_of_so_many() {
        let confirm = |text: &str| text.parse::<Confirm>();
        assert_eq!(confirm("3"), Ok(Confirm { breaches: 3, of: 3 }));
        assert_eq!(confirm("2 of 5"), Ok(Confirm { breaches: 2, of: 5 }));
        for wrong in ["0", "5 of 2", "1 of 101", "two", "1 of 2 of 3", ""] {
            let error = confirm(wrong).expect_err(wrong);
            assert!(error.contains("allowed: a number from 1 to 100"), "{error}");
        }
    }
}
