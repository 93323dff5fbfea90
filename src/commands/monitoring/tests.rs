//! What is told of metrics that are fine, in an incident, and not watched.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::*;
use crate::cli::{PluginState, Severity};
use crate::commands::report::tests::evaluation;
use crate::incident::{CheckResult, Muted, Policy};

fn now() -> DateTime<Tz> {
    let time = crate::series::parse_time("2026-11-22 15:05", chrono_tz::Europe::Paris);
    time.expect("a time")
}

fn metric(name: &str) -> Metric {
    Metric::of_file(name)
}

/// After a run that found this.
fn known(result: &CheckResult) -> MetricState {
    let mut known = MetricState::default();
    known.update(result, now().to_utc(), &Policy::default(), Muted::No);
    known
}

fn judged(value: f64) -> MetricState {
    known(&CheckResult::Evaluated(evaluation(value)))
}

fn told(known: &[(&str, MetricState)], severity: Severity) -> (PluginState, String) {
    let metrics: Vec<Metric> = known.iter().map(|(name, _)| metric(name)).collect();
    let standings = metrics.iter().zip(known);
    let standings = standings.map(|(metric, (_, known))| Standing {
        metric,
        known: Some(known),
    });
    write_plugin_output(&standings.collect::<Vec<_>>(), &[], severity, now())
}

#[test]
fn a_plugin_says_in_one_line_what_is_usual_with_its_band_as_a_range() {
    let (state, text) = told(&[("sales", judged(1060.0))], Severity::Critical);
    assert_eq!(state, PluginState::Ok);
    assert!(text.starts_with("BANDWATCH OK: sales 1,060 "), "{text}");
    let (_, figures) = text.split_once(" | ").expect("figures");
    let parts: Vec<&str> = figures.trim_end().split(';').collect();
    assert_eq!(parts[0], "'sales'=1060");
    assert!(
        parts[1] == parts[2] && parts[1].split(':').count() == 2,
        "{figures}"
    );
}

#[test]
fn an_incident_is_as_grave_as_is_set_and_outweighs_what_is_unknown() {
    let metrics = [
        ("a|b", judged(1060.0)),
        (
            "orders",
            known(&CheckResult::Failed("query failed".to_string())),
        ),
        ("sales", judged(1e6)),
    ];
    let (state, text) = told(&metrics, Severity::Critical);
    assert_eq!(state, PluginState::Critical);
    let lines: Vec<&str> = text.lines().collect();
    assert!(
        lines[0].starts_with("BANDWATCH CRITICAL: sales high since 14:00 CET: 1,000,000 "),
        "{text}"
    );
    assert!(lines[0].contains(", and 1 more | 'a/b'=1060;"), "{text}");
    assert_eq!(lines[1..], ["UNKNOWN: orders: query failed"]);
    assert_eq!(told(&metrics, Severity::Warning).0, PluginState::Warning);
    assert_eq!(
        told(&metrics[..2], Severity::Warning).0,
        PluginState::Unknown
    );
    let nothing = ("new", MetricState::default());
    let (state, text) = told(&[nothing], Severity::Critical);
    assert_eq!(state, PluginState::Unknown);
    assert_eq!(text, "BANDWATCH UNKNOWN: new: not judged yet\n");
}

#[test]
fn what_failed_in_the_run_itself_is_unknown() {
    let failures = ["state_dir: No space left".to_string()];
    let (state, text) = write_plugin_output(&[], &failures, Severity::Critical, now());
    assert_eq!(state, PluginState::Unknown);
    assert_eq!(text, "BANDWATCH UNKNOWN: state_dir: No space left\n");
}

#[test]
fn a_file_of_metrics_has_a_sample_for_each_figure_that_is_known() {
    let metrics = [metric("sales \"a\""), metric("orders")];
    let sales = judged(1e6);
    let orders = known(&CheckResult::Failed("query failed".to_string()));
    let standings = [
        Standing {
            metric: &metrics[0],
            known: Some(&sales),
        },
        Standing {
            metric: &metrics[1],
            known: Some(&orders),
        },
    ];
    let last: DateTime<Utc> = now().to_utc();
    let runs = Runs {
        last,
        last_good: Some(last - TimeDelta::minutes(1)),
        is_waiting: false,
    };
    let text = write_metrics(&standings, runs);
    for line in [
        "# TYPE bandwatch_value gauge",
        "bandwatch_value{metric=\"sales \\\"a\\\"\"} 1000000",
        "bandwatch_verdict{metric=\"sales \\\"a\\\"\",verdict=\"high\"} 1",
        "bandwatch_verdict{metric=\"sales \\\"a\\\"\",verdict=\"low\"} 0",
        "bandwatch_incident_open{metric=\"sales \\\"a\\\"\",side=\"high\"} 1",
        "bandwatch_incident_open{metric=\"orders\",side=\"high\"} 0",
        "bandwatch_unwatched{metric=\"orders\"} 1",
        "bandwatch_newest_bucket_age_seconds{metric=\"sales \\\"a\\\"\"} 300",
        "bandwatch_last_run_timestamp_seconds 1795356300",
        "bandwatch_last_good_run_timestamp_seconds 1795356240",
        "bandwatch_notifications_waiting 0",
    ] {
        assert!(text.lines().any(|one| one == line), "{line}\n{text}");
    }
    assert!(
        !text.contains("bandwatch_value{metric=\"orders\"}"),
        "{text}"
    );
    assert!(text.ends_with("\n# EOF\n"));
}
