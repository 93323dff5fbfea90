//! A disk that takes nothing: what is to be told is told, and once.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::memory::story::Story;
use crate::scene::FIRST;
use crate::support::disk::Trouble;

/// Removes what is left of the folder that a complaint says takes the place of the other.
pub fn remove_spare(printed: &str) {
    let (_, after) = printed
        .split_once("the state is kept in ")
        .expect("a folder");
    let folder = after.split(' ').next().map(PathBuf::from).expect("a name");
    let left = std::fs::read_dir(&folder).into_iter().flatten().flatten();
    for entry in left {
        assert_eq!(entry.file_name(), "run.lock", "{}", folder.display());
    }
    let _ = std::fs::remove_dir_all(folder);
}

/// With an incident at 12:00, and nothing more; the disk is well again from 12:20 on.
#[track_caller]
fn assert_told_once_with_a_disk_that_is(trouble: Trouble, why: &str) {
    let mut story = Story::new();
    story.metric = "stale_after = \"2h\"\n".into();
    story.sell("12:00", 500.0);
    story.run_well("12:00");
    story.strike_disk(trouble, &[]);
    let mut complaints = Vec::new();
    for minute in ["12:05", "12:06", "12:16", "12:17"] {
        let run = story.run_with(minute, &["-v"]);
        run.assert_status(1);
        for told in ["bandwatch: state_dir = ", why] {
            assert!(run.stderr.contains(told), "no {told:?} in {run:?}");
        }
        if minute == "12:06" {
            assert_status_tells(&story, "12:07", "12:06 UTC, the last good one 12:00 UTC");
        }
        complaints.push(run.stderr);
    }
    story.disk = None;
    for minute in ["12:20", "12:21"] {
        assert_eq!(story.run_well(minute).stdout, "", "at {minute}");
    }
    assert_status_tells(&story, "12:22", "12:21 UTC, the last good one 12:21 UTC");
    let files = story.files();
    assert!(files.contains(&"state.json".to_owned()), "{files:?}");
    assert!(
        !files.iter().any(|name| name.contains(".part")),
        "{files:?}"
    );
    story.assert_told(&["High", "bandwatch", "bandwatch"]);
    remove_spare(&complaints[0]);
}

#[track_caller]
fn assert_status_tells(story: &Story, at: &str, last_run: &str) {
    let run = story.run_with(at, &["status"]);
    run.assert_status(0);
    let last_run = format!("last run  {last_run}");
    for told in ["sales  HIGH since 12:00 UTC", &last_run] {
        assert!(run.stdout.contains(told), "no {told:?} in {run:?}");
    }
}

#[test]
fn a_full_disk_is_told_and_neither_loses_an_alert_nor_tells_it_twice() {
    assert_told_once_with_a_disk_that_is(Trouble::Full, "No space left on device");
}

#[test]
fn a_read_only_disk_is_told_and_neither_loses_an_alert_nor_tells_it_twice() {
    assert_told_once_with_a_disk_that_is(Trouble::ReadOnly, "Read-only file system");
}

#[test]
fn a_file_in_the_place_of_the_memory_is_told_and_an_alert_comes_once() {
    let mut story = Story::new();
    story.top = "state_dir = \"taken\"\n".into();
    let taken = story.workspace.path().join("taken");
    std::fs::write(&taken, "no folder").expect("a file");
    story.sell("11:55", 500.0);
    for minute in ["12:00", "12:01"] {
        let run = story.run(minute);
        run.assert_status(1);
        assert!(
            run.stderr.starts_with("bandwatch: state_dir = \"taken\": "),
            "{run:?}"
        );
    }
    story.assert_told(&["High"]);
    let complaint = story.run("12:02").stderr;
    std::fs::remove_file(&taken).expect("a file that can be removed");
    story.run_well("12:03");
    assert!(taken.join("state.json").is_file());
    story.run_well("12:04");
    story.assert_told(&["High"]);
    remove_spare(&complaint);
}

#[test]
fn where_nothing_at_all_can_be_written_that_is_told_and_an_alert_goes_out_all_the_same() {
    let mut story = Story::new();
    story.sell("11:55", 500.0);
    story.strike_disk(Trouble::ReadOnly, &["/dev/shm"]);
    let run = story.run("12:00");
    run.assert_status(1);
    let told = "cannot be written to, nor can /dev/shm/bandwatch-";
    assert!(run.stderr.contains(told), "{run:?}");
    story.assert_told(&["High"]);
    // Nothing remembers what would confirm it.
    story.metric = "confirm = 3\n".into();
    story.run("12:01").assert_status(1);
    story.assert_told(&["High", "High"]);
}

#[test]
fn the_memory_is_nobody_elses_to_read() {
    let mut story = Story::new();
    story.smtp_port = 1;
    story.sell("11:55", 500.0);
    story.run("12:00").assert_status(1);
    let mode = |path: &Path| path.metadata().expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(&story.memory()), 0o700);
    let files = story.files();
    assert_eq!(files.len(), 4, "{files:?}");
    for file in files {
        assert_eq!(mode(&story.memory().join(&file)), 0o600, "{file}");
    }
}

#[test]
fn an_alert_whose_pictures_cannot_be_kept_goes_out_with_them_once() {
    let mut story = Story::new();
    story.top = "plots_dir = \"taken\"\n".into();
    std::fs::write(story.workspace.path().join("taken"), "no folder").expect("a file");
    story.run_well("12:00");
    story.sell("12:00", 500.0);
    let run = story.run("12:05");
    run.assert_status(1);
    assert_eq!(run.stderr.lines().count(), 1, "{run:?}");
    assert!(
        run.stderr.contains("plots_dir = \"taken\": cannot write"),
        "{run:?}"
    );
    story.run_well("12:06");
    story.assert_told(&["High"]);
    assert_eq!(story.mails(FIRST)[0].inline.len(), 2);
}

#[test]
fn a_folder_for_plots_that_is_not_there_is_made() {
    let mut story = Story::new();
    story.top = "plots_dir = \"not/there\"\n".into();
    story.run_well("12:00");
    story.play("12:00", &[500.0]);
    assert!(
        story
            .workspace
            .path()
            .join("not/there/plot_24h.png")
            .is_file()
    );
}
