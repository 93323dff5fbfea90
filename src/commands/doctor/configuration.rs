//! The file, the files that it names, and whether anybody would be told.

use std::collections::BTreeSet;
use std::fs::{self, File, Metadata, canonicalize};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::anyhow;

use super::Case;
use super::check::{Check, Condition, Findings, Link};
use crate::config::Config;
use crate::output::owner::{quote, user_name};

/// The rights of whoever is neither the owner nor of the group.
const OTHERS_READ: u32 = 0o004;
const OTHERS_WRITE: u32 = 0o002;

pub fn examine(case: &Case, findings: &Findings) {
    let config = &case.context.config;
    if let Some(path) = config.path() {
        findings.add(file(path, config));
        Config::usual_places()
            .into_iter()
            .filter(|place| place.exists() && canonicalize(place).ok() != canonicalize(path).ok())
            .for_each(|place| findings.add(unused(&place, path)));
    }
    for (key, path) in config.secret_files() {
        findings.add(secret(&key, path));
    }
    recipients(case, findings);
}

fn file(path: &Path, config: &Config) -> Check {
    let shown = path.display();
    let Ok(there) = fs::metadata(path) else {
        let gone = anyhow!("{shown}: it was read, and is gone now");
        return Check::failed(Link::Configuration, &gone);
    };
    let told = format!("{shown}, {}", owner_and_mode(&there));
    if there.mode() & OTHERS_WRITE != 0 {
        let advice = format!("chmod o-w {}", quote(&shown.to_string()));
        let told = format!("{told}: anybody on this machine may change it");
        return Check::warning(Link::Configuration, told, advice);
    }
    if there.mode() & OTHERS_READ != 0 && config.holds_secret() {
        let told = format!(
            "{told}: anybody on this machine may read it, and an address in it may be a secret (heartbeat_url, channel.url)"
        );
        let advice = format!("chmod o-r {}, or url_file", quote(&shown.to_string()));
        return Check::warning(Link::Configuration, told, advice);
    }
    Check::ok(Link::Configuration, told)
}

fn unused(place: &Path, used: &Path) -> Check {
    let told = format!(
        "{} is there too, and not used: this is {}",
        place.display(),
        used.display()
    );
    let advice = "remove the one that is not meant, or name the other with --config";
    Check::warning(Link::Configuration, told, advice)
}

fn secret(key: &str, path: &Path) -> Check {
    let shown = path.display().to_string();
    let key = format!("{key} = {shown:?}");
    let there = match File::open(path).and_then(|file| file.metadata()) {
        Ok(there) => there,
        Err(error) => {
            let whose = fs::metadata(path).map_or(String::new(), |there| {
                format!("; it is {}", owner_and_mode(&there))
            });
            return Check::failed(
                Link::Secrets,
                &anyhow!("{key}: cannot be read: {error}{whose}"),
            );
        }
    };
    if there.mode() & (OTHERS_READ | OTHERS_WRITE) != 0 {
        let told = format!(
            "{key}, {}: anybody on this machine may read it",
            owner_and_mode(&there)
        );
        return Check::warning(
            Link::Secrets,
            told,
            format!("chmod o-rwx {}", quote(&shown)),
        );
    }
    Check::ok(Link::Secrets, format!("{key}, {}", owner_and_mode(&there)))
}

/// `of root, mode 0640`
fn owner_and_mode(there: &Metadata) -> String {
    let (owner, mode) = (user_name(there.uid()), there.permissions().mode() & 0o7777);
    format!("of {owner}, mode {mode:04o}")
}

/// Who would be told, and of what nobody would be.
fn recipients(case: &Case, findings: &Findings) {
    let config = &case.context.config;
    let mut told = BTreeSet::new();
    let mut untold = Vec::new();
    for metric in &case.metrics {
        let mailboxes = config.mailboxes(metric);
        let addresses = mailboxes.iter().map(|mailbox| mailbox.email.to_string());
        let channels = config.channels.iter();
        let channels = channels.filter(|channel| metric.is_told_by(channel.name()));
        let channels = channels.filter(|channel| channel.recipients().is_none());
        let channels = channels.map(|channel| format!("channel {}", channel.name()));
        let own: Vec<String> = addresses.chain(channels).collect();
        if own.is_empty() {
            untold.push(metric.name.as_str());
        }
        told.extend(own);
    }
    if untold.is_empty() {
        let told: Vec<String> = told.into_iter().collect();
        findings.add(Check::ok(Link::Recipients, told.join(", ")));
    } else {
        let nobody = format!("nobody is told of {}", untold.join(", "));
        let advice = "set smtp.recipients, metric.recipients, or a [[channel]]";
        let check = Check::new(Link::Recipients, Condition::Failed, nobody);
        findings.add(check.advised(advice));
    }
}

/// The configuration as a command names it, if it was named at all.
pub fn named(config: &Config) -> Option<PathBuf> {
    std::path::absolute(config.path()?).ok()
}
