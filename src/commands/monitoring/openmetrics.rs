//! The metrics of a run, for the textfile collector of the node exporter: they are written as both Prometheus'
//! text format and its successor have them (<https://prometheus.io/docs/specs/om/open_metrics_spec>).

use chrono::{DateTime, Utc};

use super::Standing;
use crate::detect::Evaluation;
use crate::forecast::Side;

/// When the last runs were, and what they left.
#[derive(Debug, Clone, Copy)]
pub struct Runs {
    pub last: DateTime<Utc>,
    pub last_good: Option<DateTime<Utc>>,
    /// Whether notifications wait to be accepted.
    pub is_waiting: bool,
}

const VERDICTS: [&str; 4] = ["normal", "high", "low", "undecided"];

/// A family of gauges: its name, what it says, and its samples.
struct Family {
    name: &'static str,
    help: &'static str,
    samples: Vec<Sample>,
}

struct Sample {
    labels: String,
    value: f64,
}

pub fn write_metrics(standings: &[Standing], runs: Runs) -> String {
    let of_evaluation = |name, help, figure: &dyn Fn(&Evaluation) -> Option<f64>| Family {
        name,
        help,
        samples: samples(standings, |standing| figure(standing.evaluation()?)),
    };
    let mut families = vec![
        of_evaluation("value", "The newest value that was judged.", &|one| {
            one.value
        }),
        of_evaluation("expected", "What was expected of it.", &|one| {
            Some(one.band?.expected)
        }),
        of_evaluation("lower", "The lower limit of its band.", &|one| {
            Some(one.band?.lower)
        }),
        of_evaluation("upper", "The upper limit of its band.", &|one| {
            Some(one.band?.upper)
        }),
        of_evaluation(
            "deviation",
            "How far it is from what was expected, in half-widths of the band.",
            &|one| one.deviation,
        ),
        of_evaluation(
            "newest_bucket_end_timestamp_seconds",
            "When the newest judged bucket ended.",
            &|one| Some(seconds(one.bucket.end)),
        ),
        of_evaluation(
            "newest_bucket_age_seconds",
            "How long that was before the last run.",
            &|one| Some((runs.last - one.bucket.end).as_seconds_f64()),
        ),
    ];
    families.push(Family {
        name: "verdict",
        help: "1 for the verdict on the newest value.",
        samples: VERDICTS
            .iter()
            .flat_map(|word| verdict(standings, word))
            .collect(),
    });
    families.push(Family {
        name: "incident_open",
        help: "Whether an incident is open, by its side.",
        samples: [Side::High, Side::Low]
            .into_iter()
            .flat_map(|side| incident(standings, side))
            .collect(),
    });
    families.push(Family {
        name: "unwatched",
        help: "Whether the metric cannot be watched: the check fails, or data is missing or says too little.",
        samples: samples(standings, |standing| Some(truth(standing.obstacle().is_some()))),
    });
    let of_run = |name, help, value: Option<f64>| Family {
        name,
        help,
        samples: value
            .map(|value| Sample {
                labels: String::new(),
                value,
            })
            .into_iter()
            .collect(),
    };
    families.push(of_run(
        "last_run_timestamp_seconds",
        "When the last run was.",
        Some(seconds(runs.last)),
    ));
    families.push(of_run(
        "last_good_run_timestamp_seconds",
        "When the last run was in which nothing failed.",
        runs.last_good.map(seconds),
    ));
    families.push(of_run(
        "notifications_waiting",
        "Whether notifications wait to be accepted.",
        Some(truth(runs.is_waiting)),
    ));
    let families: String = families.iter().map(Family::write).collect();
    format!("{families}# EOF\n")
}

impl Family {
    fn write(&self) -> String {
        let Self {
            name,
            help,
            samples,
        } = self;
        if samples.is_empty() {
            return String::new();
        }
        let line =
            |sample: &Sample| format!("bandwatch_{name}{} {}\n", sample.labels, sample.value);
        let lines: String = samples.iter().map(line).collect();
        format!("# HELP bandwatch_{name} {help}\n# TYPE bandwatch_{name} gauge\n{lines}")
    }
}

/// A sample for each metric that has a figure.
fn samples(standings: &[Standing], figure: impl Fn(&Standing) -> Option<f64>) -> Vec<Sample> {
    let sample = |standing: &Standing| {
        let value = figure(standing)?;
        let labels = format!("{{metric=\"{}\"}}", label(&standing.metric.name));
        Some(Sample { labels, value })
    };
    standings.iter().filter_map(sample).collect()
}

fn verdict(standings: &[Standing], word: &'static str) -> Vec<Sample> {
    let figure = |standing: &Standing| Some(truth(standing.evaluation()?.verdict.word() == word));
    labelled(samples(standings, figure), "verdict", word)
}

fn incident(standings: &[Standing], side: Side) -> Vec<Sample> {
    let is_open = |standing: &Standing| standing.incident().is_some_and(|(open, _)| open == side);
    let figure = |standing: &Standing| Some(truth(is_open(standing)));
    labelled(samples(standings, figure), "side", side.word())
}

fn labelled(mut samples: Vec<Sample>, name: &str, value: &str) -> Vec<Sample> {
    for sample in &mut samples {
        sample.labels.pop();
        sample.labels += &format!(",{name}=\"{value}\"}}");
    }
    samples
}

fn label(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

fn truth(holds: bool) -> f64 {
    if holds { 1.0 } else { 0.0 }
}

fn seconds(time: DateTime<Utc>) -> f64 {
    (time - DateTime::UNIX_EPOCH).as_seconds_f64()
}
