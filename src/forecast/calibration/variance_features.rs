//! The variance features, which the scale of an error follows: the usual error at the time of day, the
//! level, the slope of the forecast, the volatility of the last values and of those around the same time
//! of earlier days and weeks, and the distance between the forecasts that were averaged.

use crate::forecast::Fitted;
use crate::forecast::timeline::Timeline;

/// The number of features, the constant included.
pub const FEATURES: usize = 12;

/// The usual error at a place of the season.
#[derive(Debug, Clone, Copy)]
pub struct UsualError {
    logarithm: f64,
    inverse: f64,
}

impl UsualError {
    pub fn new(size: f64) -> Self {
        Self {
            logarithm: size.ln(),
            inverse: size.recip(),
        }
    }
}

/// The features of each slot. Each grows as a logarithm does, so that a spike ten times as high as any
/// before has a scale some times as large, and not one beyond all bounds.
pub fn variance_features(
    fitted: &Fitted,
    timeline: &Timeline,
    errors: &[Option<f64>],
    usual: &[UsualError],
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
    let seasonal = |season: usize, reach: usize| SeasonalVolatility {
        timeline,
        first: fitted.first,
        season,
        reach,
    };
    let (of_days, of_weeks) = (seasonal(0, 1), seasonal(1, 2));
    let mut ratios: Vec<Option<f64>> = Vec::with_capacity(errors.len());
    let mut features = Vec::with_capacity(fitted.expected.len());
    for (index, expected) in fitted.expected.iter().enumerate() {
        let slot = fitted.first + index;
        let usual = usual[timeline.phases[slot]];
        let before = season
            .and_then(|season| season.counterpart(slot))
            .map_or(*expected, |slot| fitted.filtered[slot]);
        let log = |volatility: f64| volatility.max(CALM).ln();
        let level = level_of(*expected);
        let distance = |from: f64| ((expected - from).abs() * usual.inverse + 0.3).ln();
        features.push([
            1.0,
            usual.logarithm,
            log(volatility[1]),
            log(volatility[2]),
            level,
            log(volatility[0]),
            (level - level_at_centre).copysign(*expected),
            distance(fitted.filtered[slot - 1]),
            distance(before),
            (fitted.disagreement[index] * usual.inverse + AGREED).ln(),
            of_days.at(slot, &ratios),
            of_weeks.at(slot, &ratios),
        ]);
        let ratio = errors[index].map(|error| error.abs() * usual.inverse);
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

/// The size of errors around the same place of earlier turns of a season: of a week, say, in which
/// Saturdays are volatile.
struct SeasonalVolatility<'a> {
    timeline: &'a Timeline,
    /// The slot of the first ratio.
    first: usize,
    season: usize,
    /// How many slots on either side of the place.
    reach: usize,
}

impl SeasonalVolatility<'_> {
    /// The logarithm of their mean, from the ratios up to the slot; 0 without that season.
    fn at(&self, slot: usize, ratios: &[Option<f64>]) -> f64 {
        /// None counts for more than so many usual errors.
        const CAP: f64 = 3.0;
        /// Before any is known, a usual one counts as so many of them.
        const PRIOR: f64 = 0.3;
        const CALM: f64 = 0.1;
        let Some(cycle) = self.timeline.cycles.get(self.season) else {
            return 0.0;
        };
        let (mut sum, mut count) = (PRIOR, PRIOR);
        for counterpart in cycle.counterparts(slot) {
            let Some(end) = (counterpart + self.reach + 1).checked_sub(self.first) else {
                break;
            };
            let end = end.min(ratios.len());
            let start = end.saturating_sub(2 * self.reach + 1);
            for ratio in ratios[start..end].iter().flatten() {
                sum += ratio.min(CAP);
                count += 1.0;
            }
        }
        (sum / count + CALM).ln()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_errors_at_the_same_place_of_earlier_turns_show_in_the_volatility() {
        let hours: Vec<f64> = (0..96_u32).map(|hour| f64::from(hour % 24)).collect();
        let timeline = Timeline::sample("1h", &hours, &[24]);
        let volatility = |season| SeasonalVolatility {
            timeline: &timeline,
            first: 30,
            season,
            reach: 1,
        };
        // Slots 30 to 59, of which 47 to 49 lie around the place of slot 72 a day before: 2, 99, none.
        let mut ratios = vec![Some(1.0); 30];
        ratios[17] = Some(2.0);
        ratios[18] = Some(99.0);
        ratios[19] = None;
        let mean = (0.3 + 2.0 + 3.0) / (0.3 + 2.0);
        let found = volatility(0).at(72, &ratios);
        assert!((found - f64::ln(mean + 0.1)).abs() < 1e-12, "{found}");
        assert!(volatility(0).at(60, &ratios).abs() < 0.1, "as usual");
        assert!(
            volatility(1).at(72, &ratios).abs() < 1e-12,
            "no such season"
        );
    }
}
