//! Where an alert goes: pictures and previews into `plots_dir`, mail to its recipients.

use std::path::PathBuf;

use anyhow::Result;

use crate::chart::Pictures;
use crate::cli::Mode;
use crate::config::Metric;
use crate::mail::{self, Delivery, Letter, Mailbox, PreviewImages, Writing};
use crate::plan::Plan;
use crate::plots::Piece;

/// Writes the pictures, and of a dry run the mail as a file and as a page.
///
/// # Errors
///
/// If a file cannot be written; the others are not tried.
pub fn write_files(
    plan: &Plan,
    metric: &Metric,
    pictures: Option<&Pictures>,
    writing: &Writing,
) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    if let Some(pictures) = pictures {
        files.extend(plan.plots.write_pictures(metric, pictures)?);
    }
    if plan.mode == Mode::Preview {
        let name = |piece| plan.plots.file_name(metric, piece);
        let page = writing.page_with(PreviewImages {
            day: &name(Piece::Day),
            two_days: &name(Piece::TwoDays),
        });
        let letter = writing.address(
            &sender(plan),
            &recipients(plan, metric)[0],
            plan.now.to_utc(),
        )?;
        files.push(
            plan.plots
                .write(metric, Piece::Mail, &letter.message.formatted())?,
        );
        files.push(plan.plots.write(metric, Piece::Page, page.as_bytes())?);
    }
    Ok(files)
}

/// Sends the mail to each recipient, if this run sends at all.
///
/// # Errors
///
/// If a mail cannot be put together; what the server says of each is in the deliveries.
pub fn send(plan: &Plan, metric: &Metric, writing: &Writing) -> Result<Vec<Delivery>> {
    let Some(settings) = &plan.mail else {
        return Ok(Vec::new());
    };
    let address = |to| writing.address(&sender(plan), to, plan.now.to_utc());
    let letters: Vec<Letter> = recipients(plan, metric)
        .iter()
        .map(address)
        .collect::<Result<_>>()?;
    Ok(mail::send(&letters, settings, plan.deadline))
}

fn sender(plan: &Plan) -> Mailbox {
    plan.letterhead
        .from
        .clone()
        .unwrap_or_else(|| mail::placeholder("bandwatch"))
}

/// At least one: without a configuration, a name that nobody has.
fn recipients(plan: &Plan, metric: &Metric) -> Vec<Mailbox> {
    let recipients = metric
        .recipients
        .as_ref()
        .unwrap_or(&plan.letterhead.recipients);
    if recipients.is_empty() {
        vec![mail::placeholder("recipient")]
    } else {
        recipients.clone()
    }
}
