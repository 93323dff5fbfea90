//! The pictures of one panel: the last 24 and 48 hours of an evaluation, and a long period of which
//! each point was evaluated.

use std::thread;

use anyhow::{Context, Result, anyhow};
use chrono::TimeDelta;

use super::callout::{self, Callout};
use super::canvas::{self, Canvas, HEIGHT};
use super::panel::Panel;
use super::points::{column_length, evaluated_points, thinned};
use super::style::side_color;
use super::{Point, axis, layers, legend};
use crate::config::Metric;
use crate::detect::{Evaluation, Verdict, Workings};
use crate::forecast::{Level, Side};
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
    pub callout: Callout<'a>,
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
    let (title, label) = (
        format!("{}: {outcome}", metric.title),
        label(evaluation, workings),
    );
    let draw_last = |hours| {
        draw(&Figure {
            title: &title,
            unit: metric.unit.as_deref(),
            points: last_hours(&points, hours),
            callout: Callout {
                verdict: &evaluation.verdict,
                label: &label,
            },
            level: evaluation.level,
            step: workings.window.step().delta(),
        })
    };
    thread::scope(|scope| {
        let two_days = scope.spawn(|| draw_last(48));
        let day = draw_last(24)?;
        let two_days = two_days
            .join()
            .map_err(|_| anyhow!("the picture of 48 hours could not be drawn"))??;
        Ok(Pictures { day, two_days })
    })
}

pub(super) fn draw(figure: &Figure) -> Result<Vec<u8>> {
    draw_one_panel(figure.title, figure.points, figure.step, |panel, canvas| {
        axis::draw_unit(panel, canvas, figure.unit)?;
        callout::draw(panel, canvas, figure.callout)?;
        legend::draw(panel, canvas, figure.level, Vec::new())
    })
}

fn label(evaluation: &Evaluation, workings: &Workings) -> String {
    let Some(latest) = evaluation.latest(workings.window.zone()) else {
        return "no data".to_string();
    };
    let notation = match &evaluation.band {
        Some(band) => band.notation(),
        None => Notation::for_value(latest.value),
    };
    let time = write_time(latest.time, workings.window.as_of);
    format!("{} at {time}", notation.write(latest.value))
}

/// The points of the last hours before the evaluated one, and itself.
fn last_hours(points: &[Point], hours: i64) -> &[Point] {
    let Some(last) = points.last() else {
        return points;
    };
    let start = last.time - TimeDelta::hours(hours);
    &points[points.partition_point(|point| point.time < start)..]
}

/// Draws a long period of points, oldest first, with its breaches. `step` is the time between neighbours: a longer one is a gap.
pub fn draw_period(
    title: &str,
    points: &[Point],
    level: Level,
    step: TimeDelta,
) -> Result<Vec<u8>> {
    let column = column_length(points);
    // A gap narrower than a column cannot be seen, and points kept of neighbouring columns touch.
    let step = step.max(column);
    let counted = |side: Side, word: &str| {
        let breaches = points.iter().filter(|point| point.breach == Some(side));
        let count = breaches.count();
        let name = format!("{} {word}", separate_thousands(&count.to_string()));
        (count > 0).then_some((legend::Sample::Breach(side_color(side)), name))
    };
    let counts = [counted(Side::High, "above"), counted(Side::Low, "below")];
    let counts = counts.into_iter().flatten().collect();
    draw_one_panel(title, &thinned(points, column), step, |panel, canvas| {
        layers::draw_breaches(panel, canvas)?;
        legend::draw(panel, canvas, level, counts)
    })
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
        axis::draw(&panel, canvas)?;
        layers::draw(&panel, canvas)?;
        on_top(&panel, canvas)
    })
}
