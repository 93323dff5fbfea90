//! A password: usable, never printable.

use std::fmt;
use std::path::Path;

use anyhow::{Context, Result, ensure};

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

/// The password that was given, else the first line of the file.
pub fn password(given: Option<Secret>, key: &str, path: Option<&Path>) -> Result<Option<Secret>> {
    let (None, Some(path)) = (&given, path) else {
        return Ok(given);
    };
    let shown = path.display().to_string();
    let text =
        super::read_text(path).with_context(|| format!("{key} = {shown:?}: cannot be read"))?;
    let password = text.lines().next().unwrap_or_default();
    ensure!(
        !password.is_empty(),
        "{key} = {shown:?}: its first line is empty; allowed: the password"
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
}
