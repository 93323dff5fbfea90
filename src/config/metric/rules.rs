//! The keys that say when a metric's incidents are told.

use std::num::NonZeroU32;

use super::{MetricTable, time_delta};
use crate::config::value::{Again, Length};
use crate::incident::{Policy, Renotify};

/// # Errors
///
/// If a value is not allowed.
pub fn rules(metric: &MetricTable) -> Result<Policy, String> {
    let default = Policy::default();
    Ok(Policy {
        confirm: metric.confirm.unwrap_or_default(),
        recover: match metric.recover {
            Some(count) => recover(count)?,
            None => default.recover,
        },
        renotify: match metric.renotify {
            Some(Again::After(Length(length))) => Renotify::After(time_delta(length)),
            Some(Again::Never) => Renotify::Never,
            None => default.renotify,
        },
        worse: metric.worse.unwrap_or_default(),
        notify_recovery: metric.notify_recovery,
        unwell_after: metric
            .unwell_after
            .map_or(default.unwell_after, |length| time_delta(length.0)),
        quiet: metric.quiet.clone(),
    })
}

fn recover(count: i64) -> Result<NonZeroU32, String> {
    u32::try_from(count)
        .ok()
        .filter(|count| *count <= 1000)
        .and_then(NonZeroU32::new)
        .ok_or_else(|| format!("recover = {count}: allowed: 1 to 1000"))
}
