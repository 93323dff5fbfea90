//! What somebody said was healthy, at the same time of the week before: it is not so rare any more that a
//! value lies as far out at that time, and the band is as wide as that says.
//!
//! The tail probabilities of healthy values are uniform as far as the calibration knows. That knowledge is a
//! Dirichlet process prior (Ferguson, *A Bayesian Analysis of Some Nonparametric Problems*, 1973) that counts
//! as the weeks `W` of the history. Each of `k` healthy times that lay `d_i` from what was expected is an
//! observation: the next one will lie `d` out or farther with the probability `q_i(d)`. The tail
//! probability of a value is then
//!
//! `(W * score + sum q_i(d)) / (W + k)`, with `q_i(d) = 1 / (1 + (d / d_i)^b)`:
//!
//! a log-logistic distribution around `d_i`, that of sizes of which one says little of the next.

use super::Forecast;
use super::band::{Band, Level, Side};
use super::derivation::Limits;

/// Healthy values of this time of the week in earlier weeks, on one side.
#[derive(Debug, Clone, PartialEq)]
pub struct Tolerance {
    pub side: Side,
    /// How far they lay from what was expected, in the unit of the series; above 0.
    pub sizes: Vec<f64>,
    /// The weeks of the history.
    pub weeks: f64,
}

/// One size says of the next no more than a quarter, as of events: the standard deviation of the logarithm
/// of a log-logistic variable is `pi / (sqrt(3) b)`.
const SHAPE: f64 = std::f64::consts::PI / (1.732_050_807_568_877_2 * 0.25);

impl Tolerance {
    /// The tail probability of a value that lies so far from what is expected on that side.
    fn tail_probability(&self, score: f64, size: f64) -> f64 {
        let again = |known: &f64| (1.0 + (size / known).powf(SHAPE)).recip();
        let again: f64 = self.sizes.iter().map(again).sum();
        #[expect(clippy::cast_precision_loss, reason = "a few answers")]
        let count = self.sizes.len() as f64;
        let probability = (self.weeks * score + again) / (self.weeks + count);
        // What is healthy on one side makes nothing rarer.
        probability.max(score)
    }
}

impl Forecast {
    /// The same where values on a side were healthy before.
    #[must_use]
    pub fn tolerating(mut self, tolerance: Tolerance, level: Level) -> Self {
        let widened = |level: Level, band: Band| {
            let limit = self.tolerated_limit(&tolerance, level);
            let (lower, upper) = match tolerance.side {
                Side::Low => (band.lower.min(limit), band.upper),
                Side::High => (band.lower, band.upper.max(limit)),
            };
            let wider = Band::new(lower, band.expected, upper);
            wider.map_or(band, |wider| wider.within(self.range))
        };
        let band = widened(level, self.band);
        let limits = self.limits.iter().map(|limits| Limits {
            band: widened(limits.level, limits.band),
            ..*limits
        });
        let limits = limits.collect();
        self.tolerances.push(tolerance);
        Self {
            band,
            limits,
            ..self
        }
    }

    /// How rarely a value lies this far out, on either side; see [`super::Distribution::score`].
    pub fn score(&self, value: f64) -> f64 {
        let score = self.distribution.score(value);
        let tolerated = self.tolerances.iter().map(|tolerance| {
            let distance = match tolerance.side {
                Side::High => value - self.band.expected,
                Side::Low => self.band.expected - value,
            };
            if distance > 0.0 {
                tolerance.tail_probability(score, distance)
            } else {
                score
            }
        });
        tolerated.fold(score, f64::max)
    }

    /// Where values become as rare as the level says, by bisection.
    fn tolerated_limit(&self, tolerance: &Tolerance, level: Level) -> f64 {
        const STEPS: usize = 60;
        /// At so many times the largest distance, nothing is left of what was healthy.
        const FARTHEST: f64 = 100.0;
        let band = self.band;
        let value = |distance: f64| match tolerance.side {
            Side::High => band.expected + distance,
            Side::Low => band.expected - distance,
        };
        let rarity = |distance: f64| {
            let score = self.distribution.score(value(distance));
            tolerance.tail_probability(score, distance)
        };
        let sizes = tolerance.sizes.iter().copied();
        let largest = sizes.fold(band.upper - band.lower, f64::max);
        let (mut inside, mut outside) = (0.0, FARTHEST * largest);
        for _ in 0..STEPS {
            let middle = f64::midpoint(inside, outside);
            if rarity(middle) < 1.0 - level.share() {
                outside = middle;
            } else {
                inside = middle;
            }
        }
        value(inside)
    }
}
