//! A judged bucket in the words of people: its value, what was expected, and how far apart they are.

use chrono::{DateTime, TimeDelta};
use chrono_tz::Tz;

use super::words::Fact;
use crate::config::Metric;
use crate::detect::Evaluation;
use crate::forecast::{Band, Level};
use crate::incident::Finding;
use crate::output::{Notation, write_day_and_time, write_length, write_time, write_times};

/// The value of a bucket, with its band where there is one.
#[derive(Debug, Clone, Copy)]
pub struct Measured<'a> {
    title: &'a str,
    unit: Option<&'a str>,
    value: f64,
    band: Option<Band>,
    /// In half-widths of the band.
    deviation: Option<f64>,
    /// Not known of what was judged in an earlier run.
    level: Option<Level>,
    time: DateTime<Tz>,
    length: TimeDelta,
    now: DateTime<Tz>,
}

impl<'a> Measured<'a> {
    /// None where the evaluation knows no value.
    pub fn of_evaluation(metric: &'a Metric, evaluation: &Evaluation) -> Option<Self> {
        let now = evaluation.window()?.as_of;
        let latest = evaluation.latest(now.timezone())?;
        Some(Self {
            title: &metric.title,
            unit: metric.unit.as_deref(),
            value: latest.value,
            band: evaluation.band,
            deviation: evaluation.deviation,
            level: Some(evaluation.level),
            time: latest.time,
            length: evaluation.bucket.length(),
            now,
        })
    }

    pub fn of_finding(metric: &'a Metric, finding: &Finding, now: DateTime<Tz>) -> Self {
        Self {
            title: &metric.title,
            unit: metric.unit.as_deref(),
            value: finding.value,
            band: Band::new(finding.lower, finding.expected, finding.upper),
            deviation: finding.deviation,
            level: None,
            time: finding.time.with_timezone(&now.timezone()),
            length: *finding.end - *finding.time,
            now,
        }
    }

    /// "1,843.20 at 14:05 CET, expected 912.10 to 1,297.80", if anything was expected.
    pub fn headline(&self) -> Option<String> {
        let band = self.band?;
        Some(format!(
            "{} at {}, expected {}",
            self.notation().write(self.value),
            self.time(),
            limits(&band)
        ))
    }

    /// "Sales at 14:05 CET is above its band: 1,843.20 EUR, where 1,102.40 EUR was expected."
    pub fn sentence(&self, place: &str) -> String {
        let Self { title, .. } = self;
        let time = self.time();
        self.against_expected().map_or_else(
            || format!("{title} at {time} {place}."),
            |figures| format!("{title} at {time} {place}: {figures}."),
        )
    }

    /// "1,843.20 EUR, where 1,102.40 EUR was expected"
    pub fn against_expected(&self) -> Option<String> {
        let expected = self.with_unit(&self.notation().write(self.band?.expected));
        Some(format!("{}, where {expected} was expected", self.value()))
    }

    pub fn value(&self) -> String {
        self.with_unit(&self.notation().write(self.value))
    }

    /// When its bucket began.
    pub fn time(&self) -> String {
        write_time(self.time, self.now)
    }

    /// "912.10 to 1,297.80 EUR"
    pub fn band(&self) -> Option<String> {
        Some(self.with_unit(&limits(&self.band?)))
    }

    /// "+740.80 (+67 %), 3.8 times the distance to the limit"
    pub fn deviation(&self) -> Option<String> {
        let times = self.deviation.map_or(String::new(), |half_widths| {
            let times = write_times(half_widths.abs());
            format!(", {times} times the distance to the limit")
        });
        Some(self.difference()? + &times)
    }

    /// "+740.80 (+67 %)"
    pub fn difference(&self) -> Option<String> {
        let expected = self.band?.expected;
        let difference = self.value - expected;
        let sign = if difference < 0.0 { "" } else { "+" };
        let told = format!("{sign}{}", self.notation().write(difference));
        let share = (100.0 * difference / expected.abs()).round();
        Some(match share {
            0.0 => format!("{told} (0 %)"),
            _ if share.abs() < 10_000.0 => format!("{told} ({share:+.0} %)"),
            _ => told,
        })
    }

    /// The rows of the table, the value first.
    pub fn facts(&self) -> Vec<Fact> {
        let mut facts = vec![Fact::new("Value", self.value())];
        if let (Some(band), Some(limits)) = (self.band, self.band()) {
            let expected = self.notation().write(band.expected);
            facts.push(Fact::new("Expected", self.with_unit(&expected)));
            let level = self
                .level
                .map_or(String::new(), |level| format!(" ({level})"));
            facts.push(Fact::new("Band", limits + &level));
        }
        facts.extend(
            self.deviation()
                .map(|deviation| Fact::new("Deviation", deviation)),
        );
        let length = write_length(self.length);
        facts.push(Fact::new(
            "Time",
            format!("{}, a bucket of {length}", write_moment(self.time)),
        ));
        facts
    }

    fn notation(&self) -> Notation {
        self.band
            .as_ref()
            .map_or_else(|| Notation::for_value(self.value), Notation::for_band)
    }

    fn with_unit(&self, figure: &str) -> String {
        self.unit
            .map_or_else(|| figure.to_string(), |unit| format!("{figure} {unit}"))
    }
}

fn limits(band: &Band) -> String {
    let notation = Notation::for_band(band);
    format!(
        "{} to {}",
        notation.write(band.lower),
        notation.write(band.upper)
    )
}

/// Day, time and zone in full.
pub fn write_moment(time: DateTime<Tz>) -> String {
    let zone = time.timezone().name();
    let told = write_day_and_time(time);
    // "UTC (UTC)" says it twice.
    if told.ends_with(zone) {
        told
    } else {
        format!("{told} ({zone})")
    }
}
