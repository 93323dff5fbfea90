//! The possible values of a series, where they are known: sales are never negative, a share is never
//! above 100. A band does not reach beyond them.

use crate::output::write_number;
use crate::series::TimeSeries;

/// Bounds, each of which may be absent. Finite, and the lower one below the upper.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Range {
    min: Option<f64>,
    max: Option<f64>,
}

impl Range {
    /// Refuses bounds that leave no range; the message names the keys.
    pub fn new(min: Option<f64>, max: Option<f64>) -> Result<Self, String> {
        for (key, bound) in [("min", min), ("max", max)] {
            if let Some(bound) = bound.filter(|bound| !bound.is_finite()) {
                return Err(format!("{key} = {bound}: allowed: a finite number"));
            }
        }
        match (min, max) {
            (Some(min), Some(max)) if min >= max => {
                let [min, max] = [min, max].map(write_number);
                Err(format!(
                    "min = {min}: with max = {max}, allowed: a number below {max}"
                ))
            }
            _ => Ok(Self { min, max }),
        }
    }

    pub fn min(self) -> Option<f64> {
        self.min
    }

    pub fn max(self) -> Option<f64> {
        self.max
    }

    /// The possible values after a history: without a `min`, if no value of it was negative, none will be.
    #[must_use]
    pub fn as_seen_in(self, history: &TimeSeries) -> Self {
        let never_negative = history.observed().all(|value| value >= 0.0);
        let least = never_negative && self.max.is_none_or(|max| max > 0.0);
        Self {
            min: self.min.or(least.then_some(0.0)),
            ..self
        }
    }

    /// The value if it is possible, else the nearest that is.
    pub fn clip(self, value: f64) -> f64 {
        let value = self.min.map_or(value, |min| value.max(min));
        self.max.map_or(value, |max| value.min(max))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::sample::series;

    #[test]
    fn a_value_is_clipped_to_the_bounds_there_are() {
        let clipped = |min, max| {
            [-5.0, 50.0, 500.0].map(|value| Range::new(min, max).map(|range| range.clip(value)))
        };
        assert_eq!(clipped(None, None), [-5.0, 50.0, 500.0].map(Ok));
        assert_eq!(clipped(Some(0.0), None), [0.0, 50.0, 500.0].map(Ok));
        assert_eq!(clipped(Some(0.0), Some(100.0)), [0.0, 50.0, 100.0].map(Ok));
    }

    #[test]
    fn a_history_that_was_never_negative_has_a_least_value() {
        let least = |values: &[f64], min| {
            let range = Range::new(min, None).expect("a range");
            range.as_seen_in(&series("5m", values)).min()
        };
        assert_eq!(least(&[3.0, 0.0], None), Some(0.0));
        assert_eq!(least(&[3.0, 0.0], Some(-5.0)), Some(-5.0));
        assert_eq!(least(&[3.0, -0.1], None), None);
        let below = Range::new(None, Some(-1.0)).expect("a range");
        assert_eq!(below.as_seen_in(&series("5m", &[1.0])), below);
    }

    #[test]
    fn bounds_that_leave_no_range_are_refused() {
        let refusal = |min, max| Range::new(min, max).expect_err("no range");
        let none_between = "min = 5: with max = 5, allowed: a number below 5";
        assert_eq!(refusal(Some(5.0), Some(5.0)), none_between);
        let not_finite = refusal(Some(f64::NAN), None);
        assert_eq!(not_finite, "min = NaN: allowed: a finite number");
        let not_finite = refusal(None, Some(f64::INFINITY));
        assert_eq!(not_finite, "max = inf: allowed: a finite number");
    }
}
