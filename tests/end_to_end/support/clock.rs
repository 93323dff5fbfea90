//! The clock that a run of the binary sees, set by libfaketime; it goes on from there. Waiting, which
//! goes by another clock, takes as long as ever.

use std::path::PathBuf;
use std::sync::OnceLock;

use chrono::NaiveDateTime;

/// The variables of a run that begins at that time, UTC.
pub fn set_to(time: NaiveDateTime) -> Vec<(&'static str, String)> {
    vec![
        ("LD_PRELOAD", library().display().to_string()),
        ("FAKETIME", time.format("@%Y-%m-%d %H:%M:%S").to_string()),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ("DONT_FAKE_MONOTONIC", "1".to_owned()),
        // Runs do not share their clock, and one that is killed leaves nothing of it behind.
        ("FAKETIME_DISABLE_SHM", "1".to_owned()),
        ("TZ", "UTC".to_owned()),
    ]
}

fn library() -> &'static PathBuf {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let folders = std::fs::read_dir("/usr/lib")
            .into_iter()
            .flatten()
            .flatten();
        folders
            .map(|folder| folder.path().join("faketime/libfaketime.so.1"))
            .chain(["/usr/lib/faketime/libfaketime.so.1".into()])
            .find(|candidate| candidate.is_file())
            .expect("these tests need libfaketime: apt-get install faketime")
    })
}
