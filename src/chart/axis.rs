//! Draws what stands around the data: title, period, grid and tick labels. Labels that would run
//! into the one before them or out of the picture are left out rather than squeezed.

use anyhow::Result;

use super::Chart;
use super::canvas::{self, Area, Canvas, HEIGHT, WIDTH};
use super::style::{
    AXIS, DAY, DAY_DROP, GRID, GRID_WIDTH, LABEL_SPACE, MARGIN, MAX_UNIT, MAX_VALUE_LABEL,
    MIDNIGHT, NO_VALUES, SUBTITLE, SUBTITLE_BASELINE, TICK, TICK_DROP, TICK_LEN, TITLE,
    TITLE_BASELINE, UNIT_BASELINE,
};
use super::ticks::{self, TimeTick, TimeTicks};

/// From a line's middle to the baseline of digits centred on it, in letter sizes.
const HALF_DIGIT: f64 = 0.36;

pub fn draw_title(canvas: &Canvas, title: &str) -> Result<()> {
    let title = canvas::fitted(title, f64::from(WIDTH) - 2.0 * MARGIN, TITLE);
    canvas.text(&title, (MARGIN, TITLE_BASELINE), TITLE)
}

pub fn draw_no_values(canvas: &Canvas) -> Result<()> {
    let middle = (f64::from(WIDTH) / 2.0, f64::from(HEIGHT) / 2.0);
    canvas.text_centered("No values in this period", middle, NO_VALUES)
}

pub fn draw(chart: &Chart, canvas: &Canvas) -> Result<()> {
    let frame = &chart.frame;
    let time_ticks = ticks::time_ticks(frame.first, frame.last, chart.figure.step);
    draw_grid(chart, canvas, &time_ticks)?;
    draw_value_labels(chart, canvas)?;
    draw_hours(chart, canvas, &time_ticks)?;
    draw_days(chart, canvas, &time_ticks)?;
    if frame.value_ticks.is_empty() {
        draw_no_values(canvas)?;
    }
    draw_period(chart, canvas)
}

pub fn draw_period(chart: &Chart, canvas: &Canvas) -> Result<()> {
    if let (Some(first), Some(last)) = (chart.slots.first(), chart.slots.last()) {
        let period = ticks::period(first.time, last.time, chart.figure.step);
        canvas.text(&period, (MARGIN, SUBTITLE_BASELINE), SUBTITLE)?;
    }
    Ok(())
}

pub fn draw_grid(chart: &Chart, canvas: &Canvas, time_ticks: &TimeTicks) -> Result<()> {
    let frame = &chart.frame;
    let below = Area {
        bottom: frame.area.bottom + TICK_LEN,
        ..frame.area
    };
    for tick in &time_ticks.ticks {
        canvas.rect(upright(frame.x(tick.time), below), GRID)?;
    }
    for tick in &frame.value_ticks {
        canvas.rect(level(frame.y(tick.value), frame.area), GRID)?;
    }
    for midnight in &time_ticks.midnights {
        canvas.rect(upright(frame.x(midnight.time), below), MIDNIGHT)?;
    }
    if frame.low < 0.0 && frame.high > 0.0 {
        canvas.rect(level(frame.y(0.0), frame.area), MIDNIGHT)?;
    }
    canvas.rect(level(frame.area.bottom, frame.area), AXIS)
}

/// Grid lines stand on whole pixels, which keeps them crisp.
fn upright(x: f64, area: Area) -> Area {
    let left = (x - GRID_WIDTH / 2.0).round();
    Area {
        left,
        right: left + GRID_WIDTH,
        ..area
    }
}

fn level(y: f64, area: Area) -> Area {
    let top = (y - GRID_WIDTH / 2.0).round();
    Area {
        top,
        bottom: top + GRID_WIDTH,
        ..area
    }
}

pub fn draw_value_labels(chart: &Chart, canvas: &Canvas) -> Result<()> {
    let frame = &chart.frame;
    for tick in &frame.value_ticks {
        let label = canvas::fitted(&tick.label, MAX_VALUE_LABEL, TICK);
        let baseline = frame.y(tick.value) + TICK.size * HALF_DIGIT;
        canvas.text_right(&label, (frame.area.left - LABEL_SPACE, baseline), TICK)?;
    }
    match chart.figure.unit {
        Some(_) if frame.value_ticks.is_empty() => Ok(()),
        Some(unit) => {
            let unit = canvas::fitted(unit, MAX_UNIT, TICK);
            canvas.text(&unit, (MARGIN, UNIT_BASELINE), TICK)
        }
        None => Ok(()),
    }
}

/// Where all labels do not fit, every second is drawn, or every third, and so on.
pub fn draw_hours(chart: &Chart, canvas: &Canvas, time_ticks: &TimeTicks) -> Result<()> {
    let every = |stride: usize| places(chart, time_ticks.ticks.iter().step_by(stride));
    let fits = |stride: &usize| {
        let wanted = time_ticks.ticks.len().div_ceil(*stride);
        // One may be missing at the edge, or where the clocks change.
        every(*stride).len() + 1 >= wanted
    };
    let stride = (1..=time_ticks.ticks.len()).find(fits).unwrap_or(1);
    let baseline = chart.frame.area.bottom + TICK_DROP;
    every(stride)
        .into_iter()
        .try_for_each(|(x, label)| canvas.text_centered(label, (x, baseline), TICK))
}

/// The middles of the labels that do not run into the one before.
fn places<'a>(chart: &Chart, ticks: impl Iterator<Item = &'a TimeTick>) -> Vec<(f64, &'a str)> {
    let mut free_from = 0.0;
    let mut places = Vec::new();
    for tick in ticks {
        let half = canvas::text_width(&tick.label, TICK) / 2.0;
        let x = chart
            .frame
            .x(tick.time)
            .min(f64::from(WIDTH) - LABEL_SPACE - half);
        if x - half >= free_from {
            places.push((x, tick.label.as_str()));
            free_from = x + half + LABEL_SPACE;
        }
    }
    places
}

pub fn draw_days(chart: &Chart, canvas: &Canvas, time_ticks: &TimeTicks) -> Result<()> {
    let edge = f64::from(WIDTH) - MARGIN;
    let mut free_from = 0.0;
    let mut days = Vec::new();
    for day in &time_ticks.midnights {
        let half = canvas::text_width(&day.label, DAY) / 2.0;
        let left = (chart.frame.x(day.time) - half).min(edge - 2.0 * half);
        if left >= free_from {
            free_from = left + 2.0 * half + LABEL_SPACE;
            days.push((left, day.label.as_str()));
        }
    }
    if let Some(first_day) = &time_ticks.first_day {
        let left = chart.frame.area.left;
        let right = left + canvas::text_width(first_day, DAY) + LABEL_SPACE;
        if days.first().is_none_or(|next| right <= next.0) {
            days.push((left, first_day));
        }
    }
    let baseline = chart.frame.area.bottom + DAY_DROP;
    days.into_iter()
        .try_for_each(|(left, label)| canvas.text(label, (left, baseline), DAY))
}
