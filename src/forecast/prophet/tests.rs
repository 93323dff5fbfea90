//! Against Python's Prophet 1.5.0: the figures are those that tests/data/python_prophet.py prints.

use chrono::{DateTime, TimeDelta};
use chrono_tz::Tz;

use crate::forecast::clean::{FenceFactor, Outliers};
use crate::forecast::{Method, ModelChoice, predict};
use crate::series::sample::{grid, time_in};
use crate::series::{Buckets, Missing, TimeSeries};

/// What Python's Prophet says of the next value: its expectation, and its limits.
struct Python {
    expected: f64,
    lower: f64,
    upper: f64,
}

fn series(step: &str, values: impl IntoIterator<Item = (DateTime<Tz>, f64)>) -> TimeSeries {
    let values: Vec<(DateTime<Tz>, f64)> = values.into_iter().collect();
    let ((first, _), (last, _)) = (values[0], values[values.len() - 1]);
    let mut buckets = Buckets::new(grid(step, first), None);
    for (time, value) in values {
        buckets.add(time, Some(value));
    }
    let [first, last] = [first, last].map(|time| buckets.grid().slot(time));
    buckets.series(first, last, Missing::Gap)
}

/// No limit is farther from Python's than 1 % of the width of the band, half of which is chance there.
#[track_caller]
fn assert_as_python(history: &TimeSeries, python: &Python) {
    let method = Method {
        model: ModelChoice::Prophet,
        // Nothing is that far out.
        outliers: Outliers {
            factor: FenceFactor::try_from(1000.0).expect("a factor"),
            ..Outliers::default()
        },
        ..Method::default()
    };
    let forecast = predict(history, &[], &method)
        .expect("a model")
        .expect("a forecast");
    let band = forecast.band;
    let room = 0.01 * (python.upper - python.lower);
    for (ours, theirs) in [
        (band.expected, python.expected),
        (band.lower, python.lower),
        (band.upper, python.upper),
    ] {
        assert!(
            (ours - theirs).abs() < room,
            "{ours} and {theirs}: {band:?}"
        );
    }
    let sum: f64 = forecast.contributions.iter().map(|part| part.value).sum();
    assert!((sum - band.expected).abs() < 1e-6 * band.expected, "{sum}");
}

fn noise(number: u32) -> f64 {
    f64::from(number * 7919 % 101) / 101.0 - 0.5
}

#[test]
fn the_forecast_of_the_sample_is_that_of_python() {
    let rows = include_str!("../../../tests/data/sales.csv")
        .lines()
        .skip(1);
    let rows: Vec<_> = rows
        .filter_map(|row| {
            let (time, value) = row.split_once(',')?;
            Some((time_in(&time[..16], Tz::UTC), value.parse().ok()?))
        })
        .collect();
    let rows = rows[rows.len() - 14 * 288..].iter().copied();
    let python = Python {
        expected: 801.4544,
        lower: 669.7026,
        upper: 933.7550,
    };
    assert_as_python(&series("5m", rows), &python);
}

#[test]
fn the_forecast_of_hours_is_that_of_python() {
    let turn = |at: u32, length: f64| (std::f64::consts::TAU * f64::from(at) / length).sin();
    let values = (0..8 * 168).map(|at| {
        500.0
            + 90.0 * turn(at, 24.0)
            + 40.0 * turn(at, 168.0)
            + 0.05 * f64::from(at)
            + 60.0 * noise(at)
    });
    let python = Python {
        expected: 566.5628,
        lower: 532.4783,
        upper: 600.7892,
    };
    let hours = (0..).map(|at| time_in("2026-03-02 00:00", Tz::UTC) + TimeDelta::hours(at));
    assert_as_python(&series("1h", hours.zip(values)), &python);
}

#[test]
fn the_forecast_of_days_is_that_of_python() {
    let weekend = |at: u32| if at % 7 >= 5 { 8.0 } else { 0.0 };
    let values = (0..200).map(|at| 20.0 + 0.1 * f64::from(at) + weekend(at) + 5.0 * noise(at));
    let python = Python {
        expected: 40.2116,
        lower: 37.4074,
        upper: 43.0275,
    };
    let days = (0..).map(|at| time_in("2026-01-05 00:00", Tz::UTC) + TimeDelta::days(at));
    assert_as_python(&series("1d", days.zip(values)), &python);
}
