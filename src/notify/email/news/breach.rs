//! The words of an incident: values above or below their band, and that they are no more.

use super::{Announcement, Extent};
use crate::incident::{Finding, Side, Stage, Stamp};
use crate::notify::email::measured::Measured;
use crate::notify::email::words::{Entry, Fact, Words, facts, heading, notes};
use crate::output::write_time;

/// An incident as it is told.
pub struct Breach<'a> {
    pub announcement: &'a Announcement<'a>,
    pub side: Side,
    /// The latest bucket outside, or the one that ended it.
    pub finding: &'a Finding,
    pub turned_from: Option<Stamp>,
}

impl Breach<'_> {
    pub fn words(&self) -> Words {
        let metric = self.announcement.metric;
        let evaluation = self.announcement.evaluation_of(self.finding);
        let headline = self.measured().headline().unwrap_or_default();
        let (title, extent) = (&metric.title, self.extent());
        let told = match self.stage() {
            Stage::Opened | Stage::Worse => format!("{title} {headline}"),
            Stage::Lasting => format!("{title} for {}: {headline}", extent.length()),
            Stage::Over { .. } => {
                format!("{title} is back inside its band after {}", extent.length())
            }
        };
        let table = evaluation.map_or_else(
            || self.measured().facts(),
            |evaluation| facts(metric, evaluation),
        );
        Words {
            subject: format!("[{}] {told}", self.label()),
            heading: heading(self.heading_word(), metric),
            summary: self.summary(),
            facts: self.with_extent(table),
            notes: evaluation.map_or(Vec::new(), |evaluation| notes(metric, evaluation)),
            ..Words::default()
        }
    }

    /// Its row among others.
    pub fn entry(&self) -> Entry {
        let (measured, extent) = (self.measured(), self.extent());
        let at = format!("at {}", measured.time());
        let is_over = matches!(self.stage(), Stage::Over { .. });
        Entry {
            title: self.announcement.metric.title.clone(),
            label: self.label().to_string(),
            tone: self.announcement.tone(),
            value: measured.value(),
            when: if !is_over && self.began_earlier() {
                format!("{at}, since {}", extent.since())
            } else {
                at
            },
            expected: measured.band().map(|band| format!("expected {band}")),
            deviation: measured.deviation(),
            detail: is_over.then(|| format!("{} from {}", self.side_word(), extent.in_full())),
        }
    }

    pub fn is_of(&self, side: Side) -> bool {
        self.side == side
    }

    fn label(&self) -> &'static str {
        match (self.stage(), self.side) {
            (Stage::Opened, Side::High) => "High",
            (Stage::Opened, Side::Low) => "Low",
            (Stage::Lasting, Side::High) => "Still high",
            (Stage::Lasting, Side::Low) => "Still low",
            (Stage::Worse, Side::High) => "High, worse",
            (Stage::Worse, Side::Low) => "Low, worse",
            (Stage::Over { .. }, _) => "Over",
        }
    }

    fn heading_word(&self) -> &'static str {
        match (self.stage(), self.side) {
            (Stage::Lasting, Side::High) => "Still High",
            (Stage::Lasting, Side::Low) => "Still Low",
            (Stage::Worse, Side::High) => "Even Higher",
            (Stage::Worse, Side::Low) => "Even Lower",
            (Stage::Over { .. }, _) => "Back to Normal:",
            (Stage::Opened, _) => self.side_word(),
        }
    }

    fn summary(&self) -> String {
        let (measured, extent) = (self.measured(), self.extent());
        let side = self.side.word();
        let place = match self.side {
            Side::High => "is above its band",
            Side::Low => "is below its band",
        };
        let mut summary = match self.stage() {
            Stage::Over { .. } => return self.summary_of_end(),
            Stage::Opened => measured.sentence(place),
            Stage::Lasting => measured.sentence(&place.replace("is ", "is still ")),
            Stage::Worse => measured.sentence(&format!("{place}, clearly farther than was told")),
        };
        if self.began_earlier() {
            summary += &format!(" It has been {side} {}.", extent.so_far());
        }
        if let Some(turned_from) = self.turned_from {
            let now = self.announcement.now;
            let since = write_time(turned_from.with_timezone(&now.timezone()), now);
            let other = match self.side {
                Side::High => Side::Low.word(),
                Side::Low => Side::High.word(),
            };
            summary += &format!(" It was {other} since {since} before, and turned.");
        }
        summary
    }

    fn summary_of_end(&self) -> String {
        let (measured, extent) = (self.measured(), self.extent());
        let figures = measured
            .against_expected()
            .map_or(String::new(), |figures| {
                format!(": at {} {figures}", measured.time())
            });
        format!(
            "{} is back inside its band after {} ({} from {}){figures}.",
            self.announcement.metric.title,
            extent.length(),
            self.side_word(),
            extent.span()
        )
    }

    /// How long it lasted stands first once it is over, and last while the value is the news.
    fn with_extent(&self, mut facts: Vec<Fact>) -> Vec<Fact> {
        let extent = self.extent();
        if let Stage::Over { .. } = self.stage() {
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
        self.announcement.notice.since < self.finding.time
    }

    fn measured(&self) -> Measured<'_> {
        let metric = self.announcement.metric;
        self.announcement
            .evaluation_of(self.finding)
            .and_then(|evaluation| Measured::of_evaluation(metric, evaluation))
            .unwrap_or_else(|| Measured::of_finding(metric, self.finding, self.announcement.now))
    }

    /// So far it reaches to the end of the latest bucket outside.
    fn extent(&self) -> Extent {
        self.announcement.extent(self.finding.end)
    }

    fn stage(&self) -> Stage {
        self.announcement.notice.stage
    }

    fn side_word(&self) -> &'static str {
        match self.side {
            Side::High => "High",
            Side::Low => "Low",
        }
    }
}

#[cfg(test)]
mod tests;
