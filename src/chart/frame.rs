//! The two ranges of a chart: slots in, the places of their times and values in the picture out.
//! Everything drawn goes through here once, so that odd input (no value, one value, a flat series,
//! numbers near the end of what `f64` holds) is dealt with in this file alone.

use chrono::{DateTime, TimeDelta};
use chrono_tz::Tz;

use super::Point;
use super::canvas::{self, Area, Spot, WIDTH};
use super::style::{LABEL_SPACE, MARGIN, MAX_VALUE_LABEL, PLOT_BOTTOM, PLOT_TOP, RIGHT_ROOM, TICK};
use super::ticks::{ValueTick, next_tick, value_ticks};
use crate::forecast::Band;

const ROOM_ABOVE: f64 = 0.08;
const ROOM_BELOW: f64 = 0.05;
/// A series without negative values is drawn from zero unless it stays this far above it.
const ZERO_BELOW: f64 = 0.5;
/// Below this share of its size a range is only noise of the arithmetic.
const FLAT: f64 = 1e-9;
/// Far enough from the end of `f64` for sums and differences.
const LIMIT: f64 = 1e300;

/// A point with all its numbers finite.
#[derive(Clone, Copy)]
pub struct Slot {
    pub time: DateTime<Tz>,
    pub value: Option<f64>,
    pub clipped: bool,
    pub band: Option<Band>,
}

pub struct Frame {
    /// Where lines may be drawn.
    pub area: Area,
    pub first: DateTime<Tz>,
    pub last: DateTime<Tz>,
    pub low: f64,
    pub high: f64,
    /// Empty where there is no number at all.
    pub value_ticks: Vec<ValueTick>,
}

pub fn slots(points: &[Point]) -> Vec<Slot> {
    points.iter().map(slot).collect()
}

fn slot(point: &Point) -> Slot {
    let sound = |number: f64| number.is_finite().then(|| number.clamp(-LIMIT, LIMIT));
    let band = point.band.and_then(|band| {
        let (lower, upper) = (sound(band.lower)?, sound(band.upper)?);
        Some(Band {
            expected: sound(band.expected)?,
            lower: lower.min(upper),
            upper: upper.max(lower),
        })
    });
    Slot {
        time: point.time,
        value: point.value.and_then(sound),
        clipped: point.clipped,
        band,
    }
}

impl Frame {
    /// None where there is no slot at all. A single slot stands in the middle of two steps.
    pub fn new(slots: &[Slot], step: TimeDelta) -> Option<Self> {
        let (first, last) = (slots.first()?.time, slots.last()?.time);
        let margin = if last > first {
            TimeDelta::zero()
        } else {
            step.max(TimeDelta::seconds(1))
        };
        let first = first.checked_sub_signed(margin)?;
        let last = last.max(first).checked_add_signed(margin)?;
        let ends = ends(slots);
        let (low, high) = ends.map_or((0.0, 1.0), roomy);
        let value_ticks = ends.map_or(vec![], |_| value_ticks(low, high));
        let area = area_beside(&value_ticks);
        Some(Self {
            area,
            first,
            last,
            low,
            high,
            value_ticks,
        })
    }

    pub fn x(&self, time: DateTime<Tz>) -> f64 {
        let span = (self.last - self.first).as_seconds_f64();
        let share = (time - self.first).as_seconds_f64() / span;
        self.area.left + share * (self.area.right - RIGHT_ROOM - self.area.left)
    }

    pub fn y(&self, value: f64) -> f64 {
        let share = (value - self.low) / (self.high - self.low);
        self.area.bottom - share * (self.area.bottom - self.area.top)
    }

    pub fn spot(&self, time: DateTime<Tz>, value: f64) -> Spot {
        (self.x(time), self.y(value))
    }
}

/// The left edge leaves room for the widest value label.
fn area_beside(ticks: &[ValueTick]) -> Area {
    let widths = ticks
        .iter()
        .map(|tick| canvas::text_width(&tick.label, TICK));
    let widest = widths.fold(0.0, f64::max).min(MAX_VALUE_LABEL);
    let left = (MARGIN + widest + LABEL_SPACE).round();
    Area {
        left,
        top: PLOT_TOP,
        right: f64::from(WIDTH) - MARGIN,
        bottom: PLOT_BOTTOM,
    }
}

/// The lowest and the highest number to be drawn.
fn ends(slots: &[Slot]) -> Option<(f64, f64)> {
    let bands = slots.iter().filter_map(|slot| slot.band);
    let numbers = bands.flat_map(|band| [band.lower, band.expected, band.upper]);
    let numbers = numbers.chain(slots.iter().filter_map(|slot| slot.value));
    numbers.fold(None, |ends, number| {
        let (low, high) = ends.unwrap_or((number, number));
        Some((number.min(low), number.max(high)))
    })
}

/// The range to draw: with zero where that is near, and with room around the data.
fn roomy((low, high): (f64, f64)) -> (f64, f64) {
    let (low, high) = widened(low, high);
    let (low, high) = with_zero(low, high);
    let room = high - low;
    let below = if low == 0.0 { 0.0 } else { room * ROOM_BELOW };
    let above = if high == 0.0 { 0.0 } else { room * ROOM_ABOVE };
    let (low, high) = (low - below, high + above);
    // A tick just above the rest tells how high it reaches.
    let next_tick = next_tick(low, high);
    (
        low,
        if next_tick - high < room * ROOM_ABOVE {
            next_tick
        } else {
            high
        },
    )
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

fn with_zero(low: f64, high: f64) -> (f64, f64) {
    if low > 0.0 && low < high * ZERO_BELOW {
        (0.0, high)
    } else if high < 0.0 && high > low * ZERO_BELOW {
        (low, 0.0)
    } else {
        (low, high)
    }
}
