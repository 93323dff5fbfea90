//! Which parts explain that a sum is not what was expected: countries, products, whatever a column says.
//!
//! Each part is held against its own usual sum, the median of the same time of earlier weeks, brought to
//! the level that was expected of the whole. After Bhagwan et al., *Adtributor: Revenue Debugging in
//! Advertising Systems* (NSDI 2014): the *explanatory power* of a part is its share of the difference, and
//! its *surprise* how far its share of the whole moved (a term of the Jensen-Shannon divergence). As there,
//! a part must explain a tenth by itself, and the column that surprises most comes first. Two things are
//! stricter than there, as whoever is woken acts on a name:
//!
//! - The parts named must explain half of the difference together, and the rest must have moved at most
//!   half as much, for its size, as they did. Where all fall alike, the largest part explains most, and is
//!   no explanation.
//! - What a part has beyond its share of the whole's fall or rise must be more than chance, by 3 standard
//!   deviations. How much the sum of a part varies for a given whole is found from the shares of the same
//!   time of earlier weeks and days, for all parts together: the variance is taken to grow as the sum, as
//!   that of a count or of the amounts of many sales does. Few times tell it badly, so it is
//!   Student's t that is compared (as a normal quantile by Wallace, *Bounds on Normal Approximations to
//!   Student's and the Chi-Square Distributions*, 1959). Where the rows say it too, as a compound Poisson
//!   sum, whose variance is the sum of its squares, the larger of the two may be compared as it is.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::comparison::Comparison;
use crate::forecast::{Side, VARIANCE_OF_MEDIAN, median};
use crate::output::short;

/// So many parts are shown, and named at most.
const MOST_PARTS: usize = 3;
/// The share of the difference that a part must explain, and those that are named together.
const LEAST_EACH: f64 = 0.1;
const LEAST_TOGETHER: f64 = 0.5;
/// So much of what the named parts moved by, for their size, the others may have moved by.
const MOST_OF_REST: f64 = 0.5;
/// Beyond chance, in standard deviations.
const SIGMAS: f64 = 3.0;
/// A difference of less than this share of what was expected has nothing to explain.
const LEAST_DIFFERENCE: f64 = 0.02;
/// Where what was expected is so many times what earlier weeks had, or so small a part of it, they say
/// nothing of its parts.
const MOST_GROWTH: f64 = 2.0;
/// Even a part that repeats itself exactly may be off by so much of its sum without a reason.
const LEAST_SPREAD: f64 = 0.01;
/// The median of a chi-square with one degree of freedom.
const CHI_SQUARE_MEDIAN: f64 = 0.455;
/// The medians that the noise is found by use about so much of what the times tell.
const EFFICIENCY: f64 = 0.6;

/// What a difference is made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Breakdown {
    pub start: DateTime<Utc>,
    pub end: DateTime<Utc>,
    /// Of the whole.
    #[serde(serialize_with = "short")]
    pub seen: f64,
    #[serde(serialize_with = "short")]
    pub expected: f64,
    /// The one that explains most first.
    pub columns: Vec<ColumnParts>,
}

/// The parts that a column makes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ColumnParts {
    pub column: String,
    /// Those that explain most of the difference, the first one most.
    pub parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// As the column has it; `None` for NULL.
    pub value: Option<String>,
    #[serde(serialize_with = "short")]
    pub seen: f64,
    #[serde(serialize_with = "short")]
    pub expected: f64,
    /// Whether it explains the difference, beyond its share and beyond chance.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stands_out: bool,
}

/// What the rows of each value of a column add up to.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnSums {
    pub column: String,
    pub parts: Vec<PartSums>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct PartSums {
    pub value: Option<String>,
    /// In each of [`Comparison::spans`].
    pub sums: Vec<f64>,
    /// The squares of the values of all these rows.
    pub squares: f64,
}

impl Breakdown {
    /// What is missing, or what there is more than expected.
    pub fn difference(&self) -> f64 {
        (self.expected - self.seen).abs()
    }

    pub fn side(&self) -> Side {
        side(self.seen, self.expected)
    }

    /// How much of the difference a part is; negative where it moved to the other side.
    pub fn explained(&self, part: &Part) -> f64 {
        towards(self.side(), part.seen - part.expected)
    }

    /// Its explanatory power.
    pub fn share(&self, part: &Part) -> f64 {
        self.explained(part) / self.difference()
    }

    /// Whether there is anything to say.
    pub fn has_standing_out(&self) -> bool {
        let mut columns = self.columns.iter();
        columns.any(|column| column.standing_out().next().is_some())
    }
}

impl ColumnParts {
    pub fn standing_out(&self) -> impl Iterator<Item = &Part> {
        self.parts.iter().filter(|part| part.stands_out)
    }
}

fn side(seen: f64, expected: f64) -> Side {
    if seen < expected {
        Side::Low
    } else {
        Side::High
    }
}

/// A difference as seen from a side: positive where it is on that side.
fn towards(side: Side, difference: f64) -> f64 {
    match side {
        Side::High => difference,
        Side::Low => -difference,
    }
}

impl Comparison {
    /// Finds the parts of each column that explain what the judged time lacks, or has more. `None` where
    /// earlier weeks say nothing of what was expected.
    pub fn explain(&self, columns: Vec<ColumnSums>) -> Option<Breakdown> {
        let whole = Whole::new(self)?;
        let columns = columns.into_iter().map(|column| whole.explain(column));
        let mut columns: Vec<(f64, ColumnParts)> = columns.collect();
        columns.sort_by(|(one, _), (other, _)| other.total_cmp(one));
        Some(Breakdown {
            start: self.judged.range.start.to_utc(),
            end: self.judged.range.end.to_utc(),
            seen: whole.seen,
            expected: whole.expected,
            columns: columns.into_iter().map(|(_, column)| column).collect(),
        })
    }
}

/// What is known of the sum of all parts.
struct Whole {
    seen: f64,
    expected: f64,
    side: Side,
    difference: f64,
    /// How many of the earlier times say what is usual.
    usual_count: usize,
    /// What they had, by their median.
    usual: f64,
    /// Of all earlier times.
    earlier: Vec<f64>,
}

/// A part, measured.
struct Measured {
    value: Option<String>,
    seen: f64,
    expected: f64,
    /// Of the whole.
    share: f64,
    /// In the earlier times.
    earlier: Vec<f64>,
    /// The size of a typical row: the variance of a sum of such rows is so many times the sum.
    grain: f64,
}

/// How much the sums of parts vary beside the whole.
struct Noise {
    /// The variance, for a sum of one.
    unit: f64,
    degrees_of_freedom: f64,
}

impl Whole {
    fn new(comparison: &Comparison) -> Option<Self> {
        let (seen, expected) = (comparison.judged.total, comparison.expected);
        let mut usual: Vec<f64> = comparison.usual.iter().map(|span| span.total).collect();
        let usual_count = usual.len();
        let usual = median(&mut usual)?;
        let growth = expected / usual;
        let is_comparable = usual > 0.0 && (1.0 / MOST_GROWTH..=MOST_GROWTH).contains(&growth);
        is_comparable.then(|| Self {
            seen,
            expected,
            side: side(seen, expected),
            difference: (expected - seen).abs(),
            usual_count,
            usual,
            earlier: comparison.earlier().map(|span| span.total).collect(),
        })
    }

    /// The parts of a column, after how much it surprises.
    fn explain(&self, sums: ColumnSums) -> (f64, ColumnParts) {
        let parts = sums.parts.into_iter().map(|part| self.measure(part));
        let mut parts: Vec<Measured> = parts.collect();
        parts.sort_by(|one, other| self.explained(other).total_cmp(&self.explained(one)));
        let noise = self.noise(&parts);
        let is_candidate = |part: &Measured| {
            self.explained(part) >= LEAST_EACH * self.difference
                && self.sigmas_beyond_share(part, &noise) >= SIGMAS
        };
        let is_candidate: Vec<bool> = parts.iter().map(is_candidate).collect();
        let places = (0..parts.len()).filter(|place| is_candidate[*place]);
        let named: Vec<usize> = places.take(MOST_PARTS).collect();
        let named = if self.is_explained_by(named.iter().map(|place| &parts[*place])) {
            named
        } else {
            Vec::new()
        };
        let surprise = named.iter().map(|place| self.surprise(&parts[*place]));
        let surprise = surprise.sum();
        let shown = parts.into_iter().enumerate().map(|(place, part)| Part {
            value: part.value,
            seen: part.seen,
            expected: part.expected,
            stands_out: named.contains(&place),
        });
        let mut shown: Vec<Part> = shown.collect();
        // What stands out is shown, whatever explains more of it by its size alone; then what differs most, on
        // either side.
        let distance = |part: &Part| (part.seen - part.expected).abs();
        shown.sort_by(|one, other| {
            let by_distance = distance(other).total_cmp(&distance(one));
            other.stands_out.cmp(&one.stands_out).then(by_distance)
        });
        shown.truncate(MOST_PARTS);
        let column = ColumnParts {
            column: sums.column,
            parts: shown,
        };
        (surprise, column)
    }

    fn measure(&self, part: PartSums) -> Measured {
        let (seen, earlier) = part
            .sums
            .split_first()
            .map_or((0.0, &[][..]), |(seen, rest)| (*seen, rest));
        let mut usual: Vec<f64> = earlier.iter().take(self.usual_count).copied().collect();
        let share = median(&mut usual).unwrap_or_default() / self.usual;
        let amount: f64 = part.sums.iter().map(|sum| sum.abs()).sum();
        Measured {
            value: part.value,
            seen,
            expected: share * self.expected,
            share,
            earlier: earlier.to_vec(),
            grain: if amount > 0.0 {
                part.squares / amount
            } else {
                0.0
            },
        }
    }

    fn explained(&self, part: &Measured) -> f64 {
        towards(self.side, part.seen - part.expected)
    }

    /// A term of the Jensen-Shannon divergence between the shares that were expected and those seen.
    fn surprise(&self, part: &Measured) -> f64 {
        let expected = (part.expected / self.expected).max(0.0);
        let seen = if self.seen > 0.0 {
            (part.seen / self.seen).max(0.0)
        } else {
            0.0
        };
        let term = |share: f64| {
            if share > 0.0 {
                share * (2.0 * share / (expected + seen)).ln()
            } else {
                0.0
            }
        };
        0.5 * (term(expected) + term(seen))
    }

    /// By the squares of what is left of each part when its share of the whole is taken off, at each of the
    /// earlier times. The median over the times passes over one with an incident of its own.
    fn noise(&self, parts: &[Measured]) -> Noise {
        let squared_shares: f64 = parts.iter().map(|part| part.share.powi(2)).sum();
        // Of so many parts of the same size.
        let freedom = (squared_shares.recip() - 1.0).max(0.0);
        let units = self.earlier.iter().enumerate().filter_map(|(time, whole)| {
            let (mut squares, mut variances) = (0.0, 0.0);
            for part in parts {
                let sum = part.earlier.get(time).copied().unwrap_or_default();
                squares += (sum - part.share * whole).powi(2);
                variances += variance(part.share, *whole);
            }
            (variances > 0.0).then(|| squares / variances)
        });
        let mut units: Vec<f64> = units.collect();
        let times = count(units.len());
        // The median of a chi-square beside its mean (Wilson and Hilferty, 1931).
        let median_of_mean = (1.0 - 2.0 / (9.0 * freedom.max(0.2))).max(0.5).powi(3);
        Noise {
            unit: median(&mut units).unwrap_or_default() / median_of_mean,
            degrees_of_freedom: (EFFICIENCY * freedom * (times - 1.0)).max(0.3),
        }
    }

    /// How far a part is from where it would be if all had moved alike, beyond chance.
    fn sigmas_beyond_share(&self, part: &Measured, noise: &Noise) -> f64 {
        let moved = self.seen / self.expected;
        let alike = part.expected * moved;
        let excess = towards(self.side, part.seen - alike);
        let own = self
            .earlier
            .iter()
            .zip(&part.earlier)
            .filter_map(|(whole, sum)| {
                let variance = variance(part.share, *whole);
                (variance > 0.0).then(|| (sum - part.share * whole).powi(2) / variance)
            });
        let mut own: Vec<f64> = own.collect();
        let own = 0.5 * median(&mut own).unwrap_or_default() / CHI_SQUARE_MEDIAN;
        let of_times = noise.unit.max(own);
        let of_median = VARIANCE_OF_MEDIAN / count(self.usual_count);
        let size =
            alike.abs().max(part.seen.abs()) + moved.powi(2) * part.expected.abs() * of_median;
        let sigmas = |unit: f64| {
            let chance = unit * (1.0 - part.share).max(0.0) * size;
            let variance = chance + (LEAST_SPREAD * part.expected).powi(2);
            excess / variance.sqrt().max(f64::MIN_POSITIVE)
        };
        let by_times = normal_quantile(sigmas(of_times), noise.degrees_of_freedom);
        by_times.max(sigmas(of_times.max(part.grain)))
    }

    /// Whether these parts moved clearly more than the others, and are most of it.
    fn is_explained_by<'a>(&self, named: impl Iterator<Item = &'a Measured>) -> bool {
        let (mut explained, mut expected) = (0.0, 0.0);
        for part in named {
            explained += self.explained(part);
            expected += part.expected;
        }
        let rest = self.expected - expected;
        let by_rest = self.difference - explained;
        // For their sizes: by_rest / rest beside explained / expected.
        let is_theirs = by_rest * expected <= MOST_OF_REST * explained * rest.max(0.0);
        self.difference >= LEAST_DIFFERENCE * self.expected
            && explained > 0.0
            && explained >= LEAST_TOGETHER * self.difference
            && (is_theirs || by_rest <= 0.0)
    }
}

/// Of a part of a given whole, for a unit of one: that of a binomial count.
fn variance(share: f64, whole: f64) -> f64 {
    share.abs() * whole.abs() * (1.0 - share).max(0.0)
}

/// The normal quantile as rare as this one of Student's t.
fn normal_quantile(t: f64, degrees_of_freedom: f64) -> f64 {
    let freedom = degrees_of_freedom;
    let quantile = (freedom * (t * t / freedom).ln_1p()).sqrt();
    quantile.copysign(t) * (8.0 * freedom + 1.0) / (8.0 * freedom + 3.0)
}

#[expect(clippy::cast_precision_loss, reason = "a few")]
fn count(things: usize) -> f64 {
    things as f64
}

#[cfg(test)]
mod tests;
