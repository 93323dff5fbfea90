//! The report of what happened.

use serde_json::Value;

use crate::command_line::schema::assert_keeps;
use crate::memory::story::Story;
use crate::scene::{FIRST, SECOND};

/// An incident of three buckets, acknowledged, and one that was fine; then peace.
fn eventful() -> Story {
    let story = Story::new();
    story.run_well("12:00");
    story.play("12:00", &[500.0; 2]);
    let because = ["ack", "sales", "--because", "<b>a sale</b>"];
    story.run_with("12:10", &because).assert_status(0);
    story.play("12:10", &[600.0, 0.0, 0.0]);
    story.play("12:25", &[-500.0; 3]);
    story
        .run_with("12:40", &["was", "sales", "fine"])
        .assert_status(0);
    story.play("12:40", &[0.0, 0.0, 0.0]);
    story.assert_told(&["High", "Over", "Low"]);
    story
}

fn object(story: &Story, at: &str, arguments: &[&str]) -> Value {
    let words = [&["report", "--format", "json"], arguments].concat();
    let run = story.run_with(at, &words);
    run.assert_status(0);
    assert_keeps("report", &run).remove(0)
}

#[test]
fn a_report_has_what_was_told_acknowledged_and_answered() {
    let story = eventful();
    let object = object(&story, "13:00", &[]);
    let metric = &object["metrics"][0];
    let [high, low] = [0, 1].map(|index| metric["alerts"][index].clone());
    assert_eq!(high["kind"], "high");
    assert_eq!(high["since"], "2026-11-22T12:00:00+00:00");
    assert_eq!(high["until"], "2026-11-22T12:15:00+00:00");
    assert_eq!(high["seconds"], 900);
    // An opening and an end, to two recipients.
    assert_eq!(high["notifications"], 4);
    assert_eq!(high["worst"]["time"], "2026-11-22T12:10:00+00:00");
    assert_eq!(high["acknowledged"]["because"], "<b>a sale</b>");
    assert!(high["missing"].as_f64() < Some(-1000.0), "{high}");
    assert_eq!((&low["kind"], &low["was"]), (&"low".into(), &"fine".into()));
    assert_eq!(low["notifications"], 2);
    assert_eq!(metric["opened"], 2);
    // What was acknowledged is no miss of the band, and what was fine is one.
    assert_eq!(
        (&metric["judged"], &metric["left_out"]),
        (&8.into(), &4.into())
    );
    assert!(metric["inside"].as_u64() <= Some(5), "{metric}");
    assert_eq!(object["lost"], Value::Array(Vec::new()));
    let status = story.run_with("13:00", &["status", "--format", "json"]);
    let status = &assert_keeps("status", &status)[0];
    assert_eq!(status["metrics"][0]["answers"][0]["was"], "fine");
    // What was before is not in it.
    let nothing = self::object(&story, "13:00", &["--last", "1m"]);
    assert_eq!(nothing["metrics"][0]["alerts"], Value::Array(Vec::new()));
}

#[test]
fn the_report_for_people_says_the_same() {
    let story = eventful();
    let run = story.run_with("13:00", &["report"]);
    run.assert_status(0);
    for told in [
        "Report of 15 November 2026 to 22 November 2026",
        "2 incidents, 6 notifications. Incidents lasted 30 min in all.",
        "Sales: High\n  12:00 to 12:15 UTC (15 min)\n",
        "more than usual in all",
        "acknowledged by ",
        "somebody said that it was fine: learnt as usual",
        "of 8 values lay inside the 95 % band",
        "; 4 values during incidents are left out",
        "2 incidents told: 1 called fine, 1 called real or acknowledged\n",
    ] {
        assert!(
            run.stdout.contains(told),
            "{told:?} is not in\n{}",
            run.stdout
        );
    }
}

#[test]
fn the_file_of_a_report_needs_nothing_else() {
    let story = eventful();
    let run = story.run_with("13:00", &["report", "--html", "week.html"]);
    run.assert_status(0);
    assert_eq!(run.stdout, "wrote week.html\n");
    let path = story.workspace.path().join("week.html");
    let html = std::fs::read_to_string(path).expect("the file");
    for reference in [
        "http:", "https:", "cid:", "<link", "<script", "@import", "url(",
    ] {
        assert!(!html.contains(reference), "{reference}");
    }
    let sources: Vec<&str> = html.split("src=\"").skip(1).collect();
    assert_eq!(sources.len(), 1, "one metric had incidents");
    assert!(sources[0].starts_with("data:image/png;base64,iVBOR"));
    assert!(html.contains("12:00 to 12:15 UTC (15 min)"), "{html}");
    // What somebody wrote is text.
    assert!(!html.contains("<b>a sale"), "{html}");
}

#[test]
fn a_mailed_report_has_the_facts_and_its_pictures() {
    let story = eventful();
    let run = story.run_with("13:00", &["report", "--mail"]);
    run.assert_status(0);
    let told = format!("mailed the report to {FIRST}\nmailed the report to {SECOND}\n");
    assert_eq!(run.stdout, told);
    for recipient in [FIRST, SECOND] {
        let mails = story.mails(recipient);
        let mail = mails.last().expect("a mail");
        assert_eq!(
            mail.subject,
            "[Report] 15 November 2026 to 22 November 2026: 2 incidents"
        );
        let text = mail.text.as_ref().expect("a text");
        assert!(
            text.contains("Sales: High\n  12:00 to 12:15 UTC (15 min)\n"),
            "{text}"
        );
        let html = mail.html.as_ref().expect("HTML");
        let (id, picture) = mail.inline.iter().next().expect("a picture");
        assert!(html.contains(&format!("src=\"cid:{id}\"")), "{html}");
        assert!(picture.bytes.starts_with(b"\x89PNG"));
    }
    // Nothing is remembered of it.
    story.run_well("13:01");
    assert_eq!(story.mails(FIRST).len(), 4);
}

#[test]
fn a_report_is_read_while_a_run_is_at_work_and_without_a_database() {
    let mut story = eventful();
    let black_hole = std::net::TcpListener::bind("127.0.0.1:0").expect("a free TCP port");
    let port = story.mysql_port;
    story.mysql_port = black_hole.local_addr().expect("a bound port").port();
    let begun = story.begin(crate::memory::story::moment("13:00")).spawn();
    let mut begun = begun.expect("it starts");
    let (_caller, _) = black_hole.accept().expect("a caller");
    assert_eq!(object(&story, "13:00", &[])["metrics"][0]["opened"], 2);
    begun.kill().expect("a child can be killed");
    let process = begun.id();
    begun.wait().expect("it ends");
    crate::support::clock::forget(process);
    // A report without pictures is better than none.
    story.mysql_port = 1;
    let run = story.run_with("13:00", &["report", "--html", "week.html"]);
    run.assert_status(1);
    assert!(
        run.stderr
            .contains("sales: the report has no picture of it: "),
        "{run:?}"
    );
    assert_eq!(run.stderr.lines().count(), 1, "{run:?}");
    assert!(story.workspace.path().join("week.html").exists());
    story.mysql_port = port;
    story.smtp_port = 1;
    let run = story.run_with("13:00", &["report", "--mail"]);
    run.assert_status(1);
    assert!(run.stderr.contains("smtp.host 127.0.0.1:1"), "{run:?}");
}

#[test]
fn what_cannot_be_reported_is_told() {
    let mut story = Story::new();
    let run = story.run_with("12:00", &["report"]);
    run.assert_status(1);
    assert!(run.stderr.contains("there is nothing to report"), "{run:?}");
    for (last, word) in [
        ("0", "is not a length of time"),
        ("60d", "the state remembers 35 days"),
    ] {
        let run = story.run_with("12:00", &["report", "--last", last]);
        run.assert_status(2);
        assert!(run.stderr.contains(word), "{run:?}");
    }
    story.run_well("12:00");
    story.play("12:00", &[500.0, 0.0, 0.0]);
    let folder = story.run_with("12:15", &["report", "--html", "nowhere/week.html"]);
    folder.assert_status(1);
    assert!(
        folder.stderr.contains("--html: write nowhere/week.html"),
        "{folder:?}"
    );
    // A metric by another name is another one.
    story.name = "turnover";
    let object = object(&story, "12:15", &[]);
    let names = [0, 1].map(|index| object["metrics"][index]["metric"].clone());
    assert_eq!(names, ["turnover", "sales"]);
    assert_eq!(object["metrics"][1]["configured"], false);
    assert_eq!(object["metrics"][1]["alerts"][0]["kind"], "high");
    let run = story.run_with("12:15", &["report"]);
    assert!(
        run.stdout.contains("not in the configuration any more"),
        "{run:?}"
    );
}
