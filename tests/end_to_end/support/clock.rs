//! The clock that a run of the binary sees, set by libfaketime; it goes on from there. Waiting, which
//! goes by another clock, takes as long as ever.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use chrono::NaiveDateTime;

/// The variables of a run that begins at that time, UTC.
pub fn set_to(time: NaiveDateTime) -> Vec<(&'static str, String)> {
    vec![
        ("LD_PRELOAD", library().display().to_string()),
        ("FAKETIME", time.format("@%Y-%m-%d %H:%M:%S").to_string()),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ("DONT_FAKE_MONOTONIC", "1".to_owned()),
        ("TZ", "UTC".to_owned()),
    ]
}

/// Where the library keeps what the processes it is loaded into share, by the number of the first.
const SHARED: &str = "/dev/shm";
const KINDS: [&str; 2] = ["faketime_shm_", "sem.faketime_sem_"];

/// Removes what a run that was killed leaves of its clock: another process of its number would stumble
/// over it.
pub fn forget(process: u32) {
    for kind in KINDS {
        let _ = std::fs::remove_file(format!("{SHARED}/{kind}{process}"));
    }
}

/// The same for all that are gone, of whatever campaign that was interrupted itself.
fn forget_the_dead() {
    let names = std::fs::read_dir(SHARED).into_iter().flatten().flatten();
    let names = names.filter_map(|entry| entry.file_name().into_string().ok());
    let processes = names.filter_map(|name| {
        let number = KINDS.iter().find_map(|kind| name.strip_prefix(kind))?;
        number.parse::<u32>().ok()
    });
    for process in processes {
        if !Path::new("/proc").join(process.to_string()).exists() {
            forget(process);
        }
    }
}

fn library() -> &'static PathBuf {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        forget_the_dead();
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
