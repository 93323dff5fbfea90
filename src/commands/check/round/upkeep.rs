//! What the memory itself gives to tell, and what of it nothing will come of any more.

use std::collections::HashSet;

use anyhow::Result;
use chrono::TimeDelta;

use crate::context::Plan;
use crate::incident::{Rules, Stamp};
use crate::notify::email::OwnTrouble;
use crate::notify::packing::{pack_own, thread_of};
use crate::state::{DiskTrouble, Parcel, Store};

/// How long a disk may take nothing before that is told, and told again.
const DISK_PATIENCE: TimeDelta = TimeDelta::minutes(10);
/// How long what was lost is told of by `status`.
const LOST_KEPT: TimeDelta = TimeDelta::days(7);
/// How long what is remembered of a metric outlives its place in the configuration.
const WATCH_KEPT: TimeDelta = TimeDelta::days(30);

/// What is to be told of the memory; it counts as told then.
pub fn take_troubles(store: &mut Store, now: Stamp) -> Vec<OwnTrouble> {
    let mut troubles = Vec::new();
    let unreadable = store.unreadable();
    let news: Vec<String> = unreadable
        .iter()
        .filter(|aside| !store.memory.told_unreadable.contains(&aside.name))
        .map(|aside| format!("{}: {}", aside.path.display(), aside.flaw))
        .collect();
    if !news.is_empty() {
        troubles.push(OwnTrouble::MemoryLost { files: news });
    }
    store.memory.told_unreadable = unreadable.into_iter().map(|aside| aside.name).collect();
    troubles.extend(take_disk_trouble(store, now));
    let untold: Vec<String> = untold_losses(store).map(ToString::to_string).collect();
    if !untold.is_empty() {
        troubles.push(OwnTrouble::MailsLost { mails: untold });
    }
    troubles
}

/// A mail that tells of it.
pub fn pack(trouble: &OwnTrouble, store: &mut Store, plan: &Plan) -> Parcel {
    let parcel = pack_own(trouble, plan);
    if let OwnTrouble::MailsLost { .. } = trouble {
        let untold: Vec<(String, String)> = untold_losses(store)
            .map(|lost| (lost.id.clone(), lost.to.clone()))
            .collect();
        let lost = store.memory.lost.iter_mut();
        for lost in lost.filter(|lost| untold.contains(&(lost.id.clone(), lost.to.clone()))) {
            lost.told_by = Some(parcel.id.clone());
        }
    }
    parcel
}

/// Those that no mail tells of that has got through or is on its way.
fn untold_losses(store: &Store) -> impl Iterator<Item = &crate::state::LostMail> {
    let waiting: HashSet<&str> = store
        .parcels
        .iter()
        .filter(|parcel| !parcel.is_finished())
        .map(|parcel| parcel.id.as_str())
        .collect();
    let lost = store.memory.lost.iter();
    lost.filter(move |lost| {
        let teller = lost.told_by.as_deref();
        !lost.told && !teller.is_some_and(|teller| waiting.contains(teller))
    })
}

fn take_disk_trouble(store: &mut Store, now: Stamp) -> Option<OwnTrouble> {
    let Some(why) = store.complaint().map(str::to_string) else {
        let over = store.memory.disk.take()?;
        return over.told.map(|_| OwnTrouble::DiskWellAgain);
    };
    let disk = store.memory.disk.get_or_insert(DiskTrouble {
        since: now,
        told: None,
    });
    let is_due = match disk.told {
        None => *now - *disk.since >= DISK_PATIENCE,
        Some(told) => Rules::default().renotify.is_due(*now - *told),
    };
    is_due.then(|| {
        disk.told = Some(now);
        OwnTrouble::DiskUnwell { why }
    })
}

/// Forgets what nothing will come of any more.
pub fn tidy(plan: &Plan, store: &mut Store) -> Result<()> {
    let now = Stamp::from(plan.now);
    let memory = &mut store.memory;
    memory
        .lost
        .retain(|lost| !lost.told || *now - *lost.since < LOST_KEPT);
    let configured: HashSet<&str> = plan
        .all_metrics
        .iter()
        .map(|metric| metric.name.as_str())
        .collect();
    let is_kept = |name: &String, looked: Option<&Stamp>| {
        configured.contains(name.as_str())
            || looked.is_some_and(|looked| *now - **looked < WATCH_KEPT)
    };
    let looks = &mut store.looks.metrics;
    memory
        .watches
        .retain(|name, _| is_kept(name, looks.get(name)));
    looks.retain(|name, looked| is_kept(name, Some(looked)));
    let live: HashSet<String> = memory
        .watches
        .iter()
        .flat_map(|(name, watch)| watch.threads().map(|thread| thread_of(name, thread)))
        .collect();
    store.tidy(|thread| live.contains(thread))
}
