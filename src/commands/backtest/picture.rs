//! The picture of a replay: value and band over the period, with its breaches.

use anyhow::Result;

use super::replay::Replay;
use crate::chart::{Point, draw_period};
use crate::config::Metric;

/// As PNG.
pub fn draw(replay: &Replay, metric: &Metric) -> Result<Vec<u8>> {
    let points: Vec<Point> = replay
        .points
        .iter()
        .map(|point| Point {
            band: point.band,
            breach: point.side(),
            ..Point::new(replay.time(point), point.value)
        })
        .collect();
    // The unit's usual place is taken by a longer legend.
    let title = match &metric.unit {
        Some(unit) => format!("{} ({unit}): backtest", metric.title),
        None => format!("{}: backtest", metric.title),
    };
    draw_period(&title, &points, replay.level, replay.spacing())
}
