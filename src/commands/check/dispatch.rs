//! Where an alert goes that nothing is remembered of: pictures and previews into `plots_dir`, mail to
//! its recipients at once.

use std::path::PathBuf;

use anyhow::Result;

use crate::chart::Pictures;
use crate::cli::Mode;
use crate::config::Metric;
use crate::context::Plan;
use crate::detect::Evaluation;
use crate::notify::email::{self, Address, Delivery, Letter, Mailbox, PreviewImages, Writing};
use crate::output::Piece;

/// What is to be told of a judged point.
#[derive(Debug, Clone, Copy)]
pub struct Alert<'a> {
    pub metric: &'a Metric,
    pub evaluation: &'a Evaluation,
    pub pictures: Option<&'a Pictures>,
    pub writing: &'a Writing,
}

impl Alert<'_> {
    /// Writes the pictures, and of a dry run the mail as a file and as a page.
    ///
    /// # Errors
    ///
    /// If a file cannot be written; the others are not tried.
    pub fn write_files(&self, plan: &Plan) -> Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        let metric = self.metric;
        if let Some(pictures) = self.pictures {
            files.extend(plan.plots.write_pictures(metric, pictures)?);
        }
        if plan.mode == Mode::Preview {
            let name = |piece| plan.plots.file_name(metric, piece);
            let page = self.writing.page_with(PreviewImages {
                day: &name(Piece::Day),
                two_days: &name(Piece::TwoDays),
            })?;
            let letter = self.letter(&plan.recipients(metric)[0], plan)?;
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
    pub fn send(&self, plan: &Plan) -> Result<Vec<Delivery>> {
        let Some(settings) = &plan.mail else {
            return Ok(Vec::new());
        };
        let recipients = plan.recipients(self.metric);
        let letters: Vec<Letter> = recipients
            .iter()
            .map(|to| self.letter(to, plan))
            .collect::<Result<_>>()?;
        Ok(mail::send(&letters, settings, plan.deadline))
    }

    fn letter(&self, to: &Mailbox, plan: &Plan) -> Result<Letter> {
        self.writing.address(&Address {
            from: &plan.sender(),
            to,
            date: plan.now.to_utc(),
            name: &mail::name_of_point(self.metric, self.evaluation),
            answers: None,
        })
    }
}
