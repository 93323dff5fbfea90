//! Several matters in one mail, the worst first: a row for each, and the pictures of those that are
//! farthest out.

use std::cmp::Reverse;
use std::collections::HashSet;

use super::{Announcement, Topic};
use crate::incident::{Matter, Side, Stage};
use crate::notify::email::picture::Picture;
use crate::notify::email::tone::Tone;
use crate::notify::email::words::{Entry, Words, title_case};
use crate::notify::email::writing::Writing;
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

/// Writes several notices as one mail.
pub fn digest(announcements: &[Announcement]) -> Writing {
    let mut sorted: Vec<&Announcement> = announcements.iter().collect();
    sorted.sort_by(|one, other| {
        let (one, other) = (Weight::of(one), Weight::of(other));
        one.urgency
            .cmp(&other.urgency)
            .then(other.deviation.total_cmp(&one.deviation))
    });
    let counted = count(&sorted);
    let listed = list(&sorted, SUBJECT_NAMES);
    let words = Words {
        // What is over says so in its count.
        subject: format!("[{counted}] {}", listed.trim_start_matches("over: ")),
        heading: title_case(&counted),
        summary: summary(&sorted),
        entries: sorted
            .iter()
            .take(MOST_ROWS)
            .map(|announcement| entry(announcement))
            .collect(),
        notes: notes(&sorted),
        ..Words::default()
    };
    let tone = sorted
        .first()
        .map_or(Tone::Normal, |announcement| announcement.tone());
    let contact = sorted.iter().find_map(|announcement| announcement.contact);
    Writing::new(words, tone, pictures(&sorted), contact)
}

/// What comes first.
struct Weight {
    urgency: u8,
    /// In half-widths of the band. A band without width is infinitely far away.
    deviation: f64,
}

impl Weight {
    fn of(announcement: &Announcement) -> Self {
        let (urgency, deviation) = match (announcement.notice.stage, &announcement.notice.matter) {
            (Stage::Over { .. }, Matter::Breach { .. }) => (4, 0.0),
            (Stage::Over { .. }, _) => (5, 0.0),
            (_, Matter::Breach { finding, .. }) => {
                (0, finding.deviation.map_or(f64::INFINITY, f64::abs))
            }
            (_, Matter::Unwell { .. }) => (1, 0.0),
            (_, Matter::NoData { .. }) => (2, 0.0),
            (_, Matter::Undecided { .. }) => (3, 0.0),
        };
        Self { urgency, deviation }
    }
}

fn entry(announcement: &Announcement) -> Entry {
    match Topic::of(announcement) {
        Topic::Breach(breach) => breach.entry(),
        Topic::Lack(lack) => lack.entry(),
    }
}

/// The word under which it stands in a list.
fn word(announcement: &Announcement) -> String {
    match Topic::of(announcement) {
        _ if is_over(announcement) => "over".to_string(),
        Topic::Breach(breach) if breach.is_of(Side::High) => "High".to_string(),
        Topic::Breach(_) => "Low".to_string(),
        Topic::Lack(lack) => lack.word(),
    }
}

fn is_over(announcement: &Announcement) -> bool {
    matches!(announcement.notice.stage, Stage::Over { .. })
}

/// "5 alerts, 2 over"
fn count(sorted: &[&Announcement]) -> String {
    let over = sorted.iter().filter(|one| is_over(one)).count();
    match (sorted.len() - over, over) {
        (0, over) => format!("{over} over"),
        (1, 0) => "1 alert".to_string(),
        (open, 0) => format!("{open} alerts"),
        (1, over) => format!("1 alert, {over} over"),
        (open, over) => format!("{open} alerts, {over} over"),
    }
}

/// Announcements by their word, in the order in which the words come first.
fn groups<'a>(sorted: &[&'a Announcement<'a>]) -> Vec<(String, Vec<&'a Announcement<'a>>)> {
    let mut groups: Vec<(String, Vec<&Announcement>)> = Vec::new();
    for announcement in sorted {
        let word = word(announcement);
        match groups.iter_mut().find(|(other, _)| *other == word) {
            Some((_, members)) => members.push(announcement),
            None => groups.push((word, vec![announcement])),
        }
    }
    groups
}

/// "High: Sales, Orders; Low: Visits; no data: Stock and 3 more", with so many names at most: the
/// first of each word before the second of any.
fn list(sorted: &[&Announcement], most: usize) -> String {
    let groups = groups(sorted);
    let mut shown = vec![0; groups.len()];
    for _ in 0..sorted.len().min(most) {
        let next = (0..groups.len())
            .filter(|index| shown[*index] < groups[*index].1.len())
            .min_by_key(|index| shown[*index].min(1));
        if let Some(index) = next {
            shown[index] += 1;
        }
    }
    let told: Vec<String> = groups
        .iter()
        .zip(&shown)
        .filter(|(_, shown)| **shown > 0)
        .map(|((word, members), shown)| {
            let names: Vec<String> = members
                .iter()
                .take(*shown)
                .map(|member| shorten(&member.metric.title, SUBJECT_NAME))
                .collect();
            format!("{word}: {}", names.join(", "))
        })
        .collect();
    let told = told.join("; ");
    match sorted.len().saturating_sub(most) {
        0 => told,
        more => format!("{told} and {more} more"),
    }
}

/// "At 14:11 CET: 3 high, 1 low, 2 no data, 1 over."
fn summary(sorted: &[&Announcement]) -> String {
    let groups = groups(sorted);
    let counts: Vec<String> = groups
        .iter()
        .map(|(word, members)| format!("{} {}", members.len(), word.to_lowercase()))
        .collect();
    let time = sorted.first().map_or(String::new(), |announcement| {
        format!("At {}: ", announcement.now.format("%H:%M %Z"))
    });
    let order = match sorted.iter().filter(|one| is_breach(one)).count() {
        0 | 1 => "",
        _ => " What is farthest out comes first.",
    };
    format!("{time}{}.{order}", counts.join(", "))
}

fn notes(sorted: &[&Announcement]) -> Vec<String> {
    let mut notes = Vec::new();
    if sorted.len() > MOST_ROWS {
        let rest = &sorted[MOST_ROWS..];
        notes.push(format!(
            "And {} more. {}.",
            rest.len(),
            list(rest, REST_NAMES)
        ));
    }
    let is_blind = |announcement: &&&Announcement| announcement.tone() == Tone::Blind;
    let blind = sorted.iter().filter(is_blind).count();
    if blind > 0 {
        notes.push("Of a metric that has no data, or cannot be checked or judged, no rise or drop is noticed while that lasts, and no alert comes: hearing nothing of it is no good sign.".to_string());
    }
    notes
}

/// The last 24 hours of those that are farthest out, each metric once.
fn pictures(sorted: &[&Announcement]) -> Vec<Picture> {
    let mut sorted = sorted.to_vec();
    sorted.sort_by_key(|announcement| Reverse(is_breach(announcement)));
    let mut seen = HashSet::new();
    sorted
        .iter()
        .filter_map(|announcement| Some((announcement.metric, announcement.pictures?)))
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

fn is_breach(announcement: &Announcement) -> bool {
    matches!(announcement.notice.matter, Matter::Breach { .. }) && !is_over(announcement)
}

#[cfg(test)]
mod tests;
