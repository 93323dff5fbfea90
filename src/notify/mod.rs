//! From what is so to notifications that are accepted: what is due to whom (`due`) is grouped into mails
//! (`deliver`), composed and sent, and recorded (`log`). `channel` sends mail, with what `gallery` draws and
//! `email` composes. `web` posts what `webhook`, `slack`, `teams` and `alertmanager` make of the same words.

mod alertmanager;
mod channel;
mod deliver;
mod due;
pub mod email;
mod gallery;
pub mod heartbeat;
mod http;
mod log;
mod notification;
mod object;
mod own;
mod probe;
mod recipient;
mod slack;
mod teams;
mod web;
mod webhook;

#[cfg(test)]
mod tests;

pub use channel::EmailChannel;
pub use deliver::{AddressedAlert, Channel, Clearance, Delivered, Delivery, Saved, SendResult};
pub use due::due;
pub use gallery::{Gallery, PlotsDir};
pub use log::{AlertKey, MetricRecords, NotificationLog, Opening, Pending, Record, SendError};
pub use notification::{AlertKind, Notification};
pub use object::{
    BreakdownObject, EvaluationObject, EventObject, Stamp, VerdictWord, breakdown_object,
    evaluation_object, event_object, event_objects, key_object, stamp, step_seconds,
};
pub use own::OwnAlerts;
pub use probe::probe_address;
pub use recipient::{Recipient, Route};
pub use web::WebChannel;
pub use webhook::check_secret;
