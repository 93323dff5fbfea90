//! An `[[event]]` table: a date on which metrics are not as they usually are, and what that means for them.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Error, Result, bail, ensure};
use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::Deserialize;

use super::text::read_text;
use super::value;
use crate::calendar::{Effect, Event, Every, Period, occurrences, parse_occurrence, read_calendar};

/// The table as it is written in the file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EventTable {
    #[serde(deserialize_with = "value::line")]
    #[schemars(with = "String")]
    pub name: String,
    pub effect: Effect,
    #[schemars(with = "Option<String>")]
    from: Option<TimeText>,
    #[schemars(with = "Option<String>")]
    to: Option<TimeText>,
    #[schemars(with = "Option<Vec<String>>")]
    dates: Option<Vec<TimeText>>,
    every: Option<Every>,
    /// Relative to the configuration.
    calendar: Option<PathBuf>,
    /// `None`: all.
    pub metrics: Option<Vec<String>>,
}

/// With or without quotes: TOML has dates of its own.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum TimeText {
    Quoted(String),
    Bare(toml::value::Datetime),
}

impl fmt::Display for TimeText {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Quoted(text) => formatter.write_str(text),
            Self::Bare(time) => time.fmt(formatter),
        }
    }
}

impl EventTable {
    /// The events it tells of: those of a calendar each by its own name. `folder` is that of the
    /// configuration.
    pub fn events(&self, folder: &Path, zone: Tz) -> Result<Vec<Event>> {
        if self.from.is_none() {
            if self.to.is_some() {
                bail!("to: goes with from");
            }
            if self.every.is_some() {
                bail!("every: goes with from");
            }
        }
        let periods = match (&self.from, &self.dates, &self.calendar) {
            (Some(from), None, None) => self.periods(from, zone)?,
            (None, Some(dates), None) => {
                ensure!(!dates.is_empty(), "dates: none; allowed: one or more");
                let dates = dates
                    .iter()
                    .map(|date| parse_occurrence(&date.to_string(), zone));
                let mut dates: Vec<Period> = dates
                    .collect::<Result<_, _>>()
                    .map_err(Error::msg)
                    .context("dates")?;
                dates.sort_unstable();
                dates
            }
            (None, None, Some(path)) => return self.of_calendar(path, folder, zone),
            (None, None, None) => bail!("from: missing; or dates, or calendar"),
            _ => bail!("from, dates and calendar: only one of them may be set"),
        };
        Ok(vec![Event {
            name: self.name.clone(),
            effect: self.effect,
            periods,
        }])
    }

    fn periods(&self, from: &TimeText, zone: Tz) -> Result<Vec<Period>> {
        let first = match &self.to {
            None => parse_occurrence(&from.to_string(), zone),
            Some(to) => parse_occurrence(&format!("{from} to {to}"), zone),
        };
        let first = first.map_err(Error::msg).context("from")?;
        occurrences(first, self.every, zone)
            .map_err(Error::msg)
            .context("every")
    }

    fn of_calendar(&self, path: &Path, folder: &Path, zone: Tz) -> Result<Vec<Event>> {
        let shown = path.display().to_string();
        let context = || format!("calendar = {shown:?}");
        let text = read_text(&folder.join(path));
        let text = text.context("cannot be read").with_context(context)?;
        let entries = read_calendar(&text, zone);
        let mut by_name: BTreeMap<String, Vec<Period>> = BTreeMap::new();
        for entry in entries.map_err(Error::msg).with_context(context)? {
            let name = entry.name.unwrap_or_else(|| self.name.clone());
            by_name.entry(name).or_default().extend(entry.periods);
        }
        let events = by_name.into_iter().map(|(name, mut periods)| {
            periods.sort_unstable();
            Event {
                name,
                effect: self.effect,
                periods,
            }
        });
        Ok(events.collect())
    }
}
