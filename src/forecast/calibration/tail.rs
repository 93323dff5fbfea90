//! Beyond the limits that data can show: peaks over a threshold have a generalised Pareto distribution
//! (Davison and Smith, *Models for Exceedances over High Thresholds*, 1990, also for scales that depend
//! on covariates; Siffer et al., *Anomaly Detection in Streams with Extreme Value Theory*, 2017).

use std::slice::ChunksExact;

use crate::forecast::quantile::quantile;

/// `P(X > x) = (1 + shape x / scale)^(-1 / shape)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tail {
    pub scale: f64,
    pub shape: f64,
}

/// How many peaks the prior counts as. Many: among the peaks of a window are its incidents, and a tail
/// fitted to them alone would take the next incident for usual.
const PRIOR_PEAKS: f64 = 800.0;
/// A tail lighter than the exponential has an end, and a value beyond it would be impossible; one
/// heavier than this has no mean.
const SHAPES: (f64, f64) = (0.0, 1.0);

/// Into so many long blocks a history is cut, of so many values at least: fewer show nothing of what is rare.
const LONG_BLOCKS: usize = 24;
const SHORTEST_BLOCK: usize = 30;
/// A short block has so many values.
const SHORT_BLOCK: usize = 32;
/// By which power a tail may be rarer than the prior's, or less rare.
const EXPONENTS: (f64, f64) = (1.0 / 3.0, 2.0);
/// Long blocks tell of a heavy tail, short ones of a light one; between these exponents both do.
const HEAVY: f64 = 0.9;
const LIGHT: f64 = 1.3;

impl Tail {
    /// The tail before any data: heavier than the exponential, whose shape is 0, as business series are,
    /// and of a scale in the units of [`super::scale::Scale::tail`]. README.md has the false alerts
    /// measured with it.
    pub const PRIOR: Self = Self {
        scale: 0.38,
        shape: 0.6,
    };

    /// By Pickands' estimator (*Statistical Inference Using Extreme Order Statistics*, 1975), which
    /// takes the median and the upper quartile of the peaks, `m` and `q`: `shape = log2(q / m - 1)`,
    /// `scale = shape m / (2^shape - 1)`. The highest quarter, perhaps incidents, is ignored.
    ///
    /// Of `excesses` over the start of the tail, which are negative where there is no peak.
    #[expect(clippy::cast_precision_loss, reason = "a window has few slots")]
    pub fn fit(excesses: &[f64]) -> Self {
        let mut peaks = excesses.to_vec();
        peaks.retain(|excess| *excess > 0.0);
        peaks.sort_unstable_by(f64::total_cmp);
        let count = peaks.len() as f64;
        let quartiles = quantile(&peaks, 0.5).zip(quantile(&peaks, 0.75));
        let Some((median, quartile)) = quartiles.filter(|(median, _)| *median > 0.0) else {
            return Self::PRIOR;
        };
        let trust = count / (count + PRIOR_PEAKS);
        let measured = (quartile / median - 1.0).max(f64::MIN_POSITIVE).log2();
        let shape =
            Self::PRIOR.shape + trust * (measured.clamp(SHAPES.0, SHAPES.1) - Self::PRIOR.shape);
        let scale = shape * median / (2.0_f64.powf(shape) - 1.0);
        Self {
            scale: (Self::PRIOR.scale.ln() + trust * (scale.ln() - Self::PRIOR.scale.ln())).exp(),
            shape,
        }
    }

    /// The tail whose peaks are as rare as those of a history, given the `excesses` of all its values in
    /// order; a share `share` of all values has a peak.
    ///
    /// The history is cut into blocks, and the highest peaks of the blocks are compared with those that so
    /// many values should have (block maxima: Gumbel, *Statistics of Extremes*, 1958). Long blocks show how
    /// heavy a tail is, and short ones how light: most of these are without the incidents that a history has,
    /// so that a calm series stays one during a bad week.
    #[must_use]
    pub fn as_rare_as(self, excesses: &[f64], share: f64) -> Self {
        let long_block = excesses.len() / LONG_BLOCKS;
        if long_block < SHORTEST_BLOCK {
            return self;
        }
        let long = self.exponent(excesses.chunks_exact(long_block), &[0.5, 0.75], share);
        let short = self.exponent(excesses.chunks_exact(SHORT_BLOCK), &[0.5], share);
        let lightness = ((long - HEAVY) / (LIGHT - HEAVY)).clamp(0.0, 1.0);
        let exponent = long + lightness * (short - long);
        let exponent = exponent.clamp(EXPONENTS.0, EXPONENTS.1);
        Self {
            scale: self.scale / exponent,
            shape: self.shape / exponent,
        }
    }

    /// The power of this tail that makes the highest peaks of blocks as rare, at these ranks of them, as so
    /// many values should have them.
    #[expect(clippy::cast_precision_loss, reason = "a window has few slots")]
    fn exponent(self, blocks: ChunksExact<f64>, ranks: &[f64], share: f64) -> f64 {
        /// A share of peaks near one says nothing of the tail.
        const LARGEST_SHARE: f64 = 0.95;
        let length = blocks.clone().next().map_or(1, <[f64]>::len);
        let highest = blocks.map(|block| block.iter().copied().fold(0.0, f64::max));
        let mut highest: Vec<f64> = highest.collect();
        highest.sort_unstable_by(f64::total_cmp);
        let logarithms = ranks.iter().map(|rank| {
            let expected = (1.0 - f64::powf(*rank, 1.0 / length as f64)) / share;
            let found = self.probability(quantile(&highest, *rank).unwrap_or_default());
            let exponent = expected.min(LARGEST_SHARE).ln() / found.min(LARGEST_SHARE).ln();
            exponent.max(f64::MIN_POSITIVE).ln()
        });
        (logarithms.sum::<f64>() / ranks.len() as f64).exp()
    }

    /// The probability that a peak is higher.
    pub fn probability(self, excess: f64) -> f64 {
        let reach = excess / self.scale;
        if self.shape.abs() < 1e-9 {
            return (-reach).exp();
        }
        (1.0 + self.shape * reach).powf(-1.0 / self.shape)
    }

    /// The peak that is exceeded with this probability.
    pub fn excess(self, probability: f64) -> f64 {
        if self.shape.abs() < 1e-9 {
            return -self.scale * probability.ln();
        }
        self.scale * (probability.powf(-self.shape) - 1.0) / self.shape
    }
}

#[cfg(test)]
mod tests;
