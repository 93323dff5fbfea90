//! Draws a long period, each of its points evaluated: value, band and breaches.

use anyhow::Result;
use chrono::TimeDelta;

use super::points::{column_length, thinned};
use super::style::side_color;
use super::{Point, draw_one_panel, layers, legend};
use crate::forecast::{Level, Side};
use crate::output::separate_thousands;

/// The points, oldest first, as PNG. `step` is the time between neighbours: a longer one is a gap.
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
