//! The words of what keeps a metric from being watched: no data, a check that fails, a history that
//! says too little. Whoever reads them must know that no alert is no good sign meanwhile.

use super::{Announcement, Extent};
use crate::incident::{Stage, Stamp};
use crate::notify::email::words::{Entry, Fact, Words, title_case};
use crate::output::{one_line, shorten};

/// A lack as it is told.
pub struct Lack<'a> {
    announcement: &'a Announcement<'a>,
    /// On one line.
    why: String,
    kind: Kind,
    terms: &'static Terms,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Data,
    Checks,
    Verdicts,
}

/// What a kind of lack is called, and what can be done about it.
struct Terms {
    open: &'static str,
    lasting: &'static str,
    over: &'static str,
    /// As in "Sales has had no data since".
    state: &'static str,
    /// The fact that says since when, or how long.
    since: &'static str,
    span: &'static str,
    remedy: &'static str,
}

const DATA: Terms = Terms {
    open: "No data",
    lasting: "Still no data",
    over: "Data again",
    state: "has had no data",
    since: "No data since",
    span: "No data",
    remedy: "see whether what writes the rows still runs, and whether the table and its time column are those that the configuration names.",
};
const CHECKS: Terms = Terms {
    open: "Cannot check",
    lasting: "Still cannot check",
    over: "Checked again",
    state: "could not be checked",
    since: "Not checked since",
    span: "Not checked",
    remedy: "mend what is told above; it is tried again in every run.",
};
const VERDICTS: Terms = Terms {
    open: "Cannot judge",
    lasting: "Still cannot judge",
    over: "Judged again",
    state: "could not be judged",
    since: "Not judged since",
    span: "Not judged",
    remedy: "a history that is too short grows by itself; otherwise change what is told above.",
};

/// A subject is cut off beyond about this many characters by those who show it.
const SUBJECT: usize = 110;
/// But a reason keeps at least these.
const LEAST_REASON: usize = 40;
/// A reason among other metrics' is no longer than this.
const ENTRY_REASON: usize = 240;

impl<'a> Lack<'a> {
    pub fn of_data(announcement: &'a Announcement<'a>, why: &str) -> Self {
        Self::new(announcement, why, Kind::Data)
    }

    pub fn of_checks(announcement: &'a Announcement<'a>, why: &str) -> Self {
        Self::new(announcement, why, Kind::Checks)
    }

    pub fn of_verdicts(announcement: &'a Announcement<'a>, why: &str) -> Self {
        Self::new(announcement, why, Kind::Verdicts)
    }

    fn new(announcement: &'a Announcement<'a>, why: &str, kind: Kind) -> Self {
        Self {
            announcement,
            why: one_line(why),
            kind,
            terms: match kind {
                Kind::Data => &DATA,
                Kind::Checks => &CHECKS,
                Kind::Verdicts => &VERDICTS,
            },
        }
    }

    pub fn words(&self) -> Words {
        let title = &self.announcement.metric.title;
        Words {
            subject: self.subject(),
            heading: format!("{}: {title}", title_case(self.label())),
            summary: self.summary(),
            facts: self.facts(),
            notes: self.notes(),
            ..Words::default()
        }
    }

    /// Its row among others'.
    pub fn entry(&self) -> Entry {
        let extent = self.extent();
        let (value, when) = if self.is_over() {
            (format!("after {}", extent.length()), extent.span())
        } else {
            let length = format!("for {}", extent.length());
            (length, format!("since {}", extent.since()))
        };
        Entry {
            title: self.announcement.metric.title.clone(),
            label: self.label().to_string(),
            tone: self.announcement.tone(),
            value,
            when,
            expected: None,
            deviation: None,
            detail: (!self.is_over()).then(|| shorten(&self.why, ENTRY_REASON)),
        }
    }

    /// What it is called in a list, while it lasts.
    pub fn word(&self) -> String {
        self.terms.open.to_lowercase()
    }

    fn label(&self) -> &'static str {
        match self.announcement.notice.stage {
            Stage::Opened => self.terms.open,
            Stage::Lasting | Stage::Worse => self.terms.lasting,
            Stage::Over { .. } => self.terms.over,
        }
    }

    fn subject(&self) -> String {
        let (title, extent) = (&self.announcement.metric.title, self.extent());
        let begin = format!("[{}] {title}", self.label());
        let lasts = self.announcement.notice.stage != Stage::Opened;
        match self.kind {
            Kind::Verdicts if self.is_over() => begin,
            Kind::Checks if self.is_over() => format!("{begin}: after {}", extent.length()),
            Kind::Data if self.is_over() => format!("{begin}: after {} without", extent.length()),
            Kind::Data if lasts => format!("{begin}: no data {}", extent.so_far()),
            Kind::Data => format!("{begin}: no data since {}", extent.since()),
            Kind::Checks | Kind::Verdicts if lasts => {
                self.with_reason(&format!("{begin} for {}: ", extent.length()))
            }
            Kind::Checks | Kind::Verdicts => self.with_reason(&format!("{begin}: ")),
        }
    }

    fn with_reason(&self, begin: &str) -> String {
        let room = SUBJECT.saturating_sub(begin.chars().count());
        let reason = shorten(&self.why, room.max(LEAST_REASON));
        format!("{begin}{reason}")
    }

    fn summary(&self) -> String {
        let (title, extent) = (&self.announcement.metric.title, self.extent());
        let why = self.why.trim_end_matches('.');
        if !self.is_over() {
            let state = self.terms.state;
            return match self.kind {
                Kind::Data => format!("{title} {state} {}.", extent.so_far()),
                Kind::Checks | Kind::Verdicts => {
                    // Advice ends with a question.
                    let end = if why.ends_with('?') { "" } else { "." };
                    format!("{title} {state} {}: {why}{end}", extent.so_far())
                }
            };
        }
        let (length, span) = (extent.length(), extent.span());
        match self.kind {
            Kind::Data => {
                format!("{title} has data again, after {length} without (from {span}).")
            }
            Kind::Checks => format!("{title} is checked again, after {length} (from {span})."),
            Kind::Verdicts => format!("{title} is judged again, after {length} (from {span})."),
        }
    }

    fn facts(&self) -> Vec<Fact> {
        let (extent, seen) = (self.extent(), self.announcement.seen_last());
        if self.is_over() {
            let mut facts = vec![
                Fact::new(self.terms.span, extent.in_full()),
                Fact::new("It was", self.why.clone()),
            ];
            facts.extend(seen.into_iter().flat_map(|seen| seen.facts()));
            return facts;
        }
        let mut facts = vec![
            Fact::new(self.terms.since, extent.since_in_full()),
            Fact::new("Why", self.why.clone()),
        ];
        facts.extend(seen.map(|seen| {
            let last = format!("{} at {}", seen.value(), seen.time());
            Fact::new("Seen last", last)
        }));
        facts
    }

    fn notes(&self) -> Vec<String> {
        let title = &self.announcement.metric.title;
        if self.is_over() {
            return vec![
                "In between nothing was watched: whatever happened then was not noticed."
                    .to_string(),
            ];
        }
        vec![
            format!(
                "While this lasts, no rise or drop of {title} is noticed, and no alert of it comes: hearing nothing is no good sign."
            ),
            format!("What to do: {}", self.terms.remedy),
        ]
    }

    fn is_over(&self) -> bool {
        matches!(self.announcement.notice.stage, Stage::Over { .. })
    }

    fn extent(&self) -> Extent {
        self.announcement.extent(Stamp::from(self.announcement.now))
    }
}

#[cfg(test)]
mod tests;
