//! A panel: points in, the places of their times and values in the picture out.
//! Everything drawn goes through here once, so that odd input (no value, one value, a flat series,
//! numbers near the end of what `f64` holds) is dealt with in this file alone.

use chrono::{DateTime, TimeDelta};
use chrono_tz::Tz;

use super::Point;
use super::canvas::{self, Area, Spot, WIDTH};
use super::scale::{Scale, ends};
use super::style::{LABEL_SPACE, MARGIN, MAX_VALUE_LABEL, PLOT_BOTTOM, PLOT_TOP, TICK};
use super::ticks::{self, Tick};
use crate::forecast::Side;

const ROOM_ABOVE: f64 = 0.08;
const ROOM_BELOW: f64 = 0.05;
/// In pixels, to the right of the newest point.
const ROOM_RIGHT: f64 = 26.0;
/// A series without negative values is drawn from zero unless it stays this far above it.
const ZERO_BELOW: f64 = 0.5;
/// Where something is cut off, there is room for its figure.
const ROOM_FOR_CUT: f64 = 0.16;
/// Below this share of its size a range is only noise of the arithmetic.
const FLAT: f64 = 1e-9;

pub struct Panel {
    /// With finite numbers only.
    pub points: Vec<Point>,
    pub newest: Point,
    /// The times of the points in words.
    pub period: String,
    /// The time between neighbours; a longer one is a gap.
    pub step: TimeDelta,
    /// Where lines may be drawn.
    pub area: Area,
    pub first: DateTime<Tz>,
    pub last: DateTime<Tz>,
    pub low: f64,
    pub high: f64,
    /// Empty where there is no number at all.
    pub value_ticks: Vec<Tick<f64>>,
}

impl Panel {
    /// None where there is no point at all. A single point stands in the middle of two steps.
    pub fn new(points: &[Point], step: TimeDelta, scale: Scale) -> Option<Self> {
        let points: Vec<Point> = points.iter().map(Point::finite).collect();
        let newest = *points.last()?;
        let (first, last) = (points.first()?.time, newest.time);
        let margin = if last > first {
            TimeDelta::zero()
        } else {
            step.max(TimeDelta::seconds(1))
        };
        let ends = ends(&points, scale);
        let (low, high) = ends.map_or((0.0, 1.0), |ends| {
            let (low, high) = value_range(ends.low, ends.high);
            let room = (high - low) * ROOM_FOR_CUT;
            let more = |is_cut: bool| if is_cut { room } else { 0.0 };
            (low - more(ends.cuts_below), high + more(ends.cuts_above))
        });
        let value_ticks = ends.map_or(vec![], |_| ticks::value_ticks(low, high));
        // The left edge leaves room for the widest value label.
        let labels = value_ticks.iter().map(|tick| &tick.label);
        let widths = labels.map(|label| canvas::text_width(label, TICK));
        let widest = widths.fold(0.0, f64::max).min(MAX_VALUE_LABEL);
        Some(Self {
            area: Area {
                left: (MARGIN + widest + LABEL_SPACE).round(),
                top: PLOT_TOP,
                right: f64::from(WIDTH) - MARGIN,
                bottom: PLOT_BOTTOM,
            },
            first: first.checked_sub_signed(margin)?,
            last: last.max(first).checked_add_signed(margin)?,
            low,
            high,
            value_ticks,
            period: ticks::period(first, last, step),
            newest,
            points,
            step,
        })
    }

    pub fn x(&self, time: DateTime<Tz>) -> f64 {
        let span = (self.last - self.first).as_seconds_f64();
        let share = (time - self.first).as_seconds_f64() / span;
        self.area.left + share * (self.area.right - ROOM_RIGHT - self.area.left)
    }

    /// What is cut off stands at the edge.
    pub fn y(&self, value: f64) -> f64 {
        let share = ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0);
        self.area.bottom - share * (self.area.bottom - self.area.top)
    }

    pub fn spot(&self, time: DateTime<Tz>, value: f64) -> Spot {
        (self.x(time), self.y(value))
    }

    /// The side on which a value is cut off, if it is.
    pub fn cut_side(&self, value: f64) -> Option<Side> {
        if value > self.high {
            Some(Side::High)
        } else {
            (value < self.low).then_some(Side::Low)
        }
    }

    pub fn value_spot(&self, point: &Point) -> Option<Spot> {
        Some(self.spot(point.time, point.value?))
    }
}

/// The range to draw: with zero where that is near, and with room around the data.
fn value_range(low: f64, high: f64) -> (f64, f64) {
    let (low, high) = with_zero(widened(low, high));
    let room = high - low;
    let below = if low == 0.0 { 0.0 } else { room * ROOM_BELOW };
    let above = if high == 0.0 { 0.0 } else { room * ROOM_ABOVE };
    let (low, high) = (low - below, high + above);
    // A tick just above the data shows how high it reaches.
    let next_tick = ticks::next_tick(low, high);
    let is_near = next_tick - high < room * ROOM_ABOVE;
    (low, if is_near { next_tick } else { high })
}

fn widened(low: f64, high: f64) -> (f64, f64) {
    let size = low.abs().max(high.abs());
    if high - low > size * FLAT {
        (low, high)
    } else if size < f64::MIN_POSITIVE / FLAT {
        (0.0, 1.0)
    } else {
        (low - size / 10.0, high + size / 10.0)
    }
}

fn with_zero((low, high): (f64, f64)) -> (f64, f64) {
    if low > 0.0 && low < high * ZERO_BELOW {
        (0.0, high)
    } else if high < 0.0 && high > low * ZERO_BELOW {
        (low, 0.0)
    } else {
        (low, high)
    }
}
