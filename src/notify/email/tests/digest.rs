//! What is told of several metrics at once.

use super::*;

fn digest_of(samples: &[Sample]) -> Email {
    let notifications: Vec<_> = samples.iter().map(Sample::notification).collect();
    let drawn = |metric: &Metric| {
        let sample = samples
            .iter()
            .find(|sample| sample.metric.name == metric.name);
        sample.map_or(&[][..], |sample| &sample.plots)
    };
    compose_digest(&notifications, drawn, &letterhead())
}

fn no_data(title: &str) -> Sample {
    let reason = "no data since 2026-11-22 13:50 CET";
    obstacle(Condition::NoData, AlertKind::Firing, reason).titled(title)
}

fn ended(title: &str) -> Sample {
    let low = breach(Side::Low, AlertKind::Firing, 12.0).since("13:25");
    low.over("14:00", 1100.0).titled(title)
}

fn seven() -> Vec<Sample> {
    let reason = "connection refused";
    vec![
        ended("Returns"),
        no_data("Stock"),
        named("Orders", Side::High, 2.5),
        obstacle(Condition::CheckFailed, AlertKind::Repeat, reason).titled("Refunds"),
        named("Visits", Side::Low, -3.5),
        named("Sales", Side::High, 4.1),
        named("Carts", Side::High, 1.5).since("13:55"),
    ]
}

/// The places of the texts, one after the other.
fn in_order(text: &str, parts: &[&str]) -> bool {
    let places: Vec<_> = parts.iter().map(|part| text.find(part)).collect();
    places.iter().all(Option::is_some) && places.is_sorted()
}

#[test]
fn the_subject_counts_and_names_the_worst_of_each_kind() {
    assert_eq!(
        digest_of(&seven()).subject(),
        "[6 alerts, 1 over] High: Sales; Low: Visits; cannot check: Refunds; no data: Stock and 3 more"
    );
    let three = [
        named("Sales", Side::High, 4.0),
        named("Orders", Side::High, 3.0),
        named("Visits", Side::Low, -2.0),
    ];
    assert_eq!(
        digest_of(&three).subject(),
        "[3 alerts] High: Sales, Orders; Low: Visits"
    );
    assert_eq!(
        digest_of(&[ended("Sales"), ended("Orders")]).subject(),
        "[2 over] Sales, Orders"
    );
}

#[test]
fn both_parts_have_a_row_for_each_the_worst_first() {
    let email = digest_of(&seven());
    assert_says(
        &email,
        &[
            "High: Sales; Low: Visits; cannot check: Refunds; no data: Stock and 3 more",
            "At 14:11 CET: 3 high, 1 low, 1 cannot check, 1 no data, 1 over.",
            "73 % higher",
            "1,904 EUR, usually 912 to 1,298 EUR, high since 14:05 CET",
            "usually 912 to 1,298 EUR, at 14:05 CET, high since 13:55 CET",
            "connection refused",
            "no data since 2026-11-22 13:50 CET",
            "Low from 13:25 to 14:00 CET, 35 min",
            "no alert does not mean that all is well",
        ],
    );
    let order = [
        "Sales", "Visits", "Orders", "Carts", "Refunds", "Stock", "Returns",
    ];
    assert!(in_order(
        &email.text(),
        &order
            .map(|title| format!("{title}: "))
            .each_ref()
            .map(String::as_str)
    ));
    assert!(in_order(
        &html(&email),
        &order
            .map(|title| format!(">{title} <span"))
            .each_ref()
            .map(String::as_str)
    ));
    assert!(html(&email).contains("background-color:#1a5fb4;padding:12px"));
}

#[test]
fn its_colour_is_that_of_the_worst() {
    assert!(html(&digest_of(&[no_data("A"), no_data("B")])).contains("#5e5c64;padding:12px"));
    assert!(html(&digest_of(&[ended("A"), ended("B")])).contains("#26733f;padding:12px"));
}

#[test]
fn at_most_five_pictures_go_along_each_under_its_title() {
    let samples: Vec<Sample> = (1..=8)
        .map(|place| named(&format!("Größe {place}"), Side::High, f64::from(place)))
        .collect();
    let email = digest_of(&samples);
    let page = html(&email);
    assert_eq!(page.matches("<img").count(), 5);
    assert!(in_order(
        &page,
        &[
            ">Größe 8, last 24 hours</h2>",
            ">Größe 4, last 24 hours</h2>"
        ]
    ));
    assert!(!page.contains(">Größe 3, last 24 hours</h2>"));
    assert!(email.text().contains(
        "Pictures in the HTML part of this mail: Größe 8, last 24 hours; Größe 7, last 24 hours;"
    ));
}

#[test]
fn two_names_that_differ_only_beyond_ascii_keep_their_own_pictures() {
    let page = html(&digest_of(&[
        named("Körbe", Side::High, 3.0),
        named("Kürbe", Side::High, 2.0),
    ]));
    assert!(page.contains("cid:1_k-rbe_24h@bandwatch"), "{page}");
    assert!(page.contains("cid:2_k-rbe_24h@bandwatch"), "{page}");
}

#[test]
fn a_metric_with_two_alerts_has_two_rows_and_one_picture() {
    let mut back = obstacle(Condition::NoData, AlertKind::Firing, "so").over("14:10", 1100.0);
    back.plots = plots();
    let page = html(&digest_of(&[
        back.titled("Sales"),
        named("Sales", Side::High, 3.0),
    ]));
    assert_eq!(page.matches(">Sales <span").count(), 2);
    assert_eq!(page.matches("<img").count(), 1);
}

#[test]
fn forty_metrics_stay_readable_and_within_every_limit() {
    let why = "<&> ".repeat(500);
    let samples: Vec<Sample> = (0..40)
        .map(|place| {
            let title = format!("Größe der Körbe im Lager Nummer {place}");
            match place % 2 {
                0 => named(&title, Side::High, 2.0 + f64::from(place)),
                _ => obstacle(Condition::CheckFailed, AlertKind::Firing, &why).titled(&title),
            }
        })
        .collect();
    let email = digest_of(&samples);
    let subject = email.subject();
    assert!(
        subject.starts_with("[40 alerts] High: ") && subject.ends_with(" and 36 more"),
        "{subject}"
    );
    assert!(subject.chars().count() < 160, "{subject}");
    // Some readers cut off what is longer.
    assert!(html(&email).len() < 102_000, "{}", html(&email).len());
    assert_eq!(html(&email).matches("<th ").count(), 40);
    assert!(!html(&email).contains("data:"));
    let raw = message(&email, "ops@example.com");
    assert!(
        raw.split(|byte| *byte == b'\n')
            .all(|line| line.len() < 998)
    );
}

#[test]
fn those_beyond_the_table_are_named_at_least() {
    let samples: Vec<Sample> = (0..300)
        .map(|place| named(&format!("M{place}"), Side::High, 1.5 + f64::from(place)))
        .collect();
    let email = digest_of(&samples);
    assert_says(&email, &["And 250 more. High: M249, ", "M50 and 50 more."]);
    assert!(html(&email).len() < 102_000);
}

#[test]
fn titles_of_markup_stay_text() {
    let samples = ["<b>&\"x", "a\r\nBcc: b"].map(|title| named(title, Side::High, 2.0));
    let email = digest_of(&samples);
    let page = html(&email);
    assert!(!page.contains("<b>") && page.contains("&#60;b&#62;&#38;&#34;x <span"));
    assert_eq!(email.subject(), "[2 alerts] High: <b>&\"x, a  Bcc: b");
    assert!(!email.text().contains("\nBcc"));
}
