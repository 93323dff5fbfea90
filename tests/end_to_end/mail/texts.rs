//! Names and titles are whatever people write; a mail stays a mail.

use crate::scene::{Ending, FIRST, Scene, quoted};

#[test]
fn a_title_in_any_script_is_intact_in_subject_heading_and_text() {
    let mut scene = Scene::ending_in(Ending::Drop);
    let title = "Größe der Körbe 🛒 — 籠のサイズ";
    scene.metric.insert("title", quoted(title));
    scene.metric.insert("unit", quoted("€"));
    scene.metric.insert("measure", quoted(""));
    scene.run().assert_status(0);
    let (received, mail) = scene.mail_to(FIRST);
    assert!(received.raw.is_ascii());
    let begin = format!("[Low] {title} 12 at 14:00 CET, usually ");
    assert!(mail.subject.starts_with(&begin), "{}", mail.subject);
    let text = mail.text.expect("a text");
    assert!(text.starts_with(&format!("Low {title}\n")), "{text}");
    assert!(text.contains("12 € at 14:00 CET"), "{text}");
    assert_eq!(heading(&mail.html.expect("HTML")), format!("Low {title}"));
}

#[test]
fn the_longest_title_keeps_the_lines_lawful() {
    let mut scene = Scene::ending_in(Ending::Spike);
    // The mail server refuses lines that are too long.
    for title in ["x".repeat(200), "籠".repeat(200)] {
        scene.metric.insert("title", quoted(&title));
        scene.run().assert_status(0);
        let received = scene.server.received().pop().expect("a mail");
        let begin = format!("[High] {title} 2,500 at ");
        let subject = received.parse().subject;
        assert!(subject.starts_with(&begin), "{subject}");
        let header = received.raw.split(|byte| *byte == b'\n');
        let header = header.take_while(|line| *line != b"\r");
        for line in header {
            let line = String::from_utf8_lossy(line);
            assert!(line.len() <= 999, "{line}");
        }
    }
}

#[test]
fn what_could_make_a_header_of_its_own_is_refused() {
    let mut scene = Scene::ending_in(Ending::Spike);
    let wrong = ["x\r\nBcc: all@example.com", "x\ny", "bell \u{7}", " ", ""];
    for key in ["name", "title"] {
        let good = scene.metric.clone();
        for text in wrong {
            scene.metric.insert(key, quoted(text));
            let run = scene.run();
            run.assert_status(2);
            assert_eq!(run.stderr.lines().count(), 1, "{run:?}");
            let told = format!("metric[0].{key}: {text:?} is not allowed");
            assert!(run.stderr.contains(&told), "{told}\n{run:?}");
        }
        scene.metric = good;
    }
    for (key, text) in [
        ("from", "\"x\\r\\nBcc: all@example.com\""),
        (
            "recipients",
            "[\"a@example.com\\r\\nRCPT TO:<b@example.com>\"]",
        ),
        ("contact", "\"two\\nlines\""),
    ] {
        let good = scene.smtp.insert(key, text.to_owned());
        let run = scene.run();
        run.assert_status(2);
        assert!(run.stderr.contains(&format!("smtp.{key}")), "{run:?}");
        scene.smtp.insert(key, good.expect("a key of the scene"));
    }
    assert_eq!(scene.server.connections(), 0);
}

fn heading(html: &str) -> &str {
    let (_, after) = html.split_once("<h1").expect("a heading");
    let (_, after) = after.split_once('>').expect("the end of its tag");
    after.split_once("</h1>").expect("the end of it").0
}
