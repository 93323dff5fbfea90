//! The product as its user meets it: the real binary against a real mariadbd
//! and a real SMTP server with STARTTLS.

#![expect(
    clippy::expect_used,
    reason = "a test whose surroundings fail has failed"
)]

mod channels;
mod command_line;
mod configuration;
mod harness;
mod mail;
mod memory;
mod scene;
mod source;
mod support;
