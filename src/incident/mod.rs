//! The life of an alert as a pure state machine: what is known of a metric, one more result of a check
//! and the time make what is known next ([`MetricState`]). Whom to tell of it, and what they were told
//! before, is another matter (`notify`), so a silence needs no states of its own: meanwhile nothing is
//! released, and what is still so when it ends is released then.

mod alert;
mod answer;
mod budget;
mod course;
mod day_counts;
mod evidence;
mod metric_state;
mod past;
mod policy;
mod quiet;
mod silence;
#[cfg(test)]
mod tests;
mod worst;

pub use alert::{Alert, Condition, End};
pub use answer::{Acknowledgement, Answer, Author, Nature, Said};
pub use budget::Budget;
pub use course::Course;
pub use day_counts::{DayCount, DayCounts, REMEMBERED};
pub use evidence::{Witness, outage_shows_after};
pub use metric_state::{CheckResult, Incident, MetricState, Muted, Status};
pub use past::{Outcome, PastAlert};
pub use policy::{Confirm, LeastDeviation, Newcomers, Policy, Renotify, Worsening};
pub use quiet::QuietWindow;
pub use silence::{Silence, Silences};
pub use worst::Worst;
