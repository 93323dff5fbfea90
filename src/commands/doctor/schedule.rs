//! Whether anything starts runs: when the last one was, and where one is scheduled, as far as that can be
//! read at no cost.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::check::{Check, Findings, Link};
use super::{Case, configuration};
use crate::output::owner::{quote, this_user, user_name};
use crate::output::{within, write_length, write_time};

/// Cron starts a run each minute; one may take its deadline.
const SILENT: TimeDelta = TimeDelta::minutes(10);

const NAME: &str = "bandwatch";

pub fn examine(case: &Case, findings: &Findings) {
    let places = places();
    findings.add(last_run(case));
    findings.add(match places.as_slice() {
        [] => Check::ok(
            Link::Schedule,
            "no crontab or timer that can be read here mentions bandwatch",
        ),
        places => Check::ok(
            Link::Schedule,
            format!("bandwatch is in {}", places.join(", ")),
        ),
    });
}

fn last_run(case: &Case) -> Check {
    let now = case.context.now;
    let runs = case
        .context
        .look_at_state()
        .map(|state| state.runs)
        .unwrap_or_default();
    let told = |time: DateTime<Utc>| write_time(time.with_timezone(&now.timezone()), now);
    let age = |time: DateTime<Utc>| now.to_utc() - time;
    let advice = format!(
        "is cron running, and is this in the crontab of {}? {}",
        user(),
        crontab_line(case)
    );
    match (runs.last, runs.last_good) {
        (None, _) => Check::warning(
            Link::LastRun,
            "there was none yet, for this user and configuration",
            advice,
        ),
        (Some(last), _) if age(last) > SILENT => {
            let ago = write_length(TimeDelta::minutes(age(last).num_minutes()));
            let text = format!("silent cron: the last run was at {}, {ago} ago", told(last));
            Check::warning(Link::LastRun, text, advice)
        }
        (Some(last), good) if good.is_none_or(|good| age(good) > SILENT) => {
            let good = good.map_or("none".to_string(), told);
            let text = format!(
                "at {}, and the last in which nothing failed: {good}",
                told(last)
            );
            Check::warning(
                Link::LastRun,
                text,
                "what failed is told by bandwatch status, and by bandwatch -v",
            )
        }
        (Some(last), good) if good == Some(last) => Check::ok(
            Link::LastRun,
            format!("at {}, and nothing failed", told(last)),
        ),
        (Some(last), good) => {
            let good = good.map_or("none".to_string(), told);
            let text = format!(
                "at {}, and the last in which nothing failed: {good}",
                told(last)
            );
            Check::ok(Link::LastRun, text)
        }
    }
}

fn user() -> String {
    this_user().map_or("this user".to_string(), user_name)
}

/// As README has it.
fn crontab_line(case: &Case) -> String {
    let program =
        std::env::current_exe().unwrap_or_else(|_| PathBuf::from("/usr/local/bin/bandwatch"));
    let program = quote(&program.to_string_lossy());
    let config = configuration::named(&case.context.config);
    let config = config.map_or(String::new(), |path| {
        format!(" --config {}", quote(&path.to_string_lossy()))
    });
    format!("* * * * * {program} -q{config} 2>&1 | logger -t bandwatch")
}

/// Where bandwatch is mentioned: crontabs, and units of systemd.
fn places() -> Vec<String> {
    let mut places = Vec::new();
    if own_crontab().is_some_and(|text| mentions(&text)) {
        places.push(format!("the crontab of {}", user()));
    }
    let home =
        std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".config/systemd/user"));
    let folders = [
        "/etc/cron.d",
        "/etc/systemd/system",
        "/usr/lib/systemd/system",
    ]
    .map(PathBuf::from);
    let entries = folders
        .into_iter()
        .chain(home)
        .filter_map(|folder| fs::read_dir(folder).ok());
    let files = entries.flatten().flatten().map(|entry| entry.path());
    let files = [PathBuf::from("/etc/crontab")].into_iter().chain(files);
    let named = files.filter(|path| {
        is_schedule(path) && fs::read_to_string(path).is_ok_and(|text| mentions(&text))
    });
    places.extend(named.map(|path| path.display().to_string()));
    places
}

fn is_schedule(path: &Path) -> bool {
    let is_unit = path
        .parent()
        .is_some_and(|folder| folder.to_string_lossy().contains("systemd"));
    !is_unit || path.extension().is_some_and(|ending| ending == "timer")
}

/// In a line that is no comment.
fn mentions(text: &str) -> bool {
    let mut lines = text.lines();
    lines.any(|line| !line.trim_start().starts_with('#') && line.contains(NAME))
}

/// What `crontab -l` says: the file itself is not for its user to read.
fn own_crontab() -> Option<String> {
    const PATIENCE: Duration = Duration::from_secs(2);
    let listed = within(PATIENCE, || {
        let mut command = Command::new("crontab");
        command.arg("-l").stdin(Stdio::null()).output()
    });
    String::from_utf8(listed?.ok()?.stdout).ok()
}
