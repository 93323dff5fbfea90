//! How easily a value counts as a breach: as the level of the band, or as an acceptable rate of false
//! alerts, from which the level follows.
//!
//! With independent breaches of probability `p` a bucket, a breach begins an episode where the bucket
//! before was none: `r = p (1 - p)` episodes a bucket, so `p = (1 - sqrt(1 - 4 r)) / 2`. Where one
//! side alone counts, only one of the band's two tails does: `1 - level` is `2 p` then, and else `p`.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

use super::{Direction, Level};
use crate::series::Step;

/// What the width of the band is chosen by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Sensitivity {
    Level(Level),
    Budget(Budget),
}

impl Default for Sensitivity {
    fn default() -> Self {
        Self::Level(Level::default())
    }
}

/// The acceptable rate of false alerts: episodes, of any number of breaches in a row, of a healthy
/// series.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(try_from = "String")]
pub struct Budget {
    episodes: f64,
    /// A name of [`PERIODS`] and its length in days.
    per: (&'static str, f64),
}

const PERIODS: [(&str, f64); 3] = [("day", 1.0), ("week", 7.0), ("month", 30.44)];

impl Budget {
    /// The level of the band that makes as many false alerts as are acceptable. It keeps two digits of
    /// its distance from 1: breaches are not so independent that a third would mean anything.
    pub fn level(self, step: Step, direction: Direction) -> Result<Level, String> {
        let tails = match direction {
            Direction::Both => 1.0,
            Direction::High | Direction::Low => 2.0,
        };
        let buckets = self.per.1 * 86_400.0 / step.delta().as_seconds_f64();
        let rate = self.episodes / buckets;
        let probability = 2.0 * rate / (1.0 + (1.0 - 4.0 * rate).sqrt());
        let [fewest, most] = [Level::HIGHEST, Level::LOWEST].map(|level| (1.0 - level) / tails);
        let of = |probability: f64| probability * (1.0 - probability) * buckets;
        let refused = |bound: &str, episodes: f64| {
            let allowed = Self { episodes, ..self };
            Err(format!(
                "max_false_alerts = \"{self}\": with every = \"{step}\", allowed: {bound} \"{allowed}\""
            ))
        };
        // The rate alone tells above a quarter, where no probability makes it.
        if rate > of(most) / buckets {
            return refused("at most", two_digits(of(most), f64::floor));
        }
        if probability < fewest {
            return refused("at least", two_digits(of(fewest), f64::ceil));
        }
        let level = 1.0 - tails * probability;
        let decimals = 10_f64.powf(1.0 - (1.0 - level).log10().floor());
        let level = ((level * decimals).round() / decimals).clamp(Level::LOWEST, Level::HIGHEST);
        Level::new(level)
            .ok_or_else(|| format!("max_false_alerts = \"{self}\": no level is {level}"))
    }
}

fn two_digits(number: f64, round: impl Fn(f64) -> f64) -> f64 {
    let scale = 10_f64.powf(1.0 - number.log10().floor());
    round(number * scale) / scale
}

impl FromStr for Budget {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let budget = text.split_once('/').and_then(|(episodes, per)| {
            let episodes = episodes.trim().parse().ok()?;
            let mut periods = PERIODS.into_iter();
            let per = periods.find(|(name, _)| *name == per.trim())?;
            Some(Self { episodes, per })
        });
        let budget = budget.filter(|budget| budget.episodes > 0.0 && budget.episodes.is_finite());
        budget.ok_or_else(|| {
            format!(
                "{text:?} is not a number of alerts in a time; allowed: a number above 0 per day, week or month, such as \"1/week\" or \"0.5/month\""
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
        write!(formatter, "{}/{}", self.episodes, self.per.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forecast::proofs::Random;

    fn level(budget: &str, step: &str, direction: Direction) -> Result<f64, String> {
        let budget: Budget = budget.parse().expect("a budget");
        let level = budget.level(step.parse().expect("a step"), direction)?;
        Ok(level.share())
    }

    #[test]
    fn a_budget_is_a_number_of_alerts_in_a_time() {
        for text in ["1/week", "0.5/month", "12/day"] {
            let budget: Budget = text.parse().expect("a budget");
            assert_eq!(budget.to_string(), text);
        }
        for text in [
            "", "1", "1/", "/week", "0/day", "-1/day", "1/year", "inf/day", "NaN/day",
        ] {
            let refusal = text.parse::<Budget>().expect_err(text);
            let rule = "allowed: a number above 0 per day, week or month";
            assert!(refusal.contains(rule), "{refusal}");
        }
    }

    #[test]
    fn the_level_follows_from_the_budget_the_step_and_the_sides_that_count() {
        // To two digits of its distance from 1, what scipy 1.17.1 finds of each line:
        // from scipy.optimize import brentq
        // for k, days, step, tails in ((1,7,300,1), (1,7,300,2), (1,30.44,60,1), (1,30.44,3600,1),
        //                              (1,7,86400,1), (3,1,3600,1), (2,1,3600,2)):
        //   n = days*86400/step; print(1 - tails*brentq(lambda p: p*(1 - p)*n - k, 0, .5))
        for (budget, step, direction, expected) in [
            ("1/week", "5m", Direction::Both, 0.9995),
            ("1/week", "5m", Direction::High, 0.99901),
            ("1/week", "5m", Direction::Low, 0.99901),
            ("1/month", "1m", Direction::Both, 0.999_977),
            ("1/month", "1h", Direction::Both, 0.9986),
            ("1/week", "1d", Direction::Both, 0.83),
            ("3/day", "1h", Direction::Both, 0.85),
            ("2/day", "1h", Direction::High, 0.82),
        ] {
            let level = level(budget, step, direction);
            assert_eq!(level, Ok(expected), "{budget} {step}");
        }
    }

    #[test]
    fn a_budget_no_level_meets_is_refused_with_the_nearest_that_one_does() {
        for (budget, step, direction, bound, nearest) in [
            ("2/day", "1day", Direction::Both, "at most", "0.25/day"),
            ("2/day", "1day", Direction::High, "at most", "0.18/day"),
            ("1/month", "1s", Direction::Both, "at least", "2.7/month"),
        ] {
            let told = format!(
                "max_false_alerts = \"{budget}\": with every = \"{step}\", allowed: {bound} \"{nearest}\""
            );
            assert_eq!(level(budget, step, direction), Err(told));
            assert!(level(nearest, step, direction).is_ok());
        }
    }

    #[test]
    fn independent_breaches_at_the_level_spend_the_budget() {
        let level = level("3/day", "1h", Direction::Both).expect("a level");
        let mut random = Random::new(42);
        let (days, mut episodes, mut before) = (10_000_u32, 0_u32, false);
        for _ in 0..24 * days {
            let breach = random.uniform() > level;
            episodes += u32::from(breach && !before);
            before = breach;
        }
        assert!(20 * episodes.abs_diff(3 * days) < 3 * days, "{episodes}");
    }
}
