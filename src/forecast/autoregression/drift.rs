//! How much further off a forecast is the longer it goes without news: measured by letting the model
//! feed on its own forecasts from a number of starts within the history. A series that wanders is
//! soon anywhere; one that keeps to its season is as sure of tomorrow as of the next minute.

use super::{Blend, Horizon};
use crate::forecast::profile::Profile;
use crate::forecast::timeline::Timeline;

/// The usual size of an error by the number of steps since the last news, as a multiple of that one
/// step ahead.
#[derive(Debug, Clone)]
pub struct Drift {
    /// At 1, 2, 4, 8, ... steps; never falling.
    multiples: Vec<f64>,
}

const STARTS: usize = 24;
/// Errors count as no larger than this many times the usual one: at one step, and further on.
const CAP_NEAR: f64 = 10.0;
const CAP_FAR: f64 = 30.0;
/// The multiple found so far counts as this many errors.
const PRIOR: f64 = 10.0;

impl Drift {
    pub fn measure(blend: &Blend, timeline: &Timeline, profile: &Profile, farthest: usize) -> Self {
        let spell = farthest.min((timeline.len() - blend.first) / 3);
        let filled = &timeline.filled;
        let mut fed = filled.clone();
        let mut row = Vec::new();
        let mut errors = vec![Sum::default(); 1 + doublings(spell.max(1))];
        for start in 0..STARTS {
            let from = blend.first + (timeline.len() - blend.first - spell) * start / STARTS;
            for ahead in 1..=spell {
                let slot = from + ahead - 1;
                let horizon = Horizon::of(ahead);
                let expectation = blend.expect(slot, horizon, &fed, timeline, &mut row);
                let expected = expectation.value;
                if let Some(value) = timeline.values[slot] {
                    let usual = profile.at(timeline.phases[slot]);
                    errors[doublings(ahead)].add(((value - expected).abs() / usual).min(CAP_FAR));
                }
                fed[slot] = expected;
            }
            fed[from..from + spell].copy_from_slice(&filled[from..from + spell]);
        }
        let near = one_step(blend, timeline, profile);
        let mut multiple = 1.0_f64;
        let multiples = errors.iter().map(|sum| {
            let measured = (sum.total / near + multiple * PRIOR) / (sum.count + PRIOR);
            multiple = multiple.max(measured);
            multiple
        });
        Self {
            multiples: multiples.collect(),
        }
    }

    /// The multiple for a forecast so many steps ahead.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a window has few slots"
    )]
    pub fn at(&self, ahead: usize) -> f64 {
        let farthest = (self.multiples.len() - 1) as f64;
        let place = (ahead.max(1) as f64).log2().min(farthest);
        let (below, above) = (place.floor() as usize, place.ceil() as usize);
        let share = place - place.floor();
        self.multiples[below] * (1.0 - share) + self.multiples[above] * share
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    total: f64,
    count: f64,
}

impl Sum {
    fn add(&mut self, size: f64) {
        self.total += size;
        self.count += 1.0;
    }
}

/// In how many doublings one step becomes as many.
fn doublings(steps: usize) -> usize {
    steps.next_power_of_two().trailing_zeros() as usize
}

/// The usual size of an error one step ahead, by the profile's measure.
fn one_step(blend: &Blend, timeline: &Timeline, profile: &Profile) -> f64 {
    let mut sum = Sum::default();
    let phases = &timeline.phases[blend.first..];
    for (error, phase) in blend.errors.iter().zip(phases) {
        if let Some(error) = error {
            sum.add((error.abs() / profile.at(*phase)).min(CAP_NEAR));
        }
    }
    (sum.total / sum.count.max(1.0)).max(1e-9)
}
