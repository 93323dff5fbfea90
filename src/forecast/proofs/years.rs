//! Weeks and months, which have a year as their season: what two years of them are good for, and five.

use super::*;

/// Of the mean, from January to December.
const MONTHS: [f64; 12] = [
    0.9, 0.88, 1.0, 1.02, 1.05, 1.0, 0.85, 0.8, 1.0, 1.05, 1.18, 1.35,
];

/// Values that grow by 6 % a year, swing with the months, and have 4 % of noise.
fn sales(step: &'static str, window: usize, judged: usize) -> Simulated {
    let mut made = Simulated {
        start: start("2003-01-06", chrono_tz::Europe::Paris),
        step,
        values: Vec::new(),
        window,
    };
    let mut random = Random::new(11);
    let values = (0..window + judged).map(|index| {
        let time = made.time(index);
        let days = f64::from(time.ordinal0()) + f64::from(time.year() - 2003) * 365.25;
        let place = (f64::from(time.ordinal0()) / 365.25 * 12.0 + 11.5) % 12.0;
        let (month, share) = (f64::floor(place), place.fract());
        let of = |month: f64| {
            let index = (0..12_u8).find(|number| f64::from(*number) >= month % 12.0 - 0.5);
            MONTHS[usize::from(index.unwrap_or(0))]
        };
        let season = of(month) * (1.0 - share) + of(month + 1.0) * share;
        let level = 1e5 * (0.06 * days / 365.25).exp();
        Some(level * season * (0.04 * random.normal()).exp())
    });
    made.values = values.collect();
    made
}

fn judged(step: &'static str, window: usize) -> Vec<(usize, f64, Forecast)> {
    let made = sales(step, window, 240);
    made.judge(window..window + 240, &method(0.95))
}

#[test]
fn a_year_of_weeks_and_months_is_covered() {
    for (step, window) in [("1w", 260), ("1w", 104), ("1mo", 60), ("1mo", 36)] {
        let covered = coverage(&judged(step, window));
        assert!(
            (0.92..=0.99).contains(&covered),
            "{window} of {step}: {covered}"
        );
    }
}

#[test]
fn two_years_of_months_are_just_enough_for_a_forecast_of_the_year() {
    let judged = judged("1mo", 24);
    let covered = coverage(&judged);
    assert!((0.88..=0.99).contains(&covered), "{covered}");
    let is_seasonal = |forecast: &Forecast| forecast.seasons[0].length.to_string() == "12 months";
    assert!(judged.iter().all(|(_, _, forecast)| is_seasonal(forecast)));
}

#[test]
fn half_of_a_month_or_a_week_is_outside() {
    for (step, window) in [("1w", 260), ("1mo", 60), ("1mo", 36)] {
        let judged = judged(step, window);
        let halves = judged.iter().map(|(index, value, forecast)| {
            let half = value / 2.0;
            (*index, half, forecast.clone())
        });
        let covered = coverage(&halves.collect::<Vec<_>>());
        assert!(covered < 0.02, "{window} of {step}: {covered}");
    }
}
