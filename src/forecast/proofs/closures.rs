//! Hours that are always closed are no gaps: the first bucket after them follows the last one before,
//! whatever the clocks do in between.

use chrono::Weekday;
use chrono_tz::Europe::Paris;

use super::calendars::{CHANGES, wall_clock};
use super::coverage::{HISTORY, JUDGED, hourly, poisson};
use super::*;

/// The same without the rows of closed hours.
fn open_when(made: &Simulated, is_open: impl Fn(DateTime<Tz>) -> bool) -> Simulated {
    let values = made.values.iter().enumerate();
    let values = values.map(|(index, value)| value.filter(|_| is_open(made.time(index))));
    Simulated {
        values: values.collect(),
        ..*made
    }
}

/// From 8 to 18, except on Sundays.
fn is_open_by_day(time: DateTime<Tz>) -> bool {
    (8..18).contains(&time.hour()) && time.weekday() != Weekday::Sun
}

#[test]
fn a_shop_keeps_its_hours_in_the_week_after_each_change_of_the_clocks() {
    for (first_day, zone) in CHANGES {
        for (step, every) in [("1h", 1), ("5m", 12)] {
            let made = open_when(&wall_clock(first_day, zone, step, 8), is_open_by_day);
            let judged = made.judge(
                (made.window..made.values.len()).step_by(every),
                &method(0.999),
            );
            let covered = coverage(&judged);
            assert!(covered >= 0.98, "{first_day} {zone} {step}: {covered}");
            let mornings = judged.iter().filter(|(index, ..)| {
                let time = made.time(*index);
                (time.hour(), time.minute()) == (8, 0)
            });
            for (index, value, forecast) in mornings {
                let (time, band) = (made.time(*index), forecast.band);
                assert!(is_within(*value, &band), "{time}: {value} in {band:?}");
                assert!(band.half_width() < 0.75 * value, "{time}: {band:?}");
                // The width at 99.9 % is the tail model's; that at 95 % shows how sharp the forecast is.
                let usual = forecast.distribution.band_at(Level::default());
                let usual = usual.expect("a band").half_width();
                assert!(usual < 0.4 * value, "{time}: {usual} around {value}");
            }
        }
    }
}

#[test]
fn a_shop_that_counts_zeros_while_it_is_closed_opens_as_one_without_rows() {
    let (first_day, zone) = CHANGES[0];
    for (step, per_hour) in [("1h", 1), ("5m", 12)] {
        let rowless = open_when(&wall_clock(first_day, zone, step, 8), is_open_by_day);
        let zeros = rowless.values.iter().map(|value| value.or(Some(0.0)));
        let zeros = Simulated {
            values: zeros.collect(),
            ..rowless
        };
        let openings = (zeros.window..zeros.values.len()).filter(|index| {
            let time = zeros.time(*index);
            (time.hour(), time.minute()) == (8, 0) && is_open_by_day(time)
        });
        let judged = zeros.judge(openings, &method(0.95));
        assert!(judged.len() >= 6, "{}", judged.len());
        for (index, value, forecast) in judged {
            let (time, band) = (zeros.time(index), forecast.band);
            let off = (band.expected - value).abs();
            assert!(off < 0.3 * value, "{step} {time}: {value} in {band:?}");
            assert!(band.half_width() < 0.4 * value, "{step} {time}: {band:?}");
            let night = forecast.past[forecast.past.len() - per_hour];
            let is_zero = night.is_some_and(|band| band.lower <= 0.0 && band.upper < 0.01 * value);
            assert!(is_zero, "{step} {time}: {night:?}");
        }
    }
}

#[test]
fn a_job_that_runs_once_a_week_is_judged_at_its_hour() {
    let made = hourly(5, |_, time, random| {
        let is_due = (time.weekday(), time.hour()) == (Weekday::Mon, 3);
        Some(if is_due {
            1000.0 + 20.0 * random.normal()
        } else {
            0.0
        })
    });
    let due = (HISTORY..HISTORY + JUDGED).filter(|index| made.values[*index] != Some(0.0));
    let judged = made.judge(due, &method(0.95));
    assert!(judged.len() >= 2, "{}", judged.len());
}

#[test]
fn a_bar_is_open_past_midnight_on_the_nights_the_clocks_change_too() {
    for (first_day, zone) in CHANGES {
        let made = wall_clock(first_day, zone, "30m", 8);
        let values = made.values.iter().enumerate().map(|(index, value)| {
            // What was busiest at noon is busiest at 22:00.
            let earlier = made.time(index) - TimeDelta::hours(10);
            value.map(|value| value * (0.3 + by_day(earlier)) / (0.3 + by_day(made.time(index))))
        });
        let values = values.collect();
        let made = open_when(&Simulated { values, ..made }, |time| {
            !(4..18).contains(&time.hour())
        });
        let judged = made.judge(made.window..made.values.len(), &method(0.999));
        let covered = coverage(&judged);
        assert!(covered >= 0.98, "{first_day} {zone}: {covered}");
    }
}

/// Counts of calls, on weekdays from 9 to 17: Monday morning follows Friday evening.
#[test]
fn a_bank_that_is_called_on_weekdays_alone_is_covered() {
    let made = hourly(21, |_, time, random| {
        let is_weekend = matches!(time.weekday(), Weekday::Sat | Weekday::Sun);
        let is_open = (9..17).contains(&time.hour()) && !is_weekend;
        let calls = poisson(40.0 * (0.2 + by_day(time)), random);
        is_open.then_some(calls)
    });
    let judged = made.judge(HISTORY..HISTORY + JUDGED, &method(0.95));
    let covered = coverage(&judged);
    // A hundred points or so: three standard deviations are 6 %.
    assert!((0.88..=1.0).contains(&covered), "{covered}");
    let mondays = judged.iter().filter(|(index, ..)| {
        let time = made.time(*index);
        (time.weekday(), time.hour()) == (Weekday::Mon, 9)
    });
    let mut seen = 0;
    for (_, value, forecast) in mondays {
        let band = forecast.band;
        assert!(band.upper - band.lower < 40.0, "{value} in {band:?}");
        seen += 1;
    }
    assert!(seen >= 2, "{seen} Mondays");
}

/// What happens while nobody expects anything is judged, not an error.
#[test]
fn a_value_in_a_closed_hour_is_judged() {
    let made = open_when(
        &wall_clock("2026-06-29 00:00", Paris, "1h", 2),
        is_open_by_day,
    );
    let at_night = made.window + 3;
    assert_eq!(made.values[at_night], None);
    let forecast = made.predict(at_night, &method(0.95)).expect("a forecast");
    assert!(forecast.band.lower.is_finite() && forecast.band.upper.is_finite());
}
