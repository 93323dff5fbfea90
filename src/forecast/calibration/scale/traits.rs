//! What the scale of an error follows: the time of day, the level, how steeply the forecast moves, how
//! volatile the last values were and those around the same time of earlier days and weeks, and how far
//! apart the forecasts are that were averaged.

use super::count;
use crate::forecast::Fitted;
use crate::forecast::timeline::Timeline;

/// What the logarithm of a scale is linear in, the pub constant included.
pub const TRAITS: usize = 12;
/// Half of a volatility is from the last so many values: the very last one, and a few.
const HALF_LIVES: [f64; 2] = [1.0, 8.0];

/// What is usual at a place of the season.
#[derive(Debug, Clone, Copy)]
pub struct Base {
    logarithm: f64,
    inverse: f64,
}

impl Base {
    pub fn of(size: f64) -> Self {
        Self {
            logarithm: size.ln(),
            inverse: size.recip(),
        }
    }
}

/// What the logarithm of each slot's scale is linear in. Each grows as a logarithm does, so that a
/// spike ten times as high as any before has a scale some times as large, and not one beyond all bounds.
pub fn traits(
    fitted: &Fitted,
    timeline: &Timeline,
    sizes: &[Option<f64>],
    bases: &[Base],
) -> Vec<[f64; TRAITS]> {
    /// No volatility is taken to be below this share of the usual.
    const CALM: f64 = 0.02;
    /// No error counts for more than this many times the volatility before it.
    const CAP: f64 = 4.0;
    /// Forecasts this near to each other, in usual errors, agree.
    const AGREED: f64 = 0.1;
    let keep = |half_life: f64| 0.5_f64.powf(1.0 / half_life);
    let turn = count(timeline.phase_count.max(24));
    let keeps = [keep(HALF_LIVES[0]), keep(HALF_LIVES[1]), keep(turn)];
    let mut volatility = [1.0_f64; 3];
    let season = timeline.cycles.first();
    let level_of = |expected: f64| (1.0 + (expected * expected + 0.01).sqrt()).ln();
    let level_at_centre = level_of(0.0);
    let memory = |season: usize, reach: usize| Memory {
        timeline,
        first: fitted.first,
        season,
        reach,
    };
    let (of_days, of_weeks) = (memory(0, 1), memory(1, 2));
    let mut ratios: Vec<Option<f64>> = Vec::with_capacity(sizes.len());
    let mut traits = Vec::with_capacity(fitted.expected.len());
    for (index, expected) in fitted.expected.iter().enumerate() {
        let slot = fitted.first + index;
        let base = bases[timeline.phases[slot]];
        let before = season
            .and_then(|season| season.counterpart(slot))
            .map_or(*expected, |slot| fitted.fed[slot]);
        let log = |volatility: f64| volatility.max(CALM).ln();
        let level = level_of(*expected);
        let distance = |from: f64| ((expected - from).abs() * base.inverse + 0.3).ln();
        traits.push([
            1.0,
            base.logarithm,
            log(volatility[1]),
            log(volatility[2]),
            level,
            log(volatility[0]),
            (level - level_at_centre).copysign(*expected),
            distance(fitted.fed[slot - 1]),
            distance(before),
            (fitted.disagreement[index] * base.inverse + AGREED).ln(),
            of_days.of(slot, &ratios),
            of_weeks.of(slot, &ratios),
        ]);
        let ratio = sizes[index].map(|size| size.abs() * base.inverse);
        ratios.push(ratio);
        if let Some(ratio) = ratio {
            let most = CAP * volatility[2].max(0.2).max(volatility[1]);
            let size = ratio.min(most);
            for (volatility, keep) in volatility.iter_mut().zip(keeps) {
                *volatility = keep * *volatility + (1.0 - keep) * size;
            }
        }
    }
    traits
}

/// How large errors were around the same place of earlier turns of a season: of a week, say, in which
/// Saturdays are wild.
struct Memory<'a> {
    timeline: &'a Timeline,
    /// The slot of the first ratio.
    first: usize,
    season: usize,
    /// How many slots on either side of the place.
    reach: usize,
}

impl Memory<'_> {
    /// The logarithm of their mean, from the ratios up to the slot; 0 without that season.
    fn of(&self, slot: usize, ratios: &[Option<f64>]) -> f64 {
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
    use crate::forecast::clean::Cleaned;
    use crate::forecast::seasons::Seasons;
    use crate::series::sample::series;

    #[test]
    fn large_errors_at_the_same_place_of_earlier_turns_are_remembered() {
        let hours: Vec<f64> = (0..96_u32).map(|hour| f64::from(hour % 24)).collect();
        let history = series("1h", &hours);
        let cleaned = Cleaned::untouched(&history);
        let seasons = Seasons(vec![24]);
        let timeline = Timeline::lay_out(&history, &cleaned, &seasons).expect("values that differ");
        let memory = |season| Memory {
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
        let found = memory(0).of(72, &ratios);
        assert!((found - f64::ln(mean + 0.1)).abs() < 1e-12, "{found}");
        assert!(memory(0).of(60, &ratios).abs() < 0.1, "as usual");
        assert!(memory(1).of(72, &ratios).abs() < 1e-12, "no such season");
    }
}
