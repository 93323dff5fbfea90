//! A mail, whole: words, colour and pictures, as a text part that says everything and as HTML, and as the
//! message to one recipient. Every value is on one line, escaped by the template, and encoded by the
//! message builder.

use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use askama::Template;
use chrono::{DateTime, Utc};
use lettre::Message;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, MultiPart, SinglePart};

use super::Letterhead;
use crate::config::Mailbox;
use crate::output::fingerprint::fingerprint;
use crate::output::{isolate, without_breaks_but_isolates};

/// The same in both parts of a mail.
#[derive(Debug, Clone, Default)]
pub struct Words {
    pub subject: String,
    /// Of what belongs to an earlier mail and goes under its subject: what is new, in front of all else.
    pub news: Option<String>,
    pub heading: String,
    pub summary: String,
    pub advice: Option<Advice>,
    pub facts: Vec<Fact>,
    pub entries: Vec<Entry>,
    pub notes: Vec<String>,
    /// What only those look for who want to know it all.
    pub small_print: Vec<Fact>,
}

/// What a reader can do.
#[derive(Debug, Clone, Default)]
pub struct Advice {
    pub text: String,
    /// Where to look on.
    pub link: Option<String>,
    /// Where the commands are given.
    pub host: Option<String>,
    pub commands: Vec<Command>,
}

/// A command for a shell, and what it is for.
#[derive(Debug, Clone)]
pub struct Command {
    pub purpose: &'static str,
    pub line: String,
}

#[derive(Debug, Clone)]
pub struct Fact {
    pub name: String,
    pub value: String,
}

/// One of several alerts in a digest.
#[derive(Debug, Clone)]
pub struct Entry {
    pub title: String,
    /// Where to look on.
    pub link: Option<String>,
    /// The word it is listed and counted under.
    pub word: String,
    /// The word on the label, and its colour.
    pub label: String,
    pub tone: Tone,
    /// What stands out most: how far off it is, or how long.
    pub head: String,
    /// What stands below: the value, what is usual, and since when; and more.
    pub lines: Vec<String>,
}

/// What the colour says before a word is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    High,
    Low,
    Normal,
    /// Neither good nor bad: nothing is known.
    Blind,
}

/// A picture and what stands above it. It goes along by Content-ID: every reader shows it, where `data:`
/// images are dropped.
#[derive(Debug, Clone)]
pub struct Picture {
    caption: String,
    /// Plain letters, another for each picture of a mail.
    name: String,
    alternative: String,
    png: Vec<u8>,
}

/// A mail; its template is that of the HTML.
#[derive(Debug, Clone, Template)]
#[template(path = "alert.html", config = "src/notify/email/askama.toml")]
pub struct Email {
    words: Words,
    tone: Tone,
    pictures: Vec<Picture>,
    contact: Option<Contact>,
}

/// Whom to ask, with the address in it, if there is one.
#[derive(Debug, Clone)]
struct Contact {
    before: String,
    address: String,
    after: String,
}

/// How a mail stands in a correspondence.
pub struct Envelope<'a> {
    pub from: &'a Mailbox,
    pub to: &'a Mailbox,
    pub date: DateTime<Utc>,
    pub message_id: &'a str,
    pub in_reply_to: Option<&'a str>,
    /// That of the mail it replies to: some readers want the same for all mails of a thread.
    pub thread_subject: Option<&'a str>,
}

impl Email {
    pub fn new(words: Words, tone: Tone, pictures: Vec<Picture>, letterhead: &Letterhead) -> Self {
        Self {
            words: words.without_breaks(),
            tone,
            pictures,
            contact: letterhead.contact.map(Contact::new),
        }
    }

    pub fn subject(&self) -> &str {
        &self.words.subject
    }

    pub fn words(&self) -> &Words {
        &self.words
    }

    pub fn tone(&self) -> Tone {
        self.tone
    }

    pub fn html(&self) -> Result<String> {
        self.render().context("render the HTML of the mail")
    }

    /// The page for a browser, with its pictures in files beside it.
    pub fn preview(&self, files: &[String]) -> Result<String> {
        let mut html = self.html()?;
        for (picture, file) in self.pictures.iter().zip(files) {
            let file = file
                .replace('%', "%25")
                .replace('#', "%23")
                .replace('?', "%3F");
            let source = format!("src=\"cid:{}\"", picture.content_id());
            html = html.replace(&source, &format!("src=\"{file}\""));
        }
        Ok(html)
    }

    /// The mail without pictures, if it has some.
    pub fn without_pictures(mut self) -> Option<Self> {
        let pictures = std::mem::take(&mut self.pictures);
        let why = "The pictures are not in this mail: the mail server does not take mails as large as with them.";
        self.words.notes.push(why.to_string());
        (!pictures.is_empty()).then_some(self)
    }

    pub fn text(&self) -> String {
        let words = &self.words;
        let (heading, summary) = (&words.heading, &words.summary);
        let underline = "=".repeat(heading.chars().count().min(70));
        let news = words.news.iter().map(|news| format!("{news}\n\n"));
        let mut text = news.collect::<String>();
        text += &format!("{heading}\n{underline}\n\n{summary}\n\n");
        let list = |facts: &[Fact]| -> String {
            let line = |fact: &Fact| format!("{:<17} {}\n", format!("{}:", fact.name), fact.value);
            facts.iter().map(line).collect()
        };
        let contact = self.contact.as_ref().map(Contact::text);
        if let Some(advice) = &words.advice {
            let mut lines = advice.lines();
            lines.splice(1..1, contact.clone());
            text += &format!("{}\n\n", lines.join("\n"));
        }
        text += &list(&words.facts);
        let entries = words.entries.iter().map(|entry| {
            let lines = entry.lines.iter().map(|line| format!("  {line}\n"));
            format!(
                "{}: {}, {}\n{}",
                entry.title,
                entry.label,
                entry.head,
                lines.collect::<String>()
            )
        });
        text += &entries.collect::<Vec<_>>().join("\n");
        for note in &words.notes {
            text += &format!("\n{note}\n");
        }
        if !words.small_print.is_empty() {
            text += &format!("\n{}", list(&words.small_print));
        }
        if !self.pictures.is_empty() {
            let captions = self.pictures.iter().map(|picture| picture.caption.as_str());
            let shown = captions.collect::<Vec<_>>().join("; ");
            text += &format!("\nPictures in the HTML part of this mail: {shown}.\n");
        }
        text += "\n-- \n";
        if let Some(contact) = contact.filter(|_| words.advice.is_none()) {
            text += &format!("{contact}\n");
        }
        text + "Sent by bandwatch.\n"
    }

    /// The mail to one recipient.
    pub fn message(&self, envelope: &Envelope) -> Result<Message> {
        let parts = [self.text(), self.html()?];
        write_message(envelope, self.subject(), parts, &self.pictures)
    }
}

/// The message of a text and its HTML, which shows the pictures.
pub fn write_message(
    envelope: &Envelope,
    subject: &str,
    [text, html]: [String; 2],
    pictures: &[Picture],
) -> Result<Message> {
    let part = |kind: ContentType, body: String| {
        SinglePart::builder()
            .header(kind)
            .header(ContentTransferEncoding::QuotedPrintable)
            .body(body)
    };
    let html = part(ContentType::TEXT_HTML, html);
    let mut related = MultiPart::related().singlepart(html);
    for picture in pictures {
        let file_name = format!("{}.png", picture.name);
        let part = Attachment::new_inline_with_name(picture.content_id(), file_name)
            .body(picture.png.clone(), ContentType::parse("image/png")?);
        related = related.singlepart(part);
    }
    let mut builder = Message::builder()
        .from(with_ascii_domain(envelope.from))
        .to(with_ascii_domain(envelope.to))
        .subject(
            envelope
                .thread_subject
                .map_or_else(|| subject.to_string(), |subject| format!("Re: {subject}")),
        )
        .date(mail_date(envelope.date))
        .message_id(Some(envelope.message_id.to_string()))
        .raw_header(HeaderValue::new(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".into(),
        ));
    if let Some(id) = envelope.in_reply_to {
        builder = builder.in_reply_to(id.into()).references(id.into());
    }
    let text = part(ContentType::TEXT_PLAIN, text);
    builder
        .multipart(MultiPart::alternative().singlepart(text).multipart(related))
        .with_context(|| format!("write the mail to {}", envelope.to.email))
}

/// The format has years of four digits, and lettre none before 1970; what a state says may be any.
fn mail_date(time: DateTime<Utc>) -> SystemTime {
    const LAST_SECOND: i64 = 253_402_300_799;
    let seconds = time.timestamp().clamp(0, LAST_SECOND).unsigned_abs();
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

/// The Message-ID of what goes by a name, to one recipient.
pub fn message_id(from: &Mailbox, to: &Mailbox, name: &str) -> String {
    let mark = fingerprint(&format!("{name} {}", to.email));
    let from = with_ascii_domain(from);
    format!("<bandwatch.{mark:016x}@{}>", from.email.domain())
}

/// The address with its domain as the domain name system has it ("xn--..."; RFC 5890, 2.3.2.1), which every
/// mail server takes.
fn with_ascii_domain(mailbox: &Mailbox) -> Mailbox {
    let ascii = idna::domain_to_ascii(mailbox.email.domain()).ok();
    let email = ascii
        .filter(|_| !mailbox.email.domain().is_ascii())
        .and_then(|domain| lettre::Address::new(mailbox.email.user(), domain).ok());
    Mailbox::new(mailbox.name.clone(), email.unwrap_or(mailbox.email.clone()))
}

impl Contact {
    fn new(text: &str) -> Self {
        let is_between = |letter: char| letter.is_whitespace() || "<>(),;\"".contains(letter);
        let mut words = text
            .split(is_between)
            .map(|word| word.trim_end_matches('.'));
        let address = words.find(|word| word.parse::<lettre::Address>().is_ok());
        let place = address.and_then(|address| Some((text.find(address)?, address)));
        let (start, address) = place.unwrap_or((text.len(), ""));
        let end = start + address.len();
        Self {
            before: isolated_words(text.get(..start).unwrap_or(text)),
            address: address.to_string(),
            after: isolated_words(text.get(end..).unwrap_or_default()),
        }
    }

    fn text(&self) -> String {
        let Self {
            before,
            address,
            after,
        } = self;
        format!("Questions? {before}{address}{after}")
    }
}

/// Part of a text, with the blanks that part it from the rest.
fn isolated_words(part: &str) -> String {
    let words = part.trim();
    let (before, after) = part.split_once(words).unwrap_or((part, ""));
    format!("{before}{}{after}", isolate(words))
}

impl Command {
    /// A line breaks between them, and not within one.
    fn words(&self) -> impl Iterator<Item = &str> {
        self.line.split(' ')
    }
}

impl Advice {
    /// For whoever reads plain text.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("What to do: {}", self.text)];
        lines.extend(self.link.clone());
        if let (Some(host), [_, ..]) = (&self.host, self.commands.as_slice()) {
            lines.push(format!("On the machine {host}:"));
        }
        lines.extend(self.commands.iter().map(|command| {
            let purpose = format!("{}:", command.purpose);
            format!("  {purpose:<14} {}", command.line)
        }));
        lines
    }

    /// Whose page the link leads to.
    fn link_host(&self) -> Option<&str> {
        link_host(self.link.as_deref()?)
    }
}

fn link_host(link: &str) -> Option<&str> {
    let (_, rest) = link.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    // A name and password before it are nobody's to see.
    authority.rsplit('@').next()
}

impl Tone {
    /// Blue for high and orange for low, as in the mails people know. White is readable on each.
    pub fn colour(self) -> &'static str {
        match self {
            Self::High => "#1a5fb4",
            Self::Low => "#c64600",
            Self::Normal => "#26733f",
            Self::Blind => "#5e5c64",
        }
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

impl Picture {
    /// `name` tells it from the others of its mail.
    pub fn new(caption: &str, name: &str, alternative: &str, png: &[u8]) -> Self {
        // A Content-ID is an address in ASCII (RFC 2392); a name may be anything.
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        Self {
            caption: without_breaks_but_isolates(caption),
            name: name.replace(|letter| !is_plain(letter), "-"),
            alternative: without_breaks_but_isolates(alternative),
            png: png.to_vec(),
        }
    }

    pub fn caption(&self) -> &str {
        &self.caption
    }

    pub fn alternative(&self) -> &str {
        &self.alternative
    }

    pub fn png(&self) -> &[u8] {
        &self.png
    }

    pub fn content_id(&self) -> String {
        format!("{}@bandwatch", self.name)
    }
}

impl Words {
    /// The words without line breaks, so that no name can pass for a line or a header of its own.
    fn without_breaks(mut self) -> Self {
        let facts = self.facts.iter_mut().chain(&mut self.small_print);
        let facts = facts.flat_map(|fact| [&mut fact.name, &mut fact.value]);
        let entries = self.entries.iter_mut().flat_map(|entry| {
            let cells = [&mut entry.title, &mut entry.head];
            cells.into_iter().chain(&mut entry.lines)
        });
        let advice = self.advice.iter_mut().flat_map(|advice| {
            let lines = advice.commands.iter_mut().map(|command| &mut command.line);
            lines.chain(&mut advice.host).chain([&mut advice.text])
        });
        let own = [&mut self.subject, &mut self.heading, &mut self.summary];
        let texts = own.into_iter().chain(&mut self.news).chain(&mut self.notes);
        for text in texts.chain(facts).chain(entries).chain(advice) {
            *text = without_breaks_but_isolates(text);
        }
        self
    }
}
