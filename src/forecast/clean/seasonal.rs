//! Fences for each time of day. What is usual at noon is wild at midnight, and a peak of five minutes
//! each night is no outlier; so a value is held against others of its own place in the season.
//!
//! A slow level is taken away from the values first, or they are divided by it if that suits better:
//! the middle of what blocks of an hour have over a running season. It follows a new level within
//! half a day, and no spike. Of what is left, each time of day has Tukey's fences, as wide as values
//! vary there and around there; from three weeks on each time of the week has its typical value too.
//! An outlier is one by both views, or by the week's alone if that is much the narrower and drawn
//! from four weeks; and where three are not there yet, by the day's and by the fences of all values.
//! Places are by the wall clock.

use super::Fences;
use super::slow_level::SlowLevel;
use super::view::{Places, View};
use crate::series::TimeSeries;

/// With fewer of them nothing tells a peak from a spike.
const FEWEST_SEASONS: usize = 3;
/// With fewer of them the week's view does not do without the day's.
const FEWEST_WEEKS_ALONE: usize = 4;
/// With fewer outliers than one in so many there is nothing to improve.
const WELL_WITHIN: usize = 500;
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

impl Outlook {
    /// Whether it finds fewer outliers, and not by fences much the wider.
    fn is_more_apt_than(&self, other: &Self) -> bool {
        let width = self.level.distance(self.by_day.width);
        let other_width = other.level.distance(other.by_day.width);
        width < MUCH_LESS * other_width
            || (self.beyond < other.beyond && other_width >= MUCH_LESS * width)
    }
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
    let as_sum = outlook(level.clone())?;
    // Most histories are well without, and it takes as long again.
    let as_product = (as_sum.beyond > history.len() / WELL_WITHIN)
        .then(|| level.as_product().and_then(outlook))
        .flatten();
    let Outlook {
        level,
        rests,
        by_day,
        ..
    } = match as_product {
        Some(as_product) if as_product.is_more_apt_than(&as_sum) => as_product,
        _ => as_sum,
    };
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

#[cfg(test)]
mod tests;
