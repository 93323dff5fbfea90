//! What an explanation says of made series.

use std::path::Path;

use serde_json::Value;

use super::{Parts, Told, json, text};
use crate::commands::report::tests::assert_documented;
use crate::commands::report::{MetricReport, check_object};
use crate::config::Metric;
use crate::detect::{Evaluation, Workings, evaluate};
use crate::forecast::{Method, ModelChoice, Range};
use crate::series::Window;
use crate::series::sample::window;
use crate::series::{Buckets, Grid, Missing, parse_time};

const NO_PARTS: Parts = Parts::Found(None);

/// Values of the hours up to 14:00 in Paris, oldest first.
fn reading(values: &[f64]) -> Window {
    let end = parse_time("2026-11-22 14:00", chrono_tz::Europe::Paris).expect("a time");
    let grid = Grid::new("1h".parse().expect("a step"), end);
    let mut buckets = Buckets::new(grid.clone(), None);
    let last_slot = grid.slot(end);
    for (slot, value) in (0..=last_slot).rev().zip(values.iter().rev()) {
        buckets.add(grid.instant(slot), Some(*value));
    }
    let series = buckets.series(last_slot - 20 * 24, last_slot, Missing::Gap);
    let newest = buckets.slots(i64::MIN, i64::MAX).next_back();
    Window {
        row_counts: buckets.row_counts,
        ..window(series, newest.map(|slot| grid.instant(slot)))
    }
}

/// Twenty days of a daily swing and some noise.
fn usual() -> Vec<f64> {
    (0..=20 * 24_u32)
        .map(|hour| {
            let turn = f64::from(hour % 24) / 24.0 * std::f64::consts::TAU;
            1000.0 + 400.0 * turn.sin() + f64::from(hour * 7919 % 101) / 2.0
        })
        .collect()
}

fn metric(method: Method) -> Metric {
    let mut metric = Metric::of_file("sales");
    metric.method = method;
    metric
}

fn judged(values: &[f64], metric: &Metric) -> Evaluation {
    evaluate(
        reading(values),
        &metric.method,
        &crate::detect::Answers::default(),
    )
    .expect("an evaluation")
}

fn workings(evaluation: &Evaluation) -> &Workings {
    evaluation.workings.as_deref().expect("workings")
}

fn written(metric: &Metric, evaluation: &Evaluation, picture: Option<&Path>) -> String {
    text::write(
        metric,
        evaluation,
        workings(evaluation),
        &Told::default(),
        &NO_PARTS,
        picture,
    )
}

fn object(evaluation: &Evaluation, metric: &Metric) -> Value {
    let object = json::object(
        metric,
        evaluation,
        workings(evaluation),
        NO_PARTS,
        None,
        None,
    );
    serde_json::to_value(object).expect("JSON")
}

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

#[test]
fn contributions_sum_up_to_what_was_expected() {
    let cut_to = |max: f64| Range::new(None, Some(max)).expect("a range");
    for (model, range) in [
        (ModelChoice::Autoregression, Range::default()),
        (ModelChoice::Mstl, Range::default()),
        (ModelChoice::Auto, cut_to(600.0)),
    ] {
        let metric = metric(Method {
            model,
            range,
            ..Method::default()
        });
        let told = object(&judged(&usual(), &metric), &metric);
        let parts = told["contributions"].as_array().expect("parts");
        let sum: f64 = parts.iter().map(|part| number(&part["value"])).sum();
        let expected = number(&told["expected"]);
        assert!(
            (sum - expected).abs() < 1e-9 * expected.abs(),
            "{model:?}: {sum} and {expected}"
        );
        assert_eq!(parts[0]["of"], "level");
        let cut = parts.iter().find(|part| part["of"] == "range");
        assert_eq!(cut.is_some(), range != Range::default(), "{parts:?}");
    }
}

#[test]
fn the_limits_at_its_level_are_those_of_the_verdict() {
    let metric = metric(Method::default());
    let told = object(&judged(&usual(), &metric), &metric);
    let limits = told["limits"].as_array().expect("limits");
    let levels: Vec<f64> = limits
        .iter()
        .map(|limits| number(&limits["level"]))
        .collect();
    assert_eq!(levels, [0.95, 0.99, 0.999]);
    for field in ["lower", "upper"] {
        assert_eq!(limits[0][field], told[field]);
    }
    assert!(number(&limits[2]["lower"]) < number(&limits[0]["lower"]));
    assert!(number(&limits[0]["upper"]) < number(&limits[2]["upper"]));
}

#[test]
fn a_clipped_value_is_told_with_what_it_counted_as() {
    let mut values = usual();
    let place = values.len() - 50;
    values[place] = 9000.0;
    let metric = metric(Method::default());
    let evaluation = judged(&values, &metric);
    let told = object(&evaluation, &metric);
    let clipped = told["clipped_values"].as_array().expect("a list");
    assert_eq!(told["clipped"], clipped.len());
    let spike = clipped.iter().find(|clipped| clipped["value"] == 9000.0);
    let spike = spike.expect("the spike");
    assert_eq!(spike["time"], "2026-11-20T13:00:00+01:00");
    assert!(number(&spike["counted_as"]) < 3000.0, "{spike}");
    let page = written(&metric, &evaluation, None);
    assert!(
        page.contains("\n                2026-11-20 13:00 CET  9,000 as "),
        "{page}"
    );
}

#[test]
fn an_incident_is_told_with_its_begin() {
    let mut values = usual();
    let from = values.len() - 4;
    values[from..].fill(20.0);
    let metric = metric(Method::default());
    let evaluation = judged(&values, &metric);
    let told = object(&evaluation, &metric);
    assert_eq!(told["held_since"], "2026-11-22T11:00:00+01:00");
    let page = written(&metric, &evaluation, None);
    assert!(
        page.contains("\n  incident    since 11:00 CET: the expectation does not follow"),
        "{page}"
    );
    assert!(page.contains("have lasted 1 d (adapt_after)"), "{page}");
}

#[test]
fn the_page_begins_with_the_line_of_the_check_and_has_each_step() {
    let mut values = usual();
    values[480] = 5000.0;
    let metric = metric(Method::default());
    let page = written(
        &metric,
        &judged(&values, &metric),
        Some(Path::new("why.png")),
    );
    assert!(
        page.starts_with("sales  HIGH  5,000 at 14:00 CET, expected "),
        "{page}"
    );
    for step in [
        "as of       2026-11-22 15:00:00 CET, in the time zone Europe/Paris, in buckets of 1 h",
        "rows        481 (empty 0, ",
        "history     480 buckets from 2026-11-02 14:00 CET to 2026-11-22 14:00 CET, 0 without data; a full window has 672",
        "clipped     ",
        "seasons     1 d: 9",
        "incident    none",
        "expected    ",
        "error       about ",
        "limits        95 %  ",
        "score       ",
        "deviation   ",
        "picture     why.png",
    ] {
        assert!(page.contains(&format!("\n  {step}")), "{step}\n{page}");
    }
    assert!(page.contains("  the last 8 values, "), "{page}");
    assert!(page.contains("  the season of 7 d\n"), "{page}");
}

#[test]
fn without_a_verdict_the_reason_and_the_rows_are_told() {
    let metric = metric(Method::default());
    for (values, rows) in [(&[][..], 0), (&usual()[..30], 30)] {
        let evaluation = judged(values, &metric);
        let page = written(&metric, &evaluation, None);
        assert!(page.starts_with("sales  UNDECIDED  "), "{page}");
        assert!(
            page.contains(&format!("\n  rows        {rows} (")),
            "{page}"
        );
        let told = object(&evaluation, &metric);
        assert_eq!(told["verdict"], "undecided");
        assert_eq!(told["score"], Value::Null);
        assert_eq!(told["contributions"], Value::Array(Vec::new()));
    }
}

#[test]
fn a_side_that_cannot_fire_is_told() {
    let metric = metric(Method {
        range: Range::new(Some(1041.0), None).expect("a range"),
        ..Method::default()
    });
    let page = written(&metric, &judged(&usual(), &metric), None);
    assert!(
        page.contains("\n  blind       Low cannot fire now: the lower limit is at min = 1041; "),
        "{page}"
    );
}

#[test]
fn the_fields_beyond_those_of_the_check_are_those_the_readme_explains() {
    let metric = metric(Method::default());
    let evaluation = judged(&usual(), &metric);
    let told = object(&evaluation, &metric);
    let report = MetricReport {
        evaluation: Some(evaluation.clone()),
        ..MetricReport::default()
    };
    let check = serde_json::to_value(check_object(&metric, &report)).expect("JSON");
    let fields = told.as_object().expect("an object").keys();
    let own = fields
        .map(String::as_str)
        .filter(|field| check.get(field).is_none());
    assert_documented(own, "explain field");
}
