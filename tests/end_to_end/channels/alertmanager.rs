//! A real Alertmanager takes alerts, groups them, and tells when they are over. It goes by the real clock,
//! as it is written in Go, so the story is of the hour that has just gone by.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;

use chrono::{DurationRound as _, NaiveDateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::memory::story::{Story, metric, usual};
use crate::source::shop::{noise, times};
use crate::support::leash::{self, Leash};
use crate::support::workspace::wait_for;
use crate::support::{HttpServer, MailServerSetup};

struct Alertmanager {
    port: u16,
    _leash: Leash,
    _directory: TempDir,
}

impl Alertmanager {
    /// It groups by what is wrong, and tells that server.
    fn telling(server: &HttpServer) -> Self {
        let directory = leash::new_directory("alertmanager-");
        let file = |name: &str| directory.path().join(name).display().to_string();
        let receiver = server.address();
        let config = format!(
            "route: {{receiver: hook, group_by: [alertname, side], group_wait: 1s, group_interval: 1s}}\nreceivers: [{{name: hook, webhook_configs: [{{url: \"{receiver}\"}}]}}]\n"
        );
        std::fs::write(file("config.yml"), config).expect("a file");
        let free = TcpListener::bind("127.0.0.1:0").expect("a free TCP port");
        let port = free.local_addr().expect("a bound port").port();
        drop(free);
        let arguments = [
            format!("--config.file={}", file("config.yml")),
            format!("--storage.path={}", file("data")),
            format!("--web.listen-address=127.0.0.1:{port}"),
            "--cluster.listen-address=".to_owned(),
        ];
        let program = Path::new("prometheus-alertmanager");
        let leash = Leash::start(program, &arguments, None, Path::new(&file("log")));
        wait_for("Alertmanager", || {
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        Self {
            port,
            _leash: leash,
            _directory: directory,
        }
    }

    /// The alerts that fire.
    fn alerts(&self) -> Vec<Value> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("a connection");
        let request = "GET /api/v2/alerts HTTP/1.0\r\nHost: localhost\r\n\r\n";
        stream.write_all(request.as_bytes()).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let (_, body) = answer.split_once("\r\n\r\n").expect("head and body");
        serde_json::from_str(body).expect("JSON")
    }

    fn channel(&self) -> String {
        let port = self.port;
        format!(
            "[[channel]]\nname = \"pager\"\nkind = \"alertmanager\"\nurl = \"http://127.0.0.1:{port}/\"\nlabels = {{ team = \"shop\" }}\n"
        )
    }
}

/// Ordinary sales that end when this clock shows half an hour ago.
fn story_of_just_now() -> (Story, NaiveDateTime) {
    let now = Utc::now().naive_utc() - TimeDelta::minutes(30);
    let begin = now.duration_trunc(TimeDelta::minutes(5)).expect("a time");
    let story = Story::without_rows(MailServerSetup::default());
    story.create_table("sales");
    let last = (begin - TimeDelta::minutes(5)).to_string();
    let rows: Vec<_> = times(&last, 5, 4 * 288 + 12)
        .map(|time| (time, usual(time) + (20.0 * noise(time)).round()))
        .collect();
    story.database.insert_rows("sales", "at", "amount", &rows);
    (story, begin)
}

fn statuses(receiver: &HttpServer) -> Vec<(String, usize)> {
    let posted = receiver.posted();
    let statuses = posted.iter().map(|posted| {
        let alerts = posted.body["alerts"].as_array().expect("a list");
        (
            posted.body["status"].as_str().expect("a word").to_owned(),
            alerts.len(),
        )
    });
    statuses.collect()
}

#[test]
fn a_real_alertmanager_takes_groups_and_resolves() {
    let receiver = HttpServer::start();
    let alertmanager = Alertmanager::telling(&receiver);
    let (mut story, begin) = story_of_just_now();
    story.more_metrics = metric("visits", "sales", "") + &alertmanager.channel();
    let mut at = begin;
    let mut play = |more: f64| {
        story.sell_at(at, more);
        at += TimeDelta::minutes(5);
        let run = story.run_at(at, &[]);
        run.assert_status(0);
        assert_eq!(run.stderr, "");
    };
    play(0.0);
    assert!(alertmanager.alerts().is_empty());
    play(900.0);
    let alerts = alertmanager.alerts();
    assert_eq!(alerts.len(), 2, "{alerts:?}");
    for (alert, metric) in alerts.iter().zip(["sales", "visits"]) {
        let labels = json!({
            "alertname": "BandwatchIncident",
            "metric": metric,
            "severity": "warning",
            "side": "high",
            "team": "shop",
        });
        assert!(
            alerts.iter().any(|one| one["labels"] == labels),
            "{alerts:?}"
        );
        let since = (begin + TimeDelta::minutes(5)).and_utc();
        let starts = alert["startsAt"].as_str().expect("a time");
        assert_eq!(starts.parse(), Ok(since));
        let summary = alert["annotations"]["summary"].as_str().expect("a text");
        assert!(summary.starts_with("[High] "), "{summary}");
    }
    // One alert may have had to wait for the other for longer than Alertmanager did.
    wait_for("the group", || {
        statuses(&receiver).last() == Some(&("firing".to_owned(), 2))
    });
    let told = statuses(&receiver).len();
    // It lasts, and is repeated: what Alertmanager knows is of this run.
    let updated = |alerts: &[Value]| alerts[0]["endsAt"].clone();
    let before = updated(&alertmanager.alerts());
    play(900.0);
    assert_ne!(updated(&alertmanager.alerts()), before);
    assert_eq!(statuses(&receiver).len(), told, "no news");
    for _ in 0..3 {
        play(0.0);
    }
    wait_for("the end", || {
        statuses(&receiver).last() == Some(&("resolved".to_owned(), 2))
    });
    assert!(alertmanager.alerts().is_empty());
    assert_eq!(story.status_at(at)["outbox"], json!([]));
}
