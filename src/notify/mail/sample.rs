//! A metric of sales that was judged on a Sunday, for the tests of what is written of it.

use chrono::DateTime;

use super::*;
use crate::chart::Pictures;
use crate::config::Metric;
use crate::detect::Evaluation;
use crate::detect::Verdict;
use crate::forecast::clean::{Outliers, clip_outliers};
use crate::forecast::{Band, Forecast, Level};
use crate::series::{Observation, RowCounts, parse_time, sample};
use crate::source::Window;

pub fn evaluation(verdict: Verdict, value: f64) -> Evaluation {
    let time = parse_time("2026-11-22 14:05", chrono_tz::Europe::Paris).expect("a time");
    let values: Vec<_> = (0..600).map(|step| Some(f64::from(step % 100))).collect();
    let history = sample::series_from("2026-11-20 12:05", "5m", &values);
    Evaluation {
        cleaned: Some(clip_outliers(&history, &Outliers::default()).expect("a history")),
        reading: Window {
            series: history,
            row_counts: RowCounts::default(),
            now: time + chrono::TimeDelta::minutes(6),
            newest: Some(time),
            stale_after: chrono::TimeDelta::minutes(15),
        },
        latest: Some(Observation { time, value }),
        forecast: Some(Forecast::sample(
            time,
            Band::new(912.1, 1102.4, 1297.8).expect("a band"),
            Vec::new(),
        )),
        level: Level::default(),
        verdict,
    }
}

pub fn metric(title: &str) -> Metric {
    let mut metric = Metric::of_file("sales");
    metric.title = title.to_string();
    metric.unit = Some("EUR".to_string());
    metric
}

pub fn pictures() -> Pictures {
    Pictures {
        day: (0..=255).cycle().take(5000).collect(),
        two_days: vec![7; 3000],
    }
}

pub fn writing(title: &str, verdict: Verdict, value: f64) -> Writing {
    compose(
        &metric(title),
        &evaluation(verdict, value),
        Some(&pictures()),
        Some("Data team <data@example.com> & co"),
    )
}

pub fn message(writing: &Writing, to: &str) -> Vec<u8> {
    let from: Mailbox = "Watch <watch@example.com>".parse().expect("an address");
    let now = DateTime::from_timestamp(1_795_353_060, 0).expect("a time");
    writing
        .address(&Address {
            from: &from,
            to: &to.parse().expect("an address"),
            date: now,
            name: "sales.1795352700.high",
            answers: None,
        })
        .expect("a letter")
        .message
        .formatted()
}

pub fn html(writing: &Writing) -> String {
    writing.html().expect("a page")
}
