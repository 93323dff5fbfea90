//! The pictures of one panel: the last hours, days or weeks of an evaluation, and a long period of which each
//! point was evaluated.

use std::ops::Range;
use std::thread;

use anyhow::{Context, Result, anyhow};
use chrono::{DateTime, TimeDelta, Utc};

use super::canvas::{self, Canvas, HEIGHT};
use super::legend::{Entry, Sample};
use super::panel::Panel;
use super::points::{column_length, evaluated_points, thinned};
use super::scale::Scale;
use super::shade::AlertTime;
use super::style::side_color;
use super::{Point, axis, callout, layers, legend};
use crate::config::Metric;
use crate::detect::{Evaluation, Verdict, Workings};
use crate::forecast::{Level, Side};
use crate::output::{is_of_days, separate_thousands, write_begin, write_when};

/// What of the newest time a picture shows: enough buckets to see their ups and downs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    Day,
    TwoDays,
    FourWeeks,
    TwelveWeeks,
    HalfYear,
    TwoYearsOfWeeks,
    TwoYears,
    FiveYears,
}

/// A picture as PNG.
#[derive(Debug, Clone)]
pub struct Plot {
    pub period: Period,
    pub png: Vec<u8>,
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
    pub alert: Option<AlertTime>,
}

impl Period {
    /// Those of buckets of this length, the shorter one first.
    fn of(step: TimeDelta) -> [Self; 2] {
        if !is_of_days(step) {
            [Self::Day, Self::TwoDays]
        } else if step < TimeDelta::days(7) {
            [Self::FourWeeks, Self::TwelveWeeks]
        } else if step < TimeDelta::days(28) {
            [Self::HalfYear, Self::TwoYearsOfWeeks]
        } else {
            [Self::TwoYears, Self::FiveYears]
        }
    }

    pub fn length(self) -> TimeDelta {
        match self {
            Self::Day => TimeDelta::hours(24),
            Self::TwoDays => TimeDelta::hours(48),
            Self::FourWeeks => TimeDelta::weeks(4),
            Self::TwelveWeeks => TimeDelta::weeks(12),
            Self::HalfYear => TimeDelta::weeks(26),
            Self::TwoYearsOfWeeks => TimeDelta::weeks(104),
            // Up to two leap days, and an hour of summer.
            Self::TwoYears => TimeDelta::hours(24 * (2 * 365 + 1) + 1),
            Self::FiveYears => TimeDelta::hours(24 * (5 * 365 + 2) + 1),
        }
    }

    /// "24 hours", as after "the last".
    pub fn name(self) -> &'static str {
        match self {
            Self::Day => "24 hours",
            Self::TwoDays => "48 hours",
            Self::FourWeeks => "4 weeks",
            Self::TwelveWeeks => "12 weeks",
            Self::HalfYear => "26 weeks",
            Self::TwoYearsOfWeeks => "104 weeks",
            Self::TwoYears => "2 years",
            Self::FiveYears => "5 years",
        }
    }

    /// The same in the name of a file.
    pub fn mark(self) -> &'static str {
        match self {
            Self::Day => "24h",
            Self::TwoDays => "48h",
            Self::FourWeeks => "4w",
            Self::TwelveWeeks => "12w",
            Self::HalfYear => "26w",
            Self::TwoYearsOfWeeks => "104w",
            Self::TwoYears => "2y",
            Self::FiveYears => "5y",
        }
    }
}

/// Draws the pictures of an evaluation, at the same time: one or two, the shorter period first. `alert` is
/// marked. Needs the workings of the evaluation.
pub fn draw_pictures(
    metric: &Metric,
    evaluation: &Evaluation,
    alert: Option<AlertTime>,
) -> Result<Vec<Plot>> {
    let workings = evaluation.workings.as_deref();
    let workings = workings.context("nothing is left of what the evaluation was made from")?;
    let points = evaluated_points(evaluation, workings);
    let points = on_the_side_of(alert, &evaluation.verdict, points);
    let title = titled(metric, outcome(&evaluation.verdict));
    let label = label(evaluation, workings);
    let step = workings.window.step().mean_length();
    let draw_last = |period: Period| -> Result<Plot> {
        let png = draw(&Figure {
            title: &title,
            unit: metric.unit.as_deref(),
            points: last(&points, period.length()),
            verdict: &evaluation.verdict,
            label: &label,
            level: evaluation.level,
            step,
            alert,
        })?;
        Ok(Plot { period, png })
    };
    let [near, far] = Period::of(step);
    // Weeks that the window does not have would make the same picture again.
    let shows_more = last(&points, near.length()).len() < points.len();
    if is_of_days(step) && !shows_more {
        return Ok(vec![draw_last(near)?]);
    }
    thread::scope(|scope| {
        let far_plot = scope.spawn(|| draw_last(far));
        let near_plot = draw_last(near)?;
        let failed = |_| anyhow!("the picture of {} could not be drawn", far.name());
        let far_plot = far_plot.join().map_err(failed)??;
        Ok(vec![near_plot, far_plot])
    })
}

/// "Sales: above its band"; of a title in letters that the font lacks only what is said of it.
pub(super) fn titled(metric: &Metric, told: &str) -> String {
    if canvas::is_drawable(&metric.title) {
        let told = format!(": {told}");
        format!("{}{told}", axis::fitted_title(&metric.title, &told))
    } else {
        let mut letters = told.chars();
        let first = letters.next().into_iter().flat_map(char::to_uppercase);
        first.chain(letters).collect()
    }
}

fn outcome(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Breach(Side::High) => "above its band",
        Verdict::Breach(Side::Low) => "below its band",
        Verdict::Normal => "inside its band",
        Verdict::Undecided(_) => "not decided",
        Verdict::NoData { .. } => "no data",
    }
}

/// Of a breach or an incident, what was outside on the other side is another matter.
fn on_the_side_of(
    alert: Option<AlertTime>,
    verdict: &Verdict,
    mut points: Vec<Point>,
) -> Vec<Point> {
    let side = match verdict {
        Verdict::Breach(side) => Some(*side),
        _ => alert.and_then(AlertTime::side),
    };
    for point in &mut points {
        point.breach = point
            .breach
            .filter(|breach| side.is_none_or(|side| side == *breach));
    }
    points
}

pub(super) fn draw(figure: &Figure) -> Result<Vec<u8>> {
    let oldest = figure.points.first().map(|point| point.time);
    let newest = figure.points.last().map(|point| point.time);
    // Of what belongs to the alert nothing is cut off.
    let since = figure.alert.filter(|alert| alert.side().is_some());
    let since = since
        .zip(oldest)
        .map(|(alert, oldest)| alert.since.with_timezone(&oldest.timezone()));
    let scale = since
        .or(newest)
        .map_or(Scale::Whole, |since| Scale::Body { since });
    let panel = Panel::new(figure.points, figure.step, scale);
    let parts = Parts {
        title: figure.title,
        unit: figure.unit,
        alert: figure.alert,
    };
    draw_one_panel(&parts, panel, |panel, canvas| {
        callout::draw(panel, canvas, figure.verdict, figure.label)?;
        let shows = |side| panel.points.iter().any(|point| point.breach == Some(side));
        let outside = [(Side::High, "Above"), (Side::Low, "Below")];
        let outside = outside.into_iter().filter(|(side, _)| shows(*side));
        let mut entries: Vec<Entry> = outside
            .map(|(side, name)| (Sample::Breach(side_color(side)), name.to_string()))
            .collect();
        let alert = figure.alert.filter(|alert| alert.is_seen(panel));
        entries.extend(alert.map(|alert| (Sample::Shade(alert.shade()), alert.name().to_string())));
        legend::draw(panel, canvas, figure.level, entries)
    })
}

fn label(evaluation: &Evaluation, workings: &Workings) -> String {
    let (window, bucket) = (&workings.window, evaluation.bucket.length());
    if let Verdict::NoData { since, .. } = evaluation.verdict {
        let since = write_begin(since.with_timezone(&window.zone()), bucket, window.as_of);
        return format!("No data since {since}");
    }
    let Some(latest) = evaluation.latest(window.zone()) else {
        return "No data".to_string();
    };
    let value = evaluation.notation().write(latest.value);
    let when = write_when(latest.time, bucket, window.as_of);
    format!("{value} {when}")
}

/// The points of the last time before the newest one, and itself.
fn last(points: &[Point], length: TimeDelta) -> &[Point] {
    let start = points.last().map(|last| last.time - length);
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
    draw_long(metric, &titled(metric, "backtest"), points, level, step)
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
        Point { breach, ..point }
    });
    let points: Vec<Point> = points.collect();
    let step = workings.window.step().mean_length();
    draw_long(metric, &metric.title, &points, evaluation.level, step)
}

fn draw_long(
    metric: &Metric,
    title: &str,
    points: &[Point],
    level: Level,
    step: TimeDelta,
) -> Result<Vec<u8>> {
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
    let panel = Panel::new(&thinned(points, column), step, Scale::Whole);
    let parts = Parts {
        title,
        unit: metric.unit.as_deref(),
        alert: None,
    };
    draw_one_panel(&parts, panel, |panel, canvas| {
        legend::draw(panel, canvas, level, counts)
    })
}

/// What stands around the data of a picture of one panel.
struct Parts<'a> {
    title: &'a str,
    unit: Option<&'a str>,
    alert: Option<AlertTime>,
}

/// A picture of one panel with `on_top` drawn last; without points it says so.
fn draw_one_panel(
    parts: &Parts,
    panel: Option<Panel>,
    on_top: impl FnOnce(&Panel, &Canvas) -> Result<()>,
) -> Result<Vec<u8>> {
    canvas::picture(HEIGHT, |canvas| {
        axis::draw_title(canvas, parts.title)?;
        let Some(panel) = panel else {
            return axis::draw_no_values(canvas);
        };
        if let Some(alert) = parts.alert {
            alert.draw(&panel, canvas)?;
        }
        axis::draw_values(&panel, canvas)?;
        axis::draw_times(&panel, canvas)?;
        if panel.value_ticks.is_empty() {
            axis::draw_no_values(canvas)?;
        }
        axis::draw_period(&panel, canvas, parts.unit)?;
        layers::draw(&panel, canvas)?;
        on_top(&panel, canvas)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_period_goes_by_the_step() {
        for (step, names) in [
            (TimeDelta::minutes(5), ["24 hours", "48 hours"]),
            (TimeDelta::hours(12), ["24 hours", "48 hours"]),
            (TimeDelta::days(1), ["4 weeks", "12 weeks"]),
            (TimeDelta::days(7), ["26 weeks", "104 weeks"]),
            (TimeDelta::days(30), ["2 years", "5 years"]),
        ] {
            assert_eq!(Period::of(step).map(Period::name), names);
        }
    }
}
