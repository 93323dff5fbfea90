//! How much each of several forecasts counts in their mean: shares that sum up to one, the best for the
//! errors made on values that were not seen (Bates and Granger, *The Combination of Forecasts*, 1969;
//! Breiman, *Stacked Regressions*, 1996), drawn towards shares that were right on other series.

use crate::forecast::profile::Profile;

/// Errors of several forecasts of the same slots, over the same unseen values.
#[derive(Debug)]
pub struct Candidates<'a> {
    /// Of each forecast, slot by slot.
    pub errors: &'a [Vec<Option<f64>>],
    /// Of each slot, its place in the season: what is usual for an error depends on it.
    pub phases: &'a [usize],
    pub phase_count: usize,
}

/// The prior counts as this many errors.
const PRIOR: f64 = 20.0;
/// An error this many times the usual counts no more than in proportion: that of Huber, 1964.
const HUBER: f64 = 3.0;
/// A pair's best split is in closed form; with more forecasts, pair after pair comes to rest soon.
const SWEEPS: usize = 20;

impl Candidates<'_> {
    /// The errors of a mean of the forecasts.
    pub fn blended(&self, shares: &[f64]) -> Vec<Option<f64>> {
        let slots = 0..self.phases.len();
        slots
            .map(|slot| {
                let errors = self.errors.iter().zip(shares);
                errors
                    .map(|(errors, share)| Some(errors[slot]? * share))
                    .sum()
            })
            .collect()
    }

    /// The shares that make the least squares of the mean's errors.
    pub fn shares(&self, prior: &[f64]) -> Vec<f64> {
        let products = self.products(prior);
        let mut shares = prior.to_vec();
        for _ in 0..SWEEPS {
            for one in 1..shares.len() {
                for other in 0..one {
                    split(&products, &mut shares, [one, other]);
                }
            }
        }
        shares
    }

    /// Mean products of the errors of each pair, over what is usual, with the prior's pull.
    fn products(&self, prior: &[f64]) -> Pulled {
        let blended = self.blended(prior);
        let usual = Profile::of(&blended, self.phases, self.phase_count);
        let count = prior.len();
        let mut sums = vec![vec![0.0; count]; count];
        let mut rows = 0.0;
        for (slot, error) in blended.iter().enumerate() {
            let Some(error) = error else { continue };
            let size = usual.at(self.phases[slot]);
            let weight = (HUBER * size / error.abs().max(size)).min(1.0) / (size * size);
            let of = |member: usize| self.errors[member][slot].unwrap_or_default();
            for (one, sums) in sums.iter_mut().enumerate() {
                for (other, sum) in sums.iter_mut().enumerate() {
                    *sum += weight * of(one) * of(other);
                }
            }
            rows += 1.0;
        }
        let typical = (0..count).map(|member| sums[member][member]).sum::<f64>();
        Pulled {
            pull: PRIOR * typical / f64::max(rows, 1.0) / prior.iter().map(|_| 1.0).sum::<f64>(),
            prior: prior.to_vec(),
            sums,
        }
    }
}

/// `shares' sums shares + pull |shares - prior|^2` is to be least.
struct Pulled {
    sums: Vec<Vec<f64>>,
    pull: f64,
    prior: Vec<f64>,
}

impl Pulled {
    /// Half the slope along one share.
    fn slope(&self, shares: &[f64], member: usize) -> f64 {
        let sums = self.sums[member].iter().zip(shares);
        sums.map(|(sum, share)| sum * share).sum::<f64>()
            + self.pull * (shares[member] - self.prior[member])
    }
}

/// Moves what is best between two shares, none below zero.
fn split(products: &Pulled, shares: &mut [f64], [one, other]: [usize; 2]) {
    let sums = &products.sums;
    let bend = sums[one][one] + sums[other][other] - 2.0 * sums[one][other] + 2.0 * products.pull;
    let slope = products.slope(shares, one) - products.slope(shares, other);
    let moved = -slope / bend;
    if moved.is_finite() {
        let moved = moved.clamp(-shares[one], shares[other]);
        shares[one] += moved;
        shares[other] -= moved;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(errors: &[Vec<Option<f64>>], prior: &[f64]) -> Vec<f64> {
        let phases = vec![0; errors[0].len()];
        let candidates = Candidates {
            errors,
            phases: &phases,
            phase_count: 1,
        };
        candidates.shares(prior)
    }

    fn alternating(len: i32, size: f64, period: i32) -> Vec<Option<f64>> {
        let sign = |slot: i32| {
            if slot % period < period / 2 {
                size
            } else {
                -size
            }
        };
        (0..len).map(|slot| Some(sign(slot))).collect()
    }

    #[test]
    fn forecasts_that_err_apart_count_by_the_inverse_of_their_squared_errors() {
        let errors = [alternating(40_000, 1.0, 2), alternating(40_000, 2.0, 4)];
        let shares = shares(&errors, &[0.5, 0.5]);
        assert!((shares[0] - 0.8).abs() < 0.01, "{shares:?}");
        assert!((shares[0] + shares[1] - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_forecast_that_errs_alike_and_more_does_not_count() {
        let errors = [alternating(400, 1.0, 2), alternating(400, 3.0, 2)];
        assert!(shares(&errors, &[0.3, 0.7])[1] < 1e-9);
    }

    #[test]
    fn few_errors_leave_the_shares_near_where_they_were() {
        let errors = [alternating(4, 1.0, 2), alternating(4, 1.5, 4)];
        let shares = shares(&errors, &[0.3, 0.7]);
        assert!((shares[0] - 0.3).abs() < 0.1, "{shares:?}");
    }

    #[test]
    fn no_error_at_all_leaves_the_shares_as_they_were() {
        assert_eq!(
            shares(&[vec![None; 9], vec![None; 9]], &[0.3, 0.7]),
            [0.3, 0.7]
        );
        assert_eq!(shares(&[vec![Some(0.0); 9]], &[1.0]), [1.0]);
    }
}
