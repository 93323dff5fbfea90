//! An evaluation as programs read it: in `--format json`, and in what a webhook is posted.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;

use chrono::{DateTime, SecondsFormat};
use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::calendar::{Effect, Occurrence, Period};
use crate::config::Metric;
use crate::detect::{Breakdown, ColumnParts, Evaluation, Part, Verdict};
use crate::forecast::Side;
use crate::series::{Step, TimeSeries};

/// The metric and its evaluation, if there is one; `src/commands/README.md` explains the fields.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct EvaluationObject {
    metric: String,
    #[schemars(with = "Option<BTreeMap<String, Option<String>>>")]
    key: Option<Map<String, Value>>,
    title: String,
    unit: Option<String>,
    pub verdict: Option<VerdictWord>,
    reason: Option<String>,
    pub time: Option<Stamp>,
    value: Option<f64>,
    expected: Option<f64>,
    lower: Option<f64>,
    upper: Option<f64>,
    level: f64,
    deviation: Option<f64>,
    low_possible: Option<bool>,
    high_possible: Option<bool>,
    as_of: Option<Stamp>,
    events: Option<Vec<EventObject>>,
    ignored_buckets: Option<usize>,
    step: Option<String>,
    step_seconds: Option<i64>,
    history_from: Option<Stamp>,
    history_buckets: Option<usize>,
    history_missing: Option<usize>,
    clipped: Option<usize>,
    rows: Option<u64>,
    rows_empty: Option<u64>,
    rows_not_finite: Option<u64>,
    rows_time_unclear: Option<u64>,
    rows_repeated: Option<u64>,
    hint: Option<String>,
}

/// What came of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VerdictWord {
    High,
    Low,
    Normal,
    Undecided,
    /// No bucket came after the one judged last.
    Unchanged,
    /// It could not be judged at all.
    Failed,
}

impl From<&Verdict> for VerdictWord {
    fn from(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Breach(Side::High) => Self::High,
            Verdict::Breach(Side::Low) => Self::Low,
            Verdict::Normal => Self::Normal,
            Verdict::Undecided(_) | Verdict::NoData { .. } => Self::Undecided,
        }
    }
}

/// The parts that explain a difference.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct BreakdownObject {
    from: Stamp,
    to: Stamp,
    seen: f64,
    expected: f64,
    columns: Vec<ColumnObject>,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
struct ColumnObject {
    column: String,
    parts: Vec<PartObject>,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
struct PartObject {
    value: Option<String>,
    seen: f64,
    expected: f64,
    share: Option<f64>,
    stands_out: bool,
}

/// An event of a time.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct EventObject {
    name: String,
    effect: Effect,
    from: Stamp,
    until: Stamp,
}

/// As programs read it, with times in this zone. Of an evaluation that was stored, what it was made from is not
/// known.
pub fn evaluation_object(
    metric: &Metric,
    evaluation: Option<&Evaluation>,
    zone: Tz,
) -> EvaluationObject {
    let window = evaluation.and_then(Evaluation::window);
    let band = evaluation.and_then(|evaluation| evaluation.band);
    let cleaned = evaluation.and_then(Evaluation::cleaned);
    let history = cleaned.map(|cleaned| &cleaned.history);
    let rows = window.map(|window| window.row_counts);
    let latest = evaluation.and_then(|evaluation| evaluation.latest(zone));
    let level = evaluation.map_or(metric.method.level, |evaluation| evaluation.level);
    EvaluationObject {
        metric: metric.name.clone(),
        key: key_object(metric),
        title: metric.title.clone(),
        unit: metric.unit.clone(),
        verdict: evaluation.map(|evaluation| (&evaluation.verdict).into()),
        reason: evaluation.and_then(Evaluation::reason).map(str::to_string),
        time: latest.map(|latest| stamp(latest.time)),
        value: evaluation.and_then(|evaluation| evaluation.value),
        expected: band.map(|band| band.expected),
        lower: band.map(|band| band.lower),
        upper: band.map(|band| band.upper),
        level: level.share(),
        deviation: evaluation.and_then(|evaluation| evaluation.deviation),
        low_possible: evaluation.and_then(|evaluation| evaluation.low_possible),
        high_possible: evaluation.and_then(|evaluation| evaluation.high_possible),
        as_of: window.map(|window| stamp(window.as_of)),
        events: window.map(|window| event_objects(metric, window.as_of)),
        ignored_buckets: window.map(|window| window.ignored.buckets),
        step: window.map(|window| window.step().to_string()),
        step_seconds: window.and_then(|window| step_seconds(window.step())),
        history_from: history.map(|history| stamp(history.time(0))),
        history_buckets: history.map(TimeSeries::len),
        history_missing: history.map(TimeSeries::missing),
        clipped: cleaned.map(|cleaned| cleaned.clipped.len()),
        rows: rows.map(|rows| rows.rows),
        rows_empty: rows.map(|rows| rows.empty),
        rows_not_finite: rows.map(|rows| rows.not_finite),
        rows_time_unclear: rows.map(|rows| rows.unclear_time),
        rows_repeated: rows.map(|rows| rows.repeated),
        hint: window.and_then(|window| window.hint.clone()),
    }
}

/// The values of the key columns of one of many series; none for any other metric.
pub fn key_object(metric: &Metric) -> Option<Map<String, Value>> {
    let parts = metric.series.iter().flat_map(|series| series.key.parts());
    let parts: Map<String, Value> = parts
        .map(|part| (part.column.clone(), part.value.clone().into()))
        .collect();
    (!parts.is_empty()).then_some(parts)
}

/// The length of a step; months have none.
pub fn step_seconds(step: Step) -> Option<i64> {
    match step {
        Step::Fixed(step) => Some(step.seconds()),
        Step::Month => None,
    }
}

/// The parts that explain a difference, for programs.
pub fn breakdown_object(breakdown: &Breakdown, zone: Tz) -> BreakdownObject {
    let part = |part: &Part| PartObject {
        value: part.value.clone(),
        seen: part.seen,
        expected: part.expected,
        share: breakdown.share(part).into(),
        stands_out: part.stands_out,
    };
    let column = |column: &ColumnParts| ColumnObject {
        column: column.column.clone(),
        parts: column.parts.iter().map(part).collect(),
    };
    let [from, to] = [breakdown.start, breakdown.end].map(|time| stamp(time.with_timezone(&zone)));
    BreakdownObject {
        from,
        to,
        seen: breakdown.seen,
        expected: breakdown.expected,
        columns: breakdown.columns.iter().map(column).collect(),
    }
}

/// The events of a time.
pub fn event_objects(metric: &Metric, now: DateTime<Tz>) -> Vec<EventObject> {
    let events = metric.events.at(now.to_utc());
    events
        .map(|occurrence| event_object(&occurrence, now.timezone()))
        .collect()
}

pub fn event_object(occurrence: &Occurrence, zone: Tz) -> EventObject {
    let Period { start, end } = occurrence.period;
    EventObject {
        name: occurrence.event.name.clone(),
        effect: occurrence.event.effect,
        from: stamp(start.with_timezone(&zone)),
        until: stamp(end.with_timezone(&zone)),
    }
}

/// An instant as programs read it: RFC 3339 with offset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(extend("format" = "date-time"))]
pub struct Stamp(String);

pub fn stamp(time: DateTime<Tz>) -> Stamp {
    Stamp(time.to_rfc3339_opts(SecondsFormat::AutoSi, false))
}

impl fmt::Display for Stamp {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str(self)
    }
}

impl Deref for Stamp {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}
