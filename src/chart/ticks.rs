//! The ticks of both axes: a span of time or of values in, places with their labels out.
//! Time ticks are found by local clock and placed by instant, so that a day of 23 or 25 hours is
//! drawn at its true length and still labelled with the hours that the reader's clock showed.

use std::iter;

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone};
use chrono_tz::Tz;

const HOUR_STEPS: [i64; 11] = [1, 2, 5, 10, 15, 30, 60, 120, 240, 360, 720];
const MAX_HOUR_TICKS: i64 = 12;
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

const VALUE_TICKS: f64 = 7.5;
const MAX_VALUE_TICKS: u32 = 40;
/// Of a step: what a multiple of it may be off by arithmetic.
const ROUNDING: f64 = 1e-6;
/// Twelve digits are written out, more in powers of ten.
const LARGEST_PLAIN: f64 = 1e12;
const SMALLEST_PLAIN: f64 = 1e-4;
const MINUS: &str = "\u{2212}";

pub struct TimeTick {
    pub time: DateTime<Tz>,
    pub label: String,
}

/// Ticks to be labelled, and the days below them where the ticks are hours.
pub struct TimeTicks {
    pub ticks: Vec<TimeTick>,
    /// Each local midnight in view.
    pub midnights: Vec<TimeTick>,
    /// The day in view at the left edge, where the ticks are hours.
    pub first_day: Option<String>,
}

pub struct ValueTick {
    pub value: f64,
    pub label: String,
}

pub fn time_ticks(first: DateTime<Tz>, last: DateTime<Tz>, step: TimeDelta) -> TimeTicks {
    let span = last - first;
    let hourly = HOUR_STEPS.iter().find(|minutes| {
        step < TimeDelta::days(1) && span <= TimeDelta::minutes(**minutes * MAX_HOUR_TICKS)
    });
    match hourly {
        Some(minutes) => TimeTicks {
            ticks: hour_ticks(first, last, *minutes),
            midnights: hour_ticks(first, last, 24 * 60)
                .iter()
                .map(|tick| day_tick(tick.time))
                .collect(),
            first_day: Some(day(first)),
        },
        None => TimeTicks {
            ticks: day_ticks(first, last),
            midnights: vec![],
            first_day: None,
        },
    }
}

/// The period as one line, with the zone's short name.
pub fn period(first: DateTime<Tz>, last: DateTime<Tz>, step: TimeDelta) -> String {
    let format = match (step < TimeDelta::days(1), last - first < SPAN_WITH_YEAR) {
        (true, true) => "%a %-d %b %H:%M",
        (true, false) => "%a %-d %b %Y %H:%M",
        (false, true) => "%a %-d %b",
        (false, false) => "%a %-d %b %Y",
    };
    let [start, end] = [first, last].map(|time| time.format(format).to_string());
    let [old_zone, zone] = [first, last].map(|time| time.format("%Z").to_string());
    let daily = step >= TimeDelta::days(1);
    match (start == end && old_zone == zone, daily, old_zone == zone) {
        (true, true, _) => end,
        (true, false, _) => format!("{end} {zone}"),
        (false, true, _) => format!("{start} – {end}"),
        (false, false, true) => format!("{start} – {end} {zone}"),
        (false, false, false) => format!("{start} {old_zone} – {end} {zone}"),
    }
}

/// Ticks at 1, 2 or 5 times a power of ten inside the range.
pub fn value_ticks(low: f64, high: f64) -> Vec<ValueTick> {
    let step = nice_step((high - low) / VALUE_TICKS);
    if !step.is_normal() {
        return vec![];
    }
    let largest = low.abs().max(high.abs());
    let start = (low / step - ROUNDING).ceil();
    (0..MAX_VALUE_TICKS)
        .map(|index| (start + f64::from(index)) * step)
        .take_while(|value| *value <= high + step * ROUNDING)
        .map(|value| ValueTick {
            value,
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
    let factor = [1.0, 2.0, 5.0]
        .into_iter()
        .find(|factor| factor * power >= least);
    factor.unwrap_or(10.0) * power
}

fn hour_ticks(first: DateTime<Tz>, last: DateTime<Tz>, minutes: i64) -> Vec<TimeTick> {
    let zone = first.timezone();
    let mut ticks = Vec::new();
    let mut day = first.date_naive();
    while day <= last.date_naive() {
        let in_view = local_times(day, minutes)
            .filter_map(|local| instant(zone, local))
            .filter(|time| (first..=last).contains(time));
        ticks.extend(in_view.map(|time| TimeTick {
            time,
            label: time.format("%H:%M").to_string(),
        }));
        match day.succ_opt() {
            Some(next) => day = next,
            None => break,
        }
    }
    ticks
}

fn local_times(day: NaiveDate, minutes: i64) -> impl Iterator<Item = NaiveDateTime> {
    let midnight = day.and_time(NaiveTime::MIN);
    (0..24 * 60 / minutes)
        .filter_map(move |index| midnight.checked_add_signed(TimeDelta::minutes(index * minutes)))
}

/// The first instant at which local clocks show `local`. None where they skip it, except for
/// midnight: the day then begins with the first quarter of an hour that exists.
fn instant(zone: Tz, local: NaiveDateTime) -> Option<DateTime<Tz>> {
    let quarters = if local.time() == NaiveTime::MIN {
        MAX_SKIPPED_QUARTERS
    } else {
        0
    };
    (0..=quarters).find_map(|quarter| {
        let local = local.checked_add_signed(TimeDelta::minutes(i64::from(quarter) * 15))?;
        zone.from_local_datetime(&local).earliest()
    })
}

fn day_ticks(first: DateTime<Tz>, last: DateTime<Tz>) -> Vec<TimeTick> {
    let span = last - first;
    let fits = |days: &&i32| span.num_days() <= i64::from(**days) * MAX_DAY_TICKS;
    let Some(days) = DAY_STEPS.iter().find(fits).copied() else {
        return month_ticks(first, last);
    };
    // Day 1 of the common era was a Monday: steps of weeks start on Mondays.
    let to_next = (1 - first.date_naive().num_days_from_ce()).rem_euclid(days);
    let start = later(first.date_naive(), to_next);
    let dates = iter::successors(start, |date| later(*date, days));
    midnights(dates, first, last).map(day_tick).collect()
}

/// The first days of months, of quarters and half years from January on.
fn month_ticks(first: DateTime<Tz>, last: DateTime<Tz>) -> Vec<TimeTick> {
    let span = (last - first).num_days() / DAYS_OF_MONTH;
    let fits = |months: &&i64| span <= **months * MAX_DAY_TICKS;
    let longest = span / MAX_DAY_TICKS + 1;
    let months = MONTH_STEPS.iter().find(fits).copied().unwrap_or(longest);
    let month = i64::from(first.year()) * 12 + i64::from(first.month0());
    let start = month.div_euclid(months) * months;
    let dates = iter::successors(Some(start), |month| Some(month + months)).map_while(first_of);
    midnights(dates, first, last).map(month_tick).collect()
}

/// The first day of a month counted from the beginning of the year 0. None where the calendar ends.
fn first_of(month: i64) -> Option<NaiveDate> {
    let year = i32::try_from(month.div_euclid(12)).ok()?;
    let month = u32::try_from(month.rem_euclid(12)).ok()?;
    NaiveDate::from_ymd_opt(year, month + 1, 1)
}

/// The beginnings of dates that are in view.
fn midnights(
    dates: impl Iterator<Item = NaiveDate>,
    first: DateTime<Tz>,
    last: DateTime<Tz>,
) -> impl Iterator<Item = DateTime<Tz>> {
    dates
        .take_while(move |date| *date <= last.date_naive())
        .filter_map(move |date| instant(first.timezone(), date.and_time(NaiveTime::MIN)))
        .filter(move |time| (first..=last).contains(time))
}

fn later(date: NaiveDate, days: i32) -> Option<NaiveDate> {
    date.checked_add_days(Days::new(u64::try_from(days).ok()?))
}

fn day_tick(time: DateTime<Tz>) -> TimeTick {
    TimeTick {
        time,
        label: day(time),
    }
}

fn month_tick(time: DateTime<Tz>) -> TimeTick {
    TimeTick {
        time,
        label: time.format("%b %Y").to_string(),
    }
}

fn day(time: DateTime<Tz>) -> String {
    time.format("%a %-d %b").to_string()
}

/// The value with the digits that a tick step tells apart.
fn number(value: f64, step: f64, largest: f64) -> String {
    let exponent = step.log10().floor();
    if value.abs() < step / 2.0 {
        "0".to_owned()
    } else if (SMALLEST_PLAIN..LARGEST_PLAIN).contains(&largest) {
        plain(value, digits(-exponent))
    } else {
        let own = value.abs().log10().floor();
        format!("{value:.*e}", digits(own - exponent)).replacen(
            '-',
            MINUS,
            usize::from(value < 0.0),
        )
    }
}

fn plain(value: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", value.abs());
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let sign = if value < 0.0 { MINUS } else { "" };
    format!("{sign}{}{rest}", grouped(whole))
}

fn grouped(digits: &str) -> String {
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 0..=15"
)]
fn digits(count: f64) -> usize {
    count.clamp(0.0, 15.0) as usize
}

#[cfg(test)]
mod tests;
