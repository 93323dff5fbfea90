//! Whose a folder is. What root writes into a folder of somebody else is a trap both ways: that user can
//! put a link in its way, and is locked out by the files of root.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf, absolute};

use anyhow::{Result, bail};

pub const ROOT: u32 = 0;
/// Whoever has no number in this user namespace.
const OVERFLOW: u32 = 65_534;

/// Whom this process acts for.
pub fn this_user() -> Option<u32> {
    fs::metadata("/proc/self").ok().map(|own| own.uid())
}

/// Who sits at the keyboard: whoever called `sudo`, else the user this process acts for.
pub fn this_person() -> String {
    let caller = std::env::var("SUDO_USER").ok();
    let caller = caller.filter(|name| !name.trim().is_empty());
    caller.unwrap_or_else(|| this_user().map_or("somebody".to_string(), user_name))
}

/// The name of this machine.
pub fn this_host() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match name.trim() {
        "" => "this machine".to_string(),
        name => name.to_string(),
    }
}

/// Whose it is; a link counts as what it leads to.
pub fn owner_of(path: &Path) -> Option<u32> {
    fs::metadata(path).ok().map(|there| there.uid())
}

/// A user as `sudo -u` takes one: by name, else by number.
pub fn user_name(user: u32) -> String {
    let name = name_in_passwd(|entry| entry.user == user);
    name.unwrap_or_else(|| format!("#{user}"))
}

/// For whose eyes a file was made: a user other than root that owns it, or whose group does.
pub fn meant_for(path: &Path) -> Option<String> {
    let there = fs::metadata(path).ok()?;
    if there.uid() != ROOT {
        return Some(user_name(there.uid()));
    }
    let group = Some(there.gid()).filter(|group| *group != 0)?;
    name_in_passwd(|entry| entry.group == group && entry.user != ROOT)
}

/// Root writes only where no other user could have put anything in its way.
pub fn ensure_root_may_write(key: &str, dir: &Path) -> Result<()> {
    if this_user() != Some(ROOT) {
        return Ok(());
    }
    let Some((part, user)) = foreign_part(dir) else {
        return Ok(());
    };
    let user = user_name(user);
    bail!(
        "{key} = {:?}: {} belongs to {user}, and root must not write there; run: {}",
        dir.display().to_string(),
        part.display(),
        command_as(&user)
    )
}

/// This very command, to be run as another user.
pub fn command_as(user: &str) -> String {
    let words = std::env::args_os().map(|word| quote(&word.to_string_lossy()));
    let words: Vec<String> = words.collect();
    format!("sudo -u {} {}", quote(user), words.join(" "))
}

/// The first part of a path that is not root's, as it is written or as its links lead, and whose it is.
fn foreign_part(dir: &Path) -> Option<(PathBuf, u32)> {
    let written = absolute(dir).ok();
    let resolved = fs::canonicalize(dir).ok();
    [written, resolved].into_iter().flatten().find_map(|path| {
        let mut parts: Vec<&Path> = path.ancestors().collect();
        parts.reverse();
        parts.into_iter().find_map(|part| {
            let user = fs::symlink_metadata(part).ok()?.uid();
            // In a user namespace, `/` may be nobody's.
            let is_of_nobody = part.parent().is_none() && user == OVERFLOW;
            (user != ROOT && !is_of_nobody).then(|| (part.to_path_buf(), user))
        })
    })
}

struct Entry {
    user: u32,
    group: u32,
}

fn name_in_passwd(is_wanted: impl Fn(&Entry) -> bool) -> Option<String> {
    let users = fs::read_to_string("/etc/passwd").ok()?;
    users.lines().find_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        let [name, _, user, group, ..] = fields.as_slice() else {
            return None;
        };
        let entry = Entry {
            user: user.parse().ok()?,
            group: group.parse().ok()?,
        };
        is_wanted(&entry).then(|| (*name).to_string())
    })
}

/// A word as a shell takes it.
pub fn quote(word: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./=:,@%+".contains(letter);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_string()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_survives_the_shell() {
        assert_eq!(
            quote("--config=/etc/bandwatch/a.toml"),
            "--config=/etc/bandwatch/a.toml"
        );
        assert_eq!(quote("price test"), "'price test'");
        assert_eq!(quote("it's"), r"'it'\''s'");
        assert_eq!(quote("#1001"), "'#1001'");
        assert_eq!(quote(""), "''");
    }

    #[test]
    fn root_is_known_by_name_and_a_stranger_by_number() {
        assert_eq!(user_name(ROOT), "root");
        assert_eq!(user_name(3_999_999_999), "#3999999999");
    }
}
