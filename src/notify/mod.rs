//! From what is so to notifications that are accepted: what is due to whom (`due`) is grouped into mails
//! (`deliver`), drawn, composed and sent (`channel` with `gallery` and `email`), and recorded (`log`).

mod channel;
mod deliver;
mod due;
pub mod email;
mod gallery;
pub mod heartbeat;
mod log;
mod notification;
mod own;

#[cfg(test)]
mod tests;

pub use channel::EmailChannel;
pub use deliver::{AddressedAlert, Delivered, Delivery, SendResult};
pub use due::due;
pub use gallery::{Gallery, PlotsDir};
pub use log::{AlertKey, NotificationLog, Opening, Pending, Record, SendError};
pub use notification::{AlertKind, Notification};
pub use own::OwnAlerts;
