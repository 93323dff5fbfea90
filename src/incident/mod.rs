//! The life of an alert as a pure state machine: what is remembered of a metric, what a run saw, and
//! the time make what is remembered next, and what is to be told.
//!
//! What is so and what was told are kept apart: a sighting changes what is so ([`Watch`]), and the
//! notices are what of that was not told yet. So a silence needs no states of its own: meanwhile
//! nothing is told, and what is still so when it ends is told then.

mod breach;
mod lack;
mod notice;
mod quiet;
mod rules;
mod silence;
mod stamp;
#[cfg(test)]
mod tests;
mod watch;

pub use crate::forecast::Side;
pub use breach::{Finding, Incident};
pub use lack::Lack;
pub use notice::{Matter, Notice, Stage};
pub use quiet::QuietWindow;
pub use rules::{Confirm, Renotify, Rules, Worsening};
pub use silence::{Silence, Silences};
pub use stamp::Stamp;
pub use watch::{Bucket, Moment, Sighting, State, Voice, Watch};
