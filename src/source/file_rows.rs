//! The rows of a file, whatever its format, and the histories that they make: one, or one of each of many
//! series.

#[cfg(test)]
mod tests;

use std::cmp::Reverse;

use anyhow::{Context, Error, Result, ensure};
use chrono::{DateTime, NaiveDateTime, Utc};
use chrono_tz::Tz;

use super::file_keys::RowKeys;
use super::history::{History, Lookback};
use super::series::{SeriesHistory, SeriesRequest, TooManySeries, UnknownSeries};
use crate::config::{Group, MOST_SERIES, Metric, Rows};
use crate::output::shorten;
use crate::series::key::SeriesKey;
use crate::series::{Aggregate, Grid, LocalClock, Step, infer_step};

/// How a Parquet file begins, and ends.
pub const PARQUET_MAGIC: &[u8] = b"PAR1";

/// All rows of a file.
#[derive(Debug)]
pub struct FileRows {
    pub rows: Vec<Row>,
    /// Of rows of many series their keys.
    pub keys: Option<RowKeys>,
    /// What is to be said of the columns.
    pub hint: Option<String>,
}

#[derive(Debug, Clone, Copy)]
pub struct Row {
    pub time: RowTime,
    pub value: Option<f64>,
}

/// What a row says of its time.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub enum RowTime {
    Local(NaiveDateTime),
    Instant(DateTime<Utc>),
}

/// In which steps a file is judged, and as of when: the same for all of its series.
#[derive(Debug, Clone, Copy)]
struct Frame {
    step: Step,
    as_of: DateTime<Tz>,
}

/// One of the series of a file, with the places of its rows.
struct SeriesRows<'o> {
    key: SeriesKey,
    id: u32,
    rows: &'o [usize],
}

/// The history of a metric that is one series, or of one of many.
pub fn history_of_rows(
    mut file: FileRows,
    metric: &Metric,
    as_of: Option<DateTime<Tz>>,
    lookback: Lookback,
    zone: Tz,
) -> Result<History> {
    let order = file.order();
    file.settle(&order, zone);
    let frame = file.frame(metric, as_of, zone)?;
    let own = match &metric.series {
        None => order.as_slice(),
        Some(series) => {
            let mut all = file.series(&order);
            match all.iter().position(|one| one.key == series.key) {
                Some(place) => all.swap_remove(place).rows,
                None => return Err(unknown(metric, &series.metric, &all)),
            }
        }
    };
    let oldest = own.iter().filter_map(|row| file.rows[*row].instant()).min();
    let oldest = oldest.map(|oldest| oldest.with_timezone(&zone));
    let mut history = file.history(own, metric, frame, lookback, oldest)?;
    history.hint = file.hint;
    Ok(history)
}

/// Hands over the history of one series after the other. What is read of none is returned.
pub fn each_series(
    mut file: FileRows,
    metric: &Metric,
    group: &Group,
    request: &SeriesRequest,
    now: DateTime<Tz>,
    mut take: impl FnMut(SeriesHistory) -> Result<()>,
) -> Result<History> {
    let order = file.order();
    file.settle(&order, now.timezone());
    let as_of = Some(request.as_of).filter(|as_of| *as_of != now);
    let frame = file.frame(metric, as_of, now.timezone())?;
    let mut empty = file.history(&[], metric, frame, request.lookback, None)?;
    let mut all = file.series(&order);
    let keys = file.keys.as_ref();
    all.retain(|series| keys.is_some_and(|keys| keys.is_wanted(series.id)));
    // The largest, of those with the same volume the first; without a row in this time there is no series.
    let mut volumes: Vec<(Reverse<f64>, usize)> = Vec::new();
    for (place, series) in all.iter().enumerate() {
        let volume = file.volume(series.rows, metric, &empty);
        volumes.extend(volume.map(|volume| (Reverse(volume), place)));
    }
    if let Some(top) = group.top {
        volumes.sort_by(|(one, at), (other, place)| other.0.total_cmp(&one.0).then(at.cmp(place)));
        volumes.truncate(top);
    }
    ensure!(volumes.len() <= MOST_SERIES, TooManySeries);
    let mut chosen: Vec<usize> = volumes.into_iter().map(|(_, place)| place).collect();
    chosen.sort_unstable();
    if chosen.is_empty() {
        empty.hint = Some("none of its keys is one that include and exclude let in".to_string());
    }
    for place in chosen {
        let SeriesRows { key, id, rows } = &all[place];
        let mut history = file.history(rows, metric, frame, request.lookback, None)?;
        history.hint.clone_from(&file.hint);
        take(SeriesHistory {
            key: key.clone(),
            title: keys.and_then(|keys| Some(keys.title(*id)?.to_string())),
            history,
        })?;
    }
    Ok(empty)
}

fn unknown(metric: &Metric, of: &str, all: &[SeriesRows]) -> Error {
    let names = all
        .iter()
        .map(|series| format!("{of}{}", series.key.write()));
    UnknownSeries::without_rows(&metric.name)
        .among(names)
        .into()
}

impl FileRows {
    /// The places of the rows: those of one series after those of another, each in their order.
    fn order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.rows.len()).collect();
        if let Some(keys) = &self.keys {
            let of_rows = keys.of_rows();
            order.sort_by_key(|row| of_rows.get(*row));
        }
        order
    }

    /// The rows of each series, in the order of their keys.
    fn series<'o>(&self, order: &'o [usize]) -> Vec<SeriesRows<'o>> {
        let Some(keys) = &self.keys else {
            return Vec::new();
        };
        let of_rows = keys.of_rows();
        let mut parts: Vec<&[usize]> = Vec::new();
        parts.extend(order.chunk_by(|one, other| of_rows[*one] == of_rows[*other]));
        // Keys have their ids in the order of their first rows, and so have the parts.
        let all = keys.all().into_iter();
        let all = all.map(|(key, id)| SeriesRows {
            rows: usize::try_from(id).map_or(&[][..], |id| parts[id]),
            key,
            id,
        });
        all.collect()
    }

    /// Finds which instants the times of wall clocks mean, which the order of the rows of a series tells.
    /// Those of which it cannot be told stay as they are.
    fn settle(&mut self, order: &[usize], zone: Tz) {
        let of_rows = self.keys.as_ref().map(|keys| keys.of_rows().to_vec());
        let key = |row: &usize| of_rows.as_ref().and_then(|keys| keys.get(*row).copied());
        for own in order.chunk_by(|one, other| key(one) == key(other)) {
            let rows = &mut self.rows;
            let descents = own
                .windows(2)
                .filter(|pair| rows[pair[1]].time < rows[pair[0]].time);
            let is_newest_first = 2 * descents.count() > own.len();
            let mut clock = LocalClock::InOrder(zone, None);
            let mut settle = |row: &usize| {
                let time = &mut rows[*row].time;
                if let RowTime::Local(local) = *time
                    && let Some(instant) = clock.instant(local)
                {
                    *time = RowTime::Instant(instant.to_utc());
                }
            };
            if is_newest_first {
                // Time runs forward only from the other end.
                own.iter().rev().for_each(&mut settle);
            } else {
                own.iter().for_each(&mut settle);
            }
        }
    }

    fn frame(&self, metric: &Metric, as_of: Option<DateTime<Tz>>, zone: Tz) -> Result<Frame> {
        let mut times: Vec<DateTime<Utc>> = self.rows.iter().filter_map(Row::instant).collect();
        times.sort_unstable();
        times.dedup();
        let times: Vec<DateTime<Tz>> = times
            .into_iter()
            .map(|time| time.with_timezone(&zone))
            .collect();
        let last_row = times.last().copied().context("it holds no rows")?;
        let step = metric.step.or_else(|| infer_step(&times)).context(
            "its times do not tell a step; name one with `every` in the metric's configuration",
        )?;
        let as_of = match as_of {
            Some(time) => time,
            // A raw row says only that time has come so far; a ready-made one speaks for its whole bucket,
            // so the last one is closed by being there.
            None if metric.aggregate.is_some() => last_row,
            None => {
                let grid = Grid::new(step, last_row);
                grid.instant(grid.slot(last_row) + 1) + metric.delay(step)
            }
        };
        Ok(Frame { step, as_of })
    }

    fn history(
        &self,
        own: &[usize],
        metric: &Metric,
        frame: Frame,
        lookback: Lookback,
        oldest: Option<DateTime<Tz>>,
    ) -> Result<History> {
        let Frame { step, as_of } = frame;
        let mut history = History::new(metric, metric.aggregate, step, as_of, lookback, oldest)?;
        let zone = as_of.timezone();
        for row in own {
            let Row { value, .. } = self.rows[*row];
            let time = self.rows[*row].instant();
            history.add(time.map(|time| time.with_timezone(&zone)), value);
        }
        Ok(history)
    }

    /// How much the rows of a series are in the time of a history; `None` without any.
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^53")]
    fn volume(&self, own: &[usize], metric: &Metric, history: &History) -> Option<f64> {
        let times = history.times();
        let times = times.start.to_utc()..times.end.to_utc();
        let rows = own.iter().map(|row| self.rows[*row]);
        let is_within = |row: &Row| row.instant().is_some_and(|time| times.contains(&time));
        let rows: Vec<Row> = rows.filter(is_within).collect();
        let values = rows.iter().filter_map(|row| row.value);
        let volume = match metric.aggregate {
            Some(Aggregate::Count) => values.count() as f64,
            _ => values.filter(|value| value.is_finite()).map(f64::abs).sum(),
        };
        (!rows.is_empty()).then_some(volume)
    }
}

impl Row {
    /// `None` where its wall clock does not tell it.
    fn instant(&self) -> Option<DateTime<Utc>> {
        match self.time {
            RowTime::Instant(time) => Some(time),
            RowTime::Local(_) => None,
        }
    }
}

/// What to say of a metric of the database whose file has two columns, neither of which has a name of the
/// configuration: that names the table's columns, and these two can only be their likes.
pub fn other_names(names: &[&str], metric: &Metric) -> Option<String> {
    let [first, second] = names else {
        return None;
    };
    if !metric.key_columns().is_empty() {
        return None;
    }
    let (Some(time), Some(value)) = metric.rows.columns() else {
        return None;
    };
    let has = |name: &str| {
        let mut names = names.iter();
        names.any(|other| other.to_lowercase() == name.to_lowercase())
    };
    let is_of_database = !matches!(metric.rows, Rows::File { .. });
    let [first, second] = [first, second].map(|name| shown(name));
    (is_of_database && !has(time) && !has(value)).then(|| {
        format!(
            "the file has no columns {time:?} and {value:?}; its only two, {first}, {second}, are taken for them"
        )
    })
}

/// A cell in a message.
pub fn shown(text: &str) -> String {
    format!("{:?}", shorten(text, 60))
}
