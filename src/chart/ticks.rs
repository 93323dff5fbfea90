//! The ticks of both axes: a span of time or of values in, places with their labels out.
//! Time ticks are found by local clock and placed by instant, so that a day of 23 or 25 hours is
//! drawn at its true length and still labelled with the hours that the reader's clock showed.

use std::ops::RangeInclusive;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone};
use chrono_tz::Tz;

use crate::output::{Prefix, magnitude, separate_thousands, with_minus};

const HOUR_STEPS: [i64; 10] = [1, 2, 5, 10, 15, 30, 60, 120, 360, 720];
const MAX_HOUR_TICKS: i64 = 8;
/// In minutes: ticks at midnight only.
const DAILY: i64 = 24 * 60;
const DAY_STEPS: [i32; 4] = [1, 2, 7, 14];
const MAX_DAY_TICKS: i64 = 8;
/// For longer spans; beyond the last, as many times that as it takes.
const MONTH_STEPS: [i64; 9] = [1, 2, 3, 6, 12, 24, 60, 120, 1200];
/// Of the longest months.
const DAYS_OF_MONTH: i64 = 31;
/// From here on a day is not clear without its year.
const SPAN_WITH_YEAR: TimeDelta = TimeDelta::days(300);
/// A clock change may skip local midnight; by no more than this many quarters of an hour.
const MAX_SKIPPED_QUARTERS: i32 = 96;

const VALUE_TICKS: f64 = 6.0;
const MAX_VALUE_TICKS: u32 = 40;
/// Of a step: what a multiple of it may be off by arithmetic.
const ROUNDING: f64 = 1e-6;
/// So large a number is written out, a larger one in billions and trillions, and then in powers of ten.
const LARGEST_PLAIN: f64 = 1e9;
const LARGEST_PREFIXED: f64 = 1e15;
const SMALLEST_PLAIN: f64 = 1e-4;
const MOST_DIGITS: usize = 15;
const HOUR: &str = "%H:%M";
const DAY: &str = "%a %-d %b";
const MONTH: &str = "%b %Y";

/// A time or a value that gets a label.
pub struct Tick<At> {
    pub at: At,
    pub label: String,
}

pub type TimeTick = Tick<DateTime<Tz>>;

/// Ticks to be labelled, and the days below them where the ticks are hours.
#[derive(Default)]
pub struct TimeTicks {
    pub ticks: Vec<TimeTick>,
    /// Each local midnight in view.
    pub midnights: Vec<TimeTick>,
    /// The day in view at the left edge, where the ticks are hours.
    pub first_day: Option<String>,
}

pub fn time_ticks(first: DateTime<Tz>, last: DateTime<Tz>, step: TimeDelta) -> TimeTicks {
    let view = first..=last;
    let span = last - first;
    let dates = || first.date_naive().iter_days();
    let fits = |minutes: &&i64| span <= TimeDelta::minutes(**minutes * MAX_HOUR_TICKS);
    if step < TimeDelta::days(1)
        && let Some(minutes) = HOUR_STEPS.iter().find(fits)
    {
        return TimeTicks {
            ticks: clock_ticks(&view, dates(), *minutes, HOUR),
            midnights: clock_ticks(&view, dates(), DAILY, DAY),
            first_day: Some(first.format(DAY).to_string()),
        };
    }
    let fits = |days: &&i32| span.num_days() <= i64::from(**days) * MAX_DAY_TICKS;
    let ticks = if let Some(days) = DAY_STEPS.iter().find(fits) {
        // Day 1 of the common era was a Monday: steps of weeks start on Mondays.
        let is_due = |date: &NaiveDate| (date.num_days_from_ce() - 1).rem_euclid(*days) == 0;
        clock_ticks(&view, dates().filter(is_due), DAILY, DAY)
    } else {
        month_ticks(&view)
    };
    TimeTicks {
        ticks,
        ..TimeTicks::default()
    }
}

/// The period as one line, with the zone's short name.
pub fn period(first: DateTime<Tz>, last: DateTime<Tz>, step: TimeDelta) -> String {
    let is_long = last - first >= SPAN_WITH_YEAR;
    let year = if is_long { " %Y" } else { "" };
    let begin_months = first.day() == 1 && last.day() == 1;
    let (day, zone) = if step < TimeDelta::days(1) {
        (format!("{DAY}{year} {HOUR}"), " %Z")
    } else if step >= TimeDelta::days(28) && begin_months {
        (MONTH.to_string(), "")
    } else {
        (format!("{DAY}{year}"), "")
    };
    let [start, end] = [first, last].map(|time| time.format(&day).to_string());
    let [old_zone, zone] = [first, last].map(|time| time.format(zone).to_string());
    match (start == end, old_zone == zone) {
        (true, true) => format!("{end}{zone}"),
        (false, true) => format!("{start} – {end}{zone}"),
        (_, false) => format!("{start}{old_zone} – {end}{zone}"),
    }
}

/// Ticks at 1, 2 or 5 times a power of ten inside the range.
pub fn value_ticks(low: f64, high: f64) -> Vec<Tick<f64>> {
    let step = nice_step((high - low) / VALUE_TICKS);
    if !step.is_normal() {
        return vec![];
    }
    let largest = low.abs().max(high.abs());
    let start = (low / step - ROUNDING).ceil();
    (0..MAX_VALUE_TICKS)
        .map(|index| (start + f64::from(index)) * step)
        .take_while(|value| *value <= high + step * ROUNDING)
        .map(|value| Tick {
            at: value,
            label: number(value, step, largest),
        })
        .collect()
}

/// The first tick that is not below the range.
pub fn next_tick(low: f64, high: f64) -> f64 {
    let step = nice_step((high - low) / VALUE_TICKS);
    (high / step).ceil() * step
}

fn nice_step(least: f64) -> f64 {
    let power = 10_f64.powf(least.log10().floor());
    let is_enough = |factor: &f64| factor * power >= least;
    let factor = [1.0, 2.0, 5.0].into_iter().find(is_enough);
    factor.unwrap_or(10.0) * power
}

/// Ticks at each multiple of `minutes` that local clocks show on these dates, as far as in view.
fn clock_ticks(
    view: &RangeInclusive<DateTime<Tz>>,
    dates: impl Iterator<Item = NaiveDate>,
    minutes: i64,
    format: &str,
) -> Vec<TimeTick> {
    let last_date = view.end().date_naive();
    let zone = view.start().timezone();
    dates
        .take_while(|date| *date <= last_date)
        .flat_map(|date| (0..DAILY / minutes).map(move |index| (date, index * minutes)))
        .filter_map(|(date, minute)| {
            let midnight = date.and_time(NaiveTime::MIN);
            instant(zone, midnight + TimeDelta::minutes(minute))
        })
        .filter(|time| view.contains(time))
        .map(|time| Tick {
            at: time,
            label: time.format(format).to_string(),
        })
        .collect()
}

/// The first instant at which local clocks show `local`. None where they skip it, except for
/// midnight: the day then begins with the first quarter of an hour that exists.
fn instant(zone: Tz, local: NaiveDateTime) -> Option<DateTime<Tz>> {
    let is_midnight = local.time() == NaiveTime::MIN;
    let quarters = if is_midnight { MAX_SKIPPED_QUARTERS } else { 0 };
    (0..=quarters).find_map(|quarter| {
        let local = local.checked_add_signed(TimeDelta::minutes(i64::from(quarter) * 15))?;
        zone.from_local_datetime(&local).earliest()
    })
}

/// The first days of months, of quarters and half years from January on.
fn month_ticks(view: &RangeInclusive<DateTime<Tz>>) -> Vec<TimeTick> {
    let span = (*view.end() - *view.start()).num_days() / DAYS_OF_MONTH;
    let fits = |months: &&i64| span <= **months * MAX_DAY_TICKS;
    let longest = span / MAX_DAY_TICKS + 1;
    let months = MONTH_STEPS.iter().find(fits).copied().unwrap_or(longest);
    let is_due = |date: &NaiveDate| {
        let month = i64::from(date.year()) * 12 + i64::from(date.month0());
        date.day() == 1 && month.rem_euclid(months) == 0
    };
    let dates = view.start().date_naive().iter_days();
    clock_ticks(view, dates.filter(is_due), DAILY, MONTH)
}

/// The value with the digits that a tick step tells apart.
fn number(value: f64, step: f64, largest: f64) -> String {
    let exponent = magnitude(step);
    let digits = |count: i32| usize::try_from(count).unwrap_or(0).min(MOST_DIGITS);
    if value.abs() < step / 2.0 {
        "0".to_owned()
    } else if (SMALLEST_PLAIN..LARGEST_PLAIN).contains(&largest) {
        let decimals = digits(-exponent);
        with_minus(&separate_thousands(&format!("{value:.decimals$}")))
    } else if (LARGEST_PLAIN..LARGEST_PREFIXED).contains(&largest) {
        let prefix = Prefix::of(magnitude(largest));
        let decimals = digits(prefix.power() - exponent);
        let value = value / 10_f64.powi(prefix.power());
        let figure = separate_thousands(&format!("{value:.decimals$}"));
        format!("{} {}", with_minus(&figure), prefix.symbol())
    } else {
        let own = magnitude(value.abs());
        with_minus(&format!("{value:.*e}", digits(own - exponent)))
    }
}

#[cfg(test)]
mod tests;
