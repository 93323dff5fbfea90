//! Draws the data: the band, the expected line, the value line, clipped outliers and breaches.
//! Lines are drawn run by run, a run being neighbouring points that all have what is drawn, so that
//! a gap stays a gap; a run of a single point would be no line, and gets a mark of its own.

use anyhow::Result;
use chrono::TimeDelta;

use super::Point;
use super::canvas::{Area, Canvas, Pen, Spot};
use super::panel::Panel;
use super::style::{
    BAND_FILL, BAND_PEN, BREACH_RADIUS, CLIPPED_PEN, CLIPPED_RADIUS, DASH, EXPECTED_PEN, VALUE,
    VALUE_PEN, WHITE, side_color,
};

/// Dense values get a thinner line, down to this width ...
const MIN_VALUE_WIDTH: f64 = 1.5;
/// ... and at most so wide for each pixel between two of them.
const MAX_WIDTH_PER_SPACE: f64 = 1.05;
/// With this much space between points each value gets a dot.
const SPARSE: f64 = 26.0;
/// A run of a single point: the radius of its value, the width of its band.
const LONE_RADIUS: f64 = 4.5;
const LONE_WIDTH: f64 = 8.0;
/// Breaches are smaller where there are more than so many.
const MANY_BREACHES: usize = 150;
const SMALL_BREACH_RADIUS: f64 = 4.5;
const BREACH_RIM: Pen = Pen::new(WHITE, 1.5);

/// Draws all but the breaches.
pub fn draw(panel: &Panel, canvas: &Canvas) -> Result<()> {
    draw_band(panel, canvas)?;
    draw_lines(panel, canvas)?;
    let clipped = panel.points.iter().filter(|point| point.clipped);
    clipped
        .filter_map(|point| panel.value_spot(point))
        .try_for_each(|spot| canvas.ring(spot, CLIPPED_RADIUS, CLIPPED_PEN, WHITE))
}

fn draw_band(panel: &Panel, canvas: &Canvas) -> Result<()> {
    let [upper, lower] = edge_runs(panel);
    for (upper, lower) in upper.iter().zip(&lower) {
        if let ([(x, top)], [(_, bottom)]) = (upper.as_slice(), lower.as_slice()) {
            let area = Area {
                left: x - LONE_WIDTH / 2.0,
                top: *top,
                right: x + LONE_WIDTH / 2.0,
                bottom: *bottom,
            };
            canvas.rect(area, BAND_FILL)?;
        }
        let outline: Vec<Spot> = upper.iter().chain(lower.iter().rev()).copied().collect();
        canvas.polygon(&outline, BAND_FILL)?;
        canvas.line(upper, BAND_PEN)?;
        canvas.line(lower, BAND_PEN)?;
    }
    Ok(())
}

fn draw_lines(panel: &Panel, canvas: &Canvas) -> Result<()> {
    for run in expected_runs(panel) {
        let level = match run.as_slice() {
            [(x, y)] => vec![(x - LONE_WIDTH / 2.0, *y), (x + LONE_WIDTH / 2.0, *y)],
            _ => run,
        };
        canvas.dashes(&level, EXPECTED_PEN, DASH)?;
    }
    let runs = value_runs(panel);
    let spacing = spacing(panel);
    // Dense values under a thick line would be one blot.
    let width = (spacing * MAX_WIDTH_PER_SPACE).clamp(MIN_VALUE_WIDTH, VALUE_PEN.width);
    for run in &runs {
        canvas.line(run, Pen::new(VALUE, width))?;
    }
    // A dot is as heavy as the line is.
    let radius = LONE_RADIUS * width / VALUE_PEN.width;
    let dotted = runs
        .iter()
        .filter(|run| spacing >= SPARSE || run.len() == 1);
    dotted
        .flatten()
        .try_for_each(|spot| canvas.disc(*spot, radius, VALUE))
}

pub fn draw_breaches(panel: &Panel, canvas: &Canvas) -> Result<()> {
    let breaches = panel.points.iter();
    let breaches = breaches.filter_map(|point| Some((panel.value_spot(point)?, point.breach?)));
    let radius = if breaches.clone().count() > MANY_BREACHES {
        SMALL_BREACH_RADIUS
    } else {
        BREACH_RADIUS
    };
    for (spot, side) in breaches {
        canvas.ring(spot, radius, BREACH_RIM, side_color(side))?;
    }
    Ok(())
}

pub fn value_runs(panel: &Panel) -> Vec<Vec<Spot>> {
    runs(panel, |point| panel.value_spot(point))
}

pub fn expected_runs(panel: &Panel) -> Vec<Vec<Spot>> {
    runs(panel, |point| panel.expected_spot(point))
}

/// Those of the upper and of the lower edge of the band.
pub fn edge_runs(panel: &Panel) -> [Vec<Vec<Spot>>; 2] {
    [
        runs(panel, |point| {
            Some(panel.spot(point.time, point.band?.upper))
        }),
        runs(panel, |point| {
            Some(panel.spot(point.time, point.band?.lower))
        }),
    ]
}

/// The spots of the points, parted where there is none or points are missing.
fn runs(panel: &Panel, spot: impl Fn(&Point) -> Option<Spot>) -> Vec<Vec<Spot>> {
    let step = panel.step;
    let farthest = step.checked_mul(3).map_or(step, |three| three / 2);
    let spots = panel.points.iter();
    let spots: Vec<_> = spots
        .filter_map(|point| Some((point.time, spot(point)?)))
        .collect();
    spots
        .chunk_by(|one, next| next.0 - one.0 <= farthest)
        .map(|run| run.iter().map(|(_, spot)| *spot).collect())
        .collect()
}

/// The pixels between two neighbours.
fn spacing(panel: &Panel) -> f64 {
    let step = panel.step.max(TimeDelta::zero());
    let next = panel.first.checked_add_signed(step);
    next.map_or(f64::INFINITY, |next| panel.x(next) - panel.x(panel.first))
}
