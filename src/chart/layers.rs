//! Draws the data: the band, the expected line, the value line, breaches, and what is cut off.
//! Lines are drawn run by run, a run being neighbouring points that all have what is drawn, so that
//! a gap stays a gap; a run of a single point would be no line, and gets a mark of its own.

use anyhow::Result;
use chrono::TimeDelta;

use super::Point;
use super::canvas::{Area, Canvas, Pen, Spot};
use super::cut;
use super::panel::Panel;
use super::points::Number;
use super::style::{
    BAND_FILL, BAND_PEN, BREACH_RADIUS, DASH, EXPECTED_PEN, VALUE, VALUE_PEN, WHITE, side_color,
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

pub fn draw(panel: &Panel, canvas: &Canvas) -> Result<()> {
    draw_band(panel, canvas)?;
    draw_lines(panel, canvas)?;
    draw_breaches(panel, canvas)?;
    cut::draw(panel, canvas)
}

fn draw_band(panel: &Panel, canvas: &Canvas) -> Result<()> {
    let upper = runs(panel, |point| Some(point.band?.upper));
    let lower = runs(panel, |point| Some(point.band?.lower));
    for (upper, lower) in upper.iter().zip(&lower) {
        if let ([(x, top)], [(_, bottom)]) = (upper.as_slice(), lower.as_slice()) {
            let corner = (x - LONE_WIDTH / 2.0, *top);
            canvas.rect(Area::new(corner, (LONE_WIDTH, bottom - top)), BAND_FILL)?;
        }
        let outline: Vec<Spot> = upper.iter().chain(lower.iter().rev()).copied().collect();
        canvas.polygon(&outline, BAND_FILL)?;
        canvas.line(upper, BAND_PEN)?;
        canvas.line(lower, BAND_PEN)?;
    }
    Ok(())
}

fn draw_lines(panel: &Panel, canvas: &Canvas) -> Result<()> {
    for run in runs(panel, |point| Some(point.band?.expected)) {
        let level = match run.as_slice() {
            [(x, y)] => vec![(x - LONE_WIDTH / 2.0, *y), (x + LONE_WIDTH / 2.0, *y)],
            _ => run,
        };
        canvas.dashes(&level, EXPECTED_PEN, DASH)?;
    }
    let step = panel.step.max(TimeDelta::zero());
    let next = panel.first.checked_add_signed(step);
    // The pixels between two neighbours.
    let spacing = next.map_or(f64::INFINITY, |next| panel.x(next) - panel.x(panel.first));
    // Dense values under a thick line would be one blot.
    let width = (spacing * MAX_WIDTH_PER_SPACE).clamp(MIN_VALUE_WIDTH, VALUE_PEN.width);
    let runs = runs(panel, |point| point.value);
    for run in &runs {
        canvas.line(run, Pen::new(VALUE, width))?;
    }
    // A dot is as heavy as the line is.
    let radius = LONE_RADIUS * width / VALUE_PEN.width;
    let is_dotted = |run: &&Vec<Spot>| spacing >= SPARSE || run.len() == 1;
    for spot in runs.iter().filter(is_dotted).flatten() {
        canvas.disc(*spot, radius, VALUE)?;
    }
    Ok(())
}

fn draw_breaches(panel: &Panel, canvas: &Canvas) -> Result<()> {
    // Of what is cut off, the arrow tells.
    let is_shown = |point: &&Point| {
        point
            .value
            .is_some_and(|value| panel.cut_side(value).is_none())
    };
    let breach = |point: &Point| Some((panel.value_spot(point)?, point.breach?));
    let breaches: Vec<_> = panel
        .points
        .iter()
        .filter(is_shown)
        .filter_map(breach)
        .collect();
    let radius = if breaches.len() > MANY_BREACHES {
        SMALL_BREACH_RADIUS
    } else {
        BREACH_RADIUS
    };
    for (spot, side) in breaches {
        canvas.ring(spot, radius, BREACH_RIM, side_color(side))?;
    }
    Ok(())
}

/// The spots of one number of the points, parted where there is none or points are missing.
pub fn runs(panel: &Panel, number: Number) -> Vec<Vec<Spot>> {
    let step = panel.step;
    let farthest = step.checked_mul(3).map_or(step, |three| three / 2);
    let known = |point: &Point| Some((point.time, number(point)?));
    let numbers: Vec<_> = panel.points.iter().filter_map(known).collect();
    let runs = numbers.chunk_by(|one, next| next.0 - one.0 <= farthest);
    let spot = |(time, number): &(_, f64)| panel.spot(*time, *number);
    runs.map(|run| run.iter().map(spot).collect()).collect()
}
