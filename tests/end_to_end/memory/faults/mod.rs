//! What a run meets with when something fails around it, and what comes of it
//! afterwards.

mod absurd;
mod clocks;
mod database;
mod deadline;
mod disk;
mod garbage;
mod heartbeat;
mod mail;
mod outage;
mod owners;
mod secrets;
mod volume;
