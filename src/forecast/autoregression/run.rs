//! Values on one side of their forecasts. The evidence they are is a cumulative sum of how far (Page,
//! *Continuous Inspection Schemes*, 1954): an incident that noise hides in one bucket shows in several.
//! All sizes are in usual errors for the time of day and the recent volatility.

/// What each value may be off without counting as evidence.
const ALLOWANCE: f64 = 1.5;
/// A run with more evidence that comes within so many slots is no chance, and no slow change either:
/// holidays and the weather come slowly. It takes one value beyond 6, or a few that are less odd each.
const EVIDENCE: f64 = 4.5;
const SLOTS: usize = 3;
/// And so is only one with a value this far off.
const GREATEST: f64 = 3.0;

#[derive(Debug, Clone, Copy)]
pub struct Run {
    /// The slot it began at.
    pub since: usize,
    is_above: bool,
    evidence: f64,
    greatest: f64,
}

impl Run {
    /// Before any value.
    pub fn none(since: usize) -> Self {
        Self {
            since,
            is_above: false,
            evidence: 0.0,
            greatest: 0.0,
        }
    }

    /// With the value of the next slot, by how far it is off.
    pub fn followed_by(self, slot: usize, is_above: bool, oddity: f64) -> Self {
        let goes_on = self.evidence > 0.0 && self.is_above == is_above;
        let run = if goes_on { self } else { Self::none(slot) };
        Self {
            since: run.since,
            is_above,
            evidence: (run.evidence + oddity - ALLOWANCE).max(0.0),
            greatest: run.greatest.max(oddity),
        }
    }

    /// Whether values came off their forecasts at once, as of the last slot of the run.
    pub fn is_a_jump(&self, last: usize) -> bool {
        self.evidence > EVIDENCE && self.greatest > GREATEST && last - self.since < SLOTS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_a_jump(oddities: &[f64]) -> bool {
        let run = oddities
            .iter()
            .enumerate()
            .fold(Run::none(0), |run, (slot, oddity)| {
                run.followed_by(slot, *oddity > 0.0, oddity.abs())
            });
        run.is_a_jump(oddities.len() - 1)
    }

    #[test]
    fn one_value_very_far_off_or_two_on_one_side_are_a_jump() {
        assert!(is_a_jump(&[0.5, -7.0]));
        assert!(is_a_jump(&[0.5, -5.0, -4.0]));
        assert!(is_a_jump(&[5.0, 3.5]));
    }

    #[test]
    fn what_swings_or_comes_slowly_is_none() {
        assert!(!is_a_jump(&[5.0, -4.0]));
        assert!(!is_a_jump(&[2.5, 2.5, 2.5, 2.5, 2.5]));
        assert!(!is_a_jump(&[2.0, 2.0, 2.0, 7.0]));
    }

    #[test]
    fn the_evidence_of_a_run_is_pages_cumulative_sum() {
        // s = 0
        // for d in (.5, 2, -1, .25, -3, 4): s = max(0, s + d); print(s)
        let beyond_allowance = [0.5, 2.0, -1.0, 0.25, -3.0, 4.0];
        let expected = [0.5, 2.5, 1.5, 1.75, 0.0, 4.0];
        let mut run = Run::none(10);
        for ((slot, beyond), expected) in (10..).zip(beyond_allowance).zip(expected) {
            run = run.followed_by(slot, true, ALLOWANCE + beyond);
            assert!((run.evidence - expected).abs() < 1e-12, "{run:?}");
        }
        assert_eq!(run.since, 15, "begins anew once nothing is left of it");
    }

    #[test]
    fn a_value_on_the_other_side_begins_another_run() {
        let far = ALLOWANCE + 3.0;
        let run = Run::none(0)
            .followed_by(0, true, far)
            .followed_by(1, true, far);
        assert_eq!((run.since, run.is_above), (0, true));
        let other = run.followed_by(2, false, far);
        assert_eq!((other.since, other.is_above), (2, false));
        assert!((other.evidence - 3.0).abs() < 1e-12, "{other:?}");
    }
}
