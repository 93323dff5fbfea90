//! An alert on its way: what is sent, to whom, and what happens when it cannot be.

mod alert;
mod crontab;
mod faults;
mod files;
mod test_mail;
mod texts;
