//! How rows become buckets: as they are, or so long that each holds enough of them.

use chrono::TimeDelta;

use crate::series::{Step, infer_step};
use crate::source::catalog::Density;

/// The step, and whether each row is a bucket already.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bucketing {
    pub step: Step,
    pub is_ready_made: bool,
}

/// In seconds, the shortest first.
const STEPS: [u32; 3] = [300, 900, 3600];
const DAY: u32 = 86_400;
/// With fewer rows a bucket, hardly any loss of them would show.
const ENOUGH_ROWS: f64 = 8.0;
/// Rows that are ready-made are no closer than this.
const SHORTEST_READY_MADE: TimeDelta = TimeDelta::minutes(5);
/// So few times say nothing of how regular they are.
const FEWEST_TIMES: usize = 10;

impl Bucketing {
    /// Only rows with a value can be ready-made.
    pub fn of(density: &Density, has_value: bool) -> Self {
        let regular = infer_step(&density.times).filter(|step| is_kept(*step, density));
        if let Some(step) = regular
            && has_value
            && density.rows == density.distinct_times
            && density.times.len() >= FEWEST_TIMES
            && step.mean_length() >= SHORTEST_READY_MADE
        {
            return Self {
                step,
                is_ready_made: true,
            };
        }
        let is_of_days = regular.is_some_and(|step| step.mean_length() >= TimeDelta::days(1));
        let mut steps = STEPS.into_iter().filter_map(Step::from_seconds);
        let short = steps.find(|step| !is_of_days && rows_a_bucket(density, *step) >= ENOUGH_ROWS);
        Self {
            step: short.or(Step::from_seconds(DAY)).unwrap_or(Step::Month),
            is_ready_made: false,
        }
    }
}

/// Whether all the newest times are a number of steps from each other, by the wall clock.
fn is_kept(step: Step, density: &Density) -> bool {
    let Step::Fixed(fixed) = step else {
        return true;
    };
    let times = &density.times;
    let between = times
        .windows(2)
        .map(|pair| pair[0].naive_local() - pair[1].naive_local());
    let mut seconds = between.map(|length| length.num_seconds());
    seconds.all(|seconds| seconds % fixed.seconds() == 0)
}

/// How many rows a bucket of a step holds: of short ones, in the hours that have any.
pub fn rows_a_bucket(density: &Density, step: Step) -> f64 {
    let buckets = match step.per_day() {
        Some(a_day) => float(density.hours) * float(a_day as u64) / 24.0,
        None => 28.0 * TimeDelta::days(1).as_seconds_f64() / step.mean_length().as_seconds_f64(),
    };
    float(density.rows) / buckets.max(1.0)
}

#[expect(clippy::cast_precision_loss, reason = "an estimate")]
fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::sample::time;

    fn density(lengths: impl Iterator<Item = i64>, rows: u64, hours: u64) -> Density {
        let newest = time("2026-11-22 14:05");
        let times = lengths.map(|minutes| newest - TimeDelta::minutes(minutes));
        Density {
            times: times.collect(),
            rows,
            distinct_times: rows,
            hours,
        }
    }

    fn step(text: &str) -> Step {
        text.parse().expect("a step")
    }

    #[test]
    fn the_step_is_the_shortest_with_enough_rows_in_the_hours_that_have_any() {
        // Open ten hours a day, of 28 days.
        let hours = 280;
        for (rows, expected) in [
            (hours * 12 * 9, "5m"),
            (hours * 12 * 7, "15m"),
            (hours * 4 * 7, "1h"),
            (hours * 7, "1d"),
            (3, "1d"),
        ] {
            let odd = (0..500).map(|index| index * 7 + index * index % 5);
            let found = Bucketing::of(&density(odd, rows, hours), true);
            assert!(!found.is_ready_made, "{rows}");
            assert_eq!(found.step, step(expected), "{rows}");
        }
    }

    #[test]
    fn rows_of_a_value_that_keep_a_step_are_ready_made() {
        let every = |minutes: i64| (0..500).map(move |index| index * minutes);
        let found = Bucketing::of(&density(every(10), 4032, 672), true);
        let ready_made = Bucketing {
            step: step("10m"),
            is_ready_made: true,
        };
        assert_eq!(found, ready_made);
        let counted = Bucketing::of(&density(every(10), 4032, 672), false);
        assert!(!counted.is_ready_made);
        let mut repeated = density(every(10), 40_320, 672);
        repeated.distinct_times = 4032;
        let found = Bucketing::of(&repeated, true);
        assert_eq!((found.step, found.is_ready_made), (step("15m"), false));
    }

    #[test]
    fn dates_make_days_however_many_rows_they_have() {
        let mut dates = density((0..27).map(|day| day * 1440), 1_000_000, 28);
        dates.distinct_times = 28;
        let found = Bucketing::of(&dates, true);
        assert_eq!((found.step, found.is_ready_made), (step("1d"), false));
    }
}
