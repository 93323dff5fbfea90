//! The product as its user meets it: the real binary against a real mariadbd
//! and a real SMTP server with STARTTLS.

mod harness;
mod source;
mod support;
