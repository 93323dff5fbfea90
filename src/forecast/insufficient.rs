//! Why a history makes no forecast, and what would suffice.

use std::fmt;

use chrono::TimeDelta;

use crate::output::write_length;

/// What a history falls short of.
#[derive(Debug, Clone, PartialEq)]
pub enum Insufficient {
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

impl fmt::Display for Insufficient {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::ShortHistory { held, needed } => write!(
                formatter,
                "{} of history; at least {} are needed; if the table holds more, set a longer window",
                write_length(*held),
                write_length(*needed)
            ),
            Self::ManyGaps {
                missing,
                of,
                allowed,
            } => write!(
                formatter,
                "{missing} of {of} buckets of history are empty; at most {allowed} may be (or set missing = \"zero\", or a longer step)"
            ),
            Self::ConstantHistory { value } => write!(
                formatter,
                "every value of the history is {value}, so nothing says how much change is usual; some variation is needed"
            ),
        }
    }
}
