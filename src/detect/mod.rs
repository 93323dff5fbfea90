//! A window becomes an [`Evaluation`]: its newest point held against the forecast that everything
//! before it makes. Pure: the same window makes the same evaluation.

mod answers;
mod comparison;
mod level;
mod month_days;
mod parts;
mod recurrence;
mod reference;

use std::sync::Arc;

use anyhow::{Result, ensure};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::forecast::clean::Cleaned;
use crate::forecast::{
    Band, Direction, Forecast, Increments, Level, Method, SeasonChoice, Side, predict,
};
use crate::output::{Notation, short_option};
use crate::series::{Bucket, Observation, Split, TimeSeries, Window, is_running_total};
pub use answers::{AnsweredTime, Answers, HealthyDeviation};
pub use comparison::{Comparison, JudgedTime};
use level::Comparable;
pub use level::NewLevel;
pub use month_days::{FEWEST_DAYS, MonthDayEffect, MonthDays};
pub use parts::{Breakdown, ColumnParts, ColumnSums, Part, PartSums};
use reference::longest_span;
pub use reference::{Departure, Reference, SpanTotal};

/// One metric's newest bucket, and what was found of it. State, mails, charts, JSON, backtest and
/// explain all show this one; what is not known is absent.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Evaluation {
    /// The evaluated bucket; where there is no data at all, the one just before the window.
    #[serde(flatten)]
    pub bucket: Bucket,
    pub value: Option<f64>,
    /// What was expected, and the limits around it.
    #[serde(flatten)]
    pub band: Option<Band>,
    /// The share of healthy values the band holds, or would.
    #[serde(default, skip_serializing_if = "Level::is_default")]
    pub level: Level,
    /// How far the value lies from what was expected, in half-widths of the band on that side: 1 is
    /// the limit. Positive above, negative below.
    #[serde(serialize_with = "short_option")]
    pub deviation: Option<f64>,
    /// The two-sided tail probability of the value; not stored, as nothing asks for it later.
    #[serde(skip)]
    pub score: Option<f64>,
    pub verdict: Verdict,
    /// Whether a drop could have shown as low: false where the band reaches the least value there
    /// can be. `None` where nobody asked about that side, or nothing was expected.
    #[serde(default, skip_serializing_if = "is_not_ruled_out")]
    pub low_possible: Option<bool>,
    /// The same of a rise and high.
    #[serde(default, skip_serializing_if = "is_not_ruled_out")]
    pub high_possible: Option<bool>,
    /// Whether all values of the window are whole numbers, as of what is counted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_whole: bool,
    /// The newest buckets against earlier weeks; not stored.
    #[serde(skip)]
    pub reference: Reference,
    /// All that led to it; absent from an evaluation that was stored.
    #[serde(skip)]
    pub workings: Option<Arc<Workings>>,
}

/// The value against its band.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Breach(Side),
    Normal,
    /// There is data, but not enough to say anything, and why.
    Undecided(String),
    /// Data ended at `since`.
    NoData {
        since: DateTime<Utc>,
        reason: String,
    },
}

/// What an evaluation was made from.
#[derive(Debug, Clone)]
pub struct Workings {
    pub window: Window,
    /// The history the forecast learnt from, outliers clipped.
    pub cleaned: Option<Cleaned>,
    pub forecast: Option<Forecast>,
    pub month_days: MonthDays,
}

/// A value with the band it was held against.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BandedValue {
    pub time: DateTime<Tz>,
    pub value: f64,
    pub band: Band,
}

impl Workings {
    /// The values up to the evaluated one that have a band, oldest first.
    pub fn banded_values(&self) -> impl Iterator<Item = BandedValue> {
        let series = &self.window.series;
        let parts = self.cleaned.iter().zip(&self.forecast);
        parts.flat_map(move |(cleaned, forecast)| {
            let offset = series.index(cleaned.history.slot(0));
            let bands = forecast.past.iter().copied().chain([Some(forecast.band)]);
            let bands = bands.enumerate();
            bands.filter_map(move |(index, band)| {
                Some(BandedValue {
                    time: series.time(offset + index),
                    value: *series.values().get(offset + index)?.as_ref()?,
                    band: band?,
                })
            })
        })
    }
}

/// Evaluates the newest point of a window. What came before a new level of the `answers` counts as if it had
/// been at that; what was an incident is left out, and what was healthy is learnt, and told only if it is
/// rarer. Bad data is a verdict; an error means that the method does not go with the step, or that the model
/// failed.
pub fn evaluate(window: Window, method: &Method, answers: &Answers) -> Result<Evaluation> {
    let by_increments = match method.increments {
        Increments::Found => is_running_total(&window.series),
        Increments::Always => true,
        Increments::Never => false,
    };
    let window = if by_increments {
        window.into_increments()
    } else {
        window
    };
    let level = method.level;
    if let Some(verdict) = no_data(&window) {
        return Ok(Evaluation::without_forecast(window, level, verdict, None));
    }
    let Some(split) = window.series.split_latest() else {
        let verdict = nothing_in(&window);
        return Ok(Evaluation::without_forecast(window, level, verdict, None));
    };
    let slot = window.series.grid().slot(split.latest.time);
    let recurring = &window.recurring;
    let latest = split.latest.time.to_utc();
    let answers = answers.before(latest);
    let ordinary = ordinary_history(&split.history, &window, answers.real());
    let levels = answers.new_levels.as_slice();
    let healthy = answers.healthy_indices(&ordinary);
    let comparable = Comparable::new(&ordinary, levels, window.aggregate);
    let history = comparable.history(&ordinary);
    let month_days = match method.seasons {
        SeasonChoice::Found => MonthDays::find(&history),
        SeasonChoice::Given(_) => MonthDays::default(),
    };
    let made = match predict(&month_days.taken_out_of(history), &healthy, method)? {
        Ok(made) => comparable.as_it_was(month_days.put_back(made, level)),
        Err(reason) => {
            let verdict = Verdict::Undecided(reason);
            let cleaned = Some(Cleaned::untouched(&ordinary));
            let evaluation = Evaluation::without_forecast(window, level, verdict, cleaned);
            return Ok(evaluation);
        }
    };
    ensure!(
        made.time == split.latest.time,
        "the forecast is for {} and the evaluated point of {}: this is a bug in bandwatch, please report it",
        made.time.to_rfc3339(),
        split.latest.time.to_rfc3339()
    );
    let present = recurring.iter().find(|event| event.holds(slot));
    let made = if let Some(event) = present {
        let Some(factor) = event.factor(slot, &split.history, &made) else {
            let reason = "earlier occurrences of the event tell nothing of this time of it";
            let verdict = Verdict::Undecided(reason.to_string());
            let cleaned = Some(made.cleaned);
            return Ok(Evaluation::without_forecast(
                window, level, verdict, cleaned,
            ));
        };
        made.at_event(factor, level)
    } else {
        let tolerances = answers.tolerances(&window, latest).into_iter();
        tolerances.fold(made, |made, tolerance| made.tolerating(tolerance, level))
    };
    let reference = if present.is_some() {
        // Earlier weeks had no such event.
        Reference::default()
    } else {
        compare(&split, &window, &answers, &month_days)
    };
    let (value, band) = (split.latest.value, made.band);
    let range = made.range;
    let verdict = judge(value, &band, method.direction);
    let is_within_range = |side| match side {
        Side::Low => range.min().is_none_or(|least| band.lower > least),
        Side::High => range.max().is_none_or(|greatest| band.upper < greatest),
    };
    let possible = |side| {
        let is_asked = method.direction.includes(side);
        is_asked.then(|| verdict == Verdict::Breach(side) || is_within_range(side))
    };
    Ok(Evaluation {
        bucket: window.bucket(split.latest.time),
        value: Some(value),
        band: Some(band),
        level,
        deviation: deviation(value, &band),
        score: Some(made.score(value)),
        low_possible: possible(Side::Low),
        high_possible: possible(Side::High),
        is_whole: window.series.is_whole(),
        reference,
        verdict,
        workings: Some(Arc::new(Workings {
            cleaned: Some(made.cleaned.clone()),
            forecast: Some(made),
            month_days,
            window,
        })),
    })
}

/// What is learnt of a history. What belongs to an event is learnt for that event alone, and what somebody
/// called an incident not at all.
fn ordinary_history(
    history: &TimeSeries,
    window: &Window,
    real: impl Iterator<Item = AnsweredTime>,
) -> TimeSeries {
    let (recurring, real) = (&window.recurring, real.collect::<Vec<_>>());
    let history = history.clone();
    if recurring.is_empty() && real.is_empty() {
        return history;
    }
    let grid = history.grid().clone();
    let is_real = |slot| {
        let start = grid.instant(slot).to_utc();
        real.iter().any(|real| real.holds(start))
    };
    history.without(|slot| recurring.iter().any(|event| event.holds(slot)) || is_real(slot))
}

/// The newest buckets against earlier weeks.
fn compare(split: &Split, window: &Window, answers: &Answers, month_days: &MonthDays) -> Reference {
    // How large an incident is that just was, the totals must still tell.
    let (latest, longest) = (split.latest.time.to_utc(), longest_span(window.step()));
    let is_old = |real: &AnsweredTime| real.end + longest <= latest;
    let ordinary = ordinary_history(&split.history, window, answers.real().filter(is_old));
    let seen = ordinary.with(split.latest.value);
    let series = month_days.taken_out_of(seen.clone());
    let reference = Reference::new(&series, window.total_since);
    let healthy_weeks = answers.healthy_weeks(window, latest, longest);
    let reference = reference.with_healthy(&series, &healthy_weeks);
    if month_days.effects.is_empty() {
        reference
    } else {
        reference.times(&seen, |index| month_days.at(index))
    }
}

/// Why a window says nothing of now: data that ended too long ago, counted from the end of its bucket,
/// or none at all.
pub fn no_data(window: &Window) -> Option<Verdict> {
    if window.series.split_latest().is_none() {
        return Some(nothing_in(window));
    }
    let newest = window.newest?;
    let since = window.bucket(newest).end;
    (window.as_of.to_utc() - since > window.stale_after).then(|| Verdict::NoData {
        since,
        reason: format!(
            "no data since {}, and stale_after is {}{}",
            since
                .with_timezone(&newest.timezone())
                .format("%Y-%m-%d %H:%M %Z"),
            window.step().write_length(window.stale_after),
            window
                .hint
                .as_ref()
                .map_or(String::new(), |hint| format!("; {hint}"))
        ),
    })
}

fn nothing_in(window: &Window) -> Verdict {
    let from = window.series.time(0);
    Verdict::NoData {
        since: from.to_utc(),
        reason: format!(
            "no data since {} or longer; {}",
            from.format("%Y-%m-%d %H:%M %Z"),
            window
                .hint
                .as_deref()
                .unwrap_or("is the right table read, and the time zone right?")
        ),
    }
}

/// A breach on a side nobody asked about is normal, and so is a value on a limit.
fn judge(value: f64, band: &Band, direction: Direction) -> Verdict {
    if value > band.upper && direction.includes(Side::High) {
        Verdict::Breach(Side::High)
    } else if value < band.lower && direction.includes(Side::Low) {
        Verdict::Breach(Side::Low)
    } else {
        Verdict::Normal
    }
}

/// What is stored is that a side could not fire.
#[expect(
    clippy::ref_option,
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
fn is_not_ruled_out(possible: &Option<bool>) -> bool {
    *possible != Some(false)
}

fn deviation(value: f64, band: &Band) -> Option<f64> {
    let half_width = if value >= band.expected {
        band.upper - band.expected
    } else {
        band.expected - band.lower
    };
    let deviation = (value - band.expected) / half_width;
    deviation.is_finite().then_some(deviation)
}

impl Evaluation {
    /// One that found nothing to hold the newest point against.
    pub fn without_forecast(
        window: Window,
        level: Level,
        verdict: Verdict,
        cleaned: Option<Cleaned>,
    ) -> Self {
        let latest = window.series.split_latest().map(|split| split.latest);
        let grid = window.series.grid();
        let before = grid.instant(window.series.slot(0) - 1);
        Self {
            bucket: window.bucket(latest.map_or(before, |latest| latest.time)),
            value: latest.map(|latest| latest.value),
            band: None,
            level,
            deviation: None,
            score: None,
            verdict,
            low_possible: None,
            high_possible: None,
            is_whole: window.series.is_whole(),
            reference: Reference::default(),
            workings: Some(Arc::new(Workings {
                window,
                cleaned,
                forecast: None,
                month_days: MonthDays::default(),
            })),
        }
    }

    /// The side of a breach.
    pub fn side(&self) -> Option<Side> {
        match self.verdict {
            Verdict::Breach(side) => Some(side),
            Verdict::Normal | Verdict::Undecided(_) | Verdict::NoData { .. } => None,
        }
    }

    pub fn is_breach(&self) -> bool {
        self.side().is_some()
    }

    /// Why nothing could be said.
    pub fn reason(&self) -> Option<&str> {
        match &self.verdict {
            Verdict::Breach(_) | Verdict::Normal => None,
            Verdict::Undecided(reason) | Verdict::NoData { reason, .. } => Some(reason),
        }
    }

    /// Its bucket, as a time whose parts may be looked at; `None` where nothing was expected of it.
    pub fn judged_time(&self) -> Option<JudgedTime> {
        let Bucket { start, end } = self.bucket;
        let expected = self.band?.expected;
        Some(JudgedTime {
            start,
            end,
            expected,
        })
    }

    /// The digits that its figures are written with: as many as the band makes meaningful.
    pub fn notation(&self) -> Notation {
        let value = self.value.unwrap_or_default();
        self.of_its_kind(self.band.map_or_else(
            || Notation::for_value(value),
            |band| band.notation_with(value),
        ))
    }

    /// Those of a sum of values.
    pub fn notation_of(&self, amount: f64) -> Notation {
        self.of_its_kind(Notation::for_value(amount))
    }

    fn of_its_kind(&self, notation: Notation) -> Notation {
        if self.is_whole {
            notation.of_counts()
        } else {
            notation
        }
    }

    /// When the bucket began, by the wall clock of `zone`.
    pub fn start(&self, zone: Tz) -> DateTime<Tz> {
        self.bucket.start.with_timezone(&zone)
    }

    pub fn window(&self) -> Option<&Window> {
        self.workings.as_ref().map(|workings| &workings.window)
    }

    pub fn cleaned(&self) -> Option<&Cleaned> {
        self.workings.as_ref()?.cleaned.as_ref()
    }

    /// The end of the bucket so many buckets later than the one that ends at a time; earlier ones have negative
    /// numbers. By the calendar, as long as the window is known.
    pub fn bucket_end_after(&self, end: DateTime<Utc>, buckets: i64) -> DateTime<Utc> {
        if let Some(window) = self.window() {
            let grid = window.series.grid();
            let slot = grid.slot(end.with_timezone(&window.zone()));
            return grid.instant(slot.saturating_add(buckets)).to_utc();
        }
        let count = i32::try_from(buckets).unwrap_or(i32::MAX);
        let length = self.bucket.length().checked_mul(count);
        length
            .and_then(|length| end.checked_add_signed(length))
            .unwrap_or(end)
    }

    /// The evaluated value at its time, where there is one.
    pub fn latest(&self, zone: Tz) -> Option<Observation> {
        Some(Observation {
            time: self.start(zone),
            value: self.value?,
        })
    }

    /// The same without what led to it, as it is stored.
    #[must_use]
    pub fn without_workings(&self) -> Self {
        Self {
            workings: None,
            ..self.clone()
        }
    }
}

impl Verdict {
    /// As JSON and the terminal say it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Breach(side) => side.word(),
            Self::Normal => "normal",
            Self::Undecided(_) | Self::NoData { .. } => "undecided",
        }
    }
}

#[cfg(test)]
pub mod tests;
