//! Which series this run is about: those of its shard that no other run is at work on.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::config::Metric;
use crate::series::shard::Shard;

#[derive(Debug, Clone, Default)]
pub struct Share {
    pub shard: Shard,
    /// Metrics and series that another run is at work on.
    pub elsewhere: Arc<BTreeSet<String>>,
}

impl Share {
    /// Whether a series is to be looked at, by its name.
    pub fn has(&self, name: &str) -> bool {
        self.shard.holds(name) && !self.elsewhere.contains(name)
    }

    /// The same of a metric; one with many series is read by every shard.
    pub fn has_metric(&self, metric: &Metric) -> bool {
        metric.group.is_some() || self.has(&metric.name)
    }
}
