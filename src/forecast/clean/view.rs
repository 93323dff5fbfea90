//! What is left of the values, sorted by their place in a season: the typical one of each place, and
//! Tukey's fences around it for each time of day.

use super::Fences;

/// With fewer values a place has no typical one.
const FEWEST_FOR_MEDIAN: usize = 3;
/// With fewer values quartiles are guesswork.
const FEWEST_FOR_QUARTILES: usize = 10;
/// A place varies at least as places up to this share of a season away do.
const NEIGHBOURHOOD: usize = 48;

/// The place of each slot in a season.
#[derive(Debug, Clone)]
pub struct Places {
    season: usize,
    of: Vec<usize>,
}

impl Places {
    /// Of slots numbered by the wall clock.
    pub fn in_season(season: usize, wall_slots: &[i64]) -> Self {
        let length = i64::try_from(season).unwrap_or(i64::MAX).max(1);
        let place_of = |slot: i64| usize::try_from(slot.rem_euclid(length)).unwrap_or(0);
        let mut next = (i64::MIN, 0);
        let of = wall_slots.iter().map(|slot| {
            // Nearly every slot follows the one before, and a division takes its time.
            let place = if *slot == next.0 {
                next.1
            } else {
                place_of(*slot)
            };
            next = (slot + 1, if place + 1 < season { place + 1 } else { 0 });
            place
        });
        Self {
            season,
            of: of.collect(),
        }
    }

    /// The values of each place, in order; NaN is none.
    fn sorted(&self, values: &[f64]) -> Groups {
        let held = || {
            values
                .iter()
                .zip(&self.of)
                .filter(|(value, _)| !value.is_nan())
        };
        let mut starts = vec![0; self.season + 1];
        for (_, place) in held() {
            starts[place + 1] += 1;
        }
        for place in 0..self.season {
            starts[place + 1] += starts[place];
        }
        let mut next = starts.clone();
        let mut grouped = vec![0; starts[self.season]];
        for (value, place) in held() {
            grouped[next[*place]] = to_ordered(*value);
            next[*place] += 1;
        }
        for bounds in starts.windows(2) {
            grouped[bounds[0]..bounds[1]].sort_unstable();
        }
        let grouped = grouped.into_iter().map(from_ordered).collect();
        Groups {
            starts,
            values: grouped,
        }
    }
}

/// Integers in the order of the numbers, as in [`f64::total_cmp`]: sorted in half the time.
fn to_ordered(number: f64) -> i64 {
    let bits = number.to_bits().cast_signed();
    bits ^ ((bits >> 63).cast_unsigned() >> 1).cast_signed()
}

fn from_ordered(bits: i64) -> f64 {
    f64::from_bits((bits ^ ((bits >> 63).cast_unsigned() >> 1).cast_signed()).cast_unsigned())
}

/// The values of each place, in order.
struct Groups {
    starts: Vec<usize>,
    values: Vec<f64>,
}

impl Groups {
    fn medians(&self) -> Vec<f64> {
        let median = |values: &[f64]| {
            let known = values.len() >= FEWEST_FOR_MEDIAN;
            quantile(values, 0.5).filter(|_| known).unwrap_or(f64::NAN)
        };
        self.iter().map(median).collect()
    }

    fn iter_mut(&mut self) -> impl Iterator<Item = &mut [f64]> {
        let mut left = self.values.as_mut_slice();
        self.starts.windows(2).map(move |bounds| {
            let (values, after) = std::mem::take(&mut left).split_at_mut(bounds[1] - bounds[0]);
            left = after;
            values
        })
    }

    fn iter(&self) -> impl Iterator<Item = &[f64]> {
        self.starts
            .windows(2)
            .map(|bounds| &self.values[bounds[0]..bounds[1]])
    }
}

/// Quartiles, and the distance from them to the fences.
#[derive(Debug, Clone, Copy)]
struct Spread {
    first: f64,
    third: f64,
    width: f64,
}

impl Spread {
    /// `None` for too few values.
    fn of(sorted: &[f64]) -> Option<Self> {
        let (first, third) = (quantile(sorted, 0.25)?, quantile(sorted, 0.75)?);
        (sorted.len() >= FEWEST_FOR_QUARTILES).then_some(Self {
            first,
            third,
            width: third - first,
        })
    }
}

/// Fences by place, each around what is typical there.
#[derive(Debug, Clone)]
pub struct View {
    places: Places,
    /// By place; NaN where it is not known.
    typical: Vec<f64>,
    /// By time of day, around the typical value.
    fences: Vec<Fences>,
    /// How far apart the quartiles are, on average.
    pub width: f64,
}

impl View {
    /// Each time of day against itself on other days. `None` if the values of no time differ.
    pub fn by_time(rests: &[f64], times: &Places, factor: f64) -> Option<Self> {
        let mut groups = times.sorted(rests);
        let typical = groups.medians();
        for (values, typical) in groups.iter_mut().zip(&typical) {
            for value in values {
                *value -= typical;
            }
        }
        Self::around(typical, times, &groups, factor)
    }

    /// Each place in a longer season against itself; the fences are those of the times of day all
    /// the same, as a place has too few values for fences. `None` if the values of no time differ.
    pub fn by_place(rests: &[f64], places: &Places, times: &Places, factor: f64) -> Option<Self> {
        let typical = places.sorted(rests).medians();
        let beside: Vec<f64> = rests
            .iter()
            .zip(&places.of)
            .map(|(rest, place)| rest - typical[*place])
            .collect();
        Self::around(typical, places, &times.sorted(&beside), factor)
    }

    fn around(typical: Vec<f64>, places: &Places, beside: &Groups, factor: f64) -> Option<Self> {
        let spreads = spreads(beside)?;
        let widening = widening(beside.values.len(), typical.len());
        // A quiet time of day is not held to its quiet, or each shower would be an outlier: fences are as
        // wide as those of all times on average, and where nothing ever varies, as the widest.
        let usual = mean_width(&spreads);
        let widest = spreads
            .iter()
            .map(|spread| spread.width)
            .fold(0.0, f64::max);
        if widest <= 0.0 || !widest.is_finite() {
            return None;
        }
        let fences = spreads.iter().map(|spread| {
            let width = if spread.width > 0.0 {
                spread.width.max(usual)
            } else {
                widest
            };
            Fences {
                lower: widening * (spread.first - factor * width),
                upper: widening * (spread.third + factor * width),
            }
        });
        Some(Self {
            places: places.clone(),
            typical,
            fences: fences.collect(),
            width: widening * usual,
        })
    }

    /// How many values are outliers.
    pub fn beyond(&self, rests: &[f64], times: &Places) -> usize {
        let is_beyond = |index: usize, rest: f64| {
            self.fences(index, times)
                .is_some_and(|fences| rest < fences.lower || rest > fences.upper)
        };
        let rests = rests.iter().enumerate();
        rests
            .filter(|(index, rest)| is_beyond(*index, **rest))
            .count()
    }

    /// `None` where nothing is typical.
    pub fn fences(&self, index: usize, times: &Places) -> Option<Fences> {
        let typical = self.typical[self.places.of[index]];
        let fences = self.fences[times.of[index]];
        (!typical.is_nan()).then_some(Fences {
            lower: typical + fences.lower,
            upper: typical + fences.upper,
        })
    }
}

/// The spread of each time of day: its own, but no narrower than is usual around it. With few days
/// all times have one. `None` without values.
fn spreads(groups: &Groups) -> Option<Vec<Spread>> {
    let all = || {
        let mut all = groups.values.clone();
        all.retain(|value| !value.is_nan());
        all.sort_unstable_by(f64::total_cmp);
        Spread::of(&all)
    };
    let mut own: Vec<Option<Spread>> = groups.iter().map(Spread::of).collect();
    if own.iter().any(Option::is_none) {
        let all = all()?;
        for own in &mut own {
            own.get_or_insert(all);
        }
    }
    let own: Vec<Spread> = own.into_iter().flatten().collect();
    let around = own.len().div_ceil(NEIGHBOURHOOD).min(own.len() - 1);
    let mut neighbours = Vec::with_capacity(2 * around + 1);
    let widths: Vec<f64> = (0..own.len())
        .map(|place| {
            neighbours.clear();
            neighbours.extend(
                (0..=2 * around)
                    .map(|step| own[(place + own.len() + step - around) % own.len()].width),
            );
            let usual = *neighbours.select_nth_unstable_by(around, f64::total_cmp).1;
            own[place].width.max(usual)
        })
        .collect();
    let spreads = own.into_iter().zip(widths);
    Some(
        spreads
            .map(|(spread, width)| Spread { width, ..spread })
            .collect(),
    )
}

/// Values lie closer to their own median than to that of others, the closer the fewer they are:
/// `sqrt(n / (n - 2))` makes up for it, of normal values within a fifteenth from four on and four
/// fifths of the way for three; for many it is nothing.
#[expect(
    clippy::cast_precision_loss,
    reason = "a window has fewer than 2^53 slots"
)]
fn widening(values: usize, places: usize) -> f64 {
    let each = (values as f64 / places as f64).max(FEWEST_FOR_MEDIAN as f64);
    (each / (each - 2.0)).sqrt()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a day has fewer than 2^53 slots"
)]
fn mean_width(spreads: &[Spread]) -> f64 {
    spreads.iter().map(|spread| spread.width).sum::<f64>() / spreads.len() as f64
}

/// Hyndman and Fan's type 7, as in [`super`].
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a length is one"
)]
fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let position = share * sorted.len().checked_sub(1)? as f64;
    let below = sorted[position as usize];
    let above = sorted[position.ceil() as usize];
    Some(below + position.fract() * (above - below))
}

#[cfg(test)]
mod tests;
