//! From what is so to notifications that are accepted: what is due to whom (`due`), grouped into mails
//! (`deliver`), rendered and sent by a channel (`email`), and recorded (`log`).

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
pub use log::{AlertKey, NotificationLog, Pending, Record};
pub use notification::{AlertKind, Notification};
pub use own::OwnAlerts;
