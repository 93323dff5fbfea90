//! A history with holes and frozen stretches: whole days missing, outages of some hours, a sensor that
//! reports its last value on and on. What comes after is judged as if they had not been.

use std::cell::Cell;

use super::coverage::{HISTORY, JUDGED, assert_honest, covered, hourly};
use super::*;

/// A day's shape with a noise of 5.
fn healthy(seed: u64) -> Simulated {
    hourly(seed, |_, time, random| {
        Some(100.0 * (0.3 + by_day(time)) + 5.0 * random.normal())
    })
}

/// The hours from each of the starts on, so many.
fn hours_from(starts: &[usize], count: usize) -> impl Fn(usize) -> bool {
    move |hour| {
        starts
            .iter()
            .any(|start| (*start..start + count).contains(&hour))
    }
}

fn without(made: &Simulated, is_missing: impl Fn(usize) -> bool) -> Simulated {
    let values = made.values.iter().enumerate();
    let values = values.map(|(hour, value)| value.filter(|_| !is_missing(hour)));
    Simulated {
        values: values.collect(),
        ..*made
    }
}

/// Each frozen value is the last one that is not.
fn frozen(made: &Simulated, is_frozen: impl Fn(usize) -> bool) -> Simulated {
    let mut last = None;
    let values = made.values.iter().enumerate().map(|(hour, value)| {
        if !is_frozen(hour) {
            last = *value;
        }
        last
    });
    Simulated {
        values: values.collect(),
        ..*made
    }
}

/// The mean half-width of the bands at the hours.
fn width(made: &Simulated, hours: std::ops::Range<usize>) -> f64 {
    mean_width(&made.judge(hours, &method(0.95)))
}

fn mean_width(judged: &[(usize, f64, Forecast)]) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a few hundred points")]
    let count = judged.len() as f64;
    let widths = judged
        .iter()
        .map(|(.., forecast)| forecast.band.half_width());
    widths.sum::<f64>() / count
}

#[test]
fn whole_days_without_rows_are_covered() {
    let days = [3, 9, 10, 20, 27].map(|day| 24 * day);
    let made = without(&healthy(31), hours_from(&days, 24));
    assert_honest("five days missing", &made);
}

#[test]
fn the_first_bucket_after_an_outage_is_judged_by_its_time_of_day() {
    // Outages of seven hours, now and then: their ends fall on any hour.
    let starts: Vec<usize> = (HISTORY..HISTORY + JUDGED).step_by(31).collect();
    let made = without(&healthy(32), hours_from(&starts, 7));
    let ends: Vec<usize> = starts
        .iter()
        .map(|start| start + 7)
        .filter(|hour| *hour < HISTORY + JUDGED)
        .collect();
    let judged = made.judge(ends.clone(), &method(0.999));
    assert!(judged.len() >= 12);
    for (hour, value, forecast) in judged {
        let band = forecast.band;
        assert!(is_within(value, &band), "{hour}: {value} in {band:?}");
    }
    let after_outages = mean_width(&made.judge(ends, &method(0.95)));
    let usual = width(&healthy(32), HISTORY..HISTORY + JUDGED);
    assert!(after_outages < 2.0 * usual, "{after_outages}, {usual}");
}

#[test]
fn a_sensor_that_froze_for_hours_is_judged_as_before_once_it_moves_again() {
    let starts: Vec<usize> = (50..HISTORY).step_by(140).collect();
    let made = frozen(&healthy(33), hours_from(&starts, 9));
    assert_honest("frozen for nine hours, five times", &made);
    let hours = || HISTORY + 24..HISTORY + 72;
    let (frozen, healthy) = (width(&made, hours()), width(&healthy(33), hours()));
    assert!(
        (0.8..1.5).contains(&(frozen / healthy)),
        "{frozen}, {healthy}"
    );
}

#[test]
fn a_sensor_that_froze_for_two_days_is_judged_as_before_once_it_moves_again() {
    let made = frozen(&healthy(34), hours_from(&[HISTORY - 72], 48));
    let after = made.judge(HISTORY..HISTORY + JUDGED, &method(0.95));
    let covered = coverage(&after);
    assert!((0.90..=0.99).contains(&covered), "{covered}");
}

#[test]
fn a_series_that_was_switched_on_within_the_window_is_covered() {
    // Zero for 18 days, then a shop.
    let made = hourly(35, |hour, time, random| {
        let value = 100.0 * (0.3 + by_day(time)) + 5.0 * random.normal();
        Some(if hour < 18 * 24 { 0.0 } else { value })
    });
    let covered = covered(&made);
    assert!((0.88..=0.99).contains(&covered), "{covered}");
}

/// A price that stays for a day or two and then is another: the band holds at least the hours in which
/// nothing changes.
#[test]
fn steps_between_constant_stretches_are_covered() {
    let level = Cell::new(100.0);
    let made = hourly(36, |_, _, random| {
        if random.uniform() < 0.025 {
            level.set(100.0 + 10.0 * random.normal());
        }
        Some(level.get())
    });
    let covered = covered(&made);
    assert!((0.92..=1.0).contains(&covered), "{covered}");
}

#[test]
fn a_series_that_is_frozen_now_still_has_a_band_around_it() {
    let made = frozen(&healthy(37), |hour| hour >= HISTORY - 12);
    for hour in HISTORY..HISTORY + 12 {
        let forecast = made.predict(hour, &method(0.95)).expect("a forecast");
        assert!(forecast.band.half_width() > 2.0, "{:?}", forecast.band);
    }
}
