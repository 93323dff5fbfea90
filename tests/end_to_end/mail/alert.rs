//! What the recipients of an alert get.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::scene::{Ending, FIRST, SECOND, SENDER, Scene, THIRD, quoted, read};
use crate::support::mail::InlinePart;
use crate::support::{Fault, MailServerSetup, Received};

#[test]
fn a_breach_is_mailed_to_each_recipient_alone_through_starttls_and_auth() {
    let scene = Scene::ending_in(Ending::Spike);
    let run = scene.run();
    run.assert_status(0);
    assert_eq!(run.stderr, "");

    let server = &scene.server;
    assert_eq!(server.received().len(), 2);
    assert_eq!(server.connections(), 1);
    for recipient in [FIRST, SECOND] {
        let (received, mail) = scene.mail_to(recipient);
        assert_eq!(received.from, SENDER);
        assert!(received.tls);
        assert_eq!(received.user.as_deref(), Some(server.user()));
        assert_eq!(mail.header("To"), Some(recipient));
        assert_eq!(mail.header("From"), Some("bandwatch <watch@example.com>"));
        assert_eq!((mail.header("Cc"), mail.header("Bcc")), (None, None));
    }

    let verbs = |commands: Vec<String>| -> Vec<String> {
        let verb = |line: &String| line.split([' ', ':']).next().map(ToOwned::to_owned);
        commands.iter().filter_map(verb).collect()
    };
    let message = ["MAIL", "RCPT", "DATA"];
    let expected = [
        &["EHLO", "STARTTLS", "EHLO", "AUTH"][..],
        &message,
        &message,
        &["QUIT"],
    ];
    assert_eq!(verbs(server.transcript()), expected.concat());
    assert_eq!(verbs(server.commands_in_clear()), ["EHLO", "STARTTLS"]);
}

#[test]
fn a_mailed_breach_is_told_on_one_line_and_with_what_was_done_below() {
    let run = Scene::ending_in(Ending::Spike).run();
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert!(
        lines[0].starts_with("sales  HIGH  2,500 at 14:00 CET, expected "),
        "{run:?}"
    );
    let done = [
        format!("  mailed to {FIRST}"),
        format!("  mailed to {SECOND}"),
        "  wrote plots/plot_24h.png".to_owned(),
        "  wrote plots/plot_48h.png".to_owned(),
    ];
    assert_eq!(lines[1..], done);
}

#[test]
fn a_spike_is_announced_in_blue_with_its_figures_in_subject_and_text() {
    assert_alert(Ending::Spike, "High", "2,500", "#1a5fb4");
}

#[test]
fn a_drop_is_announced_in_orange_with_its_figures_in_subject_and_text() {
    assert_alert(Ending::Drop, "Low", "12", "#c64600");
}

/// The figures in the mail are those that the run itself reports as JSON.
#[track_caller]
fn assert_alert(ending: Ending, side: &str, value: &str, colour: &str) {
    let scene = Scene::ending_in(ending);
    let run = scene.run_with(&["--format", "json"]);
    run.assert_status(0);
    let told: Value = serde_json::from_str(&run.stdout).expect("an object of JSON");
    assert_eq!(told["mailed"], serde_json::json!([FIRST, SECOND]));
    let figure = |key: &str| with_thousands(told[key].as_f64().expect("a number"));
    let (expected, lower, upper) = (figure("expected"), figure("lower"), figure("upper"));

    let (_, mail) = scene.mail_to(FIRST);
    assert_eq!(
        mail.subject,
        format!("[{side}] Sales {value} at 14:00 CET, usually {lower} to {upper}")
    );
    let (text, html) = (mail.text.expect("a text"), mail.html.expect("HTML"));
    let said = [
        format!("{side} Sales Volume"),
        format!("{value} EUR"),
        format!("{expected} EUR"),
        format!("{lower} to {upper} EUR (95 %)"),
        "Sunday 22 November 2026, 14:00 CET (Europe/Paris), a bucket of 1 h".to_owned(),
        "6 d, 144 values, 0 missing".to_owned(),
        format!("{side} since 14:00 CET, for 1 h"),
        "than usual so far".to_owned(),
        "Questions? Data team, +33 1 23 45 67 89".to_owned(),
    ];
    for said in said {
        assert!(text.contains(&said), "{said:?} is not in\n{text}");
        assert!(html.contains(&said), "{said:?} is not in\n{html}");
    }
    assert!(
        html.contains(&format!(">{side} Sales Volume</h1>")),
        "{html}"
    );
    assert!(
        html.contains(&format!("background-color:{colour}")),
        "{html}"
    );
}

/// "1234.5" is written "1,234": a band of this width makes no more digits meaningful.
fn with_thousands(number: f64) -> String {
    let whole = format!("{number:.0}");
    match whole.len() {
        0..=3 => whole,
        length => format!("{},{}", &whole[..length - 3], &whole[length - 3..]),
    }
}

#[test]
fn both_pictures_stand_in_the_mail_by_content_id_and_in_plots_dir() {
    let mut scene = Scene::ending_in(Ending::Spike);
    scene.top.insert("plots_dir", quoted("pictures/of sales"));
    scene.run().assert_status(0);
    let (_, mail) = scene.mail_to(SECOND);
    let html = mail.html.expect("HTML");
    assert!(!html.contains("data:"), "{html}");
    let mut expected = BTreeMap::new();
    for (span, file) in [("24", "plot_24h.png"), ("48", "plot_48h.png")] {
        let (_, figure) = html
            .split_once(&format!(">Last {span} hours</h2>"))
            .expect("the title of a picture");
        let (_, source) = figure.split_once("src=\"cid:").expect("a picture below it");
        let (id, _) = source.split_once('"').expect("the end of the id");
        let picture = InlinePart {
            content_type: "image/png".to_owned(),
            bytes: read(&scene.workspace, &format!("pictures/of sales/{file}")),
        };
        assert!(picture.bytes.starts_with(b"\x89PNG\r\n"), "{file}");
        expected.insert(id.to_owned(), picture);
    }
    assert_eq!(expected.len(), 2, "two ids");
    assert!(mail.inline == expected, "the pictures differ");
}

#[test]
fn a_mail_is_dated_named_marked_as_automatic_and_plain_on_the_wire() {
    let scene = Scene::ending_in(Ending::Spike);
    let before = chrono::Utc::now().timestamp();
    scene.run().assert_status(0);
    let mut ids = Vec::new();
    for recipient in [FIRST, SECOND] {
        let (received, mail) = scene.mail_to(recipient);
        assert_eq!(mail.header("Auto-Submitted"), Some("auto-generated"));
        let date = mail.header("Date").expect("a date");
        let date = chrono::DateTime::parse_from_rfc2822(date).expect("a date of RFC 5322");
        let during = before..=chrono::Utc::now().timestamp();
        assert!(during.contains(&date.timestamp()), "{date}");
        let id = mail.header("Message-ID").expect("a name");
        assert!(id.starts_with('<') && id.ends_with("@example.com>"), "{id}");
        ids.push(id.to_owned());

        assert!(received.raw.is_ascii());
        let text = String::from_utf8(received.raw).expect("ASCII");
        assert!(text.ends_with("\r\n"));
        for line in text.split("\r\n") {
            assert!(line.len() <= 998 && !line.contains(['\r', '\n']), "{line}");
        }
    }
    assert_ne!(ids[0], ids[1]);
    // A run on a file is a trial, and no two trials are the same mail.
    scene.run().assert_status(0);
    let again = scene.server.received();
    let again = again.iter().map(Received::parse);
    let again = again.map(|mail| mail.header("Message-ID").map(ToOwned::to_owned));
    assert_eq!(again.collect::<std::collections::BTreeSet<_>>().len(), 4);
}

#[test]
fn a_usual_value_sends_nothing_and_says_nothing() {
    let scene = Scene::ending_in(Ending::Usual);
    let run = scene.run();
    run.assert_status(0);
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
    assert_eq!(scene.server.connections(), 0);
    assert!(!scene.workspace.path().join("plots").exists());
}

#[test]
fn a_drop_is_no_breach_where_only_high_values_are() {
    let mut scene = Scene::ending_in(Ending::Drop);
    scene.metric.insert("direction", quoted("high"));
    let run = scene.run_with(&["--exit-code"]);
    run.assert_status(0);
    assert_eq!(run.stdout, "");
    assert_eq!(scene.server.connections(), 0);
    scene.metric.insert("direction", quoted("low"));
    scene.run_with(&["--exit-code"]).assert_status(3);
    assert_eq!(scene.server.received().len(), 2);
}

#[test]
fn the_recipients_of_a_metric_stand_in_for_those_of_smtp() {
    let mut scene = Scene::ending_in(Ending::Spike);
    let named = format!("[\"Night shift <{THIRD}>\"]");
    scene.metric.insert("recipients", named);
    scene.run().assert_status(0);
    assert_eq!(scene.server.received().len(), 1);
    let (_, mail) = scene.mail_to(THIRD);
    assert_eq!(
        mail.header("To"),
        Some("\"Night shift\" <third@example.com>")
    );
}

#[test]
fn a_password_may_stand_on_the_first_line_of_a_file() {
    let mut scene = Scene::ending_in(Ending::Spike);
    let password = scene.server.password().to_owned();
    crate::scene::write(&scene.workspace, "password", &format!("{password}\n"));
    scene.smtp.insert("password_file", quoted("password"));
    scene.workspace.config(&scene.config());
    let run = scene.workspace.run(&["--input", "sales.csv", "-v"]);
    run.assert_status(0);
    run.assert_never_prints(&password);
    assert_eq!(scene.server.received().len(), 2);
}

#[test]
fn tls_from_the_first_byte_works() {
    let setup = MailServerSetup {
        implicit_tls: true,
        ..Default::default()
    };
    let mut scene = Scene::new(Ending::Spike, setup);
    scene.smtp.insert("implicit_tls", "true".to_owned());
    scene.run().assert_status(0);
    let (received, _) = scene.mail_to(FIRST);
    assert!(received.tls);
    assert_eq!(received.user.as_deref(), Some(scene.server.user()));
    assert_eq!(scene.server.commands_in_clear(), [""; 0]);
}

#[test]
fn without_a_user_there_is_no_login() {
    let mut scene = Scene::with_fault(Fault::NoAuthOffered);
    scene.smtp.remove("user");
    scene.workspace.config(&scene.config());
    let run = scene.workspace.run(&["--input", "sales.csv"]);
    run.assert_status(0);
    let (received, _) = scene.mail_to(FIRST);
    assert!(received.tls);
    assert_eq!(received.user, None);
    let transcript = scene.server.transcript();
    assert!(!transcript.iter().any(|line| line.starts_with("AUTH")));
}
