//! What is to be told, whole: words, colour and pictures, as a text part that says everything and as
//! HTML. Every value is escaped by the template, and on one line.

use anyhow::{Context, Result};
use askama::Template;
use serde::{Deserialize, Serialize};

use super::picture::Picture;
use super::tone::Tone;
use super::words::{Entry, Fact, Words};

/// What is to be told, to whomever; it can wait on disk until it is sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Writing {
    words: Words,
    tone: Tone,
    pictures: Vec<Picture>,
    contact: Option<String>,
}

#[derive(Template)]
#[template(path = "alert.html", config = "src/notify/email/askama.toml")]
struct Page<'a> {
    subject: &'a str,
    heading: &'a str,
    colour: &'static str,
    summary: &'a str,
    facts: &'a [Fact],
    entries: &'a [Entry],
    notes: &'a [String],
    pictures: &'a [Picture],
    contact: Option<&'a str>,
}

/// Where a page that is opened outside of a mail finds its pictures.
#[derive(Debug, Clone, Copy)]
pub struct PreviewImages<'a> {
    pub day: &'a str,
    pub two_days: &'a str,
}

impl Writing {
    pub fn new(words: Words, tone: Tone, pictures: Vec<Picture>, contact: Option<&str>) -> Self {
        Self {
            words: words.without_breaks(),
            tone,
            pictures,
            contact: contact.map(str::to_string),
        }
    }

    pub fn subject(&self) -> &str {
        &self.words.subject
    }

    pub fn pictures(&self) -> &[Picture] {
        &self.pictures
    }

    /// The page with its pictures beside it, for a browser.
    ///
    /// # Errors
    ///
    /// If the page cannot be rendered.
    pub fn page_with(&self, images: PreviewImages) -> Result<String> {
        let [day, two_days] = [images.day, images.two_days].map(|name| {
            name.replace('%', "%25")
                .replace('#', "%23")
                .replace('?', "%3F")
        });
        let mut html = self.html()?;
        for (picture, name) in self.pictures.iter().zip([day, two_days]) {
            html = html.replace(
                &format!("src=\"{}\"", picture.source),
                &format!("src=\"{name}\""),
            );
        }
        Ok(html)
    }

    pub(super) fn html(&self) -> Result<String> {
        let words = &self.words;
        let page = Page {
            subject: &words.subject,
            heading: &words.heading,
            colour: self.tone.colour(),
            summary: &words.summary,
            facts: &words.facts,
            entries: &words.entries,
            notes: &words.notes,
            pictures: &self.pictures,
            contact: self.contact.as_deref(),
        };
        page.render().context("render the HTML of the mail")
    }

    pub(super) fn text(&self) -> String {
        let words = &self.words;
        let mut text = format!(
            "{}\n{}\n\n{}\n\n",
            words.heading,
            "=".repeat(words.heading.chars().count().min(70)),
            words.summary
        );
        for fact in &words.facts {
            text += &format!("{:<17} {}\n", format!("{}:", fact.name), fact.value);
        }
        let entries: Vec<String> = words.entries.iter().map(Entry::text).collect();
        text += &entries.join("\n");
        for note in &words.notes {
            text += &format!("\n{note}\n");
        }
        if let Some(shown) = self.shown() {
            text += &format!("\nThe pictures of {shown} are in the HTML part of this mail.\n");
        }
        text += "\n-- \n";
        if let Some(contact) = &self.contact {
            text += &format!("Questions? {contact}\n");
        }
        text + "Sent by bandwatch.\n"
    }

    /// What the pictures show, if there are any: of one metric two, of several one each.
    fn shown(&self) -> Option<String> {
        if self.pictures.is_empty() {
            return None;
        }
        if self.words.entries.is_empty() {
            return Some("the last 24 and 48 hours".to_string());
        }
        let captions: Vec<&str> = self
            .pictures
            .iter()
            .map(|picture| picture.caption.as_str())
            .collect();
        Some(format!("the last 24 hours of {}", captions.join(", ")))
    }
}

#[cfg(test)]
impl Writing {
    /// One without pictures, for tests of what becomes of it.
    pub fn sample() -> Self {
        let words = Words {
            subject: "[High] Sales".into(),
            heading: "High Sales".into(),
            summary: "Sales is above its band.".into(),
            ..Words::default()
        };
        Self::new(words, Tone::High, Vec::new(), None)
    }
}

#[cfg(test)]
mod tests;
