//! The distribution that all errors share once each is divided by its scale: the quantiles of the ratios,
//! and a generalised Pareto tail beyond. A few hundred ratios hold five beyond each limit of the 95 %
//! band, which would move by a tenth from one window to the next: so a prior distribution counts as some
//! more of them.

use super::scale::Scales;
use super::tail::Tail;
use crate::forecast::band::Side;
use crate::forecast::fitted::Fitted;
use crate::forecast::quantile::{quantile, rank};

#[derive(Debug, Clone)]
pub struct ResidualQuantiles {
    /// Errors as multiples of their scale, ascending.
    ratios: Vec<f64>,
    tail: Tail,
}

/// The distances of a band's limits from the expectation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Margins {
    /// In scales of either side.
    pub below: f64,
    pub above: f64,
    /// In addition, in scales of the tail.
    pub tail: f64,
}

/// The tail model takes over where values are rarer than this, both sides together.
const TAIL_SHARE: f64 = 0.05;

/// The prior counts as so many ratios.
const PRIOR_RATIOS: u32 = 200;

/// The quantiles of the prior, ascending: a logistic distribution whose mean absolute value is 1, as that
/// of the ratios is.
fn prior_ratios() -> impl Iterator<Item = f64> {
    let mean_size = 2.0 * f64::ln(2.0);
    (0..PRIOR_RATIOS).map(move |number| {
        let share = (f64::from(number) + 0.5) / f64::from(PRIOR_RATIOS);
        (share / (1.0 - share)).ln() / mean_size
    })
}

impl ResidualQuantiles {
    pub fn new(fitted: &Fitted, scales: &Scales) -> Self {
        let errors = fitted.errors.iter().enumerate();
        let errors = errors.filter_map(|(index, error)| Some(((*error)?, scales.at(index))));
        // The model's weights and the scales' were fitted to these very errors.
        let parameters = fitted.parameters + Scales::PARAMETERS;
        #[expect(clippy::cast_precision_loss, reason = "a window has few slots")]
        let optimism = 1.0 + parameters as f64 / errors.clone().count().max(1) as f64;
        let ratios = errors.clone();
        let ratios = ratios.map(|(error, scale)| optimism * error / scale.on_side_of(error));
        let mut quantiles = Self::before_tail(ratios.chain(prior_ratios()).collect());
        let starts = [Side::Low, Side::High].map(|side| quantiles.size(side, TAIL_SHARE));
        let excesses = errors.map(|(error, scale)| {
            let start = if error < 0.0 { starts[0] } else { starts[1] };
            (optimism * error.abs() - start * scale.on_side_of(error)) / scale.tail
        });
        let excesses: Vec<f64> = excesses.collect();
        quantiles.tail = Tail::fit(&excesses).as_rare_as(&excesses, TAIL_SHARE);
        quantiles
    }

    /// Of ratios in any order, with the tail before any data.
    fn before_tail(mut ratios: Vec<f64>) -> Self {
        ratios.sort_unstable_by(f64::total_cmp);
        let tail = Tail::PRIOR;
        Self { ratios, tail }
    }

    /// The margins of a band that leaves this share to both tails together.
    pub fn margins(&self, tail_probability: f64) -> Margins {
        let share = tail_probability.max(TAIL_SHARE);
        let is_in_tail = tail_probability < TAIL_SHARE;
        let excess = || self.tail.excess(tail_probability / TAIL_SHARE);
        Margins {
            below: self.size(Side::Low, share),
            above: self.size(Side::High, share),
            tail: is_in_tail.then(excess).unwrap_or_default(),
        }
    }

    /// The probability of a value farther out, on either side: the inverse of
    /// [`ResidualQuantiles::margins`].
    pub fn tail_probability(&self, side: Side, distance: f64, scale: f64, tail_scale: f64) -> f64 {
        let start = self.size(side, TAIL_SHARE) * scale;
        if distance > start {
            return TAIL_SHARE * self.tail.probability((distance - start) / tail_scale);
        }
        let ratio = if scale > 0.0 { distance / scale } else { 0.0 };
        let beyond = match side {
            Side::Low => rank(&self.ratios, -ratio),
            Side::High => 1.0 - rank(&self.ratios, ratio),
        };
        (2.0 * beyond).max(TAIL_SHARE)
    }

    /// The size of the ratio on a side beyond which, and on the other side likewise, such a share lies.
    fn size(&self, side: Side, share: f64) -> f64 {
        let quantile = |share| quantile(&self.ratios, share).unwrap_or_default();
        let signed = match side {
            Side::Low => -quantile(share / 2.0),
            Side::High => quantile(1.0 - share / 2.0),
        };
        signed.max(0.0)
    }
}

#[cfg(test)]
mod tests;
