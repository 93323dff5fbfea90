//! Files and directories as the state needs them: private, whole, and forced to the disk.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::output::fingerprint::fingerprint;
use crate::output::owner::{ROOT, owner_of, this_user};
use crate::output::{Links, PRIVATE, open_plain, read_plain, write_new};

/// How the name of a file ends that is being written.
pub const PART: &str = ".part";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certainty {
    /// It is on the disk before anything else happens.
    Durable,
    /// It is whole, and may be lost if the power fails now.
    Whole,
}

/// Where what the disk does not take is kept for a user: in memory that every Linux has, or else where
/// temporary files go.
pub fn spare(dir: &Path, user: Option<u32>) -> PathBuf {
    let memory = Some(PathBuf::from("/dev/shm")).filter(|memory| memory.is_dir());
    let parent = memory.unwrap_or_else(std::env::temp_dir);
    let mark = fingerprint(&format!("{user:?} {}", dir.display()));
    parent.join(format!("bandwatch-{mark:016x}"))
}

/// Makes a folder nobody else can look into, if it is not there.
pub fn make_private(dir: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

/// Makes one where anybody can make folders: it must not be there, or be this user's alone.
pub fn make_own(dir: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(dir) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ if is_own(dir, this_user()) => Ok(()),
        _ => Err(io::Error::new(
            ErrorKind::PermissionDenied,
            format!("{} is not this user's alone", dir.display()),
        )),
    }
}

/// Whether a folder is there and nobody but this user can have put anything into it.
pub fn is_own(dir: &Path, user: Option<u32>) -> bool {
    /// The rights of a group and of all others.
    const OTHERS: u32 = 0o077;
    fs::symlink_metadata(dir).is_ok_and(|there| {
        let rights = there.permissions().mode();
        there.is_dir() && Some(there.uid()) == user && (rights & OTHERS) == 0
    })
}

/// The plain files of a folder.
pub fn names_in(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()))
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect()
}

/// The bytes of a plain file, up to one more than `most`; `None` if there is none.
pub fn read(path: &Path, most: u64) -> io::Result<Option<Vec<u8>>> {
    let is_absent =
        |error: &io::Error| matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory);
    match read_plain(path, Links::Refuse, most) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

pub fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

/// Opens a file for its lock, and the little that stands in it.
pub fn open_to_lock(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).mode(0o600);
    let opened = open(options.read(true).write(true), path);
    // A lock needs no writing: on a read-only disk the file that is there will do.
    opened.or_else(|error| open(OpenOptions::new().read(true), path).map_err(|_| error))
}

/// Opens a file under this very name, wherever a link there would lead.
fn open(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    open_plain(options, path, Links::Refuse)
}

/// Writes a file under another name, and renames it.
pub fn write(path: &Path, bytes: &[u8], certainty: Certainty) -> io::Result<()> {
    let mut part = path.as_os_str().to_os_string();
    part.push(PART);
    let part = PathBuf::from(part);
    let write = || {
        let file = write_new(&part, bytes, PRIVATE)?;
        if certainty == Certainty::Durable {
            file.sync_all()?;
        }
        fs::rename(&part, path)?;
        if let (Certainty::Durable, Some(dir)) = (certainty, path.parent()) {
            File::open(dir)?.sync_all()?;
        }
        Ok(())
    };
    let written = write();
    if written.is_err() {
        let _ = fs::remove_file(&part);
    }
    written
}

/// Whether a folder is there and this user's, or there need be none and this user is root.
pub fn is_of_this_user(dir: &Path) -> bool {
    let user = this_user();
    user == Some(ROOT) || owner_of(dir).is_some_and(|owner| Some(owner) == user)
}
