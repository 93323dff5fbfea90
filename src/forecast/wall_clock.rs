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
}

impl WallClock {
    /// If the slot to forecast is in the second pass of a repeated hour, what the first pass had at
    /// and after the same reading is left out, so that the forecast is still one step ahead. Of two
    /// values with one place the later stays.
    pub fn lay_out(history: &TimeSeries) -> Self {
        let wall_slot = |index| history.grid().wall_slot(history.slot(index));
        let first = wall_slot(0);
        let len = usize::try_from(wall_slot(history.len()) - first).unwrap_or(0);
        let mut values = vec![None; len];
        let places: Vec<Option<usize>> = (0..history.len())
            .map(|index| {
                usize::try_from(wall_slot(index) - first)
                    .ok()
                    .filter(|place| *place < len)
            })
            .collect();
        for (place, value) in places.iter().zip(history.values()) {
            if let (Some(place), Some(value)) = (place, value) {
                values[*place] = Some(*value);
            }
        }
        Self { values, places }
    }

    /// The values with every gap filled, for models that need each one: from the same place of the
    /// season before (or after, at the start), and where there is none, on the line between the
    /// neighbours. Empty if there is no value at all.
    pub fn filled(&self, season: usize) -> Vec<f64> {
        let mut values = self.values.clone();
        if season > 0 {
            for index in season..values.len() {
                values[index] = values[index].or(values[index - season]);
            }
            for index in (0..values.len().saturating_sub(season)).rev() {
                values[index] = values[index].or(values[index + season]);
            }
        }
        interpolate(&values)
    }
}

/// Fills gaps on the line between their neighbours, and with the nearest value at the ends.
fn interpolate(values: &[Option<f64>]) -> Vec<f64> {
    let known: Vec<(usize, f64)> = values
        .iter()
        .enumerate()
        .filter_map(|(index, value)| value.map(|value| (index, value)))
        .collect();
    let Some((first, last)) = known.first().zip(known.last()) else {
        return Vec::new();
    };
    let mut filled = vec![first.1; first.0];
    for pair in known.windows(2) {
        let (start, end) = (pair[0], pair[1]);
        filled.extend((start.0..end.0).map(|index| {
            #[expect(
                clippy::cast_precision_loss,
                reason = "a window has fewer than 2^53 slots"
            )]
            let share = (index - start.0) as f64 / (end.0 - start.0) as f64;
            start.1 * (1.0 - share) + end.1 * share
        }));
    }
    filled.resize(values.len(), last.1);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::sample::{series_from, series_with_gaps};

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

    #[test]
    fn gaps_are_filled_from_the_season_and_else_from_the_neighbours() {
        let values = [
            Some(1.0),
            None,
            Some(3.0),
            Some(5.0),
            Some(6.0),
            None,
            None,
            Some(2.0),
            Some(9.0),
        ];
        let wall_clock = WallClock::lay_out(&series_with_gaps("1h", &values));
        assert_eq!(
            wall_clock.filled(3),
            [1.0, 6.0, 3.0, 5.0, 6.0, 3.0, 5.0, 2.0, 9.0]
        );
        let values = [None, Some(1.0), None, None, Some(4.0), None];
        let wall_clock = WallClock::lay_out(&series_with_gaps("1h", &values));
        assert_eq!(wall_clock.filled(0), [1.0, 1.0, 2.0, 3.0, 4.0, 4.0]);
        let nothing = WallClock::lay_out(&series_with_gaps("1h", &[None, None]));
        assert!(nothing.filled(1).is_empty());
    }
}
