//! The band a value is held against, its level and its two sides.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::range::Range;
use crate::output::{Notation, short, write_number};

/// The share of healthy values a band should hold, within (0, 1).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "f64")]
#[schemars(extend("minimum" = Self::LOWEST, "maximum" = Self::HIGHEST))]
pub struct Level(f64);

impl Level {
    pub const LOWEST: f64 = 0.5;
    pub const HIGHEST: f64 = 0.999_999;

    pub fn new(level: f64) -> Option<Self> {
        let allowed = Self::LOWEST..=Self::HIGHEST;
        allowed.contains(&level).then_some(Self(level))
    }

    /// As nobody set another.
    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde hands over a reference"
    )]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    pub fn share(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Level {
    type Error = String;

    fn try_from(level: f64) -> Result<Self, String> {
        Self::new(level).ok_or_else(|| {
            let level = write_number(level);
            format!("{level} is out of range; allowed: a number from 0.5 to 0.999999, such as 0.95")
        })
    }
}

impl Default for Level {
    fn default() -> Self {
        Self(0.95)
    }
}

/// As in "95 % band": without the digits that say nothing.
impl fmt::Display for Level {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        let percent = format!("{:.4}", self.0 * 100.0);
        let percent = percent.trim_end_matches('0').trim_end_matches('.');
        write!(formatter, "{percent} %")
    }
}

/// Limits around an expected value: finite, and `lower <= expected <= upper`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "StoredBand")]
#[non_exhaustive]
pub struct Band {
    #[serde(serialize_with = "short")]
    pub lower: f64,
    #[serde(serialize_with = "short")]
    pub expected: f64,
    #[serde(serialize_with = "short")]
    pub upper: f64,
}

/// What a file says of a band, which may be anything.
#[derive(Deserialize)]
struct StoredBand {
    lower: f64,
    expected: f64,
    upper: f64,
}

impl TryFrom<StoredBand> for Band {
    type Error = &'static str;

    fn try_from(stored: StoredBand) -> Result<Self, Self::Error> {
        let band = Self::new(stored.lower, stored.expected, stored.upper);
        band.ok_or("the limits of a band are not in order")
    }
}

impl Band {
    pub fn new(lower: f64, expected: f64, upper: f64) -> Option<Self> {
        let ordered = lower <= expected && expected <= upper;
        (ordered && lower.is_finite() && upper.is_finite()).then_some(Self {
            lower,
            expected,
            upper,
        })
    }

    /// The band, or a wider one with at least this room on either side.
    #[must_use]
    pub fn at_least(self, room: f64) -> Self {
        Self {
            lower: self.lower.min(self.expected - room),
            expected: self.expected,
            upper: self.upper.max(self.expected + room),
        }
    }

    /// The band, or a wider one that holds this number.
    #[must_use]
    pub fn holding(self, number: f64) -> Self {
        Self {
            lower: self.lower.min(number),
            expected: self.expected,
            upper: self.upper.max(number),
        }
    }

    /// The part of the band that values can be in.
    #[must_use]
    pub fn within(self, range: Range) -> Self {
        Self {
            lower: range.clip(self.lower),
            expected: range.clip(self.expected),
            upper: range.clip(self.upper),
        }
    }

    /// The digits that tell where in the band a value lies.
    pub fn notation(&self) -> Notation {
        let limits = [self.lower, self.expected, self.upper];
        let size = limits.map(f64::abs).into_iter().fold(0.0, f64::max);
        Notation::for_scale(self.half_width(), size)
    }

    /// The same, with the digits that tell a value beyond a limit from that.
    pub fn notation_with(&self, value: f64) -> Notation {
        let limit = value.clamp(self.lower, self.upper);
        self.notation().telling_apart(value, limit)
    }

    /// From one limit to the other, "912 to 1,298"; of counts from the least to the largest inside.
    pub fn write(&self, notation: Notation) -> String {
        let (least, largest) = (self.lower.ceil(), self.upper.floor());
        let (notation, limits) = match notation {
            Notation::Whole if least <= largest => (notation, [least, largest]),
            // No whole number is inside.
            Notation::Whole => {
                let notation = self.notation().telling_apart(self.lower, 0.0);
                (notation, [self.lower, self.upper])
            }
            _ => (notation, [self.lower, self.upper]),
        };
        let [lower, upper] = limits.map(|limit| notation.write(limit));
        if lower == upper {
            lower
        } else {
            format!("{lower} to {upper}")
        }
    }

    /// Half the distance between the limits.
    pub fn half_width(&self) -> f64 {
        self.upper / 2.0 - self.lower / 2.0
    }
}

/// A side of the band.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    High,
    Low,
}

/// The side of the band that is worth an alert.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    #[default]
    Both,
    High,
    Low,
}

impl Side {
    pub fn word(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Low => "low",
        }
    }

    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::High => Self::Low,
            Self::Low => Self::High,
        }
    }
}

impl Direction {
    pub fn includes(self, side: Side) -> bool {
        match self {
            Self::Both => true,
            Self::High => side == Side::High,
            Self::Low => side == Side::Low,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_a_share_between_its_bounds() {
        for level in [0.0, 0.49, 1.0, 95.0, -0.95, f64::NAN] {
            assert_eq!(Level::new(level), None, "{level}");
        }
        for (share, told) in [(0.95, "95 %"), (0.999, "99.9 %")] {
            assert_eq!(Level::new(share).expect("a level").to_string(), told);
        }
    }

    #[test]
    fn the_limits_of_counts_are_the_least_and_the_largest_inside() {
        for (lower, upper, told) in [
            (912.1, 1297.8, "913 to 1,297"),
            (0.0, 0.7, "0"),
            (0.02, 0.4, "0.02 to 0.40"),
        ] {
            let band = Band::new(lower, upper, upper).expect("a band");
            assert_eq!(band.write(Notation::Whole), told);
        }
    }

    #[test]
    #[expect(clippy::float_cmp, reason = "limits are taken over as they are")]
    fn a_band_is_widened_to_hold_a_number_and_never_narrowed() {
        let band = Band::new(0.003, 0.04, 0.43).expect("a band");
        let limits = |number| {
            let wider = band.holding(number);
            [wider.lower, wider.expected, wider.upper]
        };
        assert_eq!(limits(0.0), [0.0, 0.04, 0.43]);
        assert_eq!(limits(1.0), [0.003, 0.04, 1.0]);
        assert_eq!(limits(0.1), [0.003, 0.04, 0.43]);
    }

    #[test]
    fn the_limits_of_a_band_are_finite_and_in_order() {
        assert!(Band::new(1.0, 1.0, 1.0).is_some());
        for (lower, expected, upper) in [
            (2.0, 1.0, 3.0),
            (0.0, 4.0, 3.0),
            (f64::NAN, 1.0, 2.0),
            (0.0, 1.0, f64::INFINITY),
        ] {
            assert_eq!(Band::new(lower, expected, upper), None);
        }
    }
}
