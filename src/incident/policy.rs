//! When a metric's incidents are told, as somebody decided.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use chrono::{DateTime, TimeDelta};
use chrono_tz::Tz;
use serde::Deserialize;

use super::quiet::QuietWindow;

/// How a metric's incidents begin, are told again and end.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    pub confirm: Confirm,
    /// So many buckets inside the band in a row end an incident.
    pub recover: NonZeroU32,
    pub renotify: Renotify,
    pub worse: Worsening,
    /// Whether the end of what was told is told too.
    pub notify_recovery: bool,
    /// How long checks may fail, or say nothing, before that is told.
    pub unwell_after: TimeDelta,
    pub quiet: Vec<QuietWindow>,
}

impl Policy {
    pub fn is_quiet(&self, time: DateTime<Tz>) -> bool {
        self.quiet.iter().any(|window| window.holds(time))
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            confirm: Confirm::default(),
            recover: NonZeroU32::MIN.saturating_add(1),
            renotify: Renotify::default(),
            worse: Worsening::default(),
            notify_recovery: true,
            unwell_after: TimeDelta::minutes(10),
            quiet: Vec::new(),
        }
    }
}

/// As it is written in the file.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum ConfirmText {
    Count(i64),
    Text(String),
}

/// So many breaches on one side, of so many judged buckets in a row, make an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
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
    /// Whether so long after it was told, it is to be told again.
    pub fn is_due(self, since_told: TimeDelta) -> bool {
        match self {
            Self::After(length) => since_told >= length,
            Self::Never => false,
        }
    }
}

/// By which factor a deviation must have grown since it was told to be told at once; above 1.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(try_from = "f64")]
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
