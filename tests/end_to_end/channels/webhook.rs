//! What a webhook is posted, when, and what it must prove before.

use serde_json::{Value, json};

use super::{story_with, webhook};
use crate::memory::story::Story;
use crate::scene::{Ending, csv, quoted, rows, write};
use crate::support::certificate::ca_file;
use crate::support::{CertificateKind, HttpServer, Workspace};

#[test]
fn an_incident_is_posted_signed_and_its_end_in_reply() {
    let server = HttpServer::start();
    let story = story_with(&webhook("hook", &server, ""));
    story.run_well("12:00");
    story.play("12:00", &[500.0, 0.0, 0.0, 0.0]);
    story.assert_told(&["High", "Over"]);
    assert_eq!(server.kinds(), ["high", "over"]);
    let posted = server.posted();
    for one in &posted {
        assert!(one.is_signed, "{one:?}");
        assert_eq!(one.headers["webhook-id"], one.body["id"]);
        assert_eq!(one.headers["content-type"], "application/json");
    }
    let [high, over] = [&posted[0].body, &posted[1].body];
    assert_ne!(high["id"], over["id"]);
    assert_eq!(over["in_reply_to"], high["id"]);
    assert_eq!(high["created"], "2026-11-22T12:05:00+00:00");
    let alert = &high["alerts"][0];
    assert_eq!(alert["since"], "2026-11-22T12:00:00+00:00");
    let sentence = alert["sentence"].as_str().expect("a text");
    assert!(
        sentence.starts_with("Sales is unusually high: 1,500 at 12:00 UTC"),
        "{sentence}"
    );
    assert_eq!(high["sentence"], alert["sentence"]);
    // The evaluation is that of `--format json`.
    let judged = story.run_with("12:05", &["--at", "2026-11-22 12:05", "--format", "json"]);
    let mut judged: Value = serde_json::from_str(&judged.stdout).expect("an object");
    for key in ["parts", "mailed", "files", "failures"] {
        judged.as_object_mut().expect("an object").remove(key);
    }
    // Each as of its own second.
    judged["as_of"] = alert["evaluation"]["as_of"].clone();
    assert_eq!(alert["evaluation"], judged);
    assert_eq!(over["alerts"][0]["alert"], alert["alert"]);
}

#[test]
fn a_configuration_without_mail_is_told_by_its_channel() {
    let (workspace, server) = (Workspace::new(), HttpServer::start());
    write(&workspace, "sales.csv", &csv(&rows(Ending::Spike)));
    let channel = |kind: &str| {
        let address = quoted(&server.address());
        format!("[[channel]]\nname = \"a-{kind}\"\nkind = {kind:?}\nurl = {address}\n")
    };
    let channels = ["webhook", "slack", "teams", "alertmanager"].map(channel);
    workspace.config(&format!(
        "{}[[metric]]\nname = \"sales\"\n",
        channels.concat()
    ));
    let run = workspace.run(&["--input", "sales.csv", "--format", "json"]);
    run.assert_status(0);
    let told: Value = serde_json::from_str(&run.stdout).expect("an object");
    let names = ["a-webhook", "a-slack", "a-teams", "a-alertmanager"];
    assert_eq!(told["mailed"], json!(names));
    let posted = server.posted();
    assert_eq!(posted.len(), 4);
    assert_eq!(posted[0].body["alerts"][0]["kind"], "high");
    let colour = &posted[1].body["attachments"][0]["color"];
    assert_eq!(colour, "#1a5fb4");
    assert_eq!(
        posted[2].body["attachments"][0]["content"]["type"],
        "AdaptiveCard"
    );
    assert_eq!(posted[3].path, "/api/v2/alerts");
    for arguments in [&["--dry-run"][..], &["--at", "2026-11-22 14:00"]] {
        let arguments = [&["--input", "sales.csv"], arguments].concat();
        workspace.run(&arguments).assert_status(0);
    }
    assert_eq!(server.posted().len(), 4, "nothing more was sent");
}

#[test]
fn whoever_is_at_the_address_must_prove_who_it_is() {
    let trusted = format!("ca_file = {}", quoted(&ca_file().display().to_string()));
    for (certificate, lines, is_told) in [
        (CertificateKind::Good, trusted.as_str(), true),
        (CertificateKind::Good, "", false),
        (CertificateKind::WrongName, &trusted, false),
        (CertificateKind::Expired, &trusted, false),
    ] {
        let server = HttpServer::with(Some(certificate));
        let story = story_with(&webhook("hook", &server, lines));
        story.sell("12:00", 500.0);
        let run = story.run("12:05");
        assert_eq!(server.posted().len(), usize::from(is_told), "{run:?}");
        run.assert_status(i32::from(!is_told));
        assert_eq!(run.stderr.contains("certificate"), !is_told, "{run:?}");
        story.assert_told(&["High"]);
    }
}

#[test]
fn a_channel_that_is_added_is_told_what_holds_and_mail_is_not_sent_again() {
    let server = HttpServer::start();
    let mut story = story_with("");
    story.run_well("12:00");
    story.play("12:00", &[500.0]);
    story.more_metrics = webhook("hook", &server, "");
    story.run_well("12:06");
    story.run_well("12:07");
    story.assert_told(&["High"]);
    assert_eq!(server.kinds(), ["high"]);
}

#[test]
fn a_metric_names_the_channels_that_tell_of_it() {
    let server = HttpServer::start();
    let mut story = story_with("");
    let visits = crate::memory::story::metric("visits", "sales", "channels = [\"email\"]");
    story.more_metrics = format!("{visits}{}", webhook("hook", &server, ""));
    story.metric = "channels = [\"hook\"]\n".into();
    story.run_well("12:00");
    story.play("12:00", &[500.0]);
    story.assert_told(&["High"]);
    let posted = server.posted();
    assert_eq!(posted.len(), 1);
    assert_eq!(posted[0].body["alerts"][0]["metric"], "sales");
}

#[test]
fn a_test_shows_that_a_channel_is_told() {
    let server = HttpServer::start();
    let story = story_with(&webhook("hook", &server, ""));
    let run = story.run_with("12:00", &["test-mail", "--channel", "hook"]);
    run.assert_status(0);
    let accepted = format!(
        "channel \"hook\" at {}/*** has accepted the test: \"[Test] ",
        server.address()
    );
    assert!(run.stdout.starts_with(&accepted), "{run:?}");
    assert_eq!(server.kinds(), ["test"]);
    assert!(server.posted()[0].is_signed);
    let run = story.run_with("12:00", &["test-mail", "--channel", "hock"]);
    run.assert_status(2);
    assert!(
        run.stderr
            .contains("no such channel; there are: email, hook"),
        "{run:?}"
    );
    story
        .run_with("12:00", &["test-mail", "--channel", "email"])
        .assert_status(0);
    story.assert_told(&["Test"]);
    assert!(!story.memory().exists());
}

#[test]
fn what_a_channel_does_not_take_waits_is_lost_and_is_told_by_the_others() {
    let server = HttpServer::start();
    let story = story_with(&webhook("hook", &server, ""));
    let outbox = |story: &Story, at: &str| story.status(at)["outbox"].clone();
    story.run_well("12:00");
    server.answer(&json!({ "status": 404 }));
    story.sell("12:00", 500.0);
    story.run("12:05").assert_status(1);
    let waiting = &outbox(&story, "12:05")[0];
    assert_eq!(
        (&waiting["channel"], &waiting["to"]),
        (&json!("hook"), &json!("hook"))
    );
    for minute in ["12:06", "12:08", "12:12", "12:17"] {
        story.run(minute);
    }
    assert_eq!(outbox(&story, "12:17"), json!([]));
    let lost = story.status("12:17")["lost"].clone();
    assert_eq!(lost.as_array().map(Vec::len), Some(1), "{lost}");
    assert_eq!(lost[0]["channel"], "hook");
    let why = lost[0]["why"].as_str().expect("a text");
    assert!(why.ends_with("/***: the service answered 404"), "{why}");
    server.heal();
    story.run_well("12:18");
    story.assert_told(&["High", "bandwatch"]);
    // It may be told that it missed something, too.
    assert_eq!(
        server.kinds().last().map(String::as_str),
        Some("notifications_lost")
    );
}
