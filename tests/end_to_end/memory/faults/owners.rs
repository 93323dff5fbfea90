//! Whose the memory is, and what lies in its way.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::memory::faults::disk::remove_spare;
use crate::memory::story::{Story, moment};
use crate::support::workspace::bandwatch;

const ROOT: u32 = 0;
/// A user of every Debian.
const NOBODY: u32 = 65_534;

fn this_user() -> u32 {
    fs::metadata("/proc/self").expect("of this process").uid()
}

/// A folder that is not this user's, and whose it is.
fn folder_of_somebody_else(story: &Story) -> (PathBuf, &'static str) {
    if this_user() != ROOT {
        return ("/root".into(), "root");
    }
    let folder = story.workspace.path().join("theirs");
    fs::create_dir(&folder).expect("a folder");
    chown(&folder, Some(NOBODY), Some(NOBODY)).expect("root gives away what it has");
    (folder, "nobody")
}

#[test]
fn in_the_memory_of_somebody_else_nothing_is_changed_and_the_command_to_use_is_told() {
    let mut story = Story::new();
    let (folder, owner) = folder_of_somebody_else(&story);
    story.top = format!("state_dir = {:?}\n", folder.display().to_string());
    let mut refused = vec![
        &["silence", "sales", "--for", "2h"][..],
        &["unsilence", "sales"],
    ];
    if this_user() == ROOT {
        refused.push(&[]);
        let target = story.workspace.path().join("precious");
        fs::write(&target, "precious").expect("a file");
        symlink(&target, folder.join("silences.lock")).expect("a link");
        symlink(&target, folder.join("state.json.part")).expect("a link");
    }
    for arguments in refused {
        let run = story.run_with("12:00", arguments);
        run.assert_status(2);
        assert_eq!(run.stderr.lines().count(), 1, "{run:?}");
        let command = format!(
            "sudo -u {owner} {} {}",
            bandwatch().display(),
            arguments.join(" ")
        );
        assert!(
            run.stderr.contains(command.trim()),
            "no {command:?} in {run:?}"
        );
    }
    if this_user() == ROOT {
        let target = story.workspace.path().join("precious");
        assert_eq!(fs::read_to_string(&target).expect("a file"), "precious");
        assert_eq!(target.metadata().expect("of it").uid(), ROOT);
        assert_eq!(fs::read_dir(&folder).expect("a folder").count(), 2);
        let run = story.run_with("12:00", &["status"]);
        run.assert_status(0);
        assert!(run.stdout.contains("(of the user nobody)"), "{run:?}");
    }
    story.assert_told(&[]);
}

#[test]
fn a_silence_by_root_before_the_first_run_makes_no_memory() {
    let story = Story::new();
    let run = story.run_with("12:00", &["silence", "sales", "--for", "2h"]);
    if this_user() == ROOT {
        run.assert_status(2);
        let told = "run it as the user whose crontab runs bandwatch: sudo -u USER ";
        assert!(run.stderr.contains(told), "{run:?}");
        assert!(!story.memory().exists());
    } else {
        run.assert_status(0);
    }
}

#[test]
fn a_second_configuration_is_refused_the_state_of_the_first() {
    let story = Story::new();
    story.run_well("12:00");
    let config = story.workspace.path().join("config.toml");
    let text = fs::read_to_string(&config).expect("a file");
    fs::write(story.workspace.path().join("other.toml"), text).expect("a file");
    for arguments in [
        &["--config", "other.toml"][..],
        &["--config", "other.toml", "status"],
    ] {
        let run = story.run_with("12:01", arguments);
        run.assert_status(2);
        let told = "/config.toml, and this is ";
        assert!(run.stderr.contains(told), "{run:?}");
    }
    story.run_well("12:02");
    // It was renamed: the state goes with it.
    fs::rename(&config, story.workspace.path().join("other.toml")).expect("renamed");
    let variables = [
        ("mysql_password", story.mysql_password.as_str()),
        ("smtp_password", story.server.password()),
    ];
    let arguments = ["--config", "other.toml", "status"];
    story
        .workspace
        .run_with(&arguments, &variables)
        .assert_status(0);
}

#[test]
fn a_pipe_in_place_of_the_lock_is_told_and_alerts_go_out() {
    let story = Story::new();
    story.run_well("12:00");
    let lock = story.memory().join("run.lock");
    fs::remove_file(&lock).expect("a file");
    let made = std::process::Command::new("mkfifo").arg(&lock).status();
    assert!(made.expect("mkfifo").success());
    story.sell("12:00", 500.0);
    let run = story.run("12:05");
    run.assert_status(1);
    assert!(
        run.stderr.contains("run.lock is not a plain file"),
        "{run:?}"
    );
    story.assert_told(&["High"]);
    fs::remove_file(&lock).expect("a file");
    story.run_well("12:06");
    story.assert_told(&["High"]);
    remove_spare(&run.stderr);
}

#[test]
fn a_limit_on_the_size_of_files_ends_no_run() {
    let story = Story::new();
    story.sell("11:55", 500.0);
    story.write_config();
    let mut command = story.begin(moment("12:00"));
    let variables: Vec<(String, String)> = command
        .get_envs()
        .filter_map(|(name, value)| {
            let text = |text: &OsStr| text.to_str().map(str::to_owned);
            Some((text(name)?, text(value?)?))
        })
        .collect();
    command.stdout(Stdio::null());
    drop(command);
    let variables: Vec<(&str, &str)> = variables
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let script = format!(
        "ulimit -f 0; exec {} > /dev/null 2>&1",
        bandwatch().display()
    );
    let run = story.workspace.run_program(
        Path::new("/bin/sh"),
        &["-c", &script],
        &variables,
        std::time::Duration::from_mins(1),
    );
    run.assert_status(1);
    story.assert_told(&["High"]);
}

#[test]
fn a_variable_that_is_not_utf8_is_told_by_its_name() {
    let story = Story::new();
    let mut command = story.begin(moment("12:00"));
    let output = command
        .env("mysql_password", OsStr::from_bytes(b"secr\xe9t"))
        .stderr(Stdio::piped())
        .output()
        .expect("bandwatch starts");
    let told = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(
        told,
        "bandwatch: environment mysql_password: not UTF-8; allowed: text in UTF-8\n"
    );
    assert_eq!(output.status.code(), Some(2));
}
