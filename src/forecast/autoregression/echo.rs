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

/// How much of past errors is left in the next.
#[derive(Debug)]
pub struct Echo<'a> {
    timeline: &'a Timeline,
    profile: &'a Profile,
    first: usize,
    weights: [f64; TRACES],
}

/// The errors up to a slot, in usual ones.
#[derive(Debug)]
pub struct Past {
    /// From the first slot on; zero where none is known.
    ratios: Vec<f64>,
    /// What the errors before each of these slots came to, and before the next.
    recent: Vec<Recent>,
    keeps: [f64; HALF_LIVES.len()],
}

/// The last error, and the running means.
#[derive(Debug, Clone, Copy, Default)]
struct Recent {
    last: f64,
    means: [f64; HALF_LIVES.len()],
}

impl Past {
    fn none(len: usize) -> Self {
        let mut recent = Vec::with_capacity(len + 1);
        recent.push(Recent::default());
        Self {
            ratios: Vec::with_capacity(len),
            recent,
            keeps: HALF_LIVES.map(|half_life| 0.5_f64.powf(1.0 / half_life)),
        }
    }

    fn recent(&self) -> Recent {
        self.recent.last().copied().unwrap_or_default()
    }

    fn add(&mut self, ratio: Option<f64>) {
        let mut recent = self.recent();
        if let Some(ratio) = ratio {
            recent.last = ratio;
            for (mean, keep) in recent.means.iter_mut().zip(self.keeps) {
                *mean = keep * *mean + (1.0 - keep) * ratio;
            }
        }
        self.recent.push(recent);
        self.ratios.push(ratio.unwrap_or(0.0));
    }

    /// As if no error of these last slots were known.
    fn forget(&mut self, from: usize) {
        self.ratios[from..].fill(0.0);
        let before = self.recent[from];
        self.recent[from..].fill(before);
    }
}

impl<'a> Echo<'a> {
    /// From errors made on values that were not seen, the first of them that of the slot `first`.
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
        };
        let mut products = [[0.0; TRACES]; TRACES];
        let mut moments = [0.0; TRACES];
        let mut past = Past::none(errors.len());
        for (slot, error) in (first..).zip(errors) {
            let ratio = error.map(|error| echo.ratio(slot, error));
            if let Some(ratio) = ratio {
                let traces = echo.traces(&past, slot);
                for (products, trace) in products.iter_mut().zip(traces) {
                    for (product, other) in products.iter_mut().zip(traces) {
                        *product += trace * other;
                    }
                }
                for (moment, trace) in moments.iter_mut().zip(traces) {
                    *moment += trace * ratio;
                }
            }
            past.add(ratio);
        }
        let products = DMatrix::from_fn(TRACES, TRACES, |row, column| {
            products[row][column] + if row == column { PRIOR } else { 0.0 }
        });
        if let Some(cholesky) = products.cholesky() {
            let weights = cholesky.solve(&DVector::from_column_slice(&moments));
            echo.weights.copy_from_slice(weights.as_slice());
        }
        echo
    }

    /// Before any error.
    pub fn past(&self) -> Past {
        Past::none(self.timeline.len() + 1 - self.first)
    }

    /// How far off the forecast of the slot after the past is expected to be.
    pub fn expect(&self, past: &Past) -> f64 {
        let slot = self.first + past.ratios.len();
        let traces = self.traces(past, slot);
        let products = self.weights.iter().zip(traces);
        let ratio: f64 = products.map(|(weight, trace)| weight * trace).sum();
        ratio * self.usual(slot)
    }

    /// Adds the error of the next slot; `None` if it is not known, or not to be heeded.
    pub fn follow(&self, past: &mut Past, error: Option<f64>) {
        let slot = self.first + past.ratios.len();
        past.add(error.map(|error| self.ratio(slot, error)));
    }

    /// Forgets the errors from a slot on: they turned out to be an incident's.
    pub fn forget(&self, past: &mut Past, from: usize) {
        past.forget(from - self.first);
    }

    fn usual(&self, slot: usize) -> f64 {
        self.profile.at(self.timeline.phases[slot])
    }

    fn ratio(&self, slot: usize, error: f64) -> f64 {
        (error / self.usual(slot)).clamp(-CAP, CAP)
    }

    fn traces(&self, past: &Past, slot: usize) -> [f64; TRACES] {
        let at = |slot: Option<usize>| {
            let index = slot.and_then(|slot| slot.checked_sub(self.first));
            index.map_or(0.0, |index| past.ratios[index])
        };
        // Three, of which the outer ones may be missing.
        let around = |slot: Option<usize>| {
            let Some(index) = slot.and_then(|slot| slot.checked_sub(self.first)) else {
                return 0.0;
            };
            let ratios = &past.ratios[index.saturating_sub(1)..(index + 2).min(past.ratios.len())];
            ratios.iter().sum::<f64>() / 3.0
        };
        let turn_ago = |season: usize| self.timeline.cycles.get(season)?.counterpart(slot);
        let hours = self.timeline.hour.map_or(0.0, |hour| {
            let turns = (1..=HOURS).map(|turn| at(slot.checked_sub(turn * hour)));
            #[expect(clippy::cast_precision_loss, reason = "a few")]
            let count = HOURS as f64;
            turns.sum::<f64>() / count
        });
        let recent = past.recent();
        let [few, more, most] = recent.means;
        [
            recent.last,
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
    use crate::clean::Cleaned;
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
        let echo = Echo::learn(errors, 1, &profile, &timeline);
        let mut past = echo.past();
        for error in errors {
            echo.follow(&mut past, *error);
        }
        echo.expect(&past)
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
        let echo = Echo::learn(&errors, 1, &profile, &timeline);
        let (mut held, mut spared) = (echo.past(), echo.past());
        for (number, error) in errors.iter().enumerate() {
            echo.follow(&mut held, *error);
            echo.follow(&mut spared, error.filter(|_| number < 397));
        }
        assert!((echo.expect(&held) - echo.expect(&spared)).abs() > 1e-3);
        echo.forget(&mut held, 1 + 397);
        assert!((echo.expect(&held) - echo.expect(&spared)).abs() < 1e-12);
    }

    #[test]
    fn no_error_leaves_nothing() {
        assert!(expected("5m", &[None; 100]).abs() < 1e-12);
        assert!(expected("5m", &[Some(0.0); 100]).abs() < 1e-12);
    }
}
