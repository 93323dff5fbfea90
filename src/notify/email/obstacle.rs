//! The words of what keeps a metric from being watched: no data, a check that fails, a history that says
//! too little. Whoever reads them must know that no alert does not mean that all is well.

use chrono::DateTime;
use chrono_tz::Tz;

use super::Letterhead;
use super::advice::advice;
use super::figures::{Extent, Figures, history, title};
use super::message::{Entry, Fact, Words};
use super::phrases::{acknowledged, title_case, tone};
use crate::config::Metric;
use crate::incident::Condition;
use crate::notify::{AlertKind, Notification};
use crate::output::{isolate, one_line, shorten};

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
    /// What must come before rises and drops are noticed again.
    until: &'static str,
    /// The row that says how long, or since when.
    span: &'static str,
    remedy: &'static str,
}

const NO_DATA: Terms = Terms {
    open: "No data",
    over: "Data again",
    state: "has had no data",
    again: "has data",
    until: "data comes again",
    span: "No data",
    remedy: "Check that what is measured still works, and then the job that delivers its data.",
};
const FROZEN: Terms = Terms {
    open: "Frozen",
    over: "Moving again",
    state: "has not changed",
    again: "changes",
    until: "it changes again",
    span: "Frozen",
    remedy: "Check whether the job that writes the rows still reads fresh values, or repeats an old one.",
};
const CHECK_FAILED: Terms = Terms {
    open: "Cannot check",
    over: "Checked again",
    state: "could not be checked",
    again: "is checked",
    until: "it can be checked again",
    span: "Not checked",
    remedy: "Fix the cause above; every run tries again.",
};
const UNDECIDED: Terms = Terms {
    open: "Cannot judge",
    over: "Judged again",
    state: "could not be judged",
    again: "is judged",
    until: "it can be judged again",
    span: "Not judged",
    remedy: "A history that is too short grows by itself; otherwise fix the cause above.",
};

/// Of rows that come, but not to where they are looked for.
const ELSEWHERE: &str = "If its rows do come in, compare table and time_column in the configuration with where they are.";
const NOTHING_TO_DO: &str = "Nothing, unless something happened in between.";
/// A subject is cut off beyond about this many characters by those who show it.
const SUBJECT: usize = 110;
/// But a reason keeps at least these.
const LEAST_REASON: usize = 40;
/// A reason in a digest is no longer than this.
const ENTRY_REASON: usize = 240;

pub fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}

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
            why: isolate(&one_line(&notification.alert.reason)),
            terms,
            now,
        })
    }

    pub fn words(&self, letterhead: &Letterhead) -> Words {
        let (label, title) = (self.label(), title(self.metric));
        let begin = format!("[{label}] {title}");
        let words = if self.notification.is_resolved() {
            self.words_of_end(begin, letterhead)
        } else {
            self.words_so_far(&begin, letterhead)
        };
        Words {
            heading: format!("{}: {title}", title_case(&label)),
            ..words
        }
    }

    fn words_so_far(&self, begin: &str, letterhead: &Letterhead) -> Words {
        let (title, terms, extent) = (title(self.metric), self.terms, self.extent());
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
        // Advice ends with a question.
        let end = if why.ends_with('?') { "" } else { "." };
        let state = format!("{title} {} {so_far}", terms.state);
        let summary = match condition {
            Condition::NoData => format!("{state}.{}", self.last()),
            // The cause is what somebody can do something about.
            Condition::CheckFailed => format!("{}{end} {state}.", capitalised(why)),
            _ => format!("{state}: {why}{end}"),
        };
        let summary = format!(
            "{summary} Until {}, no alert can come for a rise or a drop.",
            terms.until
        );
        let mut facts = vec![
            Fact::new("Why", self.why.clone()),
            Fact::new(&format!("{} since", terms.span), extent.since_in_full()),
        ];
        facts.extend(
            self.seen_last()
                .map(|seen_last| Fact::new("Seen last", seen_last)),
        );
        let mut notes: Vec<String> = acknowledged(self.notification, self.now)
            .into_iter()
            .collect();
        if condition == Condition::NoData {
            notes.push(ELSEWHERE.to_string());
        }
        Words {
            subject,
            summary,
            advice: Some(advice(
                self.metric,
                self.notification,
                terms.remedy,
                letterhead,
            )),
            facts,
            notes,
            ..Words::default()
        }
    }

    /// What came last, and what it may mean that nothing came since.
    fn last(&self) -> String {
        let last = self.seen_last();
        let last = last.map(|seen_last| format!(" The last value was {seen_last}."));
        let last = last.unwrap_or_default();
        format!(
            "{last} Either {} has stopped, or only its data is missing.",
            title(self.metric)
        )
    }

    fn with_reason(&self, begin: &str) -> String {
        let room = SUBJECT.saturating_sub(begin.chars().count());
        format!("{begin}{}", shorten(&self.why, room.max(LEAST_REASON)))
    }

    fn words_of_end(&self, begin: String, letterhead: &Letterhead) -> Words {
        let (extent, condition) = (self.extent(), self.notification.alert.condition);
        let after = match condition {
            Condition::NoData => format!("after {} without", extent.length()),
            _ => format!("after {}", extent.length()),
        };
        let (title, again, span) = (title(self.metric), self.terms.again, extent.span());
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
            summary: format!("{title} {again} again, {after} ({span})."),
            advice: Some(advice(
                self.metric,
                self.notification,
                NOTHING_TO_DO,
                letterhead,
            )),
            facts,
            notes: vec![
                "In between nothing was watched: whatever happened then was not noticed.".into(),
            ],
            small_print: self.notification.newest.map_or(Vec::new(), history),
            ..Words::default()
        }
    }

    pub fn entry(&self) -> Entry {
        let extent = self.extent();
        let mut entry = Entry {
            title: title(self.metric),
            link: self.metric.link.clone(),
            word: self.word(),
            label: self.label(),
            tone: tone(self.notification),
            head: format!("for {}", extent.length()),
            lines: vec![
                format!("since {}", extent.since()),
                shorten(&self.why, ENTRY_REASON),
            ],
        };
        if self.notification.is_resolved() {
            entry.word = "over".to_string();
            entry.head = format!("after {}", extent.length());
            entry.lines = vec![extent.span()];
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

    /// An empty bucket that counts as zero is no data.
    fn seen_last(&self) -> Option<String> {
        let newest = self.newest()?;
        newest.seen_last().or_else(|| Some(newest.value_at()))
    }

    fn extent(&self) -> Extent {
        Extent::new(self.notification.alert, self.now.to_utc(), self.now)
    }
}
