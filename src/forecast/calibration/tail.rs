//! Beyond the limits that data can show: peaks over a threshold have a generalised Pareto distribution
//! (Davison and Smith, *Models for Exceedances over High Thresholds*, 1990, also for scales that depend
//! on covariates; Siffer et al., *Anomaly Detection in Streams with Extreme Value Theory*, 2017).

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
    #[expect(clippy::cast_precision_loss, reason = "a window has few slots")]
    pub fn fit(mut peaks: Vec<f64>) -> Self {
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
