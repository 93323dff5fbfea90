//! A received message taken apart by mail-parser, which shares nothing with
//! the library that the product writes its messages with.

use std::collections::BTreeMap;

use mail_parser::{MessageParser, MimeHeaders, PartType};

use super::mail_server::Received;

/// What a reader of the message sees.
#[derive(Debug)]
pub struct Mail {
    /// Decoded.
    pub subject: String,
    /// Names and values in their order: unfolded, but not decoded.
    pub headers: Vec<(String, String)>,
    /// The first text/plain part, with `\n` line ends.
    pub text: Option<String>,
    /// The first text/html part, with `\n` line ends.
    pub html: Option<String>,
    /// The parts that have a Content-ID, by it (without its angle brackets).
    pub inline: BTreeMap<String, InlinePart>,
}

#[derive(Debug, PartialEq, Eq)]
pub struct InlinePart {
    /// Such as `image/png`.
    pub content_type: String,
    /// Decoded.
    pub bytes: Vec<u8>,
}

impl Mail {
    /// The subject; of a later mail of a thread, which has that of the first, the first line.
    pub fn news(&self) -> &str {
        let text = self.text.as_deref().unwrap_or_default();
        match self.subject.strip_prefix("Re: ") {
            Some(_) => text.lines().next().unwrap_or_default(),
            None => &self.subject,
        }
    }

    /// The value of the first header of that name, in whatever case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(candidate, _)| candidate.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

impl Received {
    pub fn parse(&self) -> Mail {
        let message = MessageParser::default()
            .parse(&self.raw)
            .expect("a message that can be parsed");
        let mut mail = Mail {
            subject: message.subject().unwrap_or_default().to_owned(),
            headers: message
                .headers_raw()
                .map(|(name, value)| (name.to_owned(), unfold(value)))
                .collect(),
            text: None,
            html: None,
            inline: BTreeMap::new(),
        };
        // mail-parser's own accessors would make a text of the HTML when there
        // is none, and hide its absence.
        for part in &message.parts {
            match (&part.body, part.content_id()) {
                (PartType::Multipart(_), _) => {}
                (_, Some(id)) => {
                    let inline = InlinePart {
                        content_type: content_type(part),
                        bytes: part.contents().to_vec(),
                    };
                    mail.inline.insert(id.to_owned(), inline);
                }
                (PartType::Text(text), None) => {
                    mail.text.get_or_insert_with(|| text.replace("\r\n", "\n"));
                }
                (PartType::Html(html), None) => {
                    mail.html.get_or_insert_with(|| html.replace("\r\n", "\n"));
                }
                _ => {}
            }
        }
        mail
    }
}

fn content_type(part: &mail_parser::MessagePart<'_>) -> String {
    part.content_type()
        .map_or_else(String::new, |kind| match kind.subtype() {
            Some(subtype) => format!("{}/{subtype}", kind.ctype()),
            None => kind.ctype().to_owned(),
        })
}

fn unfold(value: &str) -> String {
    value.trim().replace("\r\n", "")
}
