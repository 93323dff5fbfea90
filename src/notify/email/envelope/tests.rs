//! What stands in a mail, read back by a parser that shares nothing with the one that wrote it.

use crate::forecast::Side;
use mail_parser::{MessageParser, MimeHeaders};

use crate::detect::Verdict;
use crate::notify::email::sample::{html, message, pictures, writing};

#[test]
fn the_pictures_go_along_by_content_id() {
    let writing = writing("Sales", Verdict::Breach(Side::High), 1843.2);
    assert!(!html(&writing).contains("data:"));
    let raw = message(&writing, "ops@example.com");
    let parsed = MessageParser::default().parse(&raw).expect("a mail");
    for (name, png) in [
        ("sales_24h", pictures().day),
        ("sales_48h", pictures().two_days),
    ] {
        let id = format!("{name}@bandwatch");
        assert!(html(&writing).contains(&format!("src=\"cid:{id}\"")));
        let part = parsed
            .attachments()
            .find(|part| part.content_id() == Some(id.as_str()))
            .expect("a picture");
        assert_eq!(part.contents(), png);
        assert_eq!(
            part.content_type()
                .map(|kind| (kind.ctype(), kind.subtype())),
            Some(("image", Some("png")))
        );
        assert!(
            part.content_disposition()
                .is_some_and(mail_parser::ContentType::is_inline)
        );
    }
    let kinds: Vec<_> = parsed
        .parts
        .iter()
        .filter_map(|part| part.content_type())
        .map(|kind| format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or("")))
        .collect();
    assert_eq!(
        kinds,
        [
            "multipart/alternative",
            "text/plain",
            "multipart/related",
            "text/html",
            "image/png",
            "image/png"
        ]
    );
}

#[test]
fn headers_and_lines_keep_to_the_standards() {
    let title = "Größe der Körbe — 籠のサイズ ".repeat(6);
    let raw = message(
        &writing(title.trim(), Verdict::Breach(Side::High), 1843.2),
        "Jürgen <ops@example.com>",
    );
    assert!(raw.is_ascii());
    for line in raw.split(|byte| *byte == b'\n') {
        assert!(
            line.len() <= 998 && (line.is_empty() || line.ends_with(b"\r")),
            "{}",
            String::from_utf8_lossy(line)
        );
    }
    let parsed = MessageParser::default().parse(&raw).expect("a mail");
    assert!(
        parsed
            .subject()
            .is_some_and(|subject| subject.contains(title.trim())),
        "{:?}",
        parsed.subject()
    );
    assert_eq!(
        parsed.header_raw("Auto-Submitted").map(str::trim),
        Some("auto-generated")
    );
    assert_eq!(
        parsed.date().map(mail_parser::DateTime::to_timestamp),
        Some(1_795_353_060)
    );
    assert!(
        parsed
            .message_id()
            .is_some_and(|id| id.starts_with("bandwatch.") && id.ends_with("@example.com"))
    );
}

#[test]
fn a_newline_in_a_name_makes_no_header() {
    let raw = message(
        &writing(
            "x\r\nBcc: everyone@example.com\r\n\r\nhello",
            Verdict::Breach(Side::High),
            1843.2,
        ),
        "ops@example.com",
    );
    let parsed = MessageParser::default().parse(&raw).expect("a mail");
    assert!(parsed.bcc().is_none());
    assert_eq!(
        parsed
            .to()
            .and_then(|to| to.first())
            .and_then(|to| to.address()),
        Some("ops@example.com")
    );
    assert_eq!(parsed.attachment_count(), 2);
}

#[test]
fn the_same_point_has_the_same_message_id_for_each_recipient_of_its_own() {
    let id = |verdict, to| {
        let raw = message(&writing("Sales", verdict, 1843.2), to);
        MessageParser::default()
            .parse(&raw)
            .and_then(|parsed| parsed.message_id().map(str::to_string))
            .expect("an id")
    };
    assert_eq!(
        id(Verdict::Breach(Side::High), "a@example.com"),
        id(Verdict::Breach(Side::High), "a@example.com")
    );
    assert_ne!(
        id(Verdict::Breach(Side::High), "a@example.com"),
        id(Verdict::Breach(Side::High), "b@example.com")
    );
}
