//! The two pictures of an evaluation: its last 24 and 48 hours, drawn side by side.

use std::thread;

use anyhow::{Context, Result, anyhow};
use chrono::TimeDelta;

use super::{Figure, Mark, Point, draw};
use crate::config::Metric;
use crate::detect::{Evaluation, Verdict, Workings};
use crate::forecast::Side;
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
    let workings = evaluation.workings.as_deref();
    let workings = workings.context("nothing is left of what the evaluation was made from")?;
    let points = points(evaluation, workings);
    let draw_last = |hours| draw_stretch(metric, evaluation, workings, stretch(&points, hours));
    thread::scope(|scope| {
        let two_days = scope.spawn(|| draw_last(48));
        let day = draw_last(24)?;
        let two_days = two_days
            .join()
            .map_err(|_| anyhow!("the picture of 48 hours could not be drawn"))??;
        Ok(Pictures { day, two_days })
    })
}

fn draw_stretch(
    metric: &Metric,
    evaluation: &Evaluation,
    workings: &Workings,
    points: &[Point],
) -> Result<Vec<u8>> {
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
        label: &label(evaluation, workings),
        band_label: &format!("{} band", evaluation.level),
        step: workings.window.step().delta(),
    })
}

pub fn mark(verdict: &Verdict) -> Mark {
    match verdict {
        Verdict::Breach(Side::High) => Mark::High,
        Verdict::Breach(Side::Low) => Mark::Low,
        Verdict::Normal => Mark::Normal,
        Verdict::Undecided(_) | Verdict::NoData { .. } => Mark::Undecided,
    }
}

fn label(evaluation: &Evaluation, workings: &Workings) -> String {
    let Some(latest) = evaluation.latest(workings.window.zone()) else {
        return "no data".to_string();
    };
    let notation = evaluation
        .band
        .map_or(Notation::for_value(latest.value), |band| {
            Notation::for_band(&band)
        });
    format!(
        "{} at {}",
        notation.write(latest.value),
        write_time(latest.time, workings.window.as_of)
    )
}

/// Every slot up to the judged one. Values are those measured, also where the fit saw a clipped one.
pub fn points(evaluation: &Evaluation, workings: &Workings) -> Vec<Point> {
    let series = &workings.window.series;
    let slot = |time| series.grid().slot(time);
    let last = evaluation
        .latest(workings.window.zone())
        .map_or(series.len(), |latest| series.index(slot(latest.time)) + 1);
    let mut points: Vec<Point> = (0..last)
        .map(|index| Point {
            time: series.time(index),
            value: series.values()[index],
            clipped: false,
            band: None,
        })
        .collect();
    if let Some(cleaned) = &workings.cleaned {
        let offset = series.index(cleaned.history.slot(0));
        for index in &cleaned.clipped {
            points[offset + index].clipped = true;
        }
        if let Some(forecast) = &workings.forecast {
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
