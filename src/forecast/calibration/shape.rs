//! The shape that all errors share once each is divided by its scale: the ratios themselves as far as
//! they reach, and a generalised Pareto tail beyond. Quantiles are Hyndman and Fan's type 6, which is
//! the split conformal one: the next ratio is as likely to fall between any two of those before it.
//! A few hundred ratios hold five beyond each limit of the 95 % band, which would move by a tenth from
//! one window to the next: so a prior shape counts as some more of them.

use super::scale::Scales;
use super::tail::Tail;
use crate::forecast::Fitted;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Below,
    Above,
}

#[derive(Debug, Clone)]
pub struct Shape {
    /// Errors as multiples of their scale, ascending.
    ratios: Vec<f64>,
    /// The ratios at which the tail begins, both positive.
    below: f64,
    above: f64,
    tail: Tail,
}

/// The limits of a band, from what is expected.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reach {
    /// In scales of either side.
    pub below: f64,
    pub above: f64,
    /// On top, in scales of what lies far out.
    pub beyond: f64,
}

/// The tail model takes over where values are rarer than this, both sides together.
pub const TAIL_SHARE: f64 = 0.05;

/// The shape before any data, a logistic distribution whose mean size is 1 as that of the ratios is,
/// counts as so many of them.
const PRIOR_RATIOS: usize = 200;

/// Its quantiles, ascending.
#[expect(clippy::cast_precision_loss, reason = "a few hundred")]
fn prior_ratios() -> impl Iterator<Item = f64> {
    let mean_size = 2.0 * f64::ln(2.0);
    (0..PRIOR_RATIOS).map(move |number| {
        let share = (number as f64 + 0.5) / PRIOR_RATIOS as f64;
        (share / (1.0 - share)).ln() / mean_size
    })
}

impl Shape {
    pub fn of(fitted: &Fitted, scales: &Scales) -> Self {
        let usable = fitted.errors.iter().enumerate();
        let usable = usable.filter_map(|(index, error)| error.map(|error| (index, error)));
        let count = fitted.errors.iter().flatten().count();
        // The model's weights and the scales' were fitted to these very errors.
        let parameters = fitted.parameters + Scales::PARAMETERS;
        #[expect(clippy::cast_precision_loss, reason = "a window has few slots")]
        let optimism = 1.0 + parameters as f64 / count.max(1) as f64;
        let mut ratios = Vec::with_capacity(count + PRIOR_RATIOS);
        ratios.extend(
            usable
                .clone()
                .map(|(index, error)| optimism * error / scales.at(index).on(error)),
        );
        ratios.extend(prior_ratios());
        ratios.sort_unstable_by(f64::total_cmp);
        let below = -quantile(&ratios, TAIL_SHARE / 2.0).min(0.0);
        let above = quantile(&ratios, 1.0 - TAIL_SHARE / 2.0).max(0.0);
        let excesses = usable
            .filter_map(|(index, error)| {
                let scale = scales.at(index);
                let start = if error < 0.0 { below } else { above } * scale.on(error);
                let excess = optimism * error.abs() - start;
                (excess > 0.0).then_some(excess / scale.far)
            })
            .collect();
        Self {
            ratios,
            below,
            above,
            tail: Tail::fit(excesses),
        }
    }

    /// How far a band reaches that leaves so much to both tails.
    pub fn reach(&self, tail_probability: f64) -> Reach {
        if tail_probability < TAIL_SHARE {
            return Reach {
                below: self.below,
                above: self.above,
                beyond: self.tail.excess(tail_probability / TAIL_SHARE),
            };
        }
        let half = tail_probability / 2.0;
        Reach {
            below: (-quantile(&self.ratios, half)).max(0.0),
            above: quantile(&self.ratios, 1.0 - half).max(0.0),
            beyond: 0.0,
        }
    }

    /// How likely a value is farther out, on either side: the reverse of [`Shape::reach`].
    pub fn tail_probability(&self, side: Side, distance: f64, scale: f64, far: f64) -> f64 {
        let start = self.start(side) * scale;
        if distance > start {
            return TAIL_SHARE * self.tail.probability((distance - start) / far);
        }
        let ratio = if scale > 0.0 { distance / scale } else { 0.0 };
        let beyond = match side {
            Side::Below => rank(&self.ratios, -ratio),
            Side::Above => 1.0 - rank(&self.ratios, ratio),
        };
        (2.0 * beyond).max(TAIL_SHARE)
    }

    fn start(&self, side: Side) -> f64 {
        match side {
            Side::Below => self.below,
            Side::Above => self.above,
        }
    }
}

/// Type 6 of Hyndman and Fan (*Sample Quantiles in Statistical Packages*, 1996); beyond the outermost
/// ratios, those stretched as a normal distribution's quantiles would be.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a window has few slots"
)]
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() as f64 + 1.0);
    let last = sorted.len() as f64;
    if place < 1.0 {
        return sorted[0] * (place.recip()).ln().mul_add(0.25, 1.0);
    }
    if place > last {
        return sorted[sorted.len() - 1] * ((last + 1.0 - place).recip()).ln().mul_add(0.25, 1.0);
    }
    let below = place.floor() as usize;
    let share = place - place.floor();
    let at = |place: usize| sorted[place.min(sorted.len()) - 1];
    at(below) * (1.0 - share) + at(below + 1) * share
}

/// The share of the distribution below a ratio: the reverse of [`quantile`] within the ratios.
#[expect(clippy::cast_precision_loss, reason = "a window has few slots")]
fn rank(sorted: &[f64], ratio: f64) -> f64 {
    let after = sorted.partition_point(|other| *other <= ratio);
    let count = sorted.len() as f64 + 1.0;
    if after == 0 || after == sorted.len() {
        return after as f64 / count;
    }
    let (low, high) = (sorted[after - 1], sorted[after]);
    let share = if high > low {
        (ratio - low) / (high - low)
    } else {
        0.0
    };
    (after as f64 + share) / count
}

#[cfg(test)]
impl Shape {
    /// Ratios evenly from -0.5 to 0.5.
    pub fn sample() -> Self {
        let ratios: Vec<f64> = (-500..=500).map(|n| f64::from(n) / 1000.0).collect();
        Self {
            below: -quantile(&ratios, TAIL_SHARE / 2.0),
            above: quantile(&ratios, 1.0 - TAIL_SHARE / 2.0),
            ratios,
            tail: Tail::fit(Vec::new()),
        }
    }
}

#[cfg(test)]
mod tests;
