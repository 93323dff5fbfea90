//! What a mail says: a subject that tells all at a glance, a text part that says everything, and HTML
//! with the two pictures by Content-ID, which every reader shows where `data:` images are dropped.
//! Every value is escaped by the template, encoded by the builder, and on one line.

use anyhow::{Context, Result};
use askama::Template;
use chrono::{DateTime, Utc};
use lettre::Message;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, Mailbox, MultiPart, SinglePart};

use crate::chart::Pictures;
use crate::config::Metric;
use crate::fingerprint::fingerprint;
use crate::judgement::Judgement;
use crate::verdict::Verdict;

use super::words::{Fact, Words};

/// What is to be told of a metric, to whomever.
#[derive(Debug, Clone)]
pub struct Writing {
    pub subject: String,
    pub text: String,
    /// Pictures by Content-ID.
    pub html: String,
    figures: Vec<Figure>,
    /// Names the judged point, the same in every run that tells of it.
    thread: String,
}

/// A picture and what stands above it.
#[derive(Debug, Clone)]
struct Figure {
    caption: &'static str,
    source: String,
    alternative: String,
    file_name: String,
    png: Vec<u8>,
}

#[derive(Template)]
#[template(path = "alert.html", config = "src/mail/askama.toml")]
struct Page<'a> {
    subject: &'a str,
    heading: &'a str,
    colour: &'static str,
    summary: &'a str,
    facts: &'a [Fact],
    notes: &'a [String],
    figures: &'a [Figure],
    contact: Option<&'a str>,
}

/// One recipient's mail, as it goes over the wire.
#[derive(Debug, Clone)]
pub struct Letter {
    pub to: Mailbox,
    pub message: Message,
}

/// Where a page that is opened outside of a mail finds its pictures.
#[derive(Debug, Clone, Copy)]
pub struct PreviewImages<'a> {
    pub day: &'a str,
    pub two_days: &'a str,
}

/// Writes what a judgement comes to.
///
/// # Errors
///
/// If the page cannot be rendered.
pub fn compose(
    metric: &Metric,
    judgement: &Judgement,
    pictures: Option<&Pictures>,
    contact: Option<&str>,
) -> Result<Writing> {
    let words = Words::of(metric, judgement);
    let thread = format!(
        "{}.{}",
        metric.file_name(),
        judgement
            .latest
            .map_or(judgement.reading.now, |latest| latest.time)
            .timestamp()
    );
    let figures = pictures.map_or(Vec::new(), |pictures| {
        vec![
            figure(
                "Last 24 hours",
                &format!("{}_24h", metric.file_name()),
                &metric.title,
                &pictures.day,
            ),
            figure(
                "Last 48 hours",
                &format!("{}_48h", metric.file_name()),
                &metric.title,
                &pictures.two_days,
            ),
        ]
    });
    let page = Page {
        subject: &words.subject,
        heading: &words.heading,
        colour: colour(&judgement.verdict),
        summary: &words.summary,
        facts: &words.facts,
        notes: &words.notes,
        figures: &figures,
        contact,
    };
    let html = page.render().context("render the HTML of the mail")?;
    Ok(Writing {
        text: text(&words, &figures, contact),
        subject: words.subject,
        html,
        figures,
        thread,
    })
}

fn figure(caption: &'static str, name: &str, title: &str, png: &[u8]) -> Figure {
    // A Content-ID is an address in ASCII (RFC 2392); a name may be anything.
    let plain: String = name
        .chars()
        .map(|letter| {
            if letter.is_ascii_alphanumeric() || letter == '_' {
                letter
            } else {
                '-'
            }
        })
        .collect();
    Figure {
        caption,
        source: format!("cid:{plain}@bandwatch"),
        alternative: format!("{title}, {}", caption.to_lowercase()),
        file_name: format!("{plain}.png"),
        png: png.to_vec(),
    }
}

impl Writing {
    /// The mail to one recipient. `now` dates it; the Message-ID names the judged point and the
    /// recipient, so that a server that sees it twice can tell.
    ///
    /// # Errors
    ///
    /// If the parts make no valid message.
    pub fn address(&self, from: &Mailbox, to: &Mailbox, now: DateTime<Utc>) -> Result<Letter> {
        let html = SinglePart::builder()
            .header(ContentType::TEXT_HTML)
            .header(ContentTransferEncoding::QuotedPrintable)
            .body(self.html.clone());
        let mut related = MultiPart::related().singlepart(html);
        for figure in &self.figures {
            let id = figure.source.trim_start_matches("cid:").to_string();
            let part = Attachment::new_inline_with_name(id, figure.file_name.clone())
                .body(figure.png.clone(), ContentType::parse("image/png")?);
            related = related.singlepart(part);
        }
        let text = SinglePart::builder()
            .header(ContentType::TEXT_PLAIN)
            .header(ContentTransferEncoding::QuotedPrintable)
            .body(self.text.clone());
        let message = Message::builder()
            .from(from.clone())
            .to(to.clone())
            .subject(self.subject.clone())
            .date(now.into())
            .message_id(Some(self.message_id(from, to)))
            .raw_header(HeaderValue::new(
                HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".into(),
            ))
            .multipart(MultiPart::alternative().singlepart(text).multipart(related))
            .with_context(|| format!("write the mail to {}", to.email))?;
        Ok(Letter {
            to: to.clone(),
            message,
        })
    }

    fn message_id(&self, from: &Mailbox, to: &Mailbox) -> String {
        let mark = fingerprint(&format!("{} {} {}", self.thread, self.subject, to.email));
        let ascii_domain = Some(from.email.domain())
            .filter(|domain| domain.is_ascii())
            .unwrap_or("bandwatch.invalid");
        format!("<bandwatch.{mark:016x}@{ascii_domain}>")
    }

    /// The page with its pictures beside it, for a browser.
    pub fn page_with(&self, images: PreviewImages) -> String {
        let [day, two_days] = [images.day, images.two_days].map(|name| {
            name.replace('%', "%25")
                .replace('#', "%23")
                .replace('?', "%3F")
        });
        let mut html = self.html.clone();
        for (figure, name) in self.figures.iter().zip([day, two_days]) {
            html = html.replace(
                &format!("src=\"{}\"", figure.source),
                &format!("src=\"{name}\""),
            );
        }
        html
    }
}

/// Blue for high and orange for low, as in the mails people know.
fn colour(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::High => "#1a5fb4",
        Verdict::Low => "#c64600",
        Verdict::Normal => "#26733f",
        Verdict::Undecided(_) => "#5e5c64",
    }
}

fn text(words: &Words, figures: &[Figure], contact: Option<&str>) -> String {
    let mut text = format!(
        "{}\n{}\n\n{}\n\n",
        words.heading,
        "=".repeat(words.heading.chars().count().min(70)),
        words.summary
    );
    for fact in &words.facts {
        text += &format!("{:<17} {}\n", format!("{}:", fact.name), fact.value);
    }
    for note in &words.notes {
        text += &format!("\n{note}\n");
    }
    if !figures.is_empty() {
        text += "\nThe pictures of the last 24 and 48 hours are in the HTML part of this mail.\n";
    }
    text += "\n-- \n";
    if let Some(contact) = contact {
        text += &format!("Questions? {contact}\n");
    }
    text + "Sent by bandwatch.\n"
}

#[cfg(test)]
mod tests;
