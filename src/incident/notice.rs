//! What is to be told of a metric.

use serde::{Deserialize, Serialize};

use super::{Finding, Side, Stamp};

/// Something to tell. Those of one thread belong together, and the first of them opens it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    pub matter: Matter,
    pub stage: Stage,
    /// Since when it is so.
    pub since: Stamp,
    pub thread: String,
    /// The place in the thread, from 0.
    pub sequence: u32,
}

/// What a notice is about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Matter {
    /// Values outside their band; the finding is the latest of them, or of one that is over the one
    /// that ended it.
    Breach {
        side: Side,
        finding: Finding,
        /// The incident on the other side that this one followed without a pause.
        turned_from: Option<Stamp>,
    },
    /// No new data.
    NoData { why: String },
    /// The check itself failed.
    Unwell { why: String },
    /// There is data, but not enough to judge by.
    Undecided { why: String },
}

/// How far along what is told of is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    Opened,
    /// It lasts.
    Lasting,
    /// It lasts, and is much worse than was told.
    Worse,
    /// It is over since.
    Over {
        until: Stamp,
    },
}

impl Notice {
    /// How far out a value is, in half-widths of its band; of what is no breach, nothing.
    pub fn deviation(&self) -> f64 {
        match &self.matter {
            Matter::Breach { finding, .. } => finding.deviation.map_or(0.0, f64::abs),
            Matter::NoData { .. } | Matter::Unwell { .. } | Matter::Undecided { .. } => 0.0,
        }
    }
}
