//! A metric of sales that was judged on a Sunday, for the tests of what is written of it.

use chrono::DateTime;

use super::*;
use crate::chart::Pictures;
use crate::config::Metric;
use crate::detect::{Evaluation, Verdict, Workings};
use crate::forecast::clean::Cleaned;
use crate::forecast::{Band, Forecast, Level};
use crate::series::{RowCounts, Window, parse_time, sample};

pub fn evaluation(verdict: Verdict, value: f64) -> Evaluation {
    let time = parse_time("2026-11-22 14:05", chrono_tz::Europe::Paris).expect("a time");
    let values: Vec<_> = (0..600).map(|step| Some(f64::from(step % 100))).collect();
    let history = sample::series_from("2026-11-20 12:05", "5m", &values);
    let cleaned = Cleaned::untouched(&history);
    let band = Band::new(912.1, 1102.4, 1297.8).expect("a band");
    let window = Window {
        series: history,
        row_counts: RowCounts::default(),
        as_of: time + chrono::TimeDelta::minutes(6),
        newest: Some(time),
        stale_after: chrono::TimeDelta::minutes(15),
    };
    let half_width = if value < 1102.4 { 190.3 } else { 195.4 };
    Evaluation {
        bucket: window.bucket(time),
        value: Some(value),
        band: Some(band),
        level: Level::default(),
        deviation: Some((value - 1102.4) / half_width),
        score: Some(0.001),
        verdict,
        low_possible: Some(true),
        high_possible: Some(true),
        workings: Some(std::sync::Arc::new(Workings {
            window,
            cleaned: Some(cleaned),
            forecast: Some(Forecast::sample(time, band, Vec::new())),
        })),
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
