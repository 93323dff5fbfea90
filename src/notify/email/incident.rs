//! The words of an incident: values above or below their band, and that they are no more.

use chrono::DateTime;
use chrono_tz::Tz;

use super::figures::{Extent, Figures};
use super::message::{Entry, Fact, Words};
use super::phrases::{heading, notes, tone};
use crate::config::Metric;
use crate::detect::Evaluation;
use crate::forecast::Side;
use crate::incident::End;
use crate::notify::{AlertKind, Notification};
use crate::output::write_time;

pub struct Incident<'a> {
    side: Side,
    notification: &'a Notification<'a>,
    /// Of the latest bucket outside, or of the one that ended it.
    figures: Figures<'a>,
    now: DateTime<Tz>,
}

impl<'a> Incident<'a> {
    pub fn new(
        metric: &'a Metric,
        side: Side,
        notification: &'a Notification,
        now: DateTime<Tz>,
    ) -> Option<Self> {
        let stored = match (notification.kind, &notification.alert.end) {
            (AlertKind::Resolved, Some(End::Over { evaluation, .. })) => evaluation.as_deref()?,
            _ => notification.alert.evaluation.as_ref()?,
        };
        // The newest evaluation of this run still knows what it was made from.
        let is_same =
            |newest: &&Evaluation| newest.bucket == stored.bucket && newest.band.is_some();
        let evaluation = notification.newest.filter(is_same).unwrap_or(stored);
        Some(Self {
            side,
            notification,
            figures: Figures::new(metric, evaluation, now)?,
            now,
        })
    }

    pub fn words(&self) -> Words {
        let headline = self.figures.headline().unwrap_or_default();
        let (title, extent) = (&self.figures.metric.title, self.extent());
        let (length, side) = (extent.length(), self.side_word());
        let (subject, word) = match self.notification.kind {
            AlertKind::Firing => (headline, side.to_string()),
            AlertKind::Repeat => (format!("for {length}: {headline}"), format!("Still {side}")),
            AlertKind::Escalated => (headline, format!("Even {side}er")),
            AlertKind::Resolved => (
                format!("is back inside its band after {length}"),
                "Back to Normal:".to_string(),
            ),
        };
        Words {
            subject: format!("[{}] {title} {subject}", self.label()),
            heading: heading(&word, self.figures.metric),
            summary: self.summary(),
            facts: self.with_extent(self.figures.facts()),
            notes: notes(self.figures.metric, self.figures.evaluation),
            ..Words::default()
        }
    }

    pub fn entry(&self) -> Entry {
        let extent = self.extent();
        let figures = self.figures.band().zip(self.figures.deviation());
        let figures =
            figures.map(|(band, deviation)| format!("expected {}; {deviation}", band.trim_end()));
        let mut entry = Entry {
            title: self.figures.metric.title.clone(),
            word: self.side_word().to_string(),
            label: self.label(),
            tone: tone(self.notification),
            value: self.figures.value(),
            when: format!("at {}", self.figures.time()),
            lines: figures.into_iter().collect(),
        };
        if self.notification.is_resolved() {
            entry.word = "over".to_string();
            let over = format!("{} from {}", self.side_word(), extent.in_full());
            entry.lines.push(over);
        } else if self.began_earlier() {
            entry.when += &format!(", since {}", extent.since());
        }
        entry
    }

    fn label(&self) -> String {
        match self.notification.kind {
            AlertKind::Firing => self.side_word().to_string(),
            AlertKind::Repeat => format!("Still {}", self.side.word()),
            AlertKind::Escalated => format!("{}, worse", self.side_word()),
            AlertKind::Resolved => "Over".to_string(),
        }
    }

    fn summary(&self) -> String {
        let (figures, extent) = (&self.figures, self.extent());
        let side = self.side.word();
        let place = match self.side {
            Side::High => "above its band",
            Side::Low => "below its band",
        };
        let mut summary = match self.notification.kind {
            AlertKind::Resolved => return self.summary_of_end(),
            AlertKind::Firing => figures.sentence(&format!("is {place}")),
            AlertKind::Repeat => figures.sentence(&format!("is still {place}")),
            AlertKind::Escalated => {
                figures.sentence(&format!("is {place}, clearly farther than was told"))
            }
        };
        if let Some(End::Over { .. }) = self.notification.alert.end {
            summary += &format!(" It was {side} from {}, and is over.", extent.in_full());
        } else if self.began_earlier() {
            summary += &format!(" It has been {side} {}.", extent.so_far());
        }
        if let Some(turned_from) = self.notification.alert.turned_from {
            let since = write_time(turned_from.with_timezone(&self.now.timezone()), self.now);
            let other = self.side.other().word();
            summary += &format!(" It was {other} since {since} before, and turned.");
        }
        summary
    }

    fn summary_of_end(&self) -> String {
        let (title, extent) = (&self.figures.metric.title, self.extent());
        let (length, span, side) = (extent.length(), extent.span(), self.side_word());
        let figures = self.figures.against_expected();
        let figures = figures.map_or(String::new(), |figures| {
            format!(": at {} {figures}", self.figures.time())
        });
        format!("{title} is back inside its band after {length} ({side} from {span}){figures}.")
    }

    /// How long it lasted stands first once it is over, and last while the value is the news.
    fn with_extent(&self, mut facts: Vec<Fact>) -> Vec<Fact> {
        let extent = self.extent();
        if self.notification.is_resolved() {
            facts.insert(0, Fact::new(self.side_word(), extent.in_full()));
        } else if self.began_earlier() {
            let name = format!("{} since", self.side_word());
            let after_time = facts.iter().position(|fact| fact.name == "Time");
            let place = after_time.map_or(facts.len(), |place| place + 1);
            facts.insert(place, Fact::new(&name, extent.since_in_full()));
        }
        facts
    }

    fn began_earlier(&self) -> bool {
        self.notification.alert.since < self.figures.evaluation.bucket.start
    }

    /// So far it reaches to the end of the latest bucket outside.
    fn extent(&self) -> Extent {
        let so_far = self.figures.evaluation.bucket.end;
        Extent::new(self.notification.alert, so_far, self.now)
    }

    fn side_word(&self) -> &'static str {
        match self.side {
            Side::High => "High",
            Side::Low => "Low",
        }
    }
}
