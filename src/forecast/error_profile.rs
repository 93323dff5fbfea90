//! The usual size of an error at each place of the season: the mean absolute error at the place and
//! around it, shrunk towards that of all.

use super::quantile::median;

/// The usual size of an error by its place in the season; never zero.
#[derive(Debug, Clone)]
pub struct ErrorProfile {
    sizes: Vec<f64>,
}

/// Keeps a season without errors from dividing by zero.
const LEAST: f64 = 1e-9;

impl ErrorProfile {
    pub fn new(errors: &[Option<f64>], phases: &[usize], phase_count: usize) -> Self {
        /// An error counts as no larger than this many medians.
        const CAP: f64 = 5.0;
        /// The median of so many, evenly spread, is near enough to that of all.
        const MOST_SAMPLED: usize = 1024;
        let sizes = || errors.iter().flatten().map(|error| error.abs());
        #[expect(clippy::cast_precision_loss, reason = "a window has few slots")]
        let count = sizes().count().max(1) as f64;
        let mean = sizes().sum::<f64>() / count;
        let every = errors.len().div_ceil(MOST_SAMPLED).max(1);
        let mut sample: Vec<f64> = sizes().step_by(every).collect();
        let median = median(&mut sample).unwrap_or(0.0);
        let cap = CAP * median.max(0.1 * mean).max(LEAST);
        let (mut sums, mut counts) = (vec![0.0; phase_count], vec![0.0; phase_count]);
        for (error, phase) in errors.iter().zip(phases) {
            if let Some(error) = error {
                sums[*phase] += error.abs().min(cap);
                counts[*phase] += 1.0;
            }
        }
        let overall = sums.iter().sum::<f64>() / count;
        Self {
            sizes: smooth(&sums, &counts, overall),
        }
    }

    #[inline]
    pub fn at(&self, phase: usize) -> f64 {
        self.sizes[phase]
    }
}

/// Means under a triangular kernel that is wide enough to hold some errors, around the season's turn
/// too.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a season has few places"
)]
fn smooth(sums: &[f64], counts: &[f64], overall: f64) -> Vec<f64> {
    /// So many errors around a place show what is usual there.
    const ERRORS_EACH: f64 = 150.0;
    /// The mean of all counts as this many errors at each place.
    const PRIOR: f64 = 8.0;
    let places = sums.len();
    let each = (counts.iter().sum::<f64>() / places as f64).max(0.1);
    let reach = ((ERRORS_EACH / each / 2.0).ceil() as usize).min(places / 2);
    (0..places)
        .map(|place| {
            let (mut sum, mut count) = (PRIOR * overall, PRIOR);
            for offset in 0..=2 * reach {
                let neighbour = (place + places + offset - reach) % places;
                let weight = 1.0 - offset.abs_diff(reach) as f64 / (reach as f64 + 1.0);
                sum += weight * sums[neighbour];
                count += weight * counts[neighbour];
            }
            (sum / count).max(LEAST)
        })
        .collect()
}
