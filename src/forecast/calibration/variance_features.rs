//! The variance features, which the scale of an error follows: the usual error at the time of day, the
//! level, the slope of the forecast, the volatility of the last values and of those around the same time
//! of earlier days and weeks, and the distance between the forecasts that were averaged.

use crate::forecast::fitted::Fitted;
use crate::forecast::timeline::{Cycle, Timeline};

/// The number of features, the constant included.
pub const FEATURES: usize = 12;

/// The features of each slot, by the usual error at each place of the season. Each grows as a logarithm
/// does, so that a spike ten times as high as any before has a scale some times as large, and not one
/// beyond all bounds.
pub fn variance_features(
    fitted: &Fitted,
    timeline: &Timeline,
    errors: &[Option<f64>],
    usual: &[f64],
) -> Vec<[f64; FEATURES]> {
    /// No volatility is taken to be below this share of the usual.
    const CALM: f64 = 0.02;
    /// No error counts for more than this many times the volatility before it.
    const CAP: f64 = 4.0;
    /// Forecasts this near to each other, in usual errors, agree.
    const AGREED: f64 = 0.1;
    #[expect(clippy::cast_precision_loss, reason = "a season has few slots")]
    let turn = timeline.phase_count.max(24) as f64;
    // Half of each volatility is from the last value, a few, and a day.
    let keeps = [1.0, 8.0, turn].map(|half_life| 0.5_f64.powf(1.0 / half_life));
    let mut volatility = [1.0_f64; 3];
    let season = timeline.cycles.first();
    let level_of = |expected: f64| (1.0 + (expected * expected + 0.01).sqrt()).ln();
    let level_at_centre = level_of(0.0);
    // Of every slot, also of those that are not forecast.
    let mut ratios: Vec<Option<f64>> = vec![None; fitted.first];
    let mut features = Vec::with_capacity(fitted.expected.len());
    for (index, expected) in fitted.expected.iter().enumerate() {
        let slot = fitted.first + index;
        let usual = usual[timeline.phases[slot]];
        let inverse = usual.recip();
        let before = season.and_then(|season| season.counterpart(slot));
        let before = before.map_or(*expected, |slot| fitted.filtered[slot]);
        let log = |volatility: f64| volatility.max(CALM).ln();
        let level = level_of(*expected);
        let distance = |from: f64| ((expected - from).abs() * inverse + 0.3).ln();
        features.push([
            1.0,
            usual.ln(),
            log(volatility[1]),
            log(volatility[2]),
            level,
            log(volatility[0]),
            (level - level_at_centre).copysign(*expected),
            distance(fitted.filtered[slot - 1]),
            distance(before),
            (fitted.disagreement[index] * inverse + AGREED).ln(),
            seasonal_volatility(season, slot, 1, &ratios),
            seasonal_volatility(timeline.cycles.get(1), slot, 2, &ratios),
        ]);
        let ratio = errors[index].map(|error| error.abs() * inverse);
        ratios.push(ratio);
        if let Some(ratio) = ratio {
            let most = CAP * volatility[2].max(0.2).max(volatility[1]);
            let size = ratio.min(most);
            for (volatility, keep) in volatility.iter_mut().zip(keeps) {
                *volatility = keep * *volatility + (1.0 - keep) * size;
            }
        }
    }
    features
}

/// The logarithm of the mean size of errors around the same place of earlier turns of a season: of a week,
/// say, in which Saturdays are volatile. From the ratios before the slot, up to `reach` slots beside the
/// place; 0 without the season.
fn seasonal_volatility(
    season: Option<&Cycle>,
    slot: usize,
    reach: usize,
    ratios: &[Option<f64>],
) -> f64 {
    /// None counts for more than so many usual errors.
    const CAP: f64 = 3.0;
    /// Before any is known, a usual one counts as so many of them.
    const PRIOR: f64 = 0.3;
    const CALM: f64 = 0.1;
    let Some(cycle) = season else {
        return 0.0;
    };
    let (mut sum, mut count) = (PRIOR, PRIOR);
    for counterpart in cycle.counterparts(slot) {
        let end = (counterpart + reach + 1).min(ratios.len());
        let start = end.saturating_sub(2 * reach + 1);
        for ratio in ratios[start..end].iter().flatten() {
            sum += ratio.min(CAP);
            count += 1.0;
        }
    }
    (sum / count + CALM).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_errors_at_the_same_place_of_earlier_turns_show_in_the_volatility() {
        let hours: Vec<f64> = (0..96_u32).map(|hour| f64::from(hour % 24)).collect();
        let timeline = Timeline::sample("1h", &hours, &[24]);
        let day = timeline.cycles.first();
        // Around the place of slot 72 a day before: 2, 99, none.
        let mut ratios = [vec![None; 30], vec![Some(1.0); 30]].concat();
        ratios[47] = Some(2.0);
        ratios[48] = Some(99.0);
        ratios[49] = None;
        let mean = (0.3 + 2.0 + 3.0) / (0.3 + 2.0);
        let found = seasonal_volatility(day, 72, 1, &ratios);
        assert!((found - f64::ln(mean + 0.1)).abs() < 1e-12, "{found}");
        let usual = seasonal_volatility(day, 60, 1, &ratios);
        assert!(usual.abs() < 0.1, "as usual");
        let without = seasonal_volatility(None, 72, 1, &ratios);
        assert!(without.abs() < 1e-12, "no such season");
    }
}
