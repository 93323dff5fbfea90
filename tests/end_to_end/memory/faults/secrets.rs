//! No secret is in anything that is printed, kept or mailed, whatever fails.

use std::path::Path;

use crate::memory::story::Story;
use crate::support::{Fault, Stage};

const ADDRESS: &str = "http://127.0.0.1:1/ping/dead-mans-s3cret";

#[track_caller]
fn assert_keeps_its_secrets(story: &Story, at: &str, secrets: &[&str]) {
    let asked: [&[&str]; 6] = [
        &["-v"],
        &["-v", "--format", "json"],
        &["--dry-run", "-v"],
        &["--at", "2026-11-22 12:00", "-v"],
        &["status"],
        &["status", "--format", "json"],
    ];
    for arguments in asked {
        let run = story.run_with(at, arguments);
        for secret in secrets {
            run.assert_never_prints(secret);
        }
    }
    assert_holds_none(&story.memory(), secrets);
    let plots = story.workspace.path().join("plots");
    if plots.is_dir() {
        assert_holds_none(&plots, secrets);
    }
    for received in story.server.received() {
        assert_hides(&received.raw, "a mail", secrets);
    }
}

#[track_caller]
fn assert_holds_none(folder: &Path, secrets: &[&str]) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            assert_holds_none(&path, secrets);
            continue;
        }
        let bytes = std::fs::read(&path).expect("a file");
        assert_hides(&bytes, &path.display().to_string(), secrets);
    }
}

#[track_caller]
fn assert_hides(bytes: &[u8], place: &str, secrets: &[&str]) {
    for secret in secrets {
        let mut pieces = bytes.windows(secret.len());
        assert!(
            !pieces.any(|piece| piece == secret.as_bytes()),
            "{secret} is in {place}"
        );
    }
}

#[test]
fn no_secret_is_printed_kept_or_mailed_whatever_fails() {
    let mut story = Story::new();
    story.top = format!("heartbeat_url = {ADDRESS:?}\ndeadline = \"20s\"\n");
    story.mysql = "connect_timeout = \"1s\"\nquery_timeout = \"1s\"\n".into();
    story.smtp =
        "connect_timeout = \"1s\"\nreply_timeout = \"1s\"\ngive_up_after = \"5m\"\n".into();
    let (mysql, smtp) = (
        story.mysql_password.clone(),
        story.server.password().to_owned(),
    );
    let (wrong, ports) = ("wr0ng-pa55word", (story.mysql_port, story.smtp_port));
    let secrets = [mysql.as_str(), smtp.as_str(), wrong, "dead-mans-s3cret"];
    let check = |story: &Story, at: &str| assert_keeps_its_secrets(story, at, &secrets);
    story.sell("12:00", 500.0);

    story.mysql_password = wrong.into();
    for at in ["12:05", "12:16"] {
        check(&story, at);
    }
    story.mysql_password.clone_from(&mysql);
    story.mysql_port = ports.1;
    check(&story, "12:17");
    story.mysql_port = ports.0;
    story.metric = "where = \"no such thing\"\n".into();
    check(&story, "12:18");
    story.metric.clear();
    let faults = [
        Fault::BadLogin,
        Fault::DropAt(Stage::Auth),
        Fault::StallAt(Stage::Auth),
        Fault::DropAt(Stage::Message),
        Fault::Reply {
            stage: Stage::Data,
            code: 451,
            text: "later",
        },
    ];
    for (fault, at) in faults
        .iter()
        .zip(["12:20", "12:26", "12:32", "12:38", "12:44"])
    {
        story.server.strike(std::slice::from_ref(fault));
        check(&story, at);
    }
    story.server.heal();
    std::fs::write(story.memory().join("state.json"), "garbage").expect("a file");
    check(&story, "12:50");
    check(&story, "12:55");
    assert!(!story.server.received().is_empty());
}

#[test]
fn a_password_in_the_wrong_place_is_not_printed_either() {
    let mut story = Story::new();
    for (lines, status) in [
        ("password = \"wr0ng-pa55word\"\n", 2),
        ("password_file = \"wr0ng-pa55word\n", 2),
    ] {
        story.mysql = lines.into();
        let run = story.run_with("12:00", &["-v"]);
        run.assert_status(status);
        run.assert_never_prints("wr0ng-pa55word");
    }
}
