//! What seasonal fences clip, and above all what they leave.

use proptest::prelude::*;

use crate::forecast::clean::{Cleaned, FenceFactor, Outliers, Scope, clip_outliers};
use crate::series::sample::series_from;

/// Whole numbers from -`reach` to `reach`, as if by chance.
fn noise(slot: usize, reach: f64) -> f64 {
    let mixed = (slot as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mixed = (mixed ^ (mixed >> 31)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let share = f64::from(u32::try_from(mixed >> 32).expect("32 bits")) / f64::from(u32::MAX);
    (reach * (2.0 * share - 1.0)).round()
}

/// A day of 5-minute values that is low at night and high at noon.
fn day(slot: usize) -> f64 {
    let share = f64::from(u32::try_from(slot % 288).expect("a slot")) / 288.0;
    1000.0 - 400.0 * (share * std::f64::consts::TAU).cos() + noise(slot, 30.0)
}

fn weeks(weeks: usize, value: impl Fn(usize) -> f64) -> Vec<Option<f64>> {
    (0..weeks * 2016).map(|slot| Some(value(slot))).collect()
}

fn cleaned_from(start: &str, step: &str, values: &[Option<f64>], scope: Scope) -> Cleaned {
    let factor = FenceFactor::default();
    let history = series_from(start, step, values);
    clip_outliers(&history, &Outliers { factor, scope }).expect("a cleaned history")
}

fn clipped(values: &[Option<f64>], scope: Scope) -> Vec<usize> {
    cleaned_from("2026-06-01 00:00", "5m", values, scope).clipped
}

const NONE: [usize; 0] = [];

#[test]
fn a_narrow_daily_peak_is_clipped_by_global_fences_alone() {
    let values = weeks(4, |slot| match slot % 288 {
        36..39 => 6000.0 + 20.0 * noise(slot, 30.0),
        _ => day(slot),
    });
    assert_eq!(clipped(&values, Scope::Global).len(), 28 * 3);
    assert_eq!(clipped(&values, Scope::Seasonal), NONE);
}

#[test]
fn a_narrow_weekly_peak_is_kept_from_three_weeks_on() {
    let value = |slot| {
        if slot % 2016 == 500 {
            6000.0
        } else {
            day(slot)
        }
    };
    assert_eq!(clipped(&weeks(4, value), Scope::Seasonal), NONE);
    assert_eq!(clipped(&weeks(3, value), Scope::Seasonal), NONE);
    assert_eq!(clipped(&weeks(2, value), Scope::Seasonal).len(), 2);
}

#[test]
fn a_wild_tuesday_is_clipped_in_either_scope() {
    let tuesday = 2016 + 288 + 150..2016 + 288 + 170;
    for start in [0, 10_000] {
        let values = weeks(4, |slot| {
            if tuesday.contains(&slot) {
                9000.0 + noise(slot + start, 900.0)
            } else {
                day(slot)
            }
        });
        for scope in [Scope::Global, Scope::Seasonal] {
            assert_eq!(clipped(&values, scope), tuesday.clone().collect::<Vec<_>>());
        }
    }
}

#[test]
fn what_is_usual_at_noon_is_clipped_at_midnight() {
    let values = weeks(4, |slot| {
        if slot == 9 * 288 + 2 {
            1400.0
        } else {
            day(slot)
        }
    });
    assert_eq!(clipped(&values, Scope::Global), NONE);
    assert_eq!(clipped(&values, Scope::Seasonal), [9 * 288 + 2]);
    let history = cleaned_from("2026-06-01 00:00", "5m", &values, Scope::Seasonal).history;
    let moved = history.values()[9 * 288 + 2].expect("a value");
    assert!((600.0..800.0).contains(&moved), "{moved}");
}

#[test]
fn a_new_level_is_healthy_after_a_day() {
    for shift in [17, 26] {
        for (add, times) in [(800.0, 1.0), (-300.0, 1.0), (0.0, 2.0), (0.0, 0.5)] {
            let values = weeks(4, |slot| {
                if slot < shift * 288 {
                    day(slot)
                } else {
                    add + times * day(slot)
                }
            });
            let clipped = clipped(&values, Scope::Seasonal);
            let around = (shift - 1) * 288..(shift + 1) * 288;
            assert!(
                clipped.iter().all(|index| around.contains(index)),
                "day {shift}, + {add}, x {times}: {} clipped, {:?}",
                clipped.len(),
                &clipped[..20.min(clipped.len())]
            );
        }
    }
}

#[test]
fn a_weekend_half_as_busy_is_healthy() {
    for count in [2, 3, 4] {
        let values = weeks(count, |slot| {
            day(slot) * if slot % 2016 < 1440 { 1.0 } else { 0.5 }
        });
        let clipped = clipped(&values, Scope::Seasonal);
        assert!(
            clipped.len() < 20,
            "{count} weeks: {} {:?}",
            clipped.len(),
            &clipped[..20.min(clipped.len())]
        );
    }
}

#[test]
fn a_peak_by_the_wall_clock_is_kept_over_a_change_of_the_clocks() {
    let hour = chrono::TimeDelta::hours(1);
    for start in ["2026-10-11 00:00", "2026-03-15 00:00"] {
        let empty = vec![Some(0.0); 28 * 24];
        let history = series_from(start, "1h", &empty);
        let values: Vec<_> = (0..empty.len())
            .map(|index| {
                let at = history.time(0) + hour * i32::try_from(index).expect("an hour");
                let peak = at.format("%H").to_string() == "18";
                Some(if peak { 5000.0 } else { 1000.0 } + noise(index, 30.0))
            })
            .collect();
        assert_eq!(
            cleaned_from(start, "1h", &values, Scope::Seasonal).clipped,
            NONE
        );
    }
}

#[test]
fn in_closed_hours_a_single_sale_is_kept_and_a_wild_one_is_not() {
    let values = weeks(4, |slot| match (slot, slot % 288) {
        (4990, _) => 5000.0,
        (slot, 0..96 | 240..) => {
            if slot % 77 == 0 {
                90.0
            } else {
                0.0
            }
        }
        _ => 500.0 + noise(slot, 60.0),
    });
    assert!((0..96).contains(&(4990 % 288)));
    assert_eq!(clipped(&values, Scope::Seasonal), [4990]);
}

#[test]
fn daily_values_are_held_against_their_day_of_the_week() {
    let mut values: Vec<_> = (0..56)
        .map(|day| Some(if day % 7 == 5 { 900.0 } else { 100.0 } + noise(day, 9.0)))
        .collect();
    let clipped =
        |values: &[_]| cleaned_from("2026-06-01 00:00", "1d", values, Scope::Seasonal).clipped;
    assert_eq!(clipped(&values), NONE);
    values[30] = Some(900.0);
    assert_eq!(clipped(&values), [30]);
}

#[test]
fn gaps_stay_gaps_and_clip_nothing() {
    let values: Vec<_> = (0..4 * 2016)
        .map(|slot| Some(day(slot)).filter(|_| slot % 288 > 60 && !(3000..3900).contains(&slot)))
        .collect();
    let cleaned = cleaned_from("2026-06-01 00:00", "5m", &values, Scope::Seasonal);
    assert_eq!(cleaned.clipped, NONE);
    assert!(cleaned.history.values() == values);
}

#[test]
fn a_history_that_says_nothing_is_left_alone() {
    for value in [0.0, 7.0, f64::MAX, f64::MIN] {
        let values = weeks(1, |_| value);
        let cleaned = cleaned_from("2026-06-01 00:00", "5m", &values, Scope::Seasonal);
        assert_eq!((cleaned.fences, cleaned.clipped.len()), (None, 0));
        assert!(cleaned.history.values() == values);
    }
    let huge = weeks(1, |slot| if slot % 2 == 0 { f64::MAX } else { f64::MIN });
    let cleaned = cleaned_from("2026-06-01 00:00", "5m", &huge, Scope::Seasonal);
    assert!(cleaned.history.observed().all(f64::is_finite));
}

#[test]
fn values_as_large_as_numbers_go_stay_finite() {
    for (step, scale) in [("1d", 1e276), ("1d", 1e308), ("1h", 1e308)] {
        let values: Vec<_> = (0..160)
            .map(|index| {
                let sign = if index % 7 == 3 { -1.0 } else { 1.0 };
                Some(sign * scale * (0.1 + f64::from(index * 7919 % 101) / 120.0))
            })
            .collect();
        let history = series_from("2026-03-20 00:00", step, &values);
        let cleaned = clip_outliers(&history, &Outliers::default()).expect("a cleaned history");
        assert!(
            cleaned.history.observed().all(f64::is_finite),
            "{step} {scale}"
        );
    }
}

proptest! {
    #[test]
    fn whatever_the_values_only_outliers_change_and_all_stays_finite(
        values in prop::collection::vec(
            prop::option::weighted(0.9, prop::num::f64::NORMAL | prop::num::f64::ZERO),
            0..200,
        ),
        step in prop::sample::select(vec!["1h", "6h", "1d", "2d"]),
    ) {
        let history = series_from("2026-03-20 00:00", step, &values);
        let cleaned = clip_outliers(&history, &Outliers::default()).expect("a cleaned history");
        let changed: Vec<usize> = (0..values.len())
            .filter(|index| cleaned.history.values()[*index] != values[*index])
            .collect();
        prop_assert_eq!(changed, cleaned.clipped);
        prop_assert!(cleaned.history.observed().all(f64::is_finite));
    }
}
