//! How the errors of a forecast grow with its horizon: measured by forecasting from forecasts, from a
//! number of starts within the history. A series that wanders is soon anywhere; one that keeps to its
//! season is as certain of tomorrow as of the next minute.

use super::{Combination, Horizon};
use crate::forecast::error_profile::ErrorProfile;
use crate::forecast::timeline::Timeline;

/// The mean absolute error by the number of steps ahead, as a multiple of that one step ahead.
#[derive(Debug, Clone)]
pub struct HorizonGrowth {
    /// At 1, 2, 4, 8, ... steps; never falling.
    multiples: Vec<f64>,
}

impl HorizonGrowth {
    pub fn measure(
        combination: &Combination,
        timeline: &Timeline,
        profile: &ErrorProfile,
        farthest: usize,
    ) -> Self {
        const STARTS: usize = 24;
        /// Errors count as no larger than this many usual ones.
        const CAP: f64 = 30.0;
        /// The multiple of the next shorter horizon counts as this many errors.
        const PRIOR: f64 = 10.0;
        let first = combination.first;
        let steps = farthest.min((timeline.len() - first) / 3);
        let filled = &timeline.filled;
        let mut filtered = filled.clone();
        let mut row = Vec::new();
        let mut errors = vec![Mean::default(); 1 + doublings(steps.max(1))];
        for start in 0..STARTS {
            let from = first + (timeline.len() - first - steps) * start / STARTS;
            for (ahead, slot) in (1..=steps).zip(from..) {
                let horizon = Horizon::from_steps(ahead);
                let expectation = combination.expect(slot, horizon, &filtered, timeline, &mut row);
                if let Some(value) = timeline.values[slot] {
                    let usual = profile.at(timeline.phases[slot]);
                    let error = (value - expectation.value).abs() / usual;
                    errors[doublings(ahead)].add(error.min(CAP));
                }
                filtered[slot] = expectation.value;
            }
            filtered[from..from + steps].copy_from_slice(&filled[from..from + steps]);
        }
        let one_step = one_step_error(combination, timeline, profile);
        let multiples = errors.iter().scan(1.0_f64, |multiple, errors| {
            let measured = (errors.sum / one_step + *multiple * PRIOR) / (errors.count + PRIOR);
            *multiple = multiple.max(measured);
            Some(*multiple)
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
struct Mean {
    sum: f64,
    count: f64,
}

impl Mean {
    fn add(&mut self, size: f64) {
        self.sum += size;
        self.count += 1.0;
    }
}

/// In how many doublings one step becomes as many.
fn doublings(steps: usize) -> usize {
    steps.next_power_of_two().trailing_zeros() as usize
}

/// The mean absolute error one step ahead, in usual errors.
fn one_step_error(combination: &Combination, timeline: &Timeline, profile: &ErrorProfile) -> f64 {
    const CAP: f64 = 10.0;
    let mut mean = Mean::default();
    let phases = &timeline.phases[combination.first..];
    for (error, phase) in combination.errors.iter().zip(phases) {
        if let Some(error) = error {
            mean.add((error.abs() / profile.at(*phase)).min(CAP));
        }
    }
    (mean.sum / mean.count.max(1.0)).max(1e-9)
}
