//! A history laid out by the wall clock, for models whose seasons count positions: 14:05 is the same
//! place in every day, also in the week after the clocks changed. The hour that spring skips is a
//! gap; of the hour that autumn repeats, one reading has one place.

use crate::series::TimeSeries;

/// Values by their place on the wall clock, the last place just before the slot to forecast.
#[derive(Debug, Clone)]
pub struct WallClock {
    pub values: Vec<Option<f64>>,
    /// Where each slot of the history went.
    pub places: Vec<Option<usize>>,
    /// The place of the first value, in steps since [`crate::series::Grid::EPOCH`].
    first: i64,
}

impl WallClock {
    /// If the slot to forecast is in the second pass of a repeated hour, what the first pass had at
    /// and after the same reading is left out, so that the forecast is still one step ahead. Of two
    /// values with one place the later stays.
    pub fn lay_out(history: &TimeSeries) -> Self {
        let wall_slots = history.wall_slots();
        let first = wall_slots[0];
        let len = usize::try_from(wall_slots[history.len()] - first).unwrap_or(0);
        let mut values = vec![None; len];
        let places: Vec<Option<usize>> = (0..history.len())
            .map(|index| {
                usize::try_from(wall_slots[index] - first)
                    .ok()
                    .filter(|place| *place < len)
            })
            .collect();
        for (place, value) in places.iter().zip(history.values()) {
            if let (Some(place), Some(value)) = (place, value) {
                values[*place] = Some(*value);
            }
        }
        Self {
            values,
            places,
            first,
        }
    }

    /// The first value's place in a season of this many steps, which turns over at midnight, or on a
    /// Monday's.
    pub fn first_place(&self, season: usize) -> usize {
        let season = i64::try_from(season.max(1)).unwrap_or(i64::MAX);
        usize::try_from(self.first.rem_euclid(season)).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::sample::series_from;

    fn hours(start: &str, count: i32) -> TimeSeries {
        series_from(
            start,
            "1h",
            &(0..count)
                .map(|hour| Some(f64::from(hour)))
                .collect::<Vec<_>>(),
        )
    }

    #[test]
    fn the_hour_spring_skips_is_a_gap() {
        let wall_clock = WallClock::lay_out(&hours("2026-03-29 00:00", 5));
        assert_eq!(
            wall_clock.values,
            [Some(0.0), Some(1.0), None, Some(2.0), Some(3.0), Some(4.0)]
        );
        assert_eq!(wall_clock.places, [0, 1, 3, 4, 5].map(Some));
    }

    #[test]
    fn the_hour_autumn_repeats_has_one_place() {
        let wall_clock = WallClock::lay_out(&hours("2026-10-25 00:00", 6));
        assert_eq!(
            wall_clock.values,
            [Some(0.0), Some(1.0), Some(3.0), Some(4.0), Some(5.0)]
        );
        assert_eq!(wall_clock.places, [0, 1, 2, 2, 3, 4].map(Some));
    }

    #[test]
    fn within_the_repeated_hour_the_forecast_stays_one_step_ahead() {
        // Three hours from midnight: 00:00, 01:00, 02:00. The next slot reads 02:00 again.
        let wall_clock = WallClock::lay_out(&hours("2026-10-25 00:00", 3));
        assert_eq!(wall_clock.values, [Some(0.0), Some(1.0)]);
        assert_eq!(wall_clock.places, [Some(0), Some(1), None]);
    }
}
