//! The ticks of both axes: a span of time or of values in, places with their labels out.
//! Time ticks are found by local clock and placed by instant, so that a day of 23 or 25 hours is
//! drawn at its true length and still labelled with the hours that the reader's clock showed.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone};
use chrono_tz::Tz;

const HOUR_STEPS: [i64; 11] = [1, 2, 5, 10, 15, 30, 60, 120, 240, 360, 720];
const MAX_HOUR_TICKS: i64 = 12;
const DAY_STEPS: [i32; 11] = [1, 2, 7, 14, 28, 56, 91, 182, 364, 1092, 3640];
const MAX_DAY_TICKS: i64 = 8;
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
    let days = DAY_STEPS.iter().find(fits).copied();
    let days =
        days.unwrap_or_else(|| i32::try_from(span.num_days() / MAX_DAY_TICKS).unwrap_or(i32::MAX));
    // Day 1 of the common era was a Monday: steps of weeks start on Mondays.
    let to_next = (1 - first.date_naive().num_days_from_ce()).rem_euclid(days);
    let with_year = span >= SPAN_WITH_YEAR;
    let mut ticks = Vec::new();
    let mut date = later(first.date_naive(), to_next);
    while let Some(day) = date.filter(|day| *day <= last.date_naive()) {
        let time = instant(first.timezone(), day.and_time(NaiveTime::MIN));
        if let Some(time) = time.filter(|time| (first..=last).contains(time)) {
            ticks.push(if with_year {
                year_tick(time)
            } else {
                day_tick(time)
            });
        }
        date = later(day, days);
    }
    ticks
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

fn year_tick(time: DateTime<Tz>) -> TimeTick {
    TimeTick {
        time,
        label: time.format("%-d %b %Y").to_string(),
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
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn paris(month: u32, day: u32, hour: u32, minute: u32) -> DateTime<Tz> {
        chrono_tz::Europe::Paris
            .with_ymd_and_hms(2026, month, day, hour, minute, 0)
            .earliest()
            .unwrap()
    }

    fn labels(ticks: &[TimeTick]) -> Vec<&str> {
        ticks.iter().map(|tick| tick.label.as_str()).collect()
    }

    fn numbers(low: f64, high: f64) -> Vec<String> {
        value_ticks(low, high)
            .into_iter()
            .map(|tick| tick.label)
            .collect()
    }

    #[test]
    fn a_day_has_a_tick_each_two_hours_and_two_days_one_each_four() {
        let (last, step) = (paris(11, 22, 14, 5), TimeDelta::minutes(5));
        let found = time_ticks(last - TimeDelta::hours(24), last, step);
        assert_eq!(labels(&found.ticks)[..3], ["16:00", "18:00", "20:00"]);
        assert_eq!(found.ticks.len(), 12);
        assert_eq!(labels(&found.midnights), ["Sun 22 Nov"]);
        assert_eq!(found.first_day.as_deref(), Some("Sat 21 Nov"));
        let found = time_ticks(last - TimeDelta::hours(48), last, step);
        assert_eq!(labels(&found.ticks)[..3], ["16:00", "20:00", "00:00"]);
        assert_eq!(labels(&found.midnights), ["Sat 21 Nov", "Sun 22 Nov"]);
    }

    #[test]
    fn ticks_fall_on_local_hours_across_the_autumn_change() {
        let (first, last) = (paris(10, 24, 23, 0), paris(10, 25, 9, 0));
        let ticks = hour_ticks(first, last, 120);
        assert_eq!(
            labels(&ticks),
            ["00:00", "02:00", "04:00", "06:00", "08:00"]
        );
        let hours: Vec<i64> = ticks
            .windows(2)
            .map(|pair| (pair[1].time - pair[0].time).num_hours())
            .collect();
        assert_eq!(hours, [2, 3, 2, 2]);
    }

    #[test]
    fn ticks_fall_on_local_hours_across_the_spring_change() {
        let (first, last) = (paris(3, 28, 23, 0), paris(3, 29, 9, 0));
        let ticks = hour_ticks(first, last, 60);
        assert_eq!(labels(&ticks)[..4], ["23:00", "00:00", "01:00", "03:00"]);
        assert!(
            ticks
                .windows(2)
                .all(|pair| pair[1].time - pair[0].time == TimeDelta::hours(1))
        );
    }

    #[test]
    fn a_day_that_skips_its_midnight_begins_at_its_first_instant() {
        let zone = chrono_tz::America::Sao_Paulo;
        let first = zone.with_ymd_and_hms(2018, 11, 3, 12, 0, 0).unwrap();
        let found = time_ticks(first, first + TimeDelta::hours(24), TimeDelta::minutes(5));
        assert_eq!(labels(&found.midnights), ["Sun 4 Nov"]);
        assert_eq!(
            found.midnights[0].time,
            zone.with_ymd_and_hms(2018, 11, 4, 1, 0, 0).unwrap()
        );
    }

    #[test]
    fn daily_data_has_days_as_ticks_and_weeks_start_on_mondays() {
        let (last, step) = (paris(11, 22, 0, 0), TimeDelta::days(1));
        let few = time_ticks(last - TimeDelta::days(1), last, step);
        assert_eq!(labels(&few.ticks), ["Sat 21 Nov", "Sun 22 Nov"]);
        let many = time_ticks(last - TimeDelta::days(40), last, step);
        assert!(
            many.ticks.iter().all(|tick| tick.label.starts_with("Mon")),
            "{:?}",
            labels(&many.ticks)
        );
    }

    #[test]
    fn any_span_has_a_readable_number_of_ticks() {
        let last = paris(11, 22, 14, 5);
        for minutes in (0..24).map(|power| 1_i64 << power) {
            let first = last - TimeDelta::minutes(minutes);
            let count = time_ticks(first, last, TimeDelta::minutes(1)).ticks.len();
            assert!(count <= 13, "{minutes} minutes: {count}");
        }
    }

    #[test]
    fn a_period_names_both_zones_only_where_they_differ() {
        let five = TimeDelta::minutes(5);
        let last = paris(11, 22, 14, 5);
        let day = TimeDelta::hours(24);
        assert_eq!(
            period(last - day, last, five),
            "Sat 21 Nov 14:05 – Sun 22 Nov 14:05 CET"
        );
        let change = paris(10, 25, 12, 0);
        assert_eq!(
            period(change - day, change, five),
            "Sat 24 Oct 13:00 CEST – Sun 25 Oct 12:00 CET"
        );
        assert_eq!(period(last, last, five), "Sun 22 Nov 14:05 CET");
        assert_eq!(period(last - day, last, day), "Sat 21 Nov – Sun 22 Nov");
    }

    #[test]
    fn thousands_are_separated() {
        assert_eq!(numbers(0.0, 1990.0), ["0", "500", "1,000", "1,500"]);
        assert_eq!(numbers(0.0, 1.2e9)[6], "1,200,000,000");
        assert_eq!(plain(-1_234_567.5, 1), "−1,234,567.5");
    }

    #[test]
    fn a_value_label_has_the_decimals_of_its_step() {
        assert_eq!(
            numbers(0.0, 0.7),
            ["0", "0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7"]
        );
        assert_eq!(numbers(-1.1, 0.6), ["−1.0", "−0.5", "0", "0.5"]);
    }

    #[test]
    fn very_small_and_very_large_values_are_written_in_powers_of_ten() {
        assert_eq!(
            numbers(0.0, 1.3e-9),
            ["0", "2e-10", "4e-10", "6e-10", "8e-10", "1.0e-9", "1.2e-9"]
        );
        assert_eq!(numbers(0.0, 2.1e15)[2], "1.0e15");
        assert_eq!(numbers(-1.2e15, 0.0)[0], "−1.2e15");
    }
}
