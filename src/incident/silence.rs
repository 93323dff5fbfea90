//! Silences somebody asked for: when a metric is judged and remembered, but not mailed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use chrono::{DateTime, Utc};

/// A time, perhaps one to come, in which a metric is not to be mailed about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// `None`: from when it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<DateTime<Utc>>,
    pub until: DateTime<Utc>,
    pub because: Option<String>,
}

/// The silences by the name of their metric, of each by their start.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "BTreeMap<String, OneOrMany>")]
pub struct Silences(BTreeMap<String, Vec<Silence>>);

/// As they are read: up to 0.2 a metric had one at most.
#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(Silence),
    Many(Vec<Silence>),
}

impl From<BTreeMap<String, OneOrMany>> for Silences {
    fn from(read: BTreeMap<String, OneOrMany>) -> Self {
        let all = read.into_iter().map(|(metric, silences)| match silences {
            OneOrMany::One(silence) => (metric, vec![silence]),
            OneOrMany::Many(silences) => (metric, silences),
        });
        Self(all.collect())
    }
}

impl Silence {
    pub fn holds(&self, time: DateTime<Utc>) -> bool {
        self.from.is_none_or(|from| from <= time) && time < self.until
    }
}

impl Silences {
    /// The silence of a metric, if it is silent: of several the one that ends last.
    pub fn of(&self, metric: &str, now: DateTime<Utc>) -> Option<&Silence> {
        let silences = self.all(metric).iter();
        let present = silences.filter(|silence| silence.holds(now));
        present.max_by_key(|silence| silence.until)
    }

    /// The silences of a metric that are not over: the present one, and those to come.
    pub fn not_over(&self, metric: &str, now: DateTime<Utc>) -> impl Iterator<Item = &Silence> {
        let silences = self.all(metric).iter();
        silences.filter(move |silence| silence.until > now)
    }

    fn all(&self, metric: &str) -> &[Silence] {
        self.0.get(metric).map_or(&[], Vec::as_slice)
    }

    /// Silences a metric, in place of the silence it has, or of the one to come that begins at the same
    /// time; those that are over go.
    pub fn add(&mut self, metric: &str, silence: Silence, now: DateTime<Utc>) {
        let silences = self.0.entry(metric.to_string()).or_default();
        silences.retain(|other| match silence.from {
            None => !other.holds(now),
            from => other.from != from,
        });
        silences.push(silence);
        silences.sort_by_key(|silence| silence.from);
        self.0.retain(|_, silences| {
            silences.retain(|silence| silence.until > now);
            !silences.is_empty()
        });
    }

    /// Ends a metric's silences, those to come too, and says what they were.
    pub fn end(&mut self, metric: &str, now: DateTime<Utc>) -> Vec<Silence> {
        let mut ended = self.0.remove(metric).unwrap_or_default();
        ended.retain(|silence| silence.until > now);
        ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + chrono::TimeDelta::hours(hour)
    }

    fn silence(from: Option<i64>, until: i64) -> Silence {
        Silence {
            from: from.map(at),
            until: at(until),
            because: None,
        }
    }

    #[test]
    fn a_silence_takes_the_place_of_the_present_one_or_of_one_that_begins_with_it() {
        let mut silences = Silences::default();
        for (from, until) in [
            (Some(5), 8),
            (None, 3),
            (Some(10), 12),
            (Some(5), 7),
            (None, 2),
        ] {
            silences.add("sales", silence(from, until), at(0));
        }
        let silent: Vec<i64> = (0..14)
            .filter(|hour| silences.of("sales", at(*hour)).is_some())
            .collect();
        assert_eq!(silent, [0, 1, 5, 6, 10, 11]);
        assert_eq!(silences.of("orders", at(1)), None);
        assert_eq!(silences.not_over("sales", at(8)).count(), 1);
        assert_eq!(silences.end("sales", at(8)), [silence(Some(10), 12)]);
        assert!(silences.end("sales", at(8)).is_empty());
    }

    #[test]
    fn silences_are_read_as_earlier_versions_wrote_them() {
        let text = r#"{"sales":{"until":"1970-01-01T02:00:00Z","because":null}}"#;
        let silences: Silences = serde_json::from_str(text).expect("silences");
        assert_eq!(silences.of("sales", at(1)), Some(&silence(None, 2)));
    }
}
