//! A password: usable, never printable.

use std::fmt;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::text::read_text;

#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The one way out; for handing it to the peer it is meant for.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("***")
    }
}

/// The password that was given, else the first line of the file. What an editor may have left there
/// without showing it is no part of it: a byte order mark goes, and a blank at either end is refused.
pub fn password(given: Option<Secret>, key: &str, path: Option<&Path>) -> Result<Option<Secret>> {
    let (None, Some(path)) = (&given, path) else {
        return Ok(given);
    };
    let shown = path.display().to_string();
    let text = read_text(path).with_context(|| format!("{key} = {shown:?}: cannot be read"))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let password = text.lines().next().unwrap_or_default();
    ensure!(
        !password.is_empty(),
        "{key} = {shown:?}: its first line is empty; allowed: the password"
    );
    ensure!(
        password.trim() == password,
        "{key} = {shown:?}: its first line begins or ends with a blank; remove it, or if it belongs to the password, give that by the environment variable"
    );
    ensure!(
        !password.chars().any(char::is_control),
        "{key} = {shown:?}: its first line has a control character; allowed: the password"
    );
    Ok(Some(Secret(password.to_string())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_never_prints() {
        let secret = Secret::new("hunter2".into());
        let printed = format!("{secret:?} {:#?}", Some(&secret));
        assert_eq!(printed, "*** Some(\n    ***,\n)");
        assert_eq!(secret.reveal(), "hunter2");
    }

    #[test]
    fn a_password_is_the_first_line_of_its_file_without_what_an_editor_left() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("password");
        let read = |text: &str| {
            std::fs::write(&path, text).expect("a file");
            password(None, "smtp.password_file", Some(&path))
        };
        for text in [
            "hunter 2\n",
            "\u{feff}hunter 2\r\n",
            "hunter 2",
            "hunter 2\n\nmore \n",
        ] {
            let password = read(text).expect("a password").expect("a file");
            assert_eq!(password.reveal(), "hunter 2", "{text:?}");
        }
        for (text, told) in [
            ("hunter2 \n", "begins or ends with a blank"),
            ("\thunter2\n", "begins or ends with a blank"),
            ("hunter2\u{a0}\n", "begins or ends with a blank"),
            ("hunter\u{0}2\n", "has a control character"),
            ("\u{feff}\n", "is empty"),
        ] {
            let error = read(text).expect_err("no password").to_string();
            assert!(error.contains(told) && !error.contains("hunter"), "{error}");
        }
    }
}
