//! An evaluation as programs read it: in `--format json`, and in what a webhook is posted.

use chrono::{DateTime, SecondsFormat};
use chrono_tz::Tz;
use serde_json::{Map, Value, json};

use crate::calendar::{Occurrence, Period};
use crate::config::Metric;
use crate::detect::{Breakdown, ColumnParts, Evaluation, Part};
use crate::series::{Step, TimeSeries};

/// The metric and its evaluation, if there is one, with times in this zone; `src/commands/README.md`
/// explains the fields. Of an evaluation that was stored, what it was made from is not known.
pub fn evaluation_object(metric: &Metric, evaluation: Option<&Evaluation>, zone: Tz) -> Value {
    let window = evaluation.and_then(Evaluation::window);
    let band = evaluation.and_then(|evaluation| evaluation.band);
    let cleaned = evaluation.and_then(Evaluation::cleaned);
    let history = cleaned.map(|cleaned| &cleaned.history);
    let rows = window.map(|window| window.row_counts);
    let latest = evaluation.and_then(|evaluation| evaluation.latest(zone));
    let level = evaluation.map_or(metric.method.level, |evaluation| evaluation.level);
    json!({
        "metric": metric.name,
        "key": key_object(metric),
        "title": metric.title,
        "unit": metric.unit,
        "verdict": evaluation.map(|evaluation| evaluation.verdict.word()),
        "reason": evaluation.and_then(Evaluation::reason),
        "time": latest.map(|latest| stamp(latest.time)),
        "value": evaluation.and_then(|evaluation| evaluation.value),
        "expected": band.map(|band| band.expected),
        "lower": band.map(|band| band.lower),
        "upper": band.map(|band| band.upper),
        "level": level.share(),
        "deviation": evaluation.and_then(|evaluation| evaluation.deviation),
        "low_possible": evaluation.and_then(|evaluation| evaluation.low_possible),
        "high_possible": evaluation.and_then(|evaluation| evaluation.high_possible),
        "as_of": window.map(|window| stamp(window.as_of)),
        "events": window.map(|window| event_objects(metric, window.as_of)),
        "ignored_buckets": window.map(|window| window.ignored.buckets),
        "step": window.map(|window| window.step().to_string()),
        "step_seconds": window.and_then(|window| step_seconds(window.step())),
        "history_from": history.map(|history| stamp(history.time(0))),
        "history_buckets": history.map(TimeSeries::len),
        "history_missing": history.map(TimeSeries::missing),
        "clipped": cleaned.map(|cleaned| cleaned.clipped.len()),
        "rows": rows.map(|rows| rows.rows),
        "rows_empty": rows.map(|rows| rows.empty),
        "rows_not_finite": rows.map(|rows| rows.not_finite),
        "rows_time_unclear": rows.map(|rows| rows.unclear_time),
        "rows_repeated": rows.map(|rows| rows.repeated),
        "hint": window.and_then(|window| window.hint.as_ref()),
    })
}

/// The values of the key columns of one of many series; null for any other metric.
pub fn key_object(metric: &Metric) -> Value {
    let parts = metric.series.iter().flat_map(|series| series.key.parts());
    let parts: Map<String, Value> = parts
        .map(|part| (part.column.clone(), json!(part.value)))
        .collect();
    if parts.is_empty() {
        Value::Null
    } else {
        parts.into()
    }
}

/// The length of a step; months have none.
pub fn step_seconds(step: Step) -> Option<i64> {
    match step {
        Step::Fixed(step) => Some(step.seconds()),
        Step::Month => None,
    }
}

/// The parts that explain a difference, for programs.
pub fn breakdown_object(breakdown: &Breakdown, zone: Tz) -> Value {
    let part = |part: &Part| {
        json!({
            "value": part.value,
            "seen": part.seen,
            "expected": part.expected,
            "share": breakdown.share(part),
            "stands_out": part.stands_out,
        })
    };
    let column = |column: &ColumnParts| {
        let parts: Vec<Value> = column.parts.iter().map(part).collect();
        json!({ "column": column.column, "parts": parts })
    };
    let columns: Vec<Value> = breakdown.columns.iter().map(column).collect();
    let [from, to] = [breakdown.start, breakdown.end].map(|time| stamp(time.with_timezone(&zone)));
    json!({
        "from": from,
        "to": to,
        "seen": breakdown.seen,
        "expected": breakdown.expected,
        "columns": columns,
    })
}

/// The events of a time.
pub fn event_objects(metric: &Metric, now: DateTime<Tz>) -> Vec<Value> {
    let events = metric.events.at(now.to_utc());
    events
        .map(|occurrence| event_object(&occurrence, now.timezone()))
        .collect()
}

pub fn event_object(occurrence: &Occurrence, zone: Tz) -> Value {
    let Period { start, end } = occurrence.period;
    json!({
        "name": occurrence.event.name,
        "effect": occurrence.event.effect.word(),
        "from": stamp(start.with_timezone(&zone)),
        "until": stamp(end.with_timezone(&zone)),
    })
}

/// An instant as programs read it: RFC 3339 with offset.
pub fn stamp(time: DateTime<Tz>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, false)
}
