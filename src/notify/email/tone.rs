//! The colour of a mail, which says the gist before a word is read.

use serde::{Deserialize, Serialize};

/// What the colour says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    High,
    Low,
    Normal,
    /// Neither good nor bad: nothing is known.
    Blind,
}

impl Tone {
    /// Blue for high and orange for low, as in the mails people know. White is readable on each.
    pub fn colour(self) -> &'static str {
        match self {
            Self::High => "#1a5fb4",
            Self::Low => "#c64600",
            Self::Normal => "#26733f",
            Self::Blind => "#5e5c64",
        }
    }
}
