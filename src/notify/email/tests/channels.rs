//! The same words in the forms of channels that are web services.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;
use crate::notify::{alertmanager, slack, teams, webhook};

fn posted_to_alertmanager(sample: &Sample, labels: &BTreeMap<String, String>) -> Value {
    let alerts = alertmanager::alerts(&[sample.notification()], labels, &letterhead());
    alerts[0].clone()
}

fn digest(count: usize) -> Email {
    let samples: Vec<Sample> = (0..count)
        .map(|index| named(&format!("Sales of {index}"), Side::Low, -2.0))
        .collect();
    let notifications: Vec<Notification> = samples.iter().map(Sample::notification).collect();
    compose_digest(&notifications, |_| &[], &letterhead())
}

/// Each text in it that goes by this key.
fn texts<'v>(value: &'v Value, key: &str, found: &mut Vec<&'v str>) {
    match value {
        Value::Object(map) => {
            found.extend(map.get(key).and_then(Value::as_str));
            map.values().for_each(|value| texts(value, key, found));
        }
        Value::Array(list) => list.iter().for_each(|value| texts(value, key, found)),
        _ => {}
    }
}

#[test]
fn slack_shows_the_sentence_and_the_figures_beside_the_colour_of_the_side() {
    let high = breach(Side::High, AlertKind::Firing, 1843.2).compose();
    let message = slack::message(&high);
    assert_eq!(
        message["text"],
        "[High] Sales 1,843 at 14:05 CET, usually 912 to 1,298"
    );
    let attachment = &message["attachments"][0];
    assert_eq!(attachment["color"], "#1a5fb4");
    assert_eq!(
        attachment["blocks"][0]["text"]["text"],
        "Sales is unusually high: 1,843 EUR at 14:05 CET, 67 % higher than expected; usually 912 to 1,298 EUR. High since 14:05 CET, for 5 min: 741 EUR more than usual so far."
    );
    let fields = &attachment["blocks"][1]["fields"];
    assert_eq!(fields[0]["text"], "*Value*\n1,843 EUR");
    let low = breach(Side::Low, AlertKind::Firing, 12.5).compose();
    assert_eq!(slack::message(&low)["attachments"][0]["color"], "#c64600");
}

#[test]
fn nothing_in_a_message_to_slack_calls_a_whole_channel_or_is_longer_than_it_takes() {
    let sample = breach(Side::High, AlertKind::Firing, 1843.2).titled("<!channel> & co");
    let message = slack::message(&sample.compose());
    let text = message["text"].as_str().expect("a text");
    assert!(text.contains("&lt;!channel&gt; &amp; co"), "{text}");
    let mut marked = Vec::new();
    let long = slack::message(&digest(60));
    texts(&long, "text", &mut marked);
    assert!(marked.iter().all(|text| text.len() <= 3000));
    let blocks = &long["attachments"][0]["blocks"];
    let blocks = blocks.as_array().expect("a list");
    assert!(blocks.len() <= 50, "{}", blocks.len());
    assert_eq!(blocks[42]["text"]["text"], "And 10 more.");
    let reason = "no route to <host>\n".repeat(1000);
    let failed = obstacle(Condition::CheckFailed, AlertKind::Firing, &reason);
    let mut long = Vec::new();
    let message = slack::message(&failed.compose());
    texts(&message, "text", &mut long);
    assert!(long.iter().all(|text| text.chars().count() <= 3000));
}

#[test]
fn teams_shows_the_same_as_a_card() {
    let high = breach(Side::High, AlertKind::Firing, 1843.2).compose();
    let message = teams::message(&high);
    assert_eq!(message["type"], "message");
    let body = &message["attachments"][0]["content"]["body"];
    assert_eq!(
        (&body[0]["text"], &body[0]["color"]),
        (
            &json!("[High] Sales 1,843 at 14:05 CET, usually 912 to 1,298"),
            &json!("Accent")
        )
    );
    assert_eq!(
        body[2]["facts"][0],
        json!({ "title": "Value", "value": "1,843 EUR" })
    );
    let low = breach(Side::Low, AlertKind::Firing, 12.5);
    let body = teams::message(&low.titled("[a](https://evil.example)").compose());
    let body = &body["attachments"][0]["content"]["body"];
    assert_eq!(body[0]["color"], "Warning");
    assert!(!body.to_string().contains("](https"), "{body}");
    // Of what a message may have, 28 kB.
    assert!(teams::message(&digest(60)).to_string().len() < 28_000);
}

#[test]
fn an_alertmanager_knows_an_alert_by_its_labels_and_holds_it_for_an_hour() {
    let labels = BTreeMap::from([
        ("severity".to_string(), "page".to_string()),
        ("team".to_string(), "shop".to_string()),
    ]);
    let high = breach(Side::High, AlertKind::Firing, 1843.2);
    let posted = posted_to_alertmanager(&high, &labels);
    assert_eq!(
        posted["labels"],
        json!({
            "alertname": "BandwatchIncident",
            "metric": "sales",
            "severity": "page",
            "side": "high",
            "team": "shop",
        })
    );
    assert_eq!(posted["startsAt"], "2026-11-22T13:05:00Z");
    assert_eq!(posted["endsAt"], "2026-11-22T14:11:00Z");
    let summary = "[High] Sales 1,843 at 14:05 CET, usually 912 to 1,298";
    assert_eq!(posted["annotations"]["summary"], summary);
    let description = posted["annotations"]["description"].as_str();
    let description = description.expect("a text");
    assert!(
        description.contains("unusually high: 1,843 EUR"),
        "{description}"
    );
    assert!(
        description.contains("\nValue: 1,843 EUR\n"),
        "{description}"
    );
    // Worse or not, it is the same.
    let worse = breach(Side::High, AlertKind::Escalated, 2843.2);
    let worse = posted_to_alertmanager(&worse, &labels);
    assert_eq!(
        (&worse["labels"], &worse["startsAt"]),
        (&posted["labels"], &posted["startsAt"])
    );
}

#[test]
fn an_alertmanager_is_told_when_it_ended_and_never_that_it_will() {
    let none = BTreeMap::new();
    let over = breach(Side::Low, AlertKind::Firing, 12.5).since("13:05");
    let over = posted_to_alertmanager(&over.over("14:00", 1100.0), &none);
    assert_eq!(over["startsAt"], "2026-11-22T12:05:00Z");
    assert_eq!(over["endsAt"], "2026-11-22T13:00:00Z");
    // The clock was set back since.
    let over = breach(Side::Low, AlertKind::Firing, 12.5).since("14:30");
    let over = posted_to_alertmanager(&over.over("14:40", 1100.0), &none);
    assert_eq!(over["startsAt"], "2026-11-22T13:10:59Z");
    assert_eq!(over["endsAt"], "2026-11-22T13:11:00Z");
    let mut turned = breach(Side::Low, AlertKind::Resolved, 12.5);
    turned.alert.end = Some(End::Turned);
    let turned = posted_to_alertmanager(&turned, &none);
    // With its last bucket outside, whenever it is posted.
    assert_eq!(turned["endsAt"], "2026-11-22T13:10:00Z");
    let summary = turned["annotations"]["summary"].as_str().expect("a text");
    assert!(summary.starts_with("[Still low] "), "{summary}");
    let failed = obstacle(Condition::CheckFailed, AlertKind::Firing, "refused");
    let failed = posted_to_alertmanager(&failed, &none);
    assert_eq!(
        failed["labels"],
        json!({ "alertname": "BandwatchCheckFailed", "metric": "sales", "severity": "warning" })
    );
}

#[test]
fn alerts_are_posted_below_the_address_of_the_server() {
    for address in [
        "https://am.example.com/am",
        "https://am.example.com/am/",
        "https://am.example.com/am/api/v2/alerts",
    ] {
        let endpoint = alertmanager::endpoint(address);
        assert_eq!(endpoint, "https://am.example.com/am/api/v2/alerts");
    }
}

#[test]
fn the_fields_of_a_webhook_are_those_that_are_documented() {
    let over = breach(Side::Low, AlertKind::Firing, 12.5).since("13:05");
    let over = over.over("14:00", 1100.0);
    let email = over.compose();
    let message = webhook::Message {
        id: "bandwatch.17",
        in_reply_to: Some("bandwatch.16"),
        created: letterhead().now,
        email: &email,
        alerts: vec![webhook::Alert::new(&over.notification(), &letterhead())],
    };
    let post = webhook::post(&message, None, at("14:12")).expect("a message");
    assert_eq!(
        post.headers,
        [
            ("webhook-id", "bandwatch.17".to_string()),
            ("webhook-timestamp", at("14:12").timestamp().to_string()),
        ]
    );
    let posted: Value = serde_json::from_str(&post.body).expect("JSON");
    let alert = &posted["alerts"][0];
    assert_eq!(
        (&alert["kind"], &alert["since"], &alert["until"]),
        (
            &json!("over"),
            &json!("2026-11-22T13:05:00+01:00"),
            &json!("2026-11-22T14:00:00+01:00")
        )
    );
    assert_eq!(alert["evaluation"]["value"], 1100.0);
    let fields = [&posted, alert].map(|object| object.as_object().expect("an object").keys());
    let fields: Vec<&str> = fields.into_iter().flatten().map(String::as_str).collect();
    let page = include_str!("../../../commands/README.md");
    let section = page.split("## Webhook").nth(1).expect("a section");
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    let cells = rows.filter_map(|row| row.split_once(" |"));
    let documented: Vec<String> = cells
        .flat_map(|(cell, _)| cell.split(", "))
        .map(|name| name.replace('`', ""))
        .collect();
    assert_eq!(documented, fields);
}
