//! A writing on its way to one recipient: the parts of the message, and the headers by which mails of
//! one matter belong together. The builder encodes every value.

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use lettre::Message;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, Mailbox, MultiPart, SinglePart};

use super::writing::Writing;
use crate::output::fingerprint::fingerprint;

/// How a mail stands in a correspondence.
#[derive(Debug, Clone, Copy)]
pub struct Address<'a> {
    pub from: &'a Mailbox,
    pub to: &'a Mailbox,
    pub date: DateTime<Utc>,
    /// Names what is told: the same whenever it is sent anew, so that a server that sees it twice can
    /// tell.
    pub name: &'a str,
    /// The Message-ID of the mail that this one belongs to.
    pub answers: Option<&'a str>,
}

/// One recipient's mail, as it goes over the wire.
#[derive(Debug, Clone)]
pub struct Letter {
    pub to: Mailbox,
    pub message: Message,
}

impl Writing {
    /// The mail to one recipient.
    ///
    /// # Errors
    ///
    /// If the parts make no valid message.
    pub fn address(&self, address: &Address) -> Result<Letter> {
        let (from, to) = (address.from, address.to);
        let html = SinglePart::builder()
            .header(ContentType::TEXT_HTML)
            .header(ContentTransferEncoding::QuotedPrintable)
            .body(self.html()?);
        let mut related = MultiPart::related().singlepart(html);
        for picture in self.pictures() {
            let id = picture.content_id().to_string();
            let part = Attachment::new_inline_with_name(id, picture.file_name.clone())
                .body(picture.png.clone(), ContentType::parse("image/png")?);
            related = related.singlepart(part);
        }
        let text = SinglePart::builder()
            .header(ContentType::TEXT_PLAIN)
            .header(ContentTransferEncoding::QuotedPrintable)
            .body(self.text());
        let mut builder = Message::builder()
            .from(from.clone())
            .to(to.clone())
            .subject(self.subject())
            .date(address.date.into())
            .message_id(Some(message_id(from, to, address.name)))
            .raw_header(HeaderValue::new(
                HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".into(),
            ));
        if let Some(id) = address.answers {
            builder = builder
                .in_reply_to(id.to_string())
                .references(id.to_string());
        }
        let message = builder
            .multipart(MultiPart::alternative().singlepart(text).multipart(related))
            .with_context(|| format!("write the mail to {}", to.email))?;
        Ok(Letter {
            to: to.clone(),
            message,
        })
    }
}

/// The Message-ID of what goes by a name, to one recipient.
pub fn message_id(from: &Mailbox, to: &Mailbox, name: &str) -> String {
    let mark = fingerprint(&format!("{name} {}", to.email));
    let ascii_domain = Some(from.email.domain())
        .filter(|domain| domain.is_ascii())
        .unwrap_or("bandwatch.invalid");
    format!("<bandwatch.{mark:016x}@{ascii_domain}>")
}

#[cfg(test)]
mod tests;
