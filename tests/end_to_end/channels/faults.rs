//! Services in trouble, or up to no good: one line, bounded, nobody else harmed, and no secret told.

use std::net::TcpListener;

use serde_json::json;

use super::{TOKEN, story_with, webhook};
use crate::support::http_server::SECRET;
use crate::support::workspace::LONG;
use crate::support::{HttpServer, Run};

#[track_caller]
fn assert_tells_no_secret(run: &Run) {
    // Its last words are what a server repeats that shortens.
    for secret in [SECRET, TOKEN, "Pa55/w@rd"] {
        run.assert_never_prints(secret);
    }
}

#[test]
fn a_service_in_trouble_is_one_line_and_harms_nobody() {
    let elsewhere = HttpServer::start();
    let redirect = json!({ "status": 307, "headers": { "Location": elsewhere.address() } });
    let late = json!({ "status": 429, "headers": { "Retry-After": "240" } });
    for (answer, told) in [
        (json!({ "status": 503 }), "the service answered 503"),
        (late, "the service answered 429"),
        (
            json!({ "answer": "echo" }),
            "the service answered 401: it does not accept who asks",
        ),
        (
            redirect,
            "the service answered 307, a redirect, which is not followed",
        ),
        (json!({ "answer": "flood" }), "the service answered 500"),
        (
            json!({ "answer": "drip" }),
            "no answer to the message, which may have arrived",
        ),
        (json!({ "answer": "drip_text" }), "the service answered 500"),
        (
            json!({ "answer": "stall" }),
            "no answer to the message, which may have arrived",
        ),
        (json!({ "answer": "hang_up" }), "cannot be talked to: "),
        (
            json!({ "answer": "babble" }),
            "cannot be talked to: what it answers is not HTTP",
        ),
    ] {
        let (server, other) = (HttpServer::start(), HttpServer::start());
        let channels = webhook("hook", &server, "timeout = \"1s\"") + &webhook("other", &other, "");
        let story = story_with(&channels);
        story.run_well("12:00");
        server.answer(&answer);
        story.sell("12:00", 500.0);
        let run = story.run_with("12:05", &["-v"]);
        run.assert_status(1);
        assert_tells_no_secret(&run);
        let begin = format!(
            "bandwatch: sales: channel \"hook\" at {}/***: {told}",
            server.address()
        );
        assert!(run.stderr.starts_with(&begin), "{answer}: {run:?}");
        assert_eq!(run.stderr.lines().count(), 1, "{run:?}");
        story.assert_told(&["High"]);
        assert_eq!(other.kinds(), ["high"]);
        for format in ["text", "json"] {
            let status = story.run_with("12:06", &["status", "--format", format]);
            assert!(status.stdout.contains(told), "{status:?}");
            assert_tells_no_secret(&status);
        }
        server.heal();
        story.run_well("12:10");
        let posted = server.posted();
        assert_eq!(posted.len(), 2, "{answer}");
        assert_eq!(posted[0].body["id"], posted[1].body["id"]);
        story.run_well("12:11");
        assert_eq!((server.posted().len(), other.posted().len()), (2, 1));
        story.assert_told(&["High"]);
    }
    assert!(elsewhere.posted().is_empty(), "a redirect was followed");
}

#[test]
fn one_that_is_silent_leaves_the_others_their_share_of_the_deadline() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free TCP port");
    let port = silent.local_addr().expect("a bound port").port();
    let server = HttpServer::start();
    let silent = format!(
        "[[channel]]\nname = \"silent\"\nkind = \"slack\"\nurl = \"http://127.0.0.1:{port}/\"\ntimeout = \"{LONG}\"\n"
    );
    let mut story = story_with(&(silent + &webhook("hook", &server, "")));
    // Long enough for a busy machine.
    story.top = "deadline = \"20s\"\n".into();
    story.sell("12:00", 500.0);
    story.run("12:05").assert_status(1);
    story.assert_told(&["High"]);
    assert_eq!(server.kinds(), ["high"]);
    // Once it is known to be, it comes last, and what is new to the others goes out before.
    for (at, more) in [("12:05", 0.0), ("12:10", 0.0)] {
        story.sell(at, more);
    }
    story.run("12:15").assert_status(1);
    story.assert_told(&["High", "Over"]);
    assert_eq!(server.kinds(), ["high", "over"]);
}

#[test]
fn nothing_is_posted_where_an_address_or_a_secret_cannot_be_read() {
    let server = HttpServer::start();
    let story = story_with(&webhook("hook", &server, ""));
    std::fs::write(story.workspace.path().join("hook-secret"), "\n").expect("a file");
    story.sell("12:00", 500.0);
    let run = story.run("12:05");
    run.assert_status(2);
    assert!(
        run.stderr
            .contains("channel \"hook\": secret_file = \"hook-secret\": its first line is empty"),
        "{run:?}"
    );
    assert!(server.posted().is_empty());
    assert!(story.server.received().is_empty());
}
