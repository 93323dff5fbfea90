//! Silences somebody asked for: until when a metric is judged and remembered, but not mailed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use chrono::{DateTime, Utc};

/// A metric that is not to be mailed about for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    pub until: DateTime<Utc>,
    pub because: Option<String>,
}

/// The silences by the name of their metric.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silences(BTreeMap<String, Silence>);

impl Silences {
    /// The silence of a metric, if it lasts.
    pub fn of(&self, metric: &str, now: DateTime<Utc>) -> Option<&Silence> {
        self.0.get(metric).filter(|silence| silence.until > now)
    }

    /// Silences a metric, in place of the silence it has; those that are over go.
    pub fn add(&mut self, metric: &str, silence: Silence, now: DateTime<Utc>) {
        self.0.retain(|_, silence| silence.until > now);
        self.0.insert(metric.to_string(), silence);
    }

    /// Ends a metric's silence and says what it was; `None` if it has none that lasts.
    pub fn end(&mut self, metric: &str, now: DateTime<Utc>) -> Option<Silence> {
        self.0.remove(metric).filter(|silence| silence.until > now)
    }
}
