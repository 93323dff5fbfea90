//! A disk that takes nothing: what is to be told is told, and once.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::memory::story::{Story, moment};
use crate::scene::FIRST;
use crate::support::workspace::bandwatch;
use crate::support::{Run, clock};

/// Mounts a small disk of its own for the memory, and runs what follows with it.
const WITH_A_DISK: &str = r#"
set -eu
memory="$XDG_STATE_HOME/bandwatch"
mkdir -p "$memory"
mount -t tmpfs -o size=256k none "$memory"
at() {
    time=$1
    shift
    echo "at $time"
    LD_PRELOAD="$library" FAKETIME="@2026-11-22 $time:00" "$bandwatch" "$@" 2>&1 || echo "exit $?"
}
"#;

/// Runs a script with a disk of its own; what each run printed follows its time.
fn with_a_disk(story: &Story, script: &str) -> Run {
    story.write_config();
    let mut variables = clock::set_to(moment("12:00"));
    let (_, library) = variables.remove(0);
    variables.push(("library", library));
    variables.push(("bandwatch", bandwatch().display().to_string()));
    variables.push(("mysql_password", story.mysql_password.clone()));
    variables.push(("smtp_password", story.server.password().to_owned()));
    let variables: Vec<(&str, &str)> = variables
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let is_root = Path::new("/proc/self")
        .metadata()
        .is_ok_and(|own| own.uid() == 0);
    let namespace = if is_root { "-m" } else { "-rm" };
    let script = format!("{WITH_A_DISK}{script}");
    let arguments = [namespace, "sh", "-c", &script];
    let run = story.workspace.run_program(
        Path::new("unshare"),
        &arguments,
        &variables,
        Duration::from_mins(1),
    );
    run.assert_status(0);
    run
}

/// What is printed by the run at that time.
fn printed_at(run: &Run, at: &str) -> String {
    let mut lines = run.stdout.lines();
    let begin = format!("at {at}");
    assert!(lines.any(|line| line == begin), "{}", run.printed());
    let printed = lines.take_while(|line| !line.starts_with("at 1"));
    printed.map(|line| format!("{line}\n")).collect()
}

/// Removes what is left of the folder that a complaint says takes the place of the other.
pub fn remove_spare(printed: &str) {
    let (_, after) = printed
        .split_once("what is to be remembered is in ")
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
fn assert_told_once_with_a_disk_that(strike: &str, mend: &str, why: &str) {
    let mut story = Story::new();
    story.metric = "stale_after = \"2h\"\n".into();
    story.sell("12:00", 500.0);
    let run = with_a_disk(
        &story,
        &format!(
            "at 12:00\n{strike}\nat 12:05\nat 12:06\nat 12:07 status\nat 12:16\nat 12:17\n{mend}\nat 12:20\nat 12:21\nat 12:22 status\nls \"$memory\""
        ),
    );
    assert_eq!(printed_at(&run, "12:00"), "");
    for at in ["12:05", "12:06", "12:16", "12:17"] {
        let printed = printed_at(&run, at);
        for told in ["bandwatch: state_dir = ", why, "exit 1"] {
            assert!(
                printed.contains(told),
                "no {told:?} at {at}\n{}",
                run.printed()
            );
        }
    }
    let meanwhile = printed_at(&run, "12:07");
    for told in [
        "sales  HIGH since 12:00 UTC",
        "last run  12:06 UTC, the last good one 12:00 UTC",
    ] {
        assert!(meanwhile.contains(told), "{meanwhile}");
    }
    for at in ["12:20", "12:21"] {
        assert_eq!(printed_at(&run, at), "", "at {at}\n{}", run.printed());
    }
    let at_last = printed_at(&run, "12:22");
    assert!(at_last.contains("sales  HIGH since 12:00 UTC"), "{at_last}");
    assert!(
        at_last.contains("last run  12:21 UTC, the last good one 12:21 UTC"),
        "{at_last}"
    );
    assert!(at_last.contains("memory.json"), "{at_last}");
    assert!(!at_last.contains(".part"), "{at_last}");
    story.assert_told(&["High", "bandwatch", "bandwatch"]);
    remove_spare(&printed_at(&run, "12:05"));
}

#[test]
fn a_full_disk_is_told_and_neither_loses_an_alert_nor_tells_it_twice() {
    let fill = "cat /dev/zero > \"$memory/filler\" 2>/dev/null || true";
    assert_told_once_with_a_disk_that(fill, "rm \"$memory/filler\"", "No space left on device");
}

#[test]
fn a_read_only_disk_is_told_and_neither_loses_an_alert_nor_tells_it_twice() {
    assert_told_once_with_a_disk_that(
        "mount -o remount,ro \"$memory\"",
        "mount -o remount,rw \"$memory\"",
        "Read-only file system",
    );
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
    assert!(taken.join("memory.json").is_file());
    story.run_well("12:04");
    story.assert_told(&["High"]);
    remove_spare(&complaint);
}

#[test]
fn where_nothing_at_all_can_be_written_that_is_told_and_an_alert_goes_out_all_the_same() {
    let story = Story::new();
    story.sell("11:55", 500.0);
    let run = with_a_disk(
        &story,
        "mount -t tmpfs -o ro none /dev/shm\nmount -o remount,ro \"$memory\"\nat 12:00\n",
    );
    let printed = printed_at(&run, "12:00");
    assert!(
        printed.contains("cannot be written to, nor can /dev/shm/bandwatch-"),
        "{printed}"
    );
    assert!(printed.ends_with("exit 1\n"), "{printed}");
    story.assert_told(&["High"]);
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
    assert_eq!(files.len(), 5, "{files:?}");
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
