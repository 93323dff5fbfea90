//! The state survives garbage in its files, and a disk that is full.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use chrono::TimeDelta;
use tempfile::TempDir;

use super::*;
use crate::incident::Silence;

fn dir() -> TempDir {
    tempfile::tempdir().expect("a directory")
}

fn at(minute: i64) -> DateTime<Utc> {
    let start: DateTime<Utc> = "2026-11-22T00:00:00Z".parse().expect("a time");
    start + TimeDelta::minutes(minute)
}

fn open(dir: &Path) -> State {
    let state = State::open(dir).expect("a state");
    state.expect("no other run")
}

/// Knows one more metric, and writes that down.
fn save(state: &mut State, metric: &str) {
    let metrics = &mut state.contents_mut().metrics;
    metrics.insert(metric.to_string(), MetricState::default());
    state.save().expect("written");
}

fn known(state: &State) -> Vec<&str> {
    let metrics = state.contents().metrics.keys();
    metrics.map(String::as_str).collect()
}

#[test]
fn what_was_saved_is_there_in_the_next_run() {
    let dir = dir();
    save(&mut open(dir.path()), "sales");
    let state = open(dir.path());
    assert_eq!(state.unreadable(), []);
    assert_eq!(known(&state), ["sales"]);
}

#[test]
fn files_are_for_nobody_elses_eyes() {
    let dir = dir();
    save(&mut open(dir.path()), "sales");
    for entry in fs::read_dir(dir.path()).expect("a directory") {
        let entry = entry.expect("an entry");
        let mode = entry.metadata().expect("of it").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{entry:?}");
    }
}

#[test]
fn a_second_run_finds_the_state_taken_and_a_look_does_not_mind() {
    let place = dir();
    let dir = place.path().join("not/there/yet");
    let state = open(&dir);
    assert!(dir.join("run.lock").exists());
    assert!(State::open(&dir).expect("an answer").is_none());
    State::look(&dir);
    drop(state);
    open(&dir);
}

#[test]
fn garbage_in_place_of_the_state_is_set_aside() {
    let dir = dir();
    save(&mut open(dir.path()), "sales");
    let whole = fs::read(dir.path().join(STATE)).expect("a file");
    for length in 0..whole.len() {
        let mut garbage = whole[..length].to_vec();
        if length % 3 == 0 {
            garbage.reverse();
        }
        fs::write(dir.path().join(STATE), &garbage).expect("written");
        let state = open(dir.path());
        assert!(known(&state).is_empty());
        let [aside] = state.unreadable().try_into().expect("one file");
        assert_eq!(aside.name, format!("{STATE}.unreadable-1"));
        assert_eq!(fs::read(&aside.path).expect("the garbage"), garbage);
        fs::remove_file(aside.path).expect("looked at");
    }
}

#[test]
fn other_versions_are_set_aside_and_told_as_such() {
    let dir = dir();
    save(&mut open(dir.path()), "sales");
    let path = dir.path().join(STATE);
    let text = fs::read_to_string(&path).expect("text");
    fs::write(&path, text.replacen(" 1 ", " 9 ", 1)).expect("written");
    for old in ["memory.json", "looks.json", "1f.parcel", "1f.mail"] {
        fs::write(dir.path().join(old), "bandwatch 1 ...").expect("written");
    }
    let told: Vec<String> = open(dir.path())
        .unreadable()
        .iter()
        .map(|file| format!("{} {}", file.name, file.error))
        .collect();
    assert_eq!(told.len(), 5, "{told:?}");
    let newer = "state.json.unreadable-1 a newer bandwatch wrote it (format 9";
    assert!(told.iter().any(|told| told.starts_with(newer)), "{told:?}");
    let older = told.iter().filter(|told| {
        told.ends_with("an older bandwatch wrote it, in a format that is not in use any more")
    });
    assert_eq!(older.count(), 4, "{told:?}");
}

#[test]
fn a_look_sets_nothing_aside() {
    let dir = dir();
    fs::write(dir.path().join(STATE), "garbage").expect("written");
    let state = State::look(dir.path());
    assert_eq!(state.unreadable().len(), 1);
    assert!(dir.path().join(STATE).exists());
}

#[test]
fn what_cannot_be_written_is_kept_in_the_spare_directory_until_it_can() {
    let place = dir();
    let dir = place.path().join("state");
    // A file in the way is a disk that takes nothing, for every user.
    fs::write(&dir, "in the way").expect("written");
    let mut state = open(&dir);
    save(&mut state, "sales");
    let complaint = state.complaint().expect("a complaint").to_string();
    assert!(complaint.contains("state_dir = "), "{complaint}");
    drop(state);

    let mut state = open(&dir);
    assert_eq!(known(&state), ["sales"]);
    assert!(State::open(&dir).expect("an answer").is_none());
    save(&mut state, "visits");
    drop(state);

    fs::remove_file(&dir).expect("out of the way");
    let state = open(&dir);
    assert_eq!(state.complaint(), None);
    assert_eq!(known(&state), ["sales", "visits"]);
    assert!(dir.join(STATE).exists());
}

#[test]
fn silences_are_changed_while_a_run_goes_on() {
    let dir = dir();
    let mut state = open(dir.path());
    let silence = Silence {
        from: None,
        until: at(60),
        because: Some("a release".into()),
    };
    let half_written = dir.path().join("state.json.part");
    fs::write(&half_written, "half").expect("written");
    let add = |silences: &mut Silences| silences.add("sales", silence.clone(), at(0));
    change_silences(dir.path(), add).expect("written");
    assert!(half_written.exists());
    save(&mut state, "sales");
    let state = State::look(dir.path());
    assert_eq!(state.silences.of("sales", at(1)), Some(&silence));
}

#[test]
fn what_others_put_into_the_spare_directory_is_never_read() {
    let dir = dir();
    save(&mut open(dir.path()), "sales");
    let spare = file::spare(dir.path());
    fs::create_dir(&spare).expect("a directory");
    let forged = format::encode(&Contents::default()).expect("bytes");
    fs::write(spare.join(STATE), forged).expect("written");
    // Anybody could have written into this one.
    fs::set_permissions(&spare, fs::Permissions::from_mode(0o777)).expect("changed");
    assert_eq!(known(&open(dir.path())), ["sales"]);
    fs::remove_dir_all(spare).expect("removed");
}

#[test]
fn what_the_disk_does_not_let_be_read_is_not_overwritten() {
    let dir = dir();
    save(&mut open(dir.path()), "sales");
    // A directory in place of the file is an error for every user.
    let path = dir.path().join(STATE);
    let whole = fs::read(&path).expect("a file");
    fs::remove_file(&path).expect("removed");
    fs::create_dir(&path).expect("a directory");
    let mut state = open(dir.path());
    assert!(state.complaint().is_some());
    save(&mut state, "visits");
    assert!(path.is_dir());
    drop(state);
    // It can be read again: what was in it is nobody's to lose.
    fs::remove_dir(&path).expect("removed");
    fs::write(&path, &whole).expect("written");
    let state = open(dir.path());
    assert_eq!(known(&state), ["visits"]);
    let [aside] = state.unreadable().try_into().expect("one file");
    assert_eq!(aside.path, dir.path().join(format!("{STATE}.unreadable-1")));
    assert_eq!(aside.error, format::LoadError::Unusable);
    assert_eq!(fs::read(&aside.path).expect("the file"), whole);
    assert!(!file::spare(dir.path()).exists());
}

#[test]
fn a_silence_that_went_to_the_disk_is_not_undone_by_an_older_one_beside_it() {
    let dir = dir();
    let silence = |minute| Silence {
        from: None,
        until: at(minute),
        because: None,
    };
    let add = |silence: Silence| {
        let add = |silences: &mut Silences| silences.add("sales", silence, at(0));
        change_silences(dir.path(), add)
    };
    // A directory in the way of the file that is written is a disk that takes nothing.
    let in_the_way = dir.path().join("silences.json.part");
    fs::create_dir(&in_the_way).expect("a directory");
    assert!(add(silence(60)).is_err());
    assert_eq!(
        open(dir.path()).silences.of("sales", at(1)),
        Some(&silence(60))
    );
    fs::remove_dir(&in_the_way).expect("removed");
    add(silence(90)).expect("written");
    let state = open(dir.path());
    assert_eq!(state.silences.of("sales", at(1)), Some(&silence(90)));
    drop(state);

    // A run that starts while somebody changes them leaves them alone.
    fs::create_dir(&in_the_way).expect("a directory");
    assert!(add(silence(120)).is_err());
    fs::remove_dir(&in_the_way).expect("removed");
    let spare = file::spare(dir.path()).join(SILENCES);
    let changing = StateDirectory::new(dir.path(), Access::Own);
    let lock = changing.lock(SILENCES_LOCK).expect("a lock");
    let state = open(dir.path());
    assert_eq!(state.silences.of("sales", at(1)), Some(&silence(120)));
    assert!(spare.exists());
    drop((lock, state));
    open(dir.path());
    assert!(!spare.exists());
}

#[test]
fn what_is_not_bandwatchs_own_stays_as_it_is() {
    let dir = dir();
    let others = [
        "notes.mail",
        "backup.part",
        "silences.json.part",
        "a.b.mail",
    ];
    for name in others {
        fs::write(dir.path().join(name), "somebody's").expect("written");
    }
    for name in ["state.json.part", "runs.json.part"] {
        fs::write(dir.path().join(name), "half").expect("written");
    }
    let state = open(dir.path());
    assert_eq!(state.unreadable(), []);
    let mut names = file::names_in(dir.path());
    names.retain(|name| name != RUN_LOCK);
    names.sort();
    let mut expected = others.map(String::from);
    expected.sort();
    assert_eq!(names, expected);
}
