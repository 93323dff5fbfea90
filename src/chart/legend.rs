//! Draws the legend at the upper right: one entry for each thing that the picture really shows.

use anyhow::Result;
use plotters::style::RGBColor;

use super::Chart;
use super::canvas::{self, Area, Canvas, WIDTH};
use super::style::{
    BAND_EDGE, BAND_FILL, BREACH_RADIUS, CLIPPED_PEN, CLIPPED_RADIUS, DASH, ENTRY_SPACE,
    EXPECTED_PEN, LEGEND, LEGEND_BASELINE, MARGIN, MAX_ENTRY_TEXT, SAMPLE_HEIGHT, SAMPLE_SPACE,
    SAMPLE_WIDTH, VALUE_PEN, WHITE,
};

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

/// Draws the entries for what the chart shows, and `more` after them.
pub fn draw(chart: &Chart, canvas: &Canvas, more: &[(Sample, String)]) -> Result<()> {
    let mut right = f64::from(WIDTH) - MARGIN;
    let entries = entries(chart);
    let entries = entries.iter().map(|(sample, name)| (sample, *name));
    let more = more.iter().map(|(sample, name)| (sample, name.as_str()));
    for (sample, name) in entries.chain(more).rev() {
        let name = canvas::fitted(name, MAX_ENTRY_TEXT, LEGEND);
        let text_left = right - canvas::text_width(&name, LEGEND);
        let left = text_left - SAMPLE_SPACE - SAMPLE_WIDTH;
        canvas.text(&name, (text_left, LEGEND_BASELINE), LEGEND)?;
        draw_sample(canvas, sample, left)?;
        right = left - ENTRY_SPACE;
    }
    Ok(())
}

fn entries<'a>(chart: &Chart<'a>) -> Vec<(Sample, &'a str)> {
    let slots = chart.slots;
    let mut entries = Vec::new();
    if slots.iter().any(|slot| slot.value.is_some()) {
        entries.push((Sample::Value, "Value"));
    }
    if slots.iter().any(|slot| slot.band.is_some()) {
        entries.push((Sample::Expected, "Expected"));
        entries.push((Sample::Band, chart.figure.band_label));
    }
    if slots
        .iter()
        .any(|slot| slot.clipped && slot.value.is_some())
    {
        entries.push((Sample::Clipped, "Clipped outlier"));
    }
    entries
}

fn draw_sample(canvas: &Canvas, sample: &Sample, left: f64) -> Result<()> {
    let y = LEGEND_BASELINE - LEGEND.size * MIDDLE;
    let right = left + SAMPLE_WIDTH;
    let line = [(left, y), (right, y)];
    let (top, bottom) = (y - SAMPLE_HEIGHT / 2.0, y + SAMPLE_HEIGHT / 2.0);
    match sample {
        Sample::Value => canvas.line(&line, VALUE_PEN),
        Sample::Expected => canvas.dashes(&line, EXPECTED_PEN, DASH),
        Sample::Band => {
            canvas.rect(
                Area {
                    left,
                    top,
                    right,
                    bottom,
                },
                BAND_EDGE,
            )?;
            let (top, bottom) = (top + 1.0, bottom - 1.0);
            canvas.rect(
                Area {
                    left: left + 1.0,
                    top,
                    right: right - 1.0,
                    bottom,
                },
                BAND_FILL,
            )
        }
        Sample::Breach(color) => {
            let center = (f64::midpoint(left, right), y);
            canvas.disc(center, BREACH_RADIUS, *color)
        }
        Sample::Clipped => {
            canvas.line(&line, VALUE_PEN)?;
            let center = (f64::midpoint(left, right), y);
            canvas.ring(center, CLIPPED_RADIUS, CLIPPED_PEN, WHITE)
        }
    }
}
