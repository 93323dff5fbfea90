//! An evaluation in the words of people: the value, what was expected, and how far apart they are; and how
//! long an alert lasts.

use chrono::{DateTime, Days, TimeDelta, Utc};
use chrono_tz::Tz;

use super::message::Fact;
use crate::config::Metric;
use crate::detect::{Evaluation, Workings};
use crate::incident::{Alert, End, Worst};
use crate::output::{
    Notation, is_of_days, isolate, separate_thousands, write_begin, write_begin_in_full,
    write_change, write_extent, write_lasting, write_when,
};
use crate::series::Aggregate;

pub struct Figures<'a> {
    pub metric: &'a Metric,
    pub evaluation: &'a Evaluation,
    value: f64,
    /// As of when times are told.
    pub now: DateTime<Tz>,
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

    /// "1,843 at 14:05 CET, usually 912 to 1,298", if anything was expected.
    pub fn headline(&self) -> Option<String> {
        let band = self.evaluation.band?.write(self.notation());
        let value = self.plain_value_at();
        Some(format!("{value}, usually {band}"))
    }

    /// "Sales is unusually high: 1,843 EUR at 14:05 CET, 67 % higher than expected; usually 912 to 1,298 EUR."
    pub fn sentence(&self, place: &str) -> String {
        let title = title(self.metric);
        let figures = self.against_usual();
        let figures = figures.unwrap_or_else(|| self.value_at());
        format!("{title} {place}: {figures}.")
    }

    /// "1,843 EUR at 14:05 CET, 67 % higher than expected; usually 912 to 1,298 EUR"
    pub fn against_usual(&self) -> Option<String> {
        let (value, band) = (self.value_at(), self.band()?);
        let expected = match self.change() {
            Some(change) => format!(", {change} than expected"),
            None => format!(" (expected: {})", self.expected()?),
        };
        Some(format!("{value}{expected}; usually {band}"))
    }

    /// "1,203 EUR at 14:05 CET; usually 912 to 1,298 EUR"
    pub fn beside_usual(&self) -> Option<String> {
        Some(format!("{}; usually {}", self.value_at(), self.band()?))
    }

    /// "1,843 at 14:05 CET", as a subject has it.
    pub fn plain_value_at(&self) -> String {
        format!("{} {}", self.notation().write(self.value), self.when())
    }

    /// "1,843 EUR at 14:05 CET"; of what adds up over a bucket "1,843 EUR from 14:05 to 14:10 CET".
    pub fn value_at(&self) -> String {
        let start = self.evaluation.start(self.now.timezone());
        let length = self.evaluation.bucket.length();
        let adds_up = self.metric.aggregate.is_some_and(Aggregate::adds_up);
        let when = if adds_up {
            write_extent(start, start + length, length, self.now)
        } else {
            self.when()
        };
        format!("{} {when}", self.value())
    }

    /// "1,843 EUR"; of what adds up over a bucket "1,843 EUR in 5 min".
    pub fn value_in_bucket(&self) -> String {
        let length = self.evaluation.bucket.length();
        let adds_up = self.metric.aggregate.is_some_and(Aggregate::adds_up);
        let span = if adds_up && !is_of_days(length) {
            let start = self.evaluation.start(self.now.timezone());
            format!(" in {}", write_lasting(start, length, length))
        } else {
            String::new()
        };
        self.value() + &span
    }

    /// The newest value that rows were seen for: "1,843 EUR at 14:05 CET (a week before: 1,790 EUR)".
    pub fn seen_last(&self) -> Option<String> {
        let window = self.evaluation.window()?;
        let (series, newest) = (&window.series, window.newest?);
        let index = series.index(series.grid().slot(newest));
        if series.time(index) != newest {
            return None;
        }
        let value = (*series.values().get(index)?)?;
        let value = self.with_unit(&self.evaluation.notation().write(value));
        let before = self.week_before(newest).unwrap_or_default();
        Some(format!("{value} {}{before}", self.when_of(newest)))
    }

    /// " (a week before: 103)"; `None` where it is not known, or a week is but a bucket.
    fn week_before(&self, time: DateTime<Tz>) -> Option<String> {
        const WEEK: Days = Days::new(7);
        let series = &self.evaluation.window()?.series;
        let week_before = time.checked_sub_days(WEEK)?;
        let index = series.index(series.grid().slot(week_before));
        let is_short = self.evaluation.bucket.length() < TimeDelta::days(6);
        let is_known = is_short && series.time(index) == week_before;
        let value = (*series.values().get(index).filter(|_| is_known)?)?;
        let value = self.with_unit(&self.evaluation.notation().write(value));
        Some(format!(" (a week before: {value})"))
    }

    fn expected(&self) -> Option<String> {
        let expected = self.evaluation.band?.expected;
        Some(self.with_unit(&self.notation().write_expected(expected)))
    }

    pub fn value(&self) -> String {
        self.with_unit(&self.notation().write(self.value))
    }

    /// A sum of values: "41,200 EUR".
    pub fn amount(&self, amount: f64) -> String {
        self.with_unit(&self.evaluation.notation_of(amount).write(amount))
    }

    /// "at 14:05 CET", when its bucket began; of days "on Sat 21 Nov".
    pub fn when(&self) -> String {
        self.when_of(self.evaluation.start(self.now.timezone()))
    }

    fn when_of(&self, start: DateTime<Tz>) -> String {
        write_when(start, self.evaluation.bucket.length(), self.now)
    }

    /// "912 to 1,298 EUR"
    pub fn band(&self) -> Option<String> {
        Some(self.with_unit(&self.evaluation.band?.write(self.notation())))
    }

    /// "67 % higher", than was expected; `None` where such a share says nothing.
    pub fn change(&self) -> Option<String> {
        write_change_from(self.evaluation.band?.expected, self.value)
    }

    /// "+741 EUR (67 % higher)"
    pub fn deviation(&self) -> Option<String> {
        Some(self.difference(self.value, self.evaluation.band?.expected))
    }

    fn difference(&self, value: f64, expected: f64) -> String {
        let difference = value - expected;
        let sign = if difference < 0.0 { "" } else { "+" };
        let difference = self.notation().write(difference);
        let told = self.with_unit(&format!("{sign}{difference}"));
        let change = write_change_from(expected, value);
        told + &change.map_or(String::new(), |change| format!(" ({change})"))
    }

    /// How much the value is above what was expected.
    pub fn excess(&self) -> Option<f64> {
        Some(self.value - self.evaluation.band?.expected)
    }

    /// "2,312 EUR at 13:35 CET, +1,446 EUR (167 % higher)"
    pub fn worst(&self, worst: Worst) -> String {
        // With all its digits where it is still known.
        let workings = self.evaluation.workings.as_deref();
        let mut known = workings.into_iter().flat_map(Workings::banded_values);
        let known = known.find(|point| point.time.to_utc() == worst.time);
        let value = known.map_or(f64::from(worst.value), |point| point.value);
        let value = self.with_unit(&self.notation().write(value));
        let when = self.when_of(worst.time.with_timezone(&self.now.timezone()));
        let deviation = self.difference(worst.value.into(), worst.expected.into());
        format!("{value} {when}, {deviation}")
    }

    /// The rows of the table, the value first.
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
        facts
    }

    /// The same of a value that is not told by its band, but against something else.
    pub fn facts_against(&self, name: &str, other: f64) -> Vec<Fact> {
        vec![
            Fact::new("Value", self.value()),
            Fact::new(name, self.beside(other)),
        ]
    }

    /// Another value, in as many digits as this one.
    pub fn beside(&self, other: f64) -> String {
        self.with_unit(&self.notation().write(other))
    }

    /// "Sunday 22 November 2026, 14:05 CET (Europe/Paris), a bucket of 5 min"
    pub fn bucket(&self) -> String {
        let length = self.evaluation.bucket.length();
        let start = self.evaluation.start(self.now.timezone());
        let time = write_moment(start, length);
        let length = write_lasting(start, length, length);
        format!("{time}, a bucket of {length}")
    }

    fn notation(&self) -> Notation {
        self.evaluation.notation()
    }

    fn with_unit(&self, figure: &str) -> String {
        let unit = self.metric.unit.as_deref().map(isolate);
        unit.map_or_else(|| figure.to_string(), |unit| format!("{figure} {unit}"))
    }
}

/// The title as it may stand in a sentence.
pub fn title(metric: &Metric) -> String {
    isolate(&metric.title)
}

/// "67 % higher"; `None` where such a share says nothing.
pub fn write_change_from(expected: f64, value: f64) -> Option<String> {
    const LARGEST: f64 = 100.0;
    let share = (value - expected) / expected.abs();
    (share.abs() <= LARGEST).then(|| write_change(share))
}

/// What the band was drawn from.
pub fn history(evaluation: &Evaluation) -> Vec<Fact> {
    let Some(cleaned) = evaluation.cleaned() else {
        return Vec::new();
    };
    let history = &cleaned.history;
    let count = |count: usize| separate_thousands(&count.to_string());
    let (length, missing) = (history.span(), count(history.missing()));
    let values = count(history.len() - history.missing());
    let used = format!("{length}, {values} values, {missing} missing");
    vec![
        Fact::new("History used", used),
        Fact::new("Outliers clipped", count(cleaned.clipped.len())),
    ]
}

/// Day, time and zone in full; of a bucket of days the day alone, and of a month that.
pub fn write_moment(time: DateTime<Tz>, bucket: TimeDelta) -> String {
    let zone = time.timezone().name();
    let told = write_begin_in_full(time, bucket);
    // "UTC (UTC)" says it twice.
    if is_of_days(bucket) || told.ends_with(zone) {
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
    /// The length of the buckets, if it is about some.
    bucket: TimeDelta,
}

impl Extent {
    /// That of an open alert reaches up to `so_far`.
    pub fn new(alert: &Alert, so_far: DateTime<Utc>, now: DateTime<Tz>) -> Self {
        let until = match &alert.end {
            Some(End::Over { until, .. } | End::Accepted { until, .. }) => *until,
            Some(End::Turned) | None => so_far,
        };
        let bucket = alert.evaluation.as_ref().map(|own| own.bucket.length());
        Self {
            since: alert.since.with_timezone(&now.timezone()),
            until: until.with_timezone(&now.timezone()),
            now,
            bucket: bucket.unwrap_or_default(),
        }
    }

    /// "13:55 CET"
    pub fn since(&self) -> String {
        write_begin(self.since, self.bucket, self.now)
    }

    /// "35 min"
    pub fn length(&self) -> String {
        write_lasting(self.since, self.until - self.since, self.bucket)
    }

    /// "from 13:55 to 14:30 CET"; of days "on Sat 21 Nov", "from Fri 20 Nov to Sun 22 Nov".
    pub fn span(&self) -> String {
        write_extent(self.since, self.until, self.bucket, self.now)
    }

    /// "since 13:55 CET, for 35 min"
    pub fn so_far(&self) -> String {
        format!("since {}, for {}", self.since(), self.length())
    }

    /// "Sunday 22 November 2026, 13:55 CET (Europe/Paris), for 35 min"
    pub fn since_in_full(&self) -> String {
        let since = write_moment(self.since, self.bucket);
        format!("{since}, for {}", self.length())
    }

    /// "from 13:55 to 14:30 CET, 35 min"
    pub fn in_full(&self) -> String {
        format!("{}, {}", self.span(), self.length())
    }

    /// What so much in all was a day.
    pub fn a_day(&self, amount: f64) -> f64 {
        const DAY_SECONDS: f64 = 86_400.0;
        amount * DAY_SECONDS / (self.until - self.since).as_seconds_f64().max(1.0)
    }
}
