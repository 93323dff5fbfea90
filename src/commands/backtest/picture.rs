//! The picture of a replay: value and band over the period, with its breaches.

use anyhow::Result;

use super::replay::Replay;
use crate::chart::{Mark, Marked, Period, Point, draw_period};
use crate::config::Metric;
use crate::forecast::Side;

/// As PNG.
///
/// # Errors
///
/// If it cannot be drawn, which no data is known to cause.
pub fn draw(replay: &Replay, metric: &Metric) -> Result<Vec<u8>> {
    let points: Vec<Marked> = replay
        .points
        .iter()
        .map(|point| Marked {
            point: Point {
                time: point.time,
                value: Some(point.value),
                clipped: false,
                band: point.decision().map(|decision| decision.band),
            },
            mark: match point.breach() {
                Some(Side::High) => Some(Mark::High),
                Some(Side::Low) => Some(Mark::Low),
                None => None,
            },
        })
        .collect();
    // The unit's usual place is taken by a longer legend.
    let title = match &metric.unit {
        Some(unit) => format!("{} ({unit}): backtest", metric.title),
        None => format!("{}: backtest", metric.title),
    };
    draw_period(&Period {
        title: &title,
        points: &points,
        band_label: &format!("{} band", replay.level),
        step: replay.spacing(),
    })
}
