//! What an incoming webhook of Slack is posted (<https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>):
//! the subject, and beside a bar in the colour of the alert the sentence, the figures and the notes, in
//! blocks. A picture would need a token to upload it, or an address that Slack can read.

use serde_json::{Value, json};

use super::email::{Email, Entry, Fact};
use crate::output::shorten;

/// What Slack takes: <https://docs.slack.dev/reference/block-kit/blocks>.
const MOST_FIELDS: usize = 10;
const MOST_ELEMENTS: usize = 10;
/// So many of the alerts of a digest, of 50 blocks in all.
const MOST_ENTRIES: usize = 40;
const LONGEST_TEXT: usize = 2900;
/// A letter may become five.
const LONGEST_FIELD: usize = 380;

pub fn message(email: &Email) -> Value {
    let words = email.words();
    let mut blocks = vec![section(&plain(&words.summary))];
    let facts: Vec<Value> = words.facts.iter().map(field).collect();
    for fields in facts.chunks(MOST_FIELDS) {
        blocks.push(json!({ "type": "section", "fields": fields }));
    }
    let advice = words.advice.iter();
    blocks.extend(advice.map(|advice| section(&plain(&advice.lines().join("\n")))));
    let entries = words.entries.iter().take(MOST_ENTRIES);
    blocks.extend(entries.map(|entry| section(&marked(&self::entry(entry)))));
    if let Some(rest @ 1..) = words.entries.len().checked_sub(MOST_ENTRIES) {
        blocks.push(section(&plain(&format!("And {rest} more."))));
    }
    let notes: Vec<Value> = words.notes.iter().map(|note| plain(note)).collect();
    let notes = &notes[..notes.len().min(MOST_ELEMENTS)];
    if !notes.is_empty() {
        blocks.push(json!({ "type": "context", "elements": notes }));
    }
    json!({
        "text": escape(email.subject()),
        "mrkdwn": false,
        "attachments": [{ "color": email.tone().colour(), "blocks": blocks }],
    })
}

fn section(text: &Value) -> Value {
    json!({ "type": "section", "text": text })
}

fn field(fact: &Fact) -> Value {
    let value = escape(&shorten(&fact.value, LONGEST_FIELD));
    marked(&format!("*{}*\n{value}", escape(&fact.name)))
}

fn entry(entry: &Entry) -> String {
    let head = format!("*{}: {}*", escape(&entry.title), escape(&entry.label));
    let lines = std::iter::once(&entry.head).chain(&entry.lines);
    let lines: Vec<String> = lines.map(|line| escape(line)).collect();
    shorten(&format!("{head}\n{}", lines.join("\n")), LONGEST_TEXT)
}

fn plain(text: &str) -> Value {
    json!({ "type": "plain_text", "text": shorten(text, LONGEST_TEXT), "emoji": false })
}

fn marked(text: &str) -> Value {
    json!({ "type": "mrkdwn", "text": text, "verbatim": true })
}

/// The three letters that could begin something else than text
/// (<https://docs.slack.dev/messaging/formatting-message-text#escaping>).
fn escape(text: &str) -> String {
    let text = text.replace('&', "&amp;");
    text.replace('<', "&lt;").replace('>', "&gt;")
}
