//! What past errors say of the next one: the moving average part of an autoregressive moving average,
//! fitted to the errors that the regressions leave, as the second stage of Hannan and Rissanen
//! (*Recursive Estimation of Mixed Autoregressive-Moving Average Order*, 1982). Errors count in units of
//! the usual one at their time of day, and are capped.

use nalgebra::{Matrix4, Vector4};

use crate::forecast::error_profile::ErrorProfile;
use crate::forecast::timeline::Timeline;

/// No error counts for more than so many usual ones.
const CAP: f64 = 4.0;

/// Expects a part of the errors it has seen to persist.
#[derive(Debug)]
pub struct ErrorCorrection<'a> {
    timeline: &'a Timeline,
    profile: &'a ErrorProfile,
    first: usize,
    weights: Vector4<f64>,
    /// Of each slot from the first on.
    seen: Vec<Seen>,
}

/// The error of a slot, and what was recent as of it; all in usual errors.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    /// Zero where there was none.
    error: f64,
    last_error: f64,
    running_mean: f64,
}

impl<'a> ErrorCorrection<'a> {
    /// Fits the weights to errors made on values that were not seen, the first of them that of the slot
    /// `first`, by ridge regression. None of the errors counts as seen yet.
    pub fn fit(
        errors: &[Option<f64>],
        first: usize,
        profile: &'a ErrorProfile,
        timeline: &'a Timeline,
    ) -> Self {
        /// The prior, that no error persists, counts as the squares of so many usual ones.
        const PRIOR: f64 = 100.0;
        let mut correction = Self {
            timeline,
            profile,
            first,
            weights: Vector4::zeros(),
            seen: Vec::with_capacity(errors.len()),
        };
        let mut products = Matrix4::from_diagonal_element(PRIOR);
        let mut moments = Vector4::zeros();
        for (slot, error) in (first..).zip(errors) {
            let regressors = correction.regressors(slot);
            correction.push(*error);
            if error.is_some() {
                products += regressors * regressors.transpose();
                moments += regressors * correction.latest().error;
            }
        }
        if let Some(cholesky) = products.cholesky() {
            correction.weights = cholesky.solve(&moments);
        }
        correction.seen.clear();
        correction
    }

    /// The expected error of the slot after those seen.
    pub fn expect(&self, slot: usize) -> f64 {
        self.weights.dot(&self.regressors(slot)) * self.usual(slot)
    }

    /// Takes the error of the next slot, or that it has none.
    pub fn push(&mut self, error: Option<f64>) {
        /// Half of the running mean is from so many errors.
        const HALF_LIFE: f64 = 16.0;
        let mut seen = self.nothing_new();
        if let Some(error) = error {
            let usual = self.usual(self.first + self.seen.len());
            let keep = 0.5_f64.powf(1.0 / HALF_LIFE);
            seen.error = (error / usual).clamp(-CAP, CAP);
            seen.last_error = seen.error;
            seen.running_mean = keep * seen.running_mean + (1.0 - keep) * seen.error;
        }
        self.seen.push(seen);
    }

    /// Forgets the errors from a slot on, as if it and those after it had none.
    pub fn forget(&mut self, from: usize) {
        let len = self.seen.len();
        self.seen.truncate(from - self.first);
        self.seen.resize(len, self.nothing_new());
    }

    /// A slot without an error after those seen.
    fn nothing_new(&self) -> Seen {
        let error = 0.0;
        Seen {
            error,
            ..self.latest()
        }
    }

    fn latest(&self) -> Seen {
        self.seen.last().copied().unwrap_or_default()
    }

    fn usual(&self, slot: usize) -> f64 {
        self.profile.at(self.timeline.phases[slot])
    }

    /// The last error, the running mean, the error a turn of the shortest season ago, and the mean of
    /// those at the same minute of the last hours.
    fn regressors(&self, slot: usize) -> Vector4<f64> {
        let error = |slot: Option<usize>| {
            let index = slot.and_then(|slot| slot.checked_sub(self.first));
            let seen = index.and_then(|index| self.seen.get(index));
            seen.map_or(0.0, |seen| seen.error)
        };
        let cycle = self.timeline.cycles.first();
        let hours = self.timeline.slots_per_hour.map_or(0.0, |hour| {
            let turns = (1..=4).map(|turn| error(slot.checked_sub(turn * hour)));
            turns.sum::<f64>() / 4.0
        });
        let latest = self.latest();
        Vector4::new(
            latest.last_error,
            latest.running_mean,
            error(cycle.and_then(|cycle| cycle.counterpart(slot))),
            hours,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The expected error after these, the first of which is that of slot 1.
    fn expected(step: &str, errors: &[Option<f64>]) -> f64 {
        expected_without(step, errors, errors.len())
    }

    /// The same once those from an index on were forgotten.
    fn expected_without(step: &str, errors: &[Option<f64>], from: usize) -> f64 {
        let values = (0..=errors.len()).map(|slot| if slot % 2 == 0 { 1.0 } else { -1.0 });
        let timeline = Timeline::sample(step, &values.collect::<Vec<_>>(), &[]);
        let profile = ErrorProfile::new(errors, &timeline.phases[1..], timeline.phase_count);
        let mut correction = ErrorCorrection::fit(errors, 1, &profile, &timeline);
        for error in errors {
            correction.push(*error);
        }
        correction.forget(1 + from);
        correction.expect(1 + errors.len())
    }

    /// Between -0.5 and 0.5, without any pattern.
    fn noise(number: u32) -> f64 {
        f64::from(37 * number * number % 101) / 101.0 - 0.5
    }

    /// Each has this share of the one before.
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
    // x = np.zeros((n + 1, 2)); last = 0; m = 0; k = .5**(1/16)
    // for t in range(n + 1):
    //     x[t] = [last, m]
    //     if t < n: last = r[t]; m = k*m + (1 - k)*r[t]
    // print(np.linalg.solve(x[:n].T @ x[:n] + 100*np.eye(2), x[:n].T @ r) @ x[n]*u)
    #[test]
    fn what_persists_of_errors_is_numpys_ridge_regression() {
        let expected = expected("30m", &errors(0.6));
        assert!((expected - -0.170_217_057_7).abs() < 1e-9, "{expected}");
    }

    #[test]
    fn independent_errors_leave_hardly_anything() {
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
    fn an_extreme_error_counts_as_a_few_usual_ones() {
        let mut few = errors(0.6);
        let mut extreme = few.clone();
        few.push(Some(CAP * 0.35));
        extreme.push(Some(100.0));
        let (few, extreme) = (expected("30m", &few), expected("30m", &extreme));
        assert!((extreme / few - 1.0).abs() < 0.2, "{few}, {extreme}");
    }

    #[test]
    fn errors_that_are_forgotten_leave_nothing() {
        let errors = errors(0.6);
        assert!(expected_without("30m", &errors, 0).abs() < 1e-12);
        let [seen, forgotten] = [400, 397].map(|from| expected_without("30m", &errors, from));
        assert!((seen - forgotten).abs() > 1e-3, "{seen}, {forgotten}");
    }

    #[test]
    fn no_error_leaves_nothing() {
        assert!(expected("5m", &[None; 100]).abs() < 1e-12);
        assert!(expected("5m", &[Some(0.0); 100]).abs() < 1e-12);
    }
}
