//! Draws the judged point and its label. The label's box is tried at many places around the point,
//! and the place that hides the least of the lines wins: the newest values matter most to the
//! reader, and they are just there. It never leaves the plot and never covers the point.

use anyhow::Result;

use super::canvas::{self, Area, Canvas, Pen, Spot};
use super::style::{
    CALLOUT, CALLOUT_HALO, CALLOUT_HEIGHT, CALLOUT_PAD, CALLOUT_RADIUS, CALLOUT_RIM, DASH,
    DOT_RADIUS, DOT_RIM, HIGH, LEADER, LOW, MAX_CALLOUT_TEXT, NORMAL, UNDECIDED, WHITE,
};
use super::{Chart, Mark, series};
use plotters::style::RGBColor;

/// Where the box's middle is tried, seen from the point: so far above or below it ...
const RISES: [f64; 14] = [
    0.0, 12.0, 24.0, 34.0, 55.0, 80.0, 105.0, 135.0, 170.0, 210.0, 260.0, 320.0, 390.0, 460.0,
];
/// ... and with its right edge so far to the left of it; a negative one puts the box over it.
const SHIFTS: [f64; 10] = [
    -1000.0, -20.0, 20.0, 36.0, 60.0, 95.0, 140.0, 200.0, 280.0, 380.0,
];
/// What a pixel of each costs: of the leader, and of the lines hidden by the box.
const COST_OF_LEADER: f64 = 0.06;
const COST_OF_VALUE: f64 = 0.16;
const COST_OF_EXPECTED: f64 = 0.06;
const COST_OF_EDGE: f64 = 0.025;
/// A leader that runs along a line hides it too, though only partly.
const COST_ALONG: f64 = 0.7;
const COST_OF_WRONG_SIDE: f64 = 2.0;
const LEADER_SLACK: f64 = 1.0;
/// Kept free between the box and the point's middle, and around lines.
const POINT_SPACE: f64 = 24.0;
const LINE_SPACE: f64 = 4.0;
/// From a box's middle to the baseline of capitals centred in it, in letter sizes.
const HALF_CAPITAL: f64 = 0.36;

/// Which side of the point the box should rather be on.
#[derive(Clone, Copy, PartialEq)]
enum Side {
    Above,
    Below,
}

struct Request<'a> {
    point: Spot,
    size: (f64, f64),
    within: Area,
    side: Side,
    /// Places that are better not covered, with their weights.
    ink: &'a [(Spot, f64)],
}

/// A judged slot without a value has no point: a dashed line then stands at its time.
pub fn draw(chart: &Chart, canvas: &Canvas) -> Result<()> {
    let Some(slot) = chart.slots.last() else {
        return Ok(());
    };
    let color = color(chart.figure.mark);
    if let Some(point) = series::value_spot(chart, slot) {
        draw_label(chart, canvas, point, color)?;
        canvas.disc(point, DOT_RADIUS + DOT_RIM, WHITE)?;
        return canvas.disc(point, DOT_RADIUS, color);
    }
    let Area { top, bottom, .. } = chart.frame.area;
    let x = chart.frame.x(slot.time);
    canvas.dashes(
        &[(x, bottom), (x, top)],
        Pen {
            color,
            width: LEADER,
        },
        DASH,
    )?;
    let middle = (x, f64::midpoint(top, bottom));
    draw_label(
        chart,
        canvas,
        series::expected_spot(chart, slot).unwrap_or(middle),
        color,
    )
}

fn draw_label(chart: &Chart, canvas: &Canvas, point: Spot, color: RGBColor) -> Result<()> {
    let label = canvas::fitted(chart.figure.label.trim(), MAX_CALLOUT_TEXT, CALLOUT);
    if label.is_empty() {
        return Ok(());
    }
    let width = (canvas::text_width(&label, CALLOUT) + 2.0 * CALLOUT_PAD).ceil();
    let size = (width, CALLOUT_HEIGHT);
    let ink = weighted_ink(chart);
    let area = place(&Request {
        point,
        size,
        // The halo spares the time axis.
        within: grown(chart.frame.area, -CALLOUT_HALO - 1.0),
        side: better_side(chart.figure.mark),
        ink: &ink,
    });
    draw_box(canvas, area, point, color)?;
    let baseline = f64::midpoint(area.top, area.bottom) + CALLOUT.size * HALF_CAPITAL;
    canvas.text(&label, (area.left + CALLOUT_PAD, baseline), CALLOUT)
}

/// The box on a white halo, with a leader to the point.
fn draw_box(canvas: &Canvas, area: Area, point: Spot, color: RGBColor) -> Result<()> {
    let halo = grown(area, CALLOUT_HALO);
    let face = grown(area, -CALLOUT_RIM);
    let leader = Pen {
        color,
        width: LEADER,
    };
    canvas.rounded(halo, CALLOUT_RADIUS + CALLOUT_HALO, WHITE)?;
    canvas.line(&[nearest(area, point), point], leader)?;
    canvas.rounded(area, CALLOUT_RADIUS, color)?;
    canvas.rounded(face, CALLOUT_RADIUS - CALLOUT_RIM, WHITE)
}

fn better_side(mark: Mark) -> Side {
    match mark {
        Mark::Low => Side::Below,
        Mark::High | Mark::Normal | Mark::Undecided => Side::Above,
    }
}

pub fn color(mark: Mark) -> RGBColor {
    match mark {
        Mark::High => HIGH,
        Mark::Low => LOW,
        Mark::Normal => NORMAL,
        Mark::Undecided => UNDECIDED,
    }
}

fn weighted_ink(chart: &Chart) -> Vec<(Spot, f64)> {
    let weighed = |ink: Vec<series::Ink>, weight: f64| {
        ink.into_iter()
            .map(move |(spot, length)| (spot, length * weight))
    };
    weighed(series::value_ink(chart), COST_OF_VALUE)
        .chain(weighed(series::expected_ink(chart), COST_OF_EXPECTED))
        .chain(weighed(series::edge_ink(chart), COST_OF_EDGE))
        .collect()
}

fn grown(area: Area, by: f64) -> Area {
    let Area {
        left,
        top,
        right,
        bottom,
    } = area;
    Area {
        left: left - by,
        top: top - by,
        right: right + by,
        bottom: bottom + by,
    }
}

fn place(request: &Request) -> Area {
    let places = [Side::Above, Side::Below].into_iter().flat_map(|side| {
        RISES
            .into_iter()
            .flat_map(move |rise| SHIFTS.into_iter().map(move |shift| (side, rise, shift)))
    });
    let boxes = places.filter_map(|(side, rise, shift)| {
        let area = candidate(request, side, rise, shift)?;
        let wrong = if side == request.side {
            0.0
        } else {
            COST_OF_WRONG_SIDE
        };
        Some((area, wrong + cost(request, area)))
    });
    let best = boxes.min_by(|one, other| one.1.total_cmp(&other.1));
    best.map_or_else(|| corner(request), |(area, _)| area)
}

fn candidate(request: &Request, side: Side, rise: f64, shift: f64) -> Option<Area> {
    let (width, height) = request.size;
    let within = request.within;
    let right = (request.point.0 - shift).min(within.right);
    let middle = if side == Side::Above {
        request.point.1 - rise
    } else {
        request.point.1 + rise
    };
    // Edges on whole pixels are crisp.
    let (left, top) = ((right - width).floor(), (middle - height / 2.0).round());
    let area = Area {
        left,
        top,
        right: left + width,
        bottom: top + height,
    };
    let inside = left >= within.left && top >= within.top && area.bottom <= within.bottom;
    let clear = distance(request.point, nearest(area, request.point)) >= POINT_SPACE;
    (inside && clear).then_some(area)
}

fn cost(request: &Request, area: Area) -> f64 {
    let covered = grown(area, CALLOUT_HALO + LINE_SPACE);
    let joint = nearest(area, request.point);
    let leader = distance(request.point, joint);
    let reach = grown(spanned(request.point, joint), LINE_SPACE);
    let ink = request.ink.iter().map(|(spot, weight)| {
        if holds(covered, *spot) {
            *weight
        } else if holds(reach, *spot) && is_along(*spot, request.point, joint, leader) {
            weight * COST_ALONG
        } else {
            0.0
        }
    });
    ink.sum::<f64>() + leader * COST_OF_LEADER
}

/// The leader may start among the newest values, but should not run along them.
fn is_along(spot: Spot, point: Spot, joint: Spot, leader: f64) -> bool {
    let from_point = distance(spot, point);
    from_point > POINT_SPACE && from_point + distance(spot, joint) < leader + LEADER_SLACK
}

fn holds(area: Area, spot: Spot) -> bool {
    (area.left..=area.right).contains(&spot.0) && (area.top..=area.bottom).contains(&spot.1)
}

fn spanned(one: Spot, other: Spot) -> Area {
    let (left, right) = (one.0.min(other.0), one.0.max(other.0));
    Area {
        left,
        right,
        top: one.1.min(other.1),
        bottom: one.1.max(other.1),
    }
}

fn nearest(area: Area, spot: Spot) -> Spot {
    (
        spot.0.clamp(area.left, area.right),
        spot.1.clamp(area.top, area.bottom),
    )
}

fn distance(one: Spot, other: Spot) -> f64 {
    (one.0 - other.0).hypot(one.1 - other.1)
}

/// The left corner away from the point, for a label as wide as the picture.
fn corner(request: &Request) -> Area {
    let (width, height) = request.size;
    let within = request.within;
    let upper = request.point.1 > f64::midpoint(within.top, within.bottom);
    let top = if upper {
        within.top
    } else {
        within.bottom - height
    };
    Area {
        left: within.left,
        top,
        right: within.left + width,
        bottom: top + height,
    }
}
