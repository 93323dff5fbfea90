//! What a webhook of Teams' Workflows is posted: a message with an Adaptive Card
//! (<https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook>,
//! <https://adaptivecards.io/explorer/>). A card has colours by their names alone, and a picture in it would
//! need an address that Teams can read.

use serde_json::{Value, json};

use super::email::{Advice, Email, Entry, Fact, Tone};
use crate::output::shorten;

/// A message has 28 kB at most, and a letter may have three bytes.
const MOST_FACTS: usize = 20;
const MOST_ENTRIES: usize = 20;
const LONGEST_TEXT: usize = 2000;
const LONGEST_LINE: usize = 300;

pub fn message(email: &Email) -> Value {
    let words = email.words();
    let mut body = vec![
        json!({
            "type": "TextBlock",
            "text": plain(email.subject(), LONGEST_LINE),
            "color": colour(email.tone()),
            "size": "Medium",
            "weight": "Bolder",
            "wrap": true,
        }),
        text(&words.summary),
    ];
    let facts = words.facts.iter().take(MOST_FACTS);
    let facts: Vec<Value> = facts.map(fact).collect();
    if !facts.is_empty() {
        body.push(json!({ "type": "FactSet", "facts": facts }));
    }
    let advice = words.advice.iter().flat_map(Advice::lines);
    body.extend(advice.map(|line| text(line.trim_start())));
    body.extend(words.entries.iter().take(MOST_ENTRIES).map(entry));
    if let Some(rest @ 1..) = words.entries.len().checked_sub(MOST_ENTRIES) {
        body.push(text(&format!("And {rest} more.")));
    }
    body.extend(words.notes.iter().map(|note| {
        json!({
            "type": "TextBlock",
            "text": plain(note, LONGEST_TEXT),
            "isSubtle": true,
            "size": "Small",
            "wrap": true,
        })
    }));
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "msteams": { "width": "Full" },
                "body": body,
            },
        }],
    })
}

fn text(text: &str) -> Value {
    json!({ "type": "TextBlock", "text": plain(text, LONGEST_TEXT), "wrap": true })
}

fn fact(fact: &Fact) -> Value {
    json!({ "title": fact.name, "value": plain(&fact.value, LONGEST_LINE) })
}

fn entry(entry: &Entry) -> Value {
    let line = format!(
        "{}: {}, {}. {}",
        entry.title,
        entry.label,
        entry.head,
        entry.lines.join("; ")
    );
    json!({
        "type": "TextBlock",
        "text": plain(&line, LONGEST_LINE),
        "color": colour(entry.tone),
        "separator": true,
        "wrap": true,
    })
}

/// A card takes a part of Markdown; nothing that others wrote becomes a link.
fn plain(text: &str, most: usize) -> String {
    shorten(&text.replace("](", "] ("), most)
}

/// Blue, orange, green and grey, as far as cards have them.
fn colour(tone: Tone) -> &'static str {
    match tone {
        Tone::High => "Accent",
        Tone::Low => "Warning",
        Tone::Normal => "Good",
        Tone::Blind => "Default",
    }
}
