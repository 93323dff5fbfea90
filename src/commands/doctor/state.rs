//! The state: whether a run could keep one, who holds it, and what in it wants somebody's eye.

use std::path::Path;

use anyhow::anyhow;

use super::Case;
use super::check::{Check, Condition, Findings, Link, Which};
use crate::context::Context;
use crate::notify::{AlertKey, Pending};
use crate::output::owner::{owner_of, quote, this_user, user_name};
use crate::output::{write_length, write_setting, write_time};
use crate::state::inspect::{free_bytes, leftovers, lock_holder, spare_folder, try_writing};
use crate::state::{Place, State, Use};

/// Less is soon full.
const LITTLE_ROOM: u64 = 20 << 20;

pub fn examine(case: &Case, findings: &Findings) {
    let looked = case.context.state_place().and_then(|place| {
        let state = case.context.look_at_state()?;
        Ok((place, state))
    });
    let (place, state) = match looked {
        Ok(looked) => looked,
        Err(error) => {
            findings.add(Check::failed(Link::State, &error));
            return;
        }
    };
    match &place {
        Place::Directory(dir) => {
            findings.add(folder(&case.context, &place, dir));
            findings.add(disk(dir));
            findings.add(lock(&case.context, dir));
            files(&state, dir, findings);
        }
        Place::Tables(_) => findings.add(tables(&place, &state)),
    }
    outbox(&state, findings);
    silences(case, &state, findings);
}

fn tables(place: &Place, state: &State) -> Check {
    match state.complaint() {
        Some(complaint) => Check::failed(Link::State, &anyhow!("{complaint}")),
        None => Check::ok(Link::State, format!("kept in {place}")),
    }
}

fn folder(context: &Context, place: &Place, dir: &Path) -> Check {
    let shown = dir.display();
    if let Err(error) = place.check_use(Use::Run, context.config.path(), None) {
        return Check::failed(Link::State, &error);
    }
    let told = match (owner_of(dir), this_user()) {
        (None, user) => {
            let user = user.map_or("this user".to_string(), user_name);
            format!(
                "state_dir = {:?}: not there yet; the first run makes it for {user}",
                shown.to_string()
            )
        }
        (Some(owner), Some(user)) if owner != user => {
            let [owner, user] = [owner, user].map(user_name);
            let told = format!(
                "state_dir = {:?}: it is {owner}'s, and this is {user}",
                shown.to_string()
            );
            let advice = format!(
                "run bandwatch as {owner}, or: sudo chown -R {user}: {}",
                quote(&shown.to_string())
            );
            return Check::new(Link::State, Condition::Failed, told).advised(advice);
        }
        (Some(owner), _) => format!(
            "state_dir = {:?}, of {}",
            shown.to_string(),
            user_name(owner)
        ),
    };
    Check::ok(Link::State, told)
}

fn disk(dir: &Path) -> Check {
    let shown = dir.display();
    if let Err(error) = try_writing(dir) {
        return Check::failed(
            Link::Disk,
            &anyhow!("{shown} cannot be written to: {error}"),
        )
        .advised("until it can, runs keep their state in memory, and a reboot loses it");
    }
    if let Some(spare) = spare_folder(dir) {
        let told = format!(
            "{} holds what a run could not write to {shown}",
            spare.display()
        );
        let advice = "the next run that can write moves it over: did one run since?";
        return Check::warning(Link::Disk, told, advice);
    }
    match free_bytes(dir) {
        Some(free) if free < LITTLE_ROOM => Check::warning(
            Link::Disk,
            format!("only {} MiB are free at {shown}", free >> 20),
            "make room before it is full",
        ),
        Some(free) => Check::ok(
            Link::Disk,
            format!("it can be written to, and {} MiB are free", free >> 20),
        ),
        None => Check::ok(Link::Disk, "it can be written to"),
    }
}

/// A run holds the lock for its deadline at most.
fn lock(context: &Context, dir: &Path) -> Check {
    let Some(holder) = lock_holder(dir) else {
        return Check::ok(Link::Lock, "no run is at work");
    };
    let (process, program) = (holder.process, &holder.program);
    let age = chrono::TimeDelta::from_std(holder.age).unwrap_or_default();
    let told = format!(
        "held by process {process} ({program}), which began {} ago",
        length(age)
    );
    let deadline = context.config.deadline;
    if holder.age > 2 * deadline {
        let told = format!(
            "{told}; a run takes {} at most (key deadline)",
            write_setting(deadline)
        );
        return Check::warning(
            Link::Lock,
            told,
            format!("no run gets through until it ends: kill {process}"),
        );
    }
    Check::ok(Link::Lock, format!("a run is at work: {told}"))
}

fn length(length: chrono::TimeDelta) -> String {
    if length < chrono::TimeDelta::minutes(2) {
        format!("{} s", length.num_seconds())
    } else {
        write_length(chrono::TimeDelta::minutes(length.num_minutes()))
    }
}

fn files(state: &State, dir: &Path, findings: &Findings) {
    let mut is_well = true;
    if let Some(complaint) = state.complaint() {
        is_well = false;
        findings.add(Check::failed(Link::StateFiles, &anyhow!("{complaint}")));
    }
    for file in state.unreadable() {
        is_well = false;
        findings.add(Check::warning(
            Link::StateFiles,
            format!("{} could not be read: {}", file.path.display(), file.error),
            "what it held is lost to runs; look into it, then delete it",
        ));
    }
    let leftovers = leftovers(dir);
    if !leftovers.is_empty() {
        is_well = false;
        findings.add(Check::warning(
            Link::StateFiles,
            format!("{}: left in {}", leftovers.join(", "), dir.display()),
            "of a run that was killed, or of a bandwatch before 0.2: the next run clears up",
        ));
    }
    if is_well {
        findings.add(Check::ok(
            Link::StateFiles,
            "they can be read, and nothing else was left",
        ));
    }
}

fn outbox(state: &State, findings: &Findings) {
    let waiting = waiting(state);
    let lost = &state.contents().log.lost;
    for notification in lost {
        findings.add(Check::warning(
            Link::Outbox,
            format!("lost: {:?} to {}: {}", notification.subject, notification.to, notification.why),
            "bandwatch status lists what was given up in the last week; is that recipient reached now?",
        ));
    }
    let failed = waiting
        .iter()
        .find_map(|(to, pending)| Some((to, pending.error.as_ref()?)));
    let told = match (failed, waiting.len()) {
        (Some((to, why)), count) => Check::warning(
            Link::Outbox,
            format!("{count} waiting, to {to}: {why}"),
            "it is tried again by each run; bandwatch status lists all",
        ),
        (None, 0) if lost.is_empty() => {
            Check::ok(Link::Outbox, "nothing waits, and nothing was lost")
        }
        (None, 0) => return,
        (None, count) => Check::ok(Link::Outbox, format!("{count} on their way")),
    };
    findings.add(told);
}

/// What is on its way, with whom it is for.
fn waiting(state: &State) -> Vec<(&str, &Pending)> {
    let contents = state.contents();
    let own = contents.own_alerts.iter().map(|alert| ("", alert));
    let metrics = contents.metrics.iter();
    let of_metrics = metrics
        .flat_map(|(name, known)| known.alerts.iter().map(move |alert| (name.as_str(), alert)));
    let pending = own.chain(of_metrics).flat_map(|(metric, alert)| {
        let alert = &alert.id;
        contents.log.pending(AlertKey { metric, alert })
    });
    let repeats = contents.log.repeats.iter();
    pending
        .chain(repeats.map(|(to, pending)| (to.as_str(), pending)))
        .collect()
}

fn silences(case: &Case, state: &State, findings: &Findings) {
    let now = case.context.now;
    for metric in &case.metrics {
        if let Some(silence) = state.silences.of(&metric.name, now.to_utc()) {
            let until = write_time(silence.until.with_timezone(&now.timezone()), now);
            let because = silence.because.as_ref();
            let because = because.map_or(String::new(), |because| format!(": {because}"));
            let told = format!("silent until {until}{because}");
            findings.add(Check::ok(Link::Silences, told).of(Which::Metric(metric.name.clone())));
        }
    }
}
