//! What the forecast and its band promise, tested on simulated series of which everything is known.
//! Every series comes from a seeded generator, so that a figure stated here stays what it is.

mod calendars;
mod closures;
mod coverage;
mod interruptions;
mod magnitudes;
mod properties;
mod steps;
mod years;

use chrono::{DateTime, Datelike, TimeDelta, Timelike};
use chrono_tz::Tz;
use rayon::iter::{IntoParallelIterator, ParallelIterator};

use super::*;
use crate::series::parse_time;
use crate::series::sample::{grid, series_at};

/// Steele, Lea and Flood, *Fast Splittable Pseudorandom Number Generators*, 2014.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Within (0, 1).
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
    pub fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 12) as f64 / 2.0_f64.powi(52) + 2.0_f64.powi(-53)
    }

    /// Standard normal, by Box and Muller.
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * self.uniform().ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

/// A series of which each point can be judged from what came before it.
pub struct Simulated {
    pub start: DateTime<Tz>,
    pub step: &'static str,
    pub values: Vec<Option<f64>>,
    /// Of how many values each is judged.
    pub window: usize,
}

impl Simulated {
    pub fn time(&self, index: usize) -> DateTime<Tz> {
        let grid = grid(self.step, self.start);
        grid.instant(grid.slot(self.start) + i64::try_from(index).expect("few"))
    }

    /// What is made of the point, whose own value is not looked at.
    pub fn predict(&self, index: usize, method: &Method) -> Result<Forecast, String> {
        let first = index - self.window;
        let history = series_at(self.time(first), self.step, &self.values[first..index]);
        predict(&history, &[], method).expect("a model that fits")
    }

    /// The points of a range that have a value, each with its forecast.
    pub fn judge(
        &self,
        indices: impl IntoIterator<Item = usize>,
        method: &Method,
    ) -> Vec<(usize, f64, Forecast)> {
        let indices: Vec<usize> = indices.into_iter().collect();
        indices
            .into_par_iter()
            .filter_map(|index| {
                let value = self.values[index]?;
                let forecast = self.predict(index, method);
                Some((index, value, forecast.expect("a forecast")))
            })
            .collect()
    }
}

/// Noon of the shop: 0 at night, 1 at 12:00 on the wall clock, smooth.
pub fn by_day(time: DateTime<Tz>) -> f64 {
    let hour = f64::from(time.num_seconds_from_midnight()) / 3600.0;
    (-((hour - 12.0) / 3.0).powi(2) / 2.0).exp()
}

/// Weekdays differ as a shop's do, from 0.95 to 1.15.
pub fn by_weekday(time: DateTime<Tz>) -> f64 {
    let weekday = time.weekday().num_days_from_monday() as usize;
    [0.97, 0.95, 0.98, 1.0, 1.08, 1.15, 1.02][weekday]
}

pub fn start(text: &str, zone: Tz) -> DateTime<Tz> {
    parse_time(text, zone).expect("a time")
}

pub fn method(level: f64) -> Method {
    Method {
        level: Level::new(level).expect("a level"),
        ..Method::default()
    }
}

pub fn is_within(value: f64, band: &Band) -> bool {
    band.lower <= value && value <= band.upper
}

/// The share of the points that lie within their bands.
#[expect(clippy::cast_precision_loss, reason = "a few hundred points")]
pub fn coverage(judged: &[(usize, f64, Forecast)]) -> f64 {
    let within = judged
        .iter()
        .filter(|(_, value, forecast)| is_within(*value, &forecast.band));
    within.count() as f64 / judged.len() as f64
}

/// Half an hour, an hour and so on in steps of five minutes.
pub fn steps_of_five_minutes(length: TimeDelta) -> usize {
    usize::try_from(length.num_minutes() / 5).expect("a length")
}

#[test]
fn the_random_numbers_are_those_of_the_paper() {
    // s, M = 42, 2**64 - 1
    // for _ in range(3):
    //   s = (s + 0x9e3779b97f4a7c15) & M; z = s
    //   z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9 & M; z = (z ^ z >> 27) * 0x94d049bb133111eb & M
    //   print((z ^ z >> 31) / 2**64)        # the first is 13679457532755275413, as the authors' code has it
    let mut random = Random::new(42);
    for expected in [
        0.741_564_878_771_823_4,
        0.159_910_392_876_920_13,
        0.278_601_130_255_138_8,
    ] {
        let found = random.uniform();
        assert!((found - expected).abs() < 1e-12, "{found}");
    }
}
