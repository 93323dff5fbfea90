//! The variables of the environment that override keys of the file.

use anyhow::{Result, ensure};

/// The environment, in which an empty variable counts as absent.
pub type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;

pub fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The variables that override a key.
const VARIABLES: [&str; 7] = [
    "mysql_host",
    "mysql_user",
    "mysql_password",
    "mysql_db",
    "smtp_email",
    "smtp_password",
    "recipient_list",
];

/// Of those that override a key each is text, or it would count as absent.
pub fn check_environment() -> Result<()> {
    for name in VARIABLES {
        let is_text = std::env::var_os(name).is_none_or(|value| value.to_str().is_some());
        ensure!(
            is_text,
            "environment {name}: not UTF-8; allowed: text in UTF-8"
        );
    }
    Ok(())
}

/// Of a key that is needed, and neither in the file nor in the environment.
pub fn missing(key: &str, variable: &str) -> String {
    format!("{key}: missing; set it, or the environment variable {variable}")
}
