//! A report of many metrics: as text, as one HTML file with its pictures in it, and as a mail. Whoever writes
//! it has put every fact into words.

use anyhow::{Context, Result};
use askama::Template;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lettre::Message;

use super::message::{Envelope, Picture, Tone, write_message};
use crate::output::without_breaks;

/// The same in every form.
#[derive(Debug, Clone, Default)]
pub struct Report {
    pub subject: String,
    pub heading: String,
    pub summary: String,
    /// Oldest first.
    pub alerts: Vec<ReportedAlert>,
    pub metrics: Vec<ReportedMetric>,
    pub notes: Vec<String>,
    pub contact: Option<String>,
    pub pictures: Vec<Picture>,
}

/// An alert of the time, and what became of it.
#[derive(Debug, Clone)]
pub struct ReportedAlert {
    /// The title of its metric.
    pub title: String,
    pub label: String,
    pub tone: Tone,
    pub when: String,
    pub lines: Vec<String>,
}

/// How a metric fared.
#[derive(Debug, Clone)]
pub struct ReportedMetric {
    pub title: String,
    pub lines: Vec<String>,
}

/// Where the HTML has its pictures from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In the file itself.
    File,
    /// In the parts of the mail.
    Mail,
}

#[derive(Debug, Template)]
#[template(path = "report.html", config = "src/notify/email/askama.toml")]
struct Page<'a> {
    page: &'a Report,
    place: Place,
}

impl Page<'_> {
    fn source(&self, picture: &Picture) -> String {
        match self.place {
            Place::File => format!("data:image/png;base64,{}", STANDARD.encode(picture.png())),
            Place::Mail => format!("cid:{}", picture.content_id()),
        }
    }
}

impl Report {
    /// One file that needs no other.
    pub fn file(&self) -> Result<String> {
        self.html(Place::File)
    }

    fn html(&self, place: Place) -> Result<String> {
        let page = Page { page: self, place };
        page.render().context("render the HTML of the report")
    }

    pub fn text(&self) -> String {
        let (heading, summary) = (without_breaks(&self.heading), without_breaks(&self.summary));
        let underline = "=".repeat(heading.chars().count().min(70));
        let mut text = format!("{heading}\n{underline}\n\n{summary}\n");
        let lines = |lines: &[String]| -> String {
            let lines = lines.iter();
            lines
                .map(|line| format!("  {}\n", without_breaks(line)))
                .collect()
        };
        for alert in &self.alerts {
            let title = without_breaks(&alert.title);
            let (label, when) = (&alert.label, without_breaks(&alert.when));
            text += &format!("\n{title}: {label}\n  {when}\n{}", lines(&alert.lines));
        }
        for metric in &self.metrics {
            let title = without_breaks(&metric.title);
            text += &format!("\n{title}\n{}", lines(&metric.lines));
        }
        for note in &self.notes {
            text += &format!("\n{}\n", without_breaks(note));
        }
        text
    }

    /// The mail to one recipient.
    pub fn message(&self, envelope: &Envelope) -> Result<Message> {
        let contact = self.contact.as_ref();
        let contact = contact.map_or(String::new(), |contact| format!("Questions? {contact}\n"));
        let text = format!("{}\n-- \n{contact}Sent by bandwatch.\n", self.text());
        let html = self.html(Place::Mail)?;
        write_message(
            envelope,
            &without_breaks(&self.subject),
            [text, html],
            &self.pictures,
        )
    }

    /// The same without pictures, if it has some.
    #[must_use]
    pub fn without_pictures(mut self) -> Option<Self> {
        let pictures = std::mem::take(&mut self.pictures);
        let why = "The pictures are not in this mail: the mail server does not take mails as large as with them.";
        self.notes.push(why.to_string());
        (!pictures.is_empty()).then_some(self)
    }
}
