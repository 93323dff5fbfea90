//! The request after each good run, and none after another.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;

use super::disk::remove_spare;
use crate::memory::story::Story;

/// A service that notes what is requested, and answers with this status.
struct Service {
    port: u16,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Service {
    fn answering(status: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free TCP port");
        let port = listener.local_addr().expect("a bound port").port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&requests);
        thread::spawn(move || {
            for mut client in listener.incoming().flatten() {
                let mut request = String::new();
                let copy = client.try_clone().expect("a second handle");
                BufReader::new(copy)
                    .read_line(&mut request)
                    .expect("a request");
                noted
                    .lock()
                    .expect("no panic")
                    .push(request.trim().to_owned());
                let answer =
                    format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                let _ = client.write_all(answer.as_bytes());
            }
        });
        Self { port, requests }
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("no panic").clone()
    }

    fn watching(&self) -> Story {
        let mut story = Story::new();
        story.top = format!(
            "heartbeat_url = \"http://127.0.0.1:{}/ping/s3cret\"\n",
            self.port
        );
        story
    }
}

#[test]
fn each_good_run_is_told_to_the_service() {
    let service = Service::answering("200 OK");
    let story = service.watching();
    story.run_well("12:00");
    story.run_well("12:01");
    story.play("12:00", &[500.0]);
    assert_eq!(service.requests(), ["GET /ping/s3cret HTTP/1.1"; 3]);
}

#[test]
fn a_run_that_fails_or_leaves_mail_waiting_is_not_told_to_the_service() {
    let service = Service::answering("200 OK");
    let mut story = service.watching();
    story.run_well("12:00");
    let ports = (story.mysql_port, story.smtp_port);
    story.mysql_port = 1;
    story.run("12:01").assert_status(1);
    story.mysql_port = ports.0;
    story.smtp_port = 1;
    story.sell("12:00", 500.0);
    story.run("12:05").assert_status(1);
    // Nothing is tried in this one, and all the same there is mail waiting.
    story.run_with("12:05:20", &[]);
    assert_eq!(service.requests().len(), 1);
    for arguments in [
        &["--dry-run"][..],
        &["--at", "2026-11-22 12:05"],
        &["status"],
    ] {
        story.run_with("12:05", arguments).assert_status(0);
    }
    assert_eq!(service.requests().len(), 1);
    story.smtp_port = ports.1;
    story.run_well("12:06");
    assert_eq!(service.requests().len(), 2);
}

#[test]
fn a_run_that_cannot_remember_is_not_told_to_the_service() {
    let service = Service::answering("200 OK");
    let mut story = service.watching();
    story.top += "state_dir = \"taken\"\n";
    let taken = story.workspace.path().join("taken");
    std::fs::write(&taken, "no folder").expect("a file");
    let run = story.run("12:00");
    run.assert_status(1);
    assert_eq!(service.requests(), [""; 0]);
    std::fs::remove_file(&taken).expect("a file that can be removed");
    story.run_well("12:01");
    assert_eq!(service.requests().len(), 1);
    remove_spare(&run.stderr);
}

#[test]
fn a_service_that_does_not_answer_well_is_told_without_its_address() {
    let service = Service::answering("503 Service Unavailable");
    let mut story = service.watching();
    story.sell("11:55", 500.0);
    let run = story.run("12:00");
    run.assert_status(1);
    assert_eq!(
        run.stderr,
        "bandwatch: heartbeat_url: the service answered 503\n"
    );
    story.assert_told(&["High"]);
    for port in [1, service.port] {
        story.top = format!("heartbeat_url = \"https://127.0.0.1:{port}/ping/s3cret\"\n");
        let run = story.run_with("12:01", &["-v"]);
        run.assert_status(1);
        assert!(
            run.stderr.starts_with("bandwatch: heartbeat_url: "),
            "{run:?}"
        );
        run.assert_never_prints("s3cret");
    }
}
