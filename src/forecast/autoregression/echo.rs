//! What past errors tell of the next one: the moving average part of an autoregressive moving average,
//! fitted to the errors that the regressions leave, as the second stage of Hannan and Rissanen
//! (*Recursive Estimation of Mixed Autoregressive-Moving Average Order*, 1982). A level that wanders
//! slowly under noise leaves errors of one sign for hours, and a job that runs every hour one of the
//! same sign each time: too far back for the last few values, and too small for a season.
//!
//! Errors count in units of what is usual at their time of day, and none for more than a few of them.

use nalgebra::{DMatrix, DVector};

use crate::forecast::profile::Profile;
use crate::forecast::timeline::Timeline;

/// Running means of the last errors: half of each is from so many.
const HALF_LIVES: [f64; 3] = [4.0, 16.0, 64.0];
/// The last error, its running means, those a turn of each of the first two seasons ago, and those at
/// the same minute of the last hours.
const TRACES: usize = 5 + HALF_LIVES.len();
/// So many hours.
const HOURS: usize = 4;
/// No error counts for more than so many usual ones.
const CAP: f64 = 4.0;
/// The prior, that nothing is left of an error, counts as the squares of so many usual ones.
const PRIOR: f64 = 100.0;

/// How much of the errors it heard is left in the next.
#[derive(Debug)]
pub struct Echo<'a> {
    timeline: &'a Timeline,
    profile: &'a Profile,
    first: usize,
    weights: [f64; TRACES],
    /// The error of each slot from the first on, in usual ones; zero where none was heard.
    ratios: Vec<f64>,
    recent: Recent,
    keeps: [f64; HALF_LIVES.len()],
    /// What may be forgotten again.
    heard: Vec<Heard>,
}

/// The last error, and the running means.
#[derive(Debug, Clone, Copy, Default)]
struct Recent {
    last: f64,
    means: [f64; HALF_LIVES.len()],
}

/// An error, by its slot and what was recent before it.
#[derive(Debug, Clone, Copy)]
struct Heard {
    slot: usize,
    before: Recent,
}

impl<'a> Echo<'a> {
    /// Learns from errors made on values that were not seen, the first of them that of the slot `first`.
    /// None of them is heard yet.
    pub fn learn(
        errors: &[Option<f64>],
        first: usize,
        profile: &'a Profile,
        timeline: &'a Timeline,
    ) -> Self {
        let mut echo = Self {
            timeline,
            profile,
            first,
            weights: [0.0; TRACES],
            ratios: vec![0.0; errors.len()],
            recent: Recent::default(),
            keeps: HALF_LIVES.map(|half_life| 0.5_f64.powf(1.0 / half_life)),
            heard: Vec::with_capacity(errors.len()),
        };
        let mut products = [[0.0; TRACES]; TRACES];
        let mut moments = [0.0; TRACES];
        for (slot, error) in (first..).zip(errors) {
            let Some(error) = error else { continue };
            let traces = echo.traces(slot);
            for (products, trace) in products.iter_mut().zip(traces) {
                for (product, other) in products.iter_mut().zip(traces) {
                    *product += trace * other;
                }
            }
            echo.hear(slot, *error);
            for (moment, trace) in moments.iter_mut().zip(traces) {
                *moment += trace * echo.recent.last;
            }
        }
        let products = DMatrix::from_fn(TRACES, TRACES, |row, column| {
            products[row][column] + if row == column { PRIOR } else { 0.0 }
        });
        if let Some(cholesky) = products.cholesky() {
            let weights = cholesky.solve(&DVector::from_column_slice(&moments));
            echo.weights.copy_from_slice(weights.as_slice());
        }
        echo.forget(first);
        echo
    }

    /// How far off the forecast of a slot is expected to be, after the errors heard before it.
    pub fn expect(&self, slot: usize) -> f64 {
        let products = self.weights.iter().zip(self.traces(slot));
        let ratio: f64 = products.map(|(weight, trace)| weight * trace).sum();
        ratio * self.usual(slot)
    }

    /// Hears the error of a slot, after those of the slots before.
    pub fn hear(&mut self, slot: usize, error: f64) {
        let ratio = (error / self.usual(slot)).clamp(-CAP, CAP);
        self.heard.push(Heard {
            slot,
            before: self.recent,
        });
        self.ratios[slot - self.first] = ratio;
        self.recent.last = ratio;
        for (mean, keep) in self.recent.means.iter_mut().zip(self.keeps) {
            *mean = keep * *mean + (1.0 - keep) * ratio;
        }
    }

    /// Forgets the errors from a slot on, as if they had not been heard.
    pub fn forget(&mut self, from: usize) {
        while let Some(heard) = self.heard.pop_if(|heard| heard.slot >= from) {
            self.ratios[heard.slot - self.first] = 0.0;
            self.recent = heard.before;
        }
    }

    fn usual(&self, slot: usize) -> f64 {
        self.profile.at(self.timeline.phases[slot])
    }

    fn traces(&self, slot: usize) -> [f64; TRACES] {
        let index = |slot: Option<usize>| slot?.checked_sub(self.first);
        let at = |slot: Option<usize>| index(slot).map_or(0.0, |index| self.ratios[index]);
        // Three, of which the outer ones may be missing.
        let around = |slot: Option<usize>| {
            index(slot).map_or(0.0, |index| {
                let end = (index + 2).min(self.ratios.len());
                let ratios = &self.ratios[index.saturating_sub(1)..end];
                ratios.iter().sum::<f64>() / 3.0
            })
        };
        let turn_ago = |season: usize| self.timeline.cycles.get(season)?.counterpart(slot);
        let hours = self.timeline.hour.map_or(0.0, |hour| {
            let turns = (1..=HOURS).map(|turn| at(slot.checked_sub(turn * hour)));
            #[expect(clippy::cast_precision_loss, reason = "a few")]
            let count = HOURS as f64;
            turns.sum::<f64>() / count
        });
        let [few, more, most] = self.recent.means;
        [
            self.recent.last,
            few,
            more,
            most,
            at(turn_ago(0)),
            around(turn_ago(0)),
            around(turn_ago(1)),
            hours,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forecast::clean::Cleaned;
    use crate::forecast::seasons::Seasons;
    use crate::series::sample::series;

    /// As many slots as errors, of a series without seasons.
    fn timeline(step: &str, errors: &[Option<f64>]) -> Timeline {
        let values: Vec<f64> = (0..=errors.len())
            .map(|slot| if slot % 2 == 0 { 1.0 } else { -1.0 })
            .collect();
        let history = series(step, &values);
        let cleaned = Cleaned::untouched(&history);
        Timeline::lay_out(&history, &cleaned, &Seasons(Vec::new())).expect("values that differ")
    }

    /// What is expected of the slot after the errors, the first of which is that of slot 1.
    fn expected(step: &str, errors: &[Option<f64>]) -> f64 {
        let timeline = timeline(step, errors);
        let profile = Profile::of(errors, &timeline.phases[1..], timeline.phase_count);
        let mut echo = Echo::learn(errors, 1, &profile, &timeline);
        hear(&mut echo, errors);
        echo.expect(1 + errors.len())
    }

    fn hear(echo: &mut Echo, errors: &[Option<f64>]) {
        for (slot, error) in (1..).zip(errors) {
            if let Some(error) = error {
                echo.hear(slot, *error);
            }
        }
    }

    /// Between -0.5 and 0.5, without any pattern.
    fn noise(number: u32) -> f64 {
        f64::from(37 * number * number % 101) / 101.0 - 0.5
    }

    /// Each has so large a share of the one before.
    fn errors(share: f64) -> Vec<Option<f64>> {
        let errors = (0..400).scan(0.0, |last, number| {
            *last = noise(number) + share * *last;
            Some(Some(*last))
        });
        errors.collect()
    }

    // import numpy as np                                                             numpy 2.4.6
    // n = 400; e = np.zeros(n)
    // for t in range(n): e[t] = (37*t*t % 101)/101 - .5 + .6*(e[t - 1] if t else 0)
    // u = np.abs(e).mean(); r = np.clip(e/u, -4, 4)
    // x = np.zeros((n + 1, 4)); last = 0; m = np.zeros(3); k = .5**(1/np.array([4., 16, 64]))
    // for t in range(n + 1):
    //     x[t] = [last, *m]
    //     if t < n: last = r[t]; m = k*m + (1 - k)*r[t]
    // print(np.linalg.solve(x[:n].T @ x[:n] + 100*np.eye(4), x[:n].T @ r) @ x[n]*u)
    #[test]
    fn what_is_left_of_errors_is_numpys_ridge_regression() {
        let expected = expected("30m", &errors(0.6));
        assert!((expected - -0.160_385_606_1).abs() < 1e-9, "{expected}");
    }

    #[test]
    fn errors_that_tell_nothing_leave_hardly_anything() {
        let mut errors = errors(0.0);
        errors.push(Some(0.5));
        let expected = expected("30m", &errors);
        assert!(expected.abs() < 0.1, "{expected}");
    }

    #[test]
    fn a_job_of_every_hour_is_expected_at_its_minute() {
        let at = |number: u32| {
            let job = if number.is_multiple_of(12) { 0.25 } else { 0.0 };
            Some(0.2 * noise(number) + job)
        };
        let errors: Vec<Option<f64>> = (0..1200).map(at).collect();
        let at_its_minute = expected("5m", &errors);
        assert!((0.15..=0.3).contains(&at_its_minute), "{at_its_minute}");
        let before = expected("5m", &errors[..1199]);
        assert!(before.abs() < 0.05, "{before}");
    }

    #[test]
    fn an_error_beyond_all_measure_counts_as_a_few() {
        let mut few = errors(0.6);
        let mut wild = few.clone();
        few.push(Some(CAP * 0.35));
        wild.push(Some(100.0));
        let (few, wild) = (expected("30m", &few), expected("30m", &wild));
        assert!((wild / few - 1.0).abs() < 0.2, "{few}, {wild}");
    }

    #[test]
    fn errors_that_are_forgotten_leave_nothing() {
        let errors = errors(0.6);
        let timeline = timeline("30m", &errors);
        let profile = Profile::of(&errors, &timeline.phases[1..], timeline.phase_count);
        let learnt = || Echo::learn(&errors, 1, &profile, &timeline);
        let (mut forgetful, mut spared) = (learnt(), learnt());
        hear(&mut forgetful, &errors);
        hear(&mut spared, &errors[..397]);
        assert!((forgetful.expect(401) - spared.expect(401)).abs() > 1e-3);
        forgetful.forget(1 + 397);
        assert!((forgetful.expect(401) - spared.expect(401)).abs() < 1e-12);
    }

    #[test]
    fn no_error_leaves_nothing() {
        assert!(expected("5m", &[None; 100]).abs() < 1e-12);
        assert!(expected("5m", &[Some(0.0); 100]).abs() < 1e-12);
    }
}
