//! The words of an incident: values above or below their band, and that they are no more.

use chrono::{DateTime, TimeDelta};
use chrono_tz::Tz;

use super::Letterhead;
use super::advice::advice;
use super::figures::{Extent, Figures, history, title, write_change_from};
use super::message::{Entry, Fact, Words};
use super::parts::{part_facts, write_difference, write_parts, write_parts_of_that};
use super::phrases::{acknowledged, heading, notes, tone};
use crate::config::Metric;
use crate::detect::Breakdown;
use crate::forecast::Side;
use crate::incident::{Course, End, Witness};
use crate::notify::{AlertKind, Notification};
use crate::output::owner::quote;
use crate::output::{
    is_of_days, round_digits, write_begin, write_change, write_lasting, write_length, write_time,
};
use crate::series::Aggregate;

pub struct Incident<'a> {
    side: Side,
    notification: &'a Notification<'a>,
    /// Of the latest bucket outside, or of the one that ended it.
    figures: Figures<'a>,
    now: DateTime<Tz>,
}

/// What to do where nobody wrote a note.
const TO_DO: &str = "Find out what changed. If you know why, silence it.";
const NOTHING_TO_DO: &str = "Nothing: it is over.";
/// Of an incident that ended by what earlier weeks had.
const FOLLOWED: &str = "The forecast had followed the incident, so its band is not back yet.";
const NEW_LEVEL_TO_DO: &str = "Nothing, if the new level is meant to be.";

impl<'a> Incident<'a> {
    pub fn new(
        metric: &'a Metric,
        side: Side,
        notification: &'a Notification,
        now: DateTime<Tz>,
    ) -> Option<Self> {
        let figures = Figures::new(metric, notification.evaluation()?, now)?;
        Some(Self {
            side,
            notification,
            now: figures.now,
            figures,
        })
    }

    pub fn words(&self, letterhead: &Letterhead) -> Words {
        let headline = self.headline();
        let (metric, extent) = (self.figures.metric, self.extent());
        let (title, length, side) = (title(metric), extent.length(), self.side_word());
        let (subject, heading, to_do) = match self.notification.kind {
            AlertKind::Firing => (headline, heading(side, metric), TO_DO),
            AlertKind::Repeat => (
                format!("for {length}: {headline}"),
                heading(&format!("Still {side}"), metric),
                TO_DO,
            ),
            AlertKind::Escalated => (headline, format!("{}, Worse", heading(side, metric)), TO_DO),
            AlertKind::Resolved if self.new_level().is_some() => (
                self.new_level_headline(),
                heading("New Level:", metric),
                NEW_LEVEL_TO_DO,
            ),
            AlertKind::Resolved => {
                let (place, begin) = self.words_of_end();
                (
                    format!("is back {place} after {length}"),
                    heading(begin, metric),
                    NOTHING_TO_DO,
                )
            }
        };
        let mut notes = notes(metric, self.figures.evaluation, Some(self.side));
        if self.has_forecast_followed() {
            notes.push(FOLLOWED.to_string());
        }
        notes.extend(self.choice(letterhead));
        notes.extend(acknowledged(self.notification, self.now));
        Words {
            subject: format!("[{}] {title} {subject}", self.label()),
            heading,
            summary: self.summary(),
            advice: Some(advice(metric, self.notification, to_do, letterhead)),
            facts: self.facts(),
            notes,
            small_print: self.small_print(),
            ..Words::default()
        }
    }

    pub fn entry(&self) -> Entry {
        let (extent, side) = (self.extent(), self.side.word());
        let (is_over, when) = (self.notification.is_resolved(), self.figures.when());
        let when = if is_over {
            when
        } else if self.began_earlier() {
            format!("{when}, {side} since {}", extent.since())
        } else {
            format!("{side} since {}", extent.since())
        };
        let band = self.figures.band().map(|band| format!("usually {band}"));
        let value = self.figures.value_in_bucket();
        let change = self.figures.change().filter(|_| !is_over);
        let (head, value) = match change {
            Some(change) => (change, Some(value)),
            None => (value, None),
        };
        let first = value.into_iter().chain(band).chain([when]);
        let last = if is_over {
            Some(format!("{} {}", self.side_word(), extent.in_full()))
        } else {
            let so_far = self.shortfall().filter(|_| self.began_earlier());
            so_far.map(|amount| format!("{amount} so far"))
        };
        let lines = [first.collect::<Vec<_>>().join(", ")];
        Entry {
            title: title(self.figures.metric),
            link: self.figures.metric.link.clone(),
            word: if is_over { "over" } else { self.side_word() }.to_string(),
            label: self.label(),
            tone: tone(self.notification),
            head,
            lines: lines.into_iter().chain(self.parts()).chain(last).collect(),
        }
    }

    /// What can be done about a level that will soon count as normal.
    fn choice(&self, letterhead: &Letterhead) -> Option<String> {
        let lasts = matches!(
            self.notification.kind,
            AlertKind::Repeat | AlertKind::Escalated
        );
        let course = self.course().filter(|_| lasts)?;
        let metric = self.figures.metric;
        let evaluation = self.figures.evaluation;
        let accepted_from = course.accepted_from(evaluation, &metric.policy)?;
        let left = accepted_from - self.now.to_utc();
        let end = evaluation.bucket.end;
        let adapt_after = metric.policy.adapted_at(evaluation, end, 1) - end;
        let is_soon = TimeDelta::zero() < left && left <= adapt_after / 2;
        let invocation = letterhead.invocation;
        let program = invocation.map_or("bandwatch", |invocation| &invocation.program);
        let name = quote(&metric.name);
        is_soon.then(|| {
            let time = accepted_from.with_timezone(&self.now.timezone());
            // The days it must last for are over then.
            let time = match evaluation.bucket.length() {
                bucket if is_of_days(bucket) => write_begin(time, TimeDelta::days(1), self.now),
                _ => write_time(time, self.now),
            };
            format!("If it lasts until {time}, this level counts as normal. \"{program} accept {name}\" takes it at once, with --keep never.")
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

    /// "842.10 at 14:05 CET, expected 912.10 to 1,297.80"; of a total "19 % lower in the last 6 h", and later
    /// "13 % lower than usual".
    fn headline(&self) -> String {
        let told = match self.notification.kind {
            _ if self.is_breach() => None,
            AlertKind::Firing if self.fell_from().is_some() => {
                let change = self.change_from_level();
                change.map(|change| format!("{}, {change}", self.figures.plain_value_at()))
            }
            AlertKind::Firing => self.total().and_then(|(minutes, seen, usual)| {
                let change = write_change_from(usual, seen)?;
                Some(format!(
                    "{change} in the last {}",
                    self.write_minutes(minutes)
                ))
            }),
            AlertKind::Repeat => self
                .change_so_far()
                .map(|change| format!("{change} {}", self.than_usual())),
            AlertKind::Escalated => self.change_lately(),
            AlertKind::Resolved => None,
        };
        told.or_else(|| self.figures.headline()).unwrap_or_default()
    }

    /// "13 % lower", of all that was usual since it began.
    fn change_so_far(&self) -> Option<String> {
        let change = self.course()?.shortfall.change()?;
        let is_on_side = (change > 0.0) == (self.side == Side::High);
        is_on_side.then(|| write_change(change))
    }

    /// "19 % lower in the last 1 h"
    fn change_lately(&self) -> Option<String> {
        let share = f64::from(self.notification.alert.share()?);
        let change = match self.side {
            Side::High => share,
            Side::Low => -share,
        };
        let hour = TimeDelta::hours(1).max(self.figures.evaluation.bucket.length());
        let change = write_change(change);
        Some(format!("{change} in the last {}", write_length(hour)))
    }

    /// What is usual of the bucket that ended it, if that is still outside of its band.
    fn usual_at_end(&self) -> Option<f64> {
        let end = self.notification.alert.end.as_ref();
        let is_over = self.notification.is_resolved() && matches!(end, Some(End::Over { .. }));
        let is_outside = is_over && self.figures.evaluation.is_breach();
        let usual = self.course()?.usual_of_bucket.filter(|_| is_outside)?;
        Some(usual.into())
    }

    /// Whether the band at its end is one of values that were not usual.
    fn has_forecast_followed(&self) -> bool {
        let usual = self.usual_at_end().filter(|_| self.fell_from().is_none());
        let band = self.figures.evaluation.band;
        usual
            .zip(band)
            .is_some_and(|(usual, band)| !(band.lower..=band.upper).contains(&usual))
    }

    fn would_be(&self) -> &'static str {
        match self.fell_from() {
            Some(_) => "would be expected",
            None => "would be usual",
        }
    }

    fn name_of_usual(&self) -> &'static str {
        match self.fell_from() {
            Some(_) => "Level before",
            None => "Usual",
        }
    }

    /// Where its values are at its end, and how the heading begins.
    fn words_of_end(&self) -> (&'static str, &'static str) {
        match (self.usual_at_end(), self.fell_from()) {
            (Some(_), Some(_)) => ("where it was before its fall", "Back Where It Was:"),
            _ => ("to normal", "Back to Normal:"),
        }
    }

    fn is_breach(&self) -> bool {
        self.figures.evaluation.side() == Some(self.side)
    }

    /// What the witness that opened it has seen.
    fn testimony(&self) -> Option<String> {
        let title = title(self.figures.metric);
        let side = self.side.word();
        match self.course()?.witness {
            Witness::Breach | Witness::Bucket { .. } => None,
            Witness::Fall { .. } => Some(format!(
                "{title} fell: {}, {}.",
                self.figures.value_at(),
                self.change_from_level()?
            )),
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
                let change = write_change_from(usual, seen);
                let change = change.map_or(String::new(), |change| format!(" ({change})"));
                let is_weekly = self.figures.evaluation.bucket.length() < TimeDelta::days(6);
                let when = if is_weekly {
                    " at this time of the week"
                } else {
                    ""
                };
                Some(format!(
                    "The last {} of {title} add up to {seen_text}, where {usual_text} is usual{when}{change}.",
                    self.write_minutes(minutes)
                ))
            }
        }
    }

    /// What is missing so far, or too much: "41,200 EUR less than usual".
    fn shortfall(&self) -> Option<String> {
        let amount = self.figures.amount(self.amount()?);
        Some(format!("{amount} {}", self.more_than_usual()))
    }

    fn more_than_usual(&self) -> String {
        let more = match self.side {
            Side::Low => "less",
            Side::High => "more",
        };
        format!("{more} {}", self.than_usual())
    }

    fn than_usual(&self) -> &'static str {
        match self.fell_from() {
            Some(_) => "than before",
            None => "than usual",
        }
    }

    /// What a bucket would have at the level of the rush that it fell from.
    fn fell_from(&self) -> Option<f64> {
        let course = self.course()?;
        match course.witness {
            Witness::Fall { expected } if self.notification.kind == AlertKind::Firing => {
                Some(expected.into())
            }
            Witness::Fall { expected } => Some(course.usual_of_bucket.unwrap_or(expected).into()),
            _ => None,
        }
    }

    /// "58 % lower than its level before"
    fn change_from_level(&self) -> Option<String> {
        let level = self.fell_from()?;
        let change = write_change_from(level, self.figures.evaluation.value?)?;
        Some(format!("{change} than its level before"))
    }

    /// Of a mean or a rate nothing adds up.
    fn amount(&self) -> Option<f64> {
        let metric = self.figures.metric;
        let is_share = metric
            .unit
            .as_deref()
            .is_some_and(|unit| unit.starts_with(['%', '‰']));
        let adds_up = metric.aggregate.is_none_or(Aggregate::adds_up) && !is_share;
        let is_first = !self.notification.is_resolved() && !self.began_earlier();
        let is_over = !self.notification.alert.is_open();
        let excess = match self.course() {
            Some(course) if !is_first || is_over || !self.is_breach() => {
                Some(-f64::from(course.shortfall.missing))
            }
            // As the other figures of the one bucket have it.
            _ => self.figures.excess().filter(|_| is_first),
        };
        let amount = match self.side {
            Side::Low => -excess?,
            Side::High => excess?,
        };
        (adds_up && amount > 0.0).then_some(amount)
    }

    /// What a new level makes of a day: "about 41,000 EUR less than usual a day".
    fn amount_a_day(&self) -> Option<String> {
        const DIGITS: usize = 2;
        let amount = round_digits(self.extent().a_day(self.amount()?), DIGITS);
        let amount = self.figures.amount(amount);
        Some(format!("about {amount} {} a day", self.more_than_usual()))
    }

    fn summary(&self) -> String {
        let (figures, extent) = (&self.figures, self.extent());
        let (title, side_word) = (title(figures.metric), self.side_word());
        let [place, worse] = match self.side {
            Side::High => ["unusually high", "even higher"],
            Side::Low => ["unusually low", "even lower"],
        };
        let than_told = self.than_told();
        let mut summary = match self.notification.kind {
            AlertKind::Resolved if self.new_level().is_some() => {
                let a_day = self.amount_a_day();
                return format!(
                    "{title} is {}{}. Values kept this level for {}, so from now on it counts as normal.",
                    self.new_level_headline(),
                    a_day.map_or(String::new(), |amount| format!(": {amount}")),
                    extent.length()
                );
            }
            AlertKind::Resolved => return self.summary_of_end(),
            _ if !self.is_breach() => {
                let told = match self.notification.kind {
                    AlertKind::Firing => self.testimony(),
                    AlertKind::Escalated => self
                        .change_lately()
                        .map(|change| format!("{title} is worse{than_told}: {change}.")),
                    _ => self
                        .change_so_far()
                        .map(|change| format!("{title} is still {change} {}.", self.than_usual())),
                };
                told.unwrap_or_else(|| figures.sentence("is not back yet"))
            }
            AlertKind::Firing => figures.sentence(&format!("is {place}")),
            AlertKind::Repeat => figures.sentence(&format!("is still {place}")),
            AlertKind::Escalated => figures.sentence(&format!("is {worse}{than_told}")),
        };
        let of_that = self.parts_of_that();
        if let Some(parts) = self.parts().filter(|_| of_that.is_none()) {
            summary += &format!(" {parts}");
        }
        let so_far = self.shortfall();
        if let Some(End::Over { .. }) = self.notification.alert.end {
            let side = self.side.word();
            let in_all = so_far.map_or(String::new(), |amount| format!(", {amount} in all"));
            summary += &format!(" It was {side} {}{in_all}, and is over.", extent.in_full());
        } else {
            let so_far = so_far.map_or(String::new(), |amount| format!(": {amount} so far"));
            let of_that = of_that.map_or(String::new(), |parts| format!("; {parts}"));
            summary += &format!(" {side_word} {}{so_far}{of_that}.", extent.so_far());
        }
        if let Some(turned_from) = self.notification.alert.turned_from {
            let bucket = figures.evaluation.bucket.length();
            let since = turned_from.with_timezone(&self.now.timezone());
            let since = write_begin(since, bucket, self.now);
            let other = self.side.other().word();
            summary += &format!(" It was {other} since {since} before, and turned.");
        }
        summary
    }

    /// The parts that explain it, if any stand out.
    fn parts(&self) -> Option<String> {
        let breakdown = self.breakdown()?;
        let told = self.figures.evaluation.bucket;
        write_parts(self.figures.metric, breakdown, told, self.now)
    }

    /// The same, where they are those of what is missing so far.
    fn parts_of_that(&self) -> Option<String> {
        let breakdown = self.breakdown()?;
        let so_far = self.figures.amount(self.amount()?);
        let is_that = write_difference(self.figures.metric, breakdown) == so_far;
        write_parts_of_that(breakdown).filter(|_| is_that && self.notification.alert.is_open())
    }

    /// " than in the last message (14:20 CET)", which somebody knows who reads this one.
    fn than_told(&self) -> String {
        let told_at = self.notification.told_at;
        let told_at =
            told_at.map(|time| write_time(time.with_timezone(&self.now.timezone()), self.now));
        told_at.map_or(String::new(), |time| {
            format!(" than in the last message ({time})")
        })
    }

    /// What is over needs no explanation, and what became worse has another than its opening had.
    fn breakdown(&self) -> Option<&Breakdown> {
        let breakdown = self.notification.alert.breakdown.as_ref();
        let is_of_now = matches!(
            self.notification.kind,
            AlertKind::Firing | AlertKind::Repeat
        );
        breakdown.filter(|_| is_of_now)
    }

    fn summary_of_end(&self) -> String {
        let (title, extent) = (title(self.figures.metric), self.extent());
        let (length, span, side) = (extent.length(), extent.span(), self.side_word());
        let value = self.figures.value_at();
        let figures = match self.usual_at_end() {
            Some(usual) => format!(
                "{value}, where {} {}",
                self.figures.beside(usual),
                self.would_be()
            ),
            None => self.figures.beside_usual().unwrap_or(value),
        };
        let in_all = self.shortfall();
        let in_all = in_all.map_or(String::new(), |amount| format!(" In all {amount}."));
        let (place, _) = self.words_of_end();
        format!("{title} is back {place} after {length}: {figures}. {side} {span}.{in_all}")
    }

    fn small_print(&self) -> Vec<Fact> {
        let judged = Fact::new("Judged", self.figures.bucket());
        let history = history(self.figures.evaluation);
        std::iter::once(judged).chain(history).collect()
    }

    /// How long it lasted stands first once it is over, and last while the value is the news.
    fn facts(&self) -> Vec<Fact> {
        let fell_from = self
            .fell_from()
            .filter(|_| !self.notification.is_resolved());
        let mut facts = match (fell_from, self.usual_at_end()) {
            (Some(level), _) => self.figures.facts_against(self.name_of_usual(), level),
            (None, Some(usual)) => self.figures.facts_against(self.name_of_usual(), usual),
            (None, None) => self.figures.facts(),
        };
        let (extent, side) = (self.extent(), self.side_word());
        let (name, how_long, so_far) = if self.notification.is_resolved() {
            (side.to_string(), extent.in_full(), "In all")
        } else {
            (format!("{side} since"), extent.since_in_full(), "So far")
        };
        let worst = self
            .notification
            .alert
            .worst
            .filter(|worst| worst.is_breach());
        let amount = self.shortfall();
        // Of what is no breach it is told before all else.
        let is_opening = self.notification.kind == AlertKind::Firing;
        let testimony = self.testimony().filter(|_| is_opening && self.is_breach());
        let own = [
            Some(Fact::new(&name, how_long)),
            amount.map(|amount| Fact::new(so_far, amount)),
            testimony.map(|testimony| Fact::new("Why now", testimony)),
            worst
                .filter(|_| self.notification.kind != AlertKind::Firing)
                .map(|worst| Fact::new("At worst", self.figures.worst(worst))),
        ];
        // Figures of another time would not go with the others.
        let told_until = self.figures.evaluation.bucket.end;
        let breakdown = self.breakdown().into_iter();
        let breakdown = breakdown.filter(|breakdown| breakdown.end == told_until);
        let parts = breakdown.flat_map(|breakdown| part_facts(self.figures.metric, breakdown));
        let place = if self.notification.is_resolved() {
            0
        } else {
            facts.len()
        };
        facts.splice(place..place, own.into_iter().flatten().chain(parts));
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

    fn write_minutes(&self, minutes: i64) -> String {
        let (bucket, length) = (self.figures.evaluation.bucket, TimeDelta::minutes(minutes));
        let since = (bucket.end - length).with_timezone(&self.now.timezone());
        write_lasting(since, length, bucket.length())
    }

    fn side_word(&self) -> &'static str {
        match self.side {
            Side::High => "High",
            Side::Low => "Low",
        }
    }
}
