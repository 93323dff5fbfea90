//! Draws whole charts and looks at their pixels.
#![allow(clippy::unwrap_used)]

use chrono::{DateTime, TimeDelta, TimeZone};
use chrono_tz::Tz;
use plotters::style::RGBColor;

use super::panel::Panel;
use super::pictures::{Figure, draw};
use super::scale::Scale;
use super::style::{
    BAND_FILL, HIGH, LOW, LOW_SHADE, MARGIN, NORMAL, PLOT_BOTTOM, PLOT_TOP, UNDECIDED, VALUE,
};
use super::*;
use crate::config::Metric;
use crate::detect::Verdict;
use crate::forecast::{Band, Level, Side};
use crate::incident::Condition;

pub const STEP: TimeDelta = TimeDelta::minutes(5);
const ABOVE: Verdict = Verdict::Breach(Side::High);
const BELOW: Verdict = Verdict::Breach(Side::Low);

pub struct Picture {
    width: u32,
    pub height: u32,
    pixels: Vec<[u8; 3]>,
}

impl Picture {
    fn count(&self, color: RGBColor) -> usize {
        self.places(color).count()
    }

    fn places(&self, color: RGBColor) -> impl Iterator<Item = (u32, u32)> {
        let color = [color.0, color.1, color.2];
        let places = (0..self.height).flat_map(|y| (0..self.width).map(move |x| (x, y)));
        places
            .zip(&self.pixels)
            .filter(move |(_, pixel)| **pixel == color)
            .map(|(place, _)| place)
    }

    /// The columns inside the plot that hold the colour.
    fn columns(&self, color: RGBColor) -> Vec<u32> {
        let inside = |(_, y): &(u32, u32)| (PLOT_TOP..PLOT_BOTTOM).contains(&f64::from(*y));
        let mut columns: Vec<u32> = self.places(color).filter(inside).map(|(x, _)| x).collect();
        columns.sort_unstable();
        columns.dedup();
        columns
    }
}

pub fn decoded(bytes: &[u8]) -> Picture {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(bytes));
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().unwrap();
    let mut buffer = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut buffer).unwrap();
    let pixels = buffer.as_chunks::<3>().0.to_vec();
    Picture {
        width: info.width,
        height: info.height,
        pixels,
    }
}

fn end() -> DateTime<Tz> {
    chrono_tz::Europe::Paris
        .with_ymd_and_hms(2026, 11, 22, 14, 5, 0)
        .unwrap()
}

/// So many calm points around 1000 with a band of 200 to either side.
pub fn calm(count: i32) -> Vec<Point> {
    let wave = |index: i32| 1000.0 + 150.0 * (f64::from(index) / 20.0).sin();
    (0..count)
        .map(|index| Point {
            band: Band::new(800.0, 1000.0, 1200.0),
            ..Point::new(end() - STEP * (count - 1 - index), Some(wave(index)))
        })
        .collect()
}

fn day() -> Vec<Point> {
    calm(289)
}

fn with_values(value: impl Fn(usize) -> Option<f64>) -> Vec<Point> {
    let points = day().into_iter().enumerate();
    points
        .map(|(index, point)| Point {
            value: value(index),
            band: None,
            ..point
        })
        .collect()
}

/// The pixels between two points of a whole day of them.
fn pixels_per_step(points: &[Point]) -> f64 {
    let panel = Panel::new(points, STEP, Scale::Whole).unwrap();
    panel.x(end()) - panel.x(end() - STEP)
}

fn figure<'a>(points: &'a [Point], verdict: &'a Verdict) -> Figure<'a> {
    Figure {
        title: "Sales",
        unit: Some("EUR"),
        points,
        verdict,
        label: "1,843.20 at 14:05 CET",
        level: Level::default(),
        step: STEP,
        alert: None,
    }
}

fn bytes(points: &[Point], verdict: &Verdict) -> Vec<u8> {
    draw(&figure(points, verdict)).unwrap()
}

fn drawn(points: &[Point], verdict: &Verdict) -> Picture {
    decoded(&bytes(points, verdict))
}

fn undecided() -> Verdict {
    Verdict::Undecided("too short".to_string())
}

#[test]
fn a_picture_is_at_least_1200_pixels_wide() {
    let picture = drawn(&day(), &Verdict::Normal);
    assert!(picture.width >= 1200);
    assert_eq!(
        picture.pixels.len(),
        (picture.width * picture.height) as usize
    );
}

#[test]
fn a_picture_is_small_enough_for_a_mail() {
    assert!(bytes(&day(), &ABOVE).len() < 120_000);
}

#[test]
fn the_same_figure_gives_the_same_bytes() {
    assert_eq!(bytes(&day(), &ABOVE), bytes(&day(), &ABOVE));
}

#[test]
fn the_evaluated_point_has_its_mark_at_its_place() {
    let colors = [HIGH, LOW, NORMAL, UNDECIDED];
    let verdicts = [ABOVE, BELOW, Verdict::Normal, undecided()];
    let points = day();
    let panel = Panel::new(&points, STEP, Scale::Whole).unwrap();
    let (x, y) = panel.spot(end(), points[288].value.unwrap());
    for (verdict, color) in verdicts.into_iter().zip(colors) {
        let picture = drawn(&points, &verdict);
        let near = |(a, b): (u32, u32)| (f64::from(a) - x).hypot(f64::from(b) - y) < 8.0;
        let count = picture.places(color).filter(|place| near(*place)).count();
        assert!(count > 150, "{verdict:?}: {count}");
        let others = colors.into_iter().filter(|other| *other != color);
        assert_eq!(
            others.map(|other| picture.count(other)).sum::<usize>(),
            0,
            "{verdict:?}"
        );
    }
}

#[test]
fn a_gap_breaks_the_line() {
    let whole = drawn(&with_values(|_| Some(5.0)), &ABOVE).columns(VALUE);
    let gap = |index| (!(100..150).contains(&index)).then_some(5.0);
    let broken = drawn(&with_values(gap), &ABOVE).columns(VALUE);
    let widest = |columns: &[u32]| {
        columns
            .windows(2)
            .map(|pair| pair[1] - pair[0])
            .max()
            .unwrap()
    };
    assert_eq!(widest(&whole), 1);
    let gap = f64::from(widest(&broken)) / pixels_per_step(&with_values(gap));
    assert!((49.0..53.0).contains(&gap), "{gap} steps");
}

#[test]
fn a_point_between_gaps_is_a_dot() {
    let lone = |index| (index == 100 || index == 288).then_some(5.0);
    let columns = drawn(&with_values(lone), &ABOVE).columns(VALUE);
    assert!((6..=12).contains(&columns.len()), "{columns:?}");
}

#[test]
fn the_band_is_missing_where_there_is_none() {
    let mut points = day();
    points[50..150]
        .iter_mut()
        .for_each(|point| point.band = None);
    let whole = drawn(&day(), &ABOVE).columns(BAND_FILL).len();
    let broken = drawn(&points, &ABOVE).columns(BAND_FILL).len();
    let missing = f64::from(u32::try_from(whole - broken).unwrap()) / pixels_per_step(&points);
    assert!((90.0..103.0).contains(&missing), "{missing} steps");
}

#[test]
fn what_lay_outside_the_band_is_marked_in_the_colour_of_the_alert() {
    let mut points = day();
    points[100].breach = Some(Side::High);
    let (plain, marked) = (drawn(&day(), &ABOVE), drawn(&points, &ABOVE));
    let panel = Panel::new(&points, STEP, Scale::Whole).unwrap();
    let spot = panel.value_spot(&points[100]).unwrap();
    let near = |picture: &Picture| {
        let places = picture.places(HIGH);
        let near =
            |(a, b): &(u32, u32)| (f64::from(*a) - spot.0).hypot(f64::from(*b) - spot.1) < 8.0;
        places.filter(near).count()
    };
    assert_eq!(near(&plain), 0);
    assert!(near(&marked) > 60, "{}", near(&marked));
}

#[test]
fn the_time_of_an_alert_is_shaded_up_to_its_end() {
    let points = day();
    let panel = Panel::new(&points, STEP, Scale::Whole).unwrap();
    let alert = |hours: i64, until: Option<i64>| AlertTime {
        condition: Condition::Breach(Side::Low),
        since: (end() - TimeDelta::hours(hours)).to_utc(),
        until: until.map(|hours| (end() - TimeDelta::hours(hours)).to_utc()),
    };
    let x = |hours| panel.x(end() - TimeDelta::hours(hours));
    for (alert, from, to) in [
        (alert(4, None), x(4), panel.area.right),
        (alert(4, Some(1)), x(4), x(1)),
        (alert(90, Some(20)), panel.area.left, x(20)),
    ] {
        let figure = Figure {
            alert: Some(alert),
            ..figure(&points, &Verdict::Normal)
        };
        let columns = decoded(&draw(&figure).unwrap()).columns(LOW_SHADE);
        let (first, last) = (columns[0], columns[columns.len() - 1]);
        assert!((f64::from(first) - from).abs() < 3.0, "{first} {from}");
        assert!((f64::from(last) - to).abs() < 3.0, "{last} {to}");
    }
    let long_ago = Figure {
        alert: Some(alert(90, Some(80))),
        ..figure(&points, &Verdict::Normal)
    };
    assert_eq!(decoded(&draw(&long_ago).unwrap()).count(LOW_SHADE), 0);
}

#[test]
fn a_title_in_letters_that_the_font_lacks_is_left_out() {
    for (title, told) in [
        ("Sales", "Sales: no data"),
        ("籠", "No data"),
        ("مبيعات", "No data"),
    ] {
        let mut metric = Metric::of_file("sales");
        metric.title = title.to_string();
        assert_eq!(super::pictures::titled(&metric, "no data"), told);
    }
}

#[test]
fn the_label_never_leaves_the_plot_nor_covers_the_point() {
    for index in [0, 288] {
        for height in [0.0, 0.3, 1.0] {
            let points = with_values(|at| {
                Some(if at == 288 {
                    height
                } else {
                    f64::from(at % 2 == 0)
                })
            });
            let picture = drawn(&points[index..], &ABOVE);
            let inside = |(x, y): (u32, u32)| {
                (MARGIN..f64::from(canvas::WIDTH) - MARGIN / 2.0).contains(&f64::from(x))
                    && (PLOT_TOP - 16.0..PLOT_BOTTOM + 16.0).contains(&f64::from(y))
            };
            assert!(picture.places(HIGH).all(inside), "{index} {height}");
            assert!(
                picture.count(HIGH) > 900,
                "{index} {height}: {}",
                picture.count(HIGH)
            );
        }
    }
}

#[test]
fn a_constant_series_draws() {
    for value in [0.0, 5.0, -5.0, 1e-9, 1e15] {
        let columns = drawn(&with_values(|_| Some(value)), &ABOVE).columns(VALUE);
        let panel = Panel::new(&day(), STEP, Scale::Whole).unwrap();
        let width = panel.area.right - panel.area.left;
        // A quarter may be taken by long labels of the value axis.
        let drawn = f64::from(u32::try_from(columns.len()).unwrap());
        assert!(drawn > width * 0.75, "{value}: {drawn} of {width}");
    }
}

/// How many pixels high the values are drawn.
fn height_of_values(points: &[Point]) -> u32 {
    let picture = drawn(points, &Verdict::Normal);
    let inside = |y: &u32| (PLOT_TOP..PLOT_BOTTOM).contains(&f64::from(*y));
    let rows: Vec<u32> = picture
        .places(VALUE)
        .map(|(_, y)| y)
        .filter(inside)
        .collect();
    rows.iter().max().unwrap() - rows.iter().min().unwrap()
}

#[test]
fn an_old_spike_of_a_hundred_times_the_rest_is_cut_off_and_has_its_figure() {
    let wave = |index: usize| 1000.0 + 100.0 * f64::from(u8::try_from(index % 50).unwrap());
    let spiked =
        |at: usize| with_values(move |index| Some(if index == at { 1e6 } else { wave(index) }));
    let panel = |points: &[Point]| {
        let since = points.last().unwrap().time;
        Panel::new(points, STEP, Scale::Body { since }).unwrap()
    };
    let cut = panel(&spiked(100));
    assert!(cut.high < 10_000.0, "{}", cut.high);
    assert_eq!(cut.cut_side(1e6), Some(Side::High));
    let figures = super::cut::figures(&cut);
    assert_eq!(figures.len(), 1);
    assert_eq!(figures[0].1, "1,000,000");
    // What is judged is never cut off.
    assert!(panel(&spiked(288)).high > 1e6);
    assert!(height_of_values(&spiked(100)) > 400);
}

#[test]
fn what_differs_little_is_not_cut_off() {
    for value in [
        |index: usize| f64::from(u8::from(index.is_multiple_of(40))),
        |index: usize| f64::from(u8::from(index == 100)),
        |index: usize| (f64::from(u16::try_from(index * 7919 % 1009).unwrap()) / 100.0).exp(),
    ] {
        let points = with_values(|index| Some(value(index)));
        let since = points.last().unwrap().time;
        let panel = Panel::new(&points, STEP, Scale::Body { since }).unwrap();
        let values = points.iter().filter_map(|point| point.value);
        let highest = values.fold(0.0, f64::max);
        if highest < 2.0 {
            assert!(panel.high >= highest, "{} {highest}", panel.high);
        } else {
            // At most one in twenty-five.
            let cut = points
                .iter()
                .filter(|point| panel.cut_side(point.value.unwrap()).is_some());
            assert!(cut.count() <= 11);
        }
    }
}

#[test]
fn a_single_point_draws() {
    assert!(drawn(&day()[288..], &BELOW).count(LOW) > 300);
}

#[test]
fn an_evaluated_point_without_value_still_has_its_label() {
    let picture = drawn(&with_values(|_| None), &undecided());
    assert!(picture.count(UNDECIDED) > 900);
    assert_eq!(picture.columns(VALUE), Vec::<u32>::new());
}

#[test]
fn no_point_at_all_draws_a_picture() {
    assert_eq!(drawn(&[], &Verdict::Normal).width, canvas::WIDTH);
}

#[test]
fn numbers_beyond_all_measure_draw() {
    let odd = [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::MAX,
        f64::MIN,
        5e-324,
        -0.0,
    ];
    for odd in odd {
        let mut points = with_values(|index| Some(if index % 7 == 0 { odd } else { 1.0 }));
        points[9].band = Some(Band {
            expected: odd,
            lower: -odd,
            upper: odd,
        });
        assert_eq!(drawn(&points, &ABOVE).width, canvas::WIDTH, "{odd}");
    }
}

#[test]
fn steps_of_any_length_draw() {
    let steps = [-5, 0, 1440, 5_000_000].map(TimeDelta::minutes);
    for step in steps.into_iter().chain([TimeDelta::MAX, TimeDelta::MIN]) {
        let points = day();
        let figure = Figure {
            step,
            ..figure(&points, &ABOVE)
        };
        assert_eq!(
            decoded(&draw(&figure).unwrap()).width,
            canvas::WIDTH,
            "{step}"
        );
    }
}

#[test]
fn texts_of_any_kind_draw() {
    for text in ["日本語 🙂\n\t\u{0}", "W".repeat(5000).as_str(), "", " "] {
        let points = day();
        let figure = Figure {
            title: text,
            unit: Some(text),
            label: text,
            ..figure(&points, &ABOVE)
        };
        let picture = decoded(&draw(&figure).unwrap());
        assert!(picture.count(HIGH) > 150, "{text:.9}");
    }
}
