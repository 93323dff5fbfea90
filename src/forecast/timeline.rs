//! A history as the models see it: laid out by the wall clock, so that 14:05 is the same place of
//! every day also after the clocks changed; without the hours that never have data, or nothing but zeros, so
//! that the morning follows the evening before; in units of its own spread. The hour that spring skips is a gap.
//! Of the hour that autumn repeats, each reading has one place.

use super::quantile::{median, quantile};
use crate::series::{Step, TimeSeries};

/// Slots by the wall clock, the last one the slot to forecast.
#[derive(Debug, Clone)]
pub struct Timeline {
    /// In units of [`Timeline::unit`] from its centre; one less than there are slots.
    pub values: Vec<Option<f64>>,
    /// The training targets: the same with outliers clipped.
    pub targets: Vec<Option<f64>>,
    /// The values with every gap filled, see [`Timeline::fill`].
    pub filled: Vec<f64>,
    /// Of each slot, whether somebody said that its value is a usual one, however far out it is.
    pub healthy: Vec<bool>,
    pub unit: Unit,
    /// The number of slots in an hour, where it is large enough to tell an hour from the last values.
    pub slots_per_hour: Option<usize>,
    /// Of each slot, its place in the shortest season, from 0.
    pub phases: Vec<usize>,
    /// The number of places in the shortest season: 1 if there is none.
    pub phase_count: usize,
    /// The seasons, shortest first.
    pub cycles: Vec<Cycle>,
    /// The slot of each bucket of the history; `None` for those that share their reading of the clock
    /// with a later one, and those of closed hours.
    pub slots: Vec<Option<usize>>,
    /// Of each bucket of the history, whether it has none since nothing but zeros is known of its hour.
    pub at_zero: Vec<bool>,
}

/// A season, and of each slot the counterparts in earlier turns of it.
#[derive(Debug, Clone)]
pub struct Cycle {
    /// [`Cycle::NEVER`] from the first turn on that had none.
    counterparts: Vec<[u32; Cycle::TURNS]>,
    /// The share of the values' distance from their centre that the season explains: 1 is all, 0 or
    /// less nothing.
    pub strength: f64,
}

/// The origin and the unit of values, so that a revenue in cents and one in millions are the same to
/// every model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Unit {
    pub centre: f64,
    pub size: f64,
}

impl Unit {
    /// The median, and the mean absolute deviation from it, each deviation capped. `None` if the values
    /// do not differ, or by more than a float can hold.
    fn from_values(mut values: Vec<f64>) -> Option<Self> {
        /// The cap, in median absolute deviations.
        const CAP: f64 = 100.0;
        let centre = median(&mut values)?;
        for value in &mut values {
            *value = (*value - centre).abs();
        }
        let cap = match CAP * median(&mut values)? {
            0.0 => f64::INFINITY,
            cap => cap,
        };
        #[expect(clippy::cast_precision_loss, reason = "a window has few slots")]
        let count = values.len() as f64;
        let size: f64 = values.iter().map(|size| size.min(cap) / count).sum();
        (size > 0.0 && size.is_finite()).then_some(Self { centre, size })
    }

    /// In units from the centre. A value farther away than any real one is brought nearer, so that sums
    /// of squares stay finite.
    pub fn measure(self, value: f64) -> f64 {
        const FARTHEST: f64 = 1e6;
        ((value - self.centre) / self.size).clamp(-FARTHEST, FARTHEST)
    }

    pub fn value(self, measured: f64) -> f64 {
        self.centre + measured * self.size
    }
}

impl Cycle {
    /// How many turns back a slot has counterparts.
    const TURNS: usize = 7;
    const NEVER: u32 = u32::MAX;

    fn new(length: usize, open: &OpenPlaces) -> Self {
        let counterparts = open.places.iter().map(|place| {
            let earlier = (1..).map_while(|turn| place.checked_sub(turn * length));
            let slots = earlier.filter_map(|place| open.slots[place]);
            let mut found = [Self::NEVER; Self::TURNS];
            for (counterpart, slot) in found.iter_mut().zip(slots) {
                *counterpart = slot;
            }
            found
        });
        Self {
            counterparts: counterparts.collect(),
            strength: 0.0,
        }
    }

    /// The slots at the same place of earlier turns, latest first.
    #[inline]
    pub fn counterparts(&self, slot: usize) -> impl Iterator<Item = usize> + '_ {
        self.counterparts[slot]
            .iter()
            .take_while(|counterpart| **counterpart != Self::NEVER)
            .map(|counterpart| *counterpart as usize)
    }

    /// The slot at the same place of the last turn that had it.
    #[inline]
    pub fn counterpart(&self, slot: usize) -> Option<usize> {
        self.counterparts(slot).next()
    }

    /// How much nearer the values are to the mean of their counterparts than to the centre.
    fn measure_strength(&self, values: &[Option<f64>], filled: &[f64]) -> f64 {
        /// No value counts as farther away than this, in units of the timeline.
        const CAP: f64 = 4.0;
        let (mut unexplained, mut all) = (0.0, 0.0);
        for (slot, value) in values.iter().enumerate() {
            let (mut sum, mut count) = (0.0, 0.0);
            for counterpart in self.counterparts(slot) {
                sum += filled[counterpart];
                count += 1.0;
            }
            if let Some(value) = value.filter(|_| count > 0.0) {
                unexplained += (value - sum / count).abs().min(CAP);
                all += value.abs().min(CAP);
            }
        }
        if all > 0.0 {
            1.0 - unexplained / all
        } else {
            0.0
        }
    }
}

/// The buckets of a history by their place on the wall clock.
struct WallClock {
    /// Where each bucket went. If the slot to forecast is in the second pass of a repeated hour, what the
    /// first pass had at and after the same reading is left out, so that the forecast is still one step
    /// ahead.
    places: Vec<Option<usize>>,
    /// The number of places, the last one just before the slot to forecast.
    len: usize,
    /// The first place, in steps since [`crate::series::Grid::EPOCH`].
    first: i64,
}

impl WallClock {
    fn new(history: &TimeSeries) -> Self {
        let wall_slots = history.wall_slots();
        let first = wall_slots[0];
        let place = |wall_slot: &i64| usize::try_from(wall_slot - first).ok();
        let len = place(&wall_slots[history.len()]).unwrap_or(0);
        let places = wall_slots[..history.len()].iter().map(place);
        Self {
            places: places
                .map(|place| place.filter(|place| *place < len))
                .collect(),
            len,
            first,
        }
    }

    /// Of two values with one place the later stays.
    fn lay_out(&self, values: &[Option<f64>]) -> Vec<Option<f64>> {
        let mut laid_out = vec![None; self.len];
        for (place, value) in self.places.iter().zip(values) {
            if let (Some(place), Some(value)) = (place, value) {
                laid_out[*place] = Some(*value);
            }
        }
        laid_out
    }

    /// The first place within a season of this many steps, which turns over at midnight, or on a
    /// Monday's.
    fn first_place(&self, season: usize) -> usize {
        let season = i64::try_from(season.max(1)).unwrap_or(i64::MAX);
        usize::try_from(self.first.rem_euclid(season)).unwrap_or(0)
    }
}

/// The places of the wall clock that are open. Closed is a place that hardly ever has data at its place
/// of the season; or never anything but zeros, unless the place to forecast is such a place too.
struct OpenPlaces {
    /// In order, the last one the place to forecast, which has a value and so is open.
    places: Vec<usize>,
    /// Of each place, its number among the open ones.
    slots: Vec<Option<u32>>,
    /// Of each place, whether it is closed for its zeros.
    at_zero: Vec<bool>,
}

impl OpenPlaces {
    fn new(values: &[Option<f64>], first_place: usize, seasons: &[usize]) -> Self {
        /// A place that has data this much less often than the best ones is closed.
        const OPEN_SHARE: f64 = 0.25;
        /// Where not even the best places have data this often, no hours are closed.
        const RELIABLE_SHARE: f64 = 0.5;
        /// So many turns of a season tell a closed place from a missing value.
        const FEWEST_TURNS: usize = 3;
        let is_known = |season: &&usize| values.len() >= FEWEST_TURNS * **season;
        let longest_known = seasons.iter().rfind(is_known);
        let period = longest_known.or(seasons.first()).copied().unwrap_or(1);
        let shares = shares_with_data(values, first_place, period);
        let zeros = closed_at_zero(values, first_place, period);
        let mut sorted = shares.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        let best = quantile(&sorted, 0.9).unwrap_or_default();
        let at_zero = |place: usize| {
            let zeros = zeros.as_deref();
            zeros.is_some_and(|zeros| zeros[(first_place + place) % period])
        };
        let is_open = |place: usize| {
            let share = shares[(first_place + place) % shares.len()];
            let has_data = best < RELIABLE_SHARE || share > OPEN_SHARE * best;
            place == values.len() || has_data && !at_zero(place)
        };
        let places: Vec<usize> = (0..=values.len()).filter(|place| is_open(*place)).collect();
        let mut slots = vec![None; values.len() + 1];
        for (slot, place) in (0_u32..).zip(&places) {
            slots[*place] = Some(slot);
        }
        Self {
            places,
            slots,
            at_zero: (0..values.len()).map(at_zero).collect(),
        }
    }
}

/// The places of a season that never had anything but zeros, in stretches long enough to tell that from counts
/// that are small. `None` where the place after the values is one of them; where too little would be left
/// without the zeros, or nothing that differs; and where the other places have mostly zeros too, as what comes
/// seldom has no hours.
fn closed_at_zero(values: &[Option<f64>], first_place: usize, period: usize) -> Option<Vec<bool>> {
    /// Of counts with a mean of a tenth, one stretch in twenty has so many zeros in a row; of smaller ones more.
    const FEWEST_ZEROS: usize = 30;
    const FEWEST_LEFT: usize = 50;
    let phase_of = |place: usize| (first_place + place) % period;
    let (mut zeros, mut others) = (vec![0_usize; period], vec![0_usize; period]);
    for (place, value) in values.iter().enumerate() {
        match value {
            Some(0.0) => zeros[phase_of(place)] += 1,
            Some(_) => others[phase_of(place)] += 1,
            None => {}
        }
    }
    let is_open = |phase: &usize| others[*phase] > 0;
    let mut open_values = values.iter().flatten().filter(|value| **value != 0.0);
    let first = open_values.next();
    let all_others: usize = others.iter().sum();
    let zeros_among_others: usize = (0..period).filter(is_open).map(|phase| zeros[phase]).sum();
    if open_values.all(|value| Some(value) == first) || zeros_among_others > all_others {
        return None;
    }
    let mut closed = vec![false; period];
    // The season is a circle: it is gone through from where a stretch begins.
    let begin = (0..period).find(is_open)?;
    let phases: Vec<usize> = (begin..begin + period)
        .map(|phase| phase % period)
        .collect();
    for stretch in phases.chunk_by(|one, next| is_open(one) == is_open(next)) {
        let count: usize = stretch.iter().map(|phase| zeros[*phase]).sum();
        if !is_open(&stretch[0]) && count >= FEWEST_ZEROS {
            for phase in stretch {
                closed[*phase] = true;
            }
        }
    }
    let zeros_left: usize = (0..period)
        .filter(|phase| !closed[*phase])
        .map(|phase| zeros[phase])
        .sum();
    let is_enough = all_others + zeros_left >= FEWEST_LEFT;
    (is_enough && !closed[phase_of(values.len())]).then_some(closed)
}

/// How often each place of the season has data.
fn shares_with_data(values: &[Option<f64>], first_place: usize, period: usize) -> Vec<f64> {
    let (mut seen, mut turns) = (vec![0.0_f64; period], vec![0.0_f64; period]);
    for (place, value) in values.iter().enumerate() {
        let phase = (first_place + place) % period;
        turns[phase] += 1.0;
        seen[phase] += f64::from(u8::from(value.is_some()));
    }
    let shares = seen.iter().zip(turns);
    shares.map(|(seen, turns)| seen / turns.max(1.0)).collect()
}

fn slots_per_hour(step: Step) -> Option<usize> {
    const FEWEST: usize = 5;
    let per_day = step.per_day()?;
    (per_day.is_multiple_of(24) && per_day / 24 >= FEWEST).then_some(per_day / 24)
}

impl Timeline {
    /// Of a history and what a model is to learn of each of its values, in the unit of the series. `None`
    /// if the values do not differ.
    pub fn new(history: &TimeSeries, targets: &[Option<f64>], seasons: &[usize]) -> Option<Self> {
        let unit = Unit::from_values(history.observed().collect())?;
        let wall_clock = WallClock::new(history);
        let phase_count = seasons.first().copied().unwrap_or(1);
        let longest = seasons.last().copied().unwrap_or(1);
        let first_place = wall_clock.first_place(longest.max(phase_count));
        let laid_out = wall_clock.lay_out(history.values());
        let open = OpenPlaces::new(&laid_out, first_place, seasons);
        let measured = |laid_out: &[Option<f64>]| -> Vec<Option<f64>> {
            let open = open.places[..open.places.len() - 1].iter();
            let values = open.map(|place| laid_out[*place]);
            values.map(|value| Some(unit.measure(value?))).collect()
        };
        let phases = open
            .places
            .iter()
            .map(|place| (first_place + place) % phase_count);
        let slots = wall_clock.places.iter().map(|place| open.slots[(*place)?]);
        let at_zero = wall_clock
            .places
            .iter()
            .map(|place| place.is_some_and(|place| open.at_zero[place]));
        let cycles = seasons.iter().map(|length| Cycle::new(*length, &open));
        let mut timeline = Self {
            filled: Vec::new(),
            healthy: vec![false; open.places.len()],
            values: measured(&laid_out),
            targets: measured(&wall_clock.lay_out(targets)),
            unit,
            slots_per_hour: slots_per_hour(history.grid().step()),
            phases: phases.collect(),
            phase_count,
            cycles: cycles.collect(),
            slots: slots.map(|slot| Some(slot? as usize)).collect(),
            at_zero: at_zero.collect(),
        };
        timeline.filled = timeline.fill(&timeline.values);
        for cycle in &mut timeline.cycles {
            cycle.strength = cycle.measure_strength(&timeline.values, &timeline.filled);
        }
        Some(timeline)
    }

    /// The same where the values of these buckets are usual ones.
    #[must_use]
    pub fn with_healthy(mut self, buckets: &[usize]) -> Self {
        for bucket in buckets {
            if let Some(slot) = self.slots.get(*bucket).copied().flatten() {
                self.healthy[slot] = true;
            }
        }
        self
    }

    /// The number of slots of the history, which is the number of the slot to forecast.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Values with every gap filled as the season and the last deviation from it suggest.
    pub fn fill(&self, values: &[Option<f64>]) -> Vec<f64> {
        /// The share of a deviation that is left a slot later.
        const PERSISTENCE: f64 = 0.8;
        let season = self.cycles.first();
        let mut last = values.iter().flatten().next().copied().unwrap_or(0.0);
        let mut filled: Vec<f64> = Vec::with_capacity(self.len() + 1);
        for (slot, value) in values.iter().enumerate() {
            let counterpart = season.and_then(|season| season.counterpart(slot));
            last = match (value, counterpart) {
                (Some(value), _) => *value,
                (None, Some(counterpart @ 1..)) => {
                    filled[counterpart] + PERSISTENCE * (last - filled[counterpart - 1])
                }
                (None, _) => last,
            };
            filled.push(last);
        }
        filled
    }
}

#[cfg(test)]
impl Timeline {
    /// Of values at regular steps, with seasons of so many.
    pub fn sample(step: &str, values: &[f64], seasons: &[usize]) -> Self {
        let history = crate::series::sample::series(step, values);
        Self::new(&history, history.values(), seasons).expect("values that differ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::sample::series_from;

    /// The values of hours 0, 1, ... from a start, by the wall clock.
    fn hours(start: &str, count: i32) -> (Vec<Option<f64>>, Vec<Option<usize>>) {
        let values: Vec<_> = (0..count).map(|hour| Some(f64::from(hour))).collect();
        let wall_clock = WallClock::new(&series_from(start, "1h", &values));
        (wall_clock.lay_out(&values), wall_clock.places)
    }

    #[test]
    fn the_hour_spring_skips_is_a_gap() {
        let (values, places) = hours("2026-03-29 00:00", 5);
        let expected = [Some(0.0), Some(1.0), None, Some(2.0), Some(3.0), Some(4.0)];
        assert_eq!(values, expected);
        assert_eq!(places, [0, 1, 3, 4, 5].map(Some));
    }

    #[test]
    fn the_hour_autumn_repeats_has_one_place() {
        let (values, places) = hours("2026-10-25 00:00", 6);
        assert_eq!(values, [0.0, 1.0, 3.0, 4.0, 5.0].map(Some));
        assert_eq!(places, [0, 1, 2, 2, 3, 4].map(Some));
    }

    #[test]
    fn within_the_repeated_hour_the_forecast_stays_one_step_ahead() {
        // Three hours from midnight: 00:00, 01:00, 02:00. The next slot reads 02:00 again.
        let (values, places) = hours("2026-10-25 00:00", 3);
        assert_eq!(values, [0.0, 1.0].map(Some));
        assert_eq!(places, [Some(0), Some(1), None]);
    }

    #[test]
    fn hours_with_nothing_but_zeros_are_closed_unless_what_comes_is_rare_or_always_the_same() {
        const DAY: usize = 24;
        let closed = |value: &dyn Fn(usize) -> f64| {
            // Up to an open hour.
            let values: Vec<_> = (0..28 * DAY + 10).map(|hour| Some(value(hour))).collect();
            closed_at_zero(&values, 0, DAY)
        };
        #[expect(clippy::cast_precision_loss, reason = "a few hundred hours")]
        let size = |hour: usize| 100.0 + (hour % 7) as f64;
        let is_open = |hour: usize| (9..20).contains(&(hour % DAY));
        let of_shop = closed(&|hour| if is_open(hour) { size(hour) } else { 0.0 });
        let expected: Vec<bool> = (0..DAY).map(|hour| !is_open(hour)).collect();
        assert_eq!(of_shop, Some(expected));
        let night = (0..28 * DAY).map(|hour| Some(if is_open(hour) { size(hour) } else { 0.0 }));
        assert_eq!(closed_at_zero(&night.collect::<Vec<_>>(), 0, DAY), None);
        let rare = |hour: usize| hour % 53 == 9 && is_open(hour);
        assert_eq!(
            closed(&|hour| if rare(hour) { size(hour) } else { 0.0 }),
            None
        );
        assert_eq!(closed(&|hour| if is_open(hour) { 60.0 } else { 0.0 }), None);
    }
}
