//! What the judged point amounts to: inside its band, above, below, or not to be decided and why.

use std::fmt;

use anyhow::{Result, ensure};
use chrono::{DateTime, TimeDelta};
use chrono_tz::Tz;
use serde::Deserialize;

use crate::forecast::{Band, Forecast};
use crate::output::write_length;
use crate::series::Observation;

/// Which side of the band is worth an alert.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    #[default]
    Both,
    High,
    Low,
}

/// The judged point against its band.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    High,
    Low,
    Normal,
    /// Nothing can be said, which is neither a breach nor an all-clear.
    Undecided(Reason),
}

/// Why a verdict is not possible, and what would make it so.
#[derive(Debug, Clone, PartialEq)]
pub enum Reason {
    /// The window holds no value at all.
    NoData { from: DateTime<Tz> },
    /// The newest value is older than it may be.
    Stale {
        since: DateTime<Tz>,
        limit: TimeDelta,
    },
    /// Less than two full seasons, or where there is none, too few values to smooth.
    ShortHistory { held: TimeDelta, needed: TimeDelta },
    /// So many buckets are empty that the season would be guesswork.
    ManyGaps {
        missing: usize,
        of: usize,
        allowed: usize,
    },
    /// The history never changed, so nothing says how much change is usual.
    ConstantHistory { value: f64 },
}

impl Verdict {
    pub fn is_breach(&self) -> bool {
        matches!(self, Self::High | Self::Low)
    }
}

/// Holds the observation against the forecast for its time; a breach on a side nobody asked about
/// is normal. A value on a limit is inside.
///
/// # Errors
///
/// If the forecast is for another time than the observation's.
pub fn judge(latest: Observation, forecast: &Forecast, direction: Direction) -> Result<Verdict> {
    ensure!(
        forecast.time == latest.time,
        "the forecast is for {} and the judged point of {}: this is a bug in bandwatch, please report it",
        forecast.time.to_rfc3339(),
        latest.time.to_rfc3339()
    );
    let band = forecast.band;
    Ok(
        if latest.value > band.upper && direction != Direction::Low {
            Verdict::High
        } else if latest.value < band.lower && direction != Direction::High {
            Verdict::Low
        } else {
            Verdict::Normal
        },
    )
}

/// How far a value lies from what was expected, in half-widths of the band on that side: 1 is the
/// limit, 2 is twice as far out. Positive above, negative below.
pub fn deviation(value: f64, band: &Band) -> Option<f64> {
    let half_width = if value >= band.expected {
        band.upper - band.expected
    } else {
        band.expected - band.lower
    };
    (half_width > 0.0).then(|| (value - band.expected) / half_width)
}

/// A verdict of Low cannot come about where the band reaches the least value there can be.
pub fn low_is_possible(band: &Band, least: Option<f64>) -> bool {
    least.is_none_or(|least| band.lower > least)
}

/// A verdict of High cannot come about where the band reaches the greatest value there can be.
pub fn high_is_possible(band: &Band, greatest: Option<f64>) -> bool {
    greatest.is_none_or(|greatest| band.upper < greatest)
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::NoData { from } => {
                write!(
                    formatter,
                    "no data since {} or longer; is the right table read, and the time zone right?",
                    from.format("%Y-%m-%d %H:%M %Z")
                )
            }
            Self::Stale { since, limit } => {
                write!(
                    formatter,
                    "no data since {}, and stale_after is {}",
                    since.format("%Y-%m-%d %H:%M %Z"),
                    write_length(*limit)
                )
            }
            Self::ShortHistory { held, needed } => {
                write!(
                    formatter,
                    "{} of history; at least {} are needed; if the table holds more, set a longer window",
                    write_length(*held),
                    write_length(*needed)
                )
            }
            Self::ManyGaps {
                missing,
                of,
                allowed,
            } => {
                write!(
                    formatter,
                    "{missing} of {of} buckets of history are empty; at most {allowed} may be (or set missing = \"zero\", or a longer step)"
                )
            }
            Self::ConstantHistory { value } => {
                write!(
                    formatter,
                    "every value of the history is {value}, so nothing says how much change is usual; some variation is needed"
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::parse_time;

    fn time(text: &str) -> DateTime<Tz> {
        parse_time(text, chrono_tz::Europe::Paris).expect("a time")
    }

    fn forecast(lower: f64, expected: f64, upper: f64) -> Forecast {
        let band = Band::new(lower, expected, upper).expect("a band");
        Forecast::sample(time("2026-11-22 14:05"), band, Vec::new())
    }

    fn verdict(value: f64, direction: Direction) -> Verdict {
        let latest = Observation {
            time: time("2026-11-22 14:05"),
            value,
        };
        judge(latest, &forecast(10.0, 20.0, 40.0), direction).expect("a verdict")
    }

    #[test]
    fn only_beyond_its_limit_a_value_is_a_breach() {
        for (value, expected) in [
            (40.1, Verdict::High),
            (40.0, Verdict::Normal),
            (10.0, Verdict::Normal),
            (9.9, Verdict::Low),
        ] {
            assert_eq!(verdict(value, Direction::Both), expected, "{value}");
        }
    }

    #[test]
    fn a_side_nobody_asked_about_is_normal() {
        assert_eq!(verdict(99.0, Direction::Low), Verdict::Normal);
        assert_eq!(verdict(99.0, Direction::High), Verdict::High);
        assert_eq!(verdict(0.0, Direction::High), Verdict::Normal);
        assert_eq!(verdict(0.0, Direction::Low), Verdict::Low);
    }

    #[test]
    fn a_forecast_for_another_time_judges_nothing() {
        let earlier = Observation {
            time: time("2026-11-22 14:00"),
            value: 99.0,
        };
        let error = judge(earlier, &forecast(10.0, 20.0, 40.0), Direction::Both)
            .expect_err("no verdict")
            .to_string();
        assert!(error.contains("the forecast is for 2026-11-22T14:05:00+01:00 and the judged point of 2026-11-22T14:00:00+01:00"), "{error}");
    }

    #[test]
    fn deviation_counts_half_widths_on_the_side_of_the_value() {
        let band = forecast(10.0, 20.0, 40.0).band;
        for (value, expected) in [
            (40.0, 1.0),
            (60.0, 2.0),
            (10.0, -1.0),
            (0.0, -2.0),
            (20.0, 0.0),
        ] {
            assert_eq!(deviation(value, &band), Some(expected), "{value}");
        }
        let band = forecast(5.0, 5.0, 5.0).band;
        assert_eq!(deviation(6.0, &band), None);
    }

    #[test]
    fn a_side_cannot_fire_where_the_band_reaches_the_end_of_the_values() {
        let band = forecast(0.0, 20.0, 40.0).band;
        for (least, possible) in [(Some(0.0), false), (Some(-3.0), true), (None, true)] {
            assert_eq!(low_is_possible(&band, least), possible, "{least:?}");
        }
        for (greatest, possible) in [(Some(40.0), false), (Some(41.0), true), (None, true)] {
            assert_eq!(high_is_possible(&band, greatest), possible, "{greatest:?}");
        }
    }

    #[test]
    fn a_reason_says_what_would_suffice() {
        let cases = [
            (
                Reason::Stale {
                    since: time("2026-11-22 14:05"),
                    limit: TimeDelta::minutes(15),
                },
                "no data since 2026-11-22 14:05 CET, and stale_after is 15 min",
            ),
            (
                Reason::ShortHistory {
                    held: TimeDelta::minutes(1500),
                    needed: TimeDelta::days(2),
                },
                "1 d 1 h of history; at least 2 d are needed; if the table holds more, set a longer window",
            ),
            (
                Reason::ConstantHistory { value: 0.0 },
                "every value of the history is 0, so nothing says how much change is usual; some variation is needed",
            ),
        ];
        for (reason, expected) in cases {
            assert_eq!(reason.to_string(), expected);
        }
    }
}
