//! Draws the data itself: the band, the expected line, the value line and the clipped outliers.
//! Each is drawn run by run, a run being neighbouring slots that all have what is drawn, so that a
//! gap stays a gap; a run of a single slot would be no line, and gets a mark of its own.

use anyhow::Result;
use chrono::TimeDelta;

use super::Chart;
use super::canvas::{Area, Canvas, Pen, Spot};
use super::frame::Slot;
use super::style::{
    BAND_FILL, BAND_PEN, CLIPPED_PEN, CLIPPED_RADIUS, DASH, EXPECTED_PEN, LONE_DOT, LONE_WIDTH,
    MAX_WIDTH_PER_SPACE, MIN_VALUE_WIDTH, SPARSE, VALUE, VALUE_PEN, WHITE,
};
use crate::forecast::Band;

const SAMPLE_LENGTH: f64 = 6.0;
const MOST_SAMPLES: u32 = 300;

pub fn draw_band(chart: &Chart, canvas: &Canvas) -> Result<()> {
    let edges = |slot: &Slot| {
        let band = slot.band?;
        let frame = &chart.frame;
        Some((
            frame.spot(slot.time, band.upper),
            frame.spot(slot.time, band.lower),
        ))
    };
    for run in runs(chart, edges) {
        let (upper, lower): (Vec<Spot>, Vec<Spot>) = run.into_iter().unzip();
        if let ([(x, top)], [(_, bottom)]) = (upper.as_slice(), lower.as_slice()) {
            let (left, right) = (x - LONE_WIDTH / 2.0, x + LONE_WIDTH / 2.0);
            canvas.rect(
                Area {
                    left,
                    top: *top,
                    right,
                    bottom: *bottom,
                },
                BAND_FILL,
            )?;
        }
        let outline: Vec<Spot> = upper.iter().chain(lower.iter().rev()).copied().collect();
        canvas.polygon(&outline, BAND_FILL)?;
        canvas.line(&upper, BAND_PEN)?;
        canvas.line(&lower, BAND_PEN)?;
    }
    Ok(())
}

pub fn draw_lines(chart: &Chart, canvas: &Canvas) -> Result<()> {
    for run in runs(chart, |slot| expected_spot(chart, slot)) {
        canvas.dashes(&widened(run), EXPECTED_PEN, DASH)?;
    }
    let runs = runs(chart, |slot| value_spot(chart, slot));
    let spacing = spacing(chart);
    // Dense values under a thick line would be one blot.
    let width = (spacing * MAX_WIDTH_PER_SPACE).clamp(MIN_VALUE_WIDTH, VALUE_PEN.width);
    for run in &runs {
        canvas.line(run, Pen { width, ..VALUE_PEN })?;
    }
    let dotted = spacing >= SPARSE;
    // A dot is as heavy as the line is.
    let radius = LONE_DOT * width / VALUE_PEN.width;
    let lone = runs.iter().filter(|run| dotted || run.len() == 1);
    lone.flatten()
        .try_for_each(|spot| canvas.disc(*spot, radius, VALUE))
}

pub fn draw_clipped(chart: &Chart, canvas: &Canvas) -> Result<()> {
    let clipped = chart.slots.iter().filter(|slot| slot.clipped);
    clipped
        .filter_map(|slot| value_spot(chart, slot))
        .try_for_each(|spot| canvas.ring(spot, CLIPPED_RADIUS, CLIPPED_PEN, WHITE))
}

/// A place on a line, and how many pixels of the line it stands for.
pub type Ink = (Spot, f64);

pub fn value_ink(chart: &Chart) -> Vec<Ink> {
    sampled(&runs(chart, |slot| value_spot(chart, slot)))
}

pub fn expected_ink(chart: &Chart) -> Vec<Ink> {
    sampled(&runs(chart, |slot| expected_spot(chart, slot)))
}

pub fn edge_ink(chart: &Chart) -> Vec<Ink> {
    let edge = |side: fn(&Band) -> f64| {
        runs(chart, |slot| {
            Some(chart.frame.spot(slot.time, side(slot.band.as_ref()?)))
        })
    };
    sampled(&[edge(|band| band.upper), edge(|band| band.lower)].concat())
}

pub fn value_spot(chart: &Chart, slot: &Slot) -> Option<Spot> {
    Some(chart.frame.spot(slot.time, slot.value?))
}

pub fn expected_spot(chart: &Chart, slot: &Slot) -> Option<Spot> {
    Some(chart.frame.spot(slot.time, slot.band?.expected))
}

/// What `pick` takes from the slots, parted where it takes nothing or slots are missing.
fn runs<T>(chart: &Chart, pick: impl Fn(&Slot) -> Option<T>) -> Vec<Vec<T>> {
    let step = chart.figure.step;
    let farthest = step.checked_mul(3).map_or(step, |three| three / 2);
    let mut runs: Vec<Vec<T>> = Vec::new();
    let mut newest = None;
    for slot in chart.slots {
        let Some(item) = pick(slot) else { continue };
        let joined = newest.is_some_and(|newest| slot.time - newest <= farthest);
        match runs.last_mut() {
            Some(run) if joined => run.push(item),
            _ => runs.push(vec![item]),
        }
        newest = Some(slot.time);
    }
    runs
}

fn spacing(chart: &Chart) -> f64 {
    let frame = &chart.frame;
    let next = frame
        .first
        .checked_add_signed(chart.figure.step.max(TimeDelta::zero()));
    next.map_or(f64::INFINITY, |next| frame.x(next) - frame.x(frame.first))
}

/// A single spot as a short level line.
fn widened(run: Vec<Spot>) -> Vec<Spot> {
    match run.as_slice() {
        [(x, y)] => vec![(x - LONE_WIDTH / 2.0, *y), (x + LONE_WIDTH / 2.0, *y)],
        _ => run,
    }
}

fn sampled(runs: &[Vec<Spot>]) -> Vec<Ink> {
    let pairs = runs
        .iter()
        .flat_map(|run| run.iter().zip(run.iter().skip(1)));
    let mut ink = Vec::new();
    for (from, to) in pairs {
        let length = (to.0 - from.0).hypot(to.1 - from.1);
        let pieces = (1..=MOST_SAMPLES).find(|count| f64::from(*count) * SAMPLE_LENGTH >= length);
        let pieces = pieces.unwrap_or(MOST_SAMPLES);
        ink.extend((1..=pieces).map(|piece| {
            let part = f64::from(piece) / f64::from(pieces);
            let spot = (
                from.0 + (to.0 - from.0) * part,
                from.1 + (to.1 - from.1) * part,
            );
            (spot, length / f64::from(pieces))
        }));
    }
    ink
}
