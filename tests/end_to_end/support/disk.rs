//! A disk that takes nothing, to runs of the binary alone: `disk.c`, compiled with the compiler that
//! Rust links with, answers in the kernel's stead. It takes no mount and no privilege.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::leash;

/// What is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    Full,
    ReadOnly,
}

/// The folders on such a disk.
pub struct BadDisk {
    pub trouble: Trouble,
    pub folders: Vec<PathBuf>,
}

impl BadDisk {
    /// Adds what a run needs to meet it to the variables of that run.
    pub fn add_to(&self, variables: &mut Vec<(&'static str, String)>) {
        for (name, value) in &mut *variables {
            if *name == "LD_PRELOAD" {
                *value = format!("{value}:{}", library().display());
            }
        }
        let folders: Vec<_> = self
            .folders
            .iter()
            .map(|path| path.to_string_lossy())
            .collect();
        let trouble = match self.trouble {
            Trouble::Full => "full",
            Trouble::ReadOnly => "read-only",
        };
        variables.push(("BAD_DISK", folders.join(":")));
        variables.push(("BAD_DISK_IS", trouble.to_owned()));
    }
}

fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let source = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/end_to_end/support/disk.c"
        );
        let library = leash::new_directory("disk-").keep().join("disk.so");
        let output = Command::new("cc")
            .args(["-shared", "-fPIC", "-Wall", "-Werror", "-O1", "-o"])
            .arg(&library)
            .args([source, "-ldl"])
            .output()
            .expect("these tests need a C compiler: apt-get install gcc libc6-dev");
        let complaints = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "cc failed:\n{complaints}");
        library
    })
}
