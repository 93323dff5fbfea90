//! A run of values on one side of their forecasts, and a cumulative sum of their errors (Page,
//! *Continuous Inspection Schemes*, 1954): an incident that noise hides in one bucket shows in several.
//! All sizes are standardized: in usual errors for the time of day and the recent volatility.

/// What each error may be without adding to the sum.
const ALLOWANCE: f64 = 1.5;

#[derive(Debug, Clone, Copy)]
pub struct Cusum {
    /// The slot at which the run began.
    pub since: usize,
    is_above: bool,
    sum: f64,
    largest: f64,
}

impl Cusum {
    /// Before any value.
    pub fn new(since: usize) -> Self {
        Self {
            since,
            is_above: false,
            sum: 0.0,
            largest: 0.0,
        }
    }

    /// With the value of the next slot, by the size of its error.
    pub fn followed_by(self, slot: usize, is_above: bool, error: f64) -> Self {
        let goes_on = self.sum > 0.0 && self.is_above == is_above;
        let run = if goes_on { self } else { Self::new(slot) };
        Self {
            since: run.since,
            is_above,
            sum: (run.sum + error - ALLOWANCE).max(0.0),
            largest: run.largest.max(error),
        }
    }

    /// Whether values jumped away from their forecasts, as of the last slot of the run. Only what comes
    /// within a few slots is a jump: holidays and the weather come slowly. It takes one error beyond 6,
    /// or a few smaller ones.
    pub fn is_a_jump(&self, last: usize) -> bool {
        const SUM: f64 = 4.5;
        const LARGEST: f64 = 3.0;
        const SLOTS: usize = 3;
        self.sum > SUM && self.largest > LARGEST && last - self.since < SLOTS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_a_jump(errors: &[f64]) -> bool {
        let mut run = Cusum::new(0);
        for (slot, error) in errors.iter().enumerate() {
            run = run.followed_by(slot, *error > 0.0, error.abs());
        }
        run.is_a_jump(errors.len() - 1)
    }

    #[test]
    fn one_value_very_far_off_or_two_on_one_side_are_a_jump() {
        assert!(is_a_jump(&[0.5, -7.0]));
        assert!(is_a_jump(&[0.5, -5.0, -4.0]));
        assert!(is_a_jump(&[5.0, 3.5]));
    }

    #[test]
    fn what_swings_or_comes_slowly_is_no_jump() {
        assert!(!is_a_jump(&[5.0, -4.0]));
        assert!(!is_a_jump(&[2.5, 2.5, 2.5, 2.5, 2.5]));
        assert!(!is_a_jump(&[2.0, 2.0, 2.0, 7.0]));
    }

    #[test]
    fn the_sum_of_a_run_is_pages() {
        // s = 0
        // for d in (.5, 2, -1, .25, -3, 4): s = max(0, s + d); print(s)
        let beyond_allowance = [0.5, 2.0, -1.0, 0.25, -3.0, 4.0];
        let expected = [0.5, 2.5, 1.5, 1.75, 0.0, 4.0];
        let mut run = Cusum::new(10);
        for ((slot, beyond), expected) in (10..).zip(beyond_allowance).zip(expected) {
            run = run.followed_by(slot, true, ALLOWANCE + beyond);
            assert!((run.sum - expected).abs() < 1e-12, "{run:?}");
        }
        assert_eq!(run.since, 15, "begins anew once nothing is left of it");
    }

    #[test]
    fn a_value_on_the_other_side_begins_another_run() {
        let far = ALLOWANCE + 3.0;
        let run = Cusum::new(0).followed_by(0, true, far);
        let run = run.followed_by(1, true, far);
        assert_eq!((run.since, run.is_above), (0, true));
        let other = run.followed_by(2, false, far);
        assert_eq!((other.since, other.is_above), (2, false));
        assert!((other.sum - 3.0).abs() < 1e-12, "{other:?}");
    }
}
