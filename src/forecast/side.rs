//! The two sides of a band, and which of them somebody wants to hear of.

use serde::{Deserialize, Serialize};

/// A side of the band.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    High,
    Low,
}

/// Which side of the band is worth an alert.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
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
