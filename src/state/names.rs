//! The names of the files of the state.

pub const STATE: &str = "state.json";
pub const NOTIFICATIONS: &str = "notifications.json";
pub const RUNS: &str = "runs.json";
pub const SILENCES: &str = "silences.json";
pub const FILES: [&str; 4] = [STATE, NOTIFICATIONS, SILENCES, RUNS];
/// Held by a run; in it stands which configuration the state belongs to.
pub const RUN_LOCK: &str = "run.lock";
/// A folder of what may be lost at any time: see the source's cache of windows.
pub const WINDOWS: &str = "windows";
/// Held while silences change.
pub const SILENCES_LOCK: &str = "silences.lock";
