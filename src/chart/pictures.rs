//! The two pictures of an evaluation: its last 24 and 48 hours, drawn side by side.

use std::thread;

use anyhow::{Result, anyhow};
use chrono::TimeDelta;

use super::{Figure, Mark, Point, draw};
use crate::config::Metric;
use crate::detect::Evaluation;
use crate::detect::Verdict;
use crate::output::{Notation, write_time};

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
pub fn draw_pictures(metric: &Metric, evaluation: &Evaluation) -> Result<Pictures> {
    let points = points(evaluation);
    let draw_last = |hours| draw_stretch(metric, evaluation, stretch(&points, hours));
    thread::scope(|scope| {
        let two_days = scope.spawn(|| draw_last(48));
        let day = draw_last(24)?;
        let two_days = two_days
            .join()
            .map_err(|_| anyhow!("the picture of 48 hours could not be drawn"))??;
        Ok(Pictures { day, two_days })
    })
}

fn draw_stretch(metric: &Metric, evaluation: &Evaluation, points: &[Point]) -> Result<Vec<u8>> {
    let mark = mark(&evaluation.verdict);
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
        label: &label(evaluation),
        band_label: &format!("{} band", evaluation.level),
        step: evaluation.reading.series.grid().step().delta(),
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

fn label(evaluation: &Evaluation) -> String {
    let Some(latest) = evaluation.latest else {
        return "no data".to_string();
    };
    let notation = evaluation
        .forecast
        .as_ref()
        .map_or(Notation::for_value(latest.value), |forecast| {
            Notation::for_band(&forecast.band)
        });
    format!(
        "{} at {}",
        notation.write(latest.value),
        write_time(latest.time, evaluation.reading.now)
    )
}

/// Every slot up to the judged one. Values are those measured, also where the fit saw a clipped one.
pub fn points(evaluation: &Evaluation) -> Vec<Point> {
    let series = &evaluation.reading.series;
    let slot = |time| series.grid().slot(time);
    let last = evaluation
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
    if let Some(cleaned) = &evaluation.cleaned {
        let offset = series.index(cleaned.history.slot(0));
        for index in &cleaned.clipped {
            points[offset + index].clipped = true;
        }
        if let Some(forecast) = &evaluation.forecast {
            let bands = forecast.past.iter().copied().chain([Some(forecast.band)]);
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
