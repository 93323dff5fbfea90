//! The words of an incident: values above or below their band, and that they are no more.

use chrono::{DateTime, TimeDelta};
use chrono_tz::Tz;

use super::figures::{Extent, Figures};
use super::message::{Entry, Fact, Words};
use super::phrases::{heading, notes, tone};
use crate::config::Metric;
use crate::forecast::Side;
use crate::incident::{Course, End, Witness};
use crate::notify::{AlertKind, Notification};
use crate::output::{write_change, write_length, write_time};
use crate::series::Aggregate;

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
        Some(Self {
            side,
            notification,
            figures: Figures::new(metric, notification.evaluation()?, now)?,
            now,
        })
    }

    pub fn words(&self) -> Words {
        let headline = self.headline();
        let (title, extent) = (&self.figures.metric.title, self.extent());
        let (length, side) = (extent.length(), self.side_word());
        let (subject, word) = match self.notification.kind {
            AlertKind::Firing => (headline, side.to_string()),
            AlertKind::Repeat => (format!("for {length}: {headline}"), format!("Still {side}")),
            AlertKind::Escalated => (headline, format!("Even {side}er")),
            AlertKind::Resolved if self.new_level().is_some() => {
                (self.new_level_headline(), "New Level:".to_string())
            }
            AlertKind::Resolved => (
                format!("is back inside its band after {length}"),
                "Back to Normal:".to_string(),
            ),
        };
        let mut notes = notes(self.figures.metric, self.figures.evaluation);
        notes.extend(self.choice());
        Words {
            subject: format!("[{}] {title} {subject}", self.label()),
            heading: heading(&word, self.figures.metric),
            summary: self.summary(),
            facts: self.with_extent(self.figures.facts()),
            notes,
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

    /// What can be done about a level that will soon count as normal.
    fn choice(&self) -> Option<String> {
        let lasts = matches!(
            self.notification.kind,
            AlertKind::Repeat | AlertKind::Escalated
        );
        let course = self.course().filter(|_| lasts)?;
        let metric = self.figures.metric;
        let adapt_after = metric.policy.adapt_after_of(self.figures.evaluation.bucket);
        let accepted_from = course.accepted_from(adapt_after)?;
        let left = accepted_from - self.now.to_utc();
        let is_soon = TimeDelta::zero() < left && left <= adapt_after / 2;
        let name = &metric.name;
        is_soon.then(|| {
            let time = write_time(accepted_from.with_timezone(&self.now.timezone()), self.now);
            format!("If it lasts until {time}, this level counts as normal. \"bandwatch accept {name}\" takes it at once, \"bandwatch accept {name} --keep\" never.")
        })
    }

    fn label(&self) -> String {
        match self.notification.kind {
            AlertKind::Firing => self.side_word().to_string(),
            AlertKind::Repeat => format!("Still {}", self.side.word()),
            AlertKind::Escalated => format!("{}, worse", self.side_word()),
            AlertKind::Resolved if self.new_level().is_some() => "New level".to_string(),
            AlertKind::Resolved => "Over".to_string(),
        }
    }

    /// The level that was accepted, as a multiple of what earlier weeks had.
    fn new_level(&self) -> Option<f64> {
        match self.notification.alert.end {
            Some(End::Accepted { ratio, .. }) => Some(ratio.into()),
            _ => None,
        }
    }

    /// ": 40 % lower since Tuesday 10:00 CET, accepted as the new normal"
    fn new_level_headline(&self) -> String {
        let ratio = self.new_level().unwrap_or(1.0);
        let since = self.extent().since();
        format!(
            "{}, since {since}, accepted as the new normal",
            write_change(ratio - 1.0)
        )
    }

    fn course(&self) -> Option<&Course> {
        self.notification.alert.course.as_ref()
    }

    /// What the total of a time was against what was usual, if that is what opened the incident.
    fn total(&self) -> Option<(i64, f64, f64)> {
        match self.course()?.witness {
            Witness::Total {
                minutes,
                seen,
                usual,
            } => Some((minutes, seen.into(), usual.into())),
            _ => None,
        }
    }

    /// "842.10 at 14:05 CET, expected 912.10 to 1,297.80"; of a total ": 19 % lower in the last 6 h".
    fn headline(&self) -> String {
        let is_opening = self.notification.kind == AlertKind::Firing;
        match self.total().filter(|_| is_opening && !self.is_breach()) {
            Some((minutes, seen, usual)) => {
                let change = write_change((seen - usual) / usual.abs());
                format!("{change} in the last {}", write_minutes(minutes))
            }
            None => self.figures.headline().unwrap_or_default(),
        }
    }

    fn is_breach(&self) -> bool {
        self.figures.evaluation.side() == Some(self.side)
    }

    /// What the witness that opened it has seen.
    fn testimony(&self) -> Option<String> {
        let title = &self.figures.metric.title;
        let side = self.side.word();
        match self.course()?.witness {
            Witness::Breach | Witness::Bucket { .. } => None,
            Witness::Cusum { buckets } => Some(format!(
                "{buckets} buckets in a row of {title} were, taken together, too {side} for chance."
            )),
            Witness::Total {
                minutes,
                seen,
                usual,
            } => {
                let (seen, usual) = (f64::from(seen), f64::from(usual));
                let [seen_text, usual_text] = [seen, usual].map(|total| self.figures.amount(total));
                let change = write_change((seen - usual) / usual.abs());
                Some(format!(
                    "The last {} of {title} add up to {seen_text}, where {usual_text} is usual at this time of the week ({change}).",
                    write_minutes(minutes)
                ))
            }
        }
    }

    /// What is missing so far, or too much.
    fn shortfall(&self) -> Option<String> {
        let metric = self.figures.metric;
        let adds_up = metric.aggregate.is_none_or(Aggregate::adds_up);
        let missing = f64::from(self.course()?.missing);
        let missing = match self.side {
            Side::Low => missing,
            Side::High => -missing,
        };
        let amount = self.figures.amount(missing);
        let than = match self.side {
            Side::Low => "less than usual",
            Side::High => "more than usual",
        };
        (adds_up && missing > 0.0).then(|| format!("{amount} {than} since it began"))
    }

    fn summary(&self) -> String {
        let (figures, extent) = (&self.figures, self.extent());
        let side = self.side.word();
        let place = match self.side {
            Side::High => "above its band",
            Side::Low => "below its band",
        };
        let testimony = self.testimony();
        let mut summary = match self.notification.kind {
            AlertKind::Resolved if self.new_level().is_some() => {
                let title = &self.figures.metric.title;
                return format!(
                    "{title} is {}. Values kept this level for {}, so from now on it counts as normal.",
                    self.new_level_headline(),
                    extent.length()
                );
            }
            AlertKind::Resolved => return self.summary_of_end(),
            _ if !self.is_breach() => testimony
                .clone()
                .unwrap_or_else(|| figures.sentence("is not back yet")),
            AlertKind::Firing => figures.sentence(&format!("is {place}")),
            AlertKind::Repeat => figures.sentence(&format!("is still {place}")),
            AlertKind::Escalated => {
                figures.sentence(&format!("is {place}, clearly farther than was told"))
            }
        };
        if self.is_breach()
            && let Some(testimony) =
                testimony.filter(|_| self.notification.kind == AlertKind::Firing)
        {
            summary += &format!(" {testimony}");
        }
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
        let so_far = self.shortfall();
        let so_far = so_far.map(|amount| Fact::new("In all", amount));
        if self.notification.is_resolved() {
            facts.insert(0, Fact::new(self.side_word(), extent.in_full()));
        } else if self.began_earlier() {
            let name = format!("{} since", self.side_word());
            let after_time = facts.iter().position(|fact| fact.name == "Time");
            let place = after_time.map_or(facts.len(), |place| place + 1);
            facts.insert(place, Fact::new(&name, extent.since_in_full()));
        }
        // Right after how long it lasts, or how far out it is.
        let since = format!("{} since", self.side_word());
        let after = facts
            .iter()
            .rposition(|fact| fact.name == since || fact.name == "Deviation");
        let place = if self.notification.is_resolved() {
            1
        } else {
            after.map_or(facts.len(), |at| at + 1)
        };
        facts.splice(place..place, so_far);
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

fn write_minutes(minutes: i64) -> String {
    write_length(TimeDelta::minutes(minutes))
}
