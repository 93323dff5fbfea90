//! The tail against scipy.

use super::*;
use crate::forecast::proofs::Random;

fn is_close(found: f64, expected: f64) -> bool {
    (found / expected - 1.0).abs() < 1e-9
}

#[test]
fn probabilities_and_peaks_are_those_of_scipys_generalised_pareto() {
    // from scipy.stats import genpareto as g                                     scipy 1.17.1
    // for c, s in ((0, .5), (.2, .5), (.8, 2)):
    //   print([g.sf(x, c, scale=s) for x in (.1, 1, 30)], [g.isf(p, c, scale=s) for p in (.9, .05, 1e-4)])
    let peaks = [0.1, 1.0, 30.0];
    let shares = [0.9, 0.05, 1e-4];
    for (shape, scale, probabilities, excesses) in [
        (
            0.0,
            0.5,
            [
                0.818_730_753_077_981_8,
                0.135_335_283_236_612_7,
                8.756_510_762_696_52e-27,
            ],
            [
                0.052_680_257_828_913_14,
                1.497_866_136_776_995_4,
                4.605_170_185_988_091,
            ],
        ),
        (
            0.2,
            0.5,
            [
                0.821_927_106_759_351_8,
                0.185_934_432_071_870_63,
                2.693_290_743_429_045e-6,
            ],
            [
                0.053_239_219_000_337_67,
                2.051_410_507_565_200_3,
                13.273_933_612_004_829,
            ],
        ),
        (
            0.8,
            2.0,
            [
                0.952_156_476_675_543_6,
                0.656_659_082_303_513_2,
                0.040_510_799_065_225_13,
            ],
            [
                0.219_856_562_113_824_37,
                24.964_013_582_652_942,
                3_959.732_981_152_782,
            ],
        ),
    ] {
        let tail = Tail { scale, shape };
        for (peak, expected) in peaks.into_iter().zip(probabilities) {
            let found = tail.probability(peak);
            assert!(is_close(found, expected), "{tail:?} {peak}: {found}");
        }
        for (share, expected) in shares.into_iter().zip(excesses) {
            let found = tail.excess(share);
            assert!(is_close(found, expected), "{tail:?} {share}: {found}");
        }
    }
}

/// The estimate of the peaks alone, without the prior.
fn measured(fitted: Tail, peaks: usize) -> Tail {
    let peaks = f64::from(u32::try_from(peaks).expect("few"));
    let trust = peaks / (peaks + PRIOR_PEAKS);
    let prior = Tail::PRIOR.scale.ln();
    let shape = Tail::PRIOR.shape + (fitted.shape - Tail::PRIOR.shape) / trust;
    // The scale is that of the shape in use, the prior's part included.
    let scale = prior + (fitted.scale.ln() - prior) / trust;
    Tail {
        scale: scale.exp(),
        shape,
    }
}

/// Peaks whose quantiles are those of a generalised Pareto distribution: `s ((1 - p)^-c - 1) / c`.
fn peaks(shape: f64, scale: f64, count: u32) -> Vec<f64> {
    let place = |number: u32| (f64::from(number) + 0.5) / f64::from(count);
    (0..count)
        .map(|number| scale * ((1.0 - place(number)).powf(-shape) - 1.0) / shape)
        .collect()
}

#[test]
fn the_estimate_is_pickands_without_the_prior() {
    // import numpy as np                                                         numpy 2.4.6
    // p = (np.arange(1, 202)/120)**2; m, q = np.quantile(p, [.5, .75], method='weibull')
    // c = np.log2((q - m)/m)
    // print(c, m)
    let squares: Vec<f64> = (1..=201).map(|n| (f64::from(n) / 120.0).powi(2)).collect();
    let tail = Tail::fit(&squares);
    let measured = measured(tail, 201);
    assert!(
        (measured.shape - 0.321_956_379_975_066_9).abs() < 1e-9,
        "{measured:?}"
    );
    // The scale puts the median of the peaks where it is, given the shape.
    let median = measured.scale * (2.0_f64.powf(tail.shape) - 1.0) / tail.shape;
    assert!((median - 0.708_402_777_777_777_8).abs() < 1e-9, "{median}");
}

#[test]
fn many_peaks_of_a_tail_have_that_tail() {
    for (shape, scale) in [(0.2, 0.3), (0.5, 1.0), (0.9, 2.0)] {
        let tail = measured(Tail::fit(&peaks(shape, scale, 40_001)), 40_001);
        assert!((tail.shape - shape).abs() < 1e-3, "{tail:?}");
    }
    // A million outweigh the prior.
    let tail = Tail::fit(&peaks(0.2, 3.0, 1_000_001));
    assert!(
        (tail.shape - 0.2).abs() < 2e-3 && (tail.scale / 3.0 - 1.0).abs() < 1e-2,
        "{tail:?}"
    );
}

#[test]
fn the_highest_quarter_of_the_peaks_is_ignored() {
    let calm = peaks(0.4, 1.0, 400);
    let mut wild = calm.clone();
    for peak in &mut wild[320..] {
        *peak *= 1000.0;
    }
    assert_eq!(Tail::fit(&wild), Tail::fit(&calm));
}

#[test]
fn without_peaks_the_tail_is_the_one_before_any_data() {
    assert_eq!(Tail::fit(&[]), Tail::PRIOR);
    assert_eq!(Tail::fit(&[0.0; 30]), Tail::PRIOR);
}

/// The excesses of two weeks of values of five minutes, 5 % of them peaks of the prior's tail to this power.
fn excesses(power: f64, seed: u64) -> Vec<f64> {
    let mut random = Random::new(seed);
    let excess = |_| match random.uniform() / 0.05 {
        share if share < 1.0 => Tail::PRIOR.excess(share.powf(1.0 / power)),
        _ => -1.0,
    };
    (0..4032).map(excess).collect()
}

fn power_of(tail: Tail) -> f64 {
    Tail::PRIOR.scale / tail.scale
}

#[test]
fn a_tail_becomes_as_light_or_heavy_as_the_peaks_of_a_history() {
    for power in [0.7, 1.0, 1.4] {
        let found = (0..20).map(|seed| {
            let tail = Tail::PRIOR.as_rare_as(&excesses(power, seed), 0.05);
            assert!((tail.shape * power_of(tail) / Tail::PRIOR.shape - 1.0).abs() < 1e-9);
            power_of(tail)
        });
        let mean = found.sum::<f64>() / 20.0;
        assert!((mean / power - 1.0).abs() < 0.07, "{power}: {mean}");
    }
    for (power, expected) in [(0.1, 1.0 / 3.0), (4.0, 2.0)] {
        let tail = Tail::PRIOR.as_rare_as(&excesses(power, 0), 0.05);
        assert!(
            (power_of(tail) - expected).abs() < 1e-9,
            "{power}: {tail:?}"
        );
    }
}

#[test]
fn a_bad_day_makes_no_tail_heavier() {
    let calm = excesses(1.4, 0);
    let mut bad = calm.clone();
    for excess in bad[2000..2288].iter_mut().step_by(3) {
        *excess = 50.0;
    }
    let [calm, bad] = [calm, bad].map(|values| power_of(Tail::PRIOR.as_rare_as(&values, 0.05)));
    assert!((bad / calm - 1.0).abs() < 0.1, "{bad} {calm}");
}

#[test]
fn a_short_history_says_nothing_of_what_is_rare() {
    let short = &excesses(2.0, 0)[..24 * 29];
    assert_eq!(Tail::PRIOR.as_rare_as(short, 0.05), Tail::PRIOR);
}
