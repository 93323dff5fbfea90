//! The words of what keeps a metric from being watched: no data, a check that fails, a history that says
//! too little. Whoever reads them must know that no alert does not mean that all is well.

use chrono::DateTime;
use chrono_tz::Tz;

use super::figures::{Extent, Figures};
use super::message::{Entry, Fact, Words};
use super::phrases::{title_case, tone};
use crate::config::Metric;
use crate::incident::Condition;
use crate::notify::{AlertKind, Notification};
use crate::output::{one_line, shorten};

/// An obstacle as it is told.
pub struct Obstacle<'a> {
    metric: &'a Metric,
    notification: &'a Notification<'a>,
    /// On one line.
    why: String,
    terms: &'static Terms,
    now: DateTime<Tz>,
}

/// What an obstacle is called, and what can be done about it.
struct Terms {
    open: &'static str,
    over: &'static str,
    /// As in "Sales has had no data since".
    state: &'static str,
    /// As in "Sales has data again".
    again: &'static str,
    /// The row that says how long, or since when.
    span: &'static str,
    remedy: &'static str,
}

const NO_DATA: Terms = Terms {
    open: "No data",
    over: "Data again",
    state: "has had no data",
    again: "has data",
    span: "No data",
    remedy: "see whether what writes the rows still runs, and whether the table and its time column are those that the configuration names.",
};
const CHECK_FAILED: Terms = Terms {
    open: "Cannot check",
    over: "Checked again",
    state: "could not be checked",
    again: "is checked",
    span: "Not checked",
    remedy: "fix the cause above; every run tries again.",
};
const UNDECIDED: Terms = Terms {
    open: "Cannot judge",
    over: "Judged again",
    state: "could not be judged",
    again: "is judged",
    span: "Not judged",
    remedy: "a history that is too short grows by itself; otherwise fix the cause above.",
};

/// A subject is cut off beyond about this many characters by those who show it.
const SUBJECT: usize = 110;
/// But a reason keeps at least these.
const LEAST_REASON: usize = 40;
/// A reason in a digest is no longer than this.
const ENTRY_REASON: usize = 240;

impl<'a> Obstacle<'a> {
    /// `None` for other conditions.
    pub fn new(
        metric: &'a Metric,
        notification: &'a Notification,
        now: DateTime<Tz>,
    ) -> Option<Self> {
        let terms = match notification.alert.condition {
            Condition::NoData => &NO_DATA,
            Condition::CheckFailed => &CHECK_FAILED,
            Condition::Undecided => &UNDECIDED,
            _ => return None,
        };
        Some(Self {
            metric,
            notification,
            why: one_line(&notification.alert.reason),
            terms,
            now,
        })
    }

    pub fn words(&self) -> Words {
        Words {
            subject: self.subject(),
            heading: format!("{}: {}", title_case(&self.label()), self.metric.title),
            summary: self.summary(),
            facts: self.facts(),
            notes: self.notes(),
            ..Words::default()
        }
    }

    /// Its row in a digest.
    pub fn entry(&self) -> Entry {
        let extent = self.extent();
        let row = Entry {
            title: self.metric.title.clone(),
            word: self.word(),
            label: self.label(),
            tone: tone(self.notification),
            value: format!("for {}", extent.length()),
            when: format!("since {}", extent.since()),
            lines: vec![shorten(&self.why, ENTRY_REASON)],
        };
        if !self.notification.is_resolved() {
            return row;
        }
        Entry {
            word: "over".to_string(),
            value: format!("after {}", extent.length()),
            when: extent.span(),
            lines: Vec::new(),
            ..row
        }
    }

    /// What it is called in a list, while it lasts.
    fn word(&self) -> String {
        self.terms.open.to_lowercase()
    }

    fn label(&self) -> String {
        match self.notification.kind {
            AlertKind::Firing => self.terms.open.to_string(),
            AlertKind::Repeat | AlertKind::Escalated => format!("Still {}", self.word()),
            AlertKind::Resolved => self.terms.over.to_string(),
        }
    }

    fn subject(&self) -> String {
        let (length, is_resolved) = (self.extent().length(), self.notification.is_resolved());
        let begin = format!("[{}] {}", self.label(), self.metric.title);
        let lasts = self.notification.kind != AlertKind::Firing;
        match self.notification.alert.condition {
            Condition::NoData if is_resolved => format!("{begin}: after {length} without"),
            Condition::NoData if lasts => format!("{begin}: no data {}", self.extent().so_far()),
            Condition::NoData => format!("{begin}: no data since {}", self.extent().since()),
            Condition::CheckFailed if is_resolved => format!("{begin}: after {length}"),
            _ if is_resolved => begin,
            _ if lasts => self.with_reason(&format!("{begin} for {length}: ")),
            _ => self.with_reason(&format!("{begin}: ")),
        }
    }

    fn with_reason(&self, begin: &str) -> String {
        let room = SUBJECT.saturating_sub(begin.chars().count());
        let reason = shorten(&self.why, room.max(LEAST_REASON));
        format!("{begin}{reason}")
    }

    fn summary(&self) -> String {
        let (title, extent) = (&self.metric.title, self.extent());
        if !self.notification.is_resolved() {
            let state = format!("{title} {} {}", self.terms.state, extent.so_far());
            if self.notification.alert.condition == Condition::NoData {
                return format!("{state}.");
            }
            let why = self.why.trim_end_matches('.');
            // Advice ends with a question.
            let end = if why.ends_with('?') { "" } else { "." };
            return format!("{state}: {why}{end}");
        }
        let (again, length, span) = (self.terms.again, extent.length(), extent.span());
        let without = match self.notification.alert.condition {
            Condition::NoData => " without",
            _ => "",
        };
        format!("{title} {again} again, after {length}{without} (from {span}).")
    }

    fn facts(&self) -> Vec<Fact> {
        let extent = self.extent();
        let newest = self.notification.newest;
        let newest = newest.and_then(|newest| Figures::new(self.metric, newest, self.now));
        let span = self.terms.span;
        if self.notification.is_resolved() {
            let mut facts = vec![
                Fact::new(span, extent.in_full()),
                Fact::new("It was", self.why.clone()),
            ];
            facts.extend(newest.into_iter().flat_map(|newest| newest.facts()));
            return facts;
        }
        let mut facts = vec![
            Fact::new(&format!("{span} since"), extent.since_in_full()),
            Fact::new("Why", self.why.clone()),
        ];
        facts.extend(newest.map(|newest| {
            let last = format!("{} at {}", newest.value(), newest.time());
            Fact::new("Seen last", last)
        }));
        facts
    }

    fn notes(&self) -> Vec<String> {
        if self.notification.is_resolved() {
            return vec![
                "In between nothing was watched: whatever happened then was not noticed."
                    .to_string(),
            ];
        }
        vec![
            format!(
                "While this lasts, no rise or drop of {} is noticed, and no alert of it comes: no alert does not mean that all is well.",
                self.metric.title
            ),
            format!("What to do: {}", self.terms.remedy),
        ]
    }

    fn extent(&self) -> Extent {
        Extent::new(self.notification.alert, self.now.to_utc(), self.now)
    }
}
