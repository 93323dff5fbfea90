//! Draws the newest stretch of a series against its forecast band.
//! In come the slots of the time axis with their values and bands; out comes a PNG for a mail, on
//! its own white ground, made to convince at half size on a phone. Its parts: `style` (colours,
//! sizes), `frame` (ranges), `canvas` and `encode` (shapes, letters, PNG), `ticks` and `axis`,
//! `series` (band and lines), `callout` (the judged point and its label), `legend`; `period` draws a
//! long stretch of judged points with the same parts, `components` what a history is made of.

mod axis;
mod callout;
mod canvas;
mod components;
mod encode;
mod frame;
mod legend;
mod period;
mod pictures;
mod series;
mod style;
#[cfg(test)]
mod tests;
mod ticks;

use anyhow::Result;
use chrono::{DateTime, TimeDelta};
use chrono_tz::Tz;

use crate::forecast::Band;
pub use components::draw_components;
pub use period::{Marked, Period, draw_period};
pub use pictures::{Pictures, draw_pictures};

use canvas::Canvas;
use frame::{Frame, Slot};

/// One slot of the time axis.
#[derive(Clone, Copy, Debug)]
pub struct Point {
    pub time: DateTime<Tz>,
    /// None is a gap, and drawn as one.
    pub value: Option<f64>,
    /// An outlier that was clipped before the fit; `value` is what was measured.
    pub clipped: bool,
    pub band: Option<Band>,
}

/// How the judged point ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    High,
    Low,
    Normal,
    Undecided,
}

/// What one picture shows. The last point is the judged one.
#[derive(Clone, Copy, Debug)]
pub struct Figure<'a> {
    pub title: &'a str,
    pub unit: Option<&'a str>,
    /// Oldest first, one per step, gaps included.
    pub points: &'a [Point],
    pub mark: Mark,
    /// The text at the judged point.
    pub label: &'a str,
    /// The band's name in the legend.
    pub band_label: &'a str,
    pub step: TimeDelta,
}

/// What every part of the drawing reads.
struct Chart<'a> {
    figure: &'a Figure<'a>,
    slots: &'a [Slot],
    frame: Frame,
}

/// The figure as PNG bytes.
///
/// # Errors
///
/// Where the picture cannot be drawn or encoded, which no input is known to cause.
pub fn draw(figure: &Figure) -> Result<Vec<u8>> {
    let slots = frame::slots(figure.points);
    let frame = Frame::new(&slots, figure.step);
    let chart = frame.map(|frame| Chart {
        figure,
        slots: &slots,
        frame,
    });
    canvas::picture(|canvas| {
        axis::draw_title(canvas, figure.title)?;
        match &chart {
            Some(chart) => chart.draw(canvas),
            None => axis::draw_no_values(canvas),
        }
    })
}

impl Chart<'_> {
    fn draw(&self, canvas: &Canvas) -> Result<()> {
        axis::draw(self, canvas)?;
        series::draw_band(self, canvas)?;
        series::draw_lines(self, canvas)?;
        series::draw_clipped(self, canvas)?;
        callout::draw(self, canvas)?;
        legend::draw(self, canvas, &[])
    }
}
