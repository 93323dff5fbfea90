//! A state belongs to one configuration and one user, and lies in a folder of its own. With two
//! configurations on one state, metrics of the same name would each hide what the other saw; so the path of
//! the configuration stands in the file that a run locks.

use std::ffi::OsStr;
use std::fs::{File, canonicalize, read_dir};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf, absolute};

use anyhow::{Result, bail, ensure};

use super::file;
use super::format::is_of_bandwatch;
use super::names::{FILES, RUN_LOCK};
use crate::output::owner::{
    ROOT, command_as, ensure_root_may_write, meant_for, owner_of, this_user, user_name,
};
use crate::series::shard::Shard;

/// What stands before the path.
const HEAD: &[u8] = b"bandwatch keeps the state of this configuration here: ";
/// What stands after it, before the shard, if the state is that of one.
const SHARD: &str = "\nshard ";
/// The longest path of Linux, and what stands around it.
const LONGEST: u64 = 5000;

/// So many files by our names are ours, whatever is in them.
const COINCIDENCE: usize = 3;

/// What a state is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// To be made if it is not there.
    Run,
    /// To change what runs remember.
    Change,
    Look,
}

/// Refuses a state of another user, of another configuration or shard, or in a folder of something else.
pub fn check_use(
    dir: &Path,
    wanted: Use,
    configuration: Option<&Path>,
    shard: Option<Shard>,
) -> Result<()> {
    check_user(dir, wanted, configuration)?;
    if wanted != Use::Look {
        check_folder(dir)?;
    }
    configuration.map_or(Ok(()), |path| check_configuration(dir, path, shard))
}

/// What to say of a run that makes the state for root, where nothing tells that another user is meant to.
pub fn explain_making(dir: &Path) -> Option<String> {
    let makes_it = this_user() == Some(ROOT) && owner_of(dir).is_none();
    makes_it.then(|| {
        format!(
            "state_dir = {:?}: made for root alone; if another user's crontab runs bandwatch, remove it again, and run: {}",
            dir.display().to_string(),
            command_as("USER")
        )
    })
}

/// Notes the configuration and the shard in the file of the lock, which the run holds.
pub fn write(lock: &File, configuration: &Path, shard: Shard) -> io::Result<()> {
    let path = absolute(configuration)?;
    let shard = match shard {
        Shard::WHOLE => String::new(),
        shard => format!("{SHARD}{shard}"),
    };
    let text = [HEAD, path.as_os_str().as_bytes(), shard.as_bytes(), b"\n"].concat();
    let mut now = vec![0; text.len() + 1];
    let length = lock.read_at(&mut now, 0)?;
    if now[..length] != text {
        lock.set_len(0)?;
        lock.write_all_at(&text, 0)?;
    }
    Ok(())
}

fn check_user(dir: &Path, wanted: Use, configuration: Option<&Path>) -> Result<()> {
    let (shown, user) = (dir.display().to_string(), this_user());
    let owner = owner_of(dir);
    if wanted != Use::Look {
        ensure_root_may_write("state_dir", dir)?;
    }
    if let Some(owner) = owner.filter(|owner| Some(*owner) != user)
        && wanted != Use::Run
        && read_dir(dir).is_err_and(|error| error.kind() == ErrorKind::PermissionDenied)
    {
        let owner = user_name(owner);
        bail!(
            "state_dir = {shown:?}: it is for {owner} alone; run: {}",
            command_as(&owner)
        );
    }
    if owner.is_some() || user != Some(ROOT) {
        return Ok(());
    }
    match (wanted, configuration.and_then(meant_for)) {
        (Use::Run, Some(user)) => bail!(
            "state_dir = {shown:?}: not there yet, and {} is {user}'s to read: root would make it for itself alone; run: {} (if root's crontab runs bandwatch, make it first: mkdir -p -m 0700 {shown})",
            configuration.unwrap_or(dir).display(),
            command_as(&user)
        ),
        (Use::Change, user) => bail!(
            "state_dir = {shown:?}: not there, so no run has anything to be told; run it as the user whose crontab runs bandwatch: {}",
            command_as(user.as_deref().unwrap_or("USER"))
        ),
        (Use::Run, None) | (Use::Look, _) => Ok(()),
    }
}

/// Files by our names that bandwatch did not write are somebody else's. What is damaged lies beside others
/// that are whole, or is many: so many of our names in one folder are no coincidence.
fn check_folder(dir: &Path) -> Result<()> {
    let begins = |name: &str| file::read(&dir.join(name), LONGEST).ok().flatten();
    let found: Vec<(&str, Vec<u8>)> = FILES
        .into_iter()
        .chain([RUN_LOCK])
        .filter_map(|name| Some((name, begins(name)?)))
        .collect();
    let is_ours = |(name, bytes): &(&str, Vec<u8>)| {
        is_of_bandwatch(bytes) || (*name == RUN_LOCK && bytes.is_empty())
    };
    let names: Vec<&str> = found.iter().map(|(name, _)| *name).collect();
    ensure!(
        found.is_empty() || found.len() >= COINCIDENCE || found.iter().any(is_ours),
        "state_dir = {:?}: bandwatch did not write the {} in it; allowed: a folder of its own",
        dir.display().to_string(),
        names.join(", ")
    );
    Ok(())
}

fn check_configuration(dir: &Path, path: &Path, shard: Option<Shard>) -> Result<()> {
    let spare = file::spare(dir, this_user());
    let places = [dir, &spare].into_iter().filter(|place| {
        // Anybody may make folders where the spare one is.
        *place == dir || file::is_own(place, this_user())
    });
    let locks = places.map(|place| place.join(RUN_LOCK));
    let Some((lock, owner)) = locks
        .into_iter()
        .find_map(|lock| Some((lock.clone(), read(&lock)?)))
    else {
        return Ok(());
    };
    let (
        path,
        Claim {
            configuration: owner,
            shard: claimed,
        },
    ) = (absolute(path)?, owner);
    // One that is gone was moved, renamed, or is not in use any more.
    let is_other = owner.try_exists().unwrap_or(true)
        && owner != path
        && canonicalize(&owner).ok() != canonicalize(&path).ok();
    ensure!(
        !is_other,
        "state_dir = {:?} belongs to {}, and this is {}; give each a state_dir of its own; if this one replaces the other, remove the other file, or {}",
        dir.display().to_string(),
        owner.display(),
        path.display(),
        lock.display()
    );
    // Each would take what the other has seen for its own, and find what is its own there no more.
    if let Some(shard) = shard {
        ensure!(
            claimed.number() == shard.number(),
            "state_dir = {:?} is that of shard {claimed}, and this is {shard}; give each shard a state_dir of its own; if this one replaces the other, remove {}",
            dir.display().to_string(),
            lock.display()
        );
    }
    Ok(())
}

/// Whose a state is, by the file of its lock.
struct Claim {
    configuration: PathBuf,
    shard: Shard,
}

fn read(lock: &Path) -> Option<Claim> {
    let bytes = file::read(lock, LONGEST).ok()??;
    let path = bytes.strip_prefix(HEAD)?.strip_suffix(b"\n")?;
    let mark = SHARD.as_bytes();
    let end = path.windows(mark.len()).rposition(|part| part == mark);
    let shard = end.and_then(|end| {
        let shard = std::str::from_utf8(&path[end + mark.len()..]).ok()?;
        Some((end, Shard::parse(shard).ok()?))
    });
    let (end, shard) = shard.unwrap_or((path.len(), Shard::WHOLE));
    Some(Claim {
        configuration: PathBuf::from(OsStr::from_bytes(&path[..end])),
        shard,
    })
}
