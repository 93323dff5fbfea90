//! The state survives garbage in its files, and a disk that is full.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;
use std::thread;

use chrono::TimeDelta;
use tempfile::TempDir;

use super::claim::check_use;
use super::names::FILES;
use super::*;
use crate::incident::Silence;

fn dir() -> TempDir {
    tempfile::tempdir().expect("a directory")
}

fn spare(dir: &Path) -> PathBuf {
    file::spare(dir, crate::output::owner::this_user())
}

fn at(minute: i64) -> DateTime<Utc> {
    let start: DateTime<Utc> = "2026-11-22T00:00:00Z".parse().expect("a time");
    start + TimeDelta::minutes(minute)
}

fn directory(dir: &Path) -> Place {
    Place::Directory(dir.to_path_buf())
}

fn look(dir: &Path) -> State {
    State::look(&directory(dir), &[])
}

fn try_open(dir: &Path, configuration: Option<&Path>) -> Option<State> {
    let opened = State::open(&directory(dir), configuration, &[], Shard::WHOLE);
    opened.expect("a state")
}

/// Of a directory that nobody has open. A program that another test starts holds the files of all tests, and
/// with them their locks, for the moment until it runs.
fn open(dir: &Path) -> State {
    const TRIES: usize = 500;
    let mut tries = (0..TRIES).map(|_| {
        let state = try_open(dir, None);
        if state.is_none() {
            thread::sleep(Duration::from_millis(10));
        }
        state
    });
    tries.find_map(|state| state).expect("no other run")
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
    assert!(try_open(&dir, None).is_none());
    look(&dir);
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
    let state = look(dir.path());
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
    assert!(try_open(&dir, None).is_none());
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
    change_silences(&directory(dir.path()), add).expect("written");
    assert!(half_written.exists());
    save(&mut state, "sales");
    let state = look(dir.path());
    assert_eq!(state.silences.of("sales", at(1)), Some(&silence));
}

#[test]
fn what_others_put_into_the_spare_directory_is_never_read() {
    let dir = dir();
    save(&mut open(dir.path()), "sales");
    let spare = spare(dir.path());
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
    assert!(!spare(dir.path()).exists());
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
        let add = |silences: &mut Silences| silences.add("sales", silence.clone(), at(0));
        change_silences(&directory(dir.path()), add)
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
    let spare = spare(dir.path()).join(SILENCES);
    let mut changing = StateDirectory::new(dir.path(), Access::Own);
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
    // Names that an older bandwatch used are also words: beef.mail, memory.json.
    let others = [
        "Inbox.mail",
        "beef.mail",
        "cafe.parcel",
        "memory.json",
        "movie.mkv.part",
        "report.unreadable-draft",
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

#[test]
fn no_link_is_followed_to_what_it_leads_to() {
    let (dir, place) = (dir(), dir());
    let target = place.path().join("precious");
    fs::write(&target, "precious").expect("written");
    let missing = place.path().join("missing");
    for name in FILES {
        let part = format!("{name}{}", file::PART);
        symlink(&target, dir.path().join(part)).expect("a link");
    }
    for name in [STATE, SILENCES] {
        symlink(&target, dir.path().join(name)).expect("a link");
    }
    for name in [RUN_LOCK, SILENCES_LOCK, RUNS] {
        symlink(&missing, dir.path().join(name)).expect("a link");
    }
    let mut state = try_open(dir.path(), Some(Path::new("a.toml"))).expect("no other run");
    let complaint = state.complaint().expect("a complaint").to_string();
    assert!(
        complaint.contains("run.lock is not a plain file"),
        "{complaint}"
    );
    save(&mut state, "sales");
    state.save_runs().expect("written");
    let add = |silences: &mut Silences| silences.end("sales", at(0));
    let refused = change_silences(&directory(dir.path()), add).expect_err("a link");
    assert!(format!("{refused:#}").contains("silences.lock is not a plain file"));
    assert_eq!(fs::read_to_string(&target).expect("a file"), "precious");
    assert!(!missing.exists());
    drop(state);
    let _ = fs::remove_dir_all(spare(dir.path()));
}

#[test]
fn a_pipe_in_place_of_a_file_is_told_and_nobody_waits_for_its_other_end() {
    for name in [RUN_LOCK, STATE, RUNS, SILENCES] {
        let dir = dir();
        let made = Command::new("mkfifo").arg(dir.path().join(name)).status();
        assert!(made.expect("mkfifo").success());
        let mut state = open(dir.path());
        save(&mut state, "sales");
        let complaint = state.complaint().expect("a complaint").to_string();
        assert!(
            complaint.contains(&format!("{name} is not a plain file")),
            "{complaint}"
        );
        drop(state);
        let _ = fs::remove_dir_all(spare(dir.path()));
    }
}

#[test]
fn a_huge_file_is_set_aside_and_read_no_further_than_need_be() {
    let dir = dir();
    let mut state = open(dir.path());
    save(&mut state, "sales");
    drop(state);
    let huge = fs::File::create(dir.path().join(STATE)).expect("a file");
    huge.set_len(1 << 40).expect("a file with a hole");
    let state = open(dir.path());
    let [aside] = state.unreadable().try_into().expect("one file");
    let told = "it is larger than 1 MiB, and was not looked into";
    assert_eq!(aside.error.to_string(), told);
}

fn configuration(dir: &TempDir, name: &str) -> PathBuf {
    let path = dir.path().join(name);
    fs::write(&path, "").expect("written");
    path
}

#[track_caller]
fn refusal(dir: &Path, configuration: &Path) -> String {
    let refused = check_use(dir, Use::Run, Some(configuration), None);
    refused.expect_err("refused").to_string()
}

#[test]
fn a_state_belongs_to_one_configuration() {
    let (dir, place) = (dir(), dir());
    let (first, second) = (
        configuration(&place, "a.toml"),
        configuration(&place, "b.toml"),
    );
    check_use(dir.path(), Use::Run, Some(&first), None).expect("nobody's yet");
    drop(try_open(dir.path(), Some(&first)));
    let told = refusal(dir.path(), &second);
    for part in [
        "state_dir = ",
        "a.toml, and this is ",
        "b.toml; give each a state_dir of its own",
    ] {
        assert!(told.contains(part), "no {part:?} in {told}");
    }
    for wanted in [Use::Change, Use::Look] {
        assert!(check_use(dir.path(), wanted, Some(&second), None).is_err());
    }
    // The same file by another name.
    let link = place.path().join("c.toml");
    symlink(&first, &link).expect("a link");
    check_use(dir.path(), Use::Run, Some(&link), None).expect("the same file");
    // One that is gone was renamed: the state goes with it.
    fs::rename(&first, place.path().join("d.toml")).expect("renamed");
    let renamed = place.path().join("d.toml");
    check_use(dir.path(), Use::Run, Some(&renamed), None).expect("renamed");
    drop(try_open(dir.path(), Some(&renamed)));
    assert!(refusal(dir.path(), &second).contains("d.toml"));
}

#[test]
fn files_of_somebody_else_by_the_names_of_the_state_are_left_alone() {
    for name in [STATE, RUNS, RUN_LOCK] {
        let dir = dir();
        fs::write(dir.path().join(name), "{\"of\": \"another program\"}").expect("written");
        let told = refusal(dir.path(), Path::new("a.toml"));
        let part =
            format!("bandwatch did not write the {name} in it; allowed: a folder of its own");
        assert!(told.contains(&part), "{told}");
    }
    // Beside the lock of a run it is damage.
    let dir = dir();
    drop(open(dir.path()));
    fs::write(dir.path().join(STATE), "damaged").expect("written");
    check_use(dir.path(), Use::Run, None, None).expect("its own");
}

#[test]
fn the_metric_that_was_looked_at_longest_ago_comes_first_and_of_one_run_the_slowest_last() {
    let mut runs = Runs::default();
    runs.note_look("slow", at(1), Duration::from_secs(15));
    runs.note_look("quick", at(1), Duration::from_millis(20));
    runs.note_look("late", at(2), Duration::from_millis(20));
    let mut metrics = ["late", "slow", "quick", "new"];
    metrics.sort_by_key(|metric| runs.last_look(metric));
    assert_eq!(metrics, ["new", "quick", "slow", "late"]);
    runs.retain(|metric, _| metric != "slow");
    assert_eq!(runs.last_look("slow"), (None, 0));
}
