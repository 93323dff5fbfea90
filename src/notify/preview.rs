//! What a dry run leaves in `plots_dir`, breach or not: both pictures, and the mail as a file and as a
//! page for a browser.

use std::path::PathBuf;

use anyhow::Result;

use super::email::{self, Envelope, Letterhead};
use super::gallery::Gallery;
use super::plots_dir::{Piece, PlotsDir};
use crate::config::{Mailbox, Metric};
use crate::detect::Evaluation;

/// Who the mail would be from, and to whom.
#[derive(Debug)]
pub struct Addresses {
    pub from: Mailbox,
    pub to: Mailbox,
}

/// Writes the mail of an evaluation, whose pictures go into the gallery.
pub fn write_preview(
    metric: &Metric,
    evaluation: &Evaluation,
    addresses: &Addresses,
    letterhead: &Letterhead,
    gallery: &mut Gallery,
    plots: &PlotsDir,
) -> Result<Vec<PathBuf>> {
    let pictures = gallery.draw(metric, evaluation);
    let email = email::compose_evaluation(metric, evaluation, pictures, letterhead);
    let name = |piece| plots.file_name(metric, piece);
    let page = email.preview([&name(Piece::Day), &name(Piece::TwoDays)])?;
    let id = format!(
        "{}.{}.{}",
        metric.file_name(),
        evaluation.bucket.start.timestamp(),
        evaluation.verdict.word()
    );
    let Addresses { from, to } = addresses;
    let message = email.message(&Envelope {
        from,
        to,
        date: letterhead.now.to_utc(),
        message_id: &email::message_id(from, to, &id),
        in_reply_to: None,
    })?;
    Ok(vec![
        plots.write(metric, Piece::Mail, &message.formatted())?,
        plots.write(metric, Piece::Page, page.as_bytes())?,
    ])
}
