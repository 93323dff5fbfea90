#![allow(clippy::unwrap_used)]

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
fn a_day_has_a_tick_each_six_hours_and_so_have_two_days() {
    let (last, step) = (paris(11, 22, 14, 5), TimeDelta::minutes(5));
    let found = time_ticks(last - TimeDelta::hours(24), last, step);
    assert_eq!(labels(&found.ticks), ["18:00", "00:00", "06:00", "12:00"]);
    assert_eq!(labels(&found.midnights), ["Sun 22 Nov"]);
    assert_eq!(found.first_day.as_deref(), Some("Sat 21 Nov"));
    let found = time_ticks(last - TimeDelta::hours(48), last, step);
    assert_eq!(labels(&found.ticks)[..3], ["18:00", "00:00", "06:00"]);
    assert_eq!(labels(&found.midnights), ["Sat 21 Nov", "Sun 22 Nov"]);
}

#[test]
fn ticks_fall_on_local_hours_across_the_autumn_change() {
    let (first, last) = (paris(10, 24, 23, 0), paris(10, 25, 9, 0));
    let ticks = clock_ticks(&(first..=last), first.date_naive().iter_days(), 120, HOUR);
    assert_eq!(
        labels(&ticks),
        ["00:00", "02:00", "04:00", "06:00", "08:00"]
    );
    let hours: Vec<i64> = ticks
        .windows(2)
        .map(|pair| (pair[1].at - pair[0].at).num_hours())
        .collect();
    assert_eq!(hours, [2, 3, 2, 2]);
}

#[test]
fn ticks_fall_on_local_hours_across_the_spring_change() {
    let (first, last) = (paris(3, 28, 23, 0), paris(3, 29, 9, 0));
    let ticks = clock_ticks(&(first..=last), first.date_naive().iter_days(), 60, HOUR);
    assert_eq!(labels(&ticks)[..4], ["23:00", "00:00", "01:00", "03:00"]);
    assert!(
        ticks
            .windows(2)
            .all(|pair| pair[1].at - pair[0].at == TimeDelta::hours(1))
    );
}

#[test]
fn a_day_that_skips_its_midnight_begins_at_its_first_instant() {
    let zone = chrono_tz::America::Sao_Paulo;
    let first = zone.with_ymd_and_hms(2018, 11, 3, 12, 0, 0).unwrap();
    let found = time_ticks(first, first + TimeDelta::hours(24), TimeDelta::minutes(5));
    assert_eq!(labels(&found.midnights), ["Sun 4 Nov"]);
    assert_eq!(
        found.midnights[0].at,
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
fn long_spans_have_months_quarters_and_years_as_ticks() {
    let step = TimeDelta::days(1);
    let last = paris(11, 22, 0, 0);
    let months = time_ticks(last - TimeDelta::days(150), last, step);
    assert_eq!(
        labels(&months.ticks),
        ["Jul 2026", "Aug 2026", "Sep 2026", "Oct 2026", "Nov 2026"]
    );
    assert!(months.ticks.iter().all(|tick| tick.at.day() == 1));
    let quarters = time_ticks(last - TimeDelta::days(700), last, step);
    assert_eq!(labels(&quarters.ticks)[..2], ["Jan 2025", "Apr 2025"]);
    let years = time_ticks(last - TimeDelta::days(2400), last, step);
    assert_eq!(labels(&years.ticks)[..2], ["Jan 2021", "Jan 2022"]);
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
fn a_period_of_months_names_months() {
    let (first, last) = (paris(2, 1, 0, 0), paris(10, 1, 0, 0));
    let month = TimeDelta::hours(730);
    assert_eq!(period(first, last, month), "Feb 2026 – Oct 2026");
    assert_eq!(period(last, last, month), "Oct 2026");
    let monday = paris(2, 2, 0, 0);
    assert_eq!(
        period(monday, monday + TimeDelta::days(28), TimeDelta::days(28)),
        "Mon 2 Feb – Mon 2 Mar"
    );
}

#[test]
fn thousands_are_separated() {
    assert_eq!(numbers(0.0, 1990.0), ["0", "500", "1,000", "1,500"]);
    assert_eq!(numbers(0.0, 1.2e9)[6], "1.2 G");
    assert_eq!(numbers(0.0, 9e8)[4], "800,000,000");
    assert_eq!(numbers(0.0, 5e12)[2], "2 T");
    assert_eq!(number(-1_234_567.5, 0.5, 1e7), "−1,234,567.5");
}

#[test]
fn a_value_label_has_the_decimals_of_its_step() {
    assert_eq!(numbers(0.0, 0.7), ["0", "0.2", "0.4", "0.6"]);
    assert_eq!(numbers(-1.1, 0.6), ["−1.0", "−0.5", "0", "0.5"]);
}

#[test]
fn very_small_and_very_large_values_are_written_in_powers_of_ten() {
    assert_eq!(numbers(0.0, 1.3e-9), ["0", "5e-10", "1.0e-9"]);
    assert_eq!(numbers(0.0, 2.1e15)[2], "1.0e15");
    assert_eq!(numbers(-1.2e15, 0.0)[0], "−1.2e15");
}
