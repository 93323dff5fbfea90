//! The length of a bucket: parsed once and valid from then on, or found from the data.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use chrono_tz::Tz;

use crate::output::write_setting;

const DAY: u32 = 86_400;
const WEEK: u32 = 7 * DAY;

/// The length of a bucket: whole seconds that divide a day evenly, or whole days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Step {
    seconds: u32,
}

impl Step {
    pub fn from_seconds(seconds: u32) -> Option<Self> {
        let valid = (1..=31 * DAY).contains(&seconds)
            && (DAY.is_multiple_of(seconds) || seconds.is_multiple_of(DAY));
        valid.then_some(Self { seconds })
    }

    pub fn seconds(self) -> i64 {
        i64::from(self.seconds)
    }

    pub fn delta(self) -> TimeDelta {
        TimeDelta::seconds(self.seconds())
    }

    pub fn times(self, count: usize) -> TimeDelta {
        i32::try_from(count).map_or(TimeDelta::MAX, |count| self.delta() * count)
    }

    /// How many whole steps fit into `span`.
    pub fn count_in(self, span: Duration) -> usize {
        usize::try_from(span.as_secs() / u64::from(self.seconds)).unwrap_or(usize::MAX)
    }

    /// Steps in a day, for steps shorter than one.
    pub fn per_day(self) -> Option<usize> {
        (self.seconds < DAY).then(|| (DAY / self.seconds) as usize)
    }

    /// Steps in a week, for steps shorter than one that divide it.
    pub fn per_week(self) -> Option<usize> {
        (self.seconds < WEEK && WEEK.is_multiple_of(self.seconds))
            .then(|| (WEEK / self.seconds) as usize)
    }

    /// Steps beyond an hour do: a daily bucket is a calendar day, even one of 23 or 25 hours.
    pub fn follows_wall_clock(self) -> bool {
        self.seconds > 3600
    }
}

impl FromStr for Step {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        humantime::parse_duration(text)
            .ok()
            .filter(|duration| duration.subsec_nanos() == 0)
            .and_then(|duration| u32::try_from(duration.as_secs()).ok())
            .and_then(Self::from_seconds)
            .ok_or_else(|| format!("{text:?} is not a step; allowed: whole seconds that divide a day evenly (\"1m\", \"5m\", \"1h\") or whole days (\"1d\"), up to 31d"))
    }
}

impl fmt::Display for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str(&write_setting(Duration::from_secs(self.seconds.into())))
    }
}

/// Steps a clock has names for, in seconds: what times that jitter are taken to aim at.
const NATURAL: [u32; 26] = [
    1, 2, 5, 10, 15, 20, 30, 60, 120, 180, 240, 300, 360, 600, 720, 900, 1200, 1800, 3600, 7200,
    10_800, 14_400, 21_600, 28_800, 43_200, DAY,
];

/// The step of rows with these times, in any order: the commonest difference between neighbours if at
/// least half of all are that long; else the natural step that times which jitter must be aiming at.
pub fn infer_step(times: &[DateTime<Tz>]) -> Option<Step> {
    let mut seconds: Vec<i64> = times.iter().map(DateTime::timestamp).collect();
    seconds.sort_unstable();
    seconds.dedup();
    let mut differences: Vec<i64> = seconds.windows(2).map(|pair| pair[1] - pair[0]).collect();
    differences.sort_unstable();
    let commonest = differences
        .chunk_by(|a, b| a == b)
        .max_by_key(|run| run.len())?;
    if 2 * commonest.len() >= differences.len() {
        return Step::from_seconds(u32::try_from(commonest[0]).ok()?);
    }
    aimed_at(&differences)
}

/// The natural step nearest to the median difference, if clearly more than half of all differences (55 in
/// 100) lie within a quarter of it. Of events that come at random only a sixth do.
fn aimed_at(sorted_differences: &[i64]) -> Option<Step> {
    let median = *sorted_differences.get(sorted_differences.len() / 2)?;
    let distance = |step: &u32| (i64::from(*step) - median).abs();
    let natural = NATURAL.into_iter().min_by_key(distance)?;
    let aim = i64::from(natural);
    let is_near = |difference: &&i64| (4 * (*difference - aim)).abs() <= aim;
    let near = sorted_differences.iter().filter(is_near).count();
    Step::from_seconds(natural).filter(|_| 20 * near >= 11 * sorted_differences.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::sample;

    /// Times so many seconds after each other, the first differences again and again.
    fn infer(differences: &[i64], count: usize) -> Option<i64> {
        let mut time = sample::time("2026-01-01 00:00:07");
        let mut times = vec![time];
        for seconds in differences.iter().cycle().take(count) {
            time += TimeDelta::seconds(*seconds);
            times.push(time);
        }
        infer_step(&times).map(Step::seconds)
    }

    #[test]
    fn a_step_divides_a_day_or_is_whole_days() {
        let seconds = |text: &str| text.parse::<Step>().map(Step::seconds);
        let steps = ["5m", "1h", "90s", "1d", "1w"].map(seconds);
        assert_eq!(steps, [300, 3600, 90, 86_400, 604_800].map(Ok));
        for text in ["7m", "0s", "36h", "1.5s", "500ms", "2months", "five", ""] {
            let error = seconds(text).expect_err(text);
            let told = "allowed: whole seconds that divide a day";
            assert!(error.contains(told), "{error}");
        }
    }

    #[test]
    fn the_commonest_distance_is_the_step_or_what_times_that_jitter_aim_at() {
        for (differences, step) in [
            (&[300, 300, 900][..], 300),
            (&[1620, 1981, 1561, 2042, 1979, 1622, 54_923], 1800),
            (&[540, 600, 660, 600, 480, 720, 1200, 3324], 600),
            (&[299, 302, 301, 298, 4000], 300),
            (&[86_400, 86_395, 86_410, 86_398, 172_800], 86_400),
        ] {
            let found = infer(differences, 40 * differences.len());
            assert_eq!(found, Some(step), "{differences:?}");
        }
    }

    #[test]
    fn times_that_are_irregular_random_or_too_few_have_no_step() {
        // The quantiles of an exponential distribution: waiting times without a memory.
        let waits = [21, 66, 115, 172, 239, 319, 419, 554, 758, 1198];
        assert_eq!(infer(&waits, 400), None);
        assert_eq!(infer(&[7, 173, 3420], 3), None);
        assert_eq!(infer(&[], 0), None);
        assert_eq!(infer_step(&[]), None);
    }

    #[test]
    fn days_and_weeks_are_whole_numbers_of_steps() {
        let steps = ["5m", "1d", "2d"].map(|text| text.parse::<Step>().expect("a step"));
        assert_eq!(steps.map(Step::per_day), [Some(288), None, None]);
        assert_eq!(steps.map(Step::per_week), [Some(2016), Some(7), None]);
    }
}
