//! Files of the memory that hold what bandwatch did not write.

use std::fs;

use crate::memory::story::{Story, moment};
use crate::scene::FIRST;

/// Garbage of many lengths, and what is nearly right.
fn garbage(original: &[u8]) -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = [0, 1, 2, 17, 1000, 300_000]
        .into_iter()
        .map(|length| {
            (0..length)
                .map(|index| u8::try_from(index % 251).expect("a byte"))
                .collect()
        })
        .collect();
    all.push(b"{}".to_vec());
    all.push(b"null\n".to_vec());
    all.push(vec![0; 4096]);
    all.extend([1, 2, 3].map(|quarter| original[..original.len() * quarter / 4].to_vec()));
    all.push(original[..original.len().saturating_sub(1)].to_vec());
    all.push([original, original].concat());
    let mut flipped = original.to_vec();
    if let Some(middle) = flipped.get_mut(original.len() / 2) {
        *middle ^= 1;
    }
    all.push(flipped);
    all
}

fn is_mail(file: &str) -> bool {
    file.rsplit_once('.')
        .is_some_and(|(_, kind)| kind == "mail")
}

#[test]
fn a_memory_of_garbage_is_set_aside_and_told_once_and_what_was_told_is_not_told_again() {
    let story = Story::new();
    story.run_well("12:00");
    story.play("12:00", &[500.0]);
    let file = story.memory().join("memory.json");
    fs::write(&file, "garbage").expect("a file");
    let unreadable = story.status("12:06")["unreadable"].clone();
    assert_eq!(unreadable[0]["path"], file.display().to_string());
    assert_eq!(fs::read(&file).expect("a look changes nothing"), b"garbage");
    let run = story.run("12:06");
    run.assert_status(1);
    let told = format!("bandwatch: set aside {}.unreadable-1: ", file.display());
    assert!(run.stderr.starts_with(&told), "{run:?}");
    assert_eq!(run.stderr.lines().count(), 1, "{run:?}");
    story.run_well("12:07");
    story.assert_told(&["High", "bandwatch"]);
    let aside = story.memory().join("memory.json.unreadable-1");
    assert_eq!(fs::read(&aside).expect("the file"), b"garbage");
    let text = story.mails(FIRST)[1].text.clone().expect("a text");
    assert!(text.contains("memory.json.unreadable-1"), "{text}");
    assert_eq!(story.state("12:07")["state"], "high");
    story.play("12:05", &[0.0, 0.0]);
    story.assert_told(&["High", "bandwatch", "Over"]);
}

#[test]
fn garbage_of_every_length_in_every_file_stops_no_run() {
    let story = Story::new();
    story.run_well("12:00");
    let silence = ["silence", "sales", "--for", "1m"];
    story.run_with("12:00", &silence).assert_status(0);
    let port = story.smtp_port;
    let mut at = moment("12:00");
    let mut down = story;
    for round in 0..garbage(b"").len() {
        // A file of each kind: mail is waiting.
        down.smtp_port = 1;
        down.sell_at(at, 500.0);
        at += chrono::TimeDelta::minutes(5);
        assert_eq!(down.run_at(at, &[]).status, 1);
        let files = down.files();
        assert!(files.iter().any(|file| is_mail(file)), "{files:?}");
        for file in files.iter().filter(|file| !file.contains("unreadable")) {
            let path = down.memory().join(file);
            let original = fs::read(&path).expect("a file");
            fs::write(&path, &garbage(&original)[round]).expect("a file");
        }
        let status = down.run_at(at, &["status"]);
        status.assert_status(0);
        down.smtp_port = port;
        let run = down.run_at(at, &[]);
        assert!(
            run.status <= 1 && !run.stderr.contains("panicked"),
            "{run:?}"
        );
        let inbox = down.inbox(FIRST);
        let told = inbox.iter().filter(|label| *label == "bandwatch").count();
        assert!(told > round, "round {round}: {inbox:?}");
        for _ in 0..3 {
            down.sell_at(at, 0.0);
            at += chrono::TimeDelta::minutes(5);
            down.run_at(at, &[]).assert_status(0);
        }
        for file in down.files() {
            if file.contains("unreadable") {
                fs::remove_file(down.memory().join(file)).expect("a file");
            }
        }
    }
    let before = down.inbox(FIRST).len();
    down.sell_at(at, 500.0);
    down.run_at(at + chrono::TimeDelta::minutes(5), &[])
        .assert_status(0);
    assert_eq!(down.inbox(FIRST)[before..], ["High"]);
}

#[test]
fn a_mail_that_cannot_be_read_back_is_reported_as_lost() {
    let mut story = Story::new();
    story.run_well("12:00");
    story.sell("12:00", 500.0);
    let port = story.smtp_port;
    story.smtp_port = 1;
    story.run("12:05").assert_status(1);
    for file in story.files().iter().filter(|file| is_mail(file)) {
        fs::write(story.memory().join(file), "garbage").expect("a file");
    }
    story.smtp_port = port;
    for minute in ["12:06", "12:07", "12:08"] {
        story.run(minute);
    }
    let lost = story.status("12:08")["lost"].clone();
    assert_eq!(lost.as_array().map(Vec::len), Some(2), "{lost}");
    assert_eq!(lost[0]["why"], "it could not be read back from state_dir");
    let texts: Vec<_> = story
        .mails(FIRST)
        .into_iter()
        .filter_map(|mail| mail.text)
        .collect();
    assert!(
        texts.iter().any(|text| text.contains("[High] Sales")),
        "{texts:?}"
    );
}

#[test]
fn what_a_newer_version_wrote_is_set_aside_and_told_as_such() {
    let story = Story::new();
    story.run_well("12:00");
    let file = story.memory().join("memory.json");
    let text = fs::read_to_string(&file).expect("a text");
    let newer = text.replacen("bandwatch 1 ", "bandwatch 2 ", 1);
    assert_ne!(newer, text);
    fs::write(&file, &newer).expect("a file");
    story.run("12:01").assert_status(1);
    story.play("12:00", &[0.0]);
    story.assert_told(&["bandwatch"]);
    let unreadable = story.status("12:05")["unreadable"][0].clone();
    let why = unreadable["why"].as_str().expect("a reason");
    assert!(why.contains("a newer bandwatch wrote it"), "{why}");
    let aside = unreadable["path"].as_str().expect("a path");
    assert_eq!(fs::read_to_string(aside).expect("the file"), newer);
}
