//! Several alerts in one mail, the worst first: a row for each, and the pictures of those that are
//! farthest out.

use std::cmp::Reverse;
use std::collections::HashSet;

use chrono::DateTime;
use chrono_tz::Tz;

use super::Letterhead;
use super::advice::advice_on_many;
use super::compose::tell;
use super::figures::title;
use super::message::{Email, Entry, Picture, Tone, Words};
use super::obstacle::capitalised;
use crate::chart::Plot;
use crate::config::Metric;
use crate::incident::Condition;
use crate::notify::{AlertKind, Notification};
use crate::output::shorten;

/// More would be a scroll without end, and a mail too large for some servers.
pub const MOST_PICTURES: usize = 5;
/// Readers cut a page off beyond 100 kB, and nobody reads on; the others are named.
const MOST_ROWS: usize = 50;
/// Names in a subject, and their characters.
const SUBJECT_NAMES: usize = 4;
const SUBJECT_NAME: usize = 24;
/// Names of those that have no row.
const REST_NAMES: usize = 200;

const TO_DO: &str = "Look for one common cause first, such as an import, a release or the network.";
const NOTHING_TO_DO: &str = "Nothing: they are over.";

/// A notification, and its row.
type Told<'a> = (&'a Notification<'a>, Entry);

/// Composes several notifications of metrics as one mail, with the pictures that were drawn.
pub fn compose_digest<'p>(
    notifications: &[Notification],
    drawn: impl Fn(&Metric) -> &'p [Plot],
    letterhead: &Letterhead,
) -> Email {
    let told = notifications
        .iter()
        .filter_map(|one| Some((one, tell(one, letterhead)?.1)));
    let mut told: Vec<Told> = told.collect();
    told.sort_by(|(one, _), (other, _)| {
        let by_deviation = || distance(other).total_cmp(&distance(one));
        urgency(one).cmp(&urgency(other)).then_with(by_deviation)
    });
    let tone = told.first().map_or(Tone::Normal, |(_, worst)| worst.tone);
    let pictures = pictures(&told, drawn);
    Email::new(words(told, letterhead), tone, pictures, letterhead)
}

fn urgency(notification: &Notification) -> u8 {
    match (notification.kind, notification.alert.condition) {
        (AlertKind::Resolved, Condition::Breach(_)) => 4,
        (AlertKind::Resolved, _) => 5,
        (_, Condition::Breach(_)) => 0,
        (_, Condition::CheckFailed) => 1,
        (_, Condition::NoData | Condition::Frozen) => 2,
        (_, _) => 3,
    }
}

/// In half-widths of the band. A band without width is infinitely far away.
fn distance(notification: &Notification) -> f64 {
    if is_breach(notification) {
        let deviation = notification.alert.deviation();
        deviation.map_or(f64::INFINITY, f64::abs)
    } else {
        0.0
    }
}

fn is_breach(notification: &Notification) -> bool {
    notification.alert.side().is_some() && !notification.is_resolved()
}

fn words(told: Vec<Told>, letterhead: &Letterhead) -> Words {
    let (counted, listed) = (count(&told), list(&told, SUBJECT_NAMES));
    let is_over = told.iter().all(|(one, _)| one.is_resolved());
    let to_do = if is_over { NOTHING_TO_DO } else { TO_DO };
    Words {
        // What is over says so in its count.
        subject: format!("[{counted}] {}", listed.trim_start_matches("over: ")),
        heading: capitalised(&listed),
        summary: summary(&told, letterhead.now),
        advice: Some(advice_on_many(to_do, letterhead)),
        notes: notes(&told),
        entries: told
            .into_iter()
            .map(|(_, entry)| entry)
            .take(MOST_ROWS)
            .collect(),
        ..Words::default()
    }
}

/// "5 alerts, 2 over"
fn count(told: &[Told]) -> String {
    let over = told.iter().filter(|(one, _)| one.is_resolved()).count();
    match (told.len() - over, over) {
        (0, over) => format!("{over} over"),
        (1, 0) => "1 alert".to_string(),
        (open, 0) => format!("{open} alerts"),
        (1, over) => format!("1 alert, {over} over"),
        (open, over) => format!("{open} alerts, {over} over"),
    }
}

/// Titles by the word of their rows, in the order in which the words come first.
fn groups<'a>(told: &'a [Told]) -> Vec<(&'a str, Vec<&'a str>)> {
    let mut groups: Vec<(&str, Vec<&str>)> = Vec::new();
    for (_, entry) in told {
        match groups.iter_mut().find(|(word, _)| *word == entry.word) {
            Some((_, titles)) => titles.push(&entry.title),
            None => groups.push((&entry.word, vec![&entry.title])),
        }
    }
    groups
}

/// "High: Sales, Orders; Low: Visits; no data: Stock and 3 more", with so many names at most: the first
/// of each word before the second of any.
fn list(told: &[Told], most: usize) -> String {
    let groups = groups(told);
    let mut left = most.saturating_sub(groups.len());
    let listed = groups.iter().take(most).map(|(word, titles)| {
        let more = left.min(titles.len() - 1);
        left -= more;
        let shown = titles.iter().take(1 + more);
        let shown: Vec<String> = shown.map(|title| shorten(title, SUBJECT_NAME)).collect();
        format!("{word}: {}", shown.join(", "))
    });
    let listed = listed.collect::<Vec<_>>().join("; ");
    match told.len().saturating_sub(most) {
        0 => listed,
        more => format!("{listed} and {more} more"),
    }
}

/// "At 14:11 CET: 3 high, 1 low, 2 no data, 1 over."
fn summary(told: &[Told], now: DateTime<Tz>) -> String {
    let groups = groups(told);
    let counts: Vec<String> = groups
        .iter()
        .map(|(word, titles)| format!("{} {}", titles.len(), word.to_lowercase()))
        .collect();
    let (time, counts) = (now.format("%H:%M %Z"), counts.join(", "));
    format!("At {time}: {counts}.")
}

fn notes(told: &[Told]) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(rest @ [_, ..]) = told.get(MOST_ROWS..) {
        let names = list(rest, REST_NAMES);
        notes.push(format!("And {} more. {names}.", rest.len()));
    }
    if told.iter().any(|(_, entry)| entry.tone == Tone::Blind) {
        notes.push("Of a metric that has no data, or cannot be checked or judged, no rise or drop is noticed while that lasts, and no alert comes: no alert does not mean that all is well.".to_string());
    }
    notes
}

/// The shorter period of those that are farthest out, each metric once. What is over needs none.
fn pictures<'p>(told: &[Told], drawn: impl Fn(&Metric) -> &'p [Plot]) -> Vec<Picture> {
    let open = told.iter().filter(|(one, _)| !one.is_resolved());
    let mut farthest: Vec<&(&Notification, Entry)> = open.collect();
    farthest.sort_by_key(|(one, _)| Reverse(is_breach(one)));
    let mut seen = HashSet::new();
    farthest
        .into_iter()
        .filter_map(|(one, entry)| Some((one.metric?, drawn(one.metric?).first()?, entry)))
        .filter(|(metric, ..)| seen.insert(&metric.name))
        .take(MOST_PICTURES)
        .enumerate()
        .map(|(index, (metric, plot, entry))| {
            // Two names may differ only in letters that a Content-ID cannot have.
            let mark = plot.period.mark();
            let name = format!("{}_{}_{mark}", index + 1, metric.file_name());
            let (title, period) = (title(metric), plot.period.name());
            let lines = entry.lines.join("; ");
            let alternative = format!("{title}, last {period}: {}; {lines}", entry.head);
            let caption = format!("{title}, last {period}");
            Picture::new(&caption, &name, &alternative, &plot.png)
        })
        .collect()
}
