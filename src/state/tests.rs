//! What is remembered survives a kill at any moment, garbage in its files, and a disk that is full.

use std::fs;

use chrono::{DateTime, TimeDelta, Utc};
use tempfile::TempDir;

use super::*;
use crate::incident::Watch;
use crate::notify::email::Writing;

fn dir() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

fn at(minute: i64) -> Stamp {
    let start: DateTime<Utc> = "2026-11-22T00:00:00Z".parse().expect("a time");
    Stamp::from(start + TimeDelta::minutes(minute))
}

fn open(dir: &TempDir) -> (Store, Lock) {
    match Store::open(dir.path()).expect("a store") {
        Opening::Open { held, lock } => (held, lock),
        Opening::Busy => panic!("another run"),
    }
}

fn parcel(told: &str) -> Parcel {
    Parcel {
        id: Parcel::id_of(told),
        batch: 0,
        place: 0,
        created: at(0),
        subject: told.to_string(),
        threads: vec![told.to_string()],
        purpose: Purpose::Alert,
        addressees: vec![Addressee::to("ops@example.com".into(), at(0))],
        writing: Contents::Writing(Box::new(Writing::sample())),
    }
}

fn accepted() -> Delivery {
    Delivery::Accepted {
        at: at(1),
        message_id: "<one@example.com>".into(),
    }
}

fn remember_sales(store: &mut Store) {
    let watches = &mut store.memory.watches;
    watches.insert("sales".into(), Watch::default());
}

#[test]
fn what_was_committed_is_there_in_the_next_run() {
    let dir = dir();
    let (mut store, lock) = open(&dir);
    remember_sales(&mut store);
    store.commit(vec![parcel("one")]).expect("written");
    let expected = (store.memory.clone(), store.parcels.clone());
    drop((store, lock));
    let (store, _lock) = open(&dir);
    assert_eq!(store.unreadable(), []);
    assert_eq!((store.memory, store.parcels), expected);
}

#[test]
fn files_are_for_nobody_elses_eyes() {
    use std::os::unix::fs::PermissionsExt;
    let dir = dir();
    let (mut store, _lock) = open(&dir);
    store.commit(vec![parcel("one")]).expect("written");
    for entry in fs::read_dir(dir.path()).expect("a folder") {
        let entry = entry.expect("an entry");
        let mode = entry.metadata().expect("of it").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{entry:?}");
    }
}

#[test]
fn a_second_run_finds_the_memory_taken_and_a_look_does_not_mind() {
    let dir = dir();
    let (_store, lock) = open(&dir);
    assert!(matches!(
        Store::open(dir.path()).expect("an answer"),
        Opening::Busy
    ));
    Store::look(dir.path());
    drop(lock);
    open(&dir);
}

#[test]
fn a_run_killed_before_its_commit_leaves_neither_mail_nor_memory() {
    let dir = dir();
    let (mut store, lock) = open(&dir);
    store.commit(Vec::new()).expect("written");
    // All of a commit but the memory.
    let mut draft = parcel("one");
    draft.batch = 1;
    outbox::write_new(&mut store.shelf, &draft).expect("written");
    store
        .shelf
        .write(
            "0123456789abcdef.mail",
            &Writing::sample(),
            Certainty::Durable,
        )
        .expect("written");
    drop((store, lock));
    let (mut store, lock) = open(&dir);
    assert_eq!(store.parcels, []);
    assert!(
        store.shelf.names(".mail").is_empty(),
        "nor what is left of it"
    );
    store.commit(vec![parcel("one")]).expect("written");
    drop((store, lock));
    assert_eq!(open(&dir).0.parcels.len(), 1);
}

#[test]
fn a_mail_that_is_there_is_not_written_twice() {
    let dir = dir();
    let (mut store, _lock) = open(&dir);
    store.commit(vec![parcel("one")]).expect("written");
    store.commit(vec![parcel("one")]).expect("written");
    assert_eq!(store.parcels.len(), 1);
}

#[test]
fn garbage_in_place_of_the_memory_is_set_aside_and_no_mail_is_lost() {
    let dir = dir();
    let (mut store, lock) = open(&dir);
    remember_sales(&mut store);
    store.commit(vec![parcel("one")]).expect("written");
    drop((store, lock));
    let whole = fs::read(dir.path().join(MEMORY)).expect("a file");
    for length in 0..whole.len() {
        let mut garbage = whole[..length].to_vec();
        if length % 3 == 0 {
            garbage.reverse();
        }
        fs::write(dir.path().join(MEMORY), &garbage).expect("written");
        let (store, _lock) = open(&dir);
        assert_eq!(store.memory.watches.len(), 0);
        assert_eq!(store.parcels.len(), 1, "{length}");
        let [aside] = store.unreadable().try_into().expect("one file");
        assert_eq!(aside.name, format!("{MEMORY}.unreadable-1"));
        assert_eq!(fs::read(&aside.path).expect("the garbage"), garbage);
        fs::remove_file(aside.path).expect("looked at");
    }
}

#[test]
fn a_newer_version_is_set_aside_and_told_as_such() {
    let dir = dir();
    let (mut store, lock) = open(&dir);
    remember_sales(&mut store);
    store.commit(Vec::new()).expect("written");
    drop((store, lock));
    let path = dir.path().join(MEMORY);
    let text = fs::read_to_string(&path).expect("text");
    fs::write(&path, text.replacen(" 1 ", " 9 ", 1)).expect("written");
    let aside = open(&dir).0.unreadable();
    assert!(
        aside[0]
            .flaw
            .to_string()
            .contains("a newer bandwatch wrote it (format 9"),
        "{aside:?}"
    );
}

#[test]
fn a_look_sets_nothing_aside() {
    let dir = dir();
    fs::write(dir.path().join(MEMORY), "garbage").expect("written");
    let store = Store::look(dir.path());
    assert_eq!(store.unreadable().len(), 1);
    assert!(dir.path().join(MEMORY).exists());
}

#[test]
fn a_finished_mail_is_kept_in_outline_until_its_thread_is_over() {
    let dir = dir();
    let (mut store, _lock) = open(&dir);
    store.commit(vec![parcel("one")]).expect("written");
    store.parcels[0].addressees[0].delivery = accepted();
    store.update(0).expect("written");
    assert!(store.shelf.names(".mail").is_empty());
    store.tidy(|_| true).expect("written");
    assert_eq!(store.shelf.names(".parcel").len(), 1);
    store.tidy(|_| false).expect("written");
    assert!(store.shelf.names(".parcel").is_empty() && store.parcels.is_empty());
}

#[test]
fn what_cannot_be_written_is_remembered_in_the_spare_folder_until_it_can() {
    let dir = dir();
    let place = dir.path().join("state");
    // A file in the way is a disk that takes nothing, for every user.
    fs::write(&place, "in the way").expect("written");
    let open = || match Store::open(&place).expect("a store") {
        Opening::Open { held, lock } => (held, lock),
        Opening::Busy => panic!("another run"),
    };
    let (mut store, lock) = open();
    remember_sales(&mut store);
    store
        .commit(vec![parcel("one"), parcel("two")])
        .expect("written");
    let complaint = store.complaint().expect("a complaint").to_string();
    assert!(complaint.contains("state_dir = "), "{complaint}");
    drop((store, lock));

    let (mut store, lock) = open();
    assert_eq!((store.memory.watches.len(), store.parcels.len()), (1, 2));
    assert!(matches!(
        Store::open(&place).expect("an answer"),
        Opening::Busy
    ));
    for index in 0..2 {
        store.parcels[index].addressees[0].delivery = accepted();
        store.update(index).expect("written");
    }
    drop((store, lock));

    fs::remove_file(&place).expect("out of the way");
    let (mut store, _lock) = open();
    assert_eq!(store.complaint(), None);
    assert_eq!(store.memory.watches.len(), 1);
    assert!(store.parcels.iter().all(Parcel::is_finished));
    store.tidy(|_| false).expect("written");
    assert!(place.join(MEMORY).exists());
}

#[test]
fn silences_are_changed_while_a_run_goes_on() {
    let dir = dir();
    let (mut store, _lock) = open(&dir);
    let silence = crate::incident::Silence {
        until: at(60),
        because: Some("a release".into()),
    };
    let half_written = dir.path().join("memory.json.part");
    fs::write(&half_written, "half").expect("written");
    change_silences(dir.path(), |silences| {
        silences.add("sales", silence.clone(), at(0));
    })
    .expect("written");
    assert!(half_written.exists());
    store.commit(vec![parcel("one")]).expect("written");
    let store = Store::look(dir.path());
    assert_eq!(store.silences.of("sales", at(1)), Some(&silence));
}

#[test]
fn the_first_run_of_all_locks_the_file_that_the_second_looks_for() {
    let place = dir();
    let dir = place.path().join("not/there/yet");
    let Opening::Open { lock: _lock, .. } = Store::open(&dir).expect("a store") else {
        panic!("another run");
    };
    assert!(dir.join("run.lock").exists());
    assert!(matches!(
        Store::open(&dir).expect("an answer"),
        Opening::Busy
    ));
}

#[test]
fn without_the_memory_no_mail_is_lost() {
    let dir = dir();
    let (mut store, lock) = open(&dir);
    store
        .commit(vec![parcel("one"), parcel("two")])
        .expect("written");
    drop((store, lock));
    fs::remove_file(dir.path().join(MEMORY)).expect("a memory");
    let (store, _lock) = open(&dir);
    assert_eq!(store.parcels.len(), 2);
}

#[test]
fn the_first_run_of_all_leaves_no_draft_that_is_taken_for_a_mail() {
    let dir = dir();
    let (mut store, lock) = open(&dir);
    let mut draft = parcel("one");
    draft.batch = 1;
    outbox::write_new(&mut store.shelf, &draft).expect("written");
    drop((store, lock));
    assert_eq!(open(&dir).0.parcels, []);
}

#[test]
fn a_mail_that_vanishes_is_remembered_as_lost() {
    let dir = dir();
    let (mut store, lock) = open(&dir);
    store
        .commit(vec![parcel("one"), parcel("two")])
        .expect("written");
    let id = store.parcels[0].id.clone();
    drop((store, lock));
    fs::remove_file(dir.path().join(format!("{id}.parcel"))).expect("a parcel");
    let (mut store, lock) = open(&dir);
    let lost: Vec<&str> = store
        .memory
        .lost
        .iter()
        .map(|lost| lost.id.as_str())
        .collect();
    assert_eq!(lost, [id.as_str()]);
    store.commit(Vec::new()).expect("written");
    drop((store, lock));
    assert_eq!(open(&dir).0.memory.lost.len(), 1, "once");
}

#[test]
fn mails_keep_their_order_whatever_the_clock_does() {
    let dir = dir();
    let (mut store, lock) = open(&dir);
    let subjects = ["d", "a", "c", "b"];
    for (minute, subject) in (0..).zip(subjects) {
        let mut parcel = parcel(subject);
        parcel.created = at(60 - minute);
        store.commit(vec![parcel]).expect("written");
    }
    drop((store, lock));
    let (store, _lock) = open(&dir);
    let read: Vec<&str> = store
        .parcels
        .iter()
        .map(|parcel| parcel.subject.as_str())
        .collect();
    assert_eq!(read, subjects);
}

#[test]
fn what_others_put_into_the_spare_folder_is_never_read() {
    use std::os::unix::fs::PermissionsExt;
    let dir = dir();
    let (mut store, lock) = open(&dir);
    remember_sales(&mut store);
    store.commit(vec![parcel("one")]).expect("written");
    drop((store, lock));
    let spare = folder::spare(dir.path());
    fs::create_dir(&spare).expect("a folder");
    fs::write(spare.join(MEMORY), "").expect("written");
    let forged = seal::seal(&Silences::default()).expect("bytes");
    fs::write(spare.join(SILENCES), forged).expect("written");
    // Anybody could have written into this one.
    fs::set_permissions(&spare, fs::Permissions::from_mode(0o777)).expect("changed");
    let (store, lock) = open(&dir);
    assert_eq!((store.memory.watches.len(), store.parcels.len()), (1, 1));
    drop((store, lock));
    fs::remove_dir_all(spare).expect("removed");
}

#[test]
fn what_the_disk_does_not_let_be_read_is_not_overwritten() {
    let dir = dir();
    let (mut store, lock) = open(&dir);
    store.commit(vec![parcel("one")]).expect("written");
    drop((store, lock));
    // A folder in place of the file is an error for every user.
    let memory = dir.path().join(MEMORY);
    fs::rename(&memory, dir.path().join("elsewhere")).expect("renamed");
    fs::create_dir(&memory).expect("a folder");
    let (mut store, lock) = open(&dir);
    assert!(store.complaint().is_some());
    assert_eq!(store.parcels.len(), 1);
    store
        .commit(vec![parcel("two")])
        .expect("written elsewhere");
    assert!(memory.is_dir());
    drop((store, lock));
    fs::remove_dir(&memory).expect("removed");
    assert_eq!(open(&dir).0.parcels.len(), 2);
}
