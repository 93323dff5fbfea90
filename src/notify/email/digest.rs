//! Several alerts in one mail, the worst first: a row for each, and the pictures of those that are
//! farthest out.

use std::cmp::Reverse;
use std::collections::HashSet;

use super::Letterhead;
use super::compose::Subject;
use super::message::{Email, Entry, Picture, Tone, Words};
use super::phrases::{title_case, tone};
use crate::chart::Pictures;
use crate::forecast::Side;
use crate::incident::Condition;
use crate::notify::{AlertKind, Notification};
use crate::output::shorten;

/// More would be a scroll without end, and a mail too large for some servers.
const MOST_PICTURES: usize = 5;
/// Readers cut a page off beyond 100 kB, and nobody reads on; the others are named.
const MOST_ROWS: usize = 50;
/// Names in a subject, and their characters.
const SUBJECT_NAMES: usize = 4;
const SUBJECT_NAME: usize = 24;
/// Names of those that have no row.
const REST_NAMES: usize = 200;

/// A notification, and its pictures where they were drawn.
type Pictured<'a> = (Notification<'a>, Option<&'a Pictures>);

/// Composes several notifications as one mail.
pub fn compose_digest(notifications: &[Pictured], letterhead: &Letterhead) -> Email {
    let mut sorted: Vec<&Pictured> = notifications.iter().collect();
    sorted.sort_by(|(one, _), (other, _)| {
        let by_deviation = || distance(other).total_cmp(&distance(one));
        urgency(one).cmp(&urgency(other)).then_with(by_deviation)
    });
    let pictures = pictures(&sorted);
    let sorted: Vec<Notification> = sorted.into_iter().map(|(one, _)| *one).collect();
    let digest = Digest { sorted, letterhead };
    let tone = digest.sorted.first().map_or(Tone::Normal, tone);
    Email::new(digest.words(), tone, pictures, letterhead)
}

/// What comes first.
fn urgency(notification: &Notification) -> u8 {
    match (notification.kind, notification.alert.condition) {
        (AlertKind::Resolved, Condition::Breach(_)) => 4,
        (AlertKind::Resolved, _) => 5,
        (_, Condition::Breach(_)) => 0,
        (_, Condition::CheckFailed) => 1,
        (_, Condition::NoData) => 2,
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
    notification.alert.side().is_some() && !is_over(notification)
}

fn is_over(notification: &Notification) -> bool {
    notification.kind == AlertKind::Resolved
}

fn title<'a>(notification: &Notification<'a>) -> &'a str {
    notification
        .metric
        .map_or("bandwatch", |metric| &metric.title)
}

/// The notifications of one mail, the worst first.
struct Digest<'a> {
    sorted: Vec<Notification<'a>>,
    letterhead: &'a Letterhead<'a>,
}

impl Digest<'_> {
    fn words(&self) -> Words {
        let counted = count(&self.sorted);
        let listed = self.list(&self.sorted, SUBJECT_NAMES);
        let entries = self.sorted.iter().take(MOST_ROWS);
        Words {
            // What is over says so in its count.
            subject: format!("[{counted}] {}", listed.trim_start_matches("over: ")),
            heading: title_case(&counted),
            summary: self.summary(),
            entries: entries.filter_map(|one| self.entry(one)).collect(),
            notes: self.notes(),
            ..Words::default()
        }
    }

    fn entry(&self, notification: &Notification) -> Option<Entry> {
        Some(match Subject::new(notification, self.letterhead)? {
            Subject::Incident(incident) => incident.entry(),
            Subject::Obstacle(obstacle) => obstacle.entry(),
        })
    }

    /// The word under which it stands in a list.
    fn word(&self, notification: &Notification) -> String {
        match Subject::new(notification, self.letterhead) {
            _ if is_over(notification) => "over".to_string(),
            Some(Subject::Incident(incident)) if incident.side == Side::High => "High".to_string(),
            Some(Subject::Incident(_)) => "Low".to_string(),
            Some(Subject::Obstacle(obstacle)) => obstacle.word(),
            None => "bandwatch".to_string(),
        }
    }

    /// Notifications by their word, in the order in which the words come first.
    fn groups<'a, 'b>(
        &self,
        notifications: &'b [Notification<'a>],
    ) -> Vec<(String, Vec<&'b Notification<'a>>)> {
        let mut groups: Vec<(String, Vec<&Notification>)> = Vec::new();
        for notification in notifications {
            let word = self.word(notification);
            match groups.iter_mut().find(|(other, _)| *other == word) {
                Some((_, members)) => members.push(notification),
                None => groups.push((word, vec![notification])),
            }
        }
        groups
    }

    /// "High: Sales, Orders; Low: Visits; no data: Stock and 3 more", with so many names at most: the
    /// first of each word before the second of any.
    fn list(&self, notifications: &[Notification], most: usize) -> String {
        let groups = self.groups(notifications);
        let mut shown = vec![0; groups.len()];
        for _ in 0..notifications.len().min(most) {
            let next = (0..groups.len())
                .filter(|index| shown[*index] < groups[*index].1.len())
                .min_by_key(|index| shown[*index].min(1));
            if let Some(index) = next {
                shown[index] += 1;
            }
        }
        let groups = groups.iter().zip(&shown).filter(|(_, shown)| **shown > 0);
        let listed = groups.map(|((word, members), shown)| {
            let titles = members.iter().take(*shown);
            let titles: Vec<String> = titles
                .map(|member| shorten(title(member), SUBJECT_NAME))
                .collect();
            format!("{word}: {}", titles.join(", "))
        });
        let listed = listed.collect::<Vec<_>>().join("; ");
        match notifications.len().saturating_sub(most) {
            0 => listed,
            more => format!("{listed} and {more} more"),
        }
    }

    /// "At 14:11 CET: 3 high, 1 low, 2 no data, 1 over."
    fn summary(&self) -> String {
        let groups = self.groups(&self.sorted);
        let counts: Vec<String> = groups
            .iter()
            .map(|(word, members)| format!("{} {}", members.len(), word.to_lowercase()))
            .collect();
        let time = self.letterhead.now.format("%H:%M %Z");
        let order = match self.sorted.iter().filter(|one| is_breach(one)).count() {
            0 | 1 => "",
            _ => " What is farthest out comes first.",
        };
        format!("At {time}: {}.{order}", counts.join(", "))
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.sorted.len() > MOST_ROWS {
            let rest = &self.sorted[MOST_ROWS..];
            let names = self.list(rest, REST_NAMES);
            notes.push(format!("And {} more. {names}.", rest.len()));
        }
        if self.sorted.iter().any(|one| tone(one) == Tone::Blind) {
            notes.push("Of a metric that has no data, or cannot be checked or judged, no rise or drop is noticed while that lasts, and no alert comes: no alert does not mean that all is well.".to_string());
        }
        notes
    }
}

/// "5 alerts, 2 over"
fn count(sorted: &[Notification]) -> String {
    let over = sorted.iter().filter(|one| is_over(one)).count();
    match (sorted.len() - over, over) {
        (0, over) => format!("{over} over"),
        (1, 0) => "1 alert".to_string(),
        (open, 0) => format!("{open} alerts"),
        (1, over) => format!("1 alert, {over} over"),
        (open, over) => format!("{open} alerts, {over} over"),
    }
}

/// The last 24 hours of those that are farthest out, each metric once.
fn pictures(sorted: &[&Pictured]) -> Vec<Picture> {
    let mut sorted = sorted.to_vec();
    sorted.sort_by_key(|(notification, _)| Reverse(is_breach(notification)));
    let mut seen = HashSet::new();
    sorted
        .iter()
        .filter_map(|(notification, pictures)| Some((notification.metric?, (*pictures)?)))
        .filter(|(metric, _)| seen.insert(&metric.name))
        .take(MOST_PICTURES)
        .enumerate()
        .map(|(index, (metric, pictures))| {
            // Two names may differ only in letters that a Content-ID cannot have.
            let name = format!("{}_{}_24h", index + 1, metric.file_name());
            let alternative = format!("{}, last 24 hours", metric.title);
            Picture::new(&metric.title, &name, &alternative, &pictures.day)
        })
        .collect()
}
