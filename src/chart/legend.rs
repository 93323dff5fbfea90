//! Draws the legend above the plot: one entry for each thing that the picture really shows.

use anyhow::Result;
use plotters::style::RGBColor;

use super::Point;
use super::canvas::{self, Area, Canvas, Type};
use super::panel::Panel;
use super::shade::Shade;
use super::style::{
    BAND_EDGE, BAND_FILL, BREACH_RADIUS, DASH, EXPECTED_PEN, INK, LEGEND_BASELINE, MARGIN,
    VALUE_PEN,
};
use crate::forecast::Level;

pub const TEXT: Type = Type::regular(34.0, INK);
const MAX_TEXT: f64 = 300.0;
const SAMPLE_SIZE: (f64, f64) = (38.0, 24.0);
const SAMPLE_SPACE: f64 = 10.0;
const ENTRY_SPACE: f64 = 24.0;
/// From the baseline up to the middle of small letters, in letter sizes.
const MIDDLE: f64 = 0.34;

pub enum Sample {
    Value,
    Expected,
    Band,
    /// A point of this colour.
    Breach(RGBColor),
    /// The time of an alert.
    Shade(Shade),
}

pub type Entry = (Sample, String);

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
    entries.extend(more);
    let mut left = MARGIN;
    for (sample, name) in entries {
        let name = canvas::fitted(&name, MAX_TEXT, TEXT);
        draw_sample(canvas, &sample, left)?;
        left += SAMPLE_SIZE.0 + SAMPLE_SPACE;
        canvas.text(&name, (left, LEGEND_BASELINE), TEXT)?;
        left += canvas::text_width(&name, TEXT) + ENTRY_SPACE;
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
            canvas.rect(area.grown(-1.6), BAND_FILL)
        }
        Sample::Breach(color) => canvas.disc(center, BREACH_RADIUS, *color),
        Sample::Shade(shade) => shade.draw(canvas, area),
    }
}
