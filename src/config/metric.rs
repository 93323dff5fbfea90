//! One `[[metric]]` table: which rows, how they become a series, and how it is judged.

use std::num::NonZeroU32;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, TimeDelta};
use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::Deserialize;

use super::group::{Group, KeyPattern, MOST_COLUMNS, MOST_SERIES, PatternText, Series};
use super::schema;
use super::value::{self, Mailbox, time_delta};
use crate::calendar::{Events, Period};
use crate::forecast::clean::Outliers;
use crate::forecast::{
    Direction, Increments, Level, Method, ModelChoice, Range, SeasonChoice, needed_history,
};
use crate::incident::{
    Budget, Confirm, LeastDeviation, Newcomers, Policy, QuietWindow, Renotify, Worsening,
};
use crate::output::fingerprint::fingerprint;
use crate::output::{Notation, write_setting};
use crate::series::key::SeriesKey;
use crate::series::{Aggregate, Bucket, MOST_BUCKETS, Missing, Step};

/// A series to watch.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(try_from = "MetricTable")]
#[schemars(with = "MetricTable")]
pub struct Metric {
    /// What it is called on the command line and in file names.
    pub name: String,
    /// What people call it: "Sales".
    pub title: String,
    /// The word the heading of a mail puts after the title: "High Sales Volume".
    pub measure: String,
    pub unit: Option<String>,
    /// Where to look on: a dashboard, a runbook.
    pub link: Option<String>,
    /// What to do about an alert.
    pub note: Option<String>,
    pub rows: Rows,
    /// Its rows are many series, each of which is watched as one of its own.
    pub group: Option<Box<Group>>,
    /// It is one of the series of such a metric.
    pub series: Option<Box<Series>>,
    /// None: as the type of the time column says.
    pub time: Option<TimeMeaning>,
    /// None: found from the data.
    pub step: Option<Step>,
    /// None: the rows are ready-made, one a bucket.
    pub aggregate: Option<Aggregate>,
    /// How much history a verdict is drawn from. None: as much as suits the step, see [`Metric::window`].
    pub window: Option<Duration>,
    pub missing: Missing,
    /// How far back rows may have been corrected since they were read, see [`Metric::reread`].
    pub reread: Duration,
    pub method: Method,
    pub policy: Policy,
    /// None: those of `[smtp]`.
    pub recipients: Option<Vec<Mailbox>>,
    /// The names of the channels that tell of it. None: all.
    pub channels: Option<Vec<String>>,
    /// Dates on which it is not as it usually is.
    pub events: Events,
    /// Dated quiet times, as they are written; once they are read they are among the events.
    pub(super) dated_quiet: Vec<String>,
    delay: Option<Duration>,
    stale_after: Option<Duration>,
}

/// What the time column of a table or query tells, and so what `:from` and `:to` are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TimeMeaning {
    /// The wall clock of `timezone`.
    Local,
    /// The clock of UTC.
    Utc,
    /// Seconds since 1970; then thousandths, millionths and billionths of them.
    Epoch,
    EpochMs,
    EpochUs,
    EpochNs,
}

impl TimeMeaning {
    /// Those of numbers, by their unit.
    pub const EPOCHS: [Self; 4] = [Self::Epoch, Self::EpochMs, Self::EpochUs, Self::EpochNs];

    /// How many of its units make a second; `None` where it is no number.
    pub fn per_second(self) -> Option<i64> {
        match self {
            Self::Local | Self::Utc => None,
            Self::Epoch => Some(1),
            Self::EpochMs => Some(1000),
            Self::EpochUs => Some(1_000_000),
            Self::EpochNs => Some(1_000_000_000),
        }
    }

    /// The value of the key.
    pub fn word(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Utc => "utc",
            Self::Epoch => "epoch",
            Self::EpochMs => "epoch_ms",
            Self::EpochUs => "epoch_us",
            Self::EpochNs => "epoch_ns",
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub enum Rows {
    Table(Table),
    Query(Query),
    /// Nowhere in a database: the metric is only for `--input`.
    File {
        time_column: Option<String>,
        value_column: Option<String>,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Its name, after that of the database it is in if that is another.
    pub name: Vec<String>,
    pub time_column: String,
    pub value_column: Option<String>,
    pub condition: Option<String>,
    /// Columns whose values are the parts that a sum or a count is made of: see `detect::parts`.
    pub explain_by: Vec<String>,
}

/// A SELECT with `:from` and `:to`; the columns are the first two unless named.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    pub sql: String,
    pub time_column: Option<String>,
    pub value_column: Option<String>,
}

/// The table as it is written in the file.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MetricTable {
    #[serde(deserialize_with = "value::line")]
    #[schemars(with = "String")]
    name: String,
    #[serde(default, deserialize_with = "value::line")]
    #[schemars(with = "String")]
    title: Option<String>,
    measure: Option<String>,
    unit: Option<String>,
    #[serde(default, deserialize_with = "value::link")]
    #[schemars(schema_with = "schema::web_address")]
    link: Option<String>,
    #[serde(default, deserialize_with = "value::note")]
    #[schemars(with = "String")]
    note: Option<String>,
    table: Option<String>,
    time_column: Option<String>,
    time: Option<TimeMeaning>,
    value_column: Option<String>,
    r#where: Option<String>,
    query: Option<String>,
    #[serde(default)]
    explain_by: Vec<String>,
    #[serde(default)]
    group_by: Vec<String>,
    top: Option<i64>,
    #[serde(default)]
    include: Vec<PatternText>,
    #[serde(default)]
    exclude: Vec<PatternText>,
    title_column: Option<String>,
    #[serde(default, deserialize_with = "value::length")]
    #[schemars(schema_with = "schema::length")]
    forget_after: Option<Duration>,
    #[serde(default, deserialize_with = "value::step")]
    #[schemars(schema_with = "schema::length")]
    every: Option<Step>,
    aggregate: Option<Aggregate>,
    #[serde(default, deserialize_with = "value::length")]
    #[schemars(schema_with = "schema::length")]
    window: Option<Duration>,
    #[serde(default, deserialize_with = "value::delay")]
    #[schemars(schema_with = "schema::delay")]
    delay: Option<Duration>,
    #[serde(default, deserialize_with = "value::length")]
    #[schemars(schema_with = "schema::length")]
    reread: Option<Duration>,
    missing: Option<Missing>,
    #[serde(default, deserialize_with = "value::length")]
    #[schemars(schema_with = "schema::length")]
    stale_after: Option<Duration>,
    outliers: Option<Outliers>,
    #[serde(default)]
    #[schemars(schema_with = "schema::model")]
    model: Option<ModelChoice>,
    #[serde(default, deserialize_with = "value::lengths")]
    #[schemars(schema_with = "schema::lengths")]
    seasons: Option<Vec<TimeDelta>>,
    #[serde(default, deserialize_with = "value::length")]
    #[schemars(schema_with = "schema::length")]
    adapt_after: Option<Duration>,
    min: Option<f64>,
    max: Option<f64>,
    level: Option<Level>,
    increments: Option<bool>,
    max_false_alerts: Option<Budget>,
    min_deviation: Option<LeastDeviation>,
    direction: Option<Direction>,
    confirm: Option<Confirm>,
    #[serde(default, deserialize_with = "value::count")]
    #[schemars(schema_with = "schema::count")]
    recover: Option<u16>,
    #[serde(default, deserialize_with = "value::renotify")]
    #[schemars(schema_with = "schema::renotify")]
    renotify: Renotify,
    worse: Option<Worsening>,
    notify_recovery: Option<bool>,
    #[serde(default, deserialize_with = "value::length")]
    #[schemars(schema_with = "schema::length")]
    unwell_after: Option<Duration>,
    #[serde(default)]
    quiet: Vec<QuietTime>,
    #[serde(default, deserialize_with = "value::mailboxes")]
    #[schemars(schema_with = "schema::some_texts")]
    recipients: Option<Vec<Mailbox>>,
    #[serde(default, deserialize_with = "value::names")]
    #[schemars(schema_with = "schema::some_texts")]
    channels: Option<Vec<String>>,
}

/// A time without mail, as it is written.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
enum QuietTime {
    Weekly(QuietWindow),
    /// It is an event that is muted, and read once the zone is known.
    Dated(String),
}

impl TryFrom<String> for QuietTime {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let begins_with_a_date = text
            .get(..10)
            .is_some_and(|date| date.parse::<NaiveDate>().is_ok());
        if begins_with_a_date {
            Ok(Self::Dated(text))
        } else {
            text.parse().map(Self::Weekly)
        }
    }
}

const A_DAY: Duration = Duration::from_hours(24);
const FOUR_WEEKS: Duration = Duration::from_hours(28 * 24);
const TWO_YEARS: Duration = Duration::from_hours(2 * 52 * 7 * 24);
const SHORTEST_MONTH: Duration = Duration::from_hours(28 * 24);
/// How long after its last data a series is usually forgotten.
const USUALLY_FORGOTTEN: TimeDelta = TimeDelta::days(7);
const FIVE_YEARS: Duration = Duration::from_hours((5 * 365 + 1) * 24);

/// Each column costs a SELECT while a mail waits.
const MOST_EXPLAINING: usize = 5;

impl Metric {
    /// A metric that is read from a file alone, with every default.
    pub fn of_file(name: &str) -> Self {
        let letters = name.chars().filter(|letter| !letter.is_control());
        let table = MetricTable {
            name: letters.take(100).collect(),
            ..MetricTable::default()
        };
        let rows = Rows::File {
            time_column: None,
            value_column: None,
        };
        Self::new(table, rows, None, Method::default())
    }

    fn new(table: MetricTable, rows: Rows, group: Option<Group>, method: Method) -> Self {
        let adds_up = table.aggregate.is_some_and(Aggregate::adds_up);
        let usually_missing = if adds_up { Missing::Zero } else { Missing::Gap };
        let dated_quiet = table.quiet.iter().filter_map(|time| match time {
            QuietTime::Dated(text) => Some(text.clone()),
            QuietTime::Weekly(_) => None,
        });
        let dated_quiet = dated_quiet.collect();
        Self {
            policy: table.policy(&method),
            title: table.title.unwrap_or_else(|| capitalised(&table.name)),
            name: table.name,
            measure: table.measure.unwrap_or("Volume".into()),
            unit: table.unit.filter(|unit| !unit.is_empty()),
            link: table.link,
            note: table.note,
            rows,
            group: group.map(Box::new),
            series: None,
            time: table.time,
            step: table.every,
            aggregate: table.aggregate,
            window: table.window,
            missing: table.missing.unwrap_or(usually_missing),
            reread: table.reread.unwrap_or(A_DAY),
            method,
            recipients: table.recipients,
            channels: table.channels,
            events: Events::default(),
            dated_quiet,
            delay: table.delay,
            stale_after: table.stale_after,
        }
    }

    /// One of its `count` series, as a metric of its own: with its share of the budget of false alerts. Its
    /// title is the one that the title column has, or else tells its key.
    pub fn of_series(&self, key: &SeriesKey, title: Option<&str>, count: usize) -> Self {
        let own = title.map_or_else(|| key.in_words(), str::to_string);
        let mut series = self.clone();
        series.name = self.series_name(key);
        series.title = format!("{} ({own})", self.title);
        series.group = None;
        series.series = Some(Box::new(Series {
            metric: self.name.clone(),
            key: key.clone(),
        }));
        series.policy = self.policy.of_one_among(count);
        series
    }

    /// `sales{store_id=42}`
    pub fn series_name(&self, key: &SeriesKey) -> String {
        format!("{}{}", self.name, key.write())
    }

    /// The key of one of its series, by the series' name.
    pub fn key_of(&self, name: &str) -> Option<SeriesKey> {
        let group = self.group.as_ref()?;
        SeriesKey::parse(name.strip_prefix(self.name.as_str())?, &group.columns)
    }

    /// The columns that tell its series apart, or it from others; none of a metric that is one series.
    pub fn key_columns(&self) -> Vec<String> {
        match (&self.group, &self.series) {
            (Some(group), _) => group.columns.clone(),
            (None, Some(series)) => {
                let parts = series.key.parts().iter();
                parts.map(|part| part.column.clone()).collect()
            }
            (None, None) => Vec::new(),
        }
    }

    /// The metric that it is a series of, or itself.
    pub fn metric_name(&self) -> &str {
        self.series.as_ref().map_or(&self.name, |of| &of.metric)
    }

    /// The digits that a sum of its values is written with.
    pub fn notation_of(&self, amount: f64) -> Notation {
        let notation = Notation::for_value(amount);
        match self.aggregate {
            Some(Aggregate::Count) => notation.of_counts(),
            _ => notation,
        }
    }

    /// Who is told of it: its own recipients, or these.
    pub fn recipients_or<'a>(&'a self, of_all: &'a [Mailbox]) -> &'a [Mailbox] {
        self.recipients.as_deref().unwrap_or(of_all)
    }

    pub fn is_told_by(&self, channel: &str) -> bool {
        let names = self.channels.as_ref();
        names.is_none_or(|names| names.iter().any(|name| name == channel))
    }

    /// How much history a verdict is drawn from: by default four weeks; of days two years, and of a week
    /// and longer, which repeat themselves each year, five.
    pub fn window(&self, step: Step) -> Duration {
        window_of(self.window, Some(step))
    }

    /// The same where nobody may have found the step yet.
    pub fn window_as_known(&self, step: Option<Step>) -> Duration {
        window_of(self.window, step.or(self.step))
    }

    /// How long after its end a bucket may still receive rows: by default a step, but no more than a day.
    pub fn delay(&self, step: Step) -> TimeDelta {
        let default = self.aggregate.map_or(TimeDelta::zero(), |_| {
            step.mean_length().min(TimeDelta::days(1))
        });
        self.delay.map_or(default, time_delta)
    }

    /// How old buckets must have been when they were read, if they are not to be read again. Never less than
    /// the delay and two buckets, nor than three hours: by then it is settled which pass of an hour that
    /// the clocks repeat a local time means.
    pub fn reread(&self, step: Step) -> TimeDelta {
        let least = TimeDelta::hours(3).max(self.delay(step) + step.times(2));
        time_delta(self.reread).max(least)
    }

    /// How old the newest data may be: some steps more than it usually is by now. Where an empty bucket
    /// means zero, a gap as long as the history has seen before is nothing unusual, nor is one a
    /// quarter longer; and when it ends, the first bucket with data closes a step and the delay later.
    pub fn stale_after(&self, step: Step, usual_gap: i64) -> TimeDelta {
        let length = step.mean_length();
        let news = i64::from(steps_of_news(length));
        let steps = |count: i64| step.times(usize::try_from(count).unwrap_or(usize::MAX));
        let default = match self.missing {
            Missing::Gap => steps(usual_gap.saturating_add(news)),
            Missing::Zero => {
                let longest = usual_gap.saturating_add(usual_gap / 4 + 1);
                steps(longest.max(news)) + self.delay(step)
            }
        };
        self.stale_after.map_or(default, time_delta)
    }

    /// Whether data that ended so long ago, ignored time left out, may be too old, as far as the length of
    /// its bucket can tell.
    pub fn may_be_stale(&self, age: TimeDelta, bucket: TimeDelta) -> bool {
        let default = bucket * steps_of_news(bucket);
        let least = self.stale_after.map_or(default, time_delta);
        // How long no data is usual where an empty bucket is zero, is seen when the next one closes.
        self.missing == Missing::Gap && age > least
    }

    /// Whether nothing is mailed now, by a quiet window or an event. Of values of days and longer, what is
    /// judged now is about the newest bucket, up to the end of the next: a day is judged on the day after.
    pub fn is_quiet(&self, now: DateTime<Tz>, newest: Option<Bucket>) -> bool {
        let time = now.to_utc();
        let is_long = |bucket: &Bucket| bucket.length() >= TimeDelta::hours(20);
        let newest = newest.filter(is_long);
        let newest = newest.filter(|bucket| time < bucket.end + bucket.length());
        let about = newest.map_or(time, |bucket| bucket.start);
        self.policy.is_quiet(now) || self.events.are_muted(about)
    }

    /// How much of a time is left out, by events.
    pub fn time_left_out(&self, time: Period, step: Option<Step>) -> TimeDelta {
        let window = time_delta(self.window_as_known(step));
        self.events.time_left_out(time, window)
    }

    /// The same with another window or step, if they go together; `adapt_after` is half the window at most.
    pub fn revised(mut self, window: Option<Duration>, step: Option<Step>) -> Result<Self, String> {
        self.window = window.or(self.window);
        self.step = step.or(self.step);
        self.check()?;
        let half = time_delta(window_of(self.window, self.step) / 2);
        self.method.adapt_after = self.method.adapt_after.min(half);
        self.policy.adapt_after = self.method.adapt_after;
        Ok(self)
    }

    /// Window, step, seasons and budget of false alerts must go together.
    fn check(&self) -> Result<(), String> {
        let method = &self.method;
        let window = window_of(self.window, self.step);
        if let SeasonChoice::Given(lengths) = &method.seasons {
            check_seasons(lengths, window)?;
        }
        let Some(step) = self.step else {
            return Ok(());
        };
        let needed = needed_history(step, &method.seasons);
        let needed = needed.map_err(|error| error.to_string())?;
        self.policy.check_step(step)?;
        let allowed = if step.count_in(window) > MOST_BUCKETS {
            format!("at most {MOST_BUCKETS} buckets")
        } else if method.seasons == SeasonChoice::Found && step.count_in(window) < needed.count {
            let needed = match needed.step {
                Step::Month => format!("{}mo", needed.count),
                Step::Fixed(_) => needed
                    .length()
                    .to_std()
                    .map_or(String::new(), write_setting),
            };
            format!("at least \"{needed}\"")
        } else {
            return Ok(());
        };
        let window = write_setting(window);
        Err(format!(
            "window = \"{window}\": with every = \"{step}\", allowed: {allowed}"
        ))
    }

    /// The name as a file may have it. One that had to be changed gets a mark, so that no two share a file.
    pub fn file_name(&self) -> String {
        let plain = |letter: char| letter.is_alphanumeric() || "._-".contains(letter);
        let letters = self.name.chars();
        let letters = letters.map(|letter| if plain(letter) { letter } else { '_' });
        // File systems count bytes, and the name is but a part.
        let mut bytes = 0;
        let fits = |letter: &char| {
            bytes += letter.len_utf8();
            bytes <= 120
        };
        let changed: String = letters.take(80).take_while(fits).collect();
        if changed == self.name && !changed.is_empty() && !changed.starts_with('.') {
            return changed;
        }
        let mark = fingerprint(&self.name);
        format!("{}-{mark:016x}", changed.trim_start_matches('.'))
    }
}

impl TryFrom<MetricTable> for Metric {
    type Error = String;

    fn try_from(table: MetricTable) -> Result<Self, String> {
        let (rows, method) = (table.rows()?, table.method()?);
        let group = table.group(&rows)?;
        for (key, text) in [("measure", &table.measure), ("unit", &table.unit)] {
            if let Some(text) = text.clone().filter(|text| !text.is_empty()) {
                value::parse_line(text)
                    .map_err(|error| format!("{key}: {error}, or \"\" for none"))?;
            }
        }
        let metric = Self::new(table, rows, group, method);
        metric.check()?;
        Ok(metric)
    }
}

impl Rows {
    /// The columns whose values are the parts of a sum or a count.
    pub fn explain_by(&self) -> &[String] {
        match self {
            Self::Table(table) => &table.explain_by,
            Self::Query(_) | Self::File { .. } => &[],
        }
    }

    /// The names of the columns of time and value, where they are named.
    pub fn columns(&self) -> (Option<&str>, Option<&str>) {
        match self {
            Self::Table(table) => (Some(&table.time_column), table.value_column.as_deref()),
            Self::Query(query) => (query.time_column.as_deref(), query.value_column.as_deref()),
            Self::File {
                time_column,
                value_column,
            } => (time_column.as_deref(), value_column.as_deref()),
        }
    }
}

impl MetricTable {
    fn rows(&self) -> Result<Rows, String> {
        let (time_column, value_column) = (self.time_column.clone(), self.value_column.clone());
        let condition = self.r#where.clone();
        self.check_explain_by()?;
        match (&self.table, &self.query) {
            (Some(_), Some(_)) => Err("query: table is set too; allowed: one of the two".into()),
            _ if condition.as_ref().is_some_and(|sql| sql.trim().is_empty()) => {
                Err("where = \"\": allowed: a condition in SQL, or no such key".into())
            }
            (None, Some(_)) if condition.is_some() => {
                Err("where: goes with table; put the condition into query".into())
            }
            (None, Some(sql)) if !sql.contains(":from") || !sql.contains(":to") => Err(format!(
                "query = {sql:?}: does not ask for the window; allowed: a SELECT that uses :from and :to, as in \"... WHERE t >= :from AND t < :to\""
            )),
            (None, Some(sql)) => Ok(Rows::Query(Query {
                sql: sql.clone(),
                time_column,
                value_column,
            })),
            (Some(table), None) => {
                let time_column = time_column.ok_or("time_column: missing; it goes with table")?;
                if value_column.is_none() && self.aggregate != Some(Aggregate::Count) {
                    return Err(
                        "value_column: missing; only aggregate = \"count\" does without".into(),
                    );
                }
                let name: Vec<String> = table.split('.').map(str::to_string).collect();
                if name.len() > 2 || name.iter().any(String::is_empty) {
                    return Err(format!(
                        "table = {table:?}: not a table; allowed: \"sales\", or \"shop.sales\" for one in another database"
                    ));
                }
                Ok(Rows::Table(Table {
                    name,
                    time_column,
                    value_column,
                    condition,
                    explain_by: self.explain_by.clone(),
                }))
            }
            (None, None) if condition.is_some() => {
                Err("where: goes with table; allowed: table, or no such key".into())
            }
            (None, None) => Ok(Rows::File {
                time_column,
                value_column,
            }),
        }
    }

    /// What tells its series apart, if it has many.
    fn group(&self, rows: &Rows) -> Result<Option<Group>, String> {
        let columns = &self.group_by;
        if columns.is_empty() {
            let others = [
                ("top", self.top.is_some()),
                ("include", !self.include.is_empty()),
                ("exclude", !self.exclude.is_empty()),
                ("title_column", self.title_column.is_some()),
                ("forget_after", self.forget_after.is_some()),
            ];
            return match others.iter().find(|(_, is_set)| *is_set) {
                Some((key, _)) => Err(format!(
                    "{key}: goes with group_by; allowed: group_by with the columns that tell series apart, or no such key"
                )),
                None => Ok(None),
            };
        }
        let refused = |why: &str| Err(format!("group_by = {columns:?}: {why}"));
        let of_rows = rows.columns();
        let is_taken = |column: &String| {
            let taken = [of_rows.0, of_rows.1, self.title_column.as_deref()];
            taken.contains(&Some(column.as_str()))
        };
        let is_repeated = |(index, column): (usize, &String)| columns[..index].contains(column);
        if columns.len() > MOST_COLUMNS {
            return refused("allowed: the names of 1 to 5 columns");
        }
        for column in columns {
            value::parse_line(column.clone()).map_err(|error| format!("group_by: {error}"))?;
        }
        if columns.iter().enumerate().any(is_repeated) {
            return refused("allowed: each column once");
        }
        if let Some(column) = columns.iter().find(|column| is_taken(column)) {
            return refused(&format!(
                "{column} is the column of the time, the value or the title; allowed: another"
            ));
        }
        let most = i64::try_from(MOST_SERIES).unwrap_or(i64::MAX);
        let top = match (self.top, rows) {
            (None, _) => None,
            (Some(_), Rows::Query(_)) => {
                return Err(
                    "top: goes with table; let the query return only the keys that are wanted"
                        .into(),
                );
            }
            (Some(top), _) if (1..=most).contains(&top) => usize::try_from(top).ok(),
            (Some(top), _) => return Err(format!("top = {top}: allowed: 1 to {most}")),
        };
        let patterns = |key: &str, texts: &[PatternText]| -> Result<Vec<KeyPattern>, String> {
            let patterns = texts.iter().map(|text| text.parse(columns.len()));
            let patterns: Result<_, _> = patterns.collect();
            patterns.map_err(|error| format!("{key}: {error}"))
        };
        Ok(Some(Group {
            columns: columns.clone(),
            top,
            include: patterns("include", &self.include)?,
            exclude: patterns("exclude", &self.exclude)?,
            title_column: self.title_column.clone(),
            forget_after: self.forget_after.map_or(USUALLY_FORGOTTEN, time_delta),
        }))
    }

    /// Only what adds up has parts, and only the server can add them up.
    fn check_explain_by(&self) -> Result<(), String> {
        let columns = &self.explain_by;
        let adds_up = self.aggregate.is_some_and(Aggregate::adds_up);
        let is_repeated = |(index, column): (usize, &String)| columns[..index].contains(column);
        let why = if columns.is_empty() {
            return Ok(());
        } else if self.table.is_none() || !adds_up {
            "goes with table and aggregate = \"sum\" or \"count\"; allowed: these, or no such key"
        } else if self.increments == Some(true) {
            "a running total has no parts that add up; allowed: increments = false, or no such key"
        } else if columns.len() > MOST_EXPLAINING || columns.iter().any(String::is_empty) {
            "allowed: the names of 1 to 5 columns of the table"
        } else if columns.iter().enumerate().any(is_repeated) {
            "allowed: each column once"
        } else {
            return Ok(());
        };
        Err(format!("explain_by = {columns:?}: {why}"))
    }

    fn method(&self) -> Result<Method, String> {
        let seasons = self.seasons.clone();
        Ok(Method {
            increments: match self.increments {
                None => Increments::Found,
                Some(true) => Increments::Always,
                Some(false) => Increments::Never,
            },
            outliers: self.outliers.unwrap_or_default(),
            model: self.model.unwrap_or_default(),
            seasons: seasons.map_or(SeasonChoice::Found, SeasonChoice::Given),
            adapt_after: self.adapt_after()?,
            range: Range::new(self.min, self.max)?,
            level: self.level.unwrap_or_default(),
            direction: self.direction.unwrap_or_default(),
        })
    }

    fn adapt_after(&self) -> Result<TimeDelta, String> {
        let longest = window_of(self.window, self.every) / 2;
        let Some(length) = self.adapt_after else {
            return Ok(Method::default().adapt_after.min(time_delta(longest)));
        };
        let shortest = match self.every {
            Some(Step::Fixed(fixed)) => Duration::from_secs(fixed.seconds().unsigned_abs()),
            Some(Step::Month) => SHORTEST_MONTH,
            None => Duration::from_secs(1),
        };
        if (shortest..=longest).contains(&length) {
            return Ok(time_delta(length));
        }
        let [length, shortest, longest] = [length, shortest, longest].map(write_setting);
        Err(format!(
            "adapt_after = \"{length}\": allowed: from one step to half the window, \"{shortest}\" to \"{longest}\""
        ))
    }

    fn policy(&self, method: &Method) -> Policy {
        let default = Policy::default();
        let recover = self.recover.and_then(|count| NonZeroU32::new(count.into()));
        Policy {
            budget: self.max_false_alerts,
            newcomers: Newcomers::default(),
            confirm: self.confirm.unwrap_or_default(),
            recover,
            renotify: self.renotify,
            worse: self.worse.unwrap_or_default(),
            notify_recovery: self.notify_recovery.unwrap_or(default.notify_recovery),
            unwell_after: self.unwell_after.map_or(default.unwell_after, time_delta),
            adapt_after: method.adapt_after,
            direction: method.direction,
            min_deviation: self.min_deviation,
            quiet: self
                .quiet
                .iter()
                .filter_map(|time| match time {
                    QuietTime::Weekly(window) => Some(window.clone()),
                    QuietTime::Dated(_) => None,
                })
                .collect(),
        }
    }
}

/// The window that is set, or else the one that suits the step, as far as that is known.
fn window_of(set: Option<Duration>, step: Option<Step>) -> Duration {
    let usual = match step {
        Some(step) if step.per_day().is_none() => {
            let is_of_days = step.mean_length() < TimeDelta::days(7);
            if is_of_days { TWO_YEARS } else { FIVE_YEARS }
        }
        _ => FOUR_WEEKS,
    };
    set.unwrap_or(usual)
}

/// A bucket of this length that is older than so many of its kind is no news.
fn steps_of_news(bucket: TimeDelta) -> i32 {
    if bucket < TimeDelta::days(6) { 3 } else { 2 }
}

fn check_seasons(lengths: &[TimeDelta], window: Duration) -> Result<(), String> {
    let half = window / 2;
    let allowed = if lengths.len() > SeasonChoice::MOST {
        format!("at most {}", SeasonChoice::MOST)
    } else if lengths.windows(2).any(|pair| pair[0] >= pair[1]) {
        "each once, the shortest first".to_string()
    } else if lengths.iter().any(|length| *length > time_delta(half)) {
        // A season must be seen twice to be one.
        format!("at most half the window, \"{}\"", write_setting(half))
    } else {
        return Ok(());
    };
    let lengths = lengths.iter().filter_map(|length| length.to_std().ok());
    let lengths = lengths.map(write_setting);
    let lengths = lengths.collect::<Vec<_>>();
    Err(format!("seasons = {lengths:?}: allowed: {allowed}"))
}

fn capitalised(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or(String::new(), |first| {
        first.to_uppercase().chain(letters).collect()
    })
}
