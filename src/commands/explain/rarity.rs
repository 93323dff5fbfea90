//! How rare a value is, in words a person can weigh: "once in 12,000 buckets, about every 41 d".

use chrono::TimeDelta;

use crate::output::{separate_thousands, write_length};
use crate::series::Step;

const YEAR: TimeDelta = TimeDelta::minutes(525_960);
/// Nobody has the data to tell rarer events apart.
const LONGEST: TimeDelta = TimeDelta::days(36_525);

/// How often values come that have this two-sided tail probability, in (0, 1].
pub fn write_rarity(score: f64, step: Step) -> String {
    let length = step.mean_length().as_seconds_f64();
    if score.recip() * length > LONGEST.as_seconds_f64() {
        return "less than once in 100 years".to_string();
    }
    let buckets = two_digits(score.recip());
    let decimals = usize::from(buckets < 10.0);
    let told = separate_thousands(&format!("{buckets:.decimals$}"));
    let time = write_time_between(buckets * length);
    format!("once in {told} buckets, about every {time}")
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
            assert_eq!(write_rarity(score, step), told, "{score}");
        }
    }
}
