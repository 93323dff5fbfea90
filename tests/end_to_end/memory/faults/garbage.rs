//! Files of the state that hold what this bandwatch did not write.

use std::fs;

use crate::memory::story::{Story, moment};
use crate::scene::FIRST;
use crate::support::mail::Mail;

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

#[test]
fn a_state_of_garbage_is_set_aside_and_told_once_and_what_was_told_is_not_told_again() {
    let story = Story::new();
    story.run_well("12:00");
    story.play("12:00", &[500.0]);
    let file = story.memory().join("state.json");
    fs::write(&file, "garbage").expect("a file");
    let unreadable = story.status("12:06")["unreadable"].clone();
    assert_eq!(unreadable[0]["path"], file.display().to_string());
    assert_eq!(fs::read(&file).expect("a look changes nothing"), b"garbage");
    assert_is_set_aside(&story, "state.json");
    story.assert_told(&["High", "bandwatch"]);
    let text = story.mails(FIRST)[1].text.clone().expect("a text");
    assert!(text.contains("state.json.unreadable-1"), "{text}");
    assert_eq!(story.state("12:07")["state"], "high");
    story.play("12:05", &[0.0, 0.0]);
    story.assert_told(&["High", "bandwatch", "Over"]);
}

#[test]
fn garbage_of_every_length_in_every_file_stops_no_run() {
    let story = Story::new();
    story.run_well("12:00");
    let port = story.smtp_port;
    let mut at = moment("12:00");
    let mut down = story;
    for round in 0..garbage(b"").len() {
        // Each file has something in it: mail is waiting.
        let silence = ["silence", "sales", "--for", "1m"];
        down.run_at(at, &silence).assert_status(0);
        down.smtp_port = 1;
        down.sell_at(at, 500.0);
        at += chrono::TimeDelta::minutes(5);
        assert_eq!(down.run_at(at, &[]).status, 1);
        let files = down.files();
        for kind in ["state", "notifications", "runs", "silences"] {
            assert!(files.contains(&format!("{kind}.json")), "{files:?}");
        }
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
        let told = inbox.iter().filter(|label| *label == "High").count();
        assert_eq!(told, round + 1, "round {round}: {inbox:?}");
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

/// Runs at 12:06 with garbage in this file, which is told once; then at 12:07, with nothing to tell.
#[track_caller]
fn assert_is_set_aside(story: &Story, name: &str) {
    let file = story.memory().join(name);
    fs::write(&file, "garbage").expect("a file");
    let run = story.run("12:06");
    run.assert_status(1);
    let told = format!("bandwatch: set aside {}.unreadable-1: ", file.display());
    assert!(run.stderr.starts_with(&told), "{run:?}");
    assert_eq!(run.stderr.lines().count(), 1, "{run:?}");
    story.run_well("12:07");
    let aside = story.memory().join(format!("{name}.unreadable-1"));
    assert_eq!(fs::read(&aside).expect("the file"), b"garbage");
}

#[test]
fn an_alert_that_waits_outlives_either_file() {
    for name in ["state.json", "notifications.json"] {
        let mut story = Story::new();
        story.run_well("12:00");
        story.sell("12:00", 500.0);
        story.run_without_mail("12:05");
        assert_is_set_aside(&story, name);
        for recipient in &story.recipients {
            let mut inbox = story.inbox(recipient);
            inbox.sort();
            assert_eq!(inbox, ["High", "bandwatch"], "{name}");
        }
        let status = story.status("12:08");
        assert_eq!(status["outbox"], serde_json::json!([]), "{name}");
        assert_eq!(status["lost"], serde_json::json!([]), "{name}");
    }
}

#[test]
fn where_what_was_told_is_lost_an_open_incident_comes_again_under_the_same_name() {
    let story = Story::new();
    story.run_well("12:00");
    story.play("12:00", &[500.0]);
    story.assert_told(&["High"]);
    assert_is_set_aside(&story, "notifications.json");
    story.play("12:05", &[0.0, 0.0]);
    for recipient in &story.recipients {
        let mails = story.mails(recipient);
        let named = |label: &str| -> Vec<&Mail> {
            let is_so = |mail: &&Mail| crate::memory::story::label(mail) == label;
            mails.iter().filter(is_so).collect()
        };
        let (openings, ends) = (named("High"), named("Over"));
        assert_eq!(named("bandwatch").len(), 1);
        assert_eq!((openings.len(), ends.len(), mails.len()), (2, 1, 4));
        let id = openings[0].header("Message-ID");
        assert_eq!(openings[1].header("Message-ID"), id);
        assert_eq!(ends[0].header("In-Reply-To"), id);
    }
}

#[test]
fn what_an_older_version_kept_is_set_aside_and_told_once() {
    let story = Story::new();
    fs::create_dir_all(story.memory()).expect("a folder");
    let old = ["memory.json", "looks.json", "1f0e.parcel", "1f0e.mail"];
    for name in old {
        let text = format!("bandwatch 1 0123456789abcdef\n{{\"of\":\"{name}\"}}\n");
        fs::write(story.memory().join(name), text).expect("a file");
    }
    let run = story.run("12:00");
    run.assert_status(1);
    assert_eq!(run.stderr.lines().count(), old.len(), "{run:?}");
    story.run_well("12:01");
    story.assert_told(&["bandwatch"]);
    let text = story.mails(FIRST)[0].text.clone().expect("a text");
    let unreadable = story.status("12:01")["unreadable"].clone();
    assert_eq!(unreadable.as_array().map(Vec::len), Some(old.len()));
    for name in old {
        let aside = format!("{name}.unreadable-1");
        assert!(text.contains(&aside), "no {aside} in {text}");
        let kept = fs::read_to_string(story.memory().join(&aside)).expect("the file");
        assert!(kept.contains(name), "{kept}");
        assert!(!story.memory().join(name).exists(), "{name}");
    }
    assert!(text.contains("an older bandwatch wrote it"), "{text}");
    story.play("12:00", &[500.0, 0.0, 0.0]);
    story.assert_told(&["bandwatch", "High", "Over"]);
}

#[test]
fn what_a_newer_version_wrote_is_set_aside_and_told_as_such() {
    let story = Story::new();
    story.run_well("12:00");
    let file = story.memory().join("state.json");
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
