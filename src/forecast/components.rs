//! A history taken apart for people: trend, seasons and remainder, which sum up to the value. It
//! illustrates the history; no verdict rests on it.

use anyhow::Result;

use super::augurs;
use super::clean::Cleaned;
use super::method::Method;
use super::seasons::Seasons;
use super::timeline::Timeline;
use crate::series::{Steps, TimeSeries};

/// Components bucket by bucket, in the unit of the series; `None` where the history has no value.
#[derive(Debug, Clone)]
pub struct Components {
    pub trend: Vec<Option<f64>>,
    /// Shortest first.
    pub seasons: Vec<SeasonalComponent>,
    /// What days of the month add to the others; `None` where none stands out.
    pub month_days: Option<Vec<Option<f64>>>,
    /// The rest of the value as it was measured, outlier or not.
    pub remainder: Vec<Option<f64>>,
}

impl Components {
    /// With the bucket after the history: the trend goes on as it is, and a season as it was a turn ago.
    #[must_use]
    pub fn continued(mut self, value: f64) -> Self {
        let trend = self.trend.iter().rev().find_map(|value| *value);
        let mut rest = trend.map(|trend| value - trend);
        self.trend.push(trend);
        for season in &mut self.seasons {
            let ago = season.values.len().checked_sub(season.length.count);
            let value = ago.and_then(|index| *season.values.get(index)?);
            rest = rest.zip(value).map(|(rest, value)| rest - value);
            season.values.push(value);
        }
        self.remainder.push(rest);
        self
    }

    /// The same of values as they were seen, where these are the components of those without what days of the
    /// month add.
    #[must_use]
    pub fn with_month_days(self, seen: &[Option<f64>], ordinary: &[Option<f64>]) -> Self {
        let pairs = seen.iter().zip(ordinary);
        let added = pairs.map(|(seen, ordinary)| Some((*seen)? - (*ordinary)?));
        Self {
            month_days: Some(added.collect()),
            ..self
        }
    }
}

/// What one season adds to the trend.
#[derive(Debug, Clone)]
pub struct SeasonalComponent {
    pub length: Steps,
    pub values: Vec<Option<f64>>,
}

/// Takes a history apart. Outliers that were clipped are no training targets, so they stay in the
/// remainder. `None` if its values do not differ. A season is left out if the open hours hold less than
/// two turns of it.
pub fn decompose(
    history: &TimeSeries,
    cleaned: &Cleaned,
    method: &Method,
) -> Result<Option<Components>> {
    let seasons = Seasons::new(history, &method.seasons)?;
    let mut targets = history.values().to_vec();
    for index in &cleaned.clipped {
        targets[*index] = None;
    }
    let Some(timeline) = Timeline::new(history, &targets, &seasons.0) else {
        return Ok(None);
    };
    let parts = augurs::decompose(&timeline)?;
    let by_bucket = |slots: &[f64], in_series_unit: &dyn Fn(f64) -> f64| -> Vec<Option<f64>> {
        let buckets = history.values().iter().zip(&timeline.slots);
        let measured = buckets.map(|(value, slot)| slots.get(value.and(*slot)?));
        measured
            .map(|value| Some(in_series_unit(*value?)))
            .collect()
    };
    let unit = timeline.unit;
    let trend = by_bucket(&parts.trend, &|value| unit.value(value));
    let step = history.grid().step();
    let components = parts.seasons.iter();
    let components = components.map(|(period, values)| SeasonalComponent {
        length: Steps {
            step,
            count: seasons.0[period.number],
        },
        values: by_bucket(values, &|value| value * unit.size),
    });
    let seasons: Vec<SeasonalComponent> = components.collect();
    let remainder = history.values().iter().enumerate().map(|(index, value)| {
        let seasonal = seasons.iter().filter_map(|season| season.values[index]);
        Some((*value)? - trend[index]? - seasonal.sum::<f64>())
    });
    Ok(Some(Components {
        remainder: remainder.collect(),
        month_days: None,
        trend,
        seasons,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forecast::SeasonChoice;
    use crate::series::sample::series_with_gaps;

    /// Three weeks of hours that rise slowly and swing by 200 a day, closed from 0 to 6 h.
    fn history() -> TimeSeries {
        let value = |hour: u32| {
            let turn = f64::from(hour % 24) / 24.0 * std::f64::consts::TAU;
            let value = 1000.0 + f64::from(hour) + 200.0 * turn.sin();
            (hour % 24 >= 6 && hour != 250).then_some(value)
        };
        let values: Vec<_> = (0..21 * 24).map(value).collect();
        series_with_gaps("1h", &values)
    }

    fn components_by(history: &TimeSeries, method: &Method) -> Option<Components> {
        decompose(history, &Cleaned::untouched(history), method).expect("a decomposition")
    }

    fn components(history: &TimeSeries) -> Components {
        components_by(history, &Method::default()).expect("components")
    }

    #[test]
    fn components_sum_up_to_the_value_and_are_absent_where_it_is() {
        let history = history();
        let components = components(&history);
        for (index, value) in history.values().iter().enumerate() {
            let seasons = components.seasons.iter();
            let seasons = seasons.map(|season| season.values[index]);
            let parts = seasons.chain([components.trend[index], components.remainder[index]]);
            let parts: Vec<f64> = parts.flatten().collect();
            match value {
                Some(value) => assert!((value - parts.iter().sum::<f64>()).abs() < 1e-9, "{index}"),
                None => assert!(parts.is_empty(), "{index}"),
            }
        }
    }

    #[test]
    fn the_bucket_after_the_history_is_taken_apart_too() {
        // The history ends at midnight, when it is closed.
        let open = series_with_gaps("1h", &history().values()[..20 * 24 + 12]);
        let components = components(&open).continued(1500.0);
        let last = |values: &[Option<f64>]| values[open.len()].expect("a value");
        let season = last(&components.seasons[0].values);
        assert_eq!(components.seasons[0].values[19 * 24 + 12], Some(season));
        let seasons = components.seasons.iter().map(|season| last(&season.values));
        let sum = seasons.sum::<f64>() + last(&components.trend) + last(&components.remainder);
        assert!((sum - 1500.0).abs() < 1e-9, "{sum}");
    }

    #[test]
    fn the_trend_is_the_rise_and_the_season_the_swing() {
        let components = components(&history());
        let at = |index: usize| components.trend[index].expect("a value");
        let rise = at(18 * 24 + 12) - at(4 * 24 + 12);
        assert!((rise - 14.0 * 24.0).abs() < 10.0, "{rise}");
        let day = &components.seasons[0];
        assert_eq!(day.length.to_string(), "1 d");
        let swing = |hour: usize| day.values[10 * 24 + hour].expect("a value");
        assert!(swing(6) - swing(18) > 350.0, "{:?}", day.values);
    }

    #[test]
    fn an_outlier_is_left_in_the_remainder() {
        let history = history();
        let place = 10 * 24 + 12;
        let spiked = history.map(|index, value| if index == place { 9000.0 } else { value });
        let cleaned = Cleaned {
            clipped: vec![place],
            ..Cleaned::untouched(&spiked)
        };
        let calm = components(&history).trend[place].expect("a value");
        let components = decompose(&spiked, &cleaned, &Method::default());
        let components = components.expect("a decomposition").expect("components");
        let trend = components.trend[place].expect("a value");
        assert!((trend - calm).abs() < 10.0, "{trend} and {calm}");
        assert!(components.remainder[place].is_some_and(|remainder| remainder > 7000.0));
    }

    #[test]
    fn without_a_season_all_but_the_trend_is_remainder() {
        let values = (0..60_u32).map(|day| Some(f64::from(day * 7919 % 101)));
        let history = series_with_gaps("7d", &values.collect::<Vec<_>>());
        let method = Method {
            seasons: SeasonChoice::Given(Vec::new()),
            ..Method::default()
        };
        let components = components_by(&history, &method).expect("components");
        assert!(components.seasons.is_empty());
        assert!(components.trend.iter().all(Option::is_some));
    }

    #[test]
    fn a_history_that_never_changed_has_no_components() {
        let history = series_with_gaps("1h", &[Some(5.0); 72]);
        assert!(components_by(&history, &Method::default()).is_none());
    }
}
