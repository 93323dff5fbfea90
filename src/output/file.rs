//! Files that are written whole, and opened without a trap: a link to somewhere else, a pipe that nobody
//! writes to.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The rights of a file that is made for people, as far as they want files to be read.
pub const READABLE: u32 = 0o666;
/// Those of a file that is nobody else's business.
pub const PRIVATE: u32 = 0o600;

/// What is done where the name is a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Links {
    /// It stands for what it leads to.
    Follow,
    Refuse,
}

/// Opens a plain file; nothing waits for the other end of a pipe.
pub fn open_plain(options: &mut OpenOptions, path: &Path, links: Links) -> io::Result<File> {
    let flags = match links {
        Links::Follow => libc::O_NONBLOCK,
        Links::Refuse => libc::O_NONBLOCK | libc::O_NOFOLLOW,
    };
    let is_other_kind = |error: &io::Error| {
        // A link that is refused; a pipe that is opened to write.
        let codes = [libc::ELOOP, libc::ENXIO].map(Some);
        codes.contains(&error.raw_os_error())
    };
    let not_plain = || {
        let message = format!("{} is not a plain file", path.display());
        io::Error::new(ErrorKind::InvalidInput, message)
    };
    match options.custom_flags(flags).open(path) {
        Ok(file) if file.metadata()?.is_file() => Ok(file),
        Ok(_) => Err(not_plain()),
        Err(error) if is_other_kind(&error) => Err(not_plain()),
        Err(error) => Err(error),
    }
}

/// The bytes of a plain file, up to one more than `most`.
pub fn read_plain(path: &Path, links: Links, most: u64) -> io::Result<Vec<u8>> {
    let file = open_plain(OpenOptions::new().read(true), path, links)?;
    let mut bytes = Vec::new();
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Writes a file whole, under another name first: whoever looks meanwhile, or stops the program, finds
/// the old one or the new one, and nothing half.
pub fn write_whole(path: &Path, bytes: &[u8], rights: u32) -> io::Result<()> {
    let part = path.with_extension(format!("{}.part", std::process::id()));
    let written = write_new(&part, bytes, rights).and_then(|_| fs::rename(&part, path));
    if written.is_err() {
        let _ = fs::remove_file(&part);
    }
    written
}

/// Writes a file that is not there yet, or that was left under this name; never through a link that
/// somebody put there.
pub fn write_new(path: &Path, bytes: &[u8], rights: u32) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(rights)
        .open(path)?;
    file.write_all(bytes)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn what_a_link_in_the_way_leads_to_stays_as_it_is() {
        let dir = tempfile::tempdir().expect("a directory");
        let [precious, picture] = ["precious", "plot.png"].map(|name| dir.path().join(name));
        fs::write(&precious, "precious").expect("written");
        let part = picture.with_extension(format!("{}.part", std::process::id()));
        for link in [&part, &picture] {
            symlink(&precious, link).expect("a link");
        }
        write_whole(&picture, b"picture", READABLE).expect("written");
        assert_eq!(fs::read(&precious).expect("a file"), b"precious");
        assert!(!picture.is_symlink());
        assert_eq!(fs::read(&picture).expect("a file"), b"picture");
        let link = dir.path().join("link");
        symlink(&precious, &link).expect("a link");
        let opened = |links| open_plain(OpenOptions::new().read(true), &link, links);
        assert!(opened(Links::Follow).is_ok());
        assert!(opened(Links::Refuse).is_err());
    }
}
