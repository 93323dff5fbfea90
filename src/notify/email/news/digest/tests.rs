//! What is told of several metrics at once.

use super::*;
use crate::forecast::Side;
use crate::notify::email::news::sample::{Told, assert_says, breach, lack, named, over};
use crate::notify::email::sample::{html, message};

fn digest_of(told: &[Told]) -> Writing {
    let announcements: Vec<Announcement> = told.iter().map(Told::announcement).collect();
    digest(&announcements)
}

fn titled(mut told: Told, title: &str) -> Told {
    told.metric.name = title.to_lowercase();
    told.metric.title = title.to_string();
    told
}

fn no_data(title: &str) -> Told {
    let why = "no data since 2026-11-22 13:50 CET".into();
    titled(lack(Matter::NoData { why }, Stage::Opened), title)
}

fn seven() -> Vec<Told> {
    let why = "connection refused".into();
    let ended = breach(Side::Low, over("14:00"), 1100.0).since("13:25");
    vec![
        titled(ended, "Returns"),
        no_data("Stock"),
        named("Orders", Side::High, 2.5),
        titled(lack(Matter::Unwell { why }, Stage::Lasting), "Refunds"),
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
    let ended = |title| titled(breach(Side::Low, over("14:00"), 1100.0), title);
    assert_eq!(
        digest_of(&[ended("Sales"), ended("Orders")]).subject(),
        "[2 over] Sales, Orders"
    );
}

#[test]
fn both_parts_have_a_row_for_each_the_worst_first() {
    let writing = digest_of(&seven());
    assert_says(
        &writing,
        &[
            "6 Alerts, 1 Over",
            "At 14:11 CET: 3 high, 1 low, 1 cannot check, 1 no data, 1 over. What is farthest out comes first.",
            "at 14:05 CET",
            "1,903.54 EUR",
            "expected 912.10 to 1,297.80 EUR",
            "+801.14 (+73 %), 4.1 times the distance to the limit",
            "at 14:05 CET, since 13:55 CET",
            "connection refused",
            "no data since 2026-11-22 13:50 CET",
            "Low from 13:25 to 14:00 CET, 35 min",
            "hearing nothing of it is no good sign",
        ],
    );
    let order = [
        "Sales", "Visits", "Orders", "Carts", "Refunds", "Stock", "Returns",
    ];
    assert!(in_order(
        &writing.text(),
        &order
            .map(|title| format!("{title}: "))
            .each_ref()
            .map(String::as_str)
    ));
    assert!(in_order(
        &html(&writing),
        &order
            .map(|title| format!(">{title}<br>"))
            .each_ref()
            .map(String::as_str)
    ));
    assert!(html(&writing).contains("background-color:#1a5fb4;padding:18px"));
}

#[test]
fn its_colour_is_that_of_the_worst() {
    assert!(html(&digest_of(&[no_data("A"), no_data("B")])).contains("#5e5c64;padding:18px"));
    let ended = || breach(Side::Low, over("14:00"), 1100.0);
    assert!(html(&digest_of(&[ended(), ended()])).contains("#26733f;padding:18px"));
}

#[test]
fn at_most_five_pictures_go_along_each_under_its_title() {
    let told: Vec<Told> = (1..=8)
        .map(|place| named(&format!("Größe {place}"), Side::High, f64::from(place)))
        .collect();
    let writing = digest_of(&told);
    let page = html(&writing);
    assert_eq!(page.matches("<img").count(), 5);
    assert!(in_order(&page, &[">Größe 8</h2>", ">Größe 4</h2>"]));
    assert!(!page.contains(">Größe 3</h2>"));
    assert!(writing.text().contains(
        "The pictures of the last 24 hours of Größe 8, Größe 7, Größe 6, Größe 5, Größe 4 are"
    ));
}

#[test]
fn two_names_that_differ_only_beyond_ascii_keep_their_own_pictures() {
    let writing = digest_of(&[
        named("Körbe", Side::High, 3.0),
        named("Kürbe", Side::High, 2.0),
    ]);
    let ids: HashSet<&str> = writing.pictures().iter().map(Picture::content_id).collect();
    assert_eq!(ids.len(), 2);
}

#[test]
fn a_metric_with_two_matters_has_two_rows_and_one_picture() {
    let back = Told {
        pictures: named("Sales", Side::High, 3.0).pictures,
        ..titled(
            lack(Matter::NoData { why: "so".into() }, over("14:10")),
            "Sales",
        )
    };
    let writing = digest_of(&[back, named("Sales", Side::High, 3.0)]);
    assert_eq!(html(&writing).matches(">Sales<br>").count(), 2);
    assert_eq!(writing.pictures().len(), 1);
}

#[test]
fn forty_metrics_stay_readable_and_within_every_limit() {
    let why = "<&> ".repeat(500);
    let told: Vec<Told> = (0..40)
        .map(|place| {
            let title = format!("Größe der Körbe im Lager Nummer {place}");
            match place % 2 {
                0 => named(&title, Side::High, 2.0 + f64::from(place)),
                _ => titled(
                    lack(Matter::Unwell { why: why.clone() }, Stage::Opened),
                    &title,
                ),
            }
        })
        .collect();
    let writing = digest_of(&told);
    let subject = writing.subject();
    assert!(
        subject.starts_with("[40 alerts] High: ") && subject.ends_with(" and 36 more"),
        "{subject}"
    );
    assert!(subject.chars().count() < 160, "{subject}");
    // Some readers cut off what is longer.
    assert!(html(&writing).len() < 102_000, "{}", html(&writing).len());
    assert_eq!(html(&writing).matches("<th ").count(), 40);
    assert!(!html(&writing).contains("data:"));
    let stored = serde_json::to_string(&writing).expect("text");
    assert_eq!(
        serde_json::from_str::<Writing>(&stored).expect("a writing"),
        writing
    );
    let raw = message(&writing, "ops@example.com");
    assert!(
        raw.split(|byte| *byte == b'\n')
            .all(|line| line.len() < 998)
    );
}

#[test]
fn those_beyond_the_table_are_named_at_least() {
    let told: Vec<Told> = (0..300)
        .map(|place| named(&format!("M{place}"), Side::High, 1.5 + f64::from(place)))
        .collect();
    let writing = digest_of(&told);
    assert_says(
        &writing,
        &["And 250 more. High: M249, ", "M50 and 50 more."],
    );
    assert!(html(&writing).len() < 102_000);
}

#[test]
fn titles_of_markup_stay_text() {
    let told = ["<b>&\"x", "a\r\nBcc: b"].map(|title| named(title, Side::High, 2.0));
    let writing = digest_of(&told);
    let page = html(&writing);
    assert!(!page.contains("<b>") && page.contains("&#60;b&#62;&#38;&#34;x<br>"));
    assert_eq!(writing.subject(), "[2 alerts] High: <b>&\"x, a  Bcc: b");
    assert!(!writing.text().contains("\nBcc"));
}
