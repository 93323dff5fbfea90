//! The product as its user meets it: the real binary against a real mariadbd
//! and a real SMTP server with STARTTLS.

#[cfg(test)]
mod command_line;
#[cfg(test)]
mod configuration;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod mail;
#[cfg(test)]
mod scene;
#[cfg(test)]
mod support;
