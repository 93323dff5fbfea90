//! The state in tables of MySQL or MariaDB, for runs on several machines.
//!
//! A row is what is known of one series. A run takes all rows of its shard that nobody holds, until a little
//! after it must be over, by the clock of the server; a token that no other run has stands in them. It writes
//! only where its token still is, in one transaction, before anything is sent. So two runs never tell of the same
//! series, and what a machine held that died falls to whoever comes after that time.

mod link;
mod sql;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use self::link::Link;
use super::directory::UnreadableFile;
use super::format::{LoadError, decode, encode};
use super::{Contents, Runs, mark};
use crate::config::{DatabaseSettings, Deadline, Metric};
use crate::incident::{MetricState, Silences};
use crate::notify::{MetricRecords, NotificationLog};
use crate::output::fingerprint::{digest, random_mark};
use crate::output::owner::this_host;
use crate::series::shard::Shard;
use crate::source::{Cell, Writer};

/// How long rows are held after the run must be over: the clocks of machines differ, and the end of a run is
/// enforced two seconds late.
const GRACE: Duration = Duration::from_secs(6);
/// So many rows are named by one statement, and so many bytes written.
const MOST_ROWS: usize = 500;
const MOST_BYTES: usize = 1 << 20;

const INSTALLATION: &str = "installation";
const SILENCES: &str = "silences";
/// What stands for the metric in rows of what shards keep for themselves. No metric has an empty name.
const OF_SHARDS: &str = "";

/// Which rows are wanted.
#[derive(Debug, Clone)]
pub struct Rows {
    /// Metrics and series that have a row of their own.
    pub names: Vec<String>,
    /// Metrics with many series.
    pub groups: Vec<String>,
    /// Those of which series.
    pub shard: Shard,
    /// What shards keep for themselves.
    pub of_shards: OfShards,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OfShards {
    /// What this one keeps, and what those left that are no more.
    Own,
    All,
    None,
}

/// The tables, and the rows of them that are held.
#[derive(Debug)]
pub struct StateTables {
    link: Link,
    deadline: Deadline,
    rows: Rows,
    /// Every metric with many series, whether its rows are wanted or not.
    groups: BTreeSet<String>,
    token: String,
    holder: String,
    /// Marks of what is known and of what was told, as they are in the rows that are held.
    saved: BTreeMap<RowName, Marks>,
    /// What shards keep for themselves, as it was read.
    of_shards: BTreeMap<String, Contents>,
    /// What shards left that are no more: ours now.
    inherited: Vec<RowName>,
    /// The last run of this shard.
    last_run: Option<DateTime<Utc>>,
    /// What another run is at work on, or cannot be read.
    elsewhere: Arc<BTreeSet<String>>,
    unreadable: Vec<UnreadableFile>,
}

/// What a row is about: a series, or where that has no name, what a shard keeps for itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
struct RowName {
    series: String,
    shard: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Marks {
    state: u64,
    told: u64,
}

/// What is known of a series.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct SeriesRow {
    state: MetricState,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
}

/// A row as it is read.
struct Row {
    name: RowName,
    is_held: bool,
    state: Cell,
    told: Cell,
    runs: Cell,
}

/// What is known, and when runs were.
#[derive(Debug, Default)]
pub struct Found {
    pub contents: Contents,
    pub silences: Silences,
    pub runs: Runs,
}

/// A row that is to be written.
struct Write {
    name: RowName,
    /// What it is a series of.
    metric: String,
    state: Vec<u8>,
    told: Vec<u8>,
    marks: Marks,
}

impl RowName {
    fn of_series(name: &str) -> Self {
        Self {
            series: name.to_string(),
            shard: String::new(),
        }
    }

    fn of_shard(label: &str) -> Self {
        Self {
            series: String::new(),
            shard: label.to_string(),
        }
    }

    fn id(&self) -> String {
        digest(&format!("{}\n{}", self.shard, self.series))
    }

    fn is_of_shard(&self) -> bool {
        !self.shard.is_empty()
    }

    /// Where it stands among all, see [`Shard::place`].
    fn place(&self) -> u64 {
        if self.is_of_shard() {
            Shard::place(&self.shard)
        } else {
            Shard::place(&self.series)
        }
    }
}

impl Rows {
    /// Those that a check of these metrics wants.
    pub fn of_check(metrics: &[Metric], shard: Shard) -> Self {
        let (groups, single): (Vec<&Metric>, Vec<&Metric>) =
            metrics.iter().partition(|metric| metric.group.is_some());
        let names = |metrics: Vec<&Metric>| -> Vec<String> {
            metrics
                .into_iter()
                .map(|metric| metric.name.clone())
                .collect()
        };
        let mut single = names(single);
        single.retain(|name| shard.holds(name));
        Self {
            names: single,
            groups: names(groups),
            shard,
            of_shards: OfShards::Own,
        }
    }

    /// Those of one metric or series, with what all shards keep of it.
    pub fn of_metric(metric: &Metric) -> Self {
        let is_group = metric.group.is_some();
        let name = vec![metric.name.clone()];
        let (names, groups) = if is_group {
            (Vec::new(), name)
        } else {
            (name, Vec::new())
        };
        Self {
            names,
            groups,
            shard: Shard::WHOLE,
            of_shards: if is_group {
                OfShards::All
            } else {
                OfShards::None
            },
        }
    }

    /// The rows as conditions.
    fn conditions(&self) -> Vec<Condition> {
        let mut conditions = Vec::new();
        match self.of_shards {
            OfShards::Own => {
                let own = RowName::of_shard(&self.shard.to_string());
                conditions.push(Condition::new(sql::of_ids(1), vec![own.id()]));
                let of_others = sql::of_other_shards(self.shard);
                conditions.push(Condition {
                    taken: sql::IF_ABANDONED,
                    ..Condition::new(of_others, vec![digest(OF_SHARDS)])
                });
            }
            OfShards::All => {
                let of_all = sql::OF_ALL_SHARDS.to_string();
                conditions.push(Condition::new(of_all, vec![digest(OF_SHARDS)]));
            }
            OfShards::None => {}
        }
        for names in self.names.chunks(MOST_ROWS) {
            let ids = names.iter().map(|name| RowName::of_series(name).id());
            conditions.push(Condition::new(sql::of_ids(names.len()), ids.collect()));
        }
        for groups in self.groups.chunks(MOST_ROWS) {
            let metrics = groups.iter().map(|name| digest(name)).collect();
            let of_metrics = sql::of_metrics(groups.len(), self.shard);
            conditions.push(Condition::new(of_metrics, metrics));
        }
        conditions
    }
}

/// Some of the rows.
struct Condition {
    rows: String,
    /// What must hold besides, that they may be taken.
    taken: &'static str,
    parameters: Vec<Cell>,
}

impl Condition {
    fn new(rows: String, parameters: Vec<String>) -> Self {
        Self {
            rows,
            taken: "",
            parameters: parameters.into_iter().map(String::into_bytes).collect(),
        }
    }

    /// The parameters of a statement on these rows, of which some come before theirs and some after.
    fn between(&self, before: Vec<Cell>, after: Vec<Cell>) -> Vec<Cell> {
        [before, self.parameters.clone(), after].concat()
    }
}

/// Makes the tables that are not there.
pub fn create(servers: Vec<DatabaseSettings>, deadline: Deadline) -> Result<()> {
    let mut link = Link::new(servers, deadline);
    for statement in sql::CREATE {
        link.run("create the tables", statement)?;
    }
    let notes = [
        (INSTALLATION, random_mark().into_bytes()),
        (SILENCES, encode(&Silences::default())?),
    ];
    link.transaction("create the tables", |writer| {
        for (name, value) in &notes {
            writer.query(sql::ADD_NOTE, vec![name.as_bytes().to_vec(), value.clone()])?;
        }
        Ok(())
    })
}

/// The statements that make the tables.
pub fn statements() -> String {
    let statements = sql::CREATE
        .iter()
        .map(|statement| format!("{statement};\n"));
    let mark = random_mark();
    statements.collect::<String>()
        + &format!(
            "INSERT IGNORE INTO bandwatch_notes (name, value) VALUES ('{INSTALLATION}', '{mark}');\n"
        )
}

impl StateTables {
    pub fn new(
        servers: Vec<DatabaseSettings>,
        metrics: &[Metric],
        rows: Rows,
        deadline: Deadline,
    ) -> Self {
        let grouped = metrics.iter().filter(|metric| metric.group.is_some());
        Self {
            link: Link::new(servers, deadline),
            deadline,
            rows,
            groups: grouped.map(|metric| metric.name.clone()).collect(),
            token: random_mark(),
            holder: format!("{}:{}", this_host(), std::process::id()),
            saved: BTreeMap::new(),
            of_shards: BTreeMap::new(),
            inherited: Vec::new(),
            last_run: None,
            elsewhere: Arc::default(),
            unreadable: Vec::new(),
        }
    }

    /// Takes the rows that nobody else holds, and reads them. `None` if another run holds what shards keep for
    /// themselves, or for a command any of the rows.
    pub fn take(&mut self) -> Result<Option<Found>> {
        let (token, length) = (self.token.clone().into_bytes(), self.length());
        let holder: String = self.holder.chars().take(128).collect();
        let own = RowName::of_shard(&self.rows.shard.to_string());
        let mut wanted: Vec<RowName> = match self.rows.of_shards {
            OfShards::Own => vec![own.clone()],
            OfShards::All | OfShards::None => Vec::new(),
        };
        // A command changes what runs know of: it adds nothing.
        if !wanted.is_empty() {
            let names = self.rows.names.iter();
            wanted.extend(names.map(|name| RowName::of_series(name)));
        }
        let conditions = self.rows.conditions();
        let (rows, notes) = self
            .link
            .transaction("take what is to be checked", |writer| {
                add_absent(writer, &wanted, &token, &holder, length)?;
                let mut rows = Vec::new();
                for condition in &conditions {
                    let taking = vec![token.clone(), holder.as_bytes().to_vec()];
                    let taking = condition.between(taking, vec![token.clone()]);
                    let wanted = format!("{}{}", condition.rows, condition.taken);
                    writer.query(&sql::take(&wanted, length), taking)?;
                }
                for condition in &conditions {
                    let parameters = condition.between(vec![token.clone(); 4], Vec::new());
                    let read = writer.query(&sql::held(&condition.rows), parameters)?;
                    rows.extend(read.into_iter().map(Row::from_cells));
                }
                Ok((rows, read_notes(writer)?))
            })?;
        let is_of_other = |row: &&Row| !row.is_held;
        let is_elsewhere = match self.rows.of_shards {
            OfShards::Own => rows.iter().filter(is_of_other).any(|row| row.name == own),
            OfShards::All | OfShards::None => rows.iter().any(|row| !row.is_held),
        };
        if is_elsewhere {
            self.let_go();
            return Ok(None);
        }
        let mut found = notes.found()?;
        for row in rows {
            if row.name.is_of_shard() && row.name != own && self.rows.of_shards == OfShards::Own {
                if !row.is_held {
                    continue;
                }
                self.inherited.push(row.name.clone());
            }
            self.read(row, &mut found)?;
        }
        Ok(Some(found))
    }

    /// Reads all there is, whoever holds it.
    pub fn look(&mut self) -> Result<Found> {
        let (rows, notes) = self.link.transaction("look at the state", |writer| {
            let rows = writer.query(&sql::all("1 = 1 ORDER BY shard"), Vec::new())?;
            let rows: Vec<Row> = rows.into_iter().map(Row::from_cells).collect();
            Ok((rows, read_notes(writer)?))
        })?;
        let mut found = notes.found()?;
        for row in rows {
            self.read(row, &mut found)?;
        }
        Ok(found)
    }

    fn read(&mut self, row: Row, found: &mut Found) -> Result<()> {
        let Row {
            name,
            is_held,
            state,
            told,
            runs,
        } = row;
        if !is_held {
            Arc::make_mut(&mut self.elsewhere).insert(name.series);
            return Ok(());
        }
        let marks = Marks {
            state: mark(&state),
            told: mark(&told),
        };
        if name.is_of_shard() {
            let of_shard =
                |error: LoadError| anyhow!("state: what shard {} keeps: {error}", name.shard);
            let mut contents: Contents = decode_or_default(&state).map_err(of_shard)?;
            contents.log = decode_or_default(&told).map_err(of_shard)?;
            let runs: Runs = decode_or_default(&runs).unwrap_or_default();
            self.of_shards.insert(name.shard.clone(), contents.clone());
            found.contents.absorb(contents);
            self.last_run = self.last_run.max(runs.last);
            found.runs.absorb(runs);
            self.saved.insert(name, marks);
            return Ok(());
        }
        let read = || -> Result<(SeriesRow, MetricRecords), LoadError> {
            Ok((decode_or_default(&state)?, decode_or_default(&told)?))
        };
        match read() {
            Ok((
                SeriesRow {
                    state: known,
                    title,
                },
                records,
            )) => {
                let contents = &mut found.contents;
                if let (Some(title), Some(metric)) = (title, self.metric_of(&name.series)) {
                    let notes = contents.series.entry(metric.to_string()).or_default();
                    notes.titles.insert(name.series.clone(), title);
                }
                if !state.is_empty() {
                    contents.metrics.insert(name.series.clone(), known);
                }
                if !records.is_empty() {
                    contents.log.set_metric(&name.series, records);
                }
                self.saved.insert(name, marks);
            }
            Err(error) => {
                // It is not written over, so nothing of it may be told.
                self.unreadable.push(UnreadableFile {
                    path: format!("bandwatch_state, row {}", name.id()).into(),
                    name: name.series.clone(),
                    error,
                });
                Arc::make_mut(&mut self.elsewhere).insert(name.series);
            }
        }
        Ok(())
    }

    /// What another run is at work on.
    pub fn elsewhere(&self) -> Arc<BTreeSet<String>> {
        Arc::clone(&self.elsewhere)
    }

    pub fn unreadable(&self) -> &[UnreadableFile] {
        &self.unreadable
    }

    /// Writes what changed into the rows that are still held, and notes those that are not. Fails if nothing is
    /// written. What is known of series is looked at only if it may differ.
    pub fn save(
        &mut self,
        contents: &Contents,
        log: &NotificationLog,
        may_differ: bool,
    ) -> Result<()> {
        let writes = self.writes(contents, log, may_differ)?;
        let mut deleted = std::mem::take(&mut self.inherited);
        if may_differ {
            let gone = self
                .saved
                .keys()
                .filter(|name| !name.is_of_shard() && !contents.metrics.contains_key(&name.series));
            deleted.extend(gone.cloned());
        }
        let waiting = log.waiting_metrics();
        let waiting = waiting.filter(|metric| !self.elsewhere.contains(*metric));
        let waiting: Vec<RowName> = waiting.map(|metric| self.row_of(metric)).collect();
        if writes.is_empty() && deleted.is_empty() && waiting.is_empty() {
            return Ok(());
        }
        let (token, length) = (self.token.clone().into_bytes(), self.length());
        let holder: String = self.holder.chars().take(128).collect();
        let chunks = chunks(&writes);
        let own_token = self.token.clone();
        let parameters = |write: &Write| {
            let columns = [&write.state, &write.told];
            row_parameters(&write.name, &write.metric, &own_token, &holder, columns)
        };
        let checked: BTreeSet<&RowName> = writes
            .iter()
            .map(|write| &write.name)
            .chain(&waiting)
            .collect();
        let checked: Vec<&RowName> = checked.into_iter().collect();
        let held = self.link.transaction("save", |writer| {
            for chunk in &chunks {
                let parameters = chunk.iter().flat_map(|write| parameters(write)).collect();
                writer.query(&sql::write(chunk.len(), length), parameters)?;
            }
            for names in deleted.chunks(MOST_ROWS) {
                writer.query(&sql::delete(&sql::of_ids(names.len())), ids(names, &token))?;
            }
            let mut held = BTreeSet::new();
            for names in checked.chunks(MOST_ROWS) {
                let names: Vec<RowName> = names.iter().copied().cloned().collect();
                let read = writer.query(
                    &sql::still_held(&sql::of_ids(names.len())),
                    ids(&names, &token),
                )?;
                held.extend(read.into_iter().map(RowName::from_cells));
            }
            Ok(held)
        });
        let held = match held {
            Ok(held) => held,
            Err(error) => {
                self.inherited = deleted.into_iter().filter(RowName::is_of_shard).collect();
                return Err(error);
            }
        };
        let lost: Vec<String> = checked
            .iter()
            .filter(|name| !held.contains(**name))
            .map(|name| name.series.clone())
            .collect();
        for write in writes {
            if held.contains(&write.name) {
                self.saved.insert(write.name, write.marks);
            } else {
                self.saved.remove(&write.name);
            }
        }
        for name in &deleted {
            self.saved.remove(name);
        }
        if !lost.is_empty() {
            Arc::make_mut(&mut self.elsewhere).extend(lost);
        }
        Ok(())
    }

    /// Notes when runs were.
    pub fn save_runs(&mut self, runs: &Runs) -> Result<()> {
        let id = RowName::of_shard(&self.rows.shard.to_string()).id();
        let parameters = vec![
            encode(runs)?,
            id.into_bytes(),
            self.token.clone().into_bytes(),
        ];
        let day = |run: Option<DateTime<Utc>>| run.map(|run| run.date_naive());
        let is_first_of_day = day(self.last_run) != day(runs.last);
        self.link.transaction("save", |writer| {
            writer.query(sql::NOTE_RUNS, parameters.clone())?;
            if is_first_of_day {
                writer.query(sql::DELETE_FORGOTTEN, Vec::new())?;
            }
            Ok(())
        })
    }

    /// Changes the silences, whoever is at work.
    pub fn change_silences<T>(&mut self, change: impl Fn(&mut Silences) -> T) -> Result<T> {
        self.link.transaction("change the silences", |writer| {
            let name = || vec![SILENCES.as_bytes().to_vec()];
            let add = vec![SILENCES.as_bytes().to_vec(), encode(&Silences::default())?];
            writer.query(sql::ADD_NOTE, add)?;
            let value = first_cell(writer.query(sql::NOTE_TO_CHANGE, name())?);
            let mut silences: Silences =
                decode_or_default(&value).map_err(|error| anyhow!("the silences: {error}"))?;
            let changed = change(&mut silences);
            let parameters = [vec![encode(&silences)?], name()].concat();
            writer.query(sql::CHANGE_NOTE, parameters)?;
            Ok(changed)
        })
    }

    fn writes(
        &self,
        contents: &Contents,
        log: &NotificationLog,
        may_differ: bool,
    ) -> Result<Vec<Write>> {
        let mut writes = Vec::new();
        let unsaved = Marks {
            state: mark(&[]),
            told: mark(&[]),
        };
        for (name, known) in &contents.metrics {
            if self.groups.contains(name) || self.elsewhere.contains(name) {
                continue;
            }
            let row = RowName::of_series(name);
            let saved = self.saved.get(&row).copied();
            let records = log.of_metric(name).filter(|records| !records.is_empty());
            let told = records.map_or(Ok(Vec::new()), encode)?;
            let was = saved.unwrap_or(unsaved);
            if !may_differ && saved.is_some() && was.told == mark(&told) {
                continue;
            }
            let title = self
                .metric_of(name)
                .and_then(|metric| contents.series.get(metric)?.titles.get(name));
            let state = encode(&SeriesRowToWrite {
                state: known,
                title,
            })?;
            self.note_write(&mut writes, row, state, told);
        }
        for label in self.shards() {
            let row = RowName::of_shard(&label);
            let is_apart = |metric: &str| !metric.is_empty() && !self.groups.contains(metric);
            let told = match self.rows.of_shards {
                OfShards::Own => log.without(is_apart),
                // What was told of it is not changed by a command.
                OfShards::All | OfShards::None => self
                    .of_shards
                    .get(&label)
                    .map_or_else(NotificationLog::default, |known| known.log.clone()),
            };
            let told = encode(&told)?;
            let saved = self.saved.get(&row).copied().unwrap_or(unsaved);
            if !may_differ && saved.told == mark(&told) {
                continue;
            }
            let state = encode(&self.kept_by(&label, contents))?;
            self.note_write(&mut writes, row, state, told);
        }
        Ok(writes)
    }

    fn note_write(&self, writes: &mut Vec<Write>, name: RowName, state: Vec<u8>, told: Vec<u8>) {
        let marks = Marks {
            state: mark(&state),
            told: mark(&told),
        };
        if self.saved.get(&name) != Some(&marks) {
            let metric = self.metric_of(&name.series).unwrap_or(&name.series);
            writes.push(Write {
                metric: metric.to_string(),
                name,
                state,
                told,
                marks,
            });
        }
    }

    /// The shards whose own rows are held.
    fn shards(&self) -> Vec<String> {
        match self.rows.of_shards {
            OfShards::Own => vec![self.rows.shard.to_string()],
            OfShards::All | OfShards::None => self.of_shards.keys().cloned().collect(),
        }
    }

    /// What a shard keeps for itself: what is known of metrics with many series as it sees them, and of bandwatch.
    fn kept_by(&self, label: &str, contents: &Contents) -> Contents {
        if self.rows.of_shards == OfShards::Own {
            let groups = contents
                .metrics
                .iter()
                .filter(|(name, _)| self.groups.contains(*name));
            let mut kept = Contents {
                metrics: groups
                    .map(|(name, known)| (name.clone(), known.clone()))
                    .collect(),
                series: contents.series.clone(),
                own_alerts: contents.own_alerts.clone(),
                reported_unreadable: contents.reported_unreadable.clone(),
                ..Contents::default()
            };
            // They are in the rows of the series.
            kept.series
                .values_mut()
                .for_each(|notes| notes.titles.clear());
            return kept;
        }
        // A command saw what all shards keep as one: of that each alert goes back to where it is from.
        let mut kept = self.of_shards.get(label).cloned().unwrap_or_default();
        for (name, known) in &mut kept.metrics {
            let changed = contents
                .metrics
                .get(name)
                .map_or(&[][..], |known| &known.alerts);
            for alert in &mut known.alerts {
                if let Some(changed) = changed.iter().find(|changed| changed.id == alert.id) {
                    *alert = changed.clone();
                }
            }
        }
        kept
    }

    /// Where what was told of a metric stands.
    fn row_of(&self, metric: &str) -> RowName {
        if metric.is_empty() || self.groups.contains(metric) {
            RowName::of_shard(&self.rows.shard.to_string())
        } else {
            RowName::of_series(metric)
        }
    }

    /// The metric with many series that this is one of.
    fn metric_of(&self, series: &str) -> Option<&str> {
        let mut groups = self.groups.iter();
        let group = groups.find(|group| {
            series
                .strip_prefix(group.as_str())
                .is_some_and(|key| key.starts_with('{'))
        });
        group.map(String::as_str)
    }

    /// How long rows are held from now on.
    fn length(&self) -> Duration {
        self.deadline.left() + GRACE
    }

    fn let_go(&mut self) {
        let token = self.token.clone().into_bytes();
        let conditions = self.rows.conditions();
        // Otherwise their time runs out.
        let _ = self
            .link
            .transaction("let go of what was checked", |writer| {
                for condition in &conditions {
                    let parameters = condition.between(Vec::new(), vec![token.clone()]);
                    writer.query(&sql::let_go(&condition.rows), parameters)?;
                }
                Ok(())
            });
    }
}

impl Drop for StateTables {
    fn drop(&mut self) {
        if !self.saved.is_empty() {
            self.let_go();
        }
    }
}

/// [`SeriesRow`] as it is written.
#[derive(Serialize)]
struct SeriesRowToWrite<'a> {
    state: &'a MetricState,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a String>,
}

/// The notes, as they are read.
struct Notes {
    installation: Cell,
    silences: Cell,
}

impl Notes {
    fn found(self) -> Result<Found> {
        let installation = String::from_utf8(self.installation).unwrap_or_default();
        if installation.is_empty() {
            bail!(
                "state: bandwatch_notes has no mark of the installation; add it: bandwatch create-tables"
            );
        }
        Ok(Found {
            contents: Contents {
                installation: Some(installation),
                ..Contents::default()
            },
            silences: decode_or_default(&self.silences)
                .map_err(|error| anyhow!("state: the silences: {error}"))?,
            runs: Runs::default(),
        })
    }
}

impl Row {
    fn from_cells(cells: Vec<Cell>) -> Self {
        let mut cells = cells.into_iter();
        let mut next = || cells.next().unwrap_or_default();
        Self {
            name: RowName {
                series: text(next()),
                shard: text(next()),
            },
            is_held: next() == b"1",
            state: next(),
            told: next(),
            runs: next(),
        }
    }
}

impl RowName {
    fn from_cells(cells: Vec<Cell>) -> Self {
        let mut cells = cells.into_iter();
        let mut next = || text(cells.next().unwrap_or_default());
        Self {
            series: next(),
            shard: next(),
        }
    }
}

fn text(cell: Cell) -> String {
    String::from_utf8(cell).unwrap_or_default()
}

fn first_cell(rows: Vec<Vec<Cell>>) -> Cell {
    rows.into_iter().flatten().next().unwrap_or_default()
}

fn read_notes(writer: &mut Writer) -> Result<Notes> {
    let mut note = |name: &str| -> Result<Cell> {
        Ok(first_cell(
            writer.query(sql::NOTE, vec![name.as_bytes().to_vec()])?,
        ))
    };
    Ok(Notes {
        installation: note(INSTALLATION)?,
        silences: note(SILENCES)?,
    })
}

/// Adds the rows that are not there, held by the run.
fn add_absent(
    writer: &mut Writer,
    wanted: &[RowName],
    token: &[u8],
    holder: &str,
    length: Duration,
) -> Result<()> {
    for names in wanted.chunks(MOST_ROWS) {
        let all: Vec<Cell> = names.iter().map(|name| name.id().into_bytes()).collect();
        let there = writer.query(&sql::ids(&sql::of_ids(all.len())), all)?;
        let there: BTreeSet<Cell> = there.into_iter().flatten().collect();
        let absent = names
            .iter()
            .filter(|name| !there.contains(name.id().as_bytes()));
        let absent: Vec<&RowName> = absent.collect();
        if absent.is_empty() {
            continue;
        }
        let token = std::str::from_utf8(token).context("a token is text")?;
        let empty = Vec::new();
        let parameters = absent
            .iter()
            .flat_map(|name| row_parameters(name, &name.series, token, holder, [&empty, &empty]));
        writer.query(&sql::add(absent.len(), length), parameters.collect())?;
    }
    Ok(())
}

/// See [`sql::write`].
fn row_parameters(
    name: &RowName,
    metric: &str,
    token: &str,
    holder: &str,
    columns: [&Vec<u8>; 2],
) -> Vec<Cell> {
    let [state, told] = columns;
    vec![
        name.id().into_bytes(),
        digest(metric).into_bytes(),
        name.place().to_string().into_bytes(),
        name.series.clone().into_bytes(),
        name.shard.clone().into_bytes(),
        token.as_bytes().to_vec(),
        holder.as_bytes().to_vec(),
        state.clone(),
        told.clone(),
    ]
}

/// The ids of rows, and the token.
fn ids(names: &[RowName], token: &[u8]) -> Vec<Cell> {
    let ids = names.iter().map(|name| name.id().into_bytes());
    ids.chain([token.to_vec()]).collect()
}

/// So many rows at once as a statement may have.
fn chunks(writes: &[Write]) -> Vec<Vec<&Write>> {
    let mut chunks: Vec<Vec<&Write>> = Vec::new();
    let mut bytes = 0;
    for write in writes {
        let size = write.state.len() + write.told.len();
        match chunks.last_mut() {
            Some(chunk) if chunk.len() < MOST_ROWS && bytes + size <= MOST_BYTES => {
                bytes += size;
                chunk.push(write);
            }
            _ => {
                bytes = size;
                chunks.push(vec![write]);
            }
        }
    }
    chunks
}

/// A row that was only added holds nothing yet.
fn decode_or_default<T: serde::de::DeserializeOwned + Default>(
    bytes: &[u8],
) -> Result<T, LoadError> {
    if bytes.is_empty() {
        return Ok(T::default());
    }
    decode(bytes)
}
