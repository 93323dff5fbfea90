//! How rare a value is, in words a person can weigh: "once in 12,000 buckets, about every 41 d".

use chrono::TimeDelta;

use crate::output::{separate_thousands, write_length};
use crate::series::Step;

/// How often values so far out come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rarity {
    /// One in so many buckets.
    pub buckets: f64,
    step: Step,
}

const YEAR: TimeDelta = TimeDelta::minutes(525_960);
/// Nobody has the data to tell rarer events apart.
const LONGEST: TimeDelta = TimeDelta::days(36_525);

impl Rarity {
    /// From a two-sided tail probability, in (0, 1].
    pub fn of(score: f64, step: Step) -> Self {
        Self {
            buckets: score.recip(),
            step,
        }
    }

    /// The time between two, in seconds.
    pub fn seconds(self) -> f64 {
        self.buckets * self.step.delta().as_seconds_f64()
    }

    pub fn write(self) -> String {
        if self.seconds() > LONGEST.as_seconds_f64() {
            return "less than once in 100 years".to_string();
        }
        let buckets = two_digits(self.buckets);
        let decimals = usize::from(buckets < 10.0);
        let seconds = buckets * self.step.delta().as_seconds_f64();
        format!(
            "once in {} buckets, about every {}",
            separate_thousands(&format!("{buckets:.decimals$}")),
            write_time_between(seconds)
        )
    }
}

fn write_time_between(seconds: f64) -> String {
    let years = seconds / YEAR.as_seconds_f64();
    if years >= 2.0 {
        return format!("{years:.0} years");
    }
    #[expect(clippy::cast_possible_truncation, reason = "less than two years")]
    let time = TimeDelta::seconds(seconds.round() as i64);
    write_length(time)
}

/// More of them would claim what no history can tell.
fn two_digits(number: f64) -> f64 {
    let scale = 10_f64.powf(1.0 - number.log10().floor());
    (number * scale).round() / scale
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rarity_is_told_in_buckets_and_in_time() {
        let step: Step = "5m".parse().expect("a step");
        for (score, told) in [
            (1.0, "once in 1.0 buckets, about every 5 min"),
            (0.4, "once in 2.5 buckets, about every 12 min 30 s"),
            (0.001, "once in 1,000 buckets, about every 3 d 11 h"),
            (1.61e-7, "once in 6,200,000 buckets, about every 59 years"),
            (1e-9, "less than once in 100 years"),
            (f64::MIN_POSITIVE, "less than once in 100 years"),
        ] {
            assert_eq!(Rarity::of(score, step).write(), told, "{score}");
        }
    }
}
