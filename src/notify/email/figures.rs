//! An evaluation in the words of people: the value, what was expected, and how far apart they are; and how
//! long an alert lasts.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::message::Fact;
use crate::config::Metric;
use crate::detect::Evaluation;
use crate::forecast::Band;
use crate::incident::{Alert, End};
use crate::output::{
    Notation, separate_thousands, write_day_and_time, write_length, write_span, write_time,
    write_times,
};

pub struct Figures<'a> {
    pub metric: &'a Metric,
    pub evaluation: &'a Evaluation,
    value: f64,
    now: DateTime<Tz>,
}

impl<'a> Figures<'a> {
    /// `None` where the evaluation knows no value. Times are told as of its window, or as of `now`.
    pub fn new(metric: &'a Metric, evaluation: &'a Evaluation, now: DateTime<Tz>) -> Option<Self> {
        Some(Self {
            metric,
            evaluation,
            value: evaluation.value?,
            now: evaluation.window().map_or(now, |window| window.as_of),
        })
    }

    /// "1,843.20 at 14:05 CET, expected 912.10 to 1,297.80", if anything was expected.
    pub fn headline(&self) -> Option<String> {
        let limits = limits(&self.evaluation.band?);
        let (value, time) = (self.notation().write(self.value), self.time());
        Some(format!("{value} at {time}, expected {limits}"))
    }

    /// "Sales at 14:05 CET is above its band: 1,843.20 EUR, where 1,102.40 EUR was expected."
    pub fn sentence(&self, place: &str) -> String {
        let (title, time) = (&self.metric.title, self.time());
        let figures = self.against_expected();
        let figures = figures.map_or(String::new(), |figures| format!(": {figures}"));
        format!("{title} at {time} {place}{figures}.")
    }

    /// "1,843.20 EUR, where 1,102.40 EUR was expected"
    pub fn against_expected(&self) -> Option<String> {
        let (value, expected) = (self.value(), self.expected()?);
        Some(format!("{value}, where {expected} was expected"))
    }

    fn expected(&self) -> Option<String> {
        let expected = self.evaluation.band?.expected;
        Some(self.with_unit(&self.notation().write(expected)))
    }

    pub fn value(&self) -> String {
        self.with_unit(&self.notation().write(self.value))
    }

    /// A sum of values: "41,200 EUR".
    pub fn amount(&self, amount: f64) -> String {
        self.with_unit(&Notation::for_value(amount).write(amount))
    }

    /// When its bucket began.
    pub fn time(&self) -> String {
        write_time(self.evaluation.start(self.now.timezone()), self.now)
    }

    /// "912.10 to 1,297.80 EUR"
    pub fn band(&self) -> Option<String> {
        Some(self.with_unit(&limits(&self.evaluation.band?)))
    }

    /// "+740.80 (+67 %), 3.8 times the distance to the limit"
    pub fn deviation(&self) -> Option<String> {
        let expected = self.evaluation.band?.expected;
        let difference = self.value - expected;
        let sign = if difference < 0.0 { "" } else { "+" };
        let mut told = format!("{sign}{}", self.notation().write(difference));
        let share = (100.0 * difference / expected.abs()).round();
        if share == 0.0 {
            told += " (0 %)";
        } else if share.abs() < 10_000.0 {
            told += &format!(" ({share:+.0} %)");
        }
        if let Some(half_widths) = self.evaluation.deviation {
            let times = write_times(half_widths.abs());
            told += &format!(", {times} times the distance to the limit");
        }
        Some(told)
    }

    /// The rows of the table, the value first; and what it was drawn from, where that is known.
    pub fn facts(&self) -> Vec<Fact> {
        let evaluation = self.evaluation;
        let mut facts = vec![Fact::new("Value", self.value())];
        let mut add = |name, value: Option<String>| {
            facts.extend(value.map(|value| Fact::new(name, value)));
        };
        let band = self.band();
        add("Expected", self.expected());
        add(
            "Band",
            band.map(|band| format!("{band} ({})", evaluation.level)),
        );
        add("Deviation", self.deviation());
        let time = write_moment(evaluation.start(self.now.timezone()));
        let length = write_length(evaluation.bucket.length());
        facts.push(Fact::new("Time", format!("{time}, a bucket of {length}")));
        facts.extend(history(evaluation));
        facts
    }

    fn notation(&self) -> Notation {
        let band = self.evaluation.band.as_ref();
        band.map_or_else(|| Notation::for_value(self.value), Band::notation)
    }

    fn with_unit(&self, figure: &str) -> String {
        let unit = self.metric.unit.as_ref();
        unit.map_or_else(|| figure.to_string(), |unit| format!("{figure} {unit}"))
    }
}

/// What the band was drawn from.
pub fn history(evaluation: &Evaluation) -> Vec<Fact> {
    let Some(cleaned) = evaluation.cleaned() else {
        return Vec::new();
    };
    let history = &cleaned.history;
    let count = |count: usize| separate_thousands(&count.to_string());
    let (length, missing) = (write_length(history.span()), count(history.missing()));
    let values = count(history.len() - history.missing());
    let used = format!("{length}, {values} values, {missing} missing");
    vec![
        Fact::new("History used", used),
        Fact::new("Outliers clipped", count(cleaned.clipped.len())),
    ]
}

fn limits(band: &Band) -> String {
    let [lower, upper] = [band.lower, band.upper].map(|limit| band.notation().write(limit));
    format!("{lower} to {upper}")
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

/// How far an alert reaches in time, in the zone of the reader.
pub struct Extent {
    since: DateTime<Tz>,
    until: DateTime<Tz>,
    now: DateTime<Tz>,
}

impl Extent {
    /// That of an open alert reaches up to `so_far`.
    pub fn new(alert: &Alert, so_far: DateTime<Utc>, now: DateTime<Tz>) -> Self {
        let until = match &alert.end {
            Some(End::Over { until, .. } | End::Accepted { until, .. }) => *until,
            Some(End::Turned) | None => so_far,
        };
        Self {
            since: alert.since.with_timezone(&now.timezone()),
            until: until.with_timezone(&now.timezone()),
            now,
        }
    }

    /// "13:55 CET"
    pub fn since(&self) -> String {
        write_time(self.since, self.now)
    }

    /// "35 min"
    pub fn length(&self) -> String {
        write_length(self.until - self.since)
    }

    /// "13:55 to 14:30 CET"
    pub fn span(&self) -> String {
        write_span(self.since, self.until, self.now)
    }

    /// "since 13:55 CET, for 35 min"
    pub fn so_far(&self) -> String {
        format!("since {}, for {}", self.since(), self.length())
    }

    /// "Sunday 22 November 2026, 13:55 CET (Europe/Paris), for 35 min"
    pub fn since_in_full(&self) -> String {
        format!("{}, for {}", write_moment(self.since), self.length())
    }

    /// "13:55 to 14:30 CET, 35 min"
    pub fn in_full(&self) -> String {
        format!("{}, {}", self.span(), self.length())
    }
}
