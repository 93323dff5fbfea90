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

    /// The first line of a file.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or holds none.
    pub fn from_file(key: &str, path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("{key} = {:?}: cannot be read", path.display().to_string()))?;
        let password = text.lines().next().unwrap_or_default();
        ensure!(
            !password.is_empty(),
            "{key} = {:?}: its first line is empty; allowed: the password",
            path.display().to_string()
        );
        Ok(Self(password.to_string()))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_never_prints() {
        let secret = Secret::new("hunter2".into());
        assert_eq!(
            format!("{secret:?} {:#?}", Some(&secret)),
            "*** Some(\n    ***,\n)"
        );
        assert_eq!(secret.reveal(), "hunter2");
    }
}
