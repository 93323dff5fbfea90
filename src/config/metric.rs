//! One `[[metric]]` table: which rows, how they become a series, and how it is judged.

mod method;
mod rows;
mod rules;

use std::time::Duration;

use chrono::TimeDelta;
use serde::Deserialize;

pub use rows::{Rows, TableName};

use super::value::{Again, Delay, Length, Line, Recipients};
use crate::forecast::clean::{FenceFactor, Scope};
use crate::forecast::{
    Budget, Direction, Level, Method, ModelChoice, SeasonChoice, needed_history,
};
use crate::incident::{Confirm, Policy, QuietWindow, Worsening};
use crate::output::fingerprint::fingerprint;
use crate::output::write_length;
use crate::series::{Aggregate, MOST_BUCKETS, Missing, Silences, Step};
use lettre::message::Mailbox;

/// A series to watch.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "MetricTable")]
pub struct Metric {
    /// What it is called on the command line and in file names.
    pub name: String,
    /// What people call it: "Sales".
    pub title: String,
    /// The word the heading of a mail puts after the title: "High Sales Volume".
    pub measure: String,
    pub unit: Option<String>,
    pub rows: Rows,
    /// None: found from the data.
    pub step: Option<Step>,
    /// None: the rows are ready-made, one a bucket.
    pub aggregate: Option<Aggregate>,
    /// How much history a verdict is drawn from.
    pub window: Duration,
    pub missing: Missing,
    pub method: Method,
    /// When its incidents are told.
    pub rules: Policy,
    /// None: those of `[smtp]`.
    pub recipients: Option<Vec<Mailbox>>,
    delay: Option<Duration>,
    stale_after: Option<Duration>,
}

/// The table as it is written in the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MetricTable {
    name: Line,
    title: Option<Line>,
    measure: Option<String>,
    unit: Option<Line>,
    table: Option<String>,
    time_column: Option<String>,
    value_column: Option<String>,
    r#where: Option<String>,
    query: Option<String>,
    every: Option<Step>,
    aggregate: Option<Aggregate>,
    window: Option<Length>,
    delay: Option<Delay>,
    missing: Option<Missing>,
    stale_after: Option<Length>,
    #[serde(default)]
    outliers: OutliersTable,
    #[serde(default)]
    model: ModelChoice,
    seasons: Option<Vec<Length>>,
    adapt_after: Option<Length>,
    min: Option<f64>,
    max: Option<f64>,
    level: Option<Level>,
    max_false_alerts: Option<Budget>,
    #[serde(default)]
    direction: Direction,
    confirm: Option<Confirm>,
    recover: Option<i64>,
    renotify: Option<Again>,
    worse: Option<Worsening>,
    #[serde(default = "yes")]
    notify_recovery: bool,
    unwell_after: Option<Length>,
    #[serde(default)]
    quiet: Vec<QuietWindow>,
    recipients: Option<Recipients>,
}

fn yes() -> bool {
    true
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct OutliersTable {
    k: FenceFactor,
    scope: Scope,
}

const DEFAULT_WINDOW: Duration = Duration::from_hours(28 * 24);
/// A bucket older than this many steps is no news.
const STALE_AFTER_STEPS: i64 = 3;

impl Metric {
    /// A metric that is read from a file alone, with every default.
    pub fn of_file(name: &str) -> Self {
        let name: String = name
            .chars()
            .filter(|letter| !letter.is_control())
            .take(100)
            .collect();
        Self {
            title: capitalised(&name),
            name,
            measure: "Volume".into(),
            unit: None,
            rows: Rows::None,
            step: None,
            aggregate: None,
            window: DEFAULT_WINDOW,
            missing: Missing::Gap,
            method: Method::default(),
            rules: Policy::default(),
            recipients: None,
            delay: None,
            stale_after: None,
        }
    }

    /// How long after its end a bucket may still receive rows.
    pub fn delay(&self, step: Step) -> TimeDelta {
        let default = if self.aggregate.is_some() {
            step.delta()
        } else {
            TimeDelta::zero()
        };
        self.delay.map_or(default, time_delta)
    }

    /// How old the newest data may be: three steps more than it usually is by now. Where an empty bucket
    /// means zero, a silence as long as the history has seen before is nothing unusual, nor is one a
    /// quarter longer; and when it ends, the first bucket with data closes a step and the delay later.
    pub fn stale_after(&self, step: Step, silences: Silences) -> TimeDelta {
        let steps = |count: i64| step.delta() * i32::try_from(count).unwrap_or(i32::MAX);
        let default = match self.missing {
            Missing::Gap => steps(silences.usual_now.saturating_add(STALE_AFTER_STEPS)),
            Missing::Zero => {
                let usual = silences.longest.saturating_add(silences.longest / 4 + 1);
                steps(usual.max(STALE_AFTER_STEPS)) + self.delay(step)
            }
        };
        self.stale_after.map_or(default, time_delta)
    }

    /// Whether data that ended so long ago may be too old, as far as the length of its bucket alone can
    /// tell.
    pub fn may_be_stale(&self, age: TimeDelta, bucket: TimeDelta) -> bool {
        let least = self.stale_after.map_or(bucket * 3, time_delta);
        // How long no data is usual where an empty bucket is zero, is seen when the next one closes.
        self.missing == Missing::Gap && age > least
    }

    /// The metric with another window or step. No adaption takes longer than half the window.
    ///
    /// # Errors
    ///
    /// If they do not go with each other or with the method; the message says what is allowed.
    pub fn revised(mut self, window: Option<Duration>, step: Option<Step>) -> Result<Self, String> {
        self.window = window.unwrap_or(self.window);
        self.step = step.or(self.step);
        self.check()?;
        let half = time_delta(self.window / 2);
        self.method.adapt_after = self.method.adapt_after.min(half);
        Ok(self)
    }

    fn check(&self) -> Result<(), String> {
        method::check_method(&self.method, self.window, self.step)?;
        self.step.map_or(Ok(()), |step| {
            check_window(self.window, step, &self.method.seasons)
        })
    }

    /// The name as a file may have it: see [`file_name`].
    pub fn file_name(&self) -> String {
        file_name(&self.name)
    }
}

/// A metric's name as a file may have it: letters, digits, `.`, `_` and `-`. A name that had to be
/// changed gets a mark of its own, so that two names never share a file.
pub fn file_name(name: &str) -> String {
    let plain = |letter: char| letter.is_alphanumeric() || "._-".contains(letter);
    // File systems count bytes, and the name is but a part.
    let mut bytes = 0;
    let fits = |letter: &char| {
        bytes += letter.len_utf8();
        bytes <= 120
    };
    let changed: String = name
        .chars()
        .map(|letter| if plain(letter) { letter } else { '_' })
        .take(80)
        .take_while(fits)
        .collect();
    if changed == name && !changed.is_empty() && !changed.starts_with('.') {
        return changed;
    }
    let mark = fingerprint(name);
    format!("{}-{mark:016x}", changed.trim_start_matches('.'))
}

impl TryFrom<MetricTable> for Metric {
    type Error = String;

    fn try_from(table: MetricTable) -> Result<Self, String> {
        let window = table.window.map_or(DEFAULT_WINDOW, |window| window.0);
        let rows = rows::rows(&table)?;
        let method = method::method(&table, window)?;
        let rules = rules::rules(&table)?;
        let adds_up = table.aggregate.is_some_and(Aggregate::adds_up);
        let metric = Self {
            title: table
                .title
                .map_or_else(|| capitalised(&table.name.0), |title| title.0),
            name: table.name.0,
            measure: measure(table.measure)?,
            unit: table.unit.map(|unit| unit.0),
            rows,
            step: table.every,
            aggregate: table.aggregate,
            window,
            missing: table
                .missing
                .unwrap_or(if adds_up { Missing::Zero } else { Missing::Gap }),
            method,
            rules,
            recipients: table.recipients.map(|recipients| recipients.0),
            delay: table.delay.map(|delay| delay.0),
            stale_after: table.stale_after.map(|length| length.0),
        };
        metric.check()?;
        Ok(metric)
    }
}

fn measure(text: Option<String>) -> Result<String, String> {
    match text {
        None => Ok("Volume".into()),
        Some(text) if text.is_empty() => Ok(text),
        Some(text) => Line::try_from(text)
            .map(|line| line.0)
            .map_err(|error| format!("measure: {error}, or \"\" for none")),
    }
}

/// A window must hold the seasons a verdict needs, and fit into memory. Seasons that are given fit
/// into it already.
fn check_window(window: Duration, step: Step, seasons: &SeasonChoice) -> Result<(), String> {
    let told = |allowed: &str| {
        let window = humantime::format_duration(window);
        Err(format!(
            "window = \"{window}\": with every = \"{step}\", allowed: {allowed}"
        ))
    };
    let buckets = step.count_in(window);
    if buckets > MOST_BUCKETS {
        return told(&format!("at most {MOST_BUCKETS} buckets"));
    }
    let needed = needed_history(step);
    if *seasons == SeasonChoice::Found && time_delta(window) < needed {
        return told(&format!("at least {}", write_length(needed)));
    }
    Ok(())
}

fn capitalised(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or(String::new(), |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

fn time_delta(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX)
}
