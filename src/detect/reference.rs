//! A slow reference beside the forecast: what the newest buckets add up to over a quarter of an hour, an
//! hour, six hours, a day and three days, against what the same hours of earlier weeks added up to. It does
//! not follow an incident, however long that lasts, and adds up losses that no single bucket shows. Of days
//! it is one, three and seven, and of weeks and months as many, against the same of earlier years.
//!
//! What is usual is the median over earlier weeks, so that one week with an incident does not count. How
//! far totals usually are from it is measured in the same way, each week left out in turn: by the median
//! absolute deviation at that time of day, but not less than that of all times of day; relative to what is
//! usual or to its root, as a Poisson count's, whichever fits better. The deviance of a Poisson count with
//! that spread takes the place of the plain ratio (McCullagh and Nelder, *Generalized Linear Models*,
//! 1989), so that a total of zero is as far out as it is rare. How far out the farthest total of a day is
//! on most days says which limit is passed once in so many days (Gumbel, *Statistics of Extremes*, 1958);
//! a few days with incidents do not change that.

use chrono::{DateTime, TimeDelta, Utc};

use crate::forecast::{Factor, MAD_TO_SIGMA, VARIANCE_OF_MEDIAN, median};
use crate::series::{Grid, Step, TimeSeries};

/// The spans that are compared, in minutes: of steps shorter than a day, and of longer ones in buckets.
const SPANS_MINUTES: [usize; 6] = [15, 60, 180, 360, 1440, 4320];
const SPANS_BUCKETS: [usize; 3] = [1, 3, 7];
/// How many weeks, or days where the window holds no three weeks, make up what is usual.
const MOST_WEEKS: usize = 5;
const MOST_DAYS: usize = 7;
/// How many of them away one may be.
const MOST_AWAY: usize = 8;
/// Totals that are less complete than this share of what is usual are not compared.
const COMPLETE: f64 = 0.6;
/// Even a series that repeats itself exactly may be off by so much of its level without a reason.
const LEAST_SPREAD: f64 = 0.004;
/// At no time of day are totals nearer to what is usual than this share of how near they are altogether.
const SHARE_OF_OVERALL: f64 = 0.7;
/// This share of a usual total counts as well where next to nothing is usual.
const LEAST_LEVEL: f64 = 0.05;

/// The newest bucket and the spans that end with it, against earlier weeks.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reference {
    /// Of the newest bucket by itself.
    pub bucket: Option<SpanTotal>,
    /// Shortest first; without those that nothing can be compared with.
    pub spans: Vec<SpanTotal>,
    pub unchanged: Unchanged,
    /// Of a running total: since when it has been adding up.
    pub total_since: Option<DateTime<Utc>>,
}

/// How many buckets in a row, up to the newest, have had the same value, other than zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unchanged {
    pub buckets: usize,
    /// The longest such run in the history before.
    pub longest_before: usize,
}

/// What the buckets of a span add up to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SpanTotal {
    pub length: TimeDelta,
    pub buckets: usize,
    pub seen: f64,
    /// What the same span of earlier weeks had; where buckets are missing, in those that are there.
    pub usual: f64,
    /// What it had yesterday, where yesterday explains the last day clearly better than earlier weeks do.
    pub yesterday: Option<f64>,
    /// What it had in an earlier week, where somebody said that this was healthy; of several weeks the
    /// nearest to what was seen.
    pub healthy: Option<f64>,
    /// The median of all usual totals of this length.
    typical: f64,
    /// The usual distance of totals from what is usual, at this time of day and altogether, for a usual
    /// total of 1.
    local_spread: f64,
    overall_spread: f64,
    scaling: Scaling,
    /// The farthest totals of the days of the history.
    pub highest: Extremes,
    pub lowest: Extremes,
}

/// The distribution of the farthest total of a day on one side, in standard deviations.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Extremes {
    mode: f64,
    scale: f64,
}

/// How far a total is from what is usual.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Departure {
    /// In standard deviations; negative below.
    pub sigmas: f64,
    /// As a share of what is usual; negative below.
    pub share: f64,
    /// How many standard deviations all is worth: a loss of a share `s` is a departure of
    /// `s * information` or more.
    pub information: f64,
}

impl Reference {
    /// Of the newest value of a series, which must be its last one.
    pub fn new(series: &TimeSeries, total_since: Option<DateTime<Utc>>) -> Self {
        let Some(places) = Places::new(series) else {
            return Self::default();
        };
        let lengths = span_lengths(series.grid().step(), places.has_weeks());
        let mut spans: Vec<SpanTotal> = lengths
            .into_iter()
            .filter_map(|buckets| places.compare_span(buckets))
            .collect();
        places.add_yesterday(&mut spans);
        Self {
            bucket: places.compare_span(1),
            spans,
            unchanged: Unchanged::of(series.values()),
            total_since,
        }
    }

    /// The same where totals that ended so many weeks (years, of weeks and months) before the newest are usual
    /// too.
    #[must_use]
    pub fn with_healthy(mut self, series: &TimeSeries, weeks_ago: &[usize]) -> Self {
        if weeks_ago.is_empty() {
            return self;
        }
        let Some(places) = Places::new(series) else {
            return self;
        };
        let week = series.grid().step().per_turn().unwrap_or(1);
        for total in self.spans.iter_mut().chain(&mut self.bucket) {
            let of_weeks = weeks_ago.iter().filter_map(|weeks| {
                let place = places.last().checked_sub(weeks * week)?;
                places.place_as_at(place, places.last(), total.buckets)
            });
            let distance = |healthy: &f64| (healthy - total.seen).abs();
            total.healthy = of_weeks.min_by(|one, other| distance(one).total_cmp(&distance(other)));
        }
        self
    }

    /// The same of a series each of whose values is what the other had, times a factor.
    #[must_use]
    pub fn times(mut self, series: &TimeSeries, factor: impl Fn(usize) -> Factor) -> Self {
        self.unchanged = Unchanged::of(series.values());
        for total in self.spans.iter_mut().chain(&mut self.bucket) {
            let first = series.len().saturating_sub(total.buckets);
            let (mut sum, mut without, mut unknown) = (0.0, 0.0, 0.0);
            for index in first..series.len() {
                let Factor { ratio, uncertainty } = factor(index);
                let value = series.values()[index].unwrap_or_default();
                sum += value;
                without += value / ratio;
                unknown += value * uncertainty;
            }
            let factor = Factor {
                ratio: sum / without,
                uncertainty: unknown / sum,
            };
            if factor.ratio.is_finite() && factor.uncertainty.is_finite() {
                *total = total.times(factor);
            }
        }
        self
    }

    /// The span of an hour, or of one bucket where that is longer.
    pub fn hour(&self) -> Option<&SpanTotal> {
        let mut spans = self.spans.iter();
        spans.find(|span| span.length >= TimeDelta::hours(1))
    }
}

impl Unchanged {
    fn of(values: &[Option<f64>]) -> Self {
        let Some((Some(newest), before)) = values.split_last() else {
            return Self::default();
        };
        let same = before
            .iter()
            .rev()
            .take_while(|value| **value == Some(*newest));
        let buckets = 1 + same.count();
        if *newest == 0.0 {
            return Self::default();
        }
        let history = &values[..values.len() - buckets];
        let runs = history.chunk_by(|one, other| one == other && *one != Some(0.0));
        let longest = runs.filter(|run| run[0].is_some()).map(<[_]>::len).max();
        Self {
            buckets,
            longest_before: longest.unwrap_or(0),
        }
    }
}

impl SpanTotal {
    /// How far it is from what is usual, at whichever of these levels (1: that of earlier weeks) is
    /// nearest; between two of them it is not far from either.
    pub fn departure(&self, levels: &[f64]) -> Departure {
        let at_levels = levels
            .iter()
            .map(|level| self.departure_from(self.usual * level, level.max(1.0)));
        let others = [self.yesterday, self.healthy].into_iter().flatten();
        let others = others.map(|total| self.departure_from(total, 1.0));
        let mut nearest: Option<Departure> = None;
        for departure in at_levels.chain(others) {
            nearest = Some(match nearest {
                Some(other) if other.sigmas * departure.sigmas <= 0.0 => Departure {
                    information: other.information,
                    ..Departure::default()
                },
                Some(other) if other.sigmas.abs() <= departure.sigmas.abs() => other,
                _ => departure,
            });
        }
        nearest.unwrap_or_default()
    }

    /// What was seen, as a multiple of what is usual; `None` where nothing is.
    pub fn level(&self) -> Option<f64> {
        (self.usual > 0.0).then(|| (self.seen / self.usual).max(0.0))
    }

    /// The same if so much had been seen.
    #[must_use]
    pub fn with_seen(self, seen: f64) -> Self {
        Self { seen, ..self }
    }

    /// The same times a factor, which is known no better than that says.
    fn times(self, factor: Factor) -> Self {
        let Factor { ratio, uncertainty } = factor;
        let spread = ratio / self.scaling.of(ratio);
        let (typical, usual) = (self.typical * ratio, self.usual * ratio);
        let unknown = uncertainty * usual.abs() / unit(usual, typical, self.scaling);
        let overall = self.overall_spread * spread;
        let local = self.local_spread * spread;
        Self {
            seen: self.seen * ratio,
            usual,
            typical,
            yesterday: self.yesterday.map(|total| total * ratio),
            healthy: self.healthy.map(|total| total * ratio),
            local_spread: if unknown > 0.0 {
                local.max(SHARE_OF_OVERALL * overall).hypot(unknown)
            } else {
                local
            },
            overall_spread: overall,
            ..self
        }
    }

    /// How far it is from this multiple of what is usual, whose spread is that of a level so high or low.
    pub fn departure_from_level(&self, level: f64) -> Departure {
        let spread = if level > 1.0 { level } else { level.sqrt() };
        self.departure_from(self.usual * level, spread)
    }

    /// What distances that are relative to a total are to be multiplied by.
    fn unit(&self, usual: f64) -> f64 {
        unit(usual, self.typical, self.scaling)
    }

    fn departure_from(&self, usual: f64, spread: f64) -> Departure {
        let least = LEAST_LEVEL * self.typical;
        let sigma = (self.local_spread * spread * self.unit(self.usual))
            .max(SHARE_OF_OVERALL * self.overall_spread * self.unit(usual))
            .max(LEAST_SPREAD * usual.abs())
            .max(f64::MIN_POSITIVE);
        let difference = self.seen - usual;
        // Where next to nothing is usual, a few are no rush.
        let mean = if difference > 0.0 {
            usual + least
        } else {
            usual
        };
        let sigmas = if usual >= 0.0 && mean > 0.0 && self.seen >= 0.0 {
            poisson_deviance(1.0 + difference / mean).copysign(difference) * mean / sigma
        } else {
            difference / sigma
        };
        let base = usual.abs().max(least);
        Departure {
            sigmas: if sigmas.is_finite() { sigmas } else { 0.0 },
            share: if base > 0.0 { difference / base } else { 0.0 },
            information: usual.abs() / sigma,
        }
    }
}

/// The square root of the deviance of a count that is this multiple of its mean, for a mean of one.
fn poisson_deviance(ratio: f64) -> f64 {
    let logarithm = if ratio > 0.0 { ratio * ratio.ln() } else { 0.0 };
    (2.0 * (logarithm - ratio + 1.0)).max(0.0).sqrt()
}

/// The longest of the spans of buckets of this length.
pub fn longest_span(step: Step) -> TimeDelta {
    let longest = span_lengths(step, true).into_iter().max();
    step.times(longest.unwrap_or(1))
}

fn span_lengths(step: Step, has_weeks: bool) -> Vec<usize> {
    let Some(per_day) = step.per_day() else {
        return SPANS_BUCKETS.to_vec();
    };
    let in_buckets = SPANS_MINUTES.map(|minutes| (minutes * per_day / 1440).max(1));
    let mut lengths: Vec<usize> = in_buckets.to_vec();
    // Days are compared with each other only where there are weeks of them.
    lengths.retain(|buckets| has_weeks || *buckets <= per_day);
    lengths.dedup();
    lengths
}

/// The sum and the number of the buckets of the span of this length that ends at a place.
#[derive(Debug, Clone, Copy)]
struct Total {
    place: usize,
    length: usize,
    sum: f64,
    count: f64,
}

/// A total and what is usual, both of the buckets that the span has.
#[derive(Debug, Clone, Copy)]
struct Pair {
    seen: f64,
    usual: f64,
}

impl Pair {
    fn distance(&self) -> f64 {
        (self.seen - self.usual).abs()
    }

    /// Whether there is anything to see: closed hours say nothing of the open ones.
    fn is_open(&self) -> bool {
        self.seen != 0.0 || self.usual != 0.0
    }
}

/// Of a million times the usual value, sums keep ten digits of the others.
fn huge_beyond(values: &[Option<f64>]) -> f64 {
    const TIMES: f64 = 1e6;
    let mut sizes: Vec<f64> = values.iter().flatten().map(|value| value.abs()).collect();
    sizes.retain(|size| *size > 0.0);
    median(&mut sizes).map_or(f64::INFINITY, |usual| TIMES * usual)
}

/// The buckets by their place on the wall clock, in running sums.
struct Places {
    grid: Grid,
    /// The slot after the newest bucket.
    end_slot: i64,
    values: Vec<Option<f64>>,
    sums: Vec<f64>,
    counts: Vec<u32>,
    /// Values so large that nothing would be left of the others in a sum that they had once been part of,
    /// and where they are; not in the sums.
    huge: Vec<(usize, f64)>,
    /// Where the first place lies within its day.
    phase: usize,
    /// In places; 1 of longer steps.
    day: usize,
    /// After how many places things repeat: a week, or a day where the window holds no three weeks; of weeks
    /// and months a year, or one of them where it holds no three years.
    period: usize,
    /// By how much the level grows in a period.
    growth: f64,
}

impl Places {
    /// `None` of a series that is too short to compare anything.
    fn new(series: &TimeSeries) -> Option<Self> {
        let step = series.grid().step();
        let wall_slots = series.wall_slots();
        let (first, last) = (
            *wall_slots.first()?,
            *wall_slots.get(series.len().checked_sub(1)?)?,
        );
        let mut values = vec![None; usize::try_from(last - first).ok()? + 1];
        for (slot, value) in wall_slots.iter().zip(series.values()) {
            // Of the hour that autumn repeats, the later pass counts.
            let place = usize::try_from(slot - first).ok()?;
            if let Some(place) = values.get_mut(place) {
                *place = value.or(*place);
            }
        }
        let (mut sums, mut counts, mut huge) = (vec![0.0], vec![0], Vec::new());
        let limit = huge_beyond(&values);
        for (place, value) in values.iter().enumerate() {
            let value = value.unwrap_or_default();
            let is_huge = value.abs() > limit;
            huge.extend(is_huge.then_some((place, value)));
            sums.push(sums[sums.len() - 1] + if is_huge { 0.0 } else { value });
            counts.push(counts[counts.len() - 1] + u32::from(values[place].is_some()));
        }
        let day = step.per_day().unwrap_or(1);
        let week = step.per_turn().unwrap_or(1);
        let day_length = i64::try_from(day).ok()?;
        let mut places = Self {
            grid: series.grid().clone(),
            end_slot: series.slot(series.len()),
            period: if values.len() >= 3 * week { week } else { day },
            values,
            sums,
            counts,
            huge,
            phase: usize::try_from(first.rem_euclid(day_length)).ok()?,
            day,
            growth: 1.0,
        };
        places.growth = places.weekly_growth();
        Some(places)
    }

    fn has_weeks(&self) -> bool {
        self.period > self.day || self.grid.step().per_day().is_none()
    }

    /// How long the newest buckets are, so many; those of days by the calendar.
    fn length(&self, buckets: usize) -> TimeDelta {
        if self.grid.step().per_day().is_some() {
            return self.grid.step().times(buckets);
        }
        let first = i64::try_from(buckets).map_or(i64::MIN, |buckets| self.end_slot - buckets);
        self.grid.instant(self.end_slot) - self.grid.instant(first)
    }

    fn last(&self) -> usize {
        self.sums.len() - 2
    }

    /// The buckets of the span of this length that ends at a place.
    fn total(&self, place: usize, length: usize) -> Option<Total> {
        let end = place + 1;
        let start = end.checked_sub(length)?;
        let huge = if self.huge.is_empty() {
            0.0
        } else {
            let index_of = |place: usize| self.huge.partition_point(|(huge, _)| *huge < place);
            let huge = &self.huge[index_of(start)..index_of(end)];
            huge.iter().map(|(_, value)| value).sum()
        };
        Some(Total {
            place,
            length,
            sum: self.sums.get(end)? - self.sums[start] + huge,
            count: f64::from(self.counts[end] - self.counts[start]),
        })
        .filter(|total| total.count > 0.0)
    }

    /// A span and the median of the same span in the nearest other weeks, those after it too where the
    /// history has them.
    fn pair(&self, place: usize, length: usize) -> Option<Pair> {
        let own = self.total(place, length)?;
        let most = if self.has_weeks() {
            MOST_WEEKS
        } else {
            MOST_DAYS
        };
        let (mut sums, mut counts) = ([0.0; MOST_DAYS], [0.0; MOST_DAYS]);
        let mut found = 0;
        'weeks: for number in 1..=MOST_AWAY {
            let (distance, weeks) = (self.period * number, i32::try_from(number).ok()?);
            let earlier = place.checked_sub(distance).map(|place| (place, weeks));
            for (other, weeks) in earlier.into_iter().chain([(place + distance, -weeks)]) {
                let like = self.weekday_factor(place, other);
                let total = self.total(other, length);
                if let (Some(factor), Some(total)) = (like, total)
                    && let factor = factor * self.growth.powi(weeks)
                    && let Some(usual) = self.as_at(total, factor, own)
                {
                    sums[found] = usual;
                    counts[found] = total.count;
                    found += 1;
                }
                if found == most {
                    break 'weeks;
                }
            }
        }
        if found < 2 {
            return None;
        }
        let count = median(&mut counts[..found])?;
        (own.count >= COMPLETE * count).then_some(Pair {
            seen: own.sum,
            usual: median(&mut sums[..found])?,
        })
    }

    /// What a span would have, were it as another of its length, times a factor.
    /// What is missing is seldom missing by chance: only buckets that both have are compared, and those that the
    /// other lacks differ as these do.
    fn as_at(&self, other: Total, factor: f64, own: Total) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "a span has few buckets")]
        let is_whole = own.count.min(other.count) >= own.length as f64;
        if is_whole {
            return Some(other.sum * factor);
        }
        let values = |total: Total| &self.values[total.place + 1 - total.length..=total.place];
        let (mut count, mut difference) = (0.0, 0.0);
        for pair in values(own).iter().zip(values(other)) {
            if let (Some(own), Some(other)) = pair {
                count += 1.0;
                difference += other * factor - own;
            }
        }
        let total = own.sum + difference * own.count / count;
        let is_negative_possible = own.sum < 0.0 || other.sum < 0.0;
        let least = if is_negative_possible {
            f64::NEG_INFINITY
        } else {
            0.0
        };
        (count >= COMPLETE * own.count).then_some(total.max(least))
    }

    /// Where days are compared: how much more the day of a place has than the day of another, as the week
    /// before (or after) shows it. `None` if nothing was sold on that other day.
    fn weekday_factor(&self, place: usize, other: usize) -> Option<f64> {
        if self.period != self.day || self.day == 1 {
            return Some(1.0);
        }
        let same_weekday = place
            .checked_sub(7 * self.day)
            .and_then(|place| self.day_mean(place));
        let same_weekday = same_weekday.or_else(|| self.day_mean(place + 7 * self.day));
        match (same_weekday, self.day_mean(other)) {
            (Some(mean), Some(other)) if mean >= 0.0 && other > 0.0 => Some(mean / other),
            (None, _) => Some(1.0),
            _ => None,
        }
    }

    /// The mean of the whole day that holds a place, if that day is over.
    fn day_mean(&self, place: usize) -> Option<f64> {
        let end = (place + self.phase) / self.day * self.day + self.day - 1;
        let end = end
            .checked_sub(self.phase)
            .filter(|end| *end < self.last())?;
        self.total(end, self.day)
            .map(|total| total.sum / total.count)
    }

    /// The median ratio of a day to the day a week before, drawn towards none by its uncertainty.
    #[expect(clippy::cast_precision_loss, reason = "a window has few days")]
    fn weekly_growth(&self) -> f64 {
        const FEWEST_DAYS: usize = 10;
        const MOST: f64 = 0.25;
        const MOST_OF_YEAR: f64 = 0.7;
        let mut logarithms = Vec::new();
        let mut place = self.last();
        while self.has_weeks()
            && let Some(before) = place.checked_sub(self.period)
            && let (Some(total), Some(before)) =
                (self.total(place, self.day), self.total(before, self.day))
        {
            let ratio = total.sum / total.count / (before.sum / before.count);
            if total.sum > 0.0 && before.sum > 0.0 && total.count > before.count / 2.0 {
                logarithms.push(ratio.ln());
            }
            let Some(earlier) = place.checked_sub(self.day) else {
                break;
            };
            place = earlier;
        }
        if logarithms.len() < FEWEST_DAYS {
            return 1.0;
        }
        let Some(growth) = median(&mut logarithms) else {
            return 1.0;
        };
        let mut distances: Vec<f64> = logarithms.iter().map(|one| (one - growth).abs()).collect();
        let sigma = MAD_TO_SIGMA * median(&mut distances).unwrap_or_default();
        let variance = VARIANCE_OF_MEDIAN * sigma * sigma / logarithms.len() as f64;
        let square = growth * growth;
        let shrunk = if square > 0.0 {
            growth * square / (square + variance)
        } else {
            0.0
        };
        let is_of_year = self.grid.step().per_year() == Some(self.period);
        let most = if is_of_year { MOST_OF_YEAR } else { MOST };
        shrunk.clamp(-most, most).exp()
    }

    fn compare_span(&self, buckets: usize) -> Option<SpanTotal> {
        const FEWEST: usize = 5;
        let newest = self.pair(self.last(), buckets)?;
        let past = self.past_pairs(buckets);
        let mut levels: Vec<f64> = past.iter().map(|(_, pair)| pair.usual.abs()).collect();
        let typical = median(&mut levels).filter(|_| past.len() >= FEWEST)?;
        let scaling = Scaling::fit(&past, typical);
        let relative = |pair: &Pair| pair.distance() / unit(pair.usual, typical, scaling);
        let mut distances: Vec<f64> = past.iter().map(|(_, pair)| relative(pair)).collect();
        let local = self.local_pairs(buckets);
        let mut local: Vec<f64> = local.iter().map(relative).collect();
        let is_known = local.len() >= FEWEST;
        let mut total = SpanTotal {
            length: self.length(buckets),
            buckets,
            seen: newest.seen,
            usual: newest.usual,
            yesterday: None,
            healthy: None,
            typical,
            local_spread: MAD_TO_SIGMA
                * median(&mut local).filter(|_| is_known).unwrap_or_default(),
            overall_spread: MAD_TO_SIGMA * median(&mut distances)?,
            scaling,
            highest: Extremes::default(),
            lowest: Extremes::default(),
        };
        let (highest, lowest) = self.daily_extremes(&past, total);
        total.highest = Extremes::fit(highest);
        total.lowest = Extremes::fit(lowest);
        // Sums of the largest numbers there are may be none.
        let is_number = total.seen.is_finite() && total.usual.is_finite() && typical.is_finite();
        is_number.then_some(total)
    }

    /// Past totals with what was usual, newest first, spread over the history. The last day may be an
    /// incident.
    fn past_pairs(&self, buckets: usize) -> Vec<(usize, Pair)> {
        const MOST: usize = 2000;
        let stride = (buckets / 3).max(self.sums.len() / MOST).max(1);
        let newest = self.last().saturating_sub(self.day.max(buckets));
        let places = (buckets..=newest).rev().step_by(stride);
        let pairs = places.filter_map(|place| Some((place, self.pair(place, buckets)?)));
        pairs.filter(|(_, pair)| pair.is_open()).collect()
    }

    /// How far out the farthest total of each day was, above and below.
    fn daily_extremes(&self, past: &[(usize, Pair)], total: SpanTotal) -> (Vec<f64>, Vec<f64>) {
        let day = |place: usize| (self.last() - place) / self.day;
        let days = past.chunk_by(|(one, _), (other, _)| day(*one) == day(*other));
        let extremes = days.map(|pairs| {
            let sigmas = pairs.iter().map(|(_, pair)| {
                let past = SpanTotal {
                    seen: pair.seen,
                    usual: pair.usual,
                    local_spread: total.overall_spread,
                    ..total
                };
                past.departure_from(pair.usual, 1.0).sigmas
            });
            sigmas.fold((0.0_f64, 0.0_f64), |(high, low), sigmas| {
                (high.max(sigmas), low.max(-sigmas))
            })
        });
        extremes.unzip()
    }

    /// Past totals at about this time of earlier days.
    fn local_pairs(&self, buckets: usize) -> Vec<Pair> {
        /// How far around the time of day, in days, and in how many places on each side.
        const REACH: f64 = 1.0 / 16.0;
        const NEIGHBOURS: usize = 4;
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a day has few places"
        )]
        let reach = (self.day as f64 * REACH) as usize;
        let neighbours = NEIGHBOURS.min(reach);
        let stride = reach.checked_div(neighbours).unwrap_or(0);
        let first_day = buckets.div_ceil(self.day).max(1);
        let mut found = Vec::new();
        let mut centre = self.last().checked_sub(first_day * self.day);
        while let Some(place) = centre {
            let earliest = place.saturating_sub(neighbours * stride);
            let around = (0..=2 * neighbours).map(|number| earliest + number * stride);
            let around = around.filter(|place| place + buckets <= self.last());
            let pairs = around.filter_map(|place| self.pair(place, buckets));
            found.extend(pairs.filter(Pair::is_open));
            centre = place.checked_sub(self.day);
        }
        found
    }

    /// Adds yesterday's totals where, in half the hours of the last day or more, the total is clearly off
    /// what is usual and much nearer to yesterday's: the days have changed, as in a month of fasting. Where
    /// nearly all hours are off on the same side, it is no other day, but more or less of the same.
    fn add_yesterday(&self, spans: &mut [SpanTotal]) {
        const HOURS: usize = 24;
        const MOST_ONE_SIDED: f64 = 0.8;
        let hour = spans
            .iter()
            .find(|span| span.length >= TimeDelta::hours(1))
            .copied();
        let Some(hour) = hour.filter(|_| self.has_weeks() && self.day >= HOURS) else {
            return;
        };
        let (mut changed, mut compared) = (0, 0);
        let (mut difference, mut distance) = (0.0, 0.0);
        for number in 0..HOURS {
            let place = self.last().checked_sub(number * self.day / HOURS);
            let pair = place.and_then(|place| self.pair(place, hour.buckets));
            let yesterday = place.and_then(|place| self.day_before(place, hour.buckets));
            if let (Some(pair), Some(yesterday)) = (pair.filter(Pair::is_open), yesterday) {
                compared += 1;
                difference += pair.seen - pair.usual;
                distance += pair.distance();
                let own = SpanTotal {
                    seen: pair.seen,
                    usual: pair.usual,
                    local_spread: 0.0,
                    ..hour
                };
                let is_off = own.departure_from(pair.usual, 1.0).sigmas.abs() > 4.0;
                changed +=
                    usize::from(is_off && (pair.seen - yesterday).abs() < pair.distance() / 2.0);
            }
        }
        let is_one_sided = difference.abs() > MOST_ONE_SIDED * distance;
        if 2 * changed < compared || compared < HOURS / 4 || is_one_sided {
            return;
        }
        for span in spans {
            span.yesterday = self.day_before(self.last(), span.buckets);
        }
    }

    /// What the span that ends at a place would have, were it as that of the day before.
    fn day_before(&self, place: usize, length: usize) -> Option<f64> {
        self.place_as_at(place.checked_sub(self.day)?, place, length)
    }

    /// What the span that ends at a place would have, were it as the one that ends at another.
    fn place_as_at(&self, other: usize, place: usize, length: usize) -> Option<f64> {
        self.as_at(self.total(other, length)?, 1.0, self.total(place, length)?)
    }
}

/// How the distances of totals from what is usual grow with that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scaling {
    /// As those of a Poisson count.
    Root,
    Proportional,
}

impl Scaling {
    /// The tails of what remains are lighter with the one that fits.
    fn fit(past: &[(usize, Pair)], typical: f64) -> Self {
        let tail_weight = |scaling: Self| {
            let ratios = past
                .iter()
                .map(|(_, pair)| pair.distance() / unit(pair.usual, typical, scaling));
            let mut ratios: Vec<f64> = ratios.collect();
            let (place, middle) = (ratios.len() * 95 / 100, ratios.len() / 2);
            let (nearer, far, _) = ratios.select_nth_unstable_by(place, f64::total_cmp);
            let far = *far;
            let middle = if middle < place {
                *nearer.select_nth_unstable_by(middle, f64::total_cmp).1
            } else {
                far
            };
            if middle > 0.0 {
                far / middle
            } else {
                f64::INFINITY
            }
        };
        if tail_weight(Self::Root) <= tail_weight(Self::Proportional) {
            Self::Root
        } else {
            Self::Proportional
        }
    }

    fn of(self, total: f64) -> f64 {
        match self {
            Self::Root => total.sqrt(),
            Self::Proportional => total,
        }
    }
}

fn unit(usual: f64, typical: f64, scaling: Scaling) -> f64 {
    let total = usual.abs() + LEAST_LEVEL * typical;
    scaling.of(total.max(f64::MIN_POSITIVE))
}

impl Extremes {
    /// By the median and the highest fifth of the daily extremes.
    fn fit(mut extremes: Vec<f64>) -> Self {
        const FEWEST: usize = 10;
        /// `-ln(-ln(p))` of the median and of 80 %.
        const MEDIAN: f64 = 0.366_512_920_581_664_3;
        const HIGHEST_FIFTH: f64 = 1.499_939_986_788_256_2;
        if extremes.len() < FEWEST {
            return Self::default();
        }
        extremes.sort_unstable_by(f64::total_cmp);
        let (median, high) = (
            extremes[extremes.len() / 2],
            extremes[extremes.len() * 4 / 5],
        );
        let scale = (high - median) / (HIGHEST_FIFTH - MEDIAN);
        Self {
            mode: median - MEDIAN * scale,
            scale,
        }
    }

    /// What is passed on this share of days, which is small.
    pub fn limit(self, share_of_days: f64) -> f64 {
        self.mode - self.scale * share_of_days.ln()
    }
}

#[cfg(test)]
mod tests;
