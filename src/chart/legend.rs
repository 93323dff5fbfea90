//! Draws the legend at the upper right: one entry for each thing that the picture really shows.

use anyhow::Result;
use plotters::style::RGBColor;

use super::Point;
use super::canvas::{self, Area, Canvas, Type, WIDTH};
use super::panel::Panel;
use super::style::{
    BAND_EDGE, BAND_FILL, BREACH_RADIUS, CLIPPED_PEN, CLIPPED_RADIUS, DASH, EXPECTED_PEN, INK,
    LEGEND_BASELINE, MARGIN, VALUE_PEN, WHITE,
};
use crate::forecast::Level;

pub const TEXT: Type = Type::regular(26.0, INK);
const MAX_TEXT: f64 = 260.0;
const SAMPLE_SIZE: (f64, f64) = (38.0, 20.0);
const SAMPLE_SPACE: f64 = 10.0;
const ENTRY_SPACE: f64 = 28.0;
/// From the baseline up to the middle of small letters, in letter sizes.
const MIDDLE: f64 = 0.34;

pub enum Sample {
    Value,
    Expected,
    Band,
    Clipped,
    /// A point of this colour.
    Breach(RGBColor),
}

type Entry = (Sample, String);

/// Draws the entries for what the panel shows, and `more` after them.
pub fn draw(panel: &Panel, canvas: &Canvas, level: Level, more: Vec<Entry>) -> Result<()> {
    let shows = |what: fn(&Point) -> bool| panel.points.iter().any(what);
    let mut entries = Vec::new();
    if shows(|point| point.value.is_some()) {
        entries.push((Sample::Value, "Value".to_string()));
    }
    if shows(|point| point.band.is_some()) {
        entries.push((Sample::Expected, "Expected".to_string()));
        entries.push((Sample::Band, format!("{level} band")));
    }
    if shows(|point| point.clipped && point.value.is_some()) {
        entries.push((Sample::Clipped, "Clipped outlier".to_string()));
    }
    entries.extend(more);
    let mut right = f64::from(WIDTH) - MARGIN;
    for (sample, name) in entries.into_iter().rev() {
        let name = canvas::fitted(&name, MAX_TEXT, TEXT);
        let text_left = right - canvas::text_width(&name, TEXT);
        let left = text_left - SAMPLE_SPACE - SAMPLE_SIZE.0;
        canvas.text(&name, (text_left, LEGEND_BASELINE), TEXT)?;
        draw_sample(canvas, &sample, left)?;
        right = left - ENTRY_SPACE;
    }
    Ok(())
}

fn draw_sample(canvas: &Canvas, sample: &Sample, left: f64) -> Result<()> {
    let y = LEGEND_BASELINE - TEXT.size * MIDDLE;
    let area = Area::new((left, y - SAMPLE_SIZE.1 / 2.0), SAMPLE_SIZE);
    let line = [(left, y), (area.right, y)];
    let center = (f64::midpoint(left, area.right), y);
    match sample {
        Sample::Value => canvas.line(&line, VALUE_PEN),
        Sample::Expected => canvas.dashes(&line, EXPECTED_PEN, DASH),
        Sample::Band => {
            canvas.rect(area, BAND_EDGE)?;
            canvas.rect(area.grown(-1.0), BAND_FILL)
        }
        Sample::Breach(color) => canvas.disc(center, BREACH_RADIUS, *color),
        Sample::Clipped => {
            canvas.line(&line, VALUE_PEN)?;
            canvas.ring(center, CLIPPED_RADIUS, CLIPPED_PEN, WHITE)
        }
    }
}
