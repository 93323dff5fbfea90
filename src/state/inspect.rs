//! The folder of the state looked at for itself: whether a run could write there, who holds it, and what lies
//! in it that should not. Nothing is changed, and no lock is taken.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::file::{PART, is_own, names_in, spare};
use super::names::RUN_LOCK;
use crate::output::owner::{owner_of, this_user};

/// More than a run writes, but for hundreds of metrics.
const TRIAL_BYTES: usize = 256 << 10;

/// Who holds the lock of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    pub process: u32,
    /// What its program is called.
    pub program: String,
    /// How long it has been there.
    pub age: Duration,
}

/// Fails where a run could not write, or not as much as it writes: found out with a file that has no name, of
/// which nothing stays. Where there is no such folder yet, the one in which it would be made is asked.
pub fn try_writing(dir: &Path) -> io::Result<()> {
    let there = dir.ancestors().find(|part| part.exists());
    let there = there.unwrap_or(Path::new("."));
    let opened = OpenOptions::new()
        .write(true)
        .mode(0o600)
        .custom_flags(libc::O_TMPFILE)
        .open(there);
    match opened {
        Ok(mut file) => {
            file.write_all(&vec![0; TRIAL_BYTES])?;
            file.sync_all()
        }
        // A file system that knows no such file.
        Err(error) if error.kind() == ErrorKind::Unsupported => {
            Ok(rustix::fs::access(there, rustix::fs::Access::WRITE_OK)?)
        }
        Err(error) => Err(error),
    }
}

/// The bytes that are free on the disk of a folder, to whoever is not root.
pub fn free_bytes(dir: &Path) -> Option<u64> {
    let there = dir.ancestors().find(|part| part.exists())?;
    let disk = rustix::fs::statvfs(there).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// What was kept elsewhere, as it could not be written to the folder.
pub fn spare_folder(dir: &Path) -> Option<PathBuf> {
    let user = owner_of(dir).or_else(this_user);
    let spare = spare(dir, user);
    let is_used = is_own(&spare, user) && names_in(&spare).iter().any(|name| name != RUN_LOCK);
    is_used.then_some(spare)
}

/// Files that were left: half written ones of a run that was killed, and those of a bandwatch before 0.2.
pub fn leftovers(dir: &Path) -> Vec<String> {
    /// Younger ones may be of a run at work.
    const OLD: Duration = Duration::from_mins(10);
    let is_old = |name: &str| {
        let written = fs::metadata(dir.join(name)).and_then(|there| there.modified());
        let age = written
            .ok()
            .and_then(|at| SystemTime::now().duration_since(at).ok());
        age.is_some_and(|age| age > OLD)
    };
    let mut names = names_in(dir);
    names.retain(|name| {
        ["memory.json", "looks.json"].contains(&name.as_str())
            || (name.ends_with(PART) && is_old(name))
    });
    names.sort();
    names
}

/// Who holds the lock of a run, as far as the kernel tells.
pub fn lock_holder(dir: &Path) -> Option<Holder> {
    let there = fs::metadata(dir.join(RUN_LOCK)).ok()?;
    let locks = fs::read_to_string("/proc/locks").ok()?;
    let process = locks.lines().find_map(|line| held_by(line, there.ino()))?;
    let holds = |process: u32| {
        let files = fs::read_dir(format!("/proc/{process}/fd")).into_iter();
        let mut files = files.flatten().flatten();
        files.any(|file| {
            let file = fs::metadata(file.path());
            file.is_ok_and(|file| (file.ino(), file.dev()) == (there.ino(), there.dev()))
        })
    };
    holds(process).then(|| Holder {
        process,
        program: fs::read_to_string(format!("/proc/{process}/comm"))
            .unwrap_or_default()
            .trim()
            .to_string(),
        age: age_of(process).unwrap_or_default(),
    })
}

/// The process of a line of `/proc/locks`, such as `1: FLOCK  ADVISORY  WRITE 812 fd:00:1234 0 EOF`.
fn held_by(line: &str, inode: u64) -> Option<u32> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [_, "FLOCK", _, _, process, place, ..] = words.as_slice() else {
        return None;
    };
    let of_file = place.rsplit(':').next()?.parse::<u64>().ok()?;
    (of_file == inode).then(|| process.parse().ok())?
}

/// How long a process has been there: its start is told in hundredths of a second since the machine's.
fn age_of(process: u32) -> Option<Duration> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name of the program, in parentheses, may hold blanks.
    let (_, rest) = stat.rsplit_once(')')?;
    let started: f64 = rest.split_whitespace().nth(19)?.parse().ok()?;
    let uptime = fs::read_to_string("/proc/uptime").ok()?;
    let uptime: f64 = uptime.split_whitespace().next()?.parse().ok()?;
    Duration::try_from_secs_f64(uptime - started / 100.0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_that_is_held_is_found_without_taking_it() {
        let dir = tempfile::tempdir().expect("a folder");
        assert_eq!(lock_holder(dir.path()), None);
        let lock = fs::File::create(dir.path().join(RUN_LOCK)).expect("a file");
        assert_eq!(lock_holder(dir.path()), None);
        lock.try_lock().expect("a lock");
        let holder = lock_holder(dir.path()).expect("a holder");
        assert_eq!(holder.process, std::process::id());
        assert!(holder.age < Duration::from_hours(24), "{holder:?}");
    }

    #[test]
    fn a_trial_of_writing_leaves_nothing() {
        let dir = tempfile::tempdir().expect("a folder");
        let changed = || {
            fs::metadata(dir.path())
                .and_then(|there| there.modified())
                .ok()
        };
        let before = changed();
        try_writing(&dir.path().join("not/there")).expect("it is writable");
        assert_eq!(changed(), before);
        assert_eq!(names_in(dir.path()), [""; 0]);
    }
}
