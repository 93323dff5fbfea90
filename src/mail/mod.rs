//! The mail: what it says is a pure function of the judgement (`compose`), how it gets to the server
//! is another matter (`send`).

mod compose;
mod send;
mod words;

pub use compose::{Letter, PreviewImages, Writing, compose};
pub use lettre::message::Mailbox;

pub use send::{Delivery, send};

/// An address that no mail reaches (RFC 2606), for a preview without a configuration.
pub fn placeholder(user: &str) -> Mailbox {
    // Both parts are plain words, so this cannot fail.
    Mailbox::new(
        None,
        lettre::Address::new(user, "example.invalid")
            .unwrap_or_else(|_| unreachable!("a plain address")),
    )
}
