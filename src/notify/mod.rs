//! From what is so to notifications that are accepted: what is due to whom (`due`), grouped into mails
//! (`group`), rendered and sent by a channel (`email`), and recorded (`log`). A second channel is one
//! more file here.

mod due;
pub mod email;
pub mod heartbeat;
mod log;
mod notification;

pub use due::{AlertKind, due};
pub use log::{AlertKey, LostNotification, NotificationLog, Notified, Pending, Record};
pub use notification::Notification;
