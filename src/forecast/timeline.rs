//! A history as the models see it: laid out by the wall clock, so that 14:05 is the same place of
//! every day also after the clocks changed; without the hours in which nothing ever happens, so that
//! the morning follows the evening before; in units of its own spread. Each slot knows its
//! counterparts one season, two seasons, ... back.

use super::Seasons;
use super::wall_clock::WallClock;
use crate::forecast::clean::Cleaned;
use crate::series::{Step, TimeSeries};

/// Slots by the wall clock, the last one the slot to forecast.
#[derive(Debug, Clone)]
pub struct Timeline {
    /// What happened, in units of [`Timeline::unit`] from its centre; one less than there are slots.
    pub values: Vec<Option<f64>>,
    /// The same with outliers clipped: what a model learns from.
    pub lessons: Vec<Option<f64>>,
    /// The values with every gap filled, see [`Timeline::fill`].
    pub filled: Vec<f64>,
    pub unit: Unit,
    /// The slots of an hour, where there are enough to tell one from the last few values.
    pub hour: Option<usize>,
    /// Of each slot, its place in the shortest season, from 0.
    pub phases: Vec<usize>,
    /// The number of places in the shortest season: 1 if there is none.
    pub phase_count: usize,
    /// Shortest first.
    pub cycles: Vec<Cycle>,
    /// Where each slot of the history went; `None` for those that share their reading of the clock
    /// with a later one.
    pub slots: Vec<Option<usize>>,
}

/// A season, and of each slot the counterparts in earlier turns of it.
#[derive(Debug, Clone)]
pub struct Cycle {
    /// [`Cycle::NEVER`] from the first turn on that had none.
    counterparts: Vec<[u32; Cycle::TURNS]>,
    /// How much of the values' distance from their centre the season explains: 1 is all, 0 or less
    /// nothing.
    pub strength: f64,
}

/// Where values are counted from and in, so that a revenue in cents and one in millions are the same
/// to every model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Unit {
    pub centre: f64,
    pub size: f64,
}

impl Unit {
    /// The median, and the mean distance from it, which no wild value sways. `None` if the values do
    /// not differ, or by more than a number can hold.
    fn of(values: &[f64]) -> Option<Self> {
        /// No distance counts for more than so many times their median.
        const CAP: f64 = 100.0;
        let middle = values.len() / 2;
        let mut sizes = values.to_vec();
        if sizes.is_empty() {
            return None;
        }
        let centre = *sizes.select_nth_unstable_by(middle, f64::total_cmp).1;
        for size in &mut sizes {
            *size = (*size - centre).abs();
        }
        let most = match CAP * *sizes.select_nth_unstable_by(middle, f64::total_cmp).1 {
            0.0 => f64::INFINITY,
            most => most,
        };
        #[expect(clippy::cast_precision_loss, reason = "a window has few slots")]
        let count = sizes.len() as f64;
        let size: f64 = sizes.iter().map(|size| size.min(most) / count).sum();
        (size > 0.0 && size.is_finite()).then_some(Self { centre, size })
    }

    /// In units from the centre. A value too far away to be anything but wrong is taken to be less far,
    /// so that sums of its squares stay numbers.
    pub fn measure(self, value: f64) -> f64 {
        const FARTHEST: f64 = 1e6;
        ((value - self.centre) / self.size).clamp(-FARTHEST, FARTHEST)
    }

    pub fn value(self, measured: f64) -> f64 {
        self.centre + measured * self.size
    }
}

impl Cycle {
    /// How many turns back a slot remembers.
    pub const TURNS: usize = 7;
    const NEVER: u32 = u32::MAX;

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

    /// `filled` are the values without gaps.
    fn measure_strength(&mut self, values: &[Option<f64>], filled: &[f64]) {
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
        self.strength = if all > 0.0 {
            1.0 - unexplained / all
        } else {
            0.0
        };
    }

    fn of(length: usize, open: &Open) -> Self {
        let counterparts = open
            .places
            .iter()
            .map(|place| {
                let mut found = [Self::NEVER; Self::TURNS];
                let mut earlier = *place;
                let mut turn = 0;
                while turn < Self::TURNS && earlier >= length {
                    earlier -= length;
                    if let Some(slot) = open.slots[earlier] {
                        found[turn] = slot;
                        turn += 1;
                    }
                }
                found
            })
            .collect();
        Self {
            counterparts,
            strength: 0.0,
        }
    }
}

/// Which places of the wall clock are open.
struct Open {
    /// The open places, in order.
    places: Vec<usize>,
    /// Of each place, its number among the open ones.
    slots: Vec<Option<u32>>,
}

/// A place of the season that holds data this much less often than the best ones do is closed.
const OPEN_SHARE: f64 = 0.25;
/// Where not even the best places have data this often, data come when they come.
const RELIABLE_SHARE: f64 = 0.5;
/// So many turns of a season tell a closed place from a missing value.
const TURNS_TO_TELL: usize = 3;

impl Open {
    /// Closed is what hardly ever has data at its place of the season. The place to forecast is open:
    /// it has a value.
    fn of(values: &[Option<f64>], first_place: usize, seasons: &Seasons) -> Self {
        let told = |season: &&usize| values.len() >= TURNS_TO_TELL * **season;
        let shortest = seasons.0.first();
        let period = seasons.0.iter().rfind(told).or(shortest);
        let shares = shares(values, first_place, period.copied().unwrap_or(1));
        let mut sorted = shares.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        let best = sorted[sorted.len() * 9 / 10];
        let is_open = |place: usize| {
            let share = shares[(first_place + place) % shares.len()];
            place == values.len() || best < RELIABLE_SHARE || share > OPEN_SHARE * best
        };
        let places: Vec<usize> = (0..=values.len()).filter(|place| is_open(*place)).collect();
        let mut slots = vec![None; values.len() + 1];
        for (slot, place) in places.iter().enumerate() {
            slots[*place] = u32::try_from(slot).ok();
        }
        Self { places, slots }
    }
}

fn slots_of_an_hour(step: Step) -> Option<usize> {
    const FEWEST: i64 = 5;
    const SECONDS: i64 = 3600;
    let slots = SECONDS / step.seconds();
    let is_hour = SECONDS % step.seconds() == 0 && slots >= FEWEST;
    is_hour.then(|| usize::try_from(slots).ok()).flatten()
}

/// How often each place of the season has data.
fn shares(values: &[Option<f64>], first_place: usize, period: usize) -> Vec<f64> {
    let (mut seen, mut turns) = (vec![0.0; period], vec![0.0; period]);
    for (place, value) in values.iter().enumerate() {
        let phase = (first_place + place) % period;
        turns[phase] += 1.0;
        seen[phase] += f64::from(u8::from(value.is_some()));
    }
    seen.iter()
        .zip(turns)
        .map(|(seen, turns): (&f64, f64)| seen / turns.max(1.0))
        .collect()
}

impl Timeline {
    /// `None` if the values do not differ.
    pub fn lay_out(history: &TimeSeries, cleaned: &Cleaned, seasons: &Seasons) -> Option<Self> {
        let observed: Vec<f64> = history.observed().collect();
        let unit = Unit::of(&observed)?;
        let wall_clock = WallClock::lay_out(history);
        let phase_count = seasons.0.first().copied().unwrap_or(1);
        let longest = seasons.0.last().copied().unwrap_or(1);
        let first_place = wall_clock.first_place(longest.max(phase_count));
        let open = Open::of(&wall_clock.values, first_place, seasons);
        let places = &open.places[..open.places.len() - 1];
        let measured = |laid_out: &WallClock| -> Vec<Option<f64>> {
            places
                .iter()
                .map(|place| laid_out.values[*place].map(|value| unit.measure(value)))
                .collect()
        };
        let values = measured(&wall_clock);
        let lessons = if cleaned.history.values() == history.values() {
            values.clone()
        } else {
            measured(&WallClock::lay_out(&cleaned.history))
        };
        let cycles = seasons.0.iter().map(|length| Cycle::of(*length, &open));
        let mut timeline = Self {
            filled: Vec::new(),
            values,
            lessons,
            unit,
            hour: slots_of_an_hour(history.grid().step()),
            phases: open
                .places
                .iter()
                .map(|place| (first_place + place) % phase_count)
                .collect(),
            phase_count,
            cycles: cycles.collect(),
            slots: wall_clock
                .places
                .iter()
                .map(|place| open.slots[(*place)?].map(|slot| slot as usize))
                .collect(),
        };
        timeline.filled = timeline.fill(&timeline.values);
        for cycle in &mut timeline.cycles {
            cycle.measure_strength(&timeline.values, &timeline.filled);
        }
        Some(timeline)
    }

    /// The number of slots of the history, which is the number of the slot to forecast.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Values with every gap filled as the season and the last deviation from it suggest.
    pub fn fill(&self, values: &[Option<f64>]) -> Vec<f64> {
        /// How much of a deviation is left a slot later.
        const PERSISTENCE: f64 = 0.8;
        let mut last = values.iter().flatten().next().copied().unwrap_or(0.0);
        let mut filled: Vec<f64> = Vec::with_capacity(self.len() + 1);
        for (slot, value) in values.iter().enumerate() {
            let before = self
                .cycles
                .first()
                .and_then(|cycle| cycle.counterpart(slot))
                .filter(|counterpart| *counterpart > 0);
            last = value.unwrap_or_else(|| {
                before.map_or(last, |counterpart| {
                    filled[counterpart] + PERSISTENCE * (last - filled[counterpart - 1])
                })
            });
            filled.push(last);
        }
        filled
    }
}
