//! Days of the month on which a series is not as on others, such as pay days and month ends, found from its
//! history. They are learnt as what other days would have had, times a ratio: with that taken out, neither a
//! model nor a comparison with earlier weeks sees any difference, and what they make of the present is put
//! back into its unit. [The page of the forecast](crate::forecast) has the rules and what they are worth.

use chrono::TimeDelta;

use crate::calendar::{Month, MonthDay};
use crate::forecast::{Factor, Forecast, Level, MAD_TO_SIGMA, VARIANCE_OF_MEDIAN, median};
use crate::series::TimeSeries;

/// A window must hold so many days: six months, each of which has one of each.
pub const FEWEST_DAYS: usize = 180;
/// Fewer occurrences show no effect.
const FEWEST_OCCURRENCES: usize = 6;
/// More effects are no longer days that stand out.
const MOST_EFFECTS: usize = 4;

/// The logarithm of the largest ratio, of about a million: what lies farther is no number to compute with.
const MOST: f64 = 13.8;
/// A day is compared with so many weeks before it, and as many after.
const WEEKS: usize = 4;

/// A day of the month with its effect.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MonthDayEffect {
    pub day: MonthDay,
    pub factor: Factor,
    /// The number of times it was seen.
    pub occurrences: usize,
    /// Whether the bucket after the history is on such a day.
    pub is_present: bool,
}

/// What was found in a history.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MonthDays {
    /// The largest first.
    pub effects: Vec<MonthDayEffect>,
    /// Whether the history is long enough to show any.
    pub is_long_enough: bool,
    /// Of each bucket of the history and of the one after it; empty without effects.
    factors: Vec<Factor>,
}

const NO_EFFECT: Factor = Factor {
    ratio: 1.0,
    uncertainty: 0.0,
};

impl MonthDays {
    /// Those that a history shows. The day that follows it, which may have begun in it, is no part of that.
    pub fn find(history: &TimeSeries) -> Self {
        /// A day may have 25 hours, and the present one is no part of the history.
        const SURELY_ENOUGH: i64 = 178;
        let step = history.grid().step();
        let is_by_days = step.mean_length() <= TimeDelta::days(1);
        if !is_by_days || step.times(history.len()) < TimeDelta::days(SURELY_ENOUGH) {
            return Self::default();
        }
        let Some(days) = Calendar::new(history) else {
            return Self::default();
        };
        let is_long_enough = days.count() >= FEWEST_DAYS;
        // Of values below zero there are no ratios.
        if !is_long_enough || history.observed().any(|value| value < 0.0) {
            return Self {
                is_long_enough,
                ..Self::default()
            };
        }
        let found = DailyRatios::new(history, &days).effects(&days);
        let factors = days.factors(&found, history);
        let effects = found.into_iter().map(|found| found.effect);
        Self {
            effects: effects.collect(),
            is_long_enough,
            factors,
        }
    }

    /// How the bucket after the history is by the day of the month.
    pub fn present(&self) -> Option<Factor> {
        let present = self.factors.last().copied();
        present.filter(|factor| *factor != NO_EFFECT)
    }

    /// A series that begins as the history does, as if these days were like others.
    pub fn taken_out_of(&self, series: TimeSeries) -> TimeSeries {
        if self.effects.is_empty() {
            return series;
        }
        series.map(|index, value| value / self.at(index).ratio)
    }

    /// A forecast of such a series, at a level, with the effects.
    pub fn put_back(&self, forecast: Forecast, level: Level) -> Forecast {
        if self.effects.is_empty() {
            return forecast;
        }
        let forecast = forecast.with_past(|index, value| value * self.at(index).ratio);
        match self.present() {
            Some(factor) => forecast.on_month_day(factor, level),
            None => forecast,
        }
    }

    /// The factor of a bucket, by its index in the history.
    pub fn at(&self, index: usize) -> Factor {
        self.factors.get(index).copied().unwrap_or(NO_EFFECT)
    }
}

/// The days of a history by the wall clock, and the day of the bucket after it, which is the last.
struct Calendar {
    /// The number of the first, counted from [`crate::series::Grid::EPOCH`].
    first: i64,
    months: Vec<Month>,
    /// Of each bucket and the one after them.
    places: Vec<Place>,
    /// In hours, or buckets where they are longer.
    parts_per_day: usize,
}

/// Where a bucket is: the number of its day, and of the part of it.
#[derive(Debug, Clone, Copy)]
struct Place {
    day: usize,
    part: usize,
}

impl Calendar {
    /// Of buckets of a day at most.
    fn new(history: &TimeSeries) -> Option<Self> {
        const HOURS: usize = 24;
        let step = history.grid().step();
        let buckets_per_day = step.per_day().unwrap_or(1);
        let parts_per_day = buckets_per_day.min(HOURS);
        let per_day = i64::try_from(buckets_per_day).ok()?;
        let wall_slots = history.wall_slots();
        let first = wall_slots.first()?.div_euclid(per_day);
        let place = |slot: &i64| {
            let bucket = usize::try_from(slot.rem_euclid(per_day)).ok()?;
            Some(Place {
                day: usize::try_from(slot.div_euclid(per_day) - first).ok()?,
                part: bucket * parts_per_day / buckets_per_day,
            })
        };
        let places: Option<Vec<Place>> = wall_slots.iter().map(place).collect();
        let last = wall_slots.last()?.div_euclid(per_day);
        Some(Self {
            first,
            months: Month::around(first, last),
            places: places?,
            parts_per_day,
        })
    }

    fn count(&self) -> usize {
        self.places.last().map_or(0, |last| last.day + 1)
    }

    /// The days of the history that are a day of the month, and of the last one.
    fn occurrences(&self, day: MonthDay) -> impl Iterator<Item = usize> {
        let numbers = self.months.iter().map(move |month| day.in_month(*month));
        let days = numbers.filter_map(|number| usize::try_from(number - self.first).ok());
        days.filter(|day| *day < self.count())
    }

    /// What the effects make of each bucket.
    fn factors(&self, found: &[Found], history: &TimeSeries) -> Vec<Factor> {
        if found.is_empty() {
            return Vec::new();
        }
        let parts = PartMeans::new(history, self);
        let mut factors = vec![NO_EFFECT; self.count() * self.parts_per_day];
        for found in found {
            let shape = parts.shape(&found.logarithms);
            for day in self.occurrences(found.effect.day) {
                let of_day = &mut factors[day * self.parts_per_day..][..self.parts_per_day];
                for (factor, part) in of_day.iter_mut().zip(&shape) {
                    let Factor { ratio, uncertainty } = found.effect.factor;
                    let unknown = uncertainty.hypot(part.uncertainty);
                    *factor = Factor {
                        ratio: factor.ratio * ratio * part.ratio,
                        uncertainty: factor.uncertainty.hypot(unknown),
                    };
                }
            }
        }
        let places = self.places.iter();
        let of_bucket = places.map(|place| factors[place.day * self.parts_per_day + place.part]);
        of_bucket.collect()
    }
}

/// An effect, and the days that show it, with what they had.
struct Found {
    effect: MonthDayEffect,
    logarithms: Vec<DayLogarithm>,
}

/// The logarithm of a day's ratio to what is usual.
#[derive(Debug, Clone, Copy)]
struct DayLogarithm {
    day: usize,
    value: f64,
}

/// The logarithm of each day's ratio to the median of the same weekday in the weeks around it.
struct DailyRatios {
    logarithms: Vec<Option<f64>>,
    /// Their standard deviation, as the median absolute deviation tells it.
    sigma: f64,
}

impl DailyRatios {
    fn new(history: &TimeSeries, days: &Calendar) -> Self {
        /// Even days that repeat each other exactly may be off by so much.
        const LEAST_SIGMA: f64 = 0.004;
        let means = DailyMeans::new(history, days);
        // The last day may have begun, and is what is to be told of.
        let finished = 0..days.count() - 1;
        let logarithms = finished.map(|day| Some((means.of[day]? / means.usual(day)?).ln()));
        let logarithms: Vec<Option<f64>> = logarithms.collect();
        let mut sizes: Vec<f64> = logarithms.iter().flatten().map(|one| one.abs()).collect();
        let sigma = MAD_TO_SIGMA * median(&mut sizes).unwrap_or_default();
        Self {
            logarithms,
            sigma: sigma.max(LEAST_SIGMA),
        }
    }

    /// The effects that are beyond doubt, one after the other: the next is looked for in what is left.
    fn effects(mut self, days: &Calendar) -> Vec<Found> {
        let seen = self.logarithms.clone();
        let known = |day: &usize| seen.get(*day).is_some_and(Option::is_some);
        let candidates: Vec<(MonthDay, Vec<usize>)> = MonthDay::all()
            .map(|day| (day, days.occurrences(day).filter(known).collect()))
            .collect();
        let mut effects = Vec::new();
        while effects.len() < MOST_EFFECTS {
            let found = candidates.iter().filter_map(|(day, numbers)| {
                let evidence = self.evidence(numbers)?;
                Some((*day, numbers, evidence))
            });
            // Of equals the first, which is the simplest.
            let best = found.reduce(|best, other| {
                if other.2.gain > best.2.gain {
                    other
                } else {
                    best
                }
            });
            let Some((day, numbers, evidence)) = best else {
                break;
            };
            let logarithm = |day: &usize| {
                let value = (*seen.get(*day)?)?;
                Some(DayLogarithm { day: *day, value })
            };
            effects.push(Found {
                effect: MonthDayEffect {
                    day,
                    factor: evidence.factor,
                    occurrences: numbers.len(),
                    is_present: days.occurrences(day).last() == days.count().checked_sub(1),
                },
                logarithms: numbers.iter().filter_map(logarithm).collect(),
            });
            for number in numbers {
                if let Some(logarithm) = &mut self.logarithms[*number] {
                    *logarithm -= evidence.median;
                }
            }
        }
        effects
    }

    /// What days have in common that sets them apart from others; `None` unless that is beyond doubt.
    #[expect(clippy::cast_precision_loss, reason = "a window has few days")]
    fn evidence(&self, numbers: &[usize]) -> Option<Evidence> {
        /// How far the median must lie from none, in its standard deviations: far enough for the best of
        /// all candidates.
        const LIMIT: f64 = 5.0;
        /// Smaller effects, of about this share, are not worth the risk.
        const LEAST: f64 = 0.03;
        /// One occurrence in so many may show less than half a standard deviation, or the opposite.
        const DISSENTING: usize = 8;
        if numbers.len() < FEWEST_OCCURRENCES {
            return None;
        }
        let logarithms: Vec<f64> = numbers
            .iter()
            .filter_map(|number| self.logarithms[*number])
            .collect();
        let median_of = |values: &dyn Fn(&f64) -> f64| {
            let mut values: Vec<f64> = logarithms.iter().map(values).collect();
            median(&mut values)
        };
        let centre = median_of(&|value| *value)?;
        let count = logarithms.len() as f64;
        let of_median = error_of_median(count);
        let dissents = |value: &&f64| **value * centre.signum() < self.sigma / 2.0;
        let dissenting = logarithms.iter().filter(dissents).count();
        let least = (LIMIT * of_median * self.sigma).max(LEAST);
        let is_beyond_doubt =
            (least..=MOST).contains(&centre.abs()) && dissenting <= logarithms.len() / DISSENTING;
        if !is_beyond_doubt {
            return None;
        }
        let spread = MAD_TO_SIGMA * median_of(&|value| (value - centre).abs())?;
        let error = of_median * spread.max(self.sigma);
        let square = centre * centre;
        // What differs from month to month, beyond what differs from day to day.
        let differing = (spread * spread - self.sigma * self.sigma).max(0.0);
        let gains = logarithms
            .iter()
            .map(|value| value.abs() - (value - centre).abs());
        Some(Evidence {
            gain: gains.sum(),
            median: centre,
            factor: Factor {
                ratio: (centre * square / (square + error * error)).exp(),
                uncertainty: (differing + error * error).sqrt(),
            },
        })
    }
}

/// The standard error of a median, in standard deviations.
fn error_of_median(count: f64) -> f64 {
    (VARIANCE_OF_MEDIAN / count).sqrt()
}

/// What speaks for an effect.
struct Evidence {
    /// By how much nearer the days are to each other than to other days.
    gain: f64,
    /// Of the logarithms.
    median: f64,
    /// Drawn towards none by its uncertainty.
    factor: Factor,
}

/// The mean of the values of each day; `None` of a day that has none above zero, or not all of its buckets.
struct DailyMeans {
    of: Vec<Option<f64>>,
}

impl DailyMeans {
    #[expect(clippy::cast_precision_loss, reason = "a day has few buckets")]
    fn new(history: &TimeSeries, days: &Calendar) -> Self {
        let mut totals = vec![(0.0, 0_usize); days.count()];
        for (place, value) in days.places.iter().zip(history.values()) {
            if let Some(value) = value {
                totals[place.day].0 += value;
                totals[place.day].1 += 1;
            }
        }
        let is_whole = |day: usize| {
            let around = same_weekday(day).filter_map(|day| totals.get(day));
            let fullest = around.map(|(_, count)| *count).max().unwrap_or(0);
            10 * totals[day].1 >= 9 * fullest
        };
        let mean = |(day, (sum, count)): (usize, &(f64, usize))| {
            let mean = sum / *count as f64;
            (mean > 0.0 && mean.is_finite() && is_whole(day)).then_some(mean)
        };
        Self {
            of: totals.iter().enumerate().map(mean).collect(),
        }
    }

    fn usual(&self, day: usize) -> Option<f64> {
        const FEWEST: usize = 3;
        // The last day may have begun.
        let finished = &self.of[..self.of.len() - 1];
        let (mut around, mut count) = ([0.0; 2 * WEEKS], 0);
        for mean in same_weekday(day).filter_map(|day| *finished.get(day)?) {
            around[count] = mean;
            count += 1;
        }
        if count < FEWEST {
            return None;
        }
        median(&mut around[..count])
    }
}

/// The same weekday in the weeks before and after a day.
fn same_weekday(day: usize) -> impl Iterator<Item = usize> {
    (1..=WEEKS).flat_map(move |weeks| {
        let before = day.checked_sub(7 * weeks);
        before.into_iter().chain([day + 7 * weeks])
    })
}

/// The sums and numbers of the values of each part of each day, and of its neighbours in that day.
struct PartMeans {
    parts_per_day: usize,
    means: Vec<Option<f64>>,
}

impl PartMeans {
    #[expect(clippy::cast_precision_loss, reason = "a day has few buckets")]
    fn new(history: &TimeSeries, days: &Calendar) -> Self {
        let parts_per_day = days.parts_per_day;
        let mut totals = vec![(0.0, 0_usize); days.count() * parts_per_day];
        for (place, value) in days.places.iter().zip(history.values()) {
            if let Some(value) = value {
                let total = &mut totals[place.day * parts_per_day + place.part];
                total.0 += value;
                total.1 += 1;
            }
        }
        let means = totals.chunks(parts_per_day).flat_map(|of_day| {
            (0..parts_per_day).map(|part| {
                let near = &of_day[part.saturating_sub(1)..(part + 2).min(parts_per_day)];
                let sum: f64 = near.iter().map(|(sum, _)| sum).sum();
                let count: usize = near.iter().map(|(_, count)| count).sum();
                let mean = sum / count as f64;
                (mean > 0.0 && mean.is_finite()).then_some(mean)
            })
        });
        Self {
            parts_per_day,
            means: means.collect(),
        }
    }

    fn at(&self, day: usize, part: usize) -> Option<f64> {
        *self.means.get(day * self.parts_per_day + part)?
    }

    /// How the effect of these days is at each part of a day, as a multiple of that of the whole day: the
    /// median of the days, drawn towards none where it differs no more than chance makes it.
    #[expect(clippy::cast_precision_loss, reason = "a window has few days")]
    fn shape(&self, days: &[DayLogarithm]) -> Vec<Factor> {
        if self.parts_per_day == 1 {
            return vec![NO_EFFECT];
        }
        let of_part = |part: usize| -> Option<(f64, f64)> {
            let of_day = |day: &DayLogarithm| {
                let around = same_weekday(day.day).filter_map(|day| self.at(day, part));
                let usual = median(&mut around.collect::<Vec<f64>>())?;
                Some((self.at(day.day, part)? / usual).ln() - day.value)
            };
            let mut of_days: Vec<f64> = days.iter().filter_map(of_day).collect();
            let centre = median(&mut of_days).filter(|_| of_days.len() >= FEWEST_OCCURRENCES)?;
            let error = error_of_median(of_days.len() as f64);
            let distances = of_days.iter().map(|one| (one - centre).abs());
            let spread = MAD_TO_SIGMA * median(&mut distances.collect::<Vec<f64>>())?;
            Some((centre, error * spread))
        };
        let parts: Vec<_> = (0..self.parts_per_day)
            .map(|part| of_part(part).unwrap_or_default())
            .collect();
        let squares: f64 = parts.iter().map(|(centre, _)| centre * centre).sum();
        let by_chance: f64 = parts.iter().map(|(_, error)| error * error).sum();
        let share = if squares > by_chance {
            1.0 - by_chance / squares
        } else {
            0.0
        };
        let factor = |(centre, error): &(f64, f64)| Factor {
            ratio: (share * centre).clamp(-MOST, MOST).exp(),
            uncertainty: share * error,
        };
        parts.iter().map(factor).collect()
    }
}

#[cfg(test)]
mod tests;
