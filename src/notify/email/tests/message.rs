//! What stands in a mail, read back by a parser that shares nothing with the one that wrote it.

use mail_parser::{MessageParser, MimeHeaders};

use super::*;

#[test]
fn the_pictures_go_along_by_content_id() {
    let email = preview("Sales", Verdict::Breach(Side::High), 1843.2);
    assert!(!html(&email).contains("data:"));
    let raw = message(&email, "ops@example.com");
    let parsed = MessageParser::default().parse(&raw).expect("a mail");
    let plots = plots();
    for (name, png) in [("sales_24h", &plots[0].png), ("sales_48h", &plots[1].png)] {
        let id = format!("{name}@bandwatch");
        assert!(html(&email).contains(&format!("src=\"cid:{id}\"")));
        let part = parsed
            .attachments()
            .find(|part| part.content_id() == Some(id.as_str()))
            .expect("a picture");
        assert_eq!(part.contents(), png.as_slice());
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
        &preview(title.trim(), Verdict::Breach(Side::High), 1843.2),
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
        &preview(
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
        let raw = message(&preview("Sales", verdict, 1843.2), to);
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

#[test]
fn a_domain_beyond_ascii_goes_as_the_domain_name_system_has_it() {
    let email = preview("Sales", Verdict::Normal, 1100.0);
    let from: Mailbox = "Watch <watch@bücher.example>".parse().expect("an address");
    let to: Mailbox = "ops@größe.example".parse().expect("an address");
    let message_id = message_id(&from, &to, "sales");
    assert!(
        message_id.ends_with("@xn--bcher-kva.example>"),
        "{message_id}"
    );
    let message = email.message(&Envelope {
        from: &from,
        to: &to,
        date: chrono::DateTime::UNIX_EPOCH,
        message_id: &message_id,
        in_reply_to: None,
        thread_subject: None,
    });
    let message = message.expect("a message");
    let envelope = message.envelope();
    assert_eq!(envelope.to()[0].to_string(), "ops@xn--gre-6ka8i.example");
    let from = envelope.from().map(ToString::to_string);
    assert_eq!(from.as_deref(), Some("watch@xn--bcher-kva.example"));
    assert!(message.formatted().is_ascii());
}

#[test]
fn a_mail_without_its_pictures_is_smaller_and_says_so() {
    let whole = preview("Sales", Verdict::Breach(Side::High), 1843.2);
    let smaller = whole.clone().without_pictures().expect("it has pictures");
    assert_eq!(smaller.subject(), whole.subject());
    assert_says(&smaller, &["The pictures are not in this mail"]);
    assert!(!html(&smaller).contains("cid:"));
    assert!(!smaller.text().contains("in the HTML part"));
    assert!(smaller.without_pictures().is_none());
}

#[test]
fn the_subject_says_it_all() {
    assert_eq!(
        preview("Sales", Verdict::Breach(Side::High), 1843.2).subject(),
        "[High] Sales 1,843 at 14:05 CET, usually 912 to 1,298"
    );
    assert_eq!(
        preview("Sales", Verdict::Breach(Side::Low), 12.0).subject(),
        "[Low] Sales 12 at 14:05 CET, usually 912 to 1,298"
    );
    let undecided = Verdict::Undecided("every value of the history is 3, so nothing says how much change is usual; some variation is needed".into());
    assert!(
        preview("Sales", undecided, 12.0)
            .subject()
            .starts_with("[Undecided] Sales: every value of the history is 3")
    );
}

#[test]
fn high_is_blue_and_low_is_orange_under_the_heading_people_know() {
    let high = html(&preview("Sales", Verdict::Breach(Side::High), 1843.2));
    assert!(high.contains(">High Sales Volume</h1>") && high.contains("background-color:#1a5fb4"));
    let low = html(&preview("Sales Volume", Verdict::Breach(Side::Low), 12.0));
    assert!(low.contains(">Low Sales Volume</h1>") && low.contains("background-color:#c64600"));
}

#[test]
fn both_parts_say_everything() {
    let email = preview("Sales", Verdict::Breach(Side::High), 1843.2);
    assert_says(
        &email,
        &[
            "1,843 EUR at 14:05 CET, 67 % higher than expected; usually 912 to 1,298 EUR",
            "1,102 EUR",
            "912 to 1,298 EUR (95 %)",
            "+741 EUR (67 % higher)",
            "Sunday 22 November 2026, 14:05 CET (Europe/Paris)",
            "2 d 2 h, 600 values, 0 missing",
            "Outliers clipped",
        ],
    );
    assert!(
        html(&email).contains(">Last 24 hours</h2>")
            && html(&email).contains(">Last 48 hours</h2>")
    );
    assert!(
        html(&email).contains("Data team &#60;<a class=\"plain\" href=\"mailto:data@example.com\" style=\"color:#1a5fb4;\">data@example.com</a>&#62; &#38; co"),
        "{}",
        html(&email)
    );
    assert!(email.text().contains("Data team <data@example.com> & co"));
}

#[test]
fn a_title_of_markup_stays_text() {
    let html = html(&preview("<b>&\"x", Verdict::Breach(Side::High), 1843.2));
    assert!(
        !html.contains("<b>") && html.contains("High &#60;b&#62;&#38;&#34;x Volume"),
        "{html}"
    );
    assert_eq!(
        html.matches("<html").count(),
        html.matches("</html>").count()
    );
    for tag in [
        "table", "tr", "td", "th", "p", "h1", "h2", "style", "head", "body", "strong", "div", "a",
        "code",
    ] {
        let opened =
            html.matches(&format!("<{tag}>")).count() + html.matches(&format!("<{tag} ")).count();
        assert_eq!(opened, html.matches(&format!("</{tag}>")).count(), "{tag}");
    }
}

#[test]
fn a_page_for_a_browser_has_its_pictures_beside_it() {
    let email = preview("Sales", Verdict::Breach(Side::High), 1843.2);
    let page = email
        .preview(&["a #1.png", "b.png"].map(str::to_string))
        .expect("a page");
    assert!(
        page.contains("src=\"a %231.png\"")
            && page.contains("src=\"b.png\"")
            && !page.contains("cid:")
    );
}

#[test]
fn an_alert_goes_out_even_if_its_pictures_cannot_be_drawn() {
    let mut high = breach(Side::High, AlertKind::Firing, 1843.2);
    high.plots.clear();
    let email = high.compose();
    assert!(html(&email).contains("High Sales Volume") && !html(&email).contains("<img"));
    assert!(message(&email, "ops@example.com").is_ascii());
}

#[test]
fn a_later_mail_goes_under_the_subject_of_the_first_with_its_news_in_front() {
    let opening = breach(Side::High, AlertKind::Firing, 1843.2).compose();
    let over = breach(Side::High, AlertKind::Firing, 1843.2)
        .over("14:30", 1100.0)
        .compose();
    let from: Mailbox = "watch@example.com".parse().expect("an address");
    let message = over.message(&Envelope {
        from: &from,
        to: &from,
        date: chrono::DateTime::UNIX_EPOCH,
        message_id: "<2@example.com>",
        in_reply_to: Some("<1@example.com>"),
        thread_subject: Some(opening.subject()),
    });
    let raw = message.expect("a message").formatted();
    let parsed = MessageParser::default().parse(&raw).expect("a mail");
    let subject = format!("Re: {}", opening.subject());
    assert_eq!(parsed.subject(), Some(subject.as_str()));
    let news = "[Over] Sales is back to normal after 25 min\n";
    assert!(over.text().starts_with(news), "{}", over.text());
    assert!(opening.text().starts_with("High Sales Volume\n"));
    assert!(!html(&opening).contains("display:none") && html(&over).contains("display:none"));
}

/// Everything that stands between the tags, from a title that runs from right to left.
#[test]
fn a_title_from_right_to_left_turns_no_figure_around() {
    let (title, isolated) = ("مبيعات", "\u{2068}مبيعات\u{2069}");
    let mut sample = breach(Side::High, AlertKind::Firing, 1843.2);
    sample.metric.title = title.to_string();
    sample.metric.unit = Some("د.إ".to_string());
    let email = sample.compose();
    let subject = format!("[High] {isolated} 1,843 at 14:05 CET, usually 912 to 1,298");
    assert_eq!(email.subject(), subject);
    for part in [email.text(), html(&email)] {
        assert_eq!(part.matches(title).count(), part.matches(isolated).count());
        assert!(
            part.contains("1,843 \u{2068}د.إ\u{2069} at 14:05 CET"),
            "{part}"
        );
    }
    let digest = compose_digest(&[sample.notification()], |_| &[], &letterhead());
    assert!(digest.text().contains(isolated) && digest.subject().contains(isolated));
    sample.metric.title = "a\u{2068}b\u{202e}c".to_string();
    let email = sample.compose();
    assert!(
        email.subject().contains("a\\u2068b\\u202ec"),
        "{}",
        email.subject()
    );
}

#[test]
fn each_picture_has_its_figures_in_words() {
    let page = html(&breach(Side::High, AlertKind::Firing, 1843.2).compose());
    for period in ["24 hours", "48 hours"] {
        let told = format!(
            "alt=\"Sales, last {period}: 1,843 EUR at 14:05 CET, 67 % higher than expected; usually 912 to 1,298 EUR\""
        );
        assert!(page.contains(&told), "{page}");
    }
}

#[test]
fn the_first_picture_comes_before_the_figures_and_the_second_after_them() {
    let page = html(&breach(Side::High, AlertKind::Firing, 1843.2).compose());
    let parts = [
        "High Sales Volume</h1>",
        "higher than expected",
        "Last 24 hours",
        "What to do:",
        "Questions?",
        ">Deviation<",
        "Last 48 hours",
        "History used",
    ];
    let places: Vec<_> = parts.iter().map(|part| page.find(part)).collect();
    assert!(
        places.iter().all(Option::is_some) && places.is_sorted(),
        "{places:?}"
    );
}
