//! Words and colours that several kinds of mails share.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::message::Tone;
use crate::config::Metric;
use crate::detect::Evaluation;
use crate::forecast::Side;
use crate::incident::{Author, Condition};
use crate::notify::{AlertKind, Notification};
use crate::output::{isolate, write_time};

pub fn tone(notification: &Notification) -> Tone {
    match (notification.kind, notification.alert.condition) {
        (AlertKind::Resolved, _) => Tone::Normal,
        (_, Condition::Breach(Side::High)) => Tone::High,
        (_, Condition::Breach(Side::Low)) => Tone::Low,
        _ => Tone::Blind,
    }
}

/// "High Sales Volume": a word, and what it is about.
pub fn heading(word: &str, metric: &Metric) -> String {
    let (title, measure) = (isolate(&metric.title), &metric.measure);
    let last = metric.title.split_whitespace().next_back();
    if measure.is_empty() || last.is_some_and(|last| last.eq_ignore_ascii_case(measure)) {
        format!("{word} {title}")
    } else {
        format!("{word} {title} {}", isolate(measure))
    }
}

/// What the figures alone would not tell; not of a side that is told to be low or high all the same.
pub fn notes(metric: &Metric, evaluation: &Evaluation, told: Option<Side>) -> Vec<String> {
    let mut notes = Vec::new();
    let range = metric.method.range;
    if evaluation.low_possible == Some(false) && told != Some(Side::Low) {
        notes.push(match range.min() {
            Some(min) if min != 0.0 => format!("The band reaches down to {min}, the least value there can be, so at this hour no drop would show as Low."),
            _ => "The band reaches down to zero, so at this hour even a drop to nothing would not show as Low.".to_string(),
        });
    }
    if evaluation.high_possible == Some(false)
        && told != Some(Side::High)
        && let Some(max) = range.max()
    {
        notes.push(format!("The band reaches up to {max}, the greatest value there can be, so at this hour no rise would show as High."));
    }
    notes
}

/// Whether an alert is acknowledged, and that keeps repeats back: those that come all the same are told
/// since it became worse.
pub fn stands_acknowledged(notification: &Notification, now: DateTime<Utc>) -> bool {
    let acknowledged = notification.alert.acknowledged.as_ref();
    acknowledged.is_some_and(|answer| answer.holds(now)) && notification.kind == AlertKind::Firing
}

/// Who knows of an alert that lasts: "Acknowledged by anna on web1 at 14:05 CET, because: the truck is late."
pub fn acknowledged(notification: &Notification, now: DateTime<Tz>) -> Option<String> {
    let answer = notification.alert.acknowledged.as_ref()?;
    if notification.is_resolved() || !answer.holds(now.to_utc()) {
        return None;
    }
    let Author { user, host } = &answer.by;
    let at = write_time(answer.at.with_timezone(&now.timezone()), now);
    let because = answer.because.as_ref();
    let because = because.map_or(String::new(), |text| format!(", because: {text}"));
    let before = if stands_acknowledged(notification, now.to_utc()) {
        ""
    } else {
        " That was before it got worse."
    };
    Some(format!(
        "Acknowledged by {user} on {host} at {at}{because}.{before}"
    ))
}

/// "No data" to "No Data", for a heading.
pub fn title_case(words: &str) -> String {
    let capitalised = |word: &str| {
        let mut letters = word.chars();
        let first = letters.next().map(char::to_uppercase);
        let first = first.into_iter().flatten();
        first.chain(letters).collect::<String>()
    };
    let words: Vec<String> = words.split(' ').map(capitalised).collect();
    words.join(" ")
}
