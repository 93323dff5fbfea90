//! What a scale leaves out: each of those values gets an arrow at the edge, and the largest its figure.

use anyhow::Result;
use chrono::DateTime;
use chrono_tz::Tz;

use super::Point;
use super::canvas::{self, Area, Canvas, Spot, Type};
use super::panel::Panel;
use super::style::{INK, VALUE};
use crate::forecast::Side;
use crate::output::Notation;

const FIGURE: Type = Type::bold(34.0, INK);
const FIGURE_HEIGHT: f64 = 36.0;
const ARROW: (f64, f64) = (22.0, 20.0);
const SPACE: f64 = 10.0;
const MOST_FIGURES: usize = 3;

/// An arrow at the edge, for neighbouring values beyond it.
struct Arrow {
    spot: Spot,
    side: Side,
    farthest: f64,
}

fn arrows(panel: &Panel) -> Vec<Arrow> {
    let cut = |point: &Point| {
        let value = point.value?;
        Some((point.time, value, panel.cut_side(value)?))
    };
    let cut: Vec<_> = panel.points.iter().filter_map(cut).collect();
    let is_next = |one: &(_, _, Side), next: &(_, _, Side)| {
        one.2 == next.2 && panel.x(next.0) - panel.x(one.0) < ARROW.0
    };
    let runs = cut.chunk_by(is_next);
    let arrow = |run: &[(DateTime<Tz>, f64, Side)]| {
        let (time, farthest, side) = *run
            .iter()
            .max_by(|one, other| one.1.abs().total_cmp(&other.1.abs()))?;
        let y = match side {
            Side::High => panel.area.top,
            Side::Low => panel.area.bottom,
        };
        Some(Arrow {
            spot: (panel.x(time), y),
            side,
            farthest,
        })
    };
    runs.filter_map(arrow).collect()
}

/// The largest figures that stand free of each other, each with its place.
pub fn figures(panel: &Panel) -> Vec<(Area, String)> {
    let mut arrows = arrows(panel);
    arrows.sort_by(|one, other| other.farthest.abs().total_cmp(&one.farthest.abs()));
    let mut figures: Vec<(Area, String)> = Vec::new();
    for arrow in arrows {
        let text = Notation::for_value(arrow.farthest).write(arrow.farthest);
        let width = canvas::text_width(&text, FIGURE);
        let (x, y) = arrow.spot;
        let right = x + ARROW.0 / 2.0 + SPACE;
        let left = if right + width > panel.area.right {
            x - ARROW.0 / 2.0 - SPACE - width
        } else {
            right
        };
        let top = match arrow.side {
            Side::High => y + SPACE / 2.0,
            Side::Low => y - SPACE / 2.0 - FIGURE_HEIGHT,
        };
        let area = Area::new((left, top), (width, FIGURE_HEIGHT));
        let is_free = figures
            .iter()
            .all(|(other, _)| area.left > other.right + SPACE || area.right + SPACE < other.left);
        if is_free && figures.len() < MOST_FIGURES {
            figures.push((area, text));
        }
    }
    figures
}

pub fn draw(panel: &Panel, canvas: &Canvas) -> Result<()> {
    for arrow in arrows(panel) {
        let (x, y) = arrow.spot;
        let base = match arrow.side {
            Side::High => y + ARROW.1,
            Side::Low => y - ARROW.1,
        };
        let half = ARROW.0 / 2.0;
        canvas.polygon(&[(x, y), (x + half, base), (x - half, base)], VALUE)?;
    }
    for (area, text) in figures(panel) {
        canvas.text(&text, (area.left, area.bottom - SPACE), FIGURE)?;
    }
    Ok(())
}
