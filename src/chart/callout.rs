//! Draws the evaluated point and its label. The label's box is tried at many places around the
//! point, and the place that hides the least of the lines wins: the newest values matter most to the
//! reader, and they are just there. It never leaves the plot and never covers the point.

use anyhow::Result;
use plotters::style::RGBColor;

use super::canvas::{self, Area, Canvas, Pen, Spot, Type, between, distance};
use super::panel::Panel;
use super::points::Number;
use super::style::{DASH, HALF_CAPITAL, INK, NORMAL, UNDECIDED, WHITE, side_color};
use super::{Point, cut, layers};
use crate::detect::Verdict;
use crate::forecast::Side;

const TEXT: Type = Type::bold(36.0, INK);
const MAX_TEXT: f64 = 860.0;
const HEIGHT: f64 = 62.0;
const PAD: f64 = 18.0;
const RADIUS: f64 = 9.0;
const RIM: f64 = 2.5;
const HALO: f64 = 5.0;
const LEADER: f64 = 2.5;
const DOT_RADIUS: f64 = 15.5;
const DOT_RIM: Pen = Pen::new(WHITE, 3.5);

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
/// What a spot of the figure of a cut value costs, and how many it has.
const COST_OF_FIGURE: f64 = 20.0;
const FIGURE_SPOTS: u32 = 6;
const COST_OF_WRONG_SIDE: f64 = 2.0;
const LEADER_SLACK: f64 = 1.0;
/// Kept free between the box and the point's middle, and around lines.
const POINT_SPACE: f64 = 24.0;
const LINE_SPACE: f64 = 4.0;
/// Lines are weighed at places so far apart, but each piece at no more than so many.
const SAMPLE_LENGTH: f64 = 6.0;
const MOST_SAMPLES: u32 = 300;

/// A box that wants a place.
struct Request {
    point: Spot,
    size: (f64, f64),
    within: Area,
    /// Low is below the point.
    side: Side,
    /// Places that are better not covered, with what that costs.
    ink: Vec<(Spot, f64)>,
}

/// A point without a value has no dot: a dashed line then stands at its time.
pub fn draw(panel: &Panel, canvas: &Canvas, verdict: &Verdict, label: &str) -> Result<()> {
    let Point { value, band, .. } = panel.newest;
    let Area { top, bottom, .. } = panel.area;
    let x = panel.x(panel.newest.time);
    if value.is_none() {
        let pen = Pen::new(color(verdict), LEADER);
        canvas.dashes(&[(x, bottom), (x, top)], pen, DASH)?;
    }
    let level = value.or(band.map(|band| band.expected));
    let y = level.map_or(f64::midpoint(top, bottom), |level| panel.y(level));
    draw_label(panel, canvas, verdict, label, (x, y))?;
    draw_dot(panel, canvas, verdict)
}

/// The dot of the newest point, where it has a value.
pub fn draw_dot(panel: &Panel, canvas: &Canvas, verdict: &Verdict) -> Result<()> {
    match panel.value_spot(&panel.newest) {
        Some(spot) => canvas.ring(spot, DOT_RADIUS, DOT_RIM, color(verdict)),
        None => Ok(()),
    }
}

fn color(verdict: &Verdict) -> RGBColor {
    match verdict {
        Verdict::Breach(side) => side_color(*side),
        Verdict::Normal => NORMAL,
        Verdict::Undecided(_) | Verdict::NoData { .. } => UNDECIDED,
    }
}

fn draw_label(
    panel: &Panel,
    canvas: &Canvas,
    verdict: &Verdict,
    label: &str,
    point: Spot,
) -> Result<()> {
    let label = canvas::fitted(label.trim(), MAX_TEXT, TEXT);
    if label.is_empty() {
        return Ok(());
    }
    let width = (canvas::text_width(&label, TEXT) + 2.0 * PAD).ceil();
    let area = place(&Request {
        point,
        size: (width, HEIGHT),
        // The halo spares the time axis.
        within: panel.area.grown(-HALO - 1.0),
        side: match verdict {
            Verdict::Breach(side) => *side,
            Verdict::Normal | Verdict::Undecided(_) | Verdict::NoData { .. } => Side::High,
        },
        ink: ink(panel),
    });
    let color = color(verdict);
    canvas.rounded(area.grown(HALO), RADIUS + HALO, WHITE)?;
    canvas.line(&[area.nearest(point), point], Pen::new(color, LEADER))?;
    canvas.rounded(area, RADIUS, color)?;
    canvas.rounded(area.grown(-RIM), RADIUS - RIM, WHITE)?;
    let baseline = f64::midpoint(area.top, area.bottom) + TEXT.size * HALF_CAPITAL;
    canvas.text(&label, (area.left + PAD, baseline), TEXT)
}

/// Places along all lines, each with what it costs to cover it.
fn ink(panel: &Panel) -> Vec<(Spot, f64)> {
    let lines: [(Number, f64); 4] = [
        (|point| point.value, COST_OF_VALUE),
        (|point| Some(point.band?.expected), COST_OF_EXPECTED),
        (|point| Some(point.band?.upper), COST_OF_EDGE),
        (|point| Some(point.band?.lower), COST_OF_EDGE),
    ];
    let mut ink = Vec::new();
    for (number, cost) in lines {
        let runs = layers::runs(panel, number);
        for [from, to] in runs.iter().flat_map(|run| run.array_windows()) {
            let length = distance(*from, *to);
            let is_enough = |count: &u32| f64::from(*count) * SAMPLE_LENGTH >= length;
            let pieces = (1..MOST_SAMPLES).find(is_enough).unwrap_or(MOST_SAMPLES);
            ink.extend((1..=pieces).map(|piece| {
                let spot = between(*from, *to, f64::from(piece) / f64::from(pieces));
                (spot, length / f64::from(pieces) * cost)
            }));
        }
    }
    for (area, _) in cut::figures(panel) {
        let middle = f64::midpoint(area.top, area.bottom);
        let width = (area.right - area.left) / f64::from(FIGURE_SPOTS);
        let spots = (0..=FIGURE_SPOTS).map(|spot| area.left + width * f64::from(spot));
        ink.extend(spots.map(|x| ((x, middle), COST_OF_FIGURE)));
    }
    ink
}

fn place(request: &Request) -> Area {
    let sides = [
        (request.side, 0.0),
        (request.side.other(), COST_OF_WRONG_SIDE),
    ]
    .into_iter();
    let places = sides.flat_map(|side| RISES.map(|rise| (side, rise)));
    let places = places.flat_map(|(side, rise)| SHIFTS.map(|shift| (side, rise, shift)));
    let boxes = places.filter_map(|((side, extra), rise, shift)| {
        let area = candidate(request, side, rise, shift)?;
        Some((area, extra + cost(request, area)))
    });
    let best = boxes.min_by(|one, other| one.1.total_cmp(&other.1));
    best.map_or_else(|| corner(request), |(area, _)| area)
}

fn candidate(request: &Request, side: Side, rise: f64, shift: f64) -> Option<Area> {
    let (width, height) = request.size;
    let within = request.within;
    let right = (request.point.0 - shift).min(within.right);
    let middle = match side {
        Side::High => request.point.1 - rise,
        Side::Low => request.point.1 + rise,
    };
    // Edges on whole pixels are crisp.
    let (left, top) = ((right - width).floor(), (middle - height / 2.0).round());
    let area = Area::new((left, top), request.size);
    let inside = left >= within.left && top >= within.top && area.bottom <= within.bottom;
    let clear = distance(request.point, area.nearest(request.point)) >= POINT_SPACE;
    (inside && clear).then_some(area)
}

fn cost(request: &Request, area: Area) -> f64 {
    let point = request.point;
    let covered = area.grown(HALO + LINE_SPACE);
    let joint = area.nearest(point);
    let leader = distance(point, joint);
    let around_leader = Area {
        left: point.0.min(joint.0),
        top: point.1.min(joint.1),
        right: point.0.max(joint.0),
        bottom: point.1.max(joint.1),
    }
    .grown(LINE_SPACE);
    // The leader may start among the newest values, but should not run along them.
    let is_along = |spot| {
        let from_point = distance(spot, point);
        from_point > POINT_SPACE && from_point + distance(spot, joint) < leader + LEADER_SLACK
    };
    let hidden = request.ink.iter().map(|(spot, cost)| {
        if covered.contains(*spot) {
            *cost
        } else if around_leader.contains(*spot) && is_along(*spot) {
            cost * COST_ALONG
        } else {
            0.0
        }
    });
    hidden.sum::<f64>() + leader * COST_OF_LEADER
}

/// The left corner away from the point, for a label as wide as the picture.
fn corner(request: &Request) -> Area {
    let within = request.within;
    let top = if request.point.1 > f64::midpoint(within.top, within.bottom) {
        within.top
    } else {
        within.bottom - request.size.1
    };
    Area::new((within.left, top), request.size)
}
