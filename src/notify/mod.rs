//! From what changed to mails that are accepted.

pub mod heartbeat;
pub mod mail;
pub mod packing;
pub mod post;
