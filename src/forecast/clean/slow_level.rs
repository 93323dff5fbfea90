//! The slow level of a series, and what is left of its values once that is taken away.

use crate::series::TimeSeries;

/// A season is cut into about so many blocks: of a day, hours.
const BLOCKS: usize = 24;
/// The level needs so many blocks to be slow; where a season has less, it takes several.
const FEWEST_BLOCKS: usize = 12;

/// How a value stands to its level.
#[derive(Debug, Clone, Copy)]
enum Relation {
    /// `value = level + rest`
    Sum,
    /// `value = level (1 + rest)`: the season and the noise grow with the level.
    Product,
}

/// The mean, over a running season, of the middle half of the medians of blocks: no spike moves it,
/// and unlike a median it does not hang on one block where the season is steep.
#[derive(Debug, Clone)]
pub struct SlowLevel {
    relation: Relation,
    block: usize,
    /// In blocks.
    window: usize,
    levels: Vec<f64>,
}

impl SlowLevel {
    /// `None` without any value.
    pub fn of(history: &TimeSeries, season: usize) -> Option<Self> {
        let block = (season / BLOCKS).max(1);
        let blocks = season.div_ceil(block);
        let window = blocks * FEWEST_BLOCKS.div_ceil(blocks);
        let medians = fill(block_medians(history.values(), block), window)?;
        Some(Self {
            relation: Relation::Sum,
            block,
            window,
            levels: running_midmeans(&medians, window),
        })
    }

    /// The same with values as multiples of it, which no level forbids that is positive.
    pub fn as_product(&self) -> Option<Self> {
        let is_positive = self.levels.iter().all(|level| *level > 0.0);
        is_positive.then(|| Self {
            relation: Relation::Product,
            ..self.clone()
        })
    }

    /// What is left of each value; NaN for a gap.
    pub fn rests(&self, history: &TimeSeries) -> Vec<f64> {
        let values = history.values().chunks(self.block).zip(&self.levels);
        values
            .flat_map(|(values, level)| {
                values.iter().map(move |value| match self.relation {
                    Relation::Sum => value.map_or(f64::NAN, |value| value - level),
                    Relation::Product => value.map_or(f64::NAN, |value| value / level - 1.0),
                })
            })
            .collect()
    }

    /// The value at a slot that would leave `rest`. After the last slot the level stays.
    pub fn value(&self, index: usize, rest: f64) -> f64 {
        let block = (index / self.block).min(self.levels.len() - 1);
        let level = self.levels[block];
        match self.relation {
            Relation::Sum => level + rest,
            Relation::Product => level * (1.0 + rest),
        }
    }

    /// Whether the season around a slot is not all there, so that its level is that of a season beside.
    pub fn is_at_an_end(&self, index: usize) -> bool {
        let (block, half) = (index / self.block, self.window / 2);
        block < half || block + half >= self.levels.len()
    }

    /// How far values are apart, typically, whose rests are.
    pub fn distance(&self, between_rests: f64) -> f64 {
        match self.relation {
            Relation::Sum => between_rests,
            Relation::Product => between_rests * mean(&self.levels),
        }
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a window has fewer than 2^53 blocks"
)]
fn mean(values: &[f64]) -> f64 {
    let count = values.len() as f64;
    values.iter().map(|value| value / count).sum()
}

fn block_medians(values: &[Option<f64>], block: usize) -> Vec<Option<f64>> {
    let mut held = Vec::with_capacity(block);
    values
        .chunks(block)
        .map(|values| {
            held.clear();
            held.extend(values.iter().flatten());
            upper_median(&mut held)
        })
        .collect()
}

/// Fills what is missing from the season before, else the one after, else the block before, so that
/// a night without data does not lift the level of its day, and one day is as the next. `None` if
/// nothing is there.
fn fill(mut medians: Vec<Option<f64>>, season: usize) -> Option<Vec<f64>> {
    let mut first = medians.iter().flatten().next().copied()?;
    let len = medians.len();
    for index in season..len {
        medians[index] = medians[index].or(medians[index - season]);
    }
    for index in (0..len.saturating_sub(season)).rev() {
        medians[index] = medians[index].or(medians[index + season]);
    }
    for index in 1..len {
        medians[index] = medians[index].or(medians[index - 1]);
    }
    for index in (0..len.saturating_sub(season)).rev() {
        medians[index] = medians[index].or(medians[index + season]);
    }
    let filled = medians.into_iter().map(|median| {
        first = median.unwrap_or(first);
        first
    });
    Some(filled.collect())
}

/// At the ends the window lies inside, so that it always holds a whole season.
fn running_midmeans(values: &[f64], window: usize) -> Vec<f64> {
    let window = window.min(values.len());
    let mut sorted = values[..window].to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let mut start = 0;
    (0..values.len())
        .map(|index| {
            if start < index.saturating_sub(window / 2).min(values.len() - window) {
                exchange(&mut sorted, values[start], values[start + window]);
                start += 1;
            }
            mean(&sorted[window / 4..window - window / 4])
        })
        .collect()
}

/// Takes one value out of a sorted list and puts another in.
fn exchange(sorted: &mut Vec<f64>, out: f64, into: f64) {
    let place = |sorted: &[f64], value: f64| {
        sorted.partition_point(|other| other.total_cmp(&value).is_lt())
    };
    sorted.remove(place(sorted, out).min(sorted.len() - 1));
    sorted.insert(place(sorted, into), into);
}

/// Of an even number the greater of the two in the middle: a level need not be finer.
fn upper_median(values: &mut [f64]) -> Option<f64> {
    let middle = values.len() / 2;
    (!values.is_empty()).then(|| *values.select_nth_unstable_by(middle, f64::total_cmp).1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::sample::{series, series_with_gaps};

    fn levels(values: &[f64]) -> Vec<f64> {
        let history = series("1h", values);
        let level = SlowLevel::of(&history, 24).expect("a level");
        (0..=values.len())
            .map(|index| level.value(index, 0.0))
            .collect()
    }

    #[test]
    fn a_season_and_a_spike_leave_the_level_where_it_is() {
        let mut values: Vec<f64> = (0..240).map(|hour| f64::from(hour % 24)).collect();
        values[100] = 1e6;
        assert!(
            levels(&values)
                .iter()
                .all(|level| (11.0..=13.0).contains(level))
        );
    }

    #[test]
    fn a_new_level_is_followed_within_half_a_day() {
        let values: Vec<f64> = (0..240)
            .map(|hour| f64::from(hour % 24) + if hour < 120 { 0.0 } else { 500.0 })
            .collect();
        let levels = levels(&values);
        assert!(levels[..108].iter().all(|level| *level < 20.0));
        assert!(levels[132..].iter().all(|level| *level > 500.0));
    }

    #[test]
    fn a_night_without_data_does_not_lift_its_day() {
        let values: Vec<Option<f64>> = (0..240)
            .map(|hour| Some(f64::from(hour % 24)).filter(|_| !(96..108).contains(&hour)))
            .collect();
        let history = series_with_gaps("1h", &values);
        let level = SlowLevel::of(&history, 24).expect("a level");
        assert!((11.0..=13.0).contains(&level.value(102, 0.0)));
        assert!(level.rests(&history)[100].is_nan());
    }

    #[test]
    fn what_is_left_of_a_value_leads_back_to_it() {
        let history = series("1h", &[10.0, 30.0, 20.0, 40.0, 20.0]);
        let level = SlowLevel::of(&history, 24).expect("a level");
        for level in [level.as_product().expect("a product"), level] {
            for (index, rest) in level.rests(&history).into_iter().enumerate() {
                let value = history.values()[index].expect("a value");
                assert!((level.value(index, rest) - value).abs() < 1e-9);
            }
        }
        let crossing_zero = series("1h", &[-1.0, 0.0, 1.0]);
        let level = SlowLevel::of(&crossing_zero, 24).expect("a level");
        assert!(level.as_product().is_none());
    }
}
