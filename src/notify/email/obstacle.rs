//! The words of what keeps a metric from being watched: no data, a check that fails, a history that says
//! too little. Whoever reads them must know that no alert does not mean that all is well.

use chrono::DateTime;
use chrono_tz::Tz;

use super::figures::{Extent, Figures};
use super::message::{Entry, Fact, Words};
use super::phrases::{acknowledged, title_case, tone};
use crate::config::Metric;
use crate::incident::Condition;
use crate::notify::{AlertKind, Notification};
use crate::output::{one_line, shorten};

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
const FROZEN: Terms = Terms {
    open: "Frozen",
    over: "Moving again",
    state: "has not changed",
    again: "changes",
    span: "Frozen",
    remedy: "see whether what writes the rows still reads fresh values, or repeats an old one.",
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
            Condition::Frozen => &FROZEN,
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
        let (label, title) = (self.label(), &self.metric.title);
        let begin = format!("[{label}] {title}");
        let words = if self.notification.is_resolved() {
            self.words_of_end(begin)
        } else {
            self.words_so_far(&begin)
        };
        Words {
            heading: format!("{}: {title}", title_case(&label)),
            ..words
        }
    }

    fn words_so_far(&self, begin: &str) -> Words {
        let (title, terms, extent) = (&self.metric.title, self.terms, self.extent());
        let (condition, so_far) = (self.notification.alert.condition, extent.so_far());
        let subject = match (condition, self.notification.kind) {
            (Condition::NoData, AlertKind::Firing) => {
                format!("{begin}: no data since {}", extent.since())
            }
            (Condition::NoData, _) => format!("{begin}: no data {so_far}"),
            (_, AlertKind::Firing) => self.with_reason(&format!("{begin}: ")),
            _ => self.with_reason(&format!("{begin} for {}: ", extent.length())),
        };
        let why = self.why.trim_end_matches('.');
        let because = match condition {
            Condition::NoData => ".".to_string(),
            // Advice ends with a question.
            _ if why.ends_with('?') => format!(": {why}"),
            _ => format!(": {why}."),
        };
        let mut facts = vec![
            Fact::new(&format!("{} since", terms.span), extent.since_in_full()),
            Fact::new("Why", self.why.clone()),
        ];
        facts.extend(self.newest().map(|newest| {
            let last = format!("{} at {}", newest.value(), newest.time());
            Fact::new("Seen last", last)
        }));
        let mut notes = vec![
            format!(
                "While this lasts, no rise or drop of {title} is noticed, and no alert of it comes: no alert does not mean that all is well."
            ),
            format!("What to do: {}", terms.remedy),
        ];
        notes.extend(acknowledged(self.notification, self.now));
        Words {
            subject,
            summary: format!("{title} {} {so_far}{because}", terms.state),
            facts,
            notes,
            ..Words::default()
        }
    }

    fn with_reason(&self, begin: &str) -> String {
        let room = SUBJECT.saturating_sub(begin.chars().count());
        format!("{begin}{}", shorten(&self.why, room.max(LEAST_REASON)))
    }

    fn words_of_end(&self, begin: String) -> Words {
        let (extent, condition) = (self.extent(), self.notification.alert.condition);
        let after = match condition {
            Condition::NoData => format!("after {} without", extent.length()),
            _ => format!("after {}", extent.length()),
        };
        let (title, again, span) = (&self.metric.title, self.terms.again, extent.span());
        let mut facts = vec![
            Fact::new(self.terms.span, extent.in_full()),
            Fact::new("It was", self.why.clone()),
        ];
        facts.extend(self.newest().into_iter().flat_map(|newest| newest.facts()));
        Words {
            subject: match condition {
                Condition::Undecided => begin,
                _ => format!("{begin}: {after}"),
            },
            summary: format!("{title} {again} again, {after} (from {span})."),
            facts,
            notes: vec![
                "In between nothing was watched: whatever happened then was not noticed.".into(),
            ],
            ..Words::default()
        }
    }

    pub fn entry(&self) -> Entry {
        let extent = self.extent();
        let mut entry = Entry {
            title: self.metric.title.clone(),
            word: self.word(),
            label: self.label(),
            tone: tone(self.notification),
            value: format!("for {}", extent.length()),
            when: format!("since {}", extent.since()),
            lines: vec![shorten(&self.why, ENTRY_REASON)],
        };
        if self.notification.is_resolved() {
            entry.word = "over".to_string();
            entry.value = format!("after {}", extent.length());
            entry.when = extent.span();
            entry.lines.clear();
        }
        entry
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

    /// What is known of the metric now.
    fn newest(&self) -> Option<Figures<'a>> {
        Figures::new(self.metric, self.notification.newest?, self.now)
    }

    fn extent(&self) -> Extent {
        Extent::new(self.notification.alert, self.now.to_utc(), self.now)
    }
}
