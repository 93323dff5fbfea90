//! Which columns of a file hold what, whatever its format: by their places.

use anyhow::{Result, bail};

#[derive(Debug, Clone, PartialEq)]
pub struct Columns {
    pub time: usize,
    /// `None` where rows are only counted.
    pub value: Option<usize>,
    /// Those that tell many series apart.
    pub keys: Vec<usize>,
    /// Where the titles of series are.
    pub title: Option<usize>,
    /// What is to be said of the choice.
    pub hint: Option<String>,
}

impl Columns {
    /// No key is the time or the value. `name` tells the name of a column.
    pub fn with_keys_apart(self, name: impl Fn(usize) -> String) -> Result<Self> {
        let is_taken = |column: &&usize| **column == self.time || Some(**column) == self.value;
        if let Some(column) = self.keys.iter().find(is_taken) {
            bail!(
                "group_by: {} is the column of the time or the value; allowed: another",
                name(*column)
            );
        }
        Ok(self)
    }
}
