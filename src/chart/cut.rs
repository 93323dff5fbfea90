//! An old spike must not press everything else flat: a scale may leave out a few values that lie far off.
//! Each of them gets an arrow at the edge, and the largest its figure.

use anyhow::Result;
use chrono::DateTime;
use chrono_tz::Tz;

use super::Point;
use super::canvas::{self, Area, Canvas, Spot, Type};
use super::panel::Panel;
use super::style::{INK, VALUE};
use crate::forecast::Side;
use crate::output::Notation;

/// What a scale must hold.
#[derive(Debug, Clone, Copy)]
pub enum Scale {
    /// Every number.
    Whole,
    /// Every number but a few outside their band that lie far off; from a time on, every one.
    Body { since: DateTime<Tz> },
}

/// The lowest and the highest number to be drawn, and whether there are others beyond them.
#[derive(Debug, Clone, Copy)]
pub struct Ends {
    pub low: f64,
    pub high: f64,
    pub cuts_below: bool,
    pub cuts_above: bool,
}

/// At most this share of the numbers is left out, and one at least may be of this many.
const FEW: f64 = 0.04;
const LEAST_COUNT: usize = 10;
/// What is left out lies farther off than the rest is high.
const FAR_OFF: f64 = 1.0;

const FIGURE: Type = Type::bold(34.0, INK);
const FIGURE_HEIGHT: f64 = 36.0;
const ARROW: (f64, f64) = (22.0, 20.0);
const SPACE: f64 = 10.0;
const MOST_FIGURES: usize = 3;

/// None where there is no number at all.
pub fn ends(points: &[Point], scale: Scale) -> Option<Ends> {
    let of_band = |point: &Point| {
        let band = point.band.into_iter();
        band.flat_map(|band| [band.lower, band.expected, band.upper])
            .collect::<Vec<_>>()
    };
    let numbers = |point: &Point| of_band(point).into_iter().chain(point.value);
    let whole = range(points.iter().flat_map(numbers))?;
    let Scale::Body { since } = scale else {
        return Some(whole);
    };
    let is_inside = |point: &Point| {
        let value = point.value.zip(point.band);
        value.is_some_and(|(value, band)| (band.lower..=band.upper).contains(&value))
    };
    let newest = points.last().map(|point| point.time);
    let is_kept = |point: &&Point| point.time >= since || Some(point.time) == newest;
    let kept = points.iter().filter(is_kept).flat_map(numbers);
    let usual = points.iter().filter(|point| is_inside(point));
    let usual = usual.filter_map(|point| point.value);
    let values = points.iter().filter_map(|point| point.value).collect();
    let bands = points.iter().flat_map(of_band).collect();
    let most = most(values).into_iter().chain(most(bands));
    let body = range(kept.chain(usual).chain(most))?;
    let far = (body.high - body.low) * FAR_OFF;
    let (cuts_above, cuts_below) = (
        far > 0.0 && whole.high - body.high > far,
        far > 0.0 && body.low - whole.low > far,
    );
    Some(Ends {
        low: if cuts_below { body.low } else { whole.low },
        high: if cuts_above { body.high } else { whole.high },
        cuts_below,
        cuts_above,
    })
}

fn range(numbers: impl Iterator<Item = f64>) -> Option<Ends> {
    numbers.fold(None, |ends, number| {
        let (low, high) = ends.map_or((number, number), |ends: Ends| (ends.low, ends.high));
        Some(Ends {
            low: number.min(low),
            high: number.max(high),
            cuts_below: false,
            cuts_above: false,
        })
    })
}

/// Without the few that are lowest and highest.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a share of a count"
)]
fn most(mut numbers: Vec<f64>) -> Vec<f64> {
    numbers.sort_unstable_by(f64::total_cmp);
    let few = (numbers.len() as f64 * FEW) as usize;
    let few = few.max(usize::from(numbers.len() >= LEAST_COUNT));
    let end = numbers.len() - few;
    numbers.get(few..end).map_or(Vec::new(), <[f64]>::to_vec)
}

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
