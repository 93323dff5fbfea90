//! The mail: what it says is a pure function of an evaluation (`compose`) or of what is to be told of
//! several runs (`news`), both put into the same words, colours and pictures (`writing`). How it is
//! addressed (`envelope`) and gets to the server (`send`) is another matter.

mod compose;
mod envelope;
mod measured;
mod news;
mod picture;
#[cfg(test)]
mod sample;
mod send;
mod tone;
mod words;
mod writing;

pub use crate::config::Mailbox;
pub use compose::{compose, name_of_point};
pub use envelope::{Address, Letter, message_id};
pub use news::{Announcement, OwnTrouble, announce, digest, own};
pub use writing::{PreviewImages, Writing};

pub use send::{Courier, Delivery, send};

/// An address that no mail reaches (RFC 2606), for a preview without a configuration.
pub fn placeholder(user: &str) -> Mailbox {
    // Both parts are plain words, so this cannot fail.
    Mailbox::new(
        None,
        lettre::Address::new(user, "example.invalid")
            .unwrap_or_else(|_| unreachable!("a plain address")),
    )
}
