//! The words of a mail, the same in both of its parts: subject, heading, what happened, the figures.

use serde::{Deserialize, Serialize};

use super::measured::Measured;
use super::tone::Tone;
use crate::config::Metric;
use crate::detect::Evaluation;
use crate::detect::Verdict;
use crate::forecast::Side;
use crate::output::{separate_thousands, without_breaks, write_length};

/// A row of the table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    pub name: String,
    pub value: String,
}

/// One of several matters that are told at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    pub title: String,
    /// The word on the label, and its colour.
    pub label: String,
    pub tone: Tone,
    pub value: String,
    pub when: String,
    pub expected: Option<String>,
    pub deviation: Option<String>,
    pub detail: Option<String>,
}

/// The same words for both parts of a mail.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Words {
    pub subject: String,
    pub heading: String,
    pub summary: String,
    pub facts: Vec<Fact>,
    pub entries: Vec<Entry>,
    pub notes: Vec<String>,
}

impl Words {
    pub fn of(metric: &Metric, evaluation: &Evaluation) -> Self {
        let (side, place) = match evaluation.verdict {
            Verdict::Breach(Side::High) => ("High", "is above its band"),
            Verdict::Breach(Side::Low) => ("Low", "is below its band"),
            Verdict::Normal => ("Normal", "is inside its band"),
            Verdict::Undecided(_) | Verdict::NoData { .. } => ("Undecided", "is not decided"),
        };
        let title = &metric.title;
        let measured = Measured::of_evaluation(metric, evaluation);
        let headline = measured.as_ref().and_then(Measured::headline);
        let (told, summary) = match evaluation.reason() {
            Some(reason) => (
                format!("{title}: {reason}"),
                format!("{title} cannot be judged: {reason}."),
            ),
            None => (
                headline.map_or(title.clone(), |headline| format!("{title} {headline}")),
                measured.map_or(format!("{title} {place}."), |measured| {
                    measured.sentence(place)
                }),
            ),
        };
        Self {
            subject: format!("[{side}] {told}"),
            heading: heading(side, metric),
            summary,
            facts: facts(metric, evaluation),
            notes: notes(metric, evaluation),
            ..Self::default()
        }
    }

    /// The words without line breaks, so that no name can pass for a line or a header of its own.
    #[must_use]
    pub fn without_breaks(mut self) -> Self {
        let facts = self
            .facts
            .iter_mut()
            .flat_map(|fact| [&mut fact.name, &mut fact.value]);
        let lines = [&mut self.subject, &mut self.heading, &mut self.summary];
        for text in lines.into_iter().chain(facts).chain(&mut self.notes) {
            *text = without_breaks(text);
        }
        self.entries.iter_mut().for_each(Entry::lose_breaks);
        self
    }
}

impl Fact {
    pub fn new(name: &str, value: String) -> Self {
        Self {
            name: name.to_string(),
            value,
        }
    }
}

impl Entry {
    /// What stands below its title, label, value and time.
    pub fn lines(&self) -> Vec<String> {
        let figures: Vec<&str> = [&self.expected, &self.deviation]
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect();
        let figures = Some(figures.join("; ")).filter(|figures| !figures.is_empty());
        figures.into_iter().chain(self.detail.clone()).collect()
    }

    /// All of it as lines of text.
    pub fn text(&self) -> String {
        let mut text = format!(
            "{}: {}\n  {} {}\n",
            self.title, self.label, self.value, self.when
        );
        for line in self.lines() {
            text += &format!("  {line}\n");
        }
        text
    }

    fn lose_breaks(&mut self) {
        let texts = [
            Some(&mut self.title),
            Some(&mut self.value),
            self.expected.as_mut(),
            self.deviation.as_mut(),
            self.detail.as_mut(),
        ];
        for text in texts.into_iter().flatten() {
            *text = without_breaks(text);
        }
    }
}

/// "No data" to "No Data", for a heading.
pub fn title_case(words: &str) -> String {
    let capitalised = |word: &str| {
        let mut letters = word.chars();
        let first = letters.next().map(char::to_uppercase);
        first
            .into_iter()
            .flatten()
            .chain(letters)
            .collect::<String>()
    };
    let words: Vec<String> = words.split(' ').map(capitalised).collect();
    words.join(" ")
}

/// "High Sales Volume": a word, and what it is about.
pub fn heading(word: &str, metric: &Metric) -> String {
    let Metric { title, measure, .. } = metric;
    if measure.is_empty() || ends_with_word(title, measure) {
        format!("{word} {title}")
    } else {
        format!("{word} {title} {measure}")
    }
}

fn ends_with_word(title: &str, word: &str) -> bool {
    title
        .split_whitespace()
        .next_back()
        .is_some_and(|last| last.eq_ignore_ascii_case(word))
}

/// The figures of the judged bucket, and what they were drawn from.
pub fn facts(metric: &Metric, evaluation: &Evaluation) -> Vec<Fact> {
    let measured = Measured::of_evaluation(metric, evaluation);
    let mut facts = measured.map_or(Vec::new(), |measured| measured.facts());
    if let Some(cleaned) = evaluation.cleaned() {
        let history = &cleaned.history;
        let count = |count: usize| separate_thousands(&count.to_string());
        facts.push(Fact::new(
            "History used",
            format!(
                "{}, {} values, {} missing",
                write_length(history.span()),
                count(history.len() - history.missing()),
                count(history.missing())
            ),
        ));
        facts.push(Fact::new("Outliers clipped", count(cleaned.clipped.len())));
    }
    facts
}

/// What the figures alone would not tell.
pub fn notes(metric: &Metric, evaluation: &Evaluation) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(reason) = evaluation.reason() {
        notes.push(format!("No verdict: {reason}."));
    }
    let range = metric.method.range;
    if evaluation.low_possible == Some(false) {
        notes.push(match range.min() {
            Some(min) if min != 0.0 => format!("The band reaches down to {min}, the least value there can be, so at this hour no drop would show as Low."),
            _ => "The band reaches down to zero, so at this hour even a drop to nothing would not show as Low.".to_string(),
        });
    }
    if evaluation.high_possible == Some(false)
        && let Some(max) = range.max()
    {
        notes.push(format!("The band reaches up to {max}, the greatest value there can be, so at this hour no rise would show as High."));
    }
    notes
}
