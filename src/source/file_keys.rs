//! Which of many series the rows of a file are of. A value and a key are kept once, however many rows have
//! them, so that rows may come in any order.

use std::collections::HashMap;

use anyhow::{Result, ensure};

use super::file_rows::RowTime;
use crate::config::{Group, KeyPattern, Metric};
use crate::series::key::SeriesKey;

/// More keys are no series: they are numbers of rows, or the like.
const MOST_KEYS: usize = 1_000_000;

/// Of a title so many characters are kept.
const LONGEST_TITLE: usize = 100;

/// A value of a key column, by its place among all there are; `None`: NULL.
pub type ValueId = Option<u32>;

/// The keys of the rows of a file.
#[derive(Debug)]
pub struct RowKeys {
    names: Vec<String>,
    columns: Vec<KeyValues>,
    include: Vec<KeyPattern>,
    exclude: Vec<KeyPattern>,
    ids: HashMap<Vec<ValueId>, u32>,
    /// By their ids.
    keys: Vec<Vec<ValueId>>,
    titles: Texts,
    /// Of each key the title of its newest row that has one.
    titled: Vec<Option<(RowTime, u32)>>,
    /// Of each row the id of its key.
    of_rows: Vec<u32>,
}

/// The values of one key column.
#[derive(Debug, Default)]
struct KeyValues {
    texts: Texts,
    /// Of each text which of the patterns it matches, those of `include` first.
    matches: Vec<Vec<bool>>,
}

/// Texts, each once.
#[derive(Debug, Default)]
struct Texts {
    ids: HashMap<String, u32>,
    texts: Vec<String>,
}

impl RowKeys {
    /// Those of a metric with many series, or of one of them.
    pub fn of(metric: &Metric) -> Option<Self> {
        let names = metric.key_columns();
        if names.is_empty() {
            return None;
        }
        let patterns = |of: fn(&Group) -> &Vec<KeyPattern>| {
            let group = metric.group.as_ref();
            group.map_or(Vec::new(), |group| of(group).clone())
        };
        Some(Self {
            columns: names.iter().map(|_| KeyValues::default()).collect(),
            names,
            include: patterns(|group| &group.include),
            exclude: patterns(|group| &group.exclude),
            ids: HashMap::new(),
            keys: Vec::new(),
            titles: Texts::default(),
            titled: Vec::new(),
            of_rows: Vec::new(),
        })
    }

    /// A value of one of the columns.
    pub fn value(&mut self, column: usize, text: Option<&str>) -> ValueId {
        let text = text?;
        let values = self.columns.get_mut(column)?;
        let (id, is_new) = values.texts.id(&SeriesKey::known_value(text));
        if is_new {
            let patterns = self.include.iter().chain(&self.exclude);
            let values_of_column = patterns.map(|pattern| pattern.0.get(column));
            let matches = values_of_column
                .map(|pattern| pattern.is_some_and(|pattern| pattern.matches(Some(text))));
            values.matches.push(matches.collect());
        }
        Some(id)
    }

    /// Adds the key of the next row.
    pub fn add(&mut self, values: &[ValueId]) -> Result<u32> {
        let known = self.ids.get(values).copied();
        let id = known.map_or_else(|| self.new_key(values), Ok)?;
        self.of_rows.push(id);
        Ok(id)
    }

    fn new_key(&mut self, values: &[ValueId]) -> Result<u32> {
        ensure!(
            self.keys.len() < MOST_KEYS,
            "group_by makes more than {MOST_KEYS} keys; allowed: the columns that tell series apart, not rows"
        );
        let id = u32::try_from(self.keys.len())?;
        self.ids.insert(values.to_vec(), id);
        self.keys.push(values.to_vec());
        self.titled.push(None);
        Ok(id)
    }

    /// What a row of a key says that people call it.
    pub fn note_title(&mut self, key: u32, time: RowTime, title: Option<&str>) {
        let Some(title) = title else {
            return;
        };
        let Some(titled) = self.titled.get_mut(index(key)) else {
            return;
        };
        if titled.is_none_or(|(newest, _)| time >= newest) {
            let end = title.char_indices().nth(LONGEST_TITLE);
            let title = end.map_or(title, |(end, _)| &title[..end]);
            *titled = Some((time, self.titles.id(title).0));
        }
    }

    /// Of each row the id of its key.
    pub fn of_rows(&self) -> &[u32] {
        &self.of_rows
    }

    /// All keys with their ids, in their order.
    pub fn all(&self) -> Vec<(SeriesKey, u32)> {
        let keys = self.keys.iter().zip(0..);
        let mut all: Vec<_> = keys.map(|(key, id)| (self.key(key), id)).collect();
        all.sort_unstable();
        all
    }

    pub fn title(&self, id: u32) -> Option<&str> {
        let (_, title) = (*self.titled.get(index(id))?)?;
        self.titles.get(title)
    }

    /// Whether the series of a key is watched, as `include` and `exclude` have it.
    pub fn is_wanted(&self, id: u32) -> bool {
        let Some(key) = self.keys.get(index(id)) else {
            return false;
        };
        let (included, all) = (self.include.len(), self.include.len() + self.exclude.len());
        let is_meant = |pattern: usize| self.is_meant(key, pattern);
        (included == 0 || (0..included).any(is_meant)) && !(included..all).any(is_meant)
    }

    fn is_meant(&self, key: &[ValueId], pattern: usize) -> bool {
        let parts = self.include.iter().chain(&self.exclude).nth(pattern);
        let mut columns = self.columns.iter().zip(key).enumerate();
        columns.all(|(column, (values, id))| {
            if let Some(id) = id {
                let matches = values.matches.get(index(*id));
                matches.is_some_and(|matches| matches.get(pattern) == Some(&true))
            } else {
                let part = parts.and_then(|parts| parts.0.get(column));
                part.is_some_and(|part| part.matches(None))
            }
        })
    }

    fn key(&self, values: &[ValueId]) -> SeriesKey {
        let values = self.columns.iter().zip(values);
        let values = values.map(|(column, id)| column.texts.get((*id)?).map(str::to_string));
        SeriesKey::new(&self.names, values)
    }
}

impl Texts {
    /// The id of a text, and whether it is new.
    fn id(&mut self, text: &str) -> (u32, bool) {
        if let Some(id) = self.ids.get(text) {
            return (*id, false);
        }
        let id = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.ids.insert(text.to_string(), id);
        self.texts.push(text.to_string());
        (id, true)
    }

    fn get(&self, id: u32) -> Option<&str> {
        self.texts.get(index(id)).map(String::as_str)
    }
}

fn index(id: u32) -> usize {
    usize::try_from(id).unwrap_or(usize::MAX)
}
