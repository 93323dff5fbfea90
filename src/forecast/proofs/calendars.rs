//! The season keeps to the wall clock over both change-over days and the week after each, and closed
//! hours are no gaps.

use crate::series::Step;
use chrono_tz::America::New_York;
use chrono_tz::Europe::Paris;

use super::*;
use crate::forecast::fitted::Clipped;

/// 28 days before local midnight of the first day and `days` after it, by the wall clock.
pub fn wall_clock(first_day: &str, zone: Tz, step: &'static str, days: i64) -> Simulated {
    let parsed: Step = step.parse().expect("a step");
    let per_day = parsed.per_day().expect("steps in a day");
    let day = start(first_day, zone);
    let begin = day - TimeDelta::days(28);
    let end = usize::try_from(days).expect("few") * per_day;
    let mut random = Random::new(11);
    let values = (0..28 * per_day + end).map(|index| {
        let time = begin + parsed.times(index);
        Some(100.0 * (0.3 + by_day(time)) * (1.0 + 0.03 * random.normal()))
    });
    Simulated {
        start: begin,
        step,
        values: values.collect(),
        window: 28 * per_day,
    }
}

pub const CHANGES: [(&str, Tz); 4] = [
    ("2026-03-29 00:00", Paris),
    ("2026-10-25 00:00", Paris),
    ("2026-03-08 00:00", New_York),
    ("2026-11-01 00:00", New_York),
];

/// Of the change-over day and the seven after it at most 1 % of the points may lie outside of the
/// 99.9 % band, and the largest expectation of each day but the first is around noon.
fn assert_wall_clock(step: &'static str, every: usize) {
    for (first_day, zone) in CHANGES {
        let made = wall_clock(first_day, zone, step, 8);
        let judged = made.judge(
            (made.window..made.values.len()).step_by(every),
            &method(0.999),
        );
        let covered = coverage(&judged);
        assert!(covered >= 0.99, "{first_day} {zone} {step}: {covered}");
        for day in 1..7 {
            let date = start(first_day, zone).date_naive() + TimeDelta::days(day);
            let of_day = judged
                .iter()
                .filter(|(index, ..)| made.time(*index).date_naive() == date);
            let peak = of_day
                .max_by(|one, other| one.2.band.expected.total_cmp(&other.2.band.expected))
                .map(|(index, ..)| made.time(*index).num_seconds_from_midnight())
                .expect("points");
            assert!(
                (11 * 3600..=13 * 3600).contains(&peak),
                "{date} {zone} {step}: {peak} s"
            );
        }
    }
}

#[test]
fn hours_follow_the_wall_clock_over_each_change() {
    assert_wall_clock("1h", 1);
}

#[test]
fn five_minutes_follow_the_wall_clock_over_each_change() {
    assert_wall_clock("5m", 12);
}

/// A shop that is open from 8 to 18, except on Sundays, and has no rows otherwise.
fn shop(step: &'static str) -> Simulated {
    let made = wall_clock("2026-06-29 00:00", Paris, step, 14);
    let values = made.values.iter().enumerate().map(|(index, value)| {
        let time = made.time(index);
        let open = (8..18).contains(&time.hour()) && time.weekday() != chrono::Weekday::Sun;
        value.filter(|_| open)
    });
    Simulated {
        values: values.collect(),
        ..made
    }
}

#[test]
fn a_shop_that_closes_is_judged_from_its_first_bucket_of_the_morning() {
    for (step, every) in [("1h", 1), ("5m", 5)] {
        let made = shop(step);
        let mornings = (made.window..made.values.len()).filter(|index| {
            let time = made.time(*index);
            made.values[*index].is_some() && (time.hour(), time.minute()) == (8, 0)
        });
        let mornings = made.judge(mornings, &method(0.999));
        assert_eq!(mornings.len(), 12);
        for (index, value, forecast) in &mornings {
            let time = made.time(*index);
            assert!(
                is_within(*value, &forecast.band),
                "{time}: {value} in {:?}",
                forecast.band
            );
            assert!(
                forecast.band.half_width() < 0.7 * value,
                "{time}: {:?}",
                forecast.band
            );
        }
        let all = (made.window..made.values.len()).step_by(every);
        let covered = coverage(&made.judge(all, &method(0.95)));
        assert!((0.90..=0.99).contains(&covered), "{step}: {covered}");
    }
}

#[test]
fn in_the_hour_autumn_repeats_what_is_clipped_is_a_value_that_is_there() {
    // 02:00 is read twice: indices 2 and 3.
    for (missing, clipped) in [(None, 3), (Some(2), 3), (Some(3), 2)] {
        let value = |hour: i32| (Some(hour) != missing).then(|| f64::from(100 + hour));
        let values: Vec<_> = (0..6).map(value).collect();
        let history = series_at(start("2026-10-25 00:00", Paris), "1h", &values);
        let timeline = Timeline::new(&history, history.values(), &[]).expect("values");
        let fitted = Fitted {
            clipped: vec![Clipped { slot: 2, to: 0.0 }],
            ..Fitted::default()
        };
        let cleaned = add_clipped(&Cleaned::untouched(&history), &fitted, &timeline);
        let index = usize::try_from(clipped).expect("an index");
        assert_eq!(cleaned.clipped, [index], "without {missing:?}");
        let centre = Some(timeline.unit.value(0.0));
        assert_eq!(cleaned.history.values()[index], centre);
    }
}
