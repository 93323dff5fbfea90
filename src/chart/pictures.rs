//! The pictures of one panel: the last 24 and 48 hours of an evaluation, and a long period of which
//! each point was evaluated.

use std::ops::Range;
use std::thread;

use anyhow::{Context, Result, anyhow};
use chrono::{DateTime, TimeDelta, Utc};

use super::canvas::{self, Canvas, HEIGHT};
use super::panel::Panel;
use super::points::{column_length, evaluated_points, thinned};
use super::style::side_color;
use super::{Point, axis, callout, layers, legend};
use crate::config::Metric;
use crate::detect::{Evaluation, Verdict, Workings};
use crate::forecast::{Band, Level, Side};
use crate::output::{Notation, separate_thousands, write_time};

/// Both as PNG.
#[derive(Debug, Clone)]
pub struct Pictures {
    pub day: Vec<u8>,
    pub two_days: Vec<u8>,
}

/// What one picture shows; the last point is the evaluated one.
pub(super) struct Figure<'a> {
    pub title: &'a str,
    pub unit: Option<&'a str>,
    pub points: &'a [Point],
    pub verdict: &'a Verdict,
    pub label: &'a str,
    pub level: Level,
    pub step: TimeDelta,
}

/// Draws both, at the same time. Needs the workings of the evaluation.
pub fn draw_pictures(metric: &Metric, evaluation: &Evaluation) -> Result<Pictures> {
    let workings = evaluation.workings.as_deref();
    let workings = workings.context("nothing is left of what the evaluation was made from")?;
    let points = evaluated_points(evaluation, workings);
    let outcome = match &evaluation.verdict {
        Verdict::Breach(Side::High) => "above its band",
        Verdict::Breach(Side::Low) => "below its band",
        Verdict::Normal => "inside its band",
        Verdict::Undecided(_) | Verdict::NoData { .. } => "not decided",
    };
    let title = format!("{}: {outcome}", metric.title);
    let label = label(evaluation, workings);
    let draw_last = |hours| {
        draw(&Figure {
            title: &title,
            unit: metric.unit.as_deref(),
            points: last_hours(&points, hours),
            verdict: &evaluation.verdict,
            label: &label,
            level: evaluation.level,
            step: workings.window.step().delta(),
        })
    };
    thread::scope(|scope| {
        let two_days = scope.spawn(|| draw_last(48));
        let day = draw_last(24)?;
        let failed = |_| anyhow!("the picture of 48 hours could not be drawn");
        let two_days = two_days.join().map_err(failed)??;
        Ok(Pictures { day, two_days })
    })
}

pub(super) fn draw(figure: &Figure) -> Result<Vec<u8>> {
    draw_one_panel(figure.title, figure.points, figure.step, |panel, canvas| {
        if let (Some(unit), false) = (figure.unit, panel.value_ticks.is_empty()) {
            axis::draw_unit(canvas, unit)?;
        }
        callout::draw(panel, canvas, figure.verdict, figure.label)?;
        legend::draw(panel, canvas, figure.level, Vec::new())
    })
}

fn label(evaluation: &Evaluation, workings: &Workings) -> String {
    let Some(latest) = evaluation.latest(workings.window.zone()) else {
        return "no data".to_string();
    };
    let plain = || Notation::for_value(latest.value);
    let notation = evaluation.band.as_ref().map_or_else(plain, Band::notation);
    let time = write_time(latest.time, workings.window.as_of);
    format!("{} at {time}", notation.write(latest.value))
}

/// The points of the last hours before the evaluated one, and itself.
fn last_hours(points: &[Point], hours: i64) -> &[Point] {
    let hours = TimeDelta::hours(hours);
    let start = points.last().map(|last| last.time - hours);
    &points[points.partition_point(|point| Some(point.time) < start)..]
}

/// Draws a long period of points, oldest first, with its breaches. `step` is the time between
/// neighbours: a longer one is a gap.
pub fn draw_period(
    metric: &Metric,
    points: &[Point],
    level: Level,
    step: TimeDelta,
) -> Result<Vec<u8>> {
    draw_long(
        &(title_with_unit(metric) + ": backtest"),
        points,
        level,
        step,
    )
}

/// Draws what an evaluation looked back on, from a time on, with the values outside of the band that are in
/// one of these times.
pub fn draw_incidents(
    metric: &Metric,
    evaluation: &Evaluation,
    from: DateTime<Utc>,
    incidents: &[Range<DateTime<Utc>>],
) -> Result<Vec<u8>> {
    let workings = evaluation.workings.as_deref();
    let workings = workings.context("nothing is left of what the evaluation was made from")?;
    let points = evaluated_points(evaluation, workings).into_iter();
    let points = points.filter(|point| point.time >= from).map(|point| {
        let time = point.time.to_utc();
        let is_incident = incidents.iter().any(|incident| incident.contains(&time));
        let outside = point.band.zip(point.value).filter(|_| is_incident);
        let breach = outside.and_then(|(band, value)| match value {
            value if value > band.upper => Some(Side::High),
            value if value < band.lower => Some(Side::Low),
            _ => None,
        });
        Point {
            clipped: false,
            breach,
            ..point
        }
    });
    let points: Vec<Point> = points.collect();
    let step = workings.window.step().delta();
    draw_long(&title_with_unit(metric), &points, evaluation.level, step)
}

fn draw_long(title: &str, points: &[Point], level: Level, step: TimeDelta) -> Result<Vec<u8>> {
    let column = column_length(points);
    // A gap narrower than a column cannot be seen, and points kept of neighbouring columns touch.
    let step = step.max(column);
    let counted = |side: Side, word: &str| {
        let is_counted = |point: &&Point| point.breach == Some(side);
        let count = points.iter().filter(is_counted).count();
        let name = format!("{} {word}", separate_thousands(&count.to_string()));
        (count > 0).then_some((legend::Sample::Breach(side_color(side)), name))
    };
    let counts = [counted(Side::High, "above"), counted(Side::Low, "below")];
    let counts = counts.into_iter().flatten().collect();
    draw_one_panel(title, &thinned(points, column), step, |panel, canvas| {
        legend::draw(panel, canvas, level, counts)
    })
}

/// For pictures in which a long legend takes the unit's usual place.
pub(super) fn title_with_unit(metric: &Metric) -> String {
    match &metric.unit {
        Some(unit) => format!("{} ({unit})", metric.title),
        None => metric.title.clone(),
    }
}

/// A picture of one panel with `on_top` drawn last; without points it says so.
fn draw_one_panel(
    title: &str,
    points: &[Point],
    step: TimeDelta,
    on_top: impl FnOnce(&Panel, &Canvas) -> Result<()>,
) -> Result<Vec<u8>> {
    let panel = Panel::new(points, step);
    canvas::picture(HEIGHT, |canvas| {
        axis::draw_title(canvas, title)?;
        let Some(panel) = panel else {
            return axis::draw_no_values(canvas);
        };
        axis::draw_values(&panel, canvas)?;
        axis::draw_times(&panel, canvas)?;
        if panel.value_ticks.is_empty() {
            axis::draw_no_values(canvas)?;
        }
        axis::draw_period(&panel, canvas)?;
        layers::draw(&panel, canvas)?;
        on_top(&panel, canvas)
    })
}
