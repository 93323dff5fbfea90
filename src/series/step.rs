//! The length of a bucket: parsed once and valid from then on, or found from the data.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, TimeDelta};
use chrono_tz::Tz;

use super::Bucket;
use super::local_time::first_instant;
use crate::output::{write_length, write_setting};

const DAY: u32 = 86_400;
const WEEK: u32 = 7 * DAY;
/// Of four weeks; whoever writes more days means a month.
const MOST_DAYS: u32 = 28;
/// A twelfth of a mean year of the Gregorian calendar, in seconds.
const MEAN_MONTH: i64 = 2_629_746;
const MONTHS_IN_YEAR: usize = 12;
const WEEKS_IN_YEAR: u32 = 52;

/// The length of a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Fixed(Fixed),
    /// A month of the calendar: 28 to 31 days, and an hour less or more where the clocks change.
    Month,
}

/// Whole seconds that divide a day evenly, or up to four weeks of whole days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fixed {
    seconds: u32,
}

/// A number of steps, as people count them: "12 months", "7 d".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Steps {
    pub step: Step,
    pub count: usize,
}

impl Fixed {
    pub fn seconds(self) -> i64 {
        i64::from(self.seconds)
    }

    /// Steps beyond an hour do: a daily bucket is a calendar day, even one of 23 or 25 hours.
    pub fn follows_wall_clock(self) -> bool {
        self.seconds > 3600
    }
}

impl Step {
    pub fn from_seconds(seconds: u32) -> Option<Self> {
        let valid = (1..=MOST_DAYS * DAY).contains(&seconds)
            && (DAY.is_multiple_of(seconds) || seconds.is_multiple_of(DAY));
        valid.then_some(Self::Fixed(Fixed { seconds }))
    }

    /// The step that a bucket has on the wall clock of a zone.
    pub fn of_bucket(bucket: Bucket, zone: Tz) -> Option<Self> {
        let [start, end] = [bucket.start, bucket.end].map(|time| time.with_timezone(&zone));
        let months = [start, end].map(|time| starts_month(time).then(|| month_number(time)));
        if let [Some(one), Some(next)] = months
            && next == one + 1
        {
            return Some(Self::Month);
        }
        let of = |length: TimeDelta| u32::try_from(length.num_seconds()).ok();
        let by_wall_clock = of(end.naive_local() - start.naive_local());
        let by_wall_clock = by_wall_clock.and_then(Self::from_seconds);
        by_wall_clock
            .filter(|step| step.follows_wall_clock())
            .or_else(|| Self::from_seconds(of(bucket.length())?))
    }

    /// That of a fixed step; the mean of all months.
    pub fn mean_length(self) -> TimeDelta {
        self.times(1)
    }

    /// The mean length of so many steps.
    pub fn times(self, count: usize) -> TimeDelta {
        let seconds = match self {
            Self::Fixed(fixed) => fixed.seconds(),
            Self::Month => MEAN_MONTH,
        };
        let seconds = i64::try_from(count)
            .ok()
            .and_then(|count| seconds.checked_mul(count));
        seconds
            .and_then(TimeDelta::try_seconds)
            .unwrap_or(TimeDelta::MAX)
    }

    /// A length of time for people: in steps, where it is a number of them.
    pub fn write_length(self, length: TimeDelta) -> String {
        let count = self.count_in(length.to_std().unwrap_or_default());
        if count > 0 && self.times(count) == length {
            Steps { step: self, count }.to_string()
        } else {
            write_length(length)
        }
    }

    /// How many whole steps fit into `span`; of months, how many it is about.
    pub fn count_in(self, span: Duration) -> usize {
        let count = match self {
            Self::Fixed(fixed) => span.as_secs() / u64::from(fixed.seconds),
            Self::Month => {
                let month = MEAN_MONTH.unsigned_abs();
                (span.as_secs() + month / 2) / month
            }
        };
        usize::try_from(count).unwrap_or(usize::MAX)
    }

    /// Steps in a day, for steps shorter than one.
    pub fn per_day(self) -> Option<usize> {
        let seconds = self.fixed_seconds().filter(|seconds| *seconds < DAY)?;
        Some((DAY / seconds) as usize)
    }

    /// Steps in a week, for steps shorter than one that divide it.
    pub fn per_week(self) -> Option<usize> {
        let divides = |seconds: &u32| *seconds < WEEK && WEEK.is_multiple_of(*seconds);
        let seconds = self.fixed_seconds().filter(divides)?;
        Some((WEEK / seconds) as usize)
    }

    /// Steps in a year, for months, and for weeks that divide a year of 52.
    pub fn per_year(self) -> Option<usize> {
        let Some(seconds) = self.fixed_seconds() else {
            return Some(MONTHS_IN_YEAR);
        };
        let weeks = (seconds.is_multiple_of(WEEK)).then_some(seconds / WEEK)?;
        WEEKS_IN_YEAR
            .is_multiple_of(weeks)
            .then_some((WEEKS_IN_YEAR / weeks) as usize)
    }

    /// Steps in what a business repeats itself by: a week, or a year where steps are a week or longer.
    pub fn per_turn(self) -> Option<usize> {
        self.per_week().or(self.per_year())
    }

    /// Whether a bucket is one of the calendar rather than a stretch of real time.
    pub fn follows_wall_clock(self) -> bool {
        match self {
            Self::Fixed(fixed) => fixed.follows_wall_clock(),
            Self::Month => true,
        }
    }

    fn fixed_seconds(self) -> Option<u32> {
        match self {
            Self::Fixed(fixed) => Some(fixed.seconds),
            Self::Month => None,
        }
    }
}

impl FromStr for Step {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "1mo" {
            return Ok(Self::Month);
        }
        let length = humantime::parse_duration(text).ok();
        let fixed = length.filter(|length| length.subsec_nanos() == 0);
        let fixed = fixed.and_then(|length| u32::try_from(length.as_secs()).ok());
        fixed.and_then(Self::from_seconds).ok_or_else(|| {
            let is_long = length.is_some_and(|length| length > Duration::from_secs((MOST_DAYS * DAY).into()));
            let month = if is_long || text.contains("mo") {
                "; a month of the calendar is \"1mo\""
            } else {
                ""
            };
            format!("{text:?} is not a step{month}; allowed: whole seconds that divide a day evenly (\"1m\", \"5m\", \"1h\"), whole days up to 28 (\"1d\", \"7d\"), or \"1mo\"")
        })
    }
}

impl fmt::Display for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Fixed(fixed) => {
                formatter.write_str(&write_setting(Duration::from_secs(fixed.seconds.into())))
            }
            Self::Month => formatter.write_str("1mo"),
        }
    }
}

impl Steps {
    pub fn length(self) -> TimeDelta {
        self.step.times(self.count)
    }
}

impl fmt::Display for Steps {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        let counted = |count: usize, unit: &str| match count {
            1 => format!("1 {unit}"),
            _ => format!("{count} {unit}s"),
        };
        let text = match self.step {
            Step::Month => counted(self.count, "month"),
            Step::Fixed(fixed) if fixed.seconds.is_multiple_of(WEEK) => {
                counted(self.count * (fixed.seconds / WEEK) as usize, "week")
            }
            Step::Fixed(_) => write_length(self.length()),
        };
        formatter.write_str(&text)
    }
}

/// Steps a clock has names for, in seconds: what times that jitter are taken to aim at.
const NATURAL: [u32; 26] = [
    1, 2, 5, 10, 15, 20, 30, 60, 120, 180, 240, 300, 360, 600, 720, 900, 1200, 1800, 3600, 7200,
    10_800, 14_400, 21_600, 28_800, 43_200, DAY,
];

/// The step of rows with these times, in any order: a month if each is the first or each the last midnight
/// of one; else the commonest difference between neighbours if at least half of all are that long; else the
/// natural step that times which jitter must be aiming at.
pub fn infer_step(times: &[DateTime<Tz>]) -> Option<Step> {
    if are_monthly(times) {
        return Some(Step::Month);
    }
    let mut seconds: Vec<i64> = times.iter().map(DateTime::timestamp).collect();
    seconds.sort_unstable();
    seconds.dedup();
    let differences = differences(&seconds);
    let runs = differences.chunk_by(|a, b| a == b);
    let commonest = runs.max_by_key(|run| run.len())?;
    if 2 * commonest.len() >= differences.len() {
        return Step::from_seconds(u32::try_from(commonest[0]).ok()?);
    }
    aimed_at(&differences)
}

/// Ascending.
fn differences(sorted: &[i64]) -> Vec<i64> {
    let mut differences: Vec<i64> = sorted.windows(2).map(|pair| pair[1] - pair[0]).collect();
    differences.sort_unstable();
    differences
}

/// Whether rows are of one month each, most of them of months in a row.
fn are_monthly(times: &[DateTime<Tz>]) -> bool {
    let ends_month = |time: &DateTime<Tz>| {
        let is_midnight = time.time() == NaiveTime::MIN;
        let tomorrow = time.date_naive().succ_opt();
        is_midnight && tomorrow.is_some_and(|tomorrow| tomorrow.day() == 1)
    };
    if !times.iter().all(|time| starts_month(*time)) && !times.iter().all(ends_month) {
        return false;
    }
    let mut months: Vec<i64> = times.iter().map(|time| month_number(*time)).collect();
    months.sort_unstable();
    months.dedup();
    let differences = differences(&months);
    let in_a_row = differences.partition_point(|months| *months == 1);
    in_a_row > 0 && 2 * in_a_row >= differences.len()
}

/// Months since the year 0, by the wall clock.
pub(super) fn month_number(time: DateTime<Tz>) -> i64 {
    let local = time.naive_local();
    i64::from(local.year()) * 12 + i64::from(local.month0())
}

/// Whether a month begins with this instant.
fn starts_month(time: DateTime<Tz>) -> bool {
    month_start(month_number(time), time.timezone()) == Some(time)
}

/// The first instant of a month; `None` far outside any calendar.
pub(super) fn month_start(month: i64, zone: Tz) -> Option<DateTime<Tz>> {
    let year = i32::try_from(month.div_euclid(12)).ok()?;
    let month = u32::try_from(month.rem_euclid(12)).ok()? + 1;
    let years = -9999..=9999;
    let first = NaiveDate::from_ymd_opt(year, month, 1).filter(|_| years.contains(&year))?;
    Some(first_instant(first.and_time(NaiveTime::MIN), zone))
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
        infer_step(&times).map(seconds)
    }

    fn seconds(step: Step) -> i64 {
        step.mean_length().num_seconds()
    }

    #[test]
    fn a_step_divides_a_day_or_is_whole_days_or_a_month() {
        let parsed = |text: &str| text.parse::<Step>();
        let steps = ["5m", "1h", "90s", "1d", "1w"].map(|text| parsed(text).map(seconds));
        assert_eq!(steps, [300, 3600, 90, 86_400, 604_800].map(Ok));
        assert_eq!(parsed("1mo"), Ok(Step::Month));
        assert_eq!(Step::Month.to_string(), "1mo");
        for text in ["7m", "0s", "36h", "1.5s", "500ms", "five", ""] {
            let error = parsed(text).expect_err(text);
            let told = "is not a step; allowed: whole seconds that divide a day";
            assert!(error.contains(told), "{error}");
        }
        for text in ["1month", "1M", "2mo", "30d", "31d", "1y"] {
            let error = parsed(text).expect_err(text);
            let told = "is not a step; a month of the calendar is \"1mo\"; allowed:";
            assert!(error.contains(told), "{error}");
        }
    }

    #[test]
    fn rows_of_one_month_each_are_months() {
        let infer = |times: &[&str]| {
            let times: Vec<_> = times.iter().map(|text| sample::time(text)).collect();
            infer_step(&times)
        };
        let month = Some(Step::Month);
        assert_eq!(infer(&["2026-02-01", "2026-01-01", "2026-04-01"]), month);
        assert_eq!(infer(&["2026-01-31", "2026-02-28", "2026-03-31"]), month);
        for others in [
            // Every day, every quarter, the 15th, and not at midnight.
            &["2026-01-31", "2026-02-01", "2026-02-02"][..],
            &["2026-01-01", "2026-04-01", "2026-07-01"],
            &["2026-01-15", "2026-02-15", "2026-03-15"],
            &["2026-02-01 06:00", "2026-03-01 06:00"],
            &["2026-02-01"],
        ] {
            assert_ne!(infer(others), month, "{others:?}");
        }
    }

    #[test]
    fn a_bucket_has_the_step_that_the_wall_clock_shows() {
        let of = |start: &str, end: &str| {
            let [start, end] = [start, end].map(|text| sample::time(text).to_utc());
            let step = Step::of_bucket(Bucket { start, end }, sample::PARIS);
            step.map(|step| step.to_string()).unwrap_or_default()
        };
        for (start, end, step) in [
            ("2026-11-22 14:00", "2026-11-22 14:05", "5m"),
            ("2026-10-25", "2026-10-26", "1d"),
            ("2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z", "1h"),
            ("2026-10-01", "2026-11-01", "1mo"),
            ("2026-02-01", "2026-03-01", "1mo"),
            ("2026-02-02", "2026-03-02", "28d"),
            ("2026-10-02", "2026-11-02", ""),
        ] {
            assert_eq!(of(start, end), step, "{start}");
        }
    }

    #[test]
    fn a_length_holds_about_so_many_months() {
        let count = |text: &str| {
            let length = humantime::parse_duration(text).expect("a length");
            Step::Month.count_in(length)
        };
        assert_eq!(
            ["730d", "2y", "24months", "28d", "1d"].map(count),
            [24, 24, 24, 1, 0]
        );
        let steps = |count, text: &str| {
            let step = text.parse().expect("a step");
            Steps { step, count }.to_string()
        };
        assert_eq!(
            [
                steps(1, "1mo"),
                steps(12, "1mo"),
                steps(26, "2w"),
                steps(36, "1h")
            ],
            ["1 month", "12 months", "52 weeks", "1 d 12 h"]
        );
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
        let steps = ["5m", "1d", "2d", "4w", "1mo"];
        let steps = steps.map(|text| text.parse::<Step>().expect("a step"));
        let of = |count: fn(Step) -> Option<usize>| steps.map(count);
        assert_eq!(of(Step::per_day), [Some(288), None, None, None, None]);
        assert_eq!(of(Step::per_week), [Some(2016), Some(7), None, None, None]);
        assert_eq!(of(Step::per_year), [None, None, None, Some(13), Some(12)]);
    }
}
