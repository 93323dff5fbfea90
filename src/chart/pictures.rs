//! The two pictures of a judgement: its last 24 and 48 hours, drawn side by side.

use std::thread;

use anyhow::{Result, anyhow};
use chrono::TimeDelta;

use super::{Figure, Mark, Point, draw};
use crate::config::Metric;
use crate::judgement::Judgement;
use crate::notation::{Notation, write_time};
use crate::verdict::Verdict;

/// Both as PNG.
#[derive(Debug, Clone)]
pub struct Pictures {
    pub day: Vec<u8>,
    pub two_days: Vec<u8>,
}

/// Draws both.
///
/// # Errors
///
/// If a picture cannot be drawn, which no data is known to cause.
pub fn draw_pictures(metric: &Metric, judgement: &Judgement) -> Result<Pictures> {
    let points = points(judgement);
    let draw_last = |hours| draw_stretch(metric, judgement, stretch(&points, hours));
    thread::scope(|scope| {
        let two_days = scope.spawn(|| draw_last(48));
        let day = draw_last(24)?;
        let two_days = two_days
            .join()
            .map_err(|_| anyhow!("the picture of 48 hours could not be drawn"))??;
        Ok(Pictures { day, two_days })
    })
}

fn draw_stretch(metric: &Metric, judgement: &Judgement, points: &[Point]) -> Result<Vec<u8>> {
    let mark = mark(&judgement.verdict);
    let title = match mark {
        Mark::High => format!("{}: above its band", metric.title),
        Mark::Low => format!("{}: below its band", metric.title),
        Mark::Normal => format!("{}: inside its band", metric.title),
        Mark::Undecided => format!("{}: not decided", metric.title),
    };
    draw(&Figure {
        title: &title,
        unit: metric.unit.as_deref(),
        points,
        mark,
        label: &label(judgement),
        band_label: &format!("{} band", judgement.level),
        step: judgement.reading.series.grid().step().delta(),
    })
}

pub fn mark(verdict: &Verdict) -> Mark {
    match verdict {
        Verdict::High => Mark::High,
        Verdict::Low => Mark::Low,
        Verdict::Normal => Mark::Normal,
        Verdict::Undecided(_) => Mark::Undecided,
    }
}

fn label(judgement: &Judgement) -> String {
    let Some(latest) = judgement.latest else {
        return "no data".to_string();
    };
    let notation = judgement
        .prediction
        .as_ref()
        .map_or(Notation::for_value(latest.value), |prediction| {
            Notation::for_band(&prediction.band)
        });
    format!(
        "{} at {}",
        notation.write(latest.value),
        write_time(latest.time, judgement.reading.now)
    )
}

/// Every slot up to the judged one. Values are those measured, also where the fit saw a clipped one.
pub fn points(judgement: &Judgement) -> Vec<Point> {
    let series = &judgement.reading.series;
    let slot = |time| series.grid().slot(time);
    let last = judgement
        .latest
        .map_or(series.len(), |latest| series.index(slot(latest.time)) + 1);
    let mut points: Vec<Point> = (0..last)
        .map(|index| Point {
            time: series.time(index),
            value: series.values()[index],
            clipped: false,
            band: None,
        })
        .collect();
    if let Some(cleaned) = &judgement.cleaned {
        let offset = series.index(cleaned.history.slot(0));
        for index in &cleaned.clipped {
            points[offset + index].clipped = true;
        }
        if let Some(prediction) = &judgement.prediction {
            let bands = prediction
                .past
                .iter()
                .copied()
                .chain([Some(prediction.band)]);
            points[offset..]
                .iter_mut()
                .zip(bands)
                .for_each(|(point, band)| point.band = band);
        }
    }
    points
}

/// The points of the last hours before the judged one, and itself.
fn stretch(points: &[Point], hours: i64) -> &[Point] {
    let Some(last) = points.last() else {
        return points;
    };
    let start = last.time - TimeDelta::hours(hours);
    &points[points.partition_point(|point| point.time < start)..]
}
