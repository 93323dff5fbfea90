//! Draws what stands around the data: title, period, grid and tick labels. Labels that would run
//! into the one before them or out of the picture are left out rather than squeezed.

use anyhow::Result;

use super::canvas::{self, Area, Canvas, HEIGHT, Type, WIDTH};
use super::panel::Panel;
use super::style::{
    AXIS, GRID, HALF_CAPITAL, HEADING, INK, LABEL_SPACE, MARGIN, MAX_VALUE_LABEL, MIDNIGHT, MUTED,
    TICK,
};
use super::ticks::{self, TimeTick};

const TITLE: Type = Type::bold(42.0, INK);
const NO_VALUES: Type = Type::regular(38.0, MUTED);
const TITLE_BASELINE: f64 = 58.0;
const PERIOD_BASELINE: f64 = 108.0;
/// From the bottom of the plot down to these baselines.
const TICK_DROP: f64 = 46.0;
const DAY_DROP: f64 = 92.0;
const GRID_WIDTH: f64 = 2.0;
const TICK_LEN: f64 = 8.0;

/// As much of a title as leaves room for what stands after it.
pub fn fitted_title(title: &str, after: &str) -> String {
    let room = f64::from(WIDTH) - 2.0 * MARGIN - canvas::text_width(after, TITLE);
    canvas::fitted(title, room, TITLE)
}

pub fn draw_title(canvas: &Canvas, title: &str) -> Result<()> {
    let title = canvas::fitted(title, f64::from(WIDTH) - 2.0 * MARGIN, TITLE);
    canvas.text(&title, (MARGIN, TITLE_BASELINE), TITLE)
}

pub fn draw_no_values(canvas: &Canvas) -> Result<()> {
    let text = "No values in this period";
    let middle = (f64::from(WIDTH) - canvas::text_width(text, NO_VALUES)) / 2.0;
    canvas.text(text, (middle, HEIGHT / 2.0), NO_VALUES)
}

/// The period, and the unit of the values where there are some.
pub fn draw_period(panel: &Panel, canvas: &Canvas, unit: Option<&str>) -> Result<()> {
    let unit = unit.filter(|unit| !panel.value_ticks.is_empty() && canvas::is_drawable(unit));
    let unit = unit.map_or(String::new(), |unit| format!(", in {}", unit.trim()));
    let period = format!("{}{unit}", panel.period);
    let period = canvas::fitted(&period, f64::from(WIDTH) - 2.0 * MARGIN, TICK);
    canvas.text(&period, (MARGIN, PERIOD_BASELINE), TICK)
}

/// Draws the grid of both axes and the labels of the values.
pub fn draw_values(panel: &Panel, canvas: &Canvas) -> Result<()> {
    let area = panel.area;
    // Grid lines stand on whole pixels, which keeps them crisp.
    let upright = |tick: &TimeTick| {
        let left = (panel.x(tick.at) - GRID_WIDTH / 2.0).round();
        let size = (GRID_WIDTH, area.bottom + TICK_LEN - area.top);
        Area::new((left, area.top), size)
    };
    let level = |y: f64| {
        let top = (y - GRID_WIDTH / 2.0).round();
        Area::new((area.left, top), (area.right - area.left, GRID_WIDTH))
    };
    let time_ticks = ticks::time_ticks(panel.first, panel.last, panel.step);
    for tick in &time_ticks.ticks {
        canvas.rect(upright(tick), GRID)?;
    }
    for tick in &panel.value_ticks {
        let y = panel.y(tick.at);
        canvas.rect(level(y), GRID)?;
        let label = canvas::fitted(&tick.label, MAX_VALUE_LABEL, TICK);
        let end = (area.left - LABEL_SPACE, y + TICK.size * HALF_CAPITAL);
        canvas.text_right(&label, end, TICK)?;
    }
    for midnight in &time_ticks.midnights {
        canvas.rect(upright(midnight), MIDNIGHT)?;
    }
    if panel.low < 0.0 && panel.high > 0.0 {
        canvas.rect(level(panel.y(0.0)), MIDNIGHT)?;
    }
    canvas.rect(level(area.bottom), AXIS)
}

/// Draws the labels of the times, with the days below them where they are hours. Where they do not
/// all fit, every second is drawn, or every third, and so on.
pub fn draw_times(panel: &Panel, canvas: &Canvas) -> Result<()> {
    let time_ticks = ticks::time_ticks(panel.first, panel.last, panel.step);
    let (ticks, edge) = (&time_ticks.ticks, f64::from(WIDTH));
    let every = |stride| {
        let ticks = ticks.iter().step_by(stride);
        fitting(panel, ticks, TICK, edge - LABEL_SPACE)
    };
    // One may be missing at the edge, or where the clocks change.
    let fits = |stride: &usize| every(*stride).len() + 1 >= ticks.len().div_ceil(*stride);
    let stride = (1..=ticks.len()).find(fits).unwrap_or(1);
    for (left, label) in every(stride) {
        canvas.text(label, (left, panel.area.bottom + TICK_DROP), TICK)?;
    }
    let mut days = fitting(panel, &time_ticks.midnights, HEADING, edge - MARGIN);
    if let Some(first_day) = &time_ticks.first_day {
        let left = panel.area.left;
        let right = left + canvas::text_width(first_day, HEADING) + LABEL_SPACE;
        if days.first().is_none_or(|next| right <= next.0) {
            days.push((left, first_day));
        }
    }
    for (left, label) in days {
        canvas.text(label, (left, panel.area.bottom + DAY_DROP), HEADING)?;
    }
    Ok(())
}

/// The labels under their ticks that do not run into the one before, each with its left end; the
/// last one is pushed back where it would pass `edge`.
fn fitting<'a>(
    panel: &Panel,
    ticks: impl IntoIterator<Item = &'a TimeTick>,
    kind: Type,
    edge: f64,
) -> Vec<(f64, &'a str)> {
    let mut free_from = 0.0;
    let mut labels = Vec::new();
    for tick in ticks {
        let width = canvas::text_width(&tick.label, kind);
        let left = (panel.x(tick.at) - width / 2.0).min(edge - width);
        if left >= free_from {
            labels.push((left, tick.label.as_str()));
            free_from = left + width + LABEL_SPACE;
        }
    }
    labels
}
