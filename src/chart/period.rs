//! Draws a long stretch, each point judged. Where there are more points than columns of pixels, each
//! column keeps its first and last point, its extremes, and one breach of either side: the line
//! through those covers the same pixels as the line through all (U. Jugel et al., *M4: A
//! Visualization-Oriented Time Series Data Aggregation*, 2014), and no breach disappears.

use anyhow::Result;
use chrono::TimeDelta;
use plotters::style::RGBColor;

use super::canvas::{self, Canvas, Pen, WIDTH};
use super::frame::{self, Frame};
use super::legend::{self, Sample};
use super::style::{
    BREACH_RADIUS, BREACH_RIM, HIGH, LOW, MANY_BREACHES, SMALL_BREACH_RADIUS, WHITE,
};
use super::{Chart, Figure, Mark, Point, axis, series};
use crate::output::separate_thousands;

/// A point, and its mark if it is to have one.
#[derive(Clone, Copy, Debug)]
pub struct Marked {
    pub point: Point,
    pub mark: Option<Mark>,
}

/// A stretch of any length, oldest first; where nothing was judged there is no point.
#[derive(Clone, Copy, Debug)]
pub struct Period<'a> {
    pub title: &'a str,
    pub points: &'a [Marked],
    pub band_label: &'a str,
    /// The time between neighbours; a longer one is a gap.
    pub step: TimeDelta,
}

/// The period as PNG bytes.
///
/// # Errors
///
/// Where the picture cannot be drawn or encoded, which no input is known to cause.
pub fn draw_period(period: &Period) -> Result<Vec<u8>> {
    let column = column_length(period.points);
    let marked = thinned(period.points, column);
    let points: Vec<Point> = marked.iter().map(|marked| marked.point).collect();
    let figure = Figure {
        title: period.title,
        unit: None,
        points: &points,
        mark: Mark::Normal,
        label: "",
        band_label: period.band_label,
        // A gap narrower than a column cannot be seen, and points kept of neighbouring columns touch.
        step: period.step.max(column),
    };
    let slots = frame::slots(&points);
    let chart = Frame::new(&slots, figure.step).map(|frame| Chart {
        figure: &figure,
        slots: &slots,
        frame,
    });
    canvas::picture(|canvas| {
        axis::draw_title(canvas, figure.title)?;
        match &chart {
            Some(chart) => draw(chart, &marked, period, canvas),
            None => axis::draw_no_values(canvas),
        }
    })
}

fn draw(chart: &Chart, marked: &[Marked], period: &Period, canvas: &Canvas) -> Result<()> {
    axis::draw(chart, canvas)?;
    series::draw_band(chart, canvas)?;
    series::draw_lines(chart, canvas)?;
    let drawn = marked.iter().filter(|marked| marked.mark.is_some());
    let radius = if drawn.clone().count() > MANY_BREACHES {
        SMALL_BREACH_RADIUS
    } else {
        BREACH_RADIUS
    };
    for breach in drawn {
        draw_breach(chart, breach, radius, canvas)?;
    }
    let entry = |mark: Mark, side: &str| {
        let marks = period.points.iter().map(|marked| marked.mark);
        let count = marks.filter(|found| *found == Some(mark)).count();
        let name = format!("{} {side}", separate_thousands(&count.to_string()));
        (count > 0).then_some((Sample::Breach(color(mark)), name))
    };
    let entries = [entry(Mark::High, "above"), entry(Mark::Low, "below")];
    let entries: Vec<_> = entries.into_iter().flatten().collect();
    legend::draw(chart, canvas, &entries)
}

fn draw_breach(chart: &Chart, breach: &Marked, radius: f64, canvas: &Canvas) -> Result<()> {
    let Some(mark) = breach.mark else {
        return Ok(());
    };
    let slots = frame::slots(&[breach.point]);
    let spot = slots
        .first()
        .and_then(|slot| series::value_spot(chart, slot));
    let rim = Pen {
        color: WHITE,
        width: BREACH_RIM,
    };
    match spot {
        Some(spot) => canvas.ring(spot, radius, rim, color(mark)),
        None => Ok(()),
    }
}

fn color(mark: Mark) -> RGBColor {
    if mark == Mark::Low { LOW } else { HIGH }
}

/// The time a column of pixels stands for.
pub fn column_length(points: &[Marked]) -> TimeDelta {
    match (points.first(), points.last()) {
        (Some(first), Some(last)) => {
            (last.point.time - first.point.time) / i32::try_from(WIDTH).unwrap_or(i32::MAX)
        }
        _ => TimeDelta::zero(),
    }
}

/// Of each column the points that show.
pub fn thinned(points: &[Marked], column: TimeDelta) -> Vec<Marked> {
    let (Some(first), true) = (points.first(), column > TimeDelta::zero()) else {
        return points.to_vec();
    };
    let begin = first.point.time;
    let number = |marked: &Marked| column_number(marked.point.time - begin, column);
    points
        .chunk_by(|one, other| number(one) == number(other))
        .flat_map(showing)
        .collect()
}

fn column_number(since: TimeDelta, column: TimeDelta) -> i64 {
    since.num_milliseconds() / column.num_milliseconds().max(1)
}

/// The points of one column without which it would look different, in their order.
fn showing(points: &[Marked]) -> Vec<Marked> {
    type Number = fn(&Marked) -> Option<f64>;
    let value: Number = |marked| marked.point.value;
    let lower: Number = |marked| Some(marked.point.band?.lower);
    let upper: Number = |marked| Some(marked.point.band?.upper);
    let extreme = |number: Number, sign: f64| {
        let numbers = points.iter().enumerate();
        let numbers = numbers.filter_map(|(index, marked)| Some((index, sign * number(marked)?)));
        numbers
            .max_by(|one, other| one.1.total_cmp(&other.1))
            .map(|(index, _)| index)
    };
    let breach = |mark: Mark, sign: f64| {
        let value = |marked: &Marked| marked.point.value.unwrap_or_default() * sign;
        let breaches = points.iter().enumerate();
        let breaches = breaches.filter(|(_, marked)| marked.mark == Some(mark));
        breaches
            .max_by(|one, other| value(one.1).total_cmp(&value(other.1)))
            .map(|(index, _)| index)
    };
    let kept = [
        Some(0),
        points.len().checked_sub(1),
        extreme(value, 1.0),
        extreme(value, -1.0),
        extreme(upper, 1.0),
        extreme(lower, -1.0),
        breach(Mark::High, 1.0),
        breach(Mark::Low, -1.0),
    ];
    let mut kept: Vec<usize> = kept.into_iter().flatten().collect();
    kept.sort_unstable();
    kept.dedup();
    kept.into_iter().map(|index| points[index]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forecast::Band;
    use crate::series::parse_time;

    /// Five-minute values of so many days around 100, with a band of 20 to either side.
    fn calm(days: i32) -> Vec<Marked> {
        let begin = parse_time("2026-01-01 00:00", chrono_tz::Europe::Paris).expect("a time");
        (0..days * 288)
            .map(|index| Marked {
                point: Point {
                    time: begin + TimeDelta::minutes(5) * index,
                    value: Some(100.0 + 10.0 * (f64::from(index) / 46.0).sin()),
                    clipped: false,
                    band: Band::new(80.0, 100.0, 120.0),
                },
                mark: None,
            })
            .collect()
    }

    fn picture(points: &[Marked]) -> Vec<u8> {
        draw_period(&Period {
            title: "Sales: backtest",
            points,
            band_label: "95 % band",
            step: TimeDelta::minutes(5),
        })
        .expect("a picture")
    }

    #[test]
    fn no_breach_and_no_extreme_disappears_from_a_year() {
        let mut year = calm(365);
        for (index, value, mark) in [
            (50_000, 130.0, Some(Mark::High)),
            (50_001, 70.0, Some(Mark::Low)),
            (50_002, 990.0, None),
        ] {
            year[index].point.value = Some(value);
            year[index].mark = mark;
        }
        let kept = thinned(&year, column_length(&year));
        assert!(kept.len() < 10_000, "{}", kept.len());
        assert!(kept.is_sorted_by_key(|marked| marked.point.time));
        for (value, mark) in [
            (130.0, Some(Mark::High)),
            (70.0, Some(Mark::Low)),
            (990.0, None),
        ] {
            let found = |marked: &&Marked| marked.point.value == Some(value) && marked.mark == mark;
            assert_eq!(kept.iter().filter(found).count(), 1, "{value}");
        }
    }

    #[test]
    fn where_there_is_room_every_point_is_drawn() {
        let day = calm(1);
        assert_eq!(thinned(&day, column_length(&day)).len(), day.len());
    }

    #[test]
    fn a_breach_changes_the_picture_of_any_length() {
        for days in [1, 30, 365] {
            let mut points = calm(days);
            let calm = picture(&points);
            let middle = points.len() / 2;
            points[middle].mark = Some(Mark::Low);
            assert_ne!(picture(&points), calm, "{days} days");
        }
    }

    #[test]
    fn nothing_and_a_single_point_draw() {
        for points in [&[][..], &calm(1)[..1]] {
            assert!(picture(points).starts_with(b"\x89PNG"));
        }
    }
}
