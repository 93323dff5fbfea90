//! What is drawn: an evaluation in, its points out. Where there are more points than columns of
//! pixels, each column keeps its first and last point, its extremes, and one breach of either side:
//! the line through those covers the same pixels as the line through all (U. Jugel et al., *M4: A
//! Visualization-Oriented Time Series Data Aggregation*, 2014), and no breach disappears.

use chrono::{DateTime, TimeDelta};
use chrono_tz::Tz;

use super::canvas::WIDTH;
use crate::detect::{Evaluation, Verdict, Workings};
use crate::forecast::{Band, Side};

/// Far enough from the end of `f64` for sums and differences.
const LIMIT: f64 = 1e300;

/// So many buckets of no data are drawn at most.
const MOST_MISSING: i64 = 200_000;

/// What is drawn of a point as a line.
pub type Number = fn(&Point) -> Option<f64>;

/// One bucket of the time axis.
#[derive(Clone, Copy, Debug)]
pub struct Point {
    pub time: DateTime<Tz>,
    /// As it was measured; `None` is a gap, and drawn as one.
    pub value: Option<f64>,
    pub band: Option<Band>,
    pub breach: Option<Side>,
}

impl Point {
    pub fn new(time: DateTime<Tz>, value: Option<f64>) -> Self {
        Self {
            time,
            value,
            band: None,
            breach: None,
        }
    }

    /// The same without the numbers that cannot be drawn.
    pub fn finite(&self) -> Self {
        let finite = |number: f64| number.is_finite().then(|| number.clamp(-LIMIT, LIMIT));
        let band = self.band.and_then(|band| {
            let (lower, upper) = (finite(band.lower)?, finite(band.upper)?);
            Some(Band {
                expected: finite(band.expected)?,
                lower: lower.min(upper),
                upper: upper.max(lower),
            })
        });
        Self {
            value: self.value.and_then(finite),
            band,
            ..*self
        }
    }
}

/// Every bucket up to the evaluated one, with those before it that lie outside their band; where there is no
/// data, up to the present.
pub fn evaluated_points(evaluation: &Evaluation, workings: &Workings) -> Vec<Point> {
    let window = &workings.window;
    let series = &window.series;
    let latest = evaluation.latest(window.zone());
    let count = latest.map_or(series.len(), |latest| {
        series.index(series.grid().slot(latest.time)) + 1
    });
    let point = |index: usize| Point::new(series.time(index), series.values()[index]);
    let mut points: Vec<Point> = (0..count).map(point).collect();
    if let (Some(cleaned), Some(forecast)) = (&workings.cleaned, &workings.forecast) {
        let offset = series.index(cleaned.history.slot(0));
        let bands = forecast.past.iter().copied().chain([Some(forecast.band)]);
        for (point, band) in points[offset..].iter_mut().zip(bands) {
            point.band = band;
        }
        let past = points.len().saturating_sub(1);
        for point in &mut points[..past] {
            point.breach = point.value.zip(point.band).and_then(side_outside);
        }
    }
    if let Verdict::NoData { .. } = evaluation.verdict {
        let grid = series.grid();
        let next = series.slot(points.len());
        let now = grid.slot(window.as_of);
        let missing = next.max(now - MOST_MISSING)..now;
        points.extend(missing.map(|slot| Point::new(grid.instant(slot), None)));
    }
    points
}

fn side_outside((value, band): (f64, Band)) -> Option<Side> {
    if value > band.upper {
        Some(Side::High)
    } else {
        (value < band.lower).then_some(Side::Low)
    }
}

/// The time a column of pixels stands for.
pub fn column_length(points: &[Point]) -> TimeDelta {
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        return TimeDelta::zero();
    };
    (last.time - first.time) / i32::try_from(WIDTH).unwrap_or(i32::MAX)
}

/// Of each column the points that show.
pub fn thinned(points: &[Point], column: TimeDelta) -> Vec<Point> {
    let (Some(first), true) = (points.first(), column > TimeDelta::zero()) else {
        return points.to_vec();
    };
    let column = column.num_milliseconds().max(1);
    let number = |point: &Point| (point.time - first.time).num_milliseconds() / column;
    let columns = points.chunk_by(|one, other| number(one) == number(other));
    columns.flat_map(shown).collect()
}

/// The points of one column without which it would look different, in their order.
fn shown(points: &[Point]) -> Vec<Point> {
    let highest = |number: &dyn Fn(&Point) -> Option<f64>| {
        let numbers = points.iter().enumerate();
        let numbers = numbers.filter_map(|(index, point)| Some((index, number(point)?)));
        let highest = numbers.max_by(|one, other| one.1.total_cmp(&other.1));
        Some(highest?.0)
    };
    let breach = |point: &Point, side| point.value.filter(|_| point.breach == Some(side));
    let kept = [
        Some(0),
        points.len().checked_sub(1),
        highest(&|point| point.value),
        highest(&|point| Some(-point.value?)),
        highest(&|point| Some(point.band?.upper)),
        highest(&|point| Some(-point.band?.lower)),
        highest(&|point| breach(point, Side::High)),
        highest(&|point| Some(-breach(point, Side::Low)?)),
    ];
    let mut kept: Vec<usize> = kept.into_iter().flatten().collect();
    kept.sort_unstable();
    kept.dedup();
    kept.into_iter().map(|index| points[index]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::draw_period;
    use crate::chart::tests::{STEP, calm};
    use crate::config::Metric;
    use crate::forecast::Level;

    fn picture(points: &[Point]) -> Vec<u8> {
        let metric = Metric::of_file("sales");
        draw_period(&metric, points, Level::default(), STEP).expect("a picture")
    }

    #[test]
    fn no_breach_and_no_extreme_disappears_from_a_year() {
        let mut year = calm(365 * 288);
        let remarkable = [
            (50_000, 1300.0, Some(Side::High)),
            (50_001, 700.0, Some(Side::Low)),
            (50_002, 9900.0, None),
        ];
        for (index, value, breach) in remarkable {
            year[index].value = Some(value);
            year[index].breach = breach;
        }
        let kept = thinned(&year, column_length(&year));
        assert!(kept.len() < 10_000, "{}", kept.len());
        assert!(kept.is_sorted_by_key(|point| point.time));
        for (_, value, breach) in remarkable {
            let found = |point: &&Point| point.value == Some(value) && point.breach == breach;
            assert_eq!(kept.iter().filter(found).count(), 1, "{value}");
        }
    }

    #[test]
    fn where_there_is_room_every_point_is_drawn() {
        let day = calm(288);
        assert_eq!(thinned(&day, column_length(&day)).len(), day.len());
    }

    #[test]
    fn a_breach_changes_the_picture_of_any_length() {
        for days in [1, 30, 365] {
            let mut points = calm(days * 288);
            let calm = picture(&points);
            let middle = points.len() / 2;
            points[middle].breach = Some(Side::Low);
            assert_ne!(picture(&points), calm, "{days} days");
        }
    }

    #[test]
    fn nothing_and_a_single_point_draw() {
        for points in [&[][..], &calm(1)[..]] {
            assert!(picture(points).starts_with(b"\x89PNG"));
        }
    }
}
