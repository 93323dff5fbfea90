//! Outliers of the history, moved to the nearer of Tukey's fences (*Exploratory Data Analysis*, 1977): one
//! extreme Tuesday must not teach the model that Tuesdays are extreme. The evaluated point is not in
//! here, so it is never clipped.
//!
//! The quartiles are polars' linear ones, Hyndman and Fan's type 7 (*Sample Quantiles in Statistical
//! Packages*, 1996), because that is the default of numpy and R, with which users check the fences.

use anyhow::{Context, Result};
use polars::prelude::{ChunkQuantile, Float64Chunked, NewChunkedArray, QuantileMethod};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::output::write_number;
use crate::series::TimeSeries;

/// How many interquartile ranges lie between a quartile and its fence. Finite and not negative.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(try_from = "f64")]
#[schemars(extend("minimum" = 0, "maximum" = 1000))]
pub struct FenceFactor(f64);

impl TryFrom<f64> for FenceFactor {
    type Error = String;

    fn try_from(factor: f64) -> Result<Self, String> {
        let allowed = (0.0..=1000.0).contains(&factor).then_some(Self(factor));
        allowed.ok_or_else(|| {
            let factor = write_number(factor);
            format!("{factor} is out of range; allowed: a number from 0 to 1000")
        })
    }
}

impl Default for FenceFactor {
    fn default() -> Self {
        Self(2.0)
    }
}

/// What the fences are drawn around.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// The errors of the autoregression, each divided by the usual error at its time of day. A model
    /// that has no such fit gets global fences.
    #[default]
    Seasonal,
    /// All values at once.
    Global,
}

/// What counts as an outlier of the history.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Outliers {
    #[serde(rename = "k")]
    pub factor: FenceFactor,
    pub scope: Scope,
}

/// The values beyond which an observation of the history counts as an outlier. Finite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fences {
    pub lower: f64,
    pub upper: f64,
}

impl Fences {
    /// Tukey's fences around values. A series that is the same value more than half of the time has no
    /// spread between its quartiles; fences drawn there would clip everything else, so there are none.
    pub fn around(
        values: impl Iterator<Item = f64>,
        FenceFactor(factor): FenceFactor,
    ) -> Result<Option<Self>> {
        let values = Float64Chunked::from_iter_values("value".into(), values);
        let quartile = |share| {
            let quartile = values.quantile(share, QuantileMethod::Linear);
            quartile.context("quartiles of the history")
        };
        let (Some(first), Some(third)) = (quartile(0.25)?, quartile(0.75)?) else {
            return Ok(None);
        };
        let margin = factor * (third - first);
        let (lower, upper) = (first - margin, third + margin);
        let has_spread = third > first && lower.is_finite() && upper.is_finite();
        Ok(has_spread.then_some(Self { lower, upper }))
    }

    /// The value, or the nearer fence if it lies beyond.
    pub fn clip(self, value: f64) -> f64 {
        value.max(self.lower).min(self.upper)
    }

    pub fn contain(self, value: f64) -> bool {
        (self.lower..=self.upper).contains(&value)
    }
}

/// A history fit to learn from.
#[derive(Debug, Clone)]
pub struct Cleaned {
    pub history: TimeSeries,
    /// The fences for the slot after the history; `None` where the quartiles have no spread.
    pub fences: Option<Fences>,
    /// The indices of the clipped values, in order.
    pub clipped: Vec<usize>,
}

impl Cleaned {
    /// A history of which nothing was clipped.
    pub fn untouched(history: &TimeSeries) -> Self {
        Self {
            history: history.clone(),
            fences: None,
            clipped: Vec::new(),
        }
    }

    /// The same with the values of the history at some indices as they were.
    #[must_use]
    pub fn keeping(self, history: &TimeSeries, indices: &[usize]) -> Self {
        let mut values = self.history.values().to_vec();
        for index in indices {
            values[*index] = history.values()[*index];
        }
        let clipped = self.clipped.into_iter();
        Self {
            history: self.history.with_values(values),
            clipped: clipped.filter(|index| !indices.contains(index)).collect(),
            ..self
        }
    }
}

/// Clips what lies beyond the fences around all values.
pub fn clip_outliers(history: &TimeSeries, factor: FenceFactor) -> Result<Cleaned> {
    let Some(fences) = Fences::around(history.observed(), factor)? else {
        return Ok(Cleaned::untouched(history));
    };
    let is_outlier = |index: &usize| {
        let value = history.values()[*index];
        value.is_some_and(|value| !fences.contain(value))
    };
    Ok(Cleaned {
        history: history.map(|_, value| fences.clip(value)),
        fences: Some(fences),
        clipped: (0..history.len()).filter(is_outlier).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::sample;

    fn clipped(values: &[f64], factor: f64) -> Cleaned {
        clip_outliers(&sample::series("5m", values), FenceFactor(factor))
            .expect("a cleaned history")
    }

    #[test]
    fn the_fences_are_those_of_numpy() {
        // import numpy as np                                                     numpy 1.24.2
        // for v, k in (([3.1, -4.7, 15.9, 2.6, 5.3, 58.9, 7.9], 2), (np.arange(1, 11)**2, 1.5)):
        //     a, b = np.quantile(v, [.25, .75]); print(repr(a - k*(b - a)), repr(b + k*(b - a)))
        let mixed = [3.1, -4.7, 15.9, 2.6, 5.3, 58.9, 7.9];
        let squares: Vec<f64> = (1..=10).map(|n| f64::from(n * n)).collect();
        for (values, factor, lower, upper) in [
            (&mixed[..], 2.0, -15.250_000_000_000_002, 30.0),
            (&squares, 1.5, -63.5, 134.5),
        ] {
            let fences = clipped(values, factor).fences.expect("fences");
            assert!((fences.lower - lower).abs() < 1e-10, "{fences:?}");
            assert!((fences.upper - upper).abs() < 1e-10, "{fences:?}");
        }
    }

    #[test]
    fn an_outlier_is_moved_to_its_fence_and_listed() {
        let cleaned = clipped(&[1.0, 2.0, 3.0, 4.0, 5.0, 100.0, -100.0], 2.0);
        let Fences { lower, upper } = cleaned.fences.expect("fences");
        assert_eq!(cleaned.clipped, [5, 6]);
        let expected = [1.0, 2.0, 3.0, 4.0, 5.0, upper, lower].map(Some);
        assert_eq!(cleaned.history.values(), expected);
    }

    #[test]
    fn a_history_without_spread_between_its_quartiles_is_left_alone() {
        let nearly_constant = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 3.0];
        for values in [&[7.0; 8][..], &nearly_constant, &[]] {
            let cleaned = clipped(values, 2.0);
            assert_eq!((cleaned.fences, cleaned.clipped.len()), (None, 0));
            assert!(cleaned.history.observed().eq(values.iter().copied()));
        }
    }

    #[test]
    fn gaps_stay_gaps() {
        let mut values: Vec<Option<f64>> = (0..10).map(|n| Some(f64::from(n))).collect();
        values[3] = None;
        let history = sample::series_with_gaps("5m", &values);
        let cleaned = clip_outliers(&history, FenceFactor::default()).expect("a cleaned history");
        assert_eq!(cleaned.history.values(), values);
    }

    #[test]
    fn values_near_the_largest_number_make_no_infinite_fence() {
        let values = [f64::MIN, -1.0, 0.0, 1.0, f64::MAX, f64::MIN, f64::MAX];
        assert_eq!(clipped(&values, 2.0).fences, None);
    }
}
