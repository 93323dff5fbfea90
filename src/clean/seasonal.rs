//! Fences for each time of day. What is usual at noon is wild at midnight, and a peak of five minutes
//! each night is no outlier; so a value is held against others of its own place in the season.
//!
//! A slow level is taken away from the values first, or they are divided by it if that leaves less:
//! the middle of what blocks of an hour have over a running season. It follows a new level within
//! half a day, and no spike. Of what is left, each time of day has Tukey's fences, as wide as values
//! vary there and around there; from three weeks on each time of the week has its typical value too.
//! An outlier is one by both views, or by the week's alone if that is much the narrower and drawn from
//! four weeks; and where three are not there yet, by the day's and by the fences of all values. Places are by the wall
//! clock.

use super::Fences;
use super::slow_level::SlowLevel;
use super::view::{Places, View};
use crate::series::TimeSeries;

/// With fewer of them nothing tells a peak from a spike.
const FEWEST_SEASONS: usize = 3;
/// With fewer of them the week's view does not do without the day's.
const FEWEST_WEEKS_ALONE: usize = 4;
/// A view is much the narrower if its quartiles are less than this share as far apart.
const MUCH_LESS: f64 = 0.7;

/// A history as seen from a slow level.
struct Outlook {
    level: SlowLevel,
    rests: Vec<f64>,
    by_day: View,
    /// How many values are outliers of their time of day.
    beyond: usize,
}

/// The shortest season and a longer one, in slots; without any, each slot is like each other.
fn seasons(history: &TimeSeries) -> (usize, Option<usize>) {
    let step = history.grid().step();
    match (step.per_day(), step.per_week()) {
        (Some(day), week) => (day, week),
        (None, week) => (week.unwrap_or(1), None),
    }
}

/// Whether the season of a history is there often enough to tell what is usual in it.
pub fn is_long_enough(history: &TimeSeries) -> bool {
    history.len() >= FEWEST_SEASONS * seasons(history).0
}

/// The fences of each slot, and of the one after the last, given those of all values. `None` if the
/// values of no time of day differ.
pub fn fences(history: &TimeSeries, factor: f64, global: Option<Fences>) -> Option<Vec<Fences>> {
    let (day, week) = seasons(history);
    let wall_slots = history.wall_slots();
    let times = Places::in_season(day, &wall_slots);
    let level = SlowLevel::of(history, day)?;
    let outlook = |level: SlowLevel| {
        let rests = level.rests(history);
        let by_day = View::by_time(&rests, &times, factor)?;
        let beyond = by_day.beyond(&rests, &times);
        Some(Outlook {
            level,
            rests,
            by_day,
            beyond,
        })
    };
    let as_product = level.as_product().and_then(outlook);
    let Outlook {
        level,
        rests,
        by_day,
        ..
    } = more_apt(outlook(level), as_product)?;
    let by_week = week
        .filter(|week| history.len() >= FEWEST_SEASONS * week)
        .and_then(|week| {
            let places = Places::in_season(week, &wall_slots);
            View::by_place(&rests, &places, &times, factor)
        });
    let is_the_weeks_alone = week.zip(by_week.as_ref()).is_some_and(|(week, by_week)| {
        history.len() >= FEWEST_WEEKS_ALONE * week && by_week.width < MUCH_LESS * by_day.width
    });
    let without_weeks = global.filter(|_| week.is_some() && by_week.is_none());
    // On a Monday morning the day behind is Sunday: at the ends the level of the other week counts too.
    let a_week_inside = |index: usize| {
        let week = week.filter(|_| by_week.is_some() && level.is_at_an_end(index))?;
        index.checked_sub(week).or(Some(index + week))
    };
    let fences_of = |index| {
        let of_day = by_day.fences(index, &times);
        let Some(by_week) = &by_week else {
            return of_day;
        };
        match by_week.fences(index, &times) {
            Some(of_week) if is_the_weeks_alone => Some(of_week),
            Some(of_week) => of_day.map(|of_day| of_day.or(of_week)),
            None => of_day,
        }
    };
    let of_values = |index| {
        let Some(fences) = fences_of(index) else {
            return Fences::NOWHERE;
        };
        let at_level_of = |other| Fences {
            lower: level.value(other, fences.lower),
            upper: level.value(other, fences.upper),
        };
        match a_week_inside(index) {
            Some(other) => at_level_of(index).or(at_level_of(other)),
            None => at_level_of(index).or(without_weeks.unwrap_or(at_level_of(index))),
        }
    };
    Some((0..=history.len()).map(of_values).collect())
}

/// The one that finds fewer outliers, unless its fences are that much wider.
fn more_apt(sum: Option<Outlook>, product: Option<Outlook>) -> Option<Outlook> {
    let width = |outlook: &Outlook| outlook.level.distance(outlook.by_day.width);
    match (sum, product) {
        (Some(sum), Some(product)) => {
            let (of_sum, of_product) = (width(&sum), width(&product));
            let product_is = if of_product < MUCH_LESS * of_sum {
                true
            } else if of_sum < MUCH_LESS * of_product {
                false
            } else {
                product.beyond < sum.beyond
            };
            Some(if product_is { product } else { sum })
        }
        (sum, product) => sum.or(product),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Cleaned, FenceFactor, Outliers, Scope, clip_outliers};
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
            .map(|slot| {
                Some(day(slot)).filter(|_| slot % 288 > 60 && !(3000..3900).contains(&slot))
            })
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
}
