//! The product as its user meets it: the real binary against a real mariadbd
//! and a real SMTP server with STARTTLS.

mod command_line;
mod configuration;
mod harness;
mod mail;
mod scene;
mod support;
