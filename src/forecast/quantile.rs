//! The order statistics of this room, defined once. Quantiles are Hyndman and Fan's type 6 (*Sample
//! Quantiles in Statistical Packages*, 1996), which is the one of split conformal prediction: of values
//! in random order, the next is as likely to fall between any two of those before it. Medians are the
//! same by every type. Only the quartiles of Tukey's fences are of another type: see `clean`.

use statrs::function::erf::erfc_inv;

/// Of a normal distribution: the standard deviation, as a multiple of the median absolute deviation.
pub const MAD_TO_SIGMA: f64 = 1.4826;
/// Of a normal distribution: the variance of a median, as a multiple of that of a mean.
pub const VARIANCE_OF_MEDIAN: f64 = std::f64::consts::FRAC_PI_2;

/// How far out a normal value with this two-sided tail probability lies, in standard deviations.
pub fn sigmas_of(probability: f64) -> f64 {
    std::f64::consts::SQRT_2 * erfc_inv(probability.clamp(f64::MIN_POSITIVE, 1.0))
}

/// The quantile of ascending values; none lies outside of them. `None` of no values.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a window has few slots, and a share lies between 0 and 1"
)]
pub fn quantile(ascending: &[f64], share: f64) -> Option<f64> {
    let count = ascending.len() as f64;
    let place = (share * (count + 1.0)).clamp(1.0, count.max(1.0));
    let below = *ascending.get(place as usize - 1)?;
    let above = *ascending.get(place as usize).unwrap_or(&below);
    let share = place.fract();
    Some(below * (1.0 - share) + above * share)
}

/// The share of the distribution below a value: the inverse of [`quantile`].
#[expect(clippy::cast_precision_loss, reason = "a window has few slots")]
pub fn rank(ascending: &[f64], value: f64) -> f64 {
    let after = ascending.partition_point(|other| *other <= value);
    let count = ascending.len() as f64 + 1.0;
    if after == 0 || after == ascending.len() {
        return after as f64 / count;
    }
    let (low, high) = (ascending[after - 1], ascending[after]);
    (after as f64 + (value - low) / (high - low)) / count
}

/// The median of values in any order, which are reordered. `None` of no values.
pub fn median(values: &mut [f64]) -> Option<f64> {
    if values.is_empty() {
        return None;
    }
    let is_odd = values.len() % 2 == 1;
    let middle = values.len() / 2;
    let (lower, upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    let lower = lower.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    Some(if is_odd {
        *upper
    } else {
        lower / 2.0 + *upper / 2.0
    })
}

#[cfg(test)]
mod tests;
