//! The words of the report.

use super::*;
use crate::detect::{Evaluation, evaluate};
use crate::forecast::Direction;
use crate::forecast::{Method, Range};
use crate::series::Window;
use crate::series::sample::window;
use crate::series::{Buckets, Grid, Missing, parse_time};

/// Three weeks of hourly values ending at 14:00 in Paris, the last of them given.
pub fn evaluation(last: f64) -> Evaluation {
    evaluation_by(last, &Metric::of_file("sales"))
}

fn evaluation_by(last: f64, metric: &Metric) -> Evaluation {
    let end = parse_time("2026-11-22 14:00", chrono_tz::Europe::Paris).expect("a time");
    let grid = Grid::new("1h".parse().expect("a step"), end);
    let mut buckets = Buckets::new(grid.clone(), None);
    let last_slot = grid.slot(end);
    for steps in 0..20 * 24_u32 {
        let value = if steps == 0 {
            last
        } else {
            1000.0 + 200.0 * f64::from(steps % 24) + f64::from(steps * 7919 % 101)
        };
        buckets.add(grid.instant(last_slot - i64::from(steps)), Some(value));
    }
    let series = buckets.series(last_slot - 20 * 24, last_slot, Missing::Gap);
    let window = Window {
        row_counts: buckets.row_counts,
        ..window(series, Some(end))
    };
    evaluate(window, &metric.method, &crate::detect::Answers::default()).expect("an evaluation")
}

fn written(
    evaluation: Option<&Evaluation>,
    format: Format,
    verbosity: Verbosity,
) -> Option<String> {
    let failures = match evaluation {
        Some(_) => Vec::new(),
        None => vec!["query failed".to_string()],
    };
    let report = MetricReport {
        evaluation: evaluation.cloned(),
        failures,
        ..MetricReport::default()
    };
    report.write(&Metric::of_file("sales"), format, verbosity)
}

#[test]
fn a_breach_is_a_line_with_value_time_expectation_and_band() {
    let line = written(
        Some(&evaluation(1_234_567.0)),
        Format::Text,
        Verbosity::Notable,
    )
    .expect("a line");
    assert!(
        line.starts_with("sales  HIGH  1,234,567 at 14:00 CET, expected "),
        "{line}"
    );
    let band = line.split_once('(').expect("a band").1;
    assert!(band.ends_with(')') && band.contains(" to "), "{line}");
}

#[test]
fn under_cron_the_normal_is_not_worth_a_line() {
    let normal = evaluation(1050.0);
    assert_eq!(normal.verdict, Verdict::Normal);
    assert_eq!(
        written(Some(&normal), Format::Text, Verbosity::Notable),
        None
    );
    assert!(
        written(Some(&normal), Format::Text, Verbosity::Everything)
            .is_some_and(|line| line.starts_with("sales  NORMAL  1,050 at 14:00 CET"))
    );
    assert_eq!(
        written(Some(&evaluation(1e9)), Format::Text, Verbosity::Quiet),
        None
    );
}

#[test]
fn json_has_numbers_as_numbers_and_times_with_offset() {
    let text =
        written(Some(&evaluation(1e6)), Format::Json, Verbosity::Notable).expect("an object");
    let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(json["verdict"], "high");
    assert_eq!(json["time"], "2026-11-22T14:00:00+01:00");
    assert_eq!(json["value"], 1e6);
    assert!(
        json["lower"].as_f64() < json["expected"].as_f64()
            && json["expected"].as_f64() < json["upper"].as_f64()
    );
    assert!(
        json["deviation"]
            .as_f64()
            .is_some_and(|deviation| deviation > 1.0)
    );
    assert_eq!(json["reason"], serde_json::Value::Null);
}

#[test]
fn a_metric_that_could_not_be_read_is_in_the_json_too() {
    let text = written(None, Format::Json, Verbosity::Notable).expect("an object");
    let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(
        (json["verdict"].as_str(), json["failures"][0].as_str()),
        (Some("failed"), Some("query failed"))
    );
}

#[test]
fn the_fields_of_the_json_are_those_that_are_documented() {
    let text = written(None, Format::Json, Verbosity::Notable).expect("an object");
    let json: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(&text).expect("an object");
    assert_documented(json.keys().map(String::as_str), "field");
}

fn told_with(method: Method, verbosity: Verbosity) -> String {
    let mut metric = Metric::of_file("sales");
    metric.method = method;
    let evaluation = evaluation_by(1050.0, &metric);
    let report = MetricReport {
        evaluation: Some(evaluation),
        ..MetricReport::default()
    };
    let text = report.write(&metric, Format::Text, verbosity);
    text.unwrap_or_default()
}

#[test]
fn a_side_that_cannot_fire_is_told_with_its_remedies() {
    let band = evaluation(1050.0).band.expect("a band");
    assert!(band.lower < 1040.0 && band.upper > 1060.0, "{band:?}");
    let at_both_ends = Method {
        range: Range::new(Some(1040.0), Some(1060.0)).expect("a range"),
        ..Method::default()
    };
    let told = told_with(at_both_ends.clone(), Verbosity::Everything);
    for line in [
        "\n  Low cannot fire now: the lower limit is at min = 1040; aggregate longer (every), set a lower level, or watch the other side alone (direction = \"high\")",
        "\n  High cannot fire now: the upper limit is at max = 1060; aggregate longer (every), set a lower level, or watch the other side alone (direction = \"low\")",
    ] {
        assert!(told.contains(line), "{told}");
    }
    let low_alone = Method {
        direction: Direction::Low,
        ..at_both_ends.clone()
    };
    let told = told_with(low_alone, Verbosity::Everything);
    assert!(
        told.ends_with("min = 1040; aggregate longer (every), or set a lower level"),
        "{told}"
    );
    assert!(!told_with(at_both_ends, Verbosity::Notable).contains("cannot fire"));
}

/// These fields are those of the table under a heading in `src/commands/README.md`.
pub fn assert_documented<'a>(fields: impl Iterator<Item = &'a str>, heading: &str) {
    let mut fields: Vec<&str> = fields.collect();
    fields.sort_unstable();
    let table = include_str!("../README.md")
        .split(&format!("| {heading} | meaning |"))
        .nth(1)
        .and_then(|text| text.split("\n\n").next())
        .expect("a table");
    let names = table
        .lines()
        .filter_map(|row| row.strip_prefix("| `")?.split(" | ").next());
    let mut documented: Vec<&str> = names
        .flat_map(|names| names.split(", "))
        .map(|name| name.trim_matches('`'))
        .collect();
    documented.sort_unstable();
    assert_eq!(documented, fields);
}
