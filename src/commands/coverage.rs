//! The share of values the bands held, with the interval in which the true share lies with 95 %
//! confidence.
//!
//! Misses cluster: what goes wrong goes wrong for a while, so a thousand points tell less than a
//! thousand throws of a coin. The points are therefore taken in blocks (days), which are taken to be
//! independent of each other; that is all the interval assumes. The variance of the share among
//! blocks is that of a ratio estimate from cluster samples (W. G. Cochran, *Sampling Techniques*,
//! 1977): with `m` of `n` inside in each of `B` blocks, and `p = sum m / sum n`,
//!
//! `v = B / (B - 1) * sum (m - p n)^2 / (sum n)^2`.
//!
//! It says how many independent points would tell as much, `N = p (1 - p) / v`, at most all of them;
//! as `v` itself is uncertain, `N` shrinks by the ratio of the normal and the t quantile, squared (E. L.
//! Korn and B. I. Graubard, *Confidence intervals for proportions with small expected number of
//! positive counts estimated from survey data*, 1998). The interval is Wilson's for `N` points (E. B.
//! Wilson, *Probable inference, the law of succession, and statistical inference*, 1927).

/// What the bands held of one block.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Block {
    pub inside: usize,
    pub of: usize,
}

/// A measured share and its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Coverage {
    pub share: f64,
    pub lower: f64,
    pub upper: f64,
    /// The number of blocks. `None`: too few to tell how they differ, and the points are taken to be
    /// independent, which is too narrow if misses cluster.
    pub blocks: Option<usize>,
}

/// Fewer say too little of how blocks differ.
const FEWEST_BLOCKS: usize = 5;
/// The normal quantile that leaves 2.5 % beyond.
const QUANTILE: f64 = 1.959_963_984_540_054;

/// None without any point.
pub fn measure(blocks: &[Block]) -> Option<Coverage> {
    let blocks: Vec<&Block> = blocks.iter().filter(|block| block.of > 0).collect();
    let inside = float(blocks.iter().map(|block| block.inside).sum());
    let of = float(blocks.iter().map(|block| block.of).sum());
    if of == 0.0 {
        return None;
    }
    let share = inside / of;
    let enough = Some(blocks.len()).filter(|count| *count >= FEWEST_BLOCKS);
    let points = enough.map_or(of, |_| independent_points(&blocks, share, of));
    let (lower, upper) = wilson(share, points);
    Some(Coverage {
        share,
        lower,
        upper,
        blocks: enough,
    })
}

/// How many independent points would tell as much as these blocks.
fn independent_points(blocks: &[&Block], share: f64, of: f64) -> f64 {
    let count = float(blocks.len());
    let squares = blocks.iter().map(|block| {
        let expected = share * float(block.of);
        (float(block.inside) - expected).powi(2)
    });
    let variance = count / (count - 1.0) * squares.sum::<f64>() / of.powi(2);
    let told = if variance > 0.0 {
        (share * (1.0 - share) / variance).min(of)
    } else {
        of
    };
    told * (QUANTILE / t_quantile(count - 1.0)).powi(2)
}

/// The quantile of Student's t that leaves 2.5 % beyond, by the expansion 26.7.5 of Abramowitz and
/// Stegun, *Handbook of Mathematical Functions*: from 4 degrees of freedom on within 0.1 %.
fn t_quantile(degrees: f64) -> f64 {
    let z = QUANTILE;
    let odd_powers = |coefficients: &[f64]| {
        let descending = coefficients.iter().rev();
        z * descending.fold(0.0, |sum, coefficient| sum * z * z + coefficient)
    };
    z + odd_powers(&[1.0, 1.0]) / 4.0 / degrees
        + odd_powers(&[3.0, 16.0, 5.0]) / 96.0 / degrees.powi(2)
        + odd_powers(&[-15.0, 17.0, 19.0, 3.0]) / 384.0 / degrees.powi(3)
        + odd_powers(&[-945.0, -1920.0, 1482.0, 776.0, 79.0]) / 92_160.0 / degrees.powi(4)
}

/// The interval for a share among that many independent points.
fn wilson(share: f64, points: f64) -> (f64, f64) {
    let square = QUANTILE.powi(2);
    let center = (share + square / (2.0 * points)) / (1.0 + square / points);
    let half_width = QUANTILE / (1.0 + square / points)
        * (share * (1.0 - share) / points + square / (4.0 * points.powi(2))).sqrt();
    (
        (center - half_width).clamp(0.0, share),
        (center + half_width).clamp(share, 1.0),
    )
}

#[expect(clippy::cast_precision_loss, reason = "far fewer than 2^53")]
pub fn float(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_close(found: f64, expected: f64, tolerance: f64) {
        let distance = (found - expected).abs();
        assert!(distance <= tolerance, "{found}, not {expected}");
    }

    fn interval(blocks: &[Block]) -> Coverage {
        measure(blocks).expect("a share")
    }

    #[test]
    fn of_independent_points_the_interval_is_that_of_scipy() {
        // python3 -c "from scipy.stats import binomtest as b;
        //   print([b(k, n).proportion_ci(method='wilson') for k, n in ((94, 100), (20, 20))])"
        // scipy 1.10.1
        let some = [0.875_231_845_541_040_7, 0.972_213_876_036_811_9];
        let all = [0.838_874_841_947_180_8, 1.0];
        for (inside, of, [lower, upper]) in [(94, 100, some), (20, 20, all)] {
            // A single block says nothing of their spread.
            let coverage = interval(&[Block { inside, of }]);
            assert_eq!(coverage.blocks, None);
            assert_close(coverage.lower, lower, 1e-12);
            assert_close(coverage.upper, upper, 1e-12);
        }
    }

    #[test]
    fn the_t_quantile_is_that_of_scipy() {
        // python3 -c "from scipy.stats import t; print([t.ppf(.975, n) for n in (4, 9, 27, 200)])"
        // scipy 1.10.1
        for (degrees, expected) in [
            (4.0, 2.776_445),
            (9.0, 2.262_157),
            (27.0, 2.051_831),
            (200.0, 1.971_896),
        ] {
            assert_close(t_quantile(degrees) / expected, 1.0, 1e-3);
        }
    }

    #[test]
    fn misses_that_cluster_widen_the_interval_as_numpy_has_it() {
        // python3 -c "import numpy as np; from scipy.stats import t; z = 1.959963984540054
        //   m = np.array([288,270,280,250,288,276,281]); n = np.array([288]*6 + [285])
        //   p = m.sum()/n.sum(); B = len(m); v = B/(B-1)*((m-p*n)**2).sum()/n.sum()**2
        //   N = p*(1-p)/v * (z/t.ppf(.975,B-1))**2; c = (p+z*z/2/N)/(1+z*z/N)
        //   h = z/(1+z*z/N)*np.sqrt(p*(1-p)/N+z*z/4/N/N); print(p, c-h, c+h)"
        // numpy 1.24.2, scipy 1.10.1
        let mut blocks =
            [288, 270, 280, 250, 288, 276, 281].map(|inside| Block { inside, of: 288 });
        blocks[6].of = 285;
        let coverage = interval(&blocks);
        assert_eq!(coverage.blocks, Some(7));
        assert_close(coverage.share, 0.960_258_3, 1e-7);
        assert_close(coverage.lower, 0.891_767, 1e-4);
        assert_close(coverage.upper, 0.986_084, 1e-4);
    }

    #[test]
    fn blocks_all_alike_are_worth_their_points_and_no_more() {
        let alike = interval(&[Block { inside: 9, of: 10 }; 20]);
        assert!(alike.lower < 0.9 && alike.lower > 0.84, "{alike:?}");
        let whole = interval(&[Block { inside: 10, of: 10 }; 20]);
        assert_close(whole.upper, 1.0, 0.0);
        assert!(whole.lower > 0.97, "{whole:?}");
        assert_eq!(measure(&[Block::default(); 20]), None);
        assert_eq!(measure(&[]), None);
    }
}
